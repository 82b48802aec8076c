//! Associations (RFC 5905 §9): one server, peer or reference clock each, what is known of it, and
//! what a datagram or a sample from it changes.
mod autokey;
mod broadcast;
mod exchange;
mod interleave;
mod on_wire;
mod packet_tests;
mod poll;
mod refclock;
mod reply;
mod request;
mod role;
mod symmetric;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use autokey::{Autokey, Blocked, Ends, Spoken, append_session_mac, verify_between};
pub(crate) use broadcast::{Emitter, FirstPacket, Listener, Road};
pub(crate) use exchange::Exchange;
pub(crate) use packet_tests::{Authenticity, Refusal, examine, identify};
pub(crate) use poll::{PollProcess, UNREACHABLE_POLLS};
pub(crate) use reply::{After, Heard};
pub(crate) use request::{append_mac, minimised};
pub(crate) use role::Role;
pub(crate) use symmetric::{Conversation, Hand};

use crate::authentication::{AuthFailure, KeyId};
use crate::clock_filter::{ClockFilter, Filtered, Setting};
use crate::config::{AssociationConfig, RefclockConfig};
use crate::event::EventCounts;
use crate::packet::{AssociationId, StampClass};
use crate::refclock::RefclockId;
use crate::status::{PacketTest, Tally};
use core::net::{IpAddr, SocketAddr};
use poll::Habits;
use rand_chacha::ChaCha20Rng;
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{Instant, NtpDuration, NtpTimestamp};
use truechimer_wire::{Mode, ReferenceId};

/// Stratum of a source that has none.
pub(crate) const STRATUM_UNSPECIFIED: u8 = 16;
/// Poll exponents allowed at all; below 3 is our own extension.
const POLL_RANGE: core::ops::RangeInclusive<i8> = 0..=17;

/// What mitigation and tests need to know of the configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) prefer: bool,
    pub(crate) always_true: bool,
    pub(crate) noselect: bool,
    pub(crate) preempt: bool,
    pub(crate) version: u8,
    pub(crate) key: Option<KeyId>,
}

/// The peer variables that come from packets (RFC 5905 §9.1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) leap: LeapIndicator,
    pub(crate) stratum: u8,
    pub(crate) poll: i8,
    pub(crate) precision: i8,
    /// Its side's mode, once it is known.
    pub(crate) mode: Option<Mode>,
    pub(crate) root_delay_s: f64,
    pub(crate) root_dispersion_s: f64,
    pub(crate) reference_id: ReferenceId,
    /// When its clock was last set.
    pub(crate) reference_time: NtpTimestamp,
    /// When the last reply with time arrived, on the system clock.
    pub(crate) destination: NtpTimestamp,
}

/// Counters and flash bits, for people.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) sent: u32,
    pub(crate) received: u32,
    pub(crate) refused: [u32; 13],
    pub(crate) unauthentic: [u32; AuthFailure::ALL.len()],
    pub(crate) flash: u16,
}

impl Counts {
    pub(crate) fn refuse(&mut self, test: PacketTest) {
        self.flash |= test.bit();
        if let Some(count) = self.refused.get_mut(test as usize) {
            *count = count.saturating_add(1);
        }
    }

    pub(crate) fn note_unauthentic(&mut self, failure: AuthFailure) {
        if let Some(count) = self.unauthentic.get_mut(failure as usize) {
            *count = count.saturating_add(1);
        }
    }
}

