//! Tells in time that our certificate ends: 30, 7 and 1 days before, and when it has.
use crate::calendar;
use truechimer_proto::autokey::facts::HostFacts;
use truechimer_time::{Instant, UNIX_EPOCH_IN_NTP_SECONDS};

const DAY_S: i64 = 86_400;
/// Days before the end at which it is told, the last of them at the end itself.
const TOLD_AT_DAYS: [i64; 4] = [30, 7, 1, 0];
/// Between two looks.
const LOOK_EVERY_S: f64 = 3600.0;

/// Watches over one certificate.
#[derive(Debug)]
pub(crate) struct Expiry {
    name: String,
    ends_unix_s: i64,
    /// How many of the days were told.
    told: usize,
    due: Instant,
}

impl Expiry {
    /// Over the own one of these that ends first.
    pub(crate) fn of(facts: &HostFacts, now: Instant) -> Option<Self> {
        let own = facts.own_certificates().min_by_key(|it| it.not_after_s)?;
        Some(Self {
            name: own.subject.clone(),
            ends_unix_s: own.not_after_s - UNIX_EPOCH_IN_NTP_SECONDS,
            told: 0,
            due: now,
        })
    }

    /// What is to be said now, if anything.
    pub(crate) fn poll(&mut self, now: Instant, now_unix_s: i64) -> Option<String> {
        if now < self.due {
            return None;
        }
        self.due = now.plus_seconds(LOOK_EVERY_S);
        let left_s = self.ends_unix_s - now_unix_s;
        let passed = TOLD_AT_DAYS.iter().filter(|days| left_s <= **days * DAY_S);
        let passed = passed.count();
        if passed <= self.told {
            return None;
        }
        self.told = passed;
        let (name, at) = (&self.name, calendar::minute(self.ends_unix_s));
        let days = left_s.div_euclid(DAY_S);
        let when = match days {
            ..0 => format!("expired at {at}; nobody believes what this host signs"),
            0 => format!("expires at {at}, within a day"),
            1 => format!("expires at {at}, in a day"),
            _ => format!("expires at {at}, in {days} days"),
        };
        Some(format!(
            "the certificate of {name} {when}; make another: ntp-keygen, then reload"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(ends_unix_s: i64) -> Expiry {
        Expiry {
            name: "alice".to_owned(),
            ends_unix_s,
            told: 0,
            due: Instant::default(),
        }
    }

    #[test]
    fn it_is_told_at_thirty_seven_and_one_days_and_at_the_end() {
        let ends = 1000 * DAY_S;
        let mut watch = watch(ends);
        let mut now = Instant::default();
        let mut told = Vec::new();
        for hour in 0..(60 * 24) {
            let now_unix_s = ends - 50 * DAY_S + hour * 3600;
            told.extend(watch.poll(now, now_unix_s).map(|text| (hour / 24, text)));
            now = now.plus_seconds(3600.0);
        }
        let days: Vec<i64> = told.iter().map(|(day, _)| *day).collect();
        assert_eq!(days, [20, 43, 49, 50]);
        assert!(told[1].1.contains("in 7 days"), "{told:?}");
        assert!(told[3].1.contains("within a day"), "{told:?}");
    }

    #[test]
    fn one_that_ended_long_ago_is_told_once() {
        let mut watch = watch(0);
        let first = watch.poll(Instant::default(), 50 * DAY_S).expect("news");
        assert!(first.contains("expired at 1970-01-01T00:00Z"), "{first}");
        assert!(first.contains("ntp-keygen"));
        let later = Instant::default().plus_seconds(7200.0);
        assert_eq!(watch.poll(later, 51 * DAY_S), None);
    }
}
