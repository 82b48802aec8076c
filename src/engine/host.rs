use crate::config::{Hearing, Listen};
use crate::counters::ServerCounts;
use crate::notice::Notice;
use crate::rings::EngineReason;
use core::net::SocketAddr;
use core::time::Duration;
use std::sync::Arc;
use truechimer_proto::autokey::pool_counts::PoolCounts;
use truechimer_proto::host::{Exit, HostEvent, Output};
use truechimer_proto::server::Policy;
use truechimer_proto::status::SystemStatus;
use truechimer_proto::system::System;
use truechimer_time::Now;

/// Who runs the engine: names, files, logs, signals and the operator are its business. Called on
/// the clock thread, so nothing here may wait.
pub trait Host {
    /// An output the engine has no use for itself: `Resolve`, `Event`, `Record`, `Trace`,
    /// `StoreFrequency`, `Exit`.
    fn handle_output(&mut self, now: Now, output: Output);
    /// The next thing the protocol should know; asked each turn, at least once a second.
    fn poll_event(&mut self, now: Now) -> Option<HostEvent>;
    /// The next thing the engine should do; asked each turn, at least once a second.
    fn poll_command(&mut self) -> Option<Command>;
    /// Something about sockets or threads the operator may want to know.
    fn handle_notice(&mut self, notice: &Notice);
    /// Answer to `Command::Report`.
    fn handle_report(&mut self, now: Now, report: Report);
}

/// What the host may ask of the engine.
#[derive(Debug)]
pub enum Command {
    /// End, leaving the clock at its base frequency.
    Stop,
    /// Tell how things are.
    Report,
    /// Answer by this policy from now on, with authenticators made anew.
    ReplacePolicy(Arc<Policy>),
    /// Serve there, and hear this, from now on. What is open and still wanted stays open.
    ReplaceListen(Listen, Hearing),
    /// Look for new and lost addresses of this host now.
    Rescan,
}

/// How things are.
#[derive(Clone, Debug)]
pub struct Report {
    /// The protocol's variables.
    pub system: SystemStatus,
    /// Server threads; 0 if there is one thread for all.
    pub server_threads: usize,
    /// Why these use the engine they use.
    pub engine_reason: EngineReason,
    /// What each server thread has counted, and last the clock thread, which serves at its own
    /// sockets; one entry for the one-thread form.
    pub servers: Vec<ServerCounts>,
    /// What became of jobs for holders of keys, where there are any.
    pub crypto: Option<PoolCounts>,
    /// Addresses served.
    pub listening: Vec<SocketAddr>,
    /// Groups and broadcast addresses heard, counted once for each interface.
    pub hearing: usize,
    /// Client sockets open.
    pub client_sockets: usize,
    /// How long after its time the last packet of a timed turn had left, at worst, since the report
    /// before.
    pub worst_lateness: Duration,
}

/// Why the engine ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Why {
    /// `Command::Stop`.
    Stopped,
    /// The protocol asked for it.
    Exit(Exit),
}

/// The end of a run, with the protocol's last state.
pub struct Ended {
    /// Why.
    pub why: Why,
    /// For the frequency to keep and a last status.
    pub system: System,
}
