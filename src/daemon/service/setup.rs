//! What the files say, read together so that it is believed or refused together.
use crate::autokey::{self, Reading};
use crate::calendar::now_unix_s;
use crate::files::config::Origin;
use crate::files::leap;
use crate::service::launch::Launch;
use crate::translate::keys::Keys;
use core::fmt;
use std::io;
use std::path::PathBuf;
use truechimer_config::{Diagnostic, LoadError, Parsed, Settings, Severity};
use truechimer_time::leap::LeapTable;

/// What the files say.
pub struct Setup {
    /// The configuration.
    pub settings: Settings,
    /// The keys.
    pub keys: Keys,
    /// The keys of Autokey, where it is on and they could be read.
    pub(crate) autokey: Option<Reading>,
    /// The leap second table, where one was named and good.
    pub leap_table: Option<LeapTable>,
    /// Files that were read as parts of the configuration, beside its first.
    pub included: Vec<PathBuf>,
    /// What is to be said of it all, in order.
    pub remarks: Vec<Remark>,
}

impl Setup {
    /// Whether the keys file was read, if one is named.
    pub const fn keys_are_whole(&self) -> bool {
        self.settings.authentication.keys_file.is_none() || self.keys.table().is_some()
    }
}

/// A line for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// How much it matters.
    pub level: log::Level,
    /// The line.
    pub text: String,
}

impl Remark {
    /// Writes it to the log.
    pub fn say(&self) {
        log::log!(self.level, "{}", self.text);
    }
}

/// Why there is nothing to run on.
#[derive(Debug)]
pub enum Refused {
    /// The configuration cannot be read.
    Unreadable {
        /// Which.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// It has errors.
    Wrong(Box<Parsed>),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { name, error } => write!(f, "{name}: {error}"),
            Self::Wrong(parsed) => f.write_str(&parsed.render(false)),
        }
    }
}

impl core::error::Error for Refused {}

impl Refused {
    /// In a few words.
    pub const fn summary(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "the configuration cannot be read",
            Self::Wrong(_) => "the configuration is not understood",
        }
    }

    /// Whether a file was there and could not be opened for want of permission.
    pub fn is_denied(&self) -> bool {
        match self {
            Self::Unreadable { error, .. } => error.kind() == io::ErrorKind::PermissionDenied,
            Self::Wrong(parsed) => {
                let denied = LoadError::Denied.to_string();
                let mut all = parsed.diagnostics.iter();
                all.any(|diagnostic| {
                    diagnostic.message.contains(&denied) || diagnostic.label.contains(&denied)
                })
            }
        }
    }

    /// For the log, a line each.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Unreadable { .. } => vec![self.to_string()],
            Self::Wrong(parsed) => {
                let errors = parsed.diagnostics.iter();
                errors
                    .filter(|diagnostic| diagnostic.severity == Severity::Error)
                    .map(one_line)
                    .collect()
            }
        }
    }
}

/// Reads configuration, with the lines that the command line adds, keys and leap seconds.
///
/// # Errors
/// A configuration that cannot be read or has errors; if the launch is lenient, only one with errors
/// in lines that guard access or keys, for without such a line more would be open than was meant.
/// Keys and leap seconds that cannot be had are remarks: time without them is better than none.
pub fn read(origin: &Origin, launch: &Launch) -> Result<Setup, Refused> {
    let (parsed, included) =
        origin
            .read_all(&launch.lines)
            .map_err(|error| Refused::Unreadable {
                name: origin.name(),
                error,
            })?;
    let carry_on = launch.lenient && !parsed.has_open_guards();
    if parsed.has_errors() && !carry_on {
        return Err(Refused::Wrong(Box::new(parsed)));
    }
    let mut remarks: Vec<Remark> = origin
        .remark()
        .into_iter()
        .map(|text| remark(log::Level::Warn, text))
        .collect();
    remarks.extend(parsed.diagnostics.iter().map(of_diagnostic));
    if parsed.has_errors() {
        let text = format!("{}: lines with errors are left out", origin.name());
        remarks.push(remark(log::Level::Error, text));
    }
    let keys = read_keys(&parsed.settings, &mut remarks);
    let leap_table = read_leap_table(&parsed.settings, &mut remarks);
    let autokey = autokey::read(&parsed.settings, &autokey::machine(), &mut remarks);
    Ok(Setup {
        settings: parsed.settings,
        keys,
        autokey,
        leap_table,
        included,
        remarks,
    })
}

