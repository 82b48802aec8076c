//! Keeps the private values: renews them in time, and stores them on a thread of its own, for a slow
//! disk must not hold up the clock.
use super::private_values::{Origin, PrivateValues, lifetime_s};
use crate::calendar::now_unix_s;
use crossbeam_channel::{Receiver, TryRecvError, bounded};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use truechimer_config::settings::Autokey;
use truechimer_time::Instant;

/// Its name in the folder of the drift file.
const FILE: &str = "autokey-cookies";
/// Enough for one write(2) and one line of text.
const STACK_OCTETS: usize = 128 * 1024;
/// Longest pause between two looks at the clock, which may have been set.
const LOOK_EVERY_S: i64 = 3600;

/// The values, and where they are kept.
#[derive(Debug)]
pub(crate) struct Keeper {
    values: PrivateValues,
    path: Option<PathBuf>,
    lifetime_s: i64,
    due: Instant,
    storing: Option<Receiver<io::Result<()>>>,
}

/// Where the values are kept, if there is a drift file.
pub(crate) fn path_beside(drift: &Path) -> PathBuf {
    drift.with_file_name(FILE)
}

impl Keeper {
    /// Takes up what the last run left, or begins anew. `path` is `None` where nothing can be kept.
    ///
    /// # Errors
    /// There is no randomness.
    pub(crate) fn open(path: Option<PathBuf>, said: &Autokey, now: Instant) -> io::Result<Self> {
        let now_unix_s = now_unix_s();
        let values = match &path {
            Some(path) => {
                let (values, origin) = PrivateValues::load(path, now_unix_s)?;
                tell(path, &origin);
                values
            }
            None => {
                log::warn!(
                    "without a driftfile line the private value of Autokey's cookies goes with this \
                     process; clients with ntpd 4.2.8 do not come back after a restart"
                );
                PrivateValues::new(now_unix_s)?
            }
        };
        let mut keeper = Self {
            values,
            path,
            lifetime_s: lifetime_s(said.revoke_log2_s),
            due: now,
            storing: None,
        };
        keeper.renew(now)?;
        keeper.store();
        Ok(keeper)
    }

    /// As the protocol takes them.
    pub(crate) fn numbers(&self) -> Vec<u32> {
        self.values.numbers()
    }

    /// Follows a new configuration.
    pub(crate) fn follow(&mut self, said: &Autokey, now: Instant) {
        self.lifetime_s = lifetime_s(said.revoke_log2_s);
        self.due = now;
    }

    /// New values, when it is time for them.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Vec<u32>> {
        self.hear_disk();
        if now < self.due {
            return None;
        }
        match self.renew(now) {
            Ok(true) => {
                self.store();
                Some(self.numbers())
            }
            Ok(false) => None,
            Err(error) => {
                log::error!("no randomness for Autokey's cookies: {error}; the old value stays");
                None
            }
        }
    }

    fn renew(&mut self, now: Instant) -> io::Result<bool> {
        let now_unix_s = now_unix_s();
        let changed = self.values.renew(now_unix_s, self.lifetime_s);
        let pause_s = self.values.due_in_s(now_unix_s, self.lifetime_s);
        let pause_s = u32::try_from(pause_s.clamp(1, LOOK_EVERY_S)).unwrap_or(1);
        self.due = now.plus_seconds(f64::from(pause_s));
        changed
    }

    fn store(&mut self) {
        let Some(path) = self.path.clone() else {
            return;
        };
        let (sender, storing) = bounded(1);
        let values = self.values.clone();
        let started = thread::Builder::new()
            .name("cookies".to_owned())
            .stack_size(STACK_OCTETS)
            .spawn(move || {
                // Nobody listens any more only at the end of the run.
                let _ = sender.send(values.store(&path));
            });
        match started {
            Ok(_) => self.storing = Some(storing),
            Err(error) => self.complain(&error),
        }
    }

    fn hear_disk(&mut self) {
        let outcome = self.storing.as_ref().map(Receiver::try_recv);
        match outcome {
            None | Some(Err(TryRecvError::Empty)) => return,
            Some(Ok(Err(error))) => self.complain(&error),
            Some(Ok(Ok(())) | Err(TryRecvError::Disconnected)) => {}
        }
        self.storing = None;
    }

    fn complain(&self, error: &io::Error) {
        let path = self.path.as_deref().unwrap_or(Path::new(FILE)).display();
        log::warn!(
            "{path}: {error}; after a restart clients with ntpd 4.2.8 do not come back by themselves"
        );
    }
}

fn tell(path: &Path, origin: &Origin) {
    let path = path.display();
    match origin {
        Origin::File => {}
        Origin::New => log::info!("{path}: not there yet; cookies of Autokey begin anew"),
        Origin::Damaged => log::warn!("{path}: not understood; cookies of Autokey begin anew"),
        Origin::Unreadable(error) => {
            log::warn!("{path}: {error}; cookies of Autokey begin anew");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use std::time::Duration;

    fn stored(keeper: &mut Keeper) {
        for _ in 0..2000 {
            keeper.hear_disk();
            if keeper.storing.is_none() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("never stored");
    }

    #[test]
    fn a_restart_knows_the_cookies_of_the_run_before() {
        let scratch = Scratch::new("keeper-cookies");
        let path = path_beside(&scratch.path("ntp.drift"));
        assert_eq!(path, scratch.path("autokey-cookies"));
        let (said, now) = (Autokey::default(), Instant::default());
        let mut first = Keeper::open(Some(path.clone()), &said, now).unwrap();
        stored(&mut first);
        let second = Keeper::open(Some(path.clone()), &said, now).unwrap();
        assert_eq!(first.numbers(), second.numbers());
        std::fs::write(&path, "nonsense").unwrap();
        let third = Keeper::open(Some(path), &said, now).unwrap();
        assert_ne!(first.numbers(), third.numbers());
    }

    #[test]
    fn values_change_when_the_operator_said() {
        let (mut said, now) = (Autokey::default(), Instant::default());
        let mut keeper = Keeper::open(None, &said, now).unwrap();
        let first = keeper.numbers();
        assert_eq!(keeper.poll(now.plus_seconds(4000.0)), None);
        // Eight seconds; the wall clock of this test does not move so far.
        said.revoke_log2_s = Some(3);
        keeper.follow(&said, now);
        keeper.lifetime_s = 0;
        let second = keeper.poll(now).expect("time for another");
        assert_eq!(second[1..], first);
    }
}
