//! Folders a run has to do with.
use crate::files::config::Origin;
use crate::privilege::files::Needed;
use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::path::{Path, PathBuf};
use std::{env, io};
use truechimer_config::Settings;

/// Where marks that end with the boot are kept: systemd's RuntimeDirectory, /run for root, the
/// user's own runtime folder for others.
pub(super) fn runtime_folder() -> Option<PathBuf> {
    from_variables(|name| env::var_os(name).map(PathBuf::from), is_root())
}

fn from_variables(variable: impl Fn(&str) -> Option<PathBuf>, root: bool) -> Option<PathBuf> {
    if let Some(given) = variable("RUNTIME_DIRECTORY") {
        // systemd gives a list; the first is ours.
        let text = given.to_str()?.to_owned();
        return text.split(':').next().map(PathBuf::from);
    }
    if root {
        return Some(PathBuf::from("/run/truechimer"));
    }
    let user = variable("XDG_RUNTIME_DIR").filter(|folder| folder.is_absolute())?;
    Some(user.join("truechimer"))
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Makes the folder, for `owner` to write in.
///
/// # Errors
/// What the operating system says; that it exists is no error.
pub(super) fn make(folder: &Path, owner: Option<(u32, u32)>) -> io::Result<()> {
    match DirBuilder::new().mode(0o755).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    match owner {
        Some((uid, gid)) => chown(folder, Some(uid), Some(gid)),
        None => Ok(()),
    }
}

/// What must stay open when the rest of the file system is closed.
pub(super) fn needed(
    origin: &Origin,
    settings: &Settings,
    drift: Option<&Path>,
    log: Option<&Path>,
    runtime: Option<&Path>,
) -> Needed {
    let files = &settings.files;
    let named = [
        settings.authentication.keys_file.as_ref(),
        files.leap.as_ref(),
    ];
    let named = named.into_iter().flatten().map(|it| Path::new(&it.value));
    let config = match origin {
        Origin::File(path) => Some(path.as_path()),
        Origin::Embedded => None,
    };
    // The folders, not the files: a reload reads the file that then has the name.
    Needed {
        read: named.chain(config).map(folder_of).collect(),
        write: drift
            .into_iter()
            .chain(log)
            .map(folder_of)
            .chain(runtime.map(Path::to_owned))
            .collect(),
    }
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtime_folder_by_privilege() {
        let none = |_: &str| None;
        let user = |name: &str| (name == "XDG_RUNTIME_DIR").then(|| PathBuf::from("/run/user/7"));
        assert_eq!(
            from_variables(none, true),
            Some(PathBuf::from("/run/truechimer"))
        );
        assert_eq!(from_variables(none, false), None);
        assert_eq!(
            from_variables(user, false),
            Some(PathBuf::from("/run/user/7/truechimer"))
        );
        let systemd =
            |name: &str| (name == "RUNTIME_DIRECTORY").then(|| PathBuf::from("/run/a:/b"));
        assert_eq!(from_variables(systemd, true), Some(PathBuf::from("/run/a")));
        let relative = |name: &str| (name == "XDG_RUNTIME_DIR").then(|| PathBuf::from("here"));
        assert_eq!(from_variables(relative, false), None);
    }

    #[test]
    fn folders_of_files() {
        assert_eq!(folder_of(Path::new("/etc/ntp.keys")), Path::new("/etc"));
        assert_eq!(folder_of(Path::new("ntp.keys")), Path::new("."));
    }
}
