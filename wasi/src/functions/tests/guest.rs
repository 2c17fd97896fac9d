//! A guest that is nothing but memory and a state.

use super::uninterrupted;
use super::{Errno, FdFlags, FileType, OFlags, Rights, Snapshot};
use crate::builder::{Access, WasiCtxBuilder};
use crate::ctx::WasiCtx;
use crate::functions::{self, Call};
use crate::memory::GuestMemory;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The first preopened directory.
pub(super) const PREOPEN: u32 = 3;

pub(super) const FOLLOW: u32 = 1;
pub(super) const NOFOLLOW: u32 = 0;

/// Where results go.
pub(super) const RESULT: u32 = 64;
/// Where lists go.
const LIST: u32 = 1024;
/// Where paths go.
const PATHS: u32 = 8 << 10;
/// Where bytes go.
pub(super) const BYTES: u32 = 64 << 10;

/// The memory, 2 pages.
const MEMORY: usize = 128 << 10;

pub(super) struct Guest {
    pub(super) ctx: WasiCtx,
    pub(super) memory: Vec<u8>,
    pub(super) snapshot: Snapshot,
    folder: TempDir,
    /// Where the next path goes.
    next_path: u32,
}

/// What `fd_fdstat_get` tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fdstat {
    pub(super) file_type: u8,
    pub(super) flags: u16,
    pub(super) base: u64,
    pub(super) inheriting: u64,
}

/// An entry as `fd_readdir` tells it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) cookie: u64,
    pub(super) ino: u64,
    pub(super) file_type: u8,
    pub(super) name: Vec<u8>,
}

/// What `fd_filestat_get` tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Filestat {
    pub(super) dev: u64,
    pub(super) ino: u64,
    pub(super) file_type: u8,
    pub(super) nlink: u64,
    pub(super) size: u64,
    pub(super) atim: u64,
    pub(super) mtim: u64,
}

impl Guest {
    /// One with a folder of its own, as `PREOPEN` under the name `/`.
    pub(super) fn new() -> Guest {
        Guest::with(|_| {})
    }

    pub(super) fn with(more: impl FnOnce(&mut WasiCtxBuilder)) -> Guest {
        Guest::with_access(Access::ReadWrite, more)
    }

    pub(super) fn with_access(access: Access, more: impl FnOnce(&mut WasiCtxBuilder)) -> Guest {
        let folder = tempfile::tempdir().unwrap();
        let mut builder = WasiCtx::builder();
        builder.preopened_dir(folder.path(), "/", access).unwrap();
        more(&mut builder);
        Guest {
            ctx: builder.build().unwrap(),
            memory: vec![0; MEMORY],
            snapshot: Snapshot::One,
            folder,
            next_path: PATHS,
        }
    }

    /// The host's path of something in the folder.
    pub(super) fn host(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn call(&mut self) -> Call<'_> {
        Call {
            ctx: self.ctx.alone(),
            memory: GuestMemory::new(&mut self.memory),
            snapshot: self.snapshot,
        }
    }

    pub(super) fn put(&mut self, at: u32, bytes: &[u8]) {
        self.memory[at as usize..][..bytes.len()].copy_from_slice(bytes);
    }

    pub(super) fn bytes(&self, at: u32, len: u32) -> &[u8] {
        &self.memory[at as usize..][..len as usize]
    }

    pub(super) fn u16(&self, at: u32) -> u16 {
        u16::from_le_bytes(self.bytes(at, 2).try_into().unwrap())
    }

    pub(super) fn u32(&self, at: u32) -> u32 {
        u32::from_le_bytes(self.bytes(at, 4).try_into().unwrap())
    }

    pub(super) fn u64(&self, at: u32) -> u64 {
        u64::from_le_bytes(self.bytes(at, 8).try_into().unwrap())
    }

    /// Puts a path somewhere: its pointer and length.
    pub(super) fn path(&mut self, path: impl AsRef<[u8]>) -> (u32, u32) {
        let (path, at) = (path.as_ref(), self.next_path);
        self.put(at, path);
        let len = path.len() as u32;
        self.next_path = if at + len > BYTES - 8192 {
            PATHS
        } else {
            at + len
        };
        (at, len)
    }

    /// Puts a list of buffers: its pointer and length.
    pub(super) fn iovecs(&mut self, iovecs: &[(u32, u32)]) -> (u32, u32) {
        for (index, (ptr, len)) in iovecs.iter().enumerate() {
            let at = LIST + 8 * index as u32;
            self.put(at, &ptr.to_le_bytes());
            self.put(at + 4, &len.to_le_bytes());
        }
        (LIST, iovecs.len() as u32)
    }

    pub(super) fn path_open(
        &mut self,
        fd: u32,
        lookup: u32,
        path: impl AsRef<[u8]>,
        oflags: OFlags,
        rights: Rights,
        fdflags: FdFlags,
    ) -> Result<u32, Errno> {
        let (ptr, len) = self.path(path);
        functions::path_open(
            &mut self.call(),
            fd,
            lookup,
            ptr,
            len,
            oflags.bits().into(),
            rights.bits(),
            Rights::all().bits(),
            fdflags.bits().into(),
            RESULT,
        )?;
        Ok(self.u32(RESULT))
    }

