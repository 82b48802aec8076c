//! `dscp`, `rlimit`, `tick`, `phone`, `trap`, `reset` and their like.

use crate::codes;
use crate::lexer::{Line, Word};
use crate::settings::{CounterSet, Located, ResourceLimits, Trap};

use super::host::{Reach, family_and_target};
use super::report::Vocabulary;
use super::{Parser, limits};

#[derive(Clone, Copy)]
enum LimitWord {
    Memlock,
    Stacksize,
    Filenum,
}

#[derive(Clone, Copy)]
enum TrapWord {
    Port,
    Interface,
}

const COUNTER_SETS: &[(&str, CounterSet)] = &[
    ("allpeers", CounterSet::AllPeers),
    ("auth", CounterSet::Authentication),
    ("ctl", CounterSet::Control),
    ("io", CounterSet::Io),
    ("mem", CounterSet::Memory),
    ("sys", CounterSet::System),
    ("timer", CounterSet::Timer),
];

/// Where the reference sends traps.
const TRAP_PORT: u16 = 18447;
/// Most numbers to dial.
const PHONES: usize = 64;
/// Numbers are 32 bits and signed in the reference.
pub(super) const GREATEST: i64 = i32::MAX as i64;

impl Parser<'_> {
    pub(super) fn dscp(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if let Some(class) = self.only_integer(line, first, 0..=63) {
            self.settings.machine.dscp = Some(class);
        }
    }

    pub(super) fn mdnstries(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if let Some(tries) = self.only_integer(line, first, 0..=GREATEST) {
            self.settings.machine.mdns_tries = Some(tries);
        }
    }

    pub(super) fn leapsmearinterval(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if let Some(seconds) = self.only_integer(line, first, 0..=GREATEST) {
            self.settings.machine.leap_smear_interval_s = seconds;
        }
    }

    pub(super) fn tick(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if let Some(seconds) = self.only_number(line, first, 0.0..=1.0, "s") {
            self.settings.machine.tick_s = Some(seconds);
        }
    }

    pub(super) fn nonvolatile(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let range = 0.0..=super::files::GREATEST_WANDER_PPM;
        if let Some(ppm) = self.only_number(line, first, range, "ppm") {
            self.settings.files.wander_threshold_ppm = Some(ppm);
        }
    }

    pub(super) fn phone(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if line.peek().is_none() {
            self.missing(line, first, "numbers");
        }
        let mut numbers = Vec::new();
        while let Some(number) = line.string() {
            numbers.push(number.text.into_owned());
        }
        if self.settings.machine.phone.len() + numbers.len() > PHONES {
            let message = format!("there are more than {PHONES} numbers");
            self.word_error(line, codes::OUT_OF_RANGE, first, message, "too many");
        }
        if !line.broken {
            self.settings.machine.phone.extend(numbers);
        }
    }

    pub(super) fn rlimit(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let vocabulary = Vocabulary {
            what: "an `rlimit` option",
            unknown: codes::UNKNOWN_OPTION,
            words: &[
                ("memlock", LimitWord::Memlock),
                ("stacksize", LimitWord::Stacksize),
                ("filenum", LimitWord::Filenum),
            ],
            of: "rlimit",
        };
        self.needs_a_word(line, first);
        let mut said = ResourceLimits::default();
        while let Some(word) = line.token() {
            let any = 0..=GREATEST;
            match self.keyword(line, &word, &vocabulary) {
                Some(LimitWord::Memlock) => {
                    said.memlock_mib = self.small(line, &word, -1..=GREATEST);
                }
                Some(LimitWord::Stacksize) => said.stack_pages = self.small(line, &word, any),
                Some(LimitWord::Filenum) => said.files = self.small(line, &word, any),
                None => {}
            }
        }
        if line.broken {
            return;
        }
        let limits = &mut self.settings.machine.limits;
        limits.memlock_mib = said.memlock_mib.or(limits.memlock_mib);
        limits.stack_pages = said.stack_pages.or(limits.stack_pages);
        limits.files = said.files.or(limits.files);
    }

    pub(super) fn reset(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let vocabulary = Vocabulary {
            what: "a set of counters",
            unknown: codes::UNKNOWN_OPTION,
            words: COUNTER_SETS,
            of: "reset",
        };
        self.needs_a_word(line, first);
        let mut sets = self.settings.machine.resets.clone();
        while let Some(word) = line.token() {
            let set = self.keyword(line, &word, &vocabulary);
            sets.extend(set.filter(|set| !sets.contains(set)));
        }
        if !line.broken {
            self.settings.machine.resets = sets;
        }
    }

    /// `trap HOST [port N] [interface ADDR]`.
    pub(super) fn trap(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let (family, target) = family_and_target(line);
        let Some(target) = target else {
            self.missing(line, first, "a host");
            return;
        };
        let host = self.host(line, &target, family, Reach::One);
        let vocabulary = Vocabulary {
            what: "a `trap` option",
            unknown: codes::UNKNOWN_OPTION,
            words: &[("port", TrapWord::Port), ("interface", TrapWord::Interface)],
            of: "trap",
        };
        let (mut port, mut interface) = (None, None);
        while let Some(word) = line.token() {
            match self.keyword(line, &word, &vocabulary) {
                Some(TrapWord::Port) => port = self.small(line, &word, 1..=65535),
                Some(TrapWord::Interface) => match line.string() {
                    Some(own) => interface = self.host(line, &own, None, Reach::One),
                    None => self.missing(line, &word, "an address"),
                },
                None => {}
            }
        }
        let Some(value) = host.filter(|_| !line.broken) else {
            return;
        };
        if self.settings.machine.traps.len() >= limits::ASSOCIATIONS {
            let message = format!("there are more than {} traps", limits::ASSOCIATIONS);
            let code = codes::TOO_MANY_ASSOCIATIONS;
            self.word_error(line, code, &target, message, "one too many");
            return;
        }
        self.settings.machine.traps.push(Trap {
            host: Located {
                value,
                span: target.span,
            },
            port: port.unwrap_or(TRAP_PORT),
            interface,
        });
    }
}
