use core::fmt;
use truechimer_time::leap::LeapSecondsList;

/// OpenSSL's generator gave nothing: no daemon should run on guessable nonces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomUnavailable;

impl fmt::Display for RandomUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the random generator of OpenSSL is not available")
    }
}

impl core::error::Error for RandomUnavailable {}

/// A seed for the protocol's own generator.
///
/// # Errors
/// When OpenSSL could not seed itself.
pub fn random_seed() -> Result<[u8; 32], RandomUnavailable> {
    let mut seed = [0; 32];
    openssl::rand::rand_priv_bytes(&mut seed).map_err(|_| RandomUnavailable)?;
    Ok(seed)
}

/// The version of OpenSSL in use, as it names itself.
pub fn openssl_version() -> &'static str {
    openssl::version::version()
}

/// SHA-1, for integrity of published files only.
pub fn sha1(octets: &[u8]) -> [u8; 20] {
    openssl::sha::sha1(octets)
}

/// Whether a leap-seconds.list hashes to what its own `#h` line says; `None` without such a line.
pub fn leap_list_matches(list: &LeapSecondsList) -> Option<bool> {
    let claimed = list.claimed_sha1?;
    let digest = sha1(list.signed_text.as_bytes());
    let words = digest
        .as_chunks::<4>()
        .0
        .iter()
        .map(|word| u32::from_be_bytes(*word));
    Some(words.eq(claimed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use truechimer_time::leap::parse;

    /// The list of 7 July 2025 as the IERS published it, without its prose.
    const PUBLISHED: &str = include_str!("fixtures/leap-seconds.list");

    #[test]
    fn published_list_matches_and_a_changed_one_does_not() {
        let list = parse(PUBLISHED).expect("a good file");
        assert_eq!(leap_list_matches(&list), Some(true));
        let changed = PUBLISHED.replacen("3692217600", "3692217601", 1);
        assert_ne!(changed, PUBLISHED);
        assert_eq!(
            leap_list_matches(&parse(&changed).expect("well formed")),
            Some(false)
        );
        let without = PUBLISHED.replace("#h", "#");
        assert_eq!(
            leap_list_matches(&parse(&without).expect("well formed")),
            None
        );
    }

    #[test]
    fn sha1_of_abc() {
        // FIPS 180-4 example.
        assert_eq!(sha1(b"abc")[..4], [0xA9, 0x99, 0x3E, 0x36]);
    }

    #[test]
    fn seeds_differ() {
        assert_ne!(
            random_seed().expect("openssl"),
            random_seed().expect("openssl")
        );
    }
}
