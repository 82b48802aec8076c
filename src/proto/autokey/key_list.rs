//! Key lists (RFC 5906 §4): whoever speaks unasked names its packets by keys that it made backwards,
//! so that who heard one packet can tell the next, and nobody can make it.
use crate::authentication::SessionKey;

/// Most keys of a list.
const KEYS_AT_MOST: u32 = 100;
/// Packets that may be lost between two: whoever misses more is told the end of a list anew, or
/// forgets its server. Anybody can have us count so far.
const LOST_AT_MOST: u32 = 16;
/// Greatest number that a symmetric key may have.
const SYMMETRIC_AT_MOST: u32 = 65_535;

/// How long a list may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// `automax`: of the whole list at most, log2 seconds.
    pub automax: u8,
    /// Time between two packets, log2 seconds.
    pub poll: u8,
}

impl Lifetime {
    /// As many packets as the list is good for.
    fn packets(self) -> u32 {
        let spare = self.automax.saturating_sub(self.poll).min(31);
        (1_u32 << spare).min(KEYS_AT_MOST)
    }
}

/// The last key of a list and how many came before it: what its owner signs and hands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListEnd {
    /// The key whose hash no packet has.
    pub key_id: u32,
    /// Number of the key of the first packet; they are counted down.
    pub sequence: u32,
}

impl ListEnd {
    /// As on the wire (RFC 5906 §10.5): the key first.
    pub fn to_octets(self) -> [u8; 8] {
        let mut octets = [0; 8];
        octets[..4].copy_from_slice(&self.key_id.to_be_bytes());
        octets[4..].copy_from_slice(&self.sequence.to_be_bytes());
        octets
    }

    /// From the wire.
    pub fn from_octets(octets: &[u8]) -> Option<Self> {
        let (key_id, rest) = octets.split_first_chunk()?;
        let sequence = rest.try_into().ok()?;
        Some(Self {
            key_id: u32::from_be_bytes(*key_id),
            sequence: u32::from_be_bytes(sequence),
        })
    }
}

/// Keys of the packets to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyList {
    /// The first made, and so the last used, at the start.
    keys: Vec<u32>,
    end: ListEnd,
}

impl KeyList {
    /// Made from a random number; `None` if that cannot be a key. `next` gives the session key of a
    /// packet with this key identifier. Who is not synchronised makes one key and no more: it could
    /// not sign the end of a list.
    pub fn make(
        seed: u32,
        lifetime: Lifetime,
        is_synchronized: bool,
        mut next: impl FnMut(u32) -> Option<SessionKey>,
    ) -> Option<Self> {
        if seed <= SYMMETRIC_AT_MOST {
            return None;
        }
        let most = if is_synchronized {
            lifetime.packets()
        } else {
            1
        };
        let mut keys = Vec::new();
        let mut key_id = seed;
        loop {
            keys.push(key_id);
            key_id = next(key_id)?.first_word();
            let is_usable = key_id > SYMMETRIC_AT_MOST && !keys.contains(&key_id);
            if !is_usable || keys.len() >= usize::try_from(most).unwrap_or(1) {
                break;
            }
        }
        let sequence = u32::try_from(keys.len() - 1).unwrap_or(0);
        let end = ListEnd { key_id, sequence };
        Some(Self { keys, end })
    }

    /// The key of the next packet; `None` if all were used.
    pub fn take(&mut self) -> Option<u32> {
        self.keys.pop()
    }

    /// Whether all were used.
    pub const fn is_spent(&self) -> bool {
        self.keys.is_empty()
    }

    /// Keys left.
    pub fn left(&self) -> usize {
        self.keys.len()
    }

    /// What is to be signed.
    pub const fn end(&self) -> ListEnd {
        self.end
    }
}

/// What is known of the list of somebody who is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Key of its last packet.
    previous: u32,
    end: ListEnd,
    /// Its end was asked for again, as too many packets were lost.
    is_told_again: bool,
}

impl Chain {
    /// From the end of a list, whose signature is verified.
    pub const fn new(end: ListEnd) -> Self {
        Self {
            previous: end.key_id,
            end,
            is_told_again: false,
        }
    }

    /// Whether this is the end of the same list.
    pub fn is_of(&self, end: ListEnd) -> bool {
        self.end.key_id == end.key_id
    }

    /// Takes the end of the same list again. Which keys were used is not forgotten: they are no secret
    /// any more.
    pub const fn tell_again(&mut self) {
        self.is_told_again = true;
    }

    /// As it was told, the number counted down since.
    pub const fn end(&self) -> ListEnd {
        self.end
    }

