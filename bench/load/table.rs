//! The figures of all sides, and their ratios to the yardstick and to each peer.
use super::contest::{Side, Slice, median, ratio};
use crate::servers::Kind;

/// Prints a row for each side, and how ours compare with the others.
pub(super) fn print(sides: &[Side]) {
    println!(
        "{:<18}{:>11}{:>11}{:>6}{:>9}{:>8}{:>9}{:>9}{:>9}{:>8}{:>8}{:>9}",
        "",
        "best/s",
        "median/s",
        "busy",
        "best ns",
        "med ns",
        "instr",
        "p50 us",
        "p99 us",
        "lost %",
        "bad",
        "RSS KiB"
    );
    for side in sides {
        row(side);
    }
    for ours in sides.iter().filter(|side| side.kind.is_ours()) {
        for other in sides.iter().filter(|side| !side.kind.is_ours()) {
            compare(ours, other);
        }
    }
    let engine = |kind| sides.iter().find(|side| side.kind == kind);
    if let (Some(poll), Some(uring)) = (engine(Kind::Poll), engine(Kind::Uring)) {
        compare(uring, poll);
    }
}

fn row(side: &Side) {
    let ((best, usual), (least_ns, usual_ns)) = (side.rates(), side.cpu_each());
    let total = side.total();
    let busy = median(side.slices.iter().map(Slice::busy).collect());
    let instructions = side.instructions_each();
    let instructions = instructions.map_or_else(|| "-".to_owned(), |it| format!("{it:.0}"));
    let us = |permille| total.latencies.permille_us(permille).unwrap_or(f64::NAN);
    let rss = side.server.memory_kib("VmRSS").unwrap_or_default();
    println!(
        "{:<18}{best:>11.0}{usual:>11.0}{:>5.0}%{least_ns:>9.0}{usual_ns:>8.0}{instructions:>9}\
         {:>9.1}{:>9.1}{:>8.2}{:>8}{rss:>9}",
        side.label,
        busy * 100.0,
        us(500),
        us(990),
        lost_percent(total.sent, total.answered),
        total.bad,
    );
    if let Some(fault) = total.complaint {
        println!("{:<18}the first bad reply was {fault}", "");
    }
}

/// How one of ours stands beside another: more is better.
fn compare(ours: &Side, other: &Side) {
    let (best, theirs) = (ours.rates().0, other.rates().0);
    let cpu = ratio(other, ours, Slice::cpu_each);
    let instructions = ours.instructions_each().zip(other.instructions_each());
    let instructions = instructions.map_or_else(String::new, |(ours, theirs)| {
        format!(", {:.3} x the instructions", ours / theirs)
    });
    println!(
        "{} by {}: {:.3} x the replies (median of rounds {:.3}), {cpu:.3} x as many a \
         CPU-second{instructions}",
        ours.label,
        other.label,
        best / theirs,
        ratio(ours, other, Slice::rate),
    );
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run")]
fn lost_percent(sent: u64, answered: u64) -> f64 {
    100.0 * (1.0 - answered as f64 / sent as f64)
}
