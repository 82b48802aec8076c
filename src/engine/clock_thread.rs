//! The clock thread: the one owner of `System` and the one hand on the clock.
//!
//! In the one-thread form it serves requests as well. It waits a second at most, by ppoll(2)
//! where signals are held back between the waits, else by poll(2): a signal that sets a flag just
//! before the wait is then seen in time, without the pipe that the preload simulator would take for
//! ever readable.
mod control;
mod crypto;
mod many;
mod outputs;
mod serving;
mod tracing;

use control::Turns;
pub(crate) use serving::{Counter, Serving};

use crate::MakeAuthenticator;
use crate::clients::Clients;
use crate::clock_hand::{ClockHand, Moved};
use crate::config::EngineConfig;
use crate::ears::Ears;
use crate::errands::{Errands, Finished};
use crate::error::EngineError;
use crate::host::{Command, Ended, Host, Report, Why};
use crate::nic_clocks::NicClocks;
use crate::notice::Notice;
use crate::roster::Roster;
use crate::senders::Senders;
use crate::traces::Traces;
use core::time::Duration;
use crossbeam_channel::Receiver;
use crypto::OutForKeys;
use truechimer_proto::host::HostEvent;
use truechimer_proto::refclock::{Driver, DriverEvent, DriverOutput};
use truechimer_proto::system::System;
use truechimer_proto::trace::Endpoint;
use truechimer_sys::clock;
use truechimer_sys::interfaces::Watch;
use truechimer_sys::poll::{HeldSignals, PollSet};
use truechimer_sys::socket::ReceiveBuffer;
use truechimer_time::{Instant, Now};
use truechimer_wire::PACKET_LEN_MAX;

/// Longest wait: how late a command may be seen.
const WAIT_MAX: Duration = Duration::from_secs(1);
/// The same where traces wait to be told.
const TRACED_WAIT_MAX: Duration = Duration::from_millis(50);
/// The same where a holder of keys has work of ours and cannot wake this thread.
const KEYS_WAIT_MAX: Duration = Duration::from_millis(2);
/// A turn of the protocol this much after its time is counted as an overrun.
const LATE: Duration = Duration::from_millis(100);
/// A pause between two turns this much longer than the longest wait is told of: somebody stopped
/// the process, or the machine has no time for it.
const HELD_UP: Duration = Duration::from_secs(2);
/// Between two looks because the kernel told of changes, at least: a link that flaps, or another
/// program that changes addresses without end, costs no more.
const RESCAN_REST: Duration = Duration::from_millis(250);
/// First pause before another try for an address that could not be opened; it doubles. An address
/// may still be under its duplicate detection, or a socket on its way out.
const RETRY_FIRST: Duration = Duration::from_secs(1);
/// Longest such pause.
const RETRY_LAST: Duration = Duration::from_secs(64);
/// Outputs and host events taken a turn, so that no flood of them keeps the sockets waiting.
const WORK_MAX: usize = 1024;

pub(crate) struct ClockThread {
    system: System,
    drivers: Vec<Box<dyn Driver>>,
    clients: Clients,
    senders: Senders,
    ears: Ears,
    nics: NicClocks,
    hand: ClockHand,
    serving: Serving,
    held_signals: Option<HeldSignals>,
    set: PollSet,
    buffer: ReceiveBuffer,
    /// Tells of new and lost addresses, if the kernel lets it.
    watch: Option<Watch>,
    rescanned: Instant,
    rescan_every: Option<Duration>,
    retry_in: Duration,
    rescan_at: Option<Instant>,
    /// Work was left over, so the next wait must not wait.
    hurry: bool,
    ended: Option<Why>,
    turns: Turns,
    /// Where traces are wanted.
    traces: Option<Traces>,
    /// Service sockets as last told.
    endpoints: Vec<Endpoint>,
    /// Where there is a holder of keys.
    crypto: Option<OutForKeys>,
}

impl ClockThread {
    pub(crate) fn new(
        config: &EngineConfig,
        system: System,
        (drivers, traces): (Vec<Box<dyn Driver>>, Option<Traces>),
        serving: Serving,
        (ears, nics): (Ears, NicClocks),
        watch: Option<Watch>,
        crypto: Option<(Errands, Receiver<Finished>)>,
    ) -> Self {
        let now = clock::monotonic();
        Self {
            system,
            drivers,
            clients: Clients::new(config.client_sockets_max),
            senders: Senders::default(),
            ears,
            nics,
            hand: ClockHand::new(config.may_adjust),
            serving,
            held_signals: config.held_signals,
            set: PollSet::with_capacity(64),
            buffer: ReceiveBuffer::new(PACKET_LEN_MAX),
            watch,
            rescanned: now,
            rescan_every: config.rescan_every,
            retry_in: RETRY_FIRST,
            rescan_at: config.rescan_every.map(|every| now.plus(every)),
            hurry: false,
            ended: None,
            turns: Turns::default(),
            traces,
            endpoints: Vec::new(),
            crypto: crypto.map(OutForKeys::new),
        }
    }

