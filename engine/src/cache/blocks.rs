//! A file in blocks, each of which is read and checked when it is first asked for:
//! whoever needs little of a large file pays for little.
//!
//! ```text
//!  magic  version:32  key  blocks:32  { length:32  hash of the block }
//!  hash of all that is before
//!  block…
//! ```
//! The hash behind the head finds damage in it, the key finds a file that stands
//! under a name that is not its own, the other hashes find damaged, swapped and
//! foreign blocks. What was checked is a private copy, so that nothing depends on
//! whether the file changes afterwards. Numbers are little-endian.

use super::huge;
use super::key::Key;
use rustix::buffer::spare_capacity;
use rustix::io::{Errno, pread};
use std::fs::File;
use std::ops::Range;
use std::sync::Arc;
use thiserror::Error;
use tracing::debug;

const MAGIC: [u8; 8] = *b"rwasm\0ce";

/// To be raised when the format changes without the build's name.
const VERSION: u32 = 4;

/// Bytes of a hash.
pub(super) const HASH: usize = blake3::OUT_LEN;

/// Where the key is.
const KEY_AT: usize = MAGIC.len() + size_of::<u32>();

/// Bytes before the list of blocks.
const FRONT: usize = KEY_AT + HASH + size_of::<u32>();

/// Bytes for each block in that list.
const ITEM: usize = size_of::<u32>() + HASH;

/// What is read at once to begin with: all of a small file, and the head of a
/// large one.
const FIRST_READ: usize = 16 << 10;

/// Why bytes are no such file, or not the one that was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum EntryError {
    #[error("it is cut short")]
    Truncated,
    #[error("it is no entry of this version")]
    Foreign,
    #[error("it is another module's")]
    OtherKey,
    #[error("it is damaged")]
    Damaged,
    #[error("it cannot be read: {0}")]
    Unreadable(Errno),
}

/// Where such a file is.
#[derive(Debug)]
pub(super) enum Source {
    /// In a file of its own.
    File(File),
    /// In a part of bytes in memory.
    Bytes(Arc<[u8]>, Range<usize>),
}

/// An open file, whose head is as it was written.
#[derive(Debug)]
pub(super) struct Blocks {
    source: Source,
    /// The first bytes of it.
    front: Vec<u8>,
    blocks: Box<[Block]>,
}

#[derive(Debug)]
struct Block {
    at: u64,
    len: usize,
    hash: [u8; HASH],
}

impl Blocks {
    /// Opens a file of `size` bytes that was written for this key.
    pub(super) fn open(source: Source, size: u64, key: &Key) -> Result<Blocks, EntryError> {
        let first = usize::try_from(size).unwrap_or(usize::MAX).min(FIRST_READ);
        let mut front = source.read(0, first)?;
        let mut reader = Reader(&front);
        if reader.array()? != MAGIC || reader.u32()? != VERSION {
            return Err(EntryError::Foreign);
        }
        reader.take(HASH)?;
        let count = reader.u32()? as usize;
        let list = count.checked_mul(ITEM).ok_or(EntryError::Damaged)?;
        let head = FRONT
            .checked_add(list)
            .and_then(|end| end.checked_add(HASH));
        let head = head.filter(|&end| end as u64 <= size);
        let head = head.ok_or(EntryError::Truncated)?;
        if head > front.len() {
            front = source.read(0, head)?;
        }
        let (checked, hash) = front[..head]
            .split_last_chunk()
            .ok_or(EntryError::Damaged)?;
        if blake3::hash(checked) != *hash {
            return Err(EntryError::Damaged);
        }
        if checked[KEY_AT..][..HASH] != key.0 {
            return Err(EntryError::OtherKey);
        }
        let mut reader = Reader(&checked[FRONT..]);
        let mut at = head as u64;
        let blocks = (0..count).map(|_| {
            let block = Block {
                at,
                len: reader.u32()? as usize,
                hash: reader.array()?,
            };
            at += block.len as u64;
            Ok(block)
        });
        let blocks = blocks.collect::<Result<_, EntryError>>()?;
        if at != size {
            return Err(EntryError::Damaged);
        }
        Ok(Blocks {
            source,
            front,
            blocks,
        })
    }

    /// How many blocks there are.
    pub(super) fn len(&self) -> usize {
        self.blocks.len()
    }

