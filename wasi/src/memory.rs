//! Checked access to the memory of a guest.
//!
//! Pointers and lengths are 32-bit and may be anything. An access that does
//! not lie in the memory as a whole is `fault`, and has no effect.

use crate::errno::Errno;
use std::ops::Range;

/// The memory that the calling instance exports as `memory`.
#[derive(Debug)]
pub(crate) struct GuestMemory<'a>(&'a mut [u8]);

impl<'a> GuestMemory<'a> {
    pub(crate) fn new(bytes: &'a mut [u8]) -> GuestMemory<'a> {
        GuestMemory(bytes)
    }

    /// The bounds of `len` bytes at `ptr`, if they lie in the memory.
    #[inline]
    pub(crate) fn range(&self, ptr: u32, len: u32) -> Result<Range<usize>, Errno> {
        // 32-bit sums cannot overflow 64 bits, and hosts have 64.
        let (start, end) = (u64::from(ptr), u64::from(ptr) + u64::from(len));
        if end > self.0.len() as u64 {
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
    pub(crate) fn bytes(&self, ptr: u32, len: u32) -> Result<&[u8], Errno> {
        let range = self.range(ptr, len)?;
        Ok(&self.0[range])
    }

    #[inline]
    pub(crate) fn bytes_mut(&mut self, ptr: u32, len: u32) -> Result<&mut [u8], Errno> {
        let range = self.range(ptr, len)?;
        Ok(&mut self.0[range])
    }

    #[inline]
    pub(crate) fn write(&mut self, ptr: u32, bytes: &[u8]) -> Result<(), Errno> {
        let len = u32::try_from(bytes.len()).map_err(|_| Errno::Fault)?;
        self.bytes_mut(ptr, len)?.copy_from_slice(bytes);
        Ok(())
    }

    #[inline]
    pub(crate) fn write_u32(&mut self, ptr: u32, value: u32) -> Result<(), Errno> {
        self.write(ptr, &value.to_le_bytes())
    }

    #[inline]
    pub(crate) fn write_u64(&mut self, ptr: u32, value: u64) -> Result<(), Errno> {
        self.write(ptr, &value.to_le_bytes())
    }

    /// All of it, for ranges that were checked.
    #[inline]
    pub(crate) fn all(&self) -> &[u8] {
        self.0
    }

    /// All of it, for ranges that were checked.
    #[inline]
    pub(crate) fn all_mut(&mut self) -> &mut [u8] {
        self.0
    }
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
            assert_eq!(memory.bytes_mut(ptr, len).is_ok(), fits, "{ptr} {len}");
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
