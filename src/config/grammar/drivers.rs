//! The reference's clock drivers by number: the `t` of 127.127.t.u.

use crate::settings::LOCAL_DRIVER;

const NAMES: &[(u8, &str)] = &[
    (LOCAL_DRIVER, "LOCAL"),
    (3, "WWV_PST"),
    (4, "WWVB_SPEC"),
    (5, "TRUETIME"),
    (6, "IRIG"),
    (7, "CHU"),
    (8, "PARSE"),
    (9, "MX4200"),
    (10, "AS2201"),
    (11, "ARBITER"),
    (12, "TPRO"),
    (13, "LEITCH"),
    (14, "MSF_EES"),
    (16, "BANCOMM"),
    (17, "DATUM"),
    (18, "ACTS"),
    (19, "HEATH"),
    (20, "NMEA"),
    (21, "VME"),
    (22, "PPS"),
    (26, "HP58503A"),
    (27, "ARCRON"),
    (28, "SHM"),
    (29, "PALISADE"),
    (30, "ONCORE"),
    (31, "JUPITER"),
    (32, "CHRONOLOG"),
    (33, "DUMB"),
    (34, "ULINK"),
    (35, "PCF"),
    (36, "WWV"),
    (37, "FG"),
    (38, "HOPF_S"),
    (39, "HOPF_PCI"),
    (40, "JJY"),
    (41, "TT560"),
    (42, "ZYFER"),
    (43, "RIPENCC"),
    (44, "NEOCLOCK4X"),
    (45, "TSYNCPCI"),
    (46, "GPSD_JSON"),
];

/// The reference's name of a clock driver, or `None` if there is no driver of this number.
#[must_use]
pub fn driver_name(driver: u8) -> Option<&'static str> {
    NAMES
        .iter()
        .find(|(number, _)| *number == driver)
        .map(|(_, name)| *name)
}

/// What NTPsec calls drivers in `refclock`, where that is not the name above in lower case.
const NTPSEC_NAMES: &[(&str, u8)] = &[
    ("arbiter", 11),
    ("generic", 8),
    ("gpsd", 46),
    ("hpgps", 26),
    ("jjy", 40),
    ("local", LOCAL_DRIVER),
    ("magnavox", 9),
    ("modem", 18),
    ("neoclock", 44),
    ("nmea", 20),
    ("oncore", 30),
    ("pps", 22),
    ("shm", 28),
    ("spectracom", 4),
    ("trimble", 29),
    ("truetime", 5),
    ("zyfer", 42),
];

/// The driver NTPsec, or else the reference, calls so.
pub(super) fn driver_number(name: &str) -> Option<u8> {
    let ntpsec = NTPSEC_NAMES.iter().find(|(known, _)| *known == name);
    let reference = || {
        NAMES
            .iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(name))
    };
    ntpsec
        .map(|(_, number)| *number)
        .or_else(|| reference().map(|(number, _)| *number))
}

pub(super) fn names_of_ntpsec() -> impl Iterator<Item = &'static str> {
    NTPSEC_NAMES.iter().map(|(name, _)| *name)
}

/// Whether a driver is built.
pub(crate) fn is_built(driver: u8) -> bool {
    driver == LOCAL_DRIVER
}
