//! Storage for a store's definitions: they never move, and are reached by raw
//! pointer from code and by index from the store.

/// Values at fixed addresses, freed together.
///
/// The values stand in chunks that double in size, so that small modules cost
/// one small allocation and many globals do not cost one each.
#[derive(Debug)]
pub(crate) struct Arena<T> {
    /// Vectors that are never filled beyond their capacity, so that their
    /// buffers stay where they are; chunk `i` holds `FIRST << i` values.
    chunks: Vec<Vec<T>>,
    len: usize,
}

/// Values in the first chunk.
const FIRST: usize = 8;

impl<T> Arena<T> {
    pub(crate) const fn new() -> Self {
        Arena {
            chunks: Vec::new(),
            len: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds a value; the pointer is valid for reads and writes as long as the
    /// arena lives.
    pub(crate) fn push(&mut self, value: T) -> *mut T {
        let (chunk, at) = Self::place(self.len);
        if chunk == self.chunks.len() {
            self.chunks.push(Vec::with_capacity(FIRST << chunk));
        }
        let values = &mut self.chunks[chunk];
        debug_assert!(values.len() == at && at < values.capacity());
        // Through `as_mut_ptr`, not `push` and `last_mut`: references to the
        // chunk's values would invalidate the pointers handed out before.
        // SAFETY: `at` is the chunk's length and below its capacity.
        unsafe {
            let slot = values.as_mut_ptr().add(at);
            slot.write(value);
            values.set_len(at + 1);
            self.len += 1;
            slot
        }
    }

    /// The value at an index.
    pub(crate) fn get(&self, index: usize) -> Option<*mut T> {
        (index < self.len).then(|| {
            let (chunk, at) = Self::place(index);
            // SAFETY: `index` is below the length, so the chunk has it.
            unsafe { self.chunks[chunk].as_ptr().cast_mut().add(at) }
        })
    }

    /// All values, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = *mut T> + '_ {
        (0..self.len).filter_map(|index| self.get(index))
    }

    /// Chunk and position of an index.
    fn place(index: usize) -> (usize, usize) {
        let chunk = (index / FIRST + 1).ilog2() as usize;
        (chunk, index - FIRST * ((1 << chunk) - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_where_they_are() {
        let mut arena = Arena::new();
        let pointers: Vec<_> = (0..1000).map(|n| arena.push(Box::new(n))).collect();
        assert_eq!(arena.len(), 1000);
        for (n, &pointer) in pointers.iter().enumerate() {
            assert_eq!(arena.get(n), Some(pointer));
            // SAFETY: the arena is alive and nobody else uses the value.
            assert_eq!(unsafe { **pointer }, n);
        }
        assert_eq!(arena.get(1000), None);
    }
}
