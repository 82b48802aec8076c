//! Who may do what with us, and whom we listen to; replaced whole on reload.
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

/// The rules of serving and of being served; immutable.
#[derive(Clone, Debug)]
pub struct Policy {
    rules: Vec<AccessRule>,
    /// The operator's `restrict source`.
    source: Option<RestrictFlags>,
    /// The operator's rules without the built-in ones.
    said: AccessList,
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
        let said = AccessList::new(rules.iter().copied());
        for built_in in built_in() {
            let same = |rule: &AccessRule| rule.network == built_in.network && !rule.ntp_port_only;
            if !rules.iter().any(same) {
                rules.push(built_in);
            }
        }
        let access = AccessList::new(rules.iter().copied());
        Self {
            rules,
            source,
            said,
            access,
        }
    }

    /// This policy while these servers are in use: each gets the flags of
    /// [`Policy::flags_for_source`].
    #[must_use]
    pub fn with_sources(&self, servers: &[SocketAddr]) -> Self {
        let sources = servers.iter().filter_map(|server| {
            Some(AccessRule {
                network: Network::host(server.ip()),
                ntp_port_only: false,
                flags: self.template_for(*server)?,
            })
        });
        Self {
            rules: self.rules.clone(),
            source: self.source,
            said: self.said.clone(),
            access: AccessList::new(self.rules.iter().copied().chain(sources)),
        }
    }

    /// What a sender may not do.
    pub fn flags_for(&self, sender: SocketAddr) -> RestrictFlags {
        self.access.flags_for(sender)
    }

    /// What a server may not do that we use, or are about to: the flags of `restrict source`, or
    /// those of the rule that counts if it is about this address alone, or if there is no such line.
    pub fn flags_for_source(&self, server: SocketAddr) -> RestrictFlags {
        self.template_for(server)
            .unwrap_or_else(|| self.access.flags_for(server))
    }

    /// The flags that being used as a server earns; the built-in ones do so only where else a
    /// built-in rule would count, for what the operator said of an address must not be opened.
    fn template_for(&self, server: SocketAddr) -> Option<RestrictFlags> {
        let host = Network::host(server.ip());
        if self.rules.iter().any(|rule| rule.network == host) {
            return None;
        }
        let built_in = self.said.find(server).is_none().then_some(SOURCES);
        self.source.or(built_in)
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
