//! Paths of the guest, and what is done with them inside its directories.
//!
//! cap-std resolves every path below a directory handle, so that neither `..`
//! nor a symbolic link leads out of it, also while somebody else renames
//! directories (on Linux the kernel does it: `openat2` with `RESOLVE_BENEATH`).
//! This module adds what POSIX programs expect of the edges: trailing slashes,
//! access modes, read-only trees.

use crate::abi::{FdFlags, FileType, Filestat, LookupFlags, OFlags};
use crate::descriptor::{Descriptor, Directory, HostFile, Object, file_type_of, filestat};
use crate::errno::Errno;
use crate::limits::Limits;
use crate::memory::GuestMemory;
use crate::rights::Rights;
use cap_fs_ext::OpenOptionsFollowExt;
use cap_primitives::fs::FollowSymlinks;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use rustix::fs::{AtFlags, OFlags as HostFlags, Timestamps, fstat, statat, utimensat};
use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// A path in guest memory. Its bytes need not be UTF-8: the witx says string,
/// but hosts have other names, and a guest must be able to use what
/// `fd_readdir` gave it.
pub(crate) fn from_guest<'m>(
    memory: &'m GuestMemory<'_>,
    ptr: u32,
    len: u32,
    limits: &Limits,
) -> Result<Cow<'m, Path>, Errno> {
    memory.range(ptr, len)?;
    if len > limits.path_bytes {
        return Err(Errno::Nametoolong);
    }
    let bytes = memory.bytes(ptr, len)?;
    if bytes.contains(&0) {
        return Err(Errno::Inval);
    }
    if bytes.is_empty() {
        return Err(Errno::Noent);
    }
    Ok(match bytes {
        Cow::Borrowed(bytes) => Cow::Borrowed(Path::new(OsStr::from_bytes(bytes))),
        Cow::Owned(bytes) => Cow::Owned(PathBuf::from(OsString::from_vec(bytes))),
    })
}

/// An error for an absolute path: it leads out of every directory.
pub(crate) fn require_relative(path: &Path) -> Result<(), Errno> {
    if path.has_root() {
        return Err(Errno::Notcapable);
    }
    Ok(())
}

/// What `path_open` was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Open {
    pub(crate) lookup: LookupFlags,
    pub(crate) oflags: OFlags,
    pub(crate) fdflags: FdFlags,
    pub(crate) rights: Rights,
}

impl Open {
    /// The rights that the directory must have.
    pub(crate) fn needed(&self) -> Rights {
        let mut needed = Rights::PATH_OPEN;
        if self.oflags.contains(OFlags::CREAT) {
            needed |= Rights::PATH_CREATE_FILE;
        }
        if self.oflags.contains(OFlags::TRUNC) {
            needed |= Rights::PATH_FILESTAT_SET_SIZE;
        }
        needed
    }

    fn writes(&self) -> bool {
        self.rights.contains(Rights::FD_WRITE)
    }

    fn options(&self) -> OpenOptions {
        let write = self.writes();
        let read = !write || self.rights.intersects(Rights::FD_READ | Rights::FD_READDIR);
        // A terminal must not become the terminal that controls the host.
        let mut flags = HostFlags::NOCTTY;
        for (flag, host) in [
            (OFlags::CREAT, HostFlags::CREATE),
            (OFlags::DIRECTORY, HostFlags::DIRECTORY),
            (OFlags::EXCL, HostFlags::EXCL),
            (OFlags::TRUNC, HostFlags::TRUNC),
        ] {
            if self.oflags.contains(flag) {
                flags |= host;
            }
        }
        for (flag, host) in [
            (FdFlags::APPEND, HostFlags::APPEND),
            (FdFlags::NONBLOCK, HostFlags::NONBLOCK),
            (FdFlags::SYNC, HostFlags::SYNC),
            (FdFlags::DSYNC, HostFlags::DSYNC),
            (FdFlags::RSYNC, HostFlags::RSYNC),
        ] {
            if self.fdflags.contains(flag) {
                flags |= host;
            }
        }
        let mut options = OpenOptions::new();
        // As custom flags, because the combinations that `OpenOptions` refuses
        // (creating without writing, say) are allowed here.
        options
            .read(read)
            .write(write)
            .follow(follow(self.lookup))
            .custom_flags(flags.bits() as i32);
        options
    }
}

/// Opens a file or directory. `inheriting` is what the directory hands on, and
/// what a directory in it does, too.
pub(crate) fn open(
    directory: &Directory,
    inheriting: Rights,
    path: &Path,
    mut open: Open,
) -> Result<Descriptor, Errno> {
    if open.oflags.contains(OFlags::CREAT | OFlags::DIRECTORY) {
        return Err(Errno::Inval);
    }
    // What is created is a file; as Linux says, also where the directory exists.
    if open.oflags.contains(OFlags::CREAT) && has_trailing_slash(path) {
        return Err(Errno::Isdir);
    }
    if directory.read_only {
        require_unchanged(directory, path, &open)?;
        open.oflags -= OFlags::CREAT;
    }
    let file = directory.dir.open_with(path, &open.options())?.into_std();
    let stat = fstat(&file)?;
    let (object, handed_on) = if file_type_of(&stat) == FileType::Directory {
        let mut opened = Directory::new(Dir::from_std_file(file), directory.read_only);
        opened.flags = open.fdflags;
        (Object::Directory(opened), inheriting)
    } else {
        let mut opened = HostFile::classify(OwnedFd::from(file), &stat, open.fdflags);
        opened.read_only = directory.read_only;
        (Object::File(opened), Rights::empty())
    };
    let mut applicable = Rights::applicable(object.file_type(), object.seekable());
    if !open.writes() {
        applicable -= Rights::FD_ALLOCATE | Rights::FD_FILESTAT_SET_SIZE;
    }
    Ok(Descriptor {
        rights: open.rights & inheriting & applicable,
        inheriting: handed_on,
        origin: None,
        object,
    })
}

