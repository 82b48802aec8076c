//! Mode 7: the reference's private messages, ntpdc's. The header alone; data are shown as octets.
use super::packet::TITLE;
use super::tree::{Part, hex};

/// Octets before the data.
const HEADER_LEN: usize = 8;
/// Requests of ntpdc worth a name: the commonest, and those that were abused.
const REQUESTS: [(u8, &str); 27] = [
    (0, "list of peers"),
    (1, "peers"),
    (2, "a peer"),
    (3, "statistics of a peer"),
    (4, "system"),
    (5, "statistics of the system"),
    (6, "statistics of input and output"),
    (7, "statistics of memory"),
    (8, "loop"),
    (9, "unconfigure"),
    (10, "set system flags"),
    (11, "clear system flags"),
    (16, "list of restrictions"),
    (17, "add restriction"),
    (18, "take away restriction"),
    (20, "list of clients, old form: monlist"),
    (22, "reset peers"),
    (23, "read keys again"),
    (26, "trust keys"),
    (27, "trust keys no more"),
    (28, "authentication"),
    (33, "reset statistics"),
    (36, "request key"),
    (37, "control key"),
    (38, "kernel"),
    (42, "list of clients: monlist"),
    (44, "interfaces"),
];
const ERRORS: [&str; 8] = [
    "no error",
    "incompatible implementation",
    "no such request",
    "bad format",
    "no data",
    "unknown error",
    "not authorized",
    "authentication failed",
];

/// Any octets whose mode bits are 7.
pub(super) fn part(octets: &[u8]) -> Part {
    let mut part = Part::new(TITLE, "ntp");
    let Some((head, data)) = octets.split_first_chunk::<HEADER_LEN>() else {
        let len = octets.len();
        part.note(format!(
            "malformed: {len} octets, a private message has {HEADER_LEN} or more"
        ));
        part.field("Octets", hex(octets), "octets", hex(octets));
        return part;
    };
    let [first, second, implementation, request, e, n, m, s] = *head;
    part.field("Flags", format!("0x{first:02x}"), "flags", first);
    let (bit, version) = (|octet: u8, at: u8| octet >> at & 1, first >> 3 & 7);
    let is_response = bit(first, 7) == 1;
    let kind = if is_response { "Response" } else { "Request" };
    let pattern = format!("{}... ....", bit(first, 7));
    part.bits(&pattern, kind, "is_response", is_response);
    let has_more = bit(first, 6) == 1;
    let words = if has_more {
        "More follow"
    } else {
        "Last of them"
    };
    let pattern = format!(".{}.. ....", bit(first, 6));
    part.bits(&pattern, words, "has_more", has_more);
    let pattern = format!("..{}{} {}...", bit(first, 5), bit(first, 4), bit(first, 3));
    let text = format!("Version number: NTP Version {version} ({version})");
    part.bits(&pattern, &text, "version", version);
    part.bits(".... .111", "Mode: private use (7)", "mode", "private use");
    let is_authenticated = bit(second, 7) == 1;
    let words = if is_authenticated { "yes" } else { "no" };
    part.field("Authenticated", words, "is_authenticated", is_authenticated);
    let sequence = second & 0x7F;
    part.field("Sequence", sequence, "sequence", sequence);
    let words = match implementation {
        0 => "universal",
        2 => "ntpd before 4.0",
        3 => "ntpd",
        _ => "not known",
    };
    let text = format!("{words} ({implementation})");
    part.field("Implementation", text, "implementation", implementation);
    let known = REQUESTS.iter().find(|(number, _)| *number == request);
    let text = format!("{} ({request})", known.map_or("not known here", |it| it.1));
    part.field("Request code", text, "request", request);
    let error = e >> 4;
    let words = ERRORS.get(usize::from(error)).unwrap_or(&"reserved");
    part.field("Error", format!("{words} ({error})"), "error", error);
    let items = u16::from_be_bytes([e & 0xF, n]);
    part.field("Items", items, "items", items);
    let size = u16::from_be_bytes([m & 0xF, s]);
    part.field("Octets an item", size, "item_length", size);
    if !data.is_empty() {
        part.field("Data", hex(data), "data", hex(data));
    }
    part
}
