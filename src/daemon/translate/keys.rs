//! The keys file and the `trustedkey` lines to the table that authenticates.
use crate::files::bounded;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use truechimer_config::Settings;
use truechimer_crypto::autokey::AutokeyDigest;
use truechimer_crypto::{KeyComplaint, KeyFile, KeyTable, Keyring, keys, wipe};
use truechimer_proto::authentication::{Authenticator, KeyId, Verification};

/// Keys as the protocol uses them.
#[derive(Clone, Default)]
pub struct Keys {
    /// `None` where no keys file is named.
    table: Option<Arc<KeyTable>>,
    /// Of Autokey's session keys, where it is on.
    autokey: Option<AutokeyDigest>,
}

/// What reading a keys file gave.
pub struct Loaded {
    /// The keys.
    pub keys: Keys,
    /// How many keys the file holds.
    pub count: usize,
    /// What is wrong with single lines; the others count.
    pub complaints: Vec<KeyComplaint>,
    /// What is unwise about the file itself.
    pub warning: Option<String>,
}

impl Keys {
    /// From the file the settings name, if they name one.
    ///
    /// # Errors
    /// That it cannot be read.
    pub fn load(settings: &Settings) -> io::Result<Loaded> {
        let Some(named) = &settings.authentication.keys_file else {
            return Ok(Loaded {
                keys: Self::default(),
                count: 0,
                complaints: Vec::new(),
                warning: None,
            });
        };
        let path = Path::new(&named.value);
        let mut octets = bounded::read(path, keys::FILE_LEN_MAX)?;
        let (file, complaints) = keys::parse(&octets);
        wipe(&mut octets);
        let count = file.len();
        Ok(Loaded {
            keys: Self::new(file, settings),
            count,
            complaints,
            warning: readable_by_all(path),
        })
    }

    fn new(file: KeyFile, settings: &Settings) -> Self {
        let table = KeyTable::new(file, trusted(settings));
        Self {
            table: Some(Arc::new(table)),
            autokey: None,
        }
    }

    /// With the session keys of Autokey, or without.
    #[must_use]
    pub fn with_autokey(self, digest: Option<AutokeyDigest>) -> Self {
        Self {
            autokey: digest,
            ..self
        }
    }

    /// The same secrets, trusted as these settings say.
    pub fn trusted_as(&self, settings: &Settings) -> Self {
        let table = self.table.as_ref();
        Self {
            table: table.map(|table| Arc::new(table.with_trusted(trusted(settings)))),
            autokey: self.autokey.clone(),
        }
    }

    /// The table, where a keys file was read.
    pub const fn table(&self) -> Option<&Arc<KeyTable>> {
        self.table.as_ref()
    }

    /// An authenticator for one thread.
    pub fn authenticator(&self) -> Box<dyn Authenticator> {
        let keyring = |table| Keyring::new(Arc::clone(table));
        match (&self.table, &self.autokey) {
            (None, None) => Box::new(Keyless::default()),
            (Some(table), None) => Box::new(keyring(table)),
            (table, Some(digest)) => {
                let table = table.as_ref().map_or_else(empty, keyring);
                Box::new(table.with_autokey_digest(digest.clone()))
            }
        }
    }
}

fn trusted(settings: &Settings) -> impl Iterator<Item = KeyId> {
    let ranges = settings.authentication.trusted_keys.ranges();
    ranges.flat_map(|range| range.filter_map(|id| KeyId::symmetric(u32::from(id))))
}

/// Whoever reads the keys can set our clock.
pub(crate) fn readable_by_all(path: &Path) -> Option<String> {
    let mode = fs::metadata(path).ok()?.mode();
    (mode & 0o007 != 0).then(|| {
        let name = path.display();
        format!("{name}: others than owner and group may use the keys; chmod 0640 {name}")
    })
}

fn empty() -> Keyring {
    Keyring::new(Arc::new(KeyTable::new(KeyFile::default(), [])))
}

/// For sites without keys: OpenSSL is loaded only if a server is known by an IPv6 address, whose
/// digest names it.
#[derive(Default)]
struct Keyless(Option<Keyring>);

impl Authenticator for Keyless {
    fn check(&mut self, _: KeyId, _: IpAddr, _: &[u8], _: &[u8]) -> Verification {
        Verification::UnknownKey
    }

    fn seal(&mut self, _: KeyId, _: &[u8], _: &mut [u8]) -> Option<usize> {
        None
    }

    fn reference_id_of(&mut self, address: Ipv6Addr) -> Option<[u8; 4]> {
        self.0.get_or_insert_with(empty).reference_id_of(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use std::os::unix::fs::PermissionsExt;
    use truechimer_config::{NoFiles, parse};

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn id(number: u32) -> KeyId {
        KeyId::symmetric(number).expect("in range")
    }

    #[test]
    fn only_trusted_keys_authenticate() {
        let scratch = Scratch::new("keys");
        let path = scratch.path("ntp.keys");
        fs::write(&path, "1 SHA1 onekey\n2 SHA1 otherkey\nrubbish\n").expect("writable");
        let text = format!("keys {}\ntrustedkey 1\n", path.display());
        let settings = parse("test", text.as_bytes(), &NoFiles).settings;
        let loaded = Keys::load(&settings).expect("readable");
        assert_eq!((loaded.count, loaded.complaints.len()), (2, 1));
        let mut authenticator = loaded.keys.authenticator();
        let mut mac = [0; 20];
        assert_eq!(authenticator.seal(id(1), b"message", &mut mac), Some(20));
        assert_eq!(
            authenticator.check(id(1), HERE, b"message", &mac),
            Verification::Verified
        );
        assert_eq!(
            authenticator.check(id(2), HERE, b"message", &mac),
            Verification::UntrustedKey
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("ours");
        assert_eq!(Keys::load(&settings).expect("readable").warning, None);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("ours");
        assert!(Keys::load(&settings).expect("readable").warning.is_some());
        fs::remove_file(&path).expect("there");
        assert!(Keys::load(&settings).is_err());
    }

    #[test]
    fn without_keys_an_ipv6_server_still_has_its_reference_identifier() {
        let loaded = Keys::load(&Settings::default()).expect("nothing to read");
        let mut authenticator = loaded.keys.authenticator();
        assert_eq!(
            authenticator.check(id(1), HERE, b"", b""),
            Verification::UnknownKey
        );
        // MD5 of fifteen zero octets and a one.
        let reference = authenticator.reference_id_of(Ipv6Addr::LOCALHOST);
        assert_eq!(reference, Some([0xcf, 0x40, 0x4d, 0xc8]));
    }
}
