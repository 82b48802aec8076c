//! Folders a run has to do with.
use super::setup::Setup;
use crate::autokey;
use crate::files::config::Origin;
use crate::paths;
use crate::privilege::files::Needed;
use crate::translate;
use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::path::{Path, PathBuf};
use std::{env, io};

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
        return Some(PathBuf::from(paths::run_folder()).join("truechimer"));
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
    setup: &Setup,
    drift: Option<&Path>,
    log: Option<&Path>,
    runtime: Option<&Path>,
) -> Needed {
    let files = &setup.settings.files;
    let named = [
        setup.settings.authentication.keys_file.as_ref(),
        files.leap.as_ref(),
    ];
    let named = named.into_iter().flatten().map(|it| Path::new(&it.value));
    let config = match origin {
        Origin::File(path) => Some(path.as_path()),
        Origin::Embedded => None,
    };
    let said = &setup.settings.autokey;
    let keys = said.is_on().then(|| autokey::folder(said));
    // A link may be all there is of it.
    let real = keys.as_ref().and_then(|it| it.canonicalize().ok());
    let included = setup.included.iter().map(PathBuf::as_path);
    // The folders, not the files: a reload reads the file that then has the name.
    Needed {
        read: named
            .chain(config)
            .chain(included)
            .flat_map(folders_of)
            .chain(keys)
            .chain(real)
            .collect(),
        write: drift
            .into_iter()
            .chain(log)
            .map(folder_of)
            .chain(runtime.map(Path::to_owned))
            .chain(
                files
                    .save_config
                    .as_ref()
                    .map(|it| PathBuf::from(&it.value)),
            )
            .chain(statistics_folders(setup))
            .collect(),
    }
}

/// Where statistics files are made; a file of a set may have a folder in its name.
fn statistics_folders(setup: &Setup) -> Vec<PathBuf> {
    let plan = translate::statistics::plan(&setup.settings);
    let mut folders = Vec::new();
    for set in plan.sets.values() {
        // The one that all names begin with covers folders in it that are yet to come.
        folders.push(PathBuf::from(&plan.prefix));
        folders.push(folder_of(Path::new(&format!(
            "{}{}",
            plan.prefix, set.file
        ))));
    }
    folders.sort();
    folders.dedup();
    folders
}

/// The folder with the name, and the one with the file where the name is a link.
fn folders_of(file: &Path) -> Vec<PathBuf> {
    let mut folders = vec![folder_of(file)];
    if let Ok(real) = file.canonicalize() {
        let folder = folder_of(&real);
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::super::setup;
    use super::*;
    use crate::testing::Scratch;
    use std::fs;

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

    #[test]
    fn included_files_and_the_ends_of_links_stay_open() {
        let scratch = Scratch::new("places");
        for folder in ["conf", "parts", "real"] {
            fs::create_dir(scratch.path(folder)).expect("a folder");
        }
        let (path, part) = (scratch.path("conf/ntp.conf"), scratch.path("parts/a.conf"));
        let (keys, real) = (scratch.path("conf/ntp.keys"), scratch.path("real/keys"));
        fs::write(&real, "1 SHA1 onekey\n").expect("writable");
        std::os::unix::fs::symlink(&real, &keys).expect("a link");
        fs::write(&part, format!("keys {}\n", keys.display())).expect("writable");
        fs::write(&path, format!("includefile {}\n", part.display())).expect("writable");
        let origin = Origin::File(path);
        let setup =
            setup::read(&origin, &super::super::launch::Launch::truechimer()).expect("good");
        let needed = needed(&origin, &setup, None, None, None);
        let real = real.canonicalize().expect("there");
        for folder in [
            scratch.path("conf"),
            scratch.path("parts"),
            folder_of(&real),
        ] {
            assert!(
                needed.read.contains(&folder),
                "{folder:?} not in {needed:?}"
            );
        }
    }
}
