//! Sends packets as a script says, each from an address and port of its own, and tells what came
//! back: for the tests of who is answered.
//!
//! `ntp-asker SCRIPT`, of lines `NAME AT_MS SOURCE TARGET HEX`; SOURCE and TARGET are sockets.
//! Prints `NAME HEX`, or `NAME -` where nothing came within a second of the last.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How long answers are waited for after the last packet.
const PATIENCE: Duration = Duration::from_millis(1000);

/// A packet to be sent.
struct Packet {
    name: String,
    at: Duration,
    source: SocketAddr,
    target: SocketAddr,
    octets: Vec<u8>,
    answer: Option<Vec<u8>>,
}

fn main() -> ExitCode {
    match std::env::args()
        .nth(1)
        .ok_or_else(|| "no script".to_owned())
        .and_then(|path| run(&path))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ntp-asker: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(path: &str) -> Result<(), String> {
    let script = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let mut packets: Vec<Packet> = script
        .lines()
        .map(|line| read(line).ok_or_else(|| format!("cannot read: {line}")))
        .collect::<Result<_, _>>()?;
    packets.sort_by_key(|packet| packet.at);
    let sockets = open(&packets)?;
    let start = Instant::now();
    let mut sent = 0;
    let last = packets.last().map_or(Duration::ZERO, |packet| packet.at);
    while start.elapsed() < last + PATIENCE {
        while packets.get(sent).is_some_and(|it| it.at <= start.elapsed()) {
            let Packet {
                source,
                target,
                octets,
                name,
                ..
            } = &packets[sent];
            sockets[source]
                .send_to(octets, target)
                .map_err(|error| format!("{name}: {error}"))?;
            sent += 1;
        }
        listen(&sockets, &mut packets[..sent])?;
        std::thread::sleep(Duration::from_millis(1));
    }
    for packet in &packets {
        let answer = packet.answer.as_deref().map_or_else(|| "-".to_owned(), hex);
        println!("{} {answer}", packet.name);
    }
    Ok(())
}

fn read(line: &str) -> Option<Packet> {
    let mut words = line.split_whitespace();
    Some(Packet {
        name: words.next()?.to_owned(),
        at: Duration::from_millis(words.next()?.parse().ok()?),
        source: words.next()?.parse().ok()?,
        target: words.next()?.parse().ok()?,
        octets: octets(words.next()?)?,
        answer: None,
    })
}

fn octets(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn open(packets: &[Packet]) -> Result<BTreeMap<SocketAddr, UdpSocket>, String> {
    let mut sockets = BTreeMap::new();
    for packet in packets {
        if sockets.contains_key(&packet.source) {
            continue;
        }
        let socket = UdpSocket::bind(packet.source)
            .and_then(|socket| socket.set_nonblocking(true).map(|()| socket))
            .map_err(|error| format!("{}: {error}", packet.source))?;
        sockets.insert(packet.source, socket);
    }
    Ok(sockets)
}

fn listen(sockets: &BTreeMap<SocketAddr, UdpSocket>, sent: &mut [Packet]) -> Result<(), String> {
    let mut buffer = [0; 2048];
    for (source, socket) in sockets {
        while let Ok((len, _)) = socket.recv_from(&mut buffer) {
            let answer = buffer.get(..len).unwrap_or_default();
            let asked = sent
                .iter_mut()
                .filter(|it| it.source == *source && it.answer.is_none())
                .find(|it| is_answer(&it.octets, answer));
            match asked {
                Some(packet) => packet.answer = Some(answer.to_vec()),
                None => return Err(format!("{source} got what it did not ask: {}", hex(answer))),
            }
        }
    }
    Ok(())
}

/// Time answers repeat the transmit stamp as origin, control answers the sequence number.
fn is_answer(asked: &[u8], answer: &[u8]) -> bool {
    let control = answer.first().is_some_and(|first| first & 7 == 6);
    let (of_answer, of_asked) = if control {
        (2..4, 2..4)
    } else {
        (24..32, 40..48)
    };
    let said = answer.get(of_answer);
    said.is_some() && said == asked.get(of_asked)
}
