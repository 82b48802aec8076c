//! Landlock: of the file system, only what a daemon that keeps time has to do with.
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, RulesetStatus, path_beneath_rules,
};
use std::fs;
use std::path::{Path, PathBuf};

/// What the C library reads to resolve names, load its modules and know the machine: after the
/// start too, for a reload must see new files under old names.
///
/// The whole of /run: resolvers, network managers and container engines keep the files there that
/// links under /etc point to, and many of them start after us.
const READ_ALWAYS: [&str; 15] = [
    "/etc",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/share/zoneinfo",
    "/run",
    "/var/run",
    "/var/lib/sss",
    "/var/db/nscd",
    "/var/cache/nscd",
    "/proc",
    "/sys/devices/system/cpu",
    "/dev/urandom",
    "/dev/log",
];
/// Read by the C library; links to anywhere on some systems.
const LINKED: [&str; 4] = [
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/localtime",
];
/// Written to by everybody.
const WRITE_ALWAYS: [&str; 1] = ["/dev/null"];
/// The newest interface used; older kernels do what they can of it.
const NEWEST: ABI = ABI::V4;

/// Folders this configuration needs.
#[derive(Clone, Debug, Default)]
pub struct Needed {
    /// To read.
    pub read: Vec<PathBuf>,
    /// To create, write, rename and remove files in.
    pub write: Vec<PathBuf>,
}

/// Closes everything else for this thread and those it starts; tells how well that went.
///
/// # Errors
/// When the kernel refuses outright; nothing is closed then.
pub fn close(needed: &Needed) -> Result<&'static str, RulesetError> {
    let read: BitFlags<AccessFs> = AccessFs::ReadFile | AccessFs::ReadDir;
    let write =
        read | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::MakeReg | AccessFs::RemoveFile;
    let linked: Vec<PathBuf> = LINKED
        .iter()
        .filter_map(|it| target(Path::new(it)))
        .collect();
    for folder in needed.read.iter().chain(&needed.write) {
        if !folder.exists() {
            let name = folder.display();
            log::warn!(
                "{name}: not there; make it and restart, for landlock keeps it closed until then"
            );
        }
    }
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        // No server of ours speaks TCP; resolvers connect, and stay free to.
        .handle_access(AccessNet::BindTcp)?
        .create()?
        .add_rules(path_beneath_rules(READ_ALWAYS, read))?
        .add_rules(path_beneath_rules(&linked, read))?
        .add_rules(path_beneath_rules(&needed.read, read))?
        .add_rules(path_beneath_rules(WRITE_ALWAYS, write))?
        .add_rules(path_beneath_rules(&needed.write, write))?
        .restrict_self()?;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => "on",
        RulesetStatus::PartiallyEnforced => "on in part",
        RulesetStatus::NotEnforced => "off (the kernel has none)",
    })
}

/// The folder a link leads to, for the file there is replaced whole; the nearest one that exists
/// where the target is yet to come. Never the root: that would open everything.
fn target(link: &Path) -> Option<PathBuf> {
    let there = fs::canonicalize(link).ok();
    let named = || Some(link.parent()?.join(fs::read_link(link).ok()?));
    let path = there.or_else(named)?;
    let mut above = path.ancestors().skip(1);
    let folder = above.find(|folder| folder.is_dir())?;
    if fs::canonicalize(folder).ok()?.parent().is_none() {
        let (link, path) = (link.display(), path.display());
        log::warn!("{link} leads to {path}, which is not there yet; restart when it is");
        return None;
    }
    Some(folder.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::drift;
    use crate::testing::Scratch;
    use std::os::unix::fs::symlink;
    use std::thread;

    #[test]
    fn outside_the_needed_folders_nothing_is_written() {
        let (inside, outside) = (Scratch::new("landlock-in"), Scratch::new("landlock-out"));
        let needed = Needed {
            read: Vec::new(),
            write: vec![inside.path("")],
        };
        let (good, bad) = (inside.path("drift"), outside.path("drift"));
        let outcome = thread::spawn(move || {
            let status = close(&needed).expect("at least a status");
            // By way of a temporary file and a rename, as in a run.
            (status, drift::store(&good, 1.0), fs::write(&bad, "1"))
        })
        .join()
        .expect("no panic");
        assert!(outcome.1.is_ok());
        if outcome.0 == "on" {
            assert!(outcome.2.is_err());
        }
    }

    #[test]
    fn a_link_is_followed_to_where_its_target_will_be() {
        let scratch = Scratch::new("landlock-link");
        let (link, later) = (scratch.path("link"), scratch.path("later/deep/file"));
        symlink(&later, &link).expect("a link");
        assert_eq!(
            target(&link),
            Some(later.ancestors().nth(3).expect("scratch").to_owned())
        );
        fs::create_dir_all(scratch.path("later/deep")).expect("folders");
        fs::write(&later, "").expect("writable");
        let folder = fs::canonicalize(scratch.path("later/deep")).expect("there");
        assert_eq!(target(&link), Some(folder));
        let nowhere = scratch.path("nowhere");
        symlink("/no-such-folder-at-all/file", &nowhere).expect("a link");
        assert_eq!(target(&nowhere), None);
        assert_eq!(target(&scratch.path("none")), None);
    }

    #[test]
    fn what_appears_under_run_later_is_read() {
        let there = Path::new("/run").canonicalize();
        let outcome = thread::spawn(|| {
            let status = close(&Needed::default());
            (status.is_ok(), fs::read_dir("/run").map(drop))
        })
        .join()
        .expect("no panic");
        assert!(outcome.0);
        assert_eq!(outcome.1.is_ok(), there.is_ok());
    }
}
