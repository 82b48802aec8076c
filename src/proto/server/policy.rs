//! Who may do what with us, and whom we listen to; replaced whole on reload.
use super::{
    AccessList, AccessRule, DepartureTable, Limits, Manycast, MruTable, Network, RestrictFlags,
};
use crate::autokey::service::Service;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

/// What strangers may not do unless the operator says otherwise: time is free, all else is not.
const STRANGERS: RestrictFlags = RestrictFlags::LIMITED
    .with(RestrictFlags::KOD)
    .with(RestrictFlags::NOMODIFY)
    .with(RestrictFlags::NOPEER)
    .with(RestrictFlags::NOEPEER)
    .with(RestrictFlags::NOQUERY)
    .with(RestrictFlags::NOTRAP);
/// What this host may not do to itself: nothing but be a peer unasked. What changes something asks for `controlkey` anyway,
/// which is off until it is set.
const OURSELVES: RestrictFlags = RestrictFlags::NOEPEER;
/// What the servers we use may not do: pools make associations of them, so `nopeer` is not among it.
const SOURCES: RestrictFlags = RestrictFlags::LIMITED
    .with(RestrictFlags::KOD)
    .with(RestrictFlags::NOMODIFY)
    .with(RestrictFlags::NOEPEER)
    .with(RestrictFlags::NOQUERY)
    .with(RestrictFlags::NOTRAP);

/// Where a rule comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// One of the built-in rules.
    BuiltIn,
    /// One or more `restrict` lines about this network.
    Operator,
    /// The address is a server in use: `restrict source`, or its built-in form.
    Source,
}

/// The rule that counts for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The rule; flags of lines about the same network are added up.
    pub rule: AccessRule,
    /// Where it comes from.
    pub origin: Origin,
}

/// Whom we remember, and how often they may ask.
#[derive(Clone, Debug)]
pub struct Watch {
    /// The limits.
    pub limits: Limits,
    /// The memory, which outlives the policy.
    pub clients: Arc<MruTable>,
}

/// The rules of serving and of being served; immutable, but for what the table remembers.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The operator's rules, as many as lines, and the built-in ones that stay in force.
    rules: Arc<[Ruling]>,
    /// The operator's `restrict source`.
    source: Option<RestrictFlags>,
    access: Arc<AccessList>,
    /// Of servers in use.
    sources: Vec<AccessRule>,
    source_access: AccessList,
    watch: Option<Watch>,
    departures: Option<Arc<DepartureTable>>,
    manycast: Option<Manycast>,
    /// `enable mode7`.
    private: bool,
    autokey: Option<Arc<Service>>,
}

impl Policy {
    /// From the operator's `restrict` lines and `restrict source`. Where a line is about the network
    /// of a built-in rule it replaces that rule; lines about the same network add up.
    pub fn new(
        operator: impl IntoIterator<Item = AccessRule>,
        source: Option<RestrictFlags>,
    ) -> Self {
        let by = |origin| move |rule| Ruling { rule, origin };
        let mut rules: Vec<Ruling> = operator.into_iter().map(by(Origin::Operator)).collect();
        for built_in in built_in() {
            let same = |it: &Ruling| it.rule.network == built_in.network && !it.rule.ntp_port_only;
            if !rules.iter().any(same) {
                rules.push(by(Origin::BuiltIn)(built_in));
            }
        }
        let access = AccessList::new(rules.iter().map(|it| it.rule));
        Self {
            rules: rules.into(),
            source,
            access: Arc::new(access),
            sources: Vec::new(),
            source_access: AccessList::default(),
            watch: None,
            departures: None,
            manycast: None,
            private: false,
            autokey: None,
        }
    }

    /// This policy of a manycast server; without one no request that came to many is answered.
    #[must_use]
    pub fn with_manycast(mut self, manycast: Manycast) -> Self {
        self.manycast = Some(manycast);
        self
    }

    /// This policy, answering private requests (mode 7) or not.
    #[must_use]
    pub const fn with_private(mut self, private: bool) -> Self {
        self.private = private;
        self
    }

    /// This policy, speaking Autokey (RFC 5906) or not.
    #[must_use]
    pub fn with_autokey(mut self, service: Option<Arc<Service>>) -> Self {
        self.autokey = service;
        self
    }

    /// What Autokey's requests are answered from, if it is spoken.
    pub const fn autokey(&self) -> Option<&Arc<Service>> {
        self.autokey.as_ref()
    }

