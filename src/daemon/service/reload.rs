//! SIGHUP: the files are read again on a thread of their own, and taken over if they are good.
use super::launch::Launch;
use super::setup::{self, Refused, Setup};
use super::surroundings;
use crate::autokey::Reading;
use crate::files::config::Origin;
use crate::translate::autokey::Host;
use crate::translate::system::Findings;
use crate::translate::{self, keys::Keys};
use crossbeam_channel::{Receiver, TryRecvError, bounded};
use std::io;
use std::sync::Arc;
use std::thread;
use truechimer_config::Settings;
use truechimer_crypto::autokey::AutokeyDigest;
use truechimer_engine::{Hearing, Listen};
use truechimer_proto::config::SystemConfig;
use truechimer_proto::server::{MruTable, Policy};
use truechimer_sys::entropy;

/// What a start leaves behind so that a reload can do the same again.
#[derive(Clone, Debug)]
pub(super) struct Basis {
    /// Where the configuration is.
    pub(super) origin: Origin,
    /// What the command line asked.
    pub(super) launch: Launch,
    /// What the host found out.
    pub(super) findings: Findings,
}

/// A good new configuration, in each room's terms.
pub(super) struct Fresh {
    /// For `System`.
    pub(super) config: SystemConfig,
    /// For the server threads.
    pub(super) policy: Arc<Policy>,
    /// Where to serve.
    pub(super) listen: Listen,
    /// What to hear there.
    pub(super) hearing: Hearing,
    /// For all of them.
    pub(super) keys: FreshKeys,
    /// Of Autokey's session keys.
    pub(super) digest: Option<AutokeyDigest>,
    /// Autokey's keys, where they changed.
    pub(super) reading: Option<Reading>,
    /// The operator's words for all that.
    pub(super) settings: Settings,
}

/// Keys after a reload.
pub(super) enum FreshKeys {
    /// The file was read.
    Read(Keys),
    /// It could not be: the old secrets, trusted as these settings say. To keep the old trust as
    /// well would leave a revoked key in force.
    OldSecrets(Box<Settings>),
}

impl FreshKeys {
    /// The keys from now on.
    pub(super) fn after(self, old: &Keys) -> Keys {
        match self {
            Self::Read(keys) => keys,
            Self::OldSecrets(settings) => old.trusted_as(&settings),
        }
    }
}

/// Reads again when asked, one reading at a time.
#[derive(Debug)]
pub(super) struct Reloader {
    basis: Basis,
    under_way: Option<Receiver<Result<Setup, Refused>>>,
    again: bool,
    /// A reading could not even start, and has to be reported as ended: whoever was told of the
    /// beginning waits for the end.
    stillborn: bool,
    stack_octets: usize,
}

/// For the reading thread: the parser, its files and the lists of names it may hold.
const STACK_OCTETS: usize = 2 * 1024 * 1024;

impl Reloader {
    /// For a run that was started so.
    pub(super) const fn new(basis: Basis) -> Self {
        Self {
            basis,
            under_way: None,
            again: false,
            stillborn: false,
            stack_octets: STACK_OCTETS,
        }
    }

    /// Starts reading, or notes that it has to be done once more.
    pub(super) fn ask(&mut self) {
        if self.under_way.is_some() {
            self.again = true;
            return;
        }
        match self.start() {
            Ok(receiver) => self.under_way = Some(receiver),
            Err(error) => {
                log::error!("cannot start the reload: {error}; all stays as it was");
                self.stillborn = true;
            }
        }
    }