    /// A block, if it is as it was written.
    pub(super) fn read(&self, number: u32) -> Result<Vec<u8>, EntryError> {
        let block = self.blocks.get(number as usize);
        let block = block.ok_or(EntryError::Damaged)?;
        let in_front = usize::try_from(block.at).ok();
        let in_front = in_front.and_then(|at| self.front.get(at..)?.get(..block.len));
        let bytes = match in_front {
            Some(bytes) => bytes.to_vec(),
            None => self.source.read(block.at, block.len)?,
        };
        if blake3::hash(&bytes) == block.hash {
            Ok(bytes)
        } else {
            debug!(target: "cache", number, "a damaged block is not used");
            Err(EntryError::Damaged)
        }
    }
}

impl Source {
    /// A copy of `len` bytes from `at` on.
    fn read(&self, at: u64, len: usize) -> Result<Vec<u8>, EntryError> {
        match self {
            Source::File(file) => {
                let mut bytes = Vec::with_capacity(len);
                while bytes.len() < len {
                    let offset = at + bytes.len() as u64;
                    match pread(file, spare_capacity(&mut bytes), offset) {
                        Ok(0) => return Err(EntryError::Truncated),
                        Ok(_) | Err(Errno::INTR) => {}
                        Err(error) => return Err(EntryError::Unreadable(error)),
                    }
                }
                // There may be more capacity than was asked for.
                bytes.truncate(len);
                Ok(bytes)
            }
            Source::Bytes(bytes, range) => {
                let bytes = usize::try_from(at)
                    .ok()
                    .and_then(|at| bytes[range.clone()].get(at..)?.get(..len));
                Ok(bytes.ok_or(EntryError::Truncated)?.to_vec())
            }
        }
    }
}

/// Makes such a file.
#[derive(Debug)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    /// Where blocks end.
    ends: Vec<usize>,
}

impl Writer {
    /// For about so many bytes.
    pub(super) fn new(capacity: usize) -> Self {
        Writer {
            bytes: huge::buffer(capacity),
            ends: Vec::new(),
        }
    }

    /// Where what is appended next is: a block, and an offset in it. A block that
    /// has `most` bytes by now is ended before.
    pub(super) fn place(&mut self, most: usize) -> (u32, u32) {
        if self.bytes.len() - self.begin() >= most {
            self.end_block();
        }
        (
            self.ends.len() as u32,
            (self.bytes.len() - self.begin()) as u32,
        )
    }

    /// Ends a block that something is in; what comes next is in another.
    pub(super) fn end_block(&mut self) {
        if self.bytes.len() > self.begin() {
            self.ends.push(self.bytes.len());
        }
    }

    /// To append to.
    pub(super) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The file, in two parts.
    pub(super) fn finish(mut self, key: &Key) -> [Vec<u8>; 2] {
        self.end_block();
        let mut head = Vec::with_capacity(FRONT + ITEM * self.ends.len() + HASH);
        head.extend(MAGIC);
        head.extend(VERSION.to_le_bytes());
        head.extend(key.0);
        head.extend((self.ends.len() as u32).to_le_bytes());
        let mut start = 0;
        for &end in &self.ends {
            let block = &self.bytes[start..end];
            head.extend((block.len() as u32).to_le_bytes());
            head.extend(blake3::hash(block).as_bytes());
            start = end;
        }
        let hash = blake3::hash(&head);
        head.extend(hash.as_bytes());
        [head, self.bytes]
    }

    /// Where the block that is not ended begins.
    fn begin(&self) -> usize {
        self.ends.last().copied().unwrap_or_default()
    }
}

