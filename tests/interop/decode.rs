//! `truechimer decode` beside tshark, on what real daemons send; tcpdump captures.

use super::keyed::loaded;
use super::server::{LOCAL, serve};
use serde_json::Value;
use std::fs;
use truechimer_tests::support::command::finish;
use truechimer_tests::support::keys::ntp_keys;
use truechimer_tests::support::truechimer::binary;
use truechimer_tests::support::wait::{seconds, until};
use truechimer_tests::support::{
    Client, ClientKind, Daemon, Host, Tree, Truechimer, World, upstreams,
};

/// What tshark tells of a packet, in this order.
const FIELDS: [&str; 17] = [
    "frame.number",
    "ip.src",
    "udp.length",
    "ntp.flags.li",
    "ntp.flags.vn",
    "ntp.flags.mode",
    "ntp.stratum",
    "ntp.ppoll",
    "ntp.precision",
    "ntp.rootdelay",
    "ntp.rootdispersion",
    "ntp.refid",
    "ntp.org",
    "ntp.rec",
    "ntp.xmt",
    "ntp.keyid",
    "ntp.mac",
];
const MODES: [&str; 6] = [
    "reserved",
    "symmetric active",
    "symmetric passive",
    "client",
    "server",
    "broadcast",
];
/// The packet that the guide to authenticated multicast shows, as a capture of bare IP packets.
const GUIDE: &str = "d4c3b2a1020004000000000000000000ffff00006500000047e536420b1c0d006000000060000000\
    4500006000000000021100 00c0a8e601e0000101007b007b004c0982250206eb00000c0200000c15d4f256acc5e161cb\
    e93dd97f00000000000000000000000000000000c5e16447dc542fe1000000070d0ad03090fe720b1dc81809a3732334";

/// tshark's fields of every packet of a capture in the host's folder, for which it has no warning.
fn tshark(host: Host<'_>, name: &str) -> Vec<Vec<String>> {
    let run = |arguments: &[&str]| {
        let mut command = host.peer(Tree::Tshark, "/usr/bin/tshark");
        command
            .args(["-n", "-r", &format!("/lab/{name}")])
            .args(arguments);
        let said = finish(command);
        assert_eq!(said.code, Some(0), "{}", said.text);
        said.stdout
    };
    let warned = run(&["-Y", "ntp && (_ws.expert || _ws.malformed)"]);
    assert_eq!(warned, "", "tshark has something to say");
    let mut arguments = vec!["-Y", "ntp", "-T", "fields", "-E", "separator=|"];
    arguments.extend(FIELDS.iter().flat_map(|field| ["-e", field]));
    let table = run(&arguments);
    let rows = table.lines().map(|line| line.split('|').map(str::to_owned));
    rows.map(Iterator::collect).collect()
}

/// Our own, as objects.
fn ours(host: Host<'_>, input: &str) -> Vec<Value> {
    let mut command = host.native(&binary());
    let path = host.folder().join(input);
    command.args(["decode", "--json"]).arg(path);
    let said = finish(command);
    assert_eq!(said.code, Some(0), "{}", said.text);
    let objects = said.stdout.lines().map(serde_json::from_str);
    objects.collect::<Result<_, _>>().expect("JSON")
}

/// Fixed-point seconds as tshark gives them, in units of 2^-16 s.
fn units(seconds: &Value) -> String {
    format!("{:.0}", seconds.as_f64().expect("a number") * 65536.0)
}

/// The second of the minute and the nanoseconds, as tshark's dates end.
fn moment(stamp: &Value) -> String {
    let Some(text) = stamp.as_str() else {
        return "NULL".to_owned();
    };
    let (seconds, fraction) = text.split_once('.').expect("two halves");
    let number = |hex| u64::from_str_radix(hex, 16).expect("digits");
    let nanoseconds = (number(fraction) * 1_000_000_000) >> 32;
    // The epoch of NTP was the start of a minute.
    format!("{:02}.{nanoseconds:09} UTC", number(seconds) % 60)
}

