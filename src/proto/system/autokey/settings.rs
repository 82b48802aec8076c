//! What this host's Autokey is told: a configuration, other private values, certificates, leap seconds.
use super::super::System;
use super::host::{Host, LEAP_LEN};
use crate::association::Association;
use crate::autokey::certificates::CertificateFlags;
use crate::autokey::facts::CertificateFacts;
use crate::config::AutokeyConfig;
use crate::host::Output;
use crate::packet::AssociationId;
use crate::server::Bounds;
use core::net::IpAddr;
use rand_chacha::rand_core::RngCore;
use std::sync::Arc;
use truechimer_time::Now;

/// Between 1900 and 1970, seconds.
const UNIX_EPOCH_IN_NTP_SECONDS: i64 = truechimer_time::UNIX_EPOCH_IN_NTP_SECONDS;

impl System {
    /// Takes what the configuration says of Autokey.
    pub(in super::super) fn use_autokey(&mut self, config: Option<AutokeyConfig>) {
        match (&mut self.autokey, config) {
            (Some(host), Some(config)) => {
                let (before, certificate) = (host.generation(), host.own_certificate());
                host.reconfigure(config);
                if host.generation() != before {
                    self.renew_lists();
                }
                self.note_own_certificate(certificate);
            }
            (None, Some(config)) => {
                let mut secret = [0; 16];
                self.rng.fill_bytes(&mut secret);
                let bounds = Bounds::new(secret);
                self.autokey = Some(Box::new(Host::new(config, bounds)));
            }
            (Some(_), None) => {
                self.autokey = None;
                self.outbox.push(Output::Autokey(None));
            }
            (None, None) => {}
        }
    }

    /// Where this host has another certificate than before, its servers are to sign it before the next
    /// client asks for a trail.
    fn note_own_certificate(&mut self, before: Option<Arc<CertificateFacts>>) {
        let now = self.autokey.as_ref().and_then(|it| it.own_certificate());
        let Some(now) = now.filter(|it| Some(&it.der) != before.as_ref().map(|it| &it.der)) else {
            return;
        };
        let all = self.associations.values_mut();
        for autokey in all.filter_map(|it| it.autokey.as_mut()) {
            autokey.dance.note_own_certificate(&now);
            autokey.is_unsigned = true;
        }
    }

    /// Asks those that are to sign another certificate soon, now that it is signed itself.
    pub(super) fn hasten_signatures(&mut self, now: Now) {
        for association in self.associations.values_mut() {
            let autokey = association.autokey.as_mut();
            if autokey.is_some_and(|it| core::mem::take(&mut it.is_unsigned)) {
                association.poll.advance(now.mono);
            }
        }
    }

    /// Takes other private values, the one in use first: cookies are made of it from now on.
    pub(in super::super) fn use_private_values(&mut self, values: Vec<u32>) {
        if let Some(host) = &mut self.autokey
            && !values.is_empty()
        {
            host.use_private_values(values);
        }
    }

    /// Takes a certificate that an association came by.
    pub(super) fn install(
        &mut self,
        now: Now,
        id: AssociationId,
        read: &Arc<CertificateFacts>,
        by: Arc<[u8]>,
        flags: CertificateFlags,
    ) {
        let mut flags = flags;
        if read.trusted {
            flags |= CertificateFlags::TRUST;
        }
        if read.private {
            flags |= CertificateFlags::PRIVATE;
        }
        let configured = self.associations.get(&id);
        let configured = configured.is_some_and(|it| it.role.is_configured());
        let host = self.autokey.as_mut();
        let told = host.and_then(|it| it.install(Arc::clone(read), flags, by, configured));
        if let Some(text) = told {
            self.write_crypto(now, Some(id), text);
        }
    }

    /// At which other address somebody is proven by the same certificate. No signature says to whom or
    /// from where a value is, so whoever stands at one address can pass on what is said at another.
    pub(in super::super) fn where_same_key(&self, id: AssociationId) -> Option<IpAddr> {
        let told = |it: &Association| {
            let key = it.autokey.as_ref()?.dance.proven_key()?;
            Some((Arc::clone(key), it.remote?.ip()))
        };
        let (key, address) = told(self.associations.get(&id)?)?;
        let mut others = self.associations.values().filter_map(told);
        let same = others.find(|(other, at)| *other == key && *at != address);
        same.map(|(_, at)| at)
    }

    /// TAI-UTC, when it changed last and until when that is known, NTP seconds; zero without a table.
    pub(super) fn leap_value(&self) -> [u8; LEAP_LEN] {
        let mut value = [0; LEAP_LEN];
        let known = self.leap.table_span_unix_s().zip(self.leap.tai_utc_s());
        if let Some(((last_s, expires_s), tai_utc_s)) = known {
            let words = [
                u32::try_from(tai_utc_s).unwrap_or(0),
                ntp_seconds(last_s),
                ntp_seconds(expires_s),
            ];
            for (place, word) in value.chunks_exact_mut(4).zip(words) {
                place.copy_from_slice(&word.to_be_bytes());
            }
        }
        value
    }
}

/// Of the era in which it is.
fn ntp_seconds(unix_s: i64) -> u32 {
    let era = 1_i64 << 32;
    let s = unix_s.saturating_add(UNIX_EPOCH_IN_NTP_SECONDS);
    u32::try_from(s.rem_euclid(era)).unwrap_or(0)
}
