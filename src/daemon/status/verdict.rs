//! Why a source is used, or not: selection, clustering and combining told with numbers
//! (RFC 5905 §11.2), reckoned from what the daemon says of its sources.
use super::SCHEMA;
use super::flash::test;
use super::island::Orphan;
use super::mode::Mode;
use super::picture::{Picture, Source};
use serde::Serialize;
use truechimer_proto::system::agreement;

/// The answer.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Verdict {
    schema: u32,
    pub(super) source: String,
    pub(super) address: String,
    pub(super) association: u16,
    pub(super) is_used: bool,
    pub(super) selection: &'static str,
    /// One sentence.
    pub(super) headline: String,
    /// What it is concluded from.
    pub(super) reasons: Vec<String>,
    /// What the operator can do.
    pub(super) remedies: Vec<String>,
    pub(super) numbers: Numbers,
}

/// What selection looks at, milliseconds of offset to our clock.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Numbers {
    pub(super) offset_ms: Option<f64>,
    pub(super) root_distance_ms: Option<f64>,
    /// Where its time can lie.
    pub(super) interval_ms: Option<(f64, f64)>,
    /// Where the majority says the right time is.
    pub(super) agreement_ms: Option<(f64, f64)>,
    /// How far its interval lies from the agreement: above 0 it is beyond.
    pub(super) beyond_ms: Option<f64>,
    /// Sources that took part in selection.
    pub(super) candidates: usize,
    /// Root mean square of its offset's differences to those in use.
    pub(super) scatter_ms: Option<f64>,
    /// Its part of the combined offset.
    pub(super) weight_percent: Option<f64>,
}

/// Judges one source of a picture.
pub(super) fn of(source: &Source, picture: &Picture) -> Verdict {
    let numbers = Numbers::of(source, picture);
    let mut verdict = Verdict {
        schema: SCHEMA,
        source: source.name.clone(),
        address: source.address.clone(),
        association: source.association,
        is_used: source.is_used(),
        selection: source.selection,
        headline: String::new(),
        reasons: Vec::new(),
        remedies: Vec::new(),
        numbers,
    };
    verdict.headline = match source.selection {
        _ if !source.gives_time() => verdict.no_time(source),
        "sys.peer" | "pps.peer" => verdict.leader(source, picture),
        "candidate" => verdict.survivor(picture),
        "falsetick" => verdict.falseticker(),
        "outlier" => verdict.outlier(),
        "backup" | "excess" => verdict.spare(),
        _ => verdict.rejected(source, picture),
    };
    verdict.facts(source);
    verdict
}

impl Numbers {
    fn of(source: &Source, picture: &Picture) -> Self {
        let contest: Vec<(f64, f64)> = picture
            .sources
            .iter()
            .filter(|source| source.selection != "reject" && source.gives_time())
            .filter_map(|source| source.offset_ms.zip(source.root_distance_ms))
            .collect();
        let agreed = agreement(&contest);
        let own = source.offset_ms.zip(source.root_distance_ms);
        let interval = own.map(|(offset, distance)| (offset - distance, offset + distance));
        let beyond = interval.zip(agreed).map(|((low, high), (from, to))| {
            if low > to {
                low - to
            } else {
                (from - high).max(0.0)
            }
        });
        let used = || picture.sources.iter().filter(|source| source.is_used());
        Self {
            offset_ms: source.offset_ms,
            root_distance_ms: source.root_distance_ms,
            interval_ms: interval,
            agreement_ms: agreed,
            beyond_ms: beyond,
            candidates: contest.len(),
            scatter_ms: scatter(source, used()),
            weight_percent: if source.is_used() {
                weight(source, used())
            } else {
                None
            },
        }
    }
}

/// Root mean square of the differences between an offset and the others', milliseconds.
fn scatter<'a>(source: &Source, others: impl Iterator<Item = &'a Source>) -> Option<f64> {
    let own = source.offset_ms?;
    let squares: Vec<f64> = others
        .filter(|other| other.association != source.association)
        .filter_map(|other| Some((other.offset_ms? - own).powi(2)))
        .collect();
    let count = u32::try_from(squares.len())
        .ok()
        .filter(|count| *count > 0)?;
    Some((squares.iter().sum::<f64>() / f64::from(count)).sqrt())
}

