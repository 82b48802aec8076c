//! The log: one line an event, to standard error, the system log or a file.

mod facade;
mod limiter;
mod sink;

pub use facade::{Ident, is_for_people, reopen, start, to_file, to_system_log};
pub use limiter::{Admission, Limiter};
