//! One interface that stamps: what it promised, and what it does.
use super::HardwareStamping;
use crate::notice::Notice;
use truechimer_sys::hardware::{Receives, Stamping};
use truechimer_sys::interfaces::InterfaceAddress;
use truechimer_time::NtpDuration;

/// Packets without a stamp in a row that make a promise a lie.
const MISSING_MAX: u32 = 8;
/// What a frame has beside the datagram: header of Ethernet, of IP (the shorter one), and of UDP. Only
/// where the kernel does not tell how long the frame was.
const HEADERS_OCTETS: usize = 14 + 20 + 8;
/// The check sequence at the end of a frame.
const CHECK_OCTETS: u32 = 4;

/// What became of packets that were to be stamped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) stamped: u64,
    pub(super) missing: u64,
    in_a_row: u32,
    told: bool,
}

impl Tally {
    pub(super) const fn note(&mut self, stamped: bool) {
        if stamped {
            self.stamped += 1;
            self.in_a_row = 0;
        } else {
            self.missing += 1;
            self.in_a_row = self.in_a_row.saturating_add(1);
        }
    }

    const fn is_lie(&self) -> bool {
        self.in_a_row >= MISSING_MAX
    }

    /// Whether it is a lie, the first time this is asked.
    fn news(&mut self) -> bool {
        let is_new = self.is_lie() && !self.told;
        self.told |= is_new;
        is_new
    }
}

#[derive(Debug)]
pub(super) struct Nic {
    pub(super) name: String,
    pub(super) index: u32,
    /// Place of its clock.
    pub(super) clock: usize,
    stamping: Stamping,
    pub(super) speed_mbps: Option<u32>,
    pub(super) wanted: HardwareStamping,
    pub(super) receipts: Tally,
    pub(super) departures: Tally,
    /// Stamps that were not believed.
    pub(super) implausible: u64,
}

impl Nic {
    pub(super) fn new(
        found: &InterfaceAddress,
        clock: usize,
        stamping: Stamping,
        wanted: HardwareStamping,
    ) -> Self {
        Self {
            name: found.name.clone(),
            index: found.index,
            clock,
            stamping,
            speed_mbps: None,
            wanted,
            receipts: Tally::default(),
            departures: Tally::default(),
            implausible: 0,
        }
    }

    /// Nothing is expected of it any more.
    pub(super) const fn distrust(&mut self) {
        self.stamping.transmits = false;
        self.stamping.receives = Receives::None;
    }

    pub(super) const fn is_trusted_to_transmit(&self) -> bool {
        self.stamping.transmits && !self.departures.is_lie()
    }

    /// What makes of a receive stamp one of the frame's end. Interfaces stamp where a frame begins
    /// (IEEE 1588 §7.3.4), the kernel where it has come whole: of two hosts whose stamps differ in that,
    /// one would be wrong by half the time that a frame takes (ADR 0042).
    pub(super) fn receive_correction(&self, frame: u32, datagram: usize) -> NtpDuration {
        let wanted = self.wanted.receive_correction;
        let Some(speed_mbps) = self.speed_mbps else {
            return wanted;
        };
        let frame = match frame {
            0 => u32::try_from(datagram + HEADERS_OCTETS).unwrap_or_default(),
            told => told,
        };
        let bits = f64::from(frame + CHECK_OCTETS) * 8.0;
        wanted + NtpDuration::from_seconds(bits / (f64::from(speed_mbps) * 1e6))
    }

    /// That it does not do what it promised, once.
    pub(super) fn news(&mut self) -> Option<Notice> {
        let promised = self.stamping.receives == Receives::Ntp;
        if promised && self.receipts.news() {
            return Some(Notice::StampsMissing(self.name.clone(), "received"));
        }
        let missing = self.departures.news();
        missing.then(|| Notice::StampsMissing(self.name.clone(), "sent"))
    }
}
