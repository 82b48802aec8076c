//! The kernel's randomness.
use std::io;

/// Fills `octets` with unpredictable ones.
///
/// # Errors
/// The kernel's; it waits until the pool is ready, so hardly ever.
pub fn fill(octets: &mut [u8]) -> io::Result<()> {
    let mut rest = octets;
    while !rest.is_empty() {
        let (into, len) = (rest.as_mut_ptr().cast(), rest.len());
        // SAFETY: the kernel writes at most `len` octets to the slice, exclusively borrowed.
        match crate::checked_len(unsafe { libc::getrandom(into, len, 0) }) {
            Ok(got) => rest = rest.get_mut(got..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_fillings_differ() {
        let (mut first, mut second) = ([0; 32], [0; 32]);
        super::fill(&mut first).unwrap();
        super::fill(&mut second).unwrap();
        assert_ne!(first, second);
        assert_ne!(first, [0; 32]);
    }
}
