//! The peers table in ntpq's layout, and the system in one line.
use core::fmt::Write;
use truechimer_proto::authentication::AuthFailure;
use truechimer_proto::event::system_event_word;
use truechimer_proto::status::{AssociationStatus, PacketTest, SystemStatus};
use truechimer_time::leap::LeapIndicator;

/// The peers table as `ntpq -pn` prints it, a line for each source of which packets were refused,
/// then one line on the system.
pub fn billboard(status: &SystemStatus) -> String {
    let mut text = peers(status);
    for association in &status.associations {
        text.push_str(&refusals(association));
    }
    text.push_str(&system_line(status));
    text.push('\n');
    text
}

/// The peers table as `ntpq -pn` prints it: times in milliseconds, reach in octal.
pub fn peers(status: &SystemStatus) -> String {
    let mut text = String::from(
        "     remote           refid      st t when poll reach   delay   offset  jitter\n",
    );
    text.push_str(&"=".repeat(78));
    text.push('\n');
    for association in &status.associations {
        row(&mut text, association);
    }
    text
}

fn row(text: &mut String, association: &AssociationStatus) {
    let remote = match association.remote {
        Some(address) if association.kind != 'p' => address.ip().to_string(),
        _ => association.name.clone(),
    };
    let reference_id = match association.kind {
        'p' => ".POOL.".to_owned(),
        // A reference clock is known by letters at whatever stratum it is set to.
        'l' => association.reference_id.display(1).to_string(),
        _ => {
            let shown = association.reference_id.display(association.stratum);
            shown.to_string()
        }
    };
    let poll_s = f64::from(association.host_poll).exp2();
    // A string takes any write; there is nothing to fail.
    let _ = writeln!(
        text,
        "{}{:<15.15} {:<15.15} {:>2} {} {:>4.4} {:>4.4}  {:>3o}  {:>7.7} {:>8.7} {:>7.7}",
        association.tally.character(),
        remote,
        reference_id,
        association.stratum,
        association.kind,
        association.when_s.map_or_else(|| "-".to_owned(), interval),
        interval(poll_s),
        association.reach,
        milliseconds(association.delay_s),
        milliseconds(association.offset_s),
        milliseconds(association.jitter_s),
    );
}

/// `192.0.2.1 refused: pkt_auth 3 (no_mac 1, wrong_digest 2)`, or nothing.
fn refusals(association: &AssociationStatus) -> String {
    let mut words = Vec::new();
    for (test, count) in PacketTest::ALL.into_iter().zip(association.refused) {
        if count == 0 {
            continue;
        }
        let mut word = format!("{test} {count}");
        if test == PacketTest::Authentication {
            let failures = AuthFailure::ALL.into_iter().zip(association.unauthentic);
            let said: Vec<String> = failures
                .filter(|(_, count)| *count > 0)
                .map(|(failure, count)| format!("{} {count}", failure.name()))
                .collect();
            if !said.is_empty() {
                word.push_str(&format!(" ({})", said.join(", ")));
            }
        }
        words.push(word);
    }
    if words.is_empty() {
        return String::new();
    }
    let name = match association.remote {
        Some(address) => address.ip().to_string(),
        None => association.name.clone(),
    };
    format!("{name} refused: {}\n", words.join(", "))
}

/// As ntpq shortens it: seconds up to 2048, then minutes, hours, days.
fn interval(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float to integer cast saturates"
    )]
    let seconds = seconds as i64;
    if seconds <= 0 {
        return "-".to_owned();
    }
    if seconds <= 2048 {
        return seconds.to_string();
    }
    let minutes = seconds.saturating_add(29) / 60;
    if minutes <= 300 {
        return format!("{minutes}m");
    }
    let hours = (minutes + 29) / 60;
    if hours <= 96 {
        return format!("{hours}h");
    }
    format!("{}d", (hours + 11) / 24)
}

fn milliseconds(seconds: f64) -> String {
    let text = format!("{:.3}", seconds * 1e3);
    if text == "-0.000" {
        return "0.000".to_owned();
    }
    text
}

/// Stratum, reference, offset, frequency and the rest in one line.
pub fn system_line(status: &SystemStatus) -> String {
    format!(
        "stratum {}, refid {}, {}, state {}, offset {} ms, frequency {:+.3} ppm, \
         system jitter {} ms, clock jitter {} ms, root delay {} ms, root dispersion {} ms, tc {}{}",
        status.stratum,
        status.reference_id.display(status.stratum),
        leap(status.leap),
        status.discipline_state,
        milliseconds(status.offset_s),
        status.frequency_ppm,
        milliseconds(status.system_jitter_s),
        milliseconds(status.clock_jitter_s),
        milliseconds(status.root_delay.to_seconds()),
        milliseconds(status.root_dispersion.to_seconds()),
        status.time_constant,
        if status.steering {
            ""
        } else {
            ", not steering the clock"
        },
    )
}

/// How often each system event happened since the start, in the reference's words.
pub fn events_line(status: &SystemStatus) -> String {
    let counted = status.events.totals();
    let counted = counted.map(|(code, total)| format!("{} {total}", system_event_word(code)));
    format!("events: {}", counted.collect::<Vec<_>>().join(", "))
}

