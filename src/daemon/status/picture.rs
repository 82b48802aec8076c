//! What a daemon says of its clock and its sources, as numbers.
use super::SCHEMA;
use super::counted::Counted;
use super::engine::{self, Engine};
use super::island::Orphan;
use super::mode::Mode;
use super::variables::Variables;
use crate::control_client::{
    Ask, FLASH_TESTS, Failure, Names, NetAddress, Request, SELECTIONS, associations, crypto_flags,
    peer_event, system_status,
};
use serde::Serialize;
use truechimer_time::{NtpTimestamp, PHI_S_PER_S};
use truechimer_wire::{Opcode, PeerStatusWord, SystemStatusWord};

/// A daemon may have so many associations as it likes; we look at these.
const SOURCES_MAX: usize = 1000;

/// The whole picture.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Picture {
    pub(super) schema: u32,
    pub(super) host: String,
    pub(super) system: System,
    pub(super) sources: Vec<Source>,
}

/// The clock.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct System {
    pub(super) is_synchronised: bool,
    pub(super) version: String,
    pub(super) status: String,
    pub(super) leap: u8,
    pub(super) stratum: Option<u8>,
    pub(super) reference_id: String,
    pub(super) root_delay_ms: Option<f64>,
    pub(super) root_dispersion_ms: Option<f64>,
    /// Greatest error: half the root delay and the root dispersion.
    pub(super) root_distance_ms: Option<f64>,
    pub(super) offset_ms: Option<f64>,
    pub(super) frequency_ppm: Option<f64>,
    pub(super) system_jitter_ms: Option<f64>,
    pub(super) clock_jitter_ms: Option<f64>,
    pub(super) wander_ppm: Option<f64>,
    pub(super) last_update_age_s: Option<f64>,
    /// The association that leads.
    pub(super) leader: Option<u16>,
    /// On an island without a source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) orphan: Option<Orphan>,
    pub(super) tai_offset_s: Option<i32>,
    /// Whether the clock is steered at all, where the daemon says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) is_steered: Option<bool>,
    /// Packets nobody asked for that were refused, by reason, where the daemon counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unsolicited: Option<Counted>,
    /// What became of what others asked by Autokey, and of the jobs for its keys, where the daemon
    /// speaks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) autokey_requests: Option<Counted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) autokey_pool: Option<Counted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) engine: Option<Engine>,
}

/// One source.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Source {
    pub(super) association: u16,
    pub(super) name: String,
    pub(super) address: String,
    pub(super) mode: Mode,
    /// What selection made of it.
    pub(super) selection: &'static str,
    pub(super) last_event: &'static str,
    pub(super) is_configured: bool,
    pub(super) has_key: bool,
    pub(super) is_authentic: bool,
    pub(super) stratum: Option<u8>,
    pub(super) reference_id: String,
    pub(super) leap: Option<u8>,
    /// The last eight polls, newest in the lowest bit.
    pub(super) reach: u8,
    pub(super) poll_s: Option<u32>,
    pub(super) last_reply_age_s: Option<f64>,
    pub(super) offset_ms: Option<f64>,
    pub(super) delay_ms: Option<f64>,
    pub(super) dispersion_ms: Option<f64>,
    pub(super) jitter_ms: Option<f64>,
    pub(super) root_delay_ms: Option<f64>,
    pub(super) root_dispersion_ms: Option<f64>,
    /// How far its time can be wrong here.
    pub(super) root_distance_ms: Option<f64>,
    /// The tests that fail, by name.
    pub(super) failed_tests: Vec<&'static str>,
    /// How long it has a request before its reply truly leaves, where it tells in interleaved mode; of
    /// a symmetric peer or a broadcast, what `ntpq` shows as `xleave`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) xleave_ms: Option<f64>,
    /// Autokey's states, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) autokey: Option<String>,
}

/// What `status --json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Summary<'a> {
    schema: u32,
    host: &'a str,
    system: &'a System,
    sources_total: usize,
    sources_reachable: usize,
    sources_used: usize,
}

