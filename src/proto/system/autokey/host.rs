//! This host as Autokey has it: its certificates, and its values signed anew whenever one changes.
use super::super::leap::unix_s_near;
use crate::autokey::certificates::{CertificateFlags, Certificates};
use crate::autokey::dance::Own;
use crate::autokey::facts::{CertificateFacts, Generation};
use crate::autokey::job::{Done, SignedValue, Task};
use crate::autokey::service::{Service, introduction};
use crate::autokey::status::{Flags, StatusWord};
use crate::config::AutokeyConfig;
use crate::control::HostView;
use crate::packet::AssociationId;
use crate::server::{Bounds, Namesakes};
use core::net::IpAddr;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;
use truechimer_time::{Instant, Now};
use truechimer_wire::AutokeyBody;

/// After a signature that failed.
const RETRY_AFTER: Duration = Duration::from_secs(16);
/// Silence about hosts of one name after two were told of, seconds.
const NAMESAKES_EVERY_S: f64 = 64.0;
/// Octets of the values of leap seconds.
pub(super) const LEAP_LEN: usize = 12;

/// What is being signed.
#[derive(Debug, Default)]
pub(in super::super) struct Signing {
    timestamp: u32,
    generation: Generation,
    items: Vec<Item>,
}

/// One value of it.
#[derive(Debug)]
enum Item {
    PublicKey,
    Leap,
    Certificate(Arc<CertificateFacts>),
}

/// What Autokey knows of this host.
#[derive(Debug)]
pub(in super::super) struct Host {
    config: AutokeyConfig,
    certificates: Certificates,
    /// Our public key, as it is sent with a request for a cookie.
    public_key: SignedValue,
    leap: SignedValue,
    /// What is to be told of leap seconds.
    leap_wanted: [u8; LEAP_LEN],
    /// When the values were signed last, NTP seconds.
    signed_at: u32,
    /// Values changed since they were signed.
    is_stale: bool,
    is_signing: bool,
    not_before: Option<Instant>,
    /// Server threads do not know the newest yet.
    is_untold: bool,
    bounds: Arc<Bounds>,
    namesakes_told: Option<Instant>,
}

impl Host {
    pub(super) fn new(config: AutokeyConfig, bounds: Arc<Bounds>) -> Self {
        let mut this = Self {
            config,
            certificates: Certificates::default(),
            public_key: SignedValue::default(),
            leap: SignedValue::default(),
            leap_wanted: [0; LEAP_LEN],
            signed_at: 0,
            is_stale: true,
            is_signing: false,
            not_before: None,
            is_untold: true,
            bounds,
            namesakes_told: None,
        };
        this.take_facts();
        this
    }

    /// By which reading of the key files jobs are to be done now.
    pub(in super::super) fn generation(&self) -> Generation {
        self.config.host.generation
    }

    /// The certificate that its files hold.
    pub(super) fn own_certificate(&self) -> Option<Arc<CertificateFacts>> {
        self.config.host.certificates.first().cloned()
    }

