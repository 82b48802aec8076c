//! What Autokey is told of the configuration.
use truechimer_config::settings::{Association, Settings};

/// The lines whose servers can prove who they are, if they are to. Without key files nobody can by
/// Autokey, and who is to would be believed without.
pub fn provable(settings: &Settings, has_keys: bool) -> impl Iterator<Item = &Association> {
    let all = settings.associations.iter();
    all.filter(move |it| has_keys || !it.options.autokey)
}

#[cfg(test)]
mod tests {
    use super::*;
    use truechimer_config::{NoFiles, parse};

    #[test]
    fn without_keys_nobody_is_believed_in_autokeys_stead() {
        let text = b"crypto pw p\nserver 192.0.2.1 autokey\nserver 192.0.2.2\n";
        let settings = parse("test", text, &NoFiles).settings;
        let hosts = |has_keys| -> Vec<_> {
            let lines = provable(&settings, has_keys);
            lines.map(|it| it.host.to_string()).collect()
        };
        assert_eq!(hosts(false), ["192.0.2.2"]);
        assert_eq!(hosts(true), ["192.0.2.1", "192.0.2.2"]);
    }
}
