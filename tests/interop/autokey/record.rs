//! Captures of ours with ours for `src/crypto/tests/golden`, with the keys that were used: made anew by
//! hand when what goes over the wire changes.
//!
//! ```text
//! TRUECHIMER_CAPTURES=src/crypto/fixtures/golden cargo test -p truechimer-tests --test interop \
//!     -- --ignored autokey::record
//! ```

use super::{GQ, IFF, MV, PC, Part, dances};
use std::path::{Path, PathBuf};
use std::{env, fs, thread};
use truechimer_tests::support::keygen::{carry, folder};
use truechimer_tests::support::wait::seconds;
use truechimer_tests::support::{Host, Side, Sniffer, World};

/// One capture.
struct Scene {
    name: &'static str,
    /// How the server's keys are made.
    makes: &'static str,
    scheme: u32,
}

const SCENES: [Scene; 5] = [
    Scene {
        name: "ours-tc",
        makes: "-T",
        scheme: 0,
    },
    Scene {
        name: "ours-iff",
        makes: "-T -I -b 512",
        scheme: IFF,
    },
    Scene {
        name: "ours-gq",
        makes: "-T -G -b 512",
        scheme: GQ,
    },
    Scene {
        name: "ours-mv",
        makes: "-T -V 3 -b 512",
        scheme: MV,
    },
    Scene {
        name: "ours-pc",
        makes: "-P",
        scheme: PC,
    },
];

#[test]
#[ignore = "writes captures into the folder that TRUECHIMER_CAPTURES names"]
fn ours_with_ours() {
    let target = env::var_os("TRUECHIMER_CAPTURES").map(PathBuf::from);
    // Tests run in the folder of their crate.
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = top.join(target.expect("TRUECHIMER_CAPTURES names a folder"));
    for scene in SCENES {
        record(&scene, &target);
    }
}

fn record(scene: &Scene, target: &Path) {
    let world = World::new(2);
    let [alice, bob] = [1, 2].map(|number| Part::new(Side::Ours, world.host(number)));
    alice.makes(&format!("-p srvpw -m 1024 {}", scene.makes));
    let mut password = "clipw";
    if scene.scheme == PC {
        password = "srvpw";
        for link in ["ntpkey_host_host1", "ntpkey_cert_host1"] {
            let text = fs::read_to_string(folder(alice.host).join(link)).expect("made");
            carry(&text, bob.host, "--for host2 -p srvpw");
        }
    } else {
        bob.makes("-H -p clipw -m 1024");
    }
    let mut options = "";
    if [IFF, GQ, MV].contains(&scene.scheme) {
        carry(&alice.exports("-e -p srvpw"), bob.host, "-p clipw");
        options = "ident host1";
    }
    let source = alice.serves("driftfile LAB/drift\ncrypto pw srvpw\n");
    let sniffer = Sniffer::start(bob.host);
    let here = alice.host.v4();
    let mut client = bob.asks(&here, &format!("pw {password}"), options);
    dances(&mut client, &here, scene.scheme);
    thread::sleep(seconds(10));
    drop((client, source));
    let kept = |host: Host<'_>, name: &str| fs::read(host.folder().join(name)).expect(name);
    fs::write(
        target.join(format!("{}.pcap", scene.name)),
        kept(bob.host, "sniffer.pcap"),
    )
    .expect("written");
    drop(sniffer);
    let keys = target.join("keys").join(scene.name);
    for (part, name) in [(alice, "host1"), (bob, "host2")] {
        let keys = keys.join(name);
        fs::create_dir_all(&keys).expect("made");
        for entry in fs::read_dir(folder(part.host)).expect("read") {
            let entry = entry.expect("an entry");
            let name = entry.file_name();
            // The authority's key is no server's.
            let is_wanted = !name.to_string_lossy().contains("MVta");
            if entry.file_type().expect("known").is_file() && is_wanted {
                fs::copy(entry.path(), keys.join(name)).expect("copied");
            }
        }
    }
    fs::write(
        keys.join("autokey-cookies"),
        kept(alice.host, "autokey-cookies"),
    )
    .expect("written");
}
