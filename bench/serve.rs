//! Requests served per CPU-second, both servers on one core, in alternating slices.
use crate::autokey::PASSWORD;
use crate::load::Load;
use crate::probe;
use crate::process::Server;
use crate::servers::{self, PORT, Scratch};
use std::time::Duration;

const SLICE: Duration = Duration::from_millis(250);

struct Side {
    server: Server,
    load: Load,
    per_cpu_second: Vec<f64>,
}

impl Side {
    fn new(server: Server, port: u16) -> Result<Self, String> {
        let load = Load::new(port)?;
        load.first_answer(Duration::from_secs(5))
            .map_err(|complaint| format!("{}: {complaint}", server.name))?;
        Ok(Self {
            server,
            load,
            per_cpu_second: Vec::new(),
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of a quarter second")]
    fn slice(&mut self) -> Result<(), String> {
        let before = self.server.cpu_ns()?;
        let answers = self.load.run(SLICE)?;
        let used = self.server.cpu_ns()?.saturating_sub(before).max(1);
        self.per_cpu_second.push(answers as f64 * 1e9 / used as f64);
        Ok(())
    }

    fn best(&self) -> f64 {
        self.per_cpu_second.iter().copied().fold(0.0, f64::max)
    }

    fn median(&self) -> f64 {
        median(&self.per_cpu_second)
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Runs `rounds` slices of each side and prints both and their ratio.
pub(crate) fn run(rounds: usize) -> Result<(), String> {
    let scratch = Scratch::new()?;
    let (first, second) = probe::two_cores()?;
    let ours = servers::truechimer(&scratch, first)?;
    let theirs = servers::chronyd(&scratch, first)?;
    compare((ours, PORT), (theirs, PORT + 1), second, rounds)
}

/// The same of two of ours, the first with Autokey, which nobody speaks to it.
pub(crate) fn autokey(rounds: usize) -> Result<(), String> {
    let scratch = Scratch::new()?;
    let (first, second) = probe::two_cores()?;
    let keys = servers::autokey_keys(&scratch, PASSWORD)?;
    let with = servers::truechimer_with_autokey(&scratch, first, &keys, PASSWORD, PORT + 1)?;
    let without = servers::truechimer(&scratch, first)?;
    println!("the first with Autokey");
    compare((with, PORT + 1), (without, PORT), second, rounds)
}

fn compare(
    (ours, our_port): (Server, u16),
    (theirs, their_port): (Server, u16),
    load: core_affinity::CoreId,
    rounds: usize,
) -> Result<(), String> {
    if !core_affinity::set_for_current(load) {
        return Err("cannot bind the load to its processor".into());
    }
    let mut ours = Side::new(ours, our_port)?;
    let mut theirs = Side::new(theirs, their_port)?;
    let mut ratios = Vec::new();
    for _ in 0..rounds {
        ours.slice()?;
        theirs.slice()?;
        if let (Some(a), Some(b)) = (ours.per_cpu_second.last(), theirs.per_cpu_second.last()) {
            ratios.push(a / b);
        }
    }
    println!("requests served per CPU-second, one core, {rounds} alternating slices of {SLICE:?}");
    for side in [&ours, &theirs] {
        println!(
            "{:>12}  best {:>9.0}  median {:>9.0}",
            side.server.name,
            side.best(),
            side.median()
        );
    }
    println!(
        "       ratio  best {:>9.3}  median of rounds {:.3}",
        ours.best() / theirs.best(),
        median(&ratios)
    );
    Ok(())
}
