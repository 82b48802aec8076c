//! OpenSSL's legacy provider, where DES lives since OpenSSL 3.
use super::KeyFileError;
use openssl::provider::Provider;
use std::sync::OnceLock;

/// Loads it beside the default one, once. It is only ever asked to decrypt old files.
pub(super) fn load() -> Result<(), KeyFileError> {
    static LEGACY: OnceLock<Option<Provider>> = OnceLock::new();
    LEGACY
        .get_or_init(|| Provider::try_load(None, "legacy", true).ok())
        .as_ref()
        .map(|_| ())
        .ok_or(KeyFileError::NoLegacyProvider)
}
