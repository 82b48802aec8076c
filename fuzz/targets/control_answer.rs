//! Whatever a hostile server answers, our ntpq and our status end, and print only text that a
//! terminal will not obey.
#![no_main]

use libfuzzer_sys::fuzz_target;
use truechimer::control_client::{Answer, Ask, Assembly, Failure, Progress, Request};
use truechimer::{persona, status};

/// Octets before each datagram: its length.
const LEN: usize = 2;
/// Answers a run may take: collecting the list of clients is bounded by its entries, and the
/// pauses between requests would make runs slow.
const ANSWERS_MAX: u32 = 24;
/// Every command that reads an answer; those that fetch a nonce come last.
const COMMANDS: [&str; 13] = [
    "as",
    "pe",
    "opeers",
    "rv",
    "rv &1",
    "cv &2",
    "sysinfo",
    "pstats 1",
    "ifstats",
    "reslist",
    ":config x",
    "saveconfig x",
    "mrulist",
];

/// A server whose datagrams are the input, one after another.
struct Hostile {
    rest: Vec<u8>,
    answers: u32,
}

impl Hostile {
    fn datagram(&mut self) -> Option<Vec<u8>> {
        let (len, rest) = self.rest.split_first_chunk::<LEN>()?;
        let len = usize::from(u16::from_be_bytes(*len) & 0x3FF).min(rest.len());
        let datagram = rest[..len].to_vec();
        self.rest.drain(..LEN + len);
        Some(datagram)
    }
}

impl Ask for Hostile {
    fn ask(&mut self, request: &Request<'_>) -> Result<Answer, Failure> {
        self.answers += 1;
        if self.answers > ANSWERS_MAX {
            return Err(Failure::Interrupted);
        }
        let mut assembly = Assembly::new(request.opcode, 1);
        while let Some(mut datagram) = self.datagram() {
            // Else hardly any input would answer the question that was asked.
            if let Some(head) = datagram.first_chunk_mut::<4>() {
                head[0] = 0x26;
                head[1] = 0x80 | head[1] & 0x60 | request.opcode.bits();
                (head[2], head[3]) = (0, 1);
            }
            match assembly.take(&datagram) {
                Progress::Complete(answer) => return Ok(answer),
                Progress::Refused(code) => return Err(Failure::Refused(code)),
                Progress::TooMuch => return Err(Failure::TooMuch),
                Progress::Ignored | Progress::Partial => {}
            }
        }
        Err(Failure::Incomplete)
    }
}

fn is_harmless(text: &str) -> bool {
    text.chars()
        .all(|c| matches!(c, '\n' | '\r' | '\t' | ' '..='~'))
}

fuzz_target!(|octets: &[u8]| {
    let Some((choice, rest)) = octets.split_first() else {
        return;
    };
    let mut hostile = Hostile {
        rest: rest.to_vec(),
        answers: 0,
    };
    let place = usize::from(*choice) % (COMMANDS.len() + 1);
    match COMMANDS.get(place) {
        Some(command) => {
            let said = persona::ntpq::rehearse(hostile, command);
            assert!(is_harmless(&said), "{command}: {said:?}");
        }
        None => {
            if let Ok(said) = status::describe(&mut hostile) {
                assert!(is_harmless(&said), "{said:?}");
            }
        }
    }
});
