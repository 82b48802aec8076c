//! Pools: `pool` and `manycastclient` lines are templates that spin up associations, drop the useless
//! and replace them.
use super::System;
use super::manycast::Hunt;
use crate::association::{Association, Role, UNREACHABLE_POLLS};
use crate::config::AssociationConfig;
use crate::packet::AssociationId;
use crate::status::{PEER_TESTS, PacketTest, Tally};
use core::net::{IpAddr, SocketAddr};
use truechimer_time::{Instant, Now};

/// One new member a second, so that a name server's list is not asked all at once.
const SPIN_UP_S: f64 = 1.0;
/// How often a full pool, or one without addresses, is looked at.
const LOOK_S: f64 = 64.0;
/// An address that was dropped is not tried again for this long.
const SHUN_S: f64 = 3600.0;
/// After DENY or RSTR.
const SHUN_DENIED_S: f64 = 86_400.0;
/// Addresses remembered as useless.
const SHUNNED_AT_MOST: usize = 64;

/// One `pool` or `manycastclient` line.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) line: AssociationConfig,
    /// Where the addresses of a manycast client come from; those of a pool come from its name.
    pub(super) hunt: Option<Hunt>,
    next: Instant,
    /// When a member was last spun up.
    spun: Option<Instant>,
    shunned: Vec<(IpAddr, Instant)>,
}

impl Pool {
    pub(super) const fn new(line: AssociationConfig, first: Instant) -> Self {
        Self {
            line,
            hunt: None,
            next: first,
            spun: None,
            shunned: Vec::new(),
        }
    }

    pub(super) fn of_group(line: AssociationConfig, hunt: Hunt, first: Instant) -> Self {
        Self {
            hunt: Some(hunt),
            ..Self::new(line, first)
        }
    }

    pub(super) const fn next(&self) -> Instant {
        self.next
    }

    /// There are new addresses: look at once.
    pub(super) const fn hurry(&mut self, now: Instant) {
        self.next = now;
    }

    /// The surroundings changed: a manycast client asks at once.
    pub(super) const fn look_around(&mut self, now: Instant) {
        if let Some(hunt) = &mut self.hunt {
            hunt.hurry(now);
            self.next = now;
        }
    }

    pub(super) fn shun_awhile(&mut self, address: IpAddr, now: Instant) {
        self.shun(address, now.plus_seconds(SHUN_S));
        self.next = now;
    }

    pub(super) fn shun_for_a_day(&mut self, address: IpAddr, now: Instant) {
        self.shun(address, now.plus_seconds(SHUN_DENIED_S));
        self.next = now;
    }

    fn shun(&mut self, address: IpAddr, until: Instant) {
        self.shunned.retain(|(it, _)| *it != address);
        if self.shunned.len() >= SHUNNED_AT_MOST {
            self.shunned.remove(0);
        }
        self.shunned.push((address, until));
    }

    fn shuns(&self, address: IpAddr, now: Instant) -> bool {
        let mut shunned = self.shunned.iter();
        shunned.any(|(it, until)| *it == address && now < *until)
    }
}

/// What is to become of an association after a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Stay,
    /// There are more than enough.
    Go,
    /// Another address of its pool takes its place.
    Replace {
        pool: AssociationId,
        address: IpAddr,
    },
}

