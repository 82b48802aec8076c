//! The real clients follow truechimer, and the tools people use ask it.

use truechimer_tests::support::command::finish;
use truechimer_tests::support::upstreams::wait_serving;
use truechimer_tests::support::wait::seconds;
use truechimer_tests::support::{Client, ClientKind, Family, Host, Tree, Truechimer, World};

/// A server on nothing but this machine's clock.
pub(crate) const LOCAL: &str = "server 127.127.1.0 minpoll 3 maxpoll 3\n\
    fudge 127.127.1.0 stratum 5\n\
    restrict default\n";

/// Stratum it serves.
const STRATUM: u8 = 6;

/// Starts it and waits until it calls itself synchronised.
pub(crate) fn serve<'a>(host: Host<'a>, config: &str) -> Truechimer<'a> {
    let mut truechimer = Truechimer::start(host, config);
    wait_serving(host, &mut truechimer.daemon, seconds(60));
    truechimer
}

fn clients_follow(family: Family) {
    let world = World::new(5);
    let _server = serve(world.host(1), LOCAL);
    let address = world.host(1).address(family);
    let mut clients = [
        Client::start(ClientKind::Ntp4, world.host(2), &[&address]),
        Client::start(ClientKind::Chrony, world.host(3), &[&address]),
        Client::start(ClientKind::Ntpsec, world.host(4), &[&address]),
        Client::start(ClientKind::NtpdRs, world.host(5), &[&address]),
    ];
    for client in &mut clients {
        client.wait_synchronised(seconds(90));
    }
    let rows = clients[0].rows();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0].stratum, STRATUM, "{rows:?}");
}

#[test]
fn ntpd_chrony_ntpsec_and_ntpd_rs_follow_over_ipv4() {
    clients_follow(Family::V4);
}

#[test]
fn ntpd_chrony_ntpsec_and_ntpd_rs_follow_over_ipv6() {
    clients_follow(Family::V6);
}

/// Runs a tool of a peer on a host; gives what it said, which must hold each of these.
fn tool(host: Host<'_>, tree: Tree, program: &str, arguments: &[&str], holds: &[&str]) {
    let mut command = host.peer(tree, program);
    command.args(arguments);
    let said = finish(command);
    assert_eq!(said.code, Some(0), "{program}: {}", said.text);
    for part in holds {
        assert!(
            said.text.contains(part),
            "{program} does not say {part}: {}",
            said.text
        );
    }
}

#[test]
fn tools_ask_and_are_content() {
    const NTPLIB: &str = "import ntplib, sys\n\
        for version in (1, 2, 3, 4):\n\
        \x20   r = ntplib.NTPClient().request(sys.argv[1], version=version)\n\
        \x20   assert r.mode == 4 and r.leap == 0 and r.version == version, vars(r)\n\
        \x20   assert abs(r.offset) < 0.05 and 0 <= r.delay < 0.5, vars(r)\n\
        \x20   print('version', version, 'stratum', r.stratum)";
    let world = World::new(2);
    let (own, other) = (world.host(1), world.host(2));
    let _server = serve(own, LOCAL);
    let stratum = format!("stratum {STRATUM}");
    for address in [own.v4(), own.v6()] {
        let address = address.as_str();
        let ntpdate = ["-q", address];
        tool(
            other,
            Tree::Ntp4,
            "/usr/sbin/ntpdate",
            &ntpdate,
            &[&stratum, "offset"],
        );
        let short = format!(" s{STRATUM} ");
        tool(
            other,
            Tree::Ntp4,
            "/usr/bin/sntp",
            &[address],
            &[&short, address],
        );
        let ntpdig = ["-j", address];
        let json = format!("\"stratum\":{STRATUM}");
        tool(other, Tree::Ntpsec, "/usr/bin/ntpdig", &ntpdig, &[&json]);
        let plugin = ["-H", address, "-w", "0.1", "-c", "0.2"];
        let path = "/usr/lib/nagios/plugins/check_ntp_time";
        tool(other, Tree::Plugins, path, &plugin, &["NTP OK"]);
        let ntplib = ["-c", NTPLIB, address];
        let v1 = format!("version 1 {stratum}");
        tool(other, Tree::Ntplib, "/usr/bin/python3", &ntplib, &[&v1]);
    }
    let own_query = truechimer_tests::support::truechimer::query(other, &["--json", &own.v6()]);
    assert_eq!(own_query.code, Some(0), "{}", own_query.text);
}
