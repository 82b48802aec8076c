//! Stamps that network interfaces take, brought to the system clock.
//!
//! An interface stamps by a clock of its own, which nobody steers. Each time a stamp is to be used, both
//! clocks are read, so that what is carried over is the difference of a moment ago.
mod nic;
mod relation;

use crate::clients::{kernels, ours};
use crate::notice::Notice;
use core::net::IpAddr;
use nic::Nic;
use relation::Relation;
use truechimer_proto::packet::{Stamp, StampClass};
use truechimer_sys::clock;
use truechimer_sys::hardware::{self, Phc, ReceiveFilter};
use truechimer_sys::interfaces::{self, InterfaceAddress};
use truechimer_sys::socket::{Arrival, HardwareStamp, KernelStamp, TransmitStamp};
use truechimer_time::{NtpDuration, NtpTimestamp};

/// Interfaces asked to stamp, at most.
const NICS_MAX: usize = 64;

/// Interfaces remembered that cannot, at most: hosts of containers make ever new ones.
const REFUSED_MAX: usize = 256;

/// One line that asks for stamps of interfaces.
#[derive(Clone, Debug, PartialEq)]
pub struct HardwareStamping {
    /// Name of the interface; `None` for all that can.
    pub interface: Option<String>,
    /// Which received packets it is to stamp.
    pub filter: ReceiveFilter,
    /// Added to its receive stamps.
    pub receive_correction: NtpDuration,
    /// Added to its transmit stamps.
    pub transmit_correction: NtpDuration,
}

/// One of the interfaces that stamp; counted in the order in which they were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NicId(usize);

/// The interfaces that stamp, and their clocks.
#[derive(Debug, Default)]
pub(crate) struct NicClocks {
    wanted: Vec<HardwareStamping>,
    nics: Vec<Nic>,
    clocks: Vec<NicClock>,
    /// Interfaces that were asked for and cannot, as far as that was told, by name and index: one of the
    /// same name may be another that can.
    refused: Vec<(String, u32)>,
    by_address: Vec<(IpAddr, NicId)>,
}

#[derive(Debug)]
struct NicClock {
    number: u32,
    phc: Phc,
    relation: Relation,
}

impl NicClock {
    /// The moment of the system clock; `None` while the two cannot be compared.
    fn moment_of(&mut self, ns: i64) -> Option<NtpTimestamp> {
        let now = clock::monotonic();
        if self.relation.is_old(now) {
            let compared = self.phc.compare().ok()?;
            self.relation.note(now, compared);
        }
        self.relation.to_system(ns)
    }
}

impl NicClocks {
    pub(crate) fn new(wanted: Vec<HardwareStamping>) -> Self {
        Self {
            wanted,
            ..Self::default()
        }
    }

    /// Has interfaces that are new here stamp, and learns which address is which one's.
    pub(crate) fn rescan(&mut self, notices: &mut Vec<Notice>) {
        if self.wanted.is_empty() {
            return;
        }
        // That they cannot be listed is told by whoever serves on them.
        if let Ok(interfaces) = interfaces::addresses() {
            self.learn(&interfaces, notices);
        }
        notices.extend(self.nics.iter_mut().filter_map(Nic::news));
    }

    fn learn(&mut self, interfaces: &[InterfaceAddress], notices: &mut Vec<Notice>) {
        self.by_address.clear();
        // One without addresses for a while is not listed, and still the same when it has some again.
        self.refused.retain(|(name, index)| {
            let mut all = interfaces.iter();
            all.all(|found| found.name != *name || found.index == *index)
        });
        for found in interfaces.iter().filter(|it| !it.loopback) {
            if let Some(place) = self.place_of(found, notices) {
                let nic = &mut self.nics[place];
                nic.speed_mbps = hardware::link_speed_mbps(&nic.name);
                self.by_address.push((found.address.ip(), NicId(place)));
            }
        }
    }

    /// Where an interface is that stamps, as far as it was asked to. One that came under the name of one
    /// that went was asked for nothing yet, and takes its place.
    fn place_of(&mut self, found: &InterfaceAddress, notices: &mut Vec<Notice>) -> Option<usize> {
        let place = self.nics.iter().position(|it| it.name == found.name);
        if let Some(place) = place.filter(|place| self.nics[*place].index == found.index) {
            return Some(place);
        }
        let started = self.start(found, place.is_some(), notices);
        if started.is_none()
            && let Some(place) = place
        {
            // Sockets may still hold the place for the one that went.
            self.nics[place].distrust();
        }
        let nic = started?;
        match place {
            Some(place) => self.nics[place] = nic,
            None => self.nics.push(nic),
        }
        Some(place.unwrap_or(self.nics.len() - 1))
    }

