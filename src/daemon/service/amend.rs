//! Lines of configuration that come by control messages: understood against the running
//! configuration, and answered in the reference's form.
use super::setup::{Remark, Setup, read_leap_table};
use crate::autokey;
use crate::translate::keys::Keys;
use truechimer_config::settings::Located;
use truechimer_config::{Diagnostic, NoFiles, Settings, Severity, codes, lint, parse, write};

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
    if let Some(words) = not_built(lines) {
        return Err(format!("runtime configuration failed: {words}"));
    }
    let left_out = [codes::AUTOKEY_OFF.id, codes::IDENT_ALONE.id];
    let mut all = parsed.diagnostics.iter().filter(added);
    if let Some(unproven) = all.find(|it| left_out.contains(&it.code)) {
        return Err(format!(
            "runtime configuration failed: {}",
            unproven.message
        ));
    }
    if errors.next().is_some() {
        return Err(
            "runtime configuration failed: the running configuration cannot be \
                    written down; restart with a corrected file"
                .to_owned(),
        );
    }
    let earlier = lint(running);
    let mut told = lint(&parsed.settings);
    let often = |all: &[Diagnostic], code| all.iter().filter(|it| it.code == code).count();
    // What is said of a configuration as a whole would point to its last line each time.
    let news: Vec<&str> = (told.iter().map(|it| it.code))
        .filter(|code| often(&told, *code) > often(&earlier, *code))
        .collect();
    told.retain(|it| it.severity != Severity::Note && news.contains(&it.code));
    told.extend(parsed.diagnostics);
    let remarks = told.iter().filter(added).map(remark).collect();
    let settings = parsed.settings;
    if let Some(word) = local_word(running, &settings) {
        return Err(format!(
            "runtime configuration failed: {word} is read from the configuration's file alone"
        ));
    }
    let keys = keys_for(running, keys, &settings)?;
    // Those that were to be said were said when the file was named.
    Ok(Setup {
        leap_table: read_leap_table(&settings, &mut Vec::new()),
        autokey: autokey::read(&settings, &autokey::machine(), &mut Vec::new()),
        settings,
        keys,
        included: Vec::new(),
        remarks,
    })
}

/// What is to be known of a line that was taken all the same.
fn remark(of: &Diagnostic) -> Remark {
    let help = of.help.as_ref().map(|help| format!("; {help}"));
    let (code, message) = (of.code, &of.message);
    Remark {
        level: match of.severity {
            Severity::Note => log::Level::Info,
            _ => log::Level::Warn,
        },
        text: format!("{NAME}: [{code}] {message}{}", help.unwrap_or_default()),
    }
}

/// What of the lines is known and has no effect: who asks from afar must not be told it was done.
fn not_built(lines: &str) -> Option<String> {
    let alone = parse(NAME, format!("{lines}\n").as_bytes(), &NoFiles);
    let mut all = alone.diagnostics.into_iter();
    let found = all.find(|it| it.severity == Severity::NotBuilt)?;
    Some(found.message)
}

/// What was changed that no request may, as in the reference: who could name the files that are
/// written would have us write anywhere.
fn local_word(running: &Settings, wanted: &Settings) -> Option<&'static str> {
    let names = |settings: &Settings| {
        let (files, flags) = (&settings.files, &settings.flags);
        let monitoring = &settings.monitoring;
        let gens = monitoring.file_gens.iter();
        let gens: Vec<_> = gens
            .filter(|(_, it)| (it.file.as_ref(), it.period, it.link) != (None, None, None))
            .map(|(kind, it)| format!("{kind:?} {:?} {:?} {:?}", it.file, it.period, it.link))
            .collect();
        let file = |name: &Option<Located<String>>| name.as_ref().map(|it| it.value.clone());
        let flag = |set: bool| Some(set.to_string());
        [
            ("crypto or keysdir", Some(autokey_files(settings))),
            ("driftfile", file(&files.drift)),
            ("logfile", file(&files.log)),
            ("pidfile", file(&files.pid)),
            ("saveconfigdir", file(&files.save_config)),
            ("statsdir", file(&monitoring.stats_dir)),
            ("filegen file, type or link", Some(gens.join("\n"))),
            ("enable or disable mode7", flag(flags.mode7)),
            ("enable or disable stats", flag(flags.stats)),
        ]
    };
    let changed = names(running).into_iter().zip(names(wanted));
    let mut changed = changed.filter(|((_, before), (_, after))| before != after);
    changed.next().map(|((word, _), _)| word)
}

