//! A responder that speaks Autokey, and askers that make session keys.
use super::super::bench::{Bench, Checksum, LOCAL, request};
use crate::authentication::Authenticator;
use crate::autokey::facts::{CertificateFacts, Generation, HostFacts};
use crate::autokey::job::{Done, SignedValue};
use crate::autokey::service::Service;
use crate::autokey::status::{Flags, Scheme, StatusWord};
use crate::packet::Via;
use crate::server::{Bounds, Parked, Verdict};
use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use truechimer_time::{NtpDuration, NtpTimestamp};
use truechimer_wire::{
    AutokeyBody, AutokeyCode, AutokeyMessage, HEADER_LEN, Header, MAC_LEN_MAX, Mode, Packet,
};

/// When the host's values were signed.
pub(super) const SIGNED_AT: u32 = 0xDFFF_FF00;
/// What a reply says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) header: Header,
    pub(super) is_error: bool,
    pub(super) code: AutokeyCode,
    pub(super) association: u32,
    /// Timestamp, filestamp, value.
    pub(super) body: Option<(u32, u32, Vec<u8>)>,
    pub(super) len: usize,
}

pub(super) struct World {
    pub(super) bench: Bench,
    pub(super) service: Service,
    /// Transmit stamp of the reply before.
    pub(super) heard: NtpTimestamp,
    pub(super) key_id: u32,
}

pub(super) fn signed(filestamp: u32, value: &[u8]) -> SignedValue {
    SignedValue {
        timestamp: SIGNED_AT,
        filestamp,
        value: value.to_vec(),
        signature: vec![0x51; 64],
    }
}

pub(super) fn service(name: &str) -> Service {
    Service {
        host: Arc::new(HostFacts {
            generation: Generation(3),
            name: name.to_owned(),
            certificates: Vec::new(),
            public_key: Arc::new([1, 2, 3]),
            key_filestamp: 5,
            signature_len: 64,
            schemes: BTreeMap::from([(Scheme::Iff, vec![9])]),
            groups: BTreeSet::new(),
            parameters: BTreeMap::new(),
        }),
        status: StatusWord {
            signature_nid: 668,
            flags: Flags::ENABLED | Flags::TAI | Flags::IFF,
        },
        signed_at: SIGNED_AT,
        private_values: vec![71, 72, 73],
        certificates: BTreeMap::from([(name.to_owned(), signed(6, &[0x30; 400]))]),
        leap: signed(6, &[0; 12]),
        key_lists: BTreeMap::new(),
        bounds: Bounds::new([5; 16]),
        insecure: false,
    }
}

impl World {
    pub(super) fn new() -> Self {
        Self::named("alice")
    }

    pub(super) fn named(name: &str) -> Self {
        Self {
            bench: Bench::new(),
            service: service(name),
            heard: NtpTimestamp::ZERO,
            key_id: 0x0001_0000,
        }
    }

    fn addresses(&self) -> (IpAddr, IpAddr, IpAddr) {
        let (ours, to) = match self.bench.via {
            Via::Many { to, local, .. } => (local.ip(), to),
            Via::Server(local) => (local.ip(), local.ip()),
            Via::Client(_) => (LOCAL.ip(), LOCAL.ip()),
        };
        (self.bench.source.ip(), ours, to)
    }

    /// The cookie that a private value makes of the asker's address.
    pub(super) fn cookie(&self, private: u32) -> u32 {
        let (asker, ours, _) = self.addresses();
        let key = Checksum.session_key(asker, ours, 0, private);
        key.expect("a digest").first_word()
    }

    /// The header of a request that echoes what was heard last.
    pub(super) fn header(&self, mode: Mode) -> [u8; HEADER_LEN] {
        let mut header = Header::parse(&request(4, mode));
        header.origin_time = self.heard;
        header.to_octets()
    }

    /// A request with these fields under the session key of a cookie.
    pub(super) fn request(&mut self, mode: Mode, fields: &[u8], cookie: u32) -> Vec<u8> {
        self.key_id += 1;
        let mut octets = self.header(mode).to_vec();
        octets.extend_from_slice(fields);
        let (asker, _, to) = self.addresses();
        let key = Checksum
            .session_key(asker, to, self.key_id, cookie)
            .expect("a digest");
        let mut mac = [0; MAC_LEN_MAX];
        let len = Checksum
            .seal_session(&key, &octets, &mut mac)
            .expect("room");
        octets.extend_from_slice(&self.key_id.to_be_bytes());
        octets.extend_from_slice(&mac[..len]);
        octets
    }

