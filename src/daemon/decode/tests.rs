use super::*;
use etherparse::PacketBuilder;

/// What a guide to authenticated multicast shows of a packet of March 2005.
const SEED: &str = include_str!("fixtures/seed-001.txt");
/// The packet again, from the fields shown. What they leave open is chosen so that the checksum
/// shown is right.
const SEED_PACKET: &str = "\
    250206eb00000c0200000c15d4f256acc5e161cbe93dd97f0000000000000000\
    0000000000000000c5e16447dc542fe1000000070d0ad03090fe720b1dc81809a3732334";
const NOW_UNIX_S: i64 = 1_800_000_000;
const SEED_UNIX_S: u32 = 1_110_894_023;

fn seed_packet() -> Vec<u8> {
    hexdump::packets(SEED_PACKET).expect("digits").remove(0)
}

fn question() -> Question {
    Question {
        port: 123,
        layer: None,
        json: false,
        details: false,
    }
}

fn decoded(octets: &[u8]) -> String {
    let (text, failure) = rehearse(&question(), octets, NOW_UNIX_S);
    assert!(failure.is_none(), "{failure:?}");
    text
}

fn failure(octets: &[u8]) -> String {
    let (_, failure) = rehearse(&question(), octets, NOW_UNIX_S);
    failure.expect("a failure").to_string()
}

fn object(octets: &[u8]) -> Value {
    let question = Question {
        json: true,
        ..question()
    };
    let (text, failure) = rehearse(&question, octets, NOW_UNIX_S);
    assert!(failure.is_none(), "{failure:?}");
    serde_json::from_str(&text).expect("one object")
}

fn frame(payload: &[u8], port: u16) -> Vec<u8> {
    let mut frame = Vec::new();
    PacketBuilder::ethernet2([1; 6], [1, 0, 0x5E, 0, 1, 1])
        .ipv4([192, 168, 230, 1], [224, 0, 1, 1], 2)
        .udp(port, port)
        .write(&mut frame, payload)
        .expect("written");
    frame
}

