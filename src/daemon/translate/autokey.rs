//! What Autokey is told of the configuration.
use std::sync::Arc;
use truechimer_config::settings::{Association, Autokey, Settings};
use truechimer_crypto::autokey::AutokeyDigest;
use truechimer_proto::autokey::facts::{Generation, HostFacts};
use truechimer_proto::config::{AssociationConfig, AutokeyConfig, EphemeralEnds};

/// Lifetime of a key list unless `automax` says otherwise, log2 seconds: the reference's.
const USUAL_AUTOMAX_LOG2_S: u8 = 12;

/// This host, by its key files.
#[derive(Clone)]
pub struct Host {
    /// What they say.
    pub facts: Arc<HostFacts>,
    /// The group of associations that name none.
    pub group: Option<String>,
    /// Of session keys.
    pub digest: AutokeyDigest,
    /// Digest of what is in the files.
    pub contents: [u8; 20],
    /// What was wrong with some of them.
    pub errors: Vec<String>,
}

impl core::fmt::Debug for Host {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Host({})", self.facts.name)
    }
}

impl Host {
    /// Whether another reading found the same.
    pub fn is_like(&self, other: &Self) -> bool {
        let timeless = |facts: &HostFacts| HostFacts {
            generation: Generation::default(),
            ..facts.clone()
        };
        self.contents == other.contents && timeless(&self.facts) == timeless(&other.facts)
    }

    /// The group that associations had to prove before these files were read is not forgotten because
    /// its parameters are gone; `true` if that is so.
    pub fn remember_group(&mut self, before: &Self, said: &Autokey) -> bool {
        let lost = self.group.is_none()
            && before.group.is_some()
            && said.idents.first() == before.group.as_ref();
        if lost {
            self.group.clone_from(&before.group);
        }
        lost
    }

    /// For the protocol, but for the private values.
    pub fn config(&self, said: &Autokey) -> AutokeyConfig {
        AutokeyConfig {
            host: Arc::clone(&self.facts),
            ident: said.default_ident.clone().or_else(|| self.group.clone()),
            automax: said.automax_log2_s.unwrap_or(USUAL_AUTOMAX_LOG2_S),
            private_values: Vec::new(),
            digest: self.digest.name(),
            insecure: said.insecure,
        }
    }

    /// Has an association's server prove the group that `crypto ident` names, if its line names none.
    pub fn ask_for_group(&self, line: &mut AssociationConfig) {
        if line.autokey && line.ident.is_none() {
            line.ident.clone_from(&self.group);
        }
    }
}

/// After which mishaps a source that nobody configured is given up.
pub const fn ephemeral_ends(settings: &Settings) -> EphemeralEnds {
    EphemeralEnds {
        on_crypto_error: settings.flags.unpeer_crypto_early,
        on_crypto_nak: settings.flags.unpeer_crypto_nak_early,
    }
}

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
