use core::time::Duration;
use std::fs::{self, File};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::time::Instant;

use crate::poll::PollSet;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, dup2_stderr, dup2_stdin, dup2_stdout, fork, setsid};

/// The code of a parent that lost patience: ETIMEDOUT, as ntpd's parent ends.
pub const TIMED_OUT: u8 = 110;

/// Where the code goes on after [`go_to_background`].
#[derive(Debug)]
pub enum Side {
    /// In the process that was started, once its child has come up or failed: it should end with
    /// this code now, and leave alone what is the child's.
    Parent(u8),
    /// In the child, without a terminal.
    Child(Startup),
}

/// The child's promise to tell how its start went. Dropped untold, as when the child ends, the
/// parent takes over the child's exit code.
#[derive(Debug)]
pub struct Startup(PipeWriter);

impl Startup {
    /// All is well: the parent may end.
    pub fn succeeded(mut self) {
        // A parent that was killed waits no more.
        let _ = self.0.write_all(&[0]);
    }
}

/// The classic fork: a child in a session of its own, with the three standard streams at
/// /dev/null. The parent waits for the child's start, so that whoever started it learns whether it
/// came up, or at most for `patience`: then it ends with [`TIMED_OUT`], and the child goes on.
///
/// # Errors
/// `ResourceBusy` where other threads run, for the child would have their locks and not them;
/// otherwise the kernel's. In the child an error of its own means that it should end.
pub fn go_to_background(patience: Option<Duration>) -> io::Result<Side> {
    let threads = fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    if threads > 1 {
        let text = format!("{threads} threads run, too many to fork");
        return Err(io::Error::new(io::ErrorKind::ResourceBusy, text));
    }
    // SAFETY: this is the only thread, as was just seen.
    unsafe { split(patience) }
}

/// # Safety
/// No other thread runs, or the child never waits for what such a thread may hold.
unsafe fn split(patience: Option<Duration>) -> io::Result<Side> {
    let null = File::options().read(true).write(true).open("/dev/null")?;
    let (heard, tell) = io::pipe()?;
    // SAFETY: the caller's promise: the child's copy of memory has no lock that it needs and nobody
    // will release, so it may go on like any process. No memory is passed.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => {
            drop(tell);
            Ok(Side::Parent(await_startup(heard, child, patience)?))
        }
        ForkResult::Child => {
            drop(heard);
            setsid()?;
            dup2_stdin(&null)?;
            dup2_stdout(&null)?;
            dup2_stderr(&null)?;
            Ok(Side::Child(Startup(tell)))
        }
    }
}

fn await_startup(mut heard: PipeReader, child: Pid, patience: Option<Duration>) -> io::Result<u8> {
    if let Some(patience) = patience
        && !hears(&heard, patience)?
    {
        return Ok(TIMED_OUT);
    }
    let mut word = [0];
    if heard.read(&mut word)? == 1 {
        return Ok(word[0]);
    }
    Ok(match waitpid(child, None)? {
        WaitStatus::Exited(_, code) => u8::try_from(code & 0xff).unwrap_or(u8::MAX),
        // As shells count them.
        WaitStatus::Signaled(_, signal, _) => 128_u8.saturating_add(signal as u8),
        _ => u8::MAX,
    })
}

/// Whether there is something to read, or the writer has gone, within this time.
fn hears(pipe: &PipeReader, patience: Duration) -> io::Result<bool> {
    let end = Instant::now().checked_add(patience);
    let mut set = PollSet::with_capacity(1);
    set.push(pipe);
    loop {
        let left = end.map_or(patience, |end| {
            end.saturating_duration_since(Instant::now())
        });
        if set.wait(left)? > 0 {
            return Ok(true);
        }
        // A signal ends a wait early too.
        if left.is_zero() {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{self, Command, ExitStatus};

    const ROLE: &str = "TRUECHIMER_TEST_BACKGROUND";

    /// Runs the test below alone in a process with one thread.
    fn run(role: &str) -> ExitStatus {
        Command::new(std::env::current_exe().unwrap())
            .args([
                "process::background::tests::role",
                "--exact",
                "--test-threads=1",
            ])
            .env(ROLE, role)
            .status()
            .unwrap()
    }

    #[test]
    fn role() {
        let Ok(role) = std::env::var(ROLE) else {
            return;
        };
        let patience = (role == "slow").then_some(Duration::from_millis(50));
        // SAFETY: libtest's other thread only waits for this one, and the child takes no lock of it.
        match unsafe { split(patience) }.unwrap() {
            Side::Parent(code) => process::exit(code.into()),
            Side::Child(startup) => {
                match role.as_str() {
                    "good" => startup.succeeded(),
                    "bad" => process::exit(69),
                    "slow" => std::thread::sleep(Duration::from_millis(500)),
                    _ => process::abort(),
                }
                process::exit(5);
            }
        }
    }

    #[test]
    fn the_parent_ends_as_the_start_went() {
        assert_eq!(run("good").code(), Some(0));
        assert_eq!(run("bad").code(), Some(69));
        assert_eq!(run("killed").code(), Some(134));
        assert_eq!(run("slow").code(), Some(110));
    }

    #[test]
    fn beside_other_threads_it_refuses() {
        let error = std::thread::spawn(|| go_to_background(None).map(drop))
            .join()
            .unwrap();
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::ResourceBusy);
    }
}
