//! Attempts to get out.

use super::*;
use crate::functions;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// A folder `root` that the guest gets, next to a `secret` that it does not.
struct House {
    guest: Guest,
    root: u32,
}

impl House {
    fn new() -> House {
        let mut guest = Guest::new();
        let folder = guest.folder().to_owned();
        fs::create_dir_all(folder.join("root/inner")).unwrap();
        fs::create_dir(folder.join("secret")).unwrap();
        fs::write(folder.join("secret/file"), "secret").unwrap();
        let root = guest.open("root", OFlags::DIRECTORY, false).unwrap();
        House { guest, root }
    }

    fn host(&self, path: &str) -> std::path::PathBuf {
        self.guest.host(path)
    }

    /// Every function that takes a path must refuse this one.
    fn refuses(&mut self, path: &str) {
        let (guest, root) = (&mut self.guest, self.root);
        let flags = FdFlags::empty();
        for oflags in [
            OFlags::empty(),
            OFlags::CREAT,
            OFlags::DIRECTORY,
            OFlags::TRUNC,
        ] {
            for rights in [Rights::FD_READ, Rights::all()] {
                let opened = guest.path_open(root, FOLLOW, path, oflags, rights, flags);
                assert!(opened.is_err(), "{path} {oflags:?}");
            }
        }
        let (ptr, len) = guest.path(path);
        let (new, new_len) = guest.path("new");
        let call = &mut guest.call();
        let results = [
            functions::path_create_directory(call, root, ptr, len),
            functions::path_filestat_get(call, root, FOLLOW, ptr, len, 0),
            functions::path_filestat_set_times(call, root, FOLLOW, ptr, len, 0, 0, 5),
            functions::path_readlink(call, root, ptr, len, 0, 64, 64),
            functions::path_remove_directory(call, root, ptr, len),
            functions::path_unlink_file(call, root, ptr, len),
            functions::path_symlink(call, new, new_len, root, ptr, len),
            functions::path_link(call, root, 0, ptr, len, root, new, new_len),
            functions::path_rename(call, root, ptr, len, root, new, new_len),
        ];
        for (index, result) in results.into_iter().enumerate() {
            assert!(result.is_err(), "{path}, call {index}");
        }
        assert_eq!(
            fs::read(self.host("secret/file")).unwrap(),
            b"secret",
            "{path}"
        );
        assert_eq!(
            fs::read_dir(self.host("secret")).unwrap().count(),
            1,
            "{path}"
        );
        assert!(!self.host("root/new").exists(), "{path}");
    }
}

#[test]
fn paths_that_lead_out() {
    let mut house = House::new();
    let absolute = house.host("secret/file");
    for path in [
        "../secret/file",
        "../secret/file/",
        "../secret",
        "../secret/",
        "inner/../../secret/file",
        "inner/../../secret/new",
        "./.././secret/file",
        "..",
        "../",
        "../.",
        "../root",
        absolute.to_str().unwrap(),
        "/",
        "/etc/passwd",
    ] {
        house.refuses(path);
    }
}

/// RUSTSEC-2026-0269 of cap-std, CVE-2024-38358 of wasmer: a trailing slash, or
/// a chain of links, led out.
#[test]
fn links_that_lead_out() {
    let mut house = House::new();
    let secret = house.host("secret");
    for (target, name) in [
        (secret.as_path(), "absolute"),
        (Path::new("../secret"), "relative"),
        (Path::new("inner/../../secret"), "through"),
        (Path::new("relative"), "twice"),
        (Path::new("../secret/"), "slashed"),
        (Path::new("/"), "rooted"),
        (Path::new(".."), "parent"),
        (Path::new("../root/../secret"), "back"),
    ] {
        symlink(target, house.host("root").join(name)).unwrap();
    }
    for name in [
        "absolute", "relative", "through", "twice", "slashed", "back",
    ] {
        for rest in [
            "/file",
            "/file/",
            "/new",
            "/.",
            "/..",
            "/../secret/file",
            "/",
        ] {
            house.refuses(&format!("{name}{rest}"));
        }
    }
    house.refuses("parent/secret/file");
    house.refuses("rooted/etc/passwd");
    house.refuses("inner/../relative/file");
    // The link itself is the guest's own.
    let (ptr, len) = house.guest.path("relative");
    let (root, call) = (house.root, &mut house.guest.call());
    assert_eq!(
        functions::path_filestat_get(call, root, NOFOLLOW, ptr, len, 0),
        Ok(())
    );
    assert_eq!(functions::path_unlink_file(call, root, ptr, len), Ok(()));
    assert!(house.host("secret/file").exists());
}

#[test]
fn links_of_the_guest_lead_nowhere_else() {
    let mut house = House::new();
    let (root, guest) = (house.root, &mut house.guest);
    let (target, target_len) = guest.path("../secret/file");
    let (name, len) = guest.path("link");
    let call = &mut guest.call();
    // A text that is no path of the guest may be stored, but not followed.
    functions::path_symlink(call, target, target_len, root, name, len).unwrap();
    for oflags in [OFlags::empty(), OFlags::CREAT, OFlags::TRUNC] {
        for rights in [Rights::FD_READ, Rights::all()] {
            let opened = guest.path_open(root, FOLLOW, "link", oflags, rights, FdFlags::empty());
            assert_eq!(opened, Err(Errno::Notcapable), "{oflags:?}");
        }
    }
}