/// A capture of the old format.
fn pcap(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = vec![0xD4, 0xC3, 0xB2, 0xA1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    file.extend_from_slice(&[0, 0, 4, 0, 1, 0, 0, 0]);
    for frame in frames {
        let len = u32::try_from(frame.len()).expect("short");
        for word in [SEED_UNIX_S, 859_083, len, len] {
            file.extend_from_slice(&word.to_le_bytes());
        }
        file.extend_from_slice(frame);
    }
    file
}

/// The new format, big endian, nanoseconds.
fn pcapng(frames: &[Vec<u8>]) -> Vec<u8> {
    let block = |kind: u32, body: &[u8]| {
        let len = u32::try_from(body.len() + 12).expect("short").to_be_bytes();
        [&kind.to_be_bytes(), &len[..], body, &len].concat()
    };
    let mut section = vec![0x1A, 0x2B, 0x3C, 0x4D, 0, 1, 0, 0];
    section.extend_from_slice(&[0xFF; 8]);
    let interface = [0, 1, 0, 0, 0, 4, 0, 0, 0, 9, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0];
    let mut file = [block(0x0A0D_0D0A, &section), block(1, &interface)].concat();
    for frame in frames {
        let len = u32::try_from(frame.len()).expect("short");
        let moment = u64::from(SEED_UNIX_S) * 1_000_000_000 + 859_083_000;
        let mut body = [&[0; 4], &moment.to_be_bytes()[..]].concat();
        body.extend_from_slice(&[len.to_be_bytes(), len.to_be_bytes()].concat());
        body.extend_from_slice(frame);
        body.resize(body.len().next_multiple_of(4), 0);
        file.extend_from_slice(&block(6, &body));
    }
    file
}

fn seed_frames() -> Vec<Vec<u8>> {
    // The packet was the 22nd of its capture.
    let mut frames = vec![frame(b"something else", 67); 21];
    frames.push(frame(&seed_packet(), 123));
    frames
}

#[test]
fn the_packet_of_the_guide_gives_the_text_of_the_guide() {
    // It shows the time of day of its place, an hour ahead of UTC.
    let expected = SEED.replace("22 14:40", "22 13:40");
    assert_eq!(decoded(&pcap(&seed_frames())), expected);
    assert_eq!(decoded(&pcapng(&seed_frames())), expected);
    let (_, packet) = expected.split_once("(correct)\n").expect("two halves");
    assert_eq!(decoded(SEED_PACKET.as_bytes()), packet);
    let digits = tree::hex(&frame(&seed_packet(), 123));
    assert!(decoded(digits.as_bytes()).ends_with(packet), "found out");
}

#[test]
fn the_same_for_programs() {
    let all = object(&pcap(&seed_frames()));
    for (pointer, value) in [
        ("/schema", Value::from(1)),
        ("/number", 22.into()),
        ("/ip/source", "192.168.230.1".into()),
        ("/ip/hop_limit", 2.into()),
        ("/udp/checksum", "correct".into()),
        ("/ntp/leap", 0.into()),
        ("/ntp/version", 4.into()),
        ("/ntp/mode", "broadcast".into()),
        ("/ntp/stratum", 2.into()),
        ("/ntp/poll_log2_s", 6.into()),
        ("/ntp/precision_log2_s", (-21).into()),
        ("/ntp/reference_id", "212.242.86.172".into()),
        ("/ntp/origin_time", Value::Null),
        ("/ntp/transmit_time", "c5e16447.dc542fe1".into()),
        ("/ntp/key_id", 7.into()),
        ("/ntp/mac", "0D0AD03090FE720B1DC81809A3732334".into()),
        ("/ntp/mac_kind", "md5_or_aes128cmac".into()),
    ] {
        assert_eq!(all.pointer(pointer), Some(&value), "{pointer}");
    }
}

#[test]
fn fields_that_are_changed_are_seen_to_change() {
    let mut packet = seed_packet();
    packet[0] = 0xE4;
    packet[1] = 0;
    packet[2] = 0x7F;
    packet[12..16].copy_from_slice(b"RATE");
    packet[51] = 9;
    let text = decoded(tree::hex(&packet).as_bytes());
    for part in [
        "11.. .... = Leap Indicator: alarm condition",
        ".... .100 = Mode: server (4)",
        "Peer Clock Stratum: unspecified or unavailable (0)",
        "Peer Polling Interval: 127 (out of range)",
        "Reference Clock ID: RATE",
        "[kiss-o'-death: RATE, ask less often]",
        "Key ID: 00000009",
    ] {
        assert!(text.contains(part), "{part} not in\n{text}");
    }
    packet.truncate(52);
    packet[48..].fill(0);
    let text = decoded(tree::hex(&packet).as_bytes());
    assert!(text.contains("[crypto-NAK: "), "{text}");
    packet.truncate(47);
    let text = decoded(tree::hex(&packet).as_bytes());
    assert!(text.contains("[malformed: 47 octets"), "{text}");
}

#[test]
fn autokey_by_its_names() {
    let mut packet = seed_packet()[..48].to_vec();
    packet.extend_from_slice(&[0x82, 1, 0, 32, 0, 0, 0, 77, 0xCE, 0xB8, 0x9E, 0x4E]);
    packet.extend_from_slice(&[0, 8, 0, 0x21, 0, 0, 0, 5]);
    packet.extend_from_slice(b"alice\0\0\0\0\0\0\0");
    packet.extend_from_slice(&[0xE3, 0x25, 0x50, 0xB5]);
    packet.extend_from_slice(&[7; 16]);
    let digits = tree::hex(&packet);
    let text = decoded(digits.as_bytes());
    for part in [
        "Extension Field: Autokey, association (ASSOC) response",
        "Association ID: 77",
        "Timestamp: 3468205646 (2009-11-26 06:27:26.0000 UTC)",
        "Status Word: 0x00080021 (ENAB IFF md5WithRSAEncryption)",
        "Value: alice",
        "[key of one packet: Autokey]",
    ] {
        assert!(text.contains(part), "{part} not in\n{text}");
    }
    let one = object(digits.as_bytes());
    let field = one.pointer("/ntp/extension_fields/0").expect("a field");
    assert_eq!(
        (&field["association"], &field["value"]),
        (&77.into(), &"alice".into())
    );
    assert_eq!(one.pointer("/ntp/mac_kind"), Some(&"autokey".into()));
}

#[test]
fn nts_numbers_a_cookie_as_autokey_a_request() {
    let mut packet = seed_packet()[..48].to_vec();
    packet.extend_from_slice(&[[1, 4, 0, 36].as_slice(), &[9; 32]].concat());
    packet.extend_from_slice(&[[2, 4, 0, 104].as_slice(), &[8; 100]].concat());
    let text = decoded(tree::hex(&packet).as_bytes());
    assert!(
        text.contains("Extension Field: NTS unique identifier"),
        "{text}"
    );
    assert!(text.contains("Extension Field: NTS cookie"), "{text}");
}

#[test]
fn control_messages() {
    let mut octets = vec![0x16, 0x82, 0, 3, 6, 0x15, 0, 0, 0, 0, 0, 17];
    octets.extend_from_slice(b"stratum=2, x=\"\x1b[\"\0\0\0");
    let text = decoded(tree::hex(&octets).as_bytes());
    for part in [
        "Mode: control message (6)",
        "1... .... = Response",
        "...0 0010 = Operation: read variables (2)",
        "Status: 0x0615 (leap_none, sync_ntp, 1 event, clock_sync)",
        "Data: stratum=2, x=\"\\x1b[\"",
    ] {
        assert!(text.contains(part), "{part} not in\n{text}");
    }
    let list = [
        0x16, 0x81, 0, 3, 6, 0x15, 0, 0, 0, 0, 0, 4, 0x12, 0x34, 0x96, 0x3A,
    ];
    let text = decoded(tree::hex(&list).as_bytes());
    assert!(
        text.contains("Association 4660: 0x963a (conf, reach, sel_sys.peer"),
        "{text}"
    );
    octets.truncate(20);
    let text = decoded(tree::hex(&octets).as_bytes());
    assert!(
        text.contains("[malformed: 17 octets of data are counted, 8 follow"),
        "{text}"
    );
}

#[test]
fn private_messages() {
    let text = decoded(b"97 00 03 2a 00 00 00 00");
    for part in [
        "1... .... = Response",
        "..01 0... = Version number: NTP Version 2 (2)",
        "Request code: list of clients: monlist (42)",
        "Error: no error (0)",
    ] {
        assert!(text.contains(part), "{part} not in\n{text}");
    }
    assert!(decoded(b"97 00").contains("[malformed: 2 octets"));
    // The numbers of the reference's ntp_request.h, as its ntpdc sends them.
    for (octets, part) in [
        ("97 00 03 0a 70 00 00 00", "add an association (10)"),
        ("97 00 03 09 70 00 00 00", "counters of the timer (9)"),
        ("17 80 03 0c 00 01 00 04", "set system flags (12)"),
        ("17 80 03 21 00 01 00 08", "choose the control key (33)"),
        ("17 00 03 24 00 01 00 04", "reference clocks (36)"),
        ("97 00 03 0a 50 00 00 00", "Error: reserved (5)"),
        (
            "97 00 03 0a 70 00 00 00",
            "authentication failed, or not permitted (7)",
        ),
    ] {
        let text = decoded(octets.as_bytes());
        assert!(text.contains(part), "{part} not in\n{text}");
    }
}

#[test]
fn what_is_wrong_with_a_capture_has_a_place() {
    let whole = pcap(&seed_frames());
    let last = whole.len() - frame(&seed_packet(), 123).len() - 16;
    assert_eq!(
        failure(&whole[..whole.len() - 1]),
        format!("octet {last}: the capture ends in the middle of a block; it was cut short")
    );
    let mut huge = whole.clone();
    huge[last + 8..last + 12].fill(0xFF);
    assert!(
        failure(&huge).starts_with(&format!("octet {last}: ")),
        "{}",
        failure(&huge)
    );
    assert!(failure(&whole[..20]).starts_with("octet 0: a broken header"));
    let others = failure(&pcap(&[frame(b"x", 67)]));
    assert!(others.starts_with("none of its 1 frames"), "{others}");
    assert!(failure(&[0xFF; 40]).starts_with("neither a capture"));
    assert!(failure(b"not hex at all").starts_with("line 1, column 1: \"not\""));
}

#[test]
fn a_capture_of_the_end_of_time_is_shown() {
    let whole = pcapng(&[frame(&seed_packet(), 123)]);
    // The interface's block, with an offset of its moments (if_tsoffset), which the crate reads so.
    for offset_s in [i64::MAX - i64::from(SEED_UNIX_S), i64::MIN] {
        let mut file = whole.clone();
        let option = [&[0, 14, 0, 8][..], &offset_s.to_le_bytes()].concat();
        file.splice(52..52, option);
        for at in [32, 68] {
            assert_eq!(file[at..at + 4], [0, 0, 0, 32]);
            file[at..at + 4].copy_from_slice(&44_u32.to_be_bytes());
        }
        assert!(decoded(&file).contains("Originate Time Stamp"));
    }
}

#[test]
fn every_cut_of_a_capture_ends_well() {
    for whole in [pcap(&seed_frames()[20..]), pcapng(&seed_frames()[20..])] {
        for len in 0..whole.len() {
            let (_, failure) = rehearse(&question(), &whole[..len], NOW_UNIX_S);
            assert!(failure.is_some(), "{len}");
        }
    }
}

#[test]
fn an_answer_is_told_from_an_answer_to_something_else() {
    let request = seed_packet()[..48].to_vec();
    let mut request = [&[0x23], &request[1..]].concat();
    request[24..40].fill(0);
    let mut reply = request.clone();
    reply[0] = 0x24;
    reply.copy_within(40..48, 24);
    reply[32..48].copy_from_slice(&[0xC5; 16]);
    let turned = |payload: &[u8]| {
        let mut frame = Vec::new();
        PacketBuilder::ethernet2([1; 6], [1; 6])
            .ipv4([224, 0, 1, 1], [192, 168, 230, 1], 2)
            .udp(123, 123)
            .write(&mut frame, payload)
            .expect("written");
        frame
    };
    let text = decoded(&pcap(&[frame(&request, 123), turned(&reply)]));
    assert!(text.contains("[basic mode: answers packet 1]"), "{text}");
    reply[24] ^= 1;
    let text = decoded(&pcap(&[frame(&request, 123), turned(&reply)]));
    assert!(text.contains("[answers another packet than 1"), "{text}");
}
