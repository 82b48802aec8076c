//! Any text is a configuration or a list of complaints that can be shown, includes and all; a
//! configuration that is written is read again as the same.
#![no_main]

use core::cell::Cell;
use libfuzzer_sys::fuzz_target;
use truechimer_config::{LoadError, Loader, NoFiles, limits, lint, parse, write};

/// Included files are the text itself, so that they nest; but few, for each costs as much again.
struct Mirror<'a> {
    text: &'a [u8],
    left: Cell<u8>,
}

impl Loader for Mirror<'_> {
    fn load(&self, path: &str) -> Result<Vec<u8>, LoadError> {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        match path.len() % 4 {
            0 => Err(LoadError::NotFound),
            1 => Err(LoadError::Other(path.to_owned())),
            _ if left == 0 => Err(LoadError::Denied),
            _ => Ok(self.text.to_vec()),
        }
    }

    fn list(&self, path: &str) -> Result<Option<Vec<String>>, LoadError> {
        match path.len() % 8 {
            5 => Ok(Some(vec![
                format!("{}.conf", path.len()),
                "a.conf".to_owned(),
            ])),
            6 => Err(LoadError::Denied),
            _ => Ok(None),
        }
    }
}

/// Complaints shown: the others are drawn by the same hand, and drawing takes most of the time.
const SHOWN: usize = 2;

fuzz_target!(|text: &[u8]| {
    let mirror = Mirror {
        text,
        left: Cell::new(6),
    };
    let parsed = parse("ntp.conf", text, &mirror);
    assert!(parsed.settings.associations.len() <= limits::ASSOCIATIONS);
    // One more says how many were left out.
    assert!(parsed.diagnostics.len() <= limits::DIAGNOSTICS + 1);
    assert!(parsed.has_errors() || !parsed.has_open_guards());
    let some = parsed.diagnostics.len().min(SHOWN);
    let shown = parsed
        .sources
        .render_all(&parsed.diagnostics[..some], false);
    assert_eq!(shown.is_empty(), parsed.diagnostics.is_empty());
    for unwise in lint(&parsed.settings).iter().take(1) {
        let _ = parsed
            .sources
            .render_all(core::slice::from_ref(unwise), true);
    }
    let written = write(&parsed.settings);
    let again = parse("written", written.as_bytes(), &NoFiles);
    assert!(!again.has_errors(), "{written}\n{}", again.render(false));
    // A logarithm may come back with another last digit.
    if !written.contains("allan") {
        assert_eq!(write(&again.settings), written);
    }
});
