//! The operations, done natively, in a folder that paths must not leave.
//!
//! Whether a path leaves the folder is found out by walking it step by step, in
//! another way than the kernel's `RESOLVE_BENEATH`, which the guest relies on.

use crate::step::{Open, Outcome, SLOTS, Step, Value, Whence};
use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, SeekFrom, fstat, ftruncate, linkat, mkdirat, openat,
    readlinkat, renameat, seek, statat, symlinkat, unlinkat,
};
use rustix::io::{Errno as HostErrno, pread, pwrite, read, write};
use rwasm_wasi::Errno;
use std::collections::VecDeque;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub struct Native {
    folder: TempDir,
    root: OwnedFd,
    slots: [Option<File>; SLOTS],
}

/// An open file. What it may be used for is a matter of rights for a guest, and
/// looked at first.
struct File {
    fd: OwnedFd,
    open: Open,
}

impl File {
    fn require(&self, right: bool) -> rustix::io::Result<()> {
        if right { Ok(()) } else { Err(HostErrno::BADF) }
    }
}

impl Native {
    pub fn new() -> Native {
        let folder = tempfile::tempdir().expect("a folder");
        let root = fs::File::open(folder.path()).expect("it is there");
        Native {
            folder,
            root: root.into(),
            slots: [const { None }; SLOTS],
        }
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn run(&mut self, step: &Step) -> Outcome {
        match step {
            Step::Open {
                slot,
                path,
                follow,
                open,
            } => self.open(*slot, path, *follow, *open),
            Step::Close(slot) => Ok(match self.slots[*slot].take() {
                Some(_) => Value::Nothing,
                None => Value::Closed,
            }),
            Step::Read(slot, len) => self.with_file(*slot, |file| {
                file.require(file.open.read)?;
                let mut bytes = vec![0; *len as usize];
                let count = read(&file.fd, &mut bytes)?;
                bytes.truncate(count);
                Ok(Value::Bytes(bytes))
            }),
            Step::ReadAt(slot, len, offset) => self.with_file(*slot, |file| {
                file.require(file.open.read)?;
                let mut bytes = vec![0; *len as usize];
                let count = pread(&file.fd, &mut bytes, *offset)?;
                bytes.truncate(count);
                Ok(Value::Bytes(bytes))
            }),
            Step::Write(slot, bytes) => self.with_file(*slot, |file| {
                file.require(file.open.write)?;
                Ok(Value::Number(write(&file.fd, &bytes.bytes())? as u64))
            }),
            Step::WriteAt(slot, bytes, offset) => self.with_file(*slot, |file| {
                file.require(file.open.write)?;
                Ok(Value::Number(
                    pwrite(&file.fd, &bytes.bytes(), *offset)? as u64
                ))
            }),
            Step::Seek(slot, offset, whence) => self.with_file(*slot, |file| {
                let to = match whence {
                    Whence::Set => {
                        let offset = u64::try_from(*offset).map_err(|_| HostErrno::INVAL)?;
                        SeekFrom::Start(offset)
                    }
                    Whence::Cur => SeekFrom::Current(*offset),
                    Whence::End => SeekFrom::End(*offset),
                };
                Ok(Value::Number(seek(&file.fd, to)?))
            }),
            Step::SetSize(slot, size) => self.with_file(*slot, |file| {
                file.require(file.open.write)?;
                ftruncate(&file.fd, *size)?;
                Ok(Value::Nothing)
            }),
            Step::CreateDirectory(path) => {
                self.require_inside(path, Last::Parent)?;
                done(mkdirat(
                    &self.root,
                    path.as_str(),
                    Mode::from_raw_mode(0o777),
                ))
            }
            Step::RemoveDirectory(path) => {
                self.require_inside(path, Last::Parent)?;
                done(unlinkat(&self.root, path.as_str(), AtFlags::REMOVEDIR))
            }
            Step::Unlink(path) => {
                self.require_inside(path, Last::Parent)?;
                done(unlinkat(&self.root, path.as_str(), AtFlags::empty()))
            }
            Step::Symlink(target, path) => {
                self.require_inside(path, Last::Parent)?;
                done(symlinkat(target.as_str(), &self.root, path.as_str()))
            }
            Step::Link(old, new) => {
                self.require_inside(old, Last::Parent)?;
                self.require_inside(new, Last::Parent)?;
                let (old, new) = (old.as_str(), new.as_str());
                done(linkat(&self.root, old, &self.root, new, AtFlags::empty()))
            }
            Step::Rename(old, new) => {
                self.require_inside(old, Last::Parent)?;
                self.require_inside(new, Last::Parent)?;
                done(renameat(&self.root, old.as_str(), &self.root, new.as_str()))
            }
            Step::ReadLink(path) => {
                self.require_inside(path, Last::NoFollow)?;
                let target = readlinkat(&self.root, path.as_str(), Vec::new()).map_err(code)?;
                Ok(Value::Bytes(target.into_bytes()))
            }
            Step::Stat(path, follow) => {
                let last = if *follow {
                    Last::Follow
                } else {
                    Last::NoFollow
                };
                self.require_inside(path, last)?;
                let flags = if *follow {
                    AtFlags::empty()
                } else {
                    AtFlags::SYMLINK_NOFOLLOW
                };
                let stat = statat(&self.root, path.as_str(), flags).map_err(code)?;
                let file_type = type_of(FileType::from_raw_mode(stat.st_mode));
                Ok(match file_type {
                    DIRECTORY => Value::Stat(file_type, 0, 0),
                    _ => Value::Stat(file_type, stat.st_nlink as _, stat.st_size as u64),
                })
            }
            Step::List(path) => self.list(path),
        }
    }

    fn open(&mut self, slot: usize, path: &str, follow: bool, open: Open) -> Outcome {
        self.slots[slot] = None;
        // Two rules of the functions, which Linux does not have in this form.
        if open.create && open.directory {
            return Err(Errno::Inval as u16);
        }
        if open.create && path.ends_with('/') {
            return Err(Errno::Isdir as u16);
        }
        let exclusive = open.create && open.exclusive;
        let last = if follow && !exclusive {
            Last::Follow
        } else {
            Last::NoFollow
        };
        self.require_inside(path, last)?;
        let mut flags = match (open.read, open.write) {
            (_, false) => OFlags::RDONLY,
            (false, true) => OFlags::WRONLY,
            (true, true) => OFlags::RDWR,
        };
        for (set, flag) in [
            (open.create, OFlags::CREATE),
            (open.exclusive, OFlags::EXCL),
            (open.truncate, OFlags::TRUNC),
            (open.directory, OFlags::DIRECTORY),
            (open.append, OFlags::APPEND),
            (!follow, OFlags::NOFOLLOW),
        ] {
            flags.set(flag, set);
        }
        let mode = Mode::from_raw_mode(0o666);
        let file = openat(&self.root, path, flags | OFlags::CLOEXEC, mode).map_err(code)?;
        let stat = fstat(&file).map_err(code)?;
        if type_of(FileType::from_raw_mode(stat.st_mode)) == DIRECTORY {
            return Ok(Value::Number(DIRECTORY.into()));
        }
        self.slots[slot] = Some(File { fd: file, open });
        Ok(Value::Nothing)
    }

    fn list(&self, path: &str) -> Outcome {
        self.require_inside(path, Last::Follow)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = openat(&self.root, path, flags, Mode::empty()).map_err(code)?;
        let mut names: Vec<_> = Dir::new(directory)
            .map_err(code)?
            .map(|entry| {
                let entry = entry.expect("an entry");
                let name = entry.file_name().to_bytes().to_vec();
                (name, type_of(entry.file_type()))
            })
            .collect();
        names.sort();
        Ok(Value::Names(names))
    }

    fn with_file(
        &self,
        slot: usize,
        action: impl FnOnce(&File) -> rustix::io::Result<Value>,
    ) -> Outcome {
        let Some(file) = &self.slots[slot] else {
            return Ok(Value::Closed);
        };
        action(file).map_err(|errno| match errno {
            HostErrno::BADF => Errno::Notcapable as u16,
            errno => code(errno),
        })
    }

    fn require_inside(&self, path: &str, last: Last) -> Result<(), u16> {
        if leads_out(self.root(), path, last) {
            return Err(Errno::Notcapable as u16);
        }
        Ok(())
    }
}

const DIRECTORY: u8 = 3;

fn type_of(file_type: FileType) -> u8 {
    match file_type {
        FileType::Directory => DIRECTORY,
        FileType::RegularFile => 4,
        FileType::Symlink => 7,
        other => panic!("nobody makes {other:?}"),
    }
}

fn done(result: rustix::io::Result<()>) -> Outcome {
    result.map_err(code)?;
    Ok(Value::Nothing)
}

fn code(errno: HostErrno) -> u16 {
    Errno::from(errno) as u16
}

/// What is done with the last part of a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// A symbolic link there is followed.
    Follow,
    /// It is not, unless a slash comes behind it.
    NoFollow,
    /// It is a name in the directory that the rest leads to.
    Parent,
}

