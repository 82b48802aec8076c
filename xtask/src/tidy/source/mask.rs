//! Blanks comments, strings and character literals, keeping every byte's place.

/// `text` with comments and literals as spaces; line breaks stay where they are.
pub(super) fn mask(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut word_before = false;
    while let Some(first) = rest.chars().next() {
        let skip = literal_length(rest, word_before);
        if skip > 0 {
            let (gone, kept) = rest.split_at(skip);
            blank(gone, &mut out);
            rest = kept;
            word_before = false;
        } else {
            if first.is_ascii() {
                out.push(first);
            } else {
                blank(&rest[..first.len_utf8()], &mut out);
            }
            word_before = first.is_alphanumeric() || first == '_';
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

fn blank(gone: &str, out: &mut String) {
    out.extend(
        gone.bytes()
            .map(|byte| if byte == b'\n' { '\n' } else { ' ' }),
    );
}

/// Bytes of the comment or literal that `rest` begins with; 0 if it begins with neither.
fn literal_length(rest: &str, word_before: bool) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    if rest.starts_with('\'') {
        return character(rest);
    }
    if rest.starts_with('"') {
        return quoted(rest, 0);
    }
    if word_before {
        return 0;
    }
    prefixed(rest)
}

/// `b"`, `c"`, `r"`, `r#"`, `br#"`, `cr"` and `b'` forms.
fn prefixed(rest: &str) -> usize {
    let letters = rest
        .bytes()
        .take(2)
        .take_while(|byte| matches!(byte, b'b' | b'c' | b'r'))
        .count();
    if letters == 0 {
        return 0;
    }
    let (prefix, after) = rest.split_at(letters);
    if prefix == "b" && after.starts_with('\'') {
        return match character(after) {
            0 => 0,
            length => letters + length,
        };
    }
    if !prefix.contains('r') {
        return if after.starts_with('"') {
            quoted(rest, letters)
        } else {
            0
        };
    }
    let hashes = after.bytes().take_while(|byte| *byte == b'#').count();
    if !after[hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let body = letters + hashes + 1;
    rest[body..]
        .find(&end)
        .map_or(rest.len(), |at| body + at + end.len())
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    let bytes = rest.as_bytes();
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// Length up to the closing quote; the opening one stands at `open`.
fn quoted(rest: &str, open: usize) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(open + 1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// A character literal, or 0 for a lifetime.
fn character(rest: &str) -> usize {
    let mut inside = rest[1..].chars();
    match inside.next() {
        Some('\\') => rest
            .char_indices()
            .skip(3)
            .find(|(_, c)| *c == '\'')
            .map_or(0, |(at, _)| at + 1),
        Some(c) if c != '\'' && inside.next() == Some('\'') => 2 + c.len_utf8(),
        _ => 0,
    }
}
