//! `server` and `pool`.

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::lexer::{Line, Word};
use crate::settings::{Association, AssociationKind, AssociationOptions, Host};

use super::host::{family_and_target, refclock_address};
use super::report::Vocabulary;
use super::{Parser, limits, not_built};

/// What an option word does.
#[derive(Clone, Copy)]
enum OptionWord {
    /// Sets a flag; `bool` tells whether it means anything for a reference clock.
    Flag(fn(&mut AssociationOptions) -> &mut bool, bool),
    Minpoll,
    Maxpoll,
    Key,
    Version,
    Mode,
    Autokey,
    Ident,
}

const OPTIONS: &[(&str, OptionWord)] = &[
    (
        "iburst",
        OptionWord::Flag(|options| &mut options.iburst, false),
    ),
    (
        "burst",
        OptionWord::Flag(|options| &mut options.burst, false),
    ),
    (
        "prefer",
        OptionWord::Flag(|options| &mut options.prefer, true),
    ),
    (
        "true",
        OptionWord::Flag(|options| &mut options.truechimer, true),
    ),
    (
        "noselect",
        OptionWord::Flag(|options| &mut options.noselect, true),
    ),
    (
        "preempt",
        OptionWord::Flag(|options| &mut options.preempt, false),
    ),
    ("minpoll", OptionWord::Minpoll),
    ("maxpoll", OptionWord::Maxpoll),
    ("key", OptionWord::Key),
    ("version", OptionWord::Version),
    ("mode", OptionWord::Mode),
    ("autokey", OptionWord::Autokey),
    ("ident", OptionWord::Ident),
];

/// The options of a line, before defaults.
pub(super) struct Options<'t> {
    pub(super) set: AssociationOptions,
    minpoll: Option<(u8, Word<'t>)>,
    maxpoll: Option<u8>,
    pub(super) mode: u32,
    /// Wants an authentication that is not built: to ask this server without it would be unsafe.
    left_out: bool,
}

impl Options<'_> {
    /// The maxpoll that makes the interval fixed at minpoll, or at the default.
    pub(super) fn single_poll(&self) -> u8 {
        self.minpoll
            .as_ref()
            .map_or(self.set.minpoll_log2_s, |(poll, _)| *poll)
    }
}

