//! From the threads that log to the place where lines go: straight, or by a thread that waits in
//! their stead.
use super::sink::{Form, Sink};
use core::time::Duration;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use log::Level;
use std::thread;
use std::time::Instant;

/// Lines that wait to be written, at most; what is more is dropped and counted.
const QUEUE: usize = 512;
/// Longest wait at the end of a run.
const FINISH_WITHIN: Duration = Duration::from_millis(300);
/// Enough for one write(2) or one syslog(3).
const STACK_OCTETS: usize = 128 * 1024;

/// The way to the sink.
pub(super) enum Outlet {
    /// In the thread that logs.
    Here(Sink),
    /// In a thread of its own.
    Away(Scribe),
}

/// The near end of the thread that writes.
pub(super) struct Scribe {
    work: Sender<Work>,
    form: Form,
    dropped: u64,
}

enum Work {
    Line(Level, String),
    Reopen(&'static str),
    /// Answered when all before it is done.
    Finish(Sender<()>),
}

impl Outlet {
    /// Writes a line, or has it written.
    pub(super) fn write(&mut self, level: Level, ident: &'static str, text: &str) {
        match self {
            Self::Here(sink) => {
                let line = sink.form().dress(level, ident, text);
                sink.write(level, &line);
            }
            Self::Away(scribe) => scribe.write(level, ident, text),
        }
    }

    /// Starts the thread, if it does not run already and can be started.
    pub(super) fn move_away(&mut self) {
        let Self::Here(sink) = self else {
            return;
        };
        let (work, orders) = bounded(QUEUE);
        // Only a thread that runs is given the sink.
        let (give, given) = bounded(1);
        let builder = thread::Builder::new().name("log".to_owned());
        let started = builder
            .stack_size(STACK_OCTETS)
            .spawn(move || given.recv().map(|sink| write_down(sink, &orders)));
        if started.is_err() {
            return;
        }
        let form = sink.form();
        let scribe = Self::Away(Scribe {
            work,
            form,
            dropped: 0,
        });
        if let Self::Here(sink) = core::mem::replace(self, scribe) {
            // There is room for one, and the thread is there to take it.
            let _ = give.try_send(sink);
        }
    }

    /// Follows the log file's name again.
    pub(super) fn reopen(&mut self, ident: &'static str) {
        match self {
            Self::Here(sink) => sink.reopen(ident),
            Self::Away(scribe) => scribe.reopen(ident),
        }
    }

    /// Waits, within bounds, until everything is written.
    pub(super) fn finish(&mut self, ident: &'static str) {
        if let Self::Away(scribe) = self {
            scribe.finish(ident);
        }
    }
}

impl Scribe {
    fn write(&mut self, level: Level, ident: &str, text: &str) {
        if !self.confess(ident) {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        let line = Work::Line(level, self.form.dress(level, ident, text));
        if self.work.try_send(line).is_err() {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// The loss is told where the lines are missing; false while there is no room even for that.
    fn confess(&mut self, ident: &str) -> bool {
        if self.dropped == 0 {
            return true;
        }
        let sent = self.work.try_send(self.confession(ident)).is_ok();
        if sent {
            self.dropped = 0;
        }
        sent
    }

    fn confession(&self, ident: &str) -> Work {
        let text = format!("{} lines were lost: the log did not keep up", self.dropped);
        Work::Line(Level::Warn, self.form.dress(Level::Warn, ident, &text))
    }

    fn reopen(&mut self, ident: &'static str) {
        if let Err(TrySendError::Full(_)) = self.work.try_send(Work::Reopen(ident)) {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    fn finish(&mut self, ident: &str) {
        let until = Instant::now() + FINISH_WITHIN;
        if self.dropped > 0 {
            let sent = self.work.send_deadline(self.confession(ident), until);
            if sent.is_ok() {
                self.dropped = 0;
            }
        }
        let (done, heard) = bounded(1);
        if self.work.send_deadline(Work::Finish(done), until).is_ok() {
            // Late or never: the process ends all the same.
            let _ = heard.recv_deadline(until);
        }
    }
}

/// The thread: one line after the other, until the channel ends with the process.
fn write_down(mut sink: Sink, orders: &Receiver<Work>) {
    for work in orders {
        match work {
            Work::Line(level, line) => sink.write(level, &line),
            Work::Reopen(ident) => sink.reopen(ident),
            Work::Finish(done) => {
                // Whoever asked may have stopped waiting.
                let _ = done.try_send(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sink::LogFile;
    use super::*;
    use crate::testing::Scratch;
    use std::fs;
    use std::io::{BufRead, BufReader};
    use std::path::Path;

    fn away(path: &Path) -> Outlet {
        let file = LogFile::open(path).expect("writable");
        let mut outlet = Outlet::Here(Sink::File(file));
        outlet.move_away();
        assert!(matches!(outlet, Outlet::Away(_)));
        outlet
    }

    #[test]
    fn all_is_written_in_order_by_the_end() {
        let scratch = Scratch::new("outlet");
        let path = scratch.path("ntp.log");
        let mut outlet = away(&path);
        for number in 0..100 {
            outlet.write(Level::Info, "ntpd", &format!("number {number}"));
        }
        fs::rename(&path, scratch.path("ntp.log.1")).expect("there");
        outlet.reopen("ntpd");
        outlet.write(Level::Info, "ntpd", "number 100");
        outlet.finish("ntpd");
        let old = fs::read_to_string(scratch.path("ntp.log.1")).expect("text");
        let new = fs::read_to_string(&path).expect("text");
        let numbers = old.lines().chain(new.lines()).enumerate();
        assert_eq!(new.lines().count() + old.lines().count(), 101);
        for (number, line) in numbers {
            assert!(line.ends_with(&format!(": number {number}")), "{line}");
        }
        assert!(new.ends_with(": number 100\n"));
    }

    #[test]
    fn a_place_that_blocks_costs_lines_and_never_time() {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let mut outlet = Outlet::Here(Sink::File(LogFile::of(writer)));
        outlet.move_away();
        let began = Instant::now();
        let text = "x".repeat(500);
        for number in 0..2000 {
            outlet.write(Level::Info, "ntpd", &format!("{text} {number}"));
        }
        outlet.finish("ntpd");
        assert!(began.elapsed() < Duration::from_secs(5), "it waited");
        let reading = thread::spawn(move || BufReader::new(reader).lines().collect::<Vec<_>>());
        outlet.finish("ntpd");
        drop(outlet);
        let lines = reading.join().expect("no panic");
        let lines: Vec<String> = lines.into_iter().map(|line| line.expect("text")).collect();
        // Whatever is missing is owned up to in its place.
        let (mut expected, mut lost) = (0, 0);
        for line in lines {
            let text = line.split_once("]: ").expect("stamped").1;
            if let Some(count) = text.strip_suffix(" lines were lost: the log did not keep up") {
                let count: usize = count.parse().expect("a number");
                lost += count;
                expected += count;
            } else {
                assert!(text.ends_with(&format!("x {expected}")), "{text}");
                expected += 1;
            }
        }
        assert_eq!(expected, 2000);
        assert!(lost > 500, "{lost}");
    }
}
