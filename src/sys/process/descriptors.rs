/// Raises the soft limit of open descriptors to the hard one, and returns how many there may be.
/// The soft limit is low for the sake of select(2), which is not used here.
pub fn raise_descriptor_limit() -> usize {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the kernel writes one rlimit to `limit`, ours during the call.
    if crate::checked(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) }).is_err() {
        return POSIX_LEAST;
    }
    let raised = libc::rlimit {
        rlim_cur: limit.rlim_max,
        ..limit
    };
    // SAFETY: the kernel reads one rlimit from `raised`, ours during the call.
    let outcome =
        crate::checked(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const raised) });
    let now = if outcome.is_ok() { raised } else { limit };
    usize::try_from(now.rlim_cur).unwrap_or(usize::MAX)
}

/// `_POSIX_OPEN_MAX`: what every system has.
const POSIX_LEAST: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_holds_what_it_says() {
        let descriptors = raise_descriptor_limit();
        assert!(descriptors >= POSIX_LEAST);
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
        let line = limits
            .lines()
            .find_map(|line| line.strip_prefix("Max open files"))
            .unwrap();
        let numbers: Vec<usize> = line
            .split_whitespace()
            .filter_map(|word| word.parse().ok())
            .collect();
        assert_eq!(numbers, [descriptors, descriptors]);
    }
}
