//! Directory listings: `fd_readdir`.
//!
//! The cookie of an entry is the kernel's own (`d_off`), so it stays valid
//! while files come and go, and across calls, as far as the file system goes.
//! One run of entries is read ahead for each directory, not one listing for
//! each call; so a large directory is read in linear time, and memory does not
//! grow with it. A guest that goes on where it stopped costs no seek.

use crate::abi::{DIRENT_BYTES, FileType, decode_dirent, encode_dirent};
use crate::descriptor::file_type_of;
use crate::errno::Errno;
use rustix::fs::{AtFlags, FileType as HostFileType, RawDir, SeekFrom, fstat, seek, statat};
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd};

/// Bytes of directory entries that are asked of the kernel at once, as in the
/// C libraries.
const READ_AHEAD: usize = 32 << 10;

/// The position of one directory, and the entries read ahead.
pub(crate) struct Listing {
    /// Entries as the guest sees them: a `$dirent`, then the name.
    entries: Vec<u8>,
    /// Where in `entries` the next one begins.
    next: usize,
    /// The cookie of the next entry.
    cookie: u64,
    /// What `..` gives as its inode.
    ino: u64,
}

impl Listing {
    /// The listing of a directory from a cookie on.
    pub(crate) fn open(directory: impl AsFd, cookie: u64) -> Result<Listing, Errno> {
        let directory = directory.as_fd();
        let mut listing = Listing {
            entries: Vec::new(),
            next: 0,
            cookie,
            ino: fstat(directory)?.st_ino,
        };
        listing.seek(directory, cookie)?;
        Ok(listing)
    }

    /// Fills `buffer` with the entries from `cookie` on; the last may be cut.
    /// Returns the bytes filled: less than all only at the end.
    pub(crate) fn read(
        &mut self,
        directory: impl AsFd,
        cookie: u64,
        buffer: &mut [u8],
    ) -> Result<usize, Errno> {
        let directory = directory.as_fd();
        // The start is always read anew: that is how guests look again.
        if cookie != self.cookie || cookie == 0 {
            self.seek(directory, cookie)?;
        }
        let mut filled = 0;
        while filled < buffer.len() {
            if self.next == self.entries.len() && !self.refill(directory)? {
                break;
            }
            let (next, len) = self.entry();
            let entry = &self.entries[self.next..][..len];
            let room = &mut buffer[filled..];
            let copied = len.min(room.len());
            room[..copied].copy_from_slice(&entry[..copied]);
            filled += copied;
            // A cut entry comes again, from the cookie of the one before it.
            if copied == len {
                self.next += len;
                self.cookie = next;
            }
        }
        Ok(filled)
    }

    /// The cookie after the next entry, and the length of the entry.
    fn entry(&self) -> (u64, usize) {
        let (cookie, name_len) = decode_dirent(&self.entries[self.next..]);
        (cookie, DIRENT_BYTES + name_len as usize)
    }

    fn seek(&mut self, directory: BorrowedFd<'_>, cookie: u64) -> Result<(), Errno> {
        self.entries.clear();
        self.next = 0;
        // The kernel refuses what cannot be one of its cookies.
        seek(directory, SeekFrom::Start(cookie))?;
        self.cookie = cookie;
        Ok(())
    }

    /// Reads ahead; false at the end of the directory.
    fn refill(&mut self, directory: BorrowedFd<'_>) -> Result<bool, Errno> {
        self.entries.clear();
        self.next = 0;
        let mut space: Vec<u8> = Vec::with_capacity(READ_AHEAD);
        let mut found = RawDir::new(directory, space.spare_capacity_mut());
        loop {
            let entry = match found.next() {
                None => break,
                // The directory itself was removed: no entries are left.
                Some(Err(rustix::io::Errno::NOENT)) => break,
                Some(entry) => entry?,
            };
            let name = entry.file_name();
            let ino = match name.to_bytes() {
                // What lies above may be outside of what the guest was given.
                b".." => self.ino,
                _ => entry.ino(),
            };
            let file_type = match entry.file_type() {
                // Some file systems do not tell.
                HostFileType::Unknown => look_up(directory, name),
                known => known.into(),
            };
            // Names are no longer than 255 bytes.
            let name_len = name.to_bytes().len() as u32;
            let header = encode_dirent(entry.next_entry_cookie(), ino, name_len, file_type);
            self.entries.extend_from_slice(&header);
            self.entries.extend_from_slice(name.to_bytes());
            // Going on would read again from the kernel.
            if found.is_buffer_empty() {
                break;
            }
        }
        Ok(!self.entries.is_empty())
    }
}

