//! Running as a daemon: from the command line to the engine and back out.

mod amend;
mod clockwork;
mod counts;
mod drift_keeper;
mod events;
mod gate;
pub mod launch;
mod notify;
mod operator;
mod places;
mod reload;
mod reread;
mod resolver;
mod run;
mod setup;
mod signals;
mod steward;
mod surroundings;
mod trace;

pub use run::run;
pub use setup::{Refused, Remark, Setup, read};
