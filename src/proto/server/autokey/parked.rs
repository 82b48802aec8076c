//! A request that waits for a holder of keys.
use super::bounds::UnderWay;
use super::session::Session;
use crate::authentication::Authenticator;
use crate::autokey::job::{CryptoJob, Done, Failure};
use crate::packet::Via;
use crate::server::reply;
use crate::snapshot::Snapshot;
use core::net::SocketAddr;
use truechimer_time::{Now, NtpTimestamp};
use truechimer_wire::{AutokeyCode, AutokeyMessage, HEADER_LEN, Header, Mode};

/// A request whose answer is being made: what the reply needs of it, and the job. Drop it and the
/// asker hears nothing; it asks again at its next poll.
#[derive(Debug)]
pub struct Parked {
    pub(super) job: CryptoJob,
    pub(super) source: SocketAddr,
    pub(super) via: Via,
    pub(super) arrived: NtpTimestamp,
    pub(super) asked: Header,
    pub(super) mode: Mode,
    pub(super) code: AutokeyCode,
    pub(super) association: u32,
    pub(super) session: Session,
    pub(super) under_way: UnderWay,
}

impl Parked {
    /// What is to be done.
    pub const fn job(&self) -> &CryptoJob {
        &self.job
    }

    /// Where the reply goes.
    pub const fn source(&self) -> SocketAddr {
        self.source
    }

    /// Where the request came in: the reply leaves from that address.
    pub const fn via(&self) -> Via {
        self.via
    }

    /// Writes the reply with what came of the job, and returns its length. `now` becomes the transmit
    /// stamp, so take it just before. `None` if there is nothing to be said: nobody had the time, or
    /// the clock was stepped since the request came.
    pub fn finish(
        &self,
        done: &Done,
        now: Now,
        snapshot: &Snapshot,
        authenticator: &mut dyn Authenticator,
        out: &mut [u8],
    ) -> Option<usize> {
        let body = match done {
            Done::Value(value) => Some(value.body()),
            Done::Certified { value, asker } => {
                let names = self.under_way.bounds().names();
                names.note(asker, self.session.asker());
                Some(value.body())
            }
            Done::Failed(Failure::Busy) => return None,
            _ => None,
        };
        let header = reply::header(&self.asked, self.mode, self.arrived, now, snapshot);
        let mut header = header.ok()?;
        let bounds = self.under_way.bounds();
        let (stamp, asker) = (header.transmit_time, self.session.asker());
        header.transmit_time = bounds.mark(stamp, snapshot.precision, asker);
        let message = AutokeyMessage {
            is_response: true,
            is_error: body.is_none(),
            code: self.code,
            association: self.association,
            body,
        };
        write(&header, &message, &self.session, authenticator, out)
    }
}

/// Writes a reply with one field.
pub(super) fn write(
    header: &Header,
    message: &AutokeyMessage<'_>,
    session: &Session,
    authenticator: &mut dyn Authenticator,
    out: &mut [u8],
) -> Option<usize> {
    let (head, rest) = out.split_first_chunk_mut::<HEADER_LEN>()?;
    *head = header.to_octets();
    let len = HEADER_LEN + message.write(rest)?;
    session.seal(len, authenticator, out)
}
