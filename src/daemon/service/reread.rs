//! Autokey's key files alone: read again when they changed, or when asked to (SIGUSR2), and taken if
//! all of them can be read.
use super::setup::{Remark, read_leap_table};
use crate::autokey::{self, Reading, Stranded, Watch};
use crossbeam_channel::{Receiver, TryRecvError, bounded};
use log::Level;
use std::io;
use std::thread;
use truechimer_config::Settings;
use truechimer_time::Instant;
use truechimer_time::leap::LeapTable;

/// Reading that takes longer is told of, and no longer waited for if it is of other settings.
const PATIENCE_S: f64 = 60.0;
/// For the reading thread.
const STACK_OCTETS: usize = 1024 * 1024;

/// What was read.
pub(super) struct Reread {
    pub(super) reading: Reading,
    /// The table may be named by a link of the key folder.
    pub(super) leap_table: Option<LeapTable>,
    /// What was not said of the keys in force.
    pub(super) remarks: Vec<Remark>,
}

struct Outcome {
    reading: Option<Reading>,
    leap_table: Option<LeapTable>,
    remarks: Vec<Remark>,
}

struct UnderWay {
    /// For these settings: another configuration may name other groups.
    settings: Settings,
    began: Instant,
    is_told: bool,
    outcome: Receiver<Outcome>,
}

/// Reads when it is time to.
#[derive(Default)]
pub(super) struct Rereader {
    watch: Watch,
    is_asked: bool,
    under_way: Option<UnderWay>,
    /// Readings for former settings.
    stranded: Stranded<Outcome>,
}

impl Rereader {
    /// Reads, whether anything changed or not.
    pub(super) const fn ask(&mut self) {
        self.is_asked = true;
    }

    /// What was read, if it is good. `known` is what was wrong with the keys in force: a file that is
    /// only half written must not cost what the whole one gave.
    pub(super) fn poll(
        &mut self,
        now: Instant,
        running: &Settings,
        known: &[String],
    ) -> Option<Reread> {
        if self.under_way.is_some() {
            return self.end(now, running, known);
        }
        let has_changed = self.watch.poll(now, &running.autokey);
        if !core::mem::take(&mut self.is_asked) && !has_changed {
            return None;
        }
        if !running.autokey.is_on() {
            log::warn!("no keys to read: Autokey is off without a `crypto` line");
            return None;
        }
        match start(now, running.clone()) {
            Ok(under_way) => self.under_way = Some(under_way),
            Err(error) => log::error!("the keys cannot be read again: {error}"),
        }
        None
    }

    fn end(&mut self, now: Instant, running: &Settings, known: &[String]) -> Option<Reread> {
        let outcome = match self.under_way.as_ref()?.outcome.try_recv() {
            Err(TryRecvError::Empty) => {
                self.wait_on(now, running);
                return None;
            }
            Err(TryRecvError::Disconnected) => None,
            Ok(outcome) => Some(outcome),
        };
        let settings = self.under_way.take()?.settings;
        let Some(outcome) = outcome else {
            log::error!("the keys could not be read again; the old ones stay");
            return None;
        };
        if settings != *running {
            self.is_asked |= running.autokey.is_on();
            return None;
        }
        judge(outcome, known)
    }

    fn wait_on(&mut self, now: Instant, running: &Settings) {
        let Some(mut under_way) = self.under_way.take() else {
            return;
        };
        let is_late = under_way.began.plus_seconds(PATIENCE_S) <= now;
        if is_late && under_way.settings != *running {
            // What it reads is not wanted any more, and the new folder need not hang.
            match self.stranded.leave(under_way.outcome) {
                Ok(()) => self.is_asked |= running.autokey.is_on(),
                Err(outcome) => {
                    self.under_way = Some(UnderWay {
                        outcome,
                        ..under_way
                    })
                }
            }
            return;
        }
        if is_late && !under_way.is_told {
            under_way.is_told = true;
            log::warn!(
                "the key files have not been read for {PATIENCE_S} s; the keys in force stay until they \
                 are: is the folder on a file server that is gone?"
            );
        }
        self.under_way = Some(under_way);
    }
}

/// Nothing that was whole is given up for something that is not.
fn judge(outcome: Outcome, known: &[String]) -> Option<Reread> {
    let Outcome {
        reading,
        leap_table,
        mut remarks,
    } = outcome;
    remarks.retain(|it| !known.contains(&it.text));
    let mut errors = remarks.iter().filter(|it| it.level == Level::Error);
    match (reading, errors.next()) {
        (Some(reading), None) => Some(Reread {
            reading,
            leap_table,
            remarks,
        }),
        (_, error) => {
            let (first, more) = (error.map_or("", |it| &it.text), errors.count());
            let more = if more == 0 {
                String::new()
            } else {
                format!(" (and {more} more)")
            };
            log::error!(
                "the key files changed, and the old keys stay until they change again: {first}{more}"
            );
            None
        }
    }
}