fn agree(theirs: &[String], ours: &Value) {
    let ntp = &ours["ntp"];
    let mode = MODES.iter().position(|mode| ntp["mode"] == *mode);
    let lower = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
    let key = ntp["key_id"].as_u64();
    let expected = [
        ours["number"].to_string(),
        lower(&ours["ip"]["source"]),
        ours["udp"]["length"].to_string(),
        ntp["leap"].to_string(),
        ntp["version"].to_string(),
        mode.expect("a known mode").to_string(),
        ntp["stratum"].to_string(),
        ntp["poll_log2_s"].to_string(),
        ntp["precision_log2_s"].to_string(),
        units(&ntp["root_delay_s"]),
        units(&ntp["root_dispersion_s"]),
        lower(&ntp["reference_id_octets"]),
        moment(&ntp["origin_time"]),
        moment(&ntp["receive_time"]),
        moment(&ntp["transmit_time"]),
        key.map_or_else(String::new, |key| format!("{key:08x}")),
        lower(&ntp["mac"]),
    ];
    for ((field, theirs), ours) in FIELDS.iter().zip(theirs).zip(&expected) {
        let same = if ours.ends_with("UTC") {
            theirs.ends_with(ours.as_str())
        } else {
            theirs == ours
        };
        assert!(same, "{field}: tshark {theirs}, ours {ours} of {ntp}");
    }
}

/// Both of a capture; gives ours.
fn compared(host: Host<'_>, name: &str) -> Vec<Value> {
    let (theirs, ours) = (tshark(host, name), ours(host, name));
    assert_eq!(theirs.len(), ours.len(), "{theirs:?}");
    for (theirs, ours) in theirs.iter().zip(&ours) {
        agree(theirs, ours);
    }
    ours
}

fn octets(digits: &str) -> Vec<u8> {
    let digits: Vec<u32> = digits.chars().filter_map(|c| c.to_digit(16)).collect();
    let pairs = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]);
    pairs
        .map(|octet| u8::try_from(octet).expect("an octet"))
        .collect()
}

#[test]
fn tshark_reads_the_packet_of_the_guide_as_we_do() {
    let world = World::new(1);
    let host = world.host(1);
    let path = host.folder().join("guide.pcap");
    fs::write(path, octets(GUIDE)).expect("written");
    let ours = compared(host, "guide.pcap");
    assert_eq!(ours.len(), 1);
    assert_eq!(ours[0]["udp"]["checksum"], "correct");
    assert_eq!(ours[0]["ntp"]["reference_id"], "212.242.86.172");
}

/// tcpdump of all of NTP at a host's interface, into live.pcap in its folder.
fn live_capture(host: Host<'_>) -> Daemon {
    let mut arguments = vec!["-Z", "root", "-i", "eth0", "-U"];
    arguments.extend(["-w", "/lab/live.pcap", "udp port 123"]);
    let program = "/usr/bin/tcpdump";
    let mut sniffer = Daemon::peer(host, "tcpdump", Tree::Netlab, program, &arguments);
    sniffer.wait_log(&["listening on eth0"], seconds(10));
    sniffer
}

#[test]
fn tshark_reads_our_own_broadcasts_as_we_do() {
    let world = World::new(1);
    let host = world.host(1);
    let mut sniffer = live_capture(host);
    let broadcasts = "tos orphan 3 orphanwait 1\nbroadcast 10.77.0.255 minpoll 3\n\
                      broadcast 224.0.1.1 key 1 minpoll 3\n\
                      broadcast 224.0.1.2 key 2 minpoll 3 xleave\n";
    let config = loaded(host, &ntp_keys()) + broadcasts;
    let _broadcaster = Truechimer::start(host, &config);
    let is_broadcast = |it: &&Value| it["ntp"]["mode"] == "broadcast";
    until("a capture", seconds(60), || {
        // Its head alone is no capture to us.
        let size = fs::metadata(host.folder().join("live.pcap")).map_or(0, |it| it.len());
        (size > 24).then_some(())
    });
    until("two of each broadcast", seconds(60), || {
        let seen = ours(host, "live.pcap");
        (seen.iter().filter(is_broadcast).count() >= 6).then_some(())
    });
    sniffer.signal("INT");
    sniffer.wait_end(seconds(5));
    let found = compared(host, "live.pcap");
    assert!(found.iter().all(|it| is_broadcast(&it)), "{found:?}");
    for (target, key) in [
        ("10.77.0.255", None),
        ("224.0.1.1", Some(1)),
        ("224.0.1.2", Some(2)),
    ] {
        let of_it = found.iter().filter(|it| it["ip"]["destination"] == target);
        let of_it: Vec<&Value> = of_it.map(|it| &it["ntp"]).collect();
        assert!(of_it.len() >= 2, "{target}: {found:?}");
        for ntp in &of_it {
            assert_eq!(ntp["key_id"].as_u64(), key, "{ntp}");
            assert_eq!(
                (&ntp["stratum"], &ntp["poll_log2_s"]),
                (&3.into(), &3.into())
            );
        }
        // Interleaved, the second one tells when the first one left.
        let is_told = of_it[1]["origin_time"].is_string();
        assert_eq!(is_told, key == Some(2), "{:?}", of_it[1]);
    }
}

