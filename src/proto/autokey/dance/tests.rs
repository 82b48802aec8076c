//! The dance against a scripted server: jobs are answered by hand.
mod hostile;
mod renewals;
mod schemes;
mod trails;

use super::*;
use crate::autokey::facts::{Generation, HostFacts};
use crate::autokey::job::{Done, Failure, SignedValue, Task};
use std::collections::{BTreeMap, BTreeSet};
use truechimer_wire::{AutokeyBody, AutokeyCode, AutokeyMessage};

pub(super) const NOW: u32 = 4_004_285_400;
const MADE: u32 = 4_004_285_000;

pub(super) fn certificate(subject: &str, issuer: &str, trusted: bool) -> Arc<CertificateFacts> {
    Arc::new(CertificateFacts {
        der: format!("{subject} by {issuer}").into_bytes().into(),
        subject: subject.to_owned(),
        issuer: issuer.to_owned(),
        serial: 1,
        not_before_s: i64::from(MADE),
        not_after_s: i64::from(MADE) + 31_536_000,
        trusted,
        private: false,
        signature_nid: 8,
        public_key: subject.as_bytes().into(),
        signature_len: 64,
        gq_public: None,
        filestamp: MADE,
    })
}

/// What a client is.
pub(super) struct Host {
    pub(super) facts: HostFacts,
    public_key: SignedValue,
    certificate: SignedValue,
    pub(super) is_synchronized: bool,
}

impl Host {
    pub(super) fn own(&self) -> Own<'_> {
        Own {
            facts: &self.facts,
            status: StatusWord::from_word(0x0008_0001),
            updated: 0,
            public_key: &self.public_key,
            certificate: Some(&self.certificate),
            is_synchronized: self.is_synchronized,
        }
    }
}

/// One client, and what came of what it heard.
pub(super) struct Stage {
    pub(super) dance: Dance,
    pub(super) host: Host,
    pub(super) lines: Vec<String>,
    pub(super) installed: Vec<String>,
}

impl Stage {
    pub(super) fn new(manner: Manner, ident: Option<&str>) -> Self {
        let value = |value: &[u8]| SignedValue {
            filestamp: MADE,
            value: value.to_vec(),
            ..SignedValue::default()
        };
        Self {
            dance: Dance::new(manner, 77, ident.map(str::to_owned), 0x5555_0000),
            host: Host {
                facts: HostFacts {
                    generation: Generation(1),
                    name: "bob".to_owned(),
                    certificates: vec![certificate("bob", "bob", false)],
                    public_key: b"bob's key"[..].into(),
                    key_filestamp: MADE,
                    signature_len: 64,
                    schemes: BTreeMap::new(),
                    groups: BTreeSet::new(),
                    parameters: BTreeMap::new(),
                },
                public_key: value(b"bob's key"),
                certificate: SignedValue {
                    timestamp: NOW,
                    ..value(b"bob by bob")
                },
                is_synchronized: false,
            },
            lines: Vec::new(),
            installed: Vec::new(),
        }
    }

    /// A client to whom a server without a scheme of identity has said its name.
    pub(super) fn met(name: &str) -> Self {
        let mut stage = Self::new(Manner::Client, None);
        stage.meet(name, 0x0008_0003).expect("sound");
        stage
    }

    /// What is sent next.
    pub(super) fn next(&mut self) -> Step {
        self.dance.next(&self.host.own(), true)
    }

    pub(super) fn asks(&mut self) -> Option<AutokeyCode> {
        match self.next() {
            Step::Ask(message) => Some(message.code),
            _ => None,
        }
    }

    fn keep(&mut self, effects: Vec<Effect>) -> Option<Task> {
        let mut task = None;
        for effect in effects {
            match effect {
                Effect::Perform(it) => task = Some(it),
                Effect::Line(it) => self.lines.push(it),
                Effect::Install(it, _) | Effect::Adopt(it, _) => {
                    self.installed.push(format!("{} {}", it.subject, it.issuer));
                }
                Effect::Leap { .. } | Effect::NewCookie => {}
            }
        }
        task
    }

