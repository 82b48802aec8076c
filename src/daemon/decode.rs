//! `truechimer decode`: an NTP packet field by field, from a capture or from hexadecimal digits.
//!
//! Whatever the octets are, it ends and prints only what a terminal will not obey.

mod capture;
mod control;
mod frame;
mod hexdump;
mod interleave;
mod packet;
mod private;
#[cfg(test)]
mod tests;
mod trailer;
mod tree;

use crate::calendar;
use crate::cli::{print, print_error};
use crate::exit::Exit;
use crate::files::bounded;
use core::fmt;
use frame::{Datagram, Skipped};
use serde_json::{Map, Value};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use truechimer_wire::Mode;

pub use capture::Broken;
pub use frame::Layer;
pub use hexdump::NotHex;

/// Version of what `--json` prints.
const SCHEMA: u32 = 1;
/// Longest text of hexadecimal digits, octets.
const TEXT_LEN_MAX: usize = 4 << 20;

/// What to decode, and how to show it.
#[derive(Clone, Debug)]
pub struct Question {
    /// UDP port of NTP in captures.
    pub port: u16,
    /// What hexadecimal digits begin with, if that is not to be guessed.
    pub layer: Option<Layer>,
    /// One JSON object a packet.
    pub json: bool,
    /// Show raw time stamps and what values mean, too.
    pub details: bool,
}

/// Why an input gives no packets, or no more.
#[derive(Debug)]
pub enum Failure {
    /// The operating system's.
    Io(io::Error),
    /// The capture is damaged.
    Capture(Broken),
    /// The text is no digits.
    Text(NotHex),
    /// It is neither a capture nor text.
    Neither,
    /// No packet is about the port; how many frames there were.
    NoneFound {
        /// All frames.
        frames: u64,
        /// The port looked for.
        port: u16,
    },
    /// Digits that were said to begin with a header which they do not have.
    NoDatagram {
        /// Which packet of the text.
        number: u64,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Capture(broken) => broken.fmt(f),
            Self::Text(not_hex) => not_hex.fmt(f),
            Self::Neither => f.write_str("neither a capture (pcap, pcapng) nor hexadecimal digits"),
            Self::NoneFound { frames, port } => write!(
                f,
                "none of its {frames} frames is a UDP datagram of port {port}; --port N for another"
            ),
            Self::NoDatagram { number } => write!(
                f,
                "packet {number} has no such headers and no UDP datagram behind them"
            ),
        }
    }
}

impl core::error::Error for Failure {}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Self {
        Self::Capture(broken)
    }
}

impl From<NotHex> for Failure {
    fn from(not_hex: NotHex) -> Self {
        Self::Text(not_hex)
    }
}

/// Prints every packet of the inputs: files, `-` or nothing for standard input, or the digits
/// themselves, where no file is of that name.
pub fn run(question: &Question, inputs: &[String]) -> Exit {
    let mut decoder = Decoder::new(question, now_unix_s());
    let standard = ["-".to_owned()];
    let inputs = if inputs.is_empty() { &standard } else { inputs };
    let is_file = |word: &String| word == "-" || Path::new(word).exists();
    if !inputs.iter().any(is_file) {
        let digits = inputs.join(" ");
        return told(
            "no such file, and as digits: ",
            decoder.text(&digits, &mut print),
        );
    }
    let mut exit = Exit::Good;
    for input in inputs {
        if told(&format!("{input}: "), decoder.file(input)) != Exit::Good {
            exit = Exit::Failed;
        }
        for remark in decoder.remarks.drain(..) {
            print_error(&format!("truechimer decode: {input}: {remark}\n"));
        }
    }
    exit
}

fn told(place: &str, outcome: Result<(), Failure>) -> Exit {
    match outcome {
        Ok(()) => Exit::Good,
        Err(failure) => {
            print_error(&format!("truechimer decode: {place}{failure}\n"));
            Exit::Failed
        }
    }
}

