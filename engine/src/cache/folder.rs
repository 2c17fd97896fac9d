//! The folder of a cache: files that many processes read, replace and remove.
//!
//! A file is written under a name of its own and renamed when it is whole, so
//! that a reader sees an entry or none, also if the writer is killed; what it
//! leaves behind is removed when it is old. Nothing is flushed to the disk: an
//! entry that a crash of the system cut short fails its hashes.
//!
//! Entries hold code that will be run. So the folder, and each file, must belong
//! to the user that the process runs as, and the folder must be closed to all
//! others. The folder is opened once and files are reached from there, so that
//! what was checked is what is used.

use super::key::Key;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, RawMode, Stat, Timespec, Timestamps};
use rustix::io::Errno;
use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};
use thiserror::Error;
use tracing::debug;

/// What the names of entries end in.
const SUFFIX: &str = ".entry";

/// What the names of files that are being written begin with.
const PREFIX: &str = "new-";

/// Files that were being written so long ago belong to nobody any more.
const ABANDONED: Duration = Duration::from_secs(3600);

/// The largest entry that is read or written: the machine code of the largest
/// modules has about 100 MB.
const MAX_ENTRY: u64 = 256 << 20;

/// Why a cache cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CacheError {
    /// Its folder, or a file in it, cannot be read or written.
    #[error("the cache in {} cannot be used: {source}", folder.display())]
    Io {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Others could change what is in it.
    #[error(
        "the cache in {0} is not used, because others may write to it; `chmod 700 {0}` closes it",
        folder.display()
    )]
    NotPrivate {
        /// The folder.
        folder: PathBuf,
    },
    /// There is more to remember than the cache may hold.
    #[error("{bytes} bytes are more than the cache in {} may hold", folder.display())]
    TooLarge {
        /// The folder.
        folder: PathBuf,
        /// What was to be written.
        bytes: u64,
    },
}

/// What is in a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheInfo {
    /// How many entries, one a module or so.
    pub entries: u64,
    /// The bytes that they have.
    pub bytes: u64,
}

/// Where entries are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// What all entries together may take.
    pub(super) max_bytes: u64,
}

/// A file in the folder.
struct Item {
    name: std::ffi::CString,
    bytes: u64,
    /// When it was last used, in seconds and nanoseconds.
    used: (i64, i64),
}

impl Folder {
    pub(super) fn new(path: PathBuf, max_bytes: u64) -> Self {
        Folder { path, max_bytes }
    }

    /// The file of an entry and its size, if there is one. That it was used is
    /// noted.
    pub(super) fn open_entry(&self, key: &Key) -> Option<(File, u64)> {
        match self.try_open_entry(key) {
            Ok(file) => Some(file),
            Err(CacheError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                debug!(target: "cache", %error, "nothing read");
                None
            }
        }
    }

