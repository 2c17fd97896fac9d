//! Rights, as libc, Rust and Go meet them.

use super::*;
use crate::functions;

/// What wasi-libc asks for: the inheriting rights of the directory, without
/// those that contradict the access mode.
fn as_libc(guest: &mut Guest, read: bool, write: bool) -> Rights {
    let fdstat = guest.fdstat(PREOPEN).unwrap();
    let mut max = Rights::all()
        - (Rights::FD_DATASYNC
            | Rights::FD_READ
            | Rights::FD_WRITE
            | Rights::FD_ALLOCATE
            | Rights::FD_READDIR
            | Rights::FD_FILESTAT_SET_SIZE);
    if read {
        max |= Rights::FD_READ | Rights::FD_READDIR;
    }
    if write {
        max |= Rights::FD_DATASYNC
            | Rights::FD_WRITE
            | Rights::FD_ALLOCATE
            | Rights::FD_FILESTAT_SET_SIZE;
    }
    max & Rights::from_bits_retain(fdstat.inheriting)
}

#[test]
fn libc_opens_files_and_directories() {
    let mut guest = Guest::new();
    guest.file("file", b"text");
    guest.mkdir("dir").unwrap();
    for (path, read, write, expected) in [
        ("file", true, false, Ok(FileType::RegularFile)),
        ("file", true, true, Ok(FileType::RegularFile)),
        ("file", false, true, Ok(FileType::RegularFile)),
        ("dir", true, false, Ok(FileType::Directory)),
        ("dir", false, false, Ok(FileType::Directory)),
        ("dir", true, true, Err(Errno::Isdir)),
    ] {
        let rights = as_libc(&mut guest, read, write);
        let flags = (OFlags::empty(), FdFlags::empty());
        let fd = guest.path_open(PREOPEN, FOLLOW, path, flags.0, rights, flags.1);
        let found = fd.map(|fd| {
            let fdstat = guest.fdstat(fd).unwrap();
            if fdstat.is(FileType::RegularFile) {
                assert_eq!(fdstat.has(Rights::FD_READ), read, "{path}");
                assert_eq!(fdstat.has(Rights::FD_WRITE), write, "{path}");
            }
            fdstat.file_type
        });
        assert_eq!(
            found,
            expected.map(|file_type| file_type as u8),
            "{path} {read} {write}"
        );
    }
}

/// Go's `fullRights` is `^uint32(0)`: two bits are not defined.
#[test]
fn go_asks_for_undefined_bits() {
    let mut guest = Guest::new();
    guest.file("file", b"text");
    let (path, len) = guest.path("file");
    let all = u64::from(u32::MAX);
    let call = &mut guest.call();
    functions::path_open(call, PREOPEN, FOLLOW, path, len, 0, all, all, 0, 0).unwrap();
    let fd = guest.u32(0);
    let fdstat = guest.fdstat(fd).unwrap();
    assert_eq!(fdstat.base & !Rights::all().bits(), 0);
    assert!(fdstat.has(Rights::FD_READ | Rights::FD_WRITE));
    assert!(!fdstat.has(Rights::PATH_OPEN), "of no use for a file");
}

/// Its `openDir` asks for no right of files, neither for itself nor to hand on.
#[test]
fn zig_opens_files_in_directories() {
    let mut guest = Guest::new();
    guest.mkdir("dir").unwrap();
    let (path, len) = guest.path("dir");
    let rights = (Rights::DIRECTORY - Rights::FD_SYNC - Rights::FD_DATASYNC).bits();
    let directory = OFlags::DIRECTORY.bits().into();
    let call = &mut guest.call();
    functions::path_open(
        call, PREOPEN, FOLLOW, path, len, directory, rights, rights, 0, 0,
    )
    .unwrap();
    let dir = guest.u32(0);
    let rights = Rights::FD_READ | Rights::FD_WRITE | Rights::FD_SEEK;
    let file = guest
        .path_open(dir, FOLLOW, "file", OFlags::CREAT, rights, FdFlags::empty())
        .unwrap();
    assert_eq!(guest.write(file, b"text"), Ok(4));
    // A directory hands on what it was handed, and no more.
    let fdstat = guest.fdstat(PREOPEN).unwrap();
    assert_eq!(guest.fdstat(dir).unwrap().inheriting, fdstat.inheriting);
    let less = fdstat.inheriting & !Rights::FD_WRITE.bits();
    functions::fd_fdstat_set_rights(&mut guest.call(), PREOPEN, fdstat.base, less).unwrap();
    let dir = guest.open("dir", OFlags::DIRECTORY, false).unwrap();
    assert_eq!(guest.fdstat(dir).unwrap().inheriting, less);
    let opened = guest.path_open(
        dir,
        FOLLOW,
        "file",
        OFlags::empty(),
        rights,
        FdFlags::empty(),
    );
    assert_eq!(opened, Err(Errno::Notcapable));
}

