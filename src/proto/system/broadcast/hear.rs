//! What is sent to many, and what becomes of it: nothing, unless the configuration listens there,
//! our rules allow the sender, a trusted key proves it, and it is news.
use super::super::System;
use super::super::mobilize::ASSOCIATIONS_AT_MOST;
use crate::association::{Association, FirstPacket, Listener, Road, Role, UNREACHABLE_POLLS};
use crate::authentication::{AuthFailure, KeyId, verify};
use crate::config::{AssociationConfig, Demand, Listening, Remote, SystemConfig};
use crate::event::{PeerEvent, SystemEvent};
use crate::packet::{AssociationId, LinkId, Received};
use crate::server::{Origin, RestrictFlags};
use crate::trace::Match;
use crate::unsolicited::Unsolicited;
use core::net::{IpAddr, SocketAddr};
use truechimer_time::Now;
use truechimer_wire::{Header, Malformed, Mode, Packet};

/// Broadcast servers that are heard at one time.
const HEARD_AT_MOST: usize = 32;

/// Where a packet to many came in.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Arrival {
    pub(in super::super) to: IpAddr,
    pub(in super::super) link: LinkId,
    pub(in super::super) local: SocketAddr,
}

/// By what a first packet is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Proof {
    /// A symmetric key.
    Key(KeyId),
    /// Nothing yet; Autokey is to prove it.
    Session,
}

impl Listening {
    /// Whether anything that is sent to many is listened to.
    pub(in super::super) const fn hears_any(&self) -> bool {
        self.broadcast || !self.groups.is_empty()
    }

    /// Whether what is sent to this address is listened to.
    fn hears(&self, to: IpAddr) -> bool {
        if to.is_multicast() {
            self.groups.contains(&to)
        } else {
            self.broadcast
        }
    }
}

impl System {
    /// Takes a datagram that was sent to many.
    pub(in super::super) fn hear_many(&mut self, now: Now, at: Arrival, received: &Received<'_>) {
        let code = match self.listener_to(received.source) {
            Some(_) => Match::Association,
            None => Match::NewBroadcastClient,
        };
        let refused = self.hear_broadcast(now, at, received).err();
        if let Some(why) = refused {
            self.unsolicited.count(why);
            self.tell_refused(now, received.source, why);
        }
        self.trace_unasked(now, received, code, refused);
        self.pump(now);
        self.publish();
    }

    fn hear_broadcast(
        &mut self,
        now: Now,
        at: Arrival,
        received: &Received<'_>,
    ) -> Result<(), Unsolicited> {
        let source = received.source;
        if self.is_ourselves(source.ip(), at.local.ip()) {
            return Err(Unsolicited::LoopedBack);
        }
        if !self.config.listening.hears(at.to) {
            return Err(Unsolicited::NotWanted);
        }
        let known = self.listener_to(source);
        let restrictions = restrictions(&self.config, source, known.is_some());
        if restrictions.contains(RestrictFlags::IGNORE) {
            return Err(Unsolicited::Restricted);
        }
        let packet = Packet::new_checked(received.octets);
        let packet = match packet {
            Ok(packet) => packet,
            Err(Malformed::Mac) => {
                return self.refuse_unproven(now, known, None, AuthFailure::WrongLength);
            }
            Err(_) => return Err(Unsolicited::Malformed),
        };
        let header = packet.header();
        if header.mode != Mode::Broadcast || !(1..=4).contains(&header.version) {
            return Err(Unsolicited::Malformed);
        }
        // Their own association knows them better, and its requests are answered.
        if known.is_none() && self.is_source(source.ip()) {
            return Err(Unsolicited::NotWanted);
        }
        if self.is_by_autokey(&packet, known) {
            return self.hear_sealed_broadcast(now, at, received, &packet, known);
        }
        let own_key = known
            .and_then(|id| self.associations.get(&id))
            .and_then(|it| it.options.key);
        let key = match self.prove(&packet, source.ip(), own_key) {
            Ok(key) => key,
            Err((key, why)) => return self.refuse_unproven(now, known, key, why),
        };
        let authentic_only = self.config.auth == Demand::Authentic
            || restrictions.contains(RestrictFlags::NOTRUST)
            || restrictions.contains(RestrictFlags::NOPEER);
        if key.is_none() && (authentic_only || own_key.is_some()) {
            return self.refuse_unproven(now, known, None, AuthFailure::NoMac);
        }
        let road = Road {
            to: at.to,
            link: at.link,
        };
        let id = match known {
            Some(id) => self.take_road(id, road)?,
            None => {
                let proof = key.map(Proof::Key);
                self.mobilize_listener(now, (source, at.local), road, &header, proof)?
            }
        };
        self.take_broadcast(now, id, received, &header)
    }

