//! One reading of the key files: what can be had of them, and what is wrong with the rest.
mod proofs;

use super::Lookup;
use crate::keygen::folder::{Found, Problem};
use crate::service::Remark;
use crate::translate::autokey::Host;
use crate::translate::keys::readable_by_all;
use core::fmt;
use log::Level;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use truechimer_config::Settings;
use truechimer_crypto::autokey::{AutokeyDigest, Material, MaterialDraft};
use truechimer_crypto::keyfile::{FileName, FileRole, KeyFileError, KeyText};
use truechimer_crypto::{sha1, wipe};
use truechimer_proto::autokey::facts::{Generation, HostFacts};
use truechimer_proto::autokey::status::{Scheme, signature_name};

/// Issuers of our certificate whose certificates are read beside it, at most.
const ISSUERS_MAX: usize = 8;
/// What everybody uses.
const USUAL_DIGEST: &str = "MD5";

/// The files were read so often in this process.
static READINGS: AtomicU64 = AtomicU64::new(0);

/// What a reading gave.
pub(crate) struct Reading {
    /// The keys.
    pub(crate) material: Material,
    /// What may be told of them.
    pub(crate) facts: Arc<HostFacts>,
    /// Of session keys.
    pub(crate) digest: AutokeyDigest,
    /// The group of associations that name none: `crypto ident`, if its parameters are here.
    pub(crate) group: Option<String>,
    /// Digest of what is in the files: some are mended without a new stamp.
    pub(crate) contents: [u8; 20],
    /// What is wrong with some of the files.
    pub(crate) errors: Vec<String>,
    /// For cryptostats, in the reference's words.
    pub(crate) lines: Vec<String>,
}

impl Reading {
    /// This host, as the configuration's translator knows it.
    pub(crate) fn host(&self) -> Host {
        Host {
            facts: Arc::clone(&self.facts),
            group: self.group.clone(),
            digest: self.digest.clone(),
            contents: self.contents,
            errors: self.errors.clone(),
        }
    }
}

/// Servers named of those that are not asked.
const LEFT_OUT_SHOWN: usize = 3;

/// Reads the key files, where `crypto` asks for them. What is wrong becomes remarks; without host key
/// or certificate there is nothing.
pub(crate) fn read(
    settings: &Settings,
    machine: &str,
    remarks: &mut Vec<Remark>,
) -> Option<Reading> {
    if !settings.autokey.is_on() {
        return None;
    }
    let lookup = Lookup::new(settings, machine);
    let reader = Reader {
        lookup: &lookup,
        remarks,
        contents: Vec::new(),
        errors: Vec::new(),
        lines: Vec::new(),
    };
    match reader.read() {
        Ok(reading) => Some(reading),
        Err(Impossible(why)) => {
            let text = format!("Autokey is off: {why}{}", left_out(settings));
            remarks.push(Remark {
                level: Level::Error,
                text,
            });
            None
        }
    }
}

/// Whose lines want Autokey, and who is not asked without; some of them.
fn left_out(settings: &Settings) -> String {
    let lines = settings.associations.iter();
    let mut all = lines.filter(|it| it.options.autokey);
    let shown: Vec<String> = all
        .by_ref()
        .take(LEFT_OUT_SHOWN)
        .map(|it| it.host.to_string())
        .collect();
    match (shown.is_empty(), all.count()) {
        (true, _) => String::new(),
        (false, 0) => format!("; not asked without it: {}", shown.join(", ")),
        (false, more) => format!(
            "; not asked without it: {} and {more} more",
            shown.join(", ")
        ),
    }
}

/// Why there is no Autokey.
struct Impossible(String);

impl<T: fmt::Display> From<T> for Impossible {
    fn from(why: T) -> Self {
        Self(why.to_string())
    }
}

struct Reader<'a> {
    lookup: &'a Lookup<'a>,
    remarks: &'a mut Vec<Remark>,
    /// Digests of the files so far.
    contents: Vec<u8>,
    errors: Vec<String>,
    lines: Vec<String>,
}