#[test]
fn a_read_only_descriptor_has_no_rights_to_change_the_file() {
    let mut guest = Guest::new();
    guest.file("file", b"text");
    let fd = guest.open("file", OFlags::empty(), false).unwrap();
    let fdstat = guest.fdstat(fd).unwrap();
    for right in [
        Rights::FD_WRITE,
        Rights::FD_ALLOCATE,
        Rights::FD_FILESTAT_SET_SIZE,
    ] {
        assert!(!fdstat.has(right), "{right:?}");
    }
    assert_eq!(guest.write(fd, b"x"), Err(Errno::Notcapable));
    assert_eq!(guest.pwrite(fd, b"x", 0), Err(Errno::Notcapable));
    let call = &mut guest.call();
    assert_eq!(
        functions::fd_filestat_set_size(call, fd, 0),
        Err(Errno::Notcapable)
    );
    assert_eq!(
        functions::fd_allocate(call, fd, 0, 9),
        Err(Errno::Notcapable)
    );
    assert_eq!(guest.read_file("file"), b"text");
}

#[test]
fn a_write_only_descriptor_cannot_read() {
    let mut guest = Guest::new();
    guest.file("file", b"text");
    let rights = Rights::FD_WRITE | Rights::FD_SEEK;
    let flags = (OFlags::empty(), FdFlags::empty());
    let fd = guest
        .path_open(PREOPEN, FOLLOW, "file", flags.0, rights, flags.1)
        .unwrap();
    assert_eq!(guest.read(fd, 1), Err(Errno::Notcapable));
    assert_eq!(guest.pread(fd, 1, 0), Err(Errno::Notcapable));
    assert_eq!(guest.write(fd, b"T"), Ok(1));
    assert_eq!(guest.read_file("file"), b"Text");
}

#[test]
fn rights_can_only_be_dropped() {
    let mut guest = Guest::new();
    guest.file("file", b"text");
    let fd = guest.open("file", OFlags::empty(), true).unwrap();
    let before = guest.fdstat(fd).unwrap();
    let dropped = before.base & !Rights::FD_READ.bits();
    let set = |guest: &mut Guest, base, inheriting| {
        functions::fd_fdstat_set_rights(&mut guest.call(), fd, base, inheriting)
    };
    assert_eq!(set(&mut guest, before.base, before.inheriting), Ok(()));
    assert_eq!(set(&mut guest, dropped, 0), Ok(()));
    assert_eq!(guest.read(fd, 1), Err(Errno::Notcapable));
    for (base, inheriting) in [
        (before.base, 0),
        (dropped, 1),
        (dropped | 1 << 40, 0),
        (u64::MAX, u64::MAX),
    ] {
        assert_eq!(set(&mut guest, base, inheriting), Err(Errno::Notcapable));
    }
    assert_eq!(guest.fdstat(fd).unwrap().base, dropped);
}

#[test]
fn dropped_rights_of_a_directory_are_not_handed_on() {
    let mut guest = Guest::new();
    guest.file("file", b"text");
    let fdstat = guest.fdstat(PREOPEN).unwrap();
    let inheriting = fdstat.inheriting & !(Rights::FD_WRITE | Rights::FD_ADVISE).bits();
    let base = fdstat.base & !(Rights::PATH_UNLINK_FILE | Rights::PATH_CREATE_FILE).bits();
    functions::fd_fdstat_set_rights(&mut guest.call(), PREOPEN, base, inheriting).unwrap();
    assert_eq!(
        guest.open("file", OFlags::empty(), true),
        Err(Errno::Notcapable)
    );
    let fd = guest.open("file", OFlags::empty(), false).unwrap();
    assert!(!guest.fdstat(fd).unwrap().has(Rights::FD_ADVISE));
    assert_eq!(
        guest.open("new", OFlags::CREAT, false),
        Err(Errno::Notcapable)
    );
    assert_eq!(guest.unlink("file"), Err(Errno::Notcapable));
    assert!(guest.host("file").exists() && !guest.host("new").exists());
}
