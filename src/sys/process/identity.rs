use nix::unistd::{Gid, Group, Uid, User};
use std::ffi::CString;
use std::io;

/// Whom to run as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// User's number.
    pub uid: u32,
    /// Primary group's number.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

/// Looks up a user, and a group to have instead of the user's own. Names or numbers.
///
/// # Errors
/// `NotFound` naming what is not there; otherwise the database's.
pub fn look_up(user: &str, group: Option<&str>) -> io::Result<Identity> {
    let found = match user.parse().map(Uid::from_raw) {
        Ok(uid) => User::from_uid(uid)?,
        Err(_) => User::from_name(user)?,
    };
    let found = found.ok_or_else(|| missing("user", user))?;
    let gid = match group {
        None => found.gid,
        Some(group) => look_up_group(group)?,
    };
    let name = CString::new(found.name).map_err(|_| missing("user", user))?;
    let groups = nix::unistd::getgrouplist(&name, gid)?;
    Ok(Identity {
        uid: found.uid.as_raw(),
        gid: gid.as_raw(),
        groups: groups.into_iter().map(Gid::as_raw).collect(),
    })
}

fn look_up_group(group: &str) -> io::Result<Gid> {
    if let Ok(gid) = group.parse() {
        return Ok(Gid::from_raw(gid));
    }
    let found = Group::from_name(group)?;
    Ok(found.ok_or_else(|| missing("group", group))?.gid)
}

fn missing(kind: &str, name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("no {kind} {name}"))
}

/// Becomes that user for good, groups first. Call `keep_capabilities_over_user_change` before if
/// capabilities are to be raised again after, and before other threads start.
///
/// # Errors
/// The kernel's; the process may then have changed its groups only, and should end.
pub fn become_user(identity: &Identity) -> io::Result<()> {
    let groups: Vec<Gid> = identity.groups.iter().copied().map(Gid::from_raw).collect();
    nix::unistd::setgroups(&groups)?;
    nix::unistd::setgid(Gid::from_raw(identity.gid))?;
    nix::unistd::setuid(Uid::from_raw(identity.uid))?;
    Ok(())
}

/// Lets permitted capabilities survive a change of user; effective ones are lost until
/// `keep_only` raises them again.
///
/// # Errors
/// The kernel's.
pub fn keep_capabilities_over_user_change() -> io::Result<()> {
    let (yes, none): (libc::c_ulong, libc::c_ulong) = (1, 0);
    // SAFETY: no memory is passed.
    crate::checked(unsafe { libc::prctl(libc::PR_SET_KEEPCAPS, yes, none, none, none) })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_known_and_nobody_else_is_invented() {
        let root = look_up("root", None).unwrap();
        assert_eq!((root.uid, root.gid), (0, 0));
        assert_eq!(look_up("0", Some("0")).unwrap(), root);
        let missing = look_up("no-such-user-here", None).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        assert!(missing.to_string().contains("no-such-user-here"));
        assert!(look_up("root", Some("no-such-group-here")).is_err());
    }
}
