//! The recipes of seeds 000, 002 and 003, as they are typed there, ours in every part.

use super::{DANCE, IFF, Part, dances};
use std::fs;
use std::os::unix::fs::symlink;
use truechimer_tests::support::autokey::DONE;
use truechimer_tests::support::keygen::{carry, folder};
use truechimer_tests::support::wait::{seconds, until_true};
use truechimer_tests::support::{Node, Side, World};

/// Both sides of GR1, and the same a year later.
#[test]
fn seed_000() {
    let world = World::new(2);
    let [portable, serveur] = [1, 2].map(|number| Part::new(Side::Ours, world.host(number)));
    portable.makes("-p private -T -I -i GR1");
    let temporaire = portable.makes("-q client -p private -e").stdout;
    serveur.makes("-H -p client");
    carry(&temporaire, serveur.host, "-p client");
    let mut source = portable.serves("crypto pw private ident GR1\n");
    let warning = ["Autokey keeps out faults"];
    source.daemon.wait_log(&warning, seconds(5));
    let here = portable.host.v4();
    let line = format!("crypto pw client ident GR1\nserver {here} iburst autokey\n");
    let mut client = serveur.runs(&line);
    dances(&mut client, &here, IFF);
    client.wait_crypto("iff host1@GR1 fs ", seconds(10));
    // Reading the configuration anew tells of all that is in it once more.
    assert_eq!(source.daemon.count_lines(&warning), 1, "one a start");

    portable.makes("-T -p private -i GR1");
    serveur.makes("-p client");
    for node in [&mut source, &mut client] {
        let link = folder(node.host).join(format!("ntpkey_cert_{}", name(node)));
        let certificate = fs::read_link(link).expect("a link").display().to_string();
        node.daemon.signal("HUP");
        node.wait_crypto(&certificate, seconds(30));
    }
    client.wait_follows(&here, seconds(10));
    // What is signed for its new certificate is asked for anew.
    client.wait_flags("&1", DONE | IFF, seconds(90));
}

fn name(node: &Node<'_>) -> &'static str {
    match node.host.v4().ends_with(".1") {
        true => "host1",
        false => "host2",
    }
}

/// 6.7.2 and 6.7.3: no group, and a link made by hand.
#[test]
fn seed_002() {
    let world = World::new(2);
    let [server, own] = [1, 2].map(|number| Part::new(Side::Ours, world.host(number)));
    server.makes("-T -I -p serverpassword");
    let export = server.makes("-e -p serverpassword").stdout;
    own.makes("-H -p clientpassword");
    // "The target name is on one of the first lines of the output."
    let first = export.lines().next().unwrap_or_default();
    let file = first.trim_start_matches("# ");
    let keys = folder(own.host);
    fs::write(keys.join(file), &export).expect("written");
    symlink(file, keys.join("ntpkey_iffpar_host1")).expect("linked");
    let _source = server.serves("crypto pw serverpassword\ncrypto randfile /dev/urandom\n");
    let here = server.host.v4();
    let typed = format!("crypto pw clientpassword\nserver {here} autokey");
    let mut client = own.runs(&format!("{typed} iburst\n"));
    // Parameters are found by the server's name; that nothing of this is demanded is said.
    let said = ["add `ident GROUP`"];
    client.daemon.wait_log(&said, seconds(10));
    dances(&mut client, &here, IFF);
    client.wait_crypto("iff host1 fs ", seconds(10));
    client.stop();
    let mut client = own.runs(&format!("{typed} iburst ident host1\n"));
    dances(&mut client, &here, IFF);
    client.wait_crypto("iff host1 fs ", seconds(10));
    // "ntpq -c as": authenticated associations display ok; flags=0x87f21 with leap seconds' step.
    until_true("auth ok", DANCE, || client.auth() == ["ok"]);
    server.makes("-T -q serverpassword");
    own.makes("-q clientpassword");
}