/// What is printed for an input, with the failure that ended it, if one did. `now_unix_s` chooses
/// the era of time stamps that no capture dates.
pub fn rehearse(question: &Question, octets: &[u8], now_unix_s: i64) -> (String, Option<Failure>) {
    let mut printed = String::new();
    let outcome =
        Decoder::new(question, now_unix_s).stream(octets, &mut |text| printed.push_str(text));
    (printed, outcome.err())
}

fn now_unix_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_secs()).unwrap_or(i64::MAX)
}

struct Decoder<'a> {
    question: &'a Question,
    now_unix_s: i64,
    flows: interleave::Flows,
    is_first: bool,
    /// What is to be said of an input besides its packets.
    remarks: Vec<String>,
}

/// Where a packet was found.
struct Found<'a> {
    number: u64,
    captured: Option<(i64, u32)>,
    datagram: Option<Datagram<'a>>,
    payload: &'a [u8],
}

impl<'a> Decoder<'a> {
    fn new(question: &'a Question, now_unix_s: i64) -> Self {
        Self {
            question,
            now_unix_s,
            flows: interleave::Flows::default(),
            is_first: true,
            remarks: Vec::new(),
        }
    }

    fn file(&mut self, name: &str) -> Result<(), Failure> {
        if name == "-" {
            return self.stream(io::stdin(), &mut print);
        }
        bounded::refuse_named_pipe(Path::new(name)).map_err(Failure::Io)?;
        let file = File::open(name).map_err(Failure::Io)?;
        self.stream(file, &mut print)
    }

    fn stream(
        &mut self,
        mut source: impl Read + Send,
        say: &mut impl FnMut(&str),
    ) -> Result<(), Failure> {
        let mut start = Vec::new();
        // No more than the first block: a capture that is still being made is shown as it grows.
        while let Some(more) = capture::octets_to_begin(&start).checked_sub(start.len())
            && more > 0
            && take(&mut source, more, &mut start)? > 0
        {}
        if capture::is_capture(&start) {
            return self.capture(start.chain(source), say);
        }
        take(&mut source, TEXT_LEN_MAX, &mut start)?;
        if start.len() > TEXT_LEN_MAX {
            return Err(Failure::Io(io::Error::from(io::ErrorKind::FileTooLarge)));
        }
        match str::from_utf8(&start) {
            Ok(text) if !text.contains('\0') => self.text(text, say),
            _ => Err(Failure::Neither),
        }
    }

    fn capture(
        &mut self,
        source: impl Read + Send,
        say: &mut impl FnMut(&str),
    ) -> Result<(), Failure> {
        let port = self.question.port;
        let (mut frames, mut found, mut fragments, mut broken) = (0, 0_u64, 0_u64, 0_u64);
        let mut unknown = 0_u64;
        let outcome = capture::read(source, |frame| {
            frames = frame.number;
            let Some(layer) = frame.layer else {
                unknown += 1;
                return;
            };
            match Datagram::new(layer, frame.octets) {
                Ok(datagram) if datagram.is_about(port) => {
                    found += 1;
                    let payload = datagram.payload;
                    self.show(
                        &Found {
                            number: frame.number,
                            captured: frame.captured,
                            datagram: Some(datagram),
                            payload,
                        },
                        say,
                    );
                }
                Ok(_) | Err(Skipped::OtherProtocol) => {}
                Err(Skipped::Fragment) => fragments += 1,
                Err(Skipped::Broken) => broken += 1,
            }
        });
        for (count, what) in [
            (
                fragments,
                "are parts of datagrams, which are not put together",
            ),
            (
                broken,
                "have headers that are cut short or contradict themselves",
            ),
            (unknown, "are of a link type not known here"),
        ] {
            if count > 0 {
                self.remarks.push(format!("{count} frames {what}"));
            }
        }
        outcome?;
        if found == 0 {
            return Err(Failure::NoneFound { frames, port });
        }
        Ok(())
    }

