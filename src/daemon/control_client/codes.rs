//! The words of status words, flags and events (RFC 9327 §4; RFC 5905 appendix A).
use core::fmt::Write;
use truechimer_proto::autokey::status::{StatusWord, signature_name};
use truechimer_proto::event::system_event_word;
use truechimer_time::leap::LeapIndicator;
use truechimer_wire::{ClockStatusWord, PeerStatusWord, SystemStatusWord};

const SOURCES: [&str; 10] = [
    "unspec",
    "pps",
    "lf_radio",
    "hf_radio",
    "uhf_radio",
    "local",
    "ntp",
    "other",
    "wristwatch",
    "telephone",
];
/// What selection made of an association, by its three bits.
pub const SELECTIONS: [&str; 8] = [
    "reject",
    "falsetick",
    "excess",
    "outlier",
    "candidate",
    "backup",
    "sys.peer",
    "pps.peer",
];
const PEER_EVENTS: [&str; 16] = [
    "",
    "mobilize",
    "demobilize",
    "unreachable",
    "reachable",
    "restart",
    "no_reply",
    "rate_exceeded",
    "access_denied",
    "leap_armed",
    "sys_peer",
    "clock_event",
    "bad_auth",
    "popcorn",
    "interleave_mode",
    "interleave_error",
];
const CLOCK_EVENTS: [&str; 7] = [
    "unspec",
    "no_reply",
    "bad_format",
    "fault",
    "bad_signal",
    "bad_date",
    "bad_time",
];
/// Names of the packet and peer tests, from the lowest bit of `flash`.
pub const FLASH_TESTS: [&str; 13] = [
    "pkt_dup",
    "pkt_bogus",
    "pkt_unsync",
    "pkt_denied",
    "pkt_auth",
    "pkt_stratum",
    "pkt_header",
    "pkt_autokey",
    "pkt_crypto",
    "peer_stratum",
    "peer_dist",
    "peer_loop",
    "peer_unreach",
];
/// Autokey's flags, from the lowest bit (RFC 5906 §11.1).
const CRYPTO_FLAGS: [&str; 15] = [
    "ENAB", "TAI", "", "", "PRIV", "IFF", "GQ", "MV", "VALID", "VRFY", "PROV", "AGREE", "AUTO",
    "SIGN", "LEAP",
];
/// The names of the bits that are set, lowest first.
fn set_bits(bits: u32, names: &[&'static str]) -> Vec<&'static str> {
    let named = names.iter().enumerate();
    named
        .filter(|(place, name)| bits >> place & 1 != 0 && !name.is_empty())
        .map(|(_, name)| *name)
        .collect()
}

fn events(count: u8) -> String {
    match count {
        0 => "no events".to_owned(),
        1 => "1 event".to_owned(),
        _ => format!("{count} events"),
    }
}

fn coded(names: &[&str], code: u8, prefix: &str) -> String {
    match names.get(usize::from(code)) {
        Some(name) => format!("{prefix}_{name}"),
        None => format!("{prefix}_{code}"),
    }
}

/// The system's status word.
pub fn system_status(word: u16) -> String {
    let status = SystemStatusWord::from_word(word);
    let leap = match status.leap {
        LeapIndicator::NoWarning => "leap_none",
        LeapIndicator::AddSecond => "leap_add_sec",
        LeapIndicator::DeleteSecond => "leap_del_sec",
        LeapIndicator::NotSynchronized => "leap_alarm",
    };
    format!(
        "{leap}, {}, {}, {}",
        coded(&SOURCES, status.source, "sync"),
        events(status.count),
        system_event_word(status.event)
    )
}

/// An association's status word.
pub fn peer_status(word: u16) -> String {
    let status = PeerStatusWord::from_word(word);
    let bits = [
        (status.is_configured, "conf"),
        (status.has_key, "authenb"),
        (status.is_authentic, "auth"),
        (status.is_reachable, "reach"),
        (status.is_broadcast, "bcast"),
    ];
    let set: Vec<_> = bits
        .iter()
        .filter(|(set, _)| *set)
        .map(|(_, name)| *name)
        .collect();
    let mut text = format!(
        "{}, {}, {}",
        set.join(", "),
        coded(&SELECTIONS, status.selection, "sel"),
        events(status.count)
    );
    if status.event != 0 {
        // A string takes any write.
        let _ = write!(text, ", {}", peer_event(status.event));
    }
    text
}

/// An association's event.
pub fn peer_event(code: u8) -> &'static str {
    let name = PEER_EVENTS.get(usize::from(code));
    name.copied().unwrap_or_default()
}

/// A reference clock's status word.
pub fn clock_status(word: u16) -> String {
    let status = ClockStatusWord::from_word(word);
    format!(
        "{}, {}",
        events(status.count),
        coded(&CLOCK_EVENTS, status.event, "clk")
    )
}

/// Autokey's flags in words: the low half are states, the high half names digest and signature.
pub fn crypto_flags(bits: u32) -> String {
    let mut words: Vec<String> = set_bits(bits & 0xFFFF, &CRYPTO_FLAGS)
        .into_iter()
        .map(str::to_owned)
        .collect();
    let number = StatusWord::from_word(bits).signature_nid;
    if number != 0 {
        words.push(signature_name(number).map_or_else(|| format!("nid {number}"), str::to_owned));
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_reference() {
        assert_eq!(
            system_status(0x0614),
            "leap_none, sync_ntp, 1 event, freq_mode"
        );
        assert_eq!(
            system_status(0xC016),
            "leap_alarm, sync_unspec, 1 event, restart"
        );
        assert_eq!(
            peer_status(0xF61E),
            "conf, authenb, auth, reach, sel_sys.peer, 1 event, interleave_mode"
        );
        assert_eq!(
            peer_status(0x8811),
            "conf, bcast, sel_reject, 1 event, mobilize"
        );
        assert_eq!(peer_status(0), ", sel_reject, no events");
        assert_eq!(clock_status(0), "no events, clk_unspec");
        assert_eq!(clock_status(0x00FF), "15 events, clk_15");
    }

    #[test]
    fn the_flags_of_the_seed() {
        assert_eq!(
            crypto_flags(0x8_7F23),
            "ENAB TAI IFF VALID VRFY PROV AGREE AUTO SIGN LEAP md5WithRSAEncryption"
        );
        assert_eq!(crypto_flags(0), "");
    }

    #[test]
    fn every_word_has_words() {
        for word in 0..=u16::MAX {
            assert!(!system_status(word).is_empty() && !clock_status(word).is_empty());
            assert!(peer_status(word).contains("sel_"));
        }
    }
}
