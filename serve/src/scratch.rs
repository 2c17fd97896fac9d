//! A folder for one request, which nothing remains of.

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use std::io;
use tempfile::TempDir;

/// An empty folder. It is removed, whatever is in it then, when this is dropped.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: TempDir,
    dir: Dir,
}

impl Scratch {
    /// Makes one among `all`.
    pub(crate) fn new(all: &TempDir) -> io::Result<Scratch> {
        let folder = tempfile::Builder::new().prefix("").tempdir_in(all.path())?;
        let dir = Dir::open_ambient_dir(folder.path(), ambient_authority())?;
        Ok(Scratch { folder, dir })
    }

    /// A handle of the folder.
    pub(crate) fn dir(&self) -> io::Result<Dir> {
        self.dir.try_clone()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = empty(&self.dir) {
            let folder = self.folder.path();
            tracing::warn!(%error, ?folder, "cannot remove a scratch folder");
        }
        // The folder itself goes with the `TempDir`.
    }
}

/// Removes all that is in a folder.
///
/// A guest can nest folders deeper than there are file descriptors or stack to
/// follow it, or than a path can name. So nothing is followed: what is in a
/// folder of the folder is moved up, until no folder has anything in it.
fn empty(dir: &Dir) -> io::Result<()> {
    let mut moved = 0_u64;
    loop {
        let mut folders = Vec::new();
        for entry in dir.entries()? {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => folders.push(entry.file_name()),
                false => dir.remove_file(entry.file_name())?,
            }
        }
        if folders.is_empty() {
            return Ok(());
        }
        for name in folders {
            let folder = dir.open_dir(&name)?;
            for entry in folder.entries()? {
                let entry = entry?;
                if !entry.file_type()?.is_dir() {
                    folder.remove_file(entry.file_name())?;
                    continue;
                }
                loop {
                    moved += 1;
                    // A guest may have used the name: then the next one.
                    let place = format!("moved-{moved}");
                    match folder.rename(entry.file_name(), dir, place) {
                        Ok(()) => break,
                        Err(error) if taken(&error) => {}
                        Err(error) => return Err(error),
                    }
                }
            }
            match dir.remove_dir(&name) {
                // A listing may miss what was there when it began.
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
                result => result?,
            }
        }
    }
}

/// Whether there is something of that name already.
fn taken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::AlreadyExists
            | io::ErrorKind::DirectoryNotEmpty
            | io::ErrorKind::NotADirectory
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn nothing_remains() {
        let all = tempfile::tempdir().unwrap();
        let outside = all.path().join("outside");
        fs::write(&outside, "stays").unwrap();
        let scratch = Scratch::new(&all).unwrap();
        // Deeper than a path can name, and than files can be open.
        let mut dir = scratch.dir().unwrap();
        for _ in 0..5000 {
            dir.create_dir("moved-1").unwrap();
            dir.create_dir("moved-2").unwrap();
            dir.write("moved-3", "x").unwrap();
            dir.symlink("../..", "up").unwrap();
            dir = dir.open_dir("moved-1").unwrap();
        }
        drop((dir, scratch));
        let left: Vec<_> = fs::read_dir(all.path()).unwrap().collect();
        assert_eq!(left.len(), 1);
        assert_eq!(fs::read_to_string(outside).unwrap(), "stays");
    }
}