    /// The new configuration, once it is read and good; a bad one is logged and forgotten. The
    /// outer `Option` tells that a reading has ended.
    pub(super) fn poll(&mut self) -> Option<Option<Fresh>> {
        if core::mem::take(&mut self.stillborn) {
            return Some(None);
        }
        let outcome = match self.under_way.as_ref()?.try_recv() {
            Ok(outcome) => outcome,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => {
                log::error!("the reload failed; all stays as it was");
                self.under_way = None;
                return Some(None);
            }
        };
        self.under_way = None;
        if core::mem::take(&mut self.again) {
            self.ask();
        }
        Some(match outcome {
            Ok(setup) => Some(self.take(setup)),
            Err(refused) => {
                for line in refused.lines() {
                    log::error!("{line}");
                }
                if refused.is_denied() && self.basis.launch.sandbox {
                    log::error!(
                        "a file is closed by landlock or to this user since the start; restart to \
                         read it"
                    );
                }
                log::error!("the new configuration is refused; the old one stays");
                None
            }
        })
    }

    fn start(&self) -> io::Result<Receiver<Result<Setup, Refused>>> {
        let (sender, receiver) = bounded(1);
        let origin = self.basis.origin.clone();
        let launch = self.basis.launch.clone();
        thread::Builder::new()
            .name("reload".to_owned())
            .stack_size(self.stack_octets)
            .spawn(move || {
                // Nobody listens any more only at the end of the run.
                let _ = sender.send(setup::read(&origin, &launch));
            })?;
        Ok(receiver)
    }

    /// In each room's terms; what is to be said of it is said.
    pub(super) fn take(&mut self, mut setup: Setup) -> Fresh {
        for remark in &setup.remarks {
            remark.say();
        }
        self.keep_or_renew_memory(&setup.settings);
        let reading = self.keep_or_renew_host(setup.autokey.take(), &setup.settings);
        let basis = &self.basis;
        let findings = Findings {
            leap_table: setup.leap_table.clone(),
            ..basis.findings.clone()
        };
        let config = translate::system::config(&setup.settings, &basis.launch, findings);
        Fresh {
            policy: Arc::clone(&config.access),
            config,
            listen: surroundings::listen(&basis.launch, &basis.origin, &setup.settings),
            hearing: surroundings::hearing(&basis.launch, &setup.settings),
            settings: setup.settings.clone(),
            keys: fresh_keys(setup),
            digest: basis.findings.autokey.as_ref().map(|it| it.digest.clone()),
            reading,
        }
    }

    /// What was wrong with the keys of Autokey in use.
    pub(super) fn known_errors(&self) -> &[String] {
        let host = self.basis.findings.autokey.as_ref();
        host.map_or(&[], |it| &it.errors)
    }

    /// Autokey's keys, if they are others than those in use. Where files cannot be read now, the old
    /// keys stay.
    fn keep_or_renew_host(
        &mut self,
        reading: Option<Reading>,
        settings: &Settings,
    ) -> Option<Reading> {
        let host = &mut self.basis.findings.autokey;
        let Some(reading) = reading else {
            if !settings.autokey.is_on() {
                *host = None;
            } else if host.is_some() {
                log::warn!("the old keys of Autokey stay");
            }
            return None;
        };
        let mut fresh = reading.host();
        if let Some(known) = host
            && fresh.remember_group(known, &settings.autokey)
        {
            let group = fresh.group.as_deref().unwrap_or_default();
            log::error!(
                "the parameters of the group {group} are gone, so none of its servers is believed; \
                 take out `crypto ident` if nobody is to prove a group any more"
            );
        }
        match host {
            Some(known) if known.is_like(&fresh) => {
                let facts = Arc::clone(&known.facts);
                *known = Host { facts, ..fresh };
                None
            }
            _ => {
                *host = Some(fresh);
                Some(reading)
            }
        }
    }

    /// The memory of clients stays, with whom it knows, unless it is to be of another size.
    fn keep_or_renew_memory(&mut self, settings: &Settings) {
        let clients = &mut self.basis.findings.clients;
        let fits = |it: &Arc<MruTable>| translate::access::fits(it, settings);
        if clients.as_ref().is_none_or(fits) {
            return;
        }
        let mut key = [0; 16];
        match entropy::fill(&mut key) {
            Ok(()) => *clients = Some(translate::access::memory(settings, &key)),
            Err(error) => log::error!("no randomness for the table of clients: {error}; it stays"),
        }
    }
}

