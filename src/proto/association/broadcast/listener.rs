//! The hearing side: a broadcast server's packets become samples, and a volley now and then tells
//! how long they are on their way.
use super::fresh::{Accepted, Backstep, check_fields, check_time};
use super::one_way::{Apart, Assumed, OneWay};
use super::volley::Volley;
use super::{FirstPacket, expected_poll};
use crate::clock_filter::Sample;
use crate::config::Listening;
use crate::discipline::Steered;
use crate::packet::{LinkId, Received};
use crate::unsolicited::Unsolicited;
use core::net::{IpAddr, SocketAddr};
use rand_chacha::ChaCha20Rng;
use truechimer_time::{Instant, Now, NtpTimestamp};
use truechimer_wire::Header;

/// One way where nobody measured or said it, seconds: what the reference assumed for years.
const ASSUMED_DELAY_S: f64 = 0.004;
/// How wrong that may be: packets to many wait longer than others, on wireless links above all.
const ASSUMED_ERROR_S: f64 = 0.050;
/// A packet is missed when half its interval has gone by without it.
const LATE_INTERVALS: f64 = 1.5;
/// An interleaved stamp this much after the one it mends is not of the packet before, seconds.
const MENDED_MAX_S: f64 = 1.0;
/// So many packets in a row that mend nothing make an interleaved source a basic one.
const UNMENDED_MAX: u8 = 3;
/// A jump of the path is waited out for a volley, but not longer than so many packets.
const HELD_PACKETS_MAX: u8 = 8;

/// By which way a source is heard. Who sends to a group and to a broadcast address, or through two
/// interfaces, is heard once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Road {
    /// Group or broadcast address.
    pub(crate) to: IpAddr,
    /// Interface.
    pub(crate) link: LinkId,
}

/// A broadcast server as it is heard.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) road: Road,
    /// Our address there.
    pub(crate) local: SocketAddr,
    pub(crate) volley: Volley,
    pub(crate) one_way: OneWay,
    /// Nobody answers the volleys, and that was said.
    pub(crate) deaf_told: bool,
    /// Transmit stamps follow in the next packet.
    interleaved: bool,
    /// Packets in a row that did not mend the one before.
    unmended: u8,
    /// How long packets wait at the server before they leave, of interleaved ones, seconds.
    waits_s: f64,
    last: Option<Accepted>,
    /// Our clock was stepped since the last packet came: its arrival means nothing now.
    stepped: bool,
    back: Backstep,
    backstep_polls: u8,
    /// When a packet is missed.
    missed_at: Instant,
    poll: i8,
    /// Packets not used since the path jumped; a volley will tell.
    held: Option<u8>,
}

/// What a fresh packet brought.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The offset now; none while the path is in doubt, or from a packet that cannot tell.
    pub(crate) sample: Option<Sample>,
    /// What keeps the server from having time to give.
    pub(crate) unfit: Option<Unsolicited>,
    /// The poll exponent it goes by.
    pub(crate) poll: i8,
}

impl Listener {
    /// Begins to listen. The first packet is still to be taken.
    pub(crate) fn new(
        _: &FirstPacket,
        now: Now,
        (road, local): (Road, SocketAddr),
        header: &Header,
        listening: &Listening,
        rng: &mut ChaCha20Rng,
    ) -> Self {
        let assumed = match listening.delay_s {
            Some(delay_s) => Assumed {
                delay_s,
                error_s: 0.0,
            },
            None => Assumed {
                delay_s: ASSUMED_DELAY_S,
                error_s: ASSUMED_ERROR_S,
            },
        };
        let volley = if listening.novolley {
            Volley::never()
        } else {
            Volley::new(now.mono, listening.volley_wait_s, rng)
        };
        Self {
            road,
            local,
            volley,
            one_way: OneWay::new(assumed),
            deaf_told: false,
            interleaved: false,
            unmended: 0,
            waits_s: 0.0,
            last: None,
            stepped: false,
            back: Backstep::default(),
            backstep_polls: listening.backstep_polls,
            missed_at: now.mono,
            poll: expected_poll(header.poll),
            held: None,
        }
    }

