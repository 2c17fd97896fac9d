//! What a memory holds at one moment, to come back to.
//!
//! ```text
//!  memory   0 ├─ zeros ─┼─ bytes of the image ─┼─ zeros ─┤ len
//! ```
//! A memory that takes up an image has the pages of its file in the middle, where
//! it does not move, and copies them when it writes. To come back, the pages that
//! were written to are copied or zeroed, and stay: the next guest will want most
//! of them, and a page fault costs ten times as much as the copy.

use super::{Kind, Memory};
use crate::sys::image::PageImage;
use crate::sys::mmap::page_size;
use crate::sys::pagemap;
use std::io;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::Ordering;

/// What a memory holds: its length, and all bytes that are not zero.
#[derive(Debug)]
pub(crate) struct MemoryImage {
    /// Length of the memory in bytes.
    len: usize,
    /// Where the bytes of the image begin, at a page of the host.
    start: usize,
    pages: PageImage,
}

impl MemoryImage {
    /// What the memory holds now.
    pub(crate) fn of(memory: &Memory) -> Self {
        let len = memory.byte_len();
        let content = memory.content();
        let bytes = &memory.pages()[content.clone()];
        MemoryImage {
            len,
            start: content.start,
            pages: PageImage::new(bytes),
        }
    }

    /// Where the memory may hold something other than zeros.
    fn content(&self) -> Range<usize> {
        self.start..self.start + self.pages.bytes().len()
    }

    /// Writes what belongs to `range` of the memory at `base`.
    ///
    /// # Safety
    /// So many bytes are mapped there and writable, and nobody else's.
    unsafe fn write(&self, base: *mut u8, range: Range<usize>) {
        let content = self.content();
        let from = range.start.max(content.start).min(range.end);
        let to = range.end.min(content.end).max(from);
        // SAFETY: all three parts are of `range`; the middle one, where it is not
        // empty, is of the content as well.
        unsafe {
            base.add(range.start).write_bytes(0, from - range.start);
            if from < to {
                let bytes = &self.pages.bytes()[from - self.start..to - self.start];
                base.add(from)
                    .copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            }
            base.add(to).write_bytes(0, range.end - to);
        }
    }
}

impl Memory {
    /// All bytes of the pages that hold the memory.
    fn pages(&self) -> &[u8] {
        let len = self.byte_len().next_multiple_of(page_size());
        // SAFETY: the whole pages are mapped and readable; `&self` says that no
        // guest writes to them.
        unsafe { std::slice::from_raw_parts(self.def.base, len) }
    }

    /// The pages from the first to the last that is not all zeros.
    fn content(&self) -> Range<usize> {
        let base = self.def.base.addr();
        let pages = self.pages();
        let mut content = 0..0;
        let mut look_at = |run: Range<usize>| {
            let used = |page: &Range<usize>| pages[page.clone()].iter().any(|&byte| byte != 0);
            let runs = run.step_by(page_size()).map(|at| at..at + page_size());
            for page in runs.filter(used) {
                if content.is_empty() {
                    content.start = page.start;
                }
                content.end = page.end;
            }
        };
        let written = |run: Range<usize>| {
            look_at(run.start - base..run.end - base);
            ControlFlow::Continue(())
        };
        // Pages of an image count as not written to.
        let told = !self.has_image && pagemap::written(base..base + pages.len(), written);
        if !told {
            look_at(0..pages.len());
        }
        content
    }

    /// Becomes what the image has, in a way that [`Memory::reset`] to the same
    /// image is cheap.
    pub(crate) fn take_up(&mut self, image: &MemoryImage) -> io::Result<()> {
        let len = self.byte_len();
        if self.kind == Kind::Moving {
            self.mapping.grow(image.len)?;
            self.def.base = self.mapping.base();
        } else if image.len > len {
            self.mapping.commit(len..image.len)?;
        }
        self.def.len.store(len.max(image.len), Ordering::SeqCst);
        self.mapping.keep_pages_small();
        // A mapping of two kinds of pages could not move.
        if self.kind != Kind::Moving {
            self.has_image = image.pages.map(&mut self.mapping, image.start)?;
        }
        self.give_back(image, 0)?;
        self.set_len(image.len)
    }

