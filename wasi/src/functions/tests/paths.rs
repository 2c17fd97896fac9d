//! Paths, links and directories, as POSIX programs expect them.

use super::*;
use crate::functions;
use crate::limits::Limits;
use std::fs;

#[test]
fn paths_that_are_none() {
    let mut guest = Guest::new();
    guest.file("file", b"");
    let limits = Limits::default();
    let long = "d/".repeat(limits.path_bytes as usize / 2) + "f";
    let name = "n".repeat(256);
    for (path, expected) in [
        ("", Errno::Noent),
        ("/", Errno::Notcapable),
        ("/file", Errno::Notcapable),
        ("//file", Errno::Notcapable),
        ("..", Errno::Notcapable),
        ("../", Errno::Notcapable),
        ("./../file", Errno::Notcapable),
        ("file\0", Errno::Inval),
        ("fi\0le", Errno::Inval),
        ("\0", Errno::Inval),
        ("missing", Errno::Noent),
        ("missing/file", Errno::Noent),
        ("file/", Errno::Notdir),
        ("file//", Errno::Notdir),
        ("file/.", Errno::Notdir),
        ("file/..", Errno::Notdir),
        ("file/x", Errno::Notdir),
        (&long, Errno::Nametoolong),
        (&name, Errno::Nametoolong),
    ] {
        let short = &path[..path.len().min(20)];
        assert_eq!(
            guest.open(path, OFlags::empty(), false),
            Err(expected),
            "open {short:?}"
        );
        for lookup in [FOLLOW, NOFOLLOW] {
            let stat = guest.stat(lookup, path);
            assert_eq!(stat, Err(expected), "stat {short:?} {lookup}");
        }
    }
}

/// A slash behind the name of a file asks for a directory, in every function
/// that takes a path. The codes are those of POSIX, and of Linux where that leaves
/// a choice.
#[test]
fn a_slash_behind_a_file() {
    let mut guest = Guest::new();
    guest.file("file", b"text");
    guest.file("other", b"");
    for path in ["file/", "file//", "file/."] {
        for oflags in [OFlags::empty(), OFlags::DIRECTORY, OFlags::TRUNC] {
            for write in [false, true] {
                let opened = guest.open(path, oflags, write);
                assert_eq!(opened, Err(Errno::Notdir), "{path} {oflags:?} {write}");
            }
        }
        for lookup in [FOLLOW, NOFOLLOW] {
            assert_eq!(guest.stat(lookup, path), Err(Errno::Notdir), "{path}");
            let set = guest.set_times(lookup, path, (1, 1), 5);
            assert_eq!(set, Err(Errno::Notdir), "{path}");
        }
        assert_eq!(guest.readlink(path, 9), Err(Errno::Notdir), "{path}");
        assert_eq!(guest.unlink(path), Err(Errno::Notdir), "{path}");
        assert_eq!(guest.rmdir(path), Err(Errno::Notdir), "{path}");
        let linked = guest.link((PREOPEN, path), (PREOPEN, "new"));
        assert_eq!(linked, Err(Errno::Notdir), "{path}");
        let renamed = guest.rename((PREOPEN, path), (PREOPEN, "new"));
        assert_eq!(renamed, Err(Errno::Notdir), "{path}");
        let renamed = guest.rename((PREOPEN, "other"), (PREOPEN, path));
        assert_eq!(renamed, Err(Errno::Notdir), "{path}");
    }
    for path in ["file/", "file//"] {
        assert_eq!(guest.mkdir(path), Err(Errno::Exist), "{path}");
        assert_eq!(guest.symlink("other", path), Err(Errno::Notdir), "{path}");
        let linked = guest.link((PREOPEN, "other"), (PREOPEN, path));
        assert_eq!(linked, Err(Errno::Notdir), "{path}");
        let created = guest.open(path, OFlags::CREAT, true);
        assert_eq!(created, Err(Errno::Isdir), "{path}");
    }
    guest.mkdir("dir").unwrap();
    for (path, expected) in [("dir/", Errno::Exist), ("new/", Errno::Noent)] {
        assert_eq!(guest.symlink("other", path), Err(expected), "{path}");
        let linked = guest.link((PREOPEN, "other"), (PREOPEN, path));
        assert_eq!(linked, Err(expected), "{path}");
    }
    assert_eq!(guest.read_file("file"), b"text");
    assert_eq!(guest.names(PREOPEN).unwrap().len(), 3);
}

