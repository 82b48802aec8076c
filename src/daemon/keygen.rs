//! Making keys: host and sign keys, certificates, identity keys, symmetric keys. Everything is
//! made in memory first; a run that fails has written nothing.

mod certificate;
mod failure;
pub(crate) mod folder;
mod identity;
mod multiple;
mod options;
pub(crate) mod password;
mod place;
mod staging;
#[cfg(test)]
mod tests;

pub use failure::Failure;
pub use options::{Lifetime, OptionError, Options};
pub use place::Place;

use crate::calendar::ctime;
use crate::keys::import;
use folder::{Found, KeyFolder};
use password::Passwords;
use staging::Staging;
use std::io::Write;
use truechimer_crypto::certificate::{Certificate, Standing};
use truechimer_crypto::identity::GqKey;
use truechimer_crypto::keyfile::{FileName, FileRole, KeyCipher, heading};
use truechimer_crypto::{KeyForm, keys, openssl_version};
use truechimer_time::UNIX_EPOCH_IN_NTP_SECONDS;

/// What `--vms` does, and what is not as on OpenVMS all the same.
const VMS_NOTE: &str = "--vms: -i names the host, -s its group, -v revokes nothing. Not as there: keys \
    of 2048 bits, not 512 (-m 512), RSA-SHA256, not RSA-MD5 (-c RSA-MD5), AES-256, not DES (-C des3)";

/// One run.
struct Workshop<'a> {
    options: &'a Options,
    folder: KeyFolder,
    host: String,
    group: String,
    /// Seconds of Unix, and the NTP seconds that name the new files.
    now_unix_s: i64,
    stamp: u32,
    passwords: Passwords,
    /// What `-q` gives, unless it is the reading password.
    export: Option<String>,
    cipher: KeyCipher,
    /// The certificate in force.
    old: Option<Certificate>,
    gq: Option<GqKey>,
    staging: Staging,
    /// What is for standard output, once all is made.
    exports: String,
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
}

/// Makes what the options ask for: progress to `err`, exports to `out`.
///
/// # Errors
/// Why nothing was made.
pub fn run(
    options: &Options,
    place: &Place,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), Failure> {
    let _ = writeln!(err, "Using OpenSSL version {}", openssl_version());
    let mut workshop = Workshop::open(options, place, out, err)?;
    if options.symmetric {
        workshop.symmetric()?;
        return workshop.commit();
    }
    if let Some(Lifetime::Link(file)) = &options.lifetime {
        return workshop.link_as_vms(file);
    }
    workshop.settle_names()?;
    workshop.settle_passwords()?;
    workshop.make()?;
    workshop.commit()
}

impl<'a> Workshop<'a> {
    fn open(
        options: &'a Options,
        place: &Place,
        out: &'a mut dyn Write,
        err: &'a mut dyn Write,
    ) -> Result<Self, Failure> {
        let path = options
            .folder
            .clone()
            .unwrap_or_else(|| place.folder.clone());
        let folder = KeyFolder {
            path,
            group: place.group,
        };
        let taken: Vec<u32> = folder
            .names()?
            .iter()
            .filter_map(|name| FileName::parse(name)?.filestamp)
            .collect();
        // Two runs within a second must not name their files the same.
        let mut now_unix_s = place.now_unix_s;
        let stamp = loop {
            let stamp = ntp_seconds(now_unix_s);
            if !taken.contains(&stamp) {
                break stamp;
            }
            now_unix_s += 1;
        };
        Ok(Self {
            options,
            folder,
            host: place.host.clone(),
            group: String::new(),
            now_unix_s,
            stamp,
            passwords: Passwords::of_host(&place.host),
            export: None,
            cipher: options.cipher.unwrap_or(KeyCipher::Aes256),
            old: None,
            gq: None,
            staging: Staging::default(),
            exports: String::new(),
            out,
            err,
        })
    }

