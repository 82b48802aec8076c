//! The grammar: which words a line may have and what they set.
//!
//! To add a directive: a handler beside the others, a row in `directives.rs`, its fields in
//! [`Settings`], and its word struck from `not_built.rs`.

mod access;
mod association;
mod association_options;
mod authentication;
mod autokey;
mod broadcasting;
mod directives;
pub(crate) mod drivers;
mod engine;
mod files;
mod hardware;
mod host;
mod includes;
mod interface;
mod machine;
mod monitoring;
mod net;
mod not_built;
mod ntpsec;
mod poll_skew;
mod rates;
mod refclock;
mod report;
mod simulate;
mod system;
mod tos_tinker;
mod undo;
mod values;

use std::sync::Arc;

use crate::codes;
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::lexer::{self, Line, RawLine, Word};
use crate::settings::Settings;
use crate::source::{Loader, Sources};
use report::Report;

/// Bounds on what a configuration may hold, so that no text can exhaust the daemon.
pub mod limits {
    /// Greatest size of one file, bytes.
    pub const FILE_BYTES: usize = 1 << 20;
    /// Greatest length of one line, bytes.
    pub const LINE_BYTES: usize = 4096;
    /// Most `server` and `pool` lines and reference clocks, and most `fudge` lines.
    pub const ASSOCIATIONS: usize = 1024;
    /// Most `restrict` lines, and most `interface` lines.
    pub const RULES: usize = 4096;
    /// How deep includes may nest, as in the reference.
    pub const INCLUDE_DEPTH: usize = 5;
    /// Most files included in all.
    pub const INCLUDES: usize = 64;
    /// Once so much was included, bytes, nothing more is.
    pub const INCLUDED_BYTES: usize = 4 << 20;
    /// Most variables set by `setvar`.
    pub const VARIABLES: usize = 256;
    /// Most complaints kept; the rest is counted.
    pub const DIAGNOSTICS: usize = 1000;
}

/// What came of a configuration.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// What the lines without errors say.
    pub settings: Settings,
    /// Every complaint in the order of the lines, and then those that took all lines to see.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts, to show complaints in.
    pub sources: Sources,
}

impl Parsed {
    /// Whether any line was not understood; a daemon must then not start.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether a line that guards access or authentication was not understood; a daemon must not
    /// start then even if it is told to carry on past errors.
    #[must_use]
    pub fn has_open_guards(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.guards)
    }

    /// All complaints as text, empty if there are none.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        self.sources.render_all(&self.diagnostics, color)
    }
}

/// Reads a configuration.
///
/// `file_name` is for complaints, and where relative paths begin. Files named by `includefile`, and
/// `ntp.d/*.conf` beside `file_name`, are asked of `loader`. Nothing in `text` makes this fail or
/// stop early: complaints are in [`Parsed::diagnostics`].
#[must_use]
pub fn parse(file_name: &str, text: &[u8], loader: &dyn Loader) -> Parsed {
    parse_all(&[(file_name, text)], loader)
}

/// Reads several texts, each with its name, as one configuration: as if the later lines stood
/// after the earlier ones, but that an `end` ends its own text only. For what a command line adds.
#[must_use]
pub fn parse_all(texts: &[(&str, &[u8])], loader: &dyn Loader) -> Parsed {
    let mut parser = Parser {
        loader,
        settings: Settings::default(),
        report: Report::default(),
        unbuilt: not_built::Met::default(),
        sources: Sources::default(),
        open_files: Vec::new(),
        includes: 0,
        included_bytes: 0,
        ended: false,
        block: None,
        notes: Notes::default(),
    };
    for (at, (name, text)) in texts.iter().enumerate() {
        parser.ended = false;
        parser.file(&Arc::from(*name), text);
        if at == 0 {
            parser.include_beside(name);
        }
    }
    parser.attach_fudges();
    parser.report_host_bits();
    parser.check_clock_limits();
    parser.leave_out_autokey();
    parser.report_unbuilt();
    Parsed {
        settings: parser.settings,
        diagnostics: parser.report.finish(),
        sources: parser.sources,
    }
}

