//! What each client asks, and whether what comes back is an answer to that.
use super::keys;
use core::net::Ipv4Addr;
use std::sync::Arc;
use truechimer_crypto::Keyring;
use truechimer_proto::authentication::{Authenticator, KeyId, Verification};
use truechimer_time::{NtpDuration, NtpTimestamp};
use truechimer_wire::{HEADER_LEN, Header, Mode};

/// Longest request: header, key identifier and a digest of 20 octets.
pub(crate) const REQUEST_LEN_MAX: usize = HEADER_LEN + 4 + 20;
/// Of the addresses 127.16.0.0 and up, one a client: loopback has them all, and the kernel lets any
/// socket send from them.
pub(crate) const FIRST_CLIENT: Ipv4Addr = Ipv4Addr::new(127, 16, 0, 0);
/// Of so many sealed replies one is verified; to verify all would slow the load down, not the server.
const VERIFIED_ONE_IN: u64 = 64;

/// The sort of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// A header alone.
    Plain,
    /// With a MAC under this key of `keys::FILE`.
    Keyed(u16),
    /// RFC 9769: each request asks for the true transmit stamp of the reply before.
    Interleaved,
}

/// Who asks what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking {
    pub(crate) sort: Sort,
    /// Address of the first client; the others have the next ones.
    pub(crate) first: Ipv4Addr,
    pub(crate) clients: u32,
    /// Whether replies of a server without time are good enough.
    pub(crate) any_stratum: bool,
}

/// What one client waits for, and knows.
#[derive(Clone, Copy, Default)]
struct Client {
    /// Transmit stamp of its last request, as long as no reply has come; 0 otherwise.
    waits_for: u64,
    /// When that was sent, nanoseconds.
    asked_ns: u64,
    /// Receive stamp of the last reply: what the next interleaved request names.
    heard: u64,
}

/// All clients of a server.
pub(crate) struct Exchange {
    asking: Asking,
    clients: Box<[Client]>,
    /// Sealed requests, made before, one a client: to make them costs more than to send them.
    sealed: Box<[[u8; REQUEST_LEN_MAX]]>,
    sealed_len: usize,
    keyring: Keyring,
    octets: [u8; REQUEST_LEN_MAX],
    turn: u64,
}

/// What came of a reply.
pub(crate) enum Judgement {
    /// Good, after so many nanoseconds.
    Good(u64),
    /// Good and interleaved, that is with the true transmit stamp of the one before.
    Interleaved(u64),
    /// Not an answer to what was asked.
    Bad(&'static str),
}

impl Exchange {
    /// Where nobody has asked yet.
    pub(crate) fn new(asking: Asking) -> Result<Self, String> {
        let mut exchange = Self {
            asking,
            clients: vec![Client::default(); asking.clients as usize].into_boxed_slice(),
            sealed: Box::default(),
            sealed_len: 0,
            keyring: Keyring::new(Arc::new(keys::table())),
            octets: [0; REQUEST_LEN_MAX],
            turn: 0,
        };
        if let Sort::Keyed(key) = asking.sort {
            let seal = |client| exchange.seal(client, key);
            let sealed: Option<Vec<_>> = (0..asking.clients).map(seal).collect();
            exchange.sealed = sealed.ok_or("the requests cannot be sealed")?.into();
        }
        Ok(exchange)
    }