    /// Under which key a packet is proven; `None` of one without MAC.
    fn prove(
        &mut self,
        packet: &Packet<'_>,
        from: IpAddr,
        own_key: Option<KeyId>,
    ) -> Result<Option<KeyId>, (Option<KeyId>, AuthFailure)> {
        let Some(mac) = packet.mac() else {
            return Ok(None);
        };
        if mac.is_crypto_nak() {
            return Err((own_key, AuthFailure::CryptoNak));
        }
        let key = KeyId::symmetric(mac.key_id).ok_or((None, AuthFailure::UnknownKey))?;
        if own_key.is_some_and(|own| own != key) {
            return Err((own_key, AuthFailure::OtherKey));
        }
        let authenticator = self.authenticator.as_mut();
        verify(authenticator, key, from, packet.authenticated(), mac.digest)
            .map(|proof| Some(proof.key()))
            .map_err(|why| (Some(key), why))
    }

    pub(in super::super) fn refuse_unproven(
        &mut self,
        now: Now,
        known: Option<AssociationId>,
        key: Option<KeyId>,
        why: AuthFailure,
    ) -> Result<(), Unsolicited> {
        if let Some(id) = known
            && let Some(association) = self.associations.get_mut(&id)
        {
            let heard = association.refuse_unproven(key, why);
            self.after(now, id, heard, false);
        }
        Err(if why == AuthFailure::NoMac {
            Unsolicited::NoMac
        } else {
            Unsolicited::NotAuthentic
        })
    }

    /// A source that comes by several ways is heard by one, until that falls silent.
    pub(in super::super) fn take_road(
        &mut self,
        id: AssociationId,
        road: Road,
    ) -> Result<AssociationId, Unsolicited> {
        let association = self.associations.get_mut(&id);
        let association = association.ok_or(Unsolicited::NotWanted)?;
        let silent = association.poll.reach() == 0;
        let listener = association.listener.as_mut();
        let listener = listener.ok_or(Unsolicited::NotWanted)?;
        if listener.road != road {
            if !silent {
                return Err(Unsolicited::NotWanted);
            }
            listener.road = road;
        }
        Ok(id)
    }

    pub(in super::super) fn mobilize_listener(
        &mut self,
        now: Now,
        (source, local): (SocketAddr, SocketAddr),
        road: Road,
        header: &Header,
        proof: Option<Proof>,
    ) -> Result<AssociationId, Unsolicited> {
        let restrictions = restrictions(&self.config, source, false);
        if restrictions.contains(RestrictFlags::NOEPEER) {
            return Err(Unsolicited::Restricted);
        }
        // Autokey's introduction proves nothing, like a packet without MAC, unless the dance is to prove
        // the group.
        let authentic_only = self.config.auth == Demand::Authentic
            || restrictions.contains(RestrictFlags::NOTRUST)
            || restrictions.contains(RestrictFlags::NOPEER);
        if proof == Some(Proof::Session) && authentic_only && !self.demands_group() {
            return Err(Unsolicited::NotAuthentic);
        }
        // No MAC covers the sender's address: one server's packet must not make another of it.
        if self.broadcasts_heard.knows(header.transmit_time) {
            return Err(Unsolicited::Replayed);
        }
        let first = FirstPacket::examine(header)?;
        let ruling = self.config.access.ruling_for(source);
        let limit = ruling.and_then(|it| it.rule.ip_peer_limit);
        if limit.is_some_and(|limit| self.ephemeral(source.ip()) >= limit) {
            return Err(Unsolicited::PeerLimit);
        }
        let listeners = self.associations.values();
        let heard = listeners.filter(|it| it.listener.is_some()).count();
        let full = self.associations.len() + self.pools.len() >= ASSOCIATIONS_AT_MOST;
        if full || heard >= HEARD_AT_MOST {
            return Err(Unsolicited::NoRoom);
        }
        let listening = &self.config.listening;
        let listener = Listener::new(&first, now, (road, local), header, listening, &mut self.rng);
        let line = AssociationConfig {
            port: source.port(),
            version: header.version,
            minpoll: header.poll,
            maxpoll: header.poll,
            preempt: true,
            key: match proof {
                Some(Proof::Key(key)) => Some(key),
                Some(Proof::Session) | None => None,
            },
            autokey: proof == Some(Proof::Session),
            ident: self.config.autokey.as_ref().and_then(|it| it.ident.clone()),
            ..AssociationConfig::server(Remote::Address(source.ip()))
        };
        let id = self.new_id();
        let role = Role::BroadcastClient(line.clone());
        let precision_s = self.precision_s();
        let mut association = Association::server(id, role, &line, now.mono, now.mono, precision_s);
        association.remote = Some(source);
        association.local = Some(local.ip());
        association.listener = Some(Box::new(listener));
        self.equip(now, &mut association);
        let shown = association.shown_remote();
        self.associations.insert(id, association);
        self.tell(id, shown, PeerEvent::Mobilize);
        Ok(id)
    }

