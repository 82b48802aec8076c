//! Servers side by side, each alone in a network of its own, asked in turn in short slices: this sort
//! of machine changes its speed from minute to minute, so only neighbouring slices can be compared.
use super::crowd::{self, Crowd, Tally};
use super::exchange::{Asking, FIRST_CLIENT, Sort};
use crate::process::{Server, Thread};
use crate::servers::{Kind, REFERENCE_PORT, Scratch, Setup};
use crate::stepping;
use std::time::{Duration, Instant};
use truechimer_sys::measuring::InstructionCounter;
use truechimer_sys::own_network::in_own_network;
use truechimer_sys::socket::Socket;

/// Of asking one server.
pub(crate) const SLICE: Duration = Duration::from_millis(250);
/// Clients unless a mode says otherwise.
pub(crate) const CLIENTS: u32 = 16_384;
/// Of interleaved mode, for which servers keep the stamps of a bounded number of clients.
const INTERLEAVED_CLIENTS: u32 = 1024;
/// Requests outstanding in a closed loop: fewer than a socket's default buffer holds, more than a
/// batch.
pub(crate) const OUTSTANDING: usize = 192;
/// Until a server has to answer: some take a second to believe themselves.
const PATIENCE: Duration = Duration::from_secs(8);

/// One server and its clients.
pub(crate) struct Side {
    pub(crate) label: String,
    pub(crate) kind: Kind,
    pub(crate) server: Server,
    pub(crate) crowd: Crowd,
    /// For another crowd in the same network.
    pub(crate) spare: Option<Socket>,
    counters: Result<Vec<InstructionCounter>, String>,
    pub(crate) slices: Vec<Slice>,
    _scratch: Scratch,
}

/// What came of a slice.
#[derive(Clone, Default)]
pub(crate) struct Slice {
    pub(crate) tally: Tally,
    /// Processor time of the server, nanoseconds.
    pub(crate) cpu_ns: u64,
    /// Its instructions, where they can be counted.
    pub(crate) instructions: Option<u64>,
    /// Replies that it sent, whether they were heard or not.
    pub(crate) replies: u64,
}

impl Side {
    /// Starts a server, and waits until it answers.
    pub(crate) fn start(
        scratch: &Scratch,
        kind: Kind,
        setup: &Setup<'_>,
        sort: Sort,
        label: &str,
    ) -> Result<Self, String> {
        let scratch = scratch.inside(&label.replace([' ', ','], "-"))?;
        let (mut server, socket, spare) = in_own_network(|| {
            let server = kind.start(&scratch, setup)?;
            Ok::<_, String>((server, crowd::open()?, crowd::open()?))
        })?;
        let asking = asking(kind, sort);
        let mut crowd = Crowd::new(socket, REFERENCE_PORT, asking)?;
        wait_for(&mut server, &mut crowd)
            .map_err(|complaint| format!("{complaint}; {}", scratch.last_words()))?;
        let threads = server.threads();
        let counters = threads
            .iter()
            .map(|it| InstructionCounter::of_thread(it.id));
        let counters: Result<_, _> = counters.collect();
        Ok(Self {
            label: label.to_owned(),
            kind,
            server,
            crowd,
            spare: Some(spare),
            counters: counters.map_err(|error| error.to_string()),
            slices: Vec::new(),
            _scratch: scratch,
        })
    }

    /// Asks for a while as `how` says and measures what that costs.
    pub(crate) fn measure(
        &mut self,
        how: &mut dyn FnMut(&mut Crowd) -> Result<Tally, String>,
    ) -> Result<Slice, String> {
        let (cpu, instructions) = (self.server.cpu_ns()?, self.instructions());
        let left = self.server.datagrams_out()?;
        let tally = how(&mut self.crowd)?;
        // A running thread's time is accounted when it stops running.
        std::thread::sleep(Duration::from_millis(2));
        let left = self.server.datagrams_out()?.saturating_sub(left);
        let instructions = self.instructions().zip(instructions);
        Ok(Slice {
            cpu_ns: self.server.cpu_ns()?.saturating_sub(cpu),
            instructions: instructions.map(|(after, before)| after.saturating_sub(before)),
            // Clients and server are the only ones in this network.
            replies: left.saturating_sub(tally.sent),
            tally,
        })
    }

    /// The same, and keeps it.
    pub(crate) fn slice(
        &mut self,
        how: &mut dyn FnMut(&mut Crowd) -> Result<Tally, String>,
    ) -> Result<(), String> {
        let slice = self.measure(how)?;
        self.slices.push(slice);
        Ok(())
    }

    fn instructions(&self) -> Option<u64> {
        let counters = self.counters.as_ref().ok()?;
        counters.iter().map(|it| it.read().ok()).sum()
    }

    /// Instructions of user space for a reply: of the thread that answers, executed one by one. The
    /// load must share the server's processor: to hand an instruction to another and back takes long.
    pub(crate) fn stepped(&mut self) -> Result<f64, String> {
        let threads = self.server.threads();
        let used = |threads: &[Thread]| -> Vec<u64> {
            threads.iter().map(|it| it.cpu_ns().unwrap_or(0)).collect()
        };
        let before = used(&threads);
        self.crowd.closed(OUTSTANDING, SLICE)?;
        let busy = threads.iter().zip(used(&threads).into_iter().zip(before));
        let busiest = busy.max_by_key(|(_, (after, before))| after.saturating_sub(*before));
        let (thread, _) = busiest.ok_or("a server without a thread")?;
        let each = stepping::instructions_each(thread, &mut self.crowd);
        each.map_err(|why| format!("{}: {why}", self.label))
    }