impl System {
    pub(super) fn run_pools(&mut self, now: Now) {
        let due: Vec<AssociationId> = self
            .pools
            .iter()
            .filter(|(_, pool)| pool.next <= now.mono)
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            let wait_s = self.run_pool(now, id);
            if let Some(pool) = self.pools.get_mut(&id) {
                pool.next = now.mono.plus_seconds(wait_s);
            }
        }
    }

    /// Spins up at most one member; returns the seconds until the next look.
    fn run_pool(&mut self, now: Now, id: AssociationId) -> f64 {
        let round_s = self.run_hunt(now, id);
        let quiet_s = round_s.map_or(LOOK_S, |round_s| round_s.min(LOOK_S));
        if !self.wants_more(now, id) {
            return quiet_s;
        }
        let Some(address) = self.unused_address(now, id) else {
            if let Some(lookup) = self.lookups.get_mut(&id) {
                lookup.want(now.mono);
            }
            return quiet_s;
        };
        let Some(pool) = self.pools.get_mut(&id) else {
            return LOOK_S;
        };
        pool.spun = Some(now.mono);
        let mut line = pool.line.clone();
        // Who just answered is there: a burst tells soon what it is worth.
        line.iburst |= pool.hunt.is_some();
        self.mobilize_member(now, id, &line, address);
        SPIN_UP_S
    }

    /// Up to `maxclock` at once; beyond, up to twice that, slowly and only while too few survive, or
    /// when a manycast client looks round for better ones.
    pub(super) fn wants_more(&self, now: Now, id: AssociationId) -> bool {
        let tos = &self.config.tos;
        let servers = self.servers();
        if servers < tos.maxclock {
            return true;
        }
        let pool = self.pools.get(&id);
        let calm = pool
            .and_then(|pool| pool.spun)
            .is_none_or(|spun| now.mono.seconds_since(spun) >= LOOK_S);
        let wanting = calm && self.variables.survivors < tos.minclock;
        let beacon = pool
            .and_then(|pool| pool.hunt.as_ref())
            .is_some_and(Hunt::is_beacon);
        (wanting || beacon) && servers < tos.maxclock.saturating_mul(2)
    }

    pub(super) fn unused_address(&self, now: Now, id: AssociationId) -> Option<SocketAddr> {
        let pool = self.pools.get(&id)?;
        let known = match &pool.hunt {
            Some(hunt) => hunt.found(),
            None => self.lookups.get(&id)?.known(),
        };
        known.iter().copied().find(|&remote| {
            let address = remote.ip();
            let ours = self
                .own
                .iter()
                .any(|it| it.address == address && !address.is_loopback());
            let used = self.is_used(remote) || self.is_ignored(remote);
            !ours && !used && !pool.shuns(address, now.mono)
        })
    }

    /// Whether an association is still worth having. A member that does not answer or lies stays
    /// until there is another address to put in its place: with DNS or the network down, keeping
    /// what is known is the best there is.
    pub(super) fn fate_of(&mut self, now: Now, id: AssociationId) -> Fate {
        let Some(association) = self.associations.get(&id) else {
            return Fate::Stay;
        };
        let unwanted = association.unwanted >= UNREACHABLE_POLLS && !association.options.noselect;
        if !association.options.preempt || !unwanted {
            return Fate::Stay;
        }
        let silent = association.poll.reach() == 0;
        let useless = matches!(association.tally, Tally::Reject | Tally::Falseticker);
        let remote = association.remote;
        if let (Role::Member { pool, .. }, Some(remote)) = (&association.role, remote)
            && (silent || useless)
        {
            let pool = *pool;
            if self.unused_address(now, pool).is_some() {
                let address = remote.ip();
                return Fate::Replace { pool, address };
            }
            if let Some(lookup) = self.lookups.get_mut(&pool) {
                lookup.want(now.mono);
            }
        }
        if self.servers() > self.config.tos.maxclock && self.is_least(id) {
            return Fate::Go;
        }
        Fate::Stay
    }

    /// Whom a manycast client drops for better ones it does not take from the next round again.
    pub(super) fn shun_dropped(&mut self, now: Now, id: AssociationId) {
        let Some(association) = self.associations.get(&id) else {
            return;
        };
        if let (Role::Member { pool, .. }, Some(remote)) = (&association.role, association.remote)
            && let Some(pool) = self.pools.get_mut(pool)
            && pool.hunt.is_some()
        {
            pool.shun(remote.ip(), now.mono.plus_seconds(SHUN_S));
        }
    }

    /// Whether no preemptible association is worth less (the reference's score).
    fn is_least(&self, id: AssociationId) -> bool {
        let least = self
            .associations
            .values()
            .filter(|it| it.options.preempt)
            .map(score)
            .min();
        self.associations.get(&id).map(score) == least
    }
}

/// How much an association is worth: peer tests passed, and its part in the selection.
fn score(association: &Association) -> u32 {
    let failed = (association.counts.flash & PEER_TESTS).count_ones();
    let chosen = matches!(
        association.tally,
        Tally::Outlier | Tally::Candidate | Tally::Backup | Tally::SystemPeer | Tally::PpsPeer
    );
    let spare = association.tally == Tally::Backup;
    let tests = PEER_TESTS.count_ones();
    debug_assert!(tests == 4 && PacketTest::PeerLoop.bit() & PEER_TESTS != 0);
    tests - failed + u32::from(chosen) + u32::from(!spare)
}
