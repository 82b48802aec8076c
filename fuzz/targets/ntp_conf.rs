//! Any text is a configuration or a list of complaints that can be shown, includes and all.
#![no_main]

use libfuzzer_sys::fuzz_target;
use truechimer_config::{LoadError, Loader, limits, lint, parse};

/// Every included file is the text itself, so that includes nest as deep as the parser lets them.
struct Mirror<'a>(&'a [u8]);

impl Loader for Mirror<'_> {
    fn load(&self, path: &str) -> Result<Vec<u8>, LoadError> {
        match path.len() % 4 {
            0 => Err(LoadError::NotFound),
            1 => Err(LoadError::Other(path.to_owned())),
            _ => Ok(self.0.to_vec()),
        }
    }
}

fuzz_target!(|text: &[u8]| {
    let parsed = parse("ntp.conf", text, &Mirror(text));
    assert!(parsed.settings.associations.len() <= limits::ASSOCIATIONS);
    // One more says how many were left out.
    assert!(parsed.diagnostics.len() <= limits::DIAGNOSTICS + 1);
    let shown = parsed.render(false);
    assert_eq!(shown.is_empty(), parsed.diagnostics.is_empty());
    if !parsed.has_errors() {
        let _ = parsed.sources.render_all(&lint(&parsed.settings), true);
    }
});
