//! `statistics`, `statsdir`, `filegen`, `logconfig`, `setvar`.

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::lexer::{Line, Word};
use crate::settings::{
    FileGen, FilePeriod, LogClass, LogEvent, LogMask, STATS_KINDS, SetVar, StatsKind,
};
use crate::suggest;

use super::report::Vocabulary;
use super::{Parser, limits};

#[derive(Clone, Copy)]
enum FileGenWord {
    File,
    Type,
    Link(bool),
    Enable(bool),
}

const PERIODS: &[(&str, FilePeriod)] = &[
    ("none", FilePeriod::None),
    ("pid", FilePeriod::Pid),
    ("day", FilePeriod::Day),
    ("week", FilePeriod::Week),
    ("month", FilePeriod::Month),
    ("year", FilePeriod::Year),
    ("age", FilePeriod::Age),
];

const LOG_CLASSES: &[(&str, &[LogClass])] = &[
    ("sys", &[LogClass::System]),
    ("peer", &[LogClass::Peer]),
    ("clock", &[LogClass::Clock]),
    ("sync", &[LogClass::Sync]),
    (
        "all",
        &[
            LogClass::System,
            LogClass::Peer,
            LogClass::Clock,
            LogClass::Sync,
        ],
    ),
];

const LOG_EVENTS: &[(&str, &[LogEvent])] = &[
    ("info", &[LogEvent::Info]),
    ("events", &[LogEvent::Events]),
    ("event", &[LogEvent::Events]),
    ("statistics", &[LogEvent::Statistics]),
    ("status", &[LogEvent::Status]),
    (
        "all",
        &[
            LogEvent::Info,
            LogEvent::Events,
            LogEvent::Statistics,
            LogEvent::Status,
        ],
    ),
];

