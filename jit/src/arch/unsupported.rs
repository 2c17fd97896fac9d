//! Architectures without this tier: it refuses to start there.

use rwasm_runtime::code::CodeCell;
use rwasm_runtime::layout::{Status, StoreCtx};
use std::ops::Range;

/// Whether machine code can be run here.
pub(crate) const SUPPORTED: bool = false;

/// Bytes of a stub.
pub(crate) const STUB_SIZE: usize = 0;

/// Never called.
pub(crate) unsafe extern "C" fn leave_segment(_store: *mut StoreCtx, _status: Status) -> ! {
    unreachable!("no machine code runs here")
}

/// Never called.
pub(crate) unsafe extern "C" fn land(_pc: usize, _sp: usize, _fp: usize, _payload: u64) -> ! {
    unreachable!("no machine code runs here")
}

/// Never called.
pub(crate) unsafe extern "C" fn resolve_and_enter() {
    unreachable!("no machine code runs here")
}

/// None that are known.
pub(crate) fn backward_branches(_code: &[u8]) -> impl Iterator<Item = Range<u32>> {
    std::iter::empty()
}

/// Never called.
pub(crate) fn write_stub(_into: &mut [u8], _cell: *const CodeCell) {}
