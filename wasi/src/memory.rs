//! Checked access to the memory of a guest.
//!
//! Pointers and lengths are 32-bit and may be anything. An access that does
//! not lie in the memory as a whole is `fault`, and has no effect.
//!
//! The bytes of a memory that only the calling guest has are borrowed, and the
//! kernel reads and writes them itself. Those of a memory that guests on other
//! threads have too cannot be borrowed: they are copied, both ways.

use crate::errno::Errno;
use crate::iovec::{self, Iovec};
use rwasm::SharedMemory;
use std::borrow::Cow;
use std::ops::Range;

/// Bytes that one call transfers at most from or to a memory that is shared.
/// More is a partial read or write.
const COPIED: usize = 1 << 20;

/// The memory that the calling instance exports as `memory`.
#[derive(Debug)]
pub(crate) enum GuestMemory<'a> {
    /// Nobody else has it.
    Own(&'a mut [u8]),
    /// Other threads change it at any time.
    Shared(&'a SharedMemory),
}

impl<'a> GuestMemory<'a> {
    pub(crate) fn new(bytes: &'a mut [u8]) -> GuestMemory<'a> {
        GuestMemory::Own(bytes)
    }

    /// The same for one more call.
    pub(crate) fn again(&mut self) -> GuestMemory<'_> {
        match self {
            GuestMemory::Own(bytes) => GuestMemory::Own(bytes),
            GuestMemory::Shared(shared) => GuestMemory::Shared(shared),
        }
    }

    /// The bounds of `len` bytes at `ptr`, if they lie in the memory.
    #[inline]
    pub(crate) fn range(&self, ptr: u32, len: u32) -> Result<Range<usize>, Errno> {
        // 32-bit sums cannot overflow 64 bits, and hosts have 64.
        let (start, end) = (u64::from(ptr), u64::from(ptr) + u64::from(len));
        // A shared memory can only grow.
        let size = match self {
            GuestMemory::Own(bytes) => bytes.len(),
            GuestMemory::Shared(shared) => shared.data_size(),
        };
        if end > size as u64 {
            return Err(Errno::Fault);
        }
        Ok(start as usize..end as usize)
    }

    /// The same for `count` records of `size` bytes.
    pub(crate) fn array(&self, ptr: u32, count: u32, size: usize) -> Result<Range<usize>, Errno> {
        let len = u64::from(count) * size as u64;
        let len = u32::try_from(len).map_err(|_| Errno::Fault)?;
        self.range(ptr, len)
    }

    #[inline]
    pub(crate) fn bytes(&self, ptr: u32, len: u32) -> Result<Cow<'_, [u8]>, Errno> {
        let range = self.range(ptr, len)?;
        self.within(range)
    }

    /// The bytes of `count` records of `size` bytes.
    #[inline]
    pub(crate) fn records(
        &self,
        ptr: u32,
        count: u32,
        size: usize,
    ) -> Result<Cow<'_, [u8]>, Errno> {
        let range = self.array(ptr, count, size)?;
        self.within(range)
    }

    #[inline]
    fn within(&self, range: Range<usize>) -> Result<Cow<'_, [u8]>, Errno> {
        match self {
            GuestMemory::Own(bytes) => Ok(Cow::Borrowed(&bytes[range])),
            GuestMemory::Shared(shared) => copied(shared, range),
        }
    }

    /// Lets `fill` change the bytes, of which it says how many it did from the
    /// first on.
    pub(crate) fn fill<E: From<Errno>>(
        &mut self,
        ptr: u32,
        len: u32,
        fill: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        let range = self.range(ptr, len)?;
        match self {
            GuestMemory::Own(bytes) => fill(&mut bytes[range]),
            GuestMemory::Shared(shared) => {
                let mut bytes = vec![0; range.len()];
                let filled = fill(&mut bytes)?;
                put(shared, range.start, &bytes[..filled])?;
                Ok(filled)
            }
        }
    }

    #[inline]
    pub(crate) fn write(&mut self, ptr: u32, bytes: &[u8]) -> Result<(), Errno> {
        let len = u32::try_from(bytes.len()).map_err(|_| Errno::Fault)?;
        let range = self.range(ptr, len)?;
        match self {
            GuestMemory::Own(own) => {
                own[range].copy_from_slice(bytes);
                Ok(())
            }
            GuestMemory::Shared(shared) => put(shared, range.start, bytes),
        }
    }

    #[inline]
    pub(crate) fn write_u32(&mut self, ptr: u32, value: u32) -> Result<(), Errno> {
        self.write(ptr, &value.to_le_bytes())
    }

    #[inline]
    pub(crate) fn write_u64(&mut self, ptr: u32, value: u64) -> Result<(), Errno> {
        self.write(ptr, &value.to_le_bytes())
    }
}

