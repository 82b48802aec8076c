//! What an operator sees: whole configurations and their complaints as text.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use truechimer_config::{NoFiles, Parsed, lint, parse};

fn read(name: &str) -> Parsed {
    let path = format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    parse(name, &std::fs::read(path).unwrap(), &NoFiles)
}

fn shown(name: &str) -> String {
    read(name).render(false)
}

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn autokey_host() {
    snapshot("autokey-host", &shown("autokey-host.conf"));
}

#[test]
fn multicast_server() {
    snapshot("multicast-server", &shown("multicast-server.conf"));
}

#[test]
fn many_slips() {
    snapshot("many-slips", &shown("many-slips.conf"));
}

#[test]
fn good_practice_has_no_errors_and_its_lints_are_shown() {
    let mut parsed = read("good-practice.conf");
    assert!(!parsed.has_errors());
    parsed.diagnostics.extend(lint(&parsed.settings));
    snapshot("good-practice-lints", &parsed.render(false));
}

/// With the lints: what `truechimer check` shows, but for what other files tell.
#[test]
fn what_the_seeds_get_wrong() {
    for name in [
        "closed-server",
        "keyed-client",
        "group-member",
        "slow-to-set",
    ] {
        let mut parsed = read(&format!("{name}.conf"));
        parsed.diagnostics.extend(lint(&parsed.settings));
        snapshot(name, &parsed.render(false));
    }
}

#[test]
fn a_lost_query_flag_says_what_would_be_open() {
    let text = shown("multicast-server.conf");
    assert!(
        text.contains("the default access would stay OPEN"),
        "{text}"
    );
    assert!(text.contains("multicast-server.conf:12:27"), "{text}");
    assert!(text.contains("^^^^^^^ did you mean `noquery`?"), "{text}");
}

#[test]
fn colour_is_only_added_when_asked_for() {
    let parsed = parse("c", b"x\n", &NoFiles);
    assert!(parsed.render(true).contains('\u{1b}'));
    assert!(!parsed.render(false).contains('\u{1b}'));
}

#[test]
fn nothing_from_the_file_steers_the_terminal() {
    let text = b"x\x1b]0;owned\x07y a\nserver \xff\x1b[31m\n\"\x1b[2J\" # \x1b[2J\n";
    let shown = parse("c\x1b[1m", text, &NoFiles).render(false);
    assert!(
        !shown.contains('\u{1b}') && !shown.contains('\u{7}'),
        "{shown:?}"
    );
}

#[test]
fn a_password_is_not_shown() {
    assert!(!shown("autokey-host.conf").contains("s3cret"));
}
