//! Capabilities by the C library's capget and capset, which the `libc` crate does not declare;
//! by system call number the preload simulator would abort.
use core::ffi::c_int;
use std::io;

/// The capabilities this daemon has a use for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// To steer the clock.
    SysTime,
    /// To bind port 123.
    NetBindService,
    /// To raise its scheduling priority.
    SysNice,
    /// To lock its memory.
    IpcLock,
    /// To become another user.
    SetUid,
    /// To become another group.
    SetGid,
}

impl Capability {
    /// Bit in a capability set (linux/capability.h).
    const fn bit(self) -> u64 {
        1 << match self {
            Self::SetGid => 6,
            Self::SetUid => 7,
            Self::NetBindService => 10,
            Self::IpcLock => 14,
            Self::SysNice => 23,
            Self::SysTime => 25,
        }
    }
}

/// `_LINUX_CAPABILITY_VERSION_3`: two words a set.
const VERSION_3: u32 = 0x2008_0522;

#[repr(C)]
struct Header {
    version: u32,
    pid: c_int,
}

#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Word {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

unsafe extern "C" {
    fn capget(header: *mut Header, data: *mut Word) -> c_int;
    fn capset(header: *mut Header, data: *const Word) -> c_int;
}

const SELF: Header = Header {
    version: VERSION_3,
    pid: 0,
};

/// Whether the calling thread has this capability in effect.
pub fn has_effective(capability: Capability) -> bool {
    let (mut header, mut words) = (SELF, [Word::default(); 2]);
    // SAFETY: the kernel reads the header and writes two words, all ours during the call.
    let returned = unsafe { capget(&raw mut header, words.as_mut_ptr()) };
    let effective = u64::from(words[1].effective) << 32 | u64::from(words[0].effective);
    returned == 0 && effective & capability.bit() != 0
}

/// Gives up every capability but those named that it has: effective and permitted alike, none
/// inheritable. Of the calling thread only, so to be called before others start.
///
/// # Errors
/// The kernel's.
pub fn keep_only(kept: &[Capability]) -> io::Result<()> {
    let (mut header, mut words) = (SELF, [Word::default(); 2]);
    // SAFETY: the kernel reads the header and writes two words, all ours during the call.
    crate::checked(unsafe { capget(&raw mut header, words.as_mut_ptr()) })?;
    let wanted = kept
        .iter()
        .fold(0, |set, capability| set | capability.bit());
    let [low, high] = halves(wanted);
    for (word, wanted) in words.iter_mut().zip([low, high]) {
        word.permitted &= wanted;
        word.effective = word.permitted;
        word.inheritable = 0;
    }
    // SAFETY: the kernel reads the header and two words, all ours during the call.
    crate::checked(unsafe { capset(&raw mut header, words.as_ptr()) })?;
    Ok(())
}

#[expect(clippy::cast_possible_truncation, reason = "each half by itself")]
const fn halves(set: u64) -> [u32; 2] {
    [set as u32, (set >> 32) as u32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_and_given_up() {
        std::thread::spawn(|| {
            let had = has_effective(Capability::NetBindService);
            keep_only(&[Capability::NetBindService]).unwrap();
            assert_eq!(has_effective(Capability::NetBindService), had);
            assert!(!has_effective(Capability::SysTime));
            keep_only(&[]).unwrap();
            assert!(!has_effective(Capability::NetBindService));
            assert!(!crate::clock::may_adjust());
        })
        .join()
        .unwrap();
    }
}
