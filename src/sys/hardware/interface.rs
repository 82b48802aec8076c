//! Which packets an interface stamps: ethtool's ETHTOOL_GET_TS_INFO, and SIOCSHWTSTAMP.
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// "ethtool: tell what you can stamp", of linux/ethtool.h.
const ETHTOOL_GET_TS_INFO: u32 = 0x41;
/// "ethtool: tell settings of the link".
const ETHTOOL_GLINKSETTINGS: u32 = 0x4c;
/// Where the ethtool commands go; libc names it on other targets only.
const SIOCETHTOOL: libc::Ioctl = 0x8946;
/// Three bit maps of as many words as any kernel has follow the link's settings.
const LINK_MODE_WORDS: usize = 3 * 127;

/// Which received packets are asked to be stamped, as linux/net_tstamp.h has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReceiveFilter {
    /// All, else those of NTP.
    #[default]
    All,
    /// Those of NTP, else all.
    Ntp,
    /// Those of PTP; others come unstamped.
    Ptp,
    /// None.
    None,
}

/// Which received packets an interface stamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receives {
    /// Those of NTP, at least.
    Ntp,
    /// Those of PTP alone.
    PtpOnly,
    /// None.
    None,
}

/// What an interface said it stamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamping {
    /// Number of its clock: N of /dev/ptpN.
    pub phc: u32,
    /// Received packets.
    pub receives: Receives,
    /// Sent packets.
    pub transmits: bool,
}

/// The kernel's `ethtool_ts_info`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct TimestampInfo {
    command: u32,
    so_timestamping: u32,
    phc_index: i32,
    tx_types: u32,
    reserved_tx: [u32; 3],
    rx_filters: u32,
    reserved_rx: [u32; 3],
}

/// The kernel's `ethtool_link_settings`, with room for what follows it.
#[repr(C)]
#[derive(Clone, Copy)]
struct LinkSettings {
    command: u32,
    speed_mbps: u32,
    others: [u8; 7],
    link_mode_words: i8,
    more: [u8; 32],
    link_modes: [u32; LINK_MODE_WORDS],
}

/// Tells an interface to stamp, as far as it can. Needs CAP_NET_ADMIN, unless it stamps so already.
///
/// # Errors
/// `Unsupported` for one without a clock of its own, or that stamps nothing; else the kernel's.
pub fn start_stamping(name: &str, wanted: ReceiveFilter) -> io::Result<Stamping> {
    let door = Door::open(name)?;
    let info = door.timestamp_info()?;
    let Ok(phc) = u32::try_from(info.phc_index) else {
        return Err(io::Error::from(io::ErrorKind::Unsupported));
    };
    let raw = libc::SOF_TIMESTAMPING_RAW_HARDWARE;
    let has = |bit| info.so_timestamping & (bit | raw) == (bit | raw);
    let offers = |bit: libc::c_uint| info.tx_types & (1 << bit) != 0;
    let transmits = has(libc::SOF_TIMESTAMPING_TX_HARDWARE) && offers(libc::HWTSTAMP_TX_ON);
    let filter = if has(libc::SOF_TIMESTAMPING_RX_HARDWARE) {
        choose(info.rx_filters, wanted)
    } else {
        libc::HWTSTAMP_FILTER_NONE
    };
    if !transmits && filter == libc::HWTSTAMP_FILTER_NONE {
        return Err(io::Error::from(io::ErrorKind::Unsupported));
    }
    let transmit = if transmits {
        libc::HWTSTAMP_TX_ON
    } else {
        libc::HWTSTAMP_TX_OFF
    };
    // Drivers may widen the filter, and say so; what somebody else has set may do as well.
    let given = match door.configure(transmit, filter) {
        Ok(given) => given,
        Err(refused) => door
            .configured()
            .ok()
            .filter(|now| now.transmit == transmit && does(now.filter, filter))
            .ok_or(refused)?,
    };
    Ok(Stamping {
        phc,
        receives: receives(given.filter),
        transmits: given.transmit != libc::HWTSTAMP_TX_OFF,
    })
}

