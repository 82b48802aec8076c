//! Where things are on this system, as autoconf's words have it: `TRUECHIMER_PREFIX`,
//! `TRUECHIMER_SYSCONFDIR` and `TRUECHIMER_LOCALSTATEDIR` in the environment of the build, and
//! again in that of a run.
use std::env;

/// The three folders, where they are said.
#[derive(Clone, Debug, Default)]
struct Said {
    prefix: Option<String>,
    sysconf: Option<String>,
    local_state: Option<String>,
}

impl Said {
    fn at_build() -> Self {
        Self {
            prefix: option_env!("TRUECHIMER_PREFIX").map(str::to_owned),
            sysconf: option_env!("TRUECHIMER_SYSCONFDIR").map(str::to_owned),
            local_state: option_env!("TRUECHIMER_LOCALSTATEDIR").map(str::to_owned),
        }
    }

    fn at_run() -> Self {
        Self {
            prefix: env::var("TRUECHIMER_PREFIX").ok(),
            sysconf: env::var("TRUECHIMER_SYSCONFDIR").ok(),
            local_state: env::var("TRUECHIMER_LOCALSTATEDIR").ok(),
        }
    }

    /// Files of the machine do not belong under /usr, whatever the prefix.
    fn under_prefix(&self, folder: &str) -> Option<String> {
        let prefix = self.prefix.as_deref()?.trim_end_matches('/');
        Some(match prefix {
            "/usr" => format!("/{folder}"),
            other => format!("{other}/{folder}"),
        })
    }

    fn sysconf(&self) -> Option<String> {
        self.sysconf.clone().or_else(|| self.under_prefix("etc"))
    }

    fn local_state(&self) -> Option<String> {
        self.local_state
            .clone()
            .or_else(|| self.under_prefix("var"))
    }
}

/// Where an ntp.conf is looked for when none is named, first come first taken: ours, ntpd's, and
/// NTPsec's, which is used but not without a word.
pub fn configurations() -> [String; 3] {
    configurations_in(&said_sysconf())
}

/// Where key files of Autokey are looked for when no folder is named, as by the reference.
pub fn system_folder() -> String {
    system_folder_of(&said_sysconf()).to_owned()
}

fn said_sysconf() -> Option<String> {
    let said = Said::at_run().sysconf();
    said.or_else(|| Said::at_build().sysconf())
}

fn system_folder_of(sysconf: &Option<String>) -> &str {
    sysconf.as_deref().unwrap_or("/etc").trim_end_matches('/')
}

fn configurations_in(sysconf: &Option<String>) -> [String; 3] {
    let folder = system_folder_of(sysconf);
    ["truechimer/ntp.conf", "ntp.conf", "ntpsec/ntp.conf"].map(|file| format!("{folder}/{file}"))
}

/// Where the folders are that are emptied at boot.
pub fn run_folder() -> String {
    let said = Said::at_run().local_state();
    run_folder_of(&said.or_else(|| Said::at_build().local_state()))
}

fn run_folder_of(local_state: &Option<String>) -> String {
    match local_state.as_deref().map(|it| it.trim_end_matches('/')) {
        None | Some("/var") => "/run".to_owned(),
        Some(other) => format!("{other}/run"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(prefix: Option<&str>, sysconf: Option<&str>, local_state: Option<&str>) -> Said {
        let own = |it: Option<&str>| it.map(str::to_owned);
        Said {
            prefix: own(prefix),
            sysconf: own(sysconf),
            local_state: own(local_state),
        }
    }

    #[test]
    fn as_configure_would_have_it() {
        for (said, conf, run) in [
            (said(None, None, None), "/etc/ntp.conf", "/run"),
            (said(Some("/usr"), None, None), "/etc/ntp.conf", "/run"),
            (
                said(Some("/usr/local/"), None, None),
                "/usr/local/etc/ntp.conf",
                "/usr/local/var/run",
            ),
            (
                said(Some("/usr"), Some("/etc/"), Some("/var")),
                "/etc/ntp.conf",
                "/run",
            ),
            (
                said(None, Some("/srv/etc"), Some("/srv/state")),
                "/srv/etc/ntp.conf",
                "/srv/state/run",
            ),
        ] {
            assert_eq!(configurations_in(&said.sysconf())[1], conf, "{said:?}");
            assert_eq!(run_folder_of(&said.local_state()), run, "{said:?}");
        }
    }
}
