//! `ntp-genkeys`, ntp-keygen's name until NTP 4.1: sixteen MD5 keys in a file that carries its filestamp.
//! Its other targets went to ntp-keygen; an option that only that knows hands everything to it.

use super::ntp_keygen;
use crate::calendar::ctime;
use crate::cli::{print, print_error};
use crate::exit::Exit;
use crate::keygen::folder::KeyFolder;
use crate::keygen::{self, Place};
use lexopt::prelude::*;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use truechimer_crypto::keys;

const USAGE: &str = "\
ntp-genkeys - make a file of MD5 keys, as NTP 4.1 had it
Usage:  ntp-genkeys [ -dfhlnt ] [ -c CONFFILE ] [ -g TARGETS ] [ -k KEYFILE ]
   -h           make the keys in the current folder, and no link
   -k KEYFILE   the link to the keys, in whose folder they are made (ntp.keys)
   -l           make no link
   -f           let the link replace what is there
   -n           say what would be done, and do nothing
   -g TARGETS   m: MD5 keys; r: RSA keys, which ntp-keygen makes; d: Diffie-Hellman, which went
   -c CONFFILE  not read: give the place with -k
   -d, -t       no effect; -t destroyed the old keys
   -?           this text
Other options are ntp-keygen's; see ntp-keygen -?.
";
/// What the link is called where nothing else is said.
const LINK: &str = "ntp.keys";

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wish {
    folder: PathBuf,
    /// The link, and the first part of the file's name.
    name: String,
    makes_link: bool,
    replaces: bool,
    only_says: bool,
    /// What to say about options that mean less than they did.
    notes: Vec<&'static str>,
}

enum Asked {
    Keys(Wish),
    /// Options of the generations since.
    Keygen,
    Help,
}

/// Does what the arguments say, without the program's name.
pub(super) fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    match parse(arguments.iter().cloned()) {
        Ok(Asked::Help) => {
            print(USAGE);
            Exit::Good
        }
        Ok(Asked::Keygen) => ntp_keygen::main(arguments),
        Ok(Asked::Keys(wish)) => {
            for note in &wish.notes {
                print_error(&format!("ntp-genkeys: {note}\n"));
            }
            match Place::here().map_err(|error| error.to_string()) {
                Ok(place) => told(make(&wish, &place)),
                Err(error) => told(Err(error)),
            }
        }
        Err(error) => told(Err(format!("{error}\n{USAGE}"))),
    }
}

fn told(outcome: Result<String, String>) -> Exit {
    match outcome {
        Ok(said) => {
            print(&said);
            Exit::Good
        }
        Err(error) => {
            print_error(&format!("ntp-genkeys: {}\n", error.trim_end()));
            Exit::Failed
        }
    }
}

fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Asked, lexopt::Error> {
    let mut wish = Wish {
        folder: PathBuf::from("."),
        name: LINK.to_owned(),
        makes_link: true,
        replaces: false,
        only_says: false,
        notes: Vec::new(),
    };
    let mut targets = String::from("m");
    let mut is_here = false;
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') => (is_here, wish.makes_link) = (true, false),
            Short('l') => wish.makes_link = false,
            Short('f') => wish.replaces = true,
            Short('n') => wish.only_says = true,
            Short('d') => {}
            Short('t') => wish
                .notes
                .push("-t: old keys are left alone; remove them when no host has them any more"),
            Short('g') => targets = parser.value()?.string()?,
            Short('k') => wish.place(&parser.value()?)?,
            Short('c') => {
                let _ = parser.value()?;
                wish.notes
                    .push("-c: the configuration is not read; give the keys' place with -k");
            }
            Short('?') | Long("help") => return Ok(Asked::Help),
            Short(_) | Long(_) => return Ok(Asked::Keygen),
            Value(_) => return Err(argument.unexpected()),
        }
    }
    if is_here {
        wish.folder = PathBuf::from(".");
    }
    for target in targets.chars() {
        match target {
            'm' => {}
            'r' => wish.notes.push(
                "-g r: RSA keys come with a certificate now: ntp-keygen -H, and -T on the trusted host",
            ),
            'd' => wish
                .notes
                .push("-g d: nothing has used Diffie-Hellman parameters since NTP 4.2"),
            other => return Err(format!("-g {other}: the targets are d, m and r").into()),
        }
    }
    if !targets.contains('m') {
        return Err(format!(
            "-g {targets}: no MD5 keys wanted, so nothing is made; {}",
            wish.notes.join("; ")
        )
        .into());
    }
    Ok(Asked::Keys(wish))
}

impl Wish {
    fn place(&mut self, path: &OsString) -> Result<(), lexopt::Error> {
        let path = Path::new(path);
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or("-k: the name of a file")?;
        name.clone_into(&mut self.name);
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
        self.folder = folder.map_or_else(|| PathBuf::from("."), Path::to_owned);
        Ok(())
    }
}

