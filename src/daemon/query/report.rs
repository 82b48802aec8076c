//! A query's outcome for people and for programs.
use super::reading::{Fault, Reading};
use crate::calendar;
use core::fmt::Write;
use serde::Serialize;
use std::net::SocketAddr;
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{NtpDuration, NtpTimestamp};

/// What came of one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// As the operator named it.
    pub host: String,
    /// Whom was asked, where there was an address.
    pub address: Option<SocketAddr>,
    /// The time, or why there is none.
    pub outcome: Result<Reading, Fault>,
}

impl Record {
    /// Puts together what belongs together.
    pub fn new(host: &str, address: Option<SocketAddr>, outcome: Result<Reading, Fault>) -> Self {
        Self {
            host: host.to_owned(),
            address,
            outcome,
        }
    }

    /// Whether a synchronized server gave its time.
    pub fn is_good(&self) -> bool {
        self.outcome.as_ref().is_ok_and(Reading::synchronized)
    }
}

/// For people, a line a fact.
pub fn text(record: &Record) -> String {
    let mut text = match record.address {
        Some(address) if address.ip().to_string() == record.host => format!("server {address}\n"),
        Some(address) => format!("server {} ({address})\n", record.host),
        None => format!("server {}\n", record.host),
    };
    match &record.outcome {
        Ok(reading) => facts(&mut text, reading),
        // A string takes any write; there is nothing to fail, here and below.
        Err(fault) => {
            let _ = writeln!(text, "  {fault}");
        }
    }
    text
}

fn facts(text: &mut String, reading: &Reading) {
    let header = &reading.header;
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "  {name:<16} {value}");
    };
    if !reading.synchronized() {
        let words = "the server is unsynchronized: it answers, but does not know the time";
        line("note", words.to_owned());
    }
    line("offset", offset(reading.offset_s));
    line("delay", format!("{:.6} s", reading.delay_s));
    line("stratum", stratum(header.stratum));
    line(
        "refid",
        header.reference_id.display(header.stratum).to_string(),
    );
    line("leap", leap(header.leap).to_owned());
    line(
        "root delay",
        format!("{:.6} s", header.root_delay.to_seconds()),
    );
    line(
        "root dispersion",
        format!("{:.6} s", header.root_dispersion.to_seconds()),
    );
    line("root distance", format!("{:.6} s", reading.root_distance_s));
    line("precision", precision(header.precision));
    line("version", header.version.to_string());
    line("reference time", reference_time(reading));
    if reading.authenticated {
        line("authentication", "the MAC is right".to_owned());
    }
}

fn offset(offset_s: f64) -> String {
    let side = if offset_s < 0.0 { "behind" } else { "ahead of" };
    format!("{offset_s:+.6} s (the server is {side} us)")
}

fn stratum(stratum: u8) -> String {
    match stratum {
        1 => "1 (primary)".to_owned(),
        2..=15 => stratum.to_string(),
        // The wire says 0 for what is 16 (RFC 5905 figure 11).
        other => format!("{other} (unsynchronized or unspecified)"),
    }
}

const fn leap(leap: LeapIndicator) -> &'static str {
    match leap {
        LeapIndicator::NoWarning => "no warning",
        LeapIndicator::AddSecond => "a second will be inserted at the end of the month",
        LeapIndicator::DeleteSecond => "a second will be deleted at the end of the month",
        LeapIndicator::NotSynchronized => "not synchronized",
    }
}

fn precision(exponent: i8) -> String {
    let seconds = f64::from(exponent).exp2();
    if seconds < 1e-6 {
        format!("2^{exponent} s ({:.0} ns)", seconds * 1e9)
    } else {
        format!("2^{exponent} s ({:.1} us)", seconds * 1e6)
    }
}

/// Our own clock only chooses the era.
fn unix(moment: NtpTimestamp, near: NtpTimestamp) -> (i64, u32) {
    let (near_s, _) = near.to_unix(i64::from(u32::MAX) / 2);
    moment.to_unix(near_s)
}

fn reference_time(reading: &Reading) -> String {
    let reference = reading.header.reference_time;
    if reference.is_zero() {
        return "never set".to_owned();
    }
    let (unix_s, nanoseconds) = unix(reference, reading.arrived);
    let age: NtpDuration = reading.header.transmit_time.since(reference);
    format!(
        "{} UTC ({:.0} s before the reply)",
        calendar::microsecond(unix_s, nanoseconds),
        age.to_seconds()
    )
}

