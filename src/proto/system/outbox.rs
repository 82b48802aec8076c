//! What waits to be done by the host: bounded, so that nobody's packets can fill the memory.
use crate::host::Output;
use std::collections::VecDeque;

/// Most outputs held; a host that fetches after every call never comes near.
const OUTPUTS_AT_MOST: usize = 4096;
/// Events and records stop here, so that they cannot crowd out requests and adjustments.
const EVENTS_AT_MOST: usize = 1024;

/// A bounded queue of outputs, in order.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queue: VecDeque<Output>,
    dropped: u64,
}

impl Outbox {
    pub(super) fn push(&mut self, output: Output) {
        let most = if matches!(
            output,
            Output::Event(_) | Output::Record(_) | Output::Trace(_)
        ) {
            EVENTS_AT_MOST
        } else {
            OUTPUTS_AT_MOST
        };
        if self.queue.len() >= most {
            self.dropped = self.dropped.saturating_add(1);
        } else {
            self.queue.push_back(output);
        }
    }

    pub(super) fn pop(&mut self) -> Option<Output> {
        self.queue.pop_front()
    }

    /// Outputs that found the queue full.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Report, SystemEvent};

    #[test]
    fn events_are_dropped_first() {
        let mut outbox = Outbox::default();
        for _ in 0..EVENTS_AT_MOST + 5 {
            outbox.push(Output::Event(Report {
                event: Event::System(SystemEvent::Restart),
                coded: None,
            }));
        }
        outbox.push(Output::StoreFrequency(1.0));
        assert_eq!(outbox.dropped(), 5);
        let mut last = None;
        while let Some(output) = outbox.pop() {
            last = Some(output);
        }
        assert!(matches!(last, Some(Output::StoreFrequency(_))));
    }
}
