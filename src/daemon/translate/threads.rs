//! `engine` lines to server threads.
use core::time::Duration;
use truechimer_config::Settings;
use truechimer_config::settings::EngineName;
use truechimer_engine::{EngineChoice, IntakeConfig};

/// What the configuration wants of server threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// How they receive and wait.
    pub intake: IntakeConfig,
    /// How many, if that was said.
    pub threads: Option<usize>,
    /// Where; empty if that was not said.
    pub cores: Vec<usize>,
}

/// Reads the settings.
pub fn wanted(settings: &Settings) -> Wanted {
    let said = &settings.machine.engine;
    let usual = IntakeConfig::default();
    let linger = said.linger_us.map(|us| Duration::from_micros(us.into()));
    let small = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    Wanted {
        intake: IntakeConfig {
            engine: match said.name {
                None => usual.engine,
                Some(EngineName::Auto) => EngineChoice::Auto,
                Some(EngineName::Uring) => EngineChoice::Uring,
                Some(EngineName::Poll) => EngineChoice::Poll,
            },
            linger: linger.unwrap_or(usual.linger),
            spins: said.spin,
        },
        threads: said.threads.map(small),
        cores: said.cores.iter().copied().map(small).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use truechimer_config::{NoFiles, parse};

    fn of(text: &str) -> Wanted {
        let parsed = parse("test", text.as_bytes(), &NoFiles);
        assert!(!parsed.has_errors(), "{}", parsed.render(false));
        wanted(&parsed.settings)
    }

    #[test]
    fn nothing_said_is_the_engines_own() {
        let wanted = of("");
        assert_eq!(wanted.intake, IntakeConfig::default());
        assert_eq!((wanted.threads, wanted.cores.len()), (None, 0));
    }

    #[test]
    fn every_word_of_an_engine_line() {
        let wanted = of("engine poll threads 2 core 3 core 1 linger 250 spin\n");
        let intake = IntakeConfig {
            engine: EngineChoice::Poll,
            linger: Duration::from_micros(250),
            spins: true,
        };
        assert_eq!(wanted.intake, intake);
        assert_eq!((wanted.threads, wanted.cores), (Some(2), vec![3, 1]));
        assert_eq!(of("engine linger 0").intake.linger, Duration::ZERO);
    }
}
