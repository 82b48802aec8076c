use core::fmt;
use core::net::IpAddr;
use std::io;
use truechimer_sys::socket::is_unsupported;

/// What the operator may want to know of groups and broadcast addresses.
#[derive(Debug)]
pub enum HearingNotice {
    /// What is sent there is heard now, on this interface.
    Begun(IpAddr, String),
    /// It is no longer.
    Ended(IpAddr, String),
    /// It cannot be, now; told once until it succeeds.
    Failed(IpAddr, String, io::Error),
    /// No interface that is served can hear this group.
    Nowhere(IpAddr),
    /// This interface has no multicast, so no group is heard there.
    NoMulticast(String),
    /// So many groups and broadcast addresses are not heard, because nobody needs that many.
    LeftOut(usize),
}

impl HearingNotice {
    /// Whether something that was asked for is not to be had.
    pub const fn is_trouble(&self) -> bool {
        !matches!(self, Self::Begun(..) | Self::Ended(..))
    }
}

impl fmt::Display for HearingNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begun(to, name) => write!(f, "listening to {to} on {name}"),
            Self::Ended(to, name) => write!(f, "no longer listening to {to} on {name}"),
            Self::Failed(to, name, error) => {
                let cause = cause(error);
                write!(f, "cannot listen to {to} on {name}: {error}{cause}")
            }
            Self::Nowhere(group) => write!(
                f,
                "nowhere to listen to {group}: no interface that is served is up and has multicast"
            ),
            Self::NoMulticast(name) => write!(
                f,
                "{name} has no multicast: no group is heard there (`ip link set {name} multicast on`)"
            ),
            Self::LeftOut(count) => write!(
                f,
                "{count} groups and broadcast addresses are not heard: too many"
            ),
        }
    }
}

/// What the kernel means where its own words do not say it.
fn cause(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "; before Linux 5.7 this takes the capability CAP_NET_RAW"
        }
        io::ErrorKind::AddrInUse => "; another program has it for itself: `ss -lunp` shows which",
        _ if is_unsupported(error) => {
            "; this kernel has no multicast (CONFIG_IP_MULTICAST), or the interface has none"
        }
        _ => "",
    }
}