impl Reader<'_> {
    fn read(mut self) -> Result<Reading, Impossible> {
        let name = self.lookup.said.digest.as_deref();
        let digest = AutokeyDigest::from_name(name.unwrap_or(USUAL_DIGEST))
            .map_err(|why| format!("crypto digest {}: {why}", name.unwrap_or(USUAL_DIGEST)))?;
        let host = self.wanted(FileRole::Host, "ntp-keygen -H")?;
        let mut draft = open(self.lookup, &host, |text, password| {
            MaterialDraft::of_host(text, password)
        })?;
        self.note_secret(&host);
        if let Some(sign) = self.lookup.own(FileRole::Sign)? {
            open(self.lookup, &sign, |text, password| {
                draft.sign_key(text, password)
            })?;
            self.note_secret(&sign);
        }
        self.certificates(&mut draft)?;
        let proves = self.server_keys(&mut draft);
        let group = self.groups(&mut draft, proves);
        let generation = Generation(READINGS.fetch_add(1, Ordering::Relaxed) + 1);
        let material = draft
            .build(generation)
            .map_err(|why| format!("{}: {why}", self.lookup.path().display()))?;
        for remark in material.remarks() {
            let text = format!("{}: {remark}", self.lookup.path().display());
            self.say(Level::Warn, text);
        }
        let facts = Arc::new(material.facts().clone());
        self.note_host(&facts);
        Ok(Reading {
            material,
            facts,
            digest,
            group,
            contents: sha1(&self.contents),
            errors: self.errors,
            lines: self.lines,
        })
    }

    fn wanted(&self, role: FileRole, command: &str) -> Result<Found, Impossible> {
        let missing = || {
            Impossible(format!(
                "{}: not there; make it: {command} --keysdir {}",
                self.lookup.link(role),
                self.lookup.path().display()
            ))
        };
        self.lookup.own(role)?.ok_or_else(missing)
    }

    /// The own one, and those of whoever issued it as far as they are here: askers follow the trail.
    fn certificates(&mut self, draft: &mut MaterialDraft) -> Result<(), Impossible> {
        let own = self.wanted(FileRole::Certificate, "ntp-keygen")?;
        let mut name = self.certificate(&own, draft, MaterialDraft::certificate)?;
        for _ in 0..ISSUERS_MAX {
            let Some(issuer) = name.take() else { break };
            match self.lookup.issuer(&issuer) {
                Ok(Some(found)) => {
                    match self.certificate(&found, draft, MaterialDraft::certificate) {
                        Ok(next) => name = next,
                        Err(Impossible(why)) => self.say(Level::Warn, why),
                    }
                }
                Ok(None) => {}
                Err(problem) => self.say(Level::Warn, problem.to_string()),
            }
        }
        let lookup = self.lookup;
        for group in lookup.proven().flatten() {
            match lookup.of_group(group) {
                Ok(Some(found)) if found.file != own.file => {
                    let taken = self.certificate(&found, draft, MaterialDraft::group_certificate);
                    if let Err(Impossible(why)) = taken {
                        self.say(Level::Warn, why);
                    }
                }
                Ok(_) => {}
                Err(problem) => self.say(Level::Warn, problem.to_string()),
            }
        }
        Ok(())
    }

    /// Takes a certificate; the name of its issuer, if that is somebody else.
    fn certificate(
        &mut self,
        found: &Found,
        draft: &mut MaterialDraft,
        take: fn(&mut MaterialDraft, &KeyText) -> Result<(), KeyFileError>,
    ) -> Result<Option<String>, Impossible> {
        use truechimer_crypto::certificate::{Certificate, Standing};
        let read = Certificate::read(&found.text).map_err(|error| found.problem(error))?;
        take(draft, &found.text).map_err(|error| found.problem(error))?;
        let flags = match read.standing() {
            Standing::Trusted => 0x1,
            Standing::Private => 0x8,
            Standing::Plain => 0x0,
        };
        self.note_contents(found);
        if read.standing() == Standing::Private {
            self.warn_of_readers(found);
        }
        let len = read.to_der().map_or(0, |der| der.len());
        self.lines
            .push(format!("{} {flags:#x} len {len}", title(found)));
        let issuer = read.issuer().filter(|_| read.issuer() != read.name());
        Ok(issuer)
    }

    /// Reads the parameters of all groups that are named; the one of associations that name none.
    /// `proves`: this host has a server's key, so that `crypto ident` may mean no more than that.
    fn groups(&mut self, draft: &mut MaterialDraft, proves: bool) -> Option<String> {
        let usual = self.lookup.said.idents.first().cloned();
        let usual = usual.or_else(|| self.lookup.legacy_group());
        let mut wanted = self.lookup.groups.clone();
        wanted.extend(usual.clone());
        let mut here = Vec::new();
        for group in &wanted {
            let mut any = false;
            for scheme in Scheme::ALL {
                any |= self.parameters(scheme, group, draft);
            }
            if any {
                here.push(group.clone());
            } else if usual.as_ref() != Some(group) || !proves {
                self.say(Level::Error, self.no_parameters(group));
            }
        }
        if self.lookup.has_free {
            for owner in self.lookup.owners_of_parameters() {
                for scheme in Scheme::ALL {
                    if !wanted.contains(&owner) {
                        self.parameters(scheme, &owner, draft);
                    }
                }
            }
        }
        // A host that only proves its group to others has none; one that has but cannot read them, or
        // lost them, or misspells its group, is to believe nobody rather than anybody.
        usual.filter(|group| !proves || here.contains(group))
    }

    fn no_parameters(&self, group: &str) -> String {
        format!(
            "{}: no parameters of the group {group}, so none of its servers is believed; on one of them: \
             ntp-keygen -e -i {group} >FILE, and here: truechimer keys import FILE",
            self.lookup.path().display()
        )
    }

    /// Whether there are any, be they of use or not.
    fn parameters(&mut self, scheme: Scheme, group: &str, draft: &mut MaterialDraft) -> bool {
        let taken = self.lookup.parameters(scheme, group).and_then(|found| {
            let Some(found) = found else { return Ok(None) };
            draft
                .parameters(group, scheme, &found.text)
                .map_err(|error| found.problem(error))?;
            Ok(Some(found))
        });
        match taken {
            Ok(Some(found)) => {
                self.note_key(&found);
                true
            }
            Ok(None) => false,
            Err(problem) => {
                self.say(Level::Error, problem.to_string());
                true
            }
        }
    }

    fn note_contents(&mut self, found: &Found) {
        let mut text = found.text.clean().into_bytes();
        self.contents.extend(sha1(&text));
        wipe(&mut text);
    }

    fn note_secret(&mut self, found: &Found) {
        self.note_key(found);
        self.warn_of_readers(found);
    }

    /// Whoever reads it passes for this host, or for one of its group.
    fn warn_of_readers(&mut self, found: &Found) {
        if let Some(warning) = readable_by_all(&found.path) {
            self.say(Level::Warn, warning);
        }
    }

    /// `FILE mod BITS`.
    fn note_key(&mut self, found: &Found) {
        self.note_contents(found);
        let passwords = &self.lookup.passwords;
        let bits = passwords.open(|password| found.text.modulus_bits(password));
        if let Ok(bits) = bits {
            self.lines.push(format!("{} mod {bits}", title(found)));
        }
    }

    /// `setup FLAGS host NAME SIGNATURE`.
    fn note_host(&mut self, facts: &HostFacts) {
        let word = facts.status_word();
        let signature = signature_name(word.signature_nid).unwrap_or("unknown");
        self.lines.push(format!(
            "setup {:#x} host {} {signature}",
            word.word(),
            facts.name
        ));
    }

    fn say(&mut self, level: Level, text: String) {
        if level == Level::Error {
            self.errors.push(text.clone());
        }
        self.remarks.push(Remark { level, text });
    }
}

/// Tries the passwords; a file that none opens is told by its name.
fn open<T>(
    lookup: &Lookup<'_>,
    found: &Found,
    mut read: impl FnMut(&KeyText, Option<&[u8]>) -> Result<T, KeyFileError>,
) -> Result<T, Problem> {
    let read = core::cell::RefCell::new(&mut read);
    let opened = lookup
        .passwords
        .open(|password| (read.borrow_mut())(&found.text, password));
    opened.map_err(|error| found.problem(error))
}

/// The name of the file by its first line, as the reference has it.
fn title(found: &Found) -> String {
    let by_line = found.text.name().map(FileName::to_string);
    by_line.unwrap_or_else(|| found.file.clone())
}
