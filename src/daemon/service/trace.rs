//! Traces in the words of the reference's debug output (`-D`). They go where the log goes, so that
//! they stand in order among its other lines, and a place that blocks costs lines and no time.
use core::net::IpAddr;
use truechimer_proto::server::RestrictFlags;
use truechimer_proto::trace::{Endpoint, Line, Trace};
use truechimer_time::Instant;

/// Bits of an interface in the reference's numbers, as far as they are known of a socket.
const UP: u32 = 1;
const LOOPBACK: u32 = 4;
/// The reference's numbers of the families.
const INET: u8 = 2;
const INET6: u8 = 10;

/// Writes a trace to the log; times count from `started`.
pub(super) fn write(trace: &Trace, started: Instant) {
    for line in lines(trace, started) {
        log::debug!("{line}");
    }
}

fn lines(trace: &Trace, started: Instant) -> Vec<String> {
    let at = |at: &Instant| at.since(started).as_secs();
    match trace {
        Trace::Endpoints(endpoints) => sockets(endpoints),
        Trace::Received {
            at: when,
            line,
            code,
            proof,
        } => vec![format!(
            "receive: at {} {} mode {} code {} keyid {:08x} len {} mac {} auth {}",
            at(when),
            ends(line, "<-"),
            line.mode,
            *code as i8,
            line.key_id.unwrap_or_default(),
            line.len,
            line.mac_len,
            *proof as u8
        )],
        Trace::Restricted {
            at: when,
            local,
            remote,
            flags,
        } => vec![format!(
            "receive: at {} {}<-{} restrict {}",
            at(when),
            end(*local),
            remote.ip(),
            words(*flags)
        )],
        Trace::Sent { at: when, line } => {
            let key = line.key_id.map(|id| format!(" keyid {id:08x}"));
            let len = line.len + line.mac_len;
            vec![format!(
                "transmit: at {} {} mode {}{} len {len}",
                at(when),
                ends(line, "->"),
                line.mode,
                key.unwrap_or_default()
            )]
        }
        Trace::Polled {
            at: when,
            remote,
            poll,
        } => {
            let next = poll
                .next_s
                .map_or("never".to_owned(), |s| format!("{s:.0}"));
            vec![format!(
                "poll_update: at {} {remote} poll {} burst {} retry {} head {:.0} early {:.0} next {next}",
                at(when),
                poll.poll,
                poll.burst,
                poll.retry,
                poll.headway_s,
                poll.early_s
            )]
        }
    }
}

/// A socket of a client does not say which address it has.
fn end(local: Option<IpAddr>) -> String {
    local.map_or_else(|| "*".to_owned(), |local| local.to_string())
}

fn ends(line: &Line, arrow: &str) -> String {
    format!("{}{arrow}{}", end(line.local), line.remote.ip())
}

fn words(flags: RestrictFlags) -> String {
    let set = RestrictFlags::WORDS.iter();
    let set = set.filter(|(_, flag)| flags.contains(*flag));
    let words: Vec<&str> = set.map(|(word, _)| *word).collect();
    if words.is_empty() {
        return "none".to_owned();
    }
    words.join(" ")
}

fn sockets(endpoints: &[Endpoint]) -> Vec<String> {
    let port = endpoints.first().map_or(0, |it| it.address.port());
    let mut lines = vec![format!("create_sockets({port})")];
    let mut names: Vec<&str> = Vec::new();
    for endpoint in endpoints {
        if !endpoint.name.is_empty() && !names.contains(&endpoint.name.as_str()) {
            names.push(&endpoint.name);
            lines.push(format!("interface <{}> OK", endpoint.name));
        }
        let address = endpoint.address;
        let family = if address.is_ipv4() { INET } else { INET6 };
        let dropping = if endpoint.unwanted {
            ", dropping what comes"
        } else {
            ""
        };
        lines.push(format!(
            "bind() fd {}, family {family}, port {}, addr {}, flags={}{dropping}",
            endpoint.descriptor,
            address.port(),
            address.ip(),
            flags(endpoint)
        ));
    }
    lines.push(format!("create_sockets: ninterfaces={}", names.len()));
    for (number, endpoint) in endpoints.iter().enumerate() {
        lines.push(format!(
            "interface {number}: fd={}, name={}, flags={:#x}, sin={}",
            endpoint.descriptor,
            endpoint.name,
            flags(endpoint),
            endpoint.address.ip()
        ));
    }
    lines
}

