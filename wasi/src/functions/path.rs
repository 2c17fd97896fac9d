//! Paths.

#![expect(
    clippy::too_many_arguments,
    reason = "the parameters are those of the witx"
)]

use super::Call;
use crate::abi::{FdFlags, FstFlags, LookupFlags, OFlags};
use crate::errno::Errno;
use crate::paths::{self, Open};
use crate::rights::Rights;
use crate::times;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

impl Call<'_> {
    fn path(&self, ptr: u32, len: u32) -> Result<&Path, Errno> {
        paths::from_guest(&self.memory, ptr, len, &self.ctx.limits)
    }
}

pub(crate) fn path_create_directory(
    call: &mut Call<'_>,
    fd: u32,
    path: u32,
    path_len: u32,
) -> Result<(), Errno> {
    let path = call.path(path, path_len)?;
    let table = &call.ctx.table;
    let directory = table.writable_directory(fd, Rights::PATH_CREATE_DIRECTORY)?;
    Ok(directory.dir.create_dir(path)?)
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
    let path = call.path(path, path_len)?;
    let directory = call.ctx.table.directory(fd, Rights::PATH_FILESTAT_GET)?;
    let stat = paths::stat(&directory.dir, lookup, path)?;
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
    let path = call.path(path, path_len)?;
    let table = &call.ctx.table;
    let directory = table.writable_directory(fd, Rights::PATH_FILESTAT_SET_TIMES)?;
    paths::set_times(&directory.dir, lookup, path, &times)
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
    let old_path = call.path(old_path, old_path_len)?;
    let new_path = call.path(new_path, new_path_len)?;
    let table = &call.ctx.table;
    let old = table.writable_directory(old_fd, Rights::PATH_LINK_SOURCE)?;
    let new = table.writable_directory(new_fd, Rights::PATH_LINK_TARGET)?;
    Ok(old.dir.hard_link(old_path, &new.dir, new_path)?)
}

pub(crate) fn path_open(
    call: &mut Call<'_>,
    fd: u32,
    dirflags: u32,
    path: u32,
    path_len: u32,
    oflags: u32,
    fs_rights_base: u64,
    fs_rights_inheriting: u64,
    fdflags: u32,
    opened_fd: u32,
) -> Result<(), Errno> {
    let open = Open {
        lookup: LookupFlags::try_from(dirflags)?,
        oflags: OFlags::try_from(oflags)?,
        fdflags: FdFlags::try_from(fdflags)?,
        // Go asks for bits that are not defined.
        rights: Rights::from_bits_truncate(fs_rights_base),
        inheriting: Rights::from_bits_truncate(fs_rights_inheriting),
    };
    call.memory.range(opened_fd, 4)?;
    let path = call.path(path, path_len)?;
    let table = &call.ctx.table;
    let directory = table.directory(fd, open.needed())?;
    table.require_room()?;
    let descriptor = paths::open(directory, table.get(fd)?.inheriting, path, open)?;
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
    let path = call.path(path, path_len)?;
    let directory = call.ctx.table.directory(fd, Rights::PATH_READLINK)?;
    let target = directory.dir.read_link_contents(path)?;
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
    let path = call.path(path, path_len)?;
    let table = &call.ctx.table;
    let directory = table.writable_directory(fd, Rights::PATH_REMOVE_DIRECTORY)?;
    paths::remove_directory(&directory.dir, path)
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
    let old_path = call.path(old_path, old_path_len)?;
    let new_path = call.path(new_path, new_path_len)?;
    let table = &call.ctx.table;
    let old = table.writable_directory(fd, Rights::PATH_RENAME_SOURCE)?;
    let new = table.writable_directory(new_fd, Rights::PATH_RENAME_TARGET)?;
    Ok(old.dir.rename(old_path, &new.dir, new_path)?)
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
    let target = call.path(old_path, old_path_len)?;
    let path = call.path(new_path, new_path_len)?;
    let table = &call.ctx.table;
    let directory = table.writable_directory(fd, Rights::PATH_SYMLINK)?;
    Ok(directory.dir.symlink(target, path)?)
}

pub(crate) fn path_unlink_file(
    call: &mut Call<'_>,
    fd: u32,
    path: u32,
    path_len: u32,
) -> Result<(), Errno> {
    let path = call.path(path, path_len)?;
    let table = &call.ctx.table;
    let directory = table.writable_directory(fd, Rights::PATH_UNLINK_FILE)?;
    Ok(directory.dir.remove_file(path)?)
}