#[test]
fn dots_and_slashes_inside_are_fine() {
    let mut guest = Guest::new();
    guest.mkdir("dir").unwrap();
    guest.mkdir("dir/nested").unwrap();
    guest.file("dir/nested/file", b"x");
    for path in [
        "dir/nested/file",
        "./dir/./nested//file",
        "dir/../dir/nested/../nested/file",
        "dir/.//nested/../../dir/nested/../nested///./file",
    ] {
        assert!(guest.open(path, OFlags::empty(), false).is_ok(), "{path}");
        assert_eq!(guest.stat(FOLLOW, path).unwrap().size, 1, "{path}");
    }
    for path in [".", "dir/", "dir/.", "dir//", "dir/nested/.."] {
        let fd = guest.open(path, OFlags::DIRECTORY, false).unwrap();
        assert!(guest.fdstat(fd).unwrap().is(FileType::Directory), "{path}");
    }
}

#[test]
fn creating_and_truncating() {
    let mut guest = Guest::new();
    guest.mkdir("dir").unwrap();
    guest.file("file", b"text");
    let (creat, excl, trunc, directory) = (
        OFlags::CREAT,
        OFlags::EXCL,
        OFlags::TRUNC,
        OFlags::DIRECTORY,
    );
    for (path, oflags, write, expected) in [
        ("file", creat | excl, true, Some(Errno::Exist)),
        ("dir", creat | excl, true, Some(Errno::Exist)),
        ("new1", creat, true, None),
        // Also without the right to write to it.
        ("new2", creat | excl, false, None),
        ("new3/", creat, true, Some(Errno::Isdir)),
        ("dir", creat, true, Some(Errno::Isdir)),
        ("dir", trunc, true, Some(Errno::Isdir)),
        ("dir", trunc | directory, false, Some(Errno::Isdir)),
        ("file", directory, false, Some(Errno::Notdir)),
        ("new4", creat | directory, false, Some(Errno::Inval)),
        ("file", creat | trunc, false, None),
    ] {
        let result = guest.open(path, oflags, write);
        assert_eq!(result.err(), expected, "{path} {oflags:?}");
    }
    assert_eq!(guest.read_file("file"), b"");
    assert!(guest.host("new1").exists() && guest.host("new2").exists());
    assert!(!guest.host("new3").exists() && !guest.host("new4").exists());
}

#[test]
fn symbolic_links() {
    let mut guest = Guest::new();
    guest.mkdir("dir").unwrap();
    guest.file("dir/file", b"text");
    guest.symlink("dir/file", "link").unwrap();
    guest.symlink("dir", "dirlink").unwrap();
    guest.symlink("loop2", "loop1").unwrap();
    guest.symlink("loop1", "loop2").unwrap();
    guest.symlink("nowhere", "dangling").unwrap();
    for (path, lookup, expected) in [
        ("link", FOLLOW, None),
        ("link", NOFOLLOW, Some(Errno::Loop)),
        ("dirlink/file", NOFOLLOW, None),
        ("dirlink/file", FOLLOW, None),
        ("dirlink/", FOLLOW, None),
        ("loop1", FOLLOW, Some(Errno::Loop)),
        ("loop1/x", FOLLOW, Some(Errno::Loop)),
        ("dangling", FOLLOW, Some(Errno::Noent)),
        ("dangling", NOFOLLOW, Some(Errno::Loop)),
    ] {
        let flags = (OFlags::empty(), FdFlags::empty());
        let fd = guest.path_open(PREOPEN, lookup, path, flags.0, Rights::FD_READ, flags.1);
        assert_eq!(fd.err(), expected, "{path} {lookup}");
    }
    let link = FileType::SymbolicLink as u8;
    for (path, lookup, expected) in [
        ("link", NOFOLLOW, Ok(link)),
        ("link", FOLLOW, Ok(FileType::RegularFile as u8)),
        ("dirlink", NOFOLLOW, Ok(link)),
        ("dirlink/", NOFOLLOW, Ok(FileType::Directory as u8)),
        ("link/", NOFOLLOW, Err(Errno::Notdir)),
        ("loop1", NOFOLLOW, Ok(link)),
        ("loop1", FOLLOW, Err(Errno::Loop)),
        ("dangling", FOLLOW, Err(Errno::Noent)),
    ] {
        let found = guest.stat(lookup, path).map(|stat| stat.file_type);
        assert_eq!(found, expected, "{path} {lookup}");
    }
    assert_eq!(guest.readlink("link", 100), Ok(b"dir/file".to_vec()));
    assert_eq!(guest.readlink("link", 3), Ok(b"dir".to_vec()));
    assert_eq!(guest.readlink("link", 0), Ok(vec![]));
    assert_eq!(guest.readlink("dir", 9), Err(Errno::Inval));
    assert_eq!(guest.readlink("missing", 9), Err(Errno::Noent));
    assert_eq!(guest.symlink("/etc/passwd", "bad"), Err(Errno::Notcapable));
    assert_eq!(guest.symlink("", "bad"), Err(Errno::Noent));
    assert_eq!(guest.symlink("x", "link"), Err(Errno::Exist));
    assert_eq!(guest.symlink("x", "missing/"), Err(Errno::Noent));
    assert_eq!(guest.unlink("link"), Ok(()));
    assert_eq!(guest.read_file("dir/file"), b"text");
}

