//! Names and the addresses known for them. What was once known stays known: a name that stops
//! resolving is no reason to leave a server that still answers.
use crate::config::{AssociationConfig, Family, Remote};
use crate::host::{Resolve, ResolveError, ResolveId};
use core::net::{IpAddr, SocketAddr};
use truechimer_time::Instant;

/// Addresses kept of one answer.
const ADDRESSES_AT_MOST: usize = 64;
/// After this long an answer no longer comes, seconds.
const ANSWER_WITHIN_S: f64 = 60.0;
/// First wait after a failure, seconds; it doubles up to the last.
const RETRY_FIRST_S: f64 = 4.0;
/// Longest wait between questions, seconds.
const RETRY_LAST_S: f64 = 1024.0;
/// Least wait after an answer that gave addresses, seconds; doubles while they bring nothing new.
const AGAIN_FIRST_S: f64 = 64.0;
/// Failures in a row after which `-q` waits no longer.
const HOPELESS_AFTER: i32 = 3;
/// Wait when the resolver had too much to do, seconds.
const BUSY_S: f64 = 2.0;

/// What an answer changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Learned {
    /// There are addresses.
    Addresses,
    /// None, for the first time in a row: to be told.
    FailedFirst,
    /// None again.
    Failed,
}

/// One name.
#[derive(Debug)]
pub(super) struct Lookup {
    name: String,
    family: Family,
    port: u16,
    known: Vec<SocketAddr>,
    asked: Option<(ResolveId, Instant)>,
    /// When to ask next, if at all.
    due: Option<Instant>,
    not_before: Instant,
    failures: i32,
    fruitless: i32,
}

