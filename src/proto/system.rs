//! The system process (RFC 5905 §11): associations in, one estimate to the discipline, one snapshot
//! to the server threads out. Owned by the clock thread; nothing else may touch it.
mod access;
mod autokey;
mod broadcast;
mod candidate;
mod cluster;
mod combine;
mod compose;
mod control;
mod first_doubt;
mod inputs;
mod leap;
mod local;
mod lookup;
mod manycast;
mod mitigation;
mod mobilize;
mod names;
mod one_shot;
mod orphan;
mod outbox;
mod pool;
mod recording;
mod reload;
mod report;
mod seen;
mod select;
mod symmetric;
mod telling;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_support;
mod tracing;
mod turns;
mod update;
mod variables;

pub use select::agreement;

use crate::association::Association;
use crate::authentication::Authenticator;
use crate::clock_filter::Setting;
use crate::config::SystemConfig;
use crate::control::KeyFacts;
use crate::discipline::Discipline;
use crate::event::{EventCounts, SystemEvent};
use crate::host::Output;
use crate::leap::LeapSchedule;
use crate::packet::AssociationId;
use crate::snapshot::Snapshot;
use crate::unsolicited::UnsolicitedCounts;
use candidate::OwnAddress;
use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;
use lookup::Lookup;
use mitigation::Clockhop;
use outbox::Outbox;
use pool::Pool;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use seen::Seen;
use std::collections::BTreeMap;
use truechimer_time::{Instant, Now};
use variables::Variables;

/// How often the frequency is looked at for keeping.
const HOUSEKEEPING_EVERY: Duration = Duration::from_secs(3600);

/// RFC 5905's client side: sources, selection and the discipline they feed.
///
/// Events go in by `handle_*`; after each, fetch `poll_output` until `None`, then wait until
/// `poll_timeout` at the latest.
pub struct System {
    config: SystemConfig,
    authenticator: Box<dyn Authenticator>,
    rng: ChaCha20Rng,
    outbox: Outbox,
    associations: BTreeMap<AssociationId, Association>,
    pools: BTreeMap<AssociationId, Pool>,
    /// Of named servers and of pools, by their association.
    lookups: BTreeMap<AssociationId, Lookup>,
    discipline: Discipline,
    variables: Variables,
    leap: LeapSchedule,
    leap_due: Option<Instant>,
    clockhop: Clockhop,
    own: Vec<OwnAddress>,
    published: Option<Snapshot>,
    events: EventCounts,
    /// Servers in use, as last told.
    sources: Vec<SocketAddr>,
    /// Since when nobody leads; of no meaning while somebody does.
    leaderless: Instant,
    /// Since when the first setting of the clock waits for sources to be told apart.
    first_doubt: Option<Instant>,
    housekeeping: Instant,
    started: Instant,
    control: control::Desk,
    /// Use of the keys there were before.
    retired_keys: KeyFacts,
    strangers_told: Option<Instant>,
    unsolicited: UnsolicitedCounts,
    /// What Autokey knows of this host, if it is spoken.
    autokey: Option<Box<autokey::Host>>,
    jobs: autokey::Jobs,
    /// What passive associations were made by.
    mobilizers: Seen<64>,
    /// Broadcasts that were taken.
    broadcasts_heard: Seen<256>,
    next_id: u16,
    next_sequence: u64,
    next_resolve: u32,
    /// The daemon was told to end: nothing more is to happen to the clock.
    ended: bool,
}

