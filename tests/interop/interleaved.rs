//! Interleaved client/server mode (RFC 9769 §2) on the wire: every reply after the first ones tells
//! when the one before it truly left.

use super::server::{LOCAL, serve};
use truechimer_tests::support::command::finish;
use truechimer_tests::support::daemon::Daemon;
use truechimer_tests::support::sniffer::Seen;
use truechimer_tests::support::truechimer::binary;
use truechimer_tests::support::upstreams::chrony;
use truechimer_tests::support::wait::{seconds, until};
use truechimer_tests::support::{Family, Host, Node, Side, Sniffer, World, upstreams};

/// Replies that are looked at.
const REPLIES: usize = 14;
const ORIGIN: usize = 24;
const RECEIVE: usize = 32;
const TRANSMIT: usize = 40;

/// Units of a timestamp in a millisecond.
const UNITS_PER_MS: f64 = 4_294_967.296;

/// A request and its reply.
struct Exchange {
    asked: Seen,
    replied: Seen,
}

impl Exchange {
    fn is_interleaved(&self) -> bool {
        let origin = self.replied.stamp(ORIGIN);
        assert_ne!(origin, 0, "{:?}", self.replied);
        let basic = origin == self.asked.stamp(TRANSMIT);
        let interleaved = origin == self.asked.stamp(RECEIVE);
        assert!(basic != interleaved, "{:?} {:?}", self.asked, self.replied);
        interleaved
    }
}

/// The exchanges with a server that the sniffer saw: one client asks, and has one request out.
fn exchanges(sniffer: &Sniffer) -> Vec<Exchange> {
    let replies = until("replies", seconds(60), || {
        let seen = sniffer.ntp(|it| matches!(it.mode(), Some(3 | 4)));
        let replies = seen.iter().filter(|it| it.mode() == Some(4)).count();
        (replies >= REPLIES).then_some(seen)
    });
    let mut asked = None;
    let mut done = Vec::new();
    for seen in replies {
        if seen.mode() == Some(3) {
            asked = Some(seen);
        } else if let Some(asked) = asked.take() {
            done.push(Exchange {
                asked,
                replied: seen,
            });
        }
    }
    done
}

/// All replies after the first `basic` are interleaved, and what they tell is when the reply before
/// left: not before its request came, and soon after.
fn check(sniffer: &Sniffer, basic: usize) {
    let done = exchanges(sniffer);
    let kinds: Vec<bool> = done.iter().map(Exchange::is_interleaved).collect();
    eprintln!("{kinds:?}");
    assert!(kinds[..basic].iter().all(|it| !it), "{kinds:?}");
    assert!(kinds[basic..].iter().all(|it| *it), "{kinds:?}");
    for pair in done[basic - 1..].windows(2) {
        let received = pair[0].replied.stamp(RECEIVE);
        let left = pair[1].replied.stamp(TRANSMIT);
        let held_ms = left.wrapping_sub(received).cast_signed() as f64 / UNITS_PER_MS;
        eprintln!("held {held_ms:.4} ms");
        assert!((0.0..20.0).contains(&held_ms), "{held_ms}");
        assert_eq!(pair[1].asked.stamp(ORIGIN), received);
    }
}

fn chronyd_serves(host: Host<'_>) -> Daemon {
    let mut daemon = chrony(host, "local stratum 3\nallow\n");
    upstreams::wait_serving(host, &mut daemon, seconds(20));
    daemon
}

/// chronyd itself asks for a departure with the second reply, and tells it with the third.
#[test]
fn ours_asks_chrony() {
    let world = World::new(2);
    let (server, own) = (world.host(1), world.host(2));
    let _chronyd = chronyd_serves(server);
    let sniffer = Sniffer::start(own);
    let client = asks(own, &server.v4());
    check(&sniffer, 2);
    let held_ms: f64 = client.variables("&1")["xleave"].parse().expect("ms");
    assert!((0.0..20.0).contains(&held_ms), "{held_ms}");
}

fn asks<'a>(own: Host<'a>, server: &str) -> Node<'a> {
    let line = format!("server {server} minpoll 0 maxpoll 0 xleave\n");
    Node::start(Side::Ours, own, &format!("{line}restrict default\n"))
}

#[test]
fn ours_asks_ours() {
    let world = World::new(2);
    let (server, own) = (world.host(1), world.host(2));
    let serving = serve(server, LOCAL);
    let sniffer = Sniffer::start(own);
    let _client = asks(own, &server.v4());
    check(&sniffer, 1);
    let said = query_variable(server, "interleaved");
    assert!(
        said.contains("told 1") && said.contains("passed over 0"),
        "{said}"
    );
    drop(serving);
}

/// What our own ntpq shows of a system variable.
fn query_variable(host: Host<'_>, name: &str) -> String {
    let mut command = host.native(&binary());
    command.args(["ntpq", "-n", "-c", &format!("rv 0 {name}")]);
    finish(command).text
}

fn chrony_asks(family: Family) {
    let world = World::new(2);
    let (server, own) = (world.host(1), world.host(2));
    let _serving = serve(server, LOCAL);
    let sniffer = Sniffer::start(own);
    let address = server.address(family);
    // Who keeps root can open the socket at which it tells this.
    let line = format!("user root\nserver {address} minpoll 0 maxpoll 0 xleave\n");
    let chronyd = chrony(own, &line);
    check(&sniffer, 1);
    let said = chronyd.ask("/usr/bin/chronyc", &["-n", "ntpdata"]).text;
    let shown = |name: &str| {
        let line = said.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.split(':').nth(1));
        value.unwrap_or_default().trim().to_owned()
    };
    assert_eq!(shown("Interleaved"), "Yes", "{said}");
    assert_eq!(shown("TX timestamping"), "Kernel", "{said}");
}

#[test]
fn chrony_asks_ours_over_ipv4() {
    chrony_asks(Family::V4);
}

#[test]
fn chrony_asks_ours_over_ipv6() {
    chrony_asks(Family::V6);
}
