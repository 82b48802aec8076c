//! sntp: asks each server once, tells a line, and sets the clock where it is told to.
use super::samples::{self, KeyWords, Sampled};
use crate::cli::{print, print_error};
use crate::exit::Exit;
use crate::query::{Family, Fault, Reading};
use core::time::Duration;
use lexopt::prelude::*;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use truechimer_sys::clock::{self, Change, local_time};
use truechimer_time::NtpDuration;
use truechimer_time::leap::LeapIndicator;

const USAGE: &str = "\
usage: sntp [-46dSs] [-a KEY] [-k FILE] [-c HOST] [-M MS] [-t SECONDS] [HOST ...]
  -4, --ipv4; -6, --ipv6       use IPv4 only, IPv6 only
  -a, --authentication KEY     number of the key to use
  -k, --keyfile FILE           where the key is, /etc/ntp.keys by default
  -c, --concurrent HOST        ask all addresses of this host
  -d, --debug-level            tell more
  -M, --steplimit MS           offsets below are slewed, others stepped, where both are allowed
  -S, --step; -s, --slew       allowed to step, to slew the clock
  -t, --timeout SECONDS        how long to wait for a reply, 5 by default
      --version, -?, --help
";
const VERSION: &str = concat!("sntp truechimer ", env!("CARGO_PKG_VERSION"), "\n");

#[derive(Debug, PartialEq)]
struct Options {
    /// Hosts, and whether all their addresses are asked.
    hosts: Vec<(String, bool)>,
    family: Option<Family>,
    key_id: Option<u32>,
    key_file: PathBuf,
    debug: bool,
    step: bool,
    slew: bool,
    step_limit_ms: u32,
    timeout_s: f64,
}

/// Runs it; `words` are without the program's name.
pub fn run(words: impl IntoIterator<Item = OsString>) -> Exit {
    match parse(words) {
        Ok(Some(options)) if options.hosts.is_empty() => {
            print_error(&format!("sntp: no host given\n{USAGE}"));
            Exit::Usage
        }
        Ok(Some(options)) => work(&options),
        Ok(None) => Exit::Good,
        Err(error) => {
            print_error(&format!("sntp: {error}\n{USAGE}"));
            Exit::Usage
        }
    }
}

/// `None` where help or version were asked for, and told.
fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options {
        hosts: Vec::new(),
        family: None,
        key_id: None,
        key_file: PathBuf::from("/etc/ntp.keys"),
        debug: false,
        step: false,
        slew: false,
        step_limit_ms: 0,
        timeout_s: 5.0,
    };
    let mut parser = lexopt::Parser::from_args(words);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('?') | Long("help") => {
                print(USAGE);
                return Ok(None);
            }
            Long("version") => {
                print(VERSION);
                return Ok(None);
            }
            Short('4') | Long("ipv4") => options.family = Some(Family::V4),
            Short('6') | Long("ipv6") => options.family = Some(Family::V6),
            Short('a') | Long("authentication") => options.key_id = Some(parser.value()?.parse()?),
            Short('k') | Long("keyfile") => options.key_file = parser.value()?.into(),
            Short('c') | Long("concurrent") => {
                options.hosts.push((parser.value()?.string()?, true));
            }
            Short('d') | Long("debug-level") => options.debug = true,
            Short('M') | Long("steplimit") => options.step_limit_ms = parser.value()?.parse()?,
            Short('S') | Long("step") => options.step = true,
            Short('s') | Long("slew") => options.slew = true,
            Short('t') | Long("timeout") => options.timeout_s = parser.value()?.parse()?,
            // Files of kisses and logs, gaps, versions and ports: nothing hangs on them here.
            Short('r') | Long("usereservedport" | "wait" | "no-wait") => {}
            Short('D' | 'g' | 'K' | 'l' | 'o')
            | Long("set-debug-level" | "gap" | "kod" | "logfile" | "ntpversion") => {
                drop(parser.value()?);
            }
            Value(host) => options.hosts.push((host.string()?, false)),
            _ => return Err(argument.unexpected()),
        }
    }
    if !(0.001..=600.0).contains(&options.timeout_s) {
        return Err("-t: seconds, 0.001 to 600".into());
    }
    Ok(Some(options))
}

fn work(options: &Options) -> Exit {
    print(VERSION);
    let key = options.key_id.map(|id| KeyWords {
        id,
        file: options.key_file.clone(),
    });
    if let Some(Err(error)) = key.as_ref().map(|key| key.load().map(drop)) {
        print_error(&format!("sntp: {error}\n"));
        return Exit::Failed;
    }
    let mut exit = Exit::Good;
    let mut adjusted = false;
    for (host, all) in &options.hosts {
        let addresses = match samples::addresses(host, options.family) {
            Ok(addresses) => addresses,
            Err(reason) => {
                print_error(&format!("{host} lookup error {reason}\n"));
                exit = Exit::Failed;
                continue;
            }
        };
        for sampled in ask(&addresses, *all, options, key.as_ref()) {
            let Some(reading) = sampled.readings.first() else {
                print(&silence(host, &sampled, options.timeout_s));
                continue;
            };
            print(&line(host, sampled.address, reading, adjusted));
            let may_set = options.step || options.slew;
            if may_set && !adjusted && reading.synchronized() {
                adjusted = true;
                if let Err(error) = set(reading.offset_s, options) {
                    print_error(&format!("sntp: {error}\n"));
                    exit = Exit::Failed;
                }
            }
        }
    }
    exit
}

