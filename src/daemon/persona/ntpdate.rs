//! ntpdate: asks servers a few times and sets the clock once.

mod choice;

use super::samples::{self, KeyWords};
use crate::cli::{print, print_error, reason};
use crate::control_client::{log_moment, pretty};
use crate::exit::Exit;
use crate::query::Family;
use choice::{Server, choose};
use core::time::Duration;
use lexopt::prelude::*;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process;
use truechimer_sys::clock::{self, Change};
use truechimer_time::NtpDuration;

/// Offsets from here on are stepped, seconds.
const STEP_S: f64 = 0.5;
/// Samples that fit.
const SAMPLES_MAX: u32 = 8;
const USAGE: &str = "\
usage: ntpdate [-46bBdqsuv] [-a KEY] [-e DELAY] [-k FILE] [-o VERSION] [-p SAMPLES] [-t SECONDS] SERVER ...
";
const VERSION: &str = concat!("ntpdate truechimer ", env!("CARGO_PKG_VERSION"));

#[derive(Debug, PartialEq)]
struct Options {
    servers: Vec<String>,
    family: Option<Family>,
    /// True: always step, false: never; else by the size of the offset.
    step: Option<bool>,
    debug: bool,
    query_only: bool,
    verbose: bool,
    key_id: Option<u32>,
    key_file: PathBuf,
    samples: u32,
    timeout_s: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            family: None,
            step: None,
            debug: false,
            query_only: false,
            verbose: false,
            key_id: None,
            key_file: PathBuf::from("/etc/ntp.keys"),
            samples: 4,
            timeout_s: 1.0,
        }
    }
}

/// Runs it; `words` are without the program's name.
pub fn run(words: impl IntoIterator<Item = OsString>) -> Exit {
    match parse(words) {
        Ok(options) if options.servers.is_empty() => {
            complain("no servers can be used, exiting");
            Exit::Failed
        }
        Ok(options) => work(&options),
        Err(error) => {
            print_error(&format!("ntpdate: {error}\n{USAGE}"));
            Exit::Usage
        }
    }
}

fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Options, lexopt::Error> {
    let mut options = Options::default();
    let mut parser = lexopt::Parser::from_args(words);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('4') => options.family = Some(Family::V4),
            Short('6') => options.family = Some(Family::V6),
            Short('a') => options.key_id = Some(parser.value()?.parse()?),
            Short('b') => options.step = Some(true),
            Short('B') => options.step = Some(false),
            Short('d') => options.debug = true,
            Short('k') => options.key_file = parser.value()?.into(),
            Short('p') => options.samples = parser.value()?.parse::<u32>()?.clamp(1, SAMPLES_MAX),
            Short('q') => options.query_only = true,
            Short('t') => options.timeout_s = parser.value()?.parse()?,
            Short('v') => options.verbose = true,
            // Our port is always a random one; the other two have nothing to say any more.
            Short('u' | 's') => {}
            Short('e' | 'o') => drop(parser.value()?),
            Value(server) => options.servers.push(server.string()?),
            _ => return Err(argument.unexpected()),
        }
    }
    if !(0.001..=60.0).contains(&options.timeout_s) {
        return Err("-t: seconds, 0.001 to 60".into());
    }
    Ok(options)
}

fn stamp(text: &str) -> String {
    format!("{} ntpdate[{}]: {text}\n", log_moment(), process::id())
}

fn tell(text: &str) {
    print(&stamp(text));
}

fn complain(text: &str) {
    print_error(&stamp(text));
}

fn work(options: &Options) -> Exit {
    if options.debug || options.verbose {
        tell(VERSION);
    }
    let key = options.key_id.map(|id| KeyWords {
        id,
        file: options.key_file.clone(),
    });
    if let Some(Err(error)) = key.as_ref().map(|key| key.load().map(drop)) {
        complain(&format!("{error}, exiting"));
        return Exit::Failed;
    }
    let addresses = look_up(options);
    if addresses.is_empty() {
        complain("no servers can be used, exiting");
        return Exit::Failed;
    }
    let told = |what: &str, address: SocketAddr| {
        if options.debug {
            print(&format!("{what}({})\n", address.ip()));
        }
    };
    let timeout = Duration::from_secs_f64(options.timeout_s);
    let sampled = samples::sample(&addresses, options.samples, timeout, key.as_ref(), &told);
    let servers: Vec<Server> = sampled.into_iter().filter_map(Server::of).collect();
    if options.debug || options.query_only {
        for server in &servers {
            print(&shown(server, options.debug));
        }
    }
    let told = |text: &str| {
        if options.debug {
            print(&format!("{text}\n"));
        }
    };
    match choose(&servers, &told) {
        Some(server) => set(options, server),
        None => {
            complain("no server suitable for synchronization found");
            Exit::Failed
        }
    }
}

