//! How the clock thread tells a server thread what changed, without ever making it wait.
use crate::clerk::Desk;
use crate::listeners::Listener;
use crate::traffic::Traffic;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, TryLockError};
use truechimer_proto::authentication::Authenticator;
use truechimer_proto::server::Policy;
use truechimer_sys::socket::Socket;

/// One service address as one thread has it.
#[derive(Clone, Debug)]
pub(super) struct Door {
    pub(super) desk: Desk,
    pub(super) socket: Arc<Socket>,
    pub(super) traffic: Arc<Traffic>,
}

/// The doors of thread `number`.
pub(super) fn doors(listeners: &[Listener], number: usize) -> Vec<Door> {
    listeners
        .iter()
        .filter_map(|listener| {
            Some(Door {
                desk: listener.desk(),
                socket: Arc::clone(listener.sockets.get(number)?),
                traffic: Arc::clone(&listener.traffic),
            })
        })
        .collect()
}

/// What a server thread works by.
pub(super) struct Plan {
    pub(super) policy: Arc<Policy>,
    /// New keys; `None` keeps those it has.
    pub(super) authenticator: Option<Box<dyn Authenticator>>,
    pub(super) doors: Vec<Door>,
}

/// Where the clock thread posts a plan. The thread looks at a counter each turn, and takes the
/// lock only when that has moved and only if nobody holds it: a clock thread stopped while it
/// posts delays the change, not the answers.
pub(super) struct Board {
    posts: AtomicU64,
    plan: Mutex<Option<Plan>>,
}

impl Board {
    pub(super) const fn new(plan: Plan) -> Self {
        Self {
            posts: AtomicU64::new(1),
            plan: Mutex::new(Some(plan)),
        }
    }

    /// Posts a plan; one not yet taken gives its keys to the new one if that has none.
    pub(super) fn post(&self, mut plan: Plan) {
        let mut posted = match self.plan.lock() {
            Ok(posted) => posted,
            // The other side panicked while it took the plan; the slot itself is whole.
            Err(poisoned) => poisoned.into_inner(),
        };
        let before = posted.take();
        if plan.authenticator.is_none() {
            plan.authenticator = before.and_then(|before| before.authenticator);
        }
        *posted = Some(plan);
        drop(posted);
        self.posts.fetch_add(1, Ordering::Release);
    }

    /// The plan posted since `seen`, if there is one and it can be had without waiting.
    pub(super) fn take_news(&self, seen: &mut u64) -> Option<Plan> {
        let posts = self.posts.load(Ordering::Acquire);
        if posts == *seen {
            return None;
        }
        let mut posted = match self.plan.try_lock() {
            Ok(posted) => posted,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        *seen = posts;
        posted.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use truechimer_proto::authentication::NoKeys;

    fn plan(keys: bool) -> Plan {
        Plan {
            policy: Arc::new(Policy::default()),
            authenticator: keys.then(|| Box::new(NoKeys) as Box<dyn Authenticator>),
            doors: Vec::new(),
        }
    }

    #[test]
    fn news_is_taken_once_and_keys_are_not_lost() {
        let board = Board::new(plan(true));
        let mut seen = 0;
        board.post(plan(false));
        assert!(board.take_news(&mut seen).unwrap().authenticator.is_some());
        assert!(board.take_news(&mut seen).is_none());
        board.post(plan(false));
        assert!(board.take_news(&mut seen).unwrap().authenticator.is_none());
    }

    #[test]
    fn a_stopped_poster_holds_nobody_up() {
        let board = Board::new(plan(true));
        let mut seen = 0;
        let held = board.plan.lock().unwrap();
        assert!(board.take_news(&mut seen).is_none());
        drop(held);
        assert!(board.take_news(&mut seen).is_some());
    }
}