    /// Becomes what the image has, which the memory has taken up. At most about
    /// `resident` bytes stay in memory for it, where it does not need more.
    ///
    /// On failure the contents are undefined.
    pub(crate) fn reset(&mut self, image: &MemoryImage, resident: usize) -> io::Result<()> {
        let base = self.def.base;
        let start = base.addr();
        let end = start + self.byte_len().next_multiple_of(page_size());
        let mut left = resident;
        // From where pages are given back.
        let mut rest = end;
        let told = pagemap::written(start..end, |run| {
            let kept = run.len().min(left) & !(page_size() - 1);
            left -= kept;
            // SAFETY: these pages are of the memory, which is writable so far;
            // `&mut self` makes it ours alone.
            unsafe { image.write(base, run.start - start..run.start + kept - start) };
            if kept == run.len() {
                return ControlFlow::Continue(());
            }
            rest = run.start + kept;
            ControlFlow::Break(())
        });
        match told {
            true if rest == end => {}
            true => self.give_back(image, rest - start)?,
            false => self.give_back(image, 0)?,
        }
        self.set_len(image.len)
    }

    /// Gives back all pages from `from` on, and writes what they must hold and
    /// have not got by that.
    fn give_back(&mut self, image: &MemoryImage, from: usize) -> io::Result<()> {
        // What was longer once may have pages that nobody can reach now.
        self.mapping.decommit(from..self.mapping.len())?;
        let content = image.content();
        let content = content.start.max(from)..content.end;
        if !self.has_image && !content.is_empty() {
            // SAFETY: the content lies within the memory, and as in `reset`.
            unsafe { image.write(self.def.base, content) };
        }
        Ok(())
    }

    /// Sets the length, of a memory that has been at least as long.
    fn set_len(&mut self, len: usize) -> io::Result<()> {
        let before = self.byte_len();
        if self.kind != Kind::Moving && len < before {
            let page_up = |len: usize| len.next_multiple_of(page_size());
            self.mapping.guard(page_up(len)..page_up(before))?;
        }
        self.def.len.store(len, Ordering::SeqCst);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use rwasm_parser::MemoryType;

    const PAGE: usize = 1 << 16;

    fn types() -> impl Iterator<Item = (MemoryType, bool)> {
        let ty = |index64| MemoryType {
            index64,
            shared: false,
            min: 2,
            max: Some(100),
            page_size_log2: 16,
        };
        [(ty(false), true), (ty(false), false), (ty(true), true)].into_iter()
    }

    fn write(memory: &mut Memory, at: usize, bytes: &[u8]) {
        // SAFETY: nobody else has the memory.
        unsafe { (&mut *memory.data())[at..at + bytes.len()].copy_from_slice(bytes) };
    }

    fn bytes(memory: &Memory) -> Vec<u8> {
        // SAFETY: nobody else has the memory.
        unsafe { (*memory.data()).to_vec() }
    }

    #[test]
    fn memories_come_back_to_their_image() {
        let limits = Limits::default();
        for (ty, guarded) in types() {
            let new = || Memory::new(ty, &limits, guarded).unwrap();
            let mut first = new();
            write(&mut first, 5000, b"some data");
            write(&mut first, PAGE + 17, b"more");
            first.grow(1, &limits).unwrap();
            let image = MemoryImage::of(&first);
            let expected = bytes(&first);

            let mut memory = new();
            memory.take_up(&image).unwrap();
            assert_eq!(bytes(&memory), expected);
            for resident in [1 << 30, 3 * PAGE, 3 * page_size(), 0] {
                for pages in [0, 1, 40] {
                    memory.grow(pages, &limits).unwrap();
                    assert!(bytes(&memory)[3 * PAGE..].iter().all(|&byte| byte == 0));
                    let len = memory.byte_len();
                    for at in (0..len).step_by(page_size()) {
                        write(&mut memory, at, b"secret");
                    }
                    memory.reset(&image, resident).unwrap();
                    assert_eq!(bytes(&memory), expected);
                    assert_eq!(memory.size(), 3);
                }
            }
        }
    }

    #[test]
    fn an_empty_memory_has_an_image() {
        let limits = Limits::default();
        for (ty, guarded) in types() {
            let ty = MemoryType { min: 0, ..ty };
            let mut memory = Memory::new(ty, &limits, guarded).unwrap();
            let image = MemoryImage::of(&memory);
            memory.take_up(&image).unwrap();
            memory.grow(3, &limits).unwrap();
            write(&mut memory, 2 * PAGE, b"secret");
            memory.reset(&image, 1 << 30).unwrap();
            assert_eq!(memory.byte_len(), 0);
            memory.grow(3, &limits).unwrap();
            assert!(bytes(&memory).iter().all(|&byte| byte == 0));
        }
    }
}
