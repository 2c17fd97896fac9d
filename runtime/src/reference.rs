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
use std::any::Any;
use std::num::NonZeroU32;

/// A reference to a value of the host: what a non-null `externref` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct HostRef(NonZeroU32);

const HOST_TAG: u32 = 0b10;
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

/// The values of the host that a store's guests may refer to. They live as
/// long as the store.
#[derive(Default)]
pub(crate) struct HostRefs {
    values: Vec<Box<dyn Any + Send + Sync>>,
}

impl HostRefs {
    pub(crate) fn push(
        &mut self,
        value: Box<dyn Any + Send + Sync>,
    ) -> Result<HostRef, LimitError> {
        let index = self.values.len();
        let reference = HostRef::new(index).ok_or(LimitError {
            limit: LimitKind::HostReferences,
            value: 1 << (32 - HOST_SHIFT),
            asked: index as u64 + 1,
        })?;
        self.values.push(value);
        Ok(reference)
    }

    pub(crate) fn get(&self, reference: HostRef) -> Option<&(dyn Any + Send + Sync)> {
        self.values.get(reference.index()).map(Box::as_ref)
    }

    pub(crate) fn get_mut(&mut self, reference: HostRef) -> Option<&mut (dyn Any + Send + Sync)> {
        self.values.get_mut(reference.index()).map(Box::as_mut)
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
}
