//! Who does the jobs that need keys: a pool of threads that is started with the first of them.
use core::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use truechimer_config::settings::Autokey;
use truechimer_crypto::autokey::{Material, Worker};
use truechimer_crypto::pool::{Pool, PoolSize};
use truechimer_proto::autokey::job::{Class, Completion, CryptoJob, CryptoPool, Full};
use truechimer_proto::autokey::pool_counts::PoolCounts;
use truechimer_sys::process::{self, Core};

/// Holds the keys, whether there are any yet or not: a reload may bring the first.
#[derive(Default)]
pub(crate) struct Workshop {
    worker: OnceLock<Arc<Worker>>,
    /// The lock is only taken to start it.
    starting: Mutex<()>,
    pool: OnceLock<Pool>,
    complained: AtomicBool,
    seats: Seats,
}

/// How many threads there are to be, and where.
#[derive(Clone, Debug, Default)]
struct Seats {
    /// `None` is for the pool to say.
    threads: Option<u8>,
    /// Cores by number, which the threads take in turn.
    cores: Vec<u16>,
    /// Cores that server threads and the clock are bound to, the first ones; `None` if they are not.
    taken: Option<usize>,
    /// Cores there are. Whoever starts the pool may be bound to one, and so would be those it starts.
    all: Vec<Core>,
}

impl fmt::Debug for Workshop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Workshop")
    }
}

impl Workshop {
    /// As large as the configuration says, on its cores; else it keeps off the first cores while there
    /// are others. What it says later counts from the next start on.
    pub(crate) fn new(said: &Autokey, taken_cores: Option<usize>) -> Self {
        Self {
            seats: Seats {
                threads: said.threads,
                cores: said.cores.clone(),
                taken: taken_cores,
                all: process::cores(),
            },
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

    /// Drops the keys before; nothing that was begun by them is still to be done.
    pub(crate) fn forget_former(&self) {
        if let Some(worker) = self.worker.get() {
            worker.forget_former();
        }
    }

    fn pool(&self) -> Option<&Pool> {
        if let Some(pool) = self.pool.get() {
            return Some(pool);
        }
        let worker = Arc::clone(self.worker.get()?);
        let _guard = self.starting.lock().unwrap_or_else(PoisonError::into_inner);
        if self.pool.get().is_none() {
            let seats = self.seats.clone();
            let mut size = PoolSize::default();
            size.threads = seats.threads.map_or(size.threads, usize::from);
            match Pool::start(size, worker, move |number| seats.settle(number)) {
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

impl Seats {
    /// Packets are stamped on the first cores; where there is no other, stamps go first.
    fn settle(&self, number: usize) {
        let place = self.taken.map(|taken| taken + number);
        let usual = || self.all.get(place?.checked_rem(self.all.len())?);
        let core = self.named(number).or_else(usual);
        if let Some(core) = core {
            process::pin_thread(*core);
        }
        if let Err(error) = process::run_behind_others() {
            log::debug!("signatures are made at ordinary priority: {error}");
        }
    }

    /// The core that the configuration names for this thread.
    fn named(&self, number: usize) -> Option<&Core> {
        let place = number.checked_rem(self.cores.len())?;
        let wanted = usize::from(*self.cores.get(place)?);
        let found = self.all.iter().find(|it| it.number() == wanted);
        if found.is_none() {
            log::warn!("crypto cores: there is no core {wanted} that this process may use");
        }
        found
    }
}

impl CryptoPool for Workshop {
    fn submit(&self, class: Class, job: CryptoJob, completion: Completion) -> Result<(), Full> {
        self.pool().ok_or(Full)?.submit(class, job, completion)
    }

    fn counts(&self) -> PoolCounts {
        self.pool.get().map(CryptoPool::counts).unwrap_or_default()
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
        let all = process::cores();
        let (first, last) = (all[0], all[all.len() - 1]);
        let said = Autokey {
            threads: Some(2),
            cores: vec![u16::try_from(first.number()).expect("few")],
            ..Autokey::default()
        };
        let workshop = Workshop::new(&said, None);
        let refused = workshop.submit(Class::Own, job(), Box::new(|_| panic!("not called")));
        assert_eq!(refused, Err(Full));

        let scratch = crate::testing::Scratch::new("workshop");
        let folder = scratch.path("");
        super::super::tests::ntp_keygen(&folder, "alice", "-T -m 512");
        let (reading, _) = super::super::tests::attempt(&folder, "alice", "crypto");
        workshop.install(reading.expect("keys").material);
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let send = move |done| {
            sender.send((done, process::cores())).expect("heard");
        };
        let submit = move || {
            process::pin_thread(last);
            let outcome = workshop.submit(Class::Own, job(), Box::new(send));
            (outcome, workshop)
        };
        let (outcome, workshop) = std::thread::spawn(submit).join().expect("no panic");
        assert_eq!(outcome, Ok(()));
        let heard = receiver.recv_timeout(Duration::from_secs(20));
        let (done, cores) = heard.expect("within time");
        assert_eq!(done, Done::Failed(Failure::Certificate));
        assert_eq!(cores, [first], "not that of who began");
        assert_eq!(workshop.counts().own.failed, 1);
    }
}
