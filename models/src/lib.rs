//! Models of what threads of rwasm do with what they share, run by loom in every
//! order that the memory model allows.
//!
//! The code is not a copy: its files are compiled here once more, with loom's
//! atomics and locks where they name the standard library's. What stands around
//! them in their own crates is as little as they need.
//!
//! `cargo test --release -p rwasm-models`
#![cfg(test)]

mod code;
mod tiers;

/// As in `rwasm-runtime`, without parameters: nothing is called here.
mod layout {
    pub type ArrayEntry = extern "C" fn() -> usize;
}

/// As in `rwasm-runtime`, without any: they follow a cell under a lock, in one
/// order of all accesses, which loom does not know.
mod func_refs {
    use crate::code::{CodeCell, LocalFuncIndex};

    pub struct LiveRefs;

    impl LiveRefs {
        pub fn follow(&self, _: LocalFuncIndex, _: &CodeCell) {}
    }
}
