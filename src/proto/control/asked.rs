//! Facts on their way into variables.
use super::{EngineFacts, Facts, IoFacts, KernelFacts, KeyFacts};
use crate::autokey::pool_counts::PoolCounts;
use crate::server::Counters;
use std::cell::OnceCell;

/// Facts, each asked for at most once and only if some variable needs it.
pub(crate) struct Asked<'a> {
    facts: &'a dyn Facts,
    served: OnceCell<Counters>,
    io: OnceCell<IoFacts>,
    engine: OnceCell<EngineFacts>,
    keys: OnceCell<KeyFacts>,
    kernel: OnceCell<KernelFacts>,
}

impl<'a> Asked<'a> {
    pub(crate) const fn new(facts: &'a dyn Facts) -> Self {
        Self {
            facts,
            served: OnceCell::new(),
            io: OnceCell::new(),
            engine: OnceCell::new(),
            keys: OnceCell::new(),
            kernel: OnceCell::new(),
        }
    }

    pub(super) fn served(&self) -> &Counters {
        self.served.get_or_init(|| self.facts.served())
    }

    pub(super) fn io(&self) -> &IoFacts {
        self.io.get_or_init(|| self.facts.io())
    }

    pub(super) fn engine(&self) -> &EngineFacts {
        self.engine.get_or_init(|| self.facts.engine())
    }

    pub(super) fn server_keys(&self) -> &KeyFacts {
        self.keys.get_or_init(|| self.facts.keys())
    }

    /// One variable needs it.
    pub(super) fn pool(&self) -> PoolCounts {
        self.facts.pool()
    }

    pub(super) fn kernel(&self) -> &KernelFacts {
        self.kernel
            .get_or_init(|| self.facts.kernel().unwrap_or_default())
    }
}
