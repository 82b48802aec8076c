//! What the command line and the environment ask of a run; one form for every persona.
use crate::logging::Ident;
use core::time::Duration;
use std::env;
use std::path::PathBuf;
use truechimer_engine::EngineChoice;
use truechimer_proto::trace::TraceLevel;

/// Address families to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Families {
    /// Both.
    #[default]
    Both,
    /// `-4`
    V4,
    /// `-6`
    V6,
}

/// A run, as asked for.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line, on its own"
)]
pub struct Launch {
    /// Name to log under.
    pub ident: Ident,
    /// Carry on past errors in lines that guard nothing.
    pub lenient: bool,
    /// `-c`: configuration file.
    pub config: Option<PathBuf>,
    /// Event engine, where one is named.
    pub engine: Option<EngineChoice>,
    /// Server threads; 0 runs everything in one, `None` is one a core.
    pub threads: Option<usize>,
    /// UDP port to serve on, 123 by default.
    pub port: Option<u16>,
    /// `-4`, `-6`.
    pub families: Families,
    /// Whether the clock may be steered.
    pub adjust: bool,
    /// Whether to lock ourselves in.
    pub sandbox: bool,
    /// `-u`: user to run as.
    pub user: Option<String>,
    /// `-g`: the first offset may exceed the panic threshold.
    pub panic_gate: bool,
    /// `-q`: set the clock once.
    pub one_shot: bool,
    /// `-x`: step threshold, seconds.
    pub step_threshold_s: Option<f64>,
    /// `-f`: drift file.
    pub drift_file: Option<PathBuf>,
    /// `-l`: log file.
    pub log_file: Option<PathBuf>,
    /// `-p`: process id file.
    pub pid_file: Option<PathBuf>,
    /// `-d`, `-D`: log levels beyond the usual.
    pub debug_steps: u8,
    /// Stay in the foreground.
    pub foreground: bool,
    /// Lines of ntp.conf that the command line adds to the configuration.
    pub lines: Vec<String>,
    /// What there is to say of the command line itself.
    pub remarks: Vec<String>,
    /// `-G`: the first offset is stepped, however small.
    pub force_step: bool,
    /// `-U`: how often the addresses of this host are looked up again.
    pub rescan: Rescan,
    /// `-L`: aliases of interfaces are not served on.
    pub no_aliases: bool,
    /// `-N`, `-P`: the clock thread goes before all ordinary ones.
    pub real_time: Option<RealTime>,
    /// `-w`: whoever started us waits so long for the clock to be synchronized.
    pub wait_sync: Option<Duration>,
    /// `--saveconfigquit`: write the configuration there, and do nothing else.
    pub save_config: Option<PathBuf>,
    /// Capabilities that are not needed are given up.
    pub drop_caps: bool,
}

/// The lines of ntp.conf that close every address but these, names of interfaces or addresses, and
/// loopback's; none for none.
pub fn serve_only_on(places: &[String]) -> Vec<String> {
    if places.is_empty() {
        return Vec::new();
    }
    let closing = ["ignore all", "listen 127.0.0.1", "listen ::1"].map(str::to_owned);
    let opened = places.iter().map(|place| format!("listen \"{place}\""));
    let rules = closing.into_iter().chain(opened);
    rules.map(|rule| format!("interface {rule}")).collect()
}

/// How often the addresses of this host are looked up again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rescan {
    /// As often as the engine does by itself.
    #[default]
    Usual,
    /// At this interval.
    Every(Duration),
    /// Not at all.
    Never,
}

/// A real-time priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RealTime {
    /// The highest there is.
    Highest,
    /// This one, 1 to 99.
    At(i32),
}

impl Launch {
    /// How much is told of packets.
    pub fn trace(&self) -> TraceLevel {
        TraceLevel(self.debug_steps).min(TraceLevel::MOST)
    }