fn look_up(options: &Options) -> Vec<SocketAddr> {
    let mut all = Vec::new();
    for host in &options.servers {
        if options.debug {
            print(&format!("Looking for host {host} and service ntp\n"));
        }
        match samples::addresses(host, options.family) {
            Ok(found) => all.extend(found),
            Err(reason) => {
                print_error(&format!("Error resolving {host}: {reason}\n"));
                complain(&format!("Can't find host {host}: {reason}"));
            }
        }
    }
    all.truncate(samples::ADDRESSES_MAX);
    all
}

fn shown(server: &Server, debug: bool) -> String {
    let (address, header) = (server.address, &server.last.header);
    if !debug {
        return format!(
            "server {}, stratum {}, offset {:.6}, delay {:.5}\n",
            address.ip(),
            header.stratum,
            server.offset_s,
            server.delay_s
        );
    }
    let column = |values: Vec<String>| {
        let cells: String = values.iter().map(|value| format!("{value:<10} ")).collect();
        cells.trim_end().to_owned()
    };
    let delays = server
        .samples
        .iter()
        .map(|(_, delay)| format!("{delay:.5}"));
    let offsets = server
        .samples
        .iter()
        .map(|(offset, _)| format!("{offset:+.6}"));
    format!(
        "\nserver {}, port {}\nstratum {}, precision {}, leap {:02b}, trust 000\n\
         refid [{}], root delay {:.6}, root dispersion {:.6}\n\
         reference time:      {}\noriginate timestamp: {}\ntransmit timestamp:  {}\n\
         filter delay:  {}\nfilter offset: {}\n\
         delay {:.5}, dispersion {:.5}, offset {:+.6}\n\n",
        address.ip(),
        address.port(),
        header.stratum,
        header.precision,
        header.leap.to_bits(),
        header.reference_id.display(header.stratum),
        header.root_delay.to_seconds(),
        header.root_dispersion.to_seconds(),
        pretty(header.reference_time),
        pretty(header.receive_time),
        pretty(header.transmit_time),
        column(delays.collect()),
        column(offsets.collect()),
        server.delay_s,
        server.dispersion_s,
        server.offset_s
    )
}

fn set(options: &Options, server: &Server) -> Exit {
    let step = options.step.unwrap_or(server.offset_s.abs() >= STEP_S);
    let by = NtpDuration::from_seconds(server.offset_s);
    let done = if options.query_only || options.debug {
        Ok(())
    } else if step {
        clock::apply(&Change::Step(by)).map(drop)
    } else {
        clock::slew(by)
    };
    if let Err(error) = done {
        let what = if step { "step" } else { "adjust" };
        complain(&format!("Can't {what} the time of day: {}", reason(&error)));
        return Exit::Failed;
    }
    let verb = if step { "step" } else { "adjust" };
    tell(&format!(
        "{verb} time server {} offset {:.6} sec",
        server.address.ip(),
        server.offset_s
    ));
    Exit::Good
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options() {
        let of = |words: &str| parse(words.split_whitespace().map(OsString::from));
        let options = of("-qub -p 20 -t 0.2 -a 5 -k /k -4 a b").expect("understood");
        assert!(options.query_only && options.step == Some(true));
        assert_eq!((options.samples, options.timeout_s), (SAMPLES_MAX, 0.2));
        assert_eq!(
            (options.key_id, options.family),
            (Some(5), Some(Family::V4))
        );
        assert_eq!(options.servers, ["a", "b"]);
        assert_eq!(of("-B x").expect("understood").step, Some(false));
        for wrong in ["-Z", "-t", "-t -1", "-t nan", "-a x", "--query"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_line_of_the_log() {
        let line = stamp("adjust time server 192.0.2.1 offset 0.004687 sec");
        let end = format!(
            "ntpdate[{}]: adjust time server 192.0.2.1 offset 0.004687 sec\n",
            process::id()
        );
        assert!(line.ends_with(&end), "{line}");
    }
}
