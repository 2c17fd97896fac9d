//! Tiering under conditions that no program brings about, for tests.

use super::random;
use rwasm_parser::LocalFuncIndex;
use std::time::Duration;

/// How tiering is made to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub struct TierStress {
    /// Calls and iterations before a function is compiled.
    pub budget: StressBudget,
    /// Whether the guest waits for what it asked for, so that each budget that is
    /// spent changes the tier.
    pub wait: bool,
    /// The longest that a worker sleeps before it compiles, at random.
    pub delay: Duration,
    /// Requests that wait at most.
    pub queue: usize,
}

/// A budget for every function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub enum StressBudget {
    /// The same for all.
    Fixed(u32),
    /// From 0 to 7, at random by this seed.
    Random(u64),
}

impl StressBudget {
    pub(super) fn of(self, func: LocalFuncIndex) -> u32 {
        match self {
            StressBudget::Fixed(budget) => budget,
            StressBudget::Random(seed) => (random(seed, func) % 8) as u32,
        }
    }
}
