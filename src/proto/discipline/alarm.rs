//! Watches the oscillator: a frequency that leaves its ways is often the first sign of a fan that
//! stopped or of failing hardware.
use crate::event::SystemEvent;
use truechimer_time::Instant;

/// The mean frequency follows within so many seconds: slower than the loop takes up a jump, faster
/// than a room's temperature goes through its day.
const MEAN_OVER_S: f64 = 4.0 * 3600.0;
/// What is usual is learned over a day.
const USUAL_OVER_S: f64 = 24.0 * 3600.0;
/// No alarm until so much has been seen since the frequency settled, or since the last alarm:
/// the loop takes hours to reach a new frequency, which is one event.
const LEARN_S: f64 = 4.0 * 3600.0;
/// While learning, the mean follows this fast, seconds.
const LEARN_OVER_S: f64 = 1800.0;
/// Least jump of the frequency, ppm: ten degrees or more for a plain crystal; a room's day and
/// night stay below.
const JUMP_LEAST_PPM: f64 = 1.0;
/// A jump is at least so many times the usual departure from the mean.
const JUMP_RATIO: f64 = 5.0;
/// Least wander that is an alarm, ppm, and how many times the usual one it must be: the
/// frequency file's threshold of the reference is 0.1.
const WANDER_LEAST_PPM: f64 = 0.5;
const WANDER_RATIO: f64 = 10.0;

/// What is known of the oscillator's ways.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Alarm {
    usual: Option<Usual>,
}

#[derive(Clone, Copy, Debug)]
struct Usual {
    since: Instant,
    updated: Instant,
    mean_ppm: f64,
    /// Root mean square of the departures from the mean.
    departure_ppm: f64,
    wander_ppm: f64,
}

impl Alarm {
    /// Nothing is known any more: the frequency is being set, or was left to others.
    pub(super) const fn forget(&mut self) {
        self.usual = None;
    }

    /// Takes frequency and wander after an accepted offset; the event, if they left their ways.
    pub(super) fn note(
        &mut self,
        now: Instant,
        freq_ppm: f64,
        wander_ppm: f64,
    ) -> Option<SystemEvent> {
        let Some(usual) = &mut self.usual else {
            self.usual = Some(Usual::begin(now, freq_ppm, wander_ppm));
            return None;
        };
        let learning = now.seconds_since(usual.since) < LEARN_S;
        let event = usual.judge(freq_ppm, wander_ppm).filter(|_| !learning);
        if event.is_some() {
            *usual = Usual {
                departure_ppm: usual.departure_ppm,
                wander_ppm: usual.wander_ppm,
                ..Usual::begin(now, freq_ppm, wander_ppm)
            };
        } else {
            usual.learn(now, freq_ppm, wander_ppm, learning);
        }
        event
    }
}

impl Usual {
    const fn begin(now: Instant, freq_ppm: f64, wander_ppm: f64) -> Self {
        Self {
            since: now,
            updated: now,
            mean_ppm: freq_ppm,
            departure_ppm: 0.0,
            wander_ppm,
        }
    }

    fn judge(&self, freq_ppm: f64, wander_ppm: f64) -> Option<SystemEvent> {
        let jump_ppm = freq_ppm - self.mean_ppm;
        if jump_ppm.abs() > JUMP_LEAST_PPM.max(JUMP_RATIO * self.departure_ppm) {
            return Some(SystemEvent::FrequencyJump(jump_ppm));
        }
        let unsteady = wander_ppm > WANDER_LEAST_PPM.max(WANDER_RATIO * self.wander_ppm);
        unsteady.then_some(SystemEvent::WanderJump(wander_ppm))
    }

    fn learn(&mut self, now: Instant, freq_ppm: f64, wander_ppm: f64, learning: bool) {
        let elapsed_s = now.seconds_since(self.updated);
        self.updated = now;
        let share = |over_s: f64| -(-elapsed_s / over_s).exp_m1();
        let follow_s = if learning { LEARN_OVER_S } else { MEAN_OVER_S };
        let departure_ppm = freq_ppm - self.mean_ppm;
        self.mean_ppm += share(follow_s) * departure_ppm;
        if learning {
            // What the first offset or a jump left to be taken out is not usual.
            return;
        }
        let square = self.departure_ppm * self.departure_ppm;
        let grown = departure_ppm * departure_ppm - square;
        self.departure_ppm = (square + share(USUAL_OVER_S) * grown).sqrt();
        self.wander_ppm += share(USUAL_OVER_S) * (wander_ppm - self.wander_ppm);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: f64) -> Instant {
        Instant::default().plus_seconds(hours * 3600.0)
    }

    /// Every minute of `hours`, at a frequency that depends on the hour.
    fn watch(alarm: &mut Alarm, hours: core::ops::Range<u32>, freq: impl Fn(f64) -> f64) -> usize {
        let minutes = hours.start * 60..hours.end * 60;
        minutes
            .filter(|minute| {
                let hour = f64::from(*minute) / 60.0;
                alarm.note(at(hour), freq(hour), 0.01).is_some()
            })
            .count()
    }

    #[test]
    fn a_day_of_changing_temperature_is_no_alarm() {
        let mut alarm = Alarm::default();
        let day = |hour: f64| 7.0 + 0.8 * (hour / 24.0 * core::f64::consts::TAU).sin();
        assert_eq!(watch(&mut alarm, 0..72, day), 0);
    }

    #[test]
    fn a_jump_is_told_once_however_far_it_goes() {
        let mut alarm = Alarm::default();
        assert_eq!(watch(&mut alarm, 0..12, |_| 7.0), 0);
        // Taken up by the loop over an hour.
        let jump = |hour: f64| 7.0 + 5.0 * (1.0 - (12.0 - hour).exp());
        assert_eq!(watch(&mut alarm, 12..36, jump), 1);
        let back = |hour: f64| 7.0 + 5.0 * (36.0 - hour).exp();
        assert_eq!(watch(&mut alarm, 36..60, back), 1, "and so is the way back");
    }

    #[test]
    fn settling_is_no_alarm() {
        let mut alarm = Alarm::default();
        let settling = |hour: f64| 7.0 + 9.0 * (-hour).exp();
        assert_eq!(watch(&mut alarm, 0..24, settling), 0);
    }

    #[test]
    fn unsteadiness_is_told_in_steady_mean_frequency() {
        let mut alarm = Alarm::default();
        assert_eq!(watch(&mut alarm, 0..12, |_| 7.0), 0);
        let event = alarm.note(at(12.0), 7.1, 0.6);
        assert_eq!(event, Some(SystemEvent::WanderJump(0.6)));
        assert_eq!(alarm.note(at(12.1), 7.1, 0.7), None, "told");
        alarm.forget();
        assert_eq!(alarm.note(at(40.0), 99.0, 9.0), None);
    }
}
