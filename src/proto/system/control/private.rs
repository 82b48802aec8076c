//! Private messages (mode 7): who may, and what is shown.
//!
//! Answers to this host are whole, and so are those to whoever proved the request key. To anybody
//! else, where the operator let anybody else ask, an answer is one datagram and not longer than its
//! request: a forged sender gains nothing by it.
mod changes;

use super::super::System;
use crate::authentication::{KeyId, MacVerified, verify};
use crate::control::private::{self as shown, Requirements};
use crate::control::{ControlReply, ControlRequest, Facts, PeerView, PrivateConfig};
use crate::packet::AssociationId;
use crate::server::{Origin, RestrictFlags};
use core::net::{IpAddr, SocketAddr};
use truechimer_time::Now;
use truechimer_wire::private::{
    ClockAddress, PeerListItem, PrivateAnswer, PrivateCode, PrivateError, PrivateHeader,
    PrivateItem, PrivateMalformed, PrivateMessage,
};

/// Versions of the protocol whose private messages are answered.
const VERSIONS: core::ops::RangeInclusive<u8> = 1..=4;

/// Where an answer goes.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    header: PrivateHeader,
    to: SocketAddr,
    from: SocketAddr,
    /// What an answer may be long, octets; `None` where the asker proved who it is.
    len_max: Option<usize>,
}

impl System {
    pub(super) fn handle_private(
        &mut self,
        now: Now,
        request: &ControlRequest<'_>,
        facts: &dyn Facts,
    ) {
        let Some(config) = self.config.control.private else {
            return self.ignore();
        };
        if !self.may_ask_privately(request.source) {
            return self.ignore();
        }
        let (header, message) = match PrivateMessage::new_checked(request.octets) {
            Ok(message) => (*message.header(), Some(message)),
            Err(PrivateMalformed::Short(header)) => (header, None),
            Err(PrivateMalformed::NotPrivate) => return self.ignore(),
        };
        if !is_request(&header) {
            return self.ignore();
        }
        let mut letter = Letter {
            header,
            to: request.source,
            from: request.local,
            len_max: (!is_here(request.source)).then_some(request.octets.len()),
        };
        let Some(message) = message else {
            return self.refuse_privately(now, &letter, PrivateError::Format);
        };
        let required = match required(&header) {
            Ok(required) => required,
            Err(error) => return self.refuse_privately(now, &letter, error),
        };
        let key = self.prove_privately(now, request, &message, config);
        if key.is_some() {
            letter.len_max = None;
        }
        if required.key {
            let may_change = !request.flags.contains(RestrictFlags::NOMODIFY);
            let is_change = header.code != PrivateCode::InterfaceStats;
            if key.is_none() || (is_change && !may_change) {
                return self.refuse_privately(now, &letter, PrivateError::Permission);
            }
            if is_change {
                return self.change(now, letter, &message);
            }
        }
        match self.read_privately(now, &message, config, facts) {
            Ok(answer) => self.answer_privately(now, &letter, &answer),
            Err(error) => self.refuse_privately(now, &letter, error),
        }
    }

    /// Whoever is on this host, and those in a network that the operator wrote a `restrict` line
    /// about which lets them: `restrict default` is not about anybody in particular.
    fn may_ask_privately(&self, source: SocketAddr) -> bool {
        let is_meant = || {
            let ruling = self.config.access.ruling_for(source);
            ruling.is_some_and(|it| {
                it.origin == Origin::Operator
                    && it.rule.network.prefix_bits() > 0
                    && !it.rule.flags.contains(RestrictFlags::NOQUERY)
            })
        };
        is_here(source) || is_meant()
    }

