//! Table 13-9 of seed 003, option by option as it is typed: what each does, or what the program says
//! instead.

use std::fs;
use truechimer_tests::support::command::Finished;
use truechimer_tests::support::keygen::{self, folder};
use truechimer_tests::support::{Host, Side, World};

/// What is expected of a line.
struct Row {
    /// As it is typed.
    line: &'static str,
    /// Whether it succeeds.
    good: bool,
    /// What is said, or written to standard output.
    says: &'static [&'static str],
}

const fn does(line: &'static str, says: &'static [&'static str]) -> Row {
    Row {
        line,
        good: true,
        says,
    }
}

const fn refuses(line: &'static str, says: &'static [&'static str]) -> Row {
    Row {
        line,
        good: false,
        says,
    }
}

/// In this order: each works on what those before it made.
const TABLE: &[Row] = &[
    does(
        "-T",
        &[
            "RSA keys (2048 bits)",
            "certificate host1 RSA-SHA256",
            "trustRoot",
        ],
    ),
    refuses(
        "-c RSA-MD2",
        &["RSA-MD2: OpenSSL no longer has that digest; use RSA-SHA256"],
    ),
    does("-c RSA-MD5", &["certificate host1 RSA-MD5"]),
    does("-c RSA-SHA", &["certificate host1 RSA-SHA1"]),
    does("-c RSA-SHA1", &["certificate host1 RSA-SHA1"]),
    refuses(
        "-c RSA-MDC2",
        &["RSA-MDC2: OpenSSL no longer has that digest; use RSA-SHA256"],
    ),
    does("-c RSA-RIPEMD160", &["certificate host1 RSA-RIPEMD160"]),
    refuses("-c DSA-SHA", &["add -S DSA"]),
    refuses("-c DSA-SHA1", &["add -S DSA"]),
    does(
        "-S DSA -m 1024 -c DSA-SHA1",
        &["certificate host1 DSA-SHA1"],
    ),
    does(
        "-S RSA -m 1024 -c RSA-SHA256",
        &["certificate host1 RSA-SHA256"],
    ),
    does(
        "-d -I -b 512",
        &["  p = ", "  q = ", "Confirm g^(q - b) g^b = 1 mod p: yes"],
    ),
    does(
        "-e",
        &[
            "Writing IFF parameters",
            "# ntpkey_iffpar_host1.",
            "BEGIN DSA PRIVATE KEY",
        ],
    ),
    does(
        "-G -b 512",
        &[
            "Generating GQ parameters",
            "Confirm g^k = v^r y^b mod n: yes",
        ],
    ),
    does("-g", &["Using GQ parameters", "new certificate host1"]),
    does(
        "-H -m 1024",
        &[
            "RSA keys (1024 bits)",
            "ntpkey_host_host1->ntpkey_RSAhost_host1.",
        ],
    ),
    does(
        "-I -b 512",
        &["Generating IFF keys (512 bits)", "weak today"],
    ),
    does("-i host1", &["Using host host1 group host1"]),
    does(
        "-H -m 512 -c RSA-MD5",
        &["RSA keys (512 bits)", "broken in days"],
    ),
    does(
        "-P",
        &["new certificate host1", "Extended Key Usage: private"],
    ),
    does(
        "--fresh -T -m 1024 -p password",
        &["what was there is now in", "new certificate host1"],
    ),
    refuses("-p another", &["the password does not open it"]),
    does(
        "-q password",
        &["-q without -p is taken as the local password"],
    ),
    does("-r alice -p password", &["-r is not needed any more"]),
    does(
        "-s alice -p password -m 1024 -H",
        &["Using host alice group alice"],
    ),
    does(
        "-V 3 -b 512 -p password",
        &["MV parameters for 3 keys", "Revoke key 3"],
    ),
    does("-v 2 -p password", &["Revoke key 2", "Keys in force: 1"]),
    does(
        "--vms -v 2 -p password",
        &["--vms: -i names the host", "have their keys already"],
    ),
    does(
        "--vms -i bob -s alice -H -m 1024 -p password",
        &["Using host bob group alice"],
    ),
    does("-M", &["ntp.keys->ntpkey_MD5key_host1."]),
];

#[test]
fn every_option_of_the_table() {
    let world = World::new(1);
    let host = world.host(1);
    for row in TABLE {
        let made = keygen::run(Side::Ours, host, row.line);
        let good = made.code == Some(0);
        assert_eq!(good, row.good, "ntp-keygen {}: {}", row.line, made.text);
        for part in row.says {
            assert!(
                made.text.contains(part),
                "{part:?} of {}: {}",
                row.line,
                made.text
            );
        }
    }
    let explained = keygen::made(Side::Ours, host, "-!").text;
    for option in [
        "-c ", "-g ", "-i ", "-l ", "-m ", "-p ", "-P ", "-q ", "-r ", "-s ", "-v ", "-V ",
    ] {
        let told = explained.contains(&format!("\n  {option}"));
        assert!(told, "what differs of {option}: {explained}");
    }
}

fn makes(host: Host<'_>, line: &str) -> Finished {
    keygen::made(Side::Ours, host, line)
}

/// The files in what was exported: each begins with its name.
fn files(exported: &str) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    for line in exported.split_inclusive('\n') {
        if line.starts_with("# ntpkey_") {
            files.push(String::new());
        }
        if let Some(file) = files.last_mut() {
            file.push_str(line);
        }
    }
    files
}

/// "Install a symbolic link using the -l option", on a host that was given the file.
#[test]
fn files_are_linked_as_the_guide_has_it() {
    let world = World::new(2);
    let [alice, bob] = [1, 2].map(|number| world.host(number));
    makes(alice, "-T -I -G -V 5 -b 512 -m 1024 -p password");
    let sent = files(&makes(alice, "-e -p password").stdout);
    assert_eq!(sent.len(), 3, "{sent:#?}");
    for (file, scheme) in sent.iter().zip(["-I", "-G", "-V"]) {
        bob.write("mail", file);
        let linked = makes(bob, &format!("{scheme} -l ../mail"));
        assert!(linked.text.contains("as on OpenVMS"), "{}", linked.text);
        let kind = ["iffpar", "gqpar", "mvpar"].map(|kind| format!("ntpkey_{kind}_host1"));
        let link = kind
            .iter()
            .find(|kind| file.starts_with(&format!("# {kind}.")));
        let link = link.unwrap_or_else(|| panic!("{file}"));
        assert!(
            linked.text.contains(&format!("{link}->{link}.")),
            "{}",
            linked.text
        );
        let kept = fs::read_to_string(folder(bob).join(link)).expect("linked");
        assert_eq!(kept.lines().last(), file.lines().last());
    }
    // The one certificate and host key of the group, "on each host bob".
    makes(alice, "-P -p password");
    for role in ["host", "cert"] {
        let link = folder(alice).join(format!("ntpkey_{role}_host1"));
        let name = fs::read_link(&link).expect("a link").display().to_string();
        bob.write("mail", &fs::read_to_string(link).expect("made"));
        makes(bob, "-P -p password -l ../mail");
        let own = folder(bob).join(format!("ntpkey_{role}_host2"));
        assert_eq!(
            fs::read_link(own).expect("linked").display().to_string(),
            name
        );
    }
}