    /// Whether private requests are answered.
    pub const fn answers_private(&self) -> bool {
        self.private
    }

    /// This policy with a memory of clients: without one nobody is limited. It is left out where
    /// nothing needs it: no rule has `limited`, and the operator does not want to `monitor`.
    #[must_use]
    pub fn with_watch(mut self, watch: Watch, monitor: bool) -> Self {
        let limits = |flags: RestrictFlags| flags.contains(RestrictFlags::LIMITED);
        let source = self.source.unwrap_or(SOURCES);
        let limited = limits(source) || self.rules.iter().any(|it| limits(it.rule.flags));
        self.watch = (limited || monitor).then_some(watch);
        self
    }

    /// This policy while these servers are in use: each gets the flags of
    /// [`Policy::flags_for_source`].
    #[must_use]
    pub fn with_sources(&self, servers: &[SocketAddr]) -> Self {
        let rule = |server: &SocketAddr| {
            let flags = self.template_for(*server)?;
            Some(AccessRule::new(Network::host(server.ip()), flags))
        };
        let mut sources: Vec<AccessRule> = Vec::new();
        for rule in servers.iter().filter_map(rule) {
            if !sources.contains(&rule) {
                sources.push(rule);
            }
        }
        Self {
            source_access: AccessList::new(sources.iter().copied()),
            sources,
            ..self.clone()
        }
    }

    /// What a sender may not do.
    pub fn flags_for(&self, sender: SocketAddr) -> RestrictFlags {
        // A server's rule is about it alone, and there is none where the operator made such a one.
        self.source_access
            .find(sender)
            .unwrap_or_else(|| self.access.flags_for(sender))
    }

    /// The rule that counts for a sender, and where it comes from; `None` only where the rules of
    /// its family are all about port 123.
    pub fn ruling_for(&self, sender: SocketAddr) -> Option<Ruling> {
        let all = self.rulings().into_iter();
        all.filter(|it| it.rule.is_about(sender))
            .max_by_key(|it| it.rule.rank())
    }

    /// All rules, as the reference lists them: IPv4 first, by address and mask.
    pub fn rulings(&self) -> Vec<Ruling> {
        let source = |rule: &AccessRule| Ruling {
            rule: *rule,
            origin: Origin::Source,
        };
        let sources = self.sources.iter().map(source);
        let mut all: Vec<Ruling> = self.rules.iter().copied().chain(sources).collect();
        all.sort_by_key(|it| (it.rule.network.address(), it.rule.rank()));
        all.dedup_by(|later, first| {
            let same = later.rule.network == first.rule.network
                && later.rule.ntp_port_only == first.rule.ntp_port_only;
            if same {
                first.rule.flags = first.rule.flags.with(later.rule.flags);
                first.rule.ip_peer_limit = later.rule.ip_peer_limit;
            }
            same
        });
        all
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
        if self.rules.iter().any(|it| it.rule.network == host) {
            return None;
        }
        let is_said = |it: &Ruling| it.origin == Origin::Operator && it.rule.is_about(server);
        let built_in = (!self.rules.iter().any(is_said)).then_some(SOURCES);
        self.source.or(built_in)
    }

    /// This policy with a memory of when replies left: without one nobody is answered in interleaved
    /// mode.
    #[must_use]
    pub fn with_departures(mut self, departures: Arc<DepartureTable>) -> Self {
        self.departures = Some(departures);
        self
    }

    /// The memory of when replies left, if there is one.
    pub const fn departures(&self) -> Option<&Arc<DepartureTable>> {
        self.departures.as_ref()
    }

    /// Which requests that came to many are answered.
    pub const fn manycast(&self) -> Option<&Manycast> {
        self.manycast.as_ref()
    }

    /// The memory of clients and their limits, if there is one.
    pub const fn watch(&self) -> Option<&Watch> {
        self.watch.as_ref()
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new([], None)
    }
}

fn built_in() -> [AccessRule; 4] {
    let ourselves = |address| AccessRule::new(Network::host(address), OURSELVES);
    [
        AccessRule::new(Network::ANY_V4, STRANGERS),
        AccessRule::new(Network::ANY_V6, STRANGERS),
        ourselves(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        ourselves(IpAddr::V6(Ipv6Addr::LOCALHOST)),
    ]
}
