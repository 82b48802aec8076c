//! Jobs on their way to holders of keys, and what came of them on its way back. Nobody waits for it: a
//! server thread's replies are finished and sent by the thread that did the job, all else comes back
//! to the clock thread.
use crate::Waker;
use crate::counters::ServerCounts;
use crate::latch::Reader;
use crate::traffic::Traffic;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use truechimer_proto::authentication::Authenticator;
use truechimer_proto::autokey::job::{Class, CryptoJob, CryptoPool, Done, JobId};
use truechimer_proto::autokey::pool_counts::PoolCounts;
use truechimer_proto::server::Parked;
use truechimer_sys::clock;
use truechimer_sys::socket::Socket;
use truechimer_time::Now;
use truechimer_wire::PACKET_LEN_MAX;

/// What may be on its way back at most. A pool takes fewer jobs at a time.
const BACK_MAX: usize = 1024;

/// What came of a job, for the clock thread.
pub(crate) enum Finished {
    /// Of one of its own.
    Own(JobId, Done),
    /// Of one whose request came in at the clock thread.
    Asked(Box<Parked>, Done),
}

/// The way to the pool, and from there to the clock thread.
#[derive(Clone)]
pub(crate) struct Errands {
    pool: Arc<dyn CryptoPool>,
    back: Sender<Finished>,
    waker: Waker,
}

/// The way, and its end at the clock thread.
pub(crate) fn errands(pool: Arc<dyn CryptoPool>, waker: Waker) -> (Errands, Receiver<Finished>) {
    let (back, finished) = bounded(BACK_MAX);
    (Errands { pool, back, waker }, finished)
}

impl Errands {
    /// What became of all jobs so far.
    pub(crate) fn counts(&self) -> PoolCounts {
        self.pool.counts()
    }

    /// Has a job of the clock thread's done; `false` if there is no room.
    pub(crate) fn send_own(&self, id: JobId, class: Class, job: CryptoJob) -> bool {
        let (back, waker) = (self.back.clone(), self.waker.clone());
        let completion = move |done| {
            // The clock thread is gone only at the end of the run.
            let _ = back.try_send(Finished::Own(id, done));
            waker.wake();
        };
        self.pool.submit(class, job, Box::new(completion)).is_ok()
    }

    /// Has the answer made to a request that came in at the clock thread; `false` if there is no room.
    pub(crate) fn send_asked(&self, parked: Box<Parked>) -> bool {
        let (back, waker) = (self.back.clone(), self.waker.clone());
        let job = parked.job().clone();
        let completion = move |done| {
            let _ = back.try_send(Finished::Asked(parked, done));
            waker.wake();
        };
        self.pool
            .submit(Class::Asked, job, Box::new(completion))
            .is_ok()
    }

    /// The same for a request that came in through this socket of a server thread, from where its
    /// reply leaves.
    pub(crate) fn send_from(
        &self,
        parked: Box<Parked>,
        door: (Arc<Socket>, Arc<Traffic>),
        finisher: Arc<Finisher>,
    ) -> bool {
        let job = parked.job().clone();
        let completion = move |done| finisher.finish(&parked, &done, &door.0, &door.1);
        self.pool
            .submit(Class::Asked, job, Box::new(completion))
            .is_ok()
    }
}

/// Finishes replies of server threads on threads that hold keys.
pub(crate) struct Finisher {
    /// Threads that do jobs take it, each for one MAC.
    authenticator: Mutex<Box<dyn Authenticator>>,
    /// Keys that take the place of those, put there without waiting for a thread that goes after all
    /// others.
    fresh: Sender<Box<dyn Authenticator>>,
    news: Receiver<Box<dyn Authenticator>>,
    reader: Reader,
    finished: AtomicU64,
    send_failed: AtomicU64,
}

impl Finisher {
    pub(crate) fn new(authenticator: Box<dyn Authenticator>, reader: Reader) -> Self {
        let (fresh, news) = bounded(1);
        Self {
            authenticator: Mutex::new(authenticator),
            fresh,
            news,
            reader,
            finished: AtomicU64::new(0),
            send_failed: AtomicU64::new(0),
        }
    }

    /// Gives it other keys, from the next reply on.
    pub(crate) fn replace_keys(&self, mut authenticator: Box<dyn Authenticator>) {
        // Older news that nobody has looked at yet makes room. Only the clock thread puts any there.
        while let Err(TrySendError::Full(back)) = self.fresh.try_send(authenticator) {
            let _ = self.news.try_recv();
            authenticator = back;
        }
    }

    /// What became of its replies.
    pub(crate) fn counts(&self) -> ServerCounts {
        ServerCounts {
            finished: self.finished.load(Ordering::Relaxed),
            send_failed: self.send_failed.load(Ordering::Relaxed),
            ..ServerCounts::default()
        }
    }

    fn finish(&self, parked: &Parked, done: &Done, socket: &Socket, traffic: &Traffic) {
        let mut out = [0; PACKET_LEN_MAX];
        let mut keys = self
            .authenticator
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Ok(fresh) = self.news.try_recv() {
            *keys = fresh;
        }
        let now = Now {
            mono: clock::monotonic(),
            wall: clock::wall(),
        };
        let written = parked.finish(done, now, &self.reader.read(), keys.as_mut(), &mut out);
        let Some(reply) = written.and_then(|len| out.get(..len)) else {
            return;
        };
        let failed = socket.send_to(reply, parked.source()).is_err();
        let count = if failed {
            &self.send_failed
        } else {
            &self.finished
        };
        count.fetch_add(1, Ordering::Relaxed);
        traffic.note_sent(usize::from(!failed), usize::from(failed));
    }
}

#[cfg(test)]
mod tests;
