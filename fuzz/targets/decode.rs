//! Whatever is captured, `truechimer decode` ends, prints only what a terminal will not obey, and one
//! JSON object a packet.
#![no_main]

use core::fmt::Write;
use libfuzzer_sys::fuzz_target;
use truechimer::decode::{Layer, Question, rehearse};

/// Some moment: it chooses the era of time stamps.
const NOW_UNIX_S: i64 = 1_800_000_000;
/// Link types of captures: those known, and one that is not.
const LINK_TYPES: [u16; 7] = [0, 1, 101, 113, 276, 229, 147];
const LAYERS: [Option<Layer>; 4] = [
    None,
    Some(Layer::Ntp),
    Some(Layer::Ip),
    Some(Layer::Ethernet),
];

fn digits(octets: &[u8]) -> Vec<u8> {
    let mut text = String::new();
    for octet in octets {
        let _ = write!(text, "{octet:02x}");
    }
    text.into_bytes()
}

/// A sound capture of one frame, or else hardly any input would reach the headers.
fn capture(link_type: u16, frame: &[u8]) -> Vec<u8> {
    let mut file = vec![0xD4, 0xC3, 0xB2, 0xA1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    file.extend_from_slice(&[0, 0, 4, 0]);
    file.extend_from_slice(&u32::from(link_type).to_le_bytes());
    let len = u32::try_from(frame.len()).unwrap_or(0);
    for word in [1_700_000_000, 5, len, len] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    file.extend_from_slice(frame);
    file
}

fuzz_target!(|octets: &[u8]| {
    let Some(([way, choice], rest)) = octets.split_first_chunk() else {
        return;
    };
    let pick = usize::from(*choice);
    let input = match way % 3 {
        0 => rest.to_vec(),
        1 => digits(rest),
        _ => capture(LINK_TYPES[pick % LINK_TYPES.len()], rest),
    };
    let question = Question {
        port: 123,
        layer: LAYERS[pick % LAYERS.len()],
        json: way & 0x40 != 0,
        details: way & 0x80 != 0,
    };
    let (said, _) = rehearse(&question, &input, NOW_UNIX_S);
    assert!(
        said.chars().all(|c| matches!(c, '\n' | ' '..='~')),
        "{said:?}"
    );
    if question.json {
        for line in said.lines() {
            assert!(line.starts_with('{') && line.ends_with('}'), "{line}");
        }
    }
});