/// One source of time.
#[derive(Debug)]
pub(crate) struct Association {
    pub(crate) id: AssociationId,
    pub(crate) role: Role,
    pub(crate) options: Options,
    pub(crate) remote: Option<SocketAddr>,
    pub(crate) poll: PollProcess,
    pub(crate) filter: ClockFilter,
    pub(crate) peer: Peer,
    pub(crate) counts: Counts,
    pub(crate) tally: Tally,
    /// Polls since it last survived the cluster algorithm.
    pub(crate) unwanted: u32,
    pub(crate) heard: Option<Instant>,
    /// Our address towards it, as the host says.
    pub(crate) local: Option<IpAddr>,
    /// When it last became reachable or unreachable, at first when it was made.
    pub(crate) reach_changed: Instant,
    pub(crate) stamps: Option<(StampClass, StampClass)>,
    /// How long the server had the request of the last exchange that was measured, if an interleaved
    /// reply told so.
    pub(crate) held: Option<NtpDuration>,
    /// The network says that the last request cannot arrive; anybody may have said it.
    pub(crate) said_unreachable: bool,
    /// Of a broadcast server that we are.
    pub(crate) emitter: Option<Box<Emitter>>,
    /// Of a broadcast server that we hear.
    pub(crate) listener: Option<Box<Listener>>,
    /// Of one whose line says `autokey`.
    pub(crate) autokey: Option<Box<Autokey>>,
    exchange: Exchange,
    /// With a symmetric peer.
    pub(crate) conversation: Conversation,
    /// The missing key was complained about.
    key_missed: bool,
    /// The last reply was authentic.
    pub(crate) authentic: bool,
    pub(crate) events: EventCounts,
}

impl Association {
    /// A server, a pool's member or a symmetric peer, first asked at `first`.
    pub(crate) fn server(
        id: AssociationId,
        role: Role,
        line: &AssociationConfig,
        now: Instant,
        first: Instant,
        precision_s: f64,
    ) -> Self {
        let habits = Habits {
            iburst: line.iburst,
            burst: line.burst,
            ..poll_limits(line.minpoll, line.maxpoll)
        };
        let options = Options {
            prefer: line.prefer,
            always_true: line.always_true,
            noselect: line.noselect,
            preempt: line.preempt || matches!(role, Role::Member { .. }),
            version: line.version.clamp(1, 4),
            key: line.key,
        };
        let poll = PollProcess::new(habits, now, first);
        Self::with(id, role, options, poll, now, precision_s)
    }

    /// A reference clock, whose samples come by themselves: polls only keep the reach register.
    pub(crate) fn refclock(
        id: AssociationId,
        config: &RefclockConfig,
        now: Instant,
        precision: i8,
    ) -> Self {
        let habits = poll_limits(config.minpoll, config.maxpoll);
        let options = Options {
            prefer: config.prefer,
            always_true: config.always_true,
            noselect: config.noselect,
            preempt: false,
            version: 4,
            key: None,
        };
        let poll = PollProcess::new(habits, now, now);
        let role = Role::Refclock(config.clone());
        let precision_s = f64::from(precision).exp2();
        let mut this = Self::with(id, role, options, poll, now, precision_s);
        this.peer.precision = precision;
        this.remote = Some(SocketAddr::new(config.id.address(), 123));
        this
    }

    fn with(
        id: AssociationId,
        role: Role,
        options: Options,
        poll: PollProcess,
        now: Instant,
        precision_s: f64,
    ) -> Self {
        let peer = Peer::unknown(&role, "INIT");
        Self {
            id,
            role,
            options,
            remote: None,
            poll,
            filter: ClockFilter::new(now, precision_s),
            peer,
            counts: Counts::default(),
            tally: Tally::Reject,
            unwanted: 0,
            heard: None,
            local: None,
            reach_changed: now,
            stamps: None,
            held: None,
            said_unreachable: false,
            emitter: None,
            listener: None,
            autokey: None,
            exchange: Exchange::default(),
            conversation: Conversation::default(),
            key_missed: false,
            authentic: false,
            events: EventCounts::default(),
        }
    }

    /// Begins anew: the clock was stepped (`STEP`) or the server has another address (`INIT`). What
    /// Autokey knows of it stays; another clock is no other server.
    pub(crate) fn restart(
        &mut self,
        now: Instant,
        code: &str,
        precision_s: f64,
        rng: &mut ChaCha20Rng,
    ) {
        self.exchange.reset();
        self.conversation.reset();
        if let Some(emitter) = &mut self.emitter {
            emitter.forget_time();
        }
        if let Some(listener) = &mut self.listener {
            listener.forget_time();
        }
        self.authentic = false;
        self.held = None;
        self.filter = ClockFilter::new(now, precision_s);
        self.peer = Peer {
            precision: self.peer.precision,
            ..Peer::unknown(&self.role, code)
        };
        self.poll.restart(now, rng);
        self.tally = Tally::Reject;
        self.unwanted = 0;
        self.counts.flash = 0;
    }