    /// The request key, if the request was sealed with it, and just now, and only once.
    fn prove_privately(
        &mut self,
        now: Now,
        request: &ControlRequest<'_>,
        message: &PrivateMessage<'_>,
        config: PrivateConfig,
    ) -> Option<KeyId> {
        let trailer = message.trailer()?;
        let proof = KeyId::symmetric(trailer.mac.key_id)
            .filter(|key| Some(*key) == config.key)
            .and_then(|key| {
                let from = request.source.ip();
                let (octets, digest) = (trailer.authenticated, trailer.mac.digest);
                let authenticator = self.authenticator.as_mut();
                verify(authenticator, key, from, octets, digest).ok()
            });
        // Only what is authentic may use up a stamp.
        let freshness = &mut self.control.freshness;
        let proof = proof.filter(|_| freshness.admits(now, trailer.stamp, request.arrived));
        if proof.is_none() {
            self.control.counts.unauthentic += 1;
        }
        proof.as_ref().map(MacVerified::key)
    }

    fn read_privately(
        &self,
        now: Now,
        message: &PrivateMessage<'_>,
        config: PrivateConfig,
        facts: &dyn Facts,
    ) -> Result<PrivateAnswer, PrivateError> {
        let header = message.header();
        let mut answer = PrivateAnswer::new(header.implementation);
        let view = || self.system_view(now, facts);
        match header.code {
            PrivateCode::PeerList => self.put_peers(now, facts, shown::list, &mut answer),
            PrivateCode::PeerSummary => self.put_peers(now, facts, shown::summary, &mut answer),
            PrivateCode::PeerInfo => {
                self.put_named(now, facts, message, shown::info, &mut answer);
            }
            PrivateCode::PeerStats => {
                self.put_named(now, facts, message, shown::stats, &mut answer);
            }
            PrivateCode::SystemInfo => answer.push(&shown::system(&view(), config.flags)),
            PrivateCode::SystemStats => answer.push(&shown::packets(&view())),
            PrivateCode::IoStats => answer.push(&shown::io(&view())),
            PrivateCode::MemoryStats => {
                let made = self.next_id.wrapping_sub(self.control.first_id);
                answer.push(&shown::memory(&view(), made.into()));
            }
            PrivateCode::LoopInfo => {
                let set = self.variables.epoch.unwrap_or(self.started);
                let since_s = now.mono.since(set).as_secs();
                answer.push(&shown::discipline(&view(), since_s));
            }
            PrivateCode::TimerStats => answer.push(&shown::timer(&view())),
            PrivateCode::Authentication => answer.push(&shown::authentication(&view())),
            PrivateCode::ControlStats => {
                answer.push(&shown::control(&view(), &self.control.counts));
            }
            PrivateCode::Kernel => {
                let kernel = facts.kernel().ok_or(PrivateError::NoData)?;
                answer.push(&shown::kernel(&kernel));
            }
            PrivateCode::RestrictList => {
                let rules = shown::restrictions(&self.config.access.rulings());
                let rules = rules.iter();
                rules
                    .filter(|it| answer.knows_v6() || it.address().is_ipv4())
                    .collect::<Vec<_>>()
                    .into_iter()
                    .for_each(|it| answer.push(it));
            }
            PrivateCode::ClockInfo => self.put_clocks(now, message, &mut answer)?,
            PrivateCode::InterfaceStats => {
                let locals: Vec<_> = self
                    .associations
                    .keys()
                    .filter_map(|id| facts.client_address(*id))
                    .collect();
                let peers = |ip| locals.iter().filter(|local| local.ip() == ip).count();
                for item in shown::interfaces(&facts.interfaces(), peers) {
                    answer.push(&item);
                }
            }
            // There are no traps, and our drivers keep nothing for their authors.
            _ => return Err(PrivateError::NoData),
        }
        Ok(answer)
    }

    /// Those that have an address.
    fn put_peers<I: PrivateItem>(
        &self,
        now: Now,
        facts: &dyn Facts,
        write: fn(&PeerView, SocketAddr) -> I,
        answer: &mut PrivateAnswer,
    ) {
        for (id, association) in &self.associations {
            let remote = association.remote;
            let remote = remote.filter(|it| answer.knows_v6() || it.ip().to_canonical().is_ipv4());
            if let Some(remote) = remote
                && let Some(view) = self.peer_view(now, *id, facts)
            {
                answer.push(&write(&view, remote));
            }
        }
    }

