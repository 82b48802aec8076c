use core::fmt;

/// Longest name looked at, octets.
const NAME_LEN_MAX: usize = 255;
/// What OpenVMS puts before the names.
const VMS_PREFIX: &str = "tcpip$";

/// The name of a key file: `ntpkey_KIND_OWNER.FILESTAMP`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName {
    /// `RSAhost`, `IFFkey`, `iffpar`, `RSA-MD5cert` and their like.
    pub kind: String,
    /// Name of a host or a group.
    pub owner: String,
    /// NTP seconds; generic names have none.
    pub filestamp: Option<u32>,
}

/// What a key file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileRole {
    /// The host's RSA key: cookies, and signatures without a sign key.
    Host,
    /// The key that signs.
    Sign,
    /// The certificate.
    Certificate,
    /// IFF, what a server holds.
    IffKey,
    /// IFF, what a client holds.
    IffParameters,
    /// GQ, what a server holds.
    GqKey,
    /// GQ, what a client holds.
    GqParameters,
    /// MV, what the trusted authority holds.
    MvAuthority,
    /// MV, what a server holds.
    MvKey,
    /// MV, what a client holds.
    MvParameters,
    /// Symmetric keys.
    Symmetric,
}

impl FileRole {
    /// The KIND of its generic name, `ntpkey_KIND_OWNER`.
    #[must_use]
    pub const fn generic(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Sign => "sign",
            Self::Certificate => "cert",
            Self::IffKey => "iffkey",
            Self::IffParameters => "iffpar",
            Self::GqKey => "gqkey",
            Self::GqParameters => "gqpar",
            Self::MvAuthority => "mvta",
            Self::MvKey => "mvkey",
            Self::MvParameters => "mvpar",
            Self::Symmetric => "md5",
        }
    }

    /// Whether others may not read it.
    #[must_use]
    pub const fn is_secret(self) -> bool {
        !matches!(
            self,
            Self::Certificate | Self::IffParameters | Self::GqParameters | Self::MvParameters
        )
    }
}

impl FileName {
    /// A name with its stamp.
    #[must_use]
    pub fn new(kind: &str, owner: &str, filestamp: u32) -> Self {
        Self {
            kind: kind.to_owned(),
            owner: owner.to_owned(),
            filestamp: Some(filestamp),
        }
    }

    /// Reads a file's name, that of OpenVMS too.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > NAME_LEN_MAX {
            return None;
        }
        let lower = text.to_ascii_lowercase();
        let text = if lower.starts_with(VMS_PREFIX) {
            &text[VMS_PREFIX.len()..]
        } else {
            text
        };
        let (prefix, rest) = text.split_at_checked("ntpkey_".len())?;
        if !prefix.eq_ignore_ascii_case("ntpkey_") {
            return None;
        }
        // OpenVMS ends names with a version.
        let rest = rest.split(';').next().unwrap_or(rest);
        let (kind, owner) = rest.split_once('_')?;
        let (owner, filestamp) = match owner.rsplit_once('.') {
            Some((name, stamp)) if stamp.bytes().all(|octet| octet.is_ascii_digit()) => {
                match stamp.parse() {
                    Ok(stamp) => (name, Some(stamp)),
                    Err(_) => (owner, None),
                }
            }
            _ => (owner, None),
        };
        let sound = |part: &str| !part.is_empty() && !part.contains(['/', '\0']);
        (sound(kind) && sound(owner)).then(|| Self {
            kind: kind.to_owned(),
            owner: owner.to_owned(),
            filestamp,
        })
    }

    /// What it is for, by its name; the names of all generations count.
    #[must_use]
    pub fn role(&self) -> Option<FileRole> {
        let kind = self.kind.to_ascii_lowercase();
        Some(match kind.as_str() {
            "host" | "rsahost" | "key" | "rsakey" => FileRole::Host,
            "sign" | "rsasign" | "dsasign" | "dsakey" => FileRole::Sign,
            "iffkey" | "iff" => FileRole::IffKey,
            "iffpar" => FileRole::IffParameters,
            "gqkey" | "gq" => FileRole::GqKey,
            "gqpar" => FileRole::GqParameters,
            "mvta" => FileRole::MvAuthority,
            "mvkey" | "mv" => FileRole::MvKey,
            "mvpar" => FileRole::MvParameters,
            "md5key" | "md5" => FileRole::Symmetric,
            // Of OpenVMS and 4.2.4: the keys of single clients.
            _ if kind.starts_with("mvkey") => FileRole::MvParameters,
            _ if kind.ends_with("cert") => FileRole::Certificate,
            _ => return None,
        })
    }

    /// The generic name of that role for an owner.
    #[must_use]
    pub fn generic(role: FileRole, owner: &str) -> String {
        format!("ntpkey_{}_{owner}", role.generic())
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ntpkey_{}_{}", self.kind, self.owner)?;
        match self.filestamp {
            Some(stamp) => write!(f, ".{stamp}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (String, String, Option<u32>, Option<FileRole>) {
        let name = FileName::parse(text).expect(text);
        let role = name.role();
        (name.kind, name.owner, name.filestamp, role)
    }

    #[test]
    fn names_of_all_generations() {
        let (kind, owner, stamp, role) = parsed("ntpkey_RSA-MD5cert_portable.archi.amt.3467897340");
        assert_eq!(
            (kind.as_str(), owner.as_str()),
            ("RSA-MD5cert", "portable.archi.amt")
        );
        assert_eq!(
            (stamp, role),
            (Some(3_467_897_340), Some(FileRole::Certificate))
        );
        assert_eq!(
            parsed("ntpkey_iffpar_server").3,
            Some(FileRole::IffParameters)
        );
        assert_eq!(
            parsed("TCPIP$NTPKEY_IFFpar_alice.3301264563;1").2,
            Some(3_301_264_563)
        );
        assert_eq!(parsed("tcpip$ntpkey_iff_bob").3, Some(FileRole::IffKey));
        assert_eq!(
            parsed("ntpkey_MVkey3_trish.1").3,
            Some(FileRole::MvParameters)
        );
        assert_eq!(parsed("ntpkey_host_10.0.0.1").1, "10.0.0");
        assert_eq!(parsed("ntpkey_host_a.99999999999").2, None);
    }

    #[test]
    fn other_names_and_paths_are_refused() {
        for text in [
            "",
            "ntp.keys",
            "ntpkey_",
            "ntpkey_host",
            "ntpkey_host_",
            "ntpkey__a",
            "é",
            "ntpk",
        ] {
            assert_eq!(FileName::parse(text), None, "{text}");
        }
        assert_eq!(FileName::parse("ntpkey_host_../../etc/passwd.1"), None);
        assert_eq!(
            FileName::parse(&format!("ntpkey_host_{}", "a".repeat(300))),
            None
        );
    }

    #[test]
    fn written_as_read() {
        let text = "ntpkey_IFFkey_GR1.3467897340";
        assert_eq!(FileName::parse(text).expect("a name").to_string(), text);
        assert_eq!(
            FileName::generic(FileRole::IffKey, "GR1"),
            "ntpkey_iffkey_GR1"
        );
    }
}