#[derive(Serialize)]
struct Machine<'a> {
    host: &'a str,
    address: Option<String>,
    port: Option<u16>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    facts: Option<Facts>,
}

#[derive(Serialize)]
struct Facts {
    offset_s: f64,
    delay_s: f64,
    stratum: u8,
    refid: String,
    leap: u8,
    root_delay_s: f64,
    root_dispersion_s: f64,
    root_distance_s: f64,
    precision_log2_s: i8,
    version: u8,
    poll_log2_s: i8,
    reference_time_unix_s: Option<f64>,
    authenticated: bool,
}

/// For programs: one JSON object on one line.
pub fn json(record: &Record) -> String {
    let reading = record.outcome.as_ref().ok();
    let fault = record.outcome.as_ref().err();
    let machine = Machine {
        host: &record.host,
        address: record.address.map(|address| address.ip().to_string()),
        port: record.address.map(|address| address.port()),
        status: match (reading, fault) {
            (_, Some(fault)) => fault.word(),
            (Some(reading), _) if !reading.synchronized() => "unsynchronized",
            _ => "ok",
        },
        message: fault.map(ToString::to_string),
        facts: reading.map(machine_facts),
    };
    serde_json::to_string(&machine).unwrap_or_default()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "seconds of this century are exact in a double, microseconds nearly"
)]
fn machine_facts(reading: &Reading) -> Facts {
    let header = &reading.header;
    let set = !header.reference_time.is_zero();
    let (unix_s, nanoseconds) = unix(header.reference_time, reading.arrived);
    Facts {
        offset_s: reading.offset_s,
        delay_s: reading.delay_s,
        stratum: header.stratum,
        refid: header.reference_id.display(header.stratum).to_string(),
        leap: header.leap.to_bits(),
        root_delay_s: header.root_delay.to_seconds(),
        root_dispersion_s: header.root_dispersion.to_seconds(),
        root_distance_s: reading.root_distance_s,
        precision_log2_s: header.precision,
        version: header.version,
        poll_log2_s: header.poll,
        reference_time_unix_s: set.then(|| unix_s as f64 + f64::from(nanoseconds) * 1e-9),
        authenticated: reading.authenticated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use truechimer_wire::{Header, Mode, ReferenceId};

    fn reading() -> Reading {
        let mut header = Header::blank(4, Mode::Server);
        header.stratum = 2;
        header.precision = -23;
        header.reference_id = ReferenceId::from_octets([192, 0, 2, 9]);
        header.reference_time = NtpTimestamp::from_unix(1_700_000_000, 0);
        header.transmit_time = NtpTimestamp::from_unix(1_700_000_012, 0);
        Reading {
            header,
            offset_s: -0.25,
            delay_s: 0.01,
            root_distance_s: 0.02,
            arrived: NtpTimestamp::from_unix(1_700_000_012, 0),
            authenticated: false,
        }
    }

    fn record(outcome: Result<Reading, Fault>) -> Record {
        let address = SocketAddr::from(([192, 0, 2, 1], 123));
        Record::new("ntp.example", Some(address), outcome)
    }

    #[test]
    fn facts_for_people() {
        let text = text(&record(Ok(reading())));
        for part in [
            "server ntp.example (192.0.2.1:123)",
            "offset           -0.250000 s (the server is behind us)",
            "refid            192.0.2.9",
            "precision        2^-23 s (119 ns)",
            "2023-11-14 22:13:20.000000 UTC (12 s before the reply)",
        ] {
            assert!(text.contains(part), "{part} not in\n{text}");
        }
    }

    #[test]
    fn facts_for_programs() {
        let good: serde_json::Value =
            serde_json::from_str(&json(&record(Ok(reading())))).expect("JSON");
        assert_eq!(good["status"], "ok");
        assert_eq!(good["offset_s"], -0.25);
        assert_eq!(good["port"], 123);
        let bad = record(Err(Fault::Refused));
        let bad: serde_json::Value = serde_json::from_str(&json(&bad)).expect("JSON");
        assert_eq!(bad["status"], "refused");
        assert!(
            bad["message"]
                .as_str()
                .expect("text")
                .contains("no NTP server")
        );
        assert!(bad.get("offset_s").is_none());
    }

    #[test]
    fn a_server_that_does_not_know_the_time_says_so() {
        let mut unsynchronized = reading();
        unsynchronized.header.stratum = 16;
        let record = record(Ok(unsynchronized));
        assert!(!record.is_good());
        assert!(text(&record).contains("the server is unsynchronized"));
        assert!(json(&record).contains("\"status\":\"unsynchronized\""));
    }
}