fn look_up(directory: BorrowedFd<'_>, name: &CStr) -> FileType {
    match statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => file_type_of(&stat),
        Err(_) => FileType::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::fs::{self, File};
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    /// Decodes whole entries: cookie, inode, type, name.
    fn entries(mut bytes: &[u8]) -> Vec<(u64, u64, u8, Vec<u8>)> {
        let mut found = Vec::new();
        while bytes.len() >= DIRENT_BYTES {
            let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
            let len = (word(16) as u32) as usize;
            if bytes.len() < DIRENT_BYTES + len {
                break;
            }
            let name = bytes[DIRENT_BYTES..DIRENT_BYTES + len].to_vec();
            found.push((word(0), word(8), bytes[20], name));
            bytes = &bytes[DIRENT_BYTES + len..];
        }
        found
    }

    /// Lists as wasi-libc does, with a buffer of `size`.
    fn list(path: &Path, size: usize) -> Vec<Vec<u8>> {
        let directory = File::open(path).unwrap();
        let mut listing = Listing::open(&directory, 0).unwrap();
        let (mut cookie, mut names) = (0, Vec::new());
        let mut buffer = vec![0; size];
        loop {
            let filled = listing.read(&directory, cookie, &mut buffer).unwrap();
            let found = entries(&buffer[..filled]);
            if let Some(last) = found.last() {
                cookie = last.0;
            }
            names.extend(found.into_iter().map(|entry| entry.3));
            if filled < buffer.len() {
                return names;
            }
        }
    }

    fn folder(files: usize) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for index in 0..files {
            File::create(folder.path().join(format!("file-{index}"))).unwrap();
        }
        folder
    }

    #[test]
    fn every_buffer_size_sees_every_entry_once() {
        let folder = folder(500);
        for size in [64, 100, 256, 4096, 100_000] {
            let names = list(folder.path(), size);
            assert_eq!(names.len(), 502, "with {size} bytes");
            let different: BTreeSet<_> = names.into_iter().collect();
            assert_eq!(different.len(), 502, "with {size} bytes");
            assert!(different.contains(b".".as_slice()));
            assert!(different.contains(b"..".as_slice()));
        }
    }

    #[test]
    fn entries_tell_inode_and_type() {
        let folder = folder(1);
        fs::create_dir(folder.path().join("sub")).unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path().join("link")).unwrap();
        let name = std::ffi::OsStr::from_bytes(b"not \xff UTF-8");
        File::create(folder.path().join(name)).unwrap();
        let directory = File::open(folder.path()).unwrap();
        let mut buffer = [0; 4096];
        let mut listing = Listing::open(&directory, 0).unwrap();
        let filled = listing.read(&directory, 0, &mut buffer).unwrap();
        let found = entries(&buffer[..filled]);
        assert_eq!(found.len(), 6);
        let own = fs::metadata(folder.path()).unwrap().ino();
        for (_, ino, file_type, name) in found {
            let (expected_ino, expected_type) = match name.as_slice() {
                b"." | b".." => (own, FileType::Directory),
                name => {
                    let path = folder.path().join(std::ffi::OsStr::from_bytes(name));
                    let metadata = fs::symlink_metadata(path).unwrap();
                    let file_type = match name {
                        b"sub" => FileType::Directory,
                        b"link" => FileType::SymbolicLink,
                        _ => FileType::RegularFile,
                    };
                    (metadata.ino(), file_type)
                }
            };
            assert_eq!(
                (ino, file_type),
                (expected_ino, expected_type as u8),
                "{name:?}"
            );
        }
    }

    #[test]
    fn cookies_survive_changes() {
        let folder = folder(1000);
        let directory = File::open(folder.path()).unwrap();
        let mut listing = Listing::open(&directory, 0).unwrap();
        let mut buffer = [0; 512];
        let filled = listing.read(&directory, 0, &mut buffer).unwrap();
        let seen = entries(&buffer[..filled]);
        let cookie = seen.last().unwrap().0;
        // What was listed goes away, and others come.
        for (.., name) in &seen {
            if !name.starts_with(b".") {
                fs::remove_file(folder.path().join(std::ffi::OsStr::from_bytes(name))).unwrap();
            }
        }
        // A listing that starts from the cookie sees exactly the rest.
        let mut other = Listing::open(&directory, cookie).unwrap();
        let mut rest = vec![0; 1 << 20];
        let filled = other.read(&directory, cookie, &mut rest).unwrap();
        let rest: BTreeSet<_> = entries(&rest[..filled]).into_iter().map(|e| e.3).collect();
        assert_eq!(rest.len(), 1002 - seen.len());
        assert!(seen.iter().all(|entry| !rest.contains(&entry.3)));
    }

    #[test]
    fn the_start_is_read_anew() {
        let folder = folder(1);
        let directory = File::open(folder.path()).unwrap();
        let mut listing = Listing::open(&directory, 0).unwrap();
        let mut buffer = [0; 4096];
        let count = |listing: &mut Listing, buffer: &mut [u8]| {
            let filled = listing.read(&directory, 0, buffer).unwrap();
            entries(&buffer[..filled]).len()
        };
        assert_eq!(count(&mut listing, &mut buffer), 3);
        File::create(folder.path().join("new")).unwrap();
        assert_eq!(count(&mut listing, &mut buffer), 4);
    }

    #[test]
    fn wild_cookies_are_no_harm() {
        let folder = folder(3);
        let directory = File::open(folder.path()).unwrap();
        assert!(matches!(
            Listing::open(&directory, u64::MAX),
            Err(Errno::Inval)
        ));
        let mut listing = Listing::open(&directory, 0).unwrap();
        let mut buffer = [0; 64];
        for cookie in [u64::MAX, 1 << 63] {
            assert_eq!(
                listing.read(&directory, cookie, &mut buffer),
                Err(Errno::Inval)
            );
        }
        assert!(listing.read(&directory, 12345, &mut buffer).is_ok());
        assert_eq!(listing.read(&directory, 0, &mut buffer), Ok(64));
    }

    #[test]
    fn a_removed_directory_is_empty() {
        let folder = folder(0);
        let directory = File::open(folder.path()).unwrap();
        fs::remove_dir(folder.path()).unwrap();
        let mut listing = Listing::open(&directory, 0).unwrap();
        assert_eq!(listing.read(&directory, 0, &mut [0; 64]), Ok(0));
        folder.close().unwrap_err();
    }
}
