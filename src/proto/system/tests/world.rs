//! A host for one `System`: a clock it may steer, servers that answer, a resolver, a LOCAL clock.
mod group;
mod kernel;
mod lines;
mod looks;

use crate::association::tests::Ring;
use crate::autokey::job::{CryptoJob, JobId};
use crate::autokey::service::Service;
use crate::config::{AssociationConfig, Steering, SystemConfig};
use crate::event::Event;
use crate::host::{
    AdjustRefused, Adjustment, Applied, Departure, Exit, HostEvent, Output, Resolve,
};
use crate::packet::{
    AssociationId, Destination, Received, Route, Stamp, StampClass, Transmit, Via,
};
use crate::refclock::{RefclockId, RefclockSample};
use crate::snapshot::Snapshot;
use crate::statistics::Record;
use crate::system::System;
use core::net::{IpAddr, SocketAddr};
use group::Group;
pub(super) use group::link;
use kernel::Kernel;
pub(super) use lines::{named_line, server_line};
use std::collections::BTreeMap;
use std::sync::Arc;
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{Instant, Now, NtpDuration, NtpShort, NtpTimestamp};
use truechimer_wire::{Header, Mode, ReferenceId};

/// How a scripted server answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Server {
    /// Ahead of true time, seconds.
    pub(super) offset_s: f64,
    /// Each way, seconds; the way back varies a little from request to request.
    pub(super) way_s: f64,
    pub(super) stratum: u8,
    pub(super) leap: LeapIndicator,
    pub(super) reference_id: ReferenceId,
    pub(super) alive: bool,
    /// Answers with this kiss.
    pub(super) kiss: Option<&'static str>,
    /// The reply is held up this long, seconds.
    pub(super) late_s: f64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            offset_s: 0.0,
            way_s: 0.005,
            stratum: 2,
            leap: LeapIndicator::NoWarning,
            reference_id: ReferenceId::from_octets([10, 9, 9, 9]),
            alive: true,
            kiss: None,
            late_s: 0.0,
        }
    }
}

/// A reply still on its way.
struct Late {
    due: Instant,
    octets: Vec<u8>,
    source: SocketAddr,
    via: Via,
}

pub(super) struct World {
    pub(super) system: System,
    pub(super) mono: Instant,
    /// System clock minus true time, seconds.
    pub(super) error_s: f64,
    pub(super) skew_ppm: f64,
    kernel: Kernel,
    /// Every adjustment is refused with this.
    pub(super) refuses: Option<AdjustRefused>,
    /// When the LOCAL driver gives its next sample, if there is one.
    local: Option<Instant>,
    late: Vec<Late>,
    pub(super) servers: BTreeMap<IpAddr, Server>,
    pub(super) names: BTreeMap<String, Vec<IpAddr>>,
    pub(super) asked: Vec<Resolve>,
    pub(super) sent: Vec<(SocketAddr, Instant)>,
    pub(super) events: Vec<Event>,
    pub(super) steps_s: Vec<f64>,
    pub(super) published: Vec<Snapshot>,
    /// What server threads answer Autokey from.
    pub(super) services: Vec<Option<Arc<Service>>>,
    /// What holders of keys are to do.
    pub(super) jobs: Vec<(JobId, CryptoJob)>,
    pub(super) records: Vec<Record>,
    pub(super) closed: Vec<AssociationId>,
    pub(super) exits: Vec<Exit>,
    pub(super) control: Vec<Output>,
    pub(super) group: Group,
    /// What was to be composed, and when.
    pub(super) departures: Vec<(Instant, Departure)>,
    pub(super) prepared: Vec<Destination>,
    turn: u32,
}

/// True time when `mono` is zero: 2026-11-21, far from any leap.
const START_UNIX_S: i64 = 1_795_219_200;

pub(super) const LOCAL: RefclockId = RefclockId { driver: 1, unit: 0 };

pub(super) fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

/// Nobody steers, so that nothing needs to be done each second.
pub(super) fn config(associations: Vec<AssociationConfig>) -> SystemConfig {
    SystemConfig {
        associations,
        precision: -20,
        steering: Steering {
            enabled: false,
            kernel: false,
            stored_freq_ppm: Some(0.0),
            ..Steering::default()
        },
        ..SystemConfig::default()
    }
}