    /// Opens below the preopen, with all rights that fit the access.
    pub(super) fn open(
        &mut self,
        path: impl AsRef<[u8]>,
        oflags: OFlags,
        write: bool,
    ) -> Result<u32, Errno> {
        let rights = if write {
            Rights::all()
        } else {
            Rights::all() - Rights::FD_WRITE
        };
        self.path_open(PREOPEN, FOLLOW, path, oflags, rights, FdFlags::empty())
    }

    pub(super) fn create(&mut self, path: impl AsRef<[u8]>) -> u32 {
        self.open(path, OFlags::CREAT | OFlags::TRUNC, true)
            .unwrap()
    }

    /// A file with contents, not open.
    pub(super) fn file(&mut self, path: &str, contents: &[u8]) {
        std::fs::write(self.host(path), contents).unwrap();
    }

    pub(super) fn read_file(&self, path: impl AsRef<OsStr>) -> Vec<u8> {
        std::fs::read(self.host(path.as_ref())).unwrap()
    }

    pub(super) fn close(&mut self, fd: u32) -> Result<(), Errno> {
        functions::fd_close(&mut self.call(), fd)
    }

    pub(super) fn write(&mut self, fd: u32, bytes: &[u8]) -> Result<u32, Errno> {
        self.put(BYTES, bytes);
        self.writev(fd, &[(BYTES, bytes.len() as u32)])
    }

    pub(super) fn writev(&mut self, fd: u32, iovecs: &[(u32, u32)]) -> Result<u32, Errno> {
        let (ptr, len) = self.iovecs(iovecs);
        uninterrupted::fd_write(&mut self.call(), fd, ptr, len, RESULT)?;
        Ok(self.u32(RESULT))
    }

    pub(super) fn pwrite(&mut self, fd: u32, bytes: &[u8], offset: u64) -> Result<u32, Errno> {
        self.put(BYTES, bytes);
        let (ptr, len) = self.iovecs(&[(BYTES, bytes.len() as u32)]);
        uninterrupted::fd_pwrite(&mut self.call(), fd, ptr, len, offset, RESULT)?;
        Ok(self.u32(RESULT))
    }

    pub(super) fn read(&mut self, fd: u32, len: u32) -> Result<Vec<u8>, Errno> {
        let count = self.readv(fd, &[(BYTES, len)])?;
        Ok(self.bytes(BYTES, count).to_vec())
    }

    pub(super) fn readv(&mut self, fd: u32, iovecs: &[(u32, u32)]) -> Result<u32, Errno> {
        let (ptr, len) = self.iovecs(iovecs);
        uninterrupted::fd_read(&mut self.call(), fd, ptr, len, RESULT)?;
        Ok(self.u32(RESULT))
    }

    pub(super) fn pread(&mut self, fd: u32, len: u32, offset: u64) -> Result<Vec<u8>, Errno> {
        let (list, count) = self.iovecs(&[(BYTES, len)]);
        uninterrupted::fd_pread(&mut self.call(), fd, list, count, offset, RESULT)?;
        let read = self.u32(RESULT);
        Ok(self.bytes(BYTES, read).to_vec())
    }

    pub(super) fn seek(&mut self, fd: u32, offset: i64, whence: u32) -> Result<u64, Errno> {
        functions::fd_seek(&mut self.call(), fd, offset, whence, RESULT)?;
        Ok(self.u64(RESULT))
    }

    pub(super) fn tell(&mut self, fd: u32) -> Result<u64, Errno> {
        functions::fd_tell(&mut self.call(), fd, RESULT)?;
        Ok(self.u64(RESULT))
    }

    pub(super) fn fdstat(&mut self, fd: u32) -> Result<Fdstat, Errno> {
        functions::fd_fdstat_get(&mut self.call(), fd, RESULT)?;
        Ok(Fdstat {
            file_type: self.memory[RESULT as usize],
            flags: self.u16(RESULT + 2),
            base: self.u64(RESULT + 8),
            inheriting: self.u64(RESULT + 16),
        })
    }

    pub(super) fn filestat(&mut self, fd: u32) -> Result<Filestat, Errno> {
        functions::fd_filestat_get(&mut self.call(), fd, RESULT)?;
        Ok(self.filestat_at_result())
    }

    pub(super) fn stat(&mut self, lookup: u32, path: impl AsRef<[u8]>) -> Result<Filestat, Errno> {
        let (ptr, len) = self.path(path);
        functions::path_filestat_get(&mut self.call(), PREOPEN, lookup, ptr, len, RESULT)?;
        Ok(self.filestat_at_result())
    }

