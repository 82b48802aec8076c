//! Instructions of user space for a reply: what our code adds to what the kernel charges everybody.
use super::Request;
use super::contest::{OUTSTANDING, SLICE, Side, Slice, alternate, ratio};
use super::crowd::Crowd;
use super::exchange::Sort;
use super::keys;
use super::threads::pin;
use crate::servers::{Kind, Scratch, Setup};

/// Who may not ask too often, with limits that nobody can reach: each request is counted and weighed,
/// none is over.
const LIMITED: &str = "restrict default limited kod\ndiscard average 0 minimum 0\n";
/// Nobody is counted.
const UNLIMITED: &str = "restrict default\ndisable monitor\n";

/// A row.
type Row = (&'static str, Kind, &'static str, Sort);

const ROWS: [Row; 9] = [
    ("raw responder", Kind::Raw, "", Sort::Plain),
    ("truechimer", Kind::Poll, "", Sort::Plain),
    (
        "truechimer, clients not noted",
        Kind::Poll,
        UNLIMITED,
        Sort::Plain,
    ),
    (
        "truechimer, limits not reached",
        Kind::Poll,
        LIMITED,
        Sort::Plain,
    ),
    (
        "truechimer, AES-CMAC",
        Kind::Poll,
        "",
        Sort::Keyed(keys::CMAC),
    ),
    ("truechimer, MD5", Kind::Poll, "", Sort::Keyed(keys::MD5)),
    ("chronyd 4.6.1", Kind::Chrony, "", Sort::Plain),
    ("NTPsec", Kind::Ntpsec, "", Sort::Plain),
    ("ntpd 4.2.8p15", Kind::Ntp4, "", Sort::Plain),
];

/// Prints instructions of user space for a reply, and what the limits cost beside all else.
pub(super) fn run(scratch: &Scratch, request: &Request) -> Result<(), String> {
    let [first, second] = request.cores;
    println!("instructions of user space for a reply, executed one by one");
    for (label, kind, lines, sort) in ROWS {
        if !kind.is_present() {
            println!("{label:<34} not installed");
            continue;
        }
        pin(first)?;
        let each = each(scratch, kind, lines, sort);
        pin(second)?;
        println!("{label:<34}{:>8.0}", each?);
    }
    let start = |label, lines| {
        let setup = Setup {
            lines,
            ..Setup::default()
        };
        Side::start(scratch, Kind::Poll, &setup, Sort::Plain, label)
    };
    let mut sides = [start("not limited", UNLIMITED)?, start("limited", LIMITED)?];
    let mut closed = |crowd: &mut Crowd| crowd.closed(OUTSTANDING, SLICE);
    alternate(&mut sides, request.rounds, &mut closed)?;
    let [without, with] = &sides;
    println!(
        "limits that are not reached: {:.3} x the processor time of none (median of {} rounds)",
        ratio(with, without, Slice::cpu_each),
        request.rounds
    );
    Ok(())
}

/// Of a server that is set up so.
fn each(scratch: &Scratch, kind: Kind, lines: &str, sort: Sort) -> Result<f64, String> {
    let setup = Setup {
        lines,
        ..Setup::default()
    };
    Side::start(scratch, kind, &setup, sort, "stepped")?.stepped()
}

/// Instructions of user space that a plain reply may take, the client noted: a tenth more than the 1727 it
/// took when this was written. A new compiler may move it; a change of ours that does has to say why.
const PLAIN_MAX: f64 = 1900.0;

/// `bench gate`: whether answering has become slower than it was.
pub(crate) fn gate() -> Result<(), String> {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    pin(*cores.first().ok_or("no processor to be seen")?)?;
    let plain = each(&Scratch::new()?, Kind::Poll, "", Sort::Plain)?;
    println!("instructions of user space for a reply: {plain:.0}, at most {PLAIN_MAX}");
    if plain > PLAIN_MAX {
        return Err("a reply takes more instructions than it may".into());
    }
    Ok(())
}
