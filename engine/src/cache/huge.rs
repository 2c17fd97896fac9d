//! Buffers of several megabytes, as entries of large programs are.

use rwasm_runtime::sys::mmap::prefer_huge_pages;

/// What is not worth asking the system for less.
const LARGE: usize = 2 << 20;

/// An empty buffer with room for so many bytes, which are going to be written. A
/// large one is brought in by huge pages: a thousand small ones take as long as
/// hashing all that is in them.
pub(super) fn buffer(bytes: usize) -> Vec<u8> {
    let buffer = Vec::with_capacity(bytes);
    if bytes >= LARGE {
        prefer_huge_pages(buffer.as_ptr(), bytes);
    }
    buffer
}
