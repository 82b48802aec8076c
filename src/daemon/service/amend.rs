//! Lines of configuration that come by control messages: understood against the running
//! configuration, and answered in the reference's form.
use super::setup::{Setup, read_leap_table};
use crate::translate::keys::Keys;
use truechimer_config::{Diagnostic, NoFiles, Settings, Severity, parse, write};

/// What answers say of themselves when complaints name a file.
const NAME: &str = "remote configuration";

/// The running configuration with these lines added, or the complaint about the first line that
/// is not understood. One wrong line leaves all as it was: half a change may open what the other
/// half was to close.
pub(super) fn amend(running: &Settings, keys: &Keys, lines: &str) -> Result<Setup, String> {
    let base = write(running);
    let before = base.lines().count();
    let parsed = parse(NAME, format!("{base}{lines}\n").as_bytes(), &NoFiles);
    let added = |it: &&Diagnostic| line_of(it).is_some_and(|line| line > before);
    let mut errors = parsed
        .diagnostics
        .iter()
        .filter(|it| it.severity == Severity::Error);
    if let Some(error) = errors.clone().find(added) {
        let line = line_of(error).and_then(|line| lines.lines().nth(line - before - 1));
        return Err(complaint(line.unwrap_or_default(), error));
    }
    if errors.next().is_some() {
        return Err(
            "runtime configuration failed: the running configuration cannot be \
                    written down; restart with a corrected file"
                .to_owned(),
        );
    }
    let settings = parsed.settings;
    let keys = keys_for(running, keys, &settings)?;
    // Those that were to be said were said when the file was named.
    let mut remarks = Vec::new();
    Ok(Setup {
        leap_table: read_leap_table(&settings, &mut remarks),
        settings,
        keys,
        included: Vec::new(),
        remarks: Vec::new(),
    })
}

/// Another keys file is read; the one there is was read when it was named.
fn keys_for(running: &Settings, keys: &Keys, settings: &Settings) -> Result<Keys, String> {
    let file = |settings: &Settings| {
        let named = settings.authentication.keys_file.as_ref();
        named.map(|it| it.value.clone())
    };
    if file(running) == file(settings) {
        return Ok(keys.trusted_as(settings));
    }
    let loaded = Keys::load(settings);
    loaded.map(|loaded| loaded.keys).map_err(|error| {
        let name = file(settings).unwrap_or_default();
        format!("runtime configuration failed: {name}: {error}")
    })
}

fn line_of(diagnostic: &Diagnostic) -> Option<usize> {
    let span = diagnostic.span.as_ref()?;
    usize::try_from(span.line).ok()
}

/// The line, a rule that ends below what is wrong, and what that is.
fn complaint(line: &str, error: &Diagnostic) -> String {
    let column = error.span.as_ref().map_or(0, |span| span.column);
    let column = usize::try_from(column).unwrap_or(0).saturating_sub(1);
    let rule = "_".repeat(column);
    let (code, message) = (error.code, &error.message);
    let label = match error.label.as_str() {
        "" => String::new(),
        label => format!("; {label}"),
    };
    format!("{line}\n{rule}^\ncolumn {column} syntax error, {message}{label} [{code}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running() -> Settings {
        let text = b"server 192.0.2.1\nrestrict default nomodify\ntrustedkey 1\n";
        parse("test", text, &NoFiles).settings
    }

    #[test]
    fn lines_are_added_and_taken_away() {
        let setup = amend(&running(), &Keys::default(), "server 192.0.2.2 iburst");
        let settings = setup.expect("understood").settings;
        assert_eq!(settings.associations.len(), 2);
        let setup = amend(
            &settings,
            &Keys::default(),
            "unpeer 192.0.2.1\ntos minsane 2\n",
        );
        let settings = setup.expect("understood").settings;
        assert_eq!(settings.associations.len(), 1);
        assert_eq!((settings.tos.minsane, settings.restrictions.len()), (2, 1));
    }

    #[test]
    fn a_complaint_has_the_references_form() {
        let said = |lines: &str| {
            let refused = amend(&running(), &Keys::default(), lines);
            refused.err().expect("not understood")
        };
        let one = said("server 192.0.2.9 minpollx 3");
        let start = "server 192.0.2.9 minpollx 3\n_________________^\ncolumn 17 syntax error, ";
        assert!(one.starts_with(start), "{one}");
        assert!(one.contains("minpollx"), "{one}");
        let two = said("tos minsane 2\nserverx 192.0.2.9");
        assert!(
            two.starts_with("serverx 192.0.2.9\n^\ncolumn 0 syntax error, "),
            "{two}"
        );
        let other = said("keys /nonexistent/keys");
        assert!(
            other.starts_with("runtime configuration failed: "),
            "{other}"
        );
    }
}
