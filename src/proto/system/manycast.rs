//! Manycast (RFC 5905 §3.1): a template as a pool is, whose supply of addresses is who answers in a
//! group. Anybody may answer, so an answer changes nothing but that supply, and that only if it
//! echoes the nonce of this round, is authentic as far as asked, and is of use.
mod hunt;

pub(super) use hunt::Hunt;

use super::System;
use super::pool::Pool;
use crate::association::{Authenticity, Refusal, examine, identify, minimised};
use crate::authentication::AuthFailure;
use crate::config::{AssociationConfig, Demand, Remote};
use crate::event::PeerEvent;
use crate::host::Output;
use crate::packet::{AssociationId, Link, Received, Route, Transmit, TxTicket};
use crate::server::{Origin, RestrictFlags};
use crate::status::PacketTest;
use crate::trace::{Match, Proof};
use crate::unsolicited::Unsolicited;
use core::net::{IpAddr, SocketAddr, SocketAddrV6};
use hunt::{Need, rings};
use rand_chacha::rand_core::RngCore;
use truechimer_time::{Instant, Now};
use truechimer_wire::Header;

/// Why an answer is not taken: under which name it is counted, and the test it failed, if any.
type Refused = (Unsolicited, Option<Refusal>);

impl System {
    /// Asks the group if that is due and needed; returns the seconds until the next look.
    pub(super) fn run_hunt(&mut self, now: Now, id: AssociationId) -> Option<f64> {
        let need = Need {
            few: self.variables.survivors < self.config.tos.minclock,
            room: self.servers() < self.config.tos.maxclock,
        };
        let beacon_s = self.config.tos.beacon_s;
        let pool = self.pools.get_mut(&id)?;
        let hunt = pool.hunt.as_mut()?;
        if hunt.due <= now.mono {
            let spread = 1.0 + f64::from(self.rng.next_u32() >> 16) / 65_536.0 / 16.0;
            let interval_s = f64::from(pool.line.minpoll).exp2() * spread;
            hunt.due = now.mono.plus_seconds(interval_s);
            match hunt.next_ring(now.mono, need, beacon_s) {
                None => hunt.rest(need),
                Some(plan) => {
                    let asked = self.ask_group(id, plan.hops);
                    let hunt = self.hunt_mut(id)?;
                    if asked {
                        hunt.begin(now.mono, plan);
                    } else {
                        hunt.note_futile();
                    }
                }
            }
        }
        self.hunt_mut(id)
            .map(|hunt| hunt.due.seconds_since(now.mono))
    }

    fn hunt_mut(&mut self, id: AssociationId) -> Option<&mut Hunt> {
        self.pools.get_mut(&id)?.hunt.as_mut()
    }

    /// Sends one request through every link; false if there is none, or no key.
    fn ask_group(&mut self, id: AssociationId, hops: u8) -> bool {
        let Some(pool) = self.pools.get_mut(&id) else {
            return false;
        };
        let (line, Some(hunt)) = (&pool.line, pool.hunt.as_mut()) else {
            return false;
        };
        let group = hunt.group;
        let leads_there = |link: &&Link| link.multicast && link.local.is_ipv4() == group.is_ipv4();
        let links: Vec<Link> = self
            .config
            .links
            .iter()
            .filter(leads_there)
            .copied()
            .collect();
        if links.is_empty() || is_keyless(line, self.config.auth) {
            return false;
        }
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let nonce = hunt.exchange.begin(sequence, &mut self.rng);
        let authenticator = self.authenticator.as_mut();
        let octets = match minimised(line.version, nonce, line.key, authenticator) {
            Ok(octets) => octets,
            Err(key) => {
                hunt.exchange.reset();
                if !core::mem::replace(&mut hunt.key_missed, true) {
                    let failure = AuthFailure::UnknownKey;
                    let event = PeerEvent::BadAuthentication { key, failure };
                    self.tell(id, group.ip().to_string(), event);
                }
                return false;
            }
        };
        hunt.key_missed = false;
        let by_autokey = line.autokey;
        for link in links {
            let octets = if by_autokey {
                let ends = (link.local, group.ip());
                match self.sealed_search(id, nonce, ends) {
                    Some(octets) => octets,
                    None => continue,
                }
            } else {
                octets.clone()
            };
            self.outbox.push(Output::Send(Transmit {
                octets,
                to: through(group, link),
                route: Route::Ring {
                    link: link.id,
                    hops,
                },
                ticket: TxTicket {
                    association: id,
                    sequence,
                },
            }));
        }
        true
    }