/// An error if opening would change something below a read-only directory: what
/// a read-only file system would say.
fn require_unchanged(directory: &Directory, path: &Path, open: &Open) -> Result<(), Errno> {
    let creates = open.oflags.contains(OFlags::CREAT);
    let changes = open.writes() || open.oflags.contains(OFlags::TRUNC);
    if !creates && !changes {
        return Ok(());
    }
    let exclusive = open.oflags.contains(OFlags::CREAT | OFlags::EXCL);
    let lookup = if exclusive {
        LookupFlags::empty()
    } else {
        open.lookup
    };
    match stat(&directory.dir, lookup, path) {
        Err(Errno::Noent) if creates => Err(Errno::Rofs),
        Err(errno) => Err(errno),
        Ok(_) if exclusive => Err(Errno::Exist),
        Ok(found) if changes && found.file_type == FileType::Directory => Err(Errno::Isdir),
        Ok(_) if changes => Err(Errno::Rofs),
        Ok(_) => Ok(()),
    }
}

/// What is at a path.
pub(crate) fn stat(dir: &Dir, lookup: LookupFlags, path: &Path) -> Result<Filestat, Errno> {
    // A name without any slash cannot lead elsewhere unless it is a symbolic
    // link, and costs one system call instead of three.
    if is_name(path) {
        let found = filestat(&statat(dir, path, AtFlags::SYMLINK_NOFOLLOW)?);
        if found.file_type != FileType::SymbolicLink
            || !lookup.contains(LookupFlags::SYMLINK_FOLLOW)
        {
            return Ok(found);
        }
    }
    let handle = locate(dir, lookup, path)?;
    Ok(filestat(&fstat(&handle)?))
}

/// Sets the times of what is at a path.
pub(crate) fn set_times(
    dir: &Dir,
    lookup: LookupFlags,
    path: &Path,
    times: &Timestamps,
) -> Result<(), Errno> {
    let handle = locate(dir, lookup, path)?;
    Ok(utimensat(&handle, "", times, AtFlags::EMPTY_PATH)?)
}

/// A handle on what is at a path, which does not open it: opening a pipe could
/// wait for ever, and a file may be neither readable nor writable.
fn locate(dir: &Dir, lookup: LookupFlags, path: &Path) -> Result<File, Errno> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .follow(follow(lookup))
        .custom_flags(HostFlags::PATH.bits() as i32);
    Ok(dir.open_with(path, &options)?.into_std())
}

/// Makes a directory. A slash behind its name changes nothing.
pub(crate) fn create_directory(dir: &Dir, path: &Path) -> io::Result<()> {
    // cap-std looks for a directory of this name first, and says so.
    dir.create_dir(without_trailing_slashes(path))
}

/// Makes a symbolic link with a text that was checked.
pub(crate) fn symlink(dir: &Dir, text: &Path, path: &Path) -> Result<(), Errno> {
    require_creatable(dir, path)?;
    Ok(dir.symlink(text, path)?)
}

/// Gives what is at `path` another name.
pub(crate) fn link(dir: &Dir, path: &Path, to: &Dir, new: &Path) -> Result<(), Errno> {
    if has_trailing_slash(new) {
        stat(dir, LookupFlags::empty(), path)?;
        require_creatable(to, new)?;
    }
    Ok(dir.hard_link(path, to, new)?)
}

/// An error for a slash behind the name of what will be no directory: what POSIX
/// and the official programs say, also of a file, where Linux says that it exists.
fn require_creatable(dir: &Dir, path: &Path) -> Result<(), Errno> {
    if has_trailing_slash(path) {
        stat(dir, LookupFlags::SYMLINK_FOLLOW, path)?;
        return Err(Errno::Exist);
    }
    Ok(())
}

/// Removes an empty directory.
pub(crate) fn remove_directory(dir: &Dir, path: &Path) -> io::Result<()> {
    // cap-std takes `name/` for `name/.`, which cannot be removed; the kernel
    // does not.
    dir.remove_dir(without_trailing_slashes(path))
}

/// Renames what is at `path`.
pub(crate) fn rename(dir: &Dir, path: &Path, to: &Dir, new: &Path) -> Result<(), Errno> {
    // cap-std overlooks the slash behind a name that is not there yet; the
    // kernel does not.
    if has_trailing_slash(new) {
        let found = stat(dir, LookupFlags::empty(), path)?;
        if found.file_type != FileType::Directory {
            return Err(Errno::Notdir);
        }
    }
    Ok(dir.rename(path, to, new)?)
}

fn follow(lookup: LookupFlags) -> FollowSymlinks {
    FollowSymlinks::follow(lookup.contains(LookupFlags::SYMLINK_FOLLOW))
}

/// Whether the path is the name of something in the directory itself.
fn is_name(path: &Path) -> bool {
    let bytes = path.as_os_str().as_bytes();
    !bytes.contains(&b'/') && bytes != b".."
}

fn has_trailing_slash(path: &Path) -> bool {
    path.as_os_str().as_bytes().ends_with(b"/")
}

/// The path is relative, so that something is left.
fn without_trailing_slashes(path: &Path) -> &Path {
    let bytes = path.as_os_str().as_bytes();
    let end = bytes.iter().rposition(|byte| *byte != b'/');
    let len = end.map_or(0, |last| last + 1);
    Path::new(OsStr::from_bytes(&bytes[..len]))
}
