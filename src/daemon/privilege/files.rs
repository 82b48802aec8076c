//! Landlock: of the file system, only what a daemon that keeps time has to do with.
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, RulesetStatus, path_beneath_rules,
};
use std::path::PathBuf;

/// What the C library reads to resolve names, load its modules and know the machine: after the
/// start too, for a reload must see new files under old names.
const READ_ALWAYS: [&str; 16] = [
    "/etc",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/share/zoneinfo",
    "/run/systemd/resolve",
    "/run/resolvconf",
    "/run/NetworkManager",
    "/run/nscd",
    "/var/run/nscd",
    "/var/lib/sss",
    "/proc",
    "/sys/devices/system/cpu",
    "/dev/urandom",
    "/dev/log",
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
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        // No server of ours speaks TCP; resolvers connect, and stay free to.
        .handle_access(AccessNet::BindTcp)?
        .create()?
        .add_rules(path_beneath_rules(READ_ALWAYS, read))?
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::drift;
    use crate::testing::Scratch;
    use std::{fs, thread};

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
}
