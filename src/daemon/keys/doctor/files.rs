//! Findings on single files.
use super::{
    Certificate, FileName, FileRole, Finding, KeyFileError, Patient, Repair, Used, import, keygen,
    repair_command,
};
use crate::calendar::minute;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use truechimer_crypto::certificate::Standing;
use truechimer_crypto::identity::IffKey;
use truechimer_crypto::keyfile::KeyText;

const DAY_S: i64 = 86_400;
/// How long before its end a certificate is worth a word.
const EXPIRES_SOON_DAYS: i64 = 30;

/// Secrets that others can read.
pub(super) fn modes(patient: &Patient<'_>, name: &str, findings: &mut Vec<Finding>) {
    let path = patient.folder.path.join(name);
    let Ok(found) = fs::symlink_metadata(&path) else {
        return;
    };
    if !found.is_file() || !holds_secret(patient, name) {
        return;
    }
    let mode = found.permissions().mode() & 0o777;
    let wanted = patient.folder.mode(true);
    if mode & !wanted & 0o077 != 0 {
        findings.push(Finding {
            file: name.to_owned(),
            what: format!("a secret with mode {mode:04o}"),
            remedy: format!("chmod {wanted:04o} {}", path.display()),
            is_error: true,
            repair: Some(Repair::Permit(name.to_owned())),
        });
    }
}

/// By its name, or because of what is in it.
fn holds_secret(patient: &Patient<'_>, name: &str) -> bool {
    let by_name = FileName::parse(name).and_then(|name| name.role());
    if by_name.is_none_or(FileRole::is_secret) {
        return true;
    }
    patient.folder.read(name).is_ok_and(|found| {
        let role = patient.passwords.open(|password| found.text.role(password));
        role.is_ok_and(FileRole::is_secret)
            || Certificate::read(&found.text)
                .is_ok_and(|certificate| certificate.standing() == Standing::Private)
    })
}

/// Opens what a generic name leads to.
pub(super) fn open(
    patient: &Patient<'_>,
    link: &str,
    name: FileName,
    findings: &mut Vec<Finding>,
) -> Option<Used> {
    let path = patient.folder.path.join(link);
    if fs::metadata(&path).is_err() {
        let newest = newest(patient, &name);
        findings.push(Finding {
            file: link.to_owned(),
            what: "the link leads nowhere".to_owned(),
            remedy: match &newest {
                Some(_) => repair_command(patient),
                None => format!("rm {}", path.display()),
            },
            is_error: true,
            repair: newest.map(|file| Repair::Link {
                link: link.to_owned(),
                file,
            }),
        });
        return None;
    }
    if name.role() == Some(FileRole::Symmetric) || name.role().is_none() {
        return None;
    }
    match patient.folder.read(link) {
        Ok(found) => {
            let role = patient
                .passwords
                .open(|password| found.text.role(password))
                .ok();
            Some(Used {
                link: link.to_owned(),
                name,
                found,
                role,
            })
        }
        Err(problem) => {
            findings.push(Finding {
                file: link.to_owned(),
                what: problem.to_string(),
                remedy: "as above".to_owned(),
                is_error: true,
                repair: None,
            });
            None
        }
    }
}

/// The newest file that the link may have meant.
fn newest(patient: &Patient<'_>, name: &FileName) -> Option<String> {
    let names = patient.folder.names().ok()?;
    let stamped = names.iter().filter_map(|text| FileName::parse(text));
    stamped
        .filter(|file| file.filestamp.is_some() && file.owner == name.owner)
        .filter(|file| file.role() == name.role())
        .max_by_key(|file| file.filestamp)
        .map(|file| file.to_string())
}

/// The daemon believes the first line, people believe the name.
pub(super) fn stamps(used: &Used, findings: &mut Vec<Finding>) {
    let by_name = FileName::parse(&used.found.file).and_then(|name| name.filestamp);
    match (used.found.text.filestamp(), by_name) {
        (None, _) => findings.push(Finding {
            file: used.link.clone(),
            what: "its first line names no file and filestamp: the daemon refuses it".to_owned(),
            remedy: format!("truechimer keys import {}", used.found.path.display()),
            is_error: true,
            repair: None,
        }),
        (Some(inside), Some(outside)) if inside != outside => findings.push(Finding {
            file: used.link.clone(),
            what: format!(
                "its first line says {inside}, its name {outside}; the first line counts"
            ),
            remedy: format!("truechimer keys import {}", used.found.path.display()),
            is_error: false,
            repair: None,
        }),
        _ => {}
    }
}