    /// Turns until something ends it, then leaves the clock at its base frequency.
    pub(crate) fn run(
        mut self,
        make_authenticator: MakeAuthenticator<'_>,
        host: &mut dyn Host,
    ) -> Result<Ended, EngineError> {
        let mut turned = clock::monotonic();
        self.plan_retry(turned);
        self.trace_endpoints(host);
        let why = loop {
            let now = clock::monotonic();
            let pause = now.since(core::mem::replace(&mut turned, now));
            if pause > WAIT_MAX + HELD_UP {
                host.handle_notice(&Notice::HeldUp(pause));
            }
            self.hurry = false;
            self.hear_host(make_authenticator, host);
            self.hear_crypto();
            let due = self.run_timers(host);
            if let Some(due) = due {
                // What was due leaves before anything else is looked at.
                self.work(host);
                self.turns.note_done(due);
            }
            self.answer_query();
            self.work(host);
            if let Some(why) = self.ended {
                break why;
            }
            self.wait(host)?;
        };
        self.serving.stop();
        let base_freq_ppm = self.system.status(clock::now()).frequency_ppm;
        if let Err(error) = self.hand.release(base_freq_ppm) {
            host.handle_notice(&Notice::NotRestored(error));
        }
        Ok(Ended {
            why,
            system: self.system,
        })
    }

    fn hear_host(&mut self, make_authenticator: MakeAuthenticator<'_>, host: &mut dyn Host) {
        for _ in 0..WORK_MAX {
            let Some(command) = host.poll_command() else {
                break;
            };
            match command {
                Command::Stop => self.ended = Some(Why::Stopped),
                Command::Report => self.report(host),
                Command::ReplacePolicy(policy) => {
                    self.serving.replace_policy(&policy, make_authenticator);
                }
                Command::ReplaceListen(listen, hearing) => {
                    self.serving.replace_listen(listen);
                    self.ears.replace(hearing);
                    self.rescan(host);
                }
                Command::Rescan => self.rescan(host),
            }
        }
        let now = clock::now();
        if let Some(moved) = self.hand.moved_by_others(now) {
            let event = match moved {
                Moved::Stepped(by) => HostEvent::ForeignStep(by),
                Moved::Slept(span) => HostEvent::Slept(span),
            };
            self.system.handle_host(now, event);
        }
        for _ in 0..WORK_MAX {
            let Some(mut event) = host.poll_event(now) else {
                return;
            };
            if let HostEvent::Reconfigured { config, .. } = &mut event {
                self.serving.listeners().correct(config);
            }
            self.system.handle_host(now, event);
        }
        self.hurry = true;
    }

    /// Runs what is due; when the protocol's turn was, if it had one.
    fn run_timers(&mut self, host: &mut dyn Host) -> Option<Instant> {
        let now = clock::now();
        if self.rescan_at.is_some_and(|due| due <= now.mono) {
            self.rescan(host);
        }
        self.clients.handle_timeout(&mut self.nics);
        for driver in &mut self.drivers {
            if driver.poll_timeout().is_some_and(|due| due <= now.mono) {
                driver.handle(now, DriverEvent::Timer);
            }
            while let Some(DriverOutput::Sample(sample)) = driver.poll_output() {
                self.system.handle_refclock_sample(now, sample);
            }
        }
        let due = self.system.poll_timeout().filter(|due| *due <= now.mono)?;
        self.turns.overruns += u64::from(now.mono.since(due) > LATE);
        self.system.handle_timeout(now);
        Some(due)
    }

