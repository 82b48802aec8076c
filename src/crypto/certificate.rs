//! Autokey's X.509 certificates: self-signed, named by host and group, with the extensions the
//! reference looks at.

mod facts;
mod scheme;
mod vouch;

pub(crate) use facts::is_before;
pub use scheme::{Scheme, UnknownScheme};

use crate::keyfile::der::{self, Reader};
use crate::keyfile::{KeyFileError, KeyText};
use crate::private_key::PrivateKey;
use openssl::asn1::{Asn1Object, Asn1OctetString, Asn1Time, Asn1TimeRef};
use openssl::bn::BigNum;
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage};
use openssl::x509::{X509, X509Extension, X509Name};

/// Extended key usage "Trust Root", 1.3.6.1.5.5.7.48.1.11.
const TRUST_ROOT: &str = "1.3.6.1.5.5.7.48.1.11";
const TRUST_ROOT_OCTETS: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x0B];
/// Extended key usage "Private", 1.3.6.1.4.
const PRIVATE: &str = "1.3.6.1.4";
const PRIVATE_OCTETS: &[u8] = &[0x2B, 0x06, 0x01, 0x04];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1D, 0x25];
const SUBJECT_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1D, 0x0E];
/// Tags of DER: the list of extensions, and a truth value.
const EXTENSIONS: u8 = 0xA3;
const BOOLEAN: u8 = 0x01;
/// Longest name of a host and its group, octets.
const NAME_LEN_MAX: usize = 256;
/// Version 3, as it is counted on the wire.
const VERSION_3: i32 = 2;

/// What a certificate says its host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A host among others.
    Plain,
    /// A trusted host (`-T`): trails end here.
    Trusted,
    /// The one private certificate of a group (`-P`).
    Private,
}

/// A certificate to be made.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    /// Subject and issuer: `host` or `host@group`.
    pub name: &'a str,
    /// From when, seconds of Unix; the serial number is the same in NTP seconds.
    pub from_unix_s: i64,
    /// For how long.
    pub lifetime_days: u32,
    /// What the host is.
    pub standing: Standing,
    /// The GQ public value.
    pub gq_public: Option<&'a [u8]>,
}

/// A certificate.
#[derive(Clone, Debug)]
pub struct Certificate(X509);

/// One extension, its name and contents as they stand in DER.
struct Extension {
    name: Vec<u8>,
    is_critical: bool,
    contents: Vec<u8>,
}

impl Draft<'_> {
    /// Signs it with the host's own key, and verifies that.
    ///
    /// # Errors
    /// OpenSSL's, as that the key is too short for the digest.
    pub fn sign(&self, key: &PrivateKey, scheme: Scheme) -> Result<Certificate, KeyFileError> {
        let mut name = X509Name::builder()?;
        name.append_entry_by_nid(Nid::COMMONNAME, self.name)?;
        let name = name.build();
        let mut builder = X509::builder()?;
        builder.set_version(VERSION_3)?;
        let ntp_s = self.from_unix_s + truechimer_time::UNIX_EPOCH_IN_NTP_SECONDS;
        let serial = BigNum::from_dec_str(&ntp_s.to_string())?.to_asn1_integer()?;
        builder.set_serial_number(&serial)?;
        let until = self.from_unix_s + i64::from(self.lifetime_days) * 86_400;
        builder.set_not_before(&*Asn1Time::from_unix(self.from_unix_s)?)?;
        builder.set_not_after(&*Asn1Time::from_unix(until)?)?;
        builder.set_subject_name(&name)?;
        builder.set_issuer_name(&name)?;
        builder.set_pubkey(&key.0)?;
        for extension in self.extensions()? {
            builder.append_extension(extension)?;
        }
        builder.sign(&key.0, scheme.digest()?)?;
        let certificate = builder.build();
        if !certificate.verify(&key.0)? {
            return Err(KeyFileError::Inconsistent);
        }
        Ok(Certificate(certificate))
    }

    fn extensions(&self) -> Result<Vec<X509Extension>, ErrorStack> {
        let mut all = vec![
            BasicConstraints::new().critical().ca().build()?,
            KeyUsage::new()
                .digital_signature()
                .key_cert_sign()
                .build()?,
        ];
        if let Some(value) = self.gq_public {
            let identifier = Asn1Object::from_str("2.5.29.14")?;
            let octets = der::octet_string(value);
            let contents = Asn1OctetString::new_from_bytes(&octets)?;
            all.push(X509Extension::new_from_der(&identifier, false, &contents)?);
        }
        match self.standing {
            Standing::Plain => {}
            Standing::Trusted => all.push(ExtendedKeyUsage::new().other(TRUST_ROOT).build()?),
            Standing::Private => all.push(ExtendedKeyUsage::new().other(PRIVATE).build()?),
        }
        Ok(all)
    }
}

