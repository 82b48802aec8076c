use super::wall;
use truechimer_time::NtpTimestamp;

/// Readings taken; bounded, because a simulated clock may stand still between waits.
const READINGS: usize = 2000;
/// What is claimed of a clock that did not move: a microsecond.
const UNMEASURED: i8 = -20;

/// Precision of CLOCK_REALTIME, log2 seconds (RFC 5905 §7.3): the least time it takes to read it,
/// or its tick where that is longer. Takes well under a millisecond.
pub fn measure_precision() -> i8 {
    precision_of(core::iter::repeat_with(wall).take(READINGS))
}

/// Precision of a clock from successive readings of it, log2 seconds, rounded up so as not to
/// claim more than was seen; within -32..=0.
pub fn precision_of(readings: impl IntoIterator<Item = NtpTimestamp>) -> i8 {
    let mut readings = readings.into_iter();
    let Some(mut last) = readings.next() else {
        return UNMEASURED;
    };
    let mut least = i64::MAX;
    for reading in readings {
        let moved = reading.since(last).to_bits();
        if moved > 0 {
            least = least.min(moved);
        }
        last = reading;
    }
    if least == i64::MAX {
        return UNMEASURED;
    }
    // Units are 2^-32 s, so the bit length of the span less 32 is its exponent, rounded up.
    let bits = i64::BITS - (least - 1).leading_zeros();
    i8::try_from(bits).map_or(0, |bits| (bits - 32).min(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticking(step: u64, repeats: u64) -> Vec<NtpTimestamp> {
        (0..100)
            .map(|i| NtpTimestamp::from_bits((i / repeats) * step))
            .collect()
    }

    #[test]
    fn exponents() {
        assert_eq!(precision_of(ticking(1 << 12, 1)), -20);
        assert_eq!(precision_of(ticking((1 << 12) + 1, 1)), -19);
        assert_eq!(precision_of(ticking(1 << 22, 7)), -10);
        assert_eq!(precision_of(ticking(1, 1)), -32);
        assert_eq!(precision_of(ticking(0, 1)), UNMEASURED);
        assert_eq!(precision_of([]), UNMEASURED);
        assert_eq!(precision_of(ticking(1 << 40, 1)), 0);
    }

    #[test]
    fn this_machine_reads_its_clock_between_a_nanosecond_and_a_millisecond() {
        let precision = measure_precision();
        assert!((-30..=-10).contains(&precision), "{precision}");
    }
}
