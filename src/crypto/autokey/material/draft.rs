//! Key files put together one by one, so that each one's fault is told with its name.
use super::{Material, MaterialError, Remark};
use crate::autokey::identity::{GroupKey, SchemeKey, SchemeParameters};
use crate::certificate::Certificate;
use crate::identity::GqKey;
use crate::keyfile::{KeyFileError, KeyText};
use crate::private_key::{KeyKind, PrivateKey};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use truechimer_proto::autokey::facts::{CertificateFacts, Generation, HostFacts};
use truechimer_proto::autokey::job::Failure;
use truechimer_proto::autokey::status::Scheme;

/// Below this a modulus can be broken.
const BITS_SOUND: u32 = 1024;

/// Key files that were read so far.
#[derive(Debug)]
pub struct MaterialDraft {
    host: (PrivateKey, Option<u32>),
    sign: Option<PrivateKey>,
    /// The own one, and what was read beside it.
    certificates: Vec<(Certificate, Option<u32>)>,
    /// Of each scheme one a group, the first group's first.
    keys: BTreeMap<Scheme, Vec<GroupKey>>,
    groups: BTreeSet<String>,
    /// The host's under other names.
    for_groups: Vec<(Certificate, Option<u32>)>,
    parameters: BTreeMap<(String, Scheme), (SchemeParameters, u32)>,
}

