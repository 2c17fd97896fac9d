//! Sizes and thresholds, each with the reason for its value.

/// Address space reserved for a guarded 32-bit memory: all that an index can
/// reach.
pub const MEMORY_RESERVATION: usize = 1 << 32;

/// Inaccessible address space behind the reservation. A static offset below it
/// needs no explicit check. 32 MiB is what wasmtime uses; compilers emit
/// offsets of a few hundred bytes.
pub const MEMORY_GUARD: usize = 32 << 20;

/// Address space reserved in front of a guarded memory whose code may be interrupted,
/// for the page that tells it ([`POLL_DISPLACEMENT`]). So much, that the memory
/// begins where a huge page may.
pub const MEMORY_FRONT: usize = HUGE_PAGE;

/// The word that such code reads, from the base of memory 0.
pub const POLL_DISPLACEMENT: i32 = -8;

/// What the kernel brings in at once where it is asked for huge pages, on x86-64
/// and, with pages of 4 KiB, on AArch64. The 10 MB of data that CPython starts
/// with were copied in 10.2 ms by small pages, 2.5 ms by huge ones.
pub const HUGE_PAGE: usize = 2 << 20;

/// Slots that any frame may span: slot operands of the interpreter are 16 bits
/// wide. So many slots are mapped beyond the limit of the value stack.
pub const MAX_FRAME_SLOTS: usize = 1 << 16;

/// Default size of the value stack in bytes. wasmtime's default is 512 KiB of
/// native stack, where frames of machine code are smaller than ours.
pub const DEFAULT_MAX_STACK: usize = 1 << 20;

/// Native stack that a chain of guest and host calls may use at least, where the
/// thread has that much (see `sys::stack`); a larger limit of the store's stack
/// holds for it too. Below this, the runtime's own frames between two segments
/// would use up what a small limit leaves.
pub const LEAST_NATIVE_STACK: usize = 64 << 10;

/// Native stack kept free below the guest's limit, for the host function that
/// is called last and for signal handlers.
pub const NATIVE_STACK_RESERVE: usize = 128 << 10;

/// Slots between the caller's outgoing area and the callee's first argument:
/// the header of an interpreter frame (see `rwasm-interp`, module `frame`).
/// Whoever puts arguments on the value stack leaves so many slots before them.
pub const FRAME_HEADER_SLOTS: usize = 6;

/// Parameters, and results, that a function type may have: the implementation
/// limit that engines share and `wasmparser` enforces for modules.
pub const MAX_PARAMS_AND_RESULTS: usize = 1000;

/// Default limit of one memory in bytes: all that a 32-bit memory can have.
pub const DEFAULT_MAX_MEMORY: u64 = 1 << 32;

/// Default limit of one table in elements (80 MB); the suite grows tables to
/// this size, wasmtime's default has none.
pub const DEFAULT_MAX_TABLE_ELEMENTS: u64 = 10_000_000;

/// Address space reserved for a store's garbage-collected heap: all that a
/// 32-bit reference can reach.
pub const GC_REGION: usize = 1 << 32;

/// The least that is tried where less address space is to be had.
pub const GC_REGION_LEAST: usize = 1 << 24;

/// How much of the region is made accessible at a time. Pages cost nothing until
/// they are touched, a system call about 1 µs.
pub const GC_COMMIT_STEP: usize = 4 << 20;

/// Bytes allocated before the first collection, and between any two at least;
/// above it, as many as the last collection found alive.
pub const GC_MIN_THRESHOLD: u64 = 8 << 20;

/// At its limit, a heap is starved if less than this part of it (as a shift) was
/// allocated since the last collection…
pub const GC_STARVED_SHIFT: u32 = 6;

/// … and so many times in a row are the end: what a guest at its limit can make
/// the collector do is bounded by what it allocates.
pub const GC_MAX_STARVED: u32 = 4;

/// Default limit of a garbage-collected heap: as for a memory.
pub const DEFAULT_MAX_GC_HEAP: u64 = 1 << 32;

/// New references to values of the host before a collection looks which are still
/// in use, and between any two such collections at least; above it, as many as
/// were in use.
pub const HOST_REFS_MIN_THRESHOLD: usize = 1024;

/// Default number of stores that a pool keeps for their next use.
pub const POOL_IDLE_SLOTS: usize = 64;

/// Default of the bytes written by guests that stay in memory in a pooled store,
/// per memory: to reset 8 MiB costs 0.5 ms by copying and 9 ms of page faults.
pub const POOL_RESIDENT_BYTES: usize = 16 << 20;

/// Default limit of instances, memories and tables in one store each
/// (wasmtime's default is 10,000).
pub const DEFAULT_MAX_ENTITIES: usize = 10_000;
