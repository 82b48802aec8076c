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
    if before & 1 == 1 {
        return None;
    }
    write_after(before, turns, words, write)
}

/// The writer's turn after an even one, if nobody else has begun it.
fn write_after<T>(
    before: u64,
    turns: &AtomicU64,
    words: &[AtomicU64],
    write: impl FnOnce(&[AtomicU64]) -> T,
) -> Option<T> {
    let odd = before.wrapping_add(1);
    // Acquire: what the writer before stored is seen.
    turns
        .compare_exchange(before, odd, Ordering::Acquire, Ordering::Relaxed)
        .ok()?;
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

/// Memory of zeros, fresh from the system and not yet touched; half of it, and so on, where there
/// is not so much.
#[cfg(not(loom))]
pub(super) fn zeroed<const N: usize>(mut sets: usize) -> Box<[[AtomicU64; N]]>
where
    [AtomicU64; N]: bytemuck::Zeroable,
{
    while sets > 1 {
        if let Ok(memory) = bytemuck::try_zeroed_slice_box(sets) {
            return memory;
        }
        sets /= 2;
    }
    bytemuck::zeroed_slice_box(1)
}

#[cfg(loom)]
pub(super) fn zeroed<const N: usize>(sets: usize) -> Box<[[AtomicU64; N]]> {
    let set = |_| core::array::from_fn(|_| AtomicU64::new(0));
    (0..sets).map(set).collect()
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

    fn three_words() -> Arc<[AtomicU64; 3]> {
        Arc::new(core::array::from_fn(|_| AtomicU64::new(0)))
    }

    /// In every order of every access of a writer and a reader, what is read is whole. The writer
    /// loads nothing: loom remembers one access a word, and such a load would hide the reader's.
    #[test]
    fn never_torn() {
        loom::model(|| {
            let words = three_words();
            let shared = Arc::clone(&words);
            let writer = loom::thread::spawn(move || {
                let [turns, words @ ..] = &*shared;
                write_after(0, turns, words, |words| {
                    for word in words {
                        word.store(1, Ordering::Relaxed);
                    }
                })
            });
            if let Some([one, other]) = read::<2>(&words[..]) {
                assert_eq!(one, other);
            }
            writer.join().unwrap();
        });
    }

    /// Of two writers one at least is let in, and what was let in is not lost.
    #[test]
    fn never_lost() {
        loom::model(|| {
            let words = three_words();
            let writers: Vec<_> = (0..2)
                .map(|_| {
                    let words = Arc::clone(&words);
                    loom::thread::spawn(move || try_write(&words[..], add).is_some())
                })
                .collect();
            let let_in = writers
                .into_iter()
                .map(|writer| u64::from(writer.join().unwrap()))
                .sum::<u64>();
            assert!(let_in >= 1);
            assert_eq!(read::<2>(&words[..]), Some([let_in; 2]));
        });
    }
}
