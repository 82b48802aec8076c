//! From a request with a right session key to a verdict.
use super::bounds::Refused;
use super::parked::{self, Parked};
use super::session::Session;
use crate::authentication::Authenticator;
use crate::autokey::service::{Answer, Service};
use crate::autokey::wanted::Wanted;
use crate::packet::{Received, Via};
use crate::server::{AutokeyOutcome, DropReason};
use crate::snapshot::Snapshot;
use std::sync::Arc;
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{Now, NtpTimestamp};
use truechimer_wire::{AutokeyBody, AutokeyCode, AutokeyMessage, Header, Mode, Packet};

/// How many octets of a reply an octet of a request may cost while its sender's address is not proven.
const AMPLIFICATION_MAX: usize = 3;

/// A request and what it is answered from.
pub(in super::super) struct Asked<'a> {
    now: Now,
    received: &'a Received<'a>,
    request: &'a Packet<'a>,
    asked: Header,
    session: Session,
    service: &'a Arc<Service>,
    snapshot: &'a Snapshot,
}

/// What became of a request.
#[derive(Debug)]
pub(in super::super) enum Outcome {
    /// The time alone, as long as this.
    Plain(usize),
    /// A ready value, in a reply as long as this.
    Ready(usize),
    /// A field that says that there is nothing to give.
    Nothing(usize),
    /// The same to who did not prove its address yet: it may ask again.
    Unproven(usize),
    /// A field that says that it cannot be.
    Error(usize),
    /// It waits for a holder of keys.
    Parked(Box<Parked>),
}

impl Outcome {
    /// What it counts as.
    pub(in super::super) const fn counted(&self) -> AutokeyOutcome {
        match self {
            Self::Plain(_) => AutokeyOutcome::Plain,
            Self::Ready(_) => AutokeyOutcome::Ready,
            Self::Nothing(_) => AutokeyOutcome::Nothing,
            Self::Unproven(_) => AutokeyOutcome::Unproven,
            Self::Error(_) => AutokeyOutcome::Error,
            Self::Parked(_) => AutokeyOutcome::Parked,
        }
    }
}

impl<'a> Asked<'a> {
    pub(in super::super) fn new(
        now: Now,
        received: &'a Received<'a>,
        request: &'a Packet<'a>,
        session: Session,
        service: &'a Arc<Service>,
        snapshot: &'a Snapshot,
    ) -> Self {
        Self {
            now,
            received,
            request,
            asked: request.header(),
            session,
            service,
            snapshot,
        }
    }

    /// Answers with at most one field. `header` is that of a plain reply.
    ///
    /// # Errors
    /// Why it gets no reply.
    pub(in super::super) fn answer(
        &self,
        mut header: Header,
        authenticator: &mut dyn Authenticator,
        out: &mut [u8],
    ) -> Result<Outcome, DropReason> {
        let Some(field) = self.request.extension_fields().next() else {
            return self.plain(header, authenticator, out);
        };
        header.transmit_time = self.marked(header.transmit_time);
        let asked = AutokeyMessage::new_checked(&field).map_err(|_| DropReason::AutokeyForm)?;
        if asked.is_response || asked.is_error {
            return Err(DropReason::AutokeyForm);
        }
        self.check_group(&asked)?;
        let cookie = match asked.code {
            AutokeyCode::Cookie => self.session.new_cookie(self.service, authenticator),
            _ => None,
        };
        let answer = self
            .service
            .answer(&asked, self.known_s(), cookie, self.session.ours());
        let mut say =
            |body, is_error| self.say(&header, &asked, body, is_error, authenticator, out);
        match answer {
            Answer::Ready(body) => match say(Some(body), false) {
                Ok(len) => Ok(Outcome::Ready(len)),
                Err(DropReason::NoRoom) => say(None, false).map(Outcome::Unproven),
                Err(reason) => Err(reason),
            },
            Answer::Nothing => say(None, false).map(Outcome::Nothing),
            Answer::Error => say(None, true).map(Outcome::Error),
            Answer::Ask(_) if !self.is_proven() => say(None, false).map(Outcome::Unproven),
            Answer::Ask(wanted) => self.park(header.mode, &asked, field.value, &wanted),
        }
    }

