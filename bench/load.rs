//! `bench load`: what answering costs, ours and others', as ratios from one run.
mod contest;
mod crowd;
mod exchange;
mod instructions;
pub(crate) mod keys;
mod latency;
mod modes;
mod plot;
mod spoofed;
mod table;
mod threads;

pub(crate) use crowd::{Crowd, open};
pub(crate) use instructions::gate;

use exchange::{Asking, FIRST_CLIENT, Sort};

use crate::servers::Scratch;
use core_affinity::CoreId;
use std::path::PathBuf;

/// A plain client.
pub(crate) const ONE_CLIENT: Asking = Asking {
    sort: Sort::Plain,
    first: FIRST_CLIENT,
    clients: 1,
    any_stratum: false,
};

/// What is asked for.
struct Request {
    rounds: usize,
    /// Of the servers, and of the load.
    cores: [CoreId; 2],
    /// Where the saturation is to be drawn.
    plot: Option<PathBuf>,
}

/// A measurement.
struct Mode {
    name: &'static str,
    run: fn(&Scratch, &Request) -> Result<(), String>,
}

const MODES: [Mode; 9] = [
    Mode {
        name: "saturation",
        run: modes::saturation,
    },
    Mode {
        name: "overload",
        run: modes::overload,
    },
    Mode {
        name: "paced",
        run: modes::paced,
    },
    Mode {
        name: "keyed",
        run: modes::keyed,
    },
    Mode {
        name: "interleaved",
        run: modes::interleaved,
    },
    Mode {
        name: "instructions",
        run: instructions::run,
    },
    Mode {
        name: "threads",
        run: threads::run,
    },
    Mode {
        name: "autokey",
        run: modes::autokey,
    },
    Mode {
        name: "spoofed",
        run: spoofed::run,
    },
];

/// Rounds of every mode, and with `--quick`.
const ROUNDS: usize = 24;
const QUICK: usize = 4;

/// Runs the modes named, all where none is.
pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    let usage = || {
        format!(
            "bench load [--quick] [--plot FILE] [MODE ...], MODE one of {}",
            all()
        )
    };
    let (mut rounds, mut plot, mut names) = (ROUNDS, None, Vec::new());
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        match word {
            "--quick" => rounds = QUICK,
            "--plot" => plot = Some(words.next().map(PathBuf::from).ok_or_else(usage)?),
            name if MODES.iter().any(|mode| mode.name == name) => names.push(name),
            _ => return Err(usage()),
        }
    }
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    let Some(cores) = cores.first_chunk::<2>().copied() else {
        return Err("two processors are needed: one for the servers, one for the load".into());
    };
    // Asked for before this thread is bound to one of them.
    threads::pin(cores[1])?;
    let request = Request {
        rounds,
        cores,
        plot,
    };
    let scratch = Scratch::new()?;
    for mode in &MODES {
        if names.is_empty() || names.contains(&mode.name) {
            println!("\n==== {} ====", mode.name);
            (mode.run)(&scratch, &request)?;
        }
    }
    Ok(())
}

fn all() -> String {
    MODES.map(|mode| mode.name).join(", ")
}
