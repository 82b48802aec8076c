//! Handing traces to the host.
use super::{ClockThread, WORK_MAX};
use crate::host::Host;
use crate::notice::Notice;
use std::os::fd::{AsFd, AsRawFd};
use truechimer_proto::host::Output;
use truechimer_proto::packet::Transmit;
use truechimer_proto::trace::{Endpoint, Trace};
use truechimer_sys::clock;

impl ClockThread {
    /// Those of the server threads.
    pub(super) fn pass_traces(&mut self, host: &mut dyn Host) {
        let Some(traces) = &mut self.traces else {
            return;
        };
        for _ in 0..WORK_MAX {
            let Some(trace) = traces.take() else {
                break;
            };
            host.handle_output(clock::now(), Output::Trace(trace));
        }
        let lost = traces.take_lost();
        if lost > 0 {
            host.handle_notice(&Notice::TracesLost(lost));
        }
    }

    /// A packet that is about to leave.
    pub(super) fn trace_sent(&self, transmit: &Transmit, host: &mut dyn Host) {
        if self.traces.is_some() {
            let now = clock::now();
            let trace = Trace::sent(now.mono, transmit);
            host.handle_output(now, Output::Trace(trace));
        }
    }

    /// The service sockets, at the start and when they changed.
    pub(super) fn trace_endpoints(&mut self, host: &mut dyn Host) {
        if self.traces.is_none() {
            return;
        }
        let mut endpoints = Vec::new();
        for listener in self.serving.open() {
            endpoints.extend(listener.sockets.iter().map(|socket| Endpoint {
                descriptor: socket.as_fd().as_raw_fd(),
                address: listener.address,
                name: listener.name.clone(),
                unwanted: listener.unwanted,
            }));
        }
        if endpoints != self.endpoints {
            self.endpoints.clone_from(&endpoints);
            let trace = Trace::Endpoints(endpoints);
            host.handle_output(clock::now(), Output::Trace(trace));
        }
    }
}