    /// Whether who asks has sent back what was sent to its address.
    pub(in super::super) fn is_proven(&self) -> bool {
        let (origin, asker) = (self.asked.origin_time, self.session.asker());
        let precision = self.snapshot.precision;
        let bounds = &self.service.bounds;
        bounds.is_proven(origin, precision, asker, self.now.wall)
    }

    /// A transmit stamp that proves the address of who sends it back.
    fn marked(&self, stamp: NtpTimestamp) -> NtpTimestamp {
        let (precision, asker) = (self.snapshot.precision, self.session.asker());
        self.service.bounds.mark(stamp, precision, asker)
    }

    /// The time, NTP seconds, if this host knows it.
    fn known_s(&self) -> Option<u32> {
        let knows = self.snapshot.leap != LeapIndicator::NotSynchronized;
        knows.then(|| self.now.wall.seconds())
    }

    /// Who asks a whole group must be of it. Who asks this host alone is told its name, whatever his
    /// own: he proves nothing by it, and seed 000's clients have no group in theirs.
    fn check_group(&self, asked: &AutokeyMessage<'_>) -> Result<(), DropReason> {
        let Some(ours) = self.service.host.group() else {
            return Ok(());
        };
        if asked.code != AutokeyCode::Association {
            return Ok(());
        }
        let name = asked.body.map(|it| it.value).unwrap_or_default();
        let theirs = name
            .iter()
            .position(|it| *it == b'@')
            .map(|at| &name[at + 1..]);
        let to_many = matches!(self.received.via, Via::Many { .. });
        let proven = self.service.host.groups.iter().map(String::as_str);
        let is_member = [ours]
            .into_iter()
            .chain(proven)
            .any(|it| theirs == Some(it.as_bytes()));
        if to_many && !is_member {
            return Err(DropReason::AutokeyGroup);
        }
        Ok(())
    }

    /// Tells the time alone.
    ///
    /// # Errors
    /// Why there is no reply.
    pub(in super::super) fn plain(
        &self,
        mut header: Header,
        authenticator: &mut dyn Authenticator,
        out: &mut [u8],
    ) -> Result<Outcome, DropReason> {
        header.transmit_time = self.marked(header.transmit_time);
        let octets = header.to_octets();
        let head = out.get_mut(..octets.len()).ok_or(DropReason::NoRoom)?;
        head.copy_from_slice(&octets);
        let sealed = self.session.seal(octets.len(), authenticator, out);
        sealed.map(Outcome::Plain).ok_or(DropReason::Unsealed)
    }

    /// Writes a reply with one field, if who asks may be sent so much.
    fn say(
        &self,
        header: &Header,
        asked: &AutokeyMessage<'_>,
        body: Option<AutokeyBody<'_>>,
        is_error: bool,
        authenticator: &mut dyn Authenticator,
        out: &mut [u8],
    ) -> Result<usize, DropReason> {
        let message = AutokeyMessage {
            is_response: true,
            is_error,
            code: asked.code,
            association: asked.association,
            body,
        };
        let most = if self.is_proven() {
            out.len()
        } else {
            out.len()
                .min(AMPLIFICATION_MAX * self.received.octets.len())
        };
        parked::write(
            header,
            &message,
            &self.session,
            authenticator,
            &mut out[..most],
        )
        .ok_or(DropReason::NoRoom)
    }

    fn park(
        &self,
        mode: Mode,
        asked: &AutokeyMessage<'_>,
        field: &[u8],
        wanted: &Wanted<'_>,
    ) -> Result<Outcome, DropReason> {
        let (asker, mono) = (self.session.asker(), self.now.mono);
        let admitted = self.service.bounds.admit(asker, field, mono);
        let under_way = admitted.map_err(|refused| match refused {
            Refused::Duplicate => DropReason::AutokeyDuplicate,
            Refused::Rate => DropReason::AutokeyRate,
            Refused::Busy => DropReason::AutokeyBusy,
        })?;
        Ok(Outcome::Parked(Box::new(Parked {
            job: wanted.job(),
            source: self.received.source,
            via: self.received.via,
            arrived: self.received.stamp.at,
            asked: self.asked,
            mode,
            code: asked.code,
            association: asked.association,
            session: self.session,
            under_way,
        })))
    }
}
