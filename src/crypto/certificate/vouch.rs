//! Certificates made for others out of their own: the trail of certificates is knotted here.
use super::{Certificate, EXTENDED_KEY_USAGE, Extension, Scheme};
use crate::keyfile::KeyFileError;
use crate::private_key::PrivateKey;
use openssl::asn1::{Asn1Object, Asn1OctetString, Asn1Time};
use openssl::bn::BigNum;
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::x509::{X509, X509Extension, X509Name};

/// For how long others are vouched for, as the reference does.
const LIFETIME_S: i64 = 365 * 86_400;

impl Certificate {
    /// A certificate with this one's name, key, version and extensions, issued by `issuer` from
    /// `from_unix_s` on. Of its subject nothing but the name that was looked at: the reference takes what
    /// follows the first "CN=" of the first 256 octets, wherever that stands. Trust is not handed on: usages are left out, whatever they say, for OpenSSL
    /// understands more ways to write one than we do.
    ///
    /// # Errors
    /// OpenSSL's, as that the key is too short for the digest; an extension with an absurd name.
    pub(crate) fn vouched_for(
        &self,
        issuer: &str,
        (key, scheme): (&PrivateKey, Scheme),
        (serial, from_unix_s): (u32, i64),
    ) -> Result<Self, KeyFileError> {
        let subject = self.name().ok_or(KeyFileError::Damaged)?;
        let (subject, issuer) = (named(&subject)?, named(issuer)?);
        let mut builder = X509::builder()?;
        builder.set_version(self.0.version())?;
        let serial = BigNum::from_u32(serial)?.to_asn1_integer()?;
        builder.set_serial_number(&serial)?;
        let until = from_unix_s + LIFETIME_S;
        builder.set_not_before(&*Asn1Time::from_unix(from_unix_s)?)?;
        builder.set_not_after(&*Asn1Time::from_unix(until)?)?;
        builder.set_subject_name(&subject)?;
        builder.set_issuer_name(&issuer)?;
        builder.set_pubkey(&*self.0.public_key()?)?;
        for extension in self.extensions() {
            if extension.name != EXTENDED_KEY_USAGE {
                builder.append_extension(extension.built()?)?;
            }
        }
        builder.sign(&key.0, scheme.digest()?)?;
        Ok(Self(builder.build()))
    }
}

/// A subject or issuer of this name alone.
fn named(name: &str) -> Result<X509Name, ErrorStack> {
    let mut builder = X509Name::builder()?;
    builder.append_entry_by_nid(Nid::COMMONNAME, name)?;
    Ok(builder.build())
}

impl Extension {
    fn built(&self) -> Result<X509Extension, KeyFileError> {
        let name = dotted(&self.name).ok_or(KeyFileError::Damaged)?;
        let name = Asn1Object::from_str(&name)?;
        let contents = Asn1OctetString::new_from_bytes(&self.contents)?;
        Ok(X509Extension::new_from_der(
            &name,
            self.is_critical,
            &contents,
        )?)
    }
}

/// An object identifier in its usual writing.
fn dotted(octets: &[u8]) -> Option<String> {
    let mut arcs: Vec<u64> = Vec::new();
    let mut arc = 0_u64;
    for octet in octets {
        arc = arc.checked_mul(128)? + u64::from(octet & 0x7F);
        if octet & 0x80 == 0 {
            arcs.push(arc);
            arc = 0;
        }
    }
    let (first, rest) = arcs.split_first()?;
    let top = (first / 40).min(2);
    let mut text = format!("{top}.{}", first - top * 40);
    for arc in rest {
        text.push_str(&format!(".{arc}"));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::super::{
        PRIVATE, PRIVATE_OCTETS, SUBJECT_KEY_IDENTIFIER, TRUST_ROOT, TRUST_ROOT_OCTETS,
    };
    use super::*;

    /// Of a stranger, and what is made of it.
    fn theirs_and_ours(subject: &X509Name, usage: &Extension) -> (Certificate, Certificate) {
        let key = PrivateKey::generate(crate::KeyKind::Rsa, 1024).expect("a key");
        let mut builder = X509::builder().expect("OpenSSL");
        builder.set_version(2).expect("3");
        builder.set_subject_name(subject).expect("a name");
        builder.set_issuer_name(subject).expect("a name");
        builder.set_pubkey(&key.0).expect("a key");
        let built = usage.built().expect("an extension");
        builder.append_extension(built).expect("an extension");
        let scheme = Scheme::usual(crate::KeyKind::Rsa);
        let digest = scheme.digest().expect("a digest");
        builder.sign(&key.0, digest).expect("signed");
        let theirs = Certificate(builder.build());
        let ours = theirs.vouched_for("alice", (&key, scheme), (1, 1_795_824_000));
        (theirs, ours.expect("signed"))
    }

    /// A length of four octets is none of DER's, and OpenSSL reads it: the reference would see a trusted
    /// host where we see none.
    #[test]
    fn trust_in_another_writing_is_not_handed_on() {
        let mut contents = vec![0x30, 0x84, 0, 0, 0, 11, 0x06, 0x09];
        contents.extend_from_slice(TRUST_ROOT_OCTETS);
        let usage = Extension {
            name: EXTENDED_KEY_USAGE.to_vec(),
            is_critical: false,
            contents,
        };
        let (theirs, ours) = theirs_and_ours(&named("mallory").expect("a name"), &usage);
        assert!(theirs.show().expect("text").contains("Trust Root"));
        assert_eq!(theirs.standing(), super::super::Standing::Plain);
        let shown = ours.show().expect("text");
        assert!(
            shown.contains("mallory") && !shown.contains("Trust Root"),
            "{shown}"
        );
    }

    #[test]
    fn of_a_subject_the_name_alone_is_signed() {
        let mut subject = X509Name::builder().expect("a name");
        for (kind, text) in [("OU", "CN=alice"), ("CN", "mallory"), ("CN", "alice")] {
            subject.append_entry_by_text(kind, text).expect("a name");
        }
        let identifier = Extension {
            name: SUBJECT_KEY_IDENTIFIER.to_vec(),
            is_critical: false,
            contents: vec![0x04, 0x01, 0x05],
        };
        let (theirs, ours) = theirs_and_ours(&subject.build(), &identifier);
        assert_eq!(theirs.0.subject_name().entries().count(), 3);
        assert_eq!(ours.name().as_deref(), Some("mallory"));
        assert_eq!(ours.0.subject_name().entries().count(), 1);
        assert_eq!(ours.gq_public().as_deref(), Some(&[5][..]), "that stays");
    }

    #[test]
    fn names_of_extensions() {
        let of = |octets| dotted(octets).expect("a name");
        assert_eq!(of(SUBJECT_KEY_IDENTIFIER), "2.5.29.14");
        assert_eq!(of(TRUST_ROOT_OCTETS), TRUST_ROOT);
        assert_eq!(of(PRIVATE_OCTETS), PRIVATE);
        assert_eq!(of(&[0x88, 0x37, 0x03]), "2.999.3");
        assert_eq!(dotted(&[]), None);
        assert_eq!(dotted(&[0xFF; 12]), None);
    }
}
