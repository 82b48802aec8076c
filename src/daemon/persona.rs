//! Names this program can be called by besides its own.

pub mod ntpd;

use std::ffi::OsStr;
use std::path::Path;

/// A name with its own command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persona {
    /// The classic daemon.
    Ntpd,
}

impl Persona {
    /// From the name the program was called by, `argv[0]` or the first argument.
    pub fn from_name(name: &OsStr) -> Option<Self> {
        match Path::new(name).file_name()?.to_str()? {
            "ntpd" => Some(Self::Ntpd),
            _ => None,
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
        assert_eq!(of("/usr/sbin/truechimer"), None);
        assert_eq!(of(""), None);
    }
}
