//! Mode 6: control messages (RFC 9327).
use super::packet::{TITLE, flags};
use super::trailer::put_mac;
use super::tree::{Part, hex, plain};
use crate::control_client::{clock_status, peer_status, system_status};
use truechimer_wire::{
    CONTROL_HEADER_LEN, ControlError, ControlHeader, ControlMessage, Header, Mode, Opcode,
};

/// Any octets whose mode bits are 6.
pub(super) fn part(octets: &[u8]) -> Part {
    let mut part = Part::new(TITLE, "ntp");
    let Some(head) = octets.first_chunk::<CONTROL_HEADER_LEN>() else {
        let len = octets.len();
        part.note(format!(
            "malformed: {len} octets, a control message has {CONTROL_HEADER_LEN} or more"
        ));
        part.field("Octets", hex(octets), "octets", hex(octets));
        return part;
    };
    let header = ControlHeader::parse(head);
    let mut first = Header::blank(header.version, Mode::Control);
    first.leap = header.leap;
    flags(&mut part, head[0], &first);
    put_header(&mut part, head[1], &header);
    match ControlMessage::new_checked(octets) {
        Ok(message) => {
            put_data(&mut part, &header, message.data());
            if let Some(mac) = message.mac() {
                put_mac(&mut part, &mac);
            }
        }
        Err(_) => {
            let rest = &octets[CONTROL_HEADER_LEN..];
            part.note(format!(
                "malformed: {} octets of data are counted, {} follow, or their number is not a \
                 multiple of four",
                header.count,
                rest.len()
            ));
            part.field("Rest", hex(rest), "rest", hex(rest));
        }
    }
    part
}

fn put_header(part: &mut Part, second: u8, header: &ControlHeader) {
    let text = format!("0x{second:02x}");
    part.field("Flags 2", text, "operation_octet", second);
    let bit = |set: bool| if set { '1' } else { '0' };
    let kind = if header.is_response {
        "Response"
    } else {
        "Request"
    };
    let pattern = format!("{}... ....", bit(header.is_response));
    part.bits(&pattern, kind, "is_response", header.is_response);
    let (pattern, words) = (
        format!(".{}.. ....", bit(header.is_error)),
        if header.is_error { "Error" } else { "No error" },
    );
    part.bits(&pattern, words, "is_error", header.is_error);
    let (pattern, words) = (
        format!("..{}. ....", bit(header.has_more)),
        if header.has_more {
            "More fragments follow"
        } else {
            "Last fragment"
        },
    );
    part.bits(&pattern, words, "has_more", header.has_more);
    let number = header.opcode.bits();
    let low = format!("{:04b}", number & 0xF);
    let pattern = format!("...{} {low}", number >> 4);
    let operation = operation(header.opcode);
    let text = format!("Operation: {operation} ({number})");
    part.bits(&pattern, &text, "operation", operation);
    part.field("Sequence", header.sequence, "sequence", header.sequence);
    let word = format!("0x{:04x}", header.status);
    let text = match status(header) {
        Some(words) => format!("{word} ({words})"),
        None => word,
    };
    part.field("Status", text, "status", header.status);
    let id = header.association;
    part.field("Association ID", id, "association", id);
    part.field("Offset", header.offset, "offset", header.offset);
    part.field("Count", header.count, "count", header.count);
}

const fn operation(opcode: Opcode) -> &'static str {
    match opcode {
        Opcode::ReadStatus => "read status",
        Opcode::ReadVariables => "read variables",
        Opcode::WriteVariables => "write variables",
        Opcode::ReadClock => "read clock variables",
        Opcode::WriteClock => "write clock variables",
        Opcode::SetTrap => "set trap",
        Opcode::AsyncMessage => "asynchronous message",
        Opcode::Configure => "configure",
        Opcode::SaveConfig => "save configuration",
        Opcode::ReadMru => "read list of clients",
        Opcode::ReadOrdered => "read ordered list",
        Opcode::RequestNonce => "request nonce",
        Opcode::UnsetTrap => "unset trap",
        Opcode::Other(_) => "reserved",
    }
}

/// Requests have none.
fn status(header: &ControlHeader) -> Option<String> {
    if !header.is_response {
        return None;
    }
    if header.is_error {
        let words = match ControlError::from_status(header.status) {
            ControlError::Unspecified => "unspecified",
            ControlError::Permission => "authentication failed or not permitted",
            ControlError::BadFormat => "bad length or format",
            ControlError::BadOpcode => "no such operation",
            ControlError::BadAssociation => "no such association",
            ControlError::UnknownVariable => "no such variable",
            ControlError::BadValue => "bad value",
            ControlError::Restricted => "the access rules forbid it",
        };
        return Some(words.to_owned());
    }
    Some(match header.opcode {
        Opcode::ReadClock | Opcode::WriteClock => clock_status(header.status),
        _ if header.association != 0 => peer_status(header.status),
        _ => system_status(header.status),
    })
}

/// Text, but for the list of associations: pairs of number and status word.
fn put_data(part: &mut Part, header: &ControlHeader, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    let is_list = header.opcode == Opcode::ReadStatus && header.association == 0;
    if !(is_list && header.is_response && !header.is_error) {
        let text = plain(data);
        part.field("Data", &text, "data", text.clone());
        return;
    }
    for pair in data.chunks_exact(4) {
        let [a, b, c, d] = [pair[0], pair[1], pair[2], pair[3]];
        let (id, word) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let title = format!("Association {id}: 0x{word:04x} ({})", peer_status(word));
        let mut one = Part::one_of_many(title, "associations");
        one.value("association", id);
        one.value("status", word);
        part.part(one);
    }
}
