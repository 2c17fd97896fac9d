//! What is known of published machine code: whose function an instruction
//! belongs to, where in the module it came from, and what its fault means.
//!
//! Positions are kept for instructions that a backtrace can meet: calls and
//! those that may trap. A call is found by the byte before its return address.

use crate::translate::{InlinedAt, Position};
use crate::unwind::{Handler, TryCall};
use rwasm_runtime::code::ModuleCode;
use rwasm_runtime::trap::Trap;
use std::ptr;

/// The tables of an image, each sorted by offset.
#[derive(Debug)]
pub(crate) struct Image {
    /// The address of the code.
    pub(crate) base: usize,
    /// The module whose functions these are, or null for adapters.
    pub(crate) module: *const ModuleCode,
    /// Where functions begin, and their indices among the module's own.
    pub(crate) funcs: Box<[(u32, u32)]>,
    /// Instructions that may fault.
    pub(crate) traps: Box<[(u32, Trap)]>,
    /// Calls and instructions that may fault.
    pub(crate) positions: Box<[(u32, Position)]>,
    /// Calls that exceptions may leave, by their return addresses.
    pub(crate) try_calls: Box<[(u32, TryCall)]>,
    /// What [`TryCall::items`] counts.
    pub(crate) handlers: Box<[Handler]>,
    /// What [`Position::Inlined`] counts.
    pub(crate) inlined: Box<[InlinedAt]>,
}

// SAFETY: the module owns its image, which goes first; it is `Sync` itself.
unsafe impl Send for Image {}
// SAFETY: as above.
unsafe impl Sync for Image {}

impl Default for Image {
    fn default() -> Self {
        Image {
            base: 0,
            module: ptr::null(),
            funcs: Box::default(),
            traps: Box::default(),
            positions: Box::default(),
            try_calls: Box::default(),
            handlers: Box::default(),
            inlined: Box::default(),
        }
    }
}

impl Image {
    /// What a fault of the instruction at `pc` means, if it may fault. Called by
    /// the signal handler.
    pub(crate) fn trap(&self, pc: usize) -> Option<Trap> {
        find(&self.traps, self.offset(pc)?)
    }

    /// Where the call or faulting instruction that holds the byte at `pc` came
    /// from.
    pub(crate) fn position(&self, pc: usize) -> Option<Position> {
        find(&self.positions, self.offset(pc)?)
    }

    /// The handlers of the call that returns to `pc`, if it has some.
    pub(crate) fn try_call(&self, pc: usize) -> Option<TryCall> {
        find(&self.try_calls, self.offset(pc)?)
    }

    /// The function that holds `pc`.
    pub(crate) fn func(&self, pc: usize) -> Option<u32> {
        let offset = self.offset(pc)?;
        let after = self.funcs.partition_point(|&(start, _)| start <= offset);
        Some(self.funcs.get(after.checked_sub(1)?)?.1)
    }

    fn offset(&self, pc: usize) -> Option<u32> {
        u32::try_from(pc.checked_sub(self.base)?).ok()
    }
}

/// The value at exactly this offset.
fn find<T: Copy>(table: &[(u32, T)], offset: u32) -> Option<T> {
    let index = table.binary_search_by_key(&offset, |&(at, _)| at).ok()?;
    Some(table[index].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_up() {
        let image = Image {
            base: 1000,
            funcs: [(0, 7), (16, 3)].into(),
            traps: [(4, Trap::Unreachable)].into(),
            positions: [(4, Position::Own(99))].into(),
            ..Image::default()
        };
        assert_eq!(image.trap(1004), Some(Trap::Unreachable));
        assert_eq!(image.trap(1003), None);
        assert_eq!(image.position(1004), Some(Position::Own(99)));
        assert_eq!(image.position(1005), None);
        assert_eq!(image.func(1000), Some(7));
        assert_eq!(image.func(1015), Some(7));
        assert_eq!(image.func(1016), Some(3));
        assert_eq!(image.func(999), None);
        assert_eq!(image.func(usize::MAX), None);
    }
}
