use core::fmt;
use core::hint::black_box;

/// Overwrites octets that held a secret, e.g. the text of a key file once it is parsed.
pub fn wipe(octets: &mut [u8]) {
    octets.fill(0);
    // Without a reader the compiler may drop the writes to memory about to be freed.
    black_box(octets);
}

/// A key's octets: wiped when dropped, never shown, never cloned.
pub(crate) struct Secret(Vec<u8>);

impl Secret {
    pub(crate) fn new(octets: Vec<u8>) -> Self {
        Self(octets)
    }

    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wiped_and_never_shown() {
        let mut octets = *b"LA-REPONSE-EST-42";
        wipe(&mut octets);
        assert_eq!(octets, [0; 17]);
        let secret = Secret::new(b"LA-REPONSE".to_vec());
        assert!(!format!("{secret:?}").contains("REPONSE"));
    }
}
