//! What the operator decided, in the protocol's own terms. `daemon` fills it from `ntp.conf`.
use crate::authentication::KeyId;
use crate::autokey::facts::HostFacts;
use crate::control::ControlConfig;
use crate::packet::Link;
use crate::refclock::RefclockId;
use crate::server::Policy;
use crate::statistics::Recording;
use crate::trace::TraceLevel;
use core::net::IpAddr;
use std::sync::Arc;
use truechimer_time::leap::LeapTable;
use truechimer_wire::ReferenceId;

/// Everything `System` is told at start and on reload.
#[derive(Clone, Debug, Default)]
pub struct SystemConfig {
    /// Servers, pools, peers, broadcasts and manycast clients, in the order of the file.
    pub associations: Vec<AssociationConfig>,
    /// Reference clocks, in the order of the file.
    pub refclocks: Vec<RefclockConfig>,
    /// Selection and clustering limits.
    pub tos: Tos,
    /// Thresholds of filter and discipline.
    pub tinker: Tinker,
    /// What may be done to the clock.
    pub steering: Steering,
    /// Precision of the system clock, log2 seconds, measured by the host at start.
    pub precision: i8,
    /// Leap seconds, where a file was given.
    pub leap_table: Option<LeapTable>,
    /// Addresses of this host: a server that gets its time from one of them is a loop.
    pub own_addresses: Vec<IpAddr>,
    /// Interfaces through which many can be reached.
    pub links: Vec<Link>,
    /// What is believed of those who send to many.
    pub listening: Listening,
    /// `enable auth`: what makes an association that nobody configured must be authentic.
    pub auth: Demand,
    /// `ttl`: hops of a manycast client's rings, the nearest first, 1..=8 of them.
    pub rings: Vec<u8>,
    /// What is recorded for statistics files.
    pub recording: Recording,
    /// How much is told to somebody who looks for a fault.
    pub trace: TraceLevel,
    /// What may be asked and changed by control messages.
    pub control: ControlConfig,
    /// `restrict` lines: they bind the servers we use as they bind strangers.
    pub access: Arc<Policy>,
    /// `crypto`: what Autokey needs of this host; without it there is none.
    pub autokey: Option<AutokeyConfig>,
    /// After which mishaps of Autokey a source that nobody configured is given up.
    pub ephemeral_ends: EphemeralEnds,
}

/// What ends an association that nobody configured; otherwise it begins anew. Broadcast servers are
/// always given up: their next packet introduces them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EphemeralEnds {
    /// `enable unpeer_crypto_early`: an error of the protocol.
    pub on_crypto_error: bool,
    /// `enable unpeer_crypto_nak_early`: it does not know our cookie.
    pub on_crypto_nak: bool,
}

impl Default for EphemeralEnds {
    fn default() -> Self {
        Self {
            on_crypto_error: true,
            on_crypto_nak: true,
        }
    }
}

/// What Autokey (RFC 5906) needs of this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutokeyConfig {
    /// What the key files say.
    pub host: Arc<HostFacts>,
    /// `ident`: the group of ephemeral associations.
    pub ident: Option<String>,
    /// `automax`: lifetime of a key list at most, log2 seconds.
    pub automax: u8,
    /// Private values that cookies are made of, the one in use first; former ones are still
    /// recognised. Never empty.
    pub private_values: Vec<u32>,
    /// Name of the digest of session keys, for people.
    pub digest: String,
    /// `crypto insecure`: strangers are answered at public addresses too.
    pub insecure: bool,
}

/// Whether something must be authentic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Demand {
    /// It must, which is what silence means.
    #[default]
    Authentic,
    /// The operator said otherwise.
    Anybody,
}

