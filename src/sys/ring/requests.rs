//! What the kernel is asked for through a ring, and that nothing is left of it at the end.
use super::idle::GROUP;
use super::slots::{CANCEL, State, WAKE};
use super::{Ring, tolerate};
use crate::socket::Socket;
use core::time::Duration;
use io_uring::types::{Fd, Fixed, SubmitArgs, Timespec};
use io_uring::{opcode, squeue};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;

/// How long the end waits for requests to end, each time, and how often.
const FAREWELL: Duration = Duration::from_millis(50);
const FAREWELLS: usize = 20;
/// How often a kernel that is short of memory for a moment is asked to take what the queue holds.
const SUBMITS: usize = 4;

impl Ring {
    /// Receives from these sockets from now on, and from no others. What came to a socket that is
    /// left and was not shown yet is dropped.
    ///
    /// # Errors
    /// The kernel's; `QuotaExceeded` for more sockets than were reckoned with.
    pub fn set_sockets(&mut self, sockets: &[Arc<Socket>]) -> io::Result<()> {
        self.give_back();
        for number in 0..self.slots.len() {
            let slot = self.slots.get(number).filter(|slot| slot.is_receiving());
            let socket = slot.and_then(|slot| slot.socket.as_ref());
            if socket.is_some_and(|its| !sockets.iter().any(|one| Arc::ptr_eq(one, its))) {
                self.leave(number)?;
            }
        }
        for (place, socket) in sockets.iter().enumerate() {
            let number = match self.slots.find(socket) {
                Some(number) => number,
                None => self.take_on(socket)?,
            };
            if let Some(slot) = self.slots.get_mut(number) {
                slot.place = place;
            }
        }
        // What the kernel cannot take now it is handed with the next wait.
        self.uring.submit().map(drop).or_else(tolerate)
    }

    fn take_on(&mut self, socket: &Arc<Socket>) -> io::Result<usize> {
        let slot = self.slots.put(Arc::clone(socket));
        let number = slot.ok_or(io::ErrorKind::QuotaExceeded)?;
        // Before the kernel registers it: a request for a socket that never waits ends at once.
        socket.let_wait()?;
        self.register(number, socket.raw())?;
        self.is_any_idle = true;
        Ok(number)
    }

    fn leave(&mut self, number: usize) -> io::Result<()> {
        let user_data = self.slots.user_data(number);
        let Some(slot) = self.slots.get(number) else {
            return Ok(());
        };
        let is_armed = slot.state == State::Armed;
        if is_armed {
            // If it cannot be asked for the slot stays what it is, so that the end asks once more.
            let cancel = opcode::AsyncCancel::new(user_data).build();
            self.push(&cancel.user_data(CANCEL))?;
        }
        if let Some(slot) = self.slots.get_mut(number) {
            slot.socket = None;
            slot.state = match is_armed {
                true => State::Leaving,
                false => State::Free,
            };
        }
        self.register(number, -1)
    }

    fn register(&self, number: usize, descriptor: i32) -> io::Result<()> {
        let number = u32::try_from(number).map_err(io::Error::other)?;
        let submitter = self.uring.submitter();
        submitter.register_files_update(number, &[descriptor])?;
        Ok(())
    }

    /// Begins, or begins again, receiving where it has ended.
    pub(super) fn arm(&mut self) -> io::Result<()> {
        if !self.is_wake_armed {
            let descriptor = Fd(self.wake.as_fd().as_raw_fd());
            let events = u32::try_from(libc::POLLIN).unwrap_or(0);
            let poll = opcode::PollAdd::new(descriptor, events).multi(true).build();
            self.push(&poll.user_data(WAKE))?;
            self.is_wake_armed = true;
        }
        if !core::mem::take(&mut self.is_any_idle) {
            return Ok(());
        }
        for number in 0..self.slots.len() {
            let idle = self.slots.get(number);
            if idle.is_none_or(|slot| slot.state != State::Idle) {
                continue;
            }
            let file = Fixed(u32::try_from(number).map_err(io::Error::other)?);
            let receive = opcode::RecvMsgMulti::new(file, &raw const *self.template, GROUP);
            let user_data = self.slots.user_data(number);
            self.push(&receive.build().user_data(user_data))?;
            if let Some(slot) = self.slots.get_mut(number) {
                slot.state = State::Armed;
            }
        }
        Ok(())
    }

    fn push(&mut self, entry: &squeue::Entry) -> io::Result<()> {
        for _ in 0..SUBMITS {
            if !self.uring.submission().is_full() {
                break;
            }
            self.uring.submit().map(drop).or_else(tolerate)?;
        }
        // SAFETY: the entries are those of `arm` and `leave`. They name registered sockets, the
        // descriptor of `wake`, which `self` holds, `template`, which lives as long as `self`, and the
        // group of `buffers`, which outlive all requests (see `drop`).
        let pushed = unsafe { self.uring.submission().push(entry) };
        pushed.map_err(io::Error::other)
    }
}

impl Drop for Ring {
    /// Requests end before their memory goes, and sockets are let go at once and not when the kernel
    /// gets round to it, for somebody may want their addresses.
    fn drop(&mut self) {
        self.give_back();
        // Where that fails requests are left, and the memory stays.
        let _ = self.set_sockets(&[]);
        let timeout = Timespec::from(FAREWELL);
        for _ in 0..FAREWELLS {
            while self.receive().is_some() {}
            if !self.slots.any_in(&[State::Armed, State::Leaving]) {
                return;
            }
            let how = SubmitArgs::new().timespec(&timeout);
            let _ = self.uring.submitter().submit_with_args(1, &how);
        }
        self.buffers.abandon();
    }
}
