//! `truechimer run`.
use crate::service::launch;
use clap::{ArgAction, Args};
use core::time::Duration;
use std::path::PathBuf;
use truechimer_engine::EngineChoice;

/// The words after `truechimer run`.
#[derive(Debug, Args)]
pub(super) struct RunWords {
    /// Configuration file
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Carry on past errors in the configuration, except where access or keys are concerned
    #[arg(long)]
    lenient: bool,
    /// How server threads receive: auto, uring or poll [env: TRUECHIMER_ENGINE]
    #[arg(long, value_name = "NAME", value_parser = launch::parse_engine)]
    engine: Option<EngineChoice>,
    /// Server threads, 0 for everything in one [env: TRUECHIMER_THREADS]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// UDP port to serve on
    #[arg(long)]
    port: Option<u16>,
    /// Leave the clock alone
    #[arg(long)]
    no_adjust: bool,
    /// No change of user, landlock or seccomp [env: TRUECHIMER_SANDBOX=off]
    #[arg(long)]
    no_sandbox: bool,
    /// User to run as
    #[arg(short, long, value_name = "USER[:GROUP]")]
    user: Option<String>,
    /// Let the first offset exceed the panic threshold, once per boot
    #[arg(short = 'g', long)]
    panic_gate: bool,
    /// Serve on this interface or address and on loopback only; may be repeated
    #[arg(long, value_name = "NAME|ADDRESS", value_parser = word)]
    interface: Vec<String>,
    /// Process id file, whatever the configuration says
    #[arg(long, value_name = "FILE")]
    pidfile: Option<PathBuf>,
    /// Drift file, whatever the configuration says
    #[arg(long, value_name = "FILE")]
    driftfile: Option<PathBuf>,
    /// Go to the background and end with 0 once synchronized, with 110 if not in so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    wait_sync: Option<u64>,
    /// Keep all capabilities
    #[arg(long)]
    no_drop_caps: bool,
    /// Use IPv4 only
    #[arg(short = '4', conflicts_with = "v6")]
    v4: bool,
    /// Use IPv6 only
    #[arg(short = '6')]
    v6: bool,
    /// More in the log, packets too; repeat for more
    #[arg(short, long, action = ArgAction::Count)]
    debug: u8,
    /// The same at once: 1 packets, 2 polls, 3 access rules (docs/adr/0025)
    #[arg(short = 'D', long, value_name = "LEVEL", value_parser = clap::value_parser!(u8).range(0..=10))]
    set_debug_level: Option<u8>,
}

/// A word that a line of ntp.conf can hold in quotes.
fn word(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(|c: char| c == '"' || c.is_control()) {
        return Err("no interface has such a name".to_owned());
    }
    Ok(text.to_owned())
}

impl RunWords {
    /// The run they ask for.
    pub(super) fn launch(self) -> launch::Launch {
        launch::Launch {
            lenient: self.lenient,
            config: self.config,
            engine: self.engine,
            threads: self.threads,
            port: self.port,
            adjust: !self.no_adjust,
            sandbox: !self.no_sandbox,
            user: self.user,
            panic_gate: self.panic_gate,
            families: match (self.v4, self.v6) {
                (true, _) => launch::Families::V4,
                (_, true) => launch::Families::V6,
                _ => launch::Families::Both,
            },
            debug_steps: self.set_debug_level.unwrap_or(0).saturating_add(self.debug),
            lines: launch::serve_only_on(&self.interface),
            pid_file: self.pidfile,
            drift_file: self.driftfile,
            foreground: self.wait_sync.is_none(),
            wait_sync: self.wait_sync.map(Duration::from_secs),
            drop_caps: !self.no_drop_caps,
            ..launch::Launch::truechimer()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persona::ntpd;
    use clap::Parser;
    use std::ffi::OsString;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        words: RunWords,
    }

    fn launched(words: &str) -> launch::Launch {
        let words = core::iter::once("run").chain(words.split_whitespace());
        Line::try_parse_from(words)
            .expect("understood")
            .words
            .launch()
    }

    #[test]
    fn run_words_reach_the_launch() {
        let launch = launched(
            "-c x.conf --engine poll --threads 0 --port 1123 --no-adjust --no-sandbox -u ntp -4 -g",
        );
        assert_eq!(launch.config, Some(PathBuf::from("x.conf")));
        assert_eq!((launch.threads, launch.port), (Some(0), Some(1123)));
        assert_eq!(launch.engine, Some(EngineChoice::Poll));
        assert!(!launch.adjust && !launch.sandbox && launch.panic_gate && launch.foreground);
        assert_eq!(launch.families, launch::Families::V4);
        assert_eq!(launch.user.as_deref(), Some("ntp"));
    }

    #[test]
    fn what_ntpd_has_too() {
        let launch = launched(
            "--interface lo --interface 192.0.2.1 --pidfile /p --driftfile /d --wait-sync 7 \
             --no-drop-caps --lenient",
        );
        let lines = "-I lo -I 192.0.2.1 -p /p -f /d -w 7 --no-drop-caps".split_whitespace();
        let Ok(ntpd::Asked::Run(same)) = ntpd::parse(lines.map(OsString::from)) else {
            panic!("ntpd");
        };
        assert_eq!(
            launch,
            launch::Launch {
                ident: launch.ident,
                ..*same
            }
        );
    }
}