/// The best filter that an interface offers.
fn choose(offered: u32, wanted: ReceiveFilter) -> libc::c_uint {
    use libc::{HWTSTAMP_FILTER_ALL, HWTSTAMP_FILTER_NONE, HWTSTAMP_FILTER_NTP_ALL};
    use libc::{HWTSTAMP_FILTER_PTP_V2_EVENT, HWTSTAMP_FILTER_PTP_V2_L4_EVENT};
    let ptp = [
        HWTSTAMP_FILTER_PTP_V2_EVENT,
        HWTSTAMP_FILTER_PTP_V2_L4_EVENT,
    ];
    let by_wish: &[libc::c_uint] = match wanted {
        ReceiveFilter::All => &[HWTSTAMP_FILTER_ALL, HWTSTAMP_FILTER_NTP_ALL, ptp[0], ptp[1]],
        ReceiveFilter::Ntp => &[HWTSTAMP_FILTER_NTP_ALL, HWTSTAMP_FILTER_ALL, ptp[0], ptp[1]],
        ReceiveFilter::Ptp => &ptp,
        ReceiveFilter::None => &[],
    };
    let is_offered = |filter: &&libc::c_uint| offered & (1 << **filter) != 0;
    let first = by_wish.iter().find(is_offered);
    first.copied().unwrap_or(HWTSTAMP_FILTER_NONE)
}

/// Whether a filter stamps what `wanted` would.
fn does(filter: libc::c_uint, wanted: libc::c_uint) -> bool {
    filter == wanted || receives(filter) == Receives::Ntp
}

const fn receives(filter: libc::c_uint) -> Receives {
    match filter {
        libc::HWTSTAMP_FILTER_NONE => Receives::None,
        libc::HWTSTAMP_FILTER_ALL | libc::HWTSTAMP_FILTER_NTP_ALL => Receives::Ntp,
        _ => Receives::PtpOnly,
    }
}

/// How fast the link of an interface is now, Mbit/s; `None` where it is down or does not say.
pub fn link_speed_mbps(name: &str) -> Option<u32> {
    let door = Door::open(name).ok()?;
    let mut settings = LinkSettings {
        command: ETHTOOL_GLINKSETTINGS,
        speed_mbps: 0,
        others: [0; 7],
        link_mode_words: 0,
        more: [0; 32],
        link_modes: [0; LINK_MODE_WORDS],
    };
    door.ethtool(&mut settings).ok()?;
    // The first answer only says, as a negative number, how many words there are.
    settings.link_mode_words = settings.link_mode_words.checked_neg()?;
    if !(1..=127).contains(&settings.link_mode_words) {
        return None;
    }
    settings.command = ETHTOOL_GLINKSETTINGS;
    door.ethtool(&mut settings).ok()?;
    Some(settings.speed_mbps).filter(|speed| !matches!(*speed, 0 | u32::MAX))
}

/// What an interface was told to stamp.
struct Configured {
    transmit: libc::c_uint,
    filter: libc::c_uint,
}

/// A socket to ask through, and the name to ask about.
struct Door {
    socket: OwnedFd,
    name: [libc::c_char; libc::IFNAMSIZ],
}

