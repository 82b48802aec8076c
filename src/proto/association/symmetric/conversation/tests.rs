//! Two sides that talk, and what becomes of packets that are lost, doubled, old or forged.
use super::*;
use crate::packet::StampClass;
use rand_chacha::rand_core::SeedableRng;
use truechimer_wire::Mode;

const PRECISION: i8 = -20;

impl Conversation {
    /// As if the peer had echoed us.
    pub(crate) fn pretend_begun(&mut self) {
        let arrived = Stamp {
            at: NtpTimestamp::ZERO,
            class: StampClass::User,
        };
        self.heard.get_or_insert(Word {
            receive: NtpTimestamp::ZERO,
            transmit: NtpTimestamp::ZERO,
            arrived,
            asked: None,
            measured: true,
        });
    }
}

fn moment(at_s: f64) -> NtpTimestamp {
    NtpTimestamp::from_bits(0xE000_0000_0000_0000).plus(NtpDuration::from_seconds(at_s))
}

fn stamp(at_s: f64) -> Stamp {
    Stamp {
        at: moment(at_s),
        class: StampClass::Kernel,
    }
}

/// One side. Its clock is true; a packet takes 10 ms, and leaves 1 ms after it was stamped.
struct Side {
    conversation: Conversation,
    interleave: bool,
    rng: ChaCha20Rng,
    sequence: u64,
}

const WAY_S: f64 = 0.010;
const LAG_S: f64 = 0.001;

impl Side {
    fn new(seed: u8, interleave: bool) -> Self {
        Self {
            conversation: Conversation::default(),
            interleave,
            rng: ChaCha20Rng::from_seed([seed; 32]),
            sequence: 0,
        }
    }

    fn speak(&mut self, at_s: f64) -> Header {
        self.sequence += 1;
        let now = moment(at_s);
        let rng = &mut self.rng;
        let said = self
            .conversation
            .speak(self.sequence, now, PRECISION, self.interleave, rng);
        self.conversation
            .note_departure(self.sequence, stamp(at_s + LAG_S));
        Header {
            origin_time: said.origin,
            receive_time: said.receive,
            transmit_time: said.transmit,
            ..Header::blank(4, Mode::SymmetricActive)
        }
    }

    /// Hears a packet that left so early; the offset and delay it measures, or why it does not.
    fn hear(&mut self, header: &Header, left_s: f64) -> Result<Option<(f64, f64)>, PacketTest> {
        let arrived = stamp(left_s + LAG_S + WAY_S);
        match self.conversation.recognize(header, self.interleave) {
            Ok(recognized) => {
                let taken = self.conversation.take(recognized, header, arrived);
                Ok(taken.map(|it| {
                    let out_s = it.receive.since(it.left.at).to_seconds();
                    let back_s = it.transmit.since(it.arrived.at).to_seconds();
                    (f64::midpoint(out_s, back_s), out_s - back_s)
                }))
            }
            Err(test) => {
                if test == PacketTest::Bogus {
                    self.conversation.note_overture(header, arrived);
                }
                Err(test)
            }
        }
    }
}

fn two(interleave: bool) -> (Side, Side) {
    (Side::new(1, interleave), Side::new(2, interleave))
}

/// One packet each way; what both heard.
fn exchange(
    one: &mut Side,
    other: &mut Side,
    at_s: f64,
) -> [Result<Option<(f64, f64)>, PacketTest>; 2] {
    let packet = one.speak(at_s);
    let there = other.hear(&packet, at_s);
    let packet = other.speak(at_s + 5.0);
    [there, one.hear(&packet, at_s + 5.0)]
}

fn measures(heard: Result<Option<(f64, f64)>, PacketTest>, offset_s: f64, delay_s: f64) {
    let (offset, delay) = heard.expect("recognized").expect("measured");
    // Bits of 1 us are left to chance.
    assert!((offset - offset_s).abs() < 5e-6, "{offset}");
    assert!((delay - delay_s).abs() < 5e-6, "{delay}");
}

#[test]
fn first_words_begin_it_and_every_packet_is_measured_then() {
    let (mut one, mut other) = two(false);
    let [there, back] = exchange(&mut one, &mut other, 0.0);
    assert_eq!(there, Err(PacketTest::Bogus), "zero never matches");
    // The peer's stamp is 1 ms before its packet left.
    measures(back, -LAG_S / 2.0, 2.0 * WAY_S + LAG_S);
    for turn in 1..20 {
        let [there, back] = exchange(&mut one, &mut other, f64::from(turn) * 10.0);
        measures(there, -LAG_S / 2.0, 2.0 * WAY_S + LAG_S);
        measures(back, -LAG_S / 2.0, 2.0 * WAY_S + LAG_S);
    }
}

