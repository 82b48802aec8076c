//! A Rust file with comments and literals blanked out, and which of its lines are tests.
//!
//! A word in a comment or a string breaks no rule, and a brace there ends no function.

mod mask;

use std::ops::Range;

/// One Rust file, taken apart.
pub(crate) struct Source {
    masked: String,
    line_starts: Vec<usize>,
    test_lines: Vec<bool>,
    test_modules: Vec<String>,
}

/// One function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// Line of `fn`, from 1.
    pub(crate) line: usize,
    /// Lines from `fn` to the closing brace, both included.
    pub(crate) lines: usize,
}

impl Source {
    /// Takes the file `name` apart.
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let masked = mask::mask(text);
        let line_starts: Vec<usize> = std::iter::once(0)
            .chain(masked.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        let test_lines = vec![false; line_starts.len()];
        let mut source = Self {
            masked,
            line_starts,
            test_lines,
            test_modules: Vec::new(),
        };
        source.find_tests(name);
        source
    }

    /// The text without comments and literals, byte for byte as long as the file.
    pub(crate) fn masked(&self) -> &str {
        &self.masked
    }

    /// Lines of the masked text, from 1, with whether each belongs to a test.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str, bool)> {
        self.masked
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line, self.is_test(index + 1)))
    }

    /// Module files (without `.rs`) that this file declares for tests only.
    pub(crate) fn test_modules(&self) -> &[String] {
        &self.test_modules
    }

    /// Counts the whole file as a test.
    pub(crate) fn mark_as_test(&mut self) {
        self.test_lines.fill(true);
    }

    /// Every function that has a body.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let mut found = Vec::new();
        for at in words(&self.masked, "fn") {
            let rest = &self.masked[at + 2..];
            let name: String = rest
                .trim_start()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if name.is_empty() {
                continue;
            }
            if let Some(end) = self
                .item_end(at)
                .filter(|end| self.masked[..*end].ends_with('}'))
            {
                let (first, last) = (self.line_of(at), self.line_of(end - 1));
                found.push(Function {
                    name,
                    line: first,
                    lines: last - first + 1,
                });
            }
        }
        found
    }

    /// Line of a byte, from 1.
    fn line_of(&self, at: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= at)
    }

    fn is_test(&self, line: usize) -> bool {
        self.test_lines.get(line - 1).copied().unwrap_or(false)
    }

    fn find_tests(&mut self, name: &str) {
        if self.masked.contains("#![cfg(test)]") {
            self.mark_as_test();
        }
        for range in attributes(&self.masked) {
            if !is_test_attribute(&self.masked[range.clone()]) {
                continue;
            }
            let end = self.item_end(range.end).unwrap_or(self.masked.len());
            if let Some(module) = declared_module(&self.masked[range.end..end]) {
                self.test_modules.push(module_file(name, &module));
            }
            let (first, last) = (self.line_of(range.start), self.line_of(end.max(1) - 1));
            for line in first..=last {
                self.test_lines[line - 1] = true;
            }
        }
    }

    /// End of the item that starts at `from`: past its `;`, or past its closing brace.
    fn item_end(&self, from: usize) -> Option<usize> {
        let (mut braces, mut others) = (0_usize, 0_usize);
        for (at, byte) in self.masked.bytes().enumerate().skip(from) {
            match byte {
                b'{' => braces += 1,
                b'}' if braces <= 1 => return Some(at + 1),
                b'}' => braces -= 1,
                b'(' | b'[' => others += 1,
                b')' | b']' => others = others.saturating_sub(1),
                // `[u8; 4]` in a signature ends nothing.
                b';' if braces == 0 && others == 0 => return Some(at + 1),
                _ => {}
            }
        }
        None
    }
}

/// Where `word` stands by itself in `text`.
pub(crate) fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| {
            let open = !word.starts_with(part) || !text[..*at].ends_with(part);
            let shut = !word.ends_with(part) || !text[at + word.len()..].starts_with(part);
            open && shut
        })
}

fn attributes(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (start, _) in text.match_indices("#[") {
        let mut depth = 0_usize;
        for (at, byte) in text.bytes().enumerate().skip(start) {
            match byte {
                b'[' => depth += 1,
                b']' if depth == 1 => {
                    found.push(start..at + 1);
                    break;
                }
                b']' => depth -= 1,
                _ => {}
            }
        }
    }
    found
}

fn is_test_attribute(attribute: &str) -> bool {
    let inside = attribute
        .trim_start_matches("#[")
        .trim_end_matches(']')
        .trim();
    let conditional = inside.starts_with("cfg(") && words(inside, "test").next().is_some();
    inside == "test" || (conditional && !inside.contains("not(test"))
}

/// `mod name;` after an attribute names a file.
fn declared_module(item: &str) -> Option<String> {
    let before = item.trim().strip_suffix(';')?;
    let (_, name) = before.rsplit_once("mod ")?;
    let name = name.trim();
    name.chars()
        .all(|c| c.is_alphanumeric() || c == '_')
        .then(|| name.to_owned())
}

/// Path without `.rs` of the module `module` declared in `file`.
fn module_file(file: &str, module: &str) -> String {
    let stem = file.strip_suffix(".rs").unwrap_or(file);
    let (folder, own) = stem.rsplit_once('/').unwrap_or(("", stem));
    match own {
        "lib" | "main" | "mod" => format!("{folder}/{module}"),
        _ => format!("{stem}/{module}"),
    }
}

#[cfg(test)]
mod tests;