/// The first address that answers, or all of them.
fn ask(
    addresses: &[SocketAddr],
    all: bool,
    options: &Options,
    key: Option<&KeyWords>,
) -> Vec<Sampled> {
    let timeout = Duration::from_secs_f64(options.timeout_s);
    let told = |what: &str, address: SocketAddr| {
        if options.debug {
            print(&format!("{what} {address}\n"));
        }
    };
    if all {
        return samples::sample(addresses, 1, timeout, key, &told);
    }
    let mut outcome = Vec::new();
    for address in addresses {
        outcome = samples::sample(&[*address], 1, timeout, key, &told);
        if outcome.iter().any(|sampled| !sampled.readings.is_empty()) {
            break;
        }
    }
    outcome
}

/// The host as it was named, with its address where that is another.
fn named(host: &str, address: SocketAddr) -> String {
    let shown = address.ip().to_string();
    if host.trim_matches(['[', ']']) == shown {
        shown
    } else {
        format!("{host} {shown}")
    }
}

fn silence(host: &str, sampled: &Sampled, timeout_s: f64) -> String {
    let host = named(host, sampled.address);
    match &sampled.last_fault {
        Some(Fault::Kiss(code)) => format!("KOD code {} from {host}\n", code.display(0)),
        Some(Fault::NoReply { .. }) | None => {
            format!("{host} no UCST response after {timeout_s} seconds\n")
        }
        Some(fault) => format!("{host} {fault}\n"),
    }
}

fn line(host: &str, address: SocketAddr, reading: &Reading, adjusted: bool) -> String {
    let header = &reading.header;
    // The precision has so many digits; more would be made up.
    let precision = 2_f64.powi(i32::from(header.precision));
    let digits = (0..6)
        .take_while(|place| precision * 10_f64.powi(place + 1) < 1.0)
        .count();
    let root = header.root_delay.to_seconds();
    let distance = (2.0 * reading.offset_s.abs() + root) / 3.0
        + header.root_dispersion.to_seconds()
        + truechimer_time::PHI_S_PER_S;
    let leap = match header.leap {
        LeapIndicator::NoWarning => "no-leap",
        LeapIndicator::AddSecond => "add-leap",
        LeapIndicator::DeleteSecond => "del-leap",
        LeapIndicator::NotSynchronized => "unsync",
    };
    let stratum = match header.stratum {
        0 => 16,
        stratum => stratum,
    };
    let excess = if adjusted { " [excess]" } else { "" };
    format!(
        "{} {:+.digits$} +/- {distance:.6} {} s{stratum} {leap}{excess}\n",
        moment(reading),
        reading.offset_s,
        named(host, address)
    )
}

/// When the reply came, by our clock: `2026-11-24 18:19:54.541144 (+0000)`.
fn moment(reading: &Reading) -> String {
    let now_s = i64::from(clock::wall().seconds()) - truechimer_time::UNIX_EPOCH_IN_NTP_SECONDS;
    let (unix_s, nanoseconds) = reading.arrived.to_unix(now_s);
    let Some(time) = local_time(unix_s) else {
        return unix_s.to_string();
    };
    let minutes = time.ahead_of_utc_s / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06} ({sign}{:02}{:02})",
        time.year,
        time.month,
        time.day,
        time.hour,
        time.minute,
        time.second,
        nanoseconds / 1000,
        minutes.abs() / 60,
        minutes.abs() % 60
    )
}

fn set(offset_s: f64, options: &Options) -> std::io::Result<()> {
    let by = NtpDuration::from_seconds(offset_s);
    let small = offset_s.abs() * 1e3 < f64::from(options.step_limit_ms);
    if options.step && !(options.slew && small) {
        clock::apply(&Change::Step(by)).map(drop)
    } else {
        clock::slew(by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use truechimer_time::NtpTimestamp;
    use truechimer_wire::{Header, Mode};

    #[test]
    fn a_line_as_the_reference_prints_it() {
        let mut header = Header::blank(4, Mode::Server);
        header.leap = LeapIndicator::NoWarning;
        header.stratum = 3;
        header.precision = -24;
        let reading = Reading {
            header,
            offset_s: 0.000_162,
            delay_s: 0.0003,
            root_distance_s: 0.1,
            arrived: NtpTimestamp::from_bits(0xEEB0_538A_8000_0000),
            authenticated: false,
        };
        let address = SocketAddr::from(([10, 77, 0, 1], 123));
        let shown = line("10.77.0.1", address, &reading, false);
        let (when, rest) = shown.split_at("2026-11-24 18:19:54.541144 (+0000)".len());
        assert!(
            when.starts_with("2026-11-2") && when.contains(".500000 ("),
            "{when}"
        );
        assert_eq!(rest, " +0.000162 +/- 0.000123 10.77.0.1 s3 no-leap\n");
        let shown = line("ntp.example", address, &reading, true);
        assert!(
            shown.ends_with(" ntp.example 10.77.0.1 s3 no-leap [excess]\n"),
            "{shown}"
        );
    }

    #[test]
    fn options() {
        let of = |words: &str| parse(words.split_whitespace().map(OsString::from));
        let options = of("-t 1 -c pool.example -4 --step host")
            .expect("understood")
            .expect("run");
        assert_eq!(
            options.hosts,
            [
                ("pool.example".to_owned(), true),
                ("host".to_owned(), false)
            ]
        );
        assert!(options.step && !options.slew);
        assert!(of("-t 0").is_err() && of("-Z").is_err());
    }
}
