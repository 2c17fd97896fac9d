//! One test for each published advisory, of any runtime, that could apply to
//! the functions: named by its number, or by the report where it has none.
//!
//! What an advisory is an example of is tested at length elsewhere (`sandbox`,
//! `read_only`, `faults`, `poll`); these are the attacks as they were published.
//! Those that need a running guest are in `tests/advisories.rs` of this crate,
//! those about code in the engine's.

mod numbers;
mod paths;
