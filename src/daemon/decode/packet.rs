//! An NTP packet of modes 1 to 5, with the names and the layout of the reference's old decoder.
use super::trailer;
use super::tree::{Part, hex};
use crate::calendar;
use truechimer_time::NtpTimestamp;
use truechimer_time::leap::LeapIndicator;
use truechimer_wire::{HEADER_LEN, Header, KissCode, Malformed, Mode, Packet, ReferenceId};

/// What stands over every packet.
pub(super) const TITLE: &str = "Network Time Protocol";
/// Highest poll exponent that means anything (RFC 5905 figure 7).
const POLL_MAX: i8 = 17;

/// Any octets whose mode bits are neither 6 nor 7; `near_unix_s` chooses the era of dates.
pub(super) fn part(octets: &[u8], near_unix_s: i64) -> (Part, Option<Header>) {
    let mut part = Part::new(TITLE, "ntp");
    let Some(head) = octets.first_chunk::<HEADER_LEN>() else {
        let len = octets.len();
        part.note(format!(
            "malformed: {len} octets, a header has {HEADER_LEN}"
        ));
        part.field("Octets", hex(octets), "octets", hex(octets));
        return (part, None);
    };
    let header = Header::parse(head);
    flags(&mut part, head[0], &header);
    clock(&mut part, &header);
    stamps(&mut part, &header, near_unix_s);
    match Packet::new_checked(octets) {
        Ok(packet) => trailer::put(&mut part, &packet, near_unix_s),
        Err(malformed) => {
            let rest = &octets[HEADER_LEN..];
            part.note(format!("malformed: {}", complaint(malformed, rest.len())));
            part.field("Rest", hex(rest), "rest", hex(rest));
        }
    }
    (part, Some(header))
}

fn complaint(malformed: Malformed, rest_len: usize) -> String {
    let what = match malformed {
        Malformed::Short => "shorter than a header",
        Malformed::Long => "longer than any NTP packet",
        Malformed::Unaligned => "not a multiple of four octets",
        Malformed::ExtensionField => "an extension field's length runs past the end or is none",
        Malformed::Mac => "too short for a MAC",
    };
    format!("{what}, in the {rest_len} octets after the header")
}

/// The first octet, which all modes have in common.
pub(super) fn flags(part: &mut Part, octet: u8, header: &Header) {
    part.field("Flags", format!("0x{octet:02x}"), "flags", octet);
    let pattern = |shift: u8, width: u8| -> String {
        let mut text = String::new();
        for bit in (0..8).rev() {
            let inside = (shift..shift + width).contains(&bit);
            text.push(match (inside, octet >> bit & 1) {
                (false, _) => '.',
                (true, 0) => '0',
                (true, _) => '1',
            });
            if bit == 4 {
                text.push(' ');
            }
        }
        text
    };
    let leap = header.leap.to_bits();
    let text = format!("Leap Indicator: {} ({leap})", leap_words(header.leap));
    part.bits(&pattern(6, 2), &text, "leap", leap);
    let version = header.version;
    let text = match version {
        0 => "Version number: reserved (0)".to_owned(),
        version => format!("Version number: NTP Version {version} ({version})"),
    };
    part.bits(&pattern(3, 3), &text, "version", version);
    let (words, mode) = (mode_words(header.mode), header.mode.to_bits());
    let text = format!("Mode: {words} ({mode})");
    part.bits(&pattern(0, 3), &text, "mode", words);
}

const fn leap_words(leap: LeapIndicator) -> &'static str {
    match leap {
        LeapIndicator::NoWarning => "no warning",
        LeapIndicator::AddSecond => "last minute has 61 seconds",
        LeapIndicator::DeleteSecond => "last minute has 59 seconds",
        LeapIndicator::NotSynchronized => "alarm condition (clock not synchronized)",
    }
}

const fn mode_words(mode: Mode) -> &'static str {
    match mode {
        Mode::Reserved => "reserved",
        Mode::SymmetricActive => "symmetric active",
        Mode::SymmetricPassive => "symmetric passive",
        Mode::Client => "client",
        Mode::Server => "server",
        Mode::Broadcast => "broadcast",
        Mode::Control => "control message",
        Mode::Private => "private use",
    }
}

