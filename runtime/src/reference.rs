//! How references other than to functions are encoded, in 32 bits each.
//!
//! ```text
//!  0                       null
//!  vvvv…vvvv1              i31: the low 31 bits of the value
//!  iiii…ii10               value of the host number i
//!  oooo…oo00, not zero     object of the garbage-collected heap
//! ```
//! The three are told apart by their low bits, so that `any.convert_extern` and
//! `extern.convert_any` change nothing. A slot holds the word zero-extended.

use crate::limits::{LimitError, LimitKind};
use crate::tunables::HOST_REFS_MIN_THRESHOLD;
use std::any::Any;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A reference to a value of the host: what a non-null `externref` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct HostRef(NonZeroU32);

/// The low two bits of references to values of the host.
pub const HOST_TAG: u32 = 0b10;
const HOST_SHIFT: u32 = 2;

impl HostRef {
    /// The reference in a slot, if it is one to a value of the host.
    pub fn from_slot(slot: u64) -> Option<Self> {
        let word = u32::try_from(slot).ok()?;
        (word & 0b11 == HOST_TAG).then_some(HostRef(NonZeroU32::new(word)?))
    }

    /// The reference as it stands in a slot.
    pub fn to_slot(self) -> u64 {
        self.0.get().into()
    }

    fn numbered(index: usize) -> Result<Self, LimitError> {
        HostRef::new(index).ok_or(LimitError {
            limit: LimitKind::HostReferences,
            value: 1 << (32 - HOST_SHIFT),
            asked: index as u64 + 1,
        })
    }

    fn new(index: usize) -> Option<Self> {
        let index = u32::try_from(index)
            .ok()
            .filter(|&index| index >> (32 - HOST_SHIFT) == 0)?;
        NonZeroU32::new(index << HOST_SHIFT | HOST_TAG).map(HostRef)
    }

    fn index(self) -> usize {
        (self.0.get() >> HOST_SHIFT) as usize
    }
}

/// The slot of the `i31ref` that holds the low 31 bits of `value`.
pub fn i31_slot(value: u32) -> u64 {
    u64::from(value << 1 | 1)
}

/// The low 31 bits, zero-extended, if the slot holds an `i31ref`.
pub fn i31_from_slot(slot: u64) -> Option<u32> {
    (slot & 1 == 1).then_some(slot as u32 >> 1)
}

/// The values of the host that a store's guests may refer to. They live until a
/// collection finds nothing that refers to them.
#[derive(Default)]
pub(crate) struct HostRefs {
    values: Vec<Option<Box<dyn Any + Send + Sync>>>,
    /// One bit per value, for the running collection.
    marks: Vec<u64>,
    /// Places in `values` that are free.
    free: Vec<u32>,
    /// New ones since the last collection, and how many make the next.
    fresh: usize,
    threshold: usize,
}

impl HostRefs {
    /// Whether it is time to collect.
    pub(crate) fn collection_is_due(&self) -> bool {
        self.fresh >= self.threshold.max(HOST_REFS_MIN_THRESHOLD)
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len() - self.free.len()
    }

    pub(crate) fn push(
        &mut self,
        value: Box<dyn Any + Send + Sync>,
    ) -> Result<HostRef, LimitError> {
        let reference = match self.free.last() {
            Some(&index) => HostRef::numbered(index as usize)?,
            None => HostRef::numbered(self.values.len())?,
        };
        match self.free.pop() {
            Some(index) => self.values[index as usize] = Some(value),
            None => self.values.push(Some(value)),
        }
        self.fresh += 1;
        Ok(reference)
    }

    pub(crate) fn get(&self, reference: HostRef) -> Option<&(dyn Any + Send + Sync)> {
        self.values.get(reference.index())?.as_deref()
    }

    pub(crate) fn get_mut(&mut self, reference: HostRef) -> Option<&mut (dyn Any + Send + Sync)> {
        self.values.get_mut(reference.index())?.as_deref_mut()
    }

    /// Keeps a value in the running collection. The reference may be made up.
    #[inline]
    pub(crate) fn mark(&mut self, reference: HostRef) {
        let index = reference.index();
        if index < self.values.len() {
            self.marks.resize(self.values.len().div_ceil(64), 0);
            self.marks[index / 64] |= 1 << (index % 64);
        }
    }

    /// Ends a collection: drops what was not marked.
    pub(crate) fn retain_marked(&mut self) {
        for (index, value) in self.values.iter_mut().enumerate() {
            let marked = self
                .marks
                .get(index / 64)
                .is_some_and(|word| word >> (index % 64) & 1 != 0);
            if !marked && let Some(value) = value.take() {
                self.free.push(index as u32);
                // A collection runs below guest frames, which nothing may unwind.
                if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
                    std::mem::forget(payload);
                }
            }
        }
        self.marks.clear();
        self.fresh = 0;
        self.threshold = self.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_do_not_overlap() {
        for index in [0, 1, 2, 1000, (1 << 30) - 1] {
            let slot = HostRef::new(index).unwrap().to_slot();
            assert!(slot != 0 && u32::try_from(slot).is_ok());
            assert_eq!(HostRef::from_slot(slot).unwrap().index(), index);
            assert_eq!(i31_from_slot(slot), None);
        }
        assert_eq!(HostRef::new(1 << 30), None);
        for value in [0, 1, 0x3fff_ffff, 0x4000_0000, 0x7fff_ffff, u32::MAX] {
            let slot = i31_slot(value);
            assert_eq!(i31_from_slot(slot), Some(value & 0x7fff_ffff));
            assert_eq!(HostRef::from_slot(slot), None);
        }
        for slot in [0, 4, u64::MAX, 1 << 32 | 2] {
            assert_eq!(HostRef::from_slot(slot), None);
        }
    }

    #[test]
    fn values_are_found_by_their_reference() {
        let mut refs = HostRefs::default();
        let one = refs.push(Box::new(1u32)).unwrap();
        let two = refs.push(Box::new("two")).unwrap();
        assert_eq!(refs.get(one).unwrap().downcast_ref::<u32>(), Some(&1));
        assert_eq!(
            refs.get_mut(two).unwrap().downcast_mut::<&str>(),
            Some(&mut "two")
        );
        assert!(refs.get(HostRef::new(2).unwrap()).is_none());
    }

    #[test]
    fn unmarked_values_are_dropped_and_their_places_used_again() {
        struct Panics;
        impl Drop for Panics {
            fn drop(&mut self) {
                panic!("in drop");
            }
        }
        let mut refs = HostRefs::default();
        let all: Vec<_> = (0..200u32)
            .map(|n| refs.push(Box::new(n)).unwrap())
            .collect();
        refs.push(Box::new(Panics)).unwrap();
        for &kept in all.iter().step_by(3) {
            refs.mark(kept);
        }
        refs.mark(HostRef::new(5000).unwrap());
        refs.retain_marked();
        assert_eq!(refs.len(), 67);
        for (n, &reference) in all.iter().enumerate() {
            assert_eq!(refs.get(reference).is_some(), n % 3 == 0);
        }
        let again = refs.push(Box::new(7u8)).unwrap();
        assert!(again.index() <= 200);
        assert_eq!(refs.len(), 68);
        refs.retain_marked();
        assert_eq!(refs.len(), 0);
    }
}
