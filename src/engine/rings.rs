//! Which engine server threads use, and why.
use crate::config::EngineChoice;
use crate::notice::Notice;
use crate::roster::CHUNK;
use core::fmt;
use std::sync::Arc;
use truechimer_sys::ring::{IdleRing, Refused, RingSize};
use truechimer_wire::PACKET_LEN_MAX;

/// Datagrams a ring takes ahead of its thread: about as many as a socket holds by default, so that a
/// thread that was held up is not asked for buffers at once.
const BUFFERS: u16 = 256;
/// Twice the addresses there may be, for all of them may be replaced by others at once.
const SOCKETS: u16 = 512;

/// Why server threads use the engine they use.
#[derive(Clone, Debug)]
pub enum EngineReason {
    /// There is one thread for all.
    OneThread,
    /// Nobody asked for another.
    Usual,
    /// It was asked for.
    Asked,
    /// There is io_uring.
    CanBeHad,
    /// There is none for us.
    Refused(Arc<Refused>),
}

impl fmt::Display for EngineReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneThread => f.write_str("one thread does everything"),
            Self::Usual => f.write_str("by default"),
            Self::Asked => f.write_str("as configured"),
            Self::CanBeHad => f.write_str("io_uring can be had"),
            Self::Refused(refused) => refused.fmt(f),
        }
    }
}

/// Rings that no thread has yet: one for each, or none.
pub(crate) struct Rings {
    pub(crate) idle: Vec<IdleRing>,
    pub(crate) reason: EngineReason,
}

impl Rings {
    pub(crate) fn open(choice: EngineChoice, threads: usize) -> Self {
        let none = |reason| Self {
            idle: Vec::new(),
            reason,
        };
        if threads == 0 {
            return none(EngineReason::OneThread);
        }
        match choice {
            EngineChoice::Usual => return none(EngineReason::Usual),
            EngineChoice::Poll => return none(EngineReason::Asked),
            EngineChoice::Auto | EngineChoice::Uring => {}
        }
        let size = RingSize {
            buffers: BUFFERS,
            octets_each: PACKET_LEN_MAX,
            sockets: SOCKETS,
            portion: CHUNK,
        };
        let opened: Result<Vec<IdleRing>, Refused> =
            (0..threads).map(|_| IdleRing::open(size)).collect();
        match opened {
            Ok(idle) => Self {
                idle,
                reason: match choice {
                    EngineChoice::Uring => EngineReason::Asked,
                    _ => EngineReason::CanBeHad,
                },
            },
            Err(refused) => none(EngineReason::Refused(Arc::new(refused))),
        }
    }

    /// What the operator may want to know.
    pub(crate) fn notice(&self, choice: EngineChoice) -> Option<Notice> {
        match &self.reason {
            EngineReason::Refused(refused) => Some(Notice::NoRings {
                refused: Arc::clone(refused),
                were_asked_for: choice == EngineChoice::Uring,
            }),
            _ => None,
        }
    }
}