    fn rescan(&mut self, host: &mut dyn Host) {
        let now = clock::now();
        self.rescanned = now.mono;
        self.rescan_at = self.rescan_every.map(|every| now.mono.plus(every));
        let mut notices = Vec::new();
        let mut changes = self.serving.rescan(&mut notices);
        let failing = self.serving.listeners().failing();
        if self.senders.make_room(&mut self.system, failing) {
            let more = self.serving.rescan(&mut notices);
            changes.links |= more.links;
        }
        let listeners = self.serving.listeners();
        self.ears.rescan(listeners, &mut notices);
        self.nics.rescan(&mut notices);
        self.senders.rescan(&mut self.system, listeners);
        let (own, links) = (listeners.own_addresses().to_vec(), listeners.plain_links());
        self.plan_retry(now.mono);
        if changes.own_addresses {
            let event = HostEvent::OwnAddresses(own);
            self.system.handle_host(now, event);
        }
        if changes.links {
            self.system.handle_host(now, HostEvent::Links(links));
        }
        for notice in &notices {
            host.handle_notice(notice);
        }
        self.trace_endpoints(host);
    }

    /// Looks sooner again if an address that is wanted could not be opened.
    fn plan_retry(&mut self, now: Instant) {
        if !self.serving.is_failing() && !self.ears.is_failing() {
            self.retry_in = RETRY_FIRST;
            return;
        }
        let retry_at = now.plus(self.retry_in);
        self.rescan_at = self.rescan_at.map(|due| due.min(retry_at));
        self.retry_in = (self.retry_in * 2).min(RETRY_LAST);
    }

    fn report(&mut self, host: &mut dyn Host) {
        let now = clock::now();
        let roster = self.serving.roster();
        let report = Report {
            system: self.system.status(now),
            server_threads: roster.map_or(0, Roster::threads),
            engine_reason: self.serving.engine_reason(),
            servers: self.serving.counts(),
            crypto: self.crypto_counts(),
            listening: self.serving.addresses(),
            hearing: self.ears.open().len(),
            client_sockets: self.clients.len(),
            worst_lateness: core::mem::take(&mut self.turns.worst_lateness),
        };
        host.handle_report(now, report);
    }

    fn wait(&mut self, host: &mut dyn Host) -> Result<(), EngineError> {
        self.set.clear();
        self.clients.add_to(&mut self.set);
        let clients = self.clients.len();
        self.senders.add_to(&mut self.set);
        let peers = clients + self.senders.len();
        self.ears.add_to(&mut self.set);
        let ears = peers + self.ears.open().len();
        self.serving.add_to(&mut self.set);
        let watch_place = self.watch.as_ref().map(|watch| self.set.push(watch));
        let timeout = self.timeout(clock::now());
        let waited = match &self.held_signals {
            Some(held) => self.set.wait_letting_in(timeout, held),
            None => self.set.wait(timeout),
        };
        let ready = waited.map_err(EngineError::Wait)?;
        self.turns.wakeups += 1;
        if ready == 0 {
            return Ok(());
        }
        self.turns.useful_wakeups += 1;
        // Serving never opens or closes a socket, and all are looked at before their outputs are
        // worked off, so places stay what they were at the wait.
        for place in 0..clients {
            let ready = self.set.readiness(place);
            if ready.readable || ready.error {
                let (system, buffer) = (&mut self.system, &mut self.buffer);
                let nics = &mut self.nics;
                self.clients
                    .handle_ready(place, ready, system, buffer, nics);
            }
        }
        self.hear_peers(clients);
        self.hear_many(peers);
        self.serving.handle_ready(&self.set, ears, &mut self.system);
        self.hear_kernel(watch_place);
        self.work(host);
        Ok(())
    }

    /// News is worked off with the next turn, or a little later if there was some just before.
    fn hear_kernel(&mut self, place: Option<usize>) {
        let ready = place.map(|place| self.set.readiness(place));
        let told = ready.is_some_and(|ready| ready.readable || ready.error);
        if told && self.watch.as_ref().is_some_and(Watch::take_news) {
            let soon = self.rescanned.plus(RESCAN_REST);
            self.rescan_at = self.rescan_at.map(|due| due.min(soon));
        }
    }

    fn timeout(&self, now: Now) -> Duration {
        if self.hurry {
            return Duration::ZERO;
        }
        let drivers = self
            .drivers
            .iter()
            .filter_map(|driver| driver.poll_timeout());
        let next = drivers
            .chain(self.system.poll_timeout())
            .chain(self.clients.poll_timeout())
            .chain(self.rescan_at)
            .min();
        let longest = if self.waits_for_keys() {
            KEYS_WAIT_MAX
        } else if self.traces.is_some() {
            TRACED_WAIT_MAX
        } else {
            WAIT_MAX
        };
        next.map_or(longest, |next| next.since(now.mono).min(longest))
    }
}