/// What is in it.
pub(super) fn contents(patient: &Patient<'_>, used: &Used, findings: &mut Vec<Finding>) {
    let text = &used.found.text;
    let mut complain = |what: String, remedy: String, repair: Option<Repair>| {
        findings.push(Finding {
            file: used.link.clone(),
            what,
            remedy,
            is_error: true,
            repair,
        });
    };
    let named = used.name.role();
    if is_parameters(named) && used.role.is_some_and(FileRole::is_secret) {
        let what = "it holds the server's secret, and its name is that of what clients get";
        let remedy = keygen(
            patient,
            "-e writes what clients need; revoke the rest with -I, -G or -V",
        );
        return complain(what.to_owned(), remedy, None);
    }
    if used.role == Some(FileRole::Certificate) {
        return certificate(patient, used, findings);
    }
    match patient
        .passwords
        .open(|password| import::sound(text, password))
    {
        Ok(FileRole::IffKey) => {
            let key = patient
                .passwords
                .open(|password| IffKey::read(text, password));
            if key.is_ok_and(|key| key.was_mended()) {
                let what =
                    "its public value was lost, so that ntpd exports useless parameters from it";
                let repair = Repair::RewriteKey(used.found.file.clone());
                complain(what.to_owned(), repair_command(patient), Some(repair));
            }
        }
        Ok(_) => {}
        Err(error @ KeyFileError::LostPublicValue) if named == Some(FileRole::IffParameters) => {
            let key = key_of(patient, used);
            let remedy = match &key {
                Some(_) => repair_command(patient),
                None => error.remedy(&used.found.path.display().to_string()),
            };
            let file = used.found.file.clone();
            let repair = key.map(|key| Repair::RewriteParameters { file, key });
            complain(error.to_string(), remedy, repair);
        }
        Err(error @ KeyFileError::LostPublicValue) => {
            complain(
                error.to_string(),
                keygen(patient, "-V N makes new ones"),
                None,
            );
        }
        Err(error) => {
            let remedy = error.remedy(&used.found.path.display().to_string());
            complain(error.to_string(), remedy, None);
        }
    }
}

const fn is_parameters(role: Option<FileRole>) -> bool {
    matches!(
        role,
        Some(FileRole::IffParameters | FileRole::GqParameters | FileRole::MvParameters)
    )
}

/// The server key that parameters were made from, if it is in this folder.
fn key_of(patient: &Patient<'_>, used: &Used) -> Option<String> {
    let names = patient.folder.names().ok()?;
    let stamp = used.found.text.filestamp();
    names.into_iter().find(|name| {
        FileName::parse(name).is_some_and(|name| name.filestamp == stamp)
            && patient
                .folder
                .read(name)
                .is_ok_and(|found| is_iff_key(patient, &found.text))
    })
}

fn is_iff_key(patient: &Patient<'_>, text: &KeyText) -> bool {
    let role = patient.passwords.open(|password| text.role(password));
    role == Ok(FileRole::IffKey)
}

fn certificate(patient: &Patient<'_>, used: &Used, findings: &mut Vec<Finding>) {
    let mut add = |what: String, remedy: String, is_error: bool| {
        findings.push(Finding {
            file: used.link.clone(),
            what,
            remedy,
            is_error,
            repair: None,
        });
    };
    let path = used.found.path.display().to_string();
    let read = Certificate::read(&used.found.text);
    let (certificate, (from, until)) = match read.and_then(|read| {
        let validity = read.validity_unix_s()?;
        Ok((read, validity))
    }) {
        Ok(read) => read,
        Err(error) => return add(error.to_string(), error.remedy(&path), true),
    };
    let renew = keygen(patient, "");
    let left_days = (until - patient.now_unix_s).div_euclid(DAY_S);
    if left_days < 0 {
        add(
            format!("it expired at {}", minute(until)),
            renew.clone(),
            true,
        );
    } else if left_days <= EXPIRES_SOON_DAYS {
        add(
            format!("it expires at {}, in {left_days} days", minute(until)),
            renew.clone(),
            false,
        );
    }
    if from > patient.now_unix_s + DAY_S {
        add(
            format!(
                "it is valid only from {}: is the clock right?",
                minute(from)
            ),
            renew.clone(),
            true,
        );
    }
    let stamp = used.found.text.filestamp();
    if stamp.is_some_and(|stamp| stamp > crate::keygen::ntp_seconds(from)) {
        add(
            "its filestamp is later than its first day: peers refuse it".to_owned(),
            renew,
            true,
        );
    }
    if certificate.scheme().is_none() || certificate.name().is_none() {
        let what = "made by another authority: it is taken as that of an untrusted host, if at all";
        add(
            what.to_owned(),
            keygen(patient, "makes one of Autokey's own"),
            false,
        );
    }
}
