//! Rate limits and the table of recent clients.

/// `discard`: how often one address may ask where `limited` is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discard {
    /// `average`: least average interval, log2 seconds.
    pub average_log2_s: u8,
    /// `minimum`: least interval between two packets, seconds.
    pub minimum_s: u32,
    /// `monitor`: when the table of recent clients is full, a newcomer gets the oldest place with
    /// the probability of its age over this, seconds.
    pub monitor_s: u32,
}

impl Default for Discard {
    fn default() -> Self {
        Self {
            average_log2_s: 3,
            minimum_s: 2,
            monitor_s: 3000,
        }
    }
}

/// A size of the table of recent clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MruSize {
    /// A number of addresses.
    Entries(u32),
    /// Memory, units of 1024 bytes.
    Kilobytes(u32),
    /// A negative `maxdepth` or `maxmem`.
    Unlimited,
}

/// `mru`: the table of recent clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mru {
    /// `initalloc` or `initmem`: size at the start.
    pub initial: MruSize,
    /// `incalloc` or `incmem`: growth at a time.
    pub increment: MruSize,
    /// `maxdepth` or `maxmem`: greatest size.
    pub most: MruSize,
    /// `mindepth`: addresses that are kept whatever their age.
    pub mindepth: u32,
    /// `maxage`: beyond `mindepth`, an address of this age may be forgotten, seconds.
    pub maxage_s: u32,
}

impl Default for Mru {
    fn default() -> Self {
        Self {
            initial: MruSize::Kilobytes(4),
            increment: MruSize::Kilobytes(4),
            most: MruSize::Kilobytes(1024),
            mindepth: 600,
            maxage_s: 64,
        }
    }
}
