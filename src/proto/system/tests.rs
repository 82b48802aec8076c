//! The system as a whole, against scripted servers and a clock that can be steered.
mod access;
mod autokey;
mod broadcast;
mod clock;
mod control;
mod events;
mod frequency;
mod listening;
mod local;
mod manycast;
mod names;
mod one_shot;
mod orphan;
mod pools;
mod private;
mod reload;
mod sources;
mod symmetric;
mod telling;
mod tracing;
mod world;

use crate::host::ResolveError;
use core::net::{IpAddr, SocketAddr};
use std::collections::BTreeMap;

/// What a resolver that knows these names says of one.
fn looked_up(
    names: &BTreeMap<String, Vec<IpAddr>>,
    name: &str,
) -> Result<Vec<SocketAddr>, ResolveError> {
    let known = names.get(name).ok_or(ResolveError::NoSuchName)?;
    Ok(known.iter().map(|ip| SocketAddr::new(*ip, 0)).collect())
}
