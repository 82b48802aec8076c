//! Symmetric peers: what is sent to them, and who becomes one unasked.
//!
//! A passive association is made by a stranger's packet, so the packet must prove much: it has a MAC
//! of a key we trust, a `restrict` line of the operator about its sender does not say `noepeer`, and
//! it echoes a stamp that we sent not long ago. The last keeps an old packet from being played again
//! from a forged address, to have us ask somebody who never asked us (CVE-2016-1549, CVE-2018-7170).
use super::System;
use super::mobilize::ASSOCIATIONS_AT_MOST;
use crate::association::{Association, Ends, Hand, Role, verify_between};
use crate::authentication::{KeyId, verify};
use crate::config::{AssociationConfig, AssociationKind, Remote};
use crate::event::PeerEvent;
use crate::packet::{AssociationId, Received, Transmit, Via};
use crate::server::{RestrictFlags, is_fresh_echo, network_of, permits_passive};
use crate::trace::Match;
use crate::unsolicited::Unsolicited;
use core::net::{IpAddr, SocketAddr};
use truechimer_time::Now;
use truechimer_time::leap::LeapIndicator;
use truechimer_wire::{AutokeyCode, AutokeyMessage, Header, Mode, Packet};

/// Passive associations whose peers have not echoed us yet; as many whose peers came by Autokey and did
/// not prove a group, for everybody can do all else.
const UNPROVEN_AT_MOST: usize = 16;
/// Of those that came by Autokey from one network: a network has ports and addresses enough for all.
const UNPROVEN_OF_ONE_AT_MOST: usize = 4;
/// Polls that a peer may leave unanswered before its passive association ends (the reference's
/// NTP_UNREACH), and the same for one that never answered.
const DESERTED_POLLS: u32 = 10;
const NEVER_ANSWERED_POLLS: u32 = 3;
/// Poll exponents of a passive association: the peer polls as it likes within them, as in the
/// reference.
const PASSIVE_POLLS: (i8, i8) = (3, 10);

/// A packet that proved all that a passive association needs.
struct Proven {
    header: Header,
    /// Without one, by Autokey.
    key: Option<KeyId>,
    /// Where it came in.
    local: Option<IpAddr>,
}

impl System {
    /// The next packet to a symmetric peer.
    pub(super) fn compose_for_peer(&mut self, now: Now, id: AssociationId) -> Option<Transmit> {
        let snapshot = self.variables.snapshot();
        let association = self.associations.get_mut(&id)?;
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let mut events = Vec::new();
        let mut hand = Hand {
            authenticator: self.authenticator.as_mut(),
            rng: &mut self.rng,
            events: &mut events,
        };
        let transmit = association.speak(now, sequence, &snapshot, &mut hand);
        let remote = association.shown_remote();
        for event in events {
            self.tell(id, remote.clone(), event);
        }
        transmit
    }

    /// The association a datagram is for that came to a service socket, if it is a symmetric one; a
    /// new passive one, if the datagram proves that there may be one. `None` for anything else.
    pub(super) fn peer_of(
        &mut self,
        now: Now,
        received: &Received<'_>,
    ) -> Option<(AssociationId, Match)> {
        let first = received.octets.first().copied().unwrap_or_default();
        if !matches!(received.via, Via::Server(_)) {
            return None;
        }
        let mode = Mode::from_bits(first);
        let is_symmetric = matches!(mode, Mode::SymmetricActive | Mode::SymmetricPassive);
        let mut all = self.associations.values().filter(|_| is_symmetric);
        let known = all.find(|it| it.is_symmetric() && it.remote == Some(received.source));
        if let Some(known) = known {
            return Some((known.id, Match::Association));
        }
        if mode != Mode::SymmetricActive {
            self.unsolicited.count(Unsolicited::Unasked);
            return None;
        }
        match self.admit_passive(now, received) {
            Ok(proven) => {
                let id = self.mobilize_passive(now, received.source, &proven);
                Some((id, Match::NewPassive))
            }
            Err(reason) => {
                self.unsolicited.count(reason);
                None
            }
        }
    }

    /// Whether a stranger's packet may make a passive association: cheap and hopeless first, so that
    /// a flood costs little.
    fn admit_passive(&mut self, now: Now, received: &Received<'_>) -> Result<Proven, Unsolicited> {
        let source = received.source;
        let ourselves = source.ip().to_canonical();
        if self.own.iter().any(|it| it.address == ourselves) && !ourselves.is_loopback() {
            return Err(Unsolicited::LoopedBack);
        }
        let packet = Packet::new_checked(received.octets).map_err(|_| Unsolicited::Malformed)?;
        let header = packet.header();
        if !(1..=4).contains(&header.version) || header.transmit_time.is_zero() {
            return Err(Unsolicited::Malformed);
        }
        let flags = self.config.access.flags_for(source);
        if !permits_passive(flags) {
            return Err(Unsolicited::Restricted);
        }
        let mac = packet.mac().ok_or(Unsolicited::NoMac)?;
        let local = match received.via {
            Via::Server(local) => Some(local.ip()),
            _ => None,
        };
        let key = KeyId::symmetric(mac.key_id);
        let authenticator = self.authenticator.as_mut();
        match key {
            Some(key) => verify(
                authenticator,
                key,
                source.ip(),
                packet.authenticated(),
                mac.digest,
            )
            .map(drop)
            .map_err(|_| Unsolicited::NotAuthentic)?,
            None => {
                // Autokey's introduction proves nothing, like a packet without MAC, unless the dance is
                // to prove the group.
                if !self.demands_group() && flags.contains(RestrictFlags::NOPEER) {
                    return Err(Unsolicited::Restricted);
                }
                self.admit_session(&packet, source, local)?;
            }
        }
        if !is_fresh_echo(&header, now.wall) || self.mobilizers.knows(header.transmit_time) {
            return Err(Unsolicited::Replayed);
        }
        let strata = self.config.tos.floor..self.config.tos.ceiling;
        let synchronized = header.leap != LeapIndicator::NotSynchronized && header.stratum != 0;
        if synchronized && !strata.contains(&header.stratum) {
            return Err(Unsolicited::NotWanted);
        }
        self.check_room(source, key.is_none())?;
        Ok(Proven { header, key, local })
    }

