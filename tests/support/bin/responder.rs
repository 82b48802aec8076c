//! A small NTP server that lies as it is told, for the tests of what the daemon believes.
//!
//! `ntp-responder [WORD=VALUE]... [WORD]...`
//!
//! - `offset=SECONDS` added to the true time in every answer
//! - `stratum=N`, `leap=N`, `refid=ABCD` of the answer
//! - `before=LIE,LIE...` sent before each answer, `after=LIE,LIE...` sent after it
//! - `silent` leaves the answer itself out
//!
//! Lies: `wrong-origin`, `zero-origin`, `short`, `long-garbage`, `kod-deny`, `kod-rate` (both of
//! wrong origin), `obeyed-kod-rate`, `obeyed-kod-deny` (right origin), `duplicate`, `bad-version`,
//! `request-echo`, `crypto-nak`, and answers with a MAC under key 1 or another: `mac-cut`, `mac-long`,
//! `mac-wrong` (of MD5's length), `mac-other`.
#![forbid(unsafe_code)]

use std::net::{SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// From 1900 to 1970.
const NTP_TO_UNIX_S: u64 = 2_208_988_800;
/// Octets of a header (RFC 5905 section 7.3).
const HEADER: usize = 48;

/// What to answer.
struct Orders {
    offset_s: f64,
    stratum: u8,
    leap: u8,
    refid: [u8; 4],
    before: Vec<String>,
    after: Vec<String>,
    silent: bool,
}

fn main() -> ExitCode {
    match orders().and_then(|orders| serve(&orders)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ntp-responder: {error}");
            ExitCode::FAILURE
        }
    }
}

fn orders() -> Result<Orders, String> {
    let mut orders = Orders {
        offset_s: 0.0,
        stratum: 2,
        leap: 0,
        refid: *b"TEST",
        before: Vec::new(),
        after: Vec::new(),
        silent: false,
    };
    for argument in std::env::args().skip(1) {
        let (word, value) = argument.split_once('=').unwrap_or((&argument, ""));
        let bad = || format!("cannot read {argument}");
        let lies = || value.split(',').map(str::to_owned).collect();
        match word {
            "offset" => orders.offset_s = value.parse().map_err(|_| bad())?,
            "stratum" => orders.stratum = value.parse().map_err(|_| bad())?,
            "leap" => orders.leap = value.parse().map_err(|_| bad())?,
            "refid" => orders.refid = value.as_bytes().try_into().map_err(|_| bad())?,
            "before" => orders.before = lies(),
            "after" => orders.after = lies(),
            "silent" => orders.silent = true,
            _ => return Err(bad()),
        }
    }
    Ok(orders)
}

fn serve(orders: &Orders) -> Result<(), String> {
    let socket = UdpSocket::bind("[::]:123").map_err(|error| format!("port 123: {error}"))?;
    println!("listening");
    let mut buffer = [0; 1024];
    loop {
        let (length, from) = match socket.recv_from(&mut buffer) {
            Ok(received) => received,
            // A client that went away answers with a refusal that lands here.
            Err(_) => continue,
        };
        let Some(request) = buffer.get(..length).filter(|bytes| bytes.len() >= HEADER) else {
            continue;
        };
        let honest = answer(orders, request, now(orders.offset_s));
        for lie in &orders.before {
            send(&socket, &tell(lie, request, &honest)?, from);
        }
        if !orders.silent {
            send(&socket, &honest, from);
        }
        for lie in &orders.after {
            send(&socket, &tell(lie, request, &honest)?, from);
        }
    }
}

fn send(socket: &UdpSocket, packet: &[u8], to: SocketAddr) {
    // A lost lie is no harm: the client asks again.
    let _ = socket.send_to(packet, to);
}

/// The present as an NTP timestamp.
fn now(offset_s: f64) -> [u8; 8] {
    let shift = Duration::from_secs_f64(offset_s.abs());
    let true_time = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let told = if offset_s < 0.0 {
        true_time.saturating_sub(shift)
    } else {
        true_time.saturating_add(shift)
    };
    let fraction = (u64::from(told.subsec_nanos()) << 32) / 1_000_000_000;
    ((told.as_secs() + NTP_TO_UNIX_S) << 32 | fraction).to_be_bytes()
}

/// An honest packet of mode 4, but for the offset.
fn answer(orders: &Orders, request: &[u8], stamp: [u8; 8]) -> Vec<u8> {
    let mut packet = vec![0; HEADER];
    let version = request[0] & 0x38;
    packet[0] = orders.leap << 6 | version | 4;
    packet[1] = orders.stratum;
    packet[2] = request[2];
    packet[3] = 0xec;
    packet[12..16].copy_from_slice(&orders.refid);
    packet[16..24].copy_from_slice(&stamp);
    packet[24..32].copy_from_slice(&request[40..48]);
    packet[32..40].copy_from_slice(&stamp);
    packet[40..48].copy_from_slice(&now(orders.offset_s));
    packet
}

/// A packet to be refused.
fn tell(lie: &str, request: &[u8], honest: &[u8]) -> Result<Vec<u8>, String> {
    let mut packet = honest.to_vec();
    match lie {
        "duplicate" => {}
        "wrong-origin" => packet[24] ^= 0x55,
        "zero-origin" => packet[24..32].fill(0),
        "short" => packet.truncate(HEADER - 1),
        "long-garbage" => packet.extend([0xa5; 333]),
        "bad-version" => packet[0] |= 0x38,
        "request-echo" => packet = request.to_vec(),
        "crypto-nak" => packet.extend([0; 4]),
        "mac-cut" => mac(&mut packet, 1, 8),
        "mac-long" => mac(&mut packet, 1, 20),
        "mac-wrong" => mac(&mut packet, 1, 16),
        "mac-other" => mac(&mut packet, 2, 16),
        "kod-deny" => kiss(&mut packet, *b"DENY", 0x55),
        "kod-rate" => kiss(&mut packet, *b"RATE", 0x55),
        "obeyed-kod-deny" => kiss(&mut packet, *b"DENY", 0),
        "obeyed-kod-rate" => kiss(&mut packet, *b"RATE", 0),
        other => return Err(format!("unknown lie {other}")),
    }
    Ok(packet)
}

/// A message authentication code of nobody's making.
fn mac(packet: &mut Vec<u8>, key: u32, digest_len: usize) {
    packet.extend(key.to_be_bytes());
    packet.extend(vec![0x77; digest_len]);
}

/// A kiss-o'-death (RFC 5905 section 7.4) whose origin timestamp is off by `spoil`.
fn kiss(packet: &mut [u8], code: [u8; 4], spoil: u8) {
    packet[0] |= 0xc0;
    packet[1] = 0;
    packet[12..16].copy_from_slice(&code);
    packet[24] ^= spoil;
}