impl System {
    /// Mobilises what is configured, schedules the first polls and queues the first outputs.
    ///
    /// `seed` is the only randomness there is: nonces and poll spreading come from it, so it must be
    /// unpredictable, except in tests.
    pub fn new(
        now: Now,
        config: SystemConfig,
        seed: [u8; 32],
        authenticator: Box<dyn Authenticator>,
    ) -> Self {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let first_id = u16::try_from(rng.next_u32() >> 16).unwrap_or(1);
        let control = control::Desk::new(now, first_id, &mut rng);
        let mut this = Self {
            discipline: Discipline::new(now, config.steering, config.tinker, config.precision),
            variables: Variables::new(now.mono, config.precision),
            config: SystemConfig::default(),
            authenticator,
            rng,
            outbox: Outbox::default(),
            associations: BTreeMap::new(),
            pools: BTreeMap::new(),
            lookups: BTreeMap::new(),
            leap: LeapSchedule::new(None),
            leap_due: None,
            clockhop: Clockhop::default(),
            own: Vec::new(),
            published: None,
            events: EventCounts::default(),
            sources: Vec::new(),
            leaderless: now.mono,
            first_doubt: None,
            housekeeping: now.mono.plus(HOUSEKEEPING_EVERY),
            started: now.mono,
            control,
            retired_keys: KeyFacts::default(),
            strangers_told: None,
            unsolicited: UnsolicitedCounts::default(),
            autokey: None,
            jobs: autokey::Jobs::default(),
            mobilizers: Seen::default(),
            broadcasts_heard: Seen::default(),
            next_id: first_id,
            next_sequence: 1,
            next_resolve: 1,
            ended: false,
        };
        this.tell_system(SystemEvent::Restart);
        this.configure(now, config);
        this.end_if_hopeless(now);
        this.pump(now);
        this.publish();
        this
    }

    /// The next thing to be done by the host; call until `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outbox.pop()
    }

    /// Packets that nobody asked for and that were refused, by reason.
    pub const fn unsolicited(&self) -> &UnsolicitedCounts {
        &self.unsolicited
    }

    /// When `handle_timeout` is needed at the latest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.ended {
            return None;
        }
        let polls = self.associations.values().filter_map(Association::due);
        let pools = self.pools.values().map(Pool::next);
        let lookups = self.lookups.values().filter_map(Lookup::next);
        polls
            .chain(pools)
            .chain(lookups)
            .chain(self.discipline.next_tick())
            .chain(self.leap_due)
            .chain(self.orphan_due())
            .chain(self.autokey_due())
            .chain([self.housekeeping])
            .min()
    }

    /// What server threads answer from.
    pub fn snapshot(&self) -> Snapshot {
        self.variables.snapshot()
    }

    /// A seed for somebody else of this process, who needs randomness of its own.
    pub fn draw_seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        seed
    }

    /// Outputs lost because nobody fetched them.
    pub const fn outputs_dropped(&self) -> u64 {
        self.outbox.dropped()
    }

    fn publish(&mut self) {
        let snapshot = self.variables.snapshot();
        if self.published != Some(snapshot) {
            self.published = Some(snapshot);
            self.outbox.push(Output::Publish(snapshot));
        }
        self.tell_sources();
    }

    /// Passes on what the discipline wants done and told.
    fn pump(&mut self, now: Now) {
        self.run_autokey(now);
        while let Some(adjustment) = self.discipline.poll_adjustment() {
            self.outbox.push(Output::Adjust(adjustment));
        }
        while let Some(event) = self.discipline.poll_event() {
            self.tell_system(event);
        }
        if self.housekeeping <= now.mono {
            self.housekeeping = now.mono.plus(HOUSEKEEPING_EVERY);
            if let Some(freq_ppm) = self.discipline.frequency_to_store(now) {
                self.outbox.push(Output::StoreFrequency(freq_ppm));
            }
        }
    }

    fn setting(&self) -> Setting {
        Setting {
            phi_s_per_s: self.config.tinker.dispersion_s_per_s,
            allan_s: self.config.tinker.allan_s,
            maxdist_s: self.config.tos.maxdist_s,
            precision_s: self.precision_s(),
            poll_s: 0.0,
            // Until the clock is set, a good old sample must not keep news from the selection.
            settling: !self.is_synchronized() || self.discipline.settling(),
        }
    }

    fn precision_s(&self) -> f64 {
        f64::from(self.config.precision).exp2()
    }
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("System")
            .field("variables", &self.variables)
            .field("associations", &self.associations.len())
            .finish_non_exhaustive()
    }
}
