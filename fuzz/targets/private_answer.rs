//! Whatever a hostile server answers in mode 7, our ntpdc ends, and prints only text that a terminal will
//! not obey.
#![no_main]

use libfuzzer_sys::fuzz_target;
use truechimer::control_client::{
    AskPrivately, PrivateAssembly, PrivateFailure, PrivateItems, PrivateProgress,
};
use truechimer::persona;
use truechimer_wire::private::PrivateRequest;

/// Octets before each datagram: its length.
const LEN: usize = 2;
/// Every command that reads items.
const COMMANDS: [&str; 20] = [
    "listpeers",
    "peers",
    "dmpeers",
    "showpeer 10.0.0.1",
    "pstats 10.0.0.1 10.0.0.2",
    "loopinfo",
    "sysinfo",
    "sysstats",
    "memstats",
    "iostats",
    "timerstats",
    "authinfo",
    "ctlstats",
    "kerninfo",
    "reslist",
    "ifstats",
    "traps",
    "clockstat 127.127.1.0",
    "clkbug 127.127.1.0",
    "monlist",
];

/// A server whose datagrams are the input, one after another.
struct Hostile(Vec<u8>);

impl AskPrivately for Hostile {
    fn ask(&mut self, request: &PrivateRequest, _: bool) -> Result<PrivateItems, PrivateFailure> {
        let mut assembly = PrivateAssembly::new(request);
        while let Some((len, rest)) = self.0.split_first_chunk::<LEN>() {
            let len = usize::from(u16::from_be_bytes(*len) & 0x3FF).min(rest.len());
            let mut datagram = rest[..len].to_vec();
            self.0.drain(..LEN + len);
            // Else hardly any input would answer the question that was asked.
            if let Some(head) = datagram.first_chunk_mut::<4>() {
                head[0] = 0x97 | head[0] & 0x40;
                head[1] &= 0x7F;
                head[2] = request.implementation().number();
                head[3] = request.code().number();
            }
            match assembly.take(&datagram) {
                PrivateProgress::Complete(items) => return Ok(items),
                PrivateProgress::Refused(error) => return Err(PrivateFailure::Refused(error)),
                PrivateProgress::Ignored | PrivateProgress::Partial => {}
            }
        }
        Err(PrivateFailure::Incomplete)
    }
}

fn is_harmless(text: &str) -> bool {
    text.chars().all(|c| matches!(c, '\n' | '\t' | ' '..='~'))
}

fuzz_target!(|octets: &[u8]| {
    let Some((choice, rest)) = octets.split_first() else {
        return;
    };
    let command = COMMANDS[usize::from(*choice) % COMMANDS.len()];
    let said = persona::ntpdc::rehearse(Hostile(rest.to_vec()), command);
    assert!(is_harmless(&said), "{command}: {said:?}");
});