#[cold]
fn copied(shared: &SharedMemory, range: Range<usize>) -> Result<Cow<'static, [u8]>, Errno> {
    let mut bytes = vec![0; range.len()];
    shared
        .read(range.start, &mut bytes)
        .map_err(|_| Errno::Fault)?;
    Ok(Cow::Owned(bytes))
}

#[cold]
fn put(shared: &SharedMemory, at: usize, bytes: &[u8]) -> Result<(), Errno> {
    shared.write(at, bytes).map_err(|_| Errno::Fault)
}

/// Room for what a list of buffers takes, in one piece.
pub(crate) fn room(iovecs: &[Iovec]) -> Vec<u8> {
    vec![0; iovec::total(iovecs).min(COPIED)]
}

/// Copies the first bytes of a list of buffers: as many as are moved at once.
pub(crate) fn gather(shared: &SharedMemory, iovecs: &[Iovec]) -> Result<Vec<u8>, Errno> {
    let mut bytes = room(iovecs);
    let mut rest = &mut bytes[..];
    for iovec in iovecs {
        let len = (iovec.len as usize).min(rest.len());
        let (now, later) = rest.split_at_mut(len);
        let read = shared.read(iovec.start as usize, now);
        read.map_err(|_| Errno::Fault)?;
        rest = later;
    }
    Ok(bytes)
}

/// Copies bytes to a list of buffers that has room for them.
pub(crate) fn scatter(
    shared: &SharedMemory,
    iovecs: &[Iovec],
    mut bytes: &[u8],
) -> Result<(), Errno> {
    for iovec in iovecs {
        let len = (iovec.len as usize).min(bytes.len());
        let (now, later) = bytes.split_at(len);
        put(shared, iovec.start as usize, now)?;
        bytes = later;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_wraps_around() {
        let mut bytes = [0; 16];
        let mut memory = GuestMemory::new(&mut bytes);
        for (ptr, len, fits) in [
            (0, 0, true),
            (0, 16, true),
            (16, 0, true),
            (12, 4, true),
            (13, 4, false),
            (17, 0, false),
            (u32::MAX, 1, false),
            (1, u32::MAX, false),
            (u32::MAX, u32::MAX, false),
            (0xffff_fff0, 0x20, false),
        ] {
            assert_eq!(
                memory.fill(ptr, len, |_| Ok::<_, Errno>(0)).is_ok(),
                fits,
                "{ptr} {len}"
            );
            assert_eq!(memory.bytes(ptr, len).is_ok(), fits, "{ptr} {len}");
        }
        assert!(memory.array(0, 2, 8).is_ok());
        assert!(memory.array(0, 3, 8).is_err());
        assert!(memory.array(0, 0x2000_0000, 8).is_err());
        assert!(memory.array(8, 0x2000_0001, 8).is_err());
    }

    #[test]
    fn a_write_across_the_end_leaves_no_trace() {
        let mut bytes = [7; 6];
        let mut memory = GuestMemory::new(&mut bytes);
        assert_eq!(memory.write_u64(0, 0), Err(Errno::Fault));
        assert_eq!(memory.write_u32(3, 0), Err(Errno::Fault));
        assert_eq!(bytes, [7; 6]);
    }
}