fn fresh_keys(setup: Setup) -> FreshKeys {
    if setup.keys_are_whole() {
        return FreshKeys::Read(setup.keys);
    }
    log::warn!(
        "the keys file cannot be read now; the old keys stay, with the new trustedkey lines; \
         restart to read it"
    );
    FreshKeys::OldSecrets(Box::new(setup.settings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use std::fs;
    use std::path::Path;
    use std::time::{Duration, Instant};
    use truechimer_proto::authentication::KeyId;

    fn reloader(path: &Path) -> Reloader {
        Reloader::new(Basis {
            origin: Origin::File(path.to_owned()),
            launch: Launch::truechimer(),
            findings: Findings::default(),
        })
    }

    fn outcome(reloader: &mut Reloader) -> Option<Fresh> {
        let began = Instant::now();
        loop {
            if let Some(ended) = reloader.poll() {
                return ended;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "no end");
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_good_file_is_taken_and_a_bad_one_is_not() {
        let scratch = Scratch::new("reload");
        let path = scratch.path("ntp.conf");
        fs::write(&path, "server 192.0.2.1\n").expect("writable");
        let mut reloader = reloader(&path);
        assert!(reloader.poll().is_none(), "nobody asked");
        reloader.ask();
        let fresh = outcome(&mut reloader).expect("a good file");
        assert_eq!(fresh.config.associations.len(), 1);
        fs::write(&path, "sevrer 192.0.2.1\n").expect("writable");
        reloader.ask();
        assert!(outcome(&mut reloader).is_none());
        fs::remove_file(&path).expect("there");
        reloader.ask();
        assert!(outcome(&mut reloader).is_none());
    }

    #[test]
    fn a_reading_that_cannot_start_ends_all_the_same() {
        let scratch = Scratch::new("reload-stillborn");
        let mut reloader = reloader(&scratch.path("ntp.conf"));
        reloader.stack_octets = usize::MAX / 2;
        reloader.ask();
        assert!(matches!(reloader.poll(), Some(None)), "READY must follow");
        assert!(reloader.poll().is_none());
    }

    #[test]
    fn a_key_that_lost_its_trust_loses_it_though_the_file_is_closed() {
        let scratch = Scratch::new("reload-keys");
        let (path, keys) = (scratch.path("ntp.conf"), scratch.path("ntp.keys"));
        let write = |trusted: &str| {
            let text = format!("keys {}\ntrustedkey {trusted}\n", keys.display());
            fs::write(&path, text).expect("writable");
        };
        fs::write(&keys, "1 SHA1 onekey\n2 SHA1 otherkey\n").expect("writable");
        write("1");
        let origin = Origin::File(path.clone());
        let old = setup::read(&origin, &Launch::truechimer())
            .expect("good")
            .keys;
        write("2");
        fs::remove_file(&keys).expect("there");
        let mut reloader = reloader(&path);
        reloader.ask();
        let fresh = outcome(&mut reloader).expect("a good file");
        let now = fresh.keys.after(&old);
        let table = now.table().expect("the old secrets");
        let trusted = |number| KeyId::symmetric(number).is_some_and(|id| table.is_trusted(id));
        assert!(!trusted(1) && trusted(2));
        assert_eq!(table.ids().count(), 2);
    }

    #[test]
    fn asked_twice_it_reads_the_newest() {
        let scratch = Scratch::new("reload-twice");
        let path = scratch.path("ntp.conf");
        fs::write(&path, "server 192.0.2.1\n").expect("writable");
        let mut reloader = reloader(&path);
        reloader.ask();
        fs::write(&path, "server 192.0.2.1\nserver 192.0.2.2\n").expect("writable");
        reloader.ask();
        outcome(&mut reloader).expect("a good file");
        let newest = outcome(&mut reloader).expect("a good file");
        assert_eq!(newest.config.associations.len(), 2);
    }
}