/// Makes the file and, where wanted, the link; gives what to say.
fn make(wish: &Wish, place: &Place) -> Result<String, String> {
    // For root alone, whatever group the daemon has: the guides say so.
    let folder = KeyFolder {
        path: wish.folder.clone(),
        group: None,
    };
    let mut now_unix_s = place.now_unix_s;
    // Two runs within a second must not name their files the same.
    let (stamp, file) = loop {
        let stamp = keygen::ntp_seconds(now_unix_s);
        let file = format!("{}.{stamp}", wish.name);
        if !folder.has(&file) {
            break (stamp, file);
        }
        now_unix_s += 1;
    };
    let link = folder.path.join(&wish.name);
    let is_free = fs::symlink_metadata(&link).map_or(true, |found| found.is_symlink());
    let links = wish.makes_link && (is_free || wish.replaces);
    let mut said = format!("{}: 16 MD5 keys\n", folder.path.join(&file).display());
    if links {
        said.push_str(&format!("{} -> {file}\n", link.display()));
    } else if wish.makes_link {
        said.push_str(&format!(
            "{} is a file and stays; -f lets the link replace it, the file stays under another name\n",
            link.display()
        ));
    } else {
        said.push_str(&format!(
            "now link it: ln -sf {file} {}, where `keys` in ntp.conf points\n",
            wish.name
        ));
    }
    if wish.only_says {
        return Ok(format!("would make:\n{said}"));
    }
    let keys = keys::generate_md5().map_err(|error| error.to_string())?;
    let date = ctime(now_unix_s);
    let text = format!("# MD5 key file {file}\n# {date}\n{keys}");
    let problem = |problem: keygen::folder::Problem| problem.to_string();
    folder.create(&file, &text, true).map_err(problem)?;
    if links {
        let aside = format!("before-{stamp}");
        folder.link(&wish.name, &file, &aside).map_err(problem)?;
    }
    folder.sync();
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use std::os::unix::fs::PermissionsExt;

    /// 2005-03-06 15:36:25 UTC: an hour before what the guide's clock showed.
    const GUIDE_UNIX_S: i64 = 3_319_112_185 - 2_208_988_800;

    fn wish(line: &str, folder: &Path) -> Wish {
        let words = line.split_whitespace().map(OsString::from);
        let Ok(Asked::Keys(mut wish)) = parse(words) else {
            panic!("{line}");
        };
        wish.folder = folder.join(&wish.folder);
        wish
    }

    fn place(now_unix_s: i64) -> Place {
        Place {
            host: "host".to_owned(),
            now_unix_s,
            folder: PathBuf::new(),
            group: Some(0),
        }
    }

    #[test]
    fn the_file_of_the_guide() {
        let scratch = Scratch::new("genkeys");
        let folder = scratch.path("");
        let said = make(&wish("-h", &folder), &place(GUIDE_UNIX_S)).expect("made");
        assert!(
            said.contains("ln -sf ntp.keys.3319112185 ntp.keys"),
            "{said}"
        );
        let path = folder.join("ntp.keys.3319112185");
        let found = fs::metadata(&path).expect("a file");
        // As `ls -l` shows it there.
        assert_eq!(
            (found.permissions().mode() & 0o777, found.len()),
            (0o600, 574)
        );
        let text = fs::read_to_string(&path).expect("text");
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("# MD5 key file ntp.keys.3319112185"));
        assert_eq!(lines.next(), Some("# Sun Mar  6 15:36:25 2005"));
        let (table, complaints) = keys::parse(text.as_bytes());
        assert_eq!((table.len(), complaints.as_slice()), (16, &[][..]));
        assert!(!folder.join("ntp.keys").exists(), "no link with -h");
        // A second run within the second takes the next.
        make(&wish("-h", &folder), &place(GUIDE_UNIX_S)).expect("made");
        assert!(folder.join("ntp.keys.3319112186").exists());
    }

    #[test]
    fn links_are_made_moved_and_not_forced() {
        let scratch = Scratch::new("genkeys-links");
        let folder = scratch.path("");
        let target = |name: &str| fs::read_link(folder.join(name)).expect("a link");
        make(&wish("", &folder), &place(1_000_000_000)).expect("made");
        let first = target("ntp.keys");
        make(&wish("", &folder), &place(1_000_000_100)).expect("made");
        assert_ne!(target("ntp.keys"), first);
        fs::write(folder.join("keys"), "1 M by-hand\n").expect("written");
        let said = make(&wish("-k keys", &folder), &place(1_000_000_000)).expect("made");
        assert!(said.contains("-f lets the link replace it"), "{said}");
        make(&wish("-fk keys", &folder), &place(1_000_000_100)).expect("made");
        assert!(target("keys").to_string_lossy().starts_with("keys."));
        let kept: Vec<_> = fs::read_dir(&folder)
            .expect("a folder")
            .filter_map(|it| fs::read_to_string(it.ok()?.path()).ok())
            .filter(|text| text == "1 M by-hand\n")
            .collect();
        assert_eq!(kept.len(), 1, "the old file is kept");
    }

    #[test]
    fn what_went_is_explained() {
        let scratch = Scratch::new("genkeys-words");
        let folder = scratch.path("");
        let said = make(&wish("-n", &folder), &place(0)).expect("said");
        assert!(said.starts_with("would make:"), "{said}");
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 0);
        let old = wish("-g dmr -t -c /etc/ntp.conf -d", &folder);
        assert_eq!(old.notes.len(), 4);
        let parsed = |line: &str| parse(line.split_whitespace().map(OsString::from));
        assert!(parsed("-g r").is_err() && parsed("-g x").is_err() && parsed("word").is_err());
        assert!(matches!(parsed("-M"), Ok(Asked::Keygen)));
        assert!(matches!(parsed("--trusted-cert"), Ok(Asked::Keygen)));
        assert!(matches!(parsed("-?"), Ok(Asked::Help)));
    }
}
