//! What moves is seen to move: offset, stratum, reference and poll, by the real ntpq.

use crate::control::{OWN_KEYS, keyed, ntpq, number_of, value};
use truechimer_tests::support::keys::ntp_keys;
use truechimer_tests::support::wait::{seconds, until};
use truechimer_tests::support::{Host, Responder, Tree, Truechimer, World};

/// Variables of the only association, once its offset is near `offset_ms`.
fn settled(own: Host<'_>, server: &str, offset_ms: f64) -> String {
    until("the offset to be seen", seconds(60), || {
        std::thread::sleep(seconds(1));
        let id = number_of(&ntpq(own, Tree::Ntp4, &["hostnames no", "apeers"]), server);
        let text = ntpq(own, Tree::Ntp4, &[&format!("rv {id}")]);
        let seen: f64 = value(&text, "offset")?.parse().ok()?;
        ((seen - offset_ms).abs() < 5.0).then_some(text)
    })
}

/// Variables of the system, once it has this stratum.
fn own_stratum(own: Host<'_>, stratum: &str) -> String {
    until("our own stratum to follow", seconds(60), || {
        std::thread::sleep(seconds(1));
        let text = ntpq(own, Tree::Ntp4, &["rv"]);
        (value(&text, "stratum") == Some(stratum)).then_some(text)
    })
}

#[test]
fn offset_stratum_reference_and_poll_are_live() {
    let world = World::new(2);
    let server = world.host(1).v4();
    let own = world.host(2);
    let keys = own.write("ntp.keys", &(ntp_keys() + OWN_KEYS));
    let config = format!(
        "server {server} iburst minpoll 1 maxpoll 1\nrestrict 127.0.0.1\nkeys {}\n\
         trustedkey 11\ncontrolkey 11\n",
        keys.display(),
    );
    let first = Responder::start(world.host(1), &["offset=0.050", "stratum=2", "refid=ONE."]);
    let _truechimer = Truechimer::start(own, &config);
    let before = settled(own, &server, 50.0);
    assert_eq!(value(&before, "stratum"), Some("2"), "{before}");
    assert_eq!(value(&before, "hpoll"), Some("1"), "{before}");
    let _ = own_stratum(own, "3");
    drop(first);

    let _second = Responder::start(world.host(1), &["offset=-0.030", "stratum=5", "refid=TWO."]);
    let after = settled(own, &server, -30.0);
    assert_eq!(value(&after, "stratum"), Some("5"), "{after}");
    assert_ne!(value(&after, "refid"), value(&before, "refid"), "{after}");
    let system = own_stratum(own, "6");
    let seen: f64 = value(&system, "offset")
        .and_then(|it| it.parse().ok())
        .unwrap();
    assert!((-35.0..-25.0).contains(&seen), "{system}");

    let unpeer = format!(":config unpeer {server}");
    let again = format!(":config server {server} iburst minpoll 4 maxpoll 4");
    keyed(own, Tree::Ntp4, &[&unpeer, &again]);
    let slower = settled(own, &server, -30.0);
    assert_eq!(value(&slower, "hpoll"), Some("4"), "{slower}");
}
