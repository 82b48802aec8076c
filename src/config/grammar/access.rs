//! `restrict`.

use std::net::IpAddr;

use crate::codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::lexer::{Line, Word};
use crate::settings::{FLAG_NAMES, Families, Family, RestrictFlags, RestrictRule, RestrictTarget};

use super::host::family_and_target;
use super::net::{clear_host_bits, full_prefix, parse_net, prefix_of_mask};
use super::report::Vocabulary;
use super::{Parser, limits};

/// A rule whose address had bits under its mask.
pub(super) struct HostBits {
    span: Span,
    written: String,
    net: String,
}

#[derive(Clone, Copy)]
enum RestrictWord {
    Set(RestrictFlags),
    Epeer,
    Mask,
    IpPeerLimit,
}

/// A line while it is read.
pub(super) struct Draft {
    pub(super) target: Option<RestrictTarget>,
    /// The prefix was said by `/len` or by `mask`.
    has_prefix: bool,
    pub(super) flags: RestrictFlags,
    ip_peer_limit: Option<u32>,
}

impl Parser<'_> {
    pub(super) fn restrict(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let (family, word) = family_and_target(line);
        let Some(word) = word else {
            self.missing(line, first, "an address, `default` or `source`");
            return;
        };
        let mut draft = self.restrict_target(line, &word, family);
        if let Some(target) = draft.target {
            line.consequence = Some(consequence(target, &word).into());
        }
        self.restrict_words(line, &mut draft);
        let kod_alone = draft.flags.contains(RestrictFlags::KOD)
            && !draft.flags.contains(RestrictFlags::LIMITED);
        if kod_alone && !line.broken {
            let message = "`kod` does nothing without `limited`".to_owned();
            self.word_error(
                line,
                codes::KOD_WITHOUT_LIMITED,
                &word,
                message,
                "add `limited`",
            );
        }
        self.check_somebody(line, &word, &draft);
        let Some(target) = draft.target.filter(|_| !line.broken) else {
            return;
        };
        if self.settings.restrictions.len() >= limits::RULES {
            self.too_many_rules(line, &word);
            return;
        }
        let target = self.without_host_bits(target, &word);
        self.settings.restrictions.push(RestrictRule {
            target,
            flags: draft.flags,
            ip_peer_limit: draft.ip_peer_limit,
            span: word.span,
        });
    }

    /// Without a mask the unspecified address is one host, and no host has it.
    fn check_somebody(&mut self, line: &mut Line<'_>, word: &Word<'_>, draft: &Draft) {
        let Some(RestrictTarget::Net { address, .. }) = draft.target else {
            return;
        };
        if address.is_unspecified() && !draft.has_prefix && !line.broken {
            let message = format!("`{}` without a mask is nobody's address", word.shown());
            let span = word.span.clone();
            self.say(line, |_| {
                Diagnostic::new(codes::UNSPECIFIED_TARGET, span, message)
                    .label("this line restricts nobody")
                    .help("write `default` for everybody")
            });
        }
    }

    pub(super) fn too_many_rules(&mut self, line: &mut Line<'_>, word: &Word<'_>) {
        let message = format!("there are more than {} rules of this kind", limits::RULES);
        self.word_error(line, codes::TOO_MANY_RULES, word, message, "one too many");
    }

    pub(super) fn restrict_target(
        &mut self,
        line: &mut Line<'_>,
        word: &Word<'_>,
        family: Option<Family>,
    ) -> Draft {
        let mut draft = Draft {
            target: None,
            has_prefix: false,
            flags: RestrictFlags::default(),
            ip_peer_limit: None,
        };
        draft.target = match (&*word.text, family) {
            ("default", None) if !word.quoted => Some(RestrictTarget::Default(Families::Both)),
            ("default", Some(Family::Ipv4)) => Some(RestrictTarget::Default(Families::Ipv4)),
            ("default", Some(Family::Ipv6)) => Some(RestrictTarget::Default(Families::Ipv6)),
            ("source", None) if !word.quoted => Some(RestrictTarget::Source),
            (text, _) => match parse_net(text) {
                Some((address, prefix)) => {
                    self.check_family(line, word, address, family);
                    draft.has_prefix = prefix.is_some();
                    let prefix_bits = prefix.unwrap_or_else(|| full_prefix(address));
                    Some(RestrictTarget::Net {
                        address,
                        prefix_bits,
                    })
                }
                None => None,
            },
        };
        if draft.target.is_none() {
            let near = crate::suggest::nearest(&word.text, ["default", "source"]);
            let label = near.map_or_else(
                || "an address, a net, `default` or `source` belongs here".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            let message = format!("`{}` cannot be restricted", word.shown());
            let span = word.span.clone();
            self.say(line, |_| {
                Diagnostic::new(codes::BAD_RESTRICT_TARGET, span, message)
                    .label(label)
                    .help("names are not taken: who answers for a name could choose the rule")
            });
        }
        draft
    }

    pub(super) fn restrict_words(&mut self, line: &mut Line<'_>, draft: &mut Draft) {
        let flags = FLAG_NAMES
            .iter()
            .map(|(name, flag)| (*name, RestrictWord::Set(*flag)));
        let others = [
            ("epeer", RestrictWord::Epeer),
            ("mask", RestrictWord::Mask),
            ("ippeerlimit", RestrictWord::IpPeerLimit),
        ];
        let words: Vec<_> = flags.chain(others).collect();
        let vocabulary = Vocabulary {
            what: "a restrict flag",
            unknown: codes::UNKNOWN_FLAG,
            words: &words,
            of: "restrict",
        };
        let mut peers = None;
        while let Some(word) = line.token() {
            match self.keyword(line, &word, &vocabulary) {
                Some(RestrictWord::Set(flag)) => {
                    draft.flags = draft.flags.with(flag);
                    if flag == RestrictFlags::SERVERRESPONSE_FUZZ {
                        self.fuzz(line, &word);
                    }
                    if flag == RestrictFlags::NOEPEER {
                        self.check_peers(line, &word, &mut peers);
                    }
                }
                Some(RestrictWord::Epeer) => {
                    draft.flags = draft.flags.without(RestrictFlags::NOEPEER);
                    self.check_peers(line, &word, &mut peers);
                }
                Some(RestrictWord::Mask) => self.mask(line, &word, draft),
                Some(RestrictWord::IpPeerLimit) => {
                    // -1 is the reference's word for no limit.
                    let limit = self.integer(line, &word, -1..=100);
                    draft.ip_peer_limit = limit.and_then(|limit| u32::try_from(limit).ok());
                }
                None => {}
            }
        }
    }

    fn check_peers(&mut self, line: &mut Line<'_>, word: &Word<'_>, before: &mut Option<String>) {
        let now = word.text.to_string();
        if before.as_ref().is_some_and(|before| *before != now) {
            let message = "`epeer` and `noepeer` contradict each other".to_owned();
            let label = format!("`{now}` counts");
            self.word_error(line, codes::FLAGS_CONTRADICT, word, message, label);
        }
        *before = Some(now);
    }

    fn fuzz(&mut self, line: &mut Line<'_>, word: &Word<'_>) {
        match line.token() {
            Some(fuzz) if fuzz.text == "fuzz" => {}
            Some(other) => {
                let message = format!("`{}` cannot follow `serverresponse`", other.shown());
                let label = "`fuzz` belongs here";
                self.word_error(line, codes::UNKNOWN_FLAG, &other, message, label);
            }
            None => self.missing(line, word, "`fuzz` after it"),
        }
    }

    fn mask(&mut self, line: &mut Line<'_>, word: &Word<'_>, draft: &mut Draft) {
        let Some(value) = line.string() else {
            self.missing(line, word, "a mask");
            return;
        };
        let mask = value.text.parse::<IpAddr>();
        let label = match (&mut draft.target, mask) {
            (Some(RestrictTarget::Net { .. }), _) if draft.has_prefix => {
                "the length of the prefix was said before"
            }
            (
                Some(RestrictTarget::Net {
                    address,
                    prefix_bits,
                }),
                Ok(mask),
            ) if address.is_ipv4() == mask.is_ipv4() => {
                if let Some(bits) = prefix_of_mask(mask) {
                    *prefix_bits = bits;
                    draft.has_prefix = true;
                    return;
                }
                "ones and then zeros, without gaps"
            }
            (Some(RestrictTarget::Net { .. }), Ok(_)) => "not of the address's family",
            (Some(RestrictTarget::Net { .. }), Err(_)) => "such as 255.255.255.0 or ffff:ffff::",
            (Some(_), _) => "only an address can have a mask",
            // The target was complained about; whether the mask fits it cannot be known.
            (None, _) => return,
        };
        let message = format!("`{}` is no mask for this line", value.shown());
        self.word_error(line, codes::BAD_MASK, &value, message, label);
    }

    pub(super) fn without_host_bits(
        &mut self,
        target: RestrictTarget,
        word: &Word<'_>,
    ) -> RestrictTarget {
        let RestrictTarget::Net {
            address,
            prefix_bits,
        } = target
        else {
            return target;
        };
        let net = clear_host_bits(address, prefix_bits);
        if net != address {
            self.notes.host_bits.push(HostBits {
                span: word.span.clone(),
                written: word.shown(),
                net: format!("{net}/{prefix_bits}"),
            });
        }
        RestrictTarget::Net {
            address: net,
            prefix_bits,
        }
    }

    /// One warning for all such lines: it is a habit, not many mistakes.
    pub(super) fn report_host_bits(&mut self) {
        const SHOWN: usize = 8;
        let all = std::mem::take(&mut self.notes.host_bits);
        let Some((first, rest)) = all.split_first() else {
            return;
        };
        let message = format!(
            "`{}` has bits under its mask; the rule is for the whole of {}",
            first.written, first.net
        );
        let mut complaint = Diagnostic::new(codes::HOST_BITS, first.span.clone(), message)
            .label(format!("write {}", first.net));
        if !rest.is_empty() {
            let each = |other: &HostBits| {
                format!(
                    "{}:{} is for {}",
                    other.span.file, other.span.line, other.net
                )
            };
            let mut lines: Vec<String> = rest.iter().take(SHOWN).map(each).collect();
            if rest.len() > SHOWN {
                lines.push(format!("and {} more", rest.len() - SHOWN));
            }
            complaint = complaint.help(format!("the same elsewhere: {}", lines.join(", ")));
        }
        self.report.push(complaint);
    }
}

fn consequence(target: RestrictTarget, word: &Word<'_>) -> String {
    match target {
        RestrictTarget::Default(_) => "the default access would stay OPEN".to_owned(),
        RestrictTarget::Source => "the servers we use would have the default access".to_owned(),
        RestrictTarget::Net { .. } => {
            format!("{} would have the access of a wider rule", word.shown())
        }
    }
}
