//! Working off what `System` wants done.
use super::{ClockThread, WORK_MAX};
use crate::host::{Host, Why};
use crate::senders::NotSent;
use truechimer_proto::host::{Adjustment, Departure, Output};
use truechimer_proto::packet::{AssociationId, Destination, Route, Transmit};
use truechimer_sys::clock;

impl ClockThread {
    /// Works off the outputs in their order; those left over after a turn's worth wait for the
    /// next.
    pub(super) fn work(&mut self, host: &mut dyn Host) {
        self.pass_traces(host);
        for _ in 0..WORK_MAX {
            let Some(output) = self.system.poll_output() else {
                return;
            };
            match output {
                Output::Send(transmit) => self.send(transmit, host),
                Output::Compose(departure) => {
                    self.prepare(departure);
                    if let Some(transmit) = self.system.compose(clock::now(), departure) {
                        self.send(transmit, host);
                    }
                }
                Output::Prepare(id, destination) => self.open(id, destination),
                Output::Close(id) => {
                    self.clients.close(&mut self.system, id);
                    self.senders.close(&mut self.system, id);
                }
                Output::Adjust(adjustment) => self.adjust(adjustment),
                Output::Publish(snapshot) => {
                    self.serving.publish(&snapshot);
                    host.handle_output(clock::now(), output);
                }
                Output::Crypto(id, class, job) => self.have_done(id, class, job),
                Output::Autokey(service) => self.serving.use_autokey(service),
                Output::Sources(servers) => self.serving.use_servers(servers),
                Output::Exit(exit) => {
                    self.ended = Some(Why::Exit(exit));
                    host.handle_output(clock::now(), Output::Exit(exit));
                    return;
                }
                Output::Control(reply) => self.send_control(&reply),
                Output::Resolve(_)
                | Output::Operate(_)
                | Output::Event(_)
                | Output::Record(_)
                | Output::Trace(_)
                | Output::StoreFrequency(_) => {
                    host.handle_output(clock::now(), output);
                }
            }
        }
        self.hurry = true;
    }

    /// Opens what the departure leaves through, where it cannot be made before that.
    fn prepare(&mut self, departure: Departure) {
        if let Some(destination) = self.system.destination(departure) {
            self.open(departure.association, destination);
        }
    }

    fn open(&mut self, id: AssociationId, destination: Destination) {
        let (system, Destination { to, route }) = (&mut self.system, destination);
        match route {
            Route::Fresh | Route::Ring { .. } => self.clients.prepare(system, id, to, &self.nics),
            Route::Lasting | Route::Broadcast { .. } => {
                let listeners = self.serving.listeners();
                self.senders.open(system, to, route, id, listeners);
            }
        }
    }

    fn send(&mut self, transmit: Transmit, host: &mut dyn Host) {
        self.trace_sent(&transmit, host);
        let Self {
            system,
            clients,
            senders,
            serving,
            nics,
            ..
        } = self;
        let notice = match transmit.route {
            Route::Fresh | Route::Ring { .. } => {
                clients.send(system, transmit, serving.listeners(), nics)
            }
            Route::Lasting | Route::Broadcast { .. } => senders
                .send(system, transmit, serving.listeners())
                .and_then(|NotSent { to, error }| clients.tell(to, error)),
        };
        if let Some(notice) = notice {
            host.handle_notice(&notice);
        }
    }

    fn adjust(&mut self, adjustment: Adjustment) {
        let applied = self.hand.apply(adjustment);
        self.system.handle_applied(clock::now(), applied);
    }
}
