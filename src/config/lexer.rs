//! Lines into words, by the reference's rules: a line is a command, `#` outside quotes begins a
//! comment wherever it stands, quotes glue to the word before them, and some characters are words
//! of their own, except where a string is expected.

use std::borrow::Cow;
use std::sync::Arc;

use crate::diagnostic::Span;

/// Characters that are words of their own where no string is expected.
const SPECIAL: &str = "{}(),;|=";

/// One line as it stands in the file, its comment cut off.
#[derive(Debug, Clone)]
pub(crate) struct RawLine<'t> {
    /// From 1.
    pub(crate) number: u32,
    /// Byte offset of the line in the file.
    pub(crate) start: usize,
    /// The line without comment and line end.
    pub(crate) content: &'t str,
    /// Offset in `content` of a quote that is not closed.
    pub(crate) open_quote: Option<usize>,
}

/// A word and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Word<'t> {
    pub(crate) text: Cow<'t, str>,
    pub(crate) span: Span,
    /// Quoted words are never keywords.
    pub(crate) quoted: bool,
}

impl Word<'_> {
    /// The word for a message: short, and with nothing in it that a terminal would obey.
    pub(crate) fn shown(&self) -> String {
        shown(&self.text)
    }
}

pub(crate) fn shown(text: &str) -> String {
    const SHOWN_CHARS: usize = 48;
    let mut out: String = text
        .chars()
        .take(SHOWN_CHARS)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(SHOWN_CHARS).is_some() {
        out.push('\u{2026}');
    }
    // Quotes are harmless on a terminal and `\'` would look like part of the word.
    out.replace("\\'", "'").replace("\\\"", "\"")
}

/// Splits a text into lines. A byte-order mark at its start is passed over.
pub(crate) fn raw_lines(text: &str) -> impl Iterator<Item = RawLine<'_>> {
    let mut start = 0;
    let mut number = 0_u32;
    text.split_inclusive('\n').map(move |whole| {
        let at = start;
        start += whole.len();
        number = number.saturating_add(1);
        let mark = if at == 0 && whole.starts_with('\u{feff}') {
            '\u{feff}'.len_utf8()
        } else {
            0
        };
        let line = whole[mark..].trim_end_matches('\n');
        let (end, open_quote) = end_of_content(line);
        RawLine {
            number,
            start: at + mark,
            content: &line[..end],
            open_quote,
        }
    })
}

fn end_of_content(line: &str) -> (usize, Option<usize>) {
    let mut open_quote = None;
    for (at, byte) in line.bytes().enumerate() {
        match (byte, open_quote) {
            (b'"', None) => open_quote = Some(at),
            (b'"', Some(_)) => open_quote = None,
            (b'#', None) => return (at, None),
            _ => {}
        }
    }
    (line.len(), open_quote)
}

/// A line being read word by word.
#[derive(Debug, Clone)]
pub(crate) struct Line<'t> {
    file: Arc<str>,
    number: u32,
    start: usize,
    content: &'t str,
    at: usize,
    column: u32,
    /// Where the last word ended, for complaints about what is missing after it.
    last_end: (usize, u32),
    /// Set by a complaint that is an error: the line then leaves nothing in the settings.
    pub(crate) broken: bool,
    /// What would be unsafe if the line were left out, for lines that guard something.
    pub(crate) consequence: Option<Cow<'static, str>>,
    /// The directive has no effect yet, so that its options need no word.
    pub(crate) unbuilt: bool,
}

impl<'t> Line<'t> {
    pub(crate) fn new(file: Arc<str>, raw: &RawLine<'t>) -> Self {
        Self {
            file,
            number: raw.number,
            start: raw.start,
            content: raw.content,
            at: 0,
            column: 1,
            last_end: (0, 1),
            broken: false,
            consequence: None,
            unbuilt: false,
        }
    }

    /// A line whose words will not be complained about.
    pub(crate) fn unnamed(raw: &RawLine<'t>) -> Self {
        Self::new(Arc::from(""), raw)
    }

