//! What was counted, in the reference's words.
use crate::statistics::SystemCounts;
use truechimer_engine::{Report, ServerCounts};
use truechimer_proto::authentication::AuthFailure;
use truechimer_proto::server::DropReason;

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
    let served = &sum.protocol;
    let dropped = |reasons: &[DropReason]| -> u64 {
        let each = reasons.iter().map(|reason| served.dropped(*reason));
        each.sum()
    };
    let answers = report.system.associations.iter();
    let (mut heard, mut refused) = (0, 0);
    for association in answers {
        heard += u64::from(association.received);
        let tests = association.refused.iter();
        refused += tests.map(|count| u64::from(*count)).sum::<u64>();
    }
    SystemCounts {
        since_s: 0,
        received: served.received + sum.unwanted + sum.unreadable + heard,
        processed: heard.saturating_sub(refused),
        this_version: served.this_version + heard,
        old_version: served.old_version,
        restricted: dropped(&[
            DropReason::Ignored,
            DropReason::NotQueried,
            DropReason::NotServed,
            DropReason::Flaked,
            DropReason::NotTrusted,
        ]),
        bad_length: sum.unreadable + dropped(&[DropReason::Malformed, DropReason::MacLength]),
        bad_auth: served.crypto_naks,
        declined: dropped(&[
            DropReason::SourcePort,
            DropReason::SourceAddress,
            DropReason::Version,
            DropReason::Mode,
            DropReason::CryptoNak,
            DropReason::Stepped,
            DropReason::NoRoom,
            DropReason::Unsealed,
        ]),
        limited: dropped(&[DropReason::Limited]) + served.kod_sent,
        kisses: served.kod_sent,
    }
}

/// What the server side has counted, in one line.
pub(super) fn served(report: &Report) -> String {
    let sum = sum(report);
    let protocol = &sum.protocol;
    let mut text = format!(
        "{} addresses, {} server threads: {} datagrams, {} replies, {} crypto-NAKs, \
         {} for the clock thread, {} too many, \
         {} unwanted, {} unreadable, {} not sent",
        report.listening.len(),
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