/// What is believed of those who send to many (RFC 5905 §3, broadcast client).
#[derive(Clone, Debug, PartialEq)]
pub struct Listening {
    /// `broadcastclient`: what comes to a broadcast address is heard.
    pub broadcast: bool,
    /// `multicastclient`: what comes to these groups is heard.
    pub groups: Vec<IpAddr>,
    /// `novolley`: nothing is ever sent to measure the path.
    pub novolley: bool,
    /// `broadcastdelay`: the one-way delay of paths that were not measured, seconds.
    pub delay_s: Option<f64>,
    /// `tos volleywait`: the path is measured at a random moment within so many seconds, so that a
    /// thousand clients that hear the first packet together do not ask together.
    pub volley_wait_s: f64,
    /// `tos bcpollbstep`: poll intervals for which a source whose time goes back is not believed.
    pub backstep_polls: u8,
}

impl Default for Listening {
    fn default() -> Self {
        Self {
            broadcast: false,
            groups: Vec::new(),
            novolley: false,
            delay_s: None,
            volley_wait_s: 256.0,
            backstep_polls: 0,
        }
    }
}

/// What a line makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssociationKind {
    /// `server`: one association.
    Server,
    /// `pool`: a template; spins up associations until `tos maxclock`, prunes and replaces them.
    Pool,
    /// `peer`: one association, symmetric active.
    Peer,
    /// `broadcast`: one association that tells the time to a net or a group.
    Broadcast,
    /// `manycastclient`: a template as `pool`, whose servers are found in a group.
    ManycastClient,
}

/// Where to find a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remote {
    /// As written.
    Address(IpAddr),
    /// To be resolved by the host, again whenever it becomes unreachable.
    Name(String),
}

/// Restriction of address family (`-4`, `-6`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// Either.
    #[default]
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

/// One line that makes associations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssociationConfig {
    /// Which.
    pub kind: AssociationKind,
    /// Where.
    pub remote: Remote,
    /// Which family a name may resolve to.
    pub family: Family,
    /// UDP port of the server, 123 but in tests.
    pub port: u16,
    /// Version of the requests, 1..=4.
    pub version: u8,
    /// Least poll exponent, log2 seconds, 0..=17.
    pub minpoll: i8,
    /// Greatest poll exponent, log2 seconds, `minpoll..=17`.
    pub maxpoll: i8,
    /// Eight requests two seconds apart while unreachable.
    pub iburst: bool,
    /// The same at every poll while reachable.
    pub burst: bool,
    /// Mitigation: this one, if it survives.
    pub prefer: bool,
    /// Always a truechimer.
    pub always_true: bool,
    /// Watched, never used.
    pub noselect: bool,
    /// May be dropped for a better one.
    pub preempt: bool,
    /// Key of requests and replies; a keyed association takes nothing unkeyed.
    pub key: Option<KeyId>,
    /// `ttl`: routers a packet to a group may pass, plus one; 255 does not bound the rings of a
    /// manycast client.
    pub hops: u8,
    /// `xleave`: transmit stamps follow in the next packet (RFC 9769).
    pub interleaved: bool,
    /// `autokey`: authenticated by RFC 5906 instead of a key.
    pub autokey: bool,
    /// `ident`: the Autokey group whose parameters the server must prove to know.
    pub ident: Option<String>,
}

impl AssociationConfig {
    /// A plain `server` line with the reference's defaults.
    pub fn server(remote: Remote) -> Self {
        Self {
            kind: AssociationKind::Server,
            remote,
            family: Family::Any,
            port: 123,
            version: 4,
            minpoll: 6,
            maxpoll: 10,
            iburst: false,
            burst: false,
            prefer: false,
            always_true: false,
            noselect: false,
            preempt: false,
            key: None,
            hops: 1,
            interleaved: false,
            autokey: false,
            ident: None,
        }
    }
}

