//! More schemes than one, and those whose pairs are not those of IFF.
use super::*;
use truechimer_crypto::keyfile::{FileName, FileRole};

const EXPORT: (&str, Option<&str>) = ("id-key", None);

#[test]
fn an_export_of_several_schemes_is_taken_whole_or_not_at_all() {
    let server = Ward::new("export-server", "srvpw");
    server.keygen(&[
        ("iffkey", None),
        ("gq-params", None),
        ("mv-params", Some("3")),
        ("ident", Some("grp")),
    ]);
    let exported = server.keygen(&[EXPORT]);
    let client = Ward::new("export-client", "clipw");
    let cut = exported.rfind("-----END").expect("three of them");
    let why = client.import(&exported[..cut], None).expect_err("cut off");
    assert!(why.contains("damaged"), "{why}");
    assert_eq!(client.folder.names().expect("readable"), [""; 0]);
    let said = client.import(&exported, None).expect("taken");
    let roles = [
        FileRole::IffParameters,
        FileRole::GqParameters,
        FileRole::MvParameters,
    ];
    assert_eq!(said.len(), 2 * roles.len(), "{said:?}");
    for role in roles {
        let link = FileName::generic(role, "grp");
        let found = client.folder.read(&link).expect("a link");
        assert_eq!(found.text.role(None), Ok(role));
        assert!(
            said.contains(&format!("{link}->{}", found.file)),
            "{said:?}"
        );
    }
    // What the authority keeps is several keys under one name.
    let authority = server.folder.read("ntpkey_mvta_grp").expect("there");
    let whole = text_of(&server, "ntpkey_mvta_grp");
    let said = client.import(&whole, None).expect("taken");
    assert!(said.contains(&authority.file), "{said:?}");
}

fn text_of(ward: &Ward, link: &str) -> String {
    fs::read_to_string(ward.scratch.path(link)).expect("there")
}

#[test]
fn pairs_of_gq_and_mv_are_compared_too() {
    let mut ward = Ward::new("pairs", "srvpw");
    let make: [(&str, Option<&str>); 3] = [
        ("gq-params", None),
        ("mv-params", Some("3")),
        ("ident", Some("grp")),
    ];
    ward.keygen(&make);
    let former = ward.keygen(&[EXPORT]);
    ward.import(&former, None).expect("taken");
    assert_eq!(ward.complaints(), [""; 0]);
    ward.now_unix_s += 60;
    ward.keygen(&[("gq-keys", None), ("ident", Some("grp"))]);
    let renewed = ward.complaints();
    assert_eq!(renewed, [""; 0], "the clients' stay");

    ward.now_unix_s += 60;
    ward.keygen(&[("mv-keys", Some("1"))]);
    let revoked = ward.complaints().join("\n");
    assert!(
        revoked.contains("ntpkey_mvpar_grp: it is of another server key"),
        "{revoked}"
    );
    assert!(revoked.contains("-e --client NUMBER"), "{revoked}");

    ward.now_unix_s += 60;
    ward.keygen(&make);
    let ill = ward.complaints().join("\n");
    for kind in ["gqpar", "mvpar"] {
        let told = format!("ntpkey_{kind}_grp: it is of another server key");
        assert!(ill.contains(&told), "{ill}");
    }
    ward.mend();
    // The name keeps the former stamp, of which the doctor warns.
    let mut left = ward.complaints();
    left.retain(|it| it.starts_with("error"));
    assert!(
        left.len() == 1 && left[0].contains("ntpkey_mvpar_grp"),
        "{left:?}"
    );
}