    /// Whether a stranger speaks Autokey: its packet is an introduction under a session key between
    /// it and us. That proves where it is, as it echoes us, and nothing else; all else is for the
    /// dance, before which no time of its is used.
    fn admit_session(
        &mut self,
        packet: &Packet<'_>,
        source: SocketAddr,
        local: Option<IpAddr>,
    ) -> Result<(), Unsolicited> {
        let refused = Unsolicited::NotAuthentic;
        let local = local.filter(|_| self.autokey.is_some()).ok_or(refused)?;
        let introduces = packet.extension_fields().next().and_then(|field| {
            let message = AutokeyMessage::new_checked(&field).ok()?;
            (message.code == AutokeyCode::Association).then_some(())
        });
        introduces.ok_or(refused)?;
        let ends = Ends::new(source.ip(), local);
        verify_between(packet, ends, 0, self.authenticator.as_mut())
            .map(drop)
            .ok_or(refused)
    }

    fn check_room(&self, source: SocketAddr, by_autokey: bool) -> Result<(), Unsolicited> {
        let passive = || {
            let all = self.associations.values();
            all.filter(|it| matches!(it.role, Role::Passive(_)))
        };
        let is_same = |it: &&Association| it.remote.is_some_and(|at| at.ip() == source.ip());
        let of_same = passive().filter(is_same).count();
        let limit = self.config.access.ruling_for(source);
        let limit = limit.and_then(|it| it.rule.ip_peer_limit);
        if limit.is_some_and(|most| of_same >= usize::try_from(most).unwrap_or(usize::MAX)) {
            return Err(Unsolicited::PeerLimit);
        }
        let is_unproven = |it: &&Association| match &it.autokey {
            Some(autokey) => by_autokey && !autokey.dance.has_proven_group(),
            None => !by_autokey && !it.conversation.has_begun(),
        };
        let network = network_of(source.ip());
        let is_near =
            |it: &&Association| it.remote.is_some_and(|at| network_of(at.ip()) == network);
        let near = passive().filter(is_unproven).filter(is_near).count();
        if by_autokey && near >= UNPROVEN_OF_ONE_AT_MOST {
            return Err(Unsolicited::PeerLimit);
        }
        let unproven = passive().filter(is_unproven).count();
        let all = self.associations.len() + self.pools.len();
        if unproven >= UNPROVEN_AT_MOST || all >= ASSOCIATIONS_AT_MOST {
            return Err(Unsolicited::NoRoom);
        }
        Ok(())
    }

    fn mobilize_passive(&mut self, now: Now, source: SocketAddr, proven: &Proven) -> AssociationId {
        let Proven { header, key, local } = proven;
        self.mobilizers.note(header.transmit_time);
        let plain = AssociationConfig::server(Remote::Address(source.ip()));
        let line = AssociationConfig {
            kind: AssociationKind::Peer,
            port: source.port(),
            version: header.version,
            minpoll: header.poll.clamp(PASSIVE_POLLS.0, PASSIVE_POLLS.1),
            maxpoll: PASSIVE_POLLS.1,
            key: *key,
            autokey: key.is_none(),
            ident: self.config.autokey.as_ref().and_then(|it| it.ident.clone()),
            ..plain
        };
        let id = self.new_id();
        let role = Role::Passive(line.clone());
        let precision_s = self.precision_s();
        let mut peer = Association::server(id, role, &line, now.mono, now.mono, precision_s);
        peer.remote = Some(source);
        peer.local = *local;
        self.equip(now, &mut peer);
        let shown = peer.shown_remote();
        self.associations.insert(id, peer);
        self.tell(id, shown, PeerEvent::Mobilize);
        id
    }

    /// Whether a passive association has lost its peer, or never had one.
    pub(super) fn is_deserted(&self, id: AssociationId) -> bool {
        self.associations.get(&id).is_some_and(|it| {
            let most = if it.conversation.has_begun() {
                DESERTED_POLLS
            } else {
                NEVER_ANSWERED_POLLS
            };
            matches!(it.role, Role::Passive(_)) && it.conversation.unanswered() >= most
        })
    }
}
