//! Signatures over values (RFC 5906 §10): timestamp, filestamp, length of the value, value.
use super::public_key;
use crate::certificate::{Scheme, is_before};
use crate::keyfile::KeyFileError;
use crate::private_key::PrivateKey;
use openssl::pkey::Id;
use openssl::sign;
use truechimer_proto::autokey::job::{Failure, SignedValue, Verifier};

/// What a signature covers, before the value itself.
fn preamble(value: &SignedValue) -> [u8; 12] {
    let len = u32::try_from(value.value.len()).unwrap_or(u32::MAX);
    let words = [value.timestamp, value.filestamp, len];
    let mut octets = [0; 12];
    for (slot, word) in octets.chunks_exact_mut(4).zip(words) {
        slot.copy_from_slice(&word.to_be_bytes());
    }
    octets
}

/// Signs a value.
pub(super) fn sign(
    key: &PrivateKey,
    scheme: Scheme,
    value: &SignedValue,
) -> Result<Vec<u8>, KeyFileError> {
    let mut signer = sign::Signer::new(scheme.digest()?, &key.0)?;
    signer.update(&preamble(value))?;
    signer.update(&value.value)?;
    Ok(signer.sign_to_vec()?)
}

/// Verifies a value's signature, and that its timestamp is one.
pub(super) fn verify(value: &SignedValue, by: &Verifier) -> Result<(), Failure> {
    // What is not signed has no timestamp, and nothing is signed before it is made.
    if value.timestamp == 0 || is_before(value.timestamp, value.filestamp) {
        return Err(Failure::Timestamp);
    }
    let key = public_key::read(&by.public_key)?;
    let scheme = Scheme::from_number(by.signature_nid).ok_or(Failure::Digest)?;
    // DSA's signatures are of several lengths up to that.
    let len = value.signature.len();
    if len == 0 || len > key.size() || (key.id() == Id::RSA && len != key.size()) {
        return Err(Failure::SignatureLength);
    }
    let digest = scheme.digest().map_err(|_| Failure::Digest)?;
    let verified = || {
        let mut verifier = sign::Verifier::new(digest, &key)?;
        verifier.update(&preamble(value))?;
        verifier.update(&value.value)?;
        verifier.verify(&value.signature)
    };
    match verified() {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(Failure::Signature),
    }
}
