//! Complaints as text, in the manner of rustc.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::grammar::limits::LINE_BYTES;

use super::{Diagnostic, Severity, Span};

/// Shows a complaint with the line it is about, a caret, its code and its help.
///
/// `source` is the whole text of the file the complaint points into
/// ([`Sources::text`](crate::Sources::text)); without it only the position is printed. `color` adds
/// terminal colours. Control characters from the file are made visible, never passed on.
#[must_use]
pub fn render(diagnostic: &Diagnostic, source: Option<&str>, color: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning | Severity::NotBuilt => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level
        .primary_title(diagnostic.message.as_str())
        .id(diagnostic.code);
    let located = diagnostic
        .span
        .as_ref()
        .map(|span| (span, excerpt(span, source.unwrap_or(""))));
    let mut group = match &located {
        Some((span, excerpt)) => {
            let caret = AnnotationKind::Primary.span(excerpt.caret.clone());
            let caret = if diagnostic.label.is_empty() {
                caret
            } else {
                caret.label(diagnostic.label.as_str())
            };
            title.element(
                Snippet::source(excerpt.line)
                    .line_start(span.line as usize)
                    .path(visible(&span.file))
                    .annotation(caret),
            )
        }
        None => annotate_snippets::Group::with_title(title),
    };
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    renderer.render(&[group])
}

/// The renderer passes a file's name on as it is.
fn visible(name: &str) -> String {
    let escape = |c: char| c.is_control().then(|| c.escape_debug().to_string());
    name.chars()
        .map(|c| escape(c).unwrap_or_else(|| c.to_string()))
        .collect()
}

struct Excerpt<'a> {
    line: &'a str,
    caret: std::ops::Range<usize>,
}

/// Only the one line is handed to the renderer: it indexes all it gets, and a large file with many
/// complaints would cost their product.
fn excerpt<'a>(span: &Span, source: &'a str) -> Excerpt<'a> {
    let start = span.bytes.start.min(source.len());
    let first = source
        .get(..start)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |at| at + 1);
    let rest = source.get(first..).unwrap_or("");
    let line = rest.split('\n').next().unwrap_or("").trim_end_matches('\r');
    let shown = (0..=LINE_BYTES.min(line.len()))
        .rev()
        .find(|at| line.is_char_boundary(*at));
    let line = &line[..shown.unwrap_or(0)];
    let from = (start - first).min(line.len());
    let to = span.bytes.end.saturating_sub(first).clamp(from, line.len());
    Excerpt {
        line,
        caret: from..to,
    }
}
