use super::access::AccessList;
use crate::algorithm::Algorithm;
use crate::secret::Secret;
use core::fmt;
use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use truechimer_proto::authentication::KeyId;

/// One key.
pub(crate) struct Key {
    pub(crate) id: KeyId,
    pub(crate) algorithm: Algorithm,
    pub(crate) secret: Secret,
    /// The secret as a CMAC wants it: 16 octets.
    pub(crate) cmac: Option<Secret>,
    pub(crate) access: AccessList,
}

/// The keys of a file, by identifier.
#[derive(Default)]
pub struct KeyFile {
    keys: BTreeMap<KeyId, Key>,
}

impl KeyFile {
    pub(super) fn new(keys: BTreeMap<KeyId, Key>) -> Self {
        Self { keys }
    }

    /// How many keys it gave.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether it gave none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyFile({} keys)", self.len())
    }
}

/// Keys and who is trusted: immutable, shared by all threads, replaced whole on reload.
pub struct KeyTable {
    keys: Arc<BTreeMap<KeyId, Key>>,
    trusted: BTreeSet<KeyId>,
}

impl KeyTable {
    /// From a file and the `trustedkey` lines. A trusted identifier without a key is no error
    /// here; see [`KeyTable::contains`].
    pub fn new(file: KeyFile, trusted: impl IntoIterator<Item = KeyId>) -> Self {
        Self {
            keys: Arc::new(file.keys),
            trusted: trusted.into_iter().collect(),
        }
    }

    /// The same keys with other `trustedkey` lines, for when the file can no longer be read: a key
    /// that lost its trust must lose it nevertheless.
    #[must_use]
    pub fn with_trusted(&self, trusted: impl IntoIterator<Item = KeyId>) -> Self {
        Self {
            keys: Arc::clone(&self.keys),
            trusted: trusted.into_iter().collect(),
        }
    }

    /// Whether there is a key with this identifier.
    pub fn contains(&self, id: KeyId) -> bool {
        self.keys.contains_key(&id)
    }

    /// Whether a `trustedkey` line names it.
    pub fn is_trusted(&self, id: KeyId) -> bool {
        self.trusted.contains(&id)
    }

    /// Identifiers, rising.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> + '_ {
        self.keys.keys().copied()
    }

    /// Name of the key's algorithm.
    pub fn algorithm(&self, id: KeyId) -> Option<&str> {
        self.keys.get(&id).map(|key| key.algorithm.name())
    }

    /// Whether the key file lets this address use the key; a line without addresses lets all.
    /// False for a key that does not exist.
    pub fn allowed_from(&self, id: KeyId, address: IpAddr) -> bool {
        self.keys
            .get(&id)
            .is_some_and(|key| key.access.allows(address))
    }

    pub(crate) fn key(&self, id: KeyId) -> Option<&Key> {
        self.keys.get(&id)
    }
}

impl fmt::Debug for KeyTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "KeyTable({} keys, {} trusted)",
            self.keys.len(),
            self.trusted.len()
        )
    }
}
