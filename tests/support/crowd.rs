//! Clients with addresses in plenty: a host that owns whole networks, and programs of our own that
//! ask from them; see `bin/asker.rs` and `bin/crowd.rs`.

use super::command::{Finished, finish};
use super::responder::built;
use super::world::Host;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

/// Makes a host own every address of a network, and others find it there.
///
/// # Panics
/// When the kernel refuses.
pub fn own_network(owner: Host<'_>, network: &str, neighbours: &[Host<'_>]) {
    let (family, gateway) = if network.contains(':') {
        ("-6", owner.v6())
    } else {
        ("-4", owner.v4())
    };
    add_route(owner, family, &["local", network, "dev", "lo"]);
    // IPv4 binds to any address it has a local route for, IPv6 only when told.
    run(owner, "sysctl", &["-qw", "net.ipv6.ip_nonlocal_bind=1"]);
    for neighbour in neighbours {
        add_route(*neighbour, family, &[network, "via", &gateway]);
    }
}

fn add_route(host: Host<'_>, family: &str, arguments: &[&str]) {
    run(host, "ip", &[&[family, "route", "add"], arguments].concat());
}

fn run(host: Host<'_>, program: &str, arguments: &[&str]) {
    let mut command = host.native(Path::new(program));
    command.args(arguments);
    let said = finish(command);
    assert_eq!(said.code, Some(0), "{program} {arguments:?}: {}", said.text);
}

/// A packet to be sent from an address and port.
#[derive(Clone, Debug)]
pub struct Question {
    /// Names it; without blanks.
    pub name: String,
    /// When, milliseconds from the beginning.
    pub at_ms: u64,
    /// From where.
    pub source: (IpAddr, u16),
    /// All of it.
    pub octets: Vec<u8>,
}

/// Sends all, and gives the answers by name; `None` where there was none.
///
/// # Panics
/// When an address or port cannot be had, or something comes that was not asked for.
#[must_use]
pub fn ask(
    from: Host<'_>,
    to: Host<'_>,
    questions: &[Question],
) -> BTreeMap<String, Option<Vec<u8>>> {
    let line = |question: &Question| {
        let (address, port) = question.source;
        let target = match address {
            IpAddr::V4(_) => format!("{}:123", to.v4()),
            IpAddr::V6(_) => format!("[{}]:123", to.v6()),
        };
        let source = std::net::SocketAddr::new(address, port);
        let hex: String = question
            .octets
            .iter()
            .map(|it| format!("{it:02x}"))
            .collect();
        format!(
            "{} {} {source} {target} {hex}\n",
            question.name, question.at_ms
        )
    };
    let script: String = questions.iter().map(line).collect();
    let path = from.write("asker.script", &script);
    let mut command = from.native(&built("ntp-asker"));
    command.arg(path);
    let said = finish(command);
    assert_eq!(said.code, Some(0), "{}", said.text);
    said.stdout.lines().map(read).collect()
}

fn read(line: &str) -> (String, Option<Vec<u8>>) {
    let (name, hex) = line.split_once(' ').unwrap_or((line, "-"));
    let octet = |at: usize| {
        hex.get(at..at + 2)
            .and_then(|it| u8::from_str_radix(it, 16).ok())
    };
    let octets = (0..hex.len() / 2).map_while(|pair| octet(pair * 2));
    (name.to_owned(), (hex != "-").then(|| octets.collect()))
}

/// A request from each of so many addresses, from the first upwards, at this rate.
#[must_use]
pub fn crowd(from: Host<'_>, to: Host<'_>, first: &str, count: u32, per_second: u32) -> Finished {
    let target = if first.contains(':') {
        format!("[{}]:123", to.v6())
    } else {
        format!("{}:123", to.v4())
    };
    let mut command = from.native(&built("ntp-crowd"));
    command.args([&target, first, &count.to_string(), &per_second.to_string()]);
    finish(command)
}