    /// Takes an authentic packet. `settling` as in the clock filter.
    ///
    /// # Errors
    /// Why it is no new one; then nothing was changed.
    pub(crate) fn take(
        &mut self,
        now: Now,
        received: &Received<'_>,
        header: &Header,
        steered: Steered,
        settling: bool,
        rng: &mut ChaCha20Rng,
    ) -> Result<Taken, Unsolicited> {
        check_fields(header)?;
        let packet = Accepted::new(now, received, header, steered);
        let checked = self
            .last
            .map_or(Ok(()), |last| last.check_next(now.mono, header));
        match checked {
            Ok(()) => self.back.clear(),
            Err(Unsolicited::Reordered)
                if self
                    .back
                    .take(now.mono, packet, header, self.backstep_polls) =>
            {
                self.begin_anew();
            }
            Err(why) => return Err(why),
        }
        let unfit = check_time(header).err();
        let apart = self.apart(&packet, header);
        self.last = Some(packet);
        self.stepped = false;
        self.poll = expected_poll(header.poll);
        self.missed_at = now.mono.plus_seconds(LATE_INTERVALS * self.interval_s());
        let sample = match (unfit, apart) {
            (None, Some(apart)) => {
                let jumped = self.one_way.note_packet(apart, steered, settling);
                self.judge_jump(now.mono, jumped, rng);
                let believed = self.held.is_none();
                self.one_way.sample(&steered, settling).filter(|_| believed)
            }
            _ => None,
        };
        Ok(Taken {
            sample,
            unfit,
            poll: self.poll,
        })
    }

    /// T3 - T4 of this packet, or of the one before if its true T3 has only come now (RFC 9769 §4).
    /// A stamp that does not belong to the packet before mends nothing. The two kinds differ by
    /// what a packet waits at the server, so they never share a window, and one stray packet does
    /// not make an interleaved source a basic one.
    fn apart(&mut self, packet: &Accepted, header: &Header) -> Option<Apart> {
        let mended = self
            .last
            .filter(|_| !header.origin_time.is_zero() && !self.stepped)
            .and_then(|last| {
                let waited_s = header.origin_time.since(last.transmit).to_seconds();
                let apart = Apart {
                    seconds: header.origin_time.since(last.arrived).to_seconds(),
                    then: last.steered,
                };
                (0.0..MENDED_MAX_S)
                    .contains(&waited_s)
                    .then_some((waited_s, apart))
            });
        if let Some((waited_s, apart)) = mended {
            self.set_interleaved(true);
            self.unmended = 0;
            self.waits_s = waited_s;
            return Some(apart);
        }
        self.unmended = self.unmended.saturating_add(1);
        if self.interleaved && self.unmended < UNMENDED_MAX {
            return None;
        }
        self.set_interleaved(false);
        Some(Apart {
            seconds: packet.transmit.since(packet.arrived).to_seconds(),
            then: packet.steered,
        })
    }

    fn set_interleaved(&mut self, interleaved: bool) {
        if self.interleaved != interleaved {
            self.interleaved = interleaved;
            self.one_way.forget_packets();
        }
    }

    /// A jump may be the path's or a clock's, and only a volley can tell; without one the new level
    /// is believed after a while, for all that is known.
    fn judge_jump(&mut self, now: Instant, jumped: bool, rng: &mut ChaCha20Rng) {
        match self.held.as_mut() {
            None if jumped => {
                self.one_way.doubt();
                if self.volley.call(now, rng) {
                    self.held = Some(0);
                }
            }
            Some(held) if *held >= HELD_PACKETS_MAX => self.held = None,
            Some(held) => *held += 1,
            None => {}
        }
    }

    /// A volley is over; true if it told something.
    pub(crate) fn end_volley(&mut self, steered: &Steered) -> bool {
        let measured = self.one_way.end_volley(steered);
        if measured {
            self.held = None;
            self.deaf_told = false;
        }
        measured
    }

    /// Whether a packet is missed by now; then the next one is waited for.
    pub(crate) fn misses(&mut self, now: Instant) -> bool {
        let missed = self.missed_at <= now;
        if missed {
            self.missed_at = now.plus_seconds(self.interval_s());
        }
        missed
    }

    /// When there is something to do.
    pub(crate) fn next(&self) -> Instant {
        self.volley
            .next()
            .map_or(self.missed_at, |at| at.min(self.missed_at))
    }

    /// Our clock was stepped. Transmit stamps are the server's, and go on.
    pub(crate) fn forget_time(&mut self) {
        self.one_way.forget_time();
        self.interleaved = false;
        self.stepped = true;
        self.held = None;
    }

    /// The server's clock was set back.
    fn begin_anew(&mut self) {
        self.back.clear();
        self.last = None;
        self.forget_time();
    }

    /// How long packets wait at the server, of interleaved ones, seconds.
    pub(crate) const fn waits_s(&self) -> Option<f64> {
        if self.interleaved {
            Some(self.waits_s)
        } else {
            None
        }
    }

    /// Transmit stamp of the last packet accepted.
    pub(crate) fn last_transmit(&self) -> Option<NtpTimestamp> {
        self.last.map(|last| last.transmit)
    }

    fn interval_s(&self) -> f64 {
        f64::from(self.poll).exp2()
    }
}
