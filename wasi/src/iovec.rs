//! Scatter and gather lists (`$iovec`, `$ciovec`) over guest memory.
//!
//! The kernel reads and writes guest memory itself; nothing is copied. For
//! that, a list of guest pointers becomes a list of slices of the memory: any
//! list for writing, but only disjoint ones for reading, because two mutable
//! slices must not overlap. [`carve`] takes as many leading buffers as it can.

use crate::errno::Errno;
use crate::memory::GuestMemory;
use std::io::{IoSlice, IoSliceMut};

/// Buffers that need no allocation. C and Rust write with up to 2, Go with 1.
pub(crate) const INLINE: usize = 16;

/// Bytes that one call transfers at most, as on Linux (`MAX_RW_COUNT`).
/// Overlapping buffers could otherwise ask for any amount of work.
const MAX_TRANSFER: u32 = 0x7fff_f000;

/// The bytes of one `$iovec`.
const IOVEC_BYTES: usize = 8;

/// A buffer that lies in the memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Iovec {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

/// Room for a list of buffers, which stays where it is: moving it would cost
/// more than a short list itself.
#[derive(Default)]
pub(crate) struct Iovecs {
    inline: [Iovec; INLINE],
    /// A list that is too long to be inline.
    spilled: Vec<Iovec>,
}

impl Iovecs {
    /// Decodes `count` buffers at `ptr`: copied once, checked once, without
    /// empty ones. All of them are checked, also those beyond what one call
    /// transfers, so that a fault has no partial effect.
    pub(crate) fn decode(
        &mut self,
        memory: &GuestMemory<'_>,
        ptr: u32,
        count: u32,
        limit: u32,
    ) -> Result<&[Iovec], Errno> {
        memory.array(ptr, count, IOVEC_BYTES)?;
        if count > limit {
            return Err(Errno::Inval);
        }
        let records = memory.records(ptr, count, IOVEC_BYTES)?;
        let count = count as usize;
        let list = if count <= INLINE {
            &mut self.inline[..count]
        } else {
            self.spilled.resize(count, Iovec::default());
            &mut self.spilled[..]
        };
        let (mut len, mut room) = (0, MAX_TRANSFER);
        for record in records.chunks_exact(IOVEC_BYTES) {
            let mut iovec = Iovec::decode(record);
            // The address of an empty buffer does not matter, as on Linux.
            if iovec.len == 0 {
                continue;
            }
            memory.range(iovec.start, iovec.len)?;
            iovec.len = iovec.len.min(room);
            room -= iovec.len;
            if iovec.len > 0 {
                list[len] = iovec;
                len += 1;
            }
        }
        Ok(&list[..len])
    }
}

impl Iovec {
    /// A buffer that is all of a piece of less than 4 GiB.
    pub(crate) fn whole(bytes: &[u8]) -> Iovec {
        Iovec {
            start: 0,
            len: bytes.len() as u32,
        }
    }

    fn decode(record: &[u8]) -> Iovec {
        let word = |at| u32::from_le_bytes(std::array::from_fn(|index| record[at + index]));
        Iovec {
            start: word(0),
            len: word(4),
        }
    }
}

/// The bytes of all buffers.
pub(crate) fn total(iovecs: &[Iovec]) -> usize {
    iovecs.iter().map(|iovec| iovec.len as usize).sum()
}

/// The memory that a checked buffer names.
#[inline]
pub(crate) fn bytes(memory: &[u8], iovec: Iovec) -> &[u8] {
    &memory[iovec.start as usize..][..iovec.len as usize]
}

/// The same, to be changed.
#[inline]
pub(crate) fn bytes_mut(memory: &mut [u8], iovec: Iovec) -> &mut [u8] {
    &mut memory[iovec.start as usize..][..iovec.len as usize]
}

/// Turns checked buffers into slices; `slices` has room for them.
pub(crate) fn gather<'m>(memory: &'m [u8], iovecs: &[Iovec], slices: &mut [IoSlice<'m>]) {
    for (slice, iovec) in slices.iter_mut().zip(iovecs) {
        *slice = IoSlice::new(bytes(memory, *iovec));
    }
}

/// The leading buffers of a long list that [`carve`] can take: those in
/// ascending order. A short list is left as it is.
pub(crate) fn carvable(iovecs: &[Iovec]) -> &[Iovec] {
    if iovecs.len() <= INLINE {
        iovecs
    } else {
        &iovecs[..ascending_run(iovecs.iter().copied())]
    }
}

/// Turns leading checked buffers into mutable slices, up to the first that
/// overlaps with one before it, and returns how many. `iovecs` is
/// [`carvable`]; `slices` has room for all.
pub(crate) fn carve<'m>(
    memory: &'m mut [u8],
    iovecs: &[Iovec],
    slices: &mut [IoSliceMut<'m>],
) -> usize {
    let ascending = ascending_run(iovecs.iter().copied());
    if ascending == iovecs.len() || iovecs.len() > INLINE {
        let indexed = iovecs[..ascending].iter().copied().enumerate();
        take(memory, indexed, slices);
        return ascending;
    }
    // Sorted by address, the buffers can be cut off the memory one by one.
    let mut places: [(usize, Iovec); INLINE] = Default::default();
    for disjoint in (1..=iovecs.len()).rev() {
        let sorted = &mut places[..disjoint];
        for (place, indexed) in sorted.iter_mut().zip(iovecs.iter().copied().enumerate()) {
            *place = indexed;
        }
        sorted.sort_unstable_by_key(|(_, iovec)| iovec.start);
        if ascending_run(sorted.iter().map(|(_, iovec)| *iovec)) == disjoint {
            take(memory, sorted.iter().copied(), slices);
            return disjoint;
        }
    }
    0
}

