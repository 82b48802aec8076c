//! Mending what the doctor found. What is rewritten stays under another name.
use super::doctor::{Patient, Repair};
use crate::calendar::ctime;
use crate::keygen::folder::Problem;
use crate::keygen::ntp_seconds;
use std::fs::File;
use truechimer_crypto::identity::{GqKey, IffKey};
use truechimer_crypto::keyfile::{FileName, FileRole, KeyCipher, KeyFileError, KeyText, heading};

/// Does it; says what was done.
pub(super) fn apply(patient: &Patient<'_>, repair: &Repair) -> Result<String, Problem> {
    let folder = patient.folder;
    let aside = format!("before-{}", ntp_seconds(patient.now_unix_s));
    match repair {
        Repair::Permit(file) => {
            let path = folder.path.join(file);
            let permitted = File::open(&path).and_then(|file| folder.permit(&file, true));
            permitted.map_err(|error| Problem::Io(path, error))?;
            Ok(format!("{file} has mode {:04o}", folder.mode(true)))
        }
        Repair::Link { link, file } => {
            folder.link(link, file, &aside)?;
            Ok(format!("{link}->{file}"))
        }
        Repair::RewriteKey(file) => {
            let (key, name, date) = read(patient, file, IffKey::read)?;
            let password = patient.passwords.local();
            let pem = key.to_pem(KeyCipher::Aes256, password);
            let pem = pem.map_err(|error| Problem::Key(folder.path.join(file), error))?;
            folder.replace(file, &(heading(&name, &date) + &pem), &aside, true)?;
            Ok(format!(
                "{file} is written anew, the old one is {file}.{aside}"
            ))
        }
        Repair::RewriteParameters { file, key } => {
            let (made, name, date) = read(patient, key, parameters)?;
            let (role, pem) = made;
            let name = FileName {
                kind: role.generic().to_owned(),
                ..name
            };
            folder.replace(file, &(heading(&name, &date) + &pem), &aside, false)?;
            Ok(format!(
                "{file} is written anew, the old one is {file}.{aside}"
            ))
        }
    }
}

/// What clients get of a server's key.
fn parameters(key: &KeyText, password: Option<&[u8]>) -> Result<(FileRole, String), KeyFileError> {
    if key.role(password)? == FileRole::GqKey {
        let pem = GqKey::read(key, password)?.parameters().to_pem()?;
        return Ok((FileRole::GqParameters, pem));
    }
    let pem = IffKey::read(key, password)?.parameters().to_pem()?;
    Ok((FileRole::IffParameters, pem))
}

/// A key, or what is made of it, and the first two lines of its file.
fn read<T>(
    patient: &Patient<'_>,
    file: &str,
    open: impl Fn(&KeyText, Option<&[u8]>) -> Result<T, KeyFileError>,
) -> Result<(T, FileName, String), Problem> {
    let found = patient.folder.read(file)?;
    let wrong = |error| found.problem(error);
    let key = patient
        .passwords
        .open(|password| open(&found.text, password));
    let name = found
        .text
        .name()
        .cloned()
        .ok_or_else(|| wrong(KeyFileError::Unnamed))?;
    let date = found
        .text
        .date()
        .map_or_else(|| ctime(patient.now_unix_s), str::to_owned);
    Ok((key.map_err(wrong)?, name, date))
}
