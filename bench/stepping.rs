//! Instructions in user space, counted by executing them one at a time: exact, the same on every run,
//! and possible where the machine has no counters, as most virtual ones.
use crate::load::Crowd;
use crate::process::Thread;
use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::time::{Duration, Instant};

/// Requests that wait at the server: it must never have to wait for one, for then we would wait for it.
const OUTSTANDING: usize = 192;
/// Instructions between two looks at what came back; an answer takes hundreds.
const LOOK_EVERY: u64 = 64;
/// Answers before counting begins, so that buffers and caches are as they stay.
const WARM_UP: u64 = 256;
/// Answers that are counted: many batches.
const COUNTED: u64 = 512;
/// It takes seconds, unless so much else runs that each instruction has to wait for a processor.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many instructions of user space this thread executes for an answer, its share of everything
/// between two of them included.
pub(crate) fn instructions_each(thread: &Thread, crowd: &mut Crowd) -> Result<f64, String> {
    let id = i32::try_from(thread.id).map_err(|_| "a thread without a number")?;
    let traced = Traced::seize(Pid::from_raw(id))?;
    traced.count(crowd)
}

/// A thread that executes nothing but what it is told to, until this is dropped.
struct Traced(Pid);

impl Traced {
    fn seize(thread: Pid) -> Result<Self, String> {
        let refused = |error| format!("ptrace of thread {thread}: {error}");
        ptrace::seize(thread, ptrace::Options::empty()).map_err(refused)?;
        let traced = Self(thread);
        ptrace::interrupt(thread).map_err(refused)?;
        traced.wait()?;
        Ok(traced)
    }

    fn count(&self, crowd: &mut Crowd) -> Result<f64, String> {
        crowd.ask(OUTSTANDING)?;
        let (mut executed, mut answers) = (0_u64, 0_u64);
        let mut begun = None;
        let mut signal = None;
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            ptrace::step(self.0, signal.take()).map_err(|error| format!("ptrace: {error}"))?;
            match self.wait()? {
                Signal::SIGTRAP => executed += 1,
                other => signal = Some(other),
            }
            if !executed.is_multiple_of(LOOK_EVERY) {
                continue;
            }
            let heard = crowd.hear();
            if heard == 0 {
                continue;
            }
            crowd.ask(heard)?;
            answers += heard as u64;
            match begun {
                None if answers >= WARM_UP => begun = Some((executed, answers)),
                Some((since, before)) if answers - before >= COUNTED => {
                    return Ok(ratio(executed - since, answers - before));
                }
                _ => {}
            }
        }
        Err(format!(
            "{answers} answers in {executed} instructions within {PATIENCE:?}; is the machine busy?"
        ))
    }

    fn wait(&self) -> Result<Signal, String> {
        match waitpid(self.0, Some(WaitPidFlag::__WALL)) {
            Ok(WaitStatus::Stopped(_, signal) | WaitStatus::PtraceEvent(_, signal, _)) => {
                Ok(signal)
            }
            Ok(status) => Err(format!("the thread is gone: {status:?}")),
            Err(error) => Err(format!("waitpid: {error}")),
        }
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        // One that is gone is as free as one that is let go.
        let _ = ptrace::detach(self.0, None);
    }
}

#[expect(clippy::cast_precision_loss, reason = "millions at most")]
fn ratio(executed: u64, answers: u64) -> f64 {
    executed as f64 / answers as f64
}
