//! The measurements, one a bar or more.
use super::Request;
use super::contest::{OUTSTANDING, SLICE, Side, Slice, alternate, median, ratio, start_all};
use super::exchange::Sort;
use super::{keys, plot, table};
use crate::autokey::PASSWORD;
use crate::servers::{self, ALL, Kind, Scratch, Setup};

/// Of [`paced`], requests a second.
const PACE: f64 = 50_000.0;
/// Rounds of [`overload`], for each server.
const OVERLOADS: usize = 8;
/// Rounds of [`keyed`], for each sort of key.
const KEYED_ROUNDS: usize = 12;

/// As many plain requests as each server answers.
pub(super) fn saturation(scratch: &Scratch, request: &Request) -> Result<(), String> {
    let mut sides = start_all(scratch, &ALL, &Setup::default(), Sort::Plain)?;
    alternate(&mut sides, request.rounds, &mut |crowd| {
        crowd.closed(OUTSTANDING, SLICE)
    })?;
    table::print(&sides);
    if let Some(file) = &request.plot {
        let title = "plain replies a second, one core, to those of a raw responder";
        let drawn = std::fs::write(file, plot::bars(title, &sides));
        drawn.map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
}

/// Twice as many as a server answers: it should answer as many as before.
pub(super) fn overload(scratch: &Scratch, request: &Request) -> Result<(), String> {
    let mut sides = start_all(scratch, &ALL, &Setup::default(), Sort::Plain)?;
    println!(
        "{:<18}{:>13}{:>12}{:>12}{:>9}",
        "", "saturation/s", "offered/s", "goodput/s", "ratio"
    );
    for side in &mut sides {
        let (mut ratios, mut figures) = (Vec::new(), Vec::new());
        for _ in 0..request.rounds.min(OVERLOADS) {
            let full = side.measure(&mut |crowd| crowd.closed(OUTSTANDING, SLICE))?;
            let rate = 2.0 * full.goodput();
            let over = side.measure(&mut |crowd| crowd.open_loop(rate, SLICE))?;
            ratios.push(over.goodput() / full.goodput());
            figures.push((full.goodput(), over.offered(), over.goodput()));
        }
        let column = |pick: fn(&(f64, f64, f64)) -> f64| median(figures.iter().map(pick).collect());
        println!(
            "{:<18}{:>13.0}{:>12.0}{:>12.0}{:>9.3}",
            side.label,
            column(|it| it.0),
            column(|it| it.1),
            column(|it| it.2),
            median(ratios)
        );
    }
    Ok(())
}

/// A rate that leaves every server time to sleep: what being woken costs, and how late answers are.
pub(super) fn paced(scratch: &Scratch, request: &Request) -> Result<(), String> {
    let mut sides = start_all(scratch, &ALL, &Setup::default(), Sort::Plain)?;
    alternate(&mut sides, request.rounds, &mut |crowd| {
        crowd.open_loop(PACE, SLICE)
    })?;
    println!("{PACE:.0} requests a second");
    table::print(&sides);
    Ok(())
}

/// Requests with a MAC, as many as each server answers.
pub(super) fn keyed(scratch: &Scratch, request: &Request) -> Result<(), String> {
    for (name, key) in [
        ("MD5", keys::MD5),
        ("SHA1", keys::SHA1),
        ("AES-CMAC", keys::CMAC),
    ] {
        let kinds = [
            Kind::Poll,
            Kind::Uring,
            Kind::Chrony,
            Kind::Ntp4,
            Kind::Ntpsec,
        ];
        println!("-- {name}");
        let mut sides = start_all(scratch, &kinds, &Setup::default(), Sort::Keyed(key))?;
        let rounds = request.rounds.min(KEYED_ROUNDS);
        alternate(&mut sides, rounds, &mut |crowd| {
            crowd.closed(OUTSTANDING, SLICE)
        })?;
        table::print(&sides);
    }
    Ok(())
}

/// Interleaved requests; of the replies, how many had the true stamp of the one before.
pub(super) fn interleaved(scratch: &Scratch, request: &Request) -> Result<(), String> {
    let kinds = [Kind::Poll, Kind::Uring, Kind::Chrony];
    let mut sides = start_all(scratch, &kinds, &Setup::default(), Sort::Interleaved)?;
    alternate(&mut sides, request.rounds, &mut |crowd| {
        crowd.closed(OUTSTANDING, SLICE)
    })?;
    table::print(&sides);
    for side in &sides {
        let total = side.total();
        println!(
            "{}: {} of {} replies were interleaved",
            side.label, total.interleaved, total.answered
        );
    }
    Ok(())
}

/// Plain requests to a host of Autokey, and to one that is none.
pub(super) fn autokey(scratch: &Scratch, request: &Request) -> Result<(), String> {
    let keys = servers::autokey_keys(scratch, PASSWORD)?;
    let lines = servers::autokey_lines(&keys, PASSWORD);
    let start = |label, lines| {
        let setup = Setup {
            lines,
            ..Setup::default()
        };
        Side::start(scratch, Kind::Poll, &setup, Sort::Plain, label)
    };
    let mut sides = [start("with Autokey", &lines)?, start("without", "")?];
    alternate(&mut sides, request.rounds, &mut |crowd| {
        crowd.closed(OUTSTANDING, SLICE)
    })?;
    let [with, without] = &sides;
    println!(
        "with Autokey: {:.3} x the processor time a reply (median of {} rounds)",
        ratio(with, without, Slice::cpu_each),
        request.rounds
    );
    Ok(())
}
