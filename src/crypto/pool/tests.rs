use super::*;
use crate::autokey::test_hosts::{ALICE, NOW};
use crossbeam_channel::unbounded;
use truechimer_proto::autokey::facts::Generation;
use truechimer_proto::autokey::job::Task;

fn sign() -> CryptoJob {
    CryptoJob {
        generation: Generation(1),
        task: Task::Sign {
            timestamp: NOW,
            values: vec![(0, vec![7])],
        },
    }
}

fn hopeless() -> CryptoJob {
    CryptoJob {
        generation: Generation(9),
        ..sign()
    }
}

fn pool(threads: usize) -> Pool {
    let size = PoolSize {
        threads,
        own_max: 2,
        asked_max: 3,
        ..PoolSize::default()
    };
    let worker = ALICE.draft(None).build(Generation(1)).expect("it fits");
    Pool::start(size, Arc::new(Worker::new(worker)), |_| {}).expect("threads")
}

/// Keeps the only thread busy until the sender that comes back is dropped.
fn occupy(pool: &Pool) -> Sender<()> {
    let (release, released) = bounded(0);
    let (begun, has_begun) = bounded(1);
    let wait = move |_| {
        begun.send(()).expect("somebody waits");
        let _ = released.recv();
    };
    pool.submit(Class::Asked, sign(), Box::new(wait))
        .expect("room");
    has_begun.recv().expect("begun");
    release
}

#[test]
fn own_jobs_first_and_no_more_than_fit() {
    let pool = pool(1);
    let release = occupy(&pool);
    let (sender, receiver) = unbounded();
    let submit = |class, name, job| {
        let sender = sender.clone();
        let tell = move |done| sender.send((name, done)).expect("somebody listens");
        pool.submit(class, job, Box::new(tell))
    };
    for name in ["asked 1", "asked 2", "asked 3"] {
        assert_eq!(submit(Class::Asked, name, sign()), Ok(()));
    }
    assert_eq!(submit(Class::Asked, "asked 4", sign()), Err(Full));
    assert_eq!(submit(Class::Own, "own 1", sign()), Ok(()));
    assert_eq!(submit(Class::Own, "own 2", hopeless()), Ok(()));
    assert_eq!(submit(Class::Own, "own 3", sign()), Err(Full));
    let counts = pool.counts();
    assert_eq!((counts.own.waiting, counts.asked.waiting), (2, 3));
    assert_eq!((counts.own.refused, counts.asked.refused), (1, 1));
    drop(release);
    let order: Vec<&str> = receiver.iter().take(5).map(|(name, _)| name).collect();
    assert_eq!(order, ["own 1", "own 2", "asked 1", "asked 2", "asked 3"]);
    let counts = pool.counts();
    let most = (counts.own.most_waiting, counts.asked.most_waiting);
    assert_eq!(most, (2, 3));
    assert_eq!((counts.own.done, counts.own.failed), (1, 1));
    assert_eq!((counts.asked.done, counts.asked.failed), (4, 0));
    assert_eq!((counts.own.waiting, counts.asked.waiting), (0, 0));
}

#[test]
fn each_job_gets_one_answer_also_when_the_pool_ends() {
    for threads in [1, 3] {
        let pool = pool(threads);
        let release = (threads == 1).then(|| occupy(&pool));
        let (sender, receiver) = unbounded();
        let mut taken = 0;
        for class in [Class::Own, Class::Asked].into_iter().cycle().take(10) {
            let sender = sender.clone();
            let tell = move |done| sender.send(done).expect("somebody listens");
            taken += usize::from(pool.submit(class, sign(), Box::new(tell)).is_ok());
        }
        drop(sender);
        let ending = std::thread::spawn(move || drop(pool));
        drop(release);
        ending.join().expect("the pool ended");
        let outcomes: Vec<Done> = receiver.iter().collect();
        assert_eq!(outcomes.len(), taken);
        let sound = |done: &Done| matches!(done, Done::Signed(_) | Done::Failed(Failure::Busy));
        assert!(outcomes.iter().all(sound), "{outcomes:?}");
    }
}

#[test]
fn who_waited_too_long_is_told_so_and_costs_nothing() {
    let size = PoolSize {
        patience: Duration::ZERO,
        ..PoolSize::default()
    };
    let worker = ALICE.draft(None).build(Generation(1)).expect("it fits");
    let pool = Pool::start(size, Arc::new(Worker::new(worker)), |_| {}).expect("threads");
    let (sender, receiver) = unbounded();
    for class in [Class::Own, Class::Asked] {
        let sender = sender.clone();
        let tell = move |done| sender.send((class, done)).expect("somebody listens");
        assert_eq!(pool.submit(class, sign(), Box::new(tell)), Ok(()));
    }
    for (class, done) in receiver.iter().take(2) {
        let is_busy = done == Done::Failed(Failure::Busy);
        assert_eq!(is_busy, class == Class::Asked, "{class:?}: {done:?}");
    }
    let counts = pool.counts();
    assert_eq!((counts.own.done, counts.own.late), (1, 0));
    assert_eq!((counts.asked.failed, counts.asked.late), (0, 1));
}

#[test]
fn threads_prepare_themselves_by_name() {
    let worker = ALICE.draft(None).build(Generation(1)).expect("it fits");
    let (sender, receiver) = unbounded();
    let size = PoolSize {
        threads: 2,
        ..PoolSize::default()
    };
    let prepare = move |number| {
        let name = std::thread::current().name().map(str::to_owned);
        sender.send((number, name)).expect("somebody listens");
    };
    let pool = Pool::start(size, Arc::new(Worker::new(worker)), prepare).expect("threads");
    let mut told: Vec<_> = receiver.iter().take(2).collect();
    told.sort_unstable();
    let name = |number| Some(format!("crypto-{number}"));
    assert_eq!(told, [(0, name(0)), (1, name(1))]);
    drop(pool);
}

#[test]
fn a_mistake_with_one_outcome_takes_nobody_elses() {
    let pool = pool(1);
    let (sender, receiver) = unbounded();
    let fails = |_: Done| panic!("a mistake of this test, to be survived");
    pool.submit(Class::Own, sign(), Box::new(fails))
        .expect("room");
    let tell = move |done| sender.send(done).expect("somebody listens");
    pool.submit(Class::Own, sign(), Box::new(tell))
        .expect("room");
    let done = receiver.recv_timeout(std::time::Duration::from_secs(20));
    assert!(matches!(done, Ok(Done::Signed(_))), "{done:?}");
}