/// Percent of the combined offset: the reciprocal of the root distance, normed (RFC 5905 §11.2.3).
fn weight<'a>(source: &Source, used: impl Iterator<Item = &'a Source>) -> Option<f64> {
    let reciprocal = |source: &Source| {
        let distance = source.root_distance_ms?;
        (distance > 0.0).then(|| 1.0 / distance)
    };
    let own = reciprocal(source)?;
    let sum: f64 = used.filter_map(reciprocal).sum();
    (sum > 0.0).then(|| 100.0 * own / sum)
}

/// Who has the better metric of those in use (RFC 5905 §11.2.3): scatter by root distance, and a
/// millisecond a stratum, the default of `tos mindist`.
fn better_than<'a>(leader: &Source, picture: &'a Picture) -> Option<&'a Source> {
    let used = || picture.sources.iter().filter(|source| source.is_used());
    let metric = |source: &Source| {
        let product_ms = scatter(source, used())? * source.root_distance_ms? / 1e3;
        Some(product_ms + f64::from(source.stratum?))
    };
    let own = metric(leader)?;
    used().find(|it| metric(it).is_some_and(|other| other < own))
}

fn ms(value: f64) -> String {
    format!("{value:+.3} ms")
}

impl Verdict {
    fn no_time(&mut self, source: &Source) -> String {
        match source.mode {
            Mode::Pool => "not a source itself: servers are drawn from this pool".to_owned(),
            Mode::Manycast => "not a source itself: servers are looked for there".to_owned(),
            _ => "not a source: we send our own time there".to_owned(),
        }
    }

    fn leader(&mut self, source: &Source, picture: &Picture) -> String {
        if picture.system.orphan == Some(Orphan::Child) {
            self.reasons.push(
                "no source is left, and of the orphan parents heard, ourselves included, it has the \
                 lowest address"
                    .to_owned(),
            );
            return "used: an orphan parent, which serves its own clock".to_owned();
        }
        self.chosen();
        let pulses = source.selection == "pps.peer";
        self.reasons.push(match better_than(source, picture) {
            Some(other) => format!(
                "by stratum and root distance {} would lead now: this one is preferred, or it led \
                 before and their offsets are too near each other to change (anti-clockhop)",
                other.name
            ),
            None => {
                "of those that were left it is of the lowest stratum and root distance".to_owned()
            }
        });
        if pulses {
            "used: its pulses lead".to_owned()
        } else {
            "used: it leads, and our stratum and reference come from it".to_owned()
        }
    }

    fn survivor(&mut self, picture: &Picture) -> String {
        self.chosen();
        match picture.leader() {
            Some(leader) => format!("used: its offset is combined with that of {}", leader.name),
            None => "used: its offset is combined with the others'".to_owned(),
        }
    }

    /// What all in use have in common.
    fn chosen(&mut self) {
        if let Some((low, high)) = self.numbers.agreement_ms {
            self.reasons.push(format!(
                "its interval meets what the majority of {} agrees on, {} to {}",
                self.numbers.candidates,
                ms(low),
                ms(high)
            ));
        }
        if let Some(weight) = self.numbers.weight_percent {
            self.reasons.push(format!(
                "it weighs {weight:.0} % in the combined offset, by the reciprocal of its root \
                 distance"
            ));
        }
        if let Some(scatter) = self.numbers.scatter_ms {
            self.reasons.push(format!(
                "its offset differs from the others in use by {scatter:.3} ms (root mean square)"
            ));
        }
    }

    fn falseticker(&mut self) -> String {
        self.remedies.push(
            "if it is right and the others are wrong, more good sources are needed; four are \
             enough to find out one liar"
                .to_owned(),
        );
        self.remedies.push(
            "if its way there and back differs much, tell its operator or choose another"
                .to_owned(),
        );
        let Some(((low, high), beyond)) = self.numbers.agreement_ms.zip(self.numbers.beyond_ms)
        else {
            self.reasons.push(format!(
                "no majority of the {} sources agrees, so none can be believed",
                self.numbers.candidates
            ));
            return "not used: a falseticker, for there is no majority".to_owned();
        };
        self.reasons.push(format!(
            "the majority of {} agrees on {} to {}",
            self.numbers.candidates,
            ms(low),
            ms(high)
        ));
        if beyond > 0.0 {
            self.reasons
                .push(format!("its interval ends {beyond:.3} ms away from that"));
            return format!("not used: a falseticker, beyond the others by {beyond:.3} ms");
        }
        self.reasons.push(
            "by the figures of now it would meet it again: the daemon judges at its next update"
                .to_owned(),
        );
        "not used: a falseticker at the last selection".to_owned()
    }

