//! Autokey and what else proves an identity without symmetric keys.

use std::fmt;

use super::Located;

/// `crypto`, `keysdir`, `ident`, `revoke`, `automax`, `ntpsigndsocket`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Autokey {
    /// The first `crypto` line; without one there is no Autokey.
    pub enabled: Option<Located<()>>,
    /// `crypto host`: name of the host's files.
    pub host: Option<String>,
    /// `crypto ident`, once a group: names of the groups, the main one first.
    pub idents: Vec<String>,
    /// `crypto pw`: password of the private files.
    pub password: Option<Secret>,
    /// `crypto digest`: digest of the MACs.
    pub digest: Option<String>,
    /// `crypto insecure`: strangers are answered at public addresses too.
    pub insecure: bool,
    /// `crypto threads`: threads that sign and verify.
    pub threads: Option<u8>,
    /// `crypto cores`: the cores that these are bound to, in turn; none named leaves it to the daemon.
    pub cores: Vec<u16>,
    /// `crypto cert`, `sign`, `leap`, `gqpar`, `iffpar`, `mvpar`: files of ntpd before 4.2.6, where
    /// names were not found by rule.
    pub legacy_files: Vec<(LegacyFile, Located<String>)>,
    /// `keysdir`: folder of the files.
    pub keys_dir: Option<Located<String>>,
    /// `ident`: name of the group for associations that name none.
    pub default_ident: Option<String>,
    /// `revoke` or `crypto revoke`: how often the private value is made anew, log2 seconds.
    pub revoke_log2_s: Option<u8>,
    /// `automax`: how long a list of session keys lasts at most, log2 seconds.
    pub automax_log2_s: Option<u8>,
    /// `ntpsigndsocket`: folder of Samba's socket.
    pub sign_socket: Option<Located<String>>,
}

/// Which file a legacy `crypto` word names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegacyFile {
    /// `cert`: the certificate.
    Certificate,
    /// `sign`: the key that signs.
    SignKey,
    /// `leap`: leap seconds.
    LeapSeconds,
    /// `gqpar`: parameters of the GQ scheme.
    Gq,
    /// `iffpar`: parameters of the IFF scheme.
    Iff,
    /// `mvpar`: parameters of the MV scheme.
    Mv,
}

/// A password: never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(crate) String);

impl Secret {
    /// The password itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Autokey {
    /// Whether Autokey is spoken at all.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.enabled.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_in_debug_output() {
        assert_eq!(format!("{:?}", Secret("s3cret".into())), "***");
    }
}
