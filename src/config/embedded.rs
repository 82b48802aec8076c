//! The configuration of a daemon that was given none and has no privileges.

/// An ntp.conf that serves the local clock at stratum 10, names no server, and lets strangers ask
/// for the time and nothing else.
pub const EMBEDDED_DEFAULT: &str = "\
# truechimer's built-in configuration, used when there is no ntp.conf and no privilege.
# It asks no server: which ones to use is for you to say, for instance
#   pool 2.pool.ntp.org iburst

# The local clock as it is, at a stratum that any real source beats.
server 127.127.1.0
fudge 127.127.1.0 stratum 10

# Anyone may ask for the time; only this host may ask more.
restrict default nomodify nopeer noquery notrap
restrict 127.0.0.1
restrict ::1
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NoFiles, parse};

    #[test]
    fn parses_without_complaint_and_names_no_server() {
        let parsed = parse("embedded", EMBEDDED_DEFAULT.as_bytes(), &NoFiles);
        assert_eq!(parsed.diagnostics, []);
        assert!(parsed.settings.associations.is_empty());
        assert_eq!(parsed.settings.refclocks.len(), 1);
        assert_eq!(parsed.settings.refclocks[0].fudge.stratum, Some(10));
        assert_eq!(parsed.settings.restrictions.len(), 3);
    }
}