    pub(super) fn hear_of(
        &mut self,
        association: u32,
        code: AutokeyCode,
        body: Option<AutokeyBody<'_>>,
    ) -> Result<Option<Task>, Trouble> {
        let message = AutokeyMessage {
            is_response: true,
            is_error: false,
            code,
            association,
            body,
        };
        let of = WordOfMessage {
            word: 0x8200_0000 | u32::from(code.octet()) << 16,
            association,
        };
        let effects = self.dance.hear(&message, of, &self.host.own())?;
        Ok(self.keep(effects))
    }

    /// The server answers.
    pub(super) fn hear(
        &mut self,
        code: AutokeyCode,
        value: &[u8],
    ) -> Result<Option<Task>, Trouble> {
        self.hear_of(77, code, Some(body(value)))
    }

    /// A job is done.
    pub(super) fn done(&mut self, done: Done) -> Result<Option<Task>, Trouble> {
        let effects = self.dance.finish(done, &self.host.own())?;
        Ok(self.keep(effects))
    }

    /// The server says its name and what it offers.
    pub(super) fn meet(&mut self, name: &str, status: u32) -> Result<(), Trouble> {
        assert_eq!(self.asks(), Some(AutokeyCode::Association));
        let said = AutokeyBody {
            filestamp: status,
            ..body(name.as_bytes())
        };
        self.hear_of(77, AutokeyCode::Association, Some(said))?;
        Ok(())
    }

    /// A certificate is asked for, comes, and is of whom it should be.
    pub(super) fn certify(&mut self, read: &Arc<CertificateFacts>) -> Result<(), Trouble> {
        let Step::Ask(request) = self.next() else {
            panic!("nothing is asked");
        };
        assert_eq!(request.code, AutokeyCode::Certificate);
        let wanted = request.body.expect("a subject").value;
        assert_eq!(wanted, read.subject.as_bytes());
        let mut task = self.hear(AutokeyCode::Certificate, &read.der)?;
        while let Some(it) = task {
            let done = match it {
                Task::ReadCertificate { der, .. } if der == *read.der => {
                    Done::Certificate(read.clone())
                }
                Task::ReadCertificate { issuer, .. } => Done::Certificate(issuer.expect("one")),
                Task::Verify { .. } => Done::Verified,
                Task::Challenge { .. } => Done::Challenge {
                    challenge: vec![9; 20],
                    filestamp: MADE,
                },
                other => panic!("{other:?}"),
            };
            task = self.done(done)?;
        }
        Ok(())
    }

    /// The same, of one that is sound.
    pub(super) fn certified(&mut self, subject: &str, issuer: &str, trusted: bool) {
        let read = certificate(subject, issuer, trusted);
        self.certify(&read).expect("sound");
    }

    pub(super) fn agree(&mut self) {
        assert_eq!(self.asks(), Some(AutokeyCode::Cookie));
        let task = self.hear(AutokeyCode::Cookie, &[1; 64]).expect("sound");
        assert!(matches!(task, Some(Task::OpenCookie { .. })));
        assert_eq!(self.dance.cookie(), 0, "not before it is opened");
        self.done(Done::Cookie(0x0bad_cafe)).expect("sound");
    }
}

pub(super) fn body(value: &[u8]) -> AutokeyBody<'_> {
    AutokeyBody {
        timestamp: NOW,
        filestamp: MADE,
        value,
        signature: &[3; 64],
    }
}

#[test]
fn with_a_trusted_certificate() {
    let mut stage = Stage::met("alice");
    stage.certified("alice", "alice", true);
    assert!(!stage.dance.is_proventic());
    stage.agree();
    assert!(stage.dance.is_agreed());
    assert_eq!(stage.dance.cookie(), 0x0bad_cafe);
    assert_eq!(stage.next(), Step::Plain, "our clock is not set yet");
    stage.host.is_synchronized = true;
    assert_eq!(stage.asks(), Some(AutokeyCode::Sign));
    let signed = certificate("bob", "alice", false);
    let task = stage.hear(AutokeyCode::Sign, &signed.der).expect("sound");
    assert!(matches!(task, Some(Task::Verify { .. })));
    let task = stage.done(Done::Verified).expect("sound");
    assert!(matches!(
        task,
        Some(Task::ReadCertificate {
            issuer: Some(_),
            ..
        })
    ));
    stage.done(Done::Certificate(signed)).expect("sound");
    assert_eq!(stage.asks(), Some(AutokeyCode::LeapSeconds));
    stage
        .hear(AutokeyCode::LeapSeconds, &[0; 12])
        .expect("sound");
    stage.done(Done::Verified).expect("sound");
    assert_eq!(stage.next(), Step::Plain);
    assert_eq!(stage.dance.status().word(), 0x0008_7f03);
    let fs = MADE;
    let expected = [
        "assoc 77 77 host alice md5WithRSAEncryption".to_owned(),
        format!("cert alice alice 0x5 md5WithRSAEncryption (8) fs {fs}"),
        format!("cook badcafe ts {NOW} fs {fs}"),
        format!("sign bob alice 0x4 md5WithRSAEncryption (8) fs {fs}"),
        format!("leap TAI offset 0 at 0 expire 0 fs {fs}"),
    ];
    assert_eq!(stage.lines, expected);
    assert_eq!(stage.installed, ["alice alice", "bob alice"]);
}

