//! Files the daemon keeps or is given: each bounded on reading, each replaced whole on writing.

pub mod bounded;
pub mod config;
pub mod drift;
pub mod leap;
pub mod marker;
pub mod pid;
pub(crate) mod whole;
