//! `tos`, `tinker`, `enable`, and the files.

use super::Located;

/// `tos`: limits of the selection and clustering algorithms (RFC 5905 §11.2).
#[derive(Debug, Clone, PartialEq)]
pub struct Tos {
    /// Least number of survivors clustering leaves (NMIN, CMIN).
    pub minclock: u32,
    /// Most associations that are kept; a pool is pruned down to it.
    pub maxclock: u32,
    /// Least number of candidates for a system peer.
    pub minsane: u32,
    /// Servers below this stratum are not used.
    pub floor: u8,
    /// Servers at or above this stratum are not used.
    pub ceiling: u8,
    /// Whether servers of our own stratum may be used in manycast and pools.
    pub cohort: bool,
    /// Least distance selection assumes of a server, seconds (MINDISP).
    pub mindist_s: f64,
    /// Root distance above which a server is not used, seconds (MAXDIST).
    pub maxdist_s: f64,
    /// `beacon`: how often a manycast client looks for servers, seconds.
    pub beacon_s: u32,
    /// `orphan`: the stratum served when there is no source, at 16 none is.
    pub orphan_stratum: u8,
    /// `orphanwait`: how long there has to be no source before that, seconds.
    pub orphan_wait_s: u32,
    /// `bcpollbstep`: poll intervals that a broadcast server which goes back is not believed.
    pub broadcast_backstep_polls: u8,
    /// `volleywait`: a broadcast client measures the path within so many seconds, 0..=86400. Our own.
    pub volley_wait_s: u32,
    /// `basedate`: no date before it is believed.
    pub base_date: Option<BaseDate>,
}

/// A date that starts the era in which time stamps without an era are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaseDate {
    /// `YYYY-MM-DD`, from 1970 on.
    Civil {
        /// From 1970.
        year: u16,
        /// 1..=12.
        month: u8,
        /// 1..=31.
        day: u8,
    },
    /// `@N`: days since 1 January 1900.
    NtpDay(u32),
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
            beacon_s: 3600,
            orphan_stratum: 16,
            orphan_wait_s: 300,
            broadcast_backstep_polls: 0,
            volley_wait_s: 256,
            base_date: None,
        }
    }
}

/// `tinker`: constants of the clock discipline (RFC 5905 §11.3).
#[derive(Debug, Clone, PartialEq)]
pub struct Tinker {
    /// Step threshold for setting the clock back, seconds; `None` never steps back (STEPT).
    pub stepback_s: Option<f64>,
    /// Step threshold for setting the clock forward, seconds; `None` never steps forward (STEPT).
    pub stepfwd_s: Option<f64>,
    /// How long an offset above the step threshold must last, seconds, at least 300 (WATCH).
    pub stepout_s: f64,
    /// Offset above which the daemon gives up, seconds; `None` never does (PANICT).
    pub panic_s: Option<f64>,
    /// Rate at which the error of the clock is assumed to grow, ppm (PHI).
    pub dispersion_ppm: f64,
    /// Allan intercept, seconds. Written as log2 up to 17, in seconds above; the reference's manual
    /// says seconds and its code takes log2. Its default is 2^11.
    pub allan_s: f64,
    /// Frequency to start with, ppm, within 500; `None` takes the drift file or measures.
    pub freq_ppm: Option<f64>,
    /// `huffpuff`: span of the huff-n'-puff filter, seconds; `None` is no filter.
    pub huffpuff_s: Option<f64>,
    /// `tick`: what one reading of the clock takes, seconds; `None` measures.
    pub tick_s: Option<f64>,
}

impl Default for Tinker {
    fn default() -> Self {
        Self {
            stepback_s: Some(0.128),
            stepfwd_s: Some(0.128),
            stepout_s: 300.0,
            panic_s: Some(1000.0),
            dispersion_ppm: 15.0,
            allan_s: 2048.0,
            freq_ppm: None,
            huffpuff_s: None,
            tick_s: None,
        }
    }
}

/// `enable` and `disable`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, as in the reference"
)]
pub struct SystemFlags {
    /// Passive and broadcast associations must be authenticated.
    pub auth: bool,
    /// The kernel discipline may be used.
    pub kernel: bool,
    /// The clock is steered at all.
    pub ntp: bool,
    /// Listen to broadcast servers, as `broadcastclient` does.
    pub bclient: bool,
    /// Reference clocks are calibrated against servers.
    pub calibrate: bool,
    /// Private requests (mode 7) are answered.
    pub mode7: bool,
    /// Recent clients are remembered.
    pub monitor: bool,
    /// Statistics files are written.
    pub stats: bool,
    /// ntpd's: a packet with a wrong digest clears a configured association. Not followed.
    pub peer_clear_digest_early: bool,
    /// Autokey: a source that nobody configured is given up after an error of the protocol.
    pub unpeer_crypto_early: bool,
    /// Autokey: a source that nobody configured is given up after a crypto-NAK.
    pub unpeer_crypto_nak_early: bool,
    /// ntpd's: a source that nobody configured is given up after a wrong digest. Not followed.
    pub unpeer_digest_early: bool,
}

impl Default for SystemFlags {
    fn default() -> Self {
        Self {
            auth: true,
            kernel: true,
            ntp: true,
            bclient: false,
            calibrate: false,
            mode7: false,
            monitor: true,
            stats: true,
            peer_clear_digest_early: true,
            unpeer_crypto_early: true,
            unpeer_crypto_nak_early: true,
            unpeer_digest_early: true,
        }
    }
}

/// Files to read and write; none is used unless the configuration names it.
#[derive(Debug, Clone, PartialEq)]
pub struct Files {
    /// `driftfile`: the frequency, kept across restarts.
    pub drift: Option<Located<String>>,
    /// `leapfile`: a leap-seconds.list.
    pub leap: Option<Located<String>>,
    /// Whether the leap file's hash must be right.
    pub check_leap_hash: bool,
    /// `logfile`.
    pub log: Option<Located<String>>,
    /// `pidfile`.
    pub pid: Option<Located<String>>,
    /// `saveconfigdir`: where control requests may save the configuration; none may if absent.
    pub save_config: Option<Located<String>>,
    /// `nonvolatile`: by how much the frequency has to change for the drift file to be written,
    /// ppm.
    pub wander_threshold_ppm: Option<f64>,
}

impl Default for Files {
    fn default() -> Self {
        Self {
            drift: None,
            leap: None,
            check_leap_hash: true,
            log: None,
            pid: None,
            save_config: None,
            wander_threshold_ppm: None,
        }
    }
}
