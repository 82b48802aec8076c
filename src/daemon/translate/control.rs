//! What control and private messages may ask and change, and what the host says of itself in them.
use nix::sys::utsname;
use truechimer_config::Settings;
use truechimer_config::settings::SetVar;
use truechimer_proto::authentication::KeyId;
use truechimer_proto::control::{ControlConfig, ExtraVariable, PrivateConfig};
use truechimer_wire::private::system_flags;

/// For `System`.
pub fn config(settings: &Settings) -> ControlConfig {
    let key = settings.authentication.control_key.as_ref();
    let uname = utsname::uname().ok();
    let shown = |part: fn(&utsname::UtsName) -> &std::ffi::OsStr| {
        let text = uname.as_ref().map(part).unwrap_or_default();
        text.to_string_lossy().into_owned()
    };
    let (kernel, release) = (shown(|it| it.sysname()), shown(|it| it.release()));
    ControlConfig {
        key: key.and_then(|key| KeyId::symmetric(u32::from(key.value))),
        private: settings.flags.mode7.then(|| private(settings)),
        may_save: settings.files.save_config.is_some(),
        variables: settings.monitoring.variables.iter().map(variable).collect(),
        version: concat!("truechimer ", env!("CARGO_PKG_VERSION")).to_owned(),
        processor: shown(|it| it.machine()),
        system: format!("{kernel}/{release}"),
    }
}

fn private(settings: &Settings) -> PrivateConfig {
    let key = settings.authentication.request_key.as_ref();
    let said = &settings.flags;
    let all = [
        (said.auth, system_flags::AUTH),
        (said.bclient, system_flags::BCLIENT),
        (said.calibrate, system_flags::CALIBRATE),
        (said.kernel, system_flags::KERNEL),
        (said.monitor, system_flags::MONITOR),
        (said.ntp, system_flags::NTP),
        (said.stats, system_flags::STATS),
    ];
    let set = all.into_iter().filter(|(set, _)| *set);
    PrivateConfig {
        key: key.and_then(|key| KeyId::symmetric(u32::from(key.value))),
        flags: set.fold(0, |sum, (_, bit)| sum | bit),
    }
}

fn variable(said: &SetVar) -> ExtraVariable {
    ExtraVariable {
        name: said.name.clone(),
        value: said.value.clone(),
        is_default: said.default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use truechimer_config::{NoFiles, parse};

    #[test]
    fn the_control_key_and_the_host() {
        let settings = parse("test", b"controlkey 7\n", &NoFiles).settings;
        let config = config(&settings);
        assert_eq!(config.key, KeyId::symmetric(7));
        assert!(config.system.starts_with("Linux/"), "{}", config.system);
        assert!(!config.processor.is_empty());
        assert!(config.version.starts_with("truechimer "));
        assert_eq!(config.private, None, "unless it is asked for");
    }

    #[test]
    fn private_requests_have_a_key_of_their_own() {
        let text = b"enable mode7\ndisable monitor\nrequestkey 8\ncontrolkey 7\n";
        let settings = parse("test", text, &NoFiles).settings;
        let private = config(&settings).private.expect("enabled");
        assert_eq!(private.key, KeyId::symmetric(8));
        assert_eq!(private.flags & system_flags::MONITOR, 0);
        let usual = system_flags::AUTH | system_flags::NTP;
        assert_eq!(private.flags & usual, usual);
    }
}
