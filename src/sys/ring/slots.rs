//! The sockets of a ring: each has a number by which the kernel knows it, for as long as a request for
//! it may still complete.
use crate::socket::Socket;
use std::sync::Arc;

/// User data of completions that are of no socket.
pub(super) const WAKE: u64 = u64::MAX;
pub(super) const CANCEL: u64 = u64::MAX - 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Free,
    /// Its request has ended, or has not begun.
    Idle,
    Armed,
    /// Its request is cancelled, and has not ended yet.
    Leaving,
}

#[derive(Debug)]
pub(super) struct Slot {
    /// Held until it is left, so that its descriptor stays its own.
    pub(super) socket: Option<Arc<Socket>>,
    pub(super) state: State,
    /// In the list the ring was given.
    pub(super) place: usize,
    /// Ends in a row without a datagram, by an error.
    pub(super) barren: u32,
    /// So that completions of its predecessors are known.
    turn: u32,
}

impl Slot {
    const FREE: Self = Self {
        socket: None,
        state: State::Free,
        place: 0,
        barren: 0,
        turn: 0,
    };

    pub(super) const fn is_receiving(&self) -> bool {
        matches!(self.state, State::Idle | State::Armed)
    }
}

pub(super) struct Slots(Box<[Slot]>);

impl Slots {
    pub(super) fn new(count: u16) -> Self {
        Self((0..count).map(|_| Slot::FREE).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, number: usize) -> Option<&Slot> {
        self.0.get(number)
    }

    pub(super) fn get_mut(&mut self, number: usize) -> Option<&mut Slot> {
        self.0.get_mut(number)
    }

    /// The number of this socket.
    pub(super) fn find(&self, socket: &Arc<Socket>) -> Option<usize> {
        let is_it = |slot: &Slot| {
            let its = slot.socket.as_ref();
            slot.is_receiving() && its.is_some_and(|its| Arc::ptr_eq(its, socket))
        };
        self.0.iter().position(is_it)
    }

    /// Puts a socket where none is; `None` where there is no room.
    pub(super) fn put(&mut self, socket: Arc<Socket>) -> Option<usize> {
        let number = self.0.iter().position(|slot| slot.state == State::Free)?;
        let slot = self.0.get_mut(number)?;
        slot.socket = Some(socket);
        slot.state = State::Idle;
        slot.barren = 0;
        slot.turn = slot.turn.wrapping_add(1);
        Some(number)
    }

    /// Of its requests.
    pub(super) fn user_data(&self, number: usize) -> u64 {
        let turn = self.0.get(number).map_or(0, |slot| slot.turn);
        u64::from(turn & 0x7FFF_FFFF) << 32 | number as u64
    }

    /// Whose completion it is.
    pub(super) fn owner(&self, user_data: u64) -> Option<usize> {
        let number = usize::try_from(user_data & 0xFFFF_FFFF).ok()?;
        (number < self.len() && self.user_data(number) == user_data).then_some(number)
    }

    pub(super) fn any_in(&self, states: &[State]) -> bool {
        self.0.iter().any(|slot| states.contains(&slot.state))
    }
}
