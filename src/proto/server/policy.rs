//! What the server threads may do, replaced whole on reload.
use super::{AccessList, AccessRule, Network, RestrictFlags};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What strangers may not do unless the operator says otherwise: time is free, all else is not.
const STRANGERS: RestrictFlags = RestrictFlags::LIMITED
    .with(RestrictFlags::KOD)
    .with(RestrictFlags::NOMODIFY)
    .with(RestrictFlags::NOPEER)
    .with(RestrictFlags::NOQUERY)
    .with(RestrictFlags::NOTRAP);
/// What this host may not do to itself: anything that changes something.
const OURSELVES: RestrictFlags = RestrictFlags::NOMODIFY
    .with(RestrictFlags::NOPEER)
    .with(RestrictFlags::NOTRAP);
/// What the servers we use may not do: pools make associations of them, so `nopeer` is not among it.
const SOURCES: RestrictFlags = RestrictFlags::LIMITED
    .with(RestrictFlags::KOD)
    .with(RestrictFlags::NOMODIFY)
    .with(RestrictFlags::NOQUERY)
    .with(RestrictFlags::NOTRAP);

/// The rules of serving; immutable.
#[derive(Clone, Debug)]
pub struct Policy {
    rules: Vec<AccessRule>,
    source: RestrictFlags,
    access: AccessList,
}

impl Policy {
    /// From the operator's `restrict` lines and `restrict source`. Where a line is about the network
    /// of a built-in rule it replaces that rule; lines about the same network add up.
    pub fn new(
        operator: impl IntoIterator<Item = AccessRule>,
        source: Option<RestrictFlags>,
    ) -> Self {
        let mut rules: Vec<AccessRule> = operator.into_iter().collect();
        for built_in in built_in() {
            let same = |rule: &AccessRule| rule.network == built_in.network && !rule.ntp_port_only;
            if !rules.iter().any(same) {
                rules.push(built_in);
            }
        }
        let access = AccessList::new(rules.iter().copied());
        Self {
            rules,
            source: source.unwrap_or(SOURCES),
            access,
        }
    }

    /// This policy while these servers are in use: each address no rule names gets the flags of
    /// `restrict source`.
    #[must_use]
    pub fn with_sources(&self, addresses: &[IpAddr]) -> Self {
        let hosts = addresses
            .iter()
            .map(|address| Network::host(address.to_canonical()));
        let unnamed = hosts.filter(|host| self.rules.iter().all(|rule| rule.network != *host));
        let sources = unnamed.map(|network| AccessRule {
            network,
            ntp_port_only: false,
            flags: self.source,
        });
        Self {
            rules: self.rules.clone(),
            source: self.source,
            access: AccessList::new(self.rules.iter().copied().chain(sources)),
        }
    }

    /// What a sender may not do.
    pub fn flags_for(&self, sender: SocketAddr) -> RestrictFlags {
        self.access.flags_for(sender)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new([], None)
    }
}

fn built_in() -> [AccessRule; 4] {
    let rule = |network, flags| AccessRule {
        network,
        ntp_port_only: false,
        flags,
    };
    [
        rule(Network::ANY_V4, STRANGERS),
        rule(Network::ANY_V6, STRANGERS),
        rule(Network::host(IpAddr::V4(Ipv4Addr::LOCALHOST)), OURSELVES),
        rule(Network::host(IpAddr::V6(Ipv6Addr::LOCALHOST)), OURSELVES),
    ]
}
