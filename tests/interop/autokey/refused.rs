//! Clients that must not believe their server, and say why.

use super::{DANCE, Part, certified, dances, pair, plays};
use truechimer_tests::support::autokey::VERIFIED;
use truechimer_tests::support::keygen::{carry, made_days_ago};
use truechimer_tests::support::sniffer::Seen;
use truechimer_tests::support::wait::seconds;
use truechimer_tests::support::{Node, Side, Sniffer, World};

/// Neither proved nor followed. (The reference calls a server authentic whose MACs are right.)
pub(super) fn stays_out(client: &Node<'_>) {
    let flags = client.flags("&1");
    assert_eq!(flags & VERIFIED, 0, "{flags:#x}");
    let rows = client.rows();
    assert!(
        rows.len() == 1 && rows[0].tally == ' ' && rows[0].reach == 0,
        "{rows:?}"
    );
    if client.side == Side::Ours {
        assert_ne!(client.auth(), ["ok"]);
    }
}

/// A server of group GR1, and a client that takes `export` for it.
fn refuses(server: Side, client: Side, export: Export, event: &str) {
    let world = World::new(2);
    let (alice, bob) = pair(&world, server, client);
    alice.makes_scheme("-p srvpw -T -I -i GR1", "srvpw");
    bob.makes("-H -p clipw -i GR1");
    match export {
        Export::None => {}
        Export::OfAnother => {
            // The same name and stamp, of other numbers.
            let right = alice.exports("-e -p srvpw -i GR1");
            let world = World::new(1);
            let other = Part::new(Side::Ours, world.host(1));
            other.makes("-p srvpw -T -I -i GR1");
            let wrong = other.exports("-e -p srvpw -i GR1");
            let (first, _) = right.split_once('\n').expect("a first line");
            let (_, rest) = wrong.split_once('\n').expect("a first line");
            carry(&format!("{first}\n{rest}"), bob.host, "-p clipw");
        }
        Export::Older => {
            let right = alice.exports("-e -p srvpw -i GR1");
            let (first, rest) = right.split_once('\n').expect("a first line");
            let (name, stamp) = first.rsplit_once('.').expect("a stamp");
            let stamp = stamp.parse::<u32>().expect("a stamp") - 1000;
            carry(&format!("{name}.{stamp}\n{rest}"), bob.host, "-p clipw");
        }
    }
    let _source = alice.serves("crypto pw srvpw ident GR1\n");
    let mut client = bob.asks(&alice.host.v4(), "pw clipw", "ident GR1");
    match event {
        "" => {
            client
                .daemon
                .wait_log(&["no identity parameters", "demands group GR1"], DANCE);
        }
        event => {
            client.wait_crypto(event, DANCE);
        }
    }
    // It goes on trying in vain.
    std::thread::sleep(seconds(30));
    stays_out(&client);
}

enum Export {
    None,
    OfAnother,
    Older,
}

fn without_parameters(server: Side, client: Side) {
    refuses(server, client, Export::None, "");
}

fn with_wrong_parameters(server: Side, client: Side) {
    let event = " 10e bad_or_missing_group key";
    refuses(server, client, Export::OfAnother, event);
}

fn with_parameters_of_another_time(server: Side, client: Side) {
    refuses(server, client, Export::Older, " 103 bad_filestamp");
}

/// Each its own digest of session keys: only crypto-NAKs.
fn with_another_digest(server: Side, client: Side) {
    let world = World::new(2);
    let (alice, bob) = certified(&world, server, client);
    let _source = alice.serves("crypto pw srvpw\n");
    let sniffer = Sniffer::start(bob.host);
    let mut client = bob.asks(&alice.host.v4(), "pw clipw digest SHA1", "");
    let asked = |it: &Seen| it.mode() == Some(3) && it.key_id().is_some_and(|id| id > 0xffff);
    sniffer.wait_ntp("requests with Autokey", 4, seconds(60), asked);
    let refused = |it: &Seen| it.mode() == Some(4) && it.octets().len() == 52;
    let naks = sniffer.wait_ntp("crypto-NAKs", 3, seconds(20), refused);
    assert!(
        naks.iter().all(|it| it.octets().ends_with(&[0; 4])),
        "{naks:?}"
    );
    let answered = sniffer.ntp(|it| it.mode() == Some(4) && !refused(it));
    assert!(answered.is_empty(), "{answered:?}");
    stays_out(&client);
    assert_eq!(client.flags("&1") & 0x7f00, 0);
    // Unmended 4.2.8p15 throws crypto-NAKs away before it says anything of them.
    if client.side == Side::Ours {
        let event = "bad_auth crypto_NAK: it does not know our session key";
        let said = client.daemon.wait_log(&[event], seconds(10));
        assert!(said.contains("crypto digest"), "{said}");
    }
}

