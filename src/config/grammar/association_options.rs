//! The options of `server` and its like.

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::lexer::{Line, Word};
use crate::settings::{AssociationKind, AssociationOptions};

use super::Parser;
use super::report::Vocabulary;

/// What an option word does.
#[derive(Clone, Copy)]
pub(super) enum OptionWord {
    /// Sets a flag; `bool` tells whether it means anything for a reference clock.
    Flag(fn(&mut AssociationOptions) -> &mut bool, bool),
    Minpoll,
    Maxpoll,
    Key,
    Version,
    Mode,
    Autokey,
    Ident,
    Ttl,
    Bias,
    /// Network time security, and how many values the word has.
    Nts(u8),
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
    (
        "xleave",
        OptionWord::Flag(|options| &mut options.xleave, false),
    ),
    (
        "xmtnonce",
        OptionWord::Flag(|options| &mut options.xmtnonce, false),
    ),
    ("minpoll", OptionWord::Minpoll),
    ("maxpoll", OptionWord::Maxpoll),
    ("key", OptionWord::Key),
    ("version", OptionWord::Version),
    ("mode", OptionWord::Mode),
    ("autokey", OptionWord::Autokey),
    ("ident", OptionWord::Ident),
    ("ttl", OptionWord::Ttl),
    ("bias", OptionWord::Bias),
    ("nts", OptionWord::Nts(0)),
    ("noval", OptionWord::Nts(0)),
    ("ask", OptionWord::Nts(1)),
    ("require", OptionWord::Nts(1)),
    ("expire", OptionWord::Nts(1)),
    ("aead", OptionWord::Nts(1)),
    ("ca", OptionWord::Nts(1)),
    ("cert", OptionWord::Nts(1)),
];

/// Least poll interval of the reference, log2 seconds, which it takes instead of a negative one.
const LEAST_POLL_LOG2_S: u8 = 3;
/// Greatest poll interval, log2 seconds (RFC 5905 MAXPOLL).
const GREATEST_POLL_LOG2_S: u8 = 17;
/// Greatest hop count a packet can carry.
pub(super) const GREATEST_TTL: i64 = 255;

/// A greater one is a slip of units.
const GREATEST_BIAS_S: f64 = 86_400.0;

/// Those of NTPsec's `refclock`.
pub(super) const CLOCK_OPTIONS: &[(&str, OptionWord)] = &[
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
    ("minpoll", OptionWord::Minpoll),
    ("maxpoll", OptionWord::Maxpoll),
    ("mode", OptionWord::Mode),
];

/// The options of a line, before defaults.
#[derive(Default)]
pub(super) struct Options<'t> {
    pub(super) set: AssociationOptions,
    minpoll: Option<(u8, Word<'t>)>,
    maxpoll: Option<u8>,
    pub(super) mode: u32,
    /// The word that wants an authentication that is not built: to ask this server without it
    /// would be unsafe.
    pub(super) unbuilt_proof: Option<Word<'t>>,
    /// The word `ident`.
    ident: Option<Word<'t>>,
}

impl Options<'_> {
    /// The maxpoll that makes the interval fixed at minpoll, or at the default.
    pub(super) fn single_poll(&self) -> u8 {
        self.minpoll
            .as_ref()
            .map_or(self.set.minpoll_log2_s, |(poll, _)| *poll)
    }
}

/// How many values the option has that a word is, if it is one.
pub(super) fn option_word(word: &Word<'_>) -> Option<u8> {
    let mut all = OPTIONS.iter().filter(|_| !word.quoted);
    let (_, option) = all.find(|(name, _)| *name == word.text)?;
    Some(match option {
        OptionWord::Flag(..) | OptionWord::Autokey => 0,
        OptionWord::Nts(values) => *values,
        _ => 1,
    })
}