impl Parser<'_> {
    pub(super) fn statsdir(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if let Some(path) = self.only_path(line, first) {
            self.settings.monitoring.stats_dir = Some(path);
        }
    }

    pub(super) fn statistics(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if line.peek().is_none() {
            self.missing(line, first, "kinds of statistics");
        }
        let mut kinds = Vec::new();
        while let Some(word) = line.token() {
            kinds.extend(self.stats_kind(line, &word));
        }
        if !line.broken {
            self.settings.monitoring.statistics.extend(kinds);
        }
    }

    fn stats_kind(&mut self, line: &mut Line<'_>, word: &Word<'_>) -> Option<StatsKind> {
        let vocabulary = Vocabulary {
            what: "a kind of statistics",
            unknown: codes::UNKNOWN_OPTION,
            words: STATS_KINDS,
            of: "statistics",
        };
        self.keyword(line, word, &vocabulary)
    }

    pub(super) fn filegen(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let Some(word) = line.token() else {
            self.missing(line, first, "a kind of statistics");
            return;
        };
        let kind = self.stats_kind(line, &word);
        let mut said = FileGen::default();
        let vocabulary = Vocabulary {
            what: "a `filegen` option",
            unknown: codes::UNKNOWN_OPTION,
            words: &[
                ("file", FileGenWord::File),
                ("type", FileGenWord::Type),
                ("link", FileGenWord::Link(true)),
                ("nolink", FileGenWord::Link(false)),
                ("enable", FileGenWord::Enable(true)),
                ("disable", FileGenWord::Enable(false)),
            ],
            of: "filegen",
        };
        while let Some(word) = line.token() {
            match self.keyword(line, &word, &vocabulary) {
                Some(FileGenWord::File) => said.file = self.file_name(line, &word),
                Some(FileGenWord::Type) => said.period = self.period(line, &word),
                Some(FileGenWord::Link(on)) => said.link = Some(on),
                Some(FileGenWord::Enable(on)) => said.enabled = Some(on),
                None => {}
            }
        }
        let Some(kind) = kind.filter(|_| !line.broken) else {
            return;
        };
        let before = self.settings.monitoring.file_gens.entry(kind).or_default();
        *before = FileGen {
            file: said.file.or_else(|| before.file.take()),
            period: said.period.or(before.period),
            link: said.link.or(before.link),
            enabled: said.enabled.or(before.enabled),
        };
    }

    /// A name after the `statsdir`: one that climbs out of it would write anywhere.
    fn file_name(&mut self, line: &mut Line<'_>, word: &Word<'_>) -> Option<String> {
        let path = self.path(line, word)?;
        if path.value.split('/').any(|part| part == "..") {
            let message = format!(
                "`{}` leaves the `statsdir`",
                crate::lexer::shown(&path.value)
            );
            self.say(line, |_| {
                Diagnostic::new(codes::CLIMBING_PATH, path.span.clone(), message)
                    .label("no `..` here")
            });
            return None;
        }
        Some(path.value)
    }

    fn period(&mut self, line: &mut Line<'_>, word: &Word<'_>) -> Option<FilePeriod> {
        let Some(value) = line.token() else {
            self.missing(line, word, "none, pid, day, week, month, year or age");
            return None;
        };
        let vocabulary = Vocabulary {
            what: "a type of file",
            unknown: codes::UNKNOWN_OPTION,
            words: PERIODS,
            of: "filegen",
        };
        self.keyword(line, &value, &vocabulary)
    }

    pub(super) fn logconfig(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if line.peek().is_none() {
            self.missing(line, first, "kinds of messages");
        }
        let mut mask = self.settings.monitoring.log_mask;
        while let Some(word) = line.string() {
            let (sign, name) = match word.text.split_at_checked(1) {
                Some((sign @ ("=" | "+" | "-"), name)) => (sign, name),
                _ => ("=", &*word.text),
            };
            let Some(part) = log_part(name) else {
                self.unknown_message(line, &word, name);
                continue;
            };
            mask = match sign {
                "+" => mask.with(part),
                "-" => mask.without(part),
                _ => part,
            };
        }
        if !line.broken {
            self.settings.monitoring.log_mask = mask;
        }
    }

    fn unknown_message(&mut self, line: &mut Line<'_>, word: &Word<'_>, name: &str) {
        let names: Vec<String> = LOG_CLASSES
            .iter()
            .flat_map(|(class, _)| {
                LOG_EVENTS
                    .iter()
                    .map(move |(event, _)| format!("{class}{event}"))
            })
            .collect();
        let near = suggest::nearest(name, names.iter().map(String::as_str));
        let label = near.map_or_else(
            || "such as `=syncall`, `+sysevents` or `-clockinfo`".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        let message = format!("`{}` is no kind of message", word.shown());
        self.word_error(line, codes::UNKNOWN_OPTION, word, message, label);
    }

    /// `setvar NAME=VALUE [default]`; blanks may stand around the sign.
    pub(super) fn setvar(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let Some(name) = line.token() else {
            self.missing(line, first, "NAME=VALUE");
            return;
        };
        let sign = line.token().filter(|sign| sign.text == "=" && !sign.quoted);
        let value = line.string();
        let (Some(value), Some(_), true) = (value, sign, is_variable(&name.text)) else {
            let message = format!("`setvar {}` sets nothing", name.shown());
            let label = "write NAME=VALUE, a VALUE with blanks in quotes";
            self.word_error(line, codes::BAD_ASSIGNMENT, &name, message, label);
            return;
        };
        let default = line
            .peek()
            .is_some_and(|word| word.text == "default" && !word.quoted);
        if default {
            line.token();
        }
        self.no_more(line, first);
        if line.broken {
            return;
        }
        let variables = &mut self.settings.monitoring.variables;
        variables.retain(|variable| variable.name != name.text);
        if variables.len() >= limits::VARIABLES {
            let message = format!("there are more than {} variables", limits::VARIABLES);
            self.word_error(
                line,
                codes::TOO_MANY_VARIABLES,
                &name,
                message,
                "one too many",
            );
            return;
        }
        variables.push(SetVar {
            name: name.text.into_owned(),
            value: value.text.into_owned(),
            default,
        });
    }
}

/// What can stand in a list of variables without ending it.
fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// `peerinfo`, `allevents`, `allsync`, `all`.
fn log_part(name: &str) -> Option<LogMask> {
    if let Some(of_all) = name.strip_prefix("all")
        && let Some((class, _)) = LOG_CLASSES.iter().find(|(class, _)| *class == of_all)
        && *class != "all"
    {
        return log_part(&format!("{class}all"));
    }
    let (rest, classes) = LOG_CLASSES
        .iter()
        .find_map(|(class, classes)| Some((name.strip_prefix(class)?, *classes)))?;
    // The reference takes a class without a kind only as `all`.
    let rest = if rest.is_empty() && name == "all" {
        "all"
    } else {
        rest
    };
    let (_, events) = LOG_EVENTS.iter().find(|(event, _)| *event == rest)?;
    let of_class = |class: &LogClass| {
        events.iter().fold(LogMask::NONE, |mask, event| {
            mask.with(LogMask::of(*class, *event))
        })
    };
    Some(
        classes
            .iter()
            .map(of_class)
            .fold(LogMask::NONE, LogMask::with),
    )
}
