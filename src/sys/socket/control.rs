//! Control messages, read as octets: their lengths come from the kernel, yet nothing here depends
//! on them being right.
use super::stamps::{HardwareStamp, KernelStamp};
use core::mem::size_of;

/// Enough for every message this daemon asks for; the preload simulator insists on one buffer
/// for all of them.
pub(crate) const CONTROL_LEN: usize = 512;

/// Through which interface a stamped datagram came, and how long its frame was: linux/errqueue.h
/// calls it `scm_ts_pktinfo`; libc names its number on other targets only.
const SCM_TIMESTAMPING_PKTINFO: libc::c_int = 58;

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

/// The stamp in a control buffer that is on the system clock.
pub(crate) fn kernel_stamp(control: &[u8]) -> Option<KernelStamp> {
    Messages(control)
        .filter(|(level, kind, _)| (*level, *kind) == (libc::SOL_SOCKET, libc::SCM_TIMESTAMPING))
        .find_map(|(_, _, data)| software(data))
}

/// The stamp in a control buffer that is on an interface's clock.
pub(crate) fn hardware_stamp(control: &[u8]) -> Option<HardwareStamp> {
    let of = |kind| {
        let mut all = Messages(control);
        let found = all.find(|(level, it, _)| (*level, *it) == (libc::SOL_SOCKET, kind));
        found.map(|(_, _, data)| data)
    };
    let [_, _, seconds, nanoseconds] = *of(libc::SCM_TIMESTAMPING)?
        .get(16..)?
        .first_chunk::<32>()?
        .as_chunks::<8>()
        .0
    else {
        return None;
    };
    let (seconds, rest) = (i64::from_ne_bytes(seconds), i64::from_ne_bytes(nanoseconds));
    let ns = seconds.checked_mul(1_000_000_000)?.checked_add(rest)?;
    if ns == 0 {
        return None;
    }
    let about = of(SCM_TIMESTAMPING_PKTINFO).and_then(|data| data.first_chunk::<8>());
    let [link, len] = about.map_or([0; 2], |data| {
        let [l0, l1, l2, l3, n0, n1, n2, n3] = *data;
        [[l0, l1, l2, l3], [n0, n1, n2, n3]].map(u32::from_ne_bytes)
    });
    Some(HardwareStamp { ns, link, len })
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
    }

    #[test]
    fn a_hardware_stamp_says_where_it_was_taken() {
        let mut data = vec![0; 32];
        data.extend(3_i64.to_ne_bytes());
        data.extend(7_i64.to_ne_bytes());
        let mut control = message(libc::SOL_SOCKET, libc::SCM_TIMESTAMPING, &data);
        assert_eq!(kernel_stamp(&control), None);
        let bare = hardware_stamp(&control).unwrap();
        assert_eq!((bare.ns, bare.link, bare.len), (3_000_000_007, 0, 0));
        for cut in 0..HEADER_LEN + 48 {
            assert_eq!(hardware_stamp(&control[..cut]), None, "{cut}");
        }
        let mut about = 4_u32.to_ne_bytes().to_vec();
        about.extend(90_u32.to_ne_bytes());
        about.extend([0; 8]);
        control.extend(message(libc::SOL_SOCKET, SCM_TIMESTAMPING_PKTINFO, &about));
        let stamp = hardware_stamp(&control).unwrap();
        assert_eq!((stamp.ns, stamp.link, stamp.len), (3_000_000_007, 4, 90));
        assert_eq!(hardware_stamp(&stamps(1_700_000_000, 5)), None);
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
