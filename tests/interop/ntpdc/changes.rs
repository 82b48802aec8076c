//! What ntpdc makes and takes away while the daemon runs, and the same order sent a second time by
//! somebody who only heard it.

use super::{Asker, commands, ntpdc, number, ours};
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use truechimer_tests::support::forger::{Forged, forge};
use truechimer_tests::support::sniffer::Seen;
use truechimer_tests::support::wait::{seconds, until};
use truechimer_tests::support::{Host, Sniffer, World};

/// What `enable mode7` asks for, and a time to broadcast.
const OPEN: &str = "enable mode7\nrequestkey 1\ntos orphan 3 orphanwait 1\n";
/// Of a rule that nothing else needs.
const RULE: &str = "192.168.231.0 255.255.255.0";

fn peers_and_broadcasts_come_and_go(asker: Asker) {
    let world = World::new(2);
    let (host, other) = (world.host(1), world.host(2));
    let sniffer = Sniffer::start(host);
    let _ours = ours(&world, OPEN);
    let (peer, network) = (other.v4(), "10.77.0.255");
    let ask = |command: &str| commands(host, asker, "secret", &[command]);
    for command in [
        format!("addpeer {peer} 2"),
        format!("broadcast {network} 1"),
    ] {
        let text = ask(&command);
        assert_eq!(text.matches("done!").count(), 1, "{command}: {text}");
    }
    let text = until("the peer and the broadcast", seconds(10), || {
        let text = ask("peers");
        (text.contains(&peer) && text.contains(network)).then_some(text)
    });
    // Their signs for symmetric active and for broadcast.
    assert!(text.contains(&format!("+{peer} ")), "{text}");
    assert!(text.contains(&format!("^{network} ")), "{text}");
    sent(&sniffer, 1, &peer, 2);
    sent(&sniffer, 5, network, 1);
    let text = ask(&format!("unconfig {peer} {network}"));
    assert_eq!(text.matches("done!").count(), 1, "{text}");
    until("both gone", seconds(10), || {
        let text = ask("peers");
        (!text.contains(&peer) && !text.contains(network)).then_some(())
    });
    let before = from(&sniffer, host).len();
    // Longer than the shortest interval of either, which is what a new one begins with.
    std::thread::sleep(seconds(20));
    let after = from(&sniffer, host);
    assert_eq!(after.len(), before, "{after:?}");
}

/// Packets of NTP itself that a host sent over the wire.
fn from(sniffer: &Sniffer, host: Host<'_>) -> Vec<Seen> {
    let own = address(host);
    sniffer.ntp(|it| it.source == own && matches!(it.mode(), Some(1 | 5)))
}

/// It is sent, in this mode and sealed with this key.
fn sent(sniffer: &Sniffer, mode: u8, target: &str, key: u32) {
    let what = format!("mode {mode} to {target}");
    let wanted = |it: &Seen| it.mode() == Some(mode) && it.target.to_string() == target;
    for seen in sniffer.wait_ntp(&what, 1, seconds(80), wanted) {
        assert_eq!(seen.key_id(), Some(key), "{seen:?}");
    }
}

fn address(host: Host<'_>) -> IpAddr {
    match host.v4().parse() {
        Ok(address) => address,
        Err(error) => panic!("{}: {error}", host.v4()),
    }
}

fn v4(address: IpAddr) -> Ipv4Addr {
    match address {
        IpAddr::V4(address) => address,
        IpAddr::V6(address) => panic!("{address}"),
    }
}

#[test]
fn peers_and_broadcasts_of_the_references_ntpdc() {
    peers_and_broadcasts_come_and_go(Asker::Reference);
}

#[test]
fn peers_and_broadcasts_of_our_ntpdc() {
    peers_and_broadcasts_come_and_go(Asker::Ours);
}

/// The datagram as it passed by, in the name of another port or host if so wanted.
fn again(heard: &Seen, source: IpAddr, port: u16) -> Forged {
    Forged {
        source: SocketAddrV4::new(v4(source), port),
        target: SocketAddrV4::new(v4(heard.target), 123),
        ttl: 8,
        octets: heard.octets().to_vec(),
    }
}

/// Two hosts may change it from afar; a third hears what one of them orders.
fn an_order_is_good_once(asker: Asker) {
    let world = World::new(4);
    let (server, operator, second, liar) =
        (world.host(1), world.host(2), world.host(3), world.host(4));
    let trusted = [operator, second].map(|host| format!("restrict {}\n", host.v4()));
    let sniffer = Sniffer::start(server);
    let _ours = ours(&world, &[OPEN, &trusted.concat()].concat());
    let to = server.v4();
    let order = |command: &str| {
        let mut arguments = vec!["-n", "-c", "keyid 1", "-c", "passwd secret"];
        arguments.extend(["-c", command, &to]);
        ntpdc(operator, asker, &arguments, "")
    };
    let text = order(&format!("restrict {RULE} nomodify"));
    assert!(text.contains("done!"), "{text}");
    let write = |it: &Seen| it.mode() == Some(7) && it.target == address(server);
    let heard = sniffer.wait_ntp("the order", 1, seconds(5), write);
    let heard = &heard[0];
    let text = order(&format!("delrestrict {RULE}"));
    assert!(text.contains("done!"), "{text}");
    let told = |what: &str| commands(server, asker, "secret", &[what]);
    assert!(!told("reslist").contains("192.168.231.0"));
    assert_eq!(number(&told("sysstats"), "bad authentication:"), 0);

    let port = heard.ports().map_or(0, |(from, _)| from);
    let mut altered = again(heard, heard.source, port);
    // The address of the rule is in the first item, behind the header of eight octets.
    altered.octets[8] ^= 1;
    let lies = [
        again(heard, heard.source, port),
        again(heard, heard.source, port ^ 1),
        again(heard, address(second), 5000),
        altered,
    ];
    for (count, lie) in (1..).zip(&lies) {
        forge(liar, std::slice::from_ref(lie));
        until("it to be counted", seconds(5), || {
            let said = told("sysstats");
            (number(&said, "bad authentication:") == count).then_some(())
        });
        assert!(!told("reslist").contains("168.231.0"), "{lie:?}");
    }
    // Older than any stamp is taken, too.
    std::thread::sleep(seconds(22));
    forge(liar, &lies[..1]);
    until("the last to be counted", seconds(5), || {
        let count = number(&told("sysstats"), "bad authentication:");
        (count == 5).then_some(())
    });
    assert!(!told("reslist").contains("168.231.0"));
    each_was_refused(&sniffer, server, lies.len() + 1);
    let text = order(&format!("restrict {RULE} nomodify"));
    assert!(text.contains("done!"), "{text}");
    assert!(told("reslist").contains("192.168.231.0"));
}

/// Answered with the code for no permission (7), once each, and the two true orders with none.
fn each_was_refused(sniffer: &Sniffer, server: Host<'_>, count: usize) {
    let answers = sniffer.ntp(|it| it.mode() == Some(7) && it.source == address(server));
    let codes: Vec<u8> = answers.iter().map(|it| it.octet(4) >> 4).collect();
    let expected = [vec![0; 2], vec![7; count]].concat();
    assert_eq!(codes, expected);
}

#[test]
fn an_order_of_the_references_ntpdc_is_good_once() {
    an_order_is_good_once(Asker::Reference);
}

#[test]
fn an_order_of_our_ntpdc_is_good_once() {
    an_order_is_good_once(Asker::Ours);
}
