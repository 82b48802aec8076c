use super::Role;
use crate::hostile::kiss;
use crate::random::Random;
use crate::truth::Truth;
use core::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use truechimer_proto::authentication::Authenticator;
use truechimer_proto::autokey::job::Done;
use truechimer_proto::autokey::service::Service;
use truechimer_proto::packet::{Received, Via};
use truechimer_proto::server::{DepartureTable, Manycast, Parked, Policy, Responder, Verdict};
use truechimer_proto::snapshot::Snapshot;
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{Now, NtpDuration, NtpShort, NtpTimestamp};
use truechimer_wire::{HEADER_LEN, Header, PACKET_LEN_MAX, ReferenceId};

/// Precision of a primary server's clock, log2 seconds.
const PRECISION: i8 = -23;

/// Replies whose departure it remembers.
const DEPARTURES: usize = 600;

/// How a server treats its clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// As the responder says.
    #[default]
    Honest,
    /// Takes requests and says nothing.
    Silent,
    /// Answers, but to a request nobody made.
    WrongOrigin,
    /// Answers every request with this kiss.
    Kiss([u8; 4]),
    /// Answers with what was right for the request before, seal and all.
    Replay,
    /// Answers what came to many as so many servers that are not there, and nothing else.
    Crowd(u16),
}

/// The server threads of a node.
pub(crate) struct Server {
    pub(crate) manner: Manner,
    pub(crate) answered: u64,
    responder: Responder,
    policy: Policy,
    keys: Box<dyn Authenticator>,
    primary: Option<Primary>,
    /// The last honest answer.
    former: Vec<u8>,
    /// How long after it was made a reply leaves, on average, seconds.
    late_s: f64,
}

#[derive(Clone, Copy)]
struct Primary {
    stratum: u8,
    root_dispersion_s: f64,
    announces_leap_s: i64,
}

/// What becomes of a datagram at the service port.
pub(crate) enum Answer {
    Nothing,
    Reply(Vec<u8>),
    /// The same from so many made-up hosts.
    Crowd(u16, Vec<u8>),
    /// What a holder of keys is to make first.
    Parked(Box<Parked>),
    HandOff,
}

impl Server {
    pub(crate) fn new(
        role: &Role,
        manner: Manner,
        manycast: Option<Manycast>,
        keys: Box<dyn Authenticator>,
    ) -> Self {
        let policy = match role {
            Role::Machine(system) => (*system.access).clone(),
            Role::Primary { .. } => Policy::default(),
        };
        let policy = match manycast {
            Some(manycast) => policy.with_manycast(manycast),
            None => policy,
        };
        let primary = match *role {
            Role::Primary {
                stratum,
                root_dispersion_s,
                announces_leap_s,
            } => Some(Primary {
                stratum,
                root_dispersion_s,
                announces_leap_s,
            }),
            Role::Machine(_) => None,
        };
        Self {
            manner,
            answered: 0,
            responder: Responder::new([0; 32]),
            policy,
            keys,
            primary,
            former: Vec::new(),
            late_s: 0.0,
        }
    }

    /// From now on replies leave late, as its kernel knows.
    pub(crate) fn leave_late(&mut self, late_s: f64) {
        self.late_s = late_s;
        let departures = DepartureTable::new(DEPARTURES, &[0; 16]);
        self.policy = self.policy.clone().with_departures(Arc::new(departures));
    }

    /// How long after `now`, when it was made, the last reply leaves, seconds.
    pub(crate) fn departs_after(
        &mut self,
        now: Now,
        snapshot: &Snapshot,
        random: &mut Random,
    ) -> f64 {
        let Some(table) = self.policy.departures() else {
            return 0.0;
        };
        // Half of it is the same each time.
        let late_s = self.late_s * f64::midpoint(1.0, random.exponential());
        if let Some(departure) = self.responder.take_departure() {
            let left = now.wall.plus(NtpDuration::from_seconds(late_s));
            table.note_departure(&departure, left, snapshot.step_epoch);
        }
        late_s
    }

    /// Whether it answers in this group.
    pub(crate) fn hears(&self, group: IpAddr) -> bool {
        let manycast = self.policy.manycast();
        manycast.is_some_and(|it| it.answers_in(group))
    }

    pub(crate) fn use_servers(&mut self, servers: &[SocketAddr]) {
        self.policy = self.policy.with_sources(servers);
    }

    pub(crate) fn use_autokey(&mut self, service: Option<Arc<Service>>) {
        self.policy = self.policy.clone().with_autokey(service);
    }

    /// The reply to what was parked.
    pub(crate) fn finish(
        &mut self,
        parked: &Parked,
        done: &Done,
        now: Now,
        snapshot: &Snapshot,
    ) -> Option<Vec<u8>> {
        let mut out = [0; PACKET_LEN_MAX];
        let len = parked.finish(done, now, snapshot, &mut *self.keys, &mut out)?;
        self.answered += 1;
        Some(out.get(..len)?.to_vec())
    }

    /// What a primary server says of itself; of others, that they know nothing.
    pub(crate) fn primary_snapshot(&self, now: Now, true_ns: u64, truth: &Truth) -> Snapshot {
        let unsynchronized = Snapshot::unsynchronized(PRECISION);
        let Some(primary) = self.primary else {
            return unsynchronized;
        };
        let leap = match truth.leap_within(true_ns, primary.announces_leap_s) {
            None => LeapIndicator::NoWarning,
            Some(change_s) if change_s > 0 => LeapIndicator::AddSecond,
            Some(_) => LeapIndicator::DeleteSecond,
        };
        Snapshot {
            leap,
            stratum: primary.stratum,
            root_dispersion: NtpShort::from_seconds(primary.root_dispersion_s),
            reference_id: ReferenceId::from_letters("GPS"),
            reference_time: now.wall,
            updated: now.mono,
            ..unsynchronized
        }
    }

    pub(crate) fn answer(
        &mut self,
        now: Now,
        received: &Received<'_>,
        snapshot: &Snapshot,
        random: &mut Random,
    ) -> Answer {
        let mut out = [0; PACKET_LEN_MAX];
        let keys = &mut *self.keys;
        let verdict = self
            .responder
            .answer(now, received, snapshot, &self.policy, keys, &mut out);
        let len = match verdict {
            Verdict::Reply(len) => len,
            Verdict::HandOff => return Answer::HandOff,
            Verdict::Park => {
                let parked = self.responder.take_parked();
                return parked.map_or(Answer::Nothing, Answer::Parked);
            }
            Verdict::Control(_) | Verdict::Drop(_) => return Answer::Nothing,
        };
        self.answered += 1;
        let Some((header, rest)) = out[..len].split_first_chunk_mut::<HEADER_LEN>() else {
            return Answer::Nothing;
        };
        let honest = Header::parse(header);
        let said = match self.manner {
            Manner::Honest => honest,
            Manner::Silent => return Answer::Nothing,
            Manner::WrongOrigin => Header {
                origin_time: NtpTimestamp::from_bits(random.bits()),
                ..honest
            },
            Manner::Kiss(code) => kiss(now.wall, honest.origin_time, code),
            Manner::Replay => {
                let former = core::mem::replace(&mut self.former, out[..len].to_vec());
                return Answer::Reply(former);
            }
            Manner::Crowd(hosts) if matches!(received.via, Via::Many { .. }) => {
                return Answer::Crowd(hosts, out[..len].to_vec());
            }
            Manner::Crowd(_) => return Answer::Nothing,
        };
        let octets = [&said.to_octets()[..], rest].concat();
        Answer::Reply(octets)
    }
}
