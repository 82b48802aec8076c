//! The key that requests are sealed with, as the operator says it.
use super::{Screen, prompt};
use crate::query::Keyed;
use std::sync::Arc;
use truechimer_crypto::{KeyTable, Keyring, keys};
use truechimer_proto::authentication::{Authenticator, KeyId};

/// Digests to seal with, as far as this host has them.
const KEY_TYPES: [&str; 8] = [
    "AES128CMAC",
    "MD4",
    "MD5",
    "RIPEMD160",
    "SHA1",
    "SHA256",
    "SHA512",
    "SHAKE128",
];

/// What requests are sealed with.
#[derive(Clone, Debug)]
pub(in crate::persona) struct Secrets {
    /// 0 where none is chosen.
    pub(in crate::persona) key_id: u32,
    pub(in crate::persona) key_type: String,
    pub(in crate::persona) password: Option<String>,
    pub(in crate::persona) always: bool,
}

impl Default for Secrets {
    fn default() -> Self {
        Self {
            key_id: 0,
            key_type: "MD5".to_owned(),
            password: None,
            always: false,
        }
    }
}

impl Secrets {
    /// The key, where it is whole and its type is one this host has.
    pub(in crate::persona) fn keyed(&self) -> Option<Keyed> {
        let id = KeyId::symmetric(self.key_id)?;
        let password = self.password.as_ref()?;
        let line = format!("{} {} {password}\n", self.key_id, self.key_type);
        let (file, _) = keys::parse(line.as_bytes());
        let table = KeyTable::new(file, [id]);
        table.contains(id).then(|| Keyed {
            id,
            authenticator: Box::new(Keyring::new(Arc::new(table))),
        })
    }

    /// Asks the operator for what is missing.
    ///
    /// # Errors
    /// The complaint, where nothing can be sealed with what was said.
    pub(super) fn complete(&mut self, screen: &mut Screen<'_>) -> Result<(), &'static str> {
        if self.key_id == 0 {
            let id = prompt::key_id(screen);
            if KeyId::symmetric(id).is_none() {
                return Err("Invalid key identifier\n");
            }
            self.key_id = id;
        }
        if self.password.is_none() {
            let password = prompt::password(&self.key_type, screen);
            if password.is_empty() {
                return Err("Invalid password\n");
            }
            self.password = Some(password);
        }
        match self.keyed() {
            Some(_) => Ok(()),
            None => Err("Key not found\n"),
        }
    }

    /// Octets of a digest type's MAC, where this host has the type: a trial key is sealed with.
    pub(in crate::persona) fn mac_len(word: &str) -> Option<usize> {
        // Long enough for every type, and 16 octets for the one that wants just these.
        let (file, _) = keys::parse(format!("1 {word} {}\n", "0".repeat(32)).as_bytes());
        let id = KeyId::symmetric(1)?;
        let mut keyring = Keyring::new(Arc::new(KeyTable::new(file, [id])));
        keyring.seal(id, &[0; 12], &mut [0; 20])
    }

    /// The types this host has.
    pub(in crate::persona) fn types() -> Vec<&'static str> {
        let types = KEY_TYPES.into_iter();
        types.filter(|word| Self::mac_len(word).is_some()).collect()
    }
}
