//! Control requests on their way to the clock thread: few, and after all else.
use core::net::SocketAddr;
use truechimer_proto::control::ControlRequest;
use truechimer_proto::server::RestrictFlags;
use truechimer_time::NtpTimestamp;

/// Control requests that wait for the clock thread, at most; what is more is dropped and counted.
pub(crate) const QUERIES_MAX: usize = 64;

/// A control request that waits.
pub(crate) struct Query {
    octets: Box<[u8]>,
    source: SocketAddr,
    local: SocketAddr,
    flags: RestrictFlags,
    arrived: NtpTimestamp,
}

impl Query {
    pub(crate) fn new(request: &ControlRequest<'_>) -> Self {
        Self {
            octets: request.octets.into(),
            source: request.source,
            local: request.local,
            flags: request.flags,
            arrived: request.arrived,
        }
    }

    pub(crate) const fn request(&self) -> ControlRequest<'_> {
        ControlRequest {
            octets: &self.octets,
            source: self.source,
            local: self.local,
            flags: self.flags,
            arrived: self.arrived,
        }
    }
}
