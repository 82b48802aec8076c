//! A campus in a box, to be looked at: `cargo xtask campus`.
//!
//! Two networks in namespaces with a router between them, an upstream, a source that sends to a
//! network and to a group, and clients of both sorts and of both makes in either network. Prints
//! what `ntpq -p` says on each host, and takes everything away again. Needs root and the peers.
#![forbid(unsafe_code)]

use std::time::Instant;
use truechimer_tests::support::wait::{seconds, until_true};
use truechimer_tests::support::{Node, Side, Upstream, World, keys};

/// Host, whose daemon, what it does.
const CLIENTS: [(u8, Side, &str); 5] = [
    (3, Side::Ours, "broadcastclient"),
    (4, Side::Ntp4, "broadcastclient"),
    (5, Side::Ours, "multicastclient 224.0.1.1"),
    (6, Side::Ntp4, "multicastclient 224.0.1.1"),
    (7, Side::Ours, "server 10.77.0.2 key 2 iburst minpoll 3"),
];

const SOURCE: &str = "broadcast 10.77.0.255 key 2 minpoll 3
broadcast 224.0.1.1 key 2 ttl 2 minpoll 3
";

const KEYED: &str = "keys LAB/ntp.keys\ntrustedkey 2\nrestrict default\n";

fn main() {
    let start = Instant::now();
    println!("building two networks and a router; nothing outside them is touched");
    let world = World::campus(4, 3);
    let _router = world.route_multicast(&["224.0.1.1"]);
    let upstream = world.host(1);
    let _upstream = Upstream::Chrony.start(upstream);
    println!("10.77.0.1  chronyd, stratum 3, the upstream");

    let own = world.host(2);
    own.write("ntp.keys", &keys::ntp_keys());
    let line = format!("server {} iburst minpoll 3 maxpoll 3\n", upstream.v4());
    let source = Node::start(Side::Ours, own, &format!("{line}{SOURCE}{KEYED}"));
    println!(
        "10.77.0.2  {}, the source:\n{}",
        make(Side::Ours),
        indented(SOURCE)
    );

    let mut clients = Vec::new();
    for (number, side, line) in CLIENTS {
        let own = world.host(number);
        own.write("ntp.keys", &keys::ntp_keys());
        let hurry = if side == Side::Ours {
            "tos volleywait 0\n"
        } else {
            ""
        };
        clients.push(Node::start(side, own, &format!("{line}\n{hurry}{KEYED}")));
        println!("{}  {}: {line}", own.v4(), make(side));
    }
    println!(
        "{}  the router: 224.0.1.1 passes, once",
        world.router().v4()
    );
    println!("\nwaiting until everyone follows; a minute at most");
    let all = || std::iter::once(&source).chain(&clients);
    until_true("everyone to follow", seconds(120), || {
        all().all(|node| node.rows().iter().any(|row| row.tally == '*'))
    });
    println!("after {} s:", start.elapsed().as_secs());
    for node in all() {
        println!("\n{} ({})$ ntpq -pn", node.host.v4(), make(node.side));
        print!("{}", node.ntpq(&["-pn"]));
    }
}

const fn make(side: Side) -> &'static str {
    match side {
        Side::Ours => "truechimer",
        Side::Ntp4 | Side::Mended => "ntpd 4.2.8p15",
    }
}

fn indented(lines: &str) -> String {
    lines
        .lines()
        .map(|line| format!("           {line}\n"))
        .collect()
}
