//! Paths.

#![expect(
    clippy::too_many_arguments,
    reason = "the parameters are those of the witx"
)]

use super::Call;
use crate::abi::{FdFlags, FstFlags, LookupFlags, OFlags};
use crate::descriptor::Directory;
use crate::errno::Errno;
use crate::paths::{self, Open};
use crate::refusal::{Observer, Refusal, RefusalReason};
use crate::rights::Rights;
use crate::times;
use cap_std::fs::Dir;
use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A directory, and a path in it: what a guest names by three numbers.
struct Place<'a> {
    directory: &'a Directory,
    path: Cow<'a, Path>,
    observer: Option<&'a Observer>,
}

/// What changes a directory, or what it has an entry for. Opening may, too:
/// [`paths::open`] knows.
const CHANGES: Rights = Rights::PATH_CREATE_DIRECTORY
    .union(Rights::PATH_FILESTAT_SET_TIMES)
    .union(Rights::PATH_LINK_SOURCE)
    .union(Rights::PATH_LINK_TARGET)
    .union(Rights::PATH_REMOVE_DIRECTORY)
    .union(Rights::PATH_RENAME_SOURCE)
    .union(Rights::PATH_RENAME_TARGET)
    .union(Rights::PATH_SYMLINK)
    .union(Rights::PATH_UNLINK_FILE);

impl Call<'_> {
    /// The place for an operation that needs these rights; the directory must be
    /// writable if the operation is one of [`CHANGES`].
    fn place(&self, fd: u32, path: u32, len: u32, needed: Rights) -> Result<Place<'_>, Errno> {
        let place = Place {
            directory: self.ctx.table.directory(fd, needed)?,
            path: paths::from_guest(&self.memory, path, len, &self.ctx.limits)?,
            observer: self.ctx.on_refusal.as_ref(),
        };
        place.tell(paths::require_relative(&place.path))?;
        if needed.intersects(CHANGES) {
            place.tell(place.directory.require_writable())?;
        }
        Ok(place)
    }
}

impl Place<'_> {
    /// Does something there.
    fn try_to<R, E: Into<Errno>>(
        &self,
        action: impl FnOnce(&Dir, &Path) -> Result<R, E>,
    ) -> Result<R, Errno> {
        self.tell(action(&self.directory.dir, &self.path).map_err(Into::into))
    }

    /// Does something that concerns another place, too. The host does not say
    /// which of the two paths it refuses: both are told.
    fn try_with<E: Into<Errno>>(
        &self,
        other: &Place<'_>,
        action: impl FnOnce(&Dir, &Path, &Dir, &Path) -> Result<(), E>,
    ) -> Result<(), Errno> {
        self.try_to(|dir, path| {
            other.try_to(|other_dir, other_path| action(dir, path, other_dir, other_path))
        })
    }

    /// Tells the embedder if the guest was refused the path.
    fn tell<R>(&self, result: Result<R, Errno>) -> Result<R, Errno> {
        if let (Some(observer), Err(errno)) = (self.observer, &result)
            && let Some(reason) = RefusalReason::of(*errno)
        {
            observer(&Refusal {
                directory: self.directory.preopen.as_deref().map(OsStr::from_bytes),
                path: &self.path,
                reason,
            });
        }
        result
    }
}

pub(crate) fn path_create_directory(
    call: &mut Call<'_>,
    fd: u32,
    path: u32,
    path_len: u32,
) -> Result<(), Errno> {
    let place = call.place(fd, path, path_len, Rights::PATH_CREATE_DIRECTORY)?;
    place.try_to(paths::create_directory)
}

pub(crate) fn path_filestat_get(
    call: &mut Call<'_>,
    fd: u32,
    flags: u32,
    path: u32,
    path_len: u32,
    buf: u32,
) -> Result<(), Errno> {
    let lookup = LookupFlags::try_from(flags)?;
    let place = call.place(fd, path, path_len, Rights::PATH_FILESTAT_GET)?;
    let stat = place.try_to(|dir, path| paths::stat(dir, lookup, path))?;
    let (record, len) = stat.encode(call.snapshot);
    call.memory.write(buf, &record[..len])
}

pub(crate) fn path_filestat_set_times(
    call: &mut Call<'_>,
    fd: u32,
    flags: u32,
    path: u32,
    path_len: u32,
    atim: u64,
    mtim: u64,
    fst_flags: u32,
) -> Result<(), Errno> {
    let lookup = LookupFlags::try_from(flags)?;
    let times = times::to_set(FstFlags::try_from(fst_flags)?, atim, mtim)?;
    let place = call.place(fd, path, path_len, Rights::PATH_FILESTAT_SET_TIMES)?;
    place.try_to(|dir, path| paths::set_times(dir, lookup, path, &times))
}

