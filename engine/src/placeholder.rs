//! Stands in for what the crates below will have.

use thiserror::Error;

/// Limits of a store.
#[derive(Clone, Debug, Default)]
pub struct Limits(());

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident: $ty:ty,)*) => {
        impl Limits {
            /// The defaults.
            pub fn new() -> Self {
                Limits(())
            }
            $($(#[$doc])* pub fn $name(self, most: $ty) -> Self {
                let _ = most;
                self
            })*
        }
    };
}

limits! {
    /// Most bytes of a memory.
    memory_bytes: u64,
    /// Most elements of a table.
    table_elements: u64,
    /// Most instances.
    instances: usize,
    /// Most memories.
    memories: usize,
    /// Most tables.
    tables: usize,
    /// Most bytes of guest stack.
    stack_bytes: usize,
}

/// A limit that was reached.
#[derive(Clone, Debug, Error)]
#[error("limit")]
pub struct LimitError(());

/// Bytes that are no valid module.
#[derive(Clone, Debug, Error)]
#[error("invalid module")]
pub struct ParseError(());

/// The bytes of a module.
#[derive(Clone, Debug)]
pub struct ModuleBytes(());
