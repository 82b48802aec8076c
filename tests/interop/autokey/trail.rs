//! More than two: a trail of certificates, a second server with exported keys, a table of leap
//! seconds that travels.

use super::{IFF, Part, certified, dances, plays};
use std::thread;
use truechimer_tests::support::keygen::carry;
use truechimer_tests::support::wait::{seconds, until_true};
use truechimer_tests::support::{Side, World};

/// Carol trusts alice, whom she never asks: bob's certificate is signed by alice, hers by bob.
/// `server` is bob, the one in the middle.
fn trail(server: Side, client: Side) {
    let world = World::new(3);
    let alice = Part::new(client, world.host(1));
    let bob = Part::new(server, world.host(2));
    let carol = Part::new(client, world.host(3));
    alice.makes("-T -p alicepw");
    bob.makes("-H -p bobpw");
    carol.makes("-H -p carolpw");
    let _source = alice.serves("crypto pw alicepw\n");
    let mut middle = bob.asks(&alice.host.v4(), "pw bobpw", "");
    dances(&mut middle, &alice.host.v4(), 0);
    middle.wait_crypto("sign host2 host1 ", seconds(60));
    let mut end = carol.asks(&bob.host.v4(), "pw carolpw", "");
    dances(&mut end, &bob.host.v4(), 0);
    for part in [
        "cert host2 host1 ",
        "cert host1 host1 ",
        "sign host3 host2 ",
    ] {
        end.wait_crypto(part, seconds(30));
    }
}

/// A second server of the group has alice's server key by mail, under a password of its own; the
/// client has one file of parameters for both.
fn exported(server: Side, client: Side) {
    let world = World::new(3);
    let alice = Part::new(server, world.host(1));
    let dave = Part::new(server, world.host(2));
    let bob = Part::new(client, world.host(3));
    alice.makes_scheme("-p srvpw -T -I -i GR1", "srvpw");
    let parameters = alice.exports("-e -p srvpw -i GR1");
    let key = alice.makes("-p srvpw -q davepw").stdout;
    dave.makes("-p davepw -T -i GR1");
    // The reference names it for the host that had it.
    carry(&key, dave.host, "-p davepw --for GR1");
    bob.makes("-H -p clipw -i GR1");
    carry(&parameters, bob.host, "-p clipw");
    let _first = alice.serves("crypto pw srvpw ident GR1\n");
    let _second = dave.serves("crypto pw davepw ident GR1\n");
    let address = dave.host.v4();
    let mut client = bob.asks(&address, "pw clipw", "ident GR1");
    dances(&mut client, &address, IFF);
    client.wait_crypto("iff host2@GR1 fs ", seconds(10));
    client.stop();
    let address = alice.host.v4();
    let mut client = bob.asks(&address, "pw clipw", "ident GR1");
    dances(&mut client, &address, IFF);
    client.wait_crypto("iff host1@GR1 fs ", seconds(10));
}

/// The leap seconds there have been, the last of them on 1 January 2017; good until 2034.
const LEAPS: &str = "#$ 3676924800\n#@ 4260000000\n2272060800 10\n3550089600 35\n\
    3644697600 36\n3692217600 37\n";

/// The server has a table of leap seconds, the client learns of TAI by Autokey.
fn leap(server: Side, client: Side) {
    let world = World::new(2);
    let (alice, bob) = certified(&world, server, client);
    alice.host.write("leaps", LEAPS);
    let mut source = alice.serves("crypto pw srvpw\nleapfile LAB/leaps ignorehash\n");
    if server == Side::Ours {
        // Who introduces itself before its values are signed has no table to be asked for; its server
        // threads hear of them within half a second.
        source.wait_crypto("signature update", seconds(20));
        thread::sleep(seconds(1));
    }
    let address = alice.host.v4();
    let mut client = bob.asks(&address, "pw clipw", "");
    dances(&mut client, &address, 0);
    client.wait_crypto("leap TAI offset 37 at 3692217600 ", seconds(10));
    until_true("TAI minus UTC", seconds(10), || {
        client
            .variables("0")
            .get("tai")
            .is_some_and(|tai| tai == "37")
    });
}

plays!(trail, Ntp4);
plays!(leap, Ntp4);
plays!(exported, Ntp4);
