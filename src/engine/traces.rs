//! Traces of what the service sockets do, on their way to the clock thread: bounded, and what does not
//! fit is counted. Nothing of it is there unless traces were asked for.
use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use truechimer_proto::packet::Received;
use truechimer_proto::server::{Policy, Verdict};
use truechimer_proto::trace::{Line, Trace, TraceLevel, local};
use truechimer_time::Instant;

/// Traces that wait for the clock thread, at most.
const QUEUE: usize = 1024;

/// The near end, one a server thread.
#[derive(Clone)]
pub(crate) struct Tracer {
    level: TraceLevel,
    sender: Sender<Trace>,
    lost: Arc<AtomicU64>,
}

/// The clock thread's end.
pub(crate) struct Traces {
    receiver: Receiver<Trace>,
    lost: Arc<AtomicU64>,
    told: u64,
}

/// Both ends, if traces are wanted.
pub(crate) fn traces(level: TraceLevel) -> Option<(Tracer, Traces)> {
    if level < TraceLevel::PACKETS {
        return None;
    }
    let (sender, receiver) = bounded(QUEUE);
    let lost = Arc::new(AtomicU64::new(0));
    let tracer = Tracer {
        level,
        sender,
        lost: Arc::clone(&lost),
    };
    let traces = Traces {
        receiver,
        lost,
        told: 0,
    };
    Some((tracer, traces))
}

impl Tracer {
    /// Tells what became of a datagram. What is handed to the clock thread is told of there.
    pub(crate) fn note(
        &self,
        at: Instant,
        received: &Received<'_>,
        verdict: Verdict,
        policy: &Policy,
        out: &[u8],
    ) {
        let reply = match verdict {
            Verdict::HandOff | Verdict::Control(_) | Verdict::Park => return,
            Verdict::Reply(len) => out.get(..len).unwrap_or_default(),
            Verdict::Drop(_) => &[],
        };
        let local = local(&received.via);
        if self.level >= TraceLevel::RULES {
            self.tell(Trace::Restricted {
                at,
                local,
                remote: received.source,
                flags: policy.flags_for(received.source),
            });
        }
        self.tell(Trace::answered(at, received, reply));
        if !reply.is_empty() {
            let line = Line::new(reply, local, received.source);
            self.tell(Trace::Sent { at, line });
        }
    }

    fn tell(&self, trace: Trace) {
        if self.sender.try_send(trace).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Traces {
    /// The next one.
    pub(crate) fn take(&self) -> Option<Trace> {
        self.receiver.try_recv().ok()
    }

    /// How many were lost since the last time.
    pub(crate) fn take_lost(&mut self) -> u64 {
        let lost = self.lost.load(Ordering::Relaxed);
        lost - core::mem::replace(&mut self.told, lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::SocketAddr;
    use truechimer_proto::packet::{Stamp, StampClass, Via};
    use truechimer_proto::server::DropReason;
    use truechimer_time::NtpTimestamp;

    #[test]
    fn what_does_not_fit_is_counted() {
        assert!(traces(TraceLevel(0)).is_none());
        let (tracer, mut traces) = traces(TraceLevel(1)).expect("wanted");
        let received = Received {
            octets: &[0x23; 48],
            source: SocketAddr::from(([10, 0, 0, 2], 123)),
            via: Via::Server(SocketAddr::from(([10, 0, 0, 1], 123))),
            stamp: Stamp {
                at: NtpTimestamp::ZERO,
                class: StampClass::User,
            },
        };
        let policy = Policy::default();
        let at = Instant::from_nanoseconds(0);
        for _ in 0..QUEUE {
            let verdict = Verdict::Drop(DropReason::Limited);
            tracer.note(at, &received, verdict, &policy, &[]);
        }
        tracer.note(at, &received, Verdict::Reply(48), &policy, &[0x24; 48]);
        tracer.note(at, &received, Verdict::HandOff, &policy, &[]);
        assert_eq!((traces.take_lost(), traces.take_lost()), (2, 0));
        let mut told = 0;
        while traces.take().is_some() {
            told += 1;
        }
        assert_eq!(told, QUEUE);
    }
}
