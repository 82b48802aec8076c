use crate::nic_clocks::HardwareStamping;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use truechimer_proto::config::Family;
use truechimer_proto::trace::TraceLevel;
use truechimer_sys::poll::HeldSignals;

/// What the engine is told; `daemon` fills it.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Where requests are served.
    pub listen: Listen,
    /// What is heard of that which is sent to many.
    pub hearing: Hearing,
    /// Server threads; 0 runs everything in the calling thread. At most four a core, and 256.
    pub server_threads: usize,
    /// How server threads receive.
    pub intake: IntakeConfig,
    /// Whether the clock may be adjusted. If not, every adjustment is refused without asking.
    pub may_adjust: bool,
    /// Client sockets open at once, at most; fewer where descriptors are few.
    pub client_sockets_max: usize,
    /// Whether threads are bound to cores; the one-thread form never is.
    pub pin_threads: bool,
    /// Cores they are bound to, in their order; the thread with the clock is the one after the last
    /// server thread. Empty is all there are.
    pub cores: Vec<usize>,
    /// Signals let in only while the clock thread waits; `None` where it cannot be done.
    pub held_signals: Option<HeldSignals>,
    /// How often the addresses of this host are looked up again, beside when the kernel says that
    /// they changed; `None` is never but when told to.
    pub rescan_every: Option<Duration>,
    /// Which interfaces are to stamp.
    pub hardware_stamping: Vec<HardwareStamping>,
    /// How much is told to somebody who looks for a fault.
    pub trace: TraceLevel,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            listen: Listen::Nowhere,
            hearing: Hearing::default(),
            server_threads: 0,
            intake: IntakeConfig::default(),
            may_adjust: false,
            client_sockets_max: 256,
            pin_threads: true,
            cores: Vec::new(),
            held_signals: None,
            rescan_every: Some(Duration::from_secs(60)),
            hardware_stamping: Vec::new(),
            trace: TraceLevel::default(),
        }
    }
}

/// How server threads receive and wait; the one-thread form always by poll(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntakeConfig {
    /// By what means.
    pub engine: EngineChoice,
    /// Longest span to wait for more requests than the first, above a rate at which that pays; zero is
    /// never. Through a ring only.
    pub linger: Duration,
    /// Threads do not sleep: a whole core each.
    pub spins: bool,
}

impl Default for IntakeConfig {
    fn default() -> Self {
        Self {
            engine: EngineChoice::Usual,
            linger: Duration::from_micros(100),
            spins: false,
        }
    }
}

/// The means by which server threads receive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineChoice {
    /// Nothing was said: by poll(2), until measurements show that a ring is better (ADR 0040).
    #[default]
    Usual,
    /// Through a ring where it can be had.
    Auto,
    /// Through a ring; by poll(2) where it cannot be had.
    Uring,
    /// By poll(2).
    Poll,
}

/// Where requests are served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// Nowhere: a client only.
    Nowhere,
    /// At these addresses and no others.
    Addresses(Vec<SocketAddr>),
    /// At the addresses of this host that the rules leave, looked up again when the kernel says
    /// that they changed, and every minute.
    Interfaces {
        /// UDP port.
        port: u16,
        /// Other families are not served, whatever the rules say.
        family: Family,
        /// Whether addresses whose label has a colon are served too, where no rule names them.
        aliases: bool,
        /// The last rule that matches an address decides. As with the reference, loopback is
        /// served unless a rule says otherwise, and everything else if there are no rules.
        rules: Vec<InterfaceRule>,
    },
}

/// What is heard of that which is sent to many, on every interface with an address that is served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hearing {
    /// Time told to the broadcast addresses.
    pub broadcasts: bool,
    /// Time told to these groups.
    pub groups: Vec<IpAddr>,
    /// Searches for servers in these groups (manycast).
    pub searches: Vec<IpAddr>,
}

/// One `interface` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceRule {
    /// What to do.
    pub action: Action,
    /// With which addresses.
    pub matches: Matches,
}

/// What to do with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Serve on it.
    Listen,
    /// Do not open it.
    Ignore,
    /// Open it, and drop whatever comes.
    Drop,
}

/// Which addresses a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matches {
    /// All but loopback.
    All,
    /// IPv4 ones.
    V4,
    /// IPv6 ones.
    V6,
    /// Those of the interface with this name, in whatever case.
    Name(String),
    /// The unspecified ones. Sockets are bound to each address, so there is none; but the rule is
    /// one.
    Wildcard,
    /// Those that share this many leading bits with this address.
    Prefix(IpAddr, u8),
}
