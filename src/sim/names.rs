use core::net::{IpAddr, SocketAddr};
use std::collections::BTreeMap;
use truechimer_proto::config::Family;
use truechimer_proto::host::{Resolve, ResolveError};

/// The world's resolver: a table that can be changed, and that can fall silent.
#[derive(Default)]
pub(crate) struct Names {
    table: BTreeMap<String, Vec<IpAddr>>,
    dead: bool,
    pub(crate) asked: u64,
}

/// How long the resolver takes, and how long a dead one is waited for, seconds.
const ANSWER_AFTER_S: f64 = 0.020;
const GIVE_UP_AFTER_S: f64 = 10.0;

impl Names {
    pub(crate) fn set(&mut self, name: &str, addresses: Vec<IpAddr>) {
        self.table.insert(name.to_owned(), addresses);
    }

    pub(crate) const fn set_dead(&mut self, dead: bool) {
        self.dead = dead;
    }

    /// The outcome and after how many seconds it is known.
    pub(crate) fn resolve(
        &mut self,
        query: &Resolve,
    ) -> (f64, Result<Vec<SocketAddr>, ResolveError>) {
        self.asked += 1;
        if self.dead {
            return (GIVE_UP_AFTER_S, Err(ResolveError::TryAgain));
        }
        let outcome = self.table.get(&query.name).map(|addresses| {
            let wanted = |address: &&IpAddr| match query.family {
                Family::Any => true,
                Family::V4 => address.is_ipv4(),
                Family::V6 => address.is_ipv6(),
            };
            let wanted = addresses.iter().filter(wanted);
            wanted.map(|ip| SocketAddr::new(*ip, 0)).collect()
        });
        (ANSWER_AFTER_S, outcome.ok_or(ResolveError::NoSuchName))
    }
}
