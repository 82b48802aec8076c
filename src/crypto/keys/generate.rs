use crate::digest::RandomUnavailable;

/// Keys of each type in a new file.
const OF_EACH_TYPE: u32 = 10;
/// Characters of an MD5 key; the oldest readers take eight of them, today's twenty.
const MD5_LEN: usize = 20;
/// Keys that NTP 4.1 made, and the characters of each.
const OLD_KEYS: u32 = 16;
const OLD_MD5_LEN: usize = 16;

/// What the characters of a new MD5 key may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// All that prints, but the sign of comments.
    Printable,
    /// Letters, digits and the hyphen: nothing that a router's command line or a shell touches.
    Safe,
}

impl Charset {
    fn has(self, octet: u8) -> bool {
        match self {
            Self::Printable => octet.is_ascii_graphic() && octet != b'#',
            Self::Safe => octet.is_ascii_alphanumeric() || octet == b'-',
        }
    }
}

/// The lines of a new key file: keys 1 to 10 MD5, 11 to 20 SHA1, as the reference makes them, and
/// 21 to 30 AES128CMAC.
///
/// # Errors
/// When OpenSSL gives no random octets.
pub fn generate(charset: Charset) -> Result<String, RandomUnavailable> {
    let mut text = String::new();
    let mut id = 0;
    for (kind, octets) in [("MD5", 0), ("SHA1", 20), ("AES128CMAC", 16)] {
        for _ in 0..OF_EACH_TYPE {
            id += 1;
            let key = match octets {
                0 => characters(charset, MD5_LEN)?,
                octets => hexadecimal(octets)?,
            };
            text.push_str(&format!("{id:2} {kind} {key}  # {kind} key\n"));
        }
    }
    Ok(text)
}

/// The lines of a key file as NTP 4.1's ntp-genkeys made it: sixteen MD5 keys of sixteen characters.
///
/// # Errors
/// When OpenSSL gives no random octets.
pub fn generate_md5() -> Result<String, RandomUnavailable> {
    let mut text = String::new();
    for id in 1..=OLD_KEYS {
        let key = characters(Charset::Printable, OLD_MD5_LEN)?;
        text.push_str(&format!("{id:2} M {key}\t# MD5 key\n"));
    }
    Ok(text)
}

fn characters(charset: Charset, len: usize) -> Result<String, RandomUnavailable> {
    let mut key = String::new();
    while key.len() < len {
        let octet = random::<1>()?[0];
        // By rejection: a remainder would make some characters likelier.
        if charset.has(octet) {
            key.push(char::from(octet));
        }
    }
    Ok(key)
}

fn hexadecimal(octets: usize) -> Result<String, RandomUnavailable> {
    let key = random::<20>()?;
    Ok(key
        .iter()
        .take(octets)
        .map(|octet| format!("{octet:02x}"))
        .collect())
}

fn random<const N: usize>() -> Result<[u8; N], RandomUnavailable> {
    let mut octets = [0; N];
    openssl::rand::rand_priv_bytes(&mut octets).map_err(|_| RandomUnavailable)?;
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::parse;

    #[test]
    fn thirty_keys_that_are_read_without_a_complaint() {
        for charset in [Charset::Printable, Charset::Safe] {
            let text = generate(charset).expect("random octets");
            let (file, complaints) = parse(text.as_bytes());
            assert_eq!((file.len(), complaints.as_slice()), (30, &[][..]), "{text}");
            assert_ne!(generate(charset).expect("random octets"), text);
        }
    }

    #[test]
    fn safe_keys_hold_nothing_to_quote() {
        let text = generate(Charset::Safe).expect("random octets");
        for line in text.lines() {
            let key = line.split_whitespace().nth(2).expect("a key");
            assert!(
                key.bytes()
                    .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
            );
        }
    }
}
