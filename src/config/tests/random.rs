//! No bytes upset the parser, and what is written is what is read.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use proptest::prelude::*;
use truechimer_config::settings::{AssociationKind, AssociationOptions, FLAG_NAMES, RestrictFlags};
use truechimer_config::{LoadError, Loader, NoFiles, lint, parse};

/// Gives every include the same text: whatever that text includes, reading must end.
struct Same(Vec<u8>);

impl Loader for Same {
    fn load(&self, _path: &str) -> Result<Vec<u8>, LoadError> {
        Ok(self.0.clone())
    }
}

/// Words that steer the parser deep, mixed with bytes that mean nothing.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let words = "server pool servers fudge restrict interface nic keys trustedkey controlkey tos \
        tinker enable disable driftfile leapfile includefile end crypto pw -4 -6 default source \
        mask 255.255.255.0 10.0.0.1/8 ::1 192.0.2.1 127.127.1.0 127.127.20.0 minpoll maxpoll key \
        mode refid time1 flag1 stratum step panic allan orphan minclock ippeerlimit serverresponse \
        fuzz ( ) ... 3 17 -1 1e9 a \" # { } = peer broadcast manycastclient broadcastclient \
        multicastclient manycastserver discard average mru maxdepth incmem statistics loopstats \
        filegen peerstats file type week link logconfig =syncall -allinfo setvar default statsdir \
        rlimit memlock pollskewlist | trap port ttl phone reset io simulate refclock local unit \
        path device timedata unpeer delrestrict unrestrict nts enable extra autokey ident xleave \
        basedate 2024-02-29 @9 dscp tick nonvolatile randfile revoke automax saveconfigdir";
    let words: Vec<&'static str> = words.split_whitespace().collect();
    prop_oneof![
        6 => prop::sample::select(words).prop_map(|word| format!("{word} ").into_bytes()),
        2 => Just(b"\n".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
        1 => "[\\PC\u{a0}\u{85}\u{200b}]{0,4}".prop_map(String::into_bytes),
    ]
}

fn flags() -> impl Strategy<Value = Vec<(&'static str, RestrictFlags)>> {
    prop::sample::subsequence(FLAG_NAMES.to_vec(), 0..=FLAG_NAMES.len())
}

fn options() -> impl Strategy<Value = AssociationOptions> {
    let bits = any::<[bool; 6]>();
    let polls = (0..=17_u8, 0..=17_u8);
    (bits, polls, prop::option::of(1..=u16::MAX), 1..=4_u8).prop_map(
        |([iburst, burst, prefer, truechimer, noselect, preempt], (a, b), key, version)| {
            AssociationOptions {
                iburst,
                burst,
                prefer,
                truechimer,
                noselect,
                preempt,
                minpoll_log2_s: a.min(b),
                maxpoll_log2_s: a.max(b),
                key,
                version,
                ..AssociationOptions::default()
            }
        },
    )
}

/// The words of some options, in the order of `order`.
fn words(options: &AssociationOptions, order: u64) -> String {
    let mut words = vec![
        format!("minpoll {}", options.minpoll_log2_s),
        format!("maxpoll {}", options.maxpoll_log2_s),
        format!("version {}", options.version),
    ];
    words.extend(options.key.map(|key| format!("key {key}")));
    for (set, word) in [
        (options.iburst, "iburst"),
        (options.burst, "burst"),
        (options.prefer, "prefer"),
        (options.truechimer, "true"),
        (options.noselect, "noselect"),
        (options.preempt, "preempt"),
    ] {
        words.extend(set.then(|| word.to_owned()));
    }
    let turn = usize::try_from(order % 64).unwrap() % words.len();
    words.rotate_left(turn);
    words.join(if order.is_multiple_of(2) {
        " "
    } else {
        "\t \t"
    })
}

proptest! {
    // A saved failure would make a folder beside the crates, where only crates may be.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn any_bytes_are_read_and_shown(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let parsed = parse("c", &bytes, &NoFiles);
        let shown = parsed.render(false);
        prop_assert!(!shown.contains('\x1b'));
        let _ = lint(&parsed.settings);
    }

    #[test]
    fn any_words_are_read_and_shown(pieces in prop::collection::vec(piece(), 0..80)) {
        let bytes = pieces.concat();
        let parsed = parse("c", &bytes, &Same(bytes.clone()));
        let _ = parsed.render(true);
        let _ = parsed.sources.render_all(&lint(&parsed.settings), false);
        for diagnostic in &parsed.diagnostics {
            if let Some(span) = &diagnostic.span {
                let text = parsed.sources.text(&span.file).unwrap();
                prop_assert!(text.get(span.bytes.clone()).is_some(), "{:?}", diagnostic);
                let line = text.split('\n').nth(span.line as usize - 1).unwrap();
                prop_assert!(span.column as usize <= line.chars().count() + 1);
            }
        }
    }

    #[test]
    fn association_options_come_back(options in options(), order in any::<u64>(), pool: bool) {
        let (word, kind) =
            if pool { ("pool", AssociationKind::Pool) } else { ("server", AssociationKind::Server) };
        let text = format!("{word} ntp.example.org {}", words(&options, order));
        let parsed = parse("c", text.as_bytes(), &NoFiles);
        prop_assert_eq!(parsed.render(false), "");
        prop_assert_eq!(&parsed.settings.associations[0].options, &options);
        prop_assert_eq!(parsed.settings.associations[0].kind, kind);
    }

    #[test]
    fn restrict_flags_come_back(flags in flags()) {
        let words: Vec<_> = flags.iter().map(|(name, _)| {
            if *name == "serverresponse" { "serverresponse fuzz" } else { name }
        }).collect();
        let text = format!("restrict 192.0.2.0 mask 255.255.255.0 {}", words.join(" "));
        let parsed = parse("c", text.as_bytes(), &NoFiles);
        prop_assert!(!parsed.has_errors());
        let all = flags.iter().fold(RestrictFlags::default(), |all, (_, flag)| all.with(*flag));
        prop_assert_eq!(parsed.settings.restrictions[0].flags, all);
    }

    #[test]
    fn numbers_come_back(step in 0.001..1e6_f64, freq in -500.0..500.0_f64, time in -1e4..1e4_f64) {
        let text = format!(
            "tinker step {step} freq {freq:e}\nserver 127.127.1.0\nfudge 127.127.1.0 time1 {time}"
        );
        let settings = parse("c", text.as_bytes(), &NoFiles).settings;
        prop_assert_eq!(settings.tinker.stepback_s, Some(step));
        prop_assert_eq!(settings.tinker.freq_ppm, Some(freq));
        prop_assert_eq!(settings.refclocks[0].fudge.time1_s, Some(time));
    }
}
