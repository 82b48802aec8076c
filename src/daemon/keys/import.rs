//! Taking a key file that came by mail, web or memory stick.
use crate::calendar::ctime;
use crate::keygen::folder::{KeyFolder, Problem};
use crate::keygen::password::Passwords;
use std::path::Path;
use truechimer_crypto::PrivateKey;
use truechimer_crypto::certificate::Certificate;
use truechimer_crypto::identity::{
    GqKey, GqParameters, IffKey, IffParameters, MvAuthority, MvKey, MvParameters,
};
use truechimer_crypto::keyfile::{FileName, FileRole, KeyFileError, KeyText, heading};

/// What to import, and where to.
pub(crate) struct Wish<'a> {
    pub(crate) folder: &'a KeyFolder,
    pub(crate) source: &'a Path,
    /// This host.
    pub(crate) host: &'a str,
    /// Another name to link it for.
    pub(crate) also_for: Option<&'a str>,
    pub(crate) passwords: &'a Passwords,
    pub(crate) now_unix_s: i64,
}

/// A file that is well, or at least has a name.
struct Judged {
    name: FileName,
    role: FileRole,
    text: KeyText,
}

/// Writes the file under its proper name, cleaned of what mail did to it, and links it; each one, where
/// there are several in it. A file of that name with other contents stays beside it.
///
/// # Errors
/// What is wrong with the file, and what mends that.
pub(crate) fn import(wish: &Wish<'_>) -> Result<Vec<String>, Problem> {
    let octets = super::read(wish.source)?;
    let texts = KeyText::parse_each(&octets);
    let texts = texts.map_err(|error| Problem::Key(wish.source.to_owned(), error))?;
    let mut said = Vec::new();
    let mut judged = Vec::new();
    // All of them, or none.
    for text in texts {
        judged.push(judge(wish, text, &mut said)?);
    }
    for file in &judged {
        put(wish, file, &mut said)?;
    }
    wish.folder.sync();
    Ok(said)
}

fn judge(wish: &Wish<'_>, text: KeyText, said: &mut Vec<String>) -> Result<Judged, Problem> {
    let wrong = |error| Problem::Key(wish.source.to_owned(), error);
    let by_file = || FileName::parse(&wish.source.file_name()?.to_string_lossy());
    // Clients and servers compare stamps, so that one cannot be made up.
    let name = text
        .name()
        .cloned()
        .or_else(by_file)
        .filter(|name| name.filestamp.is_some());
    let name = name.ok_or_else(|| wrong(KeyFileError::Unnamed))?;
    let role = match wish.passwords.open(|password| sound(&text, password)) {
        Ok(role) => role,
        Err(error @ (KeyFileError::WrongPassword | KeyFileError::NeedsPassword)) => {
            said.push(format!("note: {error}; it is taken for what its name says"));
            name.role().ok_or_else(|| wrong(error))?
        }
        Err(error) => return Err(wrong(error)),
    };
    let name = FileName {
        kind: kind(role, &name, &text),
        ..name
    };
    Ok(Judged { name, role, text })
}

fn put(wish: &Wish<'_>, judged: &Judged, said: &mut Vec<String>) -> Result<(), Problem> {
    let Judged { name, role, text } = judged;
    let date = text
        .date()
        .map_or_else(|| ctime(wish.now_unix_s), str::to_owned);
    let whole = heading(name, &date) + &text.clean();
    let file = name.to_string();
    let secret = role.is_secret() || is_private(text);
    let aside = format!("before-{}", crate::keygen::ntp_seconds(wish.now_unix_s));
    if !wish.folder.has(&file) {
        wish.folder.create(&file, &whole, secret)?;
    } else if wish.folder.text(&file)? != whole {
        wish.folder.replace(&file, &whole, &aside, secret)?;
    }
    said.push(file.clone());
    for owner in owners(*role, &name.owner, wish) {
        let link = FileName::generic(*role, owner);
        wish.folder.link(&link, &file, &aside)?;
        said.push(format!("{link}->{file}"));
    }
    Ok(())
}

/// Reads it whole, as whoever uses it will; tells what it is for.
pub(super) fn sound(text: &KeyText, password: Option<&[u8]>) -> Result<FileRole, KeyFileError> {
    let role = text.role(password)?;
    match role {
        FileRole::Host | FileRole::Sign => PrivateKey::read(text, password).map(drop)?,
        FileRole::Certificate => Certificate::read(text).map(drop)?,
        FileRole::IffKey => IffKey::read(text, password).map(drop)?,
        FileRole::IffParameters => IffParameters::read(text).map(drop)?,
        FileRole::GqKey => GqKey::read(text, password).map(drop)?,
        FileRole::GqParameters => GqParameters::read(text).map(drop)?,
        FileRole::MvAuthority => MvAuthority::read(text, password).map(drop)?,
        FileRole::MvKey => MvKey::read(text, password).map(drop)?,
        FileRole::MvParameters => MvParameters::read(text).map(drop)?,
        FileRole::Symmetric => return Err(KeyFileError::NoKey),
    }
    Ok(role)
}

fn is_private(text: &KeyText) -> bool {
    use truechimer_crypto::certificate::Standing;
    Certificate::read(text).is_ok_and(|certificate| certificate.standing() == Standing::Private)
}

/// The KIND of its name, in today's spelling.
fn kind(role: FileRole, name: &FileName, text: &KeyText) -> String {
    match role {
        FileRole::Host => "RSAhost".to_owned(),
        FileRole::IffKey => "IFFkey".to_owned(),
        FileRole::GqKey => "GQkey".to_owned(),
        FileRole::MvAuthority => "MVta".to_owned(),
        FileRole::MvKey => "MVkey".to_owned(),
        FileRole::Certificate => {
            match Certificate::read(text).ok().and_then(|read| read.scheme()) {
                Some(scheme) => format!("{scheme}cert"),
                None => "cert".to_owned(),
            }
        }
        FileRole::Sign if name.role() == Some(FileRole::Sign) => name.kind.clone(),
        FileRole::Sign => "DSAsign".to_owned(),
        _ => role.generic().to_owned(),
    }
}

/// For whom it is linked: its owner; a server's identity key for this host as well, for ntpd looks
/// there when no group is configured.
fn owners<'a>(role: FileRole, owner: &'a str, wish: &Wish<'a>) -> Vec<&'a str> {
    let mut owners = vec![owner];
    if matches!(
        role,
        FileRole::IffKey | FileRole::GqKey | FileRole::MvKey | FileRole::MvAuthority
    ) {
        owners.push(wish.host);
    }
    owners.extend(wish.also_for);
    owners.dedup();
    owners
}
