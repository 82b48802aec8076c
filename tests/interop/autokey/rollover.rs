//! A server's keys and certificates are made anew while it serves: no client begins anew, nobody waits
//! for the time.

use super::{IFF, Part, dances};
use std::net::IpAddr;
use std::thread;
use truechimer_tests::support::autokey::DONE;
use truechimer_tests::support::crowd::{Question, ask};
use truechimer_tests::support::keygen::{carry, keys_command};
use truechimer_tests::support::wait::{seconds, until_true};
use truechimer_tests::support::{Host, Node, Side, World};

/// A certificate for another year, another host key, and another of another sort.
const RENEWALS: [&str; 3] = ["-p srvpw", "-p srvpw -H", "-p srvpw -H -c RSA-SHA512"];
/// Time requests during each, and how long after one another they leave, microseconds.
const QUESTIONS: u64 = 4000;
const APART_US: u64 = 2500;
/// Ports that they come from.
const PORTS: std::ops::Range<u16> = 20_000..20_020;

fn questions(from: Host<'_>) -> Vec<Question> {
    let source: IpAddr = from.v4().parse().expect("an address");
    let question = |(number, port): (u64, u16)| {
        let mut octets = vec![0; 48];
        octets[0] = 0x23;
        octets[40..].copy_from_slice(&(number + 1).to_be_bytes());
        Question {
            name: number.to_string(),
            at_ms: number * APART_US / 1000,
            source: (source, port),
            octets,
        }
    };
    (0..QUESTIONS).zip(PORTS.cycle()).map(question).collect()
}

/// How often an association began.
fn begun(client: &Node<'_>) -> usize {
    client.cryptostats().matches(" assoc ").count()
}

/// A client of each side.
#[test]
fn three_times_under_load() {
    let world = World::new(5);
    let alice = Part::new(Side::Ours, world.host(1));
    let asker = world.host(5);
    alice.makes("-p srvpw -T -I -i GR1");
    let export = alice.exports("-e -p srvpw");
    let source = alice.serves("crypto pw srvpw ident GR1\n");
    let here = alice.host.v4();
    let joins = |(side, number)| {
        let part = Part::new(side, world.host(number));
        part.makes("-H -p clipw -i GR1");
        carry(&export, part.host, "-p clipw");
        let mut client = part.asks(&here, "pw clipw", "ident GR1");
        dances(&mut client, &here, IFF);
        client
    };
    let mut clients = [(Side::Ours, 2), (Side::Ntp4, 3)].map(joins);
    let before = clients.each_ref().map(begun);
    for renewal in RENEWALS {
        let known = source.variables("0").get("update").cloned();
        let questions = questions(asker);
        let answers = thread::scope(|scope| {
            let load = scope.spawn(|| ask(asker, alice.host, &questions));
            thread::sleep(seconds(3));
            alice.makes(renewal);
            source.daemon.signal("HUP");
            load.join().expect("the load")
        });
        let lost = answers.values().filter(|answer| answer.is_none()).count();
        assert_eq!(lost, 0, "lost while {renewal}");
        let certificate = keyed_by(alice.host);
        until_true("the new certificate in use", seconds(20), || {
            source.cryptostats().contains(&certificate)
        });
        eprintln!("{renewal}: {certificate}, signed at {known:?} before");
        thread::sleep(seconds(20));
    }
    for (client, before) in clients.iter_mut().zip(before) {
        assert_eq!(client.flags("&1") & (DONE | IFF), DONE | IFF);
        assert_eq!(begun(client), before, "{}", client.cryptostats());
        let row = client.wait_follows(&here, seconds(10));
        assert_eq!(row.reach, 0o377, "{row:?}");
    }
    let newcomer = joins((Side::Ntp4, 4));
    // sha512WithRSAEncryption
    assert_eq!(newcomer.flags("&1") >> 16, 670);
}

/// The file that the link to the host's certificate leads to.
fn keyed_by(host: Host<'_>) -> String {
    let link = truechimer_tests::support::keygen::folder(host).join("ntpkey_cert_host1");
    let file = std::fs::read_link(&link).expect("a link");
    file.display().to_string()
}