    /// Who the files are for: `-s`, `-i`, else the certificate in force, else this machine.
    fn settle_names(&mut self) -> Result<(), Failure> {
        let mut group = self.options.group.clone();
        if self.options.vms {
            if let Some(host) = group.take() {
                self.host = host;
            }
            group.clone_from(&self.options.subject);
            self.note(VMS_NOTE);
        } else if let Some(subject) = &self.options.subject {
            let (host, tail) = subject.split_once('@').unwrap_or((subject, ""));
            self.host = host.to_owned();
            group = group.or_else(|| Some(tail.to_owned()).filter(|tail| !tail.is_empty()));
        }
        if let Some(found) = self.find(FileRole::Certificate)? {
            match Certificate::read(&found.text) {
                Ok(certificate) => self.old = Some(certificate),
                Err(error) => self.note(&found.problem(error).to_string()),
            }
        }
        let kept = self.old.as_ref().and_then(Certificate::name);
        let kept = kept.and_then(|name| Some(name.split_once('@')?.1.to_owned()));
        self.group = group.or(kept).unwrap_or_else(|| self.host.clone());
        self.say(&format!("Using host {} group {}", self.host, self.group));
        if self.options.trusted_host.is_some() {
            self.note("-r is not needed any more: certificates tell who the trusted host is");
        }
        Ok(())
    }

    /// `-p` is the local password, `-q` that of exports. Until 4.2.6 `-q` was the local one.
    fn settle_passwords(&mut self) -> Result<(), Failure> {
        let resolve = |word: &Option<String>| word.as_deref().map(password::resolve).transpose();
        let (local, export) = (
            resolve(&self.options.password)?,
            resolve(&self.options.export_password)?,
        );
        let host_key = self.find(FileRole::Host)?;
        let opens = |word: &[u8]| {
            host_key.as_ref().is_some_and(|found| {
                truechimer_crypto::PrivateKey::read(&found.text, Some(word)).is_ok()
            })
        };
        match (local, export) {
            (Some(local), export) => {
                self.passwords = Passwords::given(local);
                self.export = export;
            }
            (None, Some(export)) if !self.options.export_parameters => {
                self.passwords.prefer_what_opens(opens);
                if opens(self.passwords.local()) {
                    self.export = Some(export);
                } else {
                    self.note("-q without -p is taken as the local password, as until NTP 4.2.6");
                    self.passwords = Passwords::given(export);
                }
            }
            (None, export) => {
                self.passwords.prefer_what_opens(opens);
                self.export = export;
            }
        }
        Ok(())
    }

    fn make(&mut self) -> Result<(), Failure> {
        let (host, sign) = (self.host_key()?, self.sign_key()?);
        let signer = sign.unwrap_or(host);
        self.iff()?;
        self.gq()?;
        self.mv()?;
        let makes = [self.options.iff, self.options.gq, self.options.gq_renew];
        let of_mv = self.options.mv_params.or(self.options.mv_revoke);
        if self.options.imbits.is_some() && of_mv.is_none() && !makes.contains(&true) {
            self.note("-b is for new identity keys only; for those add -I, -G or -V NUMBER");
        }
        let exports = self.options.export_parameters || self.export.is_some();
        if exports && !self.options.makes_anything() {
            return Ok(());
        }
        self.certificate(&signer)?;
        self.warn_of_traps();
        Ok(())
    }

    /// What the folder has of a role, for the group or else for the host.
    fn find(&self, role: FileRole) -> Result<Option<Found>, Failure> {
        let identity = !matches!(
            role,
            FileRole::Host | FileRole::Sign | FileRole::Certificate
        );
        let mut owners = vec![self.host.as_str()];
        if identity && self.group != self.host {
            owners.insert(0, &self.group);
        }
        if self.options.fresh {
            return Ok(None);
        }
        Ok(self.folder.find(role, &owners)?)
    }

    /// A new file of that KIND, with its links, as the reference announces it.
    fn stage(&mut self, kind: &str, owner: &str, role: FileRole, pem: &str) {
        let name = FileName::new(kind, owner, self.stamp);
        let text = heading(&name, &ctime(self.now_unix_s)) + pem;
        let secret = role.is_secret() || self.standing() == Standing::Private;
        self.say(&format!("Generating new {} file and link", role.generic()));
        let mut owners = vec![owner];
        if owner != self.host {
            owners.push(&self.host);
        }
        let mut links: Vec<String> = owners
            .into_iter()
            .map(|owner| FileName::generic(role, owner))
            .collect();
        for link in &links {
            self.say(&format!("{link}->{name}"));
        }
        // By that a daemon of several groups finds each one's; the reference's words have no line for it.
        if role == FileRole::Certificate && self.group != self.host {
            let in_group = format!("{}@{}", self.host, self.group);
            links.push(FileName::generic(role, &in_group));
        }
        self.staging.create(name.to_string(), text, secret, links);
    }

