//! A server under test: started on one core, measured through /proc, ended by its id.
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running server.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    child: Child,
}

impl Server {
    /// Starts `program` bound to these processors, as taskset(1) lists them, without the right to set
    /// the clock.
    pub(crate) fn start(
        name: &'static str,
        cores: &str,
        program: &Path,
        arguments: &[&str],
        log: &Path,
    ) -> Result<Self, String> {
        let log = fs::File::create(log).map_err(|error| format!("{}: {error}", log.display()))?;
        let child = Command::new("setpriv")
            .args([
                "--bounding-set",
                "-sys_time",
                "--inh-caps",
                "-sys_time",
                "--",
            ])
            .args(["taskset", "-c", cores])
            .arg(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::from(log))
            .spawn()
            .map_err(|error| format!("cannot start {name}: {error}"))?;
        Ok(Self { name, child })
    }

    /// Whether it runs no more.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }

    /// Every thread of it and of its children.
    pub(crate) fn threads(&self) -> Vec<Thread> {
        let mut all = Vec::new();
        threads_of(self.child.id(), &mut all);
        all
    }

    /// Processor time its threads and its children's have used, nanoseconds.
    pub(crate) fn cpu_ns(&self) -> Result<u64, String> {
        let gone = || format!("{} is gone", self.name);
        let used = |thread: &Thread| thread.cpu_ns().ok_or_else(gone);
        let threads = self.threads();
        if threads.is_empty() {
            return Err(gone());
        }
        threads.iter().map(used).sum()
    }

    /// Datagrams that have left in its network, whoever sent them.
    pub(crate) fn datagrams_out(&self) -> Result<u64, String> {
        let text = fs::read_to_string(format!("/proc/{}/net/snmp", self.child.id()))
            .map_err(|error| format!("{} is gone: {error}", self.name))?;
        let mut lines = text.lines().filter_map(|line| line.strip_prefix("Udp:"));
        let names = lines.next().unwrap_or_default().split_whitespace();
        let mut columns = names.zip(lines.next().unwrap_or_default().split_whitespace());
        let out = columns.find(|(name, _)| *name == "OutDatagrams");
        out.and_then(|(_, count)| count.parse().ok())
            .ok_or_else(|| "no OutDatagrams in /proc/net/snmp".to_owned())
    }

    /// A line of /proc/PID/status, in KiB.
    pub(crate) fn memory_kib(&self, key: &str) -> Result<u64, String> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .map_err(|error| format!("{} is gone: {error}", self.name))?;
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        let number = line.and_then(|rest| rest.trim_start_matches(':').split_whitespace().next());
        number
            .and_then(|word| word.parse().ok())
            .ok_or_else(|| format!("no {key} in status"))
    }
}

/// A thread of a server.
pub(crate) struct Thread {
    process: u32,
    pub(crate) id: u32,
}

impl Thread {
    /// Processor time it has used, nanoseconds; `None` if it is gone.
    pub(crate) fn cpu_ns(&self) -> Option<u64> {
        let path = format!("/proc/{}/task/{}/schedstat", self.process, self.id);
        let text = fs::read_to_string(path).ok()?;
        text.split_whitespace().next()?.parse().ok()
    }
}

fn threads_of(process: u32, all: &mut Vec<Thread>) {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter();
    let ids = tasks.flatten().flatten();
    for id in ids.filter_map(|task| task.file_name().to_str()?.parse().ok()) {
        all.push(Thread { process, id });
        let children = fs::read_to_string(format!("/proc/{process}/task/{id}/children"));
        for child in children.unwrap_or_default().split_whitespace() {
            if let Ok(child) = child.parse() {
                threads_of(child, all);
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that is gone already is as good as ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
