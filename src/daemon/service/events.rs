//! Events of the protocol to lines of the log, those that strangers can cause in small doses.
use crate::logging::{Admission, Limiter};
use log::Level;
use truechimer_config::settings::{LogClass, LogEvent, LogMask};
use truechimer_proto::event::{Event, PeerEvent, Report, SystemEvent};
use truechimer_time::Instant;

/// How often counts of suppressed lines are looked for, seconds.
const SWEEP_EVERY_S: f64 = 10.0;

/// Writes events to the log.
#[derive(Debug)]
pub(super) struct EventLog {
    limiter: Limiter,
    swept: Instant,
    mask: LogMask,
}

impl EventLog {
    /// Nothing written yet; `logconfig` says what will be.
    pub(super) fn new(now: Instant, mask: LogMask) -> Self {
        Self {
            mask,
            limiter: Limiter::new(now),
            swept: now,
        }
    }

    /// Writes by another `logconfig` from now on.
    pub(super) const fn follow(&mut self, mask: LogMask) {
        self.mask = mask;
    }

    /// Writes an event, or counts it.
    pub(super) fn write(&mut self, now: Instant, report: &Report) {
        if !is_wanted(self.mask, report) {
            return;
        }
        let (text, event) = (report.to_string(), &report.event);
        let Some(kind) = kind(event) else {
            log::log!(level(event), "{text}");
            return;
        };
        match self.limiter.admit(now, &kind) {
            Admission::Hold => {}
            Admission::Say { suppressed: 0 } => log::log!(level(event), "{text}"),
            Admission::Say { suppressed } => {
                log::log!(
                    level(event),
                    "{text} (and {suppressed} more like it before)"
                );
            }
        }
    }

    /// Writes the counts of what was held back and came to an end.
    pub(super) fn sweep(&mut self, now: Instant) {
        if now.seconds_since(self.swept) < SWEEP_EVERY_S {
            return;
        }
        self.swept = now;
        for (kind, held) in self.limiter.take_due(now) {
            log::warn!("{kind}: {held} more lines were not written");
        }
    }
}

/// What the reference has no number for is information to it.
const fn is_wanted(mask: LogMask, report: &Report) -> bool {
    let class = match report.event {
        Event::System(_) => LogClass::System,
        Event::Peer { .. } => LogClass::Peer,
    };
    let what = match report.coded {
        Some(_) => LogEvent::Events,
        None => LogEvent::Info,
    };
    mask.contains(class, what)
}

/// What the line counts as if strangers can cause it; ports and values are left out, for they
/// can be varied at will.
fn kind(event: &Event) -> Option<String> {
    match event {
        Event::Peer { remote, what, .. } if what.is_network_triggered() => {
            let word = match what {
                PeerEvent::Refused(test) => test.name(),
                PeerEvent::BadAuthentication { .. } | PeerEvent::BadSession(_) => "bad_auth",
                PeerEvent::CryptoTrouble(_) => "crypto",
                PeerEvent::Popcorn(_) => "popcorn",
                _ => "event",
            };
            Some(format!("{remote} {word}"))
        }
        Event::System(SystemEvent::StrangeDatagram(source)) => {
            Some(format!("datagrams from {}", source.ip()))
        }
        Event::System(SystemEvent::Unsolicited(source, why)) => {
            Some(format!("{} from {}", why.name(), source.ip()))
        }
        Event::System(SystemEvent::Namesakes(it)) => {
            Some(format!("hosts of the name {}", it.name.escape_default()))
        }
        _ => None,
    }
}

const fn level(event: &Event) -> Level {
    match event {
        Event::Peer { what, .. } => match what {
            PeerEvent::NoReply | PeerEvent::Popcorn(_) => Level::Debug,
            PeerEvent::Unreachable
            | PeerEvent::RateExceeded(_)
            | PeerEvent::AccessDenied(_)
            | PeerEvent::Restricted
            | PeerEvent::Untrusted
            | PeerEvent::Keyless
            | PeerEvent::NoInterface
            | PeerEvent::PathUnknown
            | PeerEvent::CryptoTrouble(_)
            | PeerEvent::IdentityMissing(_)
            | PeerEvent::BadAuthentication { .. } => Level::Warn,
            _ => Level::Info,
        },
        Event::System(what) => match what {
            SystemEvent::PanicStop(_) => Level::Error,
            SystemEvent::SpikeDetect(_)
            | SystemEvent::NoSystemPeer
            | SystemEvent::ClockStep(_)
            | SystemEvent::Kernel(_)
            | SystemEvent::StaleLeapTable { .. }
            | SystemEvent::ForeignStep(_)
            | SystemEvent::FrequencyLimit(_)
            | SystemEvent::FrequencyJump(_)
            | SystemEvent::WanderJump(_)
            | SystemEvent::Namesakes(_)
            | SystemEvent::NameNotResolved(_) => Level::Warn,
            _ => Level::Info,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use truechimer_proto::packet::AssociationId;
    use truechimer_proto::status::PacketTest;

    fn peer(what: PeerEvent) -> Event {
        Event::Peer {
            association: AssociationId(1),
            remote: "192.0.2.1".to_owned(),
            what,
        }
    }

    #[test]
    fn what_strangers_can_cause_has_a_kind_without_what_they_can_vary() {
        for what in [
            PeerEvent::Refused(PacketTest::Bogus),
            PeerEvent::Popcorn(0.1),
            PeerEvent::BadAuthentication {
                key: truechimer_proto::authentication::KeyId::symmetric(1).expect("in range"),
                failure: truechimer_proto::authentication::AuthFailure::NoMac,
            },
        ] {
            assert!(what.is_network_triggered());
            assert!(kind(&peer(what)).is_some());
        }
        let from = |port: u16| {
            let source = ([192, 0, 2, 1], port).into();
            kind(&Event::System(SystemEvent::StrangeDatagram(source)))
        };
        assert!(from(1).is_some());
        assert_eq!(from(1), from(2));
        assert_eq!(kind(&peer(PeerEvent::Reachable)), None);
    }
}