#[test]
fn what_is_not_needed_is_asked_for_seldom() {
    let mut stage = Stage::met("alice");
    stage.certified("alice", "alice", true);
    stage.agree();
    stage.host.is_synchronized = true;
    let asked: Vec<usize> = (0..200).filter(|_| stage.asks().is_some()).collect();
    assert_eq!(asked, [0, 2, 5, 10, 19, 36, 69, 134, 199]);
}

#[test]
fn what_is_there_is_not_asked_for_while_our_certificate_is_not_signed_yet() {
    let mut stage = Stage::new(Manner::Client, None);
    stage
        .meet("alice", 0x0008_0001)
        .expect("without leap seconds");
    stage.certified("alice", "alice", true);
    stage.agree();
    stage.host.is_synchronized = true;
    stage.host.certificate.timestamp = 0;
    assert_eq!(stage.next(), Step::Plain);
    stage.host.certificate.timestamp = NOW;
    assert_eq!(stage.asks(), Some(AutokeyCode::Sign));
}

#[test]
fn a_job_is_waited_for() {
    let mut stage = Stage::met("alice");
    assert_eq!(stage.asks(), Some(AutokeyCode::Certificate));
    let task = stage.hear(AutokeyCode::Certificate, b"der").expect("sound");
    assert!(task.is_some());
    assert_eq!(
        stage.next(),
        Step::Wait,
        "no plain packet would be understood"
    );
    let again = stage.hear(AutokeyCode::Certificate, b"der").expect("sound");
    assert_eq!(again, None, "one at a time");
    stage
        .done(Done::Failed(Failure::Busy))
        .expect("nobody's fault");
    assert_eq!(stage.asks(), Some(AutokeyCode::Certificate));
}

#[test]
fn a_symmetric_peer_shares_the_cookie() {
    let mut stage = Stage::new(Manner::Symmetric, None);
    assert_eq!(stage.asks(), Some(AutokeyCode::Association));
    let said = AutokeyBody {
        filestamp: 0x0008_0001,
        ..body(b"alice")
    };
    stage
        .hear_of(4242, AutokeyCode::Association, Some(said))
        .expect("sound");
    assert_eq!(stage.dance.peer_id(), 4242);
    stage.certified("alice", "alice", true);
    assert_eq!(
        stage.asks(),
        Some(AutokeyCode::Autokey),
        "nobody is synchronized"
    );
    stage
        .hear(AutokeyCode::Autokey, &[0x69, 0x60, 0xbb, 0x90, 0, 0, 0, 2])
        .expect("sound");
    stage.done(Done::Verified).expect("sound");
    let line = format!("auto seq 2 key 6960bb90 ts {NOW} fs {MADE}");
    assert_eq!(stage.lines.last(), Some(&line));
    assert!(stage.dance.is_proventic() && !stage.dance.is_agreed());
    stage.host.is_synchronized = true;
    let unsigned = stage.asks();
    assert_ne!(
        unsigned,
        Some(AutokeyCode::Cookie),
        "nobody could verify it"
    );
    stage.host.public_key.timestamp = NOW;
    stage.agree();
    assert_eq!(stage.dance.cookie(), 0x0bad_cafe ^ 0x5555_0000);
    let gone = stage.hear_of(4243, AutokeyCode::Association, Some(said));
    let failure = gone.expect_err("it began anew").failure;
    assert_eq!(failure, Failure::Protocol);
}
