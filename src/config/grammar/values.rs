//! Numbers and file names after a word.

use std::ops::RangeInclusive;

use crate::codes;
use crate::lexer::{Line, Word};
use crate::settings::Located;

use super::Parser;

impl Parser<'_> {
    /// The whole number after `word`, within `range`; `None` has been complained about.
    pub(super) fn integer(
        &mut self,
        line: &mut Line<'_>,
        word: &Word<'_>,
        range: RangeInclusive<i64>,
    ) -> Option<i64> {
        let value = self.value(line, word, "a whole number")?;
        let Ok(number) = value.text.parse::<i64>() else {
            let message = format!("`{}` is not a whole number", value.shown());
            self.word_error(
                line,
                codes::BAD_NUMBER,
                &value,
                message,
                "a whole number belongs here",
            );
            return None;
        };
        if !range.contains(&number) {
            let (least, most) = range.into_inner();
            let message = format!("`{} {number}` is out of range", word.shown());
            let label = if most == i64::MAX {
                format!("must be at least {least}")
            } else {
                format!("must be {least} to {most}")
            };
            self.word_error(line, codes::OUT_OF_RANGE, &value, message, label);
            return None;
        }
        Some(number)
    }

    /// A whole number that fits a smaller type. The range given must fit it.
    pub(super) fn small<T: TryFrom<i64>>(
        &mut self,
        line: &mut Line<'_>,
        word: &Word<'_>,
        range: RangeInclusive<i64>,
    ) -> Option<T> {
        self.integer(line, word, range)
            .and_then(|number| T::try_from(number).ok())
    }

    /// The number after `word`, within `range`; `unit` is named in the complaint.
    pub(super) fn number(
        &mut self,
        line: &mut Line<'_>,
        word: &Word<'_>,
        range: RangeInclusive<f64>,
        unit: &str,
    ) -> Option<f64> {
        let value = self.value(line, word, "a number")?;
        let plain = value
            .text
            .bytes()
            .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
        let number = value
            .text
            .parse::<f64>()
            .ok()
            .filter(|number| plain && number.is_finite());
        let Some(number) = number else {
            let message = format!("`{}` is not a number", value.shown());
            self.word_error(
                line,
                codes::BAD_NUMBER,
                &value,
                message,
                "a number belongs here",
            );
            return None;
        };
        if !range.contains(&number) {
            let message = format!("`{} {}` is out of range", word.shown(), value.shown());
            let label = format!("must be {} to {} {unit}", range.start(), range.end());
            self.word_error(line, codes::OUT_OF_RANGE, &value, message, label);
            return None;
        }
        Some(number)
    }

    /// The whole number that is all of the rest of a directive's line.
    pub(super) fn only_integer<T: TryFrom<i64>>(
        &mut self,
        line: &mut Line<'_>,
        first: &Word<'_>,
        range: RangeInclusive<i64>,
    ) -> Option<T> {
        let number = self.small(line, first, range);
        self.no_more(line, first);
        number.filter(|_| !line.broken)
    }

    /// The number that is all of the rest of a directive's line.
    pub(super) fn only_number(
        &mut self,
        line: &mut Line<'_>,
        first: &Word<'_>,
        range: RangeInclusive<f64>,
        unit: &str,
    ) -> Option<f64> {
        let number = self.number(line, first, range, unit);
        self.no_more(line, first);
        number.filter(|_| !line.broken)
    }

    /// `0`, `1`, `true` or `false` after `word`.
    pub(super) fn boolean(&mut self, line: &mut Line<'_>, word: &Word<'_>) -> Option<bool> {
        let said = line.peek().filter(|value| !value.quoted);
        if let Some(said @ ("true" | "false")) = said.as_ref().map(|value| &*value.text) {
            line.token();
            return Some(said == "true");
        }
        self.integer(line, word, 0..=1).map(|number| number == 1)
    }

    /// The file name that is all of the rest of a directive's line.
    pub(super) fn only_path(
        &mut self,
        line: &mut Line<'_>,
        first: &Word<'_>,
    ) -> Option<Located<String>> {
        let path = self.path(line, first);
        self.no_more(line, first);
        path.filter(|_| !line.broken)
    }

    /// The file name after `word`, not empty.
    pub(super) fn path(&mut self, line: &mut Line<'_>, word: &Word<'_>) -> Option<Located<String>> {
        let Some(value) = line.string() else {
            self.missing(line, word, "a file name");
            return None;
        };
        if value.text.is_empty() {
            let message = format!("`{}` has an empty file name", word.shown());
            self.word_error(
                line,
                codes::EMPTY_PATH,
                &value,
                message,
                "a file name belongs here",
            );
            return None;
        }
        Some(Located {
            value: value.text.into_owned(),
            span: value.span,
        })
    }

    /// The string after `word`, not empty; `what` is named in the complaint.
    pub(super) fn text(
        &mut self,
        line: &mut Line<'_>,
        word: &Word<'_>,
        what: &str,
    ) -> Option<String> {
        match line.string() {
            Some(value) if !value.text.is_empty() => Some(value.text.into_owned()),
            _ => {
                self.missing(line, word, what);
                None
            }
        }
    }

    fn value<'t>(&mut self, line: &mut Line<'t>, word: &Word<'_>, what: &str) -> Option<Word<'t>> {
        let value = line.token();
        if value.is_none() {
            self.missing(line, word, what);
        }
        value
    }
}
