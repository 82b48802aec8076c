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
    /// Starts `command` bound to processor `core`, without the right to set the clock.
    pub(crate) fn start(
        name: &'static str,
        core: usize,
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
            .args(["taskset", "-c", &core.to_string()])
            .arg(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::from(log))
            .spawn()
            .map_err(|error| format!("cannot start {name}: {error}"))?;
        Ok(Self { name, child })
    }

    /// Processor time its threads have used, nanoseconds.
    pub(crate) fn cpu_ns(&self) -> Result<u64, String> {
        let folder = format!("/proc/{}/task", self.child.id());
        let gone = |error| format!("{} is gone: {error}", self.name);
        let mut total = 0;
        for task in fs::read_dir(folder).map_err(gone)? {
            let path = task.map_err(gone)?.path().join("schedstat");
            let text = fs::read_to_string(path).map_err(gone)?;
            let used = text
                .split_whitespace()
                .next()
                .and_then(|word| word.parse::<u64>().ok());
            total += used.ok_or("schedstat is not numbers")?;
        }
        Ok(total)
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

impl Drop for Server {
    fn drop(&mut self) {
        // A server that is gone already is as good as ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
