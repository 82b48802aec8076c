//! The kernel's clock status in words.

/// STA_* bits of the kernel, in order.
const KERNEL_FLAGS: [&str; 16] = [
    "pll",
    "ppsfreq",
    "ppstime",
    "fll",
    "ins",
    "del",
    "unsync",
    "freqhold",
    "ppssignal",
    "ppsjitter",
    "ppswander",
    "ppserror",
    "clockerr",
    "nano",
    "mode=fll",
    "src=B",
];

/// The words for the STA_* bits of the kernel's clock status that are set, lowest first.
pub fn kernel_flags(status: u32) -> impl Iterator<Item = &'static str> {
    let set = KERNEL_FLAGS.iter().enumerate();
    let set = set.filter(move |(bit, _)| status >> bit & 1 == 1);
    set.map(|(_, name)| *name)
}

/// The same, parted by blanks.
pub(super) fn flags(status: u32) -> String {
    kernel_flags(status).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_flags() {
        assert_eq!(flags(0x2001), "pll nano");
        assert_eq!(flags(0x40), "unsync");
        assert_eq!(flags(0), "");
    }
}
