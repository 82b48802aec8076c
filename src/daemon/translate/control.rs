//! What control messages may ask and change, and what the host says of itself in them.
use nix::sys::utsname;
use truechimer_config::Settings;
use truechimer_config::settings::SetVar;
use truechimer_proto::authentication::KeyId;
use truechimer_proto::control::{ControlConfig, ExtraVariable};

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
        may_save: settings.files.save_config.is_some(),
        variables: settings.monitoring.variables.iter().map(variable).collect(),
        version: concat!("truechimer ", env!("CARGO_PKG_VERSION")).to_owned(),
        processor: shown(|it| it.machine()),
        system: format!("{kernel}/{release}"),
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
    }
}
