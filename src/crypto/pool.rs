//! Threads that do jobs with keys, so that no thread that stamps packets ever waits for a signature.
//!
//! Two bounded queues, one a class: this host's own jobs are done first. What does not fit is refused
//! and counted, and so is what waited for longer than its asker does. When the pool is dropped its threads end; what still waited is told that nobody has
//! the time.

mod counts;

use crate::autokey::Worker;
use counts::Counts;
use crossbeam_channel::{Receiver, Sender, bounded, select_biased};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use truechimer_proto::autokey::job::{
    Class, Completion, CryptoJob, CryptoPool, Done, Failure, Full,
};
use truechimer_proto::autokey::pool_counts::PoolCounts;

/// How large a pool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSize {
    /// Threads, at least one.
    pub threads: usize,
    /// Jobs of this host that may wait.
    pub own_max: usize,
    /// Jobs of those who asked that may wait.
    pub asked_max: usize,
    /// How long one of these may wait.
    pub patience: Duration,
}

impl Default for PoolSize {
    /// One thread, and as many askers as it serves in about a tenth of a second with RSA-2048. The
    /// shortest poll is of 8 s: after that an asker has asked anew, and could not use the answer.
    fn default() -> Self {
        Self {
            threads: 1,
            own_max: 256,
            asked_max: 128,
            patience: Duration::from_secs(8),
        }
    }
}

struct Parcel {
    since: Instant,
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
    patience: Duration,
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
                patience: size.patience,
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

    fn waiting(&self, class: Class) -> usize {
        let senders = self.senders.as_ref();
        senders.map_or(0, |senders| senders.of(class).len())
    }
}

impl CryptoPool for Pool {
    fn submit(&self, class: Class, job: CryptoJob, completion: Completion) -> Result<(), Full> {
        let counts = self.shared.counts.of(class);
        let parcel = Parcel {
            since: Instant::now(),
            job,
            completion,
        };
        let sent = self
            .senders
            .as_ref()
            .is_some_and(|senders| senders.of(class).try_send(parcel).is_ok());
        if sent {
            counts.note_waiting(self.waiting(class));
            Ok(())
        } else {
            counts.refuse();
            Err(Full)
        }
    }

    fn counts(&self) -> PoolCounts {
        let counts = &self.shared.counts;
        PoolCounts {
            own: counts.own.told(self.waiting(Class::Own)),
            asked: counts.asked.told(self.waiting(Class::Asked)),
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

    fn attend(&self, class: Class, parcel: Parcel) {
        let Parcel {
            since,
            job,
            completion,
        } = parcel;
        let counts = self.counts.of(class);
        let busy = Done::Failed(Failure::Busy);
        let done = if class == Class::Asked && since.elapsed() > self.patience {
            counts.note_late();
            busy
        } else if self.is_ending.load(Ordering::Relaxed) {
            counts.note(&busy);
            busy
        } else {
            // A mistake in the arithmetic must not take the thread away from all other askers.
            let done = catch_unwind(AssertUnwindSafe(|| self.worker.perform(&job)));
            let done = done.unwrap_or(busy);
            counts.note(&done);
            done
        };
        // Nor must one in what is done with it; it was reported when it happened.
        let _ = catch_unwind(AssertUnwindSafe(|| completion(done)));
    }
}

#[cfg(test)]
mod tests;
