//! Several writers and readers of a few words, none of whom ever waits for another.
//!
//! The first word counts turns and is odd while somebody writes. A writer who finds it odd goes
//! away; a reader who finds it odd, or changed after reading, throws away what it read.

#[cfg(not(loom))]
use core::sync::atomic::fence;
#[cfg(not(loom))]
pub(super) use core::sync::atomic::{AtomicU64, Ordering};
#[cfg(loom)]
use loom::sync::atomic::fence;
#[cfg(loom)]
pub(super) use loom::sync::atomic::{AtomicU64, Ordering};

/// How often a reader tries before it says that it could not read.
const TRIES: usize = 8;

/// Lets `write` change the words after the first, alone; `None` if another writer is at it. That
/// one may have been put to sleep in the middle, so it is not waited for.
pub(super) fn try_write<T>(
    words: &[AtomicU64],
    write: impl FnOnce(&[AtomicU64]) -> T,
) -> Option<T> {
    let (turns, words) = words.split_first()?;
    let before = turns.load(Ordering::Relaxed);
    let odd = before.wrapping_add(1);
    // Acquire: what the writer before stored is seen.
    if before & 1 == 1
        || turns
            .compare_exchange(before, odd, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
    {
        return None;
    }
    // A reader that sees a word stored below must also see the odd turn.
    fence(Ordering::Release);
    let done = write(words);
    turns.store(odd.wrapping_add(1), Ordering::Release);
    Some(done)
}

/// The words after the first as one writer left them; `None` if writers kept coming in between.
pub(super) fn read<const N: usize>(words: &[AtomicU64]) -> Option<[u64; N]> {
    let (turns, words) = words.split_first()?;
    for _ in 0..TRIES {
        let before = turns.load(Ordering::Acquire);
        if before & 1 == 0 {
            let mut copy = [0; N];
            for (copy, word) in copy.iter_mut().zip(words) {
                *copy = word.load(Ordering::Relaxed);
            }
            fence(Ordering::Acquire);
            if turns.load(Ordering::Relaxed) == before {
                return Some(copy);
            }
        }
        core::hint::spin_loop();
        #[cfg(loom)]
        loom::thread::yield_now();
    }
    None
}

#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;
    use loom::sync::Arc;

    fn add(words: &[AtomicU64]) {
        for word in words {
            word.store(word.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    }

    /// In every order of every access of two writers and a reader: what is read is whole, no
    /// addition that was let in is lost, and one at least is let in.
    #[test]
    fn never_torn_and_never_lost() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(|| {
            let words: Arc<[AtomicU64; 3]> = Arc::new(core::array::from_fn(|_| AtomicU64::new(0)));
            let writers: Vec<_> = (0..2)
                .map(|_| {
                    let words = Arc::clone(&words);
                    loom::thread::spawn(move || try_write(&words[..], add).is_some())
                })
                .collect();
            if let Some([one, other]) = read::<2>(&words[..]) {
                assert_eq!(one, other);
            }
            let let_in = writers
                .into_iter()
                .map(|writer| u64::from(writer.join().unwrap()))
                .sum::<u64>();
            assert!(let_in >= 1);
            assert_eq!(read::<2>(&words[..]), Some([let_in; 2]));
        });
    }
}