impl Lookup {
    /// For a `server` or `pool` line; a literal address is known and never asked for.
    pub(super) fn new(line: &AssociationConfig, now: Instant) -> Self {
        let (name, known, due) = match &line.remote {
            Remote::Name(name) => (name.clone(), Vec::new(), Some(now)),
            Remote::Address(address) => {
                let known = SocketAddr::new(*address, line.port);
                (String::new(), vec![known], None)
            }
        };
        Self {
            name,
            family: line.family,
            port: line.port,
            known,
            asked: None,
            due,
            not_before: now,
            failures: 0,
            fruitless: 0,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Where the server may be, at its port.
    pub(super) fn known(&self) -> &[SocketAddr] {
        &self.known
    }

    /// Wants the name resolved anew, as soon as that is decent.
    pub(super) fn want(&mut self, now: Instant) {
        if !self.name.is_empty() && self.asked.is_none() && self.due.is_none() {
            self.due = Some(self.not_before.max(now));
        }
    }

    /// The addresses serve well: the next question may come soon again.
    pub(super) const fn is_fruitful(&mut self) {
        self.fruitless = 0;
    }

    /// Whether the name was asked for often enough to say that it has no address.
    pub(super) const fn is_hopeless(&self) -> bool {
        self.known.is_empty() && self.failures >= HOPELESS_AFTER
    }

    /// Whether the last answer brought nothing.
    pub(super) const fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// Whether a question is out.
    pub(super) const fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// When this next needs attention.
    pub(super) fn next(&self) -> Option<Instant> {
        self.asked.map(|(_, until)| until).or(self.due)
    }

    /// The question, if it is due.
    pub(super) fn ask(&mut self, now: Instant, request: ResolveId) -> Option<Resolve> {
        let due = self.due.filter(|due| *due <= now)?;
        debug_assert!(due <= now);
        self.due = None;
        self.asked = Some((request, now.plus_seconds(ANSWER_WITHIN_S)));
        Some(Resolve {
            request,
            name: self.name.clone(),
            family: self.family,
        })
    }

    /// Puts a due question off: too many are out.
    pub(super) fn defer(&mut self, now: Instant) {
        if self.due.is_some_and(|due| due <= now) {
            self.due = Some(now.plus_seconds(BUSY_S));
        }
    }

    /// Whether this answer is to our question.
    pub(super) fn awaits(&self, request: ResolveId) -> bool {
        self.asked.is_some_and(|(asked, _)| asked == request)
    }

    /// Gives up on a question nobody answered.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Learned> {
        self.asked.filter(|(_, until)| *until <= now)?;
        Some(self.learn(now, Err(ResolveError::TryAgain)))
    }

    /// Takes an answer.
    pub(super) fn learn(
        &mut self,
        now: Instant,
        outcome: Result<Vec<SocketAddr>, ResolveError>,
    ) -> Learned {
        self.asked = None;
        if outcome == Err(ResolveError::Busy) {
            self.due = Some(now.plus_seconds(BUSY_S));
            return Learned::Failed;
        }
        let usable = outcome.map(|all| self.usable(all)).unwrap_or_default();
        if usable.is_empty() {
            let first = self.failures == 0;
            self.due = Some(now.plus_seconds(doubled(RETRY_FIRST_S, self.failures)));
            self.failures = self.failures.saturating_add(1);
            return if first {
                Learned::FailedFirst
            } else {
                Learned::Failed
            };
        }
        self.failures = 0;
        self.not_before = now.plus_seconds(doubled(AGAIN_FIRST_S, self.fruitless));
        self.fruitless = self.fruitless.saturating_add(1);
        self.known = usable;
        Learned::Addresses
    }

    fn usable(&self, all: Vec<SocketAddr>) -> Vec<SocketAddr> {
        let mut usable: Vec<SocketAddr> = Vec::new();
        for mut address in all {
            address.set_port(self.port);
            let wanted = match self.family {
                Family::Any => true,
                Family::V4 => address.is_ipv4(),
                Family::V6 => address.is_ipv6(),
            };
            let seen = usable.contains(&address);
            if wanted
                && !seen
                && is_server_address(address.ip())
                && usable.len() < ADDRESSES_AT_MOST
            {
                usable.push(address);
            }
        }
        usable
    }
}

/// Whether a server may live at an address: none is anywhere, everywhere, or a reference clock
/// (127.127.t.u), whatever DNS says.
fn is_server_address(address: IpAddr) -> bool {
    let nowhere = address.is_unspecified() || address.is_multicast();
    let special = match address {
        IpAddr::V4(v4) => v4.is_broadcast() || v4.octets()[..2] == [127, 127],
        IpAddr::V6(_) => false,
    };
    !nowhere && !special
}

fn doubled(first_s: f64, times: i32) -> f64 {
    (first_s * f64::from(times.min(16)).exp2()).min(RETRY_LAST_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: f64) -> Instant {
        Instant::default().plus_seconds(second)
    }

    fn lookup() -> Lookup {
        let line = AssociationConfig::server(Remote::Name("ntp.example".to_owned()));
        Lookup::new(&line, at(0.0))
    }

    fn address(text: &str) -> SocketAddr {
        SocketAddr::new(text.parse().expect("an address"), 123)
    }

    #[test]
    fn failures_back_off_and_are_told_once() {
        let mut lookup = lookup();
        let mut now = at(0.0);
        let mut waits = Vec::new();
        let mut told = 0;
        for turn in 0..12 {
            lookup.ask(now, ResolveId(turn)).expect("due");
            if lookup.learn(now, Err(ResolveError::NoSuchName)) == Learned::FailedFirst {
                told += 1;
            }
            let next = lookup.next().expect("will ask again");
            waits.push(next.seconds_since(now));
            now = next;
        }
        assert_eq!(told, 1);
        assert!((waits[0] - 4.0).abs() < 1e-9);
        assert!((waits[1] - 8.0).abs() < 1e-9);
        assert!((waits[11] - 1024.0).abs() < 1e-9);
    }

    #[test]
    fn last_known_addresses_survive_failure() {
        let mut lookup = lookup();
        lookup.ask(at(0.0), ResolveId(1)).expect("due");
        let one = vec![address("192.0.2.1")];
        assert_eq!(lookup.learn(at(0.0), Ok(one.clone())), Learned::Addresses);
        assert_eq!(lookup.next(), None);
        lookup.want(at(1.0));
        assert!(lookup.ask(at(1.0), ResolveId(2)).is_none(), "too soon");
        lookup.ask(at(64.0), ResolveId(2)).expect("due");
        assert_eq!(
            lookup.learn(at(64.0), Err(ResolveError::NoSuchName)),
            Learned::FailedFirst
        );
        assert_eq!(lookup.known(), one);
    }

    #[test]
    fn nonsense_addresses_are_passed_over() {
        let mut lookup = lookup();
        let all = [
            "0.0.0.0",
            "224.0.1.1",
            "127.127.1.0",
            "::",
            "255.255.255.255",
        ];
        let outcome = lookup.learn(at(0.0), Ok(all.map(address).to_vec()));
        assert_eq!(outcome, Learned::FailedFirst);
        let twice = vec![address("192.0.2.1"), address("192.0.2.1")];
        lookup.learn(at(0.0), Ok(twice));
        assert_eq!(lookup.known().len(), 1);
        let many = (0..200_u8).map(|n| ([192, 0, 2, n], 123).into()).collect();
        lookup.learn(at(0.0), Ok(many));
        assert_eq!(lookup.known().len(), ADDRESSES_AT_MOST);
    }

    #[test]
    fn the_port_is_the_lines_and_the_scope_the_answers() {
        let mut lookup = lookup();
        let scoped = |port, scope| {
            let ip = "fe80::1".parse().expect("an address");
            SocketAddr::V6(core::net::SocketAddrV6::new(ip, port, 0, scope))
        };
        lookup.learn(at(0.0), Ok(vec![scoped(0, 2), scoped(0, 3)]));
        assert_eq!(lookup.known(), [scoped(123, 2), scoped(123, 3)]);
    }

    #[test]
    fn family_is_kept_to() {
        let mut line = AssociationConfig::server(Remote::Name("ntp.example".to_owned()));
        line.family = Family::V6;
        let mut lookup = Lookup::new(&line, at(0.0));
        lookup.learn(
            at(0.0),
            Ok(vec![address("192.0.2.1"), address("2001:db8::1")]),
        );
        assert_eq!(lookup.known(), [address("2001:db8::1")]);
    }

    #[test]
    fn a_lost_answer_is_a_failure() {
        let mut lookup = lookup();
        lookup.ask(at(0.0), ResolveId(1)).expect("due");
        assert_eq!(lookup.expire(at(59.0)), None);
        assert_eq!(lookup.expire(at(60.0)), Some(Learned::FailedFirst));
        assert!(!lookup.awaits(ResolveId(1)));
    }
}
