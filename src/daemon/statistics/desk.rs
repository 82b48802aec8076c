//! The clock thread's side: hands entries over and never waits.
use super::line::{Entry, SystemCounts};
use super::set::{Kind, Plan};
use super::writer::Writer;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use std::io;
use std::thread;
use std::time::{Duration, Instant};
use truechimer_time::Instant as Mono;

/// Entries that may wait for the disk: some minutes of a machine with many sources.
const WAITING_AT_MOST: usize = 4096;
/// How long the end of the run waits for the disk.
const FINISH_WITHIN: Duration = Duration::from_millis(500);
/// Enough for formatting and one write(2).
const STACK_OCTETS: usize = 256 * 1024;
/// How often the counts are written, seconds.
const COUNTS_EVERY_S: f64 = 3600.0;
/// How often losses are told, seconds.
const LOSSES_EVERY_S: f64 = 600.0;

/// Takes what is to be written. The thread starts with the first entry.
#[derive(Debug)]
pub(crate) struct Desk {
    plan: Plan,
    orders: Option<Sender<Order>>,
    /// Entries there was no room for, since that was last told.
    dropped: u64,
    dropped_told: Option<Mono>,
    counts_due: Mono,
    /// The counts as they were when last written, and when that was.
    counted: (Mono, SystemCounts),
}

#[derive(Debug)]
enum Order {
    Write(Entry),
    Follow(Plan),
    Finish(Sender<()>),
}

impl Desk {
    /// Writes by this plan.
    pub(crate) fn new(now: Mono, plan: Plan) -> Self {
        Self {
            plan,
            orders: None,
            dropped: 0,
            dropped_told: None,
            counts_due: now.plus_seconds(COUNTS_EVERY_S),
            counted: (now, SystemCounts::default()),
        }
    }

    /// Writes by another plan from now on.
    pub(crate) fn follow(&mut self, plan: Plan) {
        self.plan = plan.clone();
        let told = match &self.orders {
            Some(orders) => orders.try_send(Order::Follow(plan)).is_ok(),
            None => false,
        };
        if !told {
            // The old thread ends with what it has; the next entry starts one by the new plan.
            self.orders = None;
        }
    }

    /// Takes an entry, if its kind is written at all.
    pub(crate) fn take(&mut self, entry: Entry) {
        if entry.kind().is_some_and(|kind| self.plan.has(kind)) {
            self.send(Order::Write(entry));
        }
    }

    /// Whether it is time for `take_counts`.
    pub(crate) fn wants_counts(&self, now: Mono) -> bool {
        self.plan.has(Kind::Sys) && self.counts_due <= now
    }

    /// Takes the counts since the start, of which the growth is written.
    pub(crate) fn take_counts(&mut self, now: truechimer_time::Now, counts: SystemCounts) {
        let (since, before) = core::mem::replace(&mut self.counted, (now.mono, counts));
        self.counts_due = now.mono.plus_seconds(COUNTS_EVERY_S);
        let grown = counts.since(&before, now.mono.since(since).as_secs());
        self.take(Entry::Counts(now.wall, grown));
    }

    /// Tells of entries that were dropped, once in a while.
    pub(crate) fn tick(&mut self, now: Mono) {
        let quiet = self
            .dropped_told
            .is_some_and(|told| now.seconds_since(told) < LOSSES_EVERY_S);
        if self.dropped > 0 && !quiet {
            self.dropped_told = Some(now);
            let dropped = core::mem::take(&mut self.dropped);
            log::warn!("{dropped} lines of statistics were lost: the disk did not keep up");
        }
    }

    /// The end: waits a moment for what is still to be written.
    pub(crate) fn finish(self) {
        let Some(orders) = self.orders else {
            return;
        };
        let until = Instant::now() + FINISH_WITHIN;
        let (done, heard) = bounded(1);
        if orders.send_deadline(Order::Finish(done), until).is_ok() {
            // Late or never: the process ends all the same.
            let _ = heard.recv_deadline(until);
        }
    }

    fn send(&mut self, order: Order) {
        let outcome = match self.orders() {
            Ok(orders) => orders.try_send(order),
            Err(_) => {
                self.dropped = self.dropped.saturating_add(1);
                return;
            }
        };
        match outcome {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => self.dropped = self.dropped.saturating_add(1),
            // The thread is gone; the next entry starts another.
            Err(TrySendError::Disconnected(_)) => {
                self.dropped = self.dropped.saturating_add(1);
                self.orders = None;
            }
        }
    }