/// Whether the path leads out before anything else is wrong with it.
fn leads_out(root: &Path, path: &str, last: Last) -> bool {
    /// As many links as Linux follows.
    const LINKS: u32 = 40;
    let slash = path.ends_with('/');
    let mut parts: VecDeque<String> = path.split('/').map(str::to_owned).collect();
    parts.retain(|part| !part.is_empty());
    // Below the root, without links.
    let mut place = PathBuf::new();
    let mut links = 0;
    while let Some(part) = parts.pop_front() {
        match part.as_str() {
            "." => continue,
            ".." => {
                if !place.pop() {
                    return true;
                }
                continue;
            }
            _ => {}
        }
        place.push(&part);
        let full = root.join(&place);
        let Ok(found) = fs::symlink_metadata(&full) else {
            return false;
        };
        let is_last = parts.is_empty();
        if found.is_symlink() {
            let followed = match last {
                Last::Follow => true,
                Last::NoFollow => !is_last || slash,
                Last::Parent => !is_last,
            };
            if !followed {
                return false;
            }
            links += 1;
            if links > LINKS {
                return false;
            }
            let target = fs::read_link(&full).expect("it is one");
            let target = target.to_str().expect("as it was made");
            if target.starts_with('/') {
                return true;
            }
            place.pop();
            // A slash behind the target asks for a directory, as one in the
            // middle does.
            for part in target.split('/').rev().filter(|part| !part.is_empty()) {
                parts.push_front(part.to_owned());
            }
        } else if !found.is_dir() && !is_last {
            return false;
        }
    }
    false
}

/// All that is below a folder, one line each: contents, targets, numbers of
/// links.
pub fn tree(root: &Path) -> Vec<String> {
    let mut tree = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let found = fs::symlink_metadata(&path).expect("it is there");
            let name = path.strip_prefix(root).expect("below").display();
            tree.push(if found.is_dir() {
                format!("{name}/")
            } else if found.is_symlink() {
                let target = fs::read_link(&path).expect("a link");
                format!("{name} -> {} ({} links)", target.display(), found.nlink())
            } else {
                let contents = fs::read(&path).expect("a file");
                let mut hasher = DefaultHasher::new();
                contents.hash(&mut hasher);
                let (len, links) = (contents.len(), found.nlink());
                format!(
                    "{name}: {len} bytes, hash {:x}, {links} links",
                    hasher.finish()
                )
            });
            if found.is_dir() {
                folders.push(path);
            }
        }
    }
    tree.sort();
    tree
}
