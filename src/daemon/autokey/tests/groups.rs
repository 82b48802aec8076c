//! A host of several groups.
use super::{attempt, errors, ntp_keygen_at};
use crate::testing::Scratch;
use std::path::Path;
use truechimer_proto::autokey::status::Scheme;

const GROUPS: &str = "crypto pw p ident GR1\ncrypto ident GR2\ncrypto ident GR3";

/// The groups' keys, made these seconds after one another.
fn three_groups(folder: &Path, apart_s: i64) {
    let now = crate::calendar::now_unix_s() - 1000;
    let make = |at, line: &str| ntp_keygen_at(now + at, folder, "alice", line);
    make(0, "-m 512 -p p -T -I -i GR1");
    make(apart_s, "-m 512 -p p -T -I -i GR2");
    make(apart_s, "-m 512 -p p -T -V 2 -i GR3");
}

#[test]
fn one_host_has_the_keys_of_all_its_groups() {
    let scratch = Scratch::new("autokey-groups");
    let folder = scratch.path("");
    three_groups(&folder, 7);
    let (reading, remarks) = attempt(&folder, "alice", GROUPS);
    let reading = reading.unwrap_or_else(|| panic!("{remarks:?}"));
    assert_eq!(errors(&remarks), [""; 0]);
    let schemes = &reading.facts.schemes;
    let [first, second] = schemes[&Scheme::Iff][..] else {
        panic!("{schemes:?}");
    };
    assert_eq!(second, first + 7);
    assert_eq!(schemes[&Scheme::Mv].len(), 1);
    assert!(reading.facts.groups.iter().eq(["GR1", "GR2", "GR3"]));
    assert_eq!(reading.group, None, "it proves, and demands nothing");
    for file in ["IFFkey_GR1", "IFFkey_GR2", "MVkey_GR3"] {
        assert!(
            reading.lines.iter().any(|it| it.contains(file)),
            "{:?}",
            reading.lines
        );
    }
    let name_for = |asker| reading.facts.name_for(asker);
    assert_eq!(reading.facts.name, "alice@GR3", "the certificate made last");
    assert_eq!(name_for("bob"), "alice@GR3");
    assert_eq!(name_for("bob@GR1"), "alice@GR1");
    assert_eq!(name_for("bob@GR2"), "alice@GR2");
    assert_eq!(name_for("bob@GR3"), "alice@GR3");
    assert_eq!(name_for("bob@GR4"), "alice@GR3");
    let (one, _) = attempt(&folder, "alice", "crypto pw p ident GR2");
    let one = one.expect("keys");
    assert_eq!(one.facts.schemes[&Scheme::Iff], [second]);
    assert!(!one.host().is_like(&reading.host()));
}

#[test]
fn a_group_without_key_is_told_and_costs_the_others_nothing() {
    let scratch = Scratch::new("autokey-groups-missing");
    let folder = scratch.path("");
    three_groups(&folder, 7);
    let lines = format!("{GROUPS}\ncrypto ident GR4");
    let (reading, remarks) = attempt(&folder, "alice", &lines);
    assert_eq!(reading.expect("keys").facts.schemes[&Scheme::Iff].len(), 2);
    let told = errors(&remarks);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("no key of the group GR4")
            && told[0].contains("make one: ntp-keygen -I -i GR4"),
        "{told:?}"
    );
    // The main one is also what servers here are to prove: of a group misspelt nobody is believed.
    let (reading, remarks) = attempt(&folder, "alice", "crypto pw p ident GRI ident GR2");
    assert_eq!(reading.expect("keys").group.as_deref(), Some("GRI"));
    assert!(errors(&remarks)[0].contains("no parameters of the group GRI"));
}

#[test]
fn keys_that_no_challenge_tells_apart() {
    let scratch = Scratch::new("autokey-groups-second");
    let folder = scratch.path("");
    three_groups(&folder, 7);
    // Our generator takes the next second; others, and whoever writes such lines, do not.
    let path = |group| folder.join(format!("ntpkey_iffkey_{group}"));
    let text = |group| std::fs::read_to_string(path(group)).expect("a key");
    let stamp = |text: &str| {
        let first = text.lines().next().unwrap_or_default();
        first.rsplit_once('.').expect("a stamp").1.to_owned()
    };
    let [first, second] = ["GR1", "GR2"].map(text);
    let same = second.replacen(&stamp(&second), &stamp(&first), 1);
    std::fs::write(path("GR2"), same).expect("written");
    let (reading, remarks) = attempt(&folder, "alice", GROUPS);
    assert_eq!(reading.expect("keys").facts.schemes[&Scheme::Iff].len(), 1);
    let told = errors(&remarks);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("ntpkey_iffkey_GR2 is of the same second as")
            && told[0].contains("ntpkey_iffkey_GR1,")
            && told[0].contains("ntp-keygen -I -i GR2"),
        "{told:?}"
    );

    // One key for two groups is no mistake.
    std::fs::remove_file(folder.join("ntpkey_iffkey_GR2")).expect("there");
    let link = std::os::unix::fs::symlink("ntpkey_iffkey_GR1", folder.join("ntpkey_iffkey_GR2"));
    link.expect("linked");
    let (reading, remarks) = attempt(&folder, "alice", GROUPS);
    assert_eq!(errors(&remarks), [""; 0]);
    assert!(reading.expect("keys").facts.groups.contains("GR2"));
}

#[test]
fn certificates_of_other_groups_are_of_the_same_keys() {
    let scratch = Scratch::new("autokey-groups-names");
    let folder = scratch.path("");
    let now = crate::calendar::now_unix_s() - 1000;
    let make = |at, line: &str| ntp_keygen_at(now + at, &folder, "alice", line);
    make(0, "-m 512 -p p -T -G -b 512 -i GR1");
    make(7, "-m 512 -p p -T -G -b 512 -i GR2");
    let lines = "crypto pw p ident GR1 ident GR2";
    let other = |text: &str| text.contains("alice@") || text.contains("GQ key");
    let (reading, remarks) = attempt(&folder, "alice", lines);
    assert!(!remarks.iter().any(|it| other(&it.text)), "{remarks:?}");
    assert_eq!(
        reading.expect("keys").facts.name_for("bob@GR1"),
        "alice@GR1"
    );

    // Only GR2's is made anew with the new host key.
    make(9, "-m 512 -p p -H -i GR2");
    let (reading, remarks) = attempt(&folder, "alice", lines);
    assert_eq!(
        reading.expect("keys").facts.name_for("bob@GR1"),
        "alice@GR2"
    );
    let told: Vec<&str> = remarks.iter().map(|it| it.text.as_str()).collect();
    let told = told.join("\n");
    assert!(
        told.contains("the certificate of alice@GR1 is not of the same keys")
            && told.contains("make it anew: ntp-keygen -T -i GR1"),
        "{told}"
    );
    assert!(told.contains("the GQ key of GR1"), "{told}");
}
