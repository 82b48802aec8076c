//! The keys file against what the configuration makes of it.
use super::codes;
use crate::translate::keys::{Keys, Loaded};
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use truechimer_config::settings::{Located, Settings};
use truechimer_config::{Code, Diagnostic, Span};
use truechimer_crypto::{KeyComplaint, KeyTable};
use truechimer_proto::authentication::KeyId;

/// Keys named in one complaint; the rest is counted.
const NAMED: usize = 8;

pub(super) fn check(settings: &Settings, found: &mut Vec<Diagnostic>) {
    let Some(file) = &settings.authentication.keys_file else {
        return;
    };
    match Keys::load(settings) {
        Ok(loaded) => {
            judge_file(file, &loaded, found);
            if let Some(table) = loaded.keys.table() {
                judge_keys(settings, file, table, found);
            }
        }
        Err(error) => found.push(unreadable(file, &error)),
    }
}

fn at(file: &Located<String>, code: Code, message: String) -> Diagnostic {
    Diagnostic::new(code, file.span.clone(), message)
}

fn unreadable(file: &Located<String>, error: &io::Error) -> Diagnostic {
    let message = format!("{}: {error}", file.value);
    let complaint = at(file, codes::KEYS_UNREADABLE, message).label("nothing can be authenticated");
    complaint.help(match error.kind() {
        io::ErrorKind::NotFound => "make one with a line such as `1 AES128CMAC SECRET`",
        io::ErrorKind::PermissionDenied => {
            "give it to root and the daemon's group: chown root:ntp, chmod 0640"
        }
        _ => "name the right file",
    })
}

fn judge_file(file: &Located<String>, loaded: &Loaded, found: &mut Vec<Diagnostic>) {
    found.extend(loaded.complaints.iter().map(|one| of_line(file, one)));
    if let Some(warning) = &loaded.warning {
        let (what, remedy) = warning.split_once("; ").unwrap_or((warning, ""));
        let complaint = at(file, codes::KEYS_FILE_OPEN, what.to_owned());
        found.push(complaint.label("too open").help(remedy));
    }
}

/// Points into the keys file, whose text is shown to nobody.
fn of_line(file: &Located<String>, complaint: &KeyComplaint) -> Diagnostic {
    let number = |at: usize| u32::try_from(at.max(1)).unwrap_or(u32::MAX);
    let span = Span {
        file: Arc::from(file.value.as_str()),
        line: number(complaint.line),
        column: number(complaint.column),
        bytes: 0..0,
    };
    let code = if complaint.refused {
        codes::KEY_LINE_REFUSED
    } else {
        codes::KEY_LINE_ODD
    };
    Diagnostic::new(code, span, complaint.what.clone()).help(complaint.remedy)
}

fn judge_keys(
    settings: &Settings,
    file: &Located<String>,
    table: &KeyTable,
    found: &mut Vec<Diagnostic>,
) {
    let id = |key: u16| KeyId::symmetric(u32::from(key));
    let has = |key: u16| id(key).is_some_and(|id| table.contains(id));
    let mut used = BTreeSet::new();
    for (key, span) in settings.used_keys() {
        if used.insert(key) && !has(key) {
            let message = format!("key {key} is used and not in {}", file.value);
            found.push(
                Diagnostic::new(codes::KEY_MISSING, span.clone(), message)
                    .label("used here")
                    .help(format!(
                        "add a line such as `{key} AES128CMAC SECRET` there"
                    )),
            );
        }
    }
    // A range is a wish for whatever keys there may come to be; a single key is meant.
    let ranges = settings.authentication.trusted_keys.ranges();
    let single = ranges.filter(|range| range.start() == range.end());
    let single = single.map(|range| *range.start());
    let absent: Vec<u16> = single
        .filter(|key| !has(*key) && !used.contains(key))
        .collect();
    if !absent.is_empty() {
        let message = format!(
            "trusted and not in {}: {}",
            file.value,
            named("key", &absent)
        );
        let complaint = at(file, codes::KEY_MISSING, message).label("not in here");
        found.push(complaint.help("add them there, or take them off the trustedkey line"));
    }
    let trusted = table.ids().filter(|id| table.is_trusted(*id));
    let ids: BTreeSet<KeyId> = trusted
        .chain(used.iter().filter_map(|key| id(*key)))
        .collect();
    let weak = ids
        .into_iter()
        .filter(|id| table.algorithm(*id) == Some("MD5"));
    let weak: Vec<u32> = weak.map(KeyId::get).collect();
    if !weak.is_empty() {
        let message = format!("MD5 protects little (RFC 6151): {}", named("key", &weak));
        let complaint = at(file, codes::MD5_KEY, message).label("they are in here");
        found.push(complaint.help("make new ones of type AES128CMAC (RFC 8573), on both sides"));
    }
}

fn named<T: ToString>(what: &str, all: &[T]) -> String {
    let plural = if all.len() == 1 { "" } else { "s" };
    let some: Vec<String> = all.iter().take(NAMED).map(ToString::to_string).collect();
    let more = match all.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{what}{plural} {}{more}", some.join(", "))
}
