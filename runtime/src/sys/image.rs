//! Bytes that pages start as: of a sealed file in memory, so that many mappings
//! share the pages that they only read.

use super::mmap::{Mapping, Mmap};
use std::fs::File;
use std::io;

/// Immutable bytes, a whole number of pages of them.
#[derive(Debug)]
pub struct PageImage(Pages);

#[derive(Debug)]
enum Pages {
    /// A file that nobody can change, and its bytes.
    File(File, Mmap),
    Heap(Box<[u8]>),
}

impl PageImage {
    /// An image of `bytes`, which are whole pages.
    pub fn new(bytes: &[u8]) -> Self {
        let pages = match sealed(bytes) {
            Ok((file, map)) => Pages::File(file, map),
            // Where there are no such files, or no more of them.
            Err(_) => Pages::Heap(bytes.into()),
        };
        PageImage(pages)
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        match &self.0 {
            Pages::File(_, map) => map,
            Pages::Heap(bytes) => bytes,
        }
    }

    /// Replaces the pages of `mapping` from `at` on by those of the image, copied
    /// when they are first written to. `false` if that cannot be done; then the
    /// bytes remain to be copied.
    ///
    /// # Panics
    /// If the image does not fit there, or `at` is not where a page begins.
    pub fn map(&self, mapping: &mut Mapping, at: usize) -> io::Result<bool> {
        match &self.0 {
            Pages::File(file, map) if !map.is_empty() => {
                // SAFETY: the file is sealed.
                unsafe { mapping.map_file(at, file, map.len())? };
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

/// A file without a name that holds `bytes` for ever.
#[cfg(target_os = "linux")]
fn sealed(bytes: &[u8]) -> io::Result<(File, Mmap)> {
    use std::io::Write;
    use std::os::fd::{AsRawFd, FromRawFd};

    // SAFETY: the name is a string of C; the descriptor, if there is one, is new
    // and nobody else's.
    let mut file = unsafe {
        let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
        match libc::memfd_create(c"wasm memory".as_ptr(), flags) {
            -1 => return Err(io::Error::last_os_error()),
            fd => File::from_raw_fd(fd),
        }
    };
    file.write_all(bytes)?;
    let seals = libc::F_SEAL_SEAL | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE;
    // SAFETY: the descriptor is open.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: sealed, so it neither changes nor shrinks. The mapping is private,
    // since kernels before 6.7 refuse shared ones of sealed files.
    let map = unsafe { memmap2::MmapOptions::new().map_copy_read_only(&file)? };
    Ok((file, map))
}

#[cfg(not(target_os = "linux"))]
fn sealed(_: &[u8]) -> io::Result<(File, Mmap)> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::mmap::page_size;

    #[test]
    fn mappings_change_their_own_copy() {
        let page = page_size();
        let mut bytes = vec![1; 2 * page];
        bytes[page] = 2;
        let image = PageImage::new(&bytes);
        assert_eq!(image.bytes(), bytes);
        let mut mapping = Mapping::zeroed(4 * page).unwrap();
        if !image.map(&mut mapping, page).unwrap() {
            return; // No such files here.
        }
        // SAFETY: inside the mapping, which is readable and writable.
        let at = |at: usize| unsafe { &mut *mapping.base().add(at) };
        let seen = || [*at(0), *at(page), *at(2 * page), *at(3 * page)];
        assert_eq!(seen(), [0, 1, 2, 0]);
        for offset in [0, page, 2 * page, 3 * page] {
            *at(offset) = 9;
        }
        assert_eq!(seen(), [9; 4]);
        assert_eq!(image.bytes(), bytes);
        mapping.decommit(0..4 * page).unwrap();
        // SAFETY: as above.
        let seen = [0, page, 2 * page].map(|at| unsafe { *mapping.base().add(at) });
        assert_eq!(seen, [0, 1, 2]);
    }

    #[test]
    fn empty_images_are_images() {
        assert!(PageImage::new(&[]).bytes().is_empty());
    }
}