impl Parser<'_> {
    /// Those of a line of this kind, or of a reference clock's.
    pub(super) fn options<'t>(
        &mut self,
        line: &mut Line<'t>,
        kind: Option<AssociationKind>,
    ) -> Options<'t> {
        let mut options = Options::default();
        let vocabulary = Vocabulary {
            what: "an option of `server` or its like",
            unknown: codes::UNKNOWN_OPTION,
            words: OPTIONS,
            of: kind.map_or("server", AssociationKind::word),
        };
        while let Some(word) = line.token() {
            if let Some(option) = self.keyword(line, &word, &vocabulary) {
                self.option(line, word, option, kind, &mut options);
            }
        }
        options
    }

    pub(super) fn option<'t>(
        &mut self,
        line: &mut Line<'t>,
        word: Word<'t>,
        option: OptionWord,
        kind: Option<AssociationKind>,
        options: &mut Options<'t>,
    ) {
        use AssociationKind::{Broadcast, ManycastClient, Peer, Pool, Server};
        let effective = match option {
            OptionWord::Flag(_, for_clocks) => for_clocks || kind.is_some(),
            OptionWord::Minpoll | OptionWord::Maxpoll => true,
            OptionWord::Mode => kind.is_none(),
            OptionWord::Ttl => matches!(kind, Some(Broadcast | ManycastClient)),
            _ => kind.is_some(),
        };
        self.option_value(line, &word, option, options);
        if !effective {
            let kind = match kind {
                None => "a reference clock",
                Some(Server) => "a server",
                Some(Pool) => "a pool",
                Some(Peer) => "a peer",
                Some(Broadcast) => "a broadcast",
                Some(ManycastClient) => "a manycast client",
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

    fn option_value<'t>(
        &mut self,
        line: &mut Line<'t>,
        word: &Word<'t>,
        option: OptionWord,
        options: &mut Options<'t>,
    ) {
        let set = &mut options.set;
        match option {
            OptionWord::Flag(flag, _) => *flag(set) = true,
            OptionWord::Minpoll => {
                let poll = self.poll(line, word, LEAST_POLL_LOG2_S);
                options.minpoll = poll.map(|poll| (poll, word.clone()));
            }
            OptionWord::Maxpoll => options.maxpoll = self.poll(line, word, GREATEST_POLL_LOG2_S),
            OptionWord::Key => set.key = self.key_id(line, word),
            OptionWord::Version => set.version = self.small(line, word, 1..=4).unwrap_or(4),
            OptionWord::Mode => {
                let mode = self.small(line, word, 0..=i64::from(u32::MAX));
                options.mode = mode.unwrap_or(0);
            }
            OptionWord::Ttl => set.ttl = self.small(line, word, 1..=GREATEST_TTL),
            OptionWord::Bias => {
                let range = -GREATEST_BIAS_S..=GREATEST_BIAS_S;
                set.bias_s = self.number(line, word, range, "s");
            }
            OptionWord::Autokey => set.autokey = true,
            OptionWord::Ident => {
                set.ident = self.text(line, word, "a group's name");
                options.ident = Some(word.clone());
            }
            OptionWord::Nts(values) => {
                for _ in 0..values {
                    self.text(line, word, "a value");
                }
                options.unbuilt_proof.get_or_insert(word.clone());
            }
        }
    }

    /// A poll interval, brought into range as the reference does; a negative one is `negative`.
    pub(super) fn poll(
        &mut self,
        line: &mut Line<'_>,
        word: &Word<'_>,
        negative: u8,
    ) -> Option<u8> {
        let said = self.integer(line, word, i64::from(i32::MIN)..=i64::from(i32::MAX))?;
        let poll = match u8::try_from(said) {
            Ok(poll) => poll.min(GREATEST_POLL_LOG2_S),
            Err(_) if said < 0 => negative,
            Err(_) => GREATEST_POLL_LOG2_S,
        };
        if i64::from(poll) != said {
            let message = format!("`{} {said}` is not in 0 to 17", word.shown());
            self.word_error(
                line,
                codes::POLL_CLAMPED,
                word,
                message,
                format!("{poll} is used"),
            );
        }
        Some(poll)
    }

    pub(super) fn left_out(&mut self, line: &mut Line<'_>, word: &Word<'_>, kind: AssociationKind) {
        let (what, without) = match kind {
            AssociationKind::Server | AssociationKind::Pool => {
                ("server", "the server would be believed unauthenticated")
            }
            AssociationKind::Peer => ("peer", "the peer would be believed unauthenticated"),
            AssociationKind::Broadcast => ("broadcast", "nobody could tell it from a forged one"),
            AssociationKind::ManycastClient => (
                "manycast client",
                "whoever answers first would be believed unauthenticated",
            ),
        };
        let message = format!(
            "`{}` is known but not built yet, so this {what} is left out",
            word.shown()
        );
        let span = word.span.clone();
        self.say(line, |_| {
            Diagnostic::new(codes::LEFT_OUT, span, message)
                .label("not built yet")
                .help(format!("without it {without}; use `key`, or drop the word"))
        });
    }

    /// What of Autokey's words contradicts itself; whether the line is to be left out.
    pub(super) fn settle_autokey(
        &mut self,
        line: &mut Line<'_>,
        options: &mut Options<'_>,
    ) -> bool {
        let set = &mut options.set;
        if set.autokey {
            if set.key.take().is_some() {
                let message = "`key` has no effect beside `autokey`".to_owned();
                self.say(line, |line| {
                    Diagnostic::new(codes::OPTION_WITHOUT_EFFECT, line.end(), message)
                        .label("authenticated by Autokey alone")
                });
            }
            return false;
        }
        let Some(word) = options.ident.as_ref().filter(|_| set.ident.is_some()) else {
            return false;
        };
        let span = word.span.clone();
        self.say(line, |_| {
            let message =
                "`ident` is proven by Autokey, which this line does not want, so it is left out";
            Diagnostic::new(codes::IDENT_ALONE, span, message)
                .label("nobody would be asked to prove it")
                .help("add `autokey`, or drop the word")
        });
        true
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
