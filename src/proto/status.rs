//! The state of the protocol as shown to people and programs: one registry for tables and JSON.
use crate::authentication::AuthFailure;
use crate::autokey::status::{Scheme, StatusWord};
use crate::event::EventCounts;
use crate::packet::{AssociationId, StampClass};
use crate::unsolicited::UnsolicitedCounts;
use core::fmt;
use core::net::SocketAddr;
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{NtpShort, NtpTimestamp};
use truechimer_wire::ReferenceId;

/// What selection made of a source (RFC 9327 §3.2), with ntpq's tally character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tally {
    /// ` ` not considered.
    #[default]
    Reject,
    /// `x` outside the majority's intersection.
    Falseticker,
    /// `.` beyond what is worth considering.
    Excess,
    /// `-` dropped by the cluster algorithm.
    Outlier,
    /// `+` combined.
    Candidate,
    /// `#` good, but not needed.
    Backup,
    /// `*` leads the system.
    SystemPeer,
    /// `o` numbered by another, timed by pulses.
    PpsPeer,
}

impl Tally {
    /// ntpq's character.
    pub const fn character(self) -> char {
        match self {
            Self::Reject => ' ',
            Self::Falseticker => 'x',
            Self::Excess => '.',
            Self::Outlier => '-',
            Self::Candidate => '+',
            Self::Backup => '#',
            Self::SystemPeer => '*',
            Self::PpsPeer => 'o',
        }
    }
}

/// The packet and peer tests (RFC 5905 §9.2, §11.2), in the order of the reference's flash bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PacketTest {
    /// 0001: the transmit stamp of the reply before.
    Duplicate,
    /// 0002: does not echo our nonce.
    Bogus,
    /// 0004: receive or transmit stamp is zero.
    Unsynchronized,
    /// 0008: access denied by the server.
    Denied,
    /// 0010: authentication failed.
    Authentication,
    /// 0020: leap not synchronized or stratum 16.
    Stratum,
    /// 0040: root distance, reference time, version or mode make no sense.
    Header,
    /// 0080: Autokey failed.
    Autokey,
    /// 0100: identity not proven.
    Crypto,
    /// 0200: stratum outside `tos floor` and `ceiling`.
    PeerStratum,
    /// 0400: root distance past `tos maxdist`.
    PeerDistance,
    /// 0800: it gets its time from us.
    PeerLoop,
    /// 1000: unreachable.
    PeerUnreachable,
}

impl PacketTest {
    /// All, in flash order.
    pub const ALL: [Self; 13] = [
        Self::Duplicate,
        Self::Bogus,
        Self::Unsynchronized,
        Self::Denied,
        Self::Authentication,
        Self::Stratum,
        Self::Header,
        Self::Autokey,
        Self::Crypto,
        Self::PeerStratum,
        Self::PeerDistance,
        Self::PeerLoop,
        Self::PeerUnreachable,
    ];

    /// The flash bit.
    pub const fn bit(self) -> u16 {
        1 << self as u16
    }

    /// The reference's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Duplicate => "pkt_dup",
            Self::Bogus => "pkt_bogus",
            Self::Unsynchronized => "pkt_unsync",
            Self::Denied => "pkt_denied",
            Self::Authentication => "pkt_auth",
            Self::Stratum => "pkt_stratum",
            Self::Header => "pkt_header",
            Self::Autokey => "pkt_autokey",
            Self::Crypto => "pkt_crypto",
            Self::PeerStratum => "peer_stratum",
            Self::PeerDistance => "peer_dist",
            Self::PeerLoop => "peer_loop",
            Self::PeerUnreachable => "peer_unreach",
        }
    }
}

/// Flash bits of the peer tests.
pub(crate) const PEER_TESTS: u16 = PacketTest::PeerStratum.bit()
    | PacketTest::PeerDistance.bit()
    | PacketTest::PeerLoop.bit()
    | PacketTest::PeerUnreachable.bit();

