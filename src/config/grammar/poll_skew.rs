//! `pollskewlist`.

use crate::codes;
use crate::lexer::{Line, Word};
use crate::settings::PollSkew;

use super::Parser;
use super::machine::GREATEST;

impl Parser<'_> {
    /// `pollskewlist [POLL|default EARLY "|" LATE]...`, seconds below half the interval.
    pub(super) fn pollskewlist(&mut self, line: &mut Line<'_>, _first: &Word<'_>) {
        let mut list: Vec<PollSkew> = Vec::new();
        while let Some(word) = line.token() {
            // After a slip nothing tells which of the numbers is which.
            let Some(skew) = self.poll_skew(line, &word) else {
                return;
            };
            list.retain(|known| known.poll_log2_s != skew.poll_log2_s);
            list.push(skew);
        }
        self.settings.machine.poll_skew = Some(list);
    }

    fn poll_skew(&mut self, line: &mut Line<'_>, word: &Word<'_>) -> Option<PollSkew> {
        let poll_log2_s = if word.text == "default" {
            None
        } else {
            let poll = word.text.parse::<u8>().ok();
            let Some(poll) = poll.filter(|poll| (3..=17).contains(poll)) else {
                let message = format!("`{}` is no poll interval", word.shown());
                let label = "3 to 17 or `default` belongs here";
                self.word_error(line, codes::OUT_OF_RANGE, word, message, label);
                return None;
            };
            Some(poll)
        };
        let greatest_s = poll_log2_s.map_or(GREATEST, |poll| (1 << (poll - 1)) - 1);
        let early_s = self.small(line, word, 0..=greatest_s)?;
        if line.token().is_none_or(|bar| bar.text != "|" || bar.quoted) {
            self.missing(line, word, "`EARLY | LATE`");
            return None;
        }
        let late_s = self.small(line, word, 0..=greatest_s)?;
        Some(PollSkew {
            poll_log2_s,
            early_s,
            late_s,
        })
    }
}
