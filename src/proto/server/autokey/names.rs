//! Which host was signed for under which name: two that have the same name take each other's place in
//! the certificate trails of all who ask for it, and neither sees why it is not believed.
use crate::autokey::facts::CertificateFacts;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::net::IpAddr;
use core::sync::atomic::{AtomicBool, Ordering};
use siphasher::sip::SipHasher13;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Names remembered.
const AT_MOST: usize = 1024;
/// Octets of a name remembered.
const NAME_LEN_MAX: usize = 256;

/// Two hosts of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namesakes {
    /// Their name.
    pub name: String,
    /// Where the one was that had it before, and where the other is that has it now.
    pub addresses: [IpAddr; 2],
}

impl fmt::Display for Namesakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, other] = self.addresses;
        // Strangers choose it.
        let name = self.name.escape_default();
        write!(
            f,
            "{one} and {other} have different keys and one Autokey name, {name}: give one of them another: \
             ntp-keygen -H -s NAME there, and crypto host NAME in its ntp.conf"
        )
    }
}

#[derive(Clone, Copy, Debug)]
struct Known {
    key: u64,
    address: IpAddr,
}

#[derive(Debug, Default)]
struct Memory {
    known: BTreeMap<String, Known>,
    /// The last that nobody was told of.
    news: Option<Namesakes>,
}

/// Names of hosts whose certificates we signed, each with its key. Only who proved to hold the key is
/// remembered.
#[derive(Debug, Default)]
pub(crate) struct Names {
    memory: Mutex<Memory>,
    has_news: AtomicBool,
}

impl Names {
    /// Notes a host whose certificate was signed. The same name with another key at the same address is
    /// a host that changed its key, and at another address with the same key one that moved.
    pub(crate) fn note(&self, asker: &CertificateFacts, address: IpAddr) {
        if asker.subject.len() > NAME_LEN_MAX {
            return;
        }
        let mut hasher = SipHasher13::new();
        asker.public_key.hash(&mut hasher);
        let key = hasher.finish();
        // Whoever holds this may not run for a while: news of names is not worth that to the clock thread.
        let Ok(mut memory) = self.memory.try_lock() else {
            return;
        };
        let name = asker.subject.clone();
        if memory.known.len() >= AT_MOST && !memory.known.contains_key(&name) {
            memory.known.pop_first();
        }
        let before = memory.known.insert(name.clone(), Known { key, address });
        if let Some(before) = before.filter(|it| it.key != key && it.address != address) {
            memory.news = Some(Namesakes {
                name,
                addresses: [before.address, address],
            });
            self.has_news.store(true, Ordering::Release);
        }
    }

    /// The last two hosts of one name that nobody was told of. Never waits.
    pub(super) fn take_news(&self) -> Option<Namesakes> {
        if !self.has_news.load(Ordering::Acquire) {
            return None;
        }
        let mut memory = self.memory.try_lock().ok()?;
        self.has_news.store(false, Ordering::Release);
        memory.news.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn facts(name: &str, key: &[u8]) -> CertificateFacts {
        CertificateFacts {
            der: Arc::new([]),
            subject: name.to_owned(),
            issuer: name.to_owned(),
            serial: 1,
            not_before_s: 0,
            not_after_s: 1,
            trusted: false,
            private: false,
            signature_nid: 668,
            public_key: key.into(),
            signature_len: 64,
            gq_public: None,
            filestamp: 1,
        }
    }

    #[test]
    fn two_keys_at_two_addresses_are_two_hosts() {
        let names = Names::default();
        let [here, there] = [IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2])];
        names.note(&facts("bob", b"one"), here);
        names.note(&facts("bob", b"two"), here);
        names.note(&facts("bob", b"two"), there);
        names.note(&facts("carol", b"one"), there);
        assert_eq!(
            names.take_news(),
            None,
            "a new key, a new address, another name"
        );
        names.note(&facts("bob", b"three"), here);
        let news = Namesakes {
            name: "bob".to_owned(),
            addresses: [there, here],
        };
        assert_eq!(names.take_news(), Some(news));
        assert_eq!(names.take_news(), None, "once");
    }

    #[test]
    fn strangers_names_do_not_fill_the_memory() {
        let names = Names::default();
        let here = IpAddr::from([192, 0, 2, 1]);
        for number in 0..5000 {
            names.note(&facts(&format!("host{number}"), b"key"), here);
        }
        names.note(&facts(&"x".repeat(300), b"key"), here);
        let memory = names.memory.lock().expect("whole");
        assert_eq!(memory.known.len(), AT_MOST);
        assert!(memory.known.keys().all(|it| it.len() <= NAME_LEN_MAX));
    }
}