    /// `truechimer run` without options.
    pub fn truechimer() -> Self {
        Self {
            ident: Ident::Truechimer,
            lenient: false,
            config: None,
            engine: None,
            threads: None,
            port: None,
            families: Families::Both,
            adjust: true,
            sandbox: true,
            user: None,
            panic_gate: false,
            one_shot: false,
            step_threshold_s: None,
            drift_file: None,
            log_file: None,
            pid_file: None,
            debug_steps: 0,
            foreground: true,
            lines: Vec::new(),
            remarks: Vec::new(),
            force_step: false,
            rescan: Rescan::Usual,
            no_aliases: false,
            real_time: None,
            wait_sync: None,
            save_config: None,
            drop_caps: true,
        }
    }

    /// `ntpd` without options.
    pub fn ntpd() -> Self {
        Self {
            ident: Ident::Ntpd,
            lenient: true,
            foreground: false,
            ..Self::truechimer()
        }
    }

    /// Fills what the command line left open from the environment, which is how personas are
    /// steered: TRUECHIMER_ENGINE, TRUECHIMER_THREADS, TRUECHIMER_SANDBOX.
    ///
    /// # Errors
    /// A value that means nothing, in words.
    pub fn with_environment(self) -> Result<Self, String> {
        self.with_variables(|name| env::var(name).ok())
    }

    fn with_variables(mut self, variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        if let (None, Some(engine)) = (&self.engine, variable("TRUECHIMER_ENGINE")) {
            self.engine = Some(parse_engine(&engine)?);
        }
        if let (None, Some(threads)) = (self.threads, variable("TRUECHIMER_THREADS")) {
            let number = threads
                .parse()
                .map_err(|_| format!("TRUECHIMER_THREADS={threads}: not a number of threads"))?;
            self.threads = Some(number);
        }
        match variable("TRUECHIMER_SANDBOX").as_deref() {
            None | Some("on") => {}
            Some("off") => self.sandbox = false,
            Some(other) => return Err(format!("TRUECHIMER_SANDBOX={other}: on or off")),
        }
        Ok(self)
    }
}

/// The engine of this name.
///
/// # Errors
/// For any other name, in words.
pub fn parse_engine(name: &str) -> Result<EngineChoice, String> {
    match name {
        "auto" => Ok(EngineChoice::Auto),
        "uring" => Ok(EngineChoice::Uring),
        "poll" => Ok(EngineChoice::Poll),
        _ => Err(format!("engine {name}: auto, uring or poll")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Result<Launch, String> {
        Launch::ntpd().with_variables(|name| {
            let found = pairs.iter().find(|pair| pair.0 == name);
            found.map(|pair| pair.1.to_owned())
        })
    }

    #[test]
    fn the_environment_steers_a_persona() {
        assert_eq!(with(&[]), Ok(Launch::ntpd()));
        let launch = with(&[
            ("TRUECHIMER_ENGINE", "poll"),
            ("TRUECHIMER_THREADS", "0"),
            ("TRUECHIMER_SANDBOX", "off"),
        ])
        .expect("understood");
        assert_eq!((launch.threads, launch.sandbox), (Some(0), false));
        assert_eq!(launch.engine, Some(EngineChoice::Poll));
        for name in ["auto", "uring"] {
            with(&[("TRUECHIMER_ENGINE", name)]).expect("an engine");
        }
        with(&[("TRUECHIMER_ENGINE", "steam")]).expect_err("none");
        with(&[("TRUECHIMER_THREADS", "-1")]).expect_err("no number");
        with(&[("TRUECHIMER_SANDBOX", "no")]).expect_err("on or off");
    }

    #[test]
    fn the_command_line_comes_first() {
        let mut launch = Launch::truechimer();
        launch.threads = Some(3);
        launch.engine = Some(EngineChoice::Uring);
        let variable = |name: &str| (name != "TRUECHIMER_SANDBOX").then(|| "0".to_owned());
        let launch = launch.with_variables(variable).expect("not looked at");
        assert_eq!(launch.threads, Some(3));
    }
}