fn read_keys(settings: &Settings, remarks: &mut Vec<Remark>) -> Keys {
    let Some(named) = &settings.authentication.keys_file else {
        return Keys::default();
    };
    match Keys::load(settings) {
        Ok(loaded) => {
            for complaint in &loaded.complaints {
                let text = format!("{}: {complaint}", named.value);
                remarks.push(remark(log::Level::Warn, text));
            }
            remarks.extend(loaded.warning.map(|text| remark(log::Level::Warn, text)));
            let text = format!("{}: {} keys", named.value, loaded.count);
            remarks.push(remark(log::Level::Info, text));
            loaded.keys
        }
        Err(error) => {
            let text = format!("{}: {error}; nothing can be authenticated", named.value);
            remarks.push(remark(log::Level::Error, text));
            Keys::default()
        }
    }
}

pub(super) fn read_leap_table(settings: &Settings, remarks: &mut Vec<Remark>) -> Option<LeapTable> {
    let legacy = autokey::leap_file(&settings.autokey);
    let named = settings.files.leap.as_ref();
    let path = named.map(|it| PathBuf::from(&it.value)).or(legacy)?;
    let path = path.as_path();
    match leap::load(path, settings.files.check_leap_hash) {
        Ok(table) => {
            remarks.push(remark(log::Level::Info, leap::describe(path, &table)));
            let age = leap::complaint_of_age(path, &table, now_unix_s());
            remarks.extend(age.map(|text| remark(log::Level::Warn, text)));
            Some(table)
        }
        Err(error) => {
            let name = path.display();
            let text = format!("leapsecond file ('{name}'): {error}; not used");
            remarks.push(remark(log::Level::Error, text));
            None
        }
    }
}

const fn remark(level: log::Level, text: String) -> Remark {
    Remark { level, text }
}

fn of_diagnostic(diagnostic: &Diagnostic) -> Remark {
    let level = match diagnostic.severity {
        Severity::Note => log::Level::Info,
        Severity::NotBuilt | Severity::Warning => log::Level::Warn,
        Severity::Error => log::Level::Error,
    };
    remark(level, one_line(diagnostic))
}