impl World {
    pub(super) fn new(config: SystemConfig) -> Self {
        Self::with_error(config, 0.0)
    }

    pub(super) fn with_error(config: SystemConfig, error_s: f64) -> Self {
        let mono = Instant::default().plus_seconds(5.0);
        let system = System::new(wall(mono, error_s), config, [9; 32], Box::new(Ring));
        Self {
            system,
            mono,
            error_s,
            skew_ppm: 0.0,
            kernel: Kernel::default(),
            refuses: None,
            local: None,
            late: Vec::new(),
            servers: BTreeMap::new(),
            names: BTreeMap::new(),
            asked: Vec::new(),
            sent: Vec::new(),
            events: Vec::new(),
            steps_s: Vec::new(),
            published: Vec::new(),
            services: Vec::new(),
            jobs: Vec::new(),
            records: Vec::new(),
            closed: Vec::new(),
            exits: Vec::new(),
            control: Vec::new(),
            group: Group::default(),
            departures: Vec::new(),
            prepared: Vec::new(),
            turn: 0,
        }
    }

    pub(super) fn serve(&mut self, last: u8, server: Server) {
        self.servers.insert(address(last), server);
    }

    pub(super) fn now(&self) -> Now {
        wall(self.mono, self.error_s)
    }

    fn pass_s(&mut self, seconds: f64) {
        self.mono = self.mono.plus_seconds(seconds);
        self.error_s += seconds * self.skew_ppm * 1e-6 + self.kernel.pass_s(seconds);
    }

    /// From now on the LOCAL driver agrees with our clock, every 64 s.
    pub(super) fn feed_local(&mut self) {
        self.local = Some(self.mono);
    }

    /// Lets so much time pass, doing what comes due.
    pub(super) fn run_s(&mut self, seconds: f64) {
        let end = self.mono.plus_seconds(seconds);
        self.drain();
        while let Some(due) = self.next_due().filter(|due| *due < end) {
            self.pass_s(due.seconds_since(self.mono));
            let now = self.now();
            if self.local.is_some_and(|at| at <= now.mono) {
                self.local = Some(now.mono.plus_seconds(64.0));
                self.system.handle_refclock_sample(now, local_sample());
            }
            self.deliver_late();
            self.system.handle_timeout(now);
            self.drain();
        }
        self.pass_s(end.seconds_since(self.mono));
    }

    /// Second by second until it is so, for two hours at most.
    pub(super) fn run_until(&mut self, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..7200 {
            if is_so(self) {
                return;
            }
            self.run_s(1.0);
        }
        panic!("never so");
    }

    fn next_due(&self) -> Option<Instant> {
        let late = self.late.iter().map(|it| it.due);
        late.chain(self.local)
            .chain(self.system.poll_timeout())
            .min()
    }

    fn deliver_late(&mut self) {
        while let Some(at) = self.late.iter().position(|it| it.due <= self.mono) {
            let it = self.late.remove(at);
            self.deliver(&it.octets, it.source, it.via);
        }
    }

    pub(super) fn deliver(&mut self, octets: &[u8], source: SocketAddr, via: Via) {
        let stamp = self.stamp();
        let received = Received {
            octets,
            source,
            via,
            stamp,
        };
        let now = self.now();
        self.system.handle_packet(now, &received);
    }

    pub(super) fn host(&mut self, event: HostEvent) {
        let now = self.now();
        self.system.handle_host(now, event);
        self.drain();
    }

    /// The configuration is read again.
    pub(super) fn reload(&mut self, config: SystemConfig) {
        self.host(HostEvent::Reconfigured {
            config: Box::new(config),
            authenticator: Box::new(Ring),
        });
    }