#[test]
fn both_may_begin_at_once() {
    let (mut one, mut other) = two(false);
    let (first, second) = (one.speak(0.0), other.speak(0.001));
    assert!(one.hear(&second, 0.001).is_err());
    assert!(other.hear(&first, 0.0).is_err());
    let (first, second) = (one.speak(10.0), other.speak(10.001));
    assert!(one.hear(&second, 10.001).expect("recognized").is_some());
    assert!(other.hear(&first, 10.0).expect("recognized").is_some());
}

#[test]
fn interleaved_stamps_are_those_of_departure() {
    let (mut one, mut other) = two(true);
    for turn in 0..3 {
        let _ = exchange(&mut one, &mut other, f64::from(turn) * 10.0);
    }
    for turn in 3..20 {
        let [there, back] = exchange(&mut one, &mut other, f64::from(turn) * 10.0);
        measures(there, 0.0, 2.0 * WAY_S);
        measures(back, 0.0, 2.0 * WAY_S);
    }
}

#[test]
fn a_side_that_is_not_asked_to_does_not_interleave() {
    let (mut one, mut other) = (Side::new(1, true), Side::new(2, false));
    let mut measured = 0;
    for turn in 0..20 {
        let heard = exchange(&mut one, &mut other, f64::from(turn) * 10.0);
        measured += heard.iter().filter(|it| matches!(it, Ok(Some(_)))).count();
        // Stamps of arrival mean nothing to it: CVE-2016-1548 turned a peer so.
        let mut forged = one.speak(f64::from(turn) * 10.0 + 7.0);
        let told = other.conversation.open.back().expect("just sent").stamped;
        forged.origin_time = told.receive;
        assert_eq!(other.hear(&forged, 0.0), Err(PacketTest::Bogus));
    }
    assert!(measured > 0, "there is always basic mode to go back to");
}

#[test]
fn who_never_answers_in_kind_is_spoken_to_in_basic_mode() {
    let (mut one, mut other) = (Side::new(1, true), Side::new(2, false));
    let mut interleaved = 0;
    for turn in 0..30 {
        let packet = one.speak(f64::from(turn) * 10.0);
        let said = one.conversation.open.back().expect("just sent");
        let basic = !said.interleaved;
        interleaved += u32::from(!basic);
        let _ = other.hear(&packet, f64::from(turn) * 10.0);
        let packet = other.speak(f64::from(turn) * 10.0 + 5.0);
        let _ = one.hear(&packet, f64::from(turn) * 10.0 + 5.0);
        assert!(turn < 15 || basic, "{turn}");
    }
    assert_eq!(interleaved, u32::from(DEAF_AT_MOST));
}

#[test]
fn interleaving_survives_losses_without_a_wrong_measurement() {
    let (mut one, mut other) = two(true);
    let mut measured = 0;
    for turn in 0..200_u32 {
        let at_s = f64::from(turn) * 10.0;
        let lost = turn.wrapping_mul(2_654_435_761) >> 28;
        let packet = one.speak(at_s);
        if lost & 3 != 0 {
            let heard = other.hear(&packet, at_s);
            measured += check(heard);
        }
        if lost == 9 {
            let again = one.speak(at_s + 2.0);
            let heard = other.hear(&again, at_s + 2.0);
            measured += check(heard);
        }
        let packet = other.speak(at_s + 5.0);
        if lost & 12 != 0 {
            let heard = one.hear(&packet, at_s + 5.0);
            measured += check(heard);
        }
    }
    assert!(measured > 100, "{measured}");
}

/// Whatever was measured, it was an exchange that took place.
fn check(heard: Result<Option<(f64, f64)>, PacketTest>) -> u32 {
    let Ok(Some((offset_s, delay_s))) = heard else {
        return 0;
    };
    assert!(offset_s.abs() < LAG_S && (delay_s - 2.0 * WAY_S).abs() < 2.0 * LAG_S);
    1
}

#[test]
fn duplicates_and_replays() {
    let (mut one, mut other) = two(false);
    let _ = exchange(&mut one, &mut other, 0.0);
    let first = other.speak(20.0);
    let packet = one.speak(22.0);
    assert!(other.hear(&packet, 22.0).is_ok());
    assert_eq!(other.hear(&packet, 22.0), Err(PacketTest::Duplicate));
    assert!(one.hear(&first, 20.0).is_ok());
    assert_eq!(one.hear(&first, 20.0), Err(PacketTest::Duplicate));
    let next = other.speak(30.0);
    assert!(one.hear(&next, 30.0).is_ok());
    let before = format!("{:?}", one.conversation);
    assert_ne!(one.hear(&first, 20.0), Ok(None), "the one before the last");
    assert_eq!(format!("{:?}", one.conversation), before);
}

