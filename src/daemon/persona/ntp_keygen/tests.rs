use super::*;
use crate::testing::Scratch;

fn around() -> Surroundings {
    Surroundings::default()
}

fn run(words: &str) -> Options {
    match parse(words.split_whitespace().map(OsString::from), &around()) {
        Ok(Asked::Run(options)) => *options,
        other => panic!("{words}: {other:?}"),
    }
}

fn refused(words: &str) -> String {
    let parsed = parse(words.split_whitespace().map(OsString::from), &around());
    parsed.expect_err(words).to_string()
}

#[test]
fn the_recipes_of_the_seeds_are_understood() {
    let options = run("-p private -T -I -i GR1");
    assert_eq!(options.password.as_deref(), Some("private"));
    assert!(options.trusted && options.iff && !options.host_key);
    assert_eq!(options.group.as_deref(), Some("GR1"));
    assert_eq!(run("-TIp serverpassword"), run("-T -I -p serverpassword"));
    let options = run("-q client -p private -e");
    assert!(options.export_parameters);
    assert_eq!(options.export_password.as_deref(), Some("client"));
    assert!(run("-H -p clientpassword").host_key);
    let vms = run("-V 5 -v 2 -g -G -r alice -S DSA -c DSA-SHA1 -m 512 -d");
    assert_eq!(
        (vms.mv_params, vms.mv_revoke, vms.modulus),
        (Some(5), Some(2), Some(512))
    );
    assert!(vms.gq_renew && vms.gq && vms.debug == 1);
    let scratch = Scratch::new("keygen-vms-link");
    std::fs::write(scratch.path("mail"), "").expect("written");
    let file = scratch.path("mail").display().to_string();
    assert_eq!(run(&format!("-V -l {file}")), run(&format!("-l {file}")));
}

#[test]
fn long_names_and_all_of_4_2_8() {
    let long = "--imbits=512 --certificate RSA-MD5 --cipher des3 --debug-level --set-debug-level=4 \
                --id-key --gq-params --host-key --iffkey --ident g --lifetime 30 --modulus 1024 \
                --md5key --pvt-cert --password p --export-passwd q --subject-name h@g --sign-key \
                RSA --trusted-cert --mv-params 4 --mv-keys 2";
    let short = "-b512 -c RSA-MD5 -C des3 -d -D4 -e -G -H -I -i g -l 30 -m 1024 -M -P -p p -q q \
                 -s h@g -S RSA -T -V 4 -v 2";
    assert_eq!(run(long), run(short));
    assert_eq!(run("--issuer-name GR1"), run("-i GR1"));
    assert_eq!(run("--pvt-passwd x --get-pvt-passwd y"), run("-p x -q y"));
    assert_eq!(run("-dd").debug, 2);
}

#[test]
fn what_is_not_understood_is_refused_by_name() {
    assert_eq!(refused("-h"), "illegal option -- h");
    assert!(refused("--frobnicate").contains("--frobnicate"));
    assert!(refused("stray").contains("stray"));
    let range = refused("-m 8192");
    assert!(
        range.contains("modulus option value 8192 is out of range"),
        "{range}"
    );
    for words in [
        "-p",
        "-m many",
        "-V 1",
        "-V 31",
        "-b 100",
        "-C rot13",
        "-S EC",
        "--charset x",
    ] {
        refused(words);
    }
}

#[test]
fn help_and_version() {
    let asked = |word: &str| parse([OsString::from(word)], &around()).expect("understood");
    assert_eq!(asked("-?"), Asked::Help);
    assert_eq!(asked("--help"), Asked::Help);
    assert_eq!(asked("-!"), Asked::MoreHelp);
    assert_eq!(asked("--version"), Asked::Version);
}

#[test]
fn options_are_saved_and_loaded_without_passwords() {
    let scratch = Scratch::new("keygen-presets");
    let file = scratch.path("rc");
    let words = [
        format!("->{}", file.display()),
        "-T".into(),
        "-p".into(),
        "secret".into(),
        "-m512".into(),
    ];
    let asked = parse(words.map(OsString::from), &around()).expect("understood");
    let Asked::Save(path, text) = asked else {
        panic!("{asked:?}");
    };
    assert_eq!(path, file);
    assert!(!text.contains("secret"), "{text}");
    std::fs::write(&path, text + "\n[ntpq]\npeers\n").expect("written");
    let loaded = run(&format!("-<{} -m 1024", file.display()));
    assert_eq!(loaded, run("-T -m 1024"));
    std::fs::write(&file, "trusted-cert\nnonsense 1\n").expect("written");
    assert!(refused(&format!("--load-opts={}", file.display())).contains("nonsense"));
}

#[test]
fn the_environment_and_the_home_folder() {
    let scratch = Scratch::new("keygen-home");
    std::fs::write(scratch.path(".ntprc"), "ident = GR1\npeers\n").expect("written");
    let around = Surroundings {
        home: Some(scratch.path("")),
        variables: vec![("NTP_KEYGEN_MODULUS".to_owned(), "1024".to_owned())],
    };
    let words = |words: &str| {
        let words = words
            .split_whitespace()
            .map(OsString::from)
            .collect::<Vec<_>>();
        parse(words, &around).expect("understood")
    };
    assert_eq!(words("-T"), Asked::Run(Box::new(run("-i GR1 -m 1024 -T"))));
    assert_eq!(
        words("-T -i GR2"),
        Asked::Run(Box::new(run("-i GR2 -m 1024 -T")))
    );
    assert_eq!(words("-T --no-load-opts"), Asked::Run(Box::new(run("-T"))));
}
