//! The clock state machine (RFC 5905 §11.3, figure 24) as a pure function.
use crate::config::Tinker;

/// Least stepout interval, seconds: the reference takes no less, for the frequency is measured
/// over it.
const STEPOUT_LEAST_S: f64 = 300.0;
/// Offset at which the kernel's loop saturates, seconds.
const KERNEL_PHASE_MAX_S: f64 = 0.5;

/// Where the discipline stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// NSET: nothing known, nothing done.
    Unset,
    /// FSET: the frequency is known, the time is not.
    FrequencySet,
    /// SPIK: an outlier was seen and nothing done about it.
    Spike,
    /// FREQ: the time was set, the frequency is being measured.
    Measure,
    /// SYNC: all is well.
    Sync,
}

impl State {
    /// Whether an offset was ever acted on.
    pub(super) const fn clock_was_set(self) -> bool {
        !matches!(self, Self::Unset | Self::FrequencySet)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Unset => "unset",
            Self::FrequencySet => "freq_set",
            Self::Spike => "spike",
            Self::Measure => "freq_measure",
            Self::Sync => "sync",
        }
    }
}

/// What is to be done about an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Nothing yet: the stepout interval is not over.
    Wait,
    /// Nothing, but remember it: one outlier is never believed.
    Spike,
    /// Step the clock; `measured` sets the frequency from this offset first.
    Step { measured: bool, next: State },
    /// Slew the clock; `measured` as above.
    Slew { measured: bool, next: State },
}

/// `outlier`: the offset is past the step threshold. `since_s`: since the last accepted offset.
pub(super) fn decide(state: State, outlier: bool, since_s: f64, stepout_s: f64) -> Decision {
    let waited = since_s >= stepout_s;
    match (state, outlier) {
        (State::Unset, true) => Decision::Step {
            measured: false,
            next: State::Measure,
        },
        (State::Unset, false) => Decision::Slew {
            measured: false,
            next: State::Measure,
        },
        (State::Measure, _) | (State::Spike, true) if !waited => Decision::Wait,
        (State::Sync, true) => Decision::Spike,
        (_, true) => Decision::Step {
            measured: state == State::Measure,
            next: State::Sync,
        },
        (_, false) => Decision::Slew {
            measured: state == State::Measure,
            next: State::Sync,
        },
    }
}

/// The limits of `tinker`; `None` disables.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thresholds {
    panic_s: Option<f64>,
    forward_s: Option<f64>,
    back_s: Option<f64>,
    pub(super) stepout_s: f64,
}

impl Thresholds {
    pub(super) fn new(tinker: &Tinker) -> Self {
        Self {
            panic_s: tinker.panic_s,
            forward_s: tinker.stepfwd_s,
            back_s: tinker.stepback_s,
            stepout_s: tinker.stepout_s.max(STEPOUT_LEAST_S),
        }
    }

    pub(super) fn panics(&self, offset_s: f64) -> bool {
        self.panic_s.is_some_and(|limit_s| offset_s.abs() > limit_s)
    }

    pub(super) fn steps(&self, offset_s: f64) -> bool {
        self.forward_s.is_some_and(|limit_s| offset_s > limit_s)
            || self.back_s.is_some_and(|limit_s| -offset_s > limit_s)
    }

    pub(super) fn fit_kernel(&self) -> bool {
        let fits = |limit: Option<f64>| limit.is_some_and(|limit_s| limit_s <= KERNEL_PHASE_MAX_S);
        fits(self.forward_s) && fits(self.back_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table() {
        use Decision::{Slew, Spike, Step, Wait};
        let step = |measured, next| Step { measured, next };
        let slew = |measured, next| Slew { measured, next };
        let rows = [
            (State::Unset, true, 0.0, step(false, State::Measure)),
            (State::Unset, false, 0.0, slew(false, State::Measure)),
            (State::FrequencySet, true, 0.0, step(false, State::Sync)),
            (State::FrequencySet, false, 0.0, slew(false, State::Sync)),
            (State::Measure, true, 299.9, Wait),
            (State::Measure, false, 299.9, Wait),
            (State::Measure, true, 300.0, step(true, State::Sync)),
            (State::Measure, false, 300.0, slew(true, State::Sync)),
            (State::Sync, true, 5000.0, Spike),
            (State::Sync, false, 1.0, slew(false, State::Sync)),
            (State::Spike, true, 299.9, Wait),
            (State::Spike, true, 300.0, step(false, State::Sync)),
            (State::Spike, false, 1.0, slew(false, State::Sync)),
        ];
        for (state, outlier, since_s, decision) in rows {
            assert_eq!(
                decide(state, outlier, since_s, 300.0),
                decision,
                "{state:?} {outlier} {since_s}"
            );
        }
    }

    #[test]
    fn directions_differ_and_none_disables() {
        let thresholds = Thresholds::new(&Tinker {
            stepfwd_s: Some(0.1),
            stepback_s: None,
            panic_s: None,
            stepout_s: 10.0,
            ..Tinker::default()
        });
        assert!(thresholds.steps(0.11) && !thresholds.steps(-1e6));
        assert!(!thresholds.panics(1e9) && !thresholds.fit_kernel());
        assert!((thresholds.stepout_s - 300.0).abs() < f64::EPSILON);
        assert!(Thresholds::new(&Tinker::default()).fit_kernel());
    }
}