#[test]
fn removing() {
    let mut guest = Guest::new();
    guest.mkdir("dir").unwrap();
    guest.file("dir/file", b"");
    guest.symlink("dir", "link").unwrap();
    assert_eq!(guest.unlink("dir"), Err(Errno::Isdir));
    assert_eq!(guest.unlink("dir/"), Err(Errno::Isdir));
    assert_eq!(guest.unlink("dir/file/"), Err(Errno::Notdir));
    assert_eq!(guest.unlink("missing"), Err(Errno::Noent));
    assert_eq!(guest.rmdir("dir"), Err(Errno::Notempty));
    assert_eq!(guest.rmdir("dir/file"), Err(Errno::Notdir));
    assert_eq!(guest.rmdir("dir/file/"), Err(Errno::Notdir));
    assert_eq!(guest.rmdir("link"), Err(Errno::Notdir));
    assert_eq!(guest.rmdir("."), Err(Errno::Inval));
    assert_eq!(guest.unlink("dir/file"), Ok(()));
    assert_eq!(guest.rmdir("dir//"), Ok(()));
    assert_eq!(guest.rmdir("dir"), Err(Errno::Noent));
    assert_eq!(guest.unlink("link"), Ok(()));
    assert!(guest.folder().exists());
}

#[test]
fn creating_directories() {
    let mut guest = Guest::new();
    guest.file("file", b"");
    assert_eq!(guest.mkdir("dir/"), Ok(()));
    assert_eq!(guest.mkdir("dir"), Err(Errno::Exist));
    assert_eq!(guest.mkdir("file"), Err(Errno::Exist));
    assert_eq!(guest.mkdir("missing/dir"), Err(Errno::Noent));
    assert_eq!(guest.mkdir("file/dir"), Err(Errno::Notdir));
    assert_eq!(guest.mkdir("."), Err(Errno::Exist));
}

#[test]
fn renaming() {
    let mut guest = Guest::new();
    guest.file("file", b"1");
    guest.file("other", b"2");
    guest.mkdir("dir").unwrap();
    guest.mkdir("empty").unwrap();
    guest.file("dir/file", b"3");
    for (from, to, expected) in [
        ("file", "dir", Some(Errno::Isdir)),
        ("dir", "file", Some(Errno::Notdir)),
        ("empty", "dir", Some(Errno::Notempty)),
        ("dir", "dir/sub", Some(Errno::Inval)),
        ("missing", "x", Some(Errno::Noent)),
        ("file/", "x", Some(Errno::Notdir)),
        ("file", "x/", Some(Errno::Notdir)),
        ("file", "dir/", Some(Errno::Notdir)),
        ("file", "../x", Some(Errno::Notcapable)),
        ("../x", "file", Some(Errno::Notcapable)),
        ("file", "other", None),
        ("dir/", "empty/", None),
        ("other", "empty/moved", None),
    ] {
        let result = guest.rename((PREOPEN, from), (PREOPEN, to));
        assert_eq!(result.err(), expected, "{from} -> {to}");
    }
    assert_eq!(guest.read_file("empty/moved"), b"1");
    assert_eq!(guest.read_file("empty/file"), b"3");
}

#[test]
fn hard_links() {
    let mut guest = Guest::new();
    guest.file("file", b"text");
    guest.mkdir("dir").unwrap();
    guest.symlink("file", "symlink").unwrap();
    guest
        .link((PREOPEN, "file"), (PREOPEN, "dir/link"))
        .unwrap();
    let (file, link) = (guest.stat(FOLLOW, "file"), guest.stat(FOLLOW, "dir/link"));
    assert_eq!(file, link);
    assert_eq!(file.unwrap().nlink, 2);
    // The link itself, not what it names.
    guest
        .link((PREOPEN, "symlink"), (PREOPEN, "symlink2"))
        .unwrap();
    let stat = guest.stat(NOFOLLOW, "symlink2").unwrap();
    assert_eq!(stat.file_type, FileType::SymbolicLink as u8);
    for (from, to, expected) in [
        ("dir", "x", Errno::Perm),
        ("file", "dir", Errno::Exist),
        ("file", "x/", Errno::Noent),
        ("missing", "x", Errno::Noent),
        ("file", "../x", Errno::Notcapable),
    ] {
        let result = guest.link((PREOPEN, from), (PREOPEN, to));
        assert_eq!(result, Err(expected), "{from} -> {to}");
    }
    let (old, old_len) = guest.path("symlink");
    let (new, new_len) = guest.path("y");
    let call = &mut guest.call();
    let result = functions::path_link(call, PREOPEN, FOLLOW, old, old_len, PREOPEN, new, new_len);
    assert_eq!(result, Err(Errno::Inval));
}