impl Certificate {
    /// Reads a certificate file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &KeyText) -> Result<Self, KeyFileError> {
        let der = text.certificate_der().ok_or(KeyFileError::NoKey)?;
        Self::from_der(der)
    }

    /// Reads a certificate and nothing behind it.
    ///
    /// # Errors
    /// That it is none.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyFileError> {
        let mut whole = Reader::new(der);
        let alone = whole.sequence().is_some() && whole.is_empty();
        let read = X509::from_der(der).ok().filter(|_| alone);
        read.map(Self).ok_or(KeyFileError::Damaged)
    }

    /// As it is sent.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn to_der(&self) -> Result<Vec<u8>, KeyFileError> {
        Ok(self.0.to_der()?)
    }

    /// The text of its file.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn to_pem(&self) -> Result<String, KeyFileError> {
        String::from_utf8(self.0.to_pem()?).map_err(|_| KeyFileError::Inconsistent)
    }

    /// Its common name: `host` or `host@group`.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        common_name(self.0.subject_name())
    }

    /// Who signed it.
    #[must_use]
    pub fn issuer(&self) -> Option<String> {
        common_name(self.0.issuer_name())
    }

    /// What its host is.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let usage = self.extension(EXTENDED_KEY_USAGE);
        usage.map_or(Standing::Plain, |usage| standing_of(&usage))
    }

    /// What it is signed with, if Autokey knows that.
    #[must_use]
    pub fn scheme(&self) -> Option<Scheme> {
        Scheme::from_nid(self.0.signature_algorithm().object().nid())
    }

    /// Validity, seconds of Unix.
    ///
    /// # Errors
    /// That it holds no sensible dates.
    pub fn validity_unix_s(&self) -> Result<(i64, i64), KeyFileError> {
        Ok((unix_s(self.0.not_before())?, unix_s(self.0.not_after())?))
    }

    /// Whether it is of this key.
    #[must_use]
    pub fn is_of(&self, key: &PrivateKey) -> bool {
        self.0
            .public_key()
            .is_ok_and(|public| public.public_eq(&key.0))
    }

    /// Whether its own key signed it.
    #[must_use]
    pub fn is_self_signed(&self) -> bool {
        self.0
            .public_key()
            .is_ok_and(|key| self.0.verify(&key).unwrap_or(false))
    }

    /// The GQ public value, or whatever stands in its place.
    #[must_use]
    pub fn gq_public(&self) -> Option<Vec<u8>> {
        let value = self.extension(SUBJECT_KEY_IDENTIFIER)?;
        Reader::new(&value).octet_string().map(<[u8]>::to_vec)
    }

    /// The contents of an extension. OpenSSL's binding shows only those that the web knows.
    fn extension(&self, wanted: &[u8]) -> Option<Vec<u8>> {
        let mut all = self.extensions().into_iter();
        all.find(|extension| extension.name == wanted)
            .map(|extension| extension.contents)
    }

    /// Every extension: its name, whether it is critical, and its contents, each DER.
    fn extensions(&self) -> Vec<Extension> {
        let read = || {
            let der = self.0.to_der().ok()?;
            let mut body = Reader::new(&der).sequence()?.sequence()?;
            let list = core::iter::from_fn(|| body.any()).find(|(tag, _)| *tag == EXTENSIONS)?;
            let mut list = Reader::new(list.1).sequence()?;
            let next = || {
                let mut extension = list.sequence()?;
                Some(Extension {
                    name: extension.oid()?.to_vec(),
                    is_critical: extension.element(BOOLEAN).is_some_and(|value| value != [0]),
                    contents: extension.octet_string()?.to_vec(),
                })
            };
            Some(core::iter::from_fn(next).collect())
        };
        read().unwrap_or_default()
    }

    /// For people: the reference's `-d`.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn show(&self) -> Result<String, KeyFileError> {
        Ok(String::from_utf8_lossy(&self.0.to_text()?).into_owned())
    }
}

/// What an extended key usage says.
fn standing_of(usage: &[u8]) -> Standing {
    let mut usages = Reader::new(usage).sequence();
    let usages = core::iter::from_fn(|| usages.as_mut()?.oid());
    usages.fold(Standing::Plain, |standing, usage| match usage {
        PRIVATE_OCTETS => Standing::Private,
        TRUST_ROOT_OCTETS if standing == Standing::Plain => Standing::Trusted,
        _ => standing,
    })
}

/// The octets themselves, not what OpenSSL makes of them: it ends a string at its first NUL, and then
/// a certificate could bear another host's name.
fn common_name(name: &openssl::x509::X509NameRef) -> Option<String> {
    let entry = name.entries_by_nid(Nid::COMMONNAME).next()?;
    let text = core::str::from_utf8(entry.data().as_slice()).ok()?;
    let sound = (1..=NAME_LEN_MAX).contains(&text.len()) && !text.contains(char::is_control);
    sound.then(|| text.to_owned())
}

fn unix_s(time: &Asn1TimeRef) -> Result<i64, KeyFileError> {
    let span = Asn1Time::from_unix(0)?
        .diff(time)
        .map_err(|_| KeyFileError::Damaged)?;
    Ok(i64::from(span.days) * 86_400 + i64::from(span.secs))
}
