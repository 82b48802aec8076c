//! What was found in a packet, once, for people and for programs.
use core::fmt::Write;
use serde_json::{Map, Value};

/// A headline and what stands under it.
#[derive(Debug)]
pub(super) struct Part {
    title: String,
    name: &'static str,
    /// Whether there may be several of this name, so that JSON has a list of them.
    is_one_of_many: bool,
    lines: Vec<Line>,
}

#[derive(Debug)]
enum Line {
    Field {
        /// What people read; empty for what only programs are told.
        text: String,
        name: &'static str,
        value: Value,
    },
    Bits {
        text: String,
        name: &'static str,
        value: Value,
    },
    /// What we make of it; what is only a word on the meaning of values is shown if asked for.
    Note {
        text: String,
        is_detail: bool,
    },
    Part(Part),
}

impl Part {
    pub(super) fn new(title: impl Into<String>, name: &'static str) -> Self {
        Self {
            title: title.into(),
            name,
            is_one_of_many: false,
            lines: Vec::new(),
        }
    }

    pub(super) fn one_of_many(title: impl Into<String>, name: &'static str) -> Self {
        Self {
            is_one_of_many: true,
            ..Self::new(title, name)
        }
    }

    pub(super) fn field(
        &mut self,
        label: &str,
        text: impl core::fmt::Display,
        name: &'static str,
        value: impl Into<Value>,
    ) {
        self.lines.push(Line::Field {
            text: format!("{label}: {text}"),
            name,
            value: value.into(),
        });
    }

    /// Some bits of the octets above it, as `..10 0...`.
    pub(super) fn bits(
        &mut self,
        pattern: &str,
        text: &str,
        name: &'static str,
        value: impl Into<Value>,
    ) {
        self.lines.push(Line::Bits {
            text: format!("{pattern} = {text}"),
            name,
            value: value.into(),
        });
    }

    /// For programs alone.
    pub(super) fn value(&mut self, name: &'static str, value: impl Into<Value>) {
        self.lines.push(Line::Field {
            text: String::new(),
            name,
            value: value.into(),
        });
    }

    pub(super) fn note(&mut self, text: impl Into<String>) {
        self.lines.push(Line::Note {
            text: text.into(),
            is_detail: false,
        });
    }

    pub(super) fn detail(&mut self, text: impl Into<String>) {
        self.lines.push(Line::Note {
            text: text.into(),
            is_detail: true,
        });
    }

    pub(super) fn part(&mut self, part: Part) {
        self.lines.push(Line::Part(part));
    }

    /// A line a fact, parts indented by four more.
    pub(super) fn text(&self, details: bool) -> String {
        let mut text = String::new();
        self.write(&mut text, 0, details);
        text
    }

    fn write(&self, out: &mut String, indent: usize, details: bool) {
        // A string takes any write; there is nothing to fail, here and below.
        let _ = writeln!(out, "{:indent$}{}", "", self.title);
        let (inner, bits) = (indent + 4, indent + 8);
        for line in &self.lines {
            let _ = match line {
                Line::Field { text, .. } if text.is_empty() => continue,
                Line::Field { text, .. } => writeln!(out, "{:inner$}{text}", ""),
                Line::Bits { text, .. } => writeln!(out, "{:bits$}{text}", ""),
                Line::Note { is_detail, .. } if *is_detail && !details => continue,
                Line::Note { text, .. } => writeln!(out, "{:inner$}[{text}]", ""),
                Line::Part(part) => {
                    part.write(out, inner, details);
                    continue;
                }
            };
        }
    }

    /// Adds this part to the object of the whole.
    pub(super) fn put_into(&self, object: &mut Map<String, Value>) {
        let mut own = Map::new();
        for line in &self.lines {
            match line {
                Line::Field { name, value, .. } | Line::Bits { name, value, .. } => {
                    own.insert((*name).to_owned(), value.clone());
                }
                Line::Note {
                    is_detail: true, ..
                } => {}
                Line::Note { text, .. } => append(&mut own, "notes", text.as_str().into()),
                Line::Part(part) => part.put_into(&mut own),
            }
        }
        if self.is_one_of_many {
            append(object, self.name, own.into());
        } else {
            object.insert(self.name.to_owned(), own.into());
        }
    }
}

fn append(object: &mut Map<String, Value>, name: &str, value: Value) {
    let list = object
        .entry(name)
        .or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(list) = list {
        list.push(value);
    }
}

/// Octets as the reference's decoder shows them: capital hexadecimal digits without gaps.
pub(super) fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02X}");
        text
    })
}

/// A stranger's text, fit for a terminal.
pub(super) fn plain(octets: &[u8]) -> String {
    let mut text = String::new();
    for octet in octets {
        match octet {
            b' '..=b'~' if *octet != b'\\' => text.push(char::from(*octet)),
            b'\r' => text.push_str("\\r"),
            b'\n' => text.push_str("\\n"),
            b'\\' => text.push_str("\\\\"),
            other => {
                let _ = write!(text, "\\x{other:02x}");
            }
        }
    }
    text
}