impl Parser<'_> {
    pub(super) fn server(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        self.association(line, first, AssociationKind::Server);
    }

    pub(super) fn pool(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        self.association(line, first, AssociationKind::Pool);
    }

    pub(super) fn servers(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let message = "`servers` is read as `pool`".to_owned();
        self.word_error(line, codes::SERVERS_ALIAS, first, message, "write `pool`");
        self.association(line, first, AssociationKind::Pool);
    }

    fn association(&mut self, line: &mut Line<'_>, first: &Word<'_>, kind: AssociationKind) {
        let (family, word) = family_and_target(line);
        let Some(word) = word else {
            self.missing(line, first, "a host name or address");
            return;
        };
        let clock = word.text.parse().ok().and_then(refclock_address);
        let host = if clock.is_some() {
            None
        } else {
            self.host(line, &word, family)
        };
        let mut options = self.options(line, clock.is_some());
        if let Some(clock) = clock {
            self.refclock(line, &word, kind, clock, options);
            return;
        }
        self.settle_polls(line, &mut options, 10);
        let Some(host) = host.filter(|_| !line.broken && !options.left_out) else {
            return;
        };
        let again = |other: &Association| {
            matches!(host, Host::Address(_)) && other.kind == kind && other.host == host
        };
        if self.settings.associations.iter().any(again) {
            let message = format!("`{}` is named twice; this line is dropped", word.shown());
            self.word_error(
                line,
                codes::DUPLICATE_SERVER,
                &word,
                message,
                "named before",
            );
            return;
        }
        if self.room_for_one_more(line, &word) {
            let (options, span) = (options.set, word.span);
            self.settings.associations.push(Association {
                kind,
                host,
                family,
                options,
                span,
            });
        }
    }

    pub(super) fn room_for_one_more(&mut self, line: &mut Line<'_>, word: &Word<'_>) -> bool {
        let count = self.settings.associations.len() + self.settings.refclocks.len();
        if count < limits::ASSOCIATIONS {
            return true;
        }
        let message = format!("there are more than {} sources", limits::ASSOCIATIONS);
        self.word_error(
            line,
            codes::TOO_MANY_ASSOCIATIONS,
            word,
            message,
            "one too many",
        );
        false
    }

    fn options<'t>(&mut self, line: &mut Line<'t>, clock: bool) -> Options<'t> {
        let mut options = Options {
            set: AssociationOptions::default(),
            minpoll: None,
            maxpoll: None,
            mode: 0,
            left_out: false,
        };
        let vocabulary = Vocabulary {
            what: "a `server` or `pool` option",
            unknown: codes::UNKNOWN_OPTION,
            words: OPTIONS,
            not_built: not_built::ASSOCIATION_OPTIONS,
        };
        while let Some(word) = line.token() {
            if let Some(option) = self.keyword(line, &word, &vocabulary) {
                self.option(line, word, option, clock, &mut options);
            }
        }
        options
    }

    fn option<'t>(
        &mut self,
        line: &mut Line<'t>,
        word: Word<'t>,
        option: OptionWord,
        clock: bool,
        options: &mut Options<'t>,
    ) {
        let effective = match option {
            OptionWord::Flag(flag, for_clocks) => {
                *flag(&mut options.set) = true;
                for_clocks || !clock
            }
            OptionWord::Minpoll => {
                options.minpoll = self
                    .small(line, &word, 0..=17)
                    .map(|poll| (poll, word.clone()));
                true
            }
            OptionWord::Maxpoll => {
                options.maxpoll = self.small(line, &word, 0..=17);
                true
            }
            OptionWord::Key => {
                options.set.key = self.key_id(line, &word);
                !clock
            }
            OptionWord::Version => {
                options.set.version = self.small(line, &word, 1..=4).unwrap_or(4);
                !clock
            }
            OptionWord::Mode => {
                options.mode = self
                    .small(line, &word, 0..=i64::from(u32::MAX))
                    .unwrap_or(0);
                clock
            }
            OptionWord::Autokey => {
                options.left_out = true;
                self.left_out(line, &word);
                true
            }
            OptionWord::Ident => {
                options.left_out = true;
                self.left_out(line, &word);
                line.string();
                true
            }
        };
        if !effective {
            let kind = if clock {
                "a reference clock"
            } else {
                "a server"
            };
            let message = format!("`{}` has no effect on {kind}", word.shown());
            self.word_error(
                line,
                codes::OPTION_WITHOUT_EFFECT,
                &word,
                message,
                "no effect",
            );
        }
    }

    fn left_out(&mut self, line: &mut Line<'_>, word: &Word<'_>) {
        let message = format!(
            "`{}` is known but not built yet, so this server is left out",
            word.shown()
        );
        let span = word.span.clone();
        self.say(line, |_| {
            Diagnostic::new(codes::LEFT_OUT, span, message)
                .label("not built yet")
                .help("without it the server would be believed unauthenticated; use `key`, or drop the word")
        });
    }

    /// Puts the poll limits in order; `default_maxpoll` is taken when only minpoll is set.
    pub(super) fn settle_polls(
        &mut self,
        line: &mut Line<'_>,
        options: &mut Options<'_>,
        default_maxpoll: u8,
    ) {
        let set = &mut options.set;
        set.maxpoll_log2_s = options.maxpoll.unwrap_or(default_maxpoll);
        let Some((minpoll, word)) = &options.minpoll else {
            set.minpoll_log2_s = set.minpoll_log2_s.min(set.maxpoll_log2_s);
            return;
        };
        set.minpoll_log2_s = *minpoll;
        if *minpoll <= set.maxpoll_log2_s {
            return;
        }
        if let Some(maxpoll) = options.maxpoll {
            let message = format!("minpoll {minpoll} is greater than maxpoll {maxpoll}");
            self.word_error(line, codes::POLLS_CROSSED, word, message, "polls cross");
            return;
        }
        set.maxpoll_log2_s = *minpoll;
        let message = format!("minpoll {minpoll} is above the default maxpoll {default_maxpoll}");
        let label = format!("maxpoll becomes {minpoll} too");
        self.word_error(line, codes::MAXPOLL_RAISED, word, message, label);
    }
}
