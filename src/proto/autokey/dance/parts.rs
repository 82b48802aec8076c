//! What the dance is made of.
use crate::autokey::facts::CertificateFacts;
use crate::autokey::job::{Failure, SignedValue, Task};
use crate::autokey::status::Scheme;
use core::fmt;
use std::sync::Arc;
use truechimer_wire::{AutokeyCode, AutokeyMessage, ExtensionField};

/// How an association talks to the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It asks a server.
    Client,
    /// Both sides ask and answer.
    Symmetric,
    /// It asks a broadcast server, and then listens.
    Listener,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) is_response: bool,
    pub(crate) is_error: bool,
    pub(crate) code: AutokeyCode,
    pub(crate) association: u32,
    pub(crate) body: Option<SignedValue>,
}

impl Message {
    /// Appends its field to a packet.
    pub(crate) fn append(&self, packet: &mut Vec<u8>) -> Option<()> {
        let message = self.as_wire();
        let before = packet.len();
        packet.resize(before + message.field_len(), 0);
        message.write(packet.get_mut(before..)?)?;
        Some(())
    }

    /// As it is on the wire.
    pub(crate) fn as_wire(&self) -> AutokeyMessage<'_> {
        AutokeyMessage {
            is_response: self.is_response,
            is_error: self.is_error,
            code: self.code,
            association: self.association,
            body: self.body.as_ref().map(SignedValue::body),
        }
    }
}

/// A message that came in an authentic packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spoken {
    pub(crate) of: WordOfMessage,
    /// What it says, unless its lengths are wrong.
    pub(crate) message: Option<Message>,
}

impl Spoken {
    /// From an extension field.
    pub(crate) fn new(field: &ExtensionField<'_>) -> Self {
        let len = u32::try_from(field.value.len() + 4).unwrap_or(0);
        let said = AutokeyMessage::new_checked(field).ok();
        let association = field.value.first_chunk().map(|it| u32::from_be_bytes(*it));
        Self {
            of: WordOfMessage {
                word: u32::from(field.field_type) << 16 | len,
                association: association.unwrap_or(0),
            },
            message: said.map(|it| Message {
                is_response: it.is_response,
                is_error: it.is_error,
                code: it.code,
                association: it.association,
                body: it.body.map(SignedValue::from),
            }),
        }
    }
}

/// What was asked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked(pub(super) AutokeyCode);

/// A challenge, and the filestamp of the parameters that it is made of.
#[derive(Clone, Debug)]
pub(super) struct Challenge {
    pub(super) scheme: Scheme,
    pub(super) octets: Vec<u8>,
    pub(super) filestamp: u32,
}

/// The agreed cookie, and when it was signed and of what, NTP seconds.
#[derive(Clone, Debug)]
pub(super) struct Cookie {
    pub(super) value: u32,
    pub(super) timestamp: u32,
    pub(super) filestamp: u32,
}

/// A message by its type and length, and its association: what lines about trouble begin with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WordOfMessage {
    pub(crate) word: u32,
    pub(crate) association: u32,
}

/// What a job under way is to prove.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) of: WordOfMessage,
    pub(super) what: Awaited,
}

impl WordOfMessage {
    /// Whether it answers a challenge; a field's type has the code in its low octet.
    pub(crate) fn is_of_identity(self) -> bool {
        let [_, octet, ..] = self.word.to_be_bytes();
        let code = AutokeyCode::from_octet(octet);
        matches!(code, AutokeyCode::Iff | AutokeyCode::Gq | AutokeyCode::Mv)
    }
}

#[derive(Debug)]
pub(super) enum Awaited {
    /// A challenge of this scheme.
    Challenge(Scheme),
    /// What a certificate says.
    Certificate(SignedValue),
    /// That the certificate was sent by whom it is to verify.
    Sender(Arc<CertificateFacts>),
    /// That this certificate signed the one before it.
    Issuer(Arc<CertificateFacts>),
    /// That the answer to our challenge is right, of these parameters' filestamp.
    Identity(Scheme, u32),
    /// A cookie, with its timestamp and filestamp.
    Cookie(u32, u32),
    /// That the end of a key list is the other side's.
    KeyList(SignedValue),
    /// That our certificate, signed, comes from the other side.
    SignedBy(SignedValue),
    /// What our certificate says now.
    Signed(u32),
    /// That a leap-seconds table is the other side's.
    Leap(SignedValue),
}

/// What came of a message or a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// To be done by a holder of keys; the outcome is to come back.
    Perform(Task),
    /// To be written down, in the reference's words.
    Line(String),
    /// A certificate of the trail, to be shown and handed on, and whose key verified it.
    Install(Arc<CertificateFacts>, Arc<[u8]>),
    /// Our own certificate, signed by the other side with this key: to be handed out from now on.
    Adopt(Arc<CertificateFacts>, Arc<[u8]>),
    /// The other side's leap-seconds table: TAI-UTC in seconds, and since when.
    Leap {
        /// Seconds.
        tai_utc_s: u32,
        /// NTP seconds.
        since: u32,
    },
    /// The working cookie is another one.
    NewCookie,
}

/// Something is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) of: WordOfMessage,
    pub(crate) failure: Failure,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WordOfMessage { word, association } = self.of;
        let (code, text) = (self.failure.code(), self.failure.word());
        write!(f, "{word:08x} {association} 1{code:02x} {text}")
    }
}
