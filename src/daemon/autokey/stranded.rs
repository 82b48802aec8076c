//! Threads that hang in a folder which nobody wants to know of any more.
use crossbeam_channel::{Receiver, TryRecvError};

/// Such threads at once; each holds a stack until its file server answers.
const STRANDED_MAX: usize = 3;

/// What they would say, if they ever end.
#[derive(Debug)]
pub(crate) struct Stranded<T>(Vec<Receiver<T>>);

impl<T> Default for Stranded<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Stranded<T> {
    /// Leaves one behind.
    ///
    /// # Errors
    /// Gives it back while as many as there may be are left behind and have not ended.
    pub(crate) fn leave(&mut self, thread: Receiver<T>) -> Result<(), Receiver<T>> {
        self.0
            .retain(|it| matches!(it.try_recv(), Err(TryRecvError::Empty)));
        if self.0.len() >= STRANDED_MAX {
            return Err(thread);
        }
        self.0.push(thread);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::bounded;

    #[test]
    fn they_are_few_and_who_ends_makes_room() {
        let mut stranded = Stranded::default();
        let threads: [_; STRANDED_MAX] = std::array::from_fn(|_| bounded(1));
        for (_, outcome) in &threads {
            assert!(stranded.leave(outcome.clone()).is_ok());
        }
        let (_another, outcome) = bounded(1);
        assert!(stranded.leave(outcome.clone()).is_err());
        threads[1].0.send(()).expect("room");
        assert!(stranded.leave(outcome).is_ok());
    }
}
