//! Notices that key files changed, by their stamps: on a thread of its own, for the folder may be
//! far away.
use super::Stranded;
use crossbeam_channel::{Receiver, TryRecvError, bounded};
use std::collections::hash_map::DefaultHasher;
use std::fs::{self, Metadata};
use std::hash::{Hash, Hasher};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::thread;
use truechimer_config::settings::Autokey;
use truechimer_time::Instant;

/// Between two looks.
const LOOK_EVERY_S: f64 = 5.0;
/// Files are read when they were left alone for so long: a generator writes several, and an editor in
/// steps.
const SETTLE_S: f64 = 2.0;
/// A look that takes longer is told of: the folder may be on a server that is gone.
const PATIENCE_S: f64 = 60.0;
/// More entries than any folder of keys has.
const ENTRIES_MAX: usize = 10_000;
/// Enough for names and stamps.
const STACK_OCTETS: usize = 256 * 1024;

/// The state of all files, as a number.
type Stamp = u64;

/// Where key files are.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    folder: PathBuf,
    /// Files that words of `crypto` name.
    named: Vec<PathBuf>,
}

/// Looks at them from time to time.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    place: Option<Place>,
    /// As they were when they were read last, as far as is known.
    known: Option<Stamp>,
    /// As they are since the last look, if that is otherwise.
    changed: Option<Stamp>,
    due: Option<Instant>,
    looking: Option<Look>,
    /// Looks at former places.
    stranded: Stranded<io::Result<Stamp>>,
}

/// A look under way.
#[derive(Debug)]
struct Look {
    began: Instant,
    is_told: bool,
    outcome: Receiver<io::Result<Stamp>>,
}

impl Watch {
    /// Whether files changed, and are left alone now; told once a change.
    pub(crate) fn poll(&mut self, now: Instant, said: &Autokey) -> bool {
        if self.looking.is_none() && self.due.is_some_and(|due| now < due) {
            return false;
        }
        let place = said.is_on().then(|| Place::of(said));
        if self.place != place {
            // With these words came a reading of what they name. A look at the place before is nobody's
            // any more, even if it never ends.
            if let Some(look) = self.looking.take()
                && let Err(outcome) = self.stranded.leave(look.outcome)
            {
                self.looking = Some(Look { outcome, ..look });
                return false;
            }
            *self = Self {
                place,
                stranded: core::mem::take(&mut self.stranded),
                ..Self::default()
            };
        }
        match self.looking.as_ref().map(|look| look.outcome.try_recv()) {
            Some(Err(TryRecvError::Empty)) => {
                self.tell_of_a_long_look(now);
                return false;
            }
            Some(Ok(Ok(stamp))) => {
                self.looking = None;
                return self.note(now, stamp);
            }
            Some(Ok(Err(error))) => log::debug!("the key folder cannot be looked at: {error}"),
            None | Some(Err(TryRecvError::Disconnected)) => {}
        }
        self.due = Some(now.plus_seconds(LOOK_EVERY_S));
        let outcome = self.place.clone().and_then(look);
        self.looking = outcome.map(|outcome| Look {
            began: now,
            is_told: false,
            outcome,
        });
        false
    }

    /// Once a look.
    fn tell_of_a_long_look(&mut self, now: Instant) {
        let (Some(look), Some(place)) = (&mut self.looking, &self.place) else {
            return;
        };
        if !look.is_told && look.began.plus_seconds(PATIENCE_S) <= now {
            look.is_told = true;
            log::warn!(
                "{} has not answered for {PATIENCE_S} s: until it does nobody notices that key files change; \
                 is it on a file server that is gone?",
                place.folder.display()
            );
        }
    }

    fn note(&mut self, now: Instant, stamp: Stamp) -> bool {
        let Some(known) = self.known else {
            self.known = Some(stamp);
            return false;
        };
        if stamp == known {
            self.changed = None;
            return false;
        }
        if self.changed == Some(stamp) {
            self.known = Some(stamp);
            self.changed = None;
            return true;
        }
        self.changed = Some(stamp);
        self.due = Some(now.plus_seconds(SETTLE_S));
        false
    }
}

impl Place {
    fn of(said: &Autokey) -> Self {
        let folder = super::folder(said);
        let named = said.legacy_files.iter();
        let named = named.map(|(_, file)| folder.join(&file.value));
        Self {
            named: named.collect(),
            folder,
        }
    }

    fn stamp(&self) -> io::Result<Stamp> {
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.folder)?.take(ENTRIES_MAX) {
            let entry = entry?;
            // The folder may be /etc; and drafts of a generator at work begin with a dot.
            let name = entry.file_name();
            if name.as_encoded_bytes().starts_with(b"ntpkey_") {
                all.push(entry.path());
            }
        }
        all.extend(self.named.iter().cloned());
        all.sort();
        let mut hasher = DefaultHasher::new();
        for path in &all {
            path.hash(&mut hasher);
            // The link, and what it leads to.
            marks(fs::symlink_metadata(path)).hash(&mut hasher);
            marks(fs::metadata(path)).hash(&mut hasher);
        }
        Ok(hasher.finish())
    }
}

