use crate::algorithm::{Algorithm, CMAC_LEN, Digest, RAW_DIGEST_LEN_MAX};
use crate::autokey::AutokeyDigest;
use crate::cmac::Cmac;
use crate::keys::{Key, KeyTable};
use core::net::{IpAddr, Ipv6Addr};
use openssl::md_ctx::MdCtx;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use truechimer_proto::authentication::{Authenticator, KeyId, SessionKey, Verification};
use truechimer_proto::control::KeyFacts;

/// Makes and verifies MACs with the keys of a table; one per thread, for it reuses its contexts.
pub struct Keyring {
    table: Arc<KeyTable>,
    machine: Machine,
    md5: Option<Digest>,
    autokey: Option<AutokeyDigest>,
    usage: KeyFacts,
}

/// OpenSSL's contexts, made at first need.
#[derive(Default)]
struct Machine {
    digest: Option<MdCtx>,
    cmacs: BTreeMap<KeyId, Cmac>,
}

impl Keyring {
    /// Uses this table until it is dropped; a reload makes a new keyring.
    pub fn new(table: Arc<KeyTable>) -> Self {
        Self {
            table,
            machine: Machine::default(),
            md5: Digest::fetch("MD5").ok(),
            autokey: None,
            usage: KeyFacts::default(),
        }
    }

    /// Makes and verifies the MACs of Autokey's session keys, too, with this digest.
    #[must_use]
    pub fn with_autokey_digest(mut self, digest: AutokeyDigest) -> Self {
        self.autokey = Some(digest);
        self
    }

    /// The table in use.
    pub fn table(&self) -> &Arc<KeyTable> {
        &self.table
    }
}

impl Authenticator for Keyring {
    fn check(&mut self, key: KeyId, from: IpAddr, message: &[u8], digest: &[u8]) -> Verification {
        self.usage.lookups += 1;
        let Some(entry) = self.table.key(key) else {
            self.usage.not_found += 1;
            return Verification::UnknownKey;
        };
        if !self.table.is_trusted(key) {
            return Verification::UntrustedKey;
        }
        if !self.table.allowed_from(key, from) {
            return Verification::WrongAddress;
        }
        // Before any work: a wrong length never costs a digest.
        let algorithm = &entry.algorithm;
        if ![algorithm.wire_len(), algorithm.raw_len()].contains(&digest.len()) {
            return Verification::WrongLength;
        }
        self.usage.checked += 1;
        let mac = self.machine.mac(entry, message);
        let right = mac.is_some_and(|mac| {
            let cut = mac.get(..digest.len());
            cut.is_some_and(|cut| openssl::memcmp::eq(cut, digest))
        });
        if right {
            Verification::Verified
        } else {
            Verification::WrongDigest
        }
    }

    fn seal(&mut self, key: KeyId, message: &[u8], out: &mut [u8]) -> Option<usize> {
        self.usage.lookups += 1;
        let entry = self.table.key(key).filter(|_| self.table.is_trusted(key));
        self.usage.not_found += u64::from(entry.is_none());
        let entry = entry?;
        let algorithm = &entry.algorithm;
        let len = if out.len() == algorithm.raw_len() {
            algorithm.raw_len()
        } else {
            algorithm.wire_len()
        };
        let slot = out.get_mut(..len)?;
        let mac = self.machine.mac(entry, message)?;
        slot.copy_from_slice(mac.get(..len)?);
        self.usage.sealed += 1;
        Some(slot.len())
    }

    fn reference_id_of(&mut self, address: Ipv6Addr) -> Option<[u8; 4]> {
        let mut raw = [0; RAW_DIGEST_LEN_MAX];
        let context = ready(&mut self.machine.digest)?;
        self.md5
            .as_ref()?
            .run(context, &[&address.octets()], &mut raw)?;
        raw.first_chunk().copied()
    }

    fn session_key(
        &mut self,
        from: IpAddr,
        to: IpAddr,
        key_id: u32,
        cookie: u32,
    ) -> Option<SessionKey> {
        let context = ready(&mut self.machine.digest)?;
        self.autokey
            .as_ref()?
            .session_key(context, [from, to], key_id, cookie)
    }

    fn check_session(&mut self, key: &SessionKey, message: &[u8], digest: &[u8]) -> bool {
        let Some(autokey) = &self.autokey else {
            return false;
        };
        // Before any work: a wrong length never costs a digest.
        if digest.len() != autokey.wire_len() {
            return false;
        }
        self.usage.checked += 1;
        let mac =
            ready(&mut self.machine.digest).and_then(|context| autokey.mac(context, key, message));
        mac.as_ref()
            .and_then(|mac| mac.get(..digest.len()))
            .is_some_and(|cut| openssl::memcmp::eq(cut, digest))
    }

    fn seal_session(&mut self, key: &SessionKey, message: &[u8], out: &mut [u8]) -> Option<usize> {
        let autokey = self.autokey.as_ref()?;
        let slot = out.get_mut(..autokey.wire_len())?;
        let context = ready(&mut self.machine.digest)?;
        let mac = autokey.mac(context, key, message)?;
        slot.copy_from_slice(mac.get(..slot.len())?);
        self.usage.sealed += 1;
        Some(slot.len())
    }

    fn usage(&self) -> KeyFacts {
        KeyFacts {
            keys: self.table.ids().count() as u64,
            ..self.usage
        }
    }
}

impl Machine {
    /// The whole MAC, with zeros behind it.
    fn mac(&mut self, key: &Key, message: &[u8]) -> Option<[u8; RAW_DIGEST_LEN_MAX]> {
        let mut octets = [0; RAW_DIGEST_LEN_MAX];
        match &key.algorithm {
            Algorithm::Digest(digest) => {
                let context = ready(&mut self.digest)?;
                digest.run(context, &[key.secret.octets(), message], &mut octets)?;
            }
            Algorithm::Cmac => {
                let cmac = match self.cmacs.entry(key.id) {
                    Entry::Occupied(used) => used.into_mut(),
                    Entry::Vacant(unused) => {
                        let secret = key.cmac.as_ref()?.octets().first_chunk()?;
                        unused.insert(Cmac::new(secret)?)
                    }
                };
                octets[..CMAC_LEN].copy_from_slice(&cmac.mac(message)?);
            }
        }
        Some(octets)
    }
}

fn ready(slot: &mut Option<MdCtx>) -> Option<&mut MdCtx> {
    if slot.is_none() {
        *slot = MdCtx::new().ok();
    }
    slot.as_mut()
}

#[cfg(test)]
mod tests;
