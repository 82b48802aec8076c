//! `includefile`, and the folder `ntp.d` beside the configuration.

use std::sync::Arc;

use crate::codes::{self, Code};
use crate::diagnostic::{Diagnostic, Span};
use crate::lexer::{self, Line, Word};

use super::{Parser, limits};

/// Read after the configuration it stands beside, as NTPsec does.
const FOLDER_BESIDE: &str = "ntp.d";
/// What is read of a folder.
const SUFFIX: &str = ".conf";

impl Parser<'_> {
    /// `includefile FILE`, or all `*.conf` of a folder. A relative path begins where the file that
    /// names it is.
    pub(super) fn includefile(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let Some(path) = self.only_path(line, first) else {
            return;
        };
        let from = self.open_files.last().map_or("", |file| &**file);
        let name = beside(from, &path.value);
        match self.loader.list(&name) {
            Ok(None) => self.include(&name, Some(&path.span)),
            listed => self.include_folder(&name, listed, Some(&path.span)),
        }
    }

    /// Reads `ntp.d/*.conf` beside the file the configuration began with.
    pub(super) fn include_beside(&mut self, file_name: &str) {
        let folder = beside(file_name, FOLDER_BESIDE);
        match self.loader.list(&folder) {
            Ok(None) => {}
            listed => {
                self.ended = false;
                self.include_folder(&folder, listed, None);
            }
        }
    }

    fn include_folder(
        &mut self,
        folder: &str,
        listed: Result<Option<Vec<String>>, crate::LoadError>,
        span: Option<&Span>,
    ) {
        let mut names = match listed {
            Ok(names) => names.unwrap_or_default(),
            Err(error) => {
                let message = format!("cannot include `{}`: {error}", lexer::shown(folder));
                self.refuse(codes::CANNOT_INCLUDE, span, message);
                return;
            }
        };
        // A hidden file is an editor's or a packager's, not the operator's.
        names.retain(|name| name.ends_with(SUFFIX) && !name.starts_with('.'));
        names.sort_unstable();
        for name in names {
            self.include(&format!("{}/{name}", folder.trim_end_matches('/')), span);
        }
    }

    /// Reads a file. `span` is of the line that names it, if one does.
    fn include(&mut self, name: &str, span: Option<&Span>) {
        let shown = lexer::shown(name);
        let name: Arc<str> = Arc::from(name);
        if self.open_files.contains(&name) {
            let message = format!("`{shown}` includes itself");
            self.refuse(codes::INCLUDE_LOOP, span, message);
            return;
        }
        // The first open file is the configuration itself, which is no include.
        if self.open_files.len() > limits::INCLUDE_DEPTH {
            let message = format!("includes are more than {} deep", limits::INCLUDE_DEPTH);
            self.refuse(codes::INCLUDE_TOO_DEEP, span, message);
            return;
        }
        if self.includes >= limits::INCLUDES || self.included_bytes >= limits::INCLUDED_BYTES {
            let message = format!(
                "more than {} files or {} MiB are included",
                limits::INCLUDES,
                limits::INCLUDED_BYTES >> 20
            );
            self.refuse(codes::TOO_MANY_INCLUDES, span, message);
            return;
        }
        self.includes += 1;
        match self.loader.load(&name) {
            Ok(bytes) => {
                self.included_bytes = self.included_bytes.saturating_add(bytes.len());
                self.file(&name, &bytes);
            }
            Err(error) => {
                let message = format!("cannot include `{shown}`: {error}");
                self.refuse(codes::CANNOT_INCLUDE, span, message);
            }
        }
    }

    fn refuse(&mut self, code: Code, span: Option<&Span>, message: String) {
        let complaint = match span {
            Some(span) => Diagnostic::new(code, span.clone(), message).label("not included"),
            None => Diagnostic::unplaced(code, message),
        };
        self.report.push(
            complaint
                .guarding()
                .help("its lines may hold access rules, so nothing starts without them"),
        );
    }
}

/// `path` as seen from the folder of `file`.
fn beside(file: &str, path: &str) -> String {
    match file.rfind('/') {
        Some(end) if !path.starts_with('/') => format!("{}/{path}", &file[..end]),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::beside;

    #[test]
    fn relative_paths_begin_at_the_file() {
        assert_eq!(beside("/etc/ntp.conf", "x"), "/etc/x");
        assert_eq!(beside("/ntp.conf", "x/y"), "/x/y");
        assert_eq!(beside("/etc/ntp.conf", "/x"), "/x");
        assert_eq!(beside("ntp.conf", "x"), "x");
    }
}
