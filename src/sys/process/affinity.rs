/// A processor core this process may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Core(core_affinity::CoreId);

/// The cores the calling thread may use. To be asked before any thread is pinned, for threads
/// inherit.
pub fn cores() -> Vec<Core> {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    cores.into_iter().map(Core).collect()
}

impl Core {
    /// As the kernel numbers it.
    pub const fn number(self) -> usize {
        self.0.id
    }
}

/// Binds the calling thread to a core; `false` if the kernel will not.
pub fn pin_thread(core: Core) -> bool {
    core_affinity::set_for_current(core.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_to_a_core_it_may_use() {
        std::thread::spawn(|| {
            let core = *cores().last().unwrap();
            assert!(pin_thread(core));
            assert_eq!(cores(), [core]);
        })
        .join()
        .unwrap();
    }
}