impl Door {
    fn open(name: &str) -> io::Result<Self> {
        let octets = name.as_bytes();
        if octets.is_empty() || octets.len() >= libc::IFNAMSIZ || octets.contains(&0) {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
        // SAFETY: no memory is passed.
        let raw = crate::checked(unsafe { libc::socket(libc::AF_INET, kind, 0) })?;
        // SAFETY: the descriptor was made just now, and nobody else has it.
        let socket = unsafe { OwnedFd::from_raw_fd(raw) };
        let mut padded = [0; libc::IFNAMSIZ];
        for (to, from) in padded.iter_mut().zip(octets) {
            *to = libc::c_char::from_ne_bytes([*from]);
        }
        Ok(Self {
            socket,
            name: padded,
        })
    }

    fn timestamp_info(&self) -> io::Result<TimestampInfo> {
        let mut info = TimestampInfo {
            command: ETHTOOL_GET_TS_INFO,
            ..TimestampInfo::default()
        };
        self.ethtool(&mut info)?;
        Ok(info)
    }

    /// `command` is one of the two structures above, which begin with their command's number.
    fn ethtool<T>(&self, command: &mut T) -> io::Result<()> {
        self.ask(SIOCETHTOOL, command)
    }

    fn configure(&self, transmit: libc::c_uint, filter: libc::c_uint) -> io::Result<Configured> {
        let number = |value| libc::c_int::try_from(value).unwrap_or_default();
        let mut config = libc::hwtstamp_config {
            flags: 0,
            tx_type: number(transmit),
            rx_filter: number(filter),
        };
        self.ask(libc::SIOCSHWTSTAMP, &mut config)?;
        Ok(told(&config))
    }

    fn configured(&self) -> io::Result<Configured> {
        let mut config = libc::hwtstamp_config {
            flags: 0,
            tx_type: 0,
            rx_filter: 0,
        };
        self.ask(libc::SIOCGHWTSTAMP, &mut config)?;
        Ok(told(&config))
    }

    fn ask<T>(&self, request: libc::Ioctl, answer: &mut T) -> io::Result<()> {
        let mut asked = libc::ifreq {
            ifr_name: self.name,
            ifr_ifru: libc::__c_anonymous_ifr_ifru {
                ifru_data: core::ptr::from_mut(answer).cast(),
            },
        };
        // SAFETY: the kernel reads the name, and reads and writes through `ifru_data` no more than
        // the structure of this request, which is what `answer` is; it is exclusively ours meanwhile.
        crate::checked(unsafe { libc::ioctl(self.socket.as_raw_fd(), request, &raw mut asked) })?;
        Ok(())
    }
}

fn told(config: &libc::hwtstamp_config) -> Configured {
    let number = |value| libc::c_uint::try_from(value).unwrap_or_default();
    Configured {
        transmit: number(config.tx_type),
        filter: number(config.rx_filter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_has_no_clock() {
        let refused = start_stamping("lo", ReceiveFilter::All).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::Unsupported);
        assert_eq!(link_speed_mbps("lo"), None);
    }

    #[test]
    fn a_name_that_cannot_be_one() {
        for name in ["", "a-name-much-too-long", "a\0b", "none-such"] {
            assert!(start_stamping(name, ReceiveFilter::All).is_err(), "{name}");
            assert_eq!(link_speed_mbps(name), None);
        }
    }

    #[test]
    fn the_nearest_filter_is_taken() {
        let bit = |filter: libc::c_uint| 1_u32 << filter;
        let (all, ntp) = (libc::HWTSTAMP_FILTER_ALL, libc::HWTSTAMP_FILTER_NTP_ALL);
        let ptp = libc::HWTSTAMP_FILTER_PTP_V2_EVENT;
        let none = libc::HWTSTAMP_FILTER_NONE;
        let both = bit(all) | bit(ntp) | bit(ptp);
        assert_eq!(choose(both, ReceiveFilter::All), all);
        assert_eq!(choose(both, ReceiveFilter::Ntp), ntp);
        assert_eq!(choose(both, ReceiveFilter::Ptp), ptp);
        assert_eq!(choose(both, ReceiveFilter::None), none);
        assert_eq!(choose(bit(ptp) | 1, ReceiveFilter::All), ptp);
        assert_eq!(choose(1, ReceiveFilter::All), none);
        assert_eq!(receives(ptp), Receives::PtpOnly);
        assert_eq!(receives(ntp), Receives::Ntp);
        assert!(does(all, ptp) && does(ntp, all) && does(none, none));
        assert!(!does(ptp, all) && !does(none, ptp));
    }
}