/// What changes with a file: who sets one time back does not set back the other.
fn marks(of: io::Result<Metadata>) -> Option<[i64; 6]> {
    let it = of.ok()?;
    Some([
        it.ino().cast_signed(),
        it.len().cast_signed(),
        it.mtime(),
        it.mtime_nsec(),
        it.ctime(),
        it.ctime_nsec(),
    ])
}

fn look(place: Place) -> Option<Receiver<io::Result<Stamp>>> {
    let (sender, looking) = bounded(1);
    let started = thread::Builder::new()
        .name("keys".to_owned())
        .stack_size(STACK_OCTETS)
        .spawn(move || {
            // Nobody listens any more only at the end of the run.
            let _ = sender.send(place.stamp());
        });
    started.ok().map(|_| looking)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use std::os::unix::fs::symlink;
    use std::path::Path;
    use std::time::Duration;
    use truechimer_config::{NoFiles, parse};

    fn said(folder: &Path) -> Autokey {
        let text = format!("keysdir {}\ncrypto cert mine.pem\n", folder.display());
        parse("test", text.as_bytes(), &NoFiles).settings.autokey
    }

    /// One look at this moment; whether it tells of a change.
    fn look_at(watch: &mut Watch, s: f64, said: &Autokey) -> bool {
        let now = Instant::default().plus_seconds(s);
        assert!(!watch.poll(now, said), "the look begins");
        for _ in 0..2000 {
            if watch.looking.is_none() {
                return false;
            }
            if watch.poll(now, said) {
                return true;
            }
            thread::sleep(Duration::from_millis(1));
        }
        panic!("no end");
    }

    #[test]
    fn a_change_is_told_once_it_is_over() {
        let scratch = Scratch::new("watch");
        let folder = scratch.path("");
        let said = said(&folder);
        let mut watch = Watch::default();
        assert!(!look_at(&mut watch, 0.0, &said), "nothing to compare with");
        assert!(!watch.poll(Instant::default().plus_seconds(4.9), &said));
        assert!(watch.looking.is_none(), "not yet");
        assert!(!look_at(&mut watch, 5.0, &said));
        fs::write(folder.join("ntpkey_host_a"), "half").expect("written");
        assert!(!look_at(&mut watch, 10.0, &said), "it may go on");
        fs::write(folder.join("ntpkey_host_a"), "half and half").expect("written");
        assert!(!look_at(&mut watch, 12.0, &said), "it did");
        assert!(look_at(&mut watch, 14.0, &said));
        assert!(!look_at(&mut watch, 19.0, &said), "once");
    }

    #[test]
    fn links_and_named_files_count_and_others_do_not() {
        let scratch = Scratch::new("watch-what");
        let folder = scratch.path("");
        let place = Place::of(&said(&folder));
        let stamp = || place.stamp().expect("a folder");
        let mut known = stamp();
        let mut is_news = || {
            let news = stamp();
            core::mem::replace(&mut known, news) != news
        };
        for (name, counts) in [
            ("resolv.conf", false),
            (".ntpkey_host_a.new", false),
            ("ntpkey_host_a", true),
            ("mine.pem", true),
        ] {
            fs::write(folder.join(name), "x").expect("written");
            assert_eq!(is_news(), counts, "{name}");
        }
        let link = folder.join("ntpkey_cert_a");
        symlink("resolv.conf", &link).expect("linked");
        assert!(is_news());
        fs::write(folder.join("resolv.conf"), "longer").expect("written");
        assert!(is_news(), "what a link leads to");
        fs::remove_file(link).expect("there");
        assert!(is_news());
        assert!(!is_news());
    }

    /// A look that never ends.
    fn hang(watch: &mut Watch, began: Instant) -> crossbeam_channel::Sender<io::Result<Stamp>> {
        let (sender, outcome) = bounded(1);
        watch.looking = Some(Look {
            began,
            is_told: false,
            outcome,
        });
        sender
    }

    #[test]
    fn a_folder_that_hangs_is_told_of_and_left_for_another() {
        let scratch = Scratch::new("watch-hung");
        let there = said(&scratch.path(""));
        let elsewhere = parse("test", b"keysdir /nowhere\ncrypto\n", &NoFiles);
        let elsewhere = elsewhere.settings.autokey;
        let mut watch = Watch {
            place: Some(Place::of(&elsewhere)),
            ..Watch::default()
        };
        let began = Instant::default();
        let _hung = hang(&mut watch, began);
        for (s, is_told) in [(59.0, false), (60.0, true), (90.0, true)] {
            assert!(!watch.poll(began.plus_seconds(s), &elsewhere));
            let look = watch.looking.as_ref().expect("it goes on");
            assert_eq!(look.is_told, is_told, "after {s} s");
        }
        assert!(
            !look_at(&mut watch, 91.0, &there),
            "nothing to compare with"
        );
        fs::write(scratch.path("ntpkey_host_a"), "new").expect("written");
        assert!(!look_at(&mut watch, 96.0, &there), "it may go on");
        assert!(look_at(&mut watch, 98.0, &there));
    }

    #[test]
    fn without_autokey_nothing_is_looked_at() {
        let mut watch = Watch::default();
        assert!(!watch.poll(Instant::default(), &Autokey::default()));
        assert!(watch.looking.is_none());
    }
}
