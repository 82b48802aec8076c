//! `hwtimestamp`: chrony's word, and the options of its that say something here.

use crate::codes;
use crate::lexer::{Line, Word};
use crate::settings::{HardwareStamping, StampFilter};

use super::report::Vocabulary;
use super::{Parser, limits};

#[derive(Clone, Copy)]
enum StampWord {
    Filter,
    ReceiveCorrection,
    TransmitCorrection,
}

const OPTIONS: &[(&str, StampWord)] = &[
    ("rxfilter", StampWord::Filter),
    ("rxcomp", StampWord::ReceiveCorrection),
    ("txcomp", StampWord::TransmitCorrection),
];

const FILTERS: &[(&str, StampFilter)] = &[
    ("all", StampFilter::All),
    ("ntp", StampFilter::Ntp),
    ("ptp", StampFilter::Ptp),
    ("none", StampFilter::None),
];

/// Longest correction: a stamp that needs more is taken somewhere else, seconds.
const CORRECTION_MAX_S: f64 = 1e-3;

impl Parser<'_> {
    /// `hwtimestamp IFACE|* [rxfilter F] [rxcomp S] [txcomp S]`.
    pub(super) fn hwtimestamp(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let Some(name) = line.token() else {
            self.missing(line, first, "an interface, or `*` for all");
            return;
        };
        let is_all = &*name.text == "*" && !name.quoted;
        if !is_all && !super::interface::is_name(&name.text) {
            let message = format!("`{}` is no interface", name.shown());
            let label = "the name of an interface, or `*`, belongs here";
            self.word_error(line, codes::BAD_INTERFACE_TARGET, &name, message, label);
        }
        let mut said = HardwareStamping {
            interface: (!is_all).then(|| name.text.to_string()),
            filter: StampFilter::All,
            receive_correction_s: 0.0,
            transmit_correction_s: 0.0,
        };
        let vocabulary = Vocabulary {
            what: "a `hwtimestamp` option",
            unknown: codes::UNKNOWN_OPTION,
            words: OPTIONS,
            of: "hwtimestamp",
        };
        let filters = Vocabulary {
            what: "`all`, `ntp`, `ptp` or `none`",
            unknown: codes::UNKNOWN_OPTION,
            words: FILTERS,
            of: "rxfilter",
        };
        while let Some(word) = line.token() {
            let range = -CORRECTION_MAX_S..=CORRECTION_MAX_S;
            match self.keyword(line, &word, &vocabulary) {
                Some(StampWord::Filter) => match line.token() {
                    Some(value) => {
                        if let Some(filter) = self.keyword(line, &value, &filters) {
                            said.filter = filter;
                        }
                    }
                    None => self.missing(line, &word, filters.what),
                },
                Some(StampWord::ReceiveCorrection) => {
                    if let Some(seconds) = self.number(line, &word, range, "s") {
                        said.receive_correction_s = seconds;
                    }
                }
                Some(StampWord::TransmitCorrection) => {
                    if let Some(seconds) = self.number(line, &word, range, "s") {
                        said.transmit_correction_s = seconds;
                    }
                }
                None => {}
            }
        }
        if line.broken {
            return;
        }
        let all = &mut self.settings.machine.hardware_stamping;
        all.retain(|it| it.interface != said.interface);
        if all.len() >= limits::RULES {
            self.too_many_rules(line, &name);
            return;
        }
        all.push(said);
    }
}