/// One reference clock with its `fudge` values.
#[derive(Clone, Debug, PartialEq)]
pub struct RefclockConfig {
    /// Driver type and unit, as in 127.127.t.u.
    pub id: RefclockId,
    /// Stratum to claim for the clock itself; the system is one above.
    pub stratum: u8,
    /// Reference identifier to claim.
    pub reference_id: ReferenceId,
    /// Least poll exponent, log2 seconds.
    pub minpoll: i8,
    /// Greatest poll exponent, log2 seconds.
    pub maxpoll: i8,
    /// Mitigation: this one, if it survives.
    pub prefer: bool,
    /// Always a truechimer.
    pub always_true: bool,
    /// Watched, never used.
    pub noselect: bool,
}

/// `tos` values (RFC 5905 §11.2 names where it has them).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tos {
    /// NMIN: survivors the cluster algorithm keeps.
    pub minclock: usize,
    /// Associations a pool fills up to.
    pub maxclock: usize,
    /// CMIN: truechimers needed before the clock is set.
    pub minsane: usize,
    /// Lowest stratum acceptable.
    pub floor: u8,
    /// Stratum from which servers are refused.
    pub ceiling: u8,
    /// Whether servers of our own stratum are acceptable.
    pub cohort: bool,
    /// MINDIST: least half-width of a correctness interval, seconds.
    pub mindist_s: f64,
    /// MAXDIST: greatest root distance acceptable, seconds.
    pub maxdist_s: f64,
    /// How often a manycast client that has found enough servers looks again, seconds.
    pub beacon_s: f64,
    /// Stratum told by a host of an island without a source; `None` tells nothing.
    pub orphan: Option<u8>,
    /// How long there must be no source before that, and before the LOCAL clock stands in, seconds.
    pub orphan_wait_s: f64,
}

impl Default for Tos {
    fn default() -> Self {
        Self {
            minclock: 3,
            maxclock: 10,
            minsane: 1,
            floor: 0,
            ceiling: 15,
            cohort: false,
            mindist_s: 0.001,
            maxdist_s: 1.5,
            beacon_s: 3600.0,
            orphan: None,
            orphan_wait_s: 300.0,
        }
    }
}

/// `tinker` values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tinker {
    /// Allan intercept: above it the frequency-lock loop leads, seconds.
    pub allan_s: f64,
    /// PHI, growth of error, seconds per second.
    pub dispersion_s_per_s: f64,
    /// Initial frequency, overriding the drift file, ppm.
    pub freq_ppm: Option<f64>,
    /// PANICT, seconds; `None` never panics.
    pub panic_s: Option<f64>,
    /// STEPT forward, seconds; `None` never steps forward.
    pub stepfwd_s: Option<f64>,
    /// STEPT backward, seconds; `None` never steps back.
    pub stepback_s: Option<f64>,
    /// WATCH: how long an offset past the step threshold must last, seconds.
    pub stepout_s: f64,
}

impl Default for Tinker {
    fn default() -> Self {
        Self {
            allan_s: 2048.0,
            dispersion_s_per_s: truechimer_time::PHI_S_PER_S,
            freq_ppm: None,
            panic_s: Some(1000.0),
            stepfwd_s: Some(0.128),
            stepback_s: Some(0.128),
            stepout_s: 300.0,
        }
    }
}

/// What may be done to the clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steering {
    /// `enable ntp`, and the host may adjust the clock at all.
    pub enabled: bool,
    /// `enable kernel`: the kernel's phase-locked loop instead of ours.
    pub kernel: bool,
    /// `-g` and not yet spent: the first offset may exceed the panic threshold.
    pub allow_panic_once: bool,
    /// `-G`: the first offset is stepped, however small.
    pub force_step_once: bool,
    /// `-q`: set the clock once and stop.
    pub one_shot: bool,
    /// Frequency from the drift file, ppm.
    pub stored_freq_ppm: Option<f64>,
}

impl Default for Steering {
    fn default() -> Self {
        Self {
            enabled: true,
            kernel: true,
            allow_panic_once: false,
            force_step_once: false,
            one_shot: false,
            stored_freq_ppm: None,
        }
    }
}
