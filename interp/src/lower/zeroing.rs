//! Which locals must be zeroed at a function's entry.
//!
//! A local needs no zero if every `local.get` of it comes after a `local.set` or
//! `local.tee` in the same block or one around it: the rule by which validation
//! admits locals without a default value, applied to all. Compilers assign most
//! locals before they read them, so that few functions have anything to zero.
//! What a slot holds until then is never read as a value; pins loaded from it
//! are written before they are read, and the garbage collector takes whatever it
//! finds in a frame for no more than a hint.

use super::Lower;
use crate::inst::Inst;

/// What is known about assignments.
#[derive(Default)]
pub(super) struct Zeroing {
    /// The assigned locals, oldest first.
    order: Vec<u32>,
    /// First and last slot that must be zero at entry.
    slots: Option<(u32, u32)>,
}

impl Lower<'_> {
    /// All locals up to now are parameters; after them `count` others.
    pub(super) fn begin_zeroing(&mut self, params: usize) {
        for param in &mut self.locals[..params] {
            param.assigned = true;
        }
        self.zeroing.order.clear();
        self.zeroing.slots = None;
    }

    /// A local is read that may not have been assigned.
    #[inline(never)]
    pub(super) fn note_unassigned_read(&mut self, local: u32) {
        let info = self.locals[local as usize];
        let (first, last) = (info.slot, info.slot + info.kind.slots() - 1);
        let slots = &mut self.zeroing.slots;
        *slots = Some(match *slots {
            Some((low, high)) => (low.min(first), high.max(last)),
            None => (first, last),
        });
    }

    /// A local is assigned.
    #[inline]
    pub(super) fn note_assignment(&mut self, local: u32) {
        let info = &mut self.locals[local as usize];
        if !info.assigned {
            info.assigned = true;
            self.zeroing.order.push(local);
        }
    }

    /// For [`Lower::end_assignments`] at the end of the block that begins here.
    pub(super) fn begin_assignments(&self) -> usize {
        self.zeroing.order.len()
    }

    /// A block ends: what was assigned in it may not have been on another way to
    /// what follows.
    pub(super) fn end_assignments(&mut self, begin: usize) {
        for local in self.zeroing.order.drain(begin..) {
            self.locals[local as usize].assigned = false;
        }
    }

    /// Narrows the function's first instruction to the locals that are read
    /// before they are assigned.
    pub(super) fn end_zeroing(&mut self) {
        if let Some(Inst::Enter { first, count }) = self.out.first_mut() {
            (*first, *count) = match self.zeroing.slots {
                Some((low, high)) => (low as u16, (high - low + 1) as u16),
                None => (0, 0),
            };
        }
    }
}
