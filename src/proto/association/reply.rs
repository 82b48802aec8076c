//! What a datagram changes in an association: nothing, unless it is the reply asked for.
use super::interleave::{Before, Late, as_sent};
use super::on_wire::{Errors, Stamps, measure};
use super::packet_tests::{Authenticity, Refusal, Reply, TestsPassed, examine, identify, kiss};
use super::{Association, STRATUM_UNSPECIFIED, Spoken};
use crate::authentication::{AuthFailure, Authenticator};
use crate::clock_filter::{Filtered, Setting};
use crate::discipline::Steered;
use crate::event::PeerEvent;
use crate::packet::{Received, StampClass};
use crate::statistics::RawRecord;
use crate::status::{PEER_TESTS, PacketTest};
use rand_chacha::ChaCha20Rng;
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{Now, NtpTimestamp};
use truechimer_wire::{Header, KissCode, ReferenceId};

/// What the system is to do now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum After {
    /// Nothing.
    #[default]
    Rest,
    /// The estimate of this source changed: select anew.
    Select,
    /// The server told us to go away.
    Denied,
}

/// What came of a datagram or a sample.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// To be told.
    pub(crate) events: Vec<PeerEvent>,
    /// To be recorded: what the reply said.
    pub(crate) raw: Option<RawRecord>,
    /// What it carried of Autokey.
    pub(crate) said: Vec<Spoken>,
    /// The server does not know our cookie.
    pub(crate) renounced: bool,
    /// The filter put forward a new estimate.
    pub(crate) fresh: bool,
    /// To be done.
    pub(crate) after: After,
}

/// A packet that answers us, whatever the kind of association.
pub(super) struct Answer {
    pub(super) header: Header,
    pub(super) authenticity: Authenticity,
    /// Whether it has time to give.
    pub(super) tests: Result<TestsPassed, PacketTest>,
    /// The exchange that it completes, or why that cannot be measured.
    pub(super) stamps: Result<Stamps, PacketTest>,
    /// Who took our stamps.
    pub(super) classes: Option<(StampClass, StampClass)>,
    /// If that exchange is the one before.
    pub(super) late: Option<Late>,
    /// When it came.
    pub(super) arrived: NtpTimestamp,
}

impl Heard {
    /// Does as a filter outcome calls for.
    pub(super) fn take(&mut self, filtered: Filtered) {
        self.fresh = filtered == Filtered::Fresh;
        match filtered {
            Filtered::Empty | Filtered::Fresh => self.after = After::Select,
            Filtered::Old => {}
            Filtered::Popcorn(apart_s) => self.events.push(PeerEvent::Popcorn(apart_s)),
        }
    }
}

impl Association {
    /// Takes a datagram that came in on this association's socket.
    pub(crate) fn take_packet(
        &mut self,
        now: Now,
        received: &Received<'_>,
        (base, steered): (&Setting, Steered),
        authenticator: &mut dyn Authenticator,
        rng: &mut ChaCha20Rng,
    ) -> Heard {
        let mut heard = Heard::default();
        self.counts.received = self.counts.received.saturating_add(1);
        let taken = if self.is_symmetric() {
            self.hear_peer(now, received, base, authenticator, rng, &mut heard)
        } else if self.autokey.is_some() {
            self.take_sealed_reply(now, received, base, authenticator, rng, &mut heard)
        } else {
            let reply = self.identify_reply(received, authenticator);
            reply.map(|it| {
                let answer = self.close(received, it, steered);
                self.take_answer(now, received, answer, base, rng, &mut heard);
            })
        };
        if let Err(refusal) = taken {
            self.refuse(refusal, &mut heard);
        }
        heard
    }

    /// Whether a datagram is the server's reply to the outstanding request.
    pub(super) fn identify_reply(
        &self,
        received: &Received<'_>,
        authenticator: &mut dyn Authenticator,
    ) -> Result<Reply, Refusal> {
        if self.remote != Some(received.source) {
            return Err(Refusal::Test(PacketTest::Bogus));
        }
        identify(
            received.octets,
            &self.exchange,
            self.options.key,
            received.source.ip(),
            authenticator,
        )
    }

    /// Counts a datagram that our own `restrict` lines refuse, whatever it says.
    pub(crate) fn refuse_restricted(&mut self) -> Heard {
        self.refused(Refusal::Test(PacketTest::Denied))
    }

    /// Counts a datagram that is refused from the outset.
    pub(super) fn refused(&mut self, refusal: Refusal) -> Heard {
        let mut heard = Heard::default();
        self.counts.received = self.counts.received.saturating_add(1);
        self.refuse(refusal, &mut heard);
        heard
    }

    pub(super) fn refuse(&mut self, refusal: Refusal, heard: &mut Heard) {
        self.counts.refuse(refusal.test());
        heard.events.push(match refusal {
            Refusal::Test(test) => PeerEvent::Refused(test),
            Refusal::Unauthentic(key, failure) => {
                self.counts.note_unauthentic(failure);
                PeerEvent::BadAuthentication { key, failure }
            }
            Refusal::Session(failure) => {
                self.counts.note_unauthentic(failure);
                heard.renounced = failure == AuthFailure::CryptoNak;
                PeerEvent::BadSession(failure)
            }
        });
    }

