//! What an association does with what its broadcast server sends.
use super::volley::Due;
use crate::association::packet_tests::{Refusal, Reply, examine, kiss};
use crate::association::reply::Heard;
use crate::association::{After, Association};
use crate::authentication::{AuthFailure, Authenticator, KeyId};
use crate::clock_filter::{Filtered, Setting};
use crate::discipline::Steered;
use crate::event::PeerEvent;
use crate::packet::Received;
use crate::statistics::RawRecord;
use crate::status::PacketTest;
use crate::unsolicited::Unsolicited;
use core::net::SocketAddr;
use rand_chacha::ChaCha20Rng;
use truechimer_time::{Now, NtpTimestamp};
use truechimer_wire::{Header, KissCode};

/// What the volley of an association asks for.
#[derive(Debug, Default)]
pub(crate) struct VolleyTurn {
    /// Send a request.
    pub(crate) request: bool,
    /// To be told.
    pub(crate) event: Option<PeerEvent>,
}

impl Association {
    /// Takes an authentic packet of the broadcast server that this listens to.
    ///
    /// # Errors
    /// Why it is no new one; then only counters were changed.
    pub(crate) fn take_broadcast(
        &mut self,
        now: Now,
        received: &Received<'_>,
        header: &Header,
        base: &Setting,
        steered: Steered,
        rng: &mut ChaCha20Rng,
    ) -> Result<Heard, Unsolicited> {
        let mut heard = Heard::default();
        let Some(listener) = &mut self.listener else {
            return Err(Unsolicited::NotWanted);
        };
        self.counts.received = self.counts.received.saturating_add(1);
        let taken = listener.take(now, received, header, steered, base.settling, rng);
        let taken = taken.inspect_err(|why| {
            if matches!(why, Unsolicited::Replayed | Unsolicited::Reordered) {
                self.counts.refuse(PacketTest::Duplicate);
            }
        })?;
        self.counts.flash = 0;
        self.authentic = self.is_keyed();
        let stamps = (NtpTimestamp::ZERO, received.stamp.at);
        heard.raw = Some(RawRecord::new(
            header,
            received.source.ip(),
            self.local,
            stamps,
        ));
        self.note_header(header, &mut heard);
        self.poll.follow(taken.poll);
        self.poll.shift();
        if let Some(why) = taken.unfit {
            let test = if why == Unsolicited::NotSynchronized {
                PacketTest::Stratum
            } else {
                PacketTest::Header
            };
            self.refuse(Refusal::Test(test), &mut heard);
            heard.after = After::Select;
            return Ok(heard);
        }
        self.peer.destination = received.stamp.at;
        self.note_reached(now, &mut heard);
        if let Some(mut sample) = taken.sample {
            sample.dispersion_s += self.stamp_error_s(base);
            sample.delay_s = sample.delay_s.max(base.precision_s);
            let setting = self.setting(base);
            heard.take(self.filter.push(now.mono, sample, &setting));
        }
        Ok(heard)
    }

    /// Our address on the interface through which a broadcast server is heard.
    pub(crate) fn heard_at(&self) -> Option<SocketAddr> {
        let listener = self.listener.as_ref()?;
        Some(listener.local)
    }

    /// `ttl` of one that sends to many.
    pub(crate) fn hops(&self) -> Option<u8> {
        let _ = self.emitter.as_ref()?;
        self.role.line().map(|line| line.hops)
    }

    fn stamp_error_s(&self, base: &Setting) -> f64 {
        base.precision_s + f64::from(self.peer.precision).exp2()
    }

    /// Counts a packet that claims to be of this association's server and is not proven to be.
    pub(crate) fn refuse_unproven(&mut self, key: Option<KeyId>, why: AuthFailure) -> Heard {
        self.refused(match self.options.key.or(key) {
            Some(key) => Refusal::Unauthentic(key, why),
            None => Refusal::Test(PacketTest::Authentication),
        })
    }

    /// Takes a datagram that came in on the socket of a volley.
    pub(crate) fn take_volley_packet(
        &mut self,
        now: Now,
        received: &Received<'_>,
        base: &Setting,
        steered: Steered,
        authenticator: &mut dyn Authenticator,
    ) -> Heard {
        let mut heard = Heard::default();
        self.counts.received = self.counts.received.saturating_add(1);
        let taken = if self.autokey.is_some() {
            self.take_sealed_volley(now, received, base, steered, authenticator, &mut heard)
        } else {
            let reply = self.identify_reply(received, authenticator);
            reply.map(|it| self.take_volley_reply(now, received, it, base, steered, &mut heard))
        };
        if let Err(refusal) = taken {
            self.refuse(refusal, &mut heard);
        }
        heard
    }