#[test]
fn tshark_reads_clients_servers_and_broadcasts_as_we_do() {
    let world = World::new(3);
    let own = world.host(1);
    let capture = own.folder().join("live.pcap");
    let mut sniffer = live_capture(own);
    let _server = serve(own, &(loaded(own, &ntp_keys()) + LOCAL));
    let address = own.v4();
    let keys = ntp_keys();
    let mut client = Client::start_keyed(ClientKind::Ntp4, world.host(2), &[&address], &keys);
    let broadcasts = "tos orphan 3 orphanwait 1\nbroadcast 10.77.0.255 minpoll 3 maxpoll 3\n";
    let _broadcaster = upstreams::ntpd(world.host(3), Tree::Ntp4, broadcasts);
    client.wait_synchronised(seconds(60));
    until("all modes in the capture", seconds(60), || {
        let seen = ours(own, "live.pcap");
        let has = |mode: &str| seen.iter().any(|it| it["ntp"]["mode"] == mode);
        (has("client") && has("server") && has("broadcast")).then_some(())
    });
    sniffer.signal("INT");
    sniffer.wait_end(seconds(5));
    let found = compared(own, "live.pcap");
    let notes = |it: &Value| it["ntp"]["notes"].to_string();
    let answers: Vec<_> = found
        .iter()
        .filter(|it| it["ntp"]["mode"] == "server")
        .collect();
    assert!(
        answers
            .iter()
            .all(|it| notes(it).contains("basic mode: answers packet"))
    );
    assert!(
        answers
            .iter()
            .all(|it| it["ntp"]["key_id"].as_u64() > Some(0))
    );
    as_tcpdump_prints_it(own, &found);
    let whole = fs::read(&capture).expect("a capture");
    fs::write(&capture, &whole[..whole.len() - 3]).expect("written");
    let mut command = own.native(&binary());
    let said = finish({
        command.arg("decode").arg(&capture);
        command
    });
    assert_eq!(said.code, Some(1));
    assert!(said.text.contains("live.pcap: octet "), "{}", said.text);
}

/// The packets of live.pcap are the same from the text of tcpdump -x.
fn as_tcpdump_prints_it(host: Host<'_>, found: &[Value]) {
    let mut command = host.peer(Tree::Netlab, "/usr/bin/tcpdump");
    command.args(["-Z", "root", "-n", "-r", "/lab/live.pcap", "-x"]);
    host.write("live.txt", &finish(command).stdout);
    let again = ours(host, "live.txt");
    assert_eq!(again.len(), found.len());
    for (text, capture) in again.iter().zip(found) {
        let stamp = "transmit_time";
        assert_eq!(text["ntp"][stamp], capture["ntp"][stamp]);
        assert_eq!(text["udp"], capture["udp"]);
    }
}

#[test]
fn a_promiscuous_interface_is_told_where_groups_are_joined() {
    let world = World::new(1);
    let host = world.host(1);
    let check = |config: &str| {
        let path = host.write("check.conf", config);
        let mut command = host.native(&binary());
        command.arg("check").arg(path);
        finish(command).text
    };
    let multicast = "server 192.0.2.1\nmulticastclient 224.0.1.1\n";
    assert!(!check(multicast).contains("promiscuous"));
    let mut sniffer = Daemon::peer(
        host,
        "tcpdump",
        Tree::Netlab,
        "/usr/bin/tcpdump",
        &["-Z", "root", "-i", "eth0", "-w", "/lab/x.pcap"],
    );
    sniffer.wait_log(&["listening on eth0"], seconds(10));
    let said = check(multicast);
    assert!(
        said.contains("warning[TC1130]: eth0 is promiscuous"),
        "{said}"
    );
    assert!(!check("server 192.0.2.1\n").contains("promiscuous"));
    sniffer.kill();
    assert!(!check(multicast).contains("promiscuous"));
}