#[test]
fn times_of_paths() {
    let mut guest = Guest::new();
    guest.file("file", b"");
    guest.symlink("file", "link").unwrap();
    guest.mkdir("dir").unwrap();
    let both = u32::from((FstFlags::ATIM | FstFlags::MTIM).bits());
    for (path, lookup, times) in [
        ("file", FOLLOW, (1, 2)),
        ("link", NOFOLLOW, (3, 4)),
        ("dir", FOLLOW, (5_000_000_006, 7)),
        ("dir/", NOFOLLOW, (8, 9)),
    ] {
        guest.set_times(lookup, path, times, both).unwrap();
        let stat = guest.stat(lookup, path).unwrap();
        assert_eq!((stat.atim, stat.mtim), times, "{path}");
    }
    let stat = guest.stat(FOLLOW, "file").unwrap();
    assert_eq!((stat.atim, stat.mtim), (1, 2), "the link is not the file");
    guest.set_times(FOLLOW, "link", (10, 11), both).unwrap();
    assert_eq!(guest.stat(FOLLOW, "file").unwrap().mtim, 11);
    assert_eq!(
        guest.set_times(FOLLOW, "file", (0, 0), 3),
        Err(Errno::Inval)
    );
    assert_eq!(
        guest.set_times(FOLLOW, "file", (0, 0), 16),
        Err(Errno::Inval)
    );
    assert_eq!(
        guest.set_times(FOLLOW, "missing", (0, 0), both),
        Err(Errno::Noent)
    );
    assert_eq!(
        guest.set_times(FOLLOW, "../x", (0, 0), both),
        Err(Errno::Notcapable)
    );
    assert_eq!(guest.set_times(2, "file", (0, 0), both), Err(Errno::Inval));
}

/// Nothing is opened to learn of a pipe: that could wait for ever.
#[test]
fn pipes_do_not_block_stat() {
    let mut guest = Guest::new();
    guest.mkdir("dir").unwrap();
    let pipe = guest.host("dir/pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    assert_eq!(
        guest.stat(FOLLOW, "dir/pipe").unwrap().file_type,
        FileType::Unknown as u8
    );
    guest.set_times(FOLLOW, "dir/pipe", (1, 1), 5).unwrap();
    let flags = (OFlags::empty(), FdFlags::NONBLOCK);
    let fd = guest.path_open(
        PREOPEN,
        FOLLOW,
        "dir/pipe",
        flags.0,
        Rights::all() - Rights::FD_WRITE,
        flags.1,
    );
    let fd = fd.unwrap();
    assert_eq!(guest.seek(fd, 0, 0), Err(Errno::Spipe));
}

#[test]
fn only_directories_have_paths() {
    let mut guest = Guest::new();
    let fd = guest.create("file");
    for (fd, expected) in [(fd, Errno::Notdir), (0, Errno::Notdir), (77, Errno::Badf)] {
        let flags = (OFlags::empty(), FdFlags::empty());
        let opened = guest.path_open(fd, FOLLOW, "x", flags.0, Rights::FD_READ, flags.1);
        assert_eq!(opened, Err(expected));
    }
}

#[test]
fn descriptors_outlive_names() {
    let mut guest = Guest::new();
    let fd = guest.create("file");
    guest.mkdir("dir").unwrap();
    let dir = guest.open("dir", OFlags::DIRECTORY, false).unwrap();
    guest.unlink("file").unwrap();
    guest.rmdir("dir").unwrap();
    assert_eq!(guest.write(fd, b"still here"), Ok(10));
    assert_eq!(guest.filestat(fd).unwrap().nlink, 0);
    assert_eq!(guest.names(dir), Ok(vec![]));
    let flags = (OFlags::CREAT, FdFlags::empty());
    let opened = guest.path_open(dir, FOLLOW, "x", flags.0, Rights::all(), flags.1);
    assert_eq!(opened, Err(Errno::Noent));
    assert!(fs::read_dir(guest.folder()).unwrap().next().is_none());
}