    /// The whole line, its comment cut off.
    pub(crate) const fn content(&self) -> &'t str {
        self.content
    }

    /// The next word where keywords and numbers may stand.
    pub(crate) fn token(&mut self) -> Option<Word<'t>> {
        self.word(|c| SPECIAL.contains(c))
    }

    /// The next word where a string must stand: a file, a host.
    pub(crate) fn string(&mut self) -> Option<Word<'t>> {
        self.word(|_| false)
    }

    /// The next word as [`Self::token`] would give it.
    pub(crate) fn peek(&self) -> Option<Word<'t>> {
        self.clone().token()
    }

    /// The empty place after the last word read.
    pub(crate) fn end(&self) -> Span {
        let (at, column) = self.last_end;
        self.span(at, at, column)
    }

    /// The place of `range` in this line's content.
    pub(crate) fn place(&self, range: std::ops::Range<usize>) -> Span {
        let column = u32::try_from(self.content[..range.start].chars().count()).unwrap_or(u32::MAX);
        self.span(range.start, range.end, column.saturating_add(1))
    }

    fn span(&self, from: usize, to: usize, column: u32) -> Span {
        Span {
            file: Arc::clone(&self.file),
            line: self.number,
            column,
            bytes: self.start + from..self.start + to,
        }
    }

    fn word(&mut self, stands_alone: impl Fn(char) -> bool) -> Option<Word<'t>> {
        self.advance(|rest| rest.find(|c: char| !c.is_whitespace()));
        let (from, column) = (self.at, self.column);
        let first = self.content[from..].chars().next()?;
        if stands_alone(first) {
            self.advance(|_| Some(first.len_utf8()));
        } else {
            self.advance(|rest| {
                rest.find(|c: char| c.is_whitespace() || c == '"' || stands_alone(c))
            });
        }
        let bare = &self.content[from..self.at];
        let mut text = Cow::Borrowed(bare);
        let quoted = !stands_alone(first) && self.content[self.at..].starts_with('"');
        if quoted {
            let inner = self.content[self.at + 1..].split('"').next().unwrap_or("");
            text = if bare.is_empty() {
                Cow::Borrowed(inner)
            } else {
                Cow::Owned(format!("{bare}{inner}"))
            };
            self.advance(|rest| Some((inner.len() + 2).min(rest.len())));
        }
        self.last_end = (self.at, self.column);
        Some(Word {
            text,
            span: self.span(from, self.at, column),
            quoted,
        })
    }

    fn advance(&mut self, by: impl Fn(&str) -> Option<usize>) {
        let rest = &self.content[self.at..];
        let passed = &rest[..by(rest).unwrap_or(rest.len())];
        self.at += passed.len();
        let columns = u32::try_from(passed.chars().count()).unwrap_or(u32::MAX);
        self.column = self.column.saturating_add(columns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, strings: bool) -> Vec<(String, u32)> {
        let mut out = Vec::new();
        for raw in raw_lines(text) {
            let mut line = Line::new("f".into(), &raw);
            while let Some(word) = if strings { line.string() } else { line.token() } {
                assert!(text.get(word.span.bytes.clone()).is_some());
                out.push((word.text.into_owned(), word.span.column));
            }
        }
        out
    }

    fn texts(text: &str, strings: bool) -> Vec<String> {
        words(text, strings)
            .into_iter()
            .map(|(word, _)| word)
            .collect()
    }

    #[test]
    fn a_comment_begins_anywhere_outside_quotes() {
        assert_eq!(
            texts("server a#b c\n# d\n\"e # f\" g", false),
            ["server", "a", "e # f", "g"]
        );
    }

    #[test]
    fn quotes_glue_to_the_word_before_and_end_the_word() {
        assert_eq!(texts("a\"b c\"d \"\"", false), ["ab c", "d", ""]);
    }

    #[test]
    fn specials_stand_alone_only_where_no_string_is_expected() {
        assert_eq!(
            texts("x (1 ... 3) a=b", false),
            ["x", "(", "1", "...", "3", ")", "a", "=", "b"]
        );
        assert_eq!(texts("/a(b)=c", true), ["/a(b)=c"]);
    }

    #[test]
    fn columns_count_characters_and_spans_count_bytes() {
        assert_eq!(
            words("\u{e9}\u{e9} b", false),
            [("\u{e9}\u{e9}".into(), 1), ("b".into(), 4)]
        );
    }

    #[test]
    fn crlf_and_byte_order_mark_are_passed_over() {
        assert_eq!(texts("\u{feff}a b\r\nc\r\n", true), ["a", "b", "c"]);
    }

    #[test]
    fn an_open_quote_is_found_and_its_word_runs_to_the_end() {
        let raw: Vec<_> = raw_lines("a \"b # c\nd").collect();
        assert_eq!(raw[0].open_quote, Some(2));
        assert_eq!(raw[1].open_quote, None);
        assert_eq!(texts("a \"b # c", true), ["a", "b # c"]);
    }

    #[test]
    fn words_in_messages_cannot_steer_a_terminal() {
        assert_eq!(shown("a\u{1b}[31m\"'"), "a\\u{1b}[31m\"'");
        assert_eq!(shown(&"x".repeat(100)).chars().count(), 49);
    }
}