/// A server whose certificate ran out. The reference goes on as before, but signs no client's, upon
/// which a client of its kind starts over and over; ours does not believe it. Ours says so when it
/// starts, and hands nothing out.
fn with_an_expired_certificate(server: Side, client: Side) {
    let world = World::new(2);
    let (alice, bob) = pair(&world, server, client);
    made_days_ago(10, alice.host, "-T -p srvpw -l 3");
    bob.makes("-H -p clipw");
    let mut source = alice.serves("crypto pw srvpw\n");
    let mut client = bob.asks(&alice.host.v4(), "pw clipw", "");
    let event = " 10a host_certificate_expired";
    match (server, client.side) {
        (Side::Ours, _) => source.daemon.wait_log(&["expired at"], seconds(10)),
        (_, Side::Ours) => client.wait_crypto(event, seconds(60)),
        _ => source.wait_crypto(event, seconds(90)),
    };
    std::thread::sleep(seconds(20));
    let said = client.cryptostats();
    assert!(!said.contains(" sign "), "{said}");
    if [server, client.side].contains(&Side::Ours) {
        stays_out(&client);
    }
}

/// The server's certificates say another group than the client's association is told.
fn of_another_group(server: Side, client: Side) {
    let world = World::new(3);
    let (alice, bob) = pair(&world, server, client);
    alice.makes_scheme("-p srvpw -T -I -i GR2", "srvpw");
    bob.makes("-H -p clipw -i GR1");
    let other = Part::new(Side::Ours, world.host(3));
    other.makes("-p otherpw -T -I -i GR1");
    let export = other.exports("-e -p otherpw");
    carry(&export, bob.host, "-p clipw");
    let _source = alice.serves("crypto pw srvpw ident GR2\n");
    let mut client = bob.asks(&alice.host.v4(), "pw clipw", "ident GR1");
    if client.side == Side::Ours {
        client.wait_crypto(" 106 unsupported_identity_type", seconds(60));
    } else {
        // It drops what names another group, and says nothing.
        std::thread::sleep(seconds(40));
    }
    stays_out(&client);
}

plays!(without_parameters, Ntp4);
plays!(with_wrong_parameters, Ntp4);
plays!(with_parameters_of_another_time, Ntp4);
plays!(with_another_digest, Ntp4);
plays!(of_another_group, Ntp4);
plays!(with_an_expired_certificate, Ntp4);

/// Keys that the password does not open: the daemon says which, what to do, and whom it does not ask
/// without them; it goes on, and does it all once they are there.
#[test]
fn a_wrong_password() {
    let world = World::new(2);
    let (alice, bob) = certified(&world, Side::Ours, Side::Ours);
    let _source = alice.serves("crypto pw srvpw\n");
    let here = alice.host.v4();
    let mut client = bob.asks(&here, "pw wrong", "");
    let said = ["the password does not open it; give the password"];
    let said = client.daemon.wait_log(&said, seconds(10));
    for words in [
        "ntpkey_host_host2",
        "`crypto pw PASSWORD`",
        &format!("not asked without it: {here}"),
    ] {
        assert!(said.contains(words), "no {words} in {said}");
    }
    assert!(client.rows().is_empty(), "and it answers");
    bob.makes("-H -p wrong");
    client.daemon.signal("HUP");
    dances(&mut client, &here, 0);
}
