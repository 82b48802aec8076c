use core::fmt;
use core::ops::Deref;
use openssl::bn::{BigNum, BigNumRef};

/// A secret number: computed with in constant time, wiped when dropped, never shown.
pub(crate) struct SecretNumber(BigNum);

impl SecretNumber {
    pub(crate) fn new(mut number: BigNum) -> Self {
        number.set_const_time();
        Self(number)
    }
}

impl Deref for SecretNumber {
    type Target = BigNumRef;

    fn deref(&self) -> &BigNumRef {
        &self.0
    }
}

impl Drop for SecretNumber {
    fn drop(&mut self) {
        self.0.clear();
    }
}

impl fmt::Debug for SecretNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}