    /// The address of a client.
    pub(crate) const fn address(&self, client: u32) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.asking.first.to_bits() + client)
    }

    /// How many clients there are.
    pub(crate) const fn clients(&self) -> usize {
        self.clients.len()
    }

    /// The next request of a client.
    pub(crate) fn request(&mut self, client: u32, now_ns: u64) -> &[u8] {
        self.turn += 1;
        let Some(state) = self.clients.get_mut(client as usize) else {
            return &[];
        };
        state.asked_ns = now_ns;
        if let Some(sealed) = self.sealed.get(client as usize) {
            state.waits_for = tag(client, 0);
            return &sealed[..self.sealed_len];
        }
        state.waits_for = tag(client, self.turn);
        let mut header = blank();
        header.transmit_time = NtpTimestamp::from_bits(state.waits_for);
        if self.asking.sort == Sort::Interleaved {
            header.origin_time = NtpTimestamp::from_bits(state.heard);
            // Never the transmit stamp, so that the reply tells which of the two it is about.
            header.receive_time = NtpTimestamp::from_bits(!state.waits_for);
        }
        let (plain, _) = self.octets.split_at_mut(HEADER_LEN);
        plain.copy_from_slice(&header.to_octets());
        plain
    }

    /// What came of this reply.
    pub(crate) fn judge(&mut self, octets: &[u8], now_ns: u64) -> Judgement {
        let Some(head) = octets.first_chunk::<HEADER_LEN>() else {
            return Judgement::Bad("short");
        };
        let reply = Header::parse(head);
        let origin = reply.origin_time.to_bits();
        let basic = self.waits_for(origin);
        // An interleaved reply names the request by its receive stamp.
        let interleaved = match self.asking.sort {
            Sort::Interleaved => self.waits_for(!origin),
            Sort::Plain | Sort::Keyed(_) => None,
        };
        let Some(client) = basic.or(interleaved) else {
            return Judgement::Bad("of no request that is open");
        };
        let is_interleaved = basic.is_none();
        let verdict = self.fault(octets, &reply, is_interleaved);
        let state = &mut self.clients[client];
        state.waits_for = 0;
        state.heard = reply.receive_time.to_bits();
        let took = now_ns.saturating_sub(state.asked_ns);
        match (verdict, is_interleaved) {
            (Some(fault), _) => Judgement::Bad(fault),
            (None, true) => Judgement::Interleaved(took),
            (None, false) => Judgement::Good(took),
        }
    }

    /// The client that waits for a reply to the request with this transmit stamp.
    fn waits_for(&self, stamp: u64) -> Option<usize> {
        let client = usize::try_from(stamp & u64::from(u32::MAX)).ok()?;
        let state = self.clients.get(client)?;
        (stamp != 0 && state.waits_for == stamp).then_some(client)
    }

    fn fault(
        &mut self,
        octets: &[u8],
        reply: &Header,
        is_interleaved: bool,
    ) -> Option<&'static str> {
        let took = reply.transmit_time.since(reply.receive_time);
        if reply.mode != Mode::Server || reply.version != 4 {
            Some("not of mode 4 and version 4")
        } else if !self.asking.any_stratum && reply.stratum == 0 {
            Some("a kiss")
        } else if !self.asking.any_stratum && reply.stratum >= 16 {
            Some("without time")
        } else if !is_interleaved && took < NtpDuration::ZERO {
            Some("sent before the request had come")
        } else if let Sort::Keyed(key) = self.asking.sort {
            self.mac_fault(octets, key)
        } else {
            None
        }
    }

    fn mac_fault(&mut self, octets: &[u8], key: u16) -> Option<&'static str> {
        if octets.len() != self.sealed_len {
            return Some("without the MAC asked for");
        }
        if !self.turn.is_multiple_of(VERIFIED_ONE_IN) {
            return None;
        }
        let (message, mac) = octets.split_at(HEADER_LEN);
        let key = KeyId::symmetric(key.into())?;
        let digest = mac.get(4..)?;
        let from = Ipv4Addr::LOCALHOST.into();
        let verified = self.keyring.check(key, from, message, digest);
        (verified != Verification::Verified).then_some("with a wrong MAC")
    }

    fn seal(&mut self, client: u32, key: u16) -> Option<[u8; REQUEST_LEN_MAX]> {
        let mut header = blank();
        header.transmit_time = NtpTimestamp::from_bits(tag(client, 0));
        let mut sealed = [0; REQUEST_LEN_MAX];
        let (message, mac) = sealed.split_at_mut(HEADER_LEN);
        message.copy_from_slice(&header.to_octets());
        let (id, digest) = mac.split_at_mut(4);
        id.copy_from_slice(&u32::from(key).to_be_bytes());
        let len = self
            .keyring
            .seal(KeyId::symmetric(key.into())?, message, digest)?;
        self.sealed_len = HEADER_LEN + 4 + len;
        Some(sealed)
    }
}

fn blank() -> Header {
    let mut header = Header::blank(4, Mode::Client);
    header.poll = 6;
    header
}