/// Nobody tells the daemon that there are new keys, that a file is only half there, or that it is whole
/// again.
#[test]
fn by_itself_and_whole_or_not_at_all() {
    let world = World::new(3);
    let [alice, bob, carol] = [1, 2, 3].map(|number| Part::new(Side::Ours, world.host(number)));
    alice.makes("-p srvpw -T -I -i GR1");
    let export = alice.exports("-e -p srvpw");
    for part in [bob, carol] {
        part.makes("-H -p clipw -i GR1");
        carry(&export, part.host, "-p clipw");
    }
    let pid_file = alice.host.folder().join("pid");
    let line = format!(
        "crypto pw srvpw ident GR1\npidfile {}\n",
        pid_file.display()
    );
    let mut source = alice.serves(&line);
    let here = alice.host.v4();
    let mut client = bob.asks(&here, "pw clipw", "ident GR1");
    dances(&mut client, &here, IFF);
    let before = begun(&client);

    alice.makes("-p srvpw");
    let certificate = keyed_by(alice.host);
    until_true("the new certificate in use", seconds(30), || {
        source.cryptostats().contains(&certificate)
    });

    let keys = truechimer_tests::support::keygen::folder(alice.host);
    let key = keys.join("ntpkey_iffkey_GR1");
    let whole = std::fs::read_to_string(&key).expect("a key");
    std::fs::write(&key, &whole[..whole.len() / 2]).expect("written");
    let said = ["the old keys stay until they change again"];
    source.daemon.wait_log(&said, seconds(30));
    let mut newcomer = carol.asks(&here, "pw clipw", "ident GR1");
    dances(&mut newcomer, &here, IFF);
    newcomer.wait_crypto("iff host1@GR1 fs ", seconds(10));

    std::fs::write(&key, &whole).expect("written");
    let same = ["the key files were read again: the keys are those in use"];
    source.daemon.wait_log(&same, seconds(30));
    let told = keys_command(
        alice.host,
        &format!("reload --pidfile {}", pid_file.display()),
    );
    assert_eq!(told.code, Some(0), "{}", told.text);
    until_true("read once more", seconds(20), || {
        source.daemon.log().matches(same[0]).count() == 2
    });
    client.wait_follows(&here, seconds(10));
    assert_eq!(begun(&client), before, "{}", client.cryptostats());
}

/// The group's own key is made anew: who proved the former goes on, who comes with either export is
/// answered for 90 s, and what each proved is told apart by the key's stamp.
#[test]
fn of_the_groups_key() {
    let world = World::new(5);
    let alice = Part::new(Side::Ours, world.host(1));
    alice.makes("-p srvpw -T -I -i GR1");
    let former = alice.exports("-e -p srvpw");
    let source = alice.serves("crypto pw srvpw ident GR1\n");
    let here = alice.host.v4();
    let joins = |side, number, export: &str| {
        let part = Part::new(side, world.host(number));
        part.makes("-H -p clipw -i GR1");
        carry(export, part.host, "-p clipw");
        part.asks(&here, "pw clipw", "ident GR1")
    };
    let mut clients =
        [(Side::Ours, 2), (Side::Ntp4, 3)].map(|(side, number)| joins(side, number, &former));
    for client in &mut clients {
        dances(client, &here, IFF);
    }
    let before = clients.each_ref().map(begun);
    thread::sleep(seconds(2));
    alice.makes("-p srvpw -I -i GR1");
    let export = alice.exports("-e -p srvpw");
    assert_ne!(export.lines().next(), former.lines().next(), "another key");
    source.daemon.signal("HUP");
    let certificate = keyed_by(alice.host);
    until_true("the new certificate in use", seconds(20), || {
        source.cryptostats().contains(&certificate)
    });
    let newcomers = [joins(Side::Ours, 4, &export), joins(Side::Ours, 5, &former)];
    for (mut newcomer, of) in newcomers.into_iter().zip([&export, &former]) {
        dances(&mut newcomer, &here, IFF);
        let stamp = of.lines().next().and_then(|it| it.rsplit_once('.'));
        let stamp = stamp.expect("a file's name").1;
        newcomer.wait_crypto(&format!("iff host1@GR1 fs {stamp}"), seconds(10));
    }
    for (client, before) in clients.iter_mut().zip(before) {
        assert_eq!(client.flags("&1") & (DONE | IFF), DONE | IFF);
        assert_eq!(begun(client), before, "{}", client.cryptostats());
        let row = client.wait_follows(&here, seconds(10));
        assert_ne!(row.reach & 1, 0, "{row:?}");
    }
}