    /// What of it goes into requests.
    pub(super) fn own(&self, is_synchronized: bool) -> Own<'_> {
        Own {
            facts: &self.config.host,
            status: self.status(),
            updated: self.signed_at,
            public_key: &self.public_key,
            certificate: self.certificates.own(),
            is_synchronized,
        }
    }

    /// Takes a certificate of the trail of somebody, or our own as somebody signed it, and by which key it
    /// was verified; what is to be said of it, if its name had another key before.
    pub(super) fn install(
        &mut self,
        facts: Arc<CertificateFacts>,
        flags: CertificateFlags,
        by: Arc<[u8]>,
        is_configured: bool,
    ) -> Option<String> {
        // Who bears our name and has another key must not be taken for us by those who ask us.
        let host = &self.config.host;
        let own_key = host.certificates.first().map(|it| &it.public_key);
        if host.is_called(&facts.subject) && own_key != Some(&facts.public_key) {
            return None;
        }
        let told = self.certificates.knows_by_another_key(&facts).then(|| {
            let (subject, issuer) = (&facts.subject, &facts.issuer);
            format!("cert {subject} {issuer} has another key than before: new keys, or two hosts of one name")
        });
        // Whom the operator named may have new keys; by another's word ours is not signed anew.
        if facts.subject == host.name && is_configured {
            self.certificates.forget_signed_by(&facts, &by);
        }
        if !self.certificates.install(facts, flags, Some(by)) {
            return None;
        }
        self.is_stale = true;
        self.is_untold = true;
        told
    }

    /// Takes what was read again. Certificates of others stay; what others signed for us stays while
    /// it is of the same key.
    pub(super) fn reconfigure(&mut self, config: AutokeyConfig) {
        if self.config == config {
            return;
        }
        let reread = self.config.host != config.host;
        self.config = config;
        self.is_untold = true;
        if reread {
            self.take_facts();
        }
    }

    /// Takes other private values.
    pub(super) fn use_private_values(&mut self, values: Vec<u32>) {
        self.is_untold |= self.config.private_values != values;
        self.config.private_values = values;
    }

    fn take_facts(&mut self) {
        let host = Arc::clone(&self.config.host);
        let own_key = host.certificates.first().map(|it| &it.public_key);
        self.certificates.retain(|it| {
            let of_us = host.is_called(&it.facts.subject);
            !it.is_own && (!of_us || Some(&it.facts.public_key) == own_key)
        });
        // The own one comes first and is to be the newest.
        for facts in host.certificates.iter().rev() {
            self.certificates
                .install(Arc::clone(facts), own_flags(facts), None);
        }
        self.public_key = SignedValue {
            timestamp: 0,
            filestamp: host.key_filestamp,
            value: host.public_key.to_vec(),
            signature: Vec::new(),
        };
        self.is_stale = true;
        self.not_before = None;
    }

    /// What is to be told of leap seconds from now on.
    pub(super) fn note_leap(&mut self, value: [u8; LEAP_LEN]) {
        self.is_stale |= self.leap_wanted != value;
        self.leap_wanted = value;
    }

    /// What is to be signed now. Nothing is signed by who does not know the time.
    pub(super) fn begin_signing(
        &mut self,
        now: Now,
        synchronized: bool,
    ) -> Option<(Signing, Task)> {
        self.not_before = self.not_before.filter(|at| now.mono < *at);
        let waits = self.not_before.is_some();
        if !self.is_stale || self.is_signing || waits || !synchronized {
            return None;
        }
        let timestamp = now.wall.seconds();
        let host = &self.config.host;
        let own_filestamp = host.certificates.first().map_or(0, |it| it.filestamp);
        let mut items = vec![Item::PublicKey, Item::Leap];
        let mut values = vec![
            (host.key_filestamp, host.public_key.to_vec()),
            (own_filestamp, self.leap_wanted.to_vec()),
        ];
        for it in self.certificates.iter() {
            items.push(Item::Certificate(Arc::clone(&it.facts)));
            values.push((it.facts.filestamp, it.facts.der.to_vec()));
        }
        self.is_stale = false;
        self.is_signing = true;
        let signing = Signing {
            timestamp,
            generation: host.generation,
            items,
        };
        Some((signing, Task::Sign { timestamp, values }))
    }

    /// When a signature that failed is tried again.
    pub(super) const fn next(&self) -> Option<Instant> {
        self.not_before
    }

    /// Tries again later.
    pub(super) fn put_off(&mut self, now: Now) {
        self.is_signing = false;
        self.is_stale = true;
        self.not_before = Some(now.mono.plus(RETRY_AFTER));
    }

    /// Takes what was signed, and says so as the reference does; why not, if it was not.
    pub(super) fn take_signatures(
        &mut self,
        now: Now,
        signing: &Signing,
        done: Done,
    ) -> Option<String> {
        self.is_signing = false;
        if signing.generation != self.generation() {
            self.is_stale = true;
            return None;
        }
        let signed = match done {
            Done::Signed(signed) if signed.len() == signing.items.len() => signed,
            other => {
                self.put_off(now);
                let Done::Failed(why) = other else {
                    return None;
                };
                return Some(format!("signature update {}", why.word()));
            }
        };
        for (item, value) in signing.items.iter().zip(signed) {
            match item {
                Item::PublicKey => self.public_key = value,
                Item::Leap => self.leap = value,
                Item::Certificate(facts) => {
                    let found = self.certificates.iter_mut().find(|it| it.facts == *facts);
                    if let Some(found) = found {
                        found.value = value;
                    }
                }
            }
        }
        self.signed_at = signing.timestamp;
        self.not_before = None;
        self.is_untold = true;
        Some(format!("signature update ts {}", self.signed_at))
    }

    /// The clock was stepped: values signed in what may be the future are signed anew.
    pub(in super::super) const fn forget_time(&mut self) {
        self.is_stale = true;
    }

    /// Two hosts of one name, if nobody was told of such lately: whoever has two keys and two addresses
    /// could fill the log.
    pub(super) fn take_namesakes(&mut self, now: Now) -> Option<Namesakes> {
        let quiet = self
            .namesakes_told
            .is_some_and(|told| now.mono.seconds_since(told) < NAMESAKES_EVERY_S);
        let news = (!quiet).then(|| self.bounds.take_namesakes()).flatten()?;
        self.namesakes_told = Some(now.mono);
        Some(news)
    }

    /// What strangers may cost.
    pub(super) const fn bounds(&self) -> &Arc<Bounds> {
        &self.bounds
    }

    /// How long a key list may last, log2 seconds.
    pub(super) const fn automax(&self) -> u8 {
        self.config.automax
    }

    /// When its values were signed last, NTP seconds; 0 if they never were.
    pub(super) const fn signed_at(&self) -> u32 {
        self.signed_at
    }

    /// The body of an association message of this host.
    pub(super) fn introduction(&self) -> AutokeyBody<'_> {
        introduction(&self.config.host.name, self.status(), self.signed_at)
    }

    fn status(&self) -> StatusWord {
        let mut status = self.config.host.status_word();
        if self.signed_at != 0 {
            status.flags |= Flags::TAI;
        }
        status
    }

    /// Whether server threads do not know the newest; then they are to be told now.
    pub(super) const fn take_untold(&mut self) -> bool {
        core::mem::replace(&mut self.is_untold, false)
    }

    /// What server threads are to answer from.
    pub(super) fn service(
        &self,
        key_lists: BTreeMap<(AssociationId, IpAddr), SignedValue>,
    ) -> Arc<Service> {
        let given = self.certificates.given().into_iter();
        let certificates = given
            .map(|(subject, it)| (subject.to_owned(), it.value.clone()))
            .collect();
        Arc::new(Service {
            host: Arc::clone(&self.config.host),
            status: self.status(),
            signed_at: self.signed_at,
            private_values: self.config.private_values.clone(),
            certificates,
            leap: self.leap.clone(),
            key_lists,
            bounds: Arc::clone(&self.bounds),
            insecure: self.config.insecure,
        })
    }
}

impl Host {
    /// For people.
    pub(in super::super) fn shown(&self, now: Now) -> HostView {
        let signed = (self.signed_at != 0).then_some(self.signed_at);
        HostView {
            name: self.config.host.name.clone(),
            ident: self.config.ident.clone(),
            word: self.status(),
            digest: self.config.digest.clone(),
            signed_unix_s: signed.map(|ntp_s| unix_s_near(now, ntp_s)),
            certificates: self.certificates.iter().cloned().collect(),
        }
    }
}

/// What is known of a certificate of our own files, whose signature was verified when it was read.
fn own_flags(facts: &CertificateFacts) -> CertificateFlags {
    let mut flags = CertificateFlags::VALID;
    if facts.trusted {
        flags |= CertificateFlags::TRUST;
    }
    if facts.private {
        flags |= CertificateFlags::PRIVATE;
    }
    if facts.is_self_issued() {
        flags |= CertificateFlags::SIGN;
    }
    flags
}