/// A transmit stamp that names its client, and that a late or made-up reply does not have.
fn tag(client: u32, turn: u64) -> u64 {
    let mixed = (turn ^ u64::from(client) << 32).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed | 1 << 63) & !u64::from(u32::MAX) | u64::from(client)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(sort: Sort) -> Exchange {
        let asking = Asking {
            sort,
            first: FIRST_CLIENT,
            clients: 16,
            any_stratum: false,
        };
        Exchange::new(asking).unwrap()
    }

    fn reply(request: &[u8]) -> Header {
        let asked = Header::parse(request.first_chunk().unwrap());
        let mut header = Header::blank(4, Mode::Server);
        header.stratum = 2;
        header.origin_time = asked.transmit_time;
        header.receive_time = NtpTimestamp::from_bits(100);
        header.transmit_time = NtpTimestamp::from_bits(101);
        header
    }

    fn fault(exchange: &mut Exchange, header: &Header) -> Option<&'static str> {
        match exchange.judge(&header.to_octets(), 7000) {
            Judgement::Bad(fault) => Some(fault),
            Judgement::Good(ns) | Judgement::Interleaved(ns) => {
                assert_eq!(ns, 2000);
                None
            }
        }
    }

    #[test]
    fn a_reply_counts_once() {
        let mut exchange = exchange(Sort::Plain);
        let good = reply(exchange.request(3, 5000));
        assert_eq!(fault(&mut exchange, &good), None);
        assert!(fault(&mut exchange, &good).is_some(), "twice");
        let late = reply(exchange.request(3, 5000));
        exchange.request(3, 5000);
        assert!(fault(&mut exchange, &late).is_some(), "asked anew since");
    }

    #[test]
    fn what_is_no_answer() {
        let spoils: [fn(&mut Header); 6] = [
            |it| it.mode = Mode::Client,
            |it| it.version = 3,
            |it| it.stratum = 0,
            |it| it.stratum = 16,
            |it| it.transmit_time = NtpTimestamp::from_bits(99),
            |it| it.origin_time = NtpTimestamp::from_bits(!it.origin_time.to_bits()),
        ];
        for spoil in spoils {
            let mut exchange = exchange(Sort::Plain);
            let mut header = reply(exchange.request(3, 5000));
            spoil(&mut header);
            assert!(fault(&mut exchange, &header).is_some());
        }
    }

    #[test]
    fn sealed_replies_are_verified() {
        for key in [keys::MD5, keys::SHA1, keys::CMAC] {
            let mut exchange = exchange(Sort::Keyed(key));
            for turn in 0..VERIFIED_ONE_IN {
                let client = u32::try_from(turn % 16).unwrap();
                let header = reply(exchange.request(client, 5000));
                let mut octets = header.to_octets().to_vec();
                let mut mac = [0; 20];
                let id = KeyId::symmetric(key.into()).unwrap();
                let len = exchange.keyring.seal(id, &octets, &mut mac).unwrap();
                octets.extend(u32::from(key).to_be_bytes());
                octets.extend(&mac[..len]);
                let spoilt = exchange.turn == VERIFIED_ONE_IN;
                *octets.last_mut().unwrap() ^= u8::from(spoilt);
                let judged = exchange.judge(&octets, 7000);
                assert_eq!(matches!(judged, Judgement::Bad(_)), spoilt);
            }
        }
    }

    #[test]
    fn an_interleaved_reply_names_the_receive_stamp() {
        let mut exchange = exchange(Sort::Interleaved);
        let basic = reply(exchange.request(3, 5000));
        assert!(matches!(
            exchange.judge(&basic.to_octets(), 7000),
            Judgement::Good(2000)
        ));
        let asked = Header::parse(exchange.request(3, 5000).first_chunk().unwrap());
        assert_eq!(asked.origin_time, basic.receive_time);
        let mut header = reply(&asked.to_octets());
        header.origin_time = asked.receive_time;
        header.transmit_time = NtpTimestamp::from_bits(50);
        assert!(matches!(
            exchange.judge(&header.to_octets(), 7000),
            Judgement::Interleaved(2000)
        ));
    }
}
