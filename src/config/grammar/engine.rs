//! `engine`: how server threads receive and wait.

use crate::codes;
use crate::lexer::{Line, Word};
use crate::settings::EngineName;

use super::Parser;
use super::report::Vocabulary;

#[derive(Clone, Copy)]
enum EngineWord {
    Name(EngineName),
    Threads,
    Core,
    Linger,
    Spin,
}

const WORDS: &[(&str, EngineWord)] = &[
    ("auto", EngineWord::Name(EngineName::Auto)),
    ("uring", EngineWord::Name(EngineName::Uring)),
    ("poll", EngineWord::Name(EngineName::Poll)),
    ("threads", EngineWord::Threads),
    ("core", EngineWord::Core),
    ("linger", EngineWord::Linger),
    ("spin", EngineWord::Spin),
];

/// As many as the engine has at most.
const THREADS_MAX: i64 = 256;
/// Linux numbers no more.
const GREATEST_CORE: i64 = 8191;
/// A client may wait for its answer so long and not much longer.
const LONGEST_LINGER_US: i64 = 10_000;

impl Parser<'_> {
    pub(super) fn engine(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let vocabulary = Vocabulary {
            what: "an `engine` option",
            unknown: codes::UNKNOWN_OPTION,
            words: WORDS,
            of: "engine",
        };
        self.needs_a_word(line, first);
        let mut said = self.settings.machine.engine.clone();
        let mut cores = Vec::new();
        while let Some(word) = line.token() {
            match self.keyword(line, &word, &vocabulary) {
                Some(EngineWord::Name(name)) => said.name = Some(name),
                Some(EngineWord::Threads) => {
                    said.threads = self.small(line, &word, 0..=THREADS_MAX);
                }
                Some(EngineWord::Core) => cores.extend(self.core(line, &word)),
                Some(EngineWord::Linger) => {
                    said.linger_us = self.small(line, &word, 0..=LONGEST_LINGER_US);
                }
                Some(EngineWord::Spin) => said.spin = true,
                None => {}
            }
        }
        if line.broken {
            return;
        }
        if !cores.is_empty() {
            said.cores = cores;
        }
        self.settings.machine.engine = said;
    }

    fn core(&mut self, line: &mut Line<'_>, word: &Word<'_>) -> Option<u32> {
        self.small(line, word, 0..=GREATEST_CORE)
    }
}
