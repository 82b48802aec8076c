//! What goes into the discipline, and what it makes of it.
use truechimer_time::leap::LeapIndicator;

/// The system estimate: the only thing the discipline knows of sources.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Combined offset, sources minus us, seconds.
    pub offset_s: f64,
    /// How old the samples behind `offset_s` are, weighted as they are in it, seconds.
    pub age_s: f64,
    /// Combined jitter, seconds.
    pub jitter_s: f64,
    /// Round trip to the primary source, seconds.
    pub root_delay_s: f64,
    /// Dispersion to the primary source, seconds.
    pub root_dispersion_s: f64,
    /// Least poll exponent the leading source allows, log2 seconds.
    pub minpoll: i8,
    /// Greatest poll exponent the leading source allows, log2 seconds.
    pub maxpoll: i8,
    /// Leap second to tell the kernel of: only in the last day before it.
    pub leap: LeapIndicator,
    /// TAI-UTC where known, seconds.
    pub tai_utc_s: Option<i32>,
}

/// What became of an estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// The clock was left alone: a spike, the frequency is being measured, or we do not steer.
    Ignored,
    /// The clock is being slewed, or is good enough where we do not steer.
    Slewed,
    /// The clock is to be stepped: once that is done every sample taken before is void.
    Stepped {
        /// By this, seconds.
        offset_s: f64,
    },
    /// Past the panic threshold: the daemon must end.
    Panic {
        /// The offset, seconds.
        offset_s: f64,
    },
    /// `-q`: the clock was set once, and that was all.
    OneShot {
        /// By this, seconds.
        offset_s: f64,
        /// Stepped, or handed to the kernel to slew.
        stepped: bool,
    },
}