/// `ntp.conf:3:10: [E012] message; help`
fn one_line(diagnostic: &Diagnostic) -> String {
    let place = diagnostic.span.as_ref().map_or_else(String::new, |span| {
        format!("{}:{}:{}: ", span.file, span.line, span.column)
    });
    let mut text = format!("{place}[{}] {}", diagnostic.code, diagnostic.message);
    if let Some(help) = &diagnostic.help {
        text.push_str("; ");
        text.push_str(help);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use std::fs;

    #[test]
    fn an_error_names_file_line_and_column() {
        let scratch = Scratch::new("setup");
        let path = scratch.path("ntp.conf");
        fs::write(&path, "server 192.0.2.1\nrestrict default noqyery\n").expect("writable");
        let refused = read(&Origin::File(path.clone()), &Launch::truechimer())
            .err()
            .expect("an error");
        let lines = refused.lines();
        assert_eq!(lines.len(), 1);
        let place = format!("{}:2:18: ", path.display());
        assert!(lines[0].starts_with(&place), "{lines:?}");
        let missing = read(&Origin::File(scratch.path("none")), &Launch::truechimer())
            .err()
            .expect("an error");
        assert!(missing.lines()[0].contains("No such file"));
    }

    #[test]
    fn lenient_carries_on_but_never_past_a_line_that_guards() {
        let scratch = Scratch::new("setup-lenient");
        let path = scratch.path("ntp.conf");
        let origin = Origin::File(path.clone());
        fs::write(&path, "serveur a\ntinker panik 0\nserver 192.0.2.1\n").expect("writable");
        assert!(read(&origin, &Launch::truechimer()).is_err());
        let setup = read(&origin, &Launch::ntpd()).expect("the rest applies");
        assert_eq!(setup.settings.associations.len(), 1);
        let errors = setup.remarks.iter();
        let errors: Vec<&str> = errors
            .filter(|remark| remark.level == log::Level::Error)
            .map(|remark| remark.text.as_str())
            .collect();
        assert_eq!(errors.len(), 3, "two places and a summary: {errors:?}");
        assert!(errors[0].contains("ntp.conf:1:1: ") && errors[1].contains("ntp.conf:2:8: "));
        for guard in [
            "restrict default noqyery",
            "restrct default ignore",
            "interface lisen all",
            "nic x all",
            "enable aut",
            "disable x",
            "keys",
            "trustedkey x",
            "controlkey x",
            "requestkey x",
            "crypto pw",
            "includefile /nonexistent/x",
            "restrict:default ignore",
            "server 192.0.2.2 restrict default ignore",
            "access default ignore",
            "bind 127.0.0.1",
            "confdir /etc/ntp/conf.d",
            "// restrict default ignore",
            "driftfile /var/lib/driftrestrict default ignore",
            "rst default noquery nomodify",
            "r\0e\0s\0t\0r\0i\0c\0t\0 \0d\0e\0f\0a\0u\0l\0t\0",
            "driftfile /drift\rrestrict default ignore",
            "# a comment\rrestrict default ignore",
            "end of servers\nrestrict default noqyery",
        ] {
            fs::write(&path, format!("server 192.0.2.1\n{guard}\n")).expect("writable");
            assert!(read(&origin, &Launch::ntpd()).is_err(), "{guard}");
        }
        fs::write(&path, "end of servers\nrestrict default ignore\n").expect("writable");
        let setup = read(&origin, &Launch::ntpd()).expect("the rest applies");
        assert_eq!(setup.settings.restrictions.len(), 1);
    }

    #[test]
    fn a_carriage_return_alone_hides_nothing() {
        let scratch = Scratch::new("setup-return");
        let path = scratch.path("ntp.conf");
        let origin = Origin::File(path.clone());
        for hidden in [
            "# a comment\rrestrict default ignore\n",
            "server 192.0.2.1 # x\rrestrict default ignore\r\n",
            "# a comment\rrestrict default ignore\rserver 192.0.2.1\r",
        ] {
            fs::write(&path, hidden).expect("writable");
            let refused = read(&origin, &Launch::truechimer()).err().expect("refused");
            assert!(refused.to_string().contains("carriage return"), "{refused}");
        }
        fs::write(&path, "# a comment\r\r\nserver 192.0.2.1\r\n\r\n").expect("writable");
        assert!(read(&origin, &Launch::truechimer()).is_ok());
    }

    #[test]
    fn bad_keys_and_leap_seconds_are_remarks() {
        let scratch = Scratch::new("setup-files");
        let path = scratch.path("ntp.conf");
        let text = "server 192.0.2.1\nkeys /nonexistent/keys\nleapfile /nonexistent/leap\n";
        fs::write(&path, text).expect("writable");
        let setup = read(&Origin::File(path), &Launch::truechimer()).expect("good enough");
        let errors = setup.remarks.iter();
        let errors: Vec<&str> = errors
            .filter(|remark| remark.level == log::Level::Error)
            .map(|remark| remark.text.as_str())
            .collect();
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(setup.leap_table.is_none() && setup.keys.table().is_none());
    }
}