    fn standing(&self) -> Standing {
        match (self.options.private, self.options.trusted) {
            (true, _) => Standing::Private,
            (_, true) => Standing::Trusted,
            _ => self
                .old
                .as_ref()
                .map_or(Standing::Plain, Certificate::standing),
        }
    }

    fn form(&self) -> KeyForm {
        if self.options.legacy_pem {
            KeyForm::Traditional
        } else {
            KeyForm::Pkcs8
        }
    }

    fn symmetric(&mut self) -> Result<(), Failure> {
        let name = FileName::new("MD5key", &self.host, self.stamp);
        let charset = self.options.charset.unwrap_or(keys::Charset::Printable);
        let text = heading(&name, &ctime(self.now_unix_s)) + &keys::generate(charset)?;
        self.say("Generating new md5 file and link");
        self.say(&format!("ntp.keys->{name}"));
        self.staging
            .create(name.to_string(), text, true, vec!["ntp.keys".to_owned()]);
        Ok(())
    }

    /// `-I -l FILE` of OpenVMS.
    /// `-P` beside it: the host key and certificate of the group's trusted host, for this host too.
    fn link_as_vms(&mut self, file: &std::path::Path) -> Result<(), Failure> {
        self.settle_passwords()?;
        self.note(
            "-l with a file links to it, as on OpenVMS; truechimer keys import does the same",
        );
        let said = import::import(&import::Wish {
            folder: &self.folder,
            source: file,
            host: &self.host,
            also_for: self.options.private.then_some(&*self.host),
            passwords: &self.passwords,
            now_unix_s: self.now_unix_s,
        })?;
        said.iter().for_each(|line| self.say(line));
        Ok(())
    }

    fn commit(mut self) -> Result<(), Failure> {
        let aside = format!("before-{}", self.stamp);
        if self.options.fresh
            && let Some(folder) = self.folder.set_aside(&aside)?
        {
            self.note(&format!("what was there is now in {}", folder.display()));
        }
        self.staging.commit(&self.folder, &aside)?;
        self.out.write_all(self.exports.as_bytes())?;
        self.out.flush()?;
        Ok(())
    }

    fn say(&mut self, line: &str) {
        // A reader that went away is no reason to leave half a key set.
        let _ = writeln!(self.err, "{line}");
    }

    fn note(&mut self, line: &str) {
        self.say(&format!("note: {line}"));
    }

    fn show(&mut self, numbers: &[(&'static str, String)]) {
        if self.options.debug > 0 {
            for (name, digits) in numbers {
                self.say(&format!("  {name} = {digits}"));
            }
        }
    }

    fn warn(&mut self, line: &str) {
        self.say(&format!("warning: {line}"));
    }

    /// What is written to standard output.
    fn export(&mut self, kind: &str, found: &Source, pem: &str) {
        let name = FileName::new(kind, &found.owner, found.stamp);
        self.exports
            .push_str(&heading(&name, &ctime(self.now_unix_s)));
        self.exports.push_str(pem);
    }
}

/// Whose key is exported, and when it was made: clients compare the stamps.
struct Source {
    owner: String,
    stamp: u32,
}

impl Source {
    fn of(found: &Found, host: &str) -> Result<Self, Failure> {
        let by_name = || FileName::parse(&found.file).and_then(|name| name.filestamp);
        let stamp = found.text.filestamp().or_else(by_name).ok_or_else(|| {
            Failure::Other(format!(
                "{}: it has no filestamp; make new keys",
                found.path.display()
            ))
        })?;
        Ok(Self {
            owner: found.owner().unwrap_or_else(|| host.to_owned()),
            stamp,
        })
    }
}

/// NTP seconds, of whatever era.
pub(crate) fn ntp_seconds(unix_s: i64) -> u32 {
    let seconds = (unix_s + UNIX_EPOCH_IN_NTP_SECONDS).rem_euclid(1 << 32);
    u32::try_from(seconds).unwrap_or(0)
}
