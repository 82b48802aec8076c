//! What was counted, in the reference's words.
use crate::statistics::SystemCounts;
use truechimer_engine::{Report, ServerCounts};
use truechimer_proto::authentication::AuthFailure;
use truechimer_proto::server::{AutokeyOutcome, DropReason};

/// All server threads together.
pub(super) fn sum(report: &Report) -> ServerCounts {
    let none = ServerCounts::default();
    let all = report.servers.iter();
    all.fold(none, |sum, counts| sum.plus(counts))
}

/// As sysstats counts them, since the start. Answers of servers that are no longer used are not in
/// it any more.
pub(super) fn system_counts(report: &Report) -> SystemCounts {
    let sum = sum(report);
    let served = sum.protocol.reference();
    let count = |name: &str| {
        let found = served.iter().find(|(known, _)| *known == name);
        found.map_or(0, |(_, count)| *count)
    };
    let (heard, processed) = report.system.answers();
    SystemCounts {
        since_s: 0,
        received: count("ss_received") + sum.unwanted + sum.unreadable + heard,
        processed,
        this_version: count("ss_thisver") + heard,
        old_version: count("ss_oldver"),
        restricted: count("ss_restricted"),
        bad_length: count("ss_badformat") + sum.unreadable,
        bad_auth: count("ss_badauth"),
        declined: count("ss_declined"),
        limited: count("ss_limited"),
        kisses: count("ss_kodsent"),
    }
}

/// What the server side has counted, in one line.
pub(super) fn served(report: &Report) -> String {
    let sum = sum(report);
    let protocol = &sum.protocol;
    let mut text = format!(
        "{} addresses, {} groups and broadcasts, {} server threads: {} datagrams, {} replies, {} crypto-NAKs, \
         {} for the clock thread, {} too many, \
         {} unwanted, {} unreadable, {} not sent",
        report.listening.len(),
        report.hearing,
        report.server_threads,
        protocol.received,
        protocol.replied,
        protocol.crypto_naks,
        protocol.handed_off,
        sum.overflowed,
        sum.unwanted,
        sum.unreadable,
        sum.send_failed,
    );
    if protocol.departures_asked > 0 {
        let (told, asked) = (protocol.interleaved, protocol.departures_asked);
        text.push_str(&format!(
            ", {told} interleaved, {asked} departures asked for"
        ));
    }
    for outcome in AutokeyOutcome::ALL {
        let count = protocol.autokey(outcome);
        if count > 0 {
            text.push_str(&format!(", {count} of Autokey {}", outcome.name()));
        }
    }
    if sum.finished > 0 {
        text.push_str(&format!(", {} of these answered", sum.finished));
    }
    if let Some(jobs) = &report.crypto {
        text.push_str(&format!(", jobs for Autokey's keys: {jobs}"));
    }
    for reason in DropReason::ALL {
        let dropped = protocol.dropped(reason);
        if dropped > 0 {
            text.push_str(&format!(", {dropped} dropped for {}", reason.name()));
        }
    }
    for failure in AuthFailure::ALL {
        let refused = protocol.unauthentic(failure);
        if refused > 0 {
            text.push_str(&format!(", {refused} not authentic for {}", failure.name()));
        }
    }
    text
}
