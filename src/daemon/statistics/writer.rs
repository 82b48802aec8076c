//! Puts entries into the files they belong in, and bears what disks do.
use super::file::SetFile;
use super::generation::Moment;
use super::line::Entry;
use super::set::{Kind, Plan};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process;
use std::time::{Duration, Instant};

/// Silence after a complaint: a disk that is full by turns is not to fill the log as well.
const COMPLAIN_EVERY: Duration = Duration::from_secs(600);

/// Writes what a plan wants written.
#[derive(Debug)]
pub struct Writer {
    plan: Plan,
    files: BTreeMap<Kind, Watched>,
    started: Instant,
}

#[derive(Debug)]
struct Watched {
    file: SetFile,
    /// Lines lost since the last one that was written.
    lost: u64,
    complained: Option<Instant>,
}

impl Writer {
    /// Opens nothing yet.
    pub fn new(plan: Plan) -> Self {
        let mut this = Self {
            plan: Plan::default(),
            files: BTreeMap::new(),
            started: Instant::now(),
        };
        this.follow(plan);
        this
    }

    /// Writes by another plan from now on. All files are opened anew: somebody may have moved them.
    pub fn follow(&mut self, plan: Plan) {
        let files = plan.sets.iter().map(|(kind, set)| {
            let watched = Watched {
                file: SetFile::new(&plan.prefix, set.clone(), kind.mode()),
                lost: 0,
                complained: None,
            };
            (*kind, watched)
        });
        self.files = files.collect();
        self.plan = plan;
    }

    /// Writes an entry if it is wanted.
    pub fn write(&mut self, entry: &Entry) {
        let file = entry.kind().and_then(|kind| self.files.get_mut(&kind));
        let Some(watched) = file else {
            return;
        };
        let moment = Moment {
            unix_s: entry.unix_s(),
            age_s: self.started.elapsed().as_secs(),
            pid: process::id(),
        };
        let outcome = watched.file.write(moment, &entry.line());
        watched.judge(outcome);
    }
}

impl Watched {
    /// Trouble is said once, and so is its end, with what it cost.
    fn judge(&mut self, outcome: io::Result<()>) {
        let Err(error) = outcome else {
            self.recover();
            return;
        };
        self.lost = self.lost.saturating_add(1);
        let quiet = self
            .complained
            .is_some_and(|at| at.elapsed() < COMPLAIN_EVERY);
        if !quiet {
            self.complained = Some(Instant::now());
            let name = self.name();
            log::warn!("cannot write {name}: {error}; its lines are lost until that is mended");
        }
    }

    fn recover(&mut self) {
        let lost = core::mem::take(&mut self.lost);
        if lost > 0 {
            let name = self.name();
            log::info!("{name} is written again; {lost} lines were lost");
        }
    }

    fn name(&self) -> std::path::Display<'_> {
        Path::display(self.file.base())
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::SystemCounts;
    use super::super::set::Set;
    use super::*;
    use crate::testing::Scratch;
    use std::fs;
    use truechimer_config::settings::FilePeriod;
    use truechimer_time::NtpTimestamp;

    #[test]
    fn a_missing_folder_costs_what_comes_until_it_is_there() {
        let scratch = Scratch::new("writer");
        let set = Set {
            file: "sysstats".to_owned(),
            period: FilePeriod::Month,
            link: true,
        };
        let mut writer = Writer::new(Plan {
            prefix: format!("{}/", scratch.path("later").display()),
            sets: [(Kind::Sys, set)].into_iter().collect(),
        });
        let at = NtpTimestamp::from_unix(1_795_544_163, 0);
        let entry = Entry::Counts(at, SystemCounts::default());
        writer.write(&entry);
        writer.write(&entry);
        let watched = &writer.files[&Kind::Sys];
        assert_eq!(watched.lost, 2);
        let complained = watched.complained.expect("said");
        fs::create_dir(scratch.path("later")).expect("a folder");
        writer.write(&entry);
        let watched = &writer.files[&Kind::Sys];
        assert_eq!((watched.lost, watched.complained), (0, Some(complained)));
        let text = fs::read_to_string(scratch.path("later/sysstats.202611")).expect("written");
        assert_eq!(text, entry.line());
    }
}