impl MaterialDraft {
    /// Begins with the host key.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn of_host(text: &KeyText, password: Option<&[u8]>) -> Result<Self, KeyFileError> {
        Ok(Self {
            host: (PrivateKey::read(text, password)?, text.filestamp()),
            sign: None,
            certificates: Vec::new(),
            keys: BTreeMap::new(),
            groups: BTreeSet::new(),
            for_groups: Vec::new(),
            parameters: BTreeMap::new(),
        })
    }

    /// A key that signs instead of the host key.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn sign_key(
        &mut self,
        text: &KeyText,
        password: Option<&[u8]>,
    ) -> Result<(), KeyFileError> {
        self.sign = Some(PrivateKey::read(text, password)?);
        Ok(())
    }

    /// A certificate: the own one first, then what others may ask for beside it.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn certificate(&mut self, text: &KeyText) -> Result<(), KeyFileError> {
        let certificate = Certificate::read(text)?;
        self.certificates.push((certificate, text.filestamp()));
        Ok(())
    }

    /// This host proves by a key of its to be of this group.
    pub fn group(&mut self, name: &str) {
        self.groups.insert(name.to_owned());
    }

    /// A certificate of this host under a name of another group: its clients' names may be of that.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn group_certificate(&mut self, text: &KeyText) -> Result<(), KeyFileError> {
        let certificate = Certificate::read(text)?;
        self.for_groups.push((certificate, text.filestamp()));
        Ok(())
    }

    /// A server's key of an identity scheme. There may be one a group, no two of the same filestamp: the
    /// second would never be asked for.
    ///
    /// # Errors
    /// What is wrong with the file; `Unnamed` without filestamp, which clients demand.
    pub fn scheme_key(
        &mut self,
        scheme: Scheme,
        text: &KeyText,
        password: Option<&[u8]>,
    ) -> Result<(), KeyFileError> {
        let key = SchemeKey::read(scheme, text, password)?;
        let filestamp = text.filestamp().ok_or(KeyFileError::Unnamed)?;
        let owner = text.name().map(|it| it.owner.clone()).unwrap_or_default();
        self.keys.entry(scheme).or_default().push(GroupKey {
            key,
            filestamp,
            owner,
        });
        Ok(())
    }

    /// A group's parameters, by which its servers are challenged.
    ///
    /// # Errors
    /// What is wrong with the file; `Unnamed` without filestamp, which servers' keys share.
    pub fn parameters(
        &mut self,
        ident: &str,
        scheme: Scheme,
        text: &KeyText,
    ) -> Result<(), KeyFileError> {
        let parameters = SchemeParameters::read(scheme, text)?;
        let filestamp = text.filestamp().ok_or(KeyFileError::Unnamed)?;
        self.parameters
            .insert((ident.to_owned(), scheme), (parameters, filestamp));
        Ok(())
    }

    /// Puts all of it together.
    ///
    /// # Errors
    /// Why they do not fit one another.
    pub fn build(self, generation: Generation) -> Result<Material, MaterialError> {
        let mut remarks = Vec::new();
        if self.host.0.kind() != KeyKind::Rsa {
            return Err(MaterialError::HostKeyNotRsa);
        }
        let mut certificates = self.certificate_facts(&mut remarks)?;
        self.group_facts(&mut certificates, &mut remarks);
        let (own, _) = self
            .certificates
            .first()
            .ok_or(MaterialError::NoCertificate)?;
        let own_facts = certificates.first().ok_or(MaterialError::NoCertificate)?;
        let had_sign_key = self.sign.is_some();
        let sign = self.sign.filter(|key| own.is_of(key));
        if sign.is_none() && !own.is_of(&self.host.0) {
            return Err(MaterialError::CertificateOfOtherKey);
        }
        if sign.is_none() && had_sign_key {
            remarks.push(Remark::UnusedSignKey);
        }
        remark_on_certificate(own, own_facts, &mut remarks);
        remark_on_keys(&self.keys, &certificates, &mut remarks);
        let public_key = host_public_key(&self.host.0)?;
        let key_filestamp = self.host.1.unwrap_or_else(|| {
            remarks.push(Remark::NoFilestamp("host key"));
            own_facts.filestamp
        });
        let signing = sign.as_ref().unwrap_or(&self.host.0);
        let weakest = self.host.0.bits().min(signing.bits());
        if weakest < BITS_SOUND {
            remarks.push(Remark::WeakKey(weakest));
        }
        let facts = HostFacts {
            generation,
            name: own_facts.subject.clone(),
            public_key,
            key_filestamp,
            signature_len: signing.0.size(),
            schemes: stamps(&self.keys),
            groups: self.groups,
            parameters: self
                .parameters
                .iter()
                .map(|(name, it)| (name.clone(), it.1))
                .collect(),
            certificates,
        };
        let material = Material {
            host: self.host.0,
            sign,
            scheme: own.scheme().ok_or(MaterialError::UnknownSignature)?,
            keys: self.keys,
            parameters: self
                .parameters
                .into_iter()
                .map(|(name, it)| (name, it.0))
                .collect(),
            facts,
            remarks,
        };
        material.confirm()?;
        Ok(material)
    }

    /// Adds those of other groups, if they are of the same making: the host says once for all how it signs.
    fn group_facts(&self, all: &mut Vec<Arc<CertificateFacts>>, remarks: &mut Vec<Remark>) {
        let Some(own) = all.first().cloned() else {
            return;
        };
        for (certificate, filestamp) in &self.for_groups {
            let facts = certificate.facts(filestamp.unwrap_or(own.filestamp));
            let name = certificate.name().unwrap_or_default();
            match facts {
                Ok(facts) if facts.subject == own.subject => {}
                Ok(facts)
                    if facts.is_self_issued()
                        && facts.trusted
                        && facts.public_key == own.public_key
                        && facts.signature_nid == own.signature_nid =>
                {
                    all.push(Arc::new(facts));
                }
                Ok(_) | Err(_) => remarks.push(Remark::OtherName(name)),
            }
        }
    }

    /// Of all certificates, the own one first.
    fn certificate_facts(
        &self,
        remarks: &mut Vec<Remark>,
    ) -> Result<Vec<Arc<CertificateFacts>>, MaterialError> {
        let mut all = Vec::new();
        for (certificate, filestamp) in &self.certificates {
            let first_second = || {
                let (from, _) = certificate.validity_unix_s().ok()?;
                let ntp_s = from + truechimer_time::UNIX_EPOCH_IN_NTP_SECONDS;
                u32::try_from(ntp_s & i64::from(u32::MAX)).ok()
            };
            let filestamp = filestamp.or_else(|| {
                remarks.push(Remark::NoFilestamp("certificate"));
                first_second()
            });
            let facts = certificate.facts(filestamp.unwrap_or(0));
            match facts.map_err(|failure| unusable(certificate, failure)) {
                Ok(facts) => all.push(Arc::new(facts)),
                Err(error) if all.is_empty() => return Err(error),
                Err(error) => {
                    let name = certificate.name().unwrap_or_default();
                    remarks.push(Remark::LeftOut(name, error));
                }
            }
        }
        Ok(all)
    }
}