    /// Takes what came in on a template's socket. Nobody of the configuration said it, so whatever
    /// it says it moves no timer, ends nothing and evicts nobody.
    pub(super) fn take_answer(&mut self, now: Now, id: AssociationId, received: &Received<'_>) {
        if let Some(hunt) = self.hunt_mut(id) {
            hunt.counts.received = hunt.counts.received.saturating_add(1);
        }
        let outcome = self.judge_answer(id, received);
        let refused = outcome.err().map(|(reason, _)| reason);
        if self.pools.get(&id).is_some_and(|it| it.line.key.is_some()) {
            self.trace_unasked(now, received, Match::Manycast, refused);
        } else {
            // Whose MAC nobody asked for is not looked at.
            self.trace_packet(now, received, Match::Manycast, Proof::None);
        }
        match outcome {
            Ok(server) if self.is_used(server) => {}
            Ok(server) => {
                if let Some(pool) = self.pools.get_mut(&id)
                    && let Some(hunt) = pool.hunt.as_mut()
                {
                    hunt.keep(server);
                    pool.hurry(now.mono);
                }
            }
            Err((reason, refusal)) => self.refuse_answer(id, received.source, reason, refusal),
        }
    }

    fn refuse_answer(
        &mut self,
        id: AssociationId,
        source: SocketAddr,
        reason: Unsolicited,
        refusal: Option<Refusal>,
    ) {
        self.unsolicited.count(reason);
        let (Some(hunt), Some(refusal)) = (self.hunt_mut(id), refusal) else {
            return;
        };
        hunt.counts.refuse(refusal.test());
        let event = match refusal {
            Refusal::Test(test) => PeerEvent::Refused(test),
            Refusal::Unauthentic(key, failure) => {
                hunt.counts.note_unauthentic(failure);
                PeerEvent::BadAuthentication { key, failure }
            }
            Refusal::Session(failure) => {
                hunt.counts.note_unauthentic(failure);
                PeerEvent::BadSession(failure)
            }
        };
        self.tell(id, source.ip().to_string(), event);
    }

    /// The server that answered, if it is to be asked from now on.
    fn judge_answer(
        &mut self,
        id: AssociationId,
        received: &Received<'_>,
    ) -> Result<SocketAddr, Refused> {
        let source = received.source;
        let not_wanted = (Unsolicited::NotWanted, None);
        let flags = self.config.access.flags_for(source);
        let is_ours = self.own.iter().any(|it| it.address == source.ip());
        let pool = self.pools.get(&id).ok_or(not_wanted)?;
        let (line, hunt) = (&pool.line, pool.hunt.as_ref().ok_or(not_wanted)?);
        if is_ours {
            return Err((Unsolicited::LoopedBack, None));
        }
        if flags.contains(RestrictFlags::IGNORE) {
            return Err((Unsolicited::Restricted, None));
        }
        // Servers answer from the service port: one host is one server.
        if source.port() != line.port {
            return Err(not_wanted);
        }
        if hunt.is_full() {
            return Err((Unsolicited::NoRoom, None));
        }
        let authenticator = self.authenticator.as_mut();
        let from = source.ip();
        let reply = identify(
            received.octets,
            &hunt.exchange,
            line.key,
            from,
            authenticator,
        )
        .map_err(|refusal| (name_of(refusal), Some(refusal)))?;
        // By Autokey everything is proven once it is asked, and nothing before.
        let is_unproven = matches!(reply.authenticity, Authenticity::NotAsked) && !line.autokey;
        if is_unproven && self.demands_key(source, flags) {
            let test = Refusal::Test(PacketTest::Authentication);
            return Err((Unsolicited::NoMac, Some(test)));
        }
        let test = |test| Some(Refusal::Test(test));
        examine(&reply.header).map_err(|failed| (Unsolicited::NotSynchronized, test(failed)))?;
        if !self.is_within(&reply.header) {
            return Err((Unsolicited::NotWanted, test(PacketTest::PeerStratum)));
        }
        if !self.is_help(&reply.header) {
            return Err((Unsolicited::NoHelp, None));
        }
        Ok(source)
    }

