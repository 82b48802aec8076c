//! Threads that do jobs with keys, so that no thread that stamps packets ever waits for a signature.
//!
//! Two bounded queues, one a class: this host's own jobs are done first. What does not fit is refused
//! and counted. When the pool is dropped its threads end; what still waited is told that nobody has
//! the time.

mod counts;

pub use counts::{ClassCounts, PoolCounts};

use crate::autokey::Worker;
use counts::Counts;
use crossbeam_channel::{Receiver, Sender, bounded, select_biased};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use truechimer_proto::autokey::job::{
    Class, Completion, CryptoJob, CryptoPool, Done, Failure, Full,
};

/// How large a pool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSize {
    /// Threads, at least one.
    pub threads: usize,
    /// Jobs of this host that may wait.
    pub own_max: usize,
    /// Jobs of those who asked that may wait.
    pub asked_max: usize,
}

impl Default for PoolSize {
    /// One thread, and as many askers as it serves in about a tenth of a second with RSA-2048.
    fn default() -> Self {
        Self {
            threads: 1,
            own_max: 256,
            asked_max: 128,
        }
    }
}

struct Parcel {
    job: CryptoJob,
    completion: Completion,
}

/// The threads and what waits for them.
pub struct Pool {
    /// Until the pool is dropped: threads end when nobody can send any more.
    senders: Option<Queues<Sender<Parcel>>>,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Clone)]
struct Queues<T> {
    own: T,
    asked: T,
}

struct Shared {
    worker: Arc<Worker>,
    counts: Queues<Counts>,
    is_ending: AtomicBool,
}

impl Pool {
    /// Starts the threads, each named `crypto-N`; each calls `prepare` with its number first, to go
    /// to a core where no packet is stamped.
    ///
    /// # Errors
    /// That no thread could be started.
    pub fn start(
        size: PoolSize,
        worker: Arc<Worker>,
        prepare: impl Fn(usize) + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let (own_sender, own) = bounded(size.own_max);
        let (asked_sender, asked) = bounded(size.asked_max);
        let receivers = Queues { own, asked };
        let mut pool = Self {
            senders: Some(Queues {
                own: own_sender,
                asked: asked_sender,
            }),
            shared: Arc::new(Shared {
                worker,
                counts: Queues {
                    own: Counts::default(),
                    asked: Counts::default(),
                },
                is_ending: AtomicBool::new(false),
            }),
            threads: Vec::new(),
        };
        let prepare = Arc::new(prepare);
        for number in 0..size.threads.max(1) {
            let (receivers, shared) = (receivers.clone(), Arc::clone(&pool.shared));
            let prepare = Arc::clone(&prepare);
            let thread = std::thread::Builder::new()
                .name(format!("crypto-{number}"))
                .spawn(move || {
                    prepare(number);
                    shared.work(&receivers);
                })?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// What became of all jobs so far.
    #[must_use]
    pub fn counts(&self) -> PoolCounts {
        let waiting = |queue: fn(&Queues<Sender<Parcel>>) -> &Sender<Parcel>| {
            self.senders
                .as_ref()
                .map_or(0, |senders| queue(senders).len())
        };
        let counts = &self.shared.counts;
        PoolCounts {
            own: counts.own.told(waiting(|queues| &queues.own)),
            asked: counts.asked.told(waiting(|queues| &queues.asked)),
        }
    }
}

impl CryptoPool for Pool {
    fn submit(&self, class: Class, job: CryptoJob, completion: Completion) -> Result<(), Full> {
        let counts = self.shared.counts.of(class);
        let parcel = Parcel { job, completion };
        let sent = self
            .senders
            .as_ref()
            .is_some_and(|senders| senders.of(class).try_send(parcel).is_ok());
        if sent {
            Ok(())
        } else {
            counts.refuse();
            Err(Full)
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.is_ending.store(true, Ordering::Relaxed);
        self.senders = None;
        for thread in self.threads.drain(..) {
            // It catches what it runs, so there is nothing to be told.
            let _ = thread.join();
        }
    }
}

impl<T> Queues<T> {
    const fn of(&self, class: Class) -> &T {
        match class {
            Class::Own => &self.own,
            Class::Asked => &self.asked,
        }
    }
}

impl Shared {
    /// Until nobody can send any more and both queues are empty.
    fn work(&self, queues: &Queues<Receiver<Parcel>>) {
        loop {
            let (class, parcel) = select_biased! {
                recv(queues.own) -> parcel => (Class::Own, parcel),
                recv(queues.asked) -> parcel => (Class::Asked, parcel),
            };
            match parcel {
                Ok(parcel) => self.attend(class, parcel),
                // Both end together; what is in the other one is still due its answer.
                Err(_) => {
                    for class in [Class::Own, Class::Asked] {
                        for parcel in queues.of(class) {
                            self.attend(class, parcel);
                        }
                    }
                    return;
                }
            }
        }
    }

    fn attend(&self, class: Class, Parcel { job, completion }: Parcel) {
        let done = if self.is_ending.load(Ordering::Relaxed) {
            Done::Failed(Failure::Busy)
        } else {
            // A mistake in the arithmetic must not take the thread away from all other askers.
            catch_unwind(AssertUnwindSafe(|| self.worker.perform(&job)))
                .unwrap_or(Done::Failed(Failure::Busy))
        };
        self.counts.of(class).note(&done);
        // Nor must one in what is done with it; it was reported when it happened.
        let _ = catch_unwind(AssertUnwindSafe(|| completion(done)));
    }
}

#[cfg(test)]
mod tests;
