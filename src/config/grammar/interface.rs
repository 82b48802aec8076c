//! `interface` and `nic`.

use crate::codes;
use crate::lexer::{Line, Word};
use crate::settings::{ListenAction, ListenRule, ListenTarget};

use super::net::{clear_host_bits, full_prefix, parse_net};
use super::report::Vocabulary;
use super::{Parser, limits};

const ACTIONS: &[(&str, ListenAction)] = &[
    ("listen", ListenAction::Listen),
    ("ignore", ListenAction::Ignore),
    ("drop", ListenAction::Drop),
];

/// Longest interface name of the kernel, bytes (IFNAMSIZ less its terminator).
const LONGEST_NAME_BYTES: usize = 15;

/// Whether an interface can have this name.
pub(super) fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME_BYTES).contains(&text.len()) && !text.contains('/')
}

impl Parser<'_> {
    pub(super) fn interface(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let Some(word) = line.token() else {
            self.missing(line, first, "`listen`, `ignore` or `drop`");
            return;
        };
        let vocabulary = Vocabulary {
            what: "`listen`, `ignore` or `drop`",
            unknown: codes::BAD_INTERFACE_RULE,
            words: ACTIONS,
            of: "interface",
        };
        let action = self.keyword(line, &word, &vocabulary);
        let Some(target_word) = line.token() else {
            if action.is_some() {
                self.missing(line, &word, "an interface or address");
            }
            return;
        };
        let target = self.listen_target(line, &target_word);
        self.no_more(line, first);
        let Some((action, target)) = action.zip(target).filter(|_| !line.broken) else {
            return;
        };
        if self.settings.listen_rules.len() >= limits::RULES {
            self.too_many_rules(line, &target_word);
            return;
        }
        let span = target_word.span;
        self.settings.listen_rules.push(ListenRule {
            action,
            target,
            span,
        });
    }

    fn listen_target(&mut self, line: &mut Line<'_>, word: &Word<'_>) -> Option<ListenTarget> {
        match &*word.text {
            "all" if !word.quoted => return Some(ListenTarget::All),
            "ipv4" if !word.quoted => return Some(ListenTarget::Ipv4),
            "ipv6" if !word.quoted => return Some(ListenTarget::Ipv6),
            "wildcard" if !word.quoted => return Some(ListenTarget::Wildcard),
            _ => {}
        }
        if let Some((address, prefix)) = parse_net(&word.text) {
            let prefix_bits = prefix.unwrap_or_else(|| full_prefix(address));
            let address = clear_host_bits(address, prefix_bits);
            return Some(ListenTarget::Net {
                address,
                prefix_bits,
            });
        }
        let broken_address = word.text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        if broken_address || !is_name(&word.text) {
            let message = format!("`{}` is no interface and no address", word.shown());
            let label = "`all`, `ipv4`, `ipv6`, `wildcard`, a name or an address belongs here";
            self.word_error(line, codes::BAD_INTERFACE_TARGET, word, message, label);
            return None;
        }
        Some(ListenTarget::Name(word.text.to_string()))
    }
}