    /// Whether whoever answers must prove a key: by `enable auth`, or because the operator's rules say
    /// so of this address. The built-in `nopeer` is about those whom nobody looked for.
    fn demands_key(&self, source: SocketAddr, flags: RestrictFlags) -> bool {
        let by_operator = || {
            let ruling = self.config.access.ruling_for(source);
            ruling.is_some_and(|it| it.origin != Origin::BuiltIn)
        };
        self.config.auth == Demand::Authentic
            || flags.contains(RestrictFlags::NOTRUST)
            || flags.contains(RestrictFlags::NOPEER) && by_operator()
    }

    /// `tos floor` and `ceiling`.
    fn is_within(&self, said: &Header) -> bool {
        let tos = &self.config.tos;
        (tos.floor..tos.ceiling).contains(&said.stratum)
    }

    /// The rule by which servers keep silent (`server::Manycast`), as our requests do not tell
    /// them what they would have to know.
    fn is_help(&self, said: &Header) -> bool {
        let ours = self.variables.stratum;
        let farthest = if self.config.tos.cohort {
            ours + 1
        } else {
            ours
        };
        let follows_us = self
            .own
            .iter()
            .any(|it| !it.address.is_loopback() && it.reference_id == said.reference_id);
        said.stratum <= farthest && !(said.stratum > 1 && follows_us)
    }

    /// A template of this line.
    pub(super) fn mobilize_hunt(
        &mut self,
        id: AssociationId,
        line: &AssociationConfig,
        first: Instant,
    ) {
        let Remote::Address(group) = line.remote else {
            return;
        };
        let group = SocketAddr::new(group, line.port);
        let hunt = Hunt::new(group, rings(&self.config.rings, line.hops), first);
        let pool = Pool::of_group(line.clone(), hunt, first);
        self.pools.insert(id, pool);
    }

    /// Takes the rings of a new configuration.
    pub(super) fn retrace_rings(&mut self) {
        for pool in self.pools.values_mut() {
            if let Some(hunt) = &mut pool.hunt {
                hunt.set_rings(rings(&self.config.rings, pool.line.hops));
            }
        }
    }

    /// Interfaces came or went: whoever could ask nobody asks now.
    pub(super) fn use_links(&mut self, now: Instant, links: Vec<Link>) {
        let news = links.iter().any(|link| !self.config.links.contains(link));
        self.config.links = links;
        if news {
            for pool in self.pools.values_mut() {
                pool.look_around(now);
            }
            let all: Vec<_> = self.associations.keys().copied().collect();
            for id in all {
                self.prepare_rounds(id);
            }
        }
    }

    /// Says once why nobody will ever be found.
    pub(super) fn warn_of_keyless(&mut self, id: AssociationId) {
        let Some(pool) = self.pools.get(&id) else {
            return;
        };
        if pool.hunt.is_some() && is_keyless(&pool.line, self.config.auth) {
            let group = crate::association::remote_name(&pool.line);
            self.tell(id, group, PeerEvent::Keyless);
        }
    }
}

/// Whether no answer could be taken.
fn is_keyless(line: &AssociationConfig, auth: Demand) -> bool {
    line.key.is_none() && !line.autokey && auth == Demand::Authentic
}

/// Groups of a link's own scope need to be told which link.
fn through(group: SocketAddr, link: Link) -> SocketAddr {
    match group.ip() {
        IpAddr::V4(_) => group,
        IpAddr::V6(v6) => SocketAddrV6::new(v6, group.port(), 0, link.id.0).into(),
    }
}

const fn name_of(refusal: Refusal) -> Unsolicited {
    match refusal {
        Refusal::Unauthentic(_, AuthFailure::NoMac) | Refusal::Session(AuthFailure::NoMac) => {
            Unsolicited::NoMac
        }
        Refusal::Unauthentic(..)
        | Refusal::Session(_)
        | Refusal::Test(PacketTest::Authentication) => Unsolicited::NotAuthentic,
        Refusal::Test(PacketTest::Bogus | PacketTest::Duplicate) => Unsolicited::Unasked,
        Refusal::Test(_) => Unsolicited::Malformed,
    }
}
