//! One who answers datagrams: the same for the clock thread and for every server thread.
use crate::clients::{kernels, ours};
use crate::counters::ServerCounts;
use crate::departures::Noting;
use crate::traces::Tracer;
use core::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use truechimer_proto::authentication::Authenticator;
use truechimer_proto::autokey::job::Done;
use truechimer_proto::control::{ControlRequest, KeyFacts};
use truechimer_proto::packet::{LinkId, Received, Via};
use truechimer_proto::server::{Departure, DepartureTable, Parked, Policy, Responder, Verdict};
use truechimer_proto::snapshot::Snapshot;
use truechimer_sys::clock;
use truechimer_sys::socket::Arrival;
use truechimer_time::{Instant, Now};

pub(crate) struct Clerk {
    pub(crate) policy: Arc<Policy>,
    authenticator: Box<dyn Authenticator>,
    /// Use of the keys there were before.
    retired_keys: KeyFacts,
    /// Beside what the responder counts.
    pub(crate) counts: ServerCounts,
    responder: Responder,
    tracer: Option<Tracer>,
}

/// Where datagrams come in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Desk {
    pub(crate) local: SocketAddr,
    /// Open only to drop what comes.
    pub(crate) unwanted: bool,
    /// Where it was sent to and through which interface it came, if it was sent to many; `local` is
    /// where the reply leaves from.
    pub(crate) many: Option<(IpAddr, LinkId)>,
}

impl Desk {
    pub(crate) const fn via(&self) -> Via {
        match self.many {
            None => Via::Server(self.local),
            Some((to, link)) => Via::Many {
                to,
                link,
                local: self.local,
            },
        }
    }
}

/// What a batch is answered from. `mono` is the batch's: it only ages the root dispersion, and a
/// batch takes microseconds.
pub(crate) struct Moment {
    pub(crate) snapshot: Snapshot,
    pub(crate) mono: Instant,
}

impl Moment {
    /// Where departures that become known now are noted.
    pub(crate) const fn noting<'a>(&self, table: &'a DepartureTable) -> Noting<'a> {
        Noting {
            table,
            epoch: self.snapshot.step_epoch,
            mono: self.mono,
        }
    }
}

/// What is to be done about a datagram.
pub(crate) enum Outcome<'a> {
    /// Send this many octets of the buffer back.
    Reply(usize),
    /// It is for `System`.
    HandOff(Received<'a>),
    /// It is a control request, for `System` when it has time.
    Query(ControlRequest<'a>),
    /// Its answer has to be made by a holder of keys.
    Park(Box<Parked>),
    /// Nothing; it is counted.
    Nothing,
}

impl Clerk {
    pub(crate) fn new(
        policy: Arc<Policy>,
        authenticator: Box<dyn Authenticator>,
        seed: [u8; 32],
        tracer: Option<Tracer>,
    ) -> Self {
        Self {
            policy,
            authenticator,
            retired_keys: KeyFacts::default(),
            counts: ServerCounts::default(),
            responder: Responder::new(seed),
            tracer,
        }
    }

    pub(crate) fn replace_keys(&mut self, authenticator: Box<dyn Authenticator>) {
        let used = self.authenticator.usage();
        self.retired_keys = self.retired_keys.plus(&used).retired();
        self.authenticator = authenticator;
    }

    pub(crate) fn counts(&self) -> ServerCounts {
        ServerCounts {
            protocol: *self.responder.counters(),
            keys: self.retired_keys.plus(&self.authenticator.usage()),
            ..self.counts
        }
    }

    /// Writes the reply to a request that waited for a holder of keys, and returns its length.
    pub(crate) fn finish(
        &mut self,
        parked: &Parked,
        done: &Done,
        moment: &Moment,
        out: &mut [u8],
    ) -> Option<usize> {
        let now = Now {
            mono: moment.mono,
            wall: clock::wall(),
        };
        let auth = self.authenticator.as_mut();
        parked.finish(done, now, &moment.snapshot, auth, out)
    }

    /// What the departure of the last reply is to be noted with, if somebody will ask for it.
    pub(crate) const fn take_departure(&mut self) -> Option<Departure> {
        self.responder.take_departure()
    }

    /// The system clock is read for each reply, for that is its transmit stamp.
    pub(crate) fn answer<'a>(
        &mut self,
        arrival: &Arrival<'a>,
        desk: Desk,
        moment: &Moment,
        out: &mut [u8],
    ) -> Outcome<'a> {
        if desk.unwanted {
            self.counts.unwanted += 1;
            return Outcome::Nothing;
        }
        let now = Now {
            mono: moment.mono,
            wall: clock::wall(),
        };
        let received = Received {
            octets: arrival.octets,
            source: arrival.source,
            via: desk.via(),
            stamp: arrival.stamp.map_or_else(|| ours(now.wall), kernels),
        };
        let (policy, auth) = (&self.policy, self.authenticator.as_mut());
        let verdict = self
            .responder
            .answer(now, &received, &moment.snapshot, policy, auth, out);
        if let Some(tracer) = &self.tracer {
            tracer.note(now.mono, &received, verdict, policy, out);
        }
        match verdict {
            Verdict::Reply(len) => Outcome::Reply(len),
            Verdict::HandOff => Outcome::HandOff(received),
            Verdict::Control(flags) => Outcome::Query(ControlRequest {
                octets: arrival.octets,
                source: arrival.source,
                local: desk.local,
                flags,
                arrived: received.stamp.at,
            }),
            Verdict::Park => {
                let parked = self.responder.take_parked();
                parked.map_or(Outcome::Nothing, Outcome::Park)
            }
            Verdict::Drop(_) => Outcome::Nothing,
        }
    }
}
