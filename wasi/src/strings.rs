//! Arguments and environment, ready to be copied into a guest.

use crate::errno::Errno;
use crate::memory::GuestMemory;

/// A list of strings that end with a NUL each, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Strings {
    bytes: Vec<u8>,
    /// Where each begins.
    starts: Vec<u32>,
}

/// The strings are more than a guest can address.
#[derive(Debug)]
pub(crate) struct TooLong;

impl Strings {
    /// Adds a string without NUL.
    pub(crate) fn push(&mut self, string: &[u8]) -> Result<(), TooLong> {
        let start = u32::try_from(self.bytes.len()).map_err(|_| TooLong)?;
        let end = self.bytes.len() + string.len() + 1;
        u32::try_from(end).map_err(|_| TooLong)?;
        self.starts.push(start);
        self.bytes.extend_from_slice(string);
        self.bytes.push(0);
        Ok(())
    }

    /// How many there are, and the bytes of all. Both fit, because `push` says
    /// so.
    #[inline]
    pub(crate) fn sizes(&self) -> (u32, u32) {
        (self.starts.len() as u32, self.bytes.len() as u32)
    }

    /// Writes the strings at `buffer`, and pointers to them at `pointers`.
    pub(crate) fn copy_to(
        &self,
        memory: &mut GuestMemory<'_>,
        pointers: u32,
        buffer: u32,
    ) -> Result<(), Errno> {
        let (count, len) = self.sizes();
        memory.array(pointers, count, 4)?;
        memory.range(buffer, len)?;
        memory.write(buffer, &self.bytes)?;
        // Within the buffer, which was checked.
        let starts = self.starts.iter().map(|start| buffer + start);
        let list: Vec<u8> = starts.flat_map(u32::to_le_bytes).collect();
        memory.write(pointers, &list)
    }

    /// All of them.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_strings_and_pointers() {
        let mut strings = Strings::default();
        for string in [&b"prog"[..], b"", b"-x"] {
            strings.push(string).unwrap();
        }
        assert_eq!(strings.sizes(), (3, 9));
        let mut bytes = [0xaa; 32];
        let mut memory = GuestMemory::new(&mut bytes);
        strings.copy_to(&mut memory, 0, 16).unwrap();
        assert_eq!(bytes[..12], [16, 0, 0, 0, 21, 0, 0, 0, 22, 0, 0, 0]);
        assert_eq!(&bytes[16..25], b"prog\0\0-x\0");
        assert_eq!(bytes[25], 0xaa);
    }

    #[test]
    fn a_fault_copies_nothing() {
        let mut strings = Strings::default();
        strings.push(b"abc").unwrap();
        let mut bytes = [1; 16];
        for (pointers, buffer) in [
            (13, 0),
            (0, 13),
            (u32::MAX, 0),
            (0, u32::MAX),
            (u32::MAX - 3, 0),
        ] {
            let mut memory = GuestMemory::new(&mut bytes);
            let result = strings.copy_to(&mut memory, pointers, buffer);
            assert_eq!(result, Err(Errno::Fault), "{pointers} {buffer}");
        }
        assert_eq!(bytes, [1; 16]);
    }
}
