//! What datagrams change in an association, and what they must not.
mod autokey;
mod hostile;
mod interleaved;
mod replies;

use super::*;
use crate::authentication::{Authenticator, SessionKey, Verification};
use crate::config::Remote;
use crate::discipline::Steered;
use crate::event::PeerEvent;
use crate::packet::{Received, Stamp, Via};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use rand_chacha::rand_core::SeedableRng;
use truechimer_time::{Now, NtpDuration};
use truechimer_wire::{Header, Mode};

/// Where no key of [`Ring`] may be used.
pub(super) const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 66));

/// Holds keys 7 and 8, trusted, and 9, not trusted.
pub(crate) struct Ring;

impl Ring {
    /// Stands in for a MAC: depends on the key and on every octet.
    pub(crate) fn digest(key_id: u32, message: &[u8]) -> [u8; 16] {
        let mut digest = [0; 16];
        let mut sum = key_id.wrapping_mul(0x9E37_79B9);
        for (index, octet) in message.iter().enumerate() {
            sum = sum.rotate_left(5) ^ u32::from(*octet);
            sum = sum.wrapping_mul(0x0100_0193);
            let [a, ..] = sum.to_be_bytes();
            digest[index % 16] ^= a;
        }
        digest
    }
}

impl Authenticator for Ring {
    fn check(&mut self, key: KeyId, from: IpAddr, message: &[u8], digest: &[u8]) -> Verification {
        match key.get() {
            7 | 8 if from == ELSEWHERE => Verification::WrongAddress,
            7 | 8 if digest == Self::digest(key.get(), message) => Verification::Verified,
            7 | 8 => Verification::WrongDigest,
            9 => Verification::UntrustedKey,
            _ => Verification::UnknownKey,
        }
    }

    fn seal(&mut self, key: KeyId, message: &[u8], out: &mut [u8]) -> Option<usize> {
        if !matches!(key.get(), 7 | 8) {
            return None;
        }
        let digest = Self::digest(key.get(), message);
        out.get_mut(..16)?.copy_from_slice(&digest);
        Some(16)
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
        // Twice, so that the first octets depend on all of it.
        let told = format!("{from} {to} {key_id} {cookie}").repeat(2);
        SessionKey::new(&Self::digest(0, told.as_bytes()))
    }

    fn check_session(&mut self, key: &SessionKey, message: &[u8], digest: &[u8]) -> bool {
        Self::digest(key.first_word(), message) == digest
    }

    fn seal_session(&mut self, key: &SessionKey, message: &[u8], out: &mut [u8]) -> Option<usize> {
        let digest = Self::digest(key.first_word(), message);
        out.get_mut(..16)?.copy_from_slice(&digest);
        Some(16)
    }
}

pub(super) fn key(id: u32) -> KeyId {
    KeyId::symmetric(id).expect("1..=65535")
}

const BASE: Setting = Setting {
    phi_s_per_s: 15e-6,
    allan_s: 2048.0,
    maxdist_s: 1.5,
    precision_s: 1e-6,
    poll_s: 0.0,
    settling: false,
};
const SERVER: [u8; 4] = [192, 0, 2, 1];

/// One association and its server's side of the wire.
struct Pair {
    association: Association,
    now: Now,
    rng: ChaCha20Rng,
    sequence: u64,
    nonce: NtpTimestamp,
}

impl Pair {
    fn new(own_key: Option<KeyId>) -> Self {
        let address = IpAddr::from(SERVER);
        let mut line = AssociationConfig::server(Remote::Address(address));
        line.key = own_key;
        let now = Now {
            mono: Instant::default().plus_seconds(1000.0),
            wall: NtpTimestamp::from_bits(0xE000_0000_0000_0000),
        };
        let role = Role::Server(line.clone());
        let id = AssociationId(5);
        let mut association = Association::server(id, role, &line, now.mono, now.mono, 1e-6);
        association.remote = Some(SocketAddr::new(address, 123));
        let mut pair = Self {
            association,
            now,
            rng: ChaCha20Rng::from_seed([1; 32]),
            sequence: 0,
            nonce: NtpTimestamp::ZERO,
        };
        pair.ask();
        pair
    }

    fn wait(&mut self, seconds: f64) {
        self.now = Now {
            mono: self.now.mono.plus_seconds(seconds),
            wall: self.now.wall.plus(NtpDuration::from_seconds(seconds)),
        };
    }

    /// A poll turn and its request, stamped on departure.
    fn ask(&mut self) {
        self.association.poll.turn(self.now.mono, 6, true);
        self.sequence += 1;
        let mut events = Vec::new();
        let request = self
            .association
            .request(self.sequence, &mut Ring, &mut self.rng, &mut events)
            .expect("an address and a key");
        let octets = request.octets.first_chunk().expect("a header");
        self.nonce = Header::parse(octets).transmit_time;
        let stamp = Stamp {
            at: self.now.wall,
            class: StampClass::Kernel,
        };
        self.association.note_departure(self.sequence, stamp);
    }

    /// What an honest server 0.1 s ahead of us answers, 10 ms each way.
    fn answer(&self) -> Header {
        let served = self.now.wall.plus(NtpDuration::from_seconds(0.11));
        let mut header = Header::blank(4, Mode::Server);
        header.stratum = 2;
        header.precision = -20;
        header.reference_id = ReferenceId::from_octets([10, 1, 1, 1]);
        header.reference_time = served.plus(NtpDuration::from_seconds(-5.0));
        header.origin_time = self.nonce;
        header.receive_time = served;
        header.transmit_time = served.plus(NtpDuration::from_seconds(1e-5));
        header
    }

    fn hear(&mut self, octets: &[u8]) -> Heard {
        let source = SocketAddr::from((SERVER, 123));
        self.hear_from(octets, source)
    }

    fn hear_from(&mut self, octets: &[u8], source: SocketAddr) -> Heard {
        let arrived = self.now.wall.plus(NtpDuration::from_seconds(0.02));
        let received = Received {
            octets,
            source,
            via: Via::Client(self.association.id),
            stamp: Stamp {
                at: arrived,
                class: StampClass::User,
            },
        };
        self.association.take_packet(
            self.now,
            &received,
            (&BASE, Steered::NONE),
            &mut Ring,
            &mut self.rng,
        )
    }

    /// Everything that matters: not the counters, not the flash bits.
    fn state(&self) -> String {
        let it = &self.association;
        format!(
            "{:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            it.poll, it.filter, it.peer, it.tally, it.heard, it.exchange, it.remote
        )
    }
}

fn sealed(header: &Header, key_id: u32) -> Vec<u8> {
    let mut octets = header.to_octets().to_vec();
    let digest = Ring::digest(key_id, &octets);
    octets.extend_from_slice(&key_id.to_be_bytes());
    octets.extend_from_slice(&digest);
    octets
}
