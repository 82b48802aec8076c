//! Keeps the drift file on a thread of its own, for a slow disk must not hold up the clock.
use crate::files::drift;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

/// Enough for one write(2) and one line of text.
const STACK_OCTETS: usize = 128 * 1024;

/// Stores the frequency whenever told; of two told while the disk is busy the later is enough.
#[derive(Debug)]
pub(super) struct DriftKeeper {
    path: PathBuf,
    worker: Option<Worker>,
    failing: bool,
    newest_ppm: Option<f64>,
}

#[derive(Debug)]
struct Worker {
    frequencies: Sender<f64>,
    outcomes: Receiver<io::Result<()>>,
}

impl DriftKeeper {
    /// For this file. The thread starts with the first frequency.
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            worker: None,
            failing: false,
            newest_ppm: None,
        }
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes a frequency to store, ppm.
    pub(super) fn store(&mut self, freq_ppm: f64) {
        self.newest_ppm = Some(freq_ppm);
        self.poll();
    }

    /// Hears of finished writes and hands over what is waiting; never waits.
    pub(super) fn poll(&mut self) {
        while let Some(outcome) = self.outcome() {
            self.judge(&outcome);
        }
        let Some(freq_ppm) = self.newest_ppm else {
            return;
        };
        match self.worker() {
            Ok(worker) => {
                if worker.frequencies.try_send(freq_ppm).is_ok() {
                    self.newest_ppm = None;
                }
            }
            Err(error) => {
                self.newest_ppm = None;
                self.judge(&Err(error));
            }
        }
    }

    /// Stores the last frequency here and now, at the end of the run.
    pub(super) fn finish(mut self, freq_ppm: Option<f64>) {
        // Its thread ends with the channel; two writers of one file would be one too many.
        if let Some(Worker {
            frequencies,
            outcomes,
        }) = self.worker.take()
        {
            drop(frequencies);
            while let Ok(outcome) = outcomes.recv_timeout(core::time::Duration::from_millis(500)) {
                self.judge(&outcome);
            }
        }
        if let Some(freq_ppm) = freq_ppm.or(self.newest_ppm) {
            let outcome = drift::store(&self.path, freq_ppm);
            self.judge(&outcome);
        }
    }

    fn outcome(&self) -> Option<io::Result<()>> {
        self.worker.as_ref()?.outcomes.try_recv().ok()
    }

    /// A full disk is said once, and once that it is over.
    fn judge(&mut self, outcome: &io::Result<()>) {
        let path = self.path.display();
        match outcome {
            Err(error) if !self.failing => log::warn!(
                "cannot store the frequency in {path}: {error}; the old file stays, trying again"
            ),
            Ok(()) if self.failing => log::info!("the frequency is stored in {path} again"),
            _ => {}
        }
        self.failing = outcome.is_err();
    }

    fn worker(&mut self) -> io::Result<&Worker> {
        let worker = match self.worker.take() {
            Some(worker) => worker,
            None => Worker::start(self.path.clone())?,
        };
        Ok(self.worker.insert(worker))
    }
}

impl Worker {
    fn start(path: PathBuf) -> io::Result<Self> {
        let (frequencies, from_clock) = bounded::<f64>(1);
        let (to_clock, outcomes) = bounded(4);
        thread::Builder::new()
            .name("drift".to_owned())
            .stack_size(STACK_OCTETS)
            .spawn(move || {
                for freq_ppm in from_clock {
                    if to_clock.send(drift::store(&path, freq_ppm)).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Self {
            frequencies,
            outcomes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use std::fs;

    #[test]
    fn the_last_frequency_is_the_one_that_stays() {
        let scratch = Scratch::new("keeper");
        let path = scratch.path("ntp.drift");
        let mut keeper = DriftKeeper::new(path.clone());
        for freq_ppm in [1.0, 2.0, 3.0] {
            keeper.store(freq_ppm);
        }
        keeper.finish(Some(4.0));
        assert_eq!(fs::read_to_string(&path).expect("text"), "4.000000\n");
    }

    #[test]
    fn what_still_waits_is_stored_at_the_end() {
        let scratch = Scratch::new("keeper-end");
        let path = scratch.path("ntp.drift");
        let mut keeper = DriftKeeper::new(path.clone());
        keeper.newest_ppm = Some(5.0);
        keeper.finish(None);
        assert_eq!(fs::read_to_string(&path).expect("text"), "5.000000\n");
    }

    #[test]
    fn failure_is_remembered_until_it_is_over() {
        let scratch = Scratch::new("keeper-fail");
        let mut keeper = DriftKeeper::new(scratch.path("none/ntp.drift"));
        keeper.judge(&drift::store(keeper.path(), 1.0));
        assert!(keeper.failing);
        fs::create_dir(scratch.path("none")).expect("a folder");
        keeper.judge(&drift::store(keeper.path(), 1.0));
        assert!(!keeper.failing);
    }
}
