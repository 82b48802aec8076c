//! Becoming another user with no more capabilities than keeping time needs.
use caps::{CapSet, Capability as Bit};
use core::fmt;
use std::io;
use truechimer_sys::process::{
    Capability, Identity, become_user, forbid_new_privileges, has_effective,
    keep_capabilities_over_user_change, keep_only, look_up,
};

/// Whom to become when nobody is named.
const USUAL: &str = "ntp";
/// All that is kept: to steer the clock, and to bind port 123 on addresses that appear later.
const KEPT: [Capability; 2] = [Capability::SysTime, Capability::NetBindService];

/// Why the privileges could not be dropped; to go on would be to run with all of them.
#[derive(Debug)]
pub struct DropError {
    user: String,
    cause: io::Error,
}

impl fmt::Display for DropError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot become user {}: {}", self.user, self.cause)
    }
}

impl core::error::Error for DropError {}

/// Whom to run as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// As we were started.
    Stay,
    /// As that user.
    Become {
        /// As named.
        name: String,
        /// As found.
        identity: Identity,
    },
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stay => write!(f, "user {}", nix::unistd::geteuid()),
            Self::Become { name, .. } => write!(f, "user {name}"),
        }
    }
}

impl Plan {
    /// Whom `named` (`user[:group]`) says; without it the usual user, if there is one and we may
    /// change at all.
    ///
    /// # Errors
    /// That a named user or group does not exist.
    pub fn make(named: Option<&str>, usual_wanted: bool) -> Result<Self, DropError> {
        let Some(named) = named else {
            let possible = usual_wanted && has_effective(Capability::SetUid);
            return Ok(match possible.then(|| look_up(USUAL, None)) {
                Some(Ok(identity)) => Self::become_named(USUAL, identity),
                _ => Self::Stay,
            });
        };
        let (user, group) = match named.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (named, None),
        };
        match look_up(user, group) {
            Ok(identity) => Ok(Self::become_named(named, identity)),
            Err(cause) => Err(DropError {
                user: named.to_owned(),
                cause,
            }),
        }
    }

    fn become_named(name: &str, identity: Identity) -> Self {
        Self::Become {
            name: name.to_owned(),
            identity,
        }
    }

    /// The user and group files should belong to, if they change.
    pub fn owner(&self) -> Option<(u32, u32)> {
        match self {
            Self::Stay => None,
            Self::Become { identity, .. } => Some((identity.uid, identity.gid)),
        }
    }

    /// Does it, with all capabilities kept if none are to be dropped. Before any thread starts: capabilities belong to a thread.
    ///
    /// # Errors
    /// When the user cannot be changed.
    pub fn carry_out(&self, drop_caps: bool) -> Result<(), DropError> {
        let Self::Become { name, identity } = self else {
            return Ok(());
        };
        let become_it = || {
            keep_capabilities_over_user_change()?;
            become_user(identity)?;
            if drop_caps {
                keep_only(&KEPT)
            } else {
                raise_permitted()
            }
        };
        become_it().map_err(|cause| DropError {
            user: name.clone(),
            cause,
        })
    }
}

/// Makes sure that no program executed from here has more than what is kept. Best effort: what
/// cannot be dropped was not there. Comes first, for it takes CAP_SETPCAP itself.
pub fn shrink_bounding_set() {
    for bit in caps::all() {
        if !matches!(bit, Bit::CAP_SYS_TIME | Bit::CAP_NET_BIND_SERVICE) {
            let _ = caps::drop(None, CapSet::Bounding, bit);
        }
    }
    let _ = forbid_new_privileges();
}

/// Gives up capabilities beyond those kept, without a change of user.
///
/// # Errors
/// The kernel's.
pub fn keep_little() -> io::Result<()> {
    keep_only(&KEPT)
}

/// The change of user leaves the capabilities permitted but not in effect.
fn raise_permitted() -> io::Result<()> {
    let permitted = caps::read(None, CapSet::Permitted).map_err(io::Error::other)?;
    caps::set(None, CapSet::Effective, &permitted).map_err(io::Error::other)
}

/// What is left of the capabilities, in words.
pub fn left() -> &'static str {
    match (
        has_effective(Capability::SysTime),
        has_effective(Capability::NetBindService),
    ) {
        (true, true) => "sys_time, net_bind_service",
        (true, false) => "sys_time",
        (false, true) => "net_bind_service",
        (false, false) => "none",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_user_must_exist() {
        let error = Plan::make(Some("no-such-user-here"), true).expect_err("unknown");
        assert!(error.to_string().contains("no-such-user-here"), "{error}");
        Plan::make(Some("root:no-such-group-here"), true).expect_err("unknown group");
        let plan = Plan::make(Some("root:root"), false).expect("known");
        assert_eq!(plan.owner(), Some((0, 0)));
    }

    #[test]
    fn nobody_is_become_unasked_without_the_sandbox() {
        assert_eq!(Plan::make(None, false).expect("nobody named"), Plan::Stay);
    }
}
