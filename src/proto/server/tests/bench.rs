//! A responder with what it needs around it.
use crate::authentication::{Authenticator, KeyId, SessionKey, Verification};
use crate::packet::{Received, Stamp, StampClass, Via};
use crate::server::{Policy, Responder, Verdict};
use crate::snapshot::Snapshot;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{Instant, Now, NtpDuration, NtpShort, NtpTimestamp};
use truechimer_wire::{HEADER_LEN, Header, Mode, ReferenceId};

/// Where no key may be used.
pub(super) const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 66));

/// Keys whose digest is a checksum: enough to see that the right octets are covered. Key 7 makes
/// 16 octets, key 8 makes 20, key 9 verifies but will not seal, key 10 is not trusted.
pub(super) struct Checksum;

pub(super) fn digest(key: u32, message: &[u8]) -> [u8; 20] {
    let mut digest = [0; 20];
    let mut state = 0xCBF2_9CE4_8422_2325_u64 ^ u64::from(key);
    for (index, octet) in message
        .iter()
        .cycle()
        .take(message.len() * 2 + 40)
        .enumerate()
    {
        state = (state ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01B3);
        digest[index % 20] ^= state.to_be_bytes()[0];
    }
    digest
}

pub(super) fn digest_len(key: u32) -> Option<usize> {
    match key {
        7 | 9 | 10 => Some(16),
        8 => Some(20),
        _ => None,
    }
}

impl Authenticator for Checksum {
    fn check(&mut self, key: KeyId, from: IpAddr, message: &[u8], claimed: &[u8]) -> Verification {
        match digest_len(key.get()) {
            None => Verification::UnknownKey,
            Some(_) if key.get() == 10 => Verification::UntrustedKey,
            Some(_) if from == ELSEWHERE => Verification::WrongAddress,
            Some(len) if len != claimed.len() => Verification::WrongLength,
            Some(len) if digest(key.get(), message)[..len] == *claimed => Verification::Verified,
            Some(_) => Verification::WrongDigest,
        }
    }

    fn seal(&mut self, key: KeyId, message: &[u8], out: &mut [u8]) -> Option<usize> {
        let len = digest_len(key.get()).filter(|_| key.get() != 9)?;
        out.get_mut(..len)?
            .copy_from_slice(&digest(key.get(), message)[..len]);
        Some(len)
    }

    fn reference_id_of(&mut self, _: Ipv6Addr) -> Option<[u8; 4]> {
        None
    }

    fn session_key(
        &mut self,
        from: IpAddr,
        to: IpAddr,
        key_id: u32,
        cookie: u32,
    ) -> Option<SessionKey> {
        let told = format!("{from} {to} {key_id} {cookie}");
        SessionKey::new(&digest(0, told.as_bytes())[..16])
    }

    fn check_session(&mut self, key: &SessionKey, message: &[u8], claimed: &[u8]) -> bool {
        digest(key.first_word(), message)[..16] == *claimed
    }

    fn seal_session(&mut self, key: &SessionKey, message: &[u8], out: &mut [u8]) -> Option<usize> {
        out.get_mut(..16)?
            .copy_from_slice(&digest(key.first_word(), message)[..16]);
        Some(16)
    }
}

pub(super) const LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 123);
pub(super) const ARRIVED: NtpTimestamp = NtpTimestamp::from_bits(0xE000_0005_0000_0000);

pub(in crate::server) struct Bench {
    pub(in crate::server) responder: Responder,
    pub(in crate::server) policy: Policy,
    pub(in crate::server) snapshot: Snapshot,
    pub(in crate::server) source: SocketAddr,
    pub(in crate::server) via: Via,
    pub(in crate::server) arrived: NtpTimestamp,
    pub(in crate::server) now: Now,
    pub(in crate::server) out: [u8; 2048],
}

impl Bench {
    pub(in crate::server) fn new() -> Self {
        Self {
            responder: Responder::new([7; 32]),
            policy: Policy::default(),
            snapshot: Snapshot {
                leap: LeapIndicator::AddSecond,
                stratum: 2,
                precision: -23,
                root_delay: NtpShort::from_bits(0x0001_8000),
                root_dispersion: NtpShort::from_bits(0x0000_4000),
                reference_id: ReferenceId::from_octets([10, 0, 0, 1]),
                reference_time: NtpTimestamp::from_bits(0xE000_0001_0000_0002),
                updated: Instant::from_nanoseconds(0),
                step_epoch: NtpTimestamp::ZERO,
            },
            source: SocketAddr::from(([198, 51, 100, 7], 40_000)),
            via: Via::Server(LOCAL),
            arrived: ARRIVED,
            now: Now {
                mono: Instant::from_nanoseconds(0),
                wall: ARRIVED.plus(NtpDuration::from_bits(0x10_0000)),
            },
            out: [0xAA; 2048],
        }
    }

    pub(in crate::server) fn answer(&mut self, octets: &[u8]) -> Verdict {
        let received = Received {
            octets,
            source: self.source,
            via: self.via,
            stamp: Stamp {
                at: self.arrived,
                class: StampClass::Kernel,
            },
        };
        self.responder.answer(
            self.now,
            &received,
            &self.snapshot,
            &self.policy,
            &mut Checksum,
            &mut self.out,
        )
    }

    /// The header of the reply to this request.
    pub(in crate::server) fn reply_to(&mut self, octets: &[u8]) -> Header {
        let Verdict::Reply(len) = self.answer(octets) else {
            panic!("no reply: {:?}", self.responder.counters());
        };
        assert!(len <= octets.len());
        Header::parse(self.out.first_chunk().expect("a header"))
    }
}

pub(in crate::server) fn request(version: u8, mode: Mode) -> [u8; HEADER_LEN] {
    let mut header = Header::blank(version, mode);
    header.poll = 6;
    header.transmit_time = NtpTimestamp::from_bits(0x1234_5678_9ABC_DEF0);
    header.to_octets()
}

/// The request with a MAC over it; `spoil` is added to the last octet.
pub(in crate::server) fn keyed(message: &[u8], key: u32, spoil: u8) -> Vec<u8> {
    let len = digest_len(key).unwrap_or(16);
    let mut octets = message.to_vec();
    octets.extend_from_slice(&key.to_be_bytes());
    octets.extend_from_slice(&digest(key, message)[..len]);
    if let Some(last) = octets.last_mut() {
        *last = last.wrapping_add(spoil);
    }
    octets
}
