//! The little of DER that key containers need. OpenSSL's own decoders recompute or refuse the
//! numbers that Autokey hides in DSA and RSA containers (ADR 0014), so they are taken as they stand.
use crate::secret::Secret;
use openssl::bn::{BigNum, BigNumRef};
use openssl::error::ErrorStack;

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// Longest number looked at, octets: 8192 bits. What is longer costs seconds to compute with.
const INTEGER_LEN_MAX: usize = 1025;

/// What is left of a value that is read element by element.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The next element if it has that tag.
    pub(crate) fn element(&mut self, tag: u8) -> Option<&'a [u8]> {
        if self.0.first() != Some(&tag) {
            return None;
        }
        self.any().map(|(_, value)| value)
    }

    /// The next element, whatever its tag.
    pub(crate) fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let (&[tag, short], rest) = self.0.split_first_chunk::<2>()?;
        let (len, rest) = match short {
            0..=0x7F => (usize::from(short), rest),
            0x81..=0x83 => {
                let (octets, rest) = rest.split_at_checked(usize::from(short & 0x7F))?;
                let len = octets
                    .iter()
                    .fold(0, |len, octet| len << 8 | usize::from(*octet));
                (len, rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some((tag, value))
    }

    pub(crate) fn sequence(&mut self) -> Option<Self> {
        self.element(SEQUENCE).map(Self)
    }

    pub(crate) fn octet_string(&mut self) -> Option<&'a [u8]> {
        self.element(OCTET_STRING)
    }

    pub(crate) fn oid(&mut self) -> Option<&'a [u8]> {
        self.element(OID)
    }

    /// A number of zero or more.
    pub(crate) fn integer(&mut self) -> Option<BigNum> {
        let octets = self.element(INTEGER)?;
        let negative = octets.first().is_none_or(|octet| octet & 0x80 != 0);
        if negative || octets.len() > INTEGER_LEN_MAX {
            return None;
        }
        BigNum::from_slice(octets).ok()
    }

    /// A sequence of exactly so many numbers, and nothing behind it.
    pub(crate) fn integers<const N: usize>(octets: &'a [u8]) -> Option<[BigNum; N]> {
        let mut outer = Self::new(octets);
        let mut inner = outer.sequence()?;
        let found: Vec<BigNum> = (0..N).map_while(|_| inner.integer()).collect();
        let found = found.try_into().ok()?;
        (inner.is_empty() && outer.is_empty()).then_some(found)
    }

    /// A number that fits a machine word.
    pub(crate) fn small(&mut self) -> Option<u32> {
        let octets = self.element(INTEGER)?;
        let significant = octets.iter().skip_while(|octet| **octet == 0);
        significant
            .clone()
            .count()
            .le(&4)
            .then(|| significant.fold(0, |value, octet| value << 8 | u32::from(*octet)))
    }
}

fn element(tag: u8, value: &[u8]) -> Vec<u8> {
    let len = value.len().to_be_bytes();
    let significant = len.iter().position(|octet| *octet != 0);
    let len = &len[significant.unwrap_or(len.len() - 1)..];
    let mut out = Vec::with_capacity(value.len() + 6);
    out.push(tag);
    if len.len() > 1 || len[0] > 0x7F {
        out.push(0x80 | u8::try_from(len.len()).unwrap_or(0x7F));
    }
    out.extend(len);
    out.extend(value);
    out
}

/// A number as an INTEGER. It may be a secret.
fn integer(number: &BigNumRef) -> Secret {
    let len = usize::try_from(number.num_bytes()).unwrap_or(0);
    let mut octets = Vec::with_capacity(len + 1);
    // A first bit that is set would make it negative.
    if number.num_bits() % 8 == 0 {
        octets.push(0);
    }
    let digits = Secret::new(number.to_vec());
    octets.extend(digits.octets());
    let octets = Secret::new(octets);
    Secret::new(element(INTEGER, octets.octets()))
}

/// An octet string.
pub(crate) fn octet_string(octets: &[u8]) -> Vec<u8> {
    element(OCTET_STRING, octets)
}

/// A sequence of numbers, as the identity schemes' answers are.
pub(crate) fn integers(numbers: &[&BigNumRef]) -> Vec<u8> {
    let all: Vec<Secret> = numbers.iter().map(|number| integer(number)).collect();
    let len = all.iter().map(|it| it.octets().len()).sum();
    // Of its whole length from the start: what grows leaves copies behind.
    let mut value = Vec::with_capacity(len);
    for it in &all {
        value.extend(it.octets());
    }
    let value = Secret::new(value);
    element(SEQUENCE, value.octets())
}

/// The version 0 and then the numbers, as the traditional key containers have them.
pub(crate) fn numbers(numbers: &[&BigNumRef]) -> Result<Vec<u8>, ErrorStack> {
    let version = BigNum::new()?;
    let all: Vec<&BigNumRef> = core::iter::once(&*version)
        .chain(numbers.iter().copied())
        .collect();
    Ok(integers(&all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for hex in [
            "00",
            "7F",
            "80",
            "0100",
            &"FF".repeat(128),
            &"01".repeat(300),
        ] {
            let number = BigNum::from_hex_str(hex).expect("hex");
            let der = numbers(&[&number]).expect("written");
            let mut inner = Reader::new(&der).sequence().expect("a sequence");
            assert_eq!(inner.small(), Some(0));
            assert_eq!(inner.integer().expect("a number"), number, "{hex}");
            assert!(inner.is_empty());
        }
    }

    #[test]
    fn lengths_that_lie_and_negative_numbers_are_refused() {
        for octets in [
            &[][..],
            &[0x02],
            &[0x02, 0x00],
            &[0x02, 0x05, 1],
            &[0x02, 0x80, 0, 0],
            &[0x02, 0x84, 0, 0, 0, 1, 1],
            &[0x02, 0x01, 0xFF],
            &[0x04, 0x01, 0x01],
        ] {
            assert!(Reader::new(octets).integer().is_none(), "{octets:?}");
        }
        assert_eq!(Reader::new(&[2, 5, 1, 0, 0, 0, 0]).small(), None);
    }
}
