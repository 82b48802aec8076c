/// Processor cores this process may use; at least one.
pub fn core_count() -> usize {
    core_affinity::get_core_ids().map_or(1, |cores| cores.len().max(1))
}

/// Binds the calling thread to the core at `place` among those the process may use, counted
/// round and round; `false` if the kernel will not.
pub fn pin_thread(place: usize) -> bool {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    let Some(core) = place
        .checked_rem(cores.len())
        .and_then(|place| cores.get(place))
    else {
        return false;
    };
    core_affinity::set_for_current(*core)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_to_a_core_it_may_use() {
        std::thread::spawn(|| {
            let before = core_count();
            assert!(pin_thread(before + 1));
            assert_eq!(core_count(), 1);
        })
        .join()
        .unwrap();
    }
}
