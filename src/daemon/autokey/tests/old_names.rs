//! Links and words of ntpd before 4.2.6.
use super::*;

fn host(folder: &Path, name: &str, lines: &str) -> crate::autokey::Reading {
    let (reading, remarks) = attempt(folder, name, lines);
    assert_eq!(errors(&remarks), [""; 0], "{lines}");
    reading.expect("no error")
}

fn is_asked_of(reading: &crate::autokey::Reading, group: &str) -> bool {
    let name = (group.to_owned(), Scheme::Iff);
    reading.group.as_deref() == Some(group) && reading.facts.parameters.contains_key(&name)
}

#[test]
fn links_of_older_generations() {
    let (server, client) = (Scratch::new("autokey-old-s"), Scratch::new("autokey-old-c"));
    let (at_server, at_client) = (server.path(""), client.path(""));
    ntp_keygen(&at_server, "bob", "-m 512 -b 512 -T -I -i GR1");
    let exported = ntp_keygen(&at_server, "bob", "-e");
    for (link, older) in [
        ("ntpkey_host_bob", "ntpkey_key_bob"),
        ("ntpkey_iffkey_GR1", "ntpkey_iff_GR1"),
    ] {
        fs::rename(at_server.join(link), at_server.join(older)).expect("there");
    }
    fs::remove_file(at_server.join("ntpkey_iffkey_bob")).expect("there");
    let reading = host(&at_server, "bob", "crypto ident GR1");
    assert!(reading.facts.schemes.contains_key(&Scheme::Iff));

    ntp_keygen(&at_client, "carol", "-m 512");
    fs::write(at_client.join("ntpkey_iff_GR1"), exported).expect("written");
    let lines = "crypto ident GR1\nserver 192.0.2.1 autokey";
    let reading = host(&at_client, "carol", lines);
    assert!(is_asked_of(&reading, "GR1"));
    assert!(reading.facts.schemes.is_empty(), "it holds no secret");
}

#[test]
fn words_that_name_sign_key_and_scheme() {
    let scratch = Scratch::new("autokey-old-words");
    let folder = scratch.path("");
    ntp_keygen(&folder, "bob", "-m 1024 -b 512 -T -S RSA -I -i GR1");
    let exported = ntp_keygen(&folder, "bob", "-e");
    for (link, file) in [
        ("ntpkey_sign_bob", "sign.pem"),
        ("ntpkey_iffkey_GR1", "iff.pem"),
    ] {
        let own = fs::read_link(folder.join(link)).expect("a link");
        fs::rename(folder.join(own), folder.join(file)).expect("there");
        fs::remove_file(folder.join(link)).expect("there");
    }
    fs::remove_file(folder.join("ntpkey_iffkey_bob")).expect("there");
    let reading = host(&folder, "bob", "crypto sign sign.pem iffpar iff.pem");
    assert!(reading.facts.schemes.contains_key(&Scheme::Iff));
    let lines = reading.lines.join("\n");
    assert!(lines.contains("ntpkey_RSAsign_bob."), "{lines}");

    fs::write(folder.join("par.pem"), exported).expect("written");
    let lines = "crypto sign sign.pem iffpar par.pem\nserver 192.0.2.1 autokey";
    let reading = host(&folder, "bob", lines);
    assert!(is_asked_of(&reading, "GR1"), "by its first line");
}
