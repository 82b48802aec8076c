//! Shorthands for arithmetic modulo something.
use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};

pub(super) type Answer = Result<BigNum, ErrorStack>;

pub(super) struct Modulo<'a> {
    pub(super) n: &'a BigNumRef,
    context: BigNumContext,
}

impl<'a> Modulo<'a> {
    pub(super) fn new(n: &'a BigNumRef) -> Result<Self, ErrorStack> {
        Ok(Self {
            n,
            context: BigNumContext::new_secure()?,
        })
    }

    pub(super) fn power(&mut self, base: &BigNumRef, exponent: &BigNumRef) -> Answer {
        let mut out = BigNum::new()?;
        out.mod_exp(base, exponent, self.n, &mut self.context)?;
        Ok(out)
    }

    pub(super) fn product(&mut self, a: &BigNumRef, b: &BigNumRef) -> Answer {
        let mut out = BigNum::new()?;
        out.mod_mul(a, b, self.n, &mut self.context)?;
        Ok(out)
    }

    pub(super) fn sum(&mut self, a: &BigNumRef, b: &BigNumRef) -> Answer {
        let mut out = BigNum::new()?;
        out.mod_add(a, b, self.n, &mut self.context)?;
        Ok(out)
    }

    pub(super) fn difference(&mut self, a: &BigNumRef, b: &BigNumRef) -> Answer {
        let mut out = BigNum::new()?;
        out.mod_sub(a, b, self.n, &mut self.context)?;
        Ok(out)
    }

    pub(super) fn inverse(&mut self, a: &BigNumRef) -> Answer {
        let mut out = BigNum::new()?;
        out.mod_inverse(a, self.n, &mut self.context)?;
        Ok(out)
    }

    /// A random number, 1 to n - 1.
    pub(super) fn random(&self) -> Answer {
        loop {
            let mut out = BigNum::new()?;
            self.n.rand_range(&mut out)?;
            if out.num_bits() > 0 {
                return Ok(out);
            }
        }
    }

    pub(super) fn is_prime_to(&mut self, a: &BigNumRef) -> Result<bool, ErrorStack> {
        let mut divisor = BigNum::new()?;
        divisor.gcd(a, self.n, &mut self.context)?;
        Ok(is_one(&divisor))
    }
}

pub(super) fn is_one(a: &BigNumRef) -> bool {
    a.num_bits() == 1
}

/// Octets of a number without leading zeros.
pub(super) fn octets(a: &BigNumRef) -> usize {
    usize::try_from(a.num_bytes()).unwrap_or(0)
}

pub(super) fn is_prime(a: &BigNumRef) -> Result<bool, ErrorStack> {
    a.is_prime_fasttest(0, &mut *BigNumContext::new()?, true)
}

/// The product of two numbers, modulo nothing.
pub(super) fn times(a: &BigNumRef, b: &BigNumRef) -> Answer {
    let mut out = BigNum::new()?;
    out.checked_mul(a, b, &mut *BigNumContext::new()?)?;
    Ok(out)
}

/// The quotient; the remainder is dropped.
pub(super) fn divided(a: &BigNumRef, b: &BigNumRef) -> Answer {
    let mut out = BigNum::new()?;
    out.checked_div(a, b, &mut *BigNumContext::new()?)?;
    Ok(out)
}

pub(super) fn minus(a: &BigNumRef, b: &BigNumRef) -> Answer {
    let mut out = BigNum::new()?;
    out.checked_sub(a, b)?;
    Ok(out)
}

/// MD5 of the shortest big-endian octets, as a number: leading zeros do not count.
pub(super) fn md5(a: &BigNumRef) -> Answer {
    BigNum::from_slice(&hash(MessageDigest::md5(), &a.to_vec())?)
}