    /// Why its instructions are not counted, if they are not.
    pub(crate) fn not_counted(&self) -> Option<&str> {
        self.counters.as_ref().err().map(String::as_str)
    }

    /// The best rate and the median one.
    pub(crate) fn rates(&self) -> (f64, f64) {
        let rates = self.slices.iter().map(Slice::rate);
        best_and_median(rates, f64::max)
    }

    /// The least processor time for a reply and the median one, nanoseconds.
    pub(crate) fn cpu_each(&self) -> (f64, f64) {
        best_and_median(self.slices.iter().map(Slice::cpu_each), f64::min)
    }

    /// Instructions for a reply, the median.
    pub(crate) fn instructions_each(&self) -> Option<f64> {
        let each: Option<Vec<f64>> = self.slices.iter().map(Slice::instructions_each).collect();
        each.filter(|it| !it.is_empty()).map(median)
    }

    /// Everything together.
    pub(crate) fn total(&self) -> Tally {
        let mut total = Tally::default();
        for slice in &self.slices {
            total.add(&slice.tally);
        }
        total
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts and times of a slice")]
impl Slice {
    /// Good replies a second.
    pub(crate) fn rate(&self) -> f64 {
        self.tally.answered as f64 / self.tally.took.as_secs_f64()
    }

    /// Replies a second that left, heard or not.
    pub(crate) fn goodput(&self) -> f64 {
        self.replies as f64 / self.tally.took.as_secs_f64()
    }

    /// Processor time for a reply, nanoseconds.
    pub(crate) fn cpu_each(&self) -> f64 {
        self.cpu_ns as f64 / self.replies as f64
    }

    /// Requests a second.
    pub(crate) fn offered(&self) -> f64 {
        self.tally.sent as f64 / self.tally.took.as_secs_f64()
    }

    /// Of the time of a slice, how much the server was busy.
    pub(crate) fn busy(&self) -> f64 {
        self.cpu_ns as f64 / self.tally.took.as_nanos() as f64
    }

    fn instructions_each(&self) -> Option<f64> {
        Some(self.instructions? as f64 / self.replies as f64)
    }
}

/// Waits until it answers, has ended, or takes too long.
fn wait_for(server: &mut Server, crowd: &mut Crowd) -> Result<(), String> {
    let start = Instant::now();
    loop {
        match crowd.first_answer(Duration::from_millis(500)) {
            Ok(_) => return Ok(()),
            Err(_) if server.has_ended() => return Err("it has ended".into()),
            Err(why) if start.elapsed() > PATIENCE => return Err(why),
            Err(_) => {}
        }
    }
}

/// What the clients of such a server ask.
pub(crate) const fn asking(kind: Kind, sort: Sort) -> Asking {
    Asking {
        sort,
        first: FIRST_CLIENT,
        clients: match sort {
            Sort::Interleaved => INTERLEAVED_CLIENTS,
            Sort::Plain | Sort::Keyed(_) => CLIENTS,
        },
        any_stratum: kind.has_no_time(),
    }
}

/// Starts those of `kinds` that can be had; why the others cannot is said.
pub(crate) fn start_all(
    scratch: &Scratch,
    kinds: &[Kind],
    setup: &Setup<'_>,
    sort: Sort,
) -> Result<Vec<Side>, String> {
    let mut sides = Vec::new();
    for kind in kinds {
        if !kind.is_present() {
            println!(
                "{}: left out, it is not installed (tests/peers/install)",
                kind.name()
            );
            continue;
        }
        match Side::start(scratch, *kind, setup, sort, kind.name()) {
            Ok(side) => sides.push(side),
            Err(why) => println!("{}: left out, {why}", kind.name()),
        }
    }
    let first = sides.first().ok_or("no server answers")?;
    if let Some(why) = first.not_counted() {
        println!("instructions are not counted: {why}");
    }
    Ok(sides)
}

/// A slice of each side in turn, so many times.
pub(crate) fn alternate(
    sides: &mut [Side],
    rounds: usize,
    how: &mut dyn FnMut(&mut Crowd) -> Result<Tally, String>,
) -> Result<(), String> {
    for _ in 0..rounds {
        for side in &mut *sides {
            side.slice(how)?;
        }
    }
    Ok(())
}

/// The median over the rounds of one side's figure by another's.
pub(crate) fn ratio(one: &Side, other: &Side, figure: fn(&Slice) -> f64) -> f64 {
    let rounds = one.slices.iter().zip(&other.slices);
    median(
        rounds
            .map(|(one, other)| figure(one) / figure(other))
            .collect(),
    )
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn best_and_median(values: impl Iterator<Item = f64>, better: fn(f64, f64) -> f64) -> (f64, f64) {
    let values: Vec<f64> = values.collect();
    let best = values.iter().copied().reduce(better).unwrap_or(f64::NAN);
    (best, median(values))
}
