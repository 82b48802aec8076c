//! What happened, for the operator: named as the reference daemon names it where it has a name.
mod code;
mod crypto;

pub use crypto::{CryptoTrouble, GroupName};

use crate::authentication::{AuthFailure, KeyId};
use crate::autokey::status::Scheme;
use crate::packet::AssociationId;
use crate::server::Namesakes;
use crate::status::PacketTest;
use crate::unsolicited::Unsolicited;
pub use code::{Coded, EventCounts, Report, system_event_word};
use core::fmt;
use core::net::{IpAddr, SocketAddr};
use truechimer_wire::ReferenceId;

/// One happening. `Display` is the text after the reference's event word.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// To an association.
    Peer {
        /// Which.
        association: AssociationId,
        /// Its remote address, or the pool's name.
        remote: String,
        /// What.
        what: PeerEvent,
    },
    /// To the system.
    System(SystemEvent),
}

/// Peer events (RFC 9327 appendix B.3).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PeerEvent {
    /// A new association.
    Mobilize,
    /// The association is gone.
    Demobilize,
    /// First valid reply.
    Reachable,
    /// Eight polls without one.
    Unreachable,
    /// It has a new address, or the clock was stepped: begin anew.
    Restart,
    /// A request got no reply.
    NoReply,
    /// Kiss RATE, obeyed: the poll exponent is now this.
    RateExceeded(i8),
    /// Kiss DENY or RSTR, obeyed: no more requests.
    AccessDenied(ReferenceId),
    /// A leap second is announced by it.
    LeapArmed,
    /// It leads the system now.
    SystemPeer,
    /// A reply was keyed wrongly or not at all.
    BadAuthentication {
        /// The association's key.
        key: KeyId,
        /// What was wrong.
        failure: AuthFailure,
    },
    /// A packet was not authentic under Autokey's session keys.
    BadSession(AuthFailure),
    /// Autokey begins anew with it, for this reason.
    CryptoRestart(CryptoRestart),
    /// Autokey is agreed with it; by which scheme it proved to be of the group that was demanded.
    Proventic(Option<Scheme>),
    /// It is proven by the certificate of a host with which Autokey is spoken at this address as well.
    OneKeyTwice(IpAddr),
    /// Something is wrong with what it said in Autokey's dance.
    CryptoTrouble(CryptoTrouble),
    /// It cannot prove to be of this group, which its line demands by `ident`.
    IdentityMissing(GroupName),
    /// No cookie is agreed with it by Autokey yet, and its time is taken nonetheless, for there is none.
    Unagreed,
    /// An outlier in the filter was passed over, seconds from the last offset.
    Popcorn(f64),
    /// A packet failed this test.
    Refused(PacketTest),
    /// Our own `restrict ignore` forbids to use it.
    Restricted,
    /// Our own `restrict notrust` refuses its replies, as it has no key.
    Untrusted,
    /// Nobody can be found through it: who answers in a group must be authentic, and it has no key.
    Keyless,
    /// No interface has this group or broadcast address, so nothing is sent.
    NoInterface,
    /// A broadcast server does not answer requests, so nobody measured how long its packets are on
    /// their way.
    PathUnknown,
}

/// Why Autokey begins anew with somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CryptoRestart {
    /// What it said is against the protocol.
    Error,
    /// It does not know our cookie any more.
    CryptoNak,
    /// The association is as old as one may become.
    Refresh,
}

impl CryptoRestart {
    /// The reference's words.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "crypto error",
            Self::CryptoNak => "crypto NAK",
            Self::Refresh => "crypto refresh",
        }
    }

    /// What is shown as its reference identifier until it is heard again.
    pub(crate) const fn letters(self) -> &'static str {
        match self {
            Self::Error => "CRYP",
            Self::CryptoNak => "AUTH",
            Self::Refresh => "TIME",
        }
    }
}