/// The leap bits in words.
pub const fn leap(leap: LeapIndicator) -> &'static str {
    match leap {
        LeapIndicator::NoWarning => "leap none",
        LeapIndicator::AddSecond => "leap add a second",
        LeapIndicator::DeleteSecond => "leap delete a second",
        LeapIndicator::NotSynchronized => "not synchronized",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use truechimer_proto::event::EventCounts;
    use truechimer_proto::packet::AssociationId;
    use truechimer_proto::status::Tally;
    use truechimer_time::{NtpShort, NtpTimestamp};
    use truechimer_wire::ReferenceId;

    fn association() -> AssociationStatus {
        AssociationStatus {
            id: AssociationId(1),
            tally: Tally::SystemPeer,
            kind: 'u',
            remote: Some(([192, 0, 2, 123], 123).into()),
            name: "ntp.example".to_owned(),
            reference_id: ReferenceId::from_letters("GPS"),
            stratum: 1,
            leap: LeapIndicator::NoWarning,
            when_s: Some(17.9),
            host_poll: 6,
            peer_poll: 6,
            reach: 0o377,
            unreach: 0,
            delay_s: 0.001_234,
            offset_s: -0.123_456_7,
            dispersion_s: 0.0,
            jitter_s: 0.000_061,
            root_distance_s: 0.0,
            root_delay: NtpShort::ZERO,
            root_dispersion: NtpShort::ZERO,
            flash: 0,
            refused: [0; 13],
            unauthentic: [0; AuthFailure::ALL.len()],
            autokey: None,
            sent: 0,
            received: 0,
            events: EventCounts::default(),
            stamps: None,
            filter: Vec::new(),
        }
    }

    fn status(associations: Vec<AssociationStatus>) -> SystemStatus {
        SystemStatus {
            leap: LeapIndicator::NoWarning,
            stratum: 2,
            precision: -23,
            root_delay: NtpShort::from_seconds(0.0015),
            root_dispersion: NtpShort::from_seconds(0.010),
            reference_id: ReferenceId::from_octets([192, 0, 2, 123]),
            reference_time: NtpTimestamp::ZERO,
            system_peer: Some(AssociationId(1)),
            offset_s: -0.0001,
            system_jitter_s: 0.00002,
            clock_jitter_s: 0.00001,
            frequency_ppm: -12.5,
            wander_ppm: 0.01,
            time_constant: 6,
            tai_utc_s: None,
            steering: false,
            events: EventCounts::default(),
            unsolicited: Default::default(),
            discipline_state: "sync",
            associations,
        }
    }

    #[test]
    fn laid_out_as_ntpq_does() {
        let local = AssociationStatus {
            tally: Tally::Reject,
            kind: 'l',
            remote: Some(([127, 127, 1, 0], 0).into()),
            reference_id: ReferenceId::from_letters("LOCL"),
            stratum: 10,
            when_s: None,
            host_poll: 17,
            reach: 1,
            delay_s: 0.0,
            offset_s: -0.0,
            ..association()
        };
        let pool = AssociationStatus {
            tally: Tally::Reject,
            kind: 'p',
            remote: None,
            name: "2.a-long-pool-name.example".to_owned(),
            stratum: 16,
            when_s: None,
            ..association()
        };
        let table = peers(&status(vec![association(), local, pool]));
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(
            lines[0],
            "     remote           refid      st t when poll reach   delay   offset  jitter"
        );
        assert_eq!(lines[1], "=".repeat(78));
        assert_eq!(
            lines[2],
            "*192.0.2.123     .GPS.            1 u   17   64  377    1.234  -123.45   0.061"
        );
        assert!(
            lines[3].starts_with(" 127.127.1.0     .LOCL. "),
            "{}",
            lines[3]
        );
        assert!(
            lines[3].contains("10 l    -  36h    1    0.000    0.000"),
            "{}",
            lines[3]
        );
        assert!(lines[4].starts_with(" 2.a-long-pool-n .POOL.          16 p    -   64"));
        assert!(lines.iter().all(|line| line.len() <= 78));
    }

    #[test]
    fn refusals_are_counted_by_reason() {
        let mut refused = association();
        assert_eq!(refusals(&refused), "");
        refused.refused[PacketTest::Bogus as usize] = 7;
        refused.refused[PacketTest::Authentication as usize] = 3;
        refused.unauthentic[AuthFailure::NoMac as usize] = 1;
        refused.unauthentic[AuthFailure::WrongDigest as usize] = 2;
        let line = "192.0.2.123 refused: pkt_bogus 7, pkt_auth 3 (no_mac 1, wrong_digest 2)\n";
        assert_eq!(refusals(&refused), line);
        assert!(billboard(&status(vec![refused])).contains(line));
    }

    #[test]
    fn intervals_as_ntpq_shortens_them() {
        for (seconds, text) in [
            (-1.0, "-"),
            (0.5, "-"),
            (2048.0, "2048"),
            (2049.0, "34m"),
            (18_000.0, "300m"),
            (36_000.0, "10h"),
            (1e6, "12d"),
        ] {
            assert_eq!(interval(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn the_system_line_says_whether_it_steers() {
        let line = system_line(&status(Vec::new()));
        assert!(line.starts_with("stratum 2, refid 192.0.2.123, leap none, state sync"));
        assert!(line.ends_with("not steering the clock"), "{line}");
        assert!(line.contains("frequency -12.500 ppm"), "{line}");
    }
}
