//! Shared memories: guests on several threads, each with a store of its own.

#[path = "../common/mod.rs"]
mod common;

mod accesses;
mod kinds;
mod shared_memory;
mod waiting;

#[test]
fn under_all_tiers() {
    common::run_under_all_tiers();
}