fn clock(part: &mut Part, header: &Header) {
    let stratum = header.stratum;
    let words = match stratum {
        0 => "unspecified or unavailable",
        1 => "primary reference",
        2..=15 => "secondary reference",
        16 => "unsynchronized",
        _ => "reserved",
    };
    let text = format!("{words} ({stratum})");
    part.field("Peer Clock Stratum", text, "stratum", stratum);
    let poll = header.poll;
    let text = match poll {
        0..=POLL_MAX => format!("{poll} ({} sec)", 1_u32 << poll),
        _ => format!("{poll} (out of range)"),
    };
    part.field("Peer Polling Interval", text, "poll_log2_s", poll);
    let precision = header.precision;
    let text = format!("{:.6} sec", f64::from(precision).exp2());
    part.field("Peer Clock Precision", text, "precision_log2_s", precision);
    part.detail(format!("precision: 2^{precision} s"));
    let delay = header.root_delay.to_seconds();
    part.field(
        "Root Delay",
        format!("{delay:9.4} sec"),
        "root_delay_s",
        delay,
    );
    let dispersion = header.root_dispersion.to_seconds();
    let text = format!("{dispersion:9.4} sec");
    part.field("Clock Dispersion", text, "root_dispersion_s", dispersion);
    let id = header.reference_id;
    let shown = reference(id, stratum);
    part.field("Reference Clock ID", &shown, "reference_id", shown.clone());
    part.value("reference_id_octets", hex(&id.octets()));
    if stratum == 0 && header.mode != Mode::Client && id.octets() != [0; 4] {
        let (words, code) = kiss(KissCode::from_reference_id(id));
        part.note(format!("kiss-o'-death: {words}"));
        part.value("kiss_code", code);
    }
    if (2..=15).contains(&stratum) {
        part.detail("the address of its source, or the start of its IPv6 address's MD5");
    }
}

fn reference(id: ReferenceId, stratum: u8) -> String {
    match (id.octets(), stratum) {
        ([0, 0, 0, 0], _) => "NULL".to_owned(),
        (_, 2..=15) => id.display(stratum).to_string(),
        (octets, _) => {
            let letters: &[u8] = match octets {
                [_, _, _, 0] => octets[..3].trim_ascii_end(),
                _ => &octets,
            };
            let letters = match letters {
                [start @ .., 0] => start,
                all => all,
            };
            if letters.iter().all(u8::is_ascii_graphic) {
                String::from_utf8_lossy(letters).into_owned()
            } else {
                format!("0x{}", hex(&octets))
            }
        }
    }
}

fn kiss(code: KissCode) -> (&'static str, String) {
    match code {
        KissCode::Rate => ("RATE, ask less often", "RATE".to_owned()),
        KissCode::Deny => ("DENY, this server does not serve you", "DENY".to_owned()),
        KissCode::Rstr => ("RSTR, its access rules do not serve you", "RSTR".to_owned()),
        KissCode::Other(id) => {
            let words = match &id.octets() {
                b"ACST" => "the association is of an anycast server",
                b"AUTH" => "authentication failed",
                b"AUTO" => "the Autokey sequence failed",
                b"BCST" => "the association is of a broadcast server",
                b"CRYP" => "Autokey failed",
                b"DROP" => "lost its source in symmetric mode",
                b"INIT" => "not yet synchronized for the first time",
                b"MCST" => "the association is of a manycast server",
                b"NKEY" => "no key of that number",
                b"NTSN" => "the NTS cookie cannot be read",
                b"RMOT" => "somebody fumbles with its configuration",
                b"STEP" => "its clock was stepped and is not synchronized yet",
                _ => "a code nobody has defined",
            };
            (words, reference(id, 0))
        }
    }
}

fn stamps(part: &mut Part, header: &Header, near_unix_s: i64) {
    for (label, name, unix_name, stamp) in [
        (
            "Reference Clock Update Time",
            "reference_time",
            "reference_time_unix_s",
            header.reference_time,
        ),
        (
            "Originate Time Stamp",
            "origin_time",
            "origin_time_unix_s",
            header.origin_time,
        ),
        (
            "Receive Time Stamp",
            "receive_time",
            "receive_time_unix_s",
            header.receive_time,
        ),
        (
            "Transmit Time Stamp",
            "transmit_time",
            "transmit_time_unix_s",
            header.transmit_time,
        ),
    ] {
        let bits = stamp.to_bits();
        let (seconds, fraction) = (bits >> 32, bits & 0xFFFF_FFFF);
        let raw = format!("{seconds:08x}.{fraction:08x}");
        if stamp.is_zero() {
            part.field(label, "NULL", name, serde_json::Value::Null);
            continue;
        }
        part.field(label, moment(stamp, near_unix_s), name, raw.as_str());
        part.value(unix_name, unix_s(stamp, near_unix_s));
        part.detail(raw);
    }
}

/// `2005-03-15 13:29:47.9111 UTC`, rounded.
pub(super) fn moment(stamp: NtpTimestamp, near_unix_s: i64) -> String {
    const HALF_DIGIT: u64 = (1 << 32) / 20_000;
    let rounded = NtpTimestamp::from_bits(stamp.to_bits().wrapping_add(HALF_DIGIT));
    let (unix_s, nanoseconds) = rounded.to_unix(near_unix_s);
    format!("{} UTC", calendar::ten_thousandth(unix_s, nanoseconds))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "seconds of this century are exact in a double, microseconds nearly"
)]
fn unix_s(stamp: NtpTimestamp, near_unix_s: i64) -> f64 {
    let (unix_s, nanoseconds) = stamp.to_unix(near_unix_s);
    unix_s as f64 + f64::from(nanoseconds) * 1e-9
}
