use crate::config::{Hearing, Listen};
use crate::counters::ServerCounts;
use crate::error::BindFailure;
use crate::hearing_notice::HearingNotice;
use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::sync::Arc;
use truechimer_proto::autokey::pool_counts::PoolCounts;
use truechimer_proto::host::{Exit, HostEvent, Output};
use truechimer_proto::server::Policy;
use truechimer_proto::status::SystemStatus;
use truechimer_proto::system::System;
use truechimer_time::Now;

/// Who runs the engine: names, files, logs, signals and the operator are its business. Called on
/// the clock thread, so nothing here may wait.
pub trait Host {
    /// An output the engine has no use for itself: `Resolve`, `Event`, `Record`, `Trace`,
    /// `StoreFrequency`, `Exit`.
    fn handle_output(&mut self, now: Now, output: Output);
    /// The next thing the protocol should know; asked each turn, at least once a second.
    fn poll_event(&mut self, now: Now) -> Option<HostEvent>;
    /// The next thing the engine should do; asked each turn, at least once a second.
    fn poll_command(&mut self) -> Option<Command>;
    /// Something about sockets or threads the operator may want to know.
    fn handle_notice(&mut self, notice: &Notice);
    /// Answer to `Command::Report`.
    fn handle_report(&mut self, now: Now, report: Report);
}

/// What the host may ask of the engine.
#[derive(Debug)]
pub enum Command {
    /// End, leaving the clock at its base frequency.
    Stop,
    /// Tell how things are.
    Report,
    /// Answer by this policy from now on, with authenticators made anew.
    ReplacePolicy(Arc<Policy>),
    /// Serve there, and hear this, from now on. What is open and still wanted stays open.
    ReplaceListen(Listen, Hearing),
    /// Look for new and lost addresses of this host now.
    Rescan,
}

/// How things are.
#[derive(Clone, Debug)]
pub struct Report {
    /// The protocol's variables.
    pub system: SystemStatus,
    /// Server threads; 0 if there is one thread for all.
    pub server_threads: usize,
    /// What each server thread has counted, and last the clock thread, which serves at its own
    /// sockets; one entry for the one-thread form.
    pub servers: Vec<ServerCounts>,
    /// What became of jobs for holders of keys, where there are any.
    pub crypto: Option<PoolCounts>,
    /// Addresses served.
    pub listening: Vec<SocketAddr>,
    /// Groups and broadcast addresses heard, counted once for each interface.
    pub hearing: usize,
    /// Client sockets open.
    pub client_sockets: usize,
    /// How long after its time the last packet of a timed turn had left, at worst, since the report
    /// before.
    pub worst_lateness: Duration,
}

/// What the operator may want to know of sockets and threads.
#[derive(Debug)]
pub enum Notice {
    /// Requests are served here now, for this interface.
    Listening(SocketAddr, String),
    /// This is open, for this interface, and what comes is dropped.
    Dropping(SocketAddr, String),
    /// The address is gone.
    Unlistening(SocketAddr),
    /// The address cannot be had, now; told once until it succeeds.
    CannotListen(BindFailure),
    /// There is no address to serve on now.
    NoAddress,
    /// The kernel does not tell of new and lost addresses.
    NotTold(io::Error),
    /// The addresses of this host cannot be listed.
    CannotList(io::Error),
    /// The kernel gives no receive stamps on this address; the process takes its own.
    NoKernelStamps(SocketAddr),
    /// So many server threads were wanted, and so many there are.
    FewerThreads(usize, usize),
    /// So many addresses are not served for want of descriptors, or because nobody has that many.
    LeftOut(usize),
    /// No request could be sent to this server for want of a socket or by local rule, nor, for
    /// the same or another reason, so many others since that was last told.
    CannotAsk(SocketAddr, io::Error, u64),
    /// Of what is sent to many.
    Hearing(HearingNotice),
    /// The clock thread did not come to turn for so long.
    HeldUp(Duration),
    /// So many traces of server threads found no room.
    TracesLost(u64),
    /// This server thread could not be bound to a core.
    NotPinned(usize),
    /// Base frequency could not be restored at the end.
    NotRestored(io::Error),
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listening(address, name) if name.is_empty() => {
                write!(f, "listening on {address}")
            }
            Self::Listening(address, name) => write!(f, "listening on {name} {address}"),
            Self::Dropping(address, name) => {
                write!(f, "listening on {name} {address}, to drop what comes")
            }
            Self::Unlistening(address) => write!(f, "no longer listening on {address}"),
            Self::CannotListen(failure) => failure.fmt(f),
            Self::NoAddress => f.write_str(
                "no address to serve on: the interface lines leave none, or no interface is up yet",
            ),
            Self::NotTold(error) => write!(
                f,
                "the kernel does not tell of new addresses ({error}): looked for once a minute"
            ),
            Self::CannotList(error) => write!(f, "cannot list this host's addresses: {error}"),
            Self::NoKernelStamps(address) => {
                write!(
                    f,
                    "no kernel timestamps on {address}: taking our own, less exactly"
                )
            }
            Self::FewerThreads(wanted, given) => write!(
                f,
                "{given} server threads instead of {wanted}: four a core are enough, \
                 and each needs a descriptor for every address"
            ),
            Self::LeftOut(count) => write!(
                f,
                "{count} addresses are not served: too many, or too few descriptors (`ulimit -n`)"
            ),
            Self::CannotAsk(to, error, others) => {
                write!(f, "cannot send a request to {to}: {error}")?;
                match others {
                    0 => Ok(()),
                    1 => f.write_str("; nor another one, before"),
                    _ => write!(f, "; nor {others} others, before"),
                }
            }
            Self::Hearing(notice) => notice.fmt(f),
            Self::HeldUp(pause) => write!(
                f,
                "held up for {:.1} s: the process was stopped, or the machine is overloaded",
                pause.as_secs_f64()
            ),
            Self::TracesLost(count) => {
                write!(f, "{count} traces of what was served found no room")
            }
            Self::NotPinned(thread) => {
                write!(
                    f,
                    "server thread {thread} is not bound to a core: the kernel refused"
                )
            }
            Self::NotRestored(error) => {
                write!(f, "the clock's base frequency was not restored: {error}")
            }
        }
    }
}

/// Why the engine ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Why {
    /// `Command::Stop`.
    Stopped,
    /// The protocol asked for it.
    Exit(Exit),
}

/// The end of a run, with the protocol's last state.
pub struct Ended {
    /// Why.
    pub why: Why,
    /// For the frequency to keep and a last status.
    pub system: System,
}