/// System events (RFC 9327 appendix B.2).
#[derive(Clone, Debug, PartialEq)]
pub enum SystemEvent {
    /// No drift file: the frequency is to be measured.
    FrequencyNotSet,
    /// Started from this frequency, ppm.
    FrequencySet(f64),
    /// An offset past the step threshold, passed over for now, seconds.
    SpikeDetect(f64),
    /// Measuring the frequency.
    FrequencyMode,
    /// The clock is in synchronisation.
    ClockSync,
    /// The daemon started or took a new configuration.
    Restart,
    /// Past the panic threshold, seconds.
    PanicStop(f64),
    /// No source is good enough.
    NoSystemPeer,
    /// No source was good enough for so long that our own clock is served, at this stratum.
    OrphanParent(u8),
    /// A leap second will be inserted (true) or deleted at the end of the day or month.
    LeapArmed(bool),
    /// No more leap second announced.
    LeapDisarmed,
    /// The leap second was inserted (true) or deleted.
    LeapEvent(bool),
    /// The clock was stepped by this, seconds.
    ClockStep(f64),
    /// The kernel's answer changed, e.g. it refuses to be steered.
    Kernel(String),
    /// TAI-UTC is now this, seconds.
    TaiOffset(i32),
    /// The leap second table has expired, or will within 28 days.
    StaleLeapTable {
        /// Days left, negative when past.
        days_left: i64,
    },
    /// Somebody else stepped the clock, seconds.
    ForeignStep(f64),
    /// The machine slept, seconds.
    Slept(f64),
    /// The frequency correction is at its limit of 500 ppm.
    FrequencyLimit(f64),
    /// The frequency left its mean of the last hours, ppm: a fan, the temperature, the hardware?
    FrequencyJump(f64),
    /// The frequency became unsteady, wander in ppm.
    WanderJump(f64),
    /// A name did not resolve; the last known addresses stay.
    NameNotResolved(String),
    /// A stranger's datagram was dropped while this had not been said for a while.
    StrangeDatagram(SocketAddr),
    /// The same, of one that came unasked.
    Unsolicited(SocketAddr, Unsolicited),
    /// Two hosts of one name of Autokey were signed for.
    Namesakes(Namesakes),
}

impl PeerEvent {
    /// Whether a stranger on the network can cause it at will, so that it must be rate-limited.
    pub const fn is_network_triggered(&self) -> bool {
        matches!(
            self,
            Self::Refused(_)
                | Self::BadAuthentication { .. }
                | Self::BadSession(_)
                | Self::CryptoRestart(_)
                | Self::OneKeyTwice(_)
                | Self::CryptoTrouble(_)
                | Self::Popcorn(_)
        )
    }
}

impl fmt::Display for PeerEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mobilize => f.write_str("mobilize"),
            Self::Demobilize => f.write_str("demobilize"),
            Self::Reachable => f.write_str("reachable"),
            Self::Unreachable => f.write_str("unreachable"),
            Self::Restart => f.write_str("restart"),
            Self::NoReply => f.write_str("no_reply"),
            Self::RateExceeded(poll) => write!(f, "rate_exceeded, now polling every 2^{poll} s"),
            Self::AccessDenied(code) => write!(f, "access_denied {}", code.display(0)),
            Self::LeapArmed => f.write_str("leap_armed"),
            Self::SystemPeer => f.write_str("sys_peer"),
            Self::BadAuthentication { key, failure } => {
                write!(f, "bad_auth key {}: {}", key.get(), why(*failure))
            }
            Self::BadSession(failure) => f.write_str(why_no_session(*failure)),
            Self::CryptoRestart(why) => write!(f, "restart {}", why.word()),
            Self::Proventic(Some(scheme)) => write!(
                f,
                "authenticated by Autokey, its group proven by {}",
                scheme.name()
            ),
            Self::Proventic(None) => f.write_str(
                "authenticated by Autokey without a proof of identity: whoever can alter packets may \
                 pose as it; demand one by `ident`",
            ),
            Self::CryptoTrouble(trouble) => trouble.fmt(f),
            Self::IdentityMissing(group) => write!(
                f,
                "not used: its line demands group {group} by `ident`, and for no scheme that it offers are \
                 there parameters of that: ntp-keygen -e -i {group} there, truechimer keys import here"
            ),
            Self::OneKeyTwice(other) => write!(
                f,
                "has the certificate of {other}: it is one host with two addresses, or passes on what that \
                 one says, which Autokey cannot tell"
            ),
            Self::Unagreed => f.write_str(
                "used before a cookie is agreed by Autokey, as this host has no time yet: whoever can \
                 alter its packets can set this clock; a `server` beside it would prevent that",
            ),
            Self::Popcorn(offset_s) => write!(f, "popcorn {offset_s:+.6} s"),
            Self::Refused(test @ PacketTest::Stratum) => write!(
                f,
                "packet refused: {test}, it is not synchronised or its stratum is too high"
            ),
            Self::Refused(test) => write!(f, "packet refused: {test}"),
            Self::Restricted => f.write_str(
                "not used: a restrict line says ignore; give servers their own with `restrict source`",
            ),
            Self::Untrusted => f.write_str(
                "not used: a restrict line says notrust, and the server has no key",
            ),
            Self::Keyless => f.write_str(
                "not asked: whoever answers in a group must be authentic; give the line a `key`, \
                 or say `disable auth`",
            ),
            Self::NoInterface => {
                f.write_str("nothing sent: no interface has this group or broadcast address")
            }
            Self::PathUnknown => f.write_str(
                "it does not answer requests: the delay of its broadcasts is assumed, not measured; \
                 say it with `broadcastdelay`",
            ),
        }
    }
}

