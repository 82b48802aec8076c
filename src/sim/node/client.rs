use crate::random::Random;
use crate::world::NTP_PORT;
use core::net::SocketAddr;
use std::collections::BTreeMap;
use truechimer_proto::authentication::Authenticator;
use truechimer_proto::config::SystemConfig;
use truechimer_proto::packet::AssociationId;
use truechimer_proto::refclock::{Driver, DriverEvent, DriverOutput};
use truechimer_proto::snapshot::Snapshot;
use truechimer_proto::system::System;
use truechimer_refclocks::Local;
use truechimer_time::{Instant, Now};

/// Driver type of the undisciplined local clock.
const LOCAL: u8 = 1;

/// The clock thread of a machine: the system, its reference clocks and its sockets.
pub(crate) struct Client {
    pub(crate) system: System,
    pub(crate) snapshot: Snapshot,
    drivers: Vec<Box<dyn Driver>>,
    sockets: BTreeMap<AssociationId, Socket>,
}

/// A socket as the engine makes it: one request and one random port, or the service port for as long
/// as a symmetric peer is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Socket {
    pub(crate) port: u16,
    pub(crate) to: SocketAddr,
}

impl Client {
    pub(crate) fn new(
        now: Now,
        config: SystemConfig,
        seed: [u8; 32],
        keys: Box<dyn Authenticator>,
    ) -> Self {
        let local_clocks = config
            .refclocks
            .iter()
            .filter(|clock| clock.id.driver == LOCAL);
        let drivers = local_clocks
            .map(|clock| Box::new(Local::new(clock.id, clock.minpoll)) as Box<dyn Driver>)
            .collect();
        let system = System::new(now, config, seed, keys);
        Self {
            snapshot: system.snapshot(),
            system,
            drivers,
            sockets: BTreeMap::new(),
        }
    }

    /// Makes the association's socket anew and gives its port.
    pub(crate) fn open(&mut self, id: AssociationId, to: SocketAddr, random: &mut Random) -> u16 {
        let [low, high, ..] = random.bits().to_le_bytes();
        let port = 0xC000 | u16::from_le_bytes([low, high]);
        self.sockets.insert(id, Socket { port, to });
        port
    }

    /// The association's socket that stays: at the service port, connected with the peer.
    pub(crate) fn connect(&mut self, id: AssociationId, to: SocketAddr) -> u16 {
        let port = NTP_PORT;
        self.sockets.insert(id, Socket { port, to });
        port
    }

    /// Whose socket at the service port is connected with this peer.
    pub(crate) fn peer_at(&self, source: SocketAddr) -> Option<AssociationId> {
        let mut sockets = self.sockets.iter();
        let connected = sockets.find(|(_, it)| it.port == NTP_PORT && it.to == source);
        connected.map(|(id, _)| *id)
    }

    pub(crate) fn close(&mut self, id: AssociationId) {
        self.sockets.remove(&id);
    }

    pub(crate) fn association_at(&self, port: u16) -> Option<AssociationId> {
        let mut sockets = self.sockets.iter();
        sockets
            .find(|(_, socket)| socket.port == port)
            .map(|(id, _)| *id)
    }

    /// The socket whose last request went to this server.
    pub(crate) fn socket_to(&self, server: SocketAddr) -> Option<Socket> {
        self.sockets
            .values()
            .find(|socket| socket.to == server)
            .copied()
    }

    /// When system or reference clocks next want to run.
    pub(crate) fn timeout(&self) -> Option<Instant> {
        let clocks = self
            .drivers
            .iter()
            .filter_map(|driver| driver.poll_timeout());
        clocks.chain(self.system.poll_timeout()).min()
    }

    /// Runs whatever is due.
    pub(crate) fn wake(&mut self, now: Now) {
        let due = |timeout: Option<Instant>| timeout.is_some_and(|timeout| timeout <= now.mono);
        for driver in &mut self.drivers {
            if due(driver.poll_timeout()) {
                driver.handle(now, DriverEvent::Timer);
            }
            while let Some(DriverOutput::Sample(sample)) = driver.poll_output() {
                self.system.handle_refclock_sample(now, sample);
            }
        }
        if due(self.system.poll_timeout()) {
            self.system.handle_timeout(now);
        }
    }
}
