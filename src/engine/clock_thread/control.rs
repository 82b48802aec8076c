//! Control requests: one a turn, after samples, timers and packets.
use super::{ClockThread, Serving};
use crate::clients::Clients;
use crate::counters::ServerCounts;
use crate::ears::Ears;
use crate::roster::Roster;
use crate::senders::Senders;
use core::net::SocketAddr;
use core::time::Duration;
use truechimer_proto::autokey::pool_counts::PoolCounts;
use truechimer_proto::control::{
    ControlReply, EngineFacts, Facts, InterfaceFacts, IoFacts, KernelFacts, KeyFacts,
};
use truechimer_proto::packet::AssociationId;
use truechimer_proto::server::Counters;
use truechimer_sys::clock;
use truechimer_time::Instant;

/// Buffers a thread receives into that is not one of the roster.
const OWN_BUFFERS: u64 = 1;

/// What the clock thread counts of itself.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Turns {
    pub(super) wakeups: u64,
    pub(super) useful_wakeups: u64,
    pub(super) overruns: u64,
    /// How long after its time the last timed turn was done, at worst, since last told.
    pub(super) worst_lateness: Duration,
    sent: u64,
    send_failed: u64,
}

impl Turns {
    /// Everything that a turn of this time wanted is done.
    pub(super) fn note_done(&mut self, due: Instant) {
        let lateness = clock::monotonic().since(due);
        self.worst_lateness = self.worst_lateness.max(lateness);
    }
}

/// What only the engine knows, looked up when asked.
struct Workshop<'a> {
    serving: &'a Serving,
    clients: &'a Clients,
    senders: &'a Senders,
    ears: &'a Ears,
    turns: &'a Turns,
    crypto: Option<PoolCounts>,
    now: Instant,
}

impl ClockThread {
    /// Answers one control request, if one waits.
    pub(super) fn answer_query(&mut self) {
        let Some(query) = self.serving.take_query() else {
            return;
        };
        self.hurry |= self.serving.queries_waiting() > 0;
        let now = clock::now();
        let workshop = Workshop {
            serving: &self.serving,
            clients: &self.clients,
            senders: &self.senders,
            ears: &self.ears,
            turns: &self.turns,
            crypto: self.crypto_counts(),
            now: now.mono,
        };
        self.system.handle_control(now, &query.request(), &workshop);
    }

    /// Sends an answer from where the question came to.
    pub(super) fn send_control(&mut self, reply: &ControlReply) {
        let Some(listener) = self.serving.listeners().at(reply.from) else {
            return;
        };
        for datagram in &reply.datagrams {
            let sent = listener.reply(datagram, reply.to);
            self.turns.sent += u64::from(sent);
            self.turns.send_failed += u64::from(!sent);
        }
    }
}

impl Workshop<'_> {
    fn counts(&self) -> ServerCounts {
        let all = self.serving.counts();
        all.iter()
            .fold(ServerCounts::default(), |sum, counts| sum.plus(counts))
    }
}

impl Facts for Workshop<'_> {
    fn served(&self) -> Counters {
        self.counts().protocol
    }

    fn io(&self) -> IoFacts {
        let counts = self.counts();
        let (turns, clients) = (self.turns, self.clients.traffic());
        let senders = self.senders.traffic();
        let ears = self.ears.open().iter();
        let told: u64 = ears.map(|ear| ear.traffic.received()).sum();
        let replied = counts.protocol.replied + counts.finished;
        IoFacts {
            buffers: self.serving.buffers() + OWN_BUFFERS,
            buffers_used: self.serving.queries_waiting() as u64,
            dropped: counts.overflowed,
            ignored: counts.unwanted + counts.unreadable + self.ears.ignored,
            received: counts.protocol.received
                + counts.unwanted
                + counts.unreadable
                + clients.received
                + senders.received
                + told,
            sent: replied.saturating_sub(counts.send_failed)
                + clients.sent
                + senders.sent
                + turns.sent,
            send_failed: counts.send_failed
                + clients.send_failed
                + senders.send_failed
                + turns.send_failed,
            wakeups: counts.wakeups + turns.wakeups,
            useful_wakeups: counts.useful_wakeups + turns.useful_wakeups,
            overruns: turns.overruns,
        }
    }

    fn engine(&self) -> EngineFacts {
        let ServerCounts { rings, rearmed, .. } = self.counts();
        EngineFacts {
            threads: self.serving.roster().map_or(0, Roster::threads) as u64,
            rings,
            reason: self.serving.engine_reason().to_string(),
            starved: rearmed.starved,
            cut_short: rearmed.cut_short,
            failed: rearmed.failed,
            cancelled: rearmed.cancelled,
        }
    }

    fn keys(&self) -> KeyFacts {
        self.counts().keys
    }

    fn pool(&self) -> PoolCounts {
        self.crypto.unwrap_or_default()
    }

    fn kernel(&self) -> Option<KernelFacts> {
        clock::read_kernel_clock()
            .ok()
            .map(|kernel| account(&kernel))
    }

    fn interfaces(&self) -> Vec<InterfaceFacts> {
        let listeners = self.serving.open().iter();
        let shown = listeners.map(|it| InterfaceFacts {
            address: it.address,
            name: it.name.clone(),
            is_dropping: it.unwanted,
            received: it.traffic.received(),
            sent: it.traffic.sent(),
            send_failed: it.traffic.failed(),
            up_s: self.now.since(it.opened).as_secs(),
        });
        let ears = self.ears.open().iter().map(|it| InterfaceFacts {
            address: it.wanted.address(),
            name: it.wanted.name.clone(),
            is_dropping: false,
            received: it.traffic.received(),
            sent: 0,
            send_failed: 0,
            up_s: self.now.since(it.opened).as_secs(),
        });
        shown.chain(ears).collect()
    }

    fn client_address(&self, association: AssociationId) -> Option<SocketAddr> {
        let lasting = self.senders.local_address(association);
        lasting.or_else(|| self.clients.local_address(association))
    }
}

fn account(kernel: &clock::KernelClock) -> KernelFacts {
    let ms = |span: truechimer_time::NtpDuration| span.to_seconds() * 1e3;
    let pulses = &kernel.pulses;
    KernelFacts {
        offset_ms: ms(kernel.offset),
        freq_ppm: kernel.freq_ppm,
        max_error_ms: ms(kernel.max_error),
        estimated_error_ms: ms(kernel.estimated_error),
        status: kernel.status,
        time_constant: kernel.time_constant.into(),
        precision_ms: f64::from(kernel.precision_us) / 1e3,
        tolerance_ppm: kernel.tolerance_ppm,
        pps_freq_ppm: pulses.freq_ppm,
        pps_stability_ppm: pulses.stability_ppm,
        pps_jitter_ms: ms(pulses.jitter),
        pps_shift: pulses.interval_log2_s,
        pps_calibrations: pulses.calibrations,
        pps_errors: pulses.errors,
        pps_jitter_exceeded: pulses.jitter_exceeded,
        pps_stability_exceeded: pulses.stability_exceeded,
    }
}
