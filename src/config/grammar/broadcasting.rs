//! `broadcastclient`, `broadcastdelay`, `multicastclient`, `manycastserver`, `ttl`.

use std::net::{IpAddr, Ipv4Addr};

use crate::codes;
use crate::lexer::{Line, Word};
use crate::settings::{Host, Located};

use super::host::{Reach, family_and_target};
use super::report::Vocabulary;
use super::{Parser, limits};

/// The group assigned to NTP by IANA (ntp.mcast.net), listened to where none is named.
const NTP_GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 1, 1);
/// Most hop counts, as in the reference.
const TTLS: usize = 8;

impl Parser<'_> {
    pub(super) fn broadcastclient(&mut self, line: &mut Line<'_>, _first: &Word<'_>) {
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
            self.settings.broadcasting.novolley |= novolley;
        }
    }

    pub(super) fn broadcastdelay(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if let Some(delay_s) = self.only_number(line, first, 0.0..=16.0, "s") {
            self.settings.broadcasting.delay_s = Some(delay_s);
        }
    }

    /// Without an address, which 4.2.8 refuses and those before it took, the assigned group.
    pub(super) fn multicastclient(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let groups = if line.peek().is_none() {
            vec![Located {
                value: Host::Address(IpAddr::V4(NTP_GROUP)),
                span: first.span.clone(),
            }]
        } else {
            self.groups(line)
        };
        self.keep_groups(line, first, groups, |parser| {
            &mut parser.settings.broadcasting.multicast_groups
        });
    }

    pub(super) fn manycastserver(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if line.peek().is_none() {
            self.missing(line, first, "an address");
        }
        let groups = self.groups(line);
        self.keep_groups(line, first, groups, |parser| {
            &mut parser.settings.broadcasting.manycast_groups
        });
    }

    fn keep_groups(
        &mut self,
        line: &mut Line<'_>,
        first: &Word<'_>,
        groups: Vec<Located<Host>>,
        list: fn(&mut Self) -> &mut Vec<Located<Host>>,
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
        list(self).extend(groups);
    }

    fn groups(&mut self, line: &mut Line<'_>) -> Vec<Located<Host>> {
        let mut groups = Vec::new();
        while let (family, Some(word)) = family_and_target(line) {
            let host = self.host(line, &word, family, Reach::Many);
            groups.extend(host.map(|value| Located {
                value,
                span: word.span,
            }));
        }
        groups
    }

    pub(super) fn ttl(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let mut ttls = Vec::new();
        let mut last = first.clone();
        loop {
            ttls.extend(self.small::<u8>(line, &last, 0..=255));
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
