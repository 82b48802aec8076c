//! `broadcastclient`, `broadcastdelay`, `multicastclient`, `manycastserver`, `ttl`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::codes;
use crate::lexer::{Line, Word};
use crate::settings::{Host, Located};

use super::association_options::{GREATEST_TTL, option_word};
use super::host::{Reach, family_and_target};
use super::report::Vocabulary;
use super::{Parser, limits};

/// The groups assigned to NTP by IANA (ntp.mcast.net, and that of a site), listened to where none is
/// named.
const NTP_GROUPS: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(224, 0, 1, 1)),
    IpAddr::V6(Ipv6Addr::new(0xff05, 0, 0, 0, 0, 0, 0, 0x101)),
];
/// Most hop counts, as in the reference.
const TTLS: usize = 8;

impl Parser<'_> {
    pub(super) fn broadcastclient(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let vocabulary = Vocabulary {
            what: "a `broadcastclient` option",
            unknown: codes::UNKNOWN_OPTION,
            words: &[("novolley", ())],
            of: "broadcastclient",
        };
        let mut novolley = false;
        while let Some(word) = line.token() {
            novolley |= self.keyword(line, &word, &vocabulary).is_some();
        }
        if !line.broken {
            self.settings.broadcasting.client = true;
            let place = (first.text.to_string(), first.span.clone());
            self.settings.places.extend([place]);
            self.settings.broadcasting.novolley |= novolley;
        }
    }

    pub(super) fn broadcastdelay(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if let Some(delay_s) = self.only_number(line, first, 0.0..=16.0, "s") {
            self.settings.broadcasting.delay_s = Some(delay_s);
        }
    }

    /// Without an address, which 4.2.8 refuses and those before it took, the assigned groups.
    pub(super) fn multicastclient(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let groups = if line.peek().is_none() {
            let span = || first.span.clone();
            let groups = NTP_GROUPS.into_iter();
            groups
                .map(|value| Located {
                    value,
                    span: span(),
                })
                .collect()
        } else {
            self.groups(line, first)
        };
        self.keep_groups(line, first, groups, |parser| {
            &mut parser.settings.broadcasting.multicast_groups
        });
    }

    pub(super) fn manycastserver(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if line.peek().is_none() {
            self.missing(line, first, "an address");
        }
        let groups = self.groups(line, first);
        self.keep_groups(line, first, groups, |parser| {
            &mut parser.settings.broadcasting.manycast_groups
        });
    }

    fn keep_groups(
        &mut self,
        line: &mut Line<'_>,
        first: &Word<'_>,
        groups: Vec<Located<IpAddr>>,
        list: fn(&mut Self) -> &mut Vec<Located<IpAddr>>,
    ) {
        if line.broken {
            return;
        }
        if list(self).len() + groups.len() > limits::ASSOCIATIONS {
            let message = format!("there are more than {} groups", limits::ASSOCIATIONS);
            let code = codes::TOO_MANY_ASSOCIATIONS;
            self.word_error(line, code, first, message, "too many");
            return;
        }
        for group in groups {
            if list(self).iter().all(|known| known.value != group.value) {
                list(self).push(group);
            }
        }
    }

    /// Groups until the line ends. Options of `manycastclient` are found on these lines in the field
    /// and mean nothing there.
    fn groups(&mut self, line: &mut Line<'_>, first: &Word<'_>) -> Vec<Located<IpAddr>> {
        let mut groups = Vec::new();
        while let (family, Some(word)) = family_and_target(line) {
            if !groups.is_empty()
                && let Some(values) = option_word(&word)
            {
                for _ in 0..values {
                    self.text(line, &word, "a value");
                }
                let message = format!("`{}` has no effect on `{}`", word.shown(), first.shown());
                let code = codes::OPTION_WITHOUT_EFFECT;
                self.word_error(line, code, &word, message, "no effect");
                continue;
            }
            match self.host(line, &word, family, Reach::Group) {
                Some(Host::Address(value)) => groups.push(Located {
                    value,
                    span: word.span,
                }),
                Some(Host::Name(_)) => {
                    let message = format!("`{}` is not an address of a group", word.shown());
                    let label = "write the address, such as 224.0.1.1 or ff05::101";
                    self.word_error(line, codes::NOT_A_GROUP, &word, message, label);
                }
                None => {}
            }
        }
        groups
    }

    pub(super) fn ttl(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let mut ttls = Vec::new();
        let mut last = first.clone();
        loop {
            ttls.extend(self.small::<u8>(line, &last, 1..=GREATEST_TTL));
            let Some(next) = line.peek() else { break };
            last = next;
        }
        if ttls.len() > TTLS {
            let message = format!("there are more than {TTLS} hop counts");
            self.word_error(line, codes::OUT_OF_RANGE, first, message, "too many");
        }
        if !line.broken {
            self.settings.broadcasting.ttls = ttls;
        }
    }
}