    fn try_open_entry(&self, key: &Key) -> Result<(File, u64), CacheError> {
        let folder = self.open()?;
        // A name that was replaced by a pipe must not block.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&folder, file_name(key), flags, Mode::empty());
        let file = file.map_err(|error| self.failed(error))?;
        let stat = rustix::fs::fstat(&file).map_err(|error| self.failed(error))?;
        let size = stat.st_size.cast_unsigned();
        if !is_ours(&stat) || !is_file(&stat) || size > MAX_ENTRY {
            return Err(self.not_private());
        }
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: rustix::fs::UTIME_NOW,
        };
        let times = Timestamps {
            last_access: now,
            last_modification: now,
        };
        // Where it cannot be noted (a folder that is read only), nothing is
        // removed either.
        let _ = rustix::fs::futimens(&file, &times);
        Ok((file.into(), size))
    }

    /// Puts an entry, in parts, in the place of the one before, and removes others
    /// if all together are too many.
    pub(super) fn write(&self, key: &Key, parts: &[&[u8]]) -> Result<(), CacheError> {
        let bytes = parts.iter().map(|part| part.len() as u64).sum();
        if bytes > MAX_ENTRY.min(self.max_bytes) {
            let folder = self.path.clone();
            return Err(CacheError::TooLarge { folder, bytes });
        }
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder
            .create(&self.path)
            .map_err(|error| self.failed(error))?;
        let folder = self.open()?;
        let name = unused_name();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&folder, &name, flags, Mode::RUSR | Mode::WUSR);
        let file = file.map_err(|error| self.failed(error))?;
        let mut file = File::from(file);
        let written = parts.iter().try_for_each(|part| file.write_all(part));
        let written = written.and_then(|()| {
            rustix::fs::renameat(&folder, &name, &folder, file_name(key))?;
            Ok(())
        });
        if let Err(error) = written {
            let _ = rustix::fs::unlinkat(&folder, &name, AtFlags::empty());
            return Err(self.failed(error));
        }
        self.evict(&folder).map_err(|error| self.failed(error))
    }

    pub(super) fn info(&self) -> Result<CacheInfo, CacheError> {
        match self.open() {
            Ok(folder) => {
                let items = entries(&folder).map_err(|error| self.failed(error))?;
                Ok(sum(&items))
            }
            Err(CacheError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(CacheInfo::default())
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn clear(&self) -> Result<CacheInfo, CacheError> {
        let info = self.info()?;
        if info.entries > 0 {
            let folder = self.open()?;
            let items = entries(&folder).map_err(|error| self.failed(error))?;
            for item in items {
                // Another process may have been faster.
                let _ = rustix::fs::unlinkat(&folder, &item.name, AtFlags::empty());
            }
        }
        Ok(info)
    }

    /// Opens the folder, if it is closed to others.
    fn open(&self) -> Result<OwnedFd, CacheError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(&self.path, flags, Mode::empty());
        let folder = folder.map_err(|error| self.failed(error))?;
        let stat = rustix::fs::fstat(&folder).map_err(|error| self.failed(error))?;
        let open_to_others = Mode::from_raw_mode(stat.st_mode).intersects(Mode::RWXG | Mode::RWXO);
        if !is_ours(&stat) || open_to_others {
            return Err(self.not_private());
        }
        Ok(folder)
    }

    /// Removes what was abandoned, and what was not used for longest until the
    /// rest is within the bound.
    fn evict(&self, folder: &OwnedFd) -> io::Result<()> {
        let mut items = entries(folder)?;
        let mut total = sum(&items).bytes;
        items.sort_unstable_by_key(|item| item.used);
        for item in items {
            if total <= self.max_bytes {
                break;
            }
            // Another process may have been faster.
            let _ = rustix::fs::unlinkat(folder, &item.name, AtFlags::empty());
            total -= item.bytes;
        }
        Ok(())
    }

    fn failed(&self, error: impl Into<io::Error>) -> CacheError {
        CacheError::Io {
            folder: self.path.clone(),
            source: error.into(),
        }
    }

    fn not_private(&self) -> CacheError {
        CacheError::NotPrivate {
            folder: self.path.clone(),
        }
    }
}

/// The entries in a folder. What was being written too long ago is removed.
fn entries(folder: &OwnedFd) -> io::Result<Vec<Item>> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.unwrap_or_default().as_secs().cast_signed();
    let mut items = Vec::new();
    for file in Dir::read_from(folder)? {
        let file = file?;
        let name = file.file_name();
        let is_entry = name.to_bytes().ends_with(SUFFIX.as_bytes());
        if !is_entry && !name.to_bytes().starts_with(PREFIX.as_bytes()) {
            continue;
        }
        let stat = match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            // Removed meanwhile.
            Err(Errno::NOENT) => continue,
            Err(error) => return Err(error.into()),
        };
        let used = (stat.st_mtime as i64, stat.st_mtime_nsec as i64);
        if is_entry {
            items.push(Item {
                name: name.to_owned(),
                bytes: stat.st_size.cast_unsigned(),
                used,
            });
        } else if now.saturating_sub(used.0) > ABANDONED.as_secs().cast_signed() {
            let _ = rustix::fs::unlinkat(folder, name, AtFlags::empty());
        }
    }
    Ok(items)
}

fn sum(items: &[Item]) -> CacheInfo {
    CacheInfo {
        entries: items.len() as u64,
        bytes: items.iter().map(|item| item.bytes).sum(),
    }
}

fn file_name(key: &Key) -> String {
    format!("{key}{SUFFIX}")
}

/// A name that no other file has, nor will have while this process lives.
fn unused_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    // Processes of different containers may have the same number.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let nanos = now.unwrap_or_default().as_nanos();
    format!("{PREFIX}{}-{nanos}-{number}", std::process::id())
}

fn is_ours(stat: &Stat) -> bool {
    stat.st_uid == rustix::process::geteuid().as_raw()
}

