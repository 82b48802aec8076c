//! Giving up what is not needed: user, capabilities, files, system calls. All before any thread
//! starts, and all but the change of user by best effort: a kernel that cannot lock us in is no
//! reason not to keep time.

pub mod files;
pub mod system_calls;
pub mod user;