    /// Whether a packet with this key is the next of the list: its hash, or the hash of that, and so on
    /// for as many packets as may have been lost, is the key of the last packet, which is the end of the
    /// list at first. The reference takes the end at any time, and so every key that was used: whoever
    /// heard one could name packets by it.
    /// `next` gives the session key of a packet with this key identifier.
    pub fn admits(&mut self, key_id: u32, mut next: impl FnMut(u32) -> Option<SessionKey>) -> bool {
        // The number is the other side's word, though signed.
        let is_new = self.previous == self.end.key_id || self.is_told_again;
        let most = if is_new { KEYS_AT_MOST } else { LOST_AT_MOST };
        let most = self.end.sequence.min(most);
        let mut hashed = key_id;
        for lost in 0..=most {
            let Some(key) = next(hashed) else {
                return false;
            };
            hashed = key.first_word();
            if hashed == self.previous {
                self.previous = key_id;
                self.is_told_again = false;
                self.end.sequence = self.end.sequence.saturating_sub(lost);
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(key_id: u32) -> Option<SessionKey> {
        let mixed = key_id.wrapping_mul(0x9E37_79B9).rotate_left(13) | 0x0001_0000;
        let mut digest = [7; 16];
        digest[..4].copy_from_slice(&mixed.to_be_bytes());
        SessionKey::new(&digest)
    }

    const LASTING: Lifetime = Lifetime {
        automax: 12,
        poll: 3,
    };

    fn list() -> KeyList {
        KeyList::make(0x0123_4567, LASTING, true, hash).expect("a seed")
    }

    #[test]
    fn a_list_ends_where_its_keys_lead() {
        let mut list = list();
        assert_eq!((list.left(), list.end().sequence), (100, 99));
        let mut previous = list.end().key_id;
        let mut last = 0;
        while let Some(key_id) = list.take() {
            let hashed = hash(key_id).map(|it| it.first_word());
            assert_eq!(hashed, Some(previous));
            (previous, last) = (key_id, key_id);
        }
        assert_eq!(last, 0x0123_4567);
    }

    #[test]
    fn lists_are_short_where_they_must_be() {
        let long = Lifetime {
            automax: 12,
            poll: 10,
        };
        let of = |lifetime, synchronized| {
            KeyList::make(0x0123_4567, lifetime, synchronized, hash).map(|it| it.left())
        };
        assert_eq!(of(long, true), Some(4));
        assert_eq!(of(LASTING, false), Some(1));
        let repeating = KeyList::make(70_000, LASTING, true, |_| {
            let mut digest = [0; 16];
            digest[..4].copy_from_slice(&70_000_u32.to_be_bytes());
            SessionKey::new(&digest)
        });
        assert_eq!(repeating.map(|it| it.left()), Some(1));
        let symmetric = KeyList::make(70_000, LASTING, true, |_| SessionKey::new(&[0; 16]));
        assert_eq!(symmetric.map(|it| it.left()), Some(1));
        assert_eq!(KeyList::make(65_535, LASTING, true, hash), None);
    }

    #[test]
    fn packets_may_be_lost_and_none_can_be_made_up() {
        let mut list = list();
        let mut chain = Chain::new(list.end());
        let mut keys = Vec::new();
        while let Some(key_id) = list.take() {
            keys.push(key_id);
        }
        assert!(!chain.admits(0x00AB_CDEF, hash), "nobody's");
        assert!(chain.admits(keys[0], hash));
        assert!(chain.admits(keys[1], hash));
        assert!(chain.admits(keys[7], hash), "five were lost");
        assert_eq!(chain.end().sequence, 94);
        for used in [0, 1, 2, 7] {
            assert!(!chain.admits(keys[used], hash), "used or passed over");
        }
        assert!(chain.admits(keys[8], hash), "nothing was lost by that");
        assert!(!chain.admits(0x00AB_CDEF, hash), "nobody's still");
    }

    #[test]
    fn who_lost_too_much_is_told_again_and_still_knows_what_was_used() {
        let mut list = list();
        let end = list.end();
        let mut chain = Chain::new(end);
        let keys: Vec<u32> = core::iter::from_fn(|| list.take()).collect();
        assert!(chain.admits(keys[0], hash) && chain.admits(keys[3], hash));
        assert!(!chain.admits(keys[60], hash), "too many");
        assert!(chain.is_of(end));
        chain.tell_again();
        for used in [0, 1, 2, 3] {
            assert!(!chain.admits(keys[used], hash), "{used}");
        }
        assert!(chain.admits(keys[60], hash));
        assert!(!chain.admits(keys[90], hash), "once");
    }

    #[test]
    fn a_told_number_bounds_the_work() {
        let mut list = list();
        let end = ListEnd {
            sequence: u32::MAX,
            ..list.end()
        };
        let mut chain = Chain::new(end);
        let hashes_for_nothing = |chain: &mut Chain| {
            let mut hashes = 0;
            let admitted = chain.admits(0x00AB_CDEF, |key_id| {
                hashes += 1;
                hash(key_id)
            });
            assert!(!admitted);
            hashes
        };
        assert_eq!(
            hashes_for_nothing(&mut chain),
            101,
            "where in the list its packets are is not known yet"
        );
        let first = list.take().expect("a key");
        assert!(chain.admits(first, hash));
        assert_eq!(hashes_for_nothing(&mut chain), 17);
    }

    #[test]
    fn as_the_reference_writes_it() {
        let octets = [0x69, 0x60, 0xbb, 0x90, 0, 0, 0, 0x63];
        let end = ListEnd::from_octets(&octets).expect("eight octets");
        assert_eq!((end.key_id, end.sequence), (0x6960_bb90, 99));
        assert_eq!(end.to_octets(), octets);
        assert_eq!(ListEnd::from_octets(&octets[..7]), None);
    }
}
