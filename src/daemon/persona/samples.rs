//! What ntpdate and sntp have in common: a few samples of each address of a few hosts.
use crate::query::{self, Family, Fault, Keyed, Reading};
use core::time::Duration;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Addresses that are asked at once, and in all.
pub(super) const ADDRESSES_MAX: usize = 64;
/// Between two samples of one server.
const PAUSE: Duration = Duration::from_millis(200);

/// A key and the file it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyWords {
    pub(super) id: u32,
    pub(super) file: PathBuf,
}

impl KeyWords {
    pub(super) fn load(&self) -> Result<Keyed, query::KeyError> {
        query::load_key(self.id, Path::new(&self.file))
    }
}

/// All addresses of a name.
pub(super) fn addresses(host: &str, family: Option<Family>) -> Result<Vec<SocketAddr>, String> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let fits = |address: &SocketAddr| match family {
        None => true,
        Some(Family::V4) => address.is_ipv4(),
        Some(Family::V6) => address.is_ipv6(),
    };
    let found: Vec<SocketAddr> = match bare.parse::<IpAddr>() {
        Ok(address) => vec![SocketAddr::new(address, 123)],
        Err(_) => (bare, 123)
            .to_socket_addrs()
            .map_err(|error| {
                let text = error.to_string();
                let reason = text.split_once(": ").map(|(_, rest)| rest.to_owned());
                reason.unwrap_or(text)
            })?
            .collect(),
    };
    let mut unique: Vec<SocketAddr> = Vec::new();
    for address in found.into_iter().filter(fits) {
        if !unique.contains(&address) && unique.len() < ADDRESSES_MAX {
            unique.push(address);
        }
    }
    Ok(unique)
}

/// What one server said.
#[derive(Clone, Debug)]
pub(super) struct Sampled {
    pub(super) address: SocketAddr,
    pub(super) readings: Vec<Reading>,
    pub(super) last_fault: Option<Fault>,
}

/// Asks all servers side by side, each so many times, one request after another. `told` hears of
/// each request and each reply.
pub(super) fn sample(
    servers: &[SocketAddr],
    count: u32,
    timeout: Duration,
    key: Option<&KeyWords>,
    told: &(dyn Fn(&str, SocketAddr) + Sync),
) -> Vec<Sampled> {
    let results = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for (place, address) in servers.iter().enumerate() {
            let results = &results;
            scope.spawn(move || {
                let sampled = one(*address, count, timeout, key, told);
                let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                results.push((place, sampled));
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, sampled)| sampled).collect()
}

fn one(
    address: SocketAddr,
    count: u32,
    timeout: Duration,
    key: Option<&KeyWords>,
    told: &(dyn Fn(&str, SocketAddr) + Sync),
) -> Sampled {
    let mut sampled = Sampled {
        address,
        readings: Vec::new(),
        last_fault: None,
    };
    let mut keyed = key.and_then(|key| key.load().ok());
    for turn in 0..count {
        if turn > 0 {
            thread::sleep(PAUSE);
        }
        told("transmit", address);
        match query::measure(address, timeout, keyed.as_mut()) {
            Ok(reading) => {
                told("receive", address);
                sampled.readings.push(reading);
            }
            Err(fault) => {
                let is_final = matches!(
                    fault,
                    Fault::Kiss(_) | Fault::Refused | Fault::Unreachable(_)
                );
                sampled.last_fault = Some(fault);
                if is_final {
                    break;
                }
            }
        }
    }
    sampled
}
