//! Plays of Autokey. Each is given the reference on both sides first, then ours on either side; keys
//! are made by each side's own generator, so that files go from one to the other as well.
//!
//! Where ntpd 4.2.8p15 cannot do at all what its protocol says, it is the mended one that plays.

mod groups;
mod modes;
mod record;
mod refused;
mod rollover;
mod schemes;
mod seeds;
mod trail;

use std::time::Duration;
use truechimer_tests::support::autokey::{DONE, LINES};
use truechimer_tests::support::command::Finished;
use truechimer_tests::support::keygen::{self, keys_command};
use truechimer_tests::support::wait::{seconds, until};
use truechimer_tests::support::{Host, Node, Side, World};

/// The identity schemes' bits of the flags.
const PC: u32 = 0x10;
const IFF: u32 = 0x20;
const GQ: u32 = 0x40;
const MV: u32 = 0x80;

/// How long a dance may take: one step a poll of 8 s, more than once.
const DANCE: Duration = seconds(150);
/// The stratum of a source that is alone.
const STRATUM: u8 = 3;

/// The plays of a function: the reference with itself, then ours on either side.
macro_rules! plays {
    ($play:ident, $reference:ident) => {
        mod $play {
            use truechimer_tests::support::Side::{self, Ours as OURS, $reference as THEIRS};
            #[test]
            fn the_reference_with_the_reference() {
                super::$play(THEIRS, THEIRS);
            }
            #[test]
            fn ours_serves_the_reference() {
                super::$play(OURS, THEIRS);
            }
            #[test]
            fn the_reference_serves_ours() {
                super::$play(THEIRS, OURS);
            }
            #[test]
            fn ours_with_ours() {
                super::$play(OURS, Side::Ours);
            }
        }
    };
}
use plays;

/// Who plays on a host.
#[derive(Clone, Copy, Debug)]
struct Part<'a> {
    side: Side,
    host: Host<'a>,
}

impl<'a> Part<'a> {
    fn new(side: Side, host: Host<'a>) -> Self {
        Self { side, host }
    }

    /// Keys by the side's own generator.
    fn makes(self, line: &str) -> Finished {
        keygen::made(self.side, self.host, line)
    }

    /// IFF and MV server keys, which the reference's generator writes without the public value: our
    /// doctor recovers it.
    fn makes_scheme(self, line: &str, password: &str) {
        self.makes(line);
        if self.side != Side::Ours {
            let doctor = format!("doctor . -p {password} --repair");
            let mended = keys_command(self.host, &doctor);
            eprintln!("{}", mended.text);
        }
    }

    /// Parameters for clients. What the reference's exports loses nobody recovers, hence ours.
    fn exports(self, line: &str) -> String {
        keygen::made(Side::Ours, self.host, line).stdout
    }

    /// A source with these lines; it is its own time.
    fn serves(self, lines: &str) -> Node<'a> {
        let alone = "tos orphan 3 orphanwait 1\nrestrict default\n";
        let mut node = Node::start(self.side, self.host, &[alone, LINES, lines].concat());
        node.wait_serving(seconds(60));
        node
    }

    /// A client of one server.
    fn asks(self, server: &str, crypto: &str, options: &str) -> Node<'a> {
        let line = format!("server {server} autokey iburst minpoll 3 maxpoll 3 {options}\n");
        self.runs(&format!("crypto {crypto}\n{line}"))
    }

    /// A daemon with these lines.
    fn runs(self, lines: &str) -> Node<'a> {
        let lines = ["restrict default\n", LINES, lines].concat();
        Node::start(self.side, self.host, &lines)
    }
}

/// Hosts 1 and 2.
fn pair(world: &World, first: Side, second: Side) -> (Part<'_>, Part<'_>) {
    let part = |side, number| Part::new(side, world.host(number));
    (part(first, 1), part(second, 2))
}

/// The same with keys and certificates: the first is trusted, the second by nobody yet.
fn certified(world: &World, server: Side, client: Side) -> (Part<'_>, Part<'_>) {
    let (alice, bob) = pair(world, server, client);
    alice.makes("-T -p srvpw");
    bob.makes("-H -p clipw");
    (alice, bob)
}

/// The same in group GR1, whose keys the first makes with `scheme`; the second has the parameters.
fn grouped<'a>(world: &'a World, server: Side, client: Side, scheme: &str) -> (Part<'a>, Part<'a>) {
    let (alice, bob) = pair(world, server, client);
    alice.makes_scheme(&format!("-p srvpw -T {scheme} -i GR1"), "srvpw");
    let export = alice.exports("-e -p srvpw -i GR1");
    bob.makes("-H -p clipw -i GR1");
    keygen::carry(&export, bob.host, "-p clipw");
    (alice, bob)
}

/// Waits until a client's first association has done the whole dance, with this scheme, and its
/// server is followed and held for authentic. Says how long the dance took.
fn dances(client: &mut Node<'_>, server: &str, scheme: u32) -> Duration {
    let took = client.wait_flags("&1", DONE | scheme, DANCE);
    eprintln!("{:?}: the whole dance in {} s", client.side, took.as_secs());
    let row = client.wait_follows(server, seconds(60));
    assert!(row.offset_ms.abs() < 20.0, "{row:?}");
    until("auth=ok", seconds(60), || {
        (client.auth().first()? == "ok").then_some(())
    });
    took
}