    pub(super) fn drain(&mut self) {
        while let Some(output) = self.system.poll_output() {
            match output {
                Output::Send(transmit) => self.transmit(transmit),
                Output::Compose(departure) => self.departures.push((self.mono, departure)),
                Output::Prepare(_, destination) => self.prepared.push(destination),
                Output::Trace(_) => {}
                Output::Autokey(service) => self.services.push(service),
                Output::Crypto(id, _, job) => self.jobs.push((id, job)),
                Output::Adjust(adjustment) => self.adjust(adjustment),
                Output::Publish(snapshot) => self.published.push(snapshot),
                Output::Event(report) => self.events.push(report.event),
                Output::Close(id) => self.closed.push(id),
                Output::Exit(exit) => self.exits.push(exit),
                Output::Control(_) | Output::Operate(_) => self.control.push(output),
                Output::Record(record) => self.records.push(record),
                Output::StoreFrequency(_) | Output::Sources(_) => {}
                Output::Resolve(resolve) => {
                    self.asked.push(resolve.clone());
                    let outcome = super::looked_up(&self.names, &resolve.name);
                    let (now, request) = (self.now(), resolve.request);
                    let event = HostEvent::Resolved { request, outcome };
                    self.system.handle_host(now, event);
                }
            }
        }
    }

    fn adjust(&mut self, adjustment: Adjustment) {
        let outcome = match self.refuses {
            Some(refused) => Err(refused),
            None => Ok(self.execute(adjustment)),
        };
        let applied = Applied {
            adjustment,
            outcome,
        };
        let now = self.now();
        self.system.handle_applied(now, applied);
    }

    fn execute(&mut self, adjustment: Adjustment) -> crate::host::KernelClock {
        if let Adjustment::Step(by) = adjustment {
            self.steps_s.push(by.to_seconds());
            self.error_s += by.to_seconds();
        }
        self.kernel.execute(self.mono, adjustment)
    }

    pub(super) fn transmit(&mut self, transmit: Transmit) {
        if let Route::Ring { hops, .. } = transmit.route {
            return self.ask_group(&transmit, hops);
        }
        let Transmit {
            octets, to, ticket, ..
        } = transmit;
        let via = Via::Client(ticket.association());
        self.sent.push((to, self.mono));
        let stamp = self.stamp();
        self.system.handle_transmit_stamp(ticket, stamp);
        let Some(server) = self.servers.get(&to.ip()).copied().filter(|it| it.alive) else {
            return;
        };
        let request = Header::parse(octets.first_chunk().expect("a header"));
        self.pass_s(server.way_s);
        let reply = self.reply(&request, server);
        self.turn = self
            .turn
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        let late_s = f64::from(self.turn >> 16) / 65536.0 * 1e-4;
        self.pass_s(server.way_s + late_s);
        let octets = reply.to_octets();
        if server.late_s > 0.0 {
            self.late.push(Late {
                due: self.mono.plus_seconds(server.late_s),
                octets: octets.to_vec(),
                source: to,
                via,
            });
        } else {
            self.deliver(&octets, to, via);
        }
    }

    pub(super) fn reply(&self, request: &Header, server: Server) -> Header {
        let served = wall(self.mono, server.offset_s).wall;
        let mut header = Header::blank(request.version, Mode::Server);
        header.leap = server.leap;
        header.stratum = server.stratum;
        header.poll = 3;
        header.precision = -20;
        header.root_delay = NtpShort::from_seconds(0.001);
        header.root_dispersion = NtpShort::from_seconds(0.001);
        header.reference_id = server.reference_id;
        header.reference_time = served.plus(NtpDuration::from_seconds(-7.0));
        header.origin_time = request.transmit_time;
        header.receive_time = served;
        header.transmit_time = served.plus(NtpDuration::from_seconds(1e-6));
        if let Some(letters) = server.kiss {
            header.stratum = 0;
            header.leap = LeapIndicator::NotSynchronized;
            header.reference_id = ReferenceId::from_letters(letters);
        }
        header
    }

    fn stamp(&self) -> Stamp {
        Stamp {
            at: self.now().wall,
            class: StampClass::Kernel,
        }
    }
}

/// What the LOCAL driver says: it agrees with our clock.
fn local_sample() -> RefclockSample {
    RefclockSample {
        id: LOCAL,
        offset: NtpDuration::ZERO,
        dispersion: NtpDuration::from_seconds(0.01),
        jitter_s: 0.0,
        leap: LeapIndicator::NoWarning,
    }
}

fn wall(mono: Instant, error_s: f64) -> Now {
    let true_time = NtpTimestamp::from_unix(START_UNIX_S, 0);
    let start = Now {
        mono: Instant::default(),
        wall: true_time,
    };
    let error = NtpDuration::from_seconds(error_s);
    Now {
        mono,
        wall: start.wall_at(mono).plus(error),
    }
}
