//! Who does the jobs that need keys: a pool of threads that is started with the first of them.
use core::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use truechimer_crypto::autokey::{Material, Worker};
use truechimer_crypto::pool::{Pool, PoolSize};
use truechimer_proto::autokey::job::{Class, Completion, CryptoJob, CryptoPool, Full};
use truechimer_sys::process;

/// Holds the keys, whether there are any yet or not: a reload may bring the first.
#[derive(Default)]
pub(crate) struct Workshop {
    worker: OnceLock<Arc<Worker>>,
    /// The lock is only taken to start it.
    starting: Mutex<()>,
    pool: OnceLock<Pool>,
    complained: AtomicBool,
    /// Cores that server threads and the clock are bound to, the first ones; `None` if they are not.
    taken_cores: Option<usize>,
}

impl fmt::Debug for Workshop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Workshop")
    }
}

impl Workshop {
    /// Keeps off the first cores while there are others.
    pub(crate) fn beside(taken_cores: Option<usize>) -> Self {
        Self {
            taken_cores,
            ..Self::default()
        }
    }

    /// Works by these keys from now on; what was begun by the ones before is still done.
    pub(crate) fn install(&self, material: Material) {
        match self.worker.get() {
            Some(worker) => worker.install(material),
            None => {
                // Only the clock thread installs, so nobody was faster.
                let _ = self.worker.set(Arc::new(Worker::new(material)));
            }
        }
    }

    fn pool(&self) -> Option<&Pool> {
        if let Some(pool) = self.pool.get() {
            return Some(pool);
        }
        let worker = Arc::clone(self.worker.get()?);
        let _guard = self.starting.lock().unwrap_or_else(PoisonError::into_inner);
        if self.pool.get().is_none() {
            let taken = self.taken_cores;
            match Pool::start(PoolSize::default(), worker, move |number| {
                settle(taken, number)
            }) {
                Ok(pool) => {
                    let _ = self.pool.set(pool);
                }
                Err(error) => {
                    // Strangers' requests try again and again; it is said once.
                    if !self.complained.swap(true, Ordering::Relaxed) {
                        log::error!("no thread for Autokey's signatures: {error}");
                    }
                    return None;
                }
            }
        }
        self.pool.get()
    }
}

/// Packets are stamped on the first cores; where there is no other, stamps go first.
fn settle(taken: Option<usize>, number: usize) {
    let cores = process::cores();
    let place = taken.and_then(|taken| (taken + number).checked_rem(cores.len()));
    if let Some(core) = place.and_then(|place| cores.get(place)) {
        process::pin_thread(*core);
    }
    if let Err(error) = process::run_behind_others() {
        log::debug!("signatures are made at ordinary priority: {error}");
    }
}

impl CryptoPool for Workshop {
    fn submit(&self, class: Class, job: CryptoJob, completion: Completion) -> Result<(), Full> {
        self.pool().ok_or(Full)?.submit(class, job, completion)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use truechimer_proto::autokey::facts::Generation;
    use truechimer_proto::autokey::job::{Done, Failure, Task};

    fn job() -> CryptoJob {
        CryptoJob {
            generation: Generation(1),
            task: Task::ReadCertificate {
                der: b"no certificate".to_vec(),
                filestamp: 1,
                issuer: None,
            },
        }
    }

    #[test]
    fn without_keys_there_is_nobody_and_with_them_one_who_answers() {
        let workshop = Workshop::beside(None);
        let refused = workshop.submit(Class::Own, job(), Box::new(|_| panic!("not called")));
        assert_eq!(refused, Err(Full));

        let scratch = crate::testing::Scratch::new("workshop");
        let folder = scratch.path("");
        super::super::tests::ntp_keygen(&folder, "alice", "-T -m 512");
        let (reading, _) = super::super::tests::attempt(&folder, "alice", "crypto");
        workshop.install(reading.expect("keys").material);
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let send = move |done| sender.send(done).expect("heard");
        assert_eq!(workshop.submit(Class::Own, job(), Box::new(send)), Ok(()));
        let done = receiver.recv_timeout(Duration::from_secs(20));
        assert_eq!(done, Ok(Done::Failed(Failure::Certificate)));
    }
}