/// The links in `/proc` open what they stand for, wherever it is.
#[test]
fn magic_links_are_not_followed() {
    let mut guest = Guest::with(|builder| {
        let access = crate::Access::ReadWrite;
        builder
            .preopened_dir("/proc/self", "/proc", access)
            .unwrap();
    });
    let secret = guest.host("file");
    fs::write(&secret, "secret").unwrap();
    let file = fs::File::open(&secret).unwrap();
    use std::os::fd::AsRawFd;
    let flags = (OFlags::empty(), FdFlags::empty());
    for path in [
        format!("fd/{}", file.as_raw_fd()),
        "root/etc/passwd".into(),
        "cwd/Cargo.toml".into(),
        "exe".into(),
    ] {
        let opened = guest.path_open(4, FOLLOW, &path, flags.0, Rights::FD_READ, flags.1);
        assert!(
            matches!(opened, Err(Errno::Notcapable | Errno::Loop)),
            "{path}: {opened:?}"
        );
        let (ptr, len) = guest.path(&path);
        let stat = functions::path_filestat_get(&mut guest.call(), 4, FOLLOW, ptr, len, 0);
        assert!(stat.is_err(), "{path}");
    }
}

/// Another thread turns a directory into a link that leads out, and back, all
/// the time.
#[test]
fn racing_renames_do_not_help() {
    let mut house = House::new();
    fs::create_dir(house.host("root/swap")).unwrap();
    fs::write(house.host("root/swap/file"), "public").unwrap();
    symlink("../secret", house.host("root/out")).unwrap();
    let (swap, out, spare) = (
        house.host("root/swap"),
        house.host("root/out"),
        house.host("root/spare"),
    );
    let stop = AtomicBool::new(false);
    let mut opened = [0, 0];
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                fs::rename(&swap, &spare).unwrap();
                fs::rename(&out, &swap).unwrap();
                fs::rename(&swap, &out).unwrap();
                fs::rename(&spare, &swap).unwrap();
            }
        });
        let (root, guest) = (house.root, &mut house.guest);
        for round in 0..2_000 {
            let path = ["swap/file", "swap/../swap/file", "inner/../swap/file"][round % 3];
            let flags = (OFlags::empty(), FdFlags::empty());
            match guest.path_open(root, FOLLOW, path, flags.0, Rights::FD_READ, flags.1) {
                Ok(fd) => {
                    assert_eq!(guest.read(fd, 9).unwrap(), b"public");
                    guest.close(fd).unwrap();
                    opened[0] += 1;
                }
                Err(_) => opened[1] += 1,
            }
            let (ptr, len) = guest.path("swap/new");
            let _ = functions::path_create_directory(&mut guest.call(), root, ptr, len);
            let _ = functions::path_remove_directory(&mut guest.call(), root, ptr, len);
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(
        fs::read_dir(house.host("secret")).unwrap().count(),
        1,
        "{opened:?}"
    );
}

#[test]
fn refusals_are_told() {
    use crate::{Access, RefusalReason};
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&told);
    let read_only = tempfile::tempdir().unwrap();
    let mut guest = Guest::with(|builder| {
        builder
            .preopened_dir(read_only.path(), "/ro", Access::ReadOnly)
            .unwrap()
            .on_refusal(move |refusal| {
                let directory = refusal
                    .directory
                    .map(|name| name.to_str().unwrap().to_owned());
                let path = refusal.path.to_str().unwrap().to_owned();
                log.lock().unwrap().push((directory, path, refusal.reason));
            });
    });
    let take = || std::mem::take(&mut *told.lock().unwrap());
    let told_of = |directory: Option<&str>, path: &str, reason| {
        (directory.map(str::to_owned), path.to_owned(), reason)
    };
    let (outside, unwritable) = (RefusalReason::Outside, RefusalReason::ReadOnly);

    guest.mkdir("dir").unwrap();
    guest.file("file", b"");
    symlink("/etc", guest.host("link")).unwrap();
    for path in ["/etc/passwd", "../x", "link/passwd", "dir/../../x"] {
        assert_eq!(
            guest.open(path, OFlags::empty(), false),
            Err(Errno::Notcapable)
        );
        assert_eq!(take(), [told_of(Some("/"), path, outside)]);
        assert!(guest.stat(FOLLOW, path).is_err());
        assert_eq!(take(), [told_of(Some("/"), path, outside)]);
    }
    let dir = guest.open("dir", OFlags::DIRECTORY, false).unwrap();
    let flags = FdFlags::empty();
    let out = guest.path_open(
        dir,
        FOLLOW,
        "../file",
        OFlags::empty(),
        Rights::FD_READ,
        flags,
    );
    assert_eq!(out, Err(Errno::Notcapable));
    assert_eq!(take(), [told_of(None, "../file", outside)]);

    let ro = PREOPEN + 1;
    let rights = Rights::all();
    let new = guest.path_open(ro, FOLLOW, "new", OFlags::CREAT, rights, flags);
    assert_eq!(new, Err(Errno::Rofs));
    assert_eq!(take(), [told_of(Some("/ro"), "new", unwritable)]);
    assert_eq!(
        guest.rename((PREOPEN, "file"), (ro, "moved")),
        Err(Errno::Rofs)
    );
    assert_eq!(take(), [told_of(Some("/ro"), "moved", unwritable)]);

    // What the guest gave up itself, and what is merely not there, is no news.
    let fdstat = guest.fdstat(PREOPEN).unwrap();
    let inheriting = fdstat.inheriting & !Rights::FD_WRITE.bits();
    let call = &mut guest.call();
    functions::fd_fdstat_set_rights(call, PREOPEN, fdstat.base, inheriting).unwrap();
    assert_eq!(
        guest.open("file", OFlags::empty(), true),
        Err(Errno::Notcapable)
    );
    assert_eq!(
        guest.open("missing", OFlags::empty(), false),
        Err(Errno::Noent)
    );
    assert_eq!(take(), []);
}