#[test]
fn who_speaks_twice_is_measured_once_and_echoed_from_the_later() {
    let (mut one, mut other) = two(false);
    let _ = exchange(&mut one, &mut other, 0.0);
    let _ = exchange(&mut one, &mut other, 10.0);
    let asked = one.speak(20.0);
    assert!(matches!(other.hear(&asked, 20.0), Ok(Some(_))));
    let (first, second) = (other.speak(22.0), other.speak(24.0));
    assert!(matches!(one.hear(&first, 22.0), Ok(Some(_))));
    assert_eq!(one.hear(&second, 24.0), Ok(None));
    let answer = one.speak(30.0);
    assert_eq!(answer.origin_time, second.transmit_time);
    assert!(matches!(other.hear(&answer, 30.0), Ok(Some(_))));
}

#[test]
fn an_older_packet_of_ours_may_be_echoed_if_none_was_since() {
    // As the reference does, which takes only our first packet after its own.
    let (mut one, mut other) = two(false);
    let _ = exchange(&mut one, &mut other, 0.0);
    let (older, newer) = (one.speak(10.0), one.speak(12.0));
    assert!(other.hear(&older, 10.0).is_ok());
    let answer = other.speak(15.0);
    assert_eq!(answer.origin_time, older.transmit_time);
    assert!(matches!(one.hear(&answer, 15.0), Ok(Some(_))));
    assert_ne!(older.transmit_time, newer.transmit_time);
}

#[test]
fn a_side_that_starts_anew_is_found_again() {
    let (mut one, mut other) = two(false);
    for turn in 0..3 {
        let _ = exchange(&mut one, &mut other, f64::from(turn) * 10.0);
    }
    let mut anew = Side::new(3, false);
    let mut heard = 0;
    for turn in 3..8 {
        let heard_now = exchange(&mut one, &mut anew, f64::from(turn) * 10.0);
        heard += heard_now
            .iter()
            .filter(|it| matches!(it, Ok(Some(_))))
            .count();
    }
    assert!(heard >= 6, "{heard}");
}

#[test]
fn forged_first_words_do_not_cut_in() {
    let (mut one, mut other) = two(false);
    let _ = exchange(&mut one, &mut other, 0.0);
    for turn in 1..10 {
        let at_s = f64::from(turn) * 10.0;
        let mut forged = Header::blank(4, Mode::SymmetricActive);
        for forger in 0..20_u32 {
            forged.transmit_time = moment(at_s + 100.0 + f64::from(forger));
            assert_eq!(one.hear(&forged, at_s), Err(PacketTest::Bogus));
            assert_eq!(other.hear(&forged, at_s), Err(PacketTest::Bogus));
        }
        let [there, back] = exchange(&mut one, &mut other, at_s);
        assert!(matches!(there, Ok(Some(_))), "{turn}");
        assert!(matches!(back, Ok(Some(_))), "{turn}");
    }
}

#[test]
fn no_stamp_is_used_twice_and_its_low_bits_are_chance() {
    let mut one = Side::new(1, false);
    let mut seen = Vec::new();
    for _ in 0..500 {
        // The clock stands still.
        let bits = one.speak(0.0).transmit_time.to_bits();
        assert_eq!(bits >> 12, moment(0.0).to_bits() >> 12, "all else is true");
        seen.push(bits & 0xFFF);
    }
    let last = &seen[seen.len() - OPEN_AT_MOST..];
    assert!((1..last.len()).all(|at| !last[..at].contains(&last[at])));
    seen.sort_unstable();
    seen.dedup();
    assert!(seen.len() > 400, "{} of 4096 values", seen.len());
}

#[test]
fn a_kiss_ends_the_wait_and_is_not_echoed() {
    let (mut one, mut other) = two(false);
    let _ = exchange(&mut one, &mut other, 0.0);
    let asked = one.speak(10.0);
    let kiss = Header {
        origin_time: asked.transmit_time,
        receive_time: asked.transmit_time,
        transmit_time: asked.transmit_time,
        ..Header::blank(4, Mode::SymmetricPassive)
    };
    let recognized = one.conversation.recognize(&kiss, false).expect("ours");
    one.conversation.take_kiss(&recognized);
    assert_ne!(one.speak(20.0).origin_time, asked.transmit_time);
}