impl fmt::Display for PacketTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The system variables.
#[derive(Clone, Debug, PartialEq)]
pub struct SystemStatus {
    /// Leap announced.
    pub leap: LeapIndicator,
    /// 16 when not synchronized.
    pub stratum: u8,
    /// log2 seconds.
    pub precision: i8,
    /// Total delay to the primary source.
    pub root_delay: NtpShort,
    /// Total dispersion now.
    pub root_dispersion: NtpShort,
    /// Of the system peer.
    pub reference_id: ReferenceId,
    /// Last correction.
    pub reference_time: NtpTimestamp,
    /// Who leads.
    pub system_peer: Option<AssociationId>,
    /// Combined offset, seconds.
    pub offset_s: f64,
    /// Combined jitter of the sources, seconds.
    pub system_jitter_s: f64,
    /// Jitter of the discipline, seconds.
    pub clock_jitter_s: f64,
    /// Frequency correction, ppm.
    pub frequency_ppm: f64,
    /// Wander of the frequency, ppm.
    pub wander_ppm: f64,
    /// Time constant, a poll exponent.
    pub time_constant: i8,
    /// TAI-UTC, seconds, where known.
    pub tai_utc_s: Option<i32>,
    /// Whether the clock is steered at all.
    pub steering: bool,
    /// State of the discipline, for people: `unset`, `freq_set`, `freq_measure`, `spike`, `sync`.
    pub discipline_state: &'static str,
    /// System events since the start.
    pub events: EventCounts,
    /// Packets that nobody asked for and that were refused.
    pub unsolicited: UnsolicitedCounts,
    /// Servers, pools and reference clocks.
    pub associations: Vec<AssociationStatus>,
}

impl SystemStatus {
    /// Datagrams from the servers that are used now: all, and those that passed the packet tests.
    pub fn answers(&self) -> (u64, u64) {
        let (mut heard, mut refused) = (0, 0);
        for association in &self.associations {
            heard += u64::from(association.received);
            refused += association
                .refused
                .iter()
                .copied()
                .map(u64::from)
                .sum::<u64>();
        }
        (heard, heard.saturating_sub(refused))
    }
}

/// One association's variables.
#[derive(Clone, Debug, PartialEq)]
pub struct AssociationStatus {
    /// Its number.
    pub id: AssociationId,
    /// What selection made of it.
    pub tally: Tally,
    /// `u` unicast, `s` and `S` symmetric active and passive, `p` pool, `a` manycast client, `l` local
    /// (reference clock), `B` and `M` what we tell to a broadcast address or a group, `b` what we
    /// hear of such.
    pub kind: char,
    /// Address, once known; the pseudo address of a reference clock.
    pub remote: Option<SocketAddr>,
    /// As configured: a name, an address, a pool's name.
    pub name: String,
    /// Its reference identifier, or our own code (INIT, STEP, RATE, ...) while it has none.
    pub reference_id: ReferenceId,
    /// Its stratum, 16 while unknown.
    pub stratum: u8,
    /// Its leap bits.
    pub leap: LeapIndicator,
    /// Seconds since the last reply, `None` if there never was one.
    pub when_s: Option<f64>,
    /// Our poll exponent.
    pub host_poll: i8,
    /// Its poll exponent.
    pub peer_poll: i8,
    /// Last eight polls, newest in the lowest bit.
    pub reach: u8,
    /// Polls since the last reply.
    pub unreach: u32,
    /// Filtered round trip, seconds.
    pub delay_s: f64,
    /// Filtered offset, seconds.
    pub offset_s: f64,
    /// Filter dispersion, seconds.
    pub dispersion_s: f64,
    /// Filter jitter, seconds.
    pub jitter_s: f64,
    /// Root distance, seconds.
    pub root_distance_s: f64,
    /// Its root delay.
    pub root_delay: NtpShort,
    /// Its root dispersion.
    pub root_dispersion: NtpShort,
    /// Bits of the tests the last packet or the peer failed.
    pub flash: u16,
    /// How often each test failed, in flash order.
    pub refused: [u32; 13],
    /// Why the authentication test failed, in the order of `AuthFailure::ALL`.
    pub unauthentic: [u32; AuthFailure::ALL.len()],
    /// Datagrams sent.
    pub sent: u32,
    /// Datagrams received, valid or not.
    pub received: u32,
    /// Who took the stamps of the last sample: ours on sending, ours on receiving.
    pub stamps: Option<(StampClass, StampClass)>,
    /// What Autokey knows of it, if its line asks for that.
    pub autokey: Option<AutokeyStatus>,
    /// Events since the start.
    pub events: EventCounts,
    /// Filter stages, newest first: offset, delay, dispersion in seconds.
    pub filter: Vec<(f64, f64, f64)>,
}

/// What Autokey (RFC 5906) knows of an association.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutokeyStatus {
    /// Its name; empty before it said it.
    pub host: String,
    /// What it offers, and what of it is proven.
    pub status: StatusWord,
    /// The group that it must prove to be of.
    pub ident: Option<String>,
    /// By which scheme it did; `None` if it did not, or nobody asked.
    pub identity: Option<Scheme>,
    /// The key list of who speaks unasked.
    pub initial: Option<InitialValues>,
    /// Times it did not know our cookie.
    pub naks: u32,
}

/// Where a key list ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitialValues {
    /// Number of its first key, those before packets that were lost left out.
    pub sequence: u32,
    /// The key whose hash no packet has.
    pub key_id: u32,
    /// When it was signed, NTP seconds.
    pub timestamp: u32,
}
