//! The flags of `restrict`.
use core::fmt;

/// What clients of a network may not do; a set. Those about time are enforced by the `Responder`,
/// `IGNORE` and `NOTRUST` also by `System`; those about control messages by whoever answers them.
/// `NOEPEER` is enforced by both. `NOPEER` binds those without a right MAC, who never get a passive
/// association anyway. Those about traps have nobody to restrict: there are none.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RestrictFlags(u32);

macro_rules! restrict_flags {
    ($($bit:literal $name:ident $word:literal $meaning:literal;)*) => {
        impl RestrictFlags {
            $(#[doc = $meaning] pub const $name: Self = Self(1 << $bit);)*
            /// The reference's word of each flag.
            pub const WORDS: &[(&'static str, Self)] = &[$(($word, Self::$name)),*];
        }
    };
}

restrict_flags! {
    0 IGNORE "ignore" "Nothing at all.";
    1 NOSERVE "noserve" "No time, though queries are served.";
    2 NOTRUST "notrust" "No time without a right MAC.";
    3 VERSION "version" "No time but to requests of the current version.";
    4 NOPEER "nopeer" "No new association without a right MAC.";
    5 NOEPEER "noepeer" "No new passive association, even with a right MAC.";
    6 LIMITED "limited" "Subject to the rate limit.";
    7 KOD "kod" "Some requests over the rate limit are answered with a kiss-o'-death.";
    8 NOQUERY "noquery" "No control messages.";
    9 NOMODIFY "nomodify" "No control message that changes anything.";
    10 NOTRAP "notrap" "No traps.";
    11 LOWPRIOTRAP "lowpriotrap" "Traps that others may displace.";
    12 NOMRULIST "nomrulist" "No list of recent clients.";
    13 MSSNTP "mssntp" "Replies signed by Samba for Windows domains.";
    14 FLAKE "flake" "One packet in ten is lost, for tests.";
    15 SERVERRESPONSE_FUZZ "serverresponse" "The low bits of replies are blurred.";
}

impl RestrictFlags {
    /// Everything is allowed.
    pub const NONE: Self = Self(0);

    /// The flag of a word of the grammar.
    pub fn from_word(word: &str) -> Option<Self> {
        let known = Self::WORDS.iter().find(|(known, _)| *known == word);
        known.map(|(_, flag)| *flag)
    }

    /// From the form in which a table keeps them.
    pub(super) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// To the form in which a table keeps them.
    pub(super) const fn to_bits(self) -> u32 {
        self.0
    }

    /// Whether all flags of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// This set and another.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set less another.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether nothing is restricted.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Debug for RestrictFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = Self::WORDS.iter().filter(|(_, flag)| self.contains(*flag));
        f.debug_set().entries(set.map(|(word, _)| word)).finish()
    }
}
