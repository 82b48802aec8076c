//! `crypto`, `keysdir`, `ident`, `revoke`, `automax`, `randfile`, `ntpsigndsocket`.

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::lexer::{Line, Word};
use crate::settings::{Association, Autokey, LegacyFile, Located, Secret};

use super::Parser;
use super::report::Vocabulary;

#[derive(Clone, Copy)]
enum CryptoWord {
    Host,
    Ident,
    Pw,
    Randfile,
    Digest,
    Revoke,
    Insecure,
    Threads,
    Cores,
    Legacy(LegacyFile),
}

const CRYPTO_WORDS: &[(&str, CryptoWord)] = &[
    ("host", CryptoWord::Host),
    ("ident", CryptoWord::Ident),
    ("pw", CryptoWord::Pw),
    ("randfile", CryptoWord::Randfile),
    ("digest", CryptoWord::Digest),
    ("revoke", CryptoWord::Revoke),
    ("insecure", CryptoWord::Insecure),
    ("threads", CryptoWord::Threads),
    ("cores", CryptoWord::Cores),
    ("cert", CryptoWord::Legacy(LegacyFile::Certificate)),
    ("sign", CryptoWord::Legacy(LegacyFile::SignKey)),
    ("leap", CryptoWord::Legacy(LegacyFile::LeapSeconds)),
    ("gqpar", CryptoWord::Legacy(LegacyFile::Gq)),
    ("iffpar", CryptoWord::Legacy(LegacyFile::Iff)),
    ("mvpar", CryptoWord::Legacy(LegacyFile::Mv)),
];

/// What the reference takes for `revoke` and `automax`, log2 seconds.
const LOG2_S: std::ops::RangeInclusive<i64> = 3..=31;

/// Threads that sign and verify: each takes a core's time from others.
const THREADS: std::ops::RangeInclusive<i64> = 1..=64;
/// Numbers of cores, as the kernel gives them.
const CORES: std::ops::RangeInclusive<i64> = 0..=4095;
/// Groups that a host proves to be of, at most.
const GROUPS_MAX: usize = 64;

impl Parser<'_> {
    /// `crypto [WORD VALUE]...`; the bare word turns Autokey on.
    pub(super) fn crypto(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let vocabulary = Vocabulary {
            what: "a `crypto` option",
            unknown: codes::UNKNOWN_OPTION,
            words: CRYPTO_WORDS,
            of: "crypto",
        };
        let mut autokey = self.settings.autokey.clone();
        while let Some(word) = line.token() {
            if let Some(option) = self.keyword(line, &word, &vocabulary) {
                self.crypto_word(line, &word, option, &mut autokey);
            }
        }
        if line.broken {
            return;
        }
        autokey.enabled.get_or_insert_with(|| Located {
            value: (),
            span: first.span.clone(),
        });
        self.settings.autokey = autokey;
    }

    fn crypto_word(
        &mut self,
        line: &mut Line<'_>,
        word: &Word<'_>,
        option: CryptoWord,
        autokey: &mut Autokey,
    ) {
        match option {
            CryptoWord::Host => autokey.host = self.text(line, word, "a host's name"),
            CryptoWord::Ident => {
                let name = self.text(line, word, "a group's name");
                self.group(line, word, name, &mut autokey.idents);
            }
            CryptoWord::Pw => autokey.password = self.text(line, word, "a password").map(Secret),
            CryptoWord::Digest => autokey.digest = self.text(line, word, "a digest's name"),
            CryptoWord::Randfile => {
                self.path(line, word);
                self.no_randfile(line, word);
            }
            CryptoWord::Insecure => autokey.insecure = true,
            CryptoWord::Threads => autokey.threads = self.small(line, word, THREADS),
            CryptoWord::Cores => autokey.cores = self.cores(line, word),
            CryptoWord::Revoke => autokey.revoke_log2_s = self.small(line, word, LOG2_S),
            CryptoWord::Legacy(which) => {
                if let Some(path) = self.path(line, word) {
                    autokey.legacy_files.retain(|(known, _)| *known != which);
                    autokey.legacy_files.push((which, path));
                }
            }
        }
    }

    /// `cores N [N]...`.
    fn cores(&mut self, line: &mut Line<'_>, word: &Word<'_>) -> Vec<u16> {
        let mut cores = Vec::new();
        loop {
            cores.extend(self.small::<u16>(line, word, CORES));
            let digits = |it: &Word<'_>| !it.quoted && it.text.bytes().all(|b| b.is_ascii_digit());
            if line.broken || !line.peek().is_some_and(|it| digits(&it)) {
                return cores;
            }
        }
    }

    /// One group more: for each the key folder is searched, and the keys are held.
    fn group(
        &mut self,
        line: &mut Line<'_>,
        word: &Word<'_>,
        name: Option<String>,
        all: &mut Vec<String>,
    ) {
        let Some(name) = name.filter(|it| !all.contains(it)) else {
            return;
        };
        if all.len() < GROUPS_MAX {
            all.push(name);
            return;
        }
        let span = word.span.clone();
        self.say(line, |_| {
            let message = format!("`crypto ident` names more than {GROUPS_MAX} groups");
            Diagnostic::new(codes::TOO_MANY_GROUPS, span, message)
                .label("left out")
                .help("let several groups have one key: link its file under each group's name")
        });
    }

    /// `randfile FILE`, of the time when OpenSSL had to be fed.
    pub(super) fn randfile(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        self.only_path(line, first);
        self.no_randfile(line, first);
    }

    fn no_randfile(&mut self, line: &mut Line<'_>, word: &Word<'_>) {
        let span = word.span.clone();
        self.say(line, |_| {
            let message = "`randfile` is not needed: random numbers come from the kernel";
            Diagnostic::new(codes::RANDFILE_UNUSED, span, message).label("not read")
        });
    }

    pub(super) fn keysdir(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if let Some(path) = self.only_path(line, first) {
            self.settings.autokey.keys_dir = Some(path);
        }
    }

    pub(super) fn ident(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let name = self.text(line, first, "a group's name");
        self.no_more(line, first);
        if !line.broken {
            self.settings.autokey.default_ident = name;
        }
    }

    pub(super) fn revoke(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if let Some(log2_s) = self.only_integer(line, first, LOG2_S) {
            self.settings.autokey.revoke_log2_s = Some(log2_s);
        }
    }

    pub(super) fn automax(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if let Some(log2_s) = self.only_integer(line, first, LOG2_S) {
            self.settings.autokey.automax_log2_s = Some(log2_s);
        }
    }

    pub(super) fn ntpsigndsocket(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if let Some(path) = self.only_path(line, first) {
            self.settings.autokey.sign_socket = Some(path);
        }
    }

    /// Who is to be authenticated by what is not turned on would never be believed, or worse.
    pub(super) fn leave_out_autokey(&mut self) {
        if self.settings.autokey.is_on() {
            return;
        }
        let all = core::mem::take(&mut self.settings.associations);
        let (wanting, kept) = all.into_iter().partition(|it| it.options.autokey);
        self.settings.associations = kept;
        let wanting: Vec<Association> = wanting;
        for Association {
            kind, host, span, ..
        } in wanting
        {
            let message = format!(
                "`{} {host}` wants Autokey, which is off, so this line is left out",
                kind.word()
            );
            let complaint = Diagnostic::new(codes::AUTOKEY_OFF, span, message)
                .label("left out")
                .help("add a `crypto` line, or authenticate it by `key N`");
            self.report.push(complaint);
        }
    }
}
