//! What tiering did, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What an engine's functions went through since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TierStats {
    /// Functions that were called in the interpreter.
    pub called: u64,
    /// Functions that became machine code, while they ran or before.
    pub compiled: u64,
    /// Loops at whose head a running call can be taken over.
    pub loops: u64,
    /// Functions and loops that could not be compiled, and stay interpreted. Each
    /// is in the log, with the reason (target `tiering`, level debug).
    pub failed: u64,
    /// Bytes of machine code made.
    pub code_bytes: u64,
    /// Time that threads took to compile.
    pub compile_time: Duration,
    /// Running calls that machine code took over.
    pub osr_entries: u64,
}

/// The same, being counted.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(super) called: AtomicU64,
    pub(super) compiled: AtomicU64,
    pub(super) loops: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) code_bytes: AtomicU64,
    pub(super) compile_nanos: AtomicU64,
    pub(super) osr_entries: AtomicU64,
}

impl Counters {
    pub(crate) fn read(&self) -> TierStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TierStats {
            called: read(&self.called),
            compiled: read(&self.compiled),
            loops: read(&self.loops),
            failed: read(&self.failed),
            code_bytes: read(&self.code_bytes),
            compile_time: Duration::from_nanos(read(&self.compile_nanos)),
            osr_entries: read(&self.osr_entries),
        }
    }
}

/// Adds to a counter.
pub(super) fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}