/// What makes a certificate useless.
fn unusable(certificate: &Certificate, failure: Failure) -> MaterialError {
    let is_named = certificate.name().is_some() && certificate.issuer().is_some();
    match failure {
        Failure::Digest => MaterialError::UnknownSignature,
        Failure::PublicKey => MaterialError::UnsoundKey,
        _ if !is_named => MaterialError::NoName,
        _ => MaterialError::InvalidTimes,
    }
}

impl Material {
    /// Signs something once: a key that is too short, or that this host's OpenSSL forbids, shows now.
    fn confirm(&self) -> Result<(), MaterialError> {
        let begin = self.facts.certificates.first();
        let begin = begin.and_then(|own| u32::try_from(own.not_before_s & 0xFFFF_FFFF).ok());
        let name = self.facts.name.clone().into_bytes();
        self.value(begin, 0, name)
            .map(|_| ())
            .map_err(|_| MaterialError::CannotSign)
    }
}

/// PKCS#1, as the host asks for cookies with it.
fn host_public_key(host: &PrivateKey) -> Result<Arc<[u8]>, MaterialError> {
    let rsa = host.0.rsa().map_err(|_| MaterialError::HostKeyNotRsa)?;
    let der = rsa.public_key_to_der_pkcs1();
    let der = der.map_err(|_| MaterialError::HostKeyNotRsa)?;
    crate::autokey::public_key::read_pkcs1(&der).map_err(|_| MaterialError::UnsoundKey)?;
    Ok(der.into())
}

fn remark_on_certificate(own: &Certificate, facts: &CertificateFacts, remarks: &mut Vec<Remark>) {
    if !facts.is_self_issued() {
        remarks.push(Remark::ForeignIssuer(facts.issuer.clone()));
        if !facts.trusted && !facts.private && facts.gq_public.is_none() {
            remarks.push(Remark::NoExtensions);
        }
    }
    if let Some(scheme) = own.scheme().filter(|scheme| scheme.is_weak()) {
        remarks.push(Remark::WeakDigest(scheme.to_string()));
    }
}

fn remark_on_keys(
    keys: &BTreeMap<Scheme, Vec<GroupKey>>,
    certificates: &[Arc<CertificateFacts>],
    remarks: &mut Vec<Remark>,
) {
    for GroupKey { key, owner, .. } in keys.values().flatten() {
        match key {
            SchemeKey::Iff(key) if key.was_mended() => {
                remarks.push(Remark::MendedIffKey(owner.clone()));
            }
            SchemeKey::Gq(key) if !certificates.iter().any(|it| carries(it, key)) => {
                remarks.push(Remark::OtherGqValue(owner.clone()));
            }
            SchemeKey::Iff(_) | SchemeKey::Gq(_) | SchemeKey::Mv(_) => {}
        }
    }
}

/// The filestamps of each scheme's keys.
fn stamps(keys: &BTreeMap<Scheme, Vec<GroupKey>>) -> BTreeMap<Scheme, Vec<u32>> {
    let of = |keys: &Vec<GroupKey>| keys.iter().map(|it| it.filestamp).collect();
    keys.iter().map(|(name, it)| (*name, of(it))).collect()
}

fn carries(certificate: &CertificateFacts, key: &GqKey) -> bool {
    certificate.gq_public.as_deref() == Some(&key.public_value())
}
