//! IFF and GQ keys: made, found, exported.
use super::folder::Found;
use super::{Failure, Source, Workshop};
use truechimer_crypto::identity::{GqKey, IffKey};
use truechimer_crypto::keyfile::{FileRole, KeyFileError, KeyText};

const IFF_BITS: u32 = 2048;
/// Below this a modulus is only for old peers.
const BITS_USUAL: u32 = 1024;

impl Workshop<'_> {
    /// What the folder has of a role, opened. A key that does not open is an error only if this
    /// run needs it.
    pub(super) fn existing<T>(
        &mut self,
        role: FileRole,
        needed: bool,
        read: impl Fn(&KeyText, Option<&[u8]>) -> Result<T, KeyFileError>,
    ) -> Result<Option<(Found, T)>, Failure> {
        let Some(found) = self.find(role)? else {
            return Ok(None);
        };
        match self.passwords.open(|password| read(&found.text, password)) {
            Ok(key) => Ok(Some((found, key))),
            Err(error) if needed => Err(found.problem(error).into()),
            Err(error) => {
                self.note(&found.problem(error).to_string());
                Ok(None)
            }
        }
    }

    fn exporting(&self) -> bool {
        self.options.export_parameters || self.export.is_some()
    }

    pub(super) fn confirm(&mut self, what: &str, confirmed: bool) -> Result<(), Failure> {
        self.say(&format!(
            "Confirm {what}: {}",
            if confirmed { "yes" } else { "no" }
        ));
        if confirmed {
            Ok(())
        } else {
            Err(Failure::Other("the keys just made are wrong".to_owned()))
        }
    }

    pub(super) fn warn_of_identity_size(&mut self, scheme: &str, bits: u32) {
        if bits < BITS_USUAL {
            self.warn(&format!(
                "{scheme} with {bits} bits is weak today; leave out -b for the usual size"
            ));
        }
    }

    pub(super) fn iff(&mut self) -> Result<(), Failure> {
        let (source, key) = if self.options.iff {
            let bits = self.options.imbits.unwrap_or(IFF_BITS);
            self.say(&format!("Generating IFF keys ({bits} bits)..."));
            let key = IffKey::generate(bits)?;
            let [group, exchange] = key.confirm()?;
            self.confirm("g^(q - b) g^b = 1 mod p", group)?;
            self.confirm("g^k = g^(k + b r) g^(q - b) r", exchange)?;
            self.warn_of_identity_size("IFF", key.parameters().bits());
            self.show(&key.parameters().show());
            let owner = self.group.clone();
            let pem = key.to_pem(self.cipher, self.passwords.local())?;
            self.stage("IFFkey", &owner, FileRole::IffKey, &pem);
            (
                Source {
                    owner,
                    stamp: self.stamp,
                },
                key,
            )
        } else {
            let Some((found, key)) =
                self.existing(FileRole::IffKey, self.exporting(), IffKey::read)?
            else {
                return Ok(());
            };
            self.say(&format!("Using IFF keys {}", found.file));
            if key.was_mended() {
                self.note(&format!(
                    "{}: its public value was lost; what is exported here has it again; to mend the \
                     file: truechimer keys doctor --repair {}",
                    found.file,
                    self.folder.path.display()
                ));
            }
            (Source::of(&found, &self.host)?, key)
        };
        if self.options.export_parameters {
            self.announce("IFF", "iffpar", "parameters", &source);
            self.export("iffpar", &source, &key.parameters().to_pem()?);
        }
        if let Some(password) = self.export_key("IFF", "iffkey", &source) {
            self.export(
                "iffkey",
                &source,
                &key.to_pem(self.cipher, password.as_bytes())?,
            );
        }
        Ok(())
    }

    pub(super) fn gq(&mut self) -> Result<(), Failure> {
        let needed = self.exporting() || self.options.gq_renew;
        let renewed = self.options.gq_renew && !self.options.gq;
        let existing = match self.options.gq {
            true => None,
            false => self.existing(FileRole::GqKey, needed, GqKey::read)?,
        };
        let (source, key) = match existing {
            Some((found, key)) if !renewed => {
                self.say(&format!("Using GQ parameters {}", found.file));
                (Source::of(&found, &self.host)?, key)
            }
            existing => {
                if existing.is_none() && !self.options.gq && !renewed {
                    return Ok(());
                }
                (
                    Source {
                        owner: self.group.clone(),
                        stamp: self.stamp,
                    },
                    self.new_gq(existing)?,
                )
            }
        };
        if self.options.export_parameters {
            self.announce("GQ", "gqpar", "parameters", &source);
            self.export("gqpar", &source, &key.parameters().to_pem()?);
        }
        if let Some(password) = self.export_key("GQ", "gqkey", &source) {
            self.export(
                "gqkey",
                &source,
                &key.to_pem(self.cipher, password.as_bytes())?,
            );
        }
        self.gq = Some(key);
        Ok(())
    }

    fn new_gq(&mut self, existing: Option<(Found, GqKey)>) -> Result<GqKey, Failure> {
        let key = match existing {
            Some((found, old)) => {
                self.say(&format!("Using GQ parameters {}", found.file));
                old.renew()?
            }
            None => {
                let wished = self.options.imbits.unwrap_or(GqKey::BITS_MAX);
                if wished > GqKey::BITS_MAX {
                    self.note(
                        "GQ takes 1016 bits at most: ntpd reads no longer value from a certificate",
                    );
                } else if wished < 512 {
                    self.note("GQ takes 512 bits at least: OpenSSL makes no shorter modulus");
                }
                let bits = wished.clamp(512, GqKey::BITS_MAX);
                self.say(&format!("Generating GQ parameters ({bits} bits)..."));
                GqKey::generate(bits)?
            }
        };
        let [group, exchange] = key.confirm()?;
        self.confirm("u^b (u^-1)^b = 1 mod n", group)?;
        self.confirm("g^k = v^r y^b mod n", exchange)?;
        self.warn_of_identity_size("GQ", key.parameters().bits() + 8);
        self.show(&key.parameters().show());
        self.note("plain ntpd 4.2.8 with OpenSSL 1.1 never verifies GQ, whoever made the keys");
        let pem = key.to_pem(self.cipher, self.passwords.local())?;
        self.stage("GQkey", &self.group.clone(), FileRole::GqKey, &pem);
        Ok(key)
    }

    pub(super) fn announce(&mut self, scheme: &str, kind: &str, what: &str, source: &Source) {
        let Source { owner, stamp } = source;
        self.say(&format!(
            "Writing {scheme} {what} ntpkey_{kind}_{owner}.{stamp} to stdout"
        ));
    }

    /// The password under which the server's key is to be written out, if it is.
    pub(super) fn export_key(
        &mut self,
        scheme: &str,
        kind: &str,
        source: &Source,
    ) -> Option<String> {
        let password = self.export.clone()?;
        if self.options.export_parameters {
            self.note(&format!(
                "the server's {scheme} key is not written with the clients' parameters: they need \
                 none of it. For another server of the group: ntp-keygen -q without -e"
            ));
            return None;
        }
        self.announce(scheme, kind, "keys", source);
        Some(password)
    }
}
