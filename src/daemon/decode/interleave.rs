//! Which packet an answer answers, and by which of its stamps: origin is the request's transmit time
//! stamp in the basic mode, its receive time stamp in the interleaved one (RFC 9769 §2).
use core::net::SocketAddr;
use std::collections::HashMap;
use truechimer_time::NtpTimestamp;
use truechimer_wire::{Header, Mode};

/// Most pairs of hosts kept in mind; when there are more, all are forgotten.
const FLOWS_MAX: usize = 4096;

#[derive(Clone, Copy, Debug)]
struct Sent {
    number: u64,
    transmit: NtpTimestamp,
    receive: NtpTimestamp,
}

/// What was sent last, by sender and receiver.
#[derive(Debug, Default)]
pub(super) struct Flows(HashMap<(SocketAddr, SocketAddr), Sent>);

impl Flows {
    /// A word about a packet in the light of those before it, if there is one to say.
    pub(super) fn take(
        &mut self,
        number: u64,
        source: SocketAddr,
        destination: SocketAddr,
        header: &Header,
    ) -> Option<String> {
        let other = self.0.get(&(destination, source));
        let own = self.0.get(&(source, destination));
        let word = match header.mode {
            Mode::Broadcast => own.and_then(|own| broadcast(header, own)),
            _ => other.and_then(|other| answer(header, other)),
        };
        if self.0.len() >= FLOWS_MAX {
            self.0.clear();
        }
        self.0.insert(
            (source, destination),
            Sent {
                number,
                transmit: header.transmit_time,
                receive: header.receive_time,
            },
        );
        word
    }
}

fn answer(header: &Header, before: &Sent) -> Option<String> {
    let (origin, number) = (header.origin_time, before.number);
    if origin.is_zero() {
        return None;
    }
    let requests = header.mode == Mode::Client;
    Some(if origin == before.transmit {
        if requests {
            // What ntpd sends: the last reply's stamp, which the server does not look at.
            return None;
        }
        format!("basic mode: answers packet {number}")
    } else if origin == before.receive && requests {
        format!("interleaved mode: asks for the true transmit time stamp of packet {number}")
    } else if origin == before.receive {
        format!(
            "interleaved mode: answers packet {number}, its transmit time stamp is the true one of the answer before"
        )
    } else if requests {
        return None;
    } else {
        format!("answers another packet than {number}: delayed, repeated or forged")
    })
}

fn broadcast(header: &Header, before: &Sent) -> Option<String> {
    let number = before.number;
    let late = header.origin_time.since(before.transmit).to_seconds();
    // How long a packet takes from its stamp to the wire; more is another packet's.
    const WIRE_S: f64 = 1.0;
    if header.origin_time.is_zero() {
        None
    } else if (0.0..WIRE_S).contains(&late) {
        Some(format!(
            "interleaved broadcast: packet {number} left {:.0} us after its own transmit time stamp",
            late * 1e6
        ))
    } else {
        Some(format!(
            "interleaved broadcast, but not about packet {number}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(mode: Mode, org: u64, rec: u64, xmt: u64) -> Header {
        let mut header = Header::blank(4, mode);
        header.origin_time = NtpTimestamp::from_bits(org);
        header.receive_time = NtpTimestamp::from_bits(rec);
        header.transmit_time = NtpTimestamp::from_bits(xmt);
        header
    }

    #[test]
    fn basic_interleaved_and_neither() {
        let client = SocketAddr::from(([10, 0, 0, 1], 4000));
        let server = SocketAddr::from(([10, 0, 0, 2], 123));
        let mut flows = Flows::default();
        let mut word = |to_server: bool, number, header: Header| {
            let (from, to) = if to_server {
                (client, server)
            } else {
                (server, client)
            };
            flows.take(number, from, to, &header).unwrap_or_default()
        };
        assert_eq!(word(true, 1, header(Mode::Client, 0, 0, 11)), "");
        let reply = header(Mode::Server, 11, 12, 13);
        assert_eq!(word(false, 2, reply), "basic mode: answers packet 1");
        let asked = word(true, 3, header(Mode::Client, 12, 14, 15));
        assert!(asked.starts_with("interleaved mode: asks"), "{asked}");
        let told = word(false, 4, header(Mode::Server, 14, 16, 17));
        assert!(
            told.starts_with("interleaved mode: answers packet 3"),
            "{told}"
        );
        let forged = word(false, 5, header(Mode::Server, 99, 16, 17));
        assert!(forged.starts_with("answers another"), "{forged}");
    }

    #[test]
    fn broadcasts_tell_when_the_last_one_left() {
        let from = SocketAddr::from(([10, 0, 0, 1], 123));
        let group = SocketAddr::from(([224, 0, 1, 1], 123));
        let mut flows = Flows::default();
        assert_eq!(
            flows.take(1, from, group, &header(Mode::Broadcast, 0, 0, 1 << 40)),
            None
        );
        let next = header(Mode::Broadcast, (1 << 40) + (1 << 31), 0, 65 << 40);
        let word = flows.take(2, from, group, &next).expect("a word");
        assert!(word.contains("packet 1 left 500000 us"), "{word}");
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut flows = Flows::default();
        let to = SocketAddr::from(([10, 0, 0, 1], 123));
        for number in 0..2 * FLOWS_MAX as u64 {
            let from = SocketAddr::from((u32::try_from(number).expect("few").to_be_bytes(), 1));
            flows.take(number, from, to, &header(Mode::Client, 0, 0, 1));
            assert!(flows.0.len() <= FLOWS_MAX);
        }
    }
}