    fn orders(&mut self) -> io::Result<&Sender<Order>> {
        let orders = match self.orders.take() {
            Some(orders) => orders,
            None => start(self.plan.clone())?,
        };
        Ok(self.orders.insert(orders))
    }
}

fn start(plan: Plan) -> io::Result<Sender<Order>> {
    let (sender, orders) = bounded(WAITING_AT_MOST);
    thread::Builder::new()
        .name("statistics".to_owned())
        .stack_size(STACK_OCTETS)
        .spawn(move || write_down(Writer::new(plan), &orders))?;
    Ok(sender)
}

fn write_down(mut writer: Writer, orders: &Receiver<Order>) {
    for order in orders {
        match order {
            Order::Write(entry) => writer.write(&entry),
            Order::Follow(plan) => writer.follow(plan),
            Order::Finish(done) => {
                // Whoever asked may have stopped waiting.
                let _ = done.try_send(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::set::Set;
    use super::*;
    use crate::testing::Scratch;
    use std::fs;
    use std::path::Path;
    use truechimer_config::settings::FilePeriod;
    use truechimer_proto::event::{Coded, Event, Report, SystemEvent};
    use truechimer_time::{Now, NtpTimestamp};

    fn plan(scratch: &Scratch, kinds: &[(Kind, &str)]) -> Plan {
        let set = |file: &str| Set {
            file: file.to_owned(),
            period: FilePeriod::None,
            link: false,
        };
        let sets = kinds.iter().map(|(kind, file)| (*kind, set(file)));
        Plan {
            prefix: format!("{}/", scratch.path("").display()),
            sets: sets.collect(),
        }
    }

    fn event() -> Entry {
        let coded = Some(Coded {
            status: 0xC615,
            code: 5,
            beyond_count: false,
        });
        let event = Event::System(SystemEvent::ClockSync);
        let at = NtpTimestamp::from_unix(1_795_544_163, 0);
        Entry::Event(at, Report { event, coded })
    }

    fn count(path: &Path) -> usize {
        let text = fs::read_to_string(path).unwrap_or_default();
        assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
        text.lines().count()
    }

    #[test]
    fn what_is_wanted_is_written_by_the_end_and_the_plan_can_change() {
        let scratch = Scratch::new("statistics");
        let mut desk = Desk::new(Mono::default(), plan(&scratch, &[(Kind::Proto, "one")]));
        for _ in 0..100 {
            desk.take(event());
        }
        desk.follow(plan(&scratch, &[(Kind::Proto, "two")]));
        desk.take(event());
        desk.follow(plan(&scratch, &[(Kind::Sys, "sysstats")]));
        desk.take(event());
        desk.finish();
        assert_eq!(count(&scratch.path("one")), 100);
        assert_eq!(count(&scratch.path("two")), 1);
    }

    #[test]
    fn counts_are_written_hourly_as_what_was_added() {
        let scratch = Scratch::new("statistics-counts");
        let now = |hours: f64| Now {
            mono: Mono::default().plus_seconds(hours * 3600.0),
            wall: NtpTimestamp::from_unix(1_795_544_163, 0),
        };
        let counts = |received| SystemCounts {
            received,
            ..SystemCounts::default()
        };
        let mut desk = Desk::new(now(0.0).mono, plan(&scratch, &[(Kind::Sys, "sysstats")]));
        assert!(!desk.wants_counts(now(0.9).mono));
        assert!(desk.wants_counts(now(1.0).mono));
        desk.take_counts(now(1.0), counts(70));
        assert!(!desk.wants_counts(now(1.9).mono));
        desk.take_counts(now(2.0), counts(100));
        desk.finish();
        let text = fs::read_to_string(scratch.path("sysstats")).expect("written");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "61368 65763.000 3600 70 0 0 0 0 0 0 0 0 0");
        assert_eq!(lines[1], "61368 65763.000 3600 30 0 0 0 0 0 0 0 0 0");
    }

    #[test]
    fn a_disk_that_hangs_costs_lines_and_never_time() {
        // Nobody takes from the channel, as if the thread hung in a write.
        let (orders, _hung) = bounded(WAITING_AT_MOST);
        let scratch = Scratch::new("statistics-hung");
        let mut desk = Desk::new(Mono::default(), plan(&scratch, &[(Kind::Proto, "one")]));
        desk.orders = Some(orders);
        let began = Instant::now();
        for _ in 0..WAITING_AT_MOST + 10 {
            desk.take(event());
        }
        assert_eq!(desk.dropped, 10);
        desk.tick(Mono::default());
        assert_eq!(desk.dropped, 0, "told");
        desk.finish();
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}