    fn filestat_at_result(&self) -> Filestat {
        Filestat {
            dev: self.u64(RESULT),
            ino: self.u64(RESULT + 8),
            file_type: self.memory[RESULT as usize + 16],
            nlink: self.u64(RESULT + 24),
            size: self.u64(RESULT + 32),
            atim: self.u64(RESULT + 40),
            mtim: self.u64(RESULT + 48),
        }
    }

    pub(super) fn mkdir(&mut self, path: impl AsRef<[u8]>) -> Result<(), Errno> {
        let (ptr, len) = self.path(path);
        functions::path_create_directory(&mut self.call(), PREOPEN, ptr, len)
    }

    pub(super) fn rmdir(&mut self, path: impl AsRef<[u8]>) -> Result<(), Errno> {
        let (ptr, len) = self.path(path);
        functions::path_remove_directory(&mut self.call(), PREOPEN, ptr, len)
    }

    pub(super) fn unlink(&mut self, path: impl AsRef<[u8]>) -> Result<(), Errno> {
        let (ptr, len) = self.path(path);
        functions::path_unlink_file(&mut self.call(), PREOPEN, ptr, len)
    }

    pub(super) fn symlink(
        &mut self,
        target: impl AsRef<[u8]>,
        path: impl AsRef<[u8]>,
    ) -> Result<(), Errno> {
        let (old, old_len) = self.path(target);
        let (new, new_len) = self.path(path);
        functions::path_symlink(&mut self.call(), old, old_len, PREOPEN, new, new_len)
    }

    pub(super) fn readlink(&mut self, path: impl AsRef<[u8]>, len: u32) -> Result<Vec<u8>, Errno> {
        let (ptr, path_len) = self.path(path);
        let call = &mut self.call();
        functions::path_readlink(call, PREOPEN, ptr, path_len, BYTES, len, RESULT)?;
        let used = self.u32(RESULT);
        Ok(self.bytes(BYTES, used).to_vec())
    }

    pub(super) fn link(
        &mut self,
        (old_fd, old): (u32, impl AsRef<[u8]>),
        (new_fd, new): (u32, impl AsRef<[u8]>),
    ) -> Result<(), Errno> {
        let (old, old_len) = self.path(old);
        let (new, new_len) = self.path(new);
        let call = &mut self.call();
        functions::path_link(call, old_fd, NOFOLLOW, old, old_len, new_fd, new, new_len)
    }

    pub(super) fn rename(
        &mut self,
        (old_fd, old): (u32, impl AsRef<[u8]>),
        (new_fd, new): (u32, impl AsRef<[u8]>),
    ) -> Result<(), Errno> {
        let (old, old_len) = self.path(old);
        let (new, new_len) = self.path(new);
        functions::path_rename(&mut self.call(), old_fd, old, old_len, new_fd, new, new_len)
    }

    pub(super) fn set_times(
        &mut self,
        lookup: u32,
        path: &str,
        (atim, mtim): (u64, u64),
        flags: u32,
    ) -> Result<(), Errno> {
        let (ptr, len) = self.path(path);
        let call = &mut self.call();
        functions::path_filestat_set_times(call, PREOPEN, lookup, ptr, len, atim, mtim, flags)
    }

    /// The whole entries that a buffer of `len` bytes gets from `cookie` on, and
    /// whether the directory ends there.
    pub(super) fn page(
        &mut self,
        fd: u32,
        len: u32,
        cookie: u64,
    ) -> Result<(Vec<Entry>, bool), Errno> {
        functions::fd_readdir(&mut self.call(), fd, BYTES, len, cookie, RESULT)?;
        let used = self.u32(RESULT);
        let (mut entries, mut at) = (Vec::new(), BYTES);
        while at + 24 <= BYTES + used {
            let len = self.u32(at + 16);
            if at + 24 + len > BYTES + used {
                break;
            }
            entries.push(Entry {
                cookie: self.u64(at),
                ino: self.u64(at + 8),
                file_type: self.memory[at as usize + 20],
                name: self.bytes(at + 24, len).to_vec(),
            });
            at += 24 + len;
        }
        Ok((entries, used < len))
    }

    /// Names and types below the directory `fd`, without `.` and `..`.
    pub(super) fn names(&mut self, fd: u32) -> Result<Vec<(Vec<u8>, u8)>, Errno> {
        let (mut names, mut cookie) = (Vec::new(), 0);
        loop {
            let (entries, ends) = self.page(fd, 4096, cookie)?;
            for entry in entries {
                cookie = entry.cookie;
                if entry.name != b"." && entry.name != b".." {
                    names.push((entry.name, entry.file_type));
                }
            }
            if ends {
                names.sort();
                return Ok(names);
            }
        }
    }
}

impl Fdstat {
    pub(super) fn has(&self, rights: Rights) -> bool {
        Rights::from_bits_retain(self.base).contains(rights)
    }

    pub(super) fn is(&self, file_type: FileType) -> bool {
        self.file_type == file_type as u8
    }
}

/// A path of any bytes.
pub(super) fn os(bytes: &[u8]) -> &OsStr {
    OsStr::from_bytes(bytes)
}
