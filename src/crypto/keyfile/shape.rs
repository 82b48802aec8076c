//! What a file is for, by what is in it: names lie, contents do not.
use super::numbers::{DsaNumbers, Numbers};
use super::{FileName, FileRole, KeyFileError, KeyText};
use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use openssl::error::ErrorStack;

impl KeyText {
    /// What it is for. Only where contents do not tell, the name in its first line does: whether
    /// an RSA key is host or sign key, and what a DSA key without public value is.
    ///
    /// # Errors
    /// What is wrong with it; a wrong or missing password.
    pub fn role(&self, password: Option<&[u8]>) -> Result<FileRole, KeyFileError> {
        if self.is_certificate() {
            return Ok(FileRole::Certificate);
        }
        let named = self.name.as_ref().and_then(FileName::role);
        let mut keys = self.numbers(password)?;
        if keys.len() > 1 {
            return Ok(FileRole::MvAuthority);
        }
        Ok(match keys.pop().ok_or(KeyFileError::NoKey)? {
            Numbers::Rsa(rsa) => {
                let [d, p, q, ..] = &rsa.rest;
                match (is_one(p) && is_one(q), is_one(d)) {
                    (true, _) => FileRole::GqParameters,
                    (_, true) => FileRole::GqKey,
                    _ if named == Some(FileRole::Sign) => FileRole::Sign,
                    _ => FileRole::Host,
                }
            }
            Numbers::Dsa(dsa) => dsa_role(&dsa, named)?,
        })
    }

    /// Bits of the modulus of its first key, whatever the key is for.
    ///
    /// # Errors
    /// What is wrong with it; a wrong or missing password.
    pub fn modulus_bits(&self, password: Option<&[u8]>) -> Result<u32, KeyFileError> {
        let bits = match self.one(password)? {
            Numbers::Rsa(rsa) => rsa.n.num_bits(),
            Numbers::Dsa(dsa) => dsa.p.num_bits(),
        };
        Ok(u32::try_from(bits).unwrap_or(0))
    }
}

fn dsa_role(dsa: &DsaNumbers, named: Option<FileRole>) -> Result<FileRole, KeyFileError> {
    if is_one(&dsa.q) && is_one(&dsa.g) {
        return Ok(FileRole::MvParameters);
    }
    if is_one(&dsa.private) {
        return Ok(FileRole::IffParameters);
    }
    // q of MV is half of p; that of DSA and IFF is far shorter.
    if dsa.q.num_bits() + 1 >= dsa.p.num_bits() {
        return Ok(FileRole::MvKey);
    }
    let of_dsa = power(&dsa.g, &dsa.private, &dsa.p)?;
    Ok(match &dsa.public {
        Some(public) if *public != of_dsa => FileRole::IffKey,
        Some(_) if named != Some(FileRole::IffKey) => FileRole::Sign,
        _ if named == Some(FileRole::Sign) => FileRole::Sign,
        _ => FileRole::IffKey,
    })
}

fn power(
    base: &BigNumRef,
    exponent: &BigNumRef,
    modulus: &BigNumRef,
) -> Result<BigNum, ErrorStack> {
    let mut out = BigNum::new()?;
    out.mod_exp(base, exponent, modulus, &mut *BigNumContext::new_secure()?)?;
    Ok(out)
}

fn is_one(number: &BigNumRef) -> bool {
    number.num_bits() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_tell() {
        let cases: [(&[u8], FileRole); 9] = [
            (
                include_bytes!("../fixtures/autokey/host-pkcs8-3des"),
                FileRole::Host,
            ),
            (
                include_bytes!("../fixtures/autokey/cert-gq"),
                FileRole::Certificate,
            ),
            (
                include_bytes!("../fixtures/autokey/iffkey-pkcs8-3des"),
                FileRole::IffKey,
            ),
            (
                include_bytes!("../fixtures/autokey/iffkey-traditional-plain"),
                FileRole::IffKey,
            ),
            (
                include_bytes!("../fixtures/autokey/iffpar-g"),
                FileRole::IffParameters,
            ),
            (
                include_bytes!("../fixtures/autokey/gqkey-pkcs8-3des"),
                FileRole::GqKey,
            ),
            (
                include_bytes!("../fixtures/autokey/gqpar-pkcs8"),
                FileRole::GqParameters,
            ),
            (include_bytes!("../fixtures/autokey/mvkey"), FileRole::MvKey),
            (
                include_bytes!("../fixtures/autokey/mvpar-1"),
                FileRole::MvParameters,
            ),
        ];
        for (text, role) in cases {
            let text = KeyText::parse(text).expect("PEM");
            assert_eq!(text.role(Some(b"srvpw")), Ok(role));
            // The name says the contrary.
            let mut lying = text.clone();
            lying.name = FileName::parse("ntpkey_IFFpar_x.1");
            let told = lying.role(Some(b"srvpw")).expect("a role");
            assert_eq!(told, role);
        }
        let authority = KeyText::parse(include_bytes!("../fixtures/autokey/mvta-pkcs8-lost"));
        assert_eq!(
            authority.expect("PEM").role(Some(b"srvpw")),
            Ok(FileRole::MvAuthority)
        );
    }
}
