//! Addresses as mode 6 writes them.
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address, its port where there was one, and the zone of a link-local one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NetAddress {
    /// The address.
    pub ip: IpAddr,
    /// The port, 0 where none was given.
    pub port: u16,
    zone: Option<String>,
}

impl Default for NetAddress {
    fn default() -> Self {
        Self::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0)
    }
}

impl NetAddress {
    /// Without a zone.
    pub const fn new(ip: IpAddr, port: u16) -> Self {
        Self {
            ip,
            port,
            zone: None,
        }
    }

    /// Reads `10.0.0.1`, `10.0.0.1:123`, `fd77::1`, `[fd77::1]:123`, `fe80::1%2`.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']')?;
                (host, port.strip_prefix(':'))
            }
            None => match text.split_once(':') {
                Some((host, port)) if !port.contains(':') => (host, Some(port)),
                _ => (text, None),
            },
        };
        let (host, zone) = match host.split_once('%') {
            Some((host, zone)) => (host, Some(zone.to_owned())),
            None => (host, None),
        };
        Some(Self {
            ip: host.parse().ok()?,
            port: port.map_or(Some(0), |port| port.parse().ok())?,
            zone,
        })
    }

    /// The address and its port, as a socket is written.
    pub fn with_port(&self) -> String {
        match self.ip {
            IpAddr::V4(_) => format!("{self}:{}", self.port),
            IpAddr::V6(_) => format!("[{self}]:{}", self.port),
        }
    }

    /// All zeros: no address.
    pub const fn is_unspecified(&self) -> bool {
        self.ip.is_unspecified()
    }

    /// As a reference clock is named, `LOCAL(0)`; `None` for hosts.
    pub fn clock_name(&self) -> Option<String> {
        let IpAddr::V4(v4) = self.ip else {
            return None;
        };
        clock_name(v4)
    }

    /// How many leading ones the address has as a mask; `None` where ones follow a zero.
    pub fn mask_length(&self) -> Option<u32> {
        let (bits, width) = match self.ip {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, 32),
            IpAddr::V6(v6) => (v6.to_bits(), 128),
        };
        let length = bits.leading_ones();
        let contiguous = length >= width || bits << length == 0;
        contiguous.then_some(length.min(width))
    }
}

impl fmt::Display for NetAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ip)?;
        match &self.zone {
            Some(zone) => write!(f, "%{zone}"),
            None => Ok(()),
        }
    }
}

impl From<Ipv6Addr> for NetAddress {
    fn from(ip: Ipv6Addr) -> Self {
        Self::new(IpAddr::V6(ip), 0)
    }
}

/// Names of the reference's clock drivers, by type; those it never had are empty.
const CLOCKS: [&str; 47] = [
    "UNKNOWN",
    "LOCAL",
    "GPS_TRAK",
    "WWV_PST",
    "SPECTRACOM",
    "TRUETIME",
    "IRIG_AUDIO",
    "CHU_AUDIO",
    "GENERIC",
    "GPS_MX4200",
    "GPS_AS2201",
    "GPS_ARBITER",
    "IRIG_TPRO",
    "ATOM_LEITCH",
    "MSF_EES",
    "GPSTM_TRUE",
    "GPS_BANC",
    "GPS_DATUM",
    "ACTS_MODEM",
    "WWV_HEATH",
    "GPS_NMEA",
    "GPS_VME",
    "PPS",
    "PTB_ACTS",
    "USNO",
    "",
    "GPS_HP",
    "MSF_ARCRON",
    "SHM",
    "GPS_PALISADE",
    "GPS_ONCORE",
    "GPS_JUPITER",
    "CHRONOLOG",
    "DUMBCLOCK",
    "ULINK_M320",
    "PCF",
    "WWV_AUDIO",
    "GPS_FG",
    "HOPF_S",
    "HOPF_P",
    "JJY",
    "TT_IRIG",
    "GPS_ZYFER",
    "GPS_RIPENCC",
    "NEOCLK4X",
    "PCI_TSYNC",
    "GPSD_JSON",
];

fn clock_name(address: Ipv4Addr) -> Option<String> {
    let [127, 127, kind, unit] = address.octets() else {
        return None;
    };
    match CLOCKS.get(usize::from(kind)) {
        Some(name) if !name.is_empty() => Some(format!("{name}({unit})")),
        _ => Some(format!("REFCLK({kind},{unit})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_an_address() {
        let shown = |text: &str| {
            NetAddress::parse(text).map(|address| (address.to_string(), address.with_port()))
        };
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(shown("10.0.0.1"), pair("10.0.0.1", "10.0.0.1:0"));
        assert_eq!(shown("10.0.0.1:123"), pair("10.0.0.1", "10.0.0.1:123"));
        assert_eq!(shown("[fd77::1]:123"), pair("fd77::1", "[fd77::1]:123"));
        assert_eq!(shown("fd77::1"), pair("fd77::1", "[fd77::1]:0"));
        assert_eq!(shown("[fe80::1%2]:9"), pair("fe80::1%2", "[fe80::1%2]:9"));
        for wrong in [
            "",
            "GPS",
            "[fd77::1",
            "10.0.0.1:x",
            "1.2.3",
            "10.0.0.1:70000",
        ] {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn clocks_and_masks() {
        let clock = |text| NetAddress::parse(text).and_then(|address| address.clock_name());
        assert_eq!(clock("127.127.1.0").as_deref(), Some("LOCAL(0)"));
        assert_eq!(clock("127.127.20.3").as_deref(), Some("GPS_NMEA(3)"));
        assert_eq!(clock("127.127.99.3").as_deref(), Some("REFCLK(99,3)"));
        assert_eq!(clock("127.0.0.1"), None);
        let mask = |text| NetAddress::parse(text).and_then(|address| address.mask_length());
        assert_eq!(mask("255.255.0.0"), Some(16));
        assert_eq!(mask("255.255.255.255"), Some(32));
        assert_eq!(mask("0.0.0.0"), Some(0));
        assert_eq!(mask("::"), Some(0));
        assert_eq!(mask("ffff::"), Some(16));
        assert_eq!(mask("255.0.255.0"), None);
    }
}