    pub(in super::super) fn take_broadcast(
        &mut self,
        now: Now,
        id: AssociationId,
        received: &Received<'_>,
        header: &Header,
    ) -> Result<(), Unsolicited> {
        let setting = self.setting();
        let steered = self.discipline.steered(now);
        let association = self.associations.get_mut(&id);
        let association = association.ok_or(Unsolicited::NotWanted)?;
        let heard =
            association.take_broadcast(now, received, header, &setting, steered, &mut self.rng)?;
        self.broadcasts_heard.note(header.transmit_time);
        self.after(now, id, heard, false);
        Ok(())
    }

    /// A turn of an association that listens: a request of its volley, or a packet that is missed.
    /// A source that is silent for long is forgotten, as nobody configured it.
    pub(in super::super) fn run_listener(&mut self, now: Now, id: AssociationId) {
        let setting = self.setting();
        let steered = self.discipline.steered(now);
        let Some(association) = self.associations.get_mut(&id) else {
            return;
        };
        let remote = association.shown_remote();
        let volley = association.volley_turn(now, &steered, &setting, &mut self.rng);
        let missed = association.miss_broadcast(now, &setting);
        let forgotten =
            association.poll.reach() == 0 && association.poll.unanswered() >= UNREACHABLE_POLLS;
        if let Some(event) = volley.event {
            self.tell(id, remote.clone(), event);
        }
        if volley.request {
            self.send_request(id, now);
        }
        if let Some(missed) = missed {
            if missed.lost {
                self.tell(id, remote, PeerEvent::Unreachable);
            } else if missed.missed {
                self.tell(id, remote, PeerEvent::NoReply);
            }
            if forgotten {
                self.demobilize(now, id);
            }
            if missed.lost || missed.empty || forgotten {
                self.select(now);
            }
        }
    }

    /// Associations of a new configuration that does not want to hear them any more.
    pub(in super::super) fn is_unwanted(association: &Association, config: &SystemConfig) -> bool {
        association.listener.as_ref().is_some_and(|listener| {
            let flags = association.remote.map(|it| restrictions(config, it, false));
            let forbids = |flag| flags.is_some_and(|flags| flags.contains(flag));
            let demanded = config.auth == Demand::Authentic || forbids(RestrictFlags::NOPEER);
            let unproven = !association.is_keyed() && demanded;
            let barred = unproven || forbids(RestrictFlags::NOEPEER);
            barred || !config.listening.hears(listener.road.to)
        })
    }

    fn listener_to(&self, source: SocketAddr) -> Option<AssociationId> {
        let mut all = self.associations.values();
        all.find(|it| it.listener.is_some() && it.remote == Some(source))
            .map(|it| it.id)
    }

    /// Whether another association gets its time from this address.
    fn is_source(&self, address: IpAddr) -> bool {
        let mut all = self.associations.values();
        all.any(|it| {
            let is_address = it.remote.is_some_and(|remote| remote.ip() == address);
            is_address && it.listener.is_none() && it.emitter.is_none()
        })
    }

    /// Associations with this address that nobody configured.
    fn ephemeral(&self, address: IpAddr) -> u32 {
        let all = self.associations.values();
        let count = all
            .filter(|it| !it.role.is_configured())
            .filter(|it| it.remote.is_some_and(|remote| remote.ip() == address))
            .count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    fn is_ourselves(&self, source: IpAddr, local: IpAddr) -> bool {
        source == local
            || source.is_loopback()
            || self.own.iter().any(|it| it.address == source)
            || self.config.links.iter().any(|it| it.local == source)
    }

    /// Only what an operator can do something about, and not often: anybody can send it.
    fn tell_refused(&mut self, now: Now, source: SocketAddr, why: Unsolicited) {
        let tells = matches!(
            why,
            Unsolicited::NoMac
                | Unsolicited::NotAuthentic
                | Unsolicited::Restricted
                | Unsolicited::PollField
                | Unsolicited::PeerLimit
                | Unsolicited::NoRoom
        );
        if tells && self.may_tell_of_strangers(now) {
            self.tell_system(SystemEvent::Unsolicited(source, why));
        }
    }
}

/// What a sender may not do. The built-in rules forbid strangers to make associations; here the
/// operator has called for those who send to many, so of them only what he said himself counts.
/// `restrict source` is about who is `known` already; strangers are not let in by it.
fn restrictions(config: &SystemConfig, source: SocketAddr, known: bool) -> RestrictFlags {
    let flags = if known {
        config.access.flags_for_source(source)
    } else {
        config.access.flags_for(source)
    };
    let ruling = config.access.ruling_for(source);
    if ruling.is_some_and(|it| it.origin == Origin::BuiltIn) {
        flags
            .without(RestrictFlags::NOPEER)
            .without(RestrictFlags::NOEPEER)
    } else {
        flags
    }
}
