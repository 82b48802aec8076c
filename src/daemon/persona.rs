//! Names this program can be called by besides its own.

mod dialogue;
pub mod links;
mod ntp_genkeys;
pub mod ntp_keygen;
pub mod ntp_wait;
pub mod ntpd;
pub mod ntpdate;
pub mod ntpdc;
pub mod ntpq;
pub mod ntptrace;
mod samples;
pub mod sntp;

use crate::exit::Exit;
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// A name with its own command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persona {
    /// The classic daemon.
    Ntpd,
    /// The classic query program.
    Ntpq,
    /// The classic query program of mode 7.
    Ntpdc,
    /// The maker of keys.
    NtpKeygen,
    /// Its name until 4.1: makes symmetric keys in a file of its own.
    NtpGenkeys,
    /// Sets the clock once, by a few servers.
    Ntpdate,
    /// Asks servers once, and sets the clock where told to.
    Sntp,
    /// Waits until the daemon has set the clock.
    NtpWait,
    /// Follows servers up to the primary one.
    Ntptrace,
}

impl Persona {
    /// All, with the names they are called by.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("ntpd", Self::Ntpd),
        ("ntpq", Self::Ntpq),
        ("ntpdc", Self::Ntpdc),
        ("ntp-keygen", Self::NtpKeygen),
        ("ntp_keygen", Self::NtpKeygen),
        ("ntp-genkeys", Self::NtpGenkeys),
        ("ntpdate", Self::Ntpdate),
        ("sntp", Self::Sntp),
        ("ntp-wait", Self::NtpWait),
        ("ntptrace", Self::Ntptrace),
    ];

    /// From the name the program was called by, `argv[0]` or the first argument.
    pub fn from_name(name: &OsStr) -> Option<Self> {
        let name = Path::new(name).file_name()?.to_str()?;
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, persona)| *persona)
    }

    /// Runs it; `words` are without the program's name.
    pub fn run(self, words: impl IntoIterator<Item = OsString>) -> Exit {
        match self {
            Self::Ntpd => crate::cli::ntpd_main(words),
            Self::Ntpq => ntpq::run(words),
            Self::Ntpdc => ntpdc::run(words),
            Self::NtpKeygen => ntp_keygen::main(words),
            Self::NtpGenkeys => ntp_genkeys::run(words),
            Self::Ntpdate => ntpdate::run(words),
            Self::Sntp => sntp::run(words),
            Self::NtpWait => ntp_wait::run(words),
            Self::Ntptrace => ntptrace::run(words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_the_last_part_of_the_path() {
        let of = |name: &str| Persona::from_name(OsStr::new(name));
        assert_eq!(of("/usr/sbin/ntpd"), Some(Persona::Ntpd));
        assert_eq!(of("ntpd"), Some(Persona::Ntpd));
        assert_eq!(of("./ntpq"), Some(Persona::Ntpq));
        assert_eq!(of("/usr/sbin/ntp-keygen"), Some(Persona::NtpKeygen));
        assert_eq!(of("ntp-genkeys"), Some(Persona::NtpGenkeys));
        assert_eq!(of("/usr/sbin/truechimer"), None);
        assert_eq!(of(""), None);
    }
}