/// How many leading buffers lie one after the other.
fn ascending_run(iovecs: impl Iterator<Item = Iovec>) -> usize {
    let mut end = 0;
    iovecs
        .take_while(|iovec| {
            let after = u64::from(iovec.start) >= end;
            end = u64::from(iovec.start) + u64::from(iovec.len);
            after
        })
        .count()
}

/// Cuts the memory at buffers that lie one after the other, each of which goes
/// to the place of its index.
fn take<'m>(
    memory: &'m mut [u8],
    iovecs: impl Iterator<Item = (usize, Iovec)>,
    slices: &mut [IoSliceMut<'m>],
) {
    let (mut rest, mut base) = (memory, 0);
    for (index, iovec) in iovecs {
        let (start, len) = (iovec.start as usize, iovec.len as usize);
        let (_, at_start) = rest.split_at_mut(start - base);
        let (slice, after) = at_start.split_at_mut(len);
        slices[index] = IoSliceMut::new(slice);
        (rest, base) = (after, start + len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(buffers: &[(u32, u32)]) -> Vec<Iovec> {
        let iovec = |&(start, len)| Iovec { start, len };
        buffers.iter().map(iovec).collect()
    }

    fn carved(buffers: &[(u32, u32)]) -> (usize, Vec<(u8, usize)>) {
        let mut memory: Vec<u8> = (0..=255).collect();
        let list = list(buffers);
        let batch = carvable(&list);
        let mut slices: Vec<IoSliceMut<'_>> =
            batch.iter().map(|_| IoSliceMut::new(&mut [])).collect();
        let count = carve(&mut memory, batch, &mut slices);
        let found = slices[..count].iter().map(|slice| (slice[0], slice.len()));
        (count, found.collect())
    }

    #[test]
    fn carving_keeps_the_order_of_the_list() {
        let cases: &[(&[(u32, u32)], usize)] = &[
            (&[(5, 3)], 1),
            (&[(0, 4), (4, 4), (100, 1)], 3),
            (&[(100, 1), (4, 4), (0, 4)], 3),
            (&[(8, 8), (0, 8), (16, 1)], 3),
            // Overlaps: the same, inside, at the edge.
            (&[(8, 8), (8, 8)], 1),
            (&[(0, 32), (40, 2), (8, 8), (50, 1)], 2),
            (&[(10, 5), (0, 11), (30, 1)], 1),
            (&[(60, 4), (50, 4), (40, 4), (62, 4)], 3),
        ];
        for (buffers, expected) in cases {
            let (count, found) = carved(buffers);
            assert_eq!(count, *expected, "{buffers:?}");
            let wanted: Vec<_> = buffers[..count]
                .iter()
                .map(|&(start, len)| (start as u8, len as usize))
                .collect();
            assert_eq!(found, wanted, "{buffers:?}");
        }
    }

    #[test]
    fn long_lists_are_cut_where_they_descend() {
        let mut buffers: Vec<(u32, u32)> = (0..20).map(|index| (index * 4, 4)).collect();
        assert_eq!(carved(&buffers).0, 20);
        buffers.swap(7, 8);
        assert_eq!(carved(&buffers).0, 8);
        buffers.reverse();
        assert_eq!(carved(&buffers).0, 1);
    }

    fn decode(records: &[(u32, u32)], limit: u32) -> Result<Vec<Iovec>, Errno> {
        let mut bytes = vec![0; 4096];
        for (place, (start, len)) in bytes.chunks_exact_mut(8).zip(records) {
            place[..4].copy_from_slice(&start.to_le_bytes());
            place[4..].copy_from_slice(&len.to_le_bytes());
        }
        let memory = GuestMemory::new(&mut bytes);
        let mut iovecs = Iovecs::default();
        let list = iovecs.decode(&memory, 0, records.len() as u32, limit)?;
        Ok(list.to_vec())
    }

    #[test]
    fn decoding_checks_all_and_drops_the_empty() {
        assert_eq!(decode(&[], 9), Ok(vec![]));
        assert_eq!(
            decode(&[(1, 2), (u32::MAX, 0), (4095, 1)], 9),
            Ok(list(&[(1, 2), (4095, 1)]))
        );
        for bad in [
            (4096, 1),
            (0, 4097),
            (u32::MAX, 1),
            (1, u32::MAX),
            (u32::MAX, u32::MAX),
        ] {
            assert_eq!(decode(&[(0, 1), bad], 9), Err(Errno::Fault), "{bad:?}");
        }
        assert_eq!(decode(&[(0, 1), (0, 1)], 1), Err(Errno::Inval));
        let many: Vec<(u32, u32)> = (0..100).map(|index| (index, 1)).collect();
        assert_eq!(decode(&many, 100), Ok(list(&many)));
    }

    #[test]
    fn one_call_is_bounded() {
        let mut bytes = vec![0; 1 << 20];
        for place in bytes[..8 << 12].chunks_exact_mut(8) {
            place[4..].copy_from_slice(&(1u32 << 20).to_le_bytes());
        }
        let memory = GuestMemory::new(&mut bytes);
        let mut iovecs = Iovecs::default();
        let list = iovecs.decode(&memory, 0, 1 << 12, 1 << 16).unwrap();
        assert_eq!(total(list), MAX_TRANSFER as usize);
    }
}