    /// Those that are named; names that nobody has are passed over.
    fn put_named<I: PrivateItem>(
        &self,
        now: Now,
        facts: &dyn Facts,
        message: &PrivateMessage<'_>,
        write: fn(&PeerView, SocketAddr) -> I,
        answer: &mut PrivateAnswer,
    ) {
        for named in message.read::<PeerListItem>() {
            let found = self.association_at(named.remote(), |_| true);
            let Some((id, remote)) = found else {
                continue;
            };
            if let Some(view) = self.peer_view(now, id, facts) {
                answer.push(&write(&view, remote));
            }
        }
    }

    fn put_clocks(
        &self,
        now: Now,
        message: &PrivateMessage<'_>,
        answer: &mut PrivateAnswer,
    ) -> Result<(), PrivateError> {
        let up_s = now.mono.since(self.started).as_secs();
        for ClockAddress { octets } in message.read() {
            let found = self.association_at(octets.into(), |_| true);
            let view = found.and_then(|(id, _)| self.clock_view(id.0));
            answer.push(&shown::clock(
                octets,
                &view.ok_or(PrivateError::NoData)?,
                up_s,
            ));
        }
        Ok(())
    }

    /// The first association with an address that is wanted.
    fn association_at(
        &self,
        address: IpAddr,
        wanted: impl Fn(&crate::association::Association) -> bool,
    ) -> Option<(AssociationId, SocketAddr)> {
        let mut all = self.associations.iter();
        all.find_map(|(id, it)| {
            let remote = it.remote?;
            let found = remote.ip().to_canonical() == address.to_canonical() && wanted(it);
            found.then_some((*id, remote))
        })
    }

    fn answer_privately(&mut self, now: Now, letter: &Letter, answer: &PrivateAnswer) {
        if letter.len_max.is_some_and(|len| answer.len() > len) {
            return self.refuse_privately(now, letter, PrivateError::Permission);
        }
        if answer.is_empty() {
            return self.refuse_privately(now, letter, PrivateError::NoData);
        }
        self.control.counts.answered += 1;
        self.send_privately(now, letter, answer.datagrams(&letter.header));
    }

    /// Tells the asker what came of a change.
    pub(super) fn acknowledge_done(&mut self, now: Now, letter: &Letter, succeeded: bool) {
        if !succeeded {
            return self.refuse_privately(now, letter, PrivateError::NoData);
        }
        self.control.counts.answered += 1;
        self.send_privately(now, letter, vec![letter.header.acknowledge(None)]);
    }

    fn refuse_privately(&mut self, now: Now, letter: &Letter, error: PrivateError) {
        self.control.counts.refused += 1;
        let datagrams = vec![letter.header.acknowledge(Some(error))];
        self.send_privately(now, letter, datagrams);
    }

    fn send_privately(&mut self, now: Now, letter: &Letter, datagrams: Vec<Vec<u8>>) {
        let reply = ControlReply {
            datagrams,
            to: letter.to,
            from: letter.from,
        };
        self.send_reply(now, reply, letter.len_max.is_none());
    }
}

/// Answers, errors and fragments are not to be answered, or two of us would never stop
/// (CVE-2009-3563).
fn is_request(header: &PrivateHeader) -> bool {
    let plain = !header.is_response && !header.has_more && header.error.is_none();
    let first = header.sequence == 0 && header.is_regular;
    plain && first && VERSIONS.contains(&header.version)
}

/// What a request must bring, or why it cannot be answered whatever it brings.
fn required(header: &PrivateHeader) -> Result<Requirements, PrivateError> {
    use truechimer_wire::private::Implementation;
    if matches!(header.implementation, Implementation::Other(_)) {
        return Err(PrivateError::Implementation);
    }
    let required = Requirements::of(header.code).ok_or(PrivateError::Request)?;
    if !required.fit(header.implementation, header.item_len, header.items) {
        return Err(PrivateError::Format);
    }
    Ok(required)
}

/// A loopback address cannot come from the wire: the server threads see to that.
fn is_here(source: SocketAddr) -> bool {
    source.ip().to_canonical().is_loopback()
}