    fn outlier(&mut self) -> String {
        if let Some(scatter) = self.numbers.scatter_ms {
            self.reasons.push(format!(
                "its offset differs from those in use by {scatter:.3} ms (root mean square)"
            ));
        }
        self.reasons.push(
            "clustering drops whoever scatters most, as long as more than tos minclock are left \
             and that makes the rest better"
                .to_owned(),
        );
        self.remedies
            .push("nothing need be done: it tells the truth, others tell it finer".to_owned());
        "not used: it tells the truth, but scatters more than the others".to_owned()
    }

    fn spare(&mut self) -> String {
        self.reasons.push(
            "it tells the truth, but there are more good sources than are used (tos maxclock)"
                .to_owned(),
        );
        "not used: held in reserve".to_owned()
    }

    fn rejected(&mut self, source: &Source, picture: &Picture) -> String {
        match source.last_event {
            "access_denied" => {
                self.reasons
                    .push("it sent DENY or RSTR: it serves us no time (RFC 5905 §7.4)".to_owned());
                self.remedies
                    .push("ask its operator, or choose another".to_owned());
            }
            "rate_exceeded" => {
                self.reasons
                    .push("it sent RATE: we ask too often for it".to_owned());
                self.remedies
                    .push("raise minpoll, and leave burst out".to_owned());
            }
            "bad_auth" => {
                let (what, remedy) = test("pkt_auth");
                self.reasons.push(what.to_owned());
                self.remedies.push(remedy.to_owned());
            }
            _ => {}
        }
        if source.reach == 0 {
            return self.unreached(source);
        }
        self.failures(&source.failed_tests);
        if !source.failed_tests.is_empty() {
            return format!("not used: it fails {}", source.failed_tests.join(", "));
        }
        if source.is_own_clock() {
            self.reasons.push(
                "this machine's own clock counts only while there is nothing better".to_owned(),
            );
            return "not used: there is better time".to_owned();
        }
        if source.is_orphan_parent() {
            self.reasons.push(
                "it has no source itself; it counts only while we have none either, and only if its \
                 address is lower than ours and other parents'"
                    .to_owned(),
            );
            return "not used: an orphan parent".to_owned();
        }
        let parents = picture.parents_stratum();
        if parents.is_some_and(|parents| source.stratum.is_some_and(|it| it > parents)) {
            self.reasons.push(
                "its stratum is above the orphan parents': it may get its time from one, which would \
                 go in circles"
                    .to_owned(),
            );
            return "not used: it may follow an orphan parent".to_owned();
        }
        self.reasons.push(
            "no test fails: it has not been heard often enough yet, is marked noselect, or its \
             distance is above the limit"
                .to_owned(),
        );
        "not used: not a candidate".to_owned()
    }

    fn unreached(&mut self, source: &Source) -> String {
        match source.last_reply_age_s {
            Some(age) => self
                .reasons
                .push(format!("its last reply came {age:.0} s ago")),
            None => self.reasons.push("no time came from it yet".to_owned()),
        }
        self.failures(&source.refusals().collect::<Vec<_>>());
        if !self.remedies.is_empty() {
            return "not used: no usable reply to the last eight polls".to_owned();
        }
        self.remedies.push(
            "see whether it answers at all, and what comes back: `truechimer query ADDRESS`; a \
             firewall may drop UDP port 123, the server may be down or ignore us"
                .to_owned(),
        );
        "not used: no reply to the last eight polls".to_owned()
    }

    fn failures(&mut self, tests: &[&str]) {
        for name in tests {
            let (what, remedy) = test(name);
            self.reasons.push(format!("{name}: {what}"));
            self.remedies.push(remedy.to_owned());
        }
    }

    /// What belongs to every verdict.
    fn facts(&mut self, source: &Source) {
        if source.has_key && !source.is_authentic && source.gives_time() && source.reach != 0 {
            self.reasons
                .push("it has a key, and its packets are not authentic".to_owned());
        }
        for remedy in &mut self.remedies {
            *remedy = remedy.replace("ADDRESS", &source.address);
        }
        if let Some(autokey) = &source.autokey {
            self.reasons.push(format!("Autokey: {autokey}"));
        }
    }
}
