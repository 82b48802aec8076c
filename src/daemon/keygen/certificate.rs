//! Host keys, sign keys and the certificate.
use super::{Failure, Lifetime, Workshop};
use truechimer_crypto::certificate::{Draft, Scheme, Standing};
use truechimer_crypto::keyfile::{FileName, FileRole};
use truechimer_crypto::{KeyKind, PrivateKey};

const MODULUS_BITS: u32 = 2048;
/// OpenSSL makes no shorter keys.
const MODULUS_BITS_MIN: u32 = 512;
const LIFETIME_DAYS: u32 = 365;

impl Workshop<'_> {
    /// The host key in force, or a new one when there is none or `-H` says so.
    pub(super) fn host_key(&mut self) -> Result<PrivateKey, Failure> {
        let found = self
            .find(FileRole::Host)?
            .filter(|_| !self.options.host_key);
        let Some(found) = found else {
            let key = self.new_key(KeyKind::Rsa)?;
            let pem = key.to_pem(self.form(), self.cipher, self.passwords.local())?;
            self.stage("RSAhost", &self.host.clone(), FileRole::Host, &pem);
            return Ok(key);
        };
        let key = self
            .passwords
            .open(|password| PrivateKey::read(&found.text, password));
        let key = key.map_err(|error| found.problem(error))?;
        self.say(&format!("Using host key {}", found.file));
        self.warn_of_size(&key);
        let other = self.options.modulus.filter(|bits| *bits != key.bits());
        if other.is_some() && self.options.sign_key.is_none() {
            self.note("-m is for new keys only, and the host key stays; for a new one add -H");
        }
        Ok(key)
    }

    /// The sign key, if there is one or `-S` asks for it.
    pub(super) fn sign_key(&mut self) -> Result<Option<PrivateKey>, Failure> {
        if let Some(kind) = self.options.sign_key {
            let key = self.new_key(kind)?;
            let pem = key.to_pem(self.form(), self.cipher, self.passwords.local())?;
            self.stage(
                &format!("{}sign", kind.name()),
                &self.host.clone(),
                FileRole::Sign,
                &pem,
            );
            if kind == KeyKind::Dsa {
                self.note("ntpd 4.2.8 takes DSA sign keys, but associations with them never form");
            }
            return Ok(Some(key));
        }
        let Some(found) = self.find(FileRole::Sign)? else {
            self.say("Using host key as sign key");
            return Ok(None);
        };
        let key = self
            .passwords
            .open(|password| PrivateKey::read(&found.text, password));
        let key = key.map_err(|error| found.problem(error))?;
        self.say(&format!("Using sign key {}", found.file));
        Ok(Some(key))
    }

    fn new_key(&mut self, kind: KeyKind) -> Result<PrivateKey, Failure> {
        let bits = self.options.modulus.unwrap_or(MODULUS_BITS);
        if bits < MODULUS_BITS_MIN {
            self.note("OpenSSL makes no keys of fewer than 512 bits");
        }
        let bits = bits.max(MODULUS_BITS_MIN);
        self.say(&format!("Generating {} keys ({bits} bits)...", kind.name()));
        let key = PrivateKey::generate(kind, bits)?;
        self.warn_of_size(&key);
        Ok(key)
    }

    fn warn_of_size(&mut self, key: &PrivateKey) {
        match key.bits() {
            bits @ 0..=1023 => self.warn(&format!(
                "a key of {bits} bits is broken in days; leave out -m for 2048"
            )),
            bits @ 1024..=2047 => {
                self.warn(&format!(
                    "a key of {bits} bits is weak today; 2048 are usual"
                ));
            }
            _ => {}
        }
    }

    /// A new certificate. Scheme, group and trust stay as they were unless the options say
    /// otherwise.
    pub(super) fn certificate(&mut self, signer: &PrivateKey) -> Result<(), Failure> {
        if self.options.private && self.options.trusted {
            let text =
                "-P and -T exclude each other: a group has one private certificate, or trust";
            return Err(Failure::Other(text.to_owned()));
        }
        let scheme = self.scheme(signer.kind())?;
        let name = if self.group == self.host {
            self.host.clone()
        } else {
            format!("{}@{}", self.host, self.group)
        };
        self.say(&format!("Generating new certificate {name} {scheme}"));
        self.say("X509v3 Basic Constraints: critical,CA:TRUE");
        self.say("X509v3 Key Usage: digitalSignature,keyCertSign");
        let gq_public = self
            .gq
            .as_ref()
            .map(truechimer_crypto::identity::GqKey::public_value);
        if gq_public.is_some() {
            self.say("X509v3 Subject Key Identifier");
        }
        match self.standing() {
            Standing::Plain => {}
            Standing::Trusted => self.say("X509v3 Extended Key Usage: trustRoot"),
            Standing::Private => self.say("X509v3 Extended Key Usage: private"),
        }
        let draft = Draft {
            name: &name,
            from_unix_s: self.now_unix_s,
            lifetime_days: match self.options.lifetime {
                Some(Lifetime::Days(days)) => days,
                _ => LIFETIME_DAYS,
            },
            standing: self.standing(),
            gq_public: gq_public.as_deref(),
        };
        let certificate = draft.sign(signer, scheme).map_err(|error| {
            Failure::Other(format!(
                "no {scheme} certificate with a key of {} bits: {error}",
                signer.bits()
            ))
        })?;
        if self.options.debug > 0 {
            let shown = certificate.show()?;
            self.say(&shown);
        }
        let pem = certificate.to_pem()?;
        self.stage(
            &format!("{scheme}cert"),
            &self.host.clone(),
            FileRole::Certificate,
            &pem,
        );
        Ok(())
    }

    fn scheme(&mut self, kind: KeyKind) -> Result<Scheme, Failure> {
        let kept = self
            .old
            .as_ref()
            .and_then(truechimer_crypto::certificate::Certificate::scheme);
        let asked = self.options.scheme.as_deref();
        let asked = asked.map(|name| Scheme::from_name(name, kind)).transpose();
        let asked = asked.map_err(|why| Failure::Other(why.to_string()))?;
        let scheme = match asked {
            Some(scheme) if scheme.kind == kind => scheme,
            Some(scheme) => {
                return Err(Failure::Other(format!(
                    "Invalid digest/signature combination {scheme}: the sign key is {}; add -S {}",
                    kind.name(),
                    scheme.kind.name()
                )));
            }
            None => kept.map_or(Scheme::usual(kind), |scheme| scheme.with_kind(kind)),
        };
        if scheme.is_weak() {
            self.warn(&format!(
                "{scheme} can be forged today; -c RSA-SHA256 is usual"
            ));
        }
        Ok(scheme)
    }

    /// Trails end at who calls itself trusted, so a client must not.
    fn warn_of_trust(&mut self) {
        if !self.options.trusted {
            return;
        }
        let names = self.folder.names().unwrap_or_default();
        let parsed = names.iter().filter_map(|name| FileName::parse(name));
        let of_clients = [
            FileRole::IffParameters,
            FileRole::GqParameters,
            FileRole::MvParameters,
        ];
        let mut links = parsed.filter(|name| name.filestamp.is_none());
        let found = links.find(|name| name.role().is_some_and(|it| of_clients.contains(&it)));
        if let Some(name) = found {
            let group = name.owner;
            self.note(&format!(
                "-T is for the source of a group, and this folder has the parameters of {group}, as clients \
                 have: a host that gets its time by Autokey needs a certificate without -T"
            ));
        }
    }

    /// Says what would make a client wait for ever.
    pub(super) fn warn_of_traps(&mut self) {
        self.warn_of_trust();
        if self.group != self.host {
            return;
        }
        let names = self.folder.names().unwrap_or_default();
        let groups: Vec<String> = names
            .iter()
            .filter_map(|name| FileName::parse(name))
            .filter(|name| name.role() == Some(FileRole::IffParameters) && name.filestamp.is_none())
            .map(|name| name.owner)
            .collect();
        for group in groups {
            self.note(&format!(
                "this certificate names no group; a server whose certificate is of group {group} \
                 does not answer it. If {group} is a group, run again with -i {group}"
            ));
        }
        let found = self.find(FileRole::IffKey).ok().flatten();
        if let Some(owner) = found
            .and_then(|found| found.owner())
            .filter(|owner| *owner != self.host)
        {
            self.note(&format!(
                "the identity key is of {owner}; -i {owner} puts that in the certificate"
            ));
        }
    }
}
