//! The numbers of the tiering policy; `docs/RATIONALE.md` has the measurements.
//!
//! CPU time of ten guest programs, each sized for 15-40, 30-100 and 130-350 ms,
//! and of CPython's start, relative to the budgets below: 100 and 2,000 instead of
//! 500 lie between 0.94 and 1.06, 0 and 8 for each byte instead of 2 between 0.92
//! and 1.06, which is the noise of that machine; 5,000 for every function costs
//! CPython 1.37, since its large functions are compiled first.

/// What a function may run in the interpreter before it is compiled, in calls and
/// iterations: so many…
pub(super) const BUDGET: u32 = 500;

/// …and so many for each byte of its body, since that is what compiling costs.
pub(super) const BUDGET_PER_BYTE: u32 = 2;

/// Calls and iterations between two questions of a function that was asked to be
/// compiled: whether its loop can be handed over now.
pub(super) const POLL: i32 = 256;

/// A call whose loop spends a budget is taken for one that lasts if there were not
/// more than so many before: else each call ran few iterations, and the next one
/// will find the function compiled as a whole.
pub(super) const FEW_CALLS: u32 = 2;

/// Times that other loops of a function ask before a second one is compiled,
/// beside one that is there already but that the running call has not met again.
pub(super) const PATIENCE: u32 = 16;

/// Requests that wait at most. A program that gets hot everywhere at once is
/// asked again for what found no place.
pub(super) const QUEUE: usize = 1024;