/// Reads from the front.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], EntryError> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(EntryError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], EntryError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(EntryError::Truncated)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn u32(&mut self) -> Result<u32, EntryError> {
        Ok(u32::from_le_bytes(self.array()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, Write};

    const KEY: Key = Key([7; 32]);

    /// A file of three blocks, and where the second one is.
    fn whole() -> (Vec<u8>, Range<usize>) {
        let mut writer = Writer::new(0);
        for (byte, len) in [(1, 10), (2, 30), (3, 20)] {
            assert_eq!(writer.place(10), (u32::from(byte) - 1, 0));
            writer.bytes().extend(vec![byte; len]);
        }
        assert_eq!(writer.place(21), (2, 20));
        let file = writer.finish(&KEY).concat();
        let end = file.len() - 20;
        (file, end - 30..end)
    }

    fn in_memory(bytes: &[u8]) -> Result<Blocks, EntryError> {
        let source = Source::Bytes(bytes.into(), 0..bytes.len());
        Blocks::open(source, bytes.len() as u64, &KEY)
    }

    #[test]
    fn blocks_are_the_same_afterwards() {
        let (bytes, _) = whole();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        file.rewind().unwrap();
        let on_disk = Blocks::open(Source::File(file), bytes.len() as u64, &KEY).unwrap();
        for blocks in [on_disk, in_memory(&bytes).unwrap()] {
            assert_eq!(blocks.len(), 3);
            assert_eq!(blocks.read(0).unwrap(), [1; 10]);
            assert_eq!(blocks.read(1).unwrap(), [2; 30]);
            assert_eq!(blocks.read(2).unwrap(), [3; 20]);
            assert!(blocks.read(3).is_err());
        }
        assert_eq!(
            in_memory(&Writer::new(0).finish(&KEY).concat())
                .unwrap()
                .len(),
            0
        );
    }

    /// Blocks that are larger than what is read to begin with, and a head that is.
    #[test]
    fn large_files_are_read_in_parts() {
        let mut writer = Writer::new(0);
        for number in 0..1000_u32 {
            let (block, _) = writer.place(1);
            assert_eq!(block, number);
            writer.bytes().extend(vec![number as u8; 100]);
        }
        writer.end_block();
        writer.bytes().extend(vec![9; 3 * FIRST_READ]);
        let parts = writer.finish(&KEY);
        assert!(parts[0].len() > FIRST_READ);
        let bytes = parts.concat();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let on_disk = Blocks::open(Source::File(file), bytes.len() as u64, &KEY).unwrap();
        for blocks in [on_disk, in_memory(&bytes).unwrap()] {
            assert_eq!(blocks.read(999).unwrap(), [231; 100]);
            assert_eq!(blocks.read(1000).unwrap(), [9; 3 * FIRST_READ]);
        }
    }

    #[test]
    fn damage_is_found_where_it_is() {
        let (bytes, second) = whole();
        let head = second.start - 10;
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] ^= flip;
                let blocks = in_memory(&damaged);
                if at < head {
                    assert!(blocks.is_err(), "{at}");
                    continue;
                }
                let blocks = blocks.unwrap();
                let bad = u32::from(at >= second.start) + u32::from(at >= second.end);
                for number in 0..3 {
                    let expected = number != bad;
                    assert_eq!(blocks.read(number).is_ok(), expected, "{at} {number}");
                }
            }
        }
        for len in 0..bytes.len() {
            assert!(in_memory(&bytes[..len]).is_err(), "{len}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(in_memory(&longer).unwrap_err(), EntryError::Damaged);
    }

    #[test]
    fn a_file_that_is_cut_short_or_written_to_later_is_damaged_there() {
        let mut writer = Writer::new(0);
        for byte in [1, 2] {
            writer.bytes().extend(vec![byte; 2 * FIRST_READ]);
            writer.end_block();
        }
        let bytes = writer.finish(&KEY).concat();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let source = Source::File(file.try_clone().unwrap());
        let blocks = Blocks::open(source, bytes.len() as u64, &KEY).unwrap();
        let middle = (bytes.len() - FIRST_READ) as u64;
        file.seek(std::io::SeekFrom::Start(middle)).unwrap();
        file.write_all(&[7]).unwrap();
        assert_eq!(blocks.read(1).unwrap_err(), EntryError::Damaged);
        file.set_len(middle).unwrap();
        assert_eq!(blocks.read(1).unwrap_err(), EntryError::Truncated);
        assert_eq!(blocks.read(0).unwrap(), [1; 2 * FIRST_READ]);
    }

    #[test]
    fn the_file_of_another_module_is_told() {
        let (bytes, _) = whole();
        let source = Source::Bytes(bytes.as_slice().into(), 0..bytes.len());
        let other = Blocks::open(source, bytes.len() as u64, &Key([8; 32]));
        assert_eq!(other.unwrap_err(), EntryError::OtherKey);
    }
}
