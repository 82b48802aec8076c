//! Running as a daemon: from the command line to the engine and back out.

pub mod launch;
