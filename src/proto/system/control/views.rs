//! What is shown of the system, of an association, of a reference clock.
use super::super::System;
use super::super::leap::unix_s_near;
use super::super::pool::Pool;
use crate::association::{Association, Role};
use crate::config::{AssociationConfig, Remote};
use crate::control::{Asked, ClockView, Facts, PeerView, SystemView, Wishes, whole};
use crate::packet::AssociationId;
use crate::status::AssociationStatus;
use truechimer_time::{Now, NtpDuration, NtpTimestamp};
use truechimer_wire::Mode;

impl System {
    pub(super) fn system_view<'a>(&'a self, now: Now, facts: &'a dyn Facts) -> SystemView<'a> {
        let leader = self
            .variables
            .peer
            .and_then(|id| self.associations.get(&id));
        let status = self.status(now);
        SystemView {
            clock: now.wall,
            peer_address: leader.and_then(|it| it.remote),
            leap_table: self.leap.table_span_unix_s(),
            up_s: now.mono.since(self.started).as_secs(),
            polls: status
                .associations
                .iter()
                .map(|it| u64::from(it.sent))
                .sum(),
            precision_s: self.precision_s(),
            own_keys: self.retired_keys.plus(&self.authenticator.usage()),
            config: &self.config.control,
            watch: self.config.access.watch(),
            departures: self.config.access.departures().map(AsRef::as_ref),
            requests: self.control.counts.requests,
            unauthentic: self.control.counts.unauthentic,
            saved: self.control.saved.as_deref(),
            facts: Asked::new(facts),
            autokey: self.autokey.as_ref().map(|it| it.shown(now)),
            status,
        }
    }

    pub(super) fn peer_view(
        &self,
        now: Now,
        id: AssociationId,
        facts: &dyn Facts,
    ) -> Option<PeerView> {
        let status = self.association_status(now, id)?;
        let up_s = now.mono.since(self.started).as_secs();
        let Some(it) = self.associations.get(&id) else {
            return Some(pool_view(now, self.pools.get(&id)?, status, up_s));
        };
        let next = it.due();
        let list = status.autokey.as_ref().and_then(|it| it.initial.as_ref());
        let list_signed_unix_s = list.map(|list| unix_s_near(now, list.timestamp));
        let is_refclock = it.refclock_id().is_some();
        Some(PeerView {
            status,
            is_configured: it.role.is_configured(),
            is_refclock,
            host_mode: it.role.mode(),
            // A reference clock counts as a server, in the reference too.
            peer_mode: it
                .peer
                .mode
                .or(it.heard.filter(|_| is_refclock).map(|_| Mode::Server)),
            lag_s: it.conversation.lag().map(NtpDuration::to_seconds),
            hops: it.hops(),
            bias_s: it.listener.as_ref().and_then(|it| it.one_way.bias_s()),
            waits_s: it
                .listener
                .as_ref()
                .and_then(|it| it.waits_s())
                .or_else(|| it.held.map(NtpDuration::to_seconds)),
            host: it.role.line().and_then(host),
            wishes: wishes(it),
            has_key: it.is_keyed(),
            is_authentic: it.authentic,
            key: it.key_shown(),
            local: facts.client_address(id).or_else(|| it.heard_at()),
            precision: it.peer.precision,
            reference_time: it.peer.reference_time,
            origin: it.last_transmit().unwrap_or_default(),
            arrived: it.peer.destination,
            next_s: next.map_or(0, |next| next.since(now.mono).as_secs()),
            headway_s: whole(it.poll.headway_s(now.mono)),
            reach_changed_s: now.mono.since(it.reach_changed).as_secs(),
            selection: it.tally as u8,
            up_s,
            list_signed_unix_s,
        })
    }

    /// Association 0 means the leader if it is a reference clock, or else the first one.
    pub(super) fn clock_view(&self, number: u16) -> Option<ClockView> {
        let is_clock = |it: &&Association| it.refclock_id().is_some();
        let found = if number == 0 {
            let leader = self
                .variables
                .peer
                .and_then(|id| self.associations.get(&id));
            let mut all = self.associations.values();
            leader.filter(is_clock).or_else(|| all.find(is_clock))
        } else {
            self.associations
                .get(&AssociationId(number))
                .filter(is_clock)
        };
        let it = found?;
        let Role::Refclock(config) = &it.role else {
            return None;
        };
        Some(ClockView {
            driver: config.id.driver,
            device: device(config.id.driver),
            polls: it.counts.received,
            stratum: config.stratum,
            reference_id: config.reference_id,
        })
    }
}

/// A pool has no packets of its own.
fn pool_view(now: Now, pool: &Pool, status: AssociationStatus, up_s: u64) -> PeerView {
    PeerView {
        status,
        is_configured: true,
        is_refclock: false,
        host_mode: Mode::Client,
        peer_mode: None,
        lag_s: None,
        hops: None,
        bias_s: None,
        waits_s: None,
        host: host(&pool.line),
        wishes: wishes_of(&pool.line),
        has_key: pool.line.key.is_some(),
        is_authentic: false,
        key: pool.line.key.map_or(0, |key| key.get()),
        local: None,
        precision: 0,
        reference_time: NtpTimestamp::ZERO,
        origin: NtpTimestamp::ZERO,
        arrived: NtpTimestamp::ZERO,
        next_s: pool.next().since(now.mono).as_secs(),
        headway_s: 0,
        reach_changed_s: up_s,
        selection: 0,
        up_s,
        list_signed_unix_s: None,
    }
}

/// The reference's descriptions of its drivers, as far as they are built.
const fn device(driver: u8) -> &'static str {
    match driver {
        1 => "Undisciplined local clock",
        _ => "",
    }
}

const fn wishes_of(line: &AssociationConfig) -> Wishes {
    Wishes {
        prefer: line.prefer,
        burst: line.burst,
        iburst: line.iburst,
        version: line.version,
    }
}

/// A reference clock's line says less.
fn wishes(association: &Association) -> Wishes {
    let of_a_clock = Wishes {
        prefer: association.options.prefer,
        burst: false,
        iburst: false,
        version: association.options.version,
    };
    association.role.line().map_or(of_a_clock, wishes_of)
}

fn host(line: &AssociationConfig) -> Option<String> {
    match &line.remote {
        Remote::Name(name) => Some(name.clone()),
        Remote::Address(_) => None,
    }
}
