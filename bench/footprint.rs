//! Idle memory, and the time from start to the first answer.
use crate::load::{self, Crowd};
use crate::servers::{Kind, PORT, Scratch, Setup};
use std::time::{Duration, Instant};

const STARTS: usize = 9;

/// Starts each server several times and prints medians.
pub(crate) fn run() -> Result<(), String> {
    let scratch = Scratch::new()?;
    println!("median of {STARTS} starts; setpriv and taskset are part of the time");
    println!(
        "{:>12} {:>16} {:>10} {:>10}",
        "", "first answer ms", "RSS KiB", "anon KiB"
    );
    for kind in [Kind::Poll, Kind::Chrony] {
        let (name, setup) = (
            kind.name(),
            Setup {
                port: PORT,
                ..Setup::default()
            },
        );
        let mut crowd = Crowd::new(load::open()?, PORT, load::ONE_CLIENT)?;
        let (mut waits_ms, mut rss, mut anon) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..STARTS {
            let begun = Instant::now();
            let server = kind.start(&scratch, &setup)?;
            crowd
                .first_answer(Duration::from_secs(5))
                .map_err(|complaint| format!("{name}: {complaint}"))?;
            waits_ms.push(begun.elapsed().as_micros() / 100);
            std::thread::sleep(Duration::from_millis(1500));
            rss.push(u128::from(server.memory_kib("VmRSS")?));
            anon.push(u128::from(server.memory_kib("RssAnon")?));
        }
        let wait = median(waits_ms);
        let (rss, anon) = (median(rss), median(anon));
        println!(
            "{name:>12} {:>14}.{} {rss:>10} {anon:>10}",
            wait / 10,
            wait % 10
        );
    }
    Ok(())
}

fn median(mut values: Vec<u128>) -> u128 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}