    pub(in crate::association) fn take_volley_reply(
        &mut self,
        now: Now,
        received: &Received<'_>,
        reply: Reply,
        base: &Setting,
        steered: Steered,
        heard: &mut Heard,
    ) {
        let Reply {
            header,
            origin,
            authenticity,
        } = reply;
        self.exchange.finish(header.transmit_time);
        if let Some(code) = kiss(&header) {
            self.obey_kiss(code, &header, heard);
            return;
        }
        let Some(left) = origin.left() else {
            self.refuse(Refusal::Test(PacketTest::Unsynchronized), heard);
            return;
        };
        let stamps = crate::association::on_wire::Stamps {
            origin: left.at,
            receive: header.receive_time,
            transmit: header.transmit_time,
            destination: received.stamp.at,
        };
        let sample = examine(&header)
            .and_then(|tests| self.sample(tests, authenticity, stamps, &header, base));
        match sample {
            Ok(sample) => {
                self.stamps = Some((left.class, received.stamp.class));
                if let Some(listener) = &mut self.listener {
                    listener
                        .one_way
                        .note_exchange(sample.offset_s, sample.delay_s, steered);
                }
                // An exchange needs no bias, so the clock need not wait for the path.
                if base.settling {
                    let setting = self.setting(base);
                    heard.take(self.filter.push(now.mono, sample, &setting));
                }
            }
            Err(test) => self.refuse(Refusal::Test(test), heard),
        }
    }

    /// Whatever a server has against requests, its broadcasts are for all.
    fn obey_kiss(&mut self, code: KissCode, header: &Header, heard: &mut Heard) {
        let Some(listener) = &mut self.listener else {
            return;
        };
        self.counts.refuse(PacketTest::Denied);
        heard.events.push(match code {
            KissCode::Rate => {
                // The rest of the volley is left out; what it told so far is used.
                listener.volley.cut_short();
                PeerEvent::RateExceeded(self.poll.host_poll())
            }
            KissCode::Deny | KissCode::Rstr | KissCode::Other(_) => {
                listener.volley.stop();
                PeerEvent::AccessDenied(header.reference_id)
            }
        });
    }

    /// Takes a turn of the volley.
    pub(crate) fn volley_turn(
        &mut self,
        now: Now,
        steered: &Steered,
        base: &Setting,
        rng: &mut ChaCha20Rng,
    ) -> VolleyTurn {
        let mut turn = VolleyTurn::default();
        let Some(listener) = &mut self.listener else {
            return turn;
        };
        match listener.volley.turn(now.mono, rng) {
            Due::Nothing => {}
            Due::Request => turn.request = true,
            Due::End => {
                self.exchange.reset();
                if listener.end_volley(steered) {
                    self.apply_path(now, steered, base);
                } else if !core::mem::replace(&mut listener.deaf_told, true) {
                    turn.event = Some(PeerEvent::PathUnknown);
                }
            }
        }
        turn
    }

    /// Samples from before the path was known, or from when it was another one, are of another
    /// measure: what is known now takes their places.
    fn apply_path(&mut self, now: Now, steered: &Steered, base: &Setting) {
        let usable = self.filter.dispersion_s() < base.maxdist_s;
        let sample = self
            .listener
            .as_ref()
            .and_then(|it| it.one_way.sample(steered, false));
        if let Some(mut sample) = sample.filter(|_| usable) {
            sample.dispersion_s += self.stamp_error_s(base);
            self.filter.prime(now.mono, sample);
        }
    }

    /// A packet is missed: shifts the reach register and tells the filter of longer silence.
    pub(crate) fn miss_broadcast(&mut self, now: Now, base: &Setting) -> Option<Missed> {
        let listener = self.listener.as_mut()?;
        if !listener.misses(now.mono) {
            return None;
        }
        let turn = self.poll.shift();
        let filtered = if turn.silent {
            self.note_silence(now.mono, base)
        } else {
            Filtered::Old
        };
        if turn.lost {
            self.reach_changed = now.mono;
        }
        Some(Missed {
            lost: turn.lost,
            missed: turn.missed,
            empty: filtered == Filtered::Empty,
        })
    }
}

/// What a missed packet came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Missed {
    /// Nothing was heard for eight intervals now.
    pub(crate) lost: bool,
    /// The first in a row.
    pub(crate) missed: bool,
    /// The filter holds nothing usable any more.
    pub(crate) empty: bool,
}
