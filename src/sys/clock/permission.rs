use super::adjust::{call, empty};
use crate::process::{Capability, has_effective};

/// Whether this process may steer the clock; changes nothing to find out.
///
/// With CAP_SYS_TIME it may. Without, the kernel would refuse, but a stand-in for the kernel (a
/// simulator, a shim) may not ask for capabilities: writing back the status just read tells, and
/// is only tried where a real kernel is bound to refuse it.
pub fn may_adjust() -> bool {
    if has_effective(Capability::SysTime) {
        return true;
    }
    let mut status = empty();
    if call(&mut status).is_err() {
        return false;
    }
    status.modes = libc::ADJ_STATUS;
    call(&mut status).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_capability() {
        assert_eq!(may_adjust(), has_effective(Capability::SysTime));
    }
}
