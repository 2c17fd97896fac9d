//! The table of [`TypeInfo`]s that running code indexes by type id.

use super::layout::TypeInfo;
use std::alloc::{self, Layout as Block, handle_alloc_error};
use std::ptr::{self, NonNull};

/// A growing array of which readers hold plain pointers: one that it has
/// outgrown stays where it is, so that what was read from it stays true.
#[derive(Debug, Default)]
pub(crate) struct TypeInfos {
    /// Arrays and their capacities, each at least twice the one before.
    arrays: Vec<(NonNull<TypeInfo>, usize)>,
    len: usize,
}

// SAFETY: entries are written once, before anyone is told their index; what they
// point to is immutable and owned by the same registry.
unsafe impl Send for TypeInfos {}
// SAFETY: as above.
unsafe impl Sync for TypeInfos {}

impl TypeInfos {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The newest array; null if there is none.
    pub(crate) fn as_ptr(&self) -> *const TypeInfo {
        self.arrays
            .last()
            .map_or(ptr::null(), |(array, _)| array.as_ptr())
    }

    pub(crate) fn push(&mut self, info: TypeInfo) {
        let capacity = self.arrays.last().map_or(0, |&(_, capacity)| capacity);
        if self.len == capacity {
            self.grow((2 * capacity).max(64));
        }
        let (array, _) = self.arrays[self.arrays.len() - 1];
        // SAFETY: below the capacity. Nobody reads at or beyond `len`.
        unsafe { array.add(self.len).write(info) };
        self.len += 1;
    }

    fn grow(&mut self, capacity: usize) {
        let block = block(capacity);
        // SAFETY: the block is not empty.
        let array = NonNull::new(unsafe { alloc::alloc(block) }.cast::<TypeInfo>());
        let Some(array) = array else {
            handle_alloc_error(block)
        };
        if let Some(&(old, _)) = self.arrays.last() {
            // SAFETY: the old array has `len` entries, and the new one room for
            // them. An entry is plain data.
            unsafe { ptr::copy_nonoverlapping(old.as_ptr(), array.as_ptr(), self.len) };
        }
        self.arrays.push((array, capacity));
    }
}

fn block(capacity: usize) -> Block {
    Block::array::<TypeInfo>(capacity).expect("type ids have 30 bits")
}

impl Drop for TypeInfos {
    fn drop(&mut self) {
        for &(array, capacity) in &self.arrays {
            // SAFETY: allocated with this layout by `grow`.
            unsafe { alloc::dealloc(array.as_ptr().cast(), block(capacity)) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::DISPLAY;
    use super::*;

    #[test]
    fn outgrown_arrays_stay_readable() {
        let mut infos = TypeInfos::default();
        let mut arrays = Vec::new();
        assert!(infos.as_ptr().is_null());
        for id in 0..1000 {
            infos.push(TypeInfo {
                layout: ptr::null(),
                display: [id; DISPLAY],
            });
            arrays.push((infos.as_ptr(), id));
        }
        assert_eq!(infos.len(), 1000);
        for (array, id) in arrays {
            // SAFETY: the array had this entry when its address was taken.
            assert_eq!(unsafe { (*array.add(id as usize)).display[0] }, id);
        }
    }
}
