//! Control messages, read as octets: their lengths come from the kernel, yet nothing here depends
//! on them being right.
use super::stamps::{KernelStamp, StampSource};
use core::mem::size_of;

/// Enough for every message this daemon asks for; the preload simulator insists on one buffer
/// for all of them.
pub(crate) const CONTROL_LEN: usize = 512;

/// A buffer aligned as `cmsghdr` has to be.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(8))]
pub(crate) struct ControlBuffer<const N: usize = CONTROL_LEN>(pub(crate) [u8; N]);

const HEADER_LEN: usize = size_of::<libc::cmsghdr>();
const ALIGNMENT: usize = size_of::<usize>();

/// The messages of a control buffer: level, type and data.
struct Messages<'a>(&'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = (libc::c_int, libc::c_int, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (len, rest) = self.0.split_first_chunk::<{ size_of::<usize>() }>()?;
        let (level, rest) = rest.split_first_chunk::<4>()?;
        let (kind, _) = rest.split_first_chunk::<4>()?;
        let len = usize::from_ne_bytes(*len);
        let data = self.0.get(HEADER_LEN..len)?;
        self.0 = self
            .0
            .get(len.next_multiple_of(ALIGNMENT)..)
            .unwrap_or_default();
        let (level, kind) = (i32::from_ne_bytes(*level), i32::from_ne_bytes(*kind));
        Some((level, kind, data))
    }
}

/// The best timestamp in a control buffer. Only the software stamp is on the system clock; a
/// hardware stamp is on the interface's own, and of no use here without relating the two.
pub(crate) fn kernel_stamp(control: &[u8]) -> Option<KernelStamp> {
    Messages(control)
        .filter(|(level, kind, _)| (*level, *kind) == (libc::SOL_SOCKET, libc::SCM_TIMESTAMPING))
        .find_map(|(_, _, data)| software(data))
}

/// Which of a socket's datagrams a message of the error queue is about, counted from 0; `None` if the
/// message does not say.
pub(crate) fn stamped_number(control: &[u8]) -> Option<u32> {
    const ABOUT: [(libc::c_int, libc::c_int); 2] = [
        (libc::SOL_IP, libc::IP_RECVERR),
        (libc::SOL_IPV6, libc::IPV6_RECVERR),
    ];
    Messages(control)
        .filter(|(level, kind, _)| ABOUT.contains(&(*level, *kind)))
        .find_map(|(_, _, data)| number(data))
}

/// The last member of a `sock_extended_err`, if that is about a stamp.
fn number(data: &[u8]) -> Option<u32> {
    let [_, _, _, _, origin, ..] = *data else {
        return None;
    };
    let [.., n0, n1, n2, n3] = *data.first_chunk::<16>()?;
    (origin == libc::SO_EE_ORIGIN_TIMESTAMPING).then(|| u32::from_ne_bytes([n0, n1, n2, n3]))
}

/// The first of three `timespec`, zero where that stamp was not taken.
fn software(data: &[u8]) -> Option<KernelStamp> {
    let (seconds, rest) = data.split_first_chunk::<8>()?;
    let (nanoseconds, _) = rest.split_first_chunk::<8>()?;
    let moment = libc::timespec {
        tv_sec: i64::from_ne_bytes(*seconds),
        tv_nsec: i64::from_ne_bytes(*nanoseconds),
    };
    if moment.tv_sec == 0 && moment.tv_nsec == 0 {
        return None;
    }
    Some(KernelStamp {
        at: crate::clock::timestamp(moment),
        source: StampSource::Software,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use truechimer_time::NtpTimestamp;

    fn message(level: i32, kind: i32, data: &[u8]) -> Vec<u8> {
        let mut octets = (HEADER_LEN + data.len()).to_ne_bytes().to_vec();
        octets.extend(level.to_ne_bytes());
        octets.extend(kind.to_ne_bytes());
        octets.extend(data);
        octets.resize(octets.len().next_multiple_of(ALIGNMENT), 0);
        octets
    }

    fn stamps(seconds: i64, nanoseconds: i64) -> Vec<u8> {
        let mut data = seconds.to_ne_bytes().to_vec();
        data.extend(nanoseconds.to_ne_bytes());
        data.extend([0; 32]);
        message(libc::SOL_SOCKET, libc::SCM_TIMESTAMPING, &data)
    }

    #[test]
    fn found_behind_others() {
        let mut control = message(libc::IPPROTO_IP, libc::IP_TTL, &[64, 0, 0, 0]);
        control.extend(stamps(1_700_000_000, 5));
        let stamp = kernel_stamp(&control).unwrap();
        assert_eq!(stamp.at, NtpTimestamp::from_unix(1_700_000_000, 5));
        assert_eq!(stamp.source, StampSource::Software);
    }

    #[test]
    fn the_number_of_what_was_stamped() {
        let about = |origin: u8, level, kind, len: usize| {
            let mut data = vec![42, 0, 0, 0, origin, 0, 0, 0, 0, 0, 0, 0];
            data.extend(7_u32.to_ne_bytes());
            data.extend([0; 16]);
            let mut control = stamps(1_700_000_000, 5);
            control.extend(message(level, kind, &data[..len]));
            stamped_number(&control)
        };
        let stamped = libc::SO_EE_ORIGIN_TIMESTAMPING;
        assert_eq!(about(stamped, libc::SOL_IP, libc::IP_RECVERR, 32), Some(7));
        assert_eq!(
            about(stamped, libc::SOL_IPV6, libc::IPV6_RECVERR, 16),
            Some(7)
        );
        assert_eq!(about(stamped, libc::SOL_IP, libc::IP_RECVERR, 15), None);
        assert_eq!(about(stamped, libc::SOL_IP, libc::IP_TTL, 32), None);
        assert_eq!(about(2, libc::SOL_IP, libc::IP_RECVERR, 32), None);
    }

    #[test]
    fn hostile_lengths() {
        assert!(kernel_stamp(&[]).is_none());
        assert!(kernel_stamp(&stamps(0, 0)).is_none());
        let good = stamps(1_700_000_000, 5);
        for cut in 0..HEADER_LEN + 48 {
            assert!(kernel_stamp(&good[..cut]).is_none(), "{cut}");
        }
        for len in [0_usize, 1, 15, 17, 65, usize::MAX, usize::MAX - 6] {
            let mut bad = good.clone();
            bad[..8].copy_from_slice(&len.to_ne_bytes());
            assert!(kernel_stamp(&bad).is_none(), "{len}");
        }
    }
}
