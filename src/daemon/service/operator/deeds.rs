//! Changes that no line of ntp.conf says: taking back what lines before them made, and reading keys
//! again.
use super::super::setup::{Setup, read_leap_table};
use crate::autokey;
use crate::translate::access;
use crate::translate::keys::Keys;
use truechimer_config::Settings;
use truechimer_proto::authentication::KeyId;
use truechimer_proto::control::{Relaxation, Rule};

/// Takes flags from an access rule, or the whole of it.
pub(super) fn relax(
    running: &Settings,
    keys: &Keys,
    rule: &Rule,
    how: Relaxation,
) -> Result<Setup, String> {
    let mut settings = running.clone();
    if !access::relax(&mut settings, rule, how) {
        let network = rule.network.address();
        return Err(format!("no line is about {network}"));
    }
    Ok(setup(settings, keys.clone()))
}

/// Trusts keys no more.
pub(super) fn distrust(running: &Settings, keys: &Keys, ids: &[KeyId]) -> Setup {
    let mut settings = running.clone();
    for id in ids {
        if let Ok(id) = u16::try_from(id.get()) {
            settings.authentication.trusted_keys.remove(id);
        }
    }
    let keys = keys.trusted_as(&settings);
    setup(settings, keys)
}

/// Reads the keys file again. A file without keys would lock out whoever asks for it.
pub(super) fn read_keys(running: &Settings) -> Result<Setup, String> {
    let loaded = Keys::load(running).map_err(|error| format!("the keys file: {error}"))?;
    if loaded.count == 0 {
        return Err("the keys file holds no key".to_owned());
    }
    Ok(setup(running.clone(), loaded.keys))
}

fn setup(settings: Settings, keys: Keys) -> Setup {
    let mut remarks = Vec::new();
    Setup {
        leap_table: read_leap_table(&settings, &mut remarks),
        autokey: autokey::read(&settings, &autokey::machine(), &mut remarks),
        settings,
        keys,
        included: Vec::new(),
        // What is to be said of the files was said when they were named.
        remarks: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use std::fs;
    use truechimer_config::{NoFiles, parse};

    #[test]
    fn keys_are_read_again_and_trusted_no_more() {
        let scratch = Scratch::new("deeds");
        let path = scratch.path("keys");
        fs::write(&path, "1 M one\n2 M two\n").expect("writable");
        let text = format!("keys {}\ntrustedkey 1 2 3\n", path.display());
        let running = parse("test", text.as_bytes(), &NoFiles).settings;
        let keys = Keys::load(&running).expect("readable").keys;
        let id = |number| KeyId::symmetric(number).expect("in range");
        let setup = distrust(&running, &keys, &[id(1)]);
        let trusted = |setup: &Setup, number| {
            let table = setup.keys.table().expect("a file");
            table.contains(id(number)) && table.is_trusted(id(number))
        };
        assert!(!trusted(&setup, 1) && trusted(&setup, 2));
        fs::write(&path, "2 M two\n3 M three\n").expect("writable");
        let setup = read_keys(&setup.settings).expect("readable");
        assert!(!trusted(&setup, 1) && trusted(&setup, 3));
        fs::write(&path, "# none\n").expect("writable");
        assert!(read_keys(&setup.settings).is_err());
    }
}
