//! The log: one line an event, to standard error, the system log or a file.

mod facade;
mod limiter;
mod outlet;
mod sink;

pub use facade::{Ident, finish, is_for_people, never_wait, reopen, start, to_file, to_system_log};
pub use limiter::{Admission, Limiter};
