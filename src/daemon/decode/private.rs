//! Mode 7: the reference's private messages, ntpdc's. The header alone; data are shown as octets.
use super::packet::TITLE;
use super::tree::{Part, hex};
use truechimer_wire::private::{Implementation, PRIVATE_HEADER_LEN, PrivateCode, PrivateError};

/// Any octets whose mode bits are 7.
pub(super) fn part(octets: &[u8]) -> Part {
    let mut part = Part::new(TITLE, "ntp");
    let Some((head, data)) = octets.split_first_chunk::<PRIVATE_HEADER_LEN>() else {
        let len = octets.len();
        part.note(format!(
            "malformed: {len} octets, a private message has {PRIVATE_HEADER_LEN} or more"
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
    let words = match Implementation::from_number(implementation) {
        Implementation::Other(0) => "universal",
        Implementation::Old => "ntpd without IPv6",
        Implementation::Current => "ntpd",
        Implementation::Other(_) => "not known",
    };
    let text = format!("{words} ({implementation})");
    part.field("Implementation", text, "implementation", implementation);
    let words = asked(PrivateCode::from_number(request));
    let text = format!("{words} ({request})");
    part.field("Request code", text, "request", request);
    let error = e >> 4;
    let words = PrivateError::from_bits(error).map_or("no error", refusal);
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

const fn asked(code: PrivateCode) -> &'static str {
    match code {
        PrivateCode::PeerList => "list of peers",
        PrivateCode::PeerSummary => "peers, a line each",
        PrivateCode::PeerInfo => "all about peers",
        PrivateCode::PeerStats => "counters of peers",
        PrivateCode::SystemInfo => "system",
        PrivateCode::SystemStats => "counters of packets",
        PrivateCode::IoStats => "counters of sockets",
        PrivateCode::MemoryStats => "counters of memory",
        PrivateCode::LoopInfo => "discipline",
        PrivateCode::TimerStats => "counters of the timer",
        PrivateCode::AddPeer => "add an association",
        PrivateCode::RemovePeer => "remove associations",
        PrivateCode::SetFlags => "set system flags",
        PrivateCode::ClearFlags => "clear system flags",
        PrivateCode::RestrictList => "list of restrictions",
        PrivateCode::AddRestriction => "add restriction",
        PrivateCode::RemoveRestriction => "take from a restriction",
        PrivateCode::DeleteRule => "remove a restriction",
        PrivateCode::Monitor => "list of clients, old form: monlist",
        PrivateCode::ResetStats => "reset counters",
        PrivateCode::ResetPeer => "reset counters of peers",
        PrivateCode::ReadKeys => "read keys again",
        PrivateCode::TrustKey => "trust keys",
        PrivateCode::DistrustKey => "trust keys no more",
        PrivateCode::Authentication => "counters of keys",
        PrivateCode::Traps => "list of traps",
        PrivateCode::AddTrap => "set a trap",
        PrivateCode::ClearTrap => "clear a trap",
        PrivateCode::RequestKey => "choose the request key",
        PrivateCode::ControlKey => "choose the control key",
        PrivateCode::ControlStats => "counters of control messages",
        PrivateCode::ClockInfo => "reference clocks",
        PrivateCode::SetFudge => "set a fudge factor",
        PrivateCode::Kernel => "the kernel's clock",
        PrivateCode::ClockBug => "what a clock's driver keeps for its authors",
        PrivateCode::MonitorDetails => "list of clients: monlist",
        PrivateCode::InterfaceStats => "interfaces",
        PrivateCode::RescanInterfaces => "look for interfaces again",
        PrivateCode::Other(_) => "not known here",
    }
}

const fn refusal(error: PrivateError) -> &'static str {
    match error {
        PrivateError::Implementation => "incompatible implementation",
        PrivateError::Request => "no such request",
        PrivateError::Format => "bad format",
        PrivateError::NoData => "no data",
        PrivateError::Permission => "authentication failed, or not permitted",
        PrivateError::Other(_) => "reserved",
    }
}
