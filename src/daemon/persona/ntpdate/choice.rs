//! Which of the servers that answered is believed.
use super::super::samples::Sampled;
use crate::query::Reading;
use std::net::SocketAddr;
use truechimer_proto::system::agreement;
use truechimer_time::leap::LeapIndicator;

/// What the program counts as the precision of its own readings, and as skew, seconds: part of
/// every delay it prints.
const OWN_PRECISION_S: f64 = 1.0 / 64.0;
const SKEW_S: f64 = 0.01;
/// Root distances from here on are too far, seconds.
const DISTANCE_MAX_S: f64 = 8.0;
/// A server whose clock was not set for so long is not believed, seconds.
const AGE_MAX_S: f64 = 86_400.0;

/// A server that answered.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    /// Offset of the sample of least delay.
    pub(super) offset_s: f64,
    /// Its delay, with what we do not know.
    pub(super) delay_s: f64,
    /// Scatter of the samples around that one, halved for each further one.
    pub(super) dispersion_s: f64,
    /// Offset and delay of each sample.
    pub(super) samples: Vec<(f64, f64)>,
    pub(super) last: Reading,
}

impl Server {
    pub(super) fn of(sampled: Sampled) -> Option<Self> {
        let last = *sampled.readings.last()?;
        let samples: Vec<(f64, f64)> = sampled
            .readings
            .iter()
            .map(|reading| {
                let precision = 2_f64.powi(i32::from(reading.header.precision));
                let known = reading.delay_s + OWN_PRECISION_S + precision + SKEW_S;
                (reading.offset_s, known.max(0.0))
            })
            .collect();
        let mut order = samples.clone();
        order.sort_by(|a, b| a.1.total_cmp(&b.1));
        let (offset_s, delay_s) = *order.first()?;
        let scatter = (1_i32..).zip(order.iter().skip(1));
        let dispersion_s = scatter
            .map(|(place, (offset, _))| (offset - offset_s).abs() * 0.5_f64.powi(place))
            .sum();
        Some(Self {
            address: sampled.address,
            offset_s,
            delay_s,
            dispersion_s,
            samples,
            last,
        })
    }

    /// Why it is not believed.
    fn fault(&self) -> Option<&'static str> {
        let header = &self.last.header;
        let age = header
            .transmit_time
            .since(header.reference_time)
            .to_seconds();
        if !(1..=15).contains(&header.stratum) {
            return Some("strata too high");
        }
        if header.leap == LeapIndicator::NotSynchronized {
            return Some("Leap not in sync");
        }
        if header.reference_time.is_zero() || age >= AGE_MAX_S {
            return Some("server has gone too long without sync");
        }
        if age < 0.0 {
            return Some("server is very broken");
        }
        (self.distance_s() >= DISTANCE_MAX_S).then_some("server too far away")
    }

    fn distance_s(&self) -> f64 {
        self.last.root_distance_s + self.delay_s / 2.0
    }
}

/// The best of those that the majority agrees with: of the lowest stratum, then the least
/// distance. `told` hears who is dropped and why.
pub(super) fn choose<'a>(servers: &'a [Server], told: &dyn Fn(&str)) -> Option<&'a Server> {
    let sane: Vec<&Server> = servers
        .iter()
        .filter(|server| match server.fault() {
            Some(fault) => {
                told(&format!("{}: Server dropped: {fault}", server.address.ip()));
                false
            }
            None => true,
        })
        .collect();
    let interval = |server: &Server| (server.offset_s, server.distance_s());
    let intervals: Vec<(f64, f64)> = sane.iter().map(|server| interval(server)).collect();
    let (low, high) = agreement(&intervals)?;
    sane.into_iter()
        .filter(|server| {
            let (offset, distance) = interval(server);
            let meets = offset + distance >= low && offset - distance <= high;
            if !meets {
                told(&format!(
                    "{}: Server dropped: the majority says otherwise",
                    server.address.ip()
                ));
            }
            meets
        })
        .min_by(|a, b| {
            let by_stratum = a.last.header.stratum.cmp(&b.last.header.stratum);
            by_stratum.then(a.distance_s().total_cmp(&b.distance_s()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use truechimer_time::NtpTimestamp;
    use truechimer_wire::{Header, Mode};

    fn server(last: u8, stratum: u8, offset_s: f64) -> Server {
        let now = NtpTimestamp::from_bits(0xEEB0_538A << 32);
        let mut header = Header::blank(4, Mode::Server);
        header.leap = LeapIndicator::NoWarning;
        header.stratum = stratum;
        header.transmit_time = now;
        header.reference_time = NtpTimestamp::from_bits(now.to_bits() - (10 << 32));
        let reading = |delay_s: f64, offset_s: f64| Reading {
            header,
            offset_s,
            delay_s,
            root_distance_s: 0.001,
            arrived: now,
            authenticated: false,
        };
        Server::of(Sampled {
            address: SocketAddr::from(([192, 0, 2, last], 123)),
            readings: vec![reading(0.020, offset_s + 0.003), reading(0.010, offset_s)],
            last_fault: None,
        })
        .expect("it answered")
    }

    fn chosen(servers: &[Server]) -> Option<u8> {
        let found = choose(servers, &|_| {})?;
        match found.address.ip() {
            std::net::IpAddr::V4(v4) => Some(v4.octets()[3]),
            std::net::IpAddr::V6(_) => None,
        }
    }

    #[test]
    fn the_sample_of_least_delay_counts() {
        let server = server(1, 2, 0.5);
        assert!((server.offset_s - 0.5).abs() < 1e-12);
        assert!((server.delay_s - 0.010 - OWN_PRECISION_S - SKEW_S - 1.0).abs() < 1e-9);
        assert!((server.dispersion_s - 0.0015).abs() < 1e-12);
    }

    #[test]
    fn the_majority_and_then_the_stratum() {
        assert_eq!(chosen(&[server(1, 3, 0.0), server(2, 2, 0.01)]), Some(2));
        let liar = server(3, 1, 900.0);
        assert_eq!(
            chosen(&[server(1, 3, 0.0), server(2, 2, 0.01), liar]),
            Some(2)
        );
        assert_eq!(chosen(&[server(1, 3, 0.0), server(2, 2, 900.0)]), None);
        assert_eq!(chosen(&[]), None);
    }

    #[test]
    fn who_does_not_know_the_time_is_not_believed() {
        let mut servers = [server(1, 0, 0.0), server(2, 16, 0.0), server(3, 2, 0.0)];
        servers[2].last.header.reference_time = NtpTimestamp::ZERO;
        assert_eq!(chosen(&servers), None);
        let mut asleep = server(1, 2, 0.0);
        asleep.last.header.leap = LeapIndicator::NotSynchronized;
        assert_eq!(chosen(&[asleep]), None);
    }
}