/// Who could name key files and their password could have us be another host.
fn autokey_files(settings: &Settings) -> String {
    let said = &settings.autokey;
    let legacy = said.legacy_files.iter();
    let legacy: Vec<_> = legacy.map(|(which, it)| (which, &it.value)).collect();
    let words = ([&said.host, &said.digest], &said.idents);
    let password = said.password.as_ref().map(|it| it.expose());
    let folder = said.keys_dir.as_ref().map(|it| &it.value);
    let on = (said.is_on(), said.insecure, said.threads, &said.cores);
    format!("{on:?} {words:?} {password:?} {folder:?} {legacy:?}")
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
    let name = file(settings).unwrap_or_default();
    let failed = |why: String| format!("runtime configuration failed: {name}: {why}");
    let loaded = Keys::load(settings).map_err(|error| failed(error.to_string()))?;
    if loaded.count == 0 {
        // Nobody would be let in to take it back.
        return Err(failed("it holds no key".to_owned()));
    }
    Ok(loaded.keys)
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
    // Why a start would be refused is no news for a daemon that runs.
    let message = error.message.split("; not starting, ").next();
    let (code, message) = (error.code, message.unwrap_or_default());
    let label = match error.label.as_str() {
        "" => String::new(),
        label => format!("; {label}"),
    };
    format!("{line}\n{rule}^\ncolumn {column} syntax error, {message}{label} [{code}]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;

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
    fn modes_of_many_come_and_go_and_leave_the_others() {
        let lines = "peer 192.0.2.7 key 1\nbroadcast 224.0.1.1 key 1 ttl 2\n\
                     manycastclient 239.1.1.1 key 1\nmulticastclient 224.0.1.1\n";
        let setup = amend(&running(), &Keys::default(), lines);
        let settings = setup.expect("understood").settings;
        assert_eq!(settings.associations.len(), 4);
        assert_eq!(settings.broadcasting.multicast_groups.len(), 1);
        let lines = "unpeer 224.0.1.1\nunconfig 192.0.2.7\nunpeer 239.1.1.1\n";
        let setup = amend(&settings, &Keys::default(), lines);
        let settings = setup.expect("understood").settings;
        assert_eq!(
            settings.associations,
            amend(&running(), &Keys::default(), "")
                .expect("nothing")
                .settings
                .associations
        );
    }

    #[test]
    fn what_is_to_be_known_of_the_new_lines_is_told() {
        let remarks = |lines: &str| {
            let setup = amend(&running(), &Keys::default(), lines).expect("understood");
            let texts = setup.remarks.into_iter().map(|it| it.text);
            texts.collect::<Vec<_>>()
        };
        assert!(
            remarks("tos minsane 1").is_empty(),
            "the old lines are no news"
        );
        assert!(remarks("server 192.0.2.2").is_empty(), "still too few");
        let said = remarks("broadcast 224.0.1.1");
        assert!(
            said.len() == 1 && said[0].contains("[TC1012]") && said[0].contains("add `key N`"),
            "{said:?}"
        );
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
        let guard = said("restrict default noqueryx");
        assert!(!guard.contains("not starting"), "{guard}");
        assert!(guard.contains("did you mean `noquery`?"), "{guard}");
        let vain = said("tick 0.01");
        assert!(vain.contains("not built yet"), "{vain}");
        let unproven = said("server 192.0.2.9 autokey");
        assert!(
            unproven.contains("wants Autokey, which is off"),
            "{unproven}"
        );
        let other = said("keys /nonexistent/keys");
        assert!(
            other.starts_with("runtime configuration failed: "),
            "{other}"
        );
    }

    #[test]
    fn what_names_files_that_are_written_is_not_changed_from_afar() {
        let text = "driftfile /a/drift\nfilegen loopstats file loops type week enable\n";
        let running = parse("test", text.as_bytes(), &NoFiles).settings;
        for lines in [
            "driftfile /etc/victim",
            "logfile /etc/victim",
            "pidfile /etc/victim",
            "saveconfigdir /etc",
            "statsdir /etc/",
            "filegen loopstats file victim",
            "filegen peerstats type none",
            "filegen loopstats nolink",
            "enable mode7",
            "disable stats",
            "crypto pw other",
            "keysdir /home/mallory",
            "tos minsane 2\nsaveconfigdir /etc",
        ] {
            let refused = amend(&running, &Keys::default(), lines).err();
            let refused = refused.unwrap_or_else(|| panic!("taken: {lines}"));
            assert!(
                refused.contains("from the configuration's file alone"),
                "{refused}"
            );
        }
        for lines in [
            "statistics loopstats",
            "filegen loopstats disable",
            "driftfile /a/drift",
        ] {
            let taken = amend(&running, &Keys::default(), lines);
            assert!(taken.is_ok(), "{lines}: {:?}", taken.err());
        }
    }

    #[test]
    fn a_file_without_keys_locks_nobody_out() {
        let scratch = Scratch::new("amend-keys");
        let path = scratch.path("keys");
        std::fs::write(&path, "root:x:0:0\n").expect("writable");
        let line = format!("keys {}", path.display());
        let refused = amend(&running(), &Keys::default(), &line).err();
        assert!(refused.is_some_and(|said| said.contains("no key")));
        std::fs::write(&path, "1 M secret\n").expect("writable");
        assert!(amend(&running(), &Keys::default(), &line).is_ok());
    }
}