/// The old directory must be writable too: a link would be a way around the
/// read-only one (GHSA-2r75 of wasmtime).
pub(crate) fn path_link(
    call: &mut Call<'_>,
    old_fd: u32,
    old_flags: u32,
    old_path: u32,
    old_path_len: u32,
    new_fd: u32,
    new_path: u32,
    new_path_len: u32,
) -> Result<(), Errno> {
    // There is no way to follow the last link and stay inside that every
    // system has; wasi-libc never asks.
    if !LookupFlags::try_from(old_flags)?.is_empty() {
        return Err(Errno::Inval);
    }
    let old = call.place(old_fd, old_path, old_path_len, Rights::PATH_LINK_SOURCE)?;
    let new = call.place(new_fd, new_path, new_path_len, Rights::PATH_LINK_TARGET)?;
    old.try_with(&new, paths::link)
}

/// What a directory is to hand on is not looked at: Zig asks for the rights of a
/// directory only, and opens files in it.
pub(crate) fn path_open(
    call: &mut Call<'_>,
    fd: u32,
    dirflags: u32,
    path: u32,
    path_len: u32,
    oflags: u32,
    fs_rights_base: u64,
    _fs_rights_inheriting: u64,
    fdflags: u32,
    opened_fd: u32,
) -> Result<(), Errno> {
    let open = Open {
        lookup: LookupFlags::try_from(dirflags)?,
        oflags: OFlags::try_from(oflags)?,
        fdflags: FdFlags::try_from(fdflags)?,
        // Go asks for bits that are not defined.
        rights: Rights::from_bits_truncate(fs_rights_base),
    };
    call.memory.range(opened_fd, 4)?;
    let place = call.place(fd, path, path_len, open.needed())?;
    let table = &call.ctx.table;
    let inheriting = table.get(fd)?.inheriting;
    // To get less than these would only show at the first read or write.
    inheriting.require(open.rights & (Rights::FD_READ | Rights::FD_WRITE))?;
    table.require_room()?;
    let opened = paths::open(place.directory, inheriting, &place.path, open);
    let descriptor = place.tell(opened)?;
    let opened = call.ctx.table.insert(descriptor)?;
    call.memory.write_u32(opened_fd, opened)
}

/// What does not fit is cut off, as by `readlink`. The target of a link that
/// the host made may be anything; it is only text.
pub(crate) fn path_readlink(
    call: &mut Call<'_>,
    fd: u32,
    path: u32,
    path_len: u32,
    buf: u32,
    buf_len: u32,
    bufused: u32,
) -> Result<(), Errno> {
    call.memory.range(buf, buf_len)?;
    call.memory.range(bufused, 4)?;
    let place = call.place(fd, path, path_len, Rights::PATH_READLINK)?;
    let target = place.try_to(|dir, path| dir.read_link_contents(path))?;
    let target = target.as_os_str().as_bytes();
    let used = target.len().min(buf_len as usize);
    call.memory.write(buf, &target[..used])?;
    call.memory.write_u32(bufused, used as u32)
}

pub(crate) fn path_remove_directory(
    call: &mut Call<'_>,
    fd: u32,
    path: u32,
    path_len: u32,
) -> Result<(), Errno> {
    let place = call.place(fd, path, path_len, Rights::PATH_REMOVE_DIRECTORY)?;
    place.try_to(paths::remove_directory)
}

pub(crate) fn path_rename(
    call: &mut Call<'_>,
    fd: u32,
    old_path: u32,
    old_path_len: u32,
    new_fd: u32,
    new_path: u32,
    new_path_len: u32,
) -> Result<(), Errno> {
    let old = call.place(fd, old_path, old_path_len, Rights::PATH_RENAME_SOURCE)?;
    let new = call.place(new_fd, new_path, new_path_len, Rights::PATH_RENAME_TARGET)?;
    old.try_with(&new, paths::rename)
}

/// A target that is absolute is refused: no path through it could be followed.
pub(crate) fn path_symlink(
    call: &mut Call<'_>,
    old_path: u32,
    old_path_len: u32,
    fd: u32,
    new_path: u32,
    new_path_len: u32,
) -> Result<(), Errno> {
    let target = paths::from_guest(&call.memory, old_path, old_path_len, &call.ctx.limits)?;
    paths::require_relative(&target)?;
    let place = call.place(fd, new_path, new_path_len, Rights::PATH_SYMLINK)?;
    place.try_to(|dir, path| paths::symlink(dir, &target, path))
}

pub(crate) fn path_unlink_file(
    call: &mut Call<'_>,
    fd: u32,
    path: u32,
    path_len: u32,
) -> Result<(), Errno> {
    let place = call.place(fd, path, path_len, Rights::PATH_UNLINK_FILE)?;
    place.try_to(|dir, path| dir.remove_file(path))
}
