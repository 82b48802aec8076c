//! What the operator may want to know of sockets and threads, in words.
use crate::error::BindFailure;
use crate::hearing_notice::HearingNotice;
use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::sync::Arc;
use truechimer_sys::hardware::{Receives, Stamping};
use truechimer_sys::ring::Refused;

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
    /// This interface stamps packets by a clock of its own from now on, as far as it says.
    HardwareStamps(String, Stamping),
    /// This interface was asked to, and cannot.
    NoHardwareStamps(String, io::Error),
    /// This interface stamps nothing of what it promised to: packets received, or sent.
    StampsMissing(String, &'static str),
    /// The clock thread did not come to turn for so long.
    HeldUp(Duration),
    /// So many traces of server threads found no room.
    TracesLost(u64),
    /// There is no such core for this process.
    NoCore(usize),
    /// Server threads receive by poll(2), for there is no io_uring.
    NoRings {
        /// Why.
        refused: Arc<Refused>,
        /// Whether the configuration names it, and not poll(2) as well.
        were_asked_for: bool,
    },
    /// Of so many threads, so many have lost their ring: how many and of how many.
    RingsLost(usize, usize),
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
            Self::HardwareStamps(..) | Self::NoHardwareStamps(..) | Self::StampsMissing(..) => {
                self.fmt_of_stamps(f)
            }
            Self::HeldUp(pause) => write!(
                f,
                "held up for {:.1} s: the process was stopped, or the machine is overloaded",
                pause.as_secs_f64()
            ),
            Self::TracesLost(count) => {
                write!(f, "{count} traces of what was served found no room")
            }
            Self::NoCore(_) | Self::NotPinned(_) | Self::NoRings { .. } | Self::RingsLost(..) => {
                self.fmt_of_threads(f)
            }
            Self::NotRestored(error) => {
                write!(f, "the clock's base frequency was not restored: {error}")
            }
        }
    }
}

impl Notice {
    /// What there is to say of server threads.
    fn fmt_of_threads(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCore(core) => write!(f, "engine core {core}: not one this process may use"),
            Self::NotPinned(thread) => write!(
                f,
                "server thread {thread} is not bound to a core: the kernel refused"
            ),
            Self::NoRings {
                refused,
                were_asked_for,
            } => {
                let instead = if *were_asked_for { ", not uring" } else { "" };
                write!(f, "serving with the engine poll{instead}: {refused}")
            }
            Self::RingsLost(lost, threads) => write!(
                f,
                "{lost} of {threads} server threads lost io_uring: engine poll"
            ),
            _ => Ok(()),
        }
    }

    /// What there is to say of stamps of interfaces.
    fn fmt_of_stamps(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HardwareStamps(name, stamping) => {
                let received = match stamping.receives {
                    Receives::Ntp => "received and ",
                    Receives::PtpOnly => "received packets of PTP alone, not of NTP, and ",
                    Receives::None => "no received packets, and ",
                };
                let sent = if stamping.transmits {
                    "sent ones"
                } else {
                    "no sent ones"
                };
                let phc = stamping.phc;
                write!(
                    f,
                    "{name} stamps {received}{sent}, by the clock /dev/ptp{phc}"
                )
            }
            Self::NoHardwareStamps(name, error) => {
                let reason = match error.kind() {
                    io::ErrorKind::Unsupported => "it has no clock, or stamps nothing".to_owned(),
                    io::ErrorKind::PermissionDenied => format!(
                        "{error}: needs CAP_NET_ADMIN, which is there at the start only, and a \
                         readable /dev/ptpN"
                    ),
                    _ => error.to_string(),
                };
                write!(
                    f,
                    "no hardware timestamps on {name}: {reason}; the kernel's are taken"
                )
            }
            Self::StampsMissing(name, which) => write!(
                f,
                "{name} promised hardware timestamps of packets {which} and gives none: the \
                 kernel's are taken; see to its driver, or take it out of hwtimestamp"
            ),
            _ => Ok(()),
        }
    }
}
