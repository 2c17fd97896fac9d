//! How much a store may take, and the errors of asking for more.

use crate::tunables;
use std::{fmt, io};
use thiserror::Error;

/// What one store may take. Every limit has a default, so that no guest can
/// take a whole machine by accident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one memory. What others have made of a shared memory does not
    /// count.
    pub memory_bytes: u64,
    /// Elements of one table.
    pub table_elements: u64,
    /// Bytes of the garbage-collected heap.
    pub gc_heap_bytes: u64,
    /// Instances in the store.
    pub instances: usize,
    /// Memories in the store.
    pub memories: usize,
    /// Tables in the store.
    pub tables: usize,
    /// Bytes of the value stack.
    pub stack_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            memory_bytes: tunables::DEFAULT_MAX_MEMORY,
            table_elements: tunables::DEFAULT_MAX_TABLE_ELEMENTS,
            gc_heap_bytes: tunables::DEFAULT_MAX_GC_HEAP,
            instances: tunables::DEFAULT_MAX_ENTITIES,
            memories: tunables::DEFAULT_MAX_ENTITIES,
            tables: tunables::DEFAULT_MAX_ENTITIES,
            stack_bytes: tunables::DEFAULT_MAX_STACK,
        }
    }
}

impl Limits {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }
}

macro_rules! setters {
    ($($(#[$doc:meta])* $field:ident: $ty:ty,)*) => {
        impl Limits {
            $($(#[$doc])*
            #[must_use]
            pub fn $field(mut self, most: $ty) -> Self {
                self.$field = most;
                self
            })*
        }
    };
}
setters! {
    /// Sets the most bytes that one memory may have.
    memory_bytes: u64,
    /// Sets the most elements that one table may have.
    table_elements: u64,
    /// Sets the most bytes that the garbage-collected heap may have.
    gc_heap_bytes: u64,
    /// Sets the most instances that the store may hold.
    instances: usize,
    /// Sets the most memories that the store may hold.
    memories: usize,
    /// Sets the most tables that the store may hold.
    tables: usize,
    /// Sets the bytes of the value stack.
    stack_bytes: usize,
}

/// Which limit stood in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitKind {
    /// [`Limits::memory_bytes`].
    MemoryBytes,
    /// The maximum that a memory's type declares, in pages.
    DeclaredMemoryPages,
    /// [`Limits::table_elements`].
    TableElements,
    /// The maximum that a table's type declares, in elements.
    DeclaredTableElements,
    /// [`Limits::instances`].
    Instances,
    /// [`Limits::memories`].
    Memories,
    /// [`Limits::tables`].
    Tables,
    /// [`Limits::stack_bytes`].
    StackBytes,
    /// Parameters of a function type.
    Parameters,
    /// Results of a function type.
    Results,
    /// References to values of the host in one store, which are 32 bits wide.
    HostReferences,
}

impl fmt::Display for LimitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LimitKind::MemoryBytes => "bytes of a memory",
            LimitKind::DeclaredMemoryPages => "pages of this memory's type",
            LimitKind::TableElements => "elements of a table",
            LimitKind::DeclaredTableElements => "elements of this table's type",
            LimitKind::Instances => "instances in a store",
            LimitKind::Memories => "memories in a store",
            LimitKind::Tables => "tables in a store",
            LimitKind::StackBytes => "bytes of the value stack",
            LimitKind::Parameters => "parameters of a function",
            LimitKind::Results => "results of a function",
            LimitKind::HostReferences => "host references in a store",
        })
    }
}

/// More was asked for than a limit allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the limit of {value} {limit} is exceeded: {asked} asked for")]
pub struct LimitError {
    /// The limit.
    pub limit: LimitKind,
    /// Its value.
    pub value: u64,
    /// What was asked for; `u64::MAX` stands for everything above it too.
    pub asked: u64,
}

impl LimitError {
    /// Whether `asked` is within a limit of `value`.
    pub fn check(limit: LimitKind, value: u64, asked: u64) -> Result<(), Self> {
        if asked <= value {
            Ok(())
        } else {
            Err(LimitError {
                limit,
                value,
                asked,
            })
        }
    }
}

/// Something could not be allocated.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ResourceError {
    /// A limit of the store or of a type forbids it.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The system does not have so much.
    #[error("the system has no room for {bytes} bytes of {what}")]
    System {
        /// What it was for.
        what: &'static str,
        /// How much was asked for.
        bytes: u64,
        /// The system's answer.
        source: io::Error,
    },
    /// The value stack cannot be replaced while a call uses it.
    #[error("the value stack cannot be replaced while a call runs")]
    StackInUse,
}

impl ResourceError {
    /// The system's refusal of `bytes` bytes.
    pub(crate) fn system(what: &'static str, bytes: usize, source: io::Error) -> Self {
        ResourceError::System {
            what,
            bytes: bytes as u64,
            source,
        }
    }

    /// The allocator's refusal of `bytes` bytes.
    pub(crate) fn out_of_memory(what: &'static str, bytes: usize) -> Self {
        Self::system(what, bytes, io::ErrorKind::OutOfMemory.into())
    }
}
