//! What a run has to do for Autokey beside the protocol: keys for those who sign, private values, and
//! lines about both.
use super::expiry::Expiry;
use super::keeper::{Keeper, path_beside};
use super::{Reading, Workshop};
use crate::calendar;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use truechimer_config::settings::Autokey;
use truechimer_proto::autokey::job::CryptoPool;
use truechimer_time::Instant;

/// Lines of cryptostats that wait, at most: those of one reading.
const LINES_MAX: usize = 64;

/// For how long keys that were replaced are kept, seconds: jobs are given up after sixty.
const OVERLAP_S: f64 = 90.0;

/// Looks after all that.
#[derive(Debug)]
pub(crate) struct Office {
    workshop: Arc<Workshop>,
    /// Where private values are kept.
    path: Option<PathBuf>,
    keeper: Option<Keeper>,
    expiry: Option<Expiry>,
    /// Until when the keys before are kept.
    overlap: Option<Instant>,
    lines: VecDeque<String>,
}

impl Office {
    /// For a run that has nothing of Autokey yet. Server threads and the clock have the first cores, if
    /// they are bound to any.
    pub(crate) fn new(drift: Option<&Path>, said: &Autokey, taken_cores: Option<usize>) -> Self {
        Self {
            workshop: Arc::new(Workshop::new(said, taken_cores)),
            path: drift.map(path_beside),
            keeper: None,
            expiry: None,
            overlap: None,
            lines: VecDeque::new(),
        }
    }

    /// Who does jobs.
    pub(crate) fn pool(&self) -> Arc<dyn CryptoPool> {
        Arc::clone(&self.workshop) as Arc<dyn CryptoPool>
    }

    /// Works by these keys from now on.
    pub(crate) fn take(&mut self, reading: Reading, now: Instant) {
        self.expiry = Expiry::of(&reading.facts, now);
        self.lines.extend(reading.lines);
        while self.lines.len() > LINES_MAX {
            self.lines.pop_front();
        }
        self.workshop.install(reading.material);
        self.overlap = Some(now.plus_seconds(OVERLAP_S));
    }

    /// What cookies are made of, from now on by these words.
    ///
    /// # Errors
    /// There is no randomness for the first.
    pub(crate) fn private_values(&mut self, said: &Autokey, now: Instant) -> io::Result<Vec<u32>> {
        let keeper = match self.keeper.take() {
            Some(mut keeper) => {
                keeper.follow(said, now);
                keeper
            }
            None => Keeper::open(self.path.clone(), said, now)?,
        };
        Ok(self.keeper.insert(keeper).numbers())
    }

    /// Looks at the time; new private values, when there are any.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Vec<u32>> {
        if let Some(expiry) = &mut self.expiry
            && let Some(text) = expiry.poll(now, calendar::now_unix_s())
        {
            log::warn!("{text}");
        }
        if self.overlap.is_some_and(|until| until <= now) {
            self.overlap = None;
            self.workshop.forget_former();
        }
        self.keeper.as_mut()?.poll(now)
    }

    /// A line for cryptostats.
    pub(crate) fn take_line(&mut self) -> Option<String> {
        self.lines.pop_front()
    }
}
