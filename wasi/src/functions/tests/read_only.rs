//! Directories that are given read-only.

use super::*;
use crate::builder::Access;
use crate::functions;
use std::fs;

fn guest() -> Guest {
    let guest = Guest::with_access(Access::ReadOnly, |_| {});
    fs::write(guest.host("file"), "text").unwrap();
    fs::create_dir(guest.host("dir")).unwrap();
    fs::write(guest.host("dir/inner"), "text").unwrap();
    std::os::unix::fs::symlink("file", guest.host("link")).unwrap();
    guest
}

/// Everything that could change must be as before.
fn assert_unchanged(guest: &mut Guest) {
    let names: Vec<_> = guest
        .names(PREOPEN)
        .unwrap()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, [b"dir".to_vec(), b"file".to_vec(), b"link".to_vec()]);
    for path in ["file", "dir/inner"] {
        assert_eq!(guest.read_file(path), b"text", "{path}");
        let modified = fs::metadata(guest.host(path)).unwrap().modified().unwrap();
        assert!(modified.elapsed().unwrap().as_secs() < 3600, "{path}");
    }
}

#[test]
fn reading_works() {
    let mut guest = guest();
    for path in ["file", "dir/inner", "link"] {
        let fd = guest.open(path, OFlags::empty(), false).unwrap();
        assert_eq!(guest.read(fd, 9), Ok(b"text".to_vec()));
    }
    // Creating what exists creates nothing.
    assert!(guest.open("file", OFlags::CREAT, false).is_ok());
    assert_eq!(guest.readlink("link", 9), Ok(b"file".to_vec()));
    assert!(guest.stat(FOLLOW, "link").is_ok());
    assert_unchanged(&mut guest);
}

/// GHSA-2r75 and GHSA-4ch3 of wasmtime: truncation, links and renames got
/// through.
#[test]
fn nothing_below_changes() {
    let mut guest = guest();
    let rofs = Errno::Rofs;
    assert_eq!(guest.open("file", OFlags::empty(), true), Err(rofs));
    assert_eq!(guest.open("file", OFlags::TRUNC, false), Err(rofs));
    assert_eq!(
        guest.open("file", OFlags::CREAT | OFlags::TRUNC, true),
        Err(rofs)
    );
    assert_eq!(guest.open("new", OFlags::CREAT, true), Err(rofs));
    assert_eq!(
        guest.open("new", OFlags::CREAT | OFlags::EXCL, false),
        Err(rofs)
    );
    assert_eq!(guest.open("link", OFlags::TRUNC, false), Err(rofs));
    // The answers that an ordinary file system would give too.
    assert_eq!(
        guest.open("file", OFlags::CREAT | OFlags::EXCL, true),
        Err(Errno::Exist)
    );
    assert_eq!(guest.open("new", OFlags::empty(), true), Err(Errno::Noent));
    assert_eq!(guest.open("dir", OFlags::empty(), true), Err(Errno::Isdir));

    assert_eq!(guest.mkdir("new"), Err(rofs));
    assert_eq!(guest.rmdir("dir"), Err(rofs));
    assert_eq!(guest.unlink("file"), Err(rofs));
    assert_eq!(guest.symlink("file", "new"), Err(rofs));
    assert_eq!(guest.link((PREOPEN, "file"), (PREOPEN, "new")), Err(rofs));
    assert_eq!(guest.rename((PREOPEN, "file"), (PREOPEN, "new")), Err(rofs));
    assert_eq!(guest.set_times(FOLLOW, "file", (0, 0), 5), Err(rofs));
    assert_eq!(guest.set_times(NOFOLLOW, "link", (0, 0), 5), Err(rofs));
    assert_unchanged(&mut guest);
}

#[test]
fn what_is_opened_below_is_read_only_too() {
    let mut guest = guest();
    let file = guest.open("file", OFlags::empty(), false).unwrap();
    let dir = guest.open("dir", OFlags::DIRECTORY, false).unwrap();
    let flags = (OFlags::empty(), FdFlags::empty());
    let inner = guest.path_open(dir, FOLLOW, "inner", flags.0, Rights::all(), flags.1);
    assert_eq!(inner, Err(Errno::Rofs));
    let up = guest
        .path_open(dir, FOLLOW, "inner", flags.0, Rights::FD_READ, flags.1)
        .unwrap();
    assert_eq!(guest.write(up, b"x"), Err(Errno::Notcapable));
    for fd in [file, dir, PREOPEN] {
        let call = &mut guest.call();
        assert_eq!(
            functions::fd_filestat_set_times(call, fd, 0, 0, 5),
            Err(Errno::Rofs),
            "{fd}"
        );
    }
    let call = &mut guest.call();
    assert!(functions::fd_filestat_set_size(call, file, 0).is_err());
    assert!(functions::fd_allocate(call, file, 0, 100).is_err());
    let (path, len) = guest.path("new");
    let call = &mut guest.call();
    assert_eq!(
        functions::path_create_directory(call, dir, path, len),
        Err(Errno::Rofs)
    );
    assert_unchanged(&mut guest);
}

/// The same folder is given twice: the writable one may be written through, but
/// the read-only one is no source for it.
#[test]
fn a_writable_twin_is_no_way_around() {
    let mut guest = guest();
    let twin = WritableTwin::of(&mut guest);
    assert_eq!(
        guest.link((PREOPEN, "file"), (twin.0, "new")),
        Err(Errno::Rofs)
    );
    assert_eq!(
        guest.link((twin.0, "file"), (PREOPEN, "new")),
        Err(Errno::Rofs)
    );
    assert_eq!(
        guest.rename((PREOPEN, "file"), (twin.0, "new")),
        Err(Errno::Rofs)
    );
    assert_eq!(
        guest.rename((twin.0, "file"), (PREOPEN, "new")),
        Err(Errno::Rofs)
    );
    assert_unchanged(&mut guest);
    assert_eq!(guest.link((twin.0, "file"), (twin.0, "new")), Ok(()));
}

struct WritableTwin(u32);

impl WritableTwin {
    fn of(guest: &mut Guest) -> WritableTwin {
        let mut builder = crate::WasiCtx::builder();
        let folder = guest.folder().to_owned();
        builder
            .preopened_dir(&folder, "/ro", Access::ReadOnly)
            .unwrap();
        builder
            .preopened_dir(&folder, "/rw", Access::ReadWrite)
            .unwrap();
        guest.ctx = builder.build().unwrap();
        WritableTwin(PREOPEN + 1)
    }
}