impl Picture {
    /// Asks for everything.
    pub(super) fn read(
        link: &mut dyn Ask,
        host: &str,
        mut names: Option<&mut Names>,
    ) -> Result<Self, Failure> {
        let answer = link.ask(&Request::open(Opcode::ReadVariables, 0, &[]))?;
        let variables = Variables::read(&answer.data);
        let now = variables.moment("clock");
        let mut system = System::of(&variables, answer.status, now);
        // Others do not have these, and are not asked in vain.
        if system.version.starts_with("truechimer") {
            let own = Variables::named(link, "steered,unsolicited,autokey_requests,autokey_pool")?;
            let counted = |name| own.text(name).map(Counted::of);
            system.is_steered = own.small("steered").map(|it| it != 0);
            system.unsolicited = counted("unsolicited");
            system.autokey_requests = counted("autokey_requests");
            system.autokey_pool = counted("autokey_pool");
            system.engine = Engine::of(&Variables::named(link, engine::NAMES)?);
        }
        let answer = link.ask(&Request::open(Opcode::ReadStatus, 0, &[]))?;
        let known = associations(&answer.data).ok_or(Failure::Incomplete)?;
        let mut sources = Vec::new();
        for association in known.into_iter().take(SOURCES_MAX) {
            match link.ask(&Request::open(Opcode::ReadVariables, association.id, &[])) {
                Ok(answer) => {
                    let variables = Variables::read(&answer.data);
                    let status = PeerStatusWord::from_word(answer.status);
                    sources.push(Source::of(
                        association.id,
                        &variables,
                        &status,
                        now,
                        names.as_deref_mut(),
                    ));
                }
                // It went away between the two questions.
                Err(Failure::Refused(4)) => {}
                Err(failure) => return Err(failure),
            }
        }
        let mut picture = Self {
            schema: SCHEMA,
            host: host.to_owned(),
            system,
            sources,
        };
        picture.system.orphan = picture.orphan();
        Ok(picture)
    }

    pub(super) fn summary(&self) -> Summary<'_> {
        let count = |what: fn(&Source) -> bool| self.sources.iter().filter(|it| what(it)).count();
        Summary {
            schema: SCHEMA,
            host: &self.host,
            system: &self.system,
            sources_total: count(Source::gives_time),
            sources_reachable: count(|source| source.gives_time() && source.reach != 0),
            sources_used: count(Source::is_used),
        }
    }

    /// The sources that a word means: a number of an association, a name, an address.
    pub(super) fn find(&self, word: &str) -> Vec<&Source> {
        let bare = word.trim_start_matches('[').trim_end_matches(']');
        let index = word
            .strip_prefix('&')
            .and_then(|text| text.parse::<usize>().ok());
        if let Some(place) = index {
            let found = place
                .checked_sub(1)
                .and_then(|place| self.sources.get(place));
            return found.into_iter().collect();
        }
        let matches = |source: &&Source| {
            source.name.eq_ignore_ascii_case(bare)
                || source.address == bare
                || source.association.to_string() == bare
        };
        self.sources.iter().filter(matches).collect()
    }

    /// The source that leads.
    pub(super) fn leader(&self) -> Option<&Source> {
        let by_number = self
            .sources
            .iter()
            .find(|source| Some(source.association) == self.system.leader);
        by_number.or_else(|| self.sources.iter().find(|source| source.leads()))
    }
}

impl System {
    fn of(variables: &Variables, status: u16, now: Option<NtpTimestamp>) -> Self {
        let leap = SystemStatusWord::from_word(status).leap.to_bits();
        let delay = variables.number("rootdelay");
        let dispersion = variables
            .number("rootdisp")
            .or_else(|| variables.number("rootdispersion"));
        let stratum = variables.small("stratum");
        let age_s = now
            .zip(variables.moment("reftime"))
            .map(|(now, last)| now.since(last).to_seconds());
        Self {
            is_synchronised: leap != 3 && stratum.is_none_or(|stratum| stratum < 16),
            version: variables.text("version").unwrap_or_default().to_owned(),
            status: system_status(status),
            leap,
            stratum,
            reference_id: variables.text("refid").unwrap_or_default().to_owned(),
            root_delay_ms: delay,
            root_dispersion_ms: dispersion,
            root_distance_ms: delay
                .zip(dispersion)
                .map(|(delay, dispersion)| delay / 2.0 + dispersion),
            // `phase` and the like are what daemons of old called them (S3-56).
            offset_ms: variables
                .number("offset")
                .or_else(|| variables.number("phase")),
            frequency_ppm: variables.number("frequency"),
            system_jitter_ms: variables
                .number("sys_jitter")
                .or_else(|| variables.number("jitter")),
            clock_jitter_ms: variables.number("clk_jitter"),
            wander_ppm: variables
                .number("clk_wander")
                .or_else(|| variables.number("stability")),
            last_update_age_s: age_s,
            leader: variables
                .text("peer")
                .and_then(|id| id.parse().ok())
                .filter(|id| *id != 0),
            orphan: None,
            is_steered: None,
            unsolicited: None,
            autokey_requests: None,
            autokey_pool: None,
            engine: None,
            tai_offset_s: variables.text("tai").and_then(|tai| tai.parse().ok()),
        }
    }
}

