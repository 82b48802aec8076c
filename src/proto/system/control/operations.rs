//! What only the host can do: apply lines of configuration, write them to a file. The asker's
//! answer waits until it is done.
use super::super::System;
use super::private::Letter;
use super::{Asked, Envelope, Outcome};
use crate::authentication::MacVerified;
use crate::control::{Done, Operation, OperationId, Task};
use crate::host::Output;
use crate::server::RestrictFlags;
use core::net::SocketAddr;
use truechimer_time::Now;
use truechimer_wire::ControlError;

/// Operations under way, at most; the host does one at a time.
const WAITING_MAX: usize = 8;
/// Octets of a file name, at most, as in the reference.
const NAME_LEN_MAX: usize = 127;

/// An answer that is not known yet.
#[derive(Debug)]
pub(super) struct Waiting {
    id: OperationId,
    asker: Asker,
}

/// Who waits for it, and for what kind of answer.
#[derive(Clone, Debug)]
pub(super) enum Asker {
    /// A control message.
    Control(Envelope),
    /// A private one.
    Private(Letter),
}

impl System {
    pub(super) fn start_configuring(
        &mut self,
        asked: &Asked<'_>,
    ) -> Result<(u16, Vec<u8>), Outcome> {
        if asked.header.association != 0 {
            return Err(Outcome::Refused(ControlError::BadValue));
        }
        if asked.request.flags.contains(RestrictFlags::NOMODIFY) {
            return Ok(say(
                "runtime configuration prohibited by restrict ... nomodify",
            ));
        }
        let Some(text) = text_of(asked.data) else {
            return Ok(say(
                "runtime configuration failed: request contains an unprintable character",
            ));
        };
        self.start(asked, Task::Configure(text))
    }

    pub(super) fn start_saving(&mut self, asked: &Asked<'_>) -> Result<(u16, Vec<u8>), Outcome> {
        if asked.request.flags.contains(RestrictFlags::NOMODIFY) {
            return Ok(say("saveconfig prohibited by restrict ... nomodify"));
        }
        if !self.config.control.may_save {
            return Ok(say("saveconfig prohibited, no saveconfigdir configured"));
        }
        let name = asked.data.split(|octet| *octet == 0).next();
        let name = core::str::from_utf8(name.unwrap_or_default()).unwrap_or("?");
        if name.is_empty() {
            return Err(Outcome::Silence);
        }
        if name.len() > NAME_LEN_MAX {
            return Ok(say("saveconfig exceeded maximum raw name length (128)"));
        }
        if !is_plain(name) {
            let text = format!("saveconfig rejects unsafe file name '{}'", printable(name));
            return Ok(say(&text));
        }
        self.start(asked, Task::Save(name.to_owned()))
    }

    fn start(&mut self, asked: &Asked<'_>, what: Task) -> Result<(u16, Vec<u8>), Outcome> {
        let asker = Asker::Control(Envelope {
            header: asked.header,
            to: asked.request.source,
            from: asked.request.local,
            key: asked.proof.as_ref().map(MacVerified::key),
        });
        self.operate(asked.request.source, asker, what);
        Err(Outcome::Silence)
    }

    /// Has the host do something for an asker at this address.
    pub(super) fn operate(&mut self, address: SocketAddr, asker: Asker, what: Task) {
        let waiting = &mut self.control.waiting;
        if waiting.len() >= WAITING_MAX {
            // One that never came back must not block those after it.
            waiting.remove(0);
            self.control.counts.ignored += 1;
        }
        let id = OperationId(self.control.next_operation);
        self.control.next_operation = self.control.next_operation.wrapping_add(1);
        self.control.waiting.push(Waiting { id, asker });
        self.outbox.push(Output::Operate(Operation {
            id,
            what,
            asker: address,
        }));
    }

    /// Tells the asker what came of it.
    pub(in super::super) fn handle_done(&mut self, now: Now, done: Done) {
        let waiting = &mut self.control.waiting;
        let Some(place) = waiting.iter().position(|it| it.id == done.id) else {
            return;
        };
        let Waiting { asker, .. } = waiting.remove(place);
        if done.saved.is_some() {
            self.control.saved = done.saved;
        }
        match asker {
            Asker::Control(envelope) => {
                let (status, text) = say(&done.text);
                self.reply(now, &envelope, status, &text);
            }
            Asker::Private(letter) => self.acknowledge_done(now, &letter, done.succeeded),
        }
    }
}

/// Free text, ended as the reference ends it.
fn say(text: &str) -> (u16, Vec<u8>) {
    (0, format!("{text}\r\n").into_bytes())
}

/// Lines of a configuration, without white space at their end.
fn text_of(octets: &[u8]) -> Option<String> {
    let plain = |octet: &u8| matches!(octet, b' '..=b'~' | b'\t' | b'\n' | b'\r');
    let octets = octets.trim_ascii_end();
    let text = octets.iter().all(plain).then_some(octets)?;
    core::str::from_utf8(text).ok().map(str::to_owned)
}

/// A name without folders, hidden files or tricks; `%` begins a part of the time.
fn is_plain(name: &str) -> bool {
    let first = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '%';
    let later = |c: char| first(c) || matches!(c, '-' | '.' | '+');
    name.starts_with(first) && name.chars().all(later)
}

fn printable(name: &str) -> String {
    let shown = name.chars().map(|c| if c.is_control() { '?' } else { c });
    shown.collect()
}
