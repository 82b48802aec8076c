//! `-g` once a boot: what uses it up, and the mark that tells the next start.
use crate::files::marker::PanicGate;
use truechimer_proto::event::SystemEvent;

/// The leave for one offset past the panic threshold, as long as it stands.
#[derive(Debug)]
pub(super) struct Gate {
    mark: PanicGate,
    /// The panic threshold, seconds.
    panic_s: f64,
    shut: bool,
}

impl Gate {
    /// Open, to be shut by this mark.
    pub(super) const fn new(mark: PanicGate, panic_s: f64) -> Self {
        Self {
            mark,
            panic_s,
            shut: false,
        }
    }

    /// The first offset that was taken uses `-g` up, however small, and so does a panic. Otherwise
    /// servers that lie later need only make the daemon end: the next start would believe them.
    pub(super) fn hear(&mut self, what: &SystemEvent) {
        match what {
            SystemEvent::ClockStep(offset_s)
            | SystemEvent::PanicStop(offset_s)
            | SystemEvent::SpikeDetect(offset_s) => self.shut(*offset_s),
            SystemEvent::ClockSync | SystemEvent::FrequencyMode => self.shut(0.0),
            _ => {}
        }
    }

    /// Leaves the mark, for an offset of so many seconds.
    pub(super) fn shut(&mut self, offset_s: f64) {
        if self.shut {
            return;
        }
        let path = self.mark.path().display();
        match self.mark.spend(offset_s) {
            Ok(()) if offset_s.abs() > self.panic_s => log::warn!(
                "-g is spent until the next boot: {offset_s:+.0} s is past the panic threshold; \
                 remove {path} to allow it again"
            ),
            Ok(()) => log::info!("-g is spent until the next boot, marked by {path}"),
            Err(error) => {
                log::error!("-g was used, and a restart will have it again: {path}: {error}");
                // Tried again with the next event: a disk that was full may not stay so.
                return;
            }
        }
        self.shut = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use std::fs;

    fn spent_after(events: &[SystemEvent]) -> Option<String> {
        let scratch = Scratch::new("service-gate");
        let mark = PanicGate::new(&scratch.path(""));
        let mut gate = Gate::new(PanicGate::new(&scratch.path("")), 1000.0);
        for event in events {
            gate.hear(event);
        }
        let spent = mark.is_spent();
        spent.then(|| fs::read_to_string(mark.path()).expect("text"))
    }

    #[test]
    fn whatever_was_accepted_uses_it_up_and_so_does_a_panic() {
        assert_eq!(spent_after(&[]), None);
        assert_eq!(spent_after(&[SystemEvent::NoSystemPeer]), None);
        for event in [
            SystemEvent::ClockSync,
            SystemEvent::FrequencyMode,
            SystemEvent::ClockStep(0.4),
            SystemEvent::ClockStep(5000.0),
            SystemEvent::PanicStop(5000.0),
        ] {
            assert!(
                spent_after(core::slice::from_ref(&event)).is_some(),
                "{event:?}"
            );
        }
    }

    #[test]
    fn only_the_first_is_written_down() {
        let text = spent_after(&[SystemEvent::ClockSync, SystemEvent::PanicStop(5000.0)]);
        assert_eq!(text.as_deref(), Some("offset +0.000000 s\n"));
    }

    #[test]
    fn a_mark_that_failed_is_tried_again() {
        let scratch = Scratch::new("service-gate-fail");
        let folder = scratch.path("run");
        let mut gate = Gate::new(PanicGate::new(&folder), 1000.0);
        gate.hear(&SystemEvent::ClockSync);
        fs::create_dir(&folder).expect("a folder");
        gate.hear(&SystemEvent::PanicStop(5000.0));
        assert!(PanicGate::new(&folder).is_spent());
    }
}
