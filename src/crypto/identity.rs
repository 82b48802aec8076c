//! The identity schemes of Autokey (RFC 5906 appendix B): what servers and clients hold, and the
//! arithmetic by which a server shows that it belongs to the group.
//!
//! Secrets are computed with in constant time. Challenges and their answers are whole values:
//! whoever puts them on the wire pads them to the modulus.

mod arithmetic;
mod gq;
mod iff;
mod mv;

pub use gq::{GqAnswer, GqKey, GqParameters};
pub use iff::{IffAnswer, IffKey, IffParameters};
pub use mv::{MvAnswer, MvAuthority, MvKey, MvParameters};

use openssl::bn::BigNum;

/// Numbers in hexadecimal digits, for people.
fn show<const N: usize>(numbers: [(&'static str, &BigNum); N]) -> Vec<(&'static str, String)> {
    let digits = |number: &BigNum| number.to_hex_str().map(|text| text.to_string());
    numbers
        .into_iter()
        .map(|(name, number)| (name, digits(number).unwrap_or_default()))
        .collect()
}

#[cfg(test)]
mod tests;
