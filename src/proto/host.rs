//! What the protocol asks of its host and hears from it.
use crate::authentication::Authenticator;
use crate::autokey::job::{Class, CryptoJob, JobId};
use crate::autokey::service::Service;
use crate::config::{Family, SystemConfig};
use crate::control::{ControlReply, Done, Operation};
use crate::event::Report;
use crate::packet::{AssociationId, Destination, Link, LinkId, Transmit};
use crate::snapshot::Snapshot;
use crate::statistics::Record;
use crate::trace::Trace;
use core::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use truechimer_time::NtpDuration;
use truechimer_time::leap::{LeapIndicator, LeapTable};

/// Something to be done by the host, in order.
#[derive(Debug)]
pub enum Output {
    /// Send a datagram; answered by `handle_transmit_stamp` or `handle_send_failure`.
    Send(Transmit),
    /// Something is due that carries the moment it leaves: fetch it by `System::compose` just
    /// before it is sent.
    Compose(Departure),
    /// Open the socket for what will have to leave to the moment, where that takes time.
    Prepare(AssociationId, Destination),
    /// Close the sockets of an association that is gone.
    Close(AssociationId),
    /// Adjust the clock; answered by `handle_applied`.
    Adjust(Adjustment),
    /// Replace what the server threads answer from.
    Publish(Snapshot),
    /// These servers are in use now: the server threads' rules are to be those of
    /// [`Policy::with_sources`](crate::server::Policy::with_sources).
    Sources(Vec<SocketAddr>),
    /// Replace what the server threads answer Autokey from: the rules are to be those of
    /// [`Policy::with_autokey`](crate::server::Policy::with_autokey).
    Autokey(Option<Arc<Service>>),
    /// Have this done by a holder of keys, on another thread; answered by
    /// `System::handle_crypto_done`.
    Crypto(JobId, Class, CryptoJob),
    /// Resolve a name; answered by `HostEvent::Resolved`.
    Resolve(Resolve),
    /// Tell the operator.
    Event(Report),
    /// Write down a measurement; asked for by `SystemConfig::recording`.
    Record(Record),
    /// Tell who looks for a fault; asked for by `SystemConfig::trace`.
    Trace(Trace),
    /// Keep this frequency for the next start, ppm.
    StoreFrequency(f64),
    /// Send the answer to a control request.
    Control(ControlReply),
    /// Do something for whoever proved the control key; answered by `HostEvent::Operated`.
    Operate(Operation),
    /// End the daemon.
    Exit(Exit),
}

/// A packet that is made when it leaves, because its receiver takes its transmit stamp as T3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departure {
    /// Whose.
    pub association: AssociationId,
    /// Through which interface, if it goes to many.
    pub link: Option<LinkId>,
}

/// Why the protocol ends the daemon.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Exit {
    /// The offset, in seconds, is past the panic threshold (RFC 5905 §12, PANIC).
    Panic {
        /// Server minus us.
        offset_s: f64,
    },
    /// `-q`: the clock was set, or is being slewed, by this offset in seconds.
    OneShotDone {
        /// Server minus us.
        offset_s: f64,
        /// Whether it was stepped rather than slewed.
        stepped: bool,
    },
    /// `-q`: every server was asked and none was of use.
    NoServers,
}

/// A name to be resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolve {
    /// Names the answer.
    pub request: ResolveId,
    /// Host name.
    pub name: String,
    /// Which addresses are wanted.
    pub family: Family,
}

/// Names a resolution until it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResolveId(pub u32);

/// A change to the system clock. `Applied` tells what became of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Adjustment {
    /// Add this to the clock at once.
    Step(NtpDuration),
    /// Run the clock at this frequency correction from now on, ppm; the user-space loop puts
    /// base frequency and phase correction into it. The kernel's own loop is switched off.
    Frequency {
        /// Parts per million, positive is faster.
        freq_ppm: f64,
    },
    /// Hand the offset to the kernel's phase-locked loop (RFC 5905 §12, kernel discipline).
    KernelPhase {
        /// Remaining offset, server minus us.
        offset: NtpDuration,
        /// Time constant, the poll exponent.
        time_constant: u8,
    },
    /// Tell the kernel how good its clock is, and of a leap second today.
    Status {
        /// Whether anything disciplines the clock.
        synchronized: bool,
        /// Armed only in the last day before the leap.
        leap: LeapIndicator,
        /// Root distance.
        max_error: NtpDuration,
        /// Jitter.
        estimated_error: NtpDuration,
        /// TAI-UTC in seconds, where known.
        tai_utc_s: Option<i32>,
    },
}

/// An adjustment as the kernel executed it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Applied {
    /// What was asked.
    pub adjustment: Adjustment,
    /// What the kernel's clock looks like now, or why it refused.
    pub outcome: Result<KernelClock, AdjustRefused>,
}

/// The kernel's clock as `clock_adjtime` reports it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KernelClock {
    /// Frequency correction, ppm.
    pub freq_ppm: f64,
    /// Offset the kernel's loop has yet to take out.
    pub offset: NtpDuration,
    /// Time constant of the kernel's loop.
    pub time_constant: u8,
    /// STA_* bits.
    pub status: u32,
    /// Bound on the error.
    pub max_error: NtpDuration,
    /// Estimate of the error.
    pub estimated_error: NtpDuration,
    /// TAI-UTC, seconds.
    pub tai_utc_s: i32,
}

/// Why the kernel did not adjust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdjustRefused {
    /// No CAP_SYS_TIME.
    NotPermitted,
    /// Anything else, with its errno.
    Other(i32),
}

/// What the host tells the protocol.
pub enum HostEvent {
    /// Answer to `Output::Resolve`.
    Resolved {
        /// Whose.
        request: ResolveId,
        /// Addresses in the resolver's order, link-local ones with their scope, or why there are
        /// none. Their ports mean nothing.
        outcome: Result<Vec<SocketAddr>, ResolveError>,
    },
    /// The configuration was read again; associations that did not change go on.
    Reconfigured {
        /// The new one.
        config: Box<SystemConfig>,
        /// The keys that belong to it.
        authenticator: Box<dyn Authenticator>,
    },
    /// Answer to `Output::Operate`.
    Operated(Done),
    /// A leap-seconds.list was read again.
    LeapTable(LeapTable),
    /// Addresses of this host changed.
    OwnAddresses(Vec<IpAddr>),
    /// Other private values of Autokey's cookies, the one in use first, then at most six former ones.
    PrivateValues(Vec<u32>),
    /// Interfaces through which many can be reached changed.
    Links(Vec<Link>),
    /// Somebody else stepped the system clock by this much.
    ForeignStep(NtpDuration),
    /// The machine slept for this long, and set its clock by another when it woke.
    Slept(NtpDuration),
}

/// Why a name did not resolve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolveError {
    /// The name does not exist.
    NoSuchName,
    /// It may later; nobody answered.
    TryAgain,
    /// Too many resolutions were under way.
    Busy,
}
