//! The asking side of mode 6 (RFC 9327) and of mode 7: requests, answers put together again, and what they say.
//!
//! An answer comes from whoever can reach our socket. Everything here is total: lengths, counts
//! and times are bounded, and what cannot be read is left out or shown as it came.

mod addresses;
mod answer;
mod clients;
mod codes;
mod items;
mod moments;
mod names;
mod private;
mod private_session;
mod session;

pub use addresses::NetAddress;
pub use answer::{Answer, Assembly, FRAGMENTS_MAX, Progress};
pub use clients::{ClientEntry, Collected, Trouble, collect};
pub use codes::{
    FLASH_TESTS, SELECTIONS, clock_status, crypto_flags, peer_event, peer_status, system_status,
};
pub use items::{Item, items, printable};
pub use moments::{fixed_ms, log_moment, moment, pretty};
pub use names::Names;
pub use private::{AskPrivately, PrivateAssembly, PrivateFailure, PrivateItems, PrivateProgress};
pub use private_session::PrivateSession;
pub use session::{Patience, Session};

use core::fmt;
use std::io;
use truechimer_wire::Opcode;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What to do.
    pub opcode: Opcode,
    /// Of which association, 0 for the system.
    pub association: u16,
    /// Names, values or a configuration line.
    pub data: &'a [u8],
    /// Whether a MAC is needed.
    pub sealed: bool,
}

impl<'a> Request<'a> {
    /// One that needs no key.
    pub const fn open(opcode: Opcode, association: u16, data: &'a [u8]) -> Self {
        Self {
            opcode,
            association,
            data,
            sealed: false,
        }
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Failure {
    /// Nothing came, twice.
    Timeout,
    /// Parts are missing.
    Incomplete,
    /// More came than an answer may hold.
    TooMuch,
    /// The server says no, with this code (RFC 9327 §3.3).
    Refused(u8),
    /// The kernel says no while doing this.
    System(&'static str, io::Error),
    /// A MAC is needed and there is no usable key.
    NoKey,
    /// The operator wants no more.
    Interrupted,
}

impl Failure {
    /// What ntpq says of it; none where it says nothing.
    pub fn ntpq_words(&self, association: u16) -> Option<String> {
        let words = match self {
            Self::Timeout => "***Request timed out",
            Self::Incomplete => "***Response from server was incomplete",
            Self::TooMuch => "***Buffer size exceeded for returned data",
            Self::Refused(0) => "***Server returned an unspecified error",
            Self::Refused(1) => "***Server disallowed request (authentication?)",
            Self::Refused(2) => "***Server reports a bad format request packet",
            Self::Refused(3) => "***Server reports a bad opcode in request",
            Self::Refused(4) => {
                return Some(format!("***Association ID {association} unknown to server"));
            }
            Self::Refused(5) => "***A request variable unknown to the server",
            Self::Refused(6) => "***Server indicates a request variable was bad",
            Self::Refused(code) => {
                return Some(format!("***Server returns unknown error code {code}"));
            }
            Self::System(..) | Self::NoKey | Self::Interrupted => return None,
        };
        Some(words.to_owned())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str(
                "no answer: the daemon is not running there, a firewall drops its port, or it \
                 keeps questions away (restrict ... noquery)",
            ),
            Self::Incomplete => f.write_str("parts of the answer are missing"),
            Self::TooMuch => f.write_str("the answer is longer than an answer may be"),
            Self::Refused(1) => f.write_str("the daemon refuses: it wants a key for this"),
            Self::Refused(4) => f.write_str("the daemon knows no such association"),
            Self::Refused(5) => f.write_str("the daemon does not know a variable asked for"),
            Self::Refused(7) => f.write_str("the daemon's access rules forbid the question"),
            Self::Refused(code) => write!(f, "the daemon refuses, code {code}"),
            Self::System(_, error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                f.write_str("refused: no NTP daemon listens there")
            }
            Self::System(what, error) => write!(f, "{what}: {error}"),
            Self::NoKey => f.write_str("there is no usable key"),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl core::error::Error for Failure {}

/// Whoever can be asked: a daemon, or a recording of one.
pub trait Ask {
    /// Asks once more where nothing or too little came.
    ///
    /// # Errors
    /// When there is no whole and good answer.
    fn ask(&mut self, request: &Request<'_>) -> Result<Answer, Failure>;
}

/// One line of the list of associations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Association {
    /// Its identifier.
    pub id: u16,
    /// Its status word.
    pub status: u16,
}

/// The associations of an answer to a request for status, by number; `None` where the answer is
/// no list of such.
pub fn associations(data: &[u8]) -> Option<Vec<Association>> {
    let (pairs, rest) = data.as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    let mut found: Vec<_> = pairs
        .iter()
        .map(|[i0, i1, s0, s1]| Association {
            id: u16::from_be_bytes([*i0, *i1]),
            status: u16::from_be_bytes([*s0, *s1]),
        })
        .collect();
    found.sort_by_key(|association| association.id);
    Some(found)
}
