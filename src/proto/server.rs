//! The server side: one request in, at most one reply out, no longer than the request.
//!
//! A `Responder` belongs to one server thread and answers from the published `Snapshot` under a
//! `Policy`; it allocates nothing, locks nothing and remembers nothing but counts and, in the table
//! that all threads share, whom it has seen.
mod access;
mod autokey;
mod counters;
mod flags;
mod guard;
mod interleave;
mod manycast;
mod mru;
mod passive;
mod policy;
mod rates;
mod reply;
mod respond;
mod source;
#[cfg(test)]
mod tests;

pub use access::{AccessList, AccessRule, Network, PrefixTooLong};
pub use autokey::{Bounds, Namesakes, Parked};
pub(crate) use autokey::{UnderWay, network_of};
pub use counters::{AutokeyOutcome, COUNTER_WORDS, Counters, DropReason};
pub use flags::RestrictFlags;
pub use interleave::{Departure, DepartureTable};
pub use manycast::Manycast;
pub use mru::{Limits, MruEntry, MruTable, Sighting, Standing};
pub(crate) use passive::{is_fresh_echo, permits_passive};
pub use policy::{Origin, Policy, Ruling, Watch};
pub use rates::Rates;
pub use respond::{Responder, Verdict};
