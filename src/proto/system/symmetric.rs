//! Symmetric peers: what is sent to them, and who becomes one unasked.
//!
//! A passive association is made by a stranger's packet, so the packet must prove much: it has a MAC
//! of a key we trust, a `restrict` line of the operator about its sender does not say `noepeer`, and
//! it echoes a stamp that we sent not long ago. The last keeps an old packet from being played again
//! from a forged address, to have us ask somebody who never asked us (CVE-2016-1549, CVE-2018-7170).
use super::System;
use super::mobilize::ASSOCIATIONS_AT_MOST;
use crate::association::{Association, Hand, Role};
use crate::authentication::{KeyId, verify};
use crate::config::{AssociationConfig, AssociationKind, Remote};
use crate::event::PeerEvent;
use crate::packet::{AssociationId, Received, Transmit, Via};
use crate::server::{is_fresh_echo, permits_passive};
use crate::trace::Match;
use crate::unsolicited::Unsolicited;
use core::net::SocketAddr;
use truechimer_time::Now;
use truechimer_time::leap::LeapIndicator;
use truechimer_wire::{Header, Mode, Packet};

/// Passive associations whose peers have not echoed us yet.
const UNPROVEN_AT_MOST: usize = 16;
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
    key: KeyId,
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
        let key = KeyId::symmetric(mac.key_id).ok_or(Unsolicited::NotAuthentic)?;
        let authenticator = self.authenticator.as_mut();
        verify(
            authenticator,
            key,
            source.ip(),
            packet.authenticated(),
            mac.digest,
        )
        .map_err(|_| Unsolicited::NotAuthentic)?;
        if !is_fresh_echo(&header, now.wall) || self.mobilizers.knows(header.transmit_time) {
            return Err(Unsolicited::Replayed);
        }
        let strata = self.config.tos.floor..self.config.tos.ceiling;
        let synchronized = header.leap != LeapIndicator::NotSynchronized && header.stratum != 0;
        if synchronized && !strata.contains(&header.stratum) {
            return Err(Unsolicited::NotWanted);
        }
        self.check_room(source)?;
        Ok(Proven { header, key })
    }

    fn check_room(&self, source: SocketAddr) -> Result<(), Unsolicited> {
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
        let unproven = passive().filter(|it| !it.conversation.has_begun()).count();
        let all = self.associations.len() + self.pools.len();
        if unproven >= UNPROVEN_AT_MOST || all >= ASSOCIATIONS_AT_MOST {
            return Err(Unsolicited::NoRoom);
        }
        Ok(())
    }

    fn mobilize_passive(&mut self, now: Now, source: SocketAddr, proven: &Proven) -> AssociationId {
        let Proven { header, key } = proven;
        self.mobilizers.note(header.transmit_time);
        let plain = AssociationConfig::server(Remote::Address(source.ip()));
        let line = AssociationConfig {
            kind: AssociationKind::Peer,
            port: source.port(),
            version: header.version,
            minpoll: header.poll.clamp(PASSIVE_POLLS.0, PASSIVE_POLLS.1),
            maxpoll: PASSIVE_POLLS.1,
            key: Some(*key),
            ..plain
        };
        let id = self.new_id();
        let role = Role::Passive(line.clone());
        let precision_s = self.precision_s();
        let mut peer = Association::server(id, role, &line, now.mono, now.mono, precision_s);
        peer.remote = Some(source);
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