fn flags(endpoint: &Endpoint) -> u32 {
    let is_loopback = endpoint.address.ip().is_loopback();
    UP | if is_loopback { LOOPBACK } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::SocketAddr;
    use truechimer_proto::trace::{Match, Polling, Proof};

    fn told(trace: Trace) -> Vec<String> {
        let started = Instant::from_nanoseconds(5_000_000_000);
        lines(&trace, started)
    }

    fn line(local: [u8; 4], remote: [u8; 4], mode: u8, key_id: Option<u32>) -> Line {
        Line {
            local: Some(IpAddr::from(local)),
            remote: SocketAddr::from((remote, 123)),
            mode,
            key_id,
            len: 48,
            mac_len: if key_id.is_some() { 20 } else { 0 },
        }
    }

    #[test]
    fn the_lines_of_the_guides() {
        let after = |s: u64| Instant::from_nanoseconds((5 + s) * 1_000_000_000);
        let way = line([224, 0, 1, 1], [82, 123, 45, 116], 5, Some(2));
        let heard = Trace::Received {
            at: after(98),
            line: way,
            code: Match::NewBroadcastClient,
            proof: Proof::Right,
        };
        assert_eq!(
            told(heard),
            [
                "receive: at 98 224.0.1.1<-82.123.45.116 mode 5 code 6 keyid 00000002 len 48 mac 20 \
                 auth 1"
            ]
        );
        let polled = Trace::Polled {
            at: after(1142),
            remote: "192.168.1.11".to_owned(),
            poll: Polling {
                poll: 7,
                burst: 0,
                retry: 0,
                headway_s: 0.0,
                early_s: 2.0,
                next_s: Some(40.2),
            },
        };
        assert_eq!(
            told(polled),
            ["poll_update: at 1142 192.168.1.11 poll 7 burst 0 retry 0 head 0 early 2 next 40"]
        );
        let sent = Trace::Sent {
            at: after(7),
            line: line([10, 0, 0, 1], [10, 0, 0, 2], 4, Some(2)),
        };
        assert_eq!(
            told(sent),
            ["transmit: at 7 10.0.0.1->10.0.0.2 mode 4 keyid 00000002 len 68"]
        );
        let restricted = Trace::Restricted {
            at: after(98),
            local: None,
            remote: SocketAddr::from(([10, 0, 0, 2], 9)),
            flags: RestrictFlags::NOQUERY.with(RestrictFlags::NOTRUST),
        };
        assert_eq!(
            told(restricted),
            ["receive: at 98 *<-10.0.0.2 restrict notrust noquery"]
        );
    }

    #[test]
    fn every_socket_is_named() {
        let socket = |descriptor, address: [u8; 4], name: &str| Endpoint {
            descriptor,
            address: SocketAddr::from((address, 123)),
            name: name.to_owned(),
            unwanted: false,
        };
        let all = told(Trace::Endpoints(vec![
            socket(5, [127, 0, 0, 1], "lo"),
            socket(6, [192, 168, 230, 6], "eth0"),
        ]));
        assert_eq!(
            all,
            [
                "create_sockets(123)",
                "interface <lo> OK",
                "bind() fd 5, family 2, port 123, addr 127.0.0.1, flags=5",
                "interface <eth0> OK",
                "bind() fd 6, family 2, port 123, addr 192.168.230.6, flags=1",
                "create_sockets: ninterfaces=2",
                "interface 0: fd=5, name=lo, flags=0x5, sin=127.0.0.1",
                "interface 1: fd=6, name=eth0, flags=0x1, sin=192.168.230.6",
            ]
        );
    }
}