fn start(now: Instant, settings: Settings) -> io::Result<UnderWay> {
    let (sender, outcome) = bounded(1);
    let wanted = settings.clone();
    thread::Builder::new()
        .name("reread".to_owned())
        .stack_size(STACK_OCTETS)
        .spawn(move || {
            let mut remarks = Vec::new();
            let reading = autokey::read(&wanted, &autokey::machine(), &mut remarks);
            let leap_table = read_leap_table(&wanted, &mut Vec::new());
            // Nobody listens any more only at the end of the run.
            let _ = sender.send(Outcome {
                reading,
                leap_table,
                remarks,
            });
        })?;
    Ok(UnderWay {
        settings,
        began: now,
        is_told: false,
        outcome,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autokey::tests::ntp_keygen;
    use crate::testing::Scratch;
    use std::fs;
    use std::path::Path;
    use std::time::Duration;
    use truechimer_config::{NoFiles, parse};

    fn settings(folder: &Path, more: &str) -> Settings {
        let folder = folder.display();
        let text = format!("keysdir {folder}\ncrypto host alice pw p\n{more}");
        parse("test", text.as_bytes(), &NoFiles).settings
    }

    /// Has it read now.
    fn read(rereader: &mut Rereader, running: &Settings, known: &[String]) -> Option<Reread> {
        rereader.ask();
        for _ in 0..20_000 {
            let good = rereader.poll(Instant::default(), running, known);
            if good.is_some() || (rereader.under_way.is_none() && !rereader.is_asked) {
                return good;
            }
            thread::sleep(Duration::from_millis(1));
        }
        panic!("no end");
    }

    #[test]
    fn what_is_half_written_costs_nothing() {
        let scratch = Scratch::new("reread");
        let folder = scratch.path("");
        ntp_keygen(&folder, "alice", "-m 512 -T -I -p p");
        let running = settings(&folder, "");
        let mut rereader = Rereader::default();
        let whole = read(&mut rereader, &running, &[]).expect("good");
        assert_eq!(whole.reading.facts.schemes.len(), 1);
        let link = folder.join("ntpkey_iffkey_alice");
        let text = fs::read_to_string(&link).expect("a key");
        fs::write(&link, &text[..text.len() / 2]).expect("written");
        assert!(read(&mut rereader, &running, &[]).is_none(), "half a key");
        fs::write(&link, &text).expect("written");
        assert!(read(&mut rereader, &running, &[]).is_some());
        fs::remove_file(folder.join("ntpkey_host_alice")).expect("there");
        assert!(read(&mut rereader, &running, &[]).is_none(), "no host key");
    }

    #[test]
    fn what_was_wrong_before_keeps_nothing_back() {
        let scratch = Scratch::new("reread-known");
        let folder = scratch.path("");
        ntp_keygen(&folder, "alice", "-m 512 -T -p p");
        let running = settings(&folder, "server 192.0.2.1 autokey ident GR9\n");
        let mut rereader = Rereader::default();
        assert!(read(&mut rereader, &running, &[]).is_none());
        let mut remarks = Vec::new();
        let first = autokey::read(&running, "alice", &mut remarks).expect("keys");
        let known = first.host().errors;
        assert!(known[0].contains("no parameters of the group GR9"));
        let good = read(&mut rereader, &running, &known).expect("as good as before");
        assert!(good.remarks.iter().all(|it| it.level != Level::Error));
    }

    #[test]
    fn keys_read_for_another_configuration_are_read_again() {
        let scratch = Scratch::new("reread-config");
        let folder = scratch.path("");
        ntp_keygen(&folder, "alice", "-m 512 -T -p p");
        let (running, later) = (settings(&folder, ""), settings(&folder, "automax 9\n"));
        let mut rereader = Rereader::default();
        rereader.ask();
        assert!(rereader.poll(Instant::default(), &running, &[]).is_none());
        while rereader.under_way.is_some() {
            assert!(rereader.poll(Instant::default(), &later, &[]).is_none());
        }
        assert!(rereader.is_asked, "once more");
        assert!(read(&mut rereader, &later, &[]).is_some());
    }

    #[test]
    fn reading_that_does_not_end_is_told_of_and_left_for_other_settings() {
        let scratch = Scratch::new("reread-hung");
        let folder = scratch.path("");
        ntp_keygen(&folder, "alice", "-m 512 -T -p p");
        let (hung, running) = (settings(Path::new("/nowhere"), ""), settings(&folder, ""));
        let began = Instant::default();
        let (_never, outcome) = bounded(1);
        let mut rereader = Rereader {
            under_way: Some(UnderWay {
                settings: hung.clone(),
                began,
                is_told: false,
                outcome,
            }),
            ..Rereader::default()
        };
        let mut is_told_at = |s: f64| {
            assert!(rereader.poll(began.plus_seconds(s), &hung, &[]).is_none());
            rereader.under_way.as_ref().is_some_and(|it| it.is_told)
        };
        assert!(!is_told_at(59.0));
        assert!(is_told_at(60.0));
        assert!(
            rereader
                .poll(began.plus_seconds(61.0), &running, &[])
                .is_none()
        );
        assert!(rereader.under_way.is_none() && rereader.is_asked);
        assert!(read(&mut rereader, &running, &[]).is_some());
    }
}