    fn text(&mut self, text: &str, say: &mut impl FnMut(&str)) -> Result<(), Failure> {
        for (number, octets) in (1..).zip(hexdump::packets(text)?) {
            let guessed = || frame::guess(&octets);
            let layer = self.question.layer.unwrap_or_else(guessed);
            let datagram = match layer {
                Layer::Ntp => None,
                layer => {
                    let datagram = Datagram::new(layer, &octets);
                    Some(datagram.map_err(|_| Failure::NoDatagram { number })?)
                }
            };
            let payload = datagram.as_ref().map_or(&octets[..], |it| it.payload);
            self.show(
                &Found {
                    number,
                    captured: None,
                    datagram,
                    payload,
                },
                say,
            );
        }
        Ok(())
    }

    fn show(&mut self, found: &Found<'_>, say: &mut impl FnMut(&str)) {
        let mut parts = Vec::new();
        if let Some(datagram) = &found.datagram {
            parts.extend(datagram.parts());
        }
        let near_unix_s = found.captured.map_or(self.now_unix_s, |(unix_s, _)| unix_s);
        parts.push(self.ntp(found, near_unix_s));
        if self.question.json {
            say(&format!("{}\n", object(found, &parts)));
            return;
        }
        if !self.is_first {
            say("\n");
        }
        self.is_first = false;
        if let Some(datagram) = &found.datagram {
            say(&headline(found, datagram));
        }
        for part in &parts {
            say(&part.text(self.question.details));
        }
    }

    fn ntp(&mut self, found: &Found<'_>, near_unix_s: i64) -> tree::Part {
        let mode = found.payload.first().map(|octet| Mode::from_bits(*octet));
        match mode {
            Some(Mode::Control) => control::part(found.payload),
            Some(Mode::Private) => private::part(found.payload),
            _ => {
                let (mut part, header) = packet::part(found.payload, near_unix_s);
                if let (Some(header), Some(it)) = (header, &found.datagram) {
                    let (number, flows) = (found.number, &mut self.flows);
                    let word = flows.take(number, it.source, it.destination, &header);
                    word.into_iter().for_each(|word| part.note(word));
                }
                part
            }
        }
    }
}

/// Reads on, by `len` octets at most.
fn take(source: &mut impl Read, len: usize, into: &mut Vec<u8>) -> Result<usize, Failure> {
    let len = u64::try_from(len).unwrap_or(u64::MAX);
    source.take(len).read_to_end(into).map_err(Failure::Io)
}

/// A line of the list that the reference's decoder prints over each packet.
fn headline(found: &Found<'_>, datagram: &Datagram<'_>) -> String {
    let time = found.captured.map(|(unix_s, nanoseconds)| {
        let moment = calendar::microsecond(unix_s, nanoseconds);
        moment
            .split_once(' ')
            .map_or(String::new(), |it| it.1.to_owned())
    });
    format!(
        "No.     Time            Source                Destination           Protocol Info\n\
         {:>7} {:<15} {:<21} {:<21} {:<8} NTP\n\n",
        found.number,
        time.unwrap_or_default(),
        datagram.source.ip().to_string(),
        datagram.destination.ip().to_string(),
        "NTP"
    )
}

#[expect(
    clippy::cast_precision_loss,
    reason = "seconds of this century are exact in a double, microseconds nearly"
)]
fn object(found: &Found<'_>, parts: &[tree::Part]) -> Value {
    let mut object = Map::new();
    object.insert("schema".to_owned(), SCHEMA.into());
    object.insert("number".to_owned(), found.number.into());
    let captured = found
        .captured
        .map(|(unix_s, nanoseconds)| unix_s as f64 + f64::from(nanoseconds) * 1e-9);
    object.insert("captured_unix_s".to_owned(), captured.into());
    for part in parts {
        part.put_into(&mut object);
    }
    object.into()
}