    /// It as one that stamps from now on, if it does.
    fn start(
        &mut self,
        found: &InterfaceAddress,
        has_place: bool,
        notices: &mut Vec<Notice>,
    ) -> Option<Nic> {
        let name = &found.name;
        let is_for = |it: &&HardwareStamping| it.interface.as_ref().is_none_or(|one| one == name);
        // A line that names it counts before one for all.
        let mut lines: Vec<_> = self.wanted.iter().filter(is_for).collect();
        lines.sort_by_key(|it| it.interface.is_none());
        let wanted = (*lines.first()?).clone();
        let key = (name.clone(), found.index);
        if (self.nics.len() >= NICS_MAX && !has_place) || self.refused.contains(&key) {
            return None;
        }
        let started = hardware::start_stamping(name, wanted.filter)
            .and_then(|stamping| Ok((stamping, self.clock(stamping.phc)?)));
        match started {
            Ok((stamping, clock)) => {
                notices.push(Notice::HardwareStamps(name.clone(), stamping));
                Some(Nic::new(found, clock, stamping, wanted))
            }
            Err(error) => {
                if self.refused.len() >= REFUSED_MAX {
                    self.refused.remove(0);
                }
                self.refused.push(key);
                // Where all are asked for, those that cannot are no surprise.
                if wanted.interface.is_some() {
                    notices.push(Notice::NoHardwareStamps(name.clone(), error));
                }
                None
            }
        }
    }

    /// Place of the clock of this number, opened now if it was not, or if another has the number since.
    fn clock(&mut self, number: u32) -> std::io::Result<usize> {
        let known = self.clocks.iter().position(|it| it.number == number);
        if let Some(place) = known
            && self.clocks[place].phc.compare().is_ok()
        {
            return Ok(place);
        }
        let phc = Phc::open(number)?;
        // One that cannot be read is of no use, and better known now.
        let compared = phc.compare()?;
        let mut relation = Relation::default();
        relation.note(clock::monotonic(), compared);
        let clock = NicClock {
            number,
            phc,
            relation,
        };
        match known {
            Some(place) => self.clocks[place] = clock,
            None => self.clocks.push(clock),
        }
        Ok(known.unwrap_or(self.clocks.len() - 1))
    }

    /// Which interface has this address, if it stamps.
    pub(crate) fn at(&self, local: IpAddr) -> Option<NicId> {
        let mut all = self.by_address.iter();
        all.find(|(address, _)| *address == local)
            .map(|(_, id)| *id)
    }

    /// Whether a transmit stamp of its own may be counted on.
    pub(crate) fn stamps_transmits(&self, id: Option<NicId>) -> bool {
        let nic = id.and_then(|id| self.nics.get(id.0));
        nic.is_some_and(Nic::is_trusted_to_transmit)
    }

    /// The best stamp of an arrival: the interface's, else the kernel's, else ours of now.
    pub(crate) fn received(&mut self, id: Option<NicId>, arrival: &Arrival<'_>) -> Stamp {
        let kernel = arrival.stamp;
        let stamp = id.and_then(|id| {
            let id = self.through(arrival.hardware, id);
            let nic = self.nics.get_mut(id.0)?;
            nic.receipts.note(arrival.hardware.is_some());
            let hardware = arrival.hardware?;
            let correction = nic.receive_correction(hardware.len, arrival.octets.len());
            self.on_system_clock(id, hardware, correction, kernel)
        });
        stamp.unwrap_or_else(|| kernel.map_or_else(|| ours(clock::wall()), kernels))
    }

    /// The interface that the kernel names, else the one that the socket is at.
    fn through(&self, hardware: Option<HardwareStamp>, id: NicId) -> NicId {
        let link = hardware.map_or(0, |stamp| stamp.link);
        let named = self.nics.iter().position(|nic| nic.index == link);
        named.map_or(id, NicId)
    }

    /// A stamp of something sent, whoever took it.
    pub(crate) fn transmitted(&mut self, id: Option<NicId>, sent: &TransmitStamp) -> Option<Stamp> {
        let Some(hardware) = sent.hardware else {
            return sent.kernel.map(kernels);
        };
        let id = id?;
        let correction = self.nics.get(id.0)?.wanted.transmit_correction;
        let stamp = self.on_system_clock(id, hardware, correction, sent.kernel);
        // One that is not believed is missed when the reply has waited for it in vain.
        if stamp.is_some() {
            self.nics.get_mut(id.0)?.departures.note(true);
        }
        stamp
    }

    /// The reply came, and no transmit stamp of the interface.
    pub(crate) fn note_no_transmit_stamp(&mut self, id: Option<NicId>) {
        if let Some(nic) = id.and_then(|id| self.nics.get_mut(id.0)) {
            nic.departures.note(false);
        }
    }

    fn on_system_clock(
        &mut self,
        id: NicId,
        stamp: HardwareStamp,
        correction: NtpDuration,
        kernel: Option<KernelStamp>,
    ) -> Option<Stamp> {
        let nic = self.nics.get_mut(id.0)?;
        let at = self.clocks.get_mut(nic.clock)?.moment_of(stamp.ns)?;
        let at = at.plus(correction);
        let reference = kernel.map_or_else(clock::wall, |kernel| kernel.at);
        if !relation::is_plausible(at, reference) {
            nic.implausible += 1;
            return None;
        }
        Some(Stamp {
            at,
            class: StampClass::Hardware,
        })
    }
}

#[cfg(test)]
mod tests;
