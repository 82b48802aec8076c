//! Broadcast servers that speak Autokey (RFC 5906 §9): each packet is named by the next key of a list
//! whose signed end its first packet tells; all others tell who we are.
use super::super::System;
use super::Purpose;
use crate::association::Role;
use crate::autokey::job::{Done, SignedValue, Task};
use crate::autokey::key_list::{KeyList, Lifetime};
use crate::host::{Departure, Output};
use crate::packet::{AssociationId, LinkId};
use core::net::IpAddr;
use rand_chacha::rand_core::RngCore;
use std::collections::BTreeMap;
use truechimer_time::Now;
use truechimer_wire::{AutokeyBody, AutokeyCode, AutokeyMessage, MAC_LEN_MAX};

/// Random numbers tried as the first key of a list: one in 65,536 is none.
const SEEDS: usize = 4;
/// Octets of a packet of ours before its MAC at most.
const PACKET_LEN_MAX: usize = 2048;

/// Whose list a job signs.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct ListOf {
    association: AssociationId,
    turn: u64,
}

impl System {
    /// Has lists made where they are wanted, and says through which of these interfaces a packet can
    /// leave now; through the others it leaves when their first list is signed.
    pub(in super::super) fn with_keys(
        &mut self,
        now: Now,
        id: AssociationId,
        links: Vec<LinkId>,
    ) -> Vec<LinkId> {
        let speaks = |it: &Role| matches!(it, Role::Broadcast(line) if line.autokey);
        if !self
            .associations
            .get(&id)
            .is_some_and(|it| speaks(&it.role))
        {
            return links;
        }
        for link in &links {
            self.make_list(now, id, *link);
        }
        let emitter = self
            .associations
            .get(&id)
            .and_then(|it| it.emitter.as_ref());
        let has_key = |link: &LinkId| emitter.is_some_and(|it| it.lists.has_key(*link));
        links.into_iter().filter(has_key).collect()
    }

    fn make_list(&mut self, now: Now, id: AssociationId, link: LinkId) {
        let Some((local, to)) = self.ends_of(id, link) else {
            return;
        };
        let (Some(host), Some(association)) = (&self.autokey, self.associations.get_mut(&id))
        else {
            return;
        };
        let poll = u8::try_from(association.poll.host_poll()).unwrap_or(0);
        let automax = host.automax();
        let signed_at = host.signed_at();
        let Some(emitter) = association.emitter.as_mut() else {
            return;
        };
        // Nobody could verify the end of a list before the host's own values are signed.
        if signed_at == 0 || !emitter.lists.wants(link, local) {
            return;
        }
        let (end, turn) = match emitter.lists.begin_again(link) {
            Some(again) => again,
            None => {
                let lifetime = Lifetime { automax, poll };
                let authenticator = &mut self.authenticator;
                let list = core::iter::repeat_with(|| self.rng.next_u32())
                    .take(SEEDS)
                    .find_map(|seed| {
                        KeyList::make(seed, lifetime, true, |key_id| {
                            authenticator.session_key(local, to, key_id, 0)
                        })
                    });
                let Some(list) = list else { return };
                (list.end(), emitter.lists.begin(link, local, list))
            }
        };
        let task = Task::Sign {
            timestamp: now.wall.seconds(),
            values: vec![(signed_at, end.to_octets().to_vec())],
        };
        let of = ListOf {
            association: id,
            turn,
        };
        if !self.ask_crypto(now, Purpose::KeyList(of), task) {
            self.list_done(of, None);
        }
    }

    /// Takes what came of a job for a list.
    pub(super) fn key_list_done(&mut self, of: ListOf, done: Done) {
        let end = match done {
            Done::Signed(mut signed) => signed.pop(),
            _ => None,
        };
        self.list_done(of, end);
    }

    fn list_done(&mut self, of: ListOf, end: Option<SignedValue>) {
        let association = self.associations.get_mut(&of.association);
        let Some(emitter) = association.and_then(|it| it.emitter.as_mut()) else {
            return;
        };
        if let Some(link) = emitter.lists.end(of.turn, end) {
            self.outbox.push(Output::Compose(Departure {
                association: of.association,
                link: Some(link),
            }));
        }
    }

    /// Appends the field and the MAC of a broadcast; false if there is no key for it.
    pub(in super::super) fn append_autokey(
        &mut self,
        octets: &mut Vec<u8>,
        id: AssociationId,
        link: LinkId,
    ) -> bool {
        let sealed = self.seal_broadcast(octets, id, link);
        if sealed == Some(true) {
            // Who hears this may ask for the list at once.
            self.tell_service(true);
        }
        sealed.is_some()
    }

    /// Whether it is the first packet of a list; `None` if there is no key.
    fn seal_broadcast(
        &mut self,
        octets: &mut Vec<u8>,
        id: AssociationId,
        link: LinkId,
    ) -> Option<bool> {
        let (local, to) = self.ends_of(id, link)?;
        let emitter = self.associations.get_mut(&id)?.emitter.as_mut()?;
        let turn = emitter.lists.take(link, local)?;
        let host = self.autokey.as_ref()?;
        let (code, body): (AutokeyCode, AutokeyBody<'_>) = match &turn.end {
            Some(end) => (AutokeyCode::Autokey, end.body()),
            None => (AutokeyCode::Association, host.introduction()),
        };
        let message = AutokeyMessage {
            is_response: true,
            is_error: false,
            code,
            association: u32::from(id.0),
            body: Some(body),
        };
        let start = octets.len();
        octets.resize(start + message.field_len(), 0);
        message.write(octets.get_mut(start..)?)?;
        let key = self.authenticator.session_key(local, to, turn.key_id, 0)?;
        let mut mac = [0; MAC_LEN_MAX];
        let (key_id, digest) = mac.split_first_chunk_mut::<4>()?;
        *key_id = turn.key_id.to_be_bytes();
        let len = self.authenticator.seal_session(&key, octets, digest)?;
        octets.extend_from_slice(mac.get(..4 + len)?);
        (octets.len() <= PACKET_LEN_MAX).then_some(turn.end.is_some())
    }

    /// From which address to which one a packet goes through this interface.
    fn ends_of(&self, id: AssociationId, link: LinkId) -> Option<(IpAddr, IpAddr)> {
        let to = self.associations.get(&id)?.remote?.ip();
        let is_it = |it: &&crate::packet::Link| it.id == link && it.local.is_ipv4() == to.is_ipv4();
        let local = self.config.links.iter().find(is_it)?.local;
        Some((local, to))
    }

    /// The keys that signed lists are others now. The lists go on, so that whoever follows them loses
    /// nothing; their ends are signed anew and told.
    pub(super) fn renew_lists(&mut self) {
        for association in self.associations.values_mut() {
            if let Some(emitter) = &mut association.emitter {
                emitter.lists.outdate();
            }
            if let Some(autokey) = &mut association.autokey {
                autokey.ours.outdate();
            }
        }
    }

    /// The signed ends of all lists in use, by association and by the address that is asked.
    pub(super) fn list_ends(&self) -> BTreeMap<(AssociationId, IpAddr), SignedValue> {
        let mut all = BTreeMap::new();
        for (id, association) in &self.associations {
            let ends = association.emitter.iter().flat_map(|it| it.lists.ends());
            all.extend(ends.map(|(local, end)| ((*id, local), end.clone())));
        }
        all
    }
}