impl Source {
    fn of(
        association: u16,
        variables: &Variables,
        status: &PeerStatusWord,
        now: Option<NtpTimestamp>,
        names: Option<&mut Names>,
    ) -> Self {
        let address = variables
            .text("srcadr")
            .or_else(|| variables.text("peeradr"))
            .and_then(NetAddress::parse)
            .unwrap_or_default();
        let given = variables.text("srchost").filter(|name| !name.is_empty());
        let name = match (given, names) {
            (Some(name), _) => name.to_owned(),
            (None, Some(names)) => names.of(&address),
            (None, None) => address.clock_name().unwrap_or_else(|| address.to_string()),
        };
        let flash = variables.bits("flash").unwrap_or(0);
        let failed = FLASH_TESTS.iter().enumerate();
        let poll = variables
            .small("hpoll")
            .into_iter()
            .chain(variables.small("ppoll").filter(|poll| *poll > 0))
            .min();
        let mut source = Self {
            association,
            mode: Mode::of(variables.small("hmode"), &address),
            address: address.to_string(),
            name,
            selection: SELECTIONS
                .get(usize::from(status.selection))
                .copied()
                .unwrap_or_default(),
            last_event: peer_event(status.event),
            is_configured: status.is_configured,
            has_key: status.has_key,
            is_authentic: status.is_authentic,
            stratum: variables.small("stratum"),
            reference_id: variables.text("refid").unwrap_or_default().to_owned(),
            leap: variables.small("leap"),
            reach: u8::try_from(variables.bits("reach").unwrap_or(0) & 0xFF).unwrap_or(0),
            poll_s: poll.and_then(|poll| 1_u32.checked_shl(u32::from(poll))),
            last_reply_age_s: now
                .zip(variables.moment("rec"))
                .map(|(now, last)| now.since(last).to_seconds()),
            offset_ms: variables.number("offset"),
            delay_ms: variables.number("delay"),
            dispersion_ms: variables.number("dispersion"),
            jitter_ms: variables.number("jitter"),
            root_delay_ms: variables.number("rootdelay"),
            root_dispersion_ms: variables.number("rootdisp"),
            root_distance_ms: None,
            failed_tests: failed
                .filter(|(place, _)| flash >> place & 1 != 0)
                .map(|(_, name)| *name)
                .collect(),
            xleave_ms: variables.number("xleave"),
            autokey: autokey(variables),
        };
        source.root_distance_ms = source.distance_ms();
        source
    }

    /// Whether it is this machine's own clock: the LOCAL driver.
    pub(super) fn is_own_clock(&self) -> bool {
        self.mode == Mode::ReferenceClock && self.name.starts_with("LOCAL")
    }

    /// Tests that its last packet failed.
    pub(super) fn refusals(&self) -> impl Iterator<Item = &'static str> {
        let failed = self.failed_tests.iter().copied();
        failed.filter(|name| name.starts_with("pkt_"))
    }

    /// The root distance (RFC 5905 §11.2.1), milliseconds.
    fn distance_ms(&self) -> Option<f64> {
        let delay = self.root_delay_ms? + self.delay_ms?;
        let aged = self.last_reply_age_s.unwrap_or(0.0).max(0.0) * PHI_S_PER_S * 1e3;
        Some(
            delay / 2.0
                + self.root_dispersion_ms?
                + self.dispersion_ms?
                + self.jitter_ms.unwrap_or(0.0)
                + aged,
        )
    }

    /// Whether time can come from it at all: pools and broadcasts of our own give none.
    pub(super) const fn gives_time(&self) -> bool {
        !matches!(self.mode, Mode::Pool | Mode::Broadcast | Mode::Manycast)
    }

    /// Whether it leads.
    pub(super) fn leads(&self) -> bool {
        matches!(self.selection, "sys.peer" | "pps.peer")
    }

    /// Whether its time is part of ours.
    pub(super) fn is_used(&self) -> bool {
        self.leads() || self.selection == "candidate"
    }
}

/// Autokey's states, and in how far its identity is proven where the daemon says that.
fn autokey(variables: &Variables) -> Option<String> {
    let flags = variables.bits("flags");
    let states = flags.filter(|_| variables.text("signature").is_some());
    let states = states.map(crypto_flags)?;
    Some(match variables.text("cryptotype") {
        Some(proof) => format!("{states}; proof: {proof}"),
        None => states,
    })
}