fn is_file(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode as RawMode) == FileType::RegularFile
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;
    use tempfile::TempDir;

    const KEY: Key = Key([1; 32]);

    /// What an entry has.
    fn read(folder: &Folder, key: &Key) -> Option<Vec<u8>> {
        let (mut file, size) = folder.open_entry(key)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len() as u64, size);
        Some(bytes)
    }

    fn key(number: u8) -> Key {
        Key([number; 32])
    }

    fn folder(temp: &TempDir, max_bytes: u64) -> Folder {
        Folder::new(temp.path().join("a/b"), max_bytes)
    }

    #[test]
    fn what_is_written_is_read() {
        let temp = TempDir::new().unwrap();
        let folder = folder(&temp, 1 << 20);
        assert_eq!(read(&folder, &KEY), None);
        assert_eq!(folder.info().unwrap(), CacheInfo::default());
        for bytes in [&b"first"[..], b"second", b""] {
            folder.write(&KEY, &[bytes]).unwrap();
            assert_eq!(read(&folder, &KEY).as_deref(), Some(bytes));
        }
        let mode = fs::metadata(&folder.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        folder.write(&key(2), &[b"123"]).unwrap();
        let expected = CacheInfo {
            entries: 2,
            bytes: 3,
        };
        assert_eq!(folder.clear().unwrap(), expected);
        assert_eq!(read(&folder, &KEY), None);
        assert_eq!(folder.info().unwrap(), CacheInfo::default());
    }

    #[test]
    fn what_was_not_used_for_longest_goes() {
        let temp = TempDir::new().unwrap();
        let folder = folder(&temp, 30);
        for number in 0..3 {
            folder.write(&key(number), &[&[0; 10]]).unwrap();
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(read(&folder, &key(0)).is_some());
        std::thread::sleep(Duration::from_millis(20));
        folder.write(&key(3), &[&[0; 10]]).unwrap();
        let left: Vec<bool> = (0..4).map(|n| read(&folder, &key(n)).is_some()).collect();
        assert_eq!(left, [true, false, true, true]);
        let error = folder.write(&KEY, &[&[0; 31]]).unwrap_err();
        assert!(matches!(error, CacheError::TooLarge { bytes: 31, .. }));
    }

    #[test]
    fn a_folder_that_is_open_to_others_is_not_used() {
        let temp = TempDir::new().unwrap();
        let folder = folder(&temp, 1 << 20);
        folder.write(&KEY, &[b"bytes"]).unwrap();
        for mode in [0o720, 0o702, 0o777, 0o755] {
            fs::set_permissions(&folder.path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read(&folder, &KEY), None);
            let error = folder.write(&KEY, &[b"bytes"]).unwrap_err();
            assert!(matches!(error, CacheError::NotPrivate { .. }), "{error}");
        }
        fs::set_permissions(&folder.path, fs::Permissions::from_mode(0o700)).unwrap();
        assert!(read(&folder, &KEY).is_some());
    }

    #[test]
    fn what_is_no_file_of_ours_is_no_entry() {
        let temp = TempDir::new().unwrap();
        let folder = folder(&temp, 1 << 20);
        folder.write(&key(2), &[b"bytes"]).unwrap();
        let path = folder.path.join(file_name(&KEY));
        std::os::unix::fs::symlink(folder.path.join(file_name(&key(2))), &path).unwrap();
        assert_eq!(read(&folder, &KEY), None);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(read(&folder, &KEY), None);
        assert!(folder.write(&KEY, &[b"bytes"]).is_err());
        // Nothing is left of the attempt.
        let names = fs::read_dir(&folder.path).unwrap();
        assert_eq!(names.count(), 2);
    }

    #[test]
    fn what_a_killed_writer_left_is_removed_when_it_is_old() {
        let temp = TempDir::new().unwrap();
        let folder = folder(&temp, 1 << 20);
        folder.write(&KEY, &[b"bytes"]).unwrap();
        let (old, fresh) = (folder.path.join("new-1-1-1"), folder.path.join("new-1-1-2"));
        for path in [&old, &fresh] {
            fs::write(path, b"half").unwrap();
        }
        let long_ago = SystemTime::now() - 2 * ABANDONED;
        File::options()
            .write(true)
            .open(&old)
            .unwrap()
            .set_modified(long_ago)
            .unwrap();
        folder.write(&KEY, &[b"bytes"]).unwrap();
        assert_eq!((old.exists(), fresh.exists()), (false, true));
    }

    #[test]
    fn places_that_cannot_be_written_are_errors_and_no_more() {
        for path in ["/proc/rwasm", "/dev/null/rwasm", "/dev/full"] {
            let folder = Folder::new(path.into(), 1 << 20);
            assert_eq!(read(&folder, &KEY), None);
            assert!(folder.write(&KEY, &[b"bytes"]).is_err(), "{path}");
        }
    }

    #[test]
    fn many_writers_and_readers_see_whole_entries() {
        let temp = TempDir::new().unwrap();
        let folder = folder(&temp, 1 << 20);
        std::thread::scope(|threads| {
            for number in 0..4 {
                let folder = &folder;
                threads.spawn(move || {
                    for _ in 0..100 {
                        folder.write(&KEY, &[&vec![number; 10_000]]).unwrap();
                        let bytes = read(folder, &KEY).unwrap();
                        assert_eq!(bytes.len(), 10_000);
                        assert!(bytes.iter().all(|&byte| byte == bytes[0]));
                    }
                });
            }
        });
        assert_eq!(folder.info().unwrap().entries, 1);
    }
}