    /// Whether only authentic packets are taken: by a key, or by Autokey.
    pub(crate) const fn is_keyed(&self) -> bool {
        self.options.key.is_some() || self.autokey.is_some()
    }

    /// As configured, for people.
    pub(crate) fn name(&self) -> String {
        match &self.role {
            Role::Server(line) | Role::Peer(line) | Role::Broadcast(line) => remote_name(line),
            Role::Member { line, .. } | Role::Passive(line) | Role::BroadcastClient(line) => self
                .remote
                .map_or_else(|| remote_name(line), |remote| remote.ip().to_string()),
            Role::Refclock(config) => config.id.to_string(),
        }
    }

    /// Where events say it comes from: the address, or the name while there is none.
    pub(crate) fn shown_remote(&self) -> String {
        match (self.refclock_id(), self.remote) {
            (Some(clock), _) => clock.label(),
            (None, Some(remote)) => remote.ip().to_string(),
            (None, None) => self.name(),
        }
    }

    /// Driver and unit, of a reference clock.
    pub(crate) const fn refclock_id(&self) -> Option<RefclockId> {
        match &self.role {
            Role::Refclock(config) => Some(config.id),
            _ => None,
        }
    }

    /// Whether this is the LOCAL clock.
    pub(crate) fn is_local(&self) -> bool {
        self.refclock_id().is_some_and(RefclockId::is_local)
    }

    /// Least root distance is `mindist_s`, so that a very good clock does not make the leader hop.
    /// Root distance now, seconds (RFC 5905 §11.1).
    pub(crate) fn root_distance_s(&self, now: Instant, phi_s_per_s: f64, mindist_s: f64) -> f64 {
        let distance_s = f64::midpoint(self.filter.delay_s(), self.peer.root_delay_s)
            + self.filter.dispersion_at_s(now, phi_s_per_s)
            + self.peer.root_dispersion_s
            + self.filter.jitter_s();
        distance_s.max(mindist_s)
    }

    /// Transmit stamp of the last reply. A symmetric peer's is its nonce, which is nobody's business.
    pub(crate) fn last_transmit(&self) -> Option<NtpTimestamp> {
        match &self.listener {
            Some(listener) => listener.last_transmit(),
            None => self.exchange.last_transmit(),
        }
    }

    fn setting(&self, base: &Setting) -> Setting {
        Setting {
            poll_s: f64::from(self.poll.host_poll()).exp2(),
            ..*base
        }
    }

    /// Tells the filter that nobody answers.
    pub(crate) fn note_silence(&mut self, now: Instant, base: &Setting) -> Filtered {
        let setting = self.setting(base);
        self.filter.push_silence(now, &setting)
    }
}

impl Peer {
    fn unknown(role: &Role, code: &str) -> Self {
        let (stratum, reference_id) = match role {
            Role::Refclock(config) => (config.stratum, config.reference_id),
            // It never hears anybody, so this is all that is ever shown of it.
            Role::Broadcast(line) => (
                STRATUM_UNSPECIFIED,
                ReferenceId::from_letters(broadcast::letters(line)),
            ),
            _ => (STRATUM_UNSPECIFIED, ReferenceId::from_letters(code)),
        };
        Self {
            leap: LeapIndicator::NotSynchronized,
            stratum,
            poll: 0,
            precision: 0,
            mode: None,
            root_delay_s: 0.0,
            root_dispersion_s: 0.0,
            reference_id,
            reference_time: NtpTimestamp::ZERO,
            destination: NtpTimestamp::ZERO,
        }
    }
}

/// The `server` or `pool` argument, as written.
pub(crate) fn remote_name(line: &AssociationConfig) -> String {
    match &line.remote {
        crate::config::Remote::Address(address) => address.to_string(),
        crate::config::Remote::Name(name) => name.clone(),
    }
}

fn poll_limits(minpoll: i8, maxpoll: i8) -> Habits {
    let (least, most) = (*POLL_RANGE.start(), *POLL_RANGE.end());
    let minpoll = minpoll.clamp(least, most);
    Habits {
        minpoll,
        maxpoll: maxpoll.clamp(minpoll, most),
        iburst: false,
        burst: false,
        once: false,
    }
}
