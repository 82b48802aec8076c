//! A clock of a network interface beside the system clock: linux/ptp_clock.h.
use core::time::Duration;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use truechimer_time::NtpTimestamp;

/// Readings compared at once, of which the one that took least time counts.
const READINGS: u32 = 5;

/// A hardware clock, /dev/ptpN, open for reading.
#[derive(Debug)]
pub struct Phc(File);

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The hardware's, nanoseconds since its epoch.
    pub phc_ns: i64,
    /// The system's.
    pub system: NtpTimestamp,
    /// How long the reading took: the system's moment is known to half of that.
    pub window: Duration,
}

impl Phc {
    /// Opens clock number `index`.
    ///
    /// # Errors
    /// The kernel's.
    pub fn open(index: u32) -> io::Result<Self> {
        File::open(format!("/dev/ptp{index}")).map(Self)
    }

    /// Reads both clocks: at one edge where the hardware can (PTP_SYS_OFFSET_PRECISE), else the one
    /// between two readings of the other.
    ///
    /// # Errors
    /// The kernel's: the device is gone, or cannot be compared.
    pub fn compare(&self) -> io::Result<Comparison> {
        self.precise().or_else(|_| self.between())
    }

    fn precise(&self) -> io::Result<Comparison> {
        let mut offset = libc::ptp_sys_offset_precise {
            device: ZERO,
            sys_realtime: ZERO,
            sys_monoraw: ZERO,
            rsv: [0; 4],
        };
        let (raw, request) = (self.0.as_raw_fd(), libc::PTP_SYS_OFFSET_PRECISE);
        // SAFETY: the kernel reads and writes one structure, `offset`, ours during the call.
        crate::checked(unsafe { libc::ioctl(raw, request, &raw mut offset) })?;
        let compared = Comparison {
            phc_ns: nanoseconds(&offset.device),
            system: timestamp(&offset.sys_realtime),
            window: Duration::ZERO,
        };
        Ok(compared)
    }

    fn between(&self) -> io::Result<Comparison> {
        let mut offset = libc::ptp_sys_offset_extended {
            n_samples: READINGS,
            clockid: libc::CLOCK_REALTIME,
            rsv: [0; 2],
            ts: [[ZERO; 3]; libc::PTP_MAX_SAMPLES as usize],
        };
        let (raw, request) = (self.0.as_raw_fd(), libc::PTP_SYS_OFFSET_EXTENDED);
        // SAFETY: the kernel reads and writes one structure, `offset`, ours during the call.
        crate::checked(unsafe { libc::ioctl(raw, request, &raw mut offset) })?;
        let readings = offset.ts.iter().take(READINGS as usize);
        let compared = readings.filter_map(|[before, phc, after]| {
            let window = nanoseconds(after).checked_sub(nanoseconds(before))?;
            let window = Duration::from_nanos(u64::try_from(window).ok()?);
            let middle = nanoseconds(before) + i64::try_from(window.as_nanos() / 2).ok()?;
            Some(Comparison {
                phc_ns: nanoseconds(phc),
                system: unix(middle),
                window,
            })
        });
        compared
            .min_by_key(|one| one.window)
            .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
    }
}

const ZERO: libc::ptp_clock_time = libc::ptp_clock_time {
    sec: 0,
    nsec: 0,
    reserved: 0,
};
const NS_PER_S: i64 = 1_000_000_000;

const fn nanoseconds(moment: &libc::ptp_clock_time) -> i64 {
    moment
        .sec
        .saturating_mul(NS_PER_S)
        .saturating_add(moment.nsec as i64)
}

fn timestamp(moment: &libc::ptp_clock_time) -> NtpTimestamp {
    NtpTimestamp::from_unix(moment.sec, moment.nsec)
}

/// Unix time in nanoseconds, as a timestamp.
fn unix(ns: i64) -> NtpTimestamp {
    let rest = u32::try_from(ns.rem_euclid(NS_PER_S)).unwrap_or_default();
    NtpTimestamp::from_unix(ns.div_euclid(NS_PER_S), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_such_clock() {
        assert!(Phc::open(4_000_000_000).is_err());
    }

    #[test]
    fn moments_of_either_form_are_the_same() {
        let moment = libc::ptp_clock_time {
            sec: 1_700_000_000,
            nsec: 999_999_999,
            reserved: 0,
        };
        assert_eq!(unix(nanoseconds(&moment)), timestamp(&moment));
        assert_eq!(unix(-1), NtpTimestamp::from_unix(-1, 999_999_999));
    }
}