    pub(super) fn answer(&mut self, octets: &[u8]) -> Verdict {
        let service = core::mem::replace(&mut self.service, service(""));
        let service = Arc::new(service);
        let policy = core::mem::take(&mut self.bench.policy);
        self.bench.policy = policy.with_autokey(Some(Arc::clone(&service)));
        let verdict = self.bench.answer(octets);
        self.bench.policy = core::mem::take(&mut self.bench.policy).with_autokey(None);
        self.service = Arc::into_inner(service).expect("nobody keeps it");
        verdict
    }

    /// Asks and gives what is said at once.
    pub(super) fn ask(&mut self, code: AutokeyCode, value: &[u8]) -> Said {
        let verdict = self.ask_for(code, value);
        let Verdict::Reply(len) = verdict else {
            panic!("{verdict:?}: {:?}", self.bench.responder.counters());
        };
        self.read(len)
    }

    pub(super) fn ask_for(&mut self, code: AutokeyCode, value: &[u8]) -> Verdict {
        let octets = self.request(Mode::Client, &field(code, value), 0);
        self.answer(&octets)
    }

    /// Reads a reply with a field, whose MAC must be right.
    pub(super) fn read(&mut self, len: usize) -> Said {
        let octets = self.bench.out[..len].to_vec();
        let packet = Packet::new_checked(&octets).expect("a packet");
        let mac = packet.mac().expect("a MAC");
        assert_eq!(mac.key_id, self.key_id, "the request's");
        let (asker, ours, _) = self.addresses();
        let key = Checksum
            .session_key(ours, asker, self.key_id, 0)
            .expect("a digest");
        assert!(Checksum.check_session(&key, packet.authenticated(), mac.digest));
        let mut fields = packet.extension_fields();
        let field = fields.next().expect("a field");
        assert!(fields.next().is_none(), "one field");
        let said = AutokeyMessage::new_checked(&field).expect("well formed");
        assert!(said.is_response);
        self.heard = packet.header().transmit_time;
        Said {
            header: packet.header(),
            is_error: said.is_error,
            code: said.code,
            association: said.association,
            body: said
                .body
                .map(|it| (it.timestamp, it.filestamp, it.value.to_vec())),
            len,
        }
    }

    /// Introduces itself, so that its address is proven.
    pub(super) fn introduce(&mut self) {
        self.ask(AutokeyCode::Association, b"bob");
    }

    pub(super) fn parked(&mut self) -> Box<Parked> {
        self.bench.responder.take_parked().expect("parked")
    }

    /// Finishes a parked request with what came of its job.
    pub(super) fn finish(&mut self, parked: &Parked, done: &Done) -> Option<Said> {
        let wall = self.bench.now.wall;
        self.bench.now.wall = wall.plus(NtpDuration::from_seconds(0.01));
        let now = self.bench.now;
        let snapshot = self.bench.snapshot;
        let len = parked.finish(done, now, &snapshot, &mut Checksum, &mut self.bench.out)?;
        Some(self.read(len))
    }
}

/// A request of association 77; without a value where there is none to be sent.
/// What requests say their values are of.
pub(super) const ASKED_FILESTAMP: u32 = 9;

pub(super) fn field(code: AutokeyCode, value: &[u8]) -> Vec<u8> {
    let body = AutokeyBody {
        timestamp: 0,
        filestamp: ASKED_FILESTAMP,
        value,
        signature: &[],
    };
    let message = AutokeyMessage {
        is_response: false,
        is_error: false,
        code,
        association: 77,
        body: (!value.is_empty()).then_some(body),
    };
    let mut octets = vec![0; 2048];
    let len = message.write(&mut octets).expect("room");
    octets.truncate(len);
    octets
}

/// What the certificate of a host of the name `bob` says, which has this key.
pub(super) fn asker(key: u8) -> CertificateFacts {
    CertificateFacts {
        der: Arc::new([]),
        subject: "bob".to_owned(),
        issuer: "bob".to_owned(),
        serial: 1,
        not_before_s: 0,
        not_after_s: 1 << 33,
        trusted: false,
        private: false,
        signature_nid: 668,
        public_key: Arc::new([key]),
        signature_len: 64,
        gq_public: None,
        filestamp: 1,
    }
}
