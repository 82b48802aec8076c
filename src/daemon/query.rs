//! `truechimer query`: asks a server for the time once and says in words what came of it.

mod exchange;
mod reading;
mod report;

use crate::files::bounded;
use core::fmt;
use core::time::Duration;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use truechimer_crypto::{KeyTable, Keyring, keys};
use truechimer_proto::authentication::{Authenticator, KeyId};

pub use exchange::{Keyed, once as measure};
pub use reading::{Fault, Reading};
pub use report::{Record, json, text};

/// Between requests to one server, as in the reference's burst.
const PAUSE: Duration = Duration::from_secs(2);

/// What to ask.
#[derive(Clone, Debug)]
pub struct Question {
    /// Names or addresses.
    pub hosts: Vec<String>,
    /// Requests to each.
    pub count: u32,
    /// How long to wait for a reply.
    pub timeout: Duration,
    /// UDP port.
    pub port: u16,
    /// Which addresses of a name to use.
    pub family: Option<Family>,
    /// Key to authenticate with, and its file.
    pub key: Option<(u32, PathBuf)>,
}

/// `-4` or `-6`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

/// Why nobody was asked.
#[derive(Debug)]
pub enum KeyError {
    /// The key file cannot be read.
    Unreadable(PathBuf, io::Error),
    /// The key is not in the file, or its line is wrong.
    Missing(u32, PathBuf),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Missing(id, path) => {
                write!(f, "{} has no usable key {id}", path.display())
            }
        }
    }
}

impl core::error::Error for KeyError {}

/// Asks, and hands each record out as it comes.
///
/// # Errors
/// When the key cannot be had; whatever goes wrong with a server is in its record.
pub fn run(question: &Question, mut told: impl FnMut(&Record)) -> Result<(), KeyError> {
    let mut keyed = match &question.key {
        None => None,
        Some((id, path)) => Some(load_key(*id, path)?),
    };
    for host in &question.hosts {
        for turn in 0..question.count {
            if turn > 0 {
                thread::sleep(PAUSE);
            }
            let record = ask(question, host, keyed.as_mut());
            told(&record);
            if matches!(record.outcome, Err(Fault::Name(_) | Fault::Kiss(_))) {
                break;
            }
        }
    }
    Ok(())
}

/// A key of a file.
///
/// # Errors
/// When the file cannot be read, or has no such usable key.
pub fn load_key(number: u32, path: &Path) -> Result<Keyed, KeyError> {
    let octets = bounded::read(path, keys::FILE_LEN_MAX)
        .map_err(|error| KeyError::Unreadable(path.to_owned(), error))?;
    let (file, _) = keys::parse(&octets);
    let missing = || KeyError::Missing(number, path.to_owned());
    let id = KeyId::symmetric(number).ok_or_else(missing)?;
    let table = KeyTable::new(file, [id]);
    if !table.contains(id) {
        return Err(missing());
    }
    let authenticator: Box<dyn Authenticator> = Box::new(Keyring::new(Arc::new(table)));
    Ok(Keyed { id, authenticator })
}

fn ask(question: &Question, host: &str, mut keyed: Option<&mut Keyed>) -> Record {
    let addresses = match look_up(host, question) {
        Ok(addresses) => addresses,
        Err(text) => return Record::new(host, None, Err(Fault::Name(text))),
    };
    let mut last = Record::new(host, None, Err(Fault::Name("no such address".to_owned())));
    for address in addresses {
        let outcome = exchange::once(address, question.timeout, keyed.as_deref_mut());
        last = Record::new(host, Some(address), outcome);
        // A host without IPv6 must not fail on a name that has both.
        if !matches!(last.outcome, Err(Fault::Unreachable(_))) {
            break;
        }
    }
    last
}

fn look_up(host: &str, question: &Question) -> Result<Vec<SocketAddr>, String> {
    let family = |address: &SocketAddr| match question.family {
        None => true,
        Some(Family::V4) => address.is_ipv4(),
        Some(Family::V6) => address.is_ipv6(),
    };
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, question.port)]);
    }
    let found = (host, question.port)
        .to_socket_addrs()
        .map_err(|error| error.to_string())?;
    let found: Vec<SocketAddr> = found.filter(family).collect();
    if found.is_empty() {
        return Err("the name has no address of that family".to_owned());
    }
    Ok(found)
}