    /// Closes the exchange that a reply answers. In interleaved mode what it completes is the one
    /// before.
    pub(super) fn close(
        &mut self,
        received: &Received<'_>,
        reply: Reply,
        steered: Steered,
    ) -> Answer {
        let Reply {
            header,
            origin,
            authenticity,
        } = reply;
        let arrived = received.stamp;
        self.exchange.finish(header.transmit_time);
        let this = Before::new(&header, &origin, arrived, steered);
        if kiss(&header).is_none() {
            let may_ask = self.interleaves() && !header.receive_time.is_zero();
            self.exchange.note_reply(this.filter(|_| may_ask));
        }
        let (tests, late, done) = match origin.before() {
            Some(before) => {
                let late = Late::new(&header, &origin, arrived, steered, &before);
                (examine(&as_sent(&header)), Some(late), Some(before))
            }
            None => (examine(&header), None, this),
        };
        Answer {
            tests,
            classes: done.map(|it| (it.left.class, it.arrived.class)),
            stamps: done
                .map(|it| it.stamps(header.transmit_time))
                .ok_or(PacketTest::Unsynchronized),
            late,
            arrived: arrived.at,
            header,
            authenticity,
        }
    }

    /// Takes a packet that was proven to answer us, for what it says of its sender and for what it
    /// measures.
    pub(super) fn take_answer(
        &mut self,
        now: Now,
        received: &Received<'_>,
        answer: Answer,
        base: &Setting,
        rng: &mut ChaCha20Rng,
        heard: &mut Heard,
    ) {
        let Answer {
            header,
            authenticity,
            tests,
            stamps,
            classes,
            late,
            arrived,
        } = answer;
        self.counts.flash &= PEER_TESTS;
        self.authentic = !matches!(authenticity, Authenticity::NotAsked);
        heard.raw = stamps.ok().map(|stamps| {
            let ours = (stamps.origin, stamps.destination);
            let theirs = Header {
                receive_time: stamps.receive,
                transmit_time: stamps.transmit,
                ..header
            };
            RawRecord::new(&theirs, received.source.ip(), self.local, ours)
        });
        if let Some(code) = kiss(&header) {
            self.take_kiss(now, code, &header, rng, heard);
            return;
        }
        self.note_header(&header, heard);
        self.poll.answered(now.mono);
        let wanted = self.poll.host_poll();
        self.poll.reschedule(now.mono, wanted, rng);
        let sample =
            tests.and_then(|tests| self.sample(tests, authenticity, stamps?, &header, base));
        let as_of_now = |sample| late.map_or(sample, |it| it.as_of_now(sample, base.phi_s_per_s));
        match sample.map(as_of_now) {
            Ok(sample) => {
                self.held = late
                    .and(stamps.ok())
                    .map(|it| it.transmit.since(it.receive));
                self.stamps = classes;
                self.peer.destination = arrived;
                self.note_reached(now, heard);
                let setting = self.setting(base);
                heard.take(self.filter.push(now.mono, sample, &setting));
            }
            Err(test) => self.refuse(Refusal::Test(test), heard),
        }
    }

    pub(super) fn sample(
        &self,
        tests: TestsPassed,
        authenticity: Authenticity,
        stamps: Stamps,
        header: &Header,
        base: &Setting,
    ) -> Result<crate::clock_filter::Sample, PacketTest> {
        let errors = Errors {
            our_precision_s: base.precision_s,
            server_precision_s: f64::from(header.precision).exp2(),
            phi_s_per_s: base.phi_s_per_s,
        };
        if self.is_keyed() && matches!(authenticity, Authenticity::NotAsked) {
            return Err(PacketTest::Authentication);
        }
        measure(tests, authenticity, stamps, errors)
    }

    /// A kiss gets here only because it is the authentic answer to our request (CVE-2015-7704).
    pub(super) fn take_kiss(
        &mut self,
        now: Now,
        code: KissCode,
        header: &Header,
        rng: &mut ChaCha20Rng,
        heard: &mut Heard,
    ) {
        match code {
            KissCode::Rate => {
                let slower = self.poll.slow_down(now.mono, header.poll);
                self.poll.reschedule(now.mono, slower, rng);
                heard.events.push(PeerEvent::RateExceeded(slower));
            }
            KissCode::Deny | KissCode::Rstr => {
                self.counts.refuse(PacketTest::Denied);
                self.poll.stop();
                self.peer.leap = LeapIndicator::NotSynchronized;
                self.peer.stratum = STRATUM_UNSPECIFIED;
                self.peer.reference_id = header.reference_id;
                let event = PeerEvent::AccessDenied(header.reference_id);
                heard.events.push(event);
                heard.after = After::Denied;
            }
            KissCode::Other(_) => {}
        }
    }

    pub(super) fn note_header(&mut self, header: &Header, heard: &mut Heard) {
        let announces =
            |leap| matches!(leap, LeapIndicator::AddSecond | LeapIndicator::DeleteSecond);
        if announces(header.leap) && !announces(self.peer.leap) {
            heard.events.push(PeerEvent::LeapArmed);
        }
        self.peer.leap = header.leap;
        self.peer.stratum = if header.stratum == 0 {
            STRATUM_UNSPECIFIED
        } else {
            header.stratum.min(STRATUM_UNSPECIFIED)
        };
        self.peer.poll = header.poll;
        self.peer.precision = header.precision;
        self.peer.mode = Some(header.mode);
        self.peer.root_delay_s = header.root_delay.to_seconds();
        self.peer.root_dispersion_s = header.root_dispersion.to_seconds();
        self.peer.reference_id = shown_reference(header);
        self.peer.reference_time = header.reference_time;
    }

    pub(super) fn note_reached(&mut self, now: Now, heard: &mut Heard) {
        if self.poll.reach() == 0 {
            heard.events.push(PeerEvent::Reachable);
            self.reach_changed = now.mono;
        }
        self.poll.reached();
        self.heard = Some(now.mono);
    }
}

/// An unsynchronized server that gives no reason is shown as still starting.
fn shown_reference(header: &Header) -> ReferenceId {
    if header.stratum == 0 && header.reference_id.octets() == [0; 4] {
        ReferenceId::from_letters("INIT")
    } else {
        header.reference_id
    }
}
