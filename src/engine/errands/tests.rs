//! With a pool that keeps what it is given until it is told to be done.
use super::*;
use core::time::Duration;
use truechimer_proto::autokey::facts::Generation;
use truechimer_proto::autokey::job::{Completion, Failure, Full, Task};
use truechimer_sys::poll::PollSet;
use truechimer_sys::wake::Wake;

#[derive(Default)]
struct Shelf {
    room: usize,
    kept: Mutex<Vec<(Class, Completion)>>,
    refused: AtomicU64,
}

impl CryptoPool for Shelf {
    fn submit(&self, class: Class, _: CryptoJob, completion: Completion) -> Result<(), Full> {
        let mut kept = self.kept.lock().expect("whole");
        if kept.len() >= self.room {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Err(Full);
        }
        kept.push((class, completion));
        Ok(())
    }

    fn counts(&self) -> PoolCounts {
        let mut counts = PoolCounts::default();
        counts.own.refused = self.refused.load(Ordering::Relaxed);
        counts.own.waiting = self.kept.lock().expect("whole").len() as u64;
        counts
    }
}

impl Shelf {
    /// Does the oldest job on a thread of its own, as pools do.
    fn work(&self, done: Done) {
        let (_, completion) = self.kept.lock().expect("whole").remove(0);
        let thread = std::thread::spawn(move || completion(done));
        thread.join().expect("no panic");
    }
}

fn job() -> CryptoJob {
    CryptoJob {
        generation: Generation(1),
        task: Task::Sign {
            timestamp: 1,
            values: Vec::new(),
        },
    }
}

fn is_awake(wake: &Wake) -> bool {
    let mut set = PollSet::default();
    set.push(wake);
    set.wait(Duration::ZERO).expect("no signal") == 1
}

fn office(room: usize) -> (Arc<Shelf>, Arc<Wake>, Errands, Receiver<Finished>) {
    let shelf = Arc::new(Shelf {
        room,
        ..Shelf::default()
    });
    let wake = Arc::new(Wake::new().expect("a descriptor"));
    let waker = Waker(Some(Arc::clone(&wake)));
    let (errands, finished) = errands(Arc::clone(&shelf) as Arc<dyn CryptoPool>, waker);
    (shelf, wake, errands, finished)
}

#[test]
fn what_is_done_comes_back_and_wakes_who_waits_for_it() {
    let (shelf, wake, errands, finished) = office(2);
    assert!(errands.send_own(JobId(1), Class::Own, job()));
    assert!(errands.send_own(JobId(2), Class::Asked, job()));
    let classes: Vec<Class> = shelf.kept.lock().unwrap().iter().map(|it| it.0).collect();
    assert_eq!(classes, [Class::Own, Class::Asked]);
    assert!(!is_awake(&wake), "nothing is done yet");
    shelf.work(Done::Verified);
    assert!(is_awake(&wake));
    wake.hush();
    shelf.work(Done::Failed(Failure::Busy));
    assert!(is_awake(&wake), "for each");
    let heard: Vec<(JobId, Done)> = finished
        .try_iter()
        .map(|it| match it {
            Finished::Own(id, done) => (id, done),
            Finished::Asked(..) => panic!("nobody asked"),
        })
        .collect();
    let failed = Done::Failed(Failure::Busy);
    assert_eq!(heard, [(JobId(1), Done::Verified), (JobId(2), failed)]);
}

#[test]
fn a_full_pool_says_so_at_once_and_counts_it() {
    let (shelf, wake, errands, finished) = office(1);
    assert!(errands.send_own(JobId(1), Class::Own, job()));
    assert!(!errands.send_own(JobId(2), Class::Own, job()));
    let counts = errands.counts();
    assert_eq!((counts.own.waiting, counts.own.refused), (1, 1));
    assert!(
        !is_awake(&wake) && finished.is_empty(),
        "whoever sent it knows"
    );
    shelf.work(Done::Verified);
    assert!(errands.send_own(JobId(3), Class::Own, job()), "room again");
}

#[test]
fn what_is_done_too_late_hurts_nobody() {
    let (shelf, wake, errands, finished) = office(1);
    assert!(errands.send_own(JobId(1), Class::Own, job()));
    drop(finished);
    shelf.work(Done::Verified);
    assert!(is_awake(&wake));
    assert!(errands.send_own(JobId(2), Class::Own, job()));
    drop(errands);
    shelf.work(Done::Verified);
}