/// What is remembered between lines but is no setting.
#[derive(Default)]
struct Notes {
    fudges: Vec<refclock::Pending>,
    /// Clocks that a line asked for but that are not in the settings: their fudges are no orphans.
    absent_clocks: Vec<(u8, u8)>,
    /// Restrict lines whose host bits were cleared.
    host_bits: Vec<access::HostBits>,
    /// A trustedkey line was read, and whether the remark on a second one was made.
    trusted_keys_seen: bool,
    trusted_keys_noted: bool,
    /// Where `tos minclock` or `maxclock` was last set.
    clock_limits: Option<Span>,
}

struct Parser<'l> {
    loader: &'l dyn Loader,
    settings: Settings,
    report: Report,
    unbuilt: not_built::Met,
    sources: Sources,
    /// The file being read and those that include it.
    open_files: Vec<Arc<str>>,
    includes: usize,
    included_bytes: usize,
    /// An `end` line was read.
    ended: bool,
    /// A `simulate` block that is not closed yet.
    block: Option<simulate::OpenBlock>,
    notes: Notes,
}

impl Parser<'_> {
    fn file(&mut self, name: &Arc<str>, bytes: &[u8]) {
        if bytes.len() > limits::FILE_BYTES {
            let span = Span {
                file: Arc::clone(name),
                line: 1,
                column: 1,
                bytes: 0..0,
            };
            let message = format!("`{}` is larger than 1 MiB", lexer::shown(name));
            self.report
                .push(Diagnostic::new(codes::FILE_TOO_LARGE, span, message).guarding());
            return;
        }
        let (text, replaced) = decode(bytes);
        self.sources.add(Arc::clone(name), &text);
        self.open_files.push(Arc::clone(name));
        let mut replaced = replaced.as_slice();
        for raw in lexer::raw_lines(&text) {
            if self.ended {
                break;
            }
            let line_end = raw.start + raw.content.len();
            let next_line = text[line_end..]
                .find('\n')
                .map_or(text.len(), |at| line_end + at + 1);
            let here = replaced.partition_point(|at| *at < next_line);
            let (bad, later) = replaced.split_at(here);
            replaced = later;
            self.line(name, &raw, &text[..next_line], bad);
        }
        self.close_block();
        self.open_files.pop();
    }

    /// Reads a line. `bad` are the offsets of replaced bytes in it, comment included.
    fn line(&mut self, name: &Arc<str>, raw: &RawLine<'_>, text: &str, bad: &[usize]) {
        let mut line = Line::new(Arc::clone(name), raw);
        if let Some(first) = line.peek() {
            line.consequence = directives::consequence(&first, !self.report.is_full());
        }
        self.check_line_end(&mut line, raw, text);
        if raw.content.len() > limits::LINE_BYTES {
            let message = "this line is longer than 4096 bytes and was not read";
            self.say(&mut line, |line| {
                Diagnostic::new(codes::LINE_TOO_LONG, line.end(), message)
            });
            return;
        }
        if self.block.is_some() {
            self.pass_over(&mut line);
            return;
        }
        self.check_text(&mut line, raw, text, bad);
        if !line.broken
            && let Some(first) = line.token()
        {
            self.directive(&mut line, &first);
        }
    }

    fn directive(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let Some(directive) = directives::find(first) else {
            self.unknown_directive(line, first);
            return;
        };
        self.note_unbuilt(line, "", directive.name, first);
        (directive.handler)(self, line, first);
    }

    fn report_unbuilt(&mut self) {
        if let Some(complaint) = self.unbuilt.complaint() {
            self.report.push(complaint);
        }
    }

    fn unknown_directive(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let shown = first.shown();
        let near = if self.report.is_full() {
            None
        } else {
            directives::near(first)
        };
        self.say(line, |_| {
            let message = format!("`{shown}` is not an ntp.conf directive");
            let span = first.span.clone();
            let label = near.map_or("unknown word".into(), |near| {
                format!("did you mean `{near}`?")
            });
            let complaint = Diagnostic::new(codes::UNKNOWN_DIRECTIVE, span, message).label(label);
            if near == Some("broadcast") {
                return complaint.help(
                    "`broadcast` sends the time to a group; with `manycastclient` a client looks \
                     for servers in one, with `manycastserver` it finds us",
                );
            }
            complaint
        });
    }

    /// A carriage return ends a line only before a line feed. In a file that parts its lines by it
    /// alone, all that follows a comment would be comment, access rules as well.
    fn check_line_end(&mut self, line: &mut Line<'_>, raw: &RawLine<'_>, text: &str) {
        let whole = text.get(raw.start..).unwrap_or("").trim_end();
        let Some(at) = whole.find('\r') else { return };
        let column = whole.get(..at).map_or(0, |before| before.chars().count());
        let span = Span {
            column: u32::try_from(column).unwrap_or(u32::MAX).saturating_add(1),
            bytes: raw.start + at..raw.start + at + 1,
            ..line.place(0..0)
        };
        self.say(line, |_| {
            let message = "a carriage return alone ends no line, so what follows it is not read \
                           as lines";
            Diagnostic::new(codes::CONTROL_CHARACTER, span, message)
                .help("convert the file, for instance with `tr '\\r' '\\n'`")
                .guarding()
        });
    }

    /// Complains about the line's text, before its words are looked at.
    fn check_text(&mut self, line: &mut Line<'_>, raw: &RawLine<'_>, text: &str, bad: &[usize]) {
        let content_end = raw.start + raw.content.len();
        if let Some(at) = bad.first() {
            let whole = text.get(raw.start..).unwrap_or("");
            let from = at.saturating_sub(raw.start);
            let in_comment = *at >= content_end;
            let column = whole.get(..from).map_or(0, |before| before.chars().count());
            let span = Span {
                column: u32::try_from(column).unwrap_or(u32::MAX).saturating_add(1),
                bytes: *at..at + '\u{fffd}'.len_utf8(),
                ..line.place(0..0)
            };
            let (code, what) = if in_comment {
                (codes::NOT_UTF8_COMMENT, "this comment is not UTF-8")
            } else {
                (codes::NOT_UTF8, "this line is not UTF-8")
            };
            self.say(line, |_| {
                Diagnostic::new(code, span, what)
                    .help("convert the file, for instance with `iconv -f latin1 -t utf8`")
            });
        }
        if let Some(at) = raw.open_quote {
            self.say(line, |line| {
                Diagnostic::new(
                    codes::OPEN_QUOTE,
                    line.place(at..at + 1),
                    "this quote is not closed",
                )
                .help("a string ends on the line it begins on")
            });
        }
        for (at, c) in raw.content.char_indices() {
            let code = match c {
                ' ' | '\t' | '\r' | '\u{b}' | '\u{c}' => continue,
                c if c.is_whitespace() => codes::ODD_BLANK,
                c if c.is_control() => codes::CONTROL_CHARACTER,
                _ => continue,
            };
            let number = u32::from(c);
            self.say(line, |line| {
                let what = if code == codes::ODD_BLANK {
                    "blank"
                } else {
                    "control character"
                };
                let message = format!("there is an unusual {what} (U+{number:04X}) in this line");
                Diagnostic::new(code, line.place(at..at + c.len_utf8()), message)
                    .help("it may have come from a web page; type the line anew")
            });
            break;
        }
    }
}

/// The text, with each byte sequence that is not UTF-8 replaced by U+FFFD, and where those are.
fn decode(bytes: &[u8]) -> (String, Vec<usize>) {
    let mut text = String::with_capacity(bytes.len());
    let mut replaced = Vec::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            replaced.push(text.len());
            text.push('\u{fffd}');
        }
    }
    (text, replaced)
}
