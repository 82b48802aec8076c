//! What goes wrong in Autokey's dance, in the reference's words, and what to do about it.
use crate::autokey::job::Failure;
use core::fmt;

/// Something is wrong with a message of Autokey, or with what it is to prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CryptoTrouble {
    /// What.
    pub failure: Failure,
    /// The message answers an identity challenge.
    pub is_of_identity: bool,
    /// The group that is to be proven.
    pub group: Option<GroupName>,
}

/// Octets of a group's name that are shown.
const SHOWN_AT_MOST: usize = 32;

/// The name of a group, as much of it as is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupName {
    octets: [u8; SHOWN_AT_MOST],
    len: usize,
}

impl GroupName {
    /// Cut where it is too long.
    pub fn new(name: &str) -> Self {
        let mut octets = [0; SHOWN_AT_MOST];
        let whole = |at: &usize| name.is_char_boundary(*at);
        let len = (0..=SHOWN_AT_MOST).rev().find(|at| whole(at));
        let len = len.unwrap_or(0).min(name.len());
        for (place, octet) in octets.iter_mut().zip(name.bytes().take(len)) {
            *place = octet;
        }
        Self { octets, len }
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.octets.get(..self.len).unwrap_or_default();
        f.write_str(core::str::from_utf8(shown).unwrap_or_default())
    }
}

impl fmt::Display for CryptoTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, word) = (self.failure.code(), self.failure.word());
        write!(f, "bad_auth crypto 1{code:02x} {word}: ")?;
        let group = self.group.unwrap_or_else(|| GroupName::new("GROUP"));
        if self.is_of_identity && matches!(self.failure, Failure::Filestamp | Failure::GroupKey) {
            return write!(
                f,
                "the parameters of {group} here are not of the key that it has: ntp-keygen -e -i {group} there, \
                 truechimer keys import here"
            );
        }
        f.write_str(advice(self.failure))
    }
}

const fn advice(failure: Failure) -> &'static str {
    match failure {
        Failure::Length => "a message has another form than RFC 5906 says",
        Failure::Timestamp => "it signed this before what it signed earlier: see to its clock",
        Failure::Filestamp => {
            "what it sent is older than what it sent before: see to its key files"
        }
        Failure::PublicKey => "its key is not of use here: ntp-keygen -H -m 2048 there",
        Failure::Digest => {
            "it signs in a way that is not known here: ntp-keygen -c RSA-SHA256 there"
        }
        Failure::Identity => {
            "its certificate names another group than ours, or only one side has a private certificate: \
             ntp-keygen -i GROUP where it is wrong, or `ident` on its line"
        }
        Failure::SignatureLength | Failure::Signature => {
            "it signs with a key that its certificate does not have; if it was proven before it is asked \
             for another certificate now"
        }
        Failure::CertificateNotVerified => {
            "a certificate of its trail is not signed by whom it names: two hosts of one name, or \
             ntp-keygen there"
        }
        Failure::Expired => {
            "its certificate, or one that it was signed with, is not in force: ntp-keygen there, and see \
             to the clocks"
        }
        Failure::Cookie => "the cookie that it sealed cannot be opened with our host key",
        Failure::LeapSeconds => "its leap-seconds values have another form than RFC 5906 says",
        Failure::Certificate => {
            "a certificate of its trail is not whom it is to be of, or leads back to this host: see to the \
             names of its servers"
        }
        Failure::GroupKey => "its answer to our challenge is wrong",
        Failure::Protocol => "it says that it cannot answer",
        Failure::Busy => "nobody had the time here",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_references_word_and_what_to_do() {
        for (failure, is_of_identity, begins, names) in [
            (
                Failure::GroupKey,
                true,
                "bad_auth crypto 10e bad_or_missing_group key: ",
                "ntp-keygen -e -i grp there, truechimer keys import here",
            ),
            (
                Failure::Filestamp,
                true,
                "bad_auth crypto 103 bad_filestamp: ",
                "the parameters of grp",
            ),
            (
                Failure::Filestamp,
                false,
                "bad_auth crypto 103 bad_filestamp: ",
                "key files",
            ),
            (
                Failure::Identity,
                false,
                "bad_auth crypto 106 unsupported_identity_type: ",
                "ntp-keygen -i",
            ),
            (
                Failure::Expired,
                false,
                "bad_auth crypto 10a host_certificate_expired: ",
                "ntp-keygen there",
            ),
            (
                Failure::Signature,
                false,
                "bad_auth crypto 108 signature_not_verified: ",
                "certificate",
            ),
        ] {
            let told = CryptoTrouble {
                failure,
                is_of_identity,
                group: Some(GroupName::new("grp")),
            };
            let told = told.to_string();
            assert!(told.starts_with(begins) && told.contains(names), "{told}");
        }
    }

    #[test]
    fn a_long_name_is_cut() {
        assert_eq!(GroupName::new("grp").to_string(), "grp");
        let long = "\u{20ac}".repeat(20);
        assert_eq!(GroupName::new(&long).to_string(), "\u{20ac}".repeat(10));
    }
}
