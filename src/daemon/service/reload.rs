//! SIGHUP: the files are read again on a thread of their own, and taken over if they are good.
use super::launch::Launch;
use super::setup::{self, Refused, Setup};
use crate::files::config::Origin;
use crate::translate::system::Findings;
use crate::translate::{self, keys::Keys};
use crossbeam_channel::{Receiver, TryRecvError, bounded};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::thread;
use truechimer_config::settings::ListenRule;
use truechimer_proto::config::SystemConfig;
use truechimer_proto::server::Policy;

/// What a start leaves behind so that a reload can do the same again.
#[derive(Clone, Debug)]
pub(super) struct Basis {
    /// Where the configuration is.
    pub(super) origin: Origin,
    /// What the command line asked.
    pub(super) launch: Launch,
    /// What the host found out.
    pub(super) findings: Findings,
    /// What the sockets were opened by.
    pub(super) listen_rules: Vec<ListenRule>,
}

/// A good new configuration, in each room's terms.
pub(super) struct Fresh {
    /// For `System`.
    pub(super) config: SystemConfig,
    /// For the server threads.
    pub(super) policy: Arc<Policy>,
    /// For all of them; `None` where the keys file could not be read: the old ones stay.
    pub(super) keys: Option<Keys>,
}

/// Reads again when asked, one reading at a time.
#[derive(Debug)]
pub(super) struct Reloader {
    basis: Basis,
    under_way: Option<Receiver<Result<Setup, Refused>>>,
    again: bool,
}

impl Reloader {
    /// For a run that was started so.
    pub(super) const fn new(basis: Basis) -> Self {
        Self {
            basis,
            under_way: None,
            again: false,
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
            Err(error) => log::error!("cannot start the reload: {error}; all stays as it was"),
        }
    }

    /// The new configuration, once it is read and good; a bad one is logged and forgotten. The
    /// outer `Option` tells that a reading has ended.
    pub(super) fn poll(&mut self) -> Option<Option<Fresh>> {
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
                log::error!("the new configuration is refused; the old one stays");
                None
            }
        })
    }

    fn start(&self) -> io::Result<Receiver<Result<Setup, Refused>>> {
        let (sender, receiver) = bounded(1);
        let origin = self.basis.origin.clone();
        thread::Builder::new()
            .name("reload".to_owned())
            .spawn(move || {
                // Nobody listens any more only at the end of the run.
                let _ = sender.send(setup::read(&origin));
            })?;
        Ok(receiver)
    }

    fn take(&self, setup: Setup) -> Fresh {
        let basis = &self.basis;
        for remark in &setup.remarks {
            remark.say();
        }
        let same = |(old, new): (&ListenRule, &ListenRule)| {
            (old.action, &old.target) == (new.action, &new.target)
        };
        let (old, new) = (&basis.listen_rules, &setup.settings.listen_rules);
        if old.len() != new.len() || !old.iter().zip(new).all(same) {
            log::warn!("changed interface lines take effect at the next start");
        }
        let findings = Findings {
            leap_table: setup.leap_table.clone(),
            own_addresses: own_addresses(),
            ..basis.findings.clone()
        };
        Fresh {
            config: translate::system::config(&setup.settings, &basis.launch, findings),
            policy: Arc::new(translate::access::policy(&setup.settings)),
            keys: setup.keys_are_whole().then_some(setup.keys),
        }
    }
}

/// Addresses of this host, as far as they can be listed.
fn own_addresses() -> Vec<IpAddr> {
    let found = truechimer_sys::interfaces::addresses().unwrap_or_default();
    found.iter().map(|one| one.address.ip()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use std::fs;
    use std::path::Path;
    use std::time::{Duration, Instant};

    fn reloader(path: &Path) -> Reloader {
        Reloader::new(Basis {
            origin: Origin::File(path.to_owned()),
            launch: Launch::truechimer(),
            findings: Findings::default(),
            listen_rules: Vec::new(),
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