/// What is wrong with a MAC, and what to look at.
const fn why(failure: AuthFailure) -> &'static str {
    match failure {
        AuthFailure::NoMac => "the reply has no MAC",
        AuthFailure::OtherKey => "the reply uses another key",
        AuthFailure::UnknownKey => "we have no such key",
        AuthFailure::UntrustedKey => "the key is not trusted here",
        AuthFailure::WrongAddress => "the keys file does not let this address use the key",
        AuthFailure::WrongLength => {
            "the MAC has a wrong length: do both sides give the key the same type?"
        }
        AuthFailure::WrongDigest => "the digest is wrong: do both sides have the same key?",
        AuthFailure::CryptoNak => "the server refused our MAC (crypto-NAK)",
        AuthFailure::OutOfList => "its key is of no list",
    }
}

/// The reference's words, of what it has words for.
const fn why_no_session(failure: AuthFailure) -> &'static str {
    match failure {
        AuthFailure::CryptoNak => {
            "bad_auth crypto_NAK: it does not know our session key: it was started anew, or has another \
             `crypto digest`"
        }
        AuthFailure::OutOfList => "bad_auth keylist",
        AuthFailure::NoMac => "bad_auth no MAC",
        AuthFailure::OtherKey => "bad_auth key of another packet",
        _ => "bad_auth digest",
    }
}

impl fmt::Display for SystemEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FrequencyNotSet => f.write_str("freq_not_set"),
            Self::FrequencySet(freq_ppm) => write!(f, "freq_set {freq_ppm:+.3} PPM"),
            Self::SpikeDetect(offset_s) => write!(f, "spike_detect {offset_s:+.6} s"),
            Self::FrequencyMode => f.write_str("freq_mode"),
            Self::ClockSync => f.write_str("clock_sync"),
            Self::Restart => f.write_str("restart"),
            Self::PanicStop(offset_s) => {
                write!(
                    f,
                    "panic_stop {offset_s:+.0} s; set the clock by hand, or start with -g"
                )
            }
            Self::NoSystemPeer => f.write_str("no_sys_peer"),
            Self::OrphanParent(stratum) => {
                write!(
                    f,
                    "orphan parent: no source, our own clock is served at stratum {stratum}"
                )
            }
            Self::LeapArmed(true) => f.write_str("leap_armed: a second will be inserted"),
            Self::LeapArmed(false) => f.write_str("leap_armed: a second will be deleted"),
            Self::LeapDisarmed => f.write_str("leap_disarmed"),
            Self::LeapEvent(true) => f.write_str("leap_event: a second was inserted"),
            Self::LeapEvent(false) => f.write_str("leap_event: a second was deleted"),
            Self::ClockStep(offset_s) => write!(f, "clock_step {offset_s:+.6} s"),
            Self::Kernel(text) => write!(f, "kern {text}"),
            Self::TaiOffset(tai_utc_s) => write!(f, "TAI {tai_utc_s} s"),
            Self::StaleLeapTable { days_left } => stale_leap_table(*days_left, f),
            Self::ForeignStep(offset_s) => {
                write!(
                    f,
                    "clock_step {offset_s:+.6} s by somebody else: samples dropped"
                )
            }
            Self::Slept(span_s) => {
                write!(
                    f,
                    "clock_step the machine slept {span_s:.1} s: samples dropped"
                )
            }
            Self::FrequencyLimit(freq_ppm) => {
                write!(
                    f,
                    "frequency error {freq_ppm:.0} PPM exceeds tolerance 500 PPM"
                )
            }
            Self::FrequencyJump(jump_ppm) => write!(
                f,
                "frequency_jump {jump_ppm:+.3} PPM; see to temperature, fans and hardware"
            ),
            Self::WanderJump(wander_ppm) => write!(
                f,
                "wander_jump {wander_ppm:.3} PPM; see to temperature, fans and hardware"
            ),
            Self::NameNotResolved(name) => write!(f, "{name} does not resolve; trying again"),
            Self::StrangeDatagram(source) => write!(f, "dropped a datagram from {source}"),
            Self::Namesakes(namesakes) => namesakes.fmt(f),
            Self::Unsolicited(source, why) => write!(
                f,
                "did not take what {source} sent to many: {}",
                why.name().replace('_', " ")
            ),
        }
    }
}

fn stale_leap_table(days_left: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("stale_leapsecond_values: ")?;
    if days_left < 0 {
        write!(f, "expired {} days ago", -days_left)
    } else {
        write!(f, "expires in {days_left} days")
    }
}
