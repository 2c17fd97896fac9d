//! Paths that lead out, and what is read-only.

use super::super::*;
use crate::builder::{Access, WasiCtxBuilder};
use crate::functions;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use tempfile::TempDir;

/// A folder next to the guest's.
fn secret() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "secret").unwrap();
    folder
}

fn assert_untouched(secret: &TempDir) {
    assert_eq!(fs::read(secret.path().join("file")).unwrap(), b"secret");
    assert_eq!(fs::read_dir(secret).unwrap().count(), 1);
}

const NO_FLAGS: FdFlags = FdFlags::empty();

/// Every function that would follow the path, or change what it names, does not.
fn refuses(guest: &mut Guest, path: &str) {
    for lookup in [FOLLOW, NOFOLLOW] {
        for oflags in [OFlags::empty(), OFlags::DIRECTORY, OFlags::CREAT] {
            let rights = Rights::all() - Rights::FD_WRITE;
            let fd = guest.path_open(PREOPEN, lookup, path, oflags, rights, NO_FLAGS);
            assert!(fd.is_err(), "{path} {lookup} {oflags:?}");
        }
        assert!(guest.stat(lookup, path).is_err(), "{path} {lookup}");
        let times = guest.set_times(lookup, path, (1, 1), 5);
        assert!(times.is_err(), "{path} {lookup}");
    }
    assert!(guest.readlink(path, 64).is_err(), "{path}");
    assert!(guest.rmdir(path).is_err(), "{path}");
    let renamed = guest.rename((PREOPEN, path), (PREOPEN, "moved"));
    assert!(renamed.is_err(), "{path}");
}

/// cap-std before 4.0.3 (GHSA-hp8f-xmx4-4qrg), and by it wasmtime (GHSA-vqjp-4c8c-hfgg):
/// a path, or the target of a link, that ends in a slash was followed out of the
/// directory if its last part was a symbolic link, or became one.
#[test]
fn rustsec_2026_0269_trailing_slash() {
    let secret = secret();
    let mut guest = Guest::new();
    symlink(secret.path(), guest.host("link")).unwrap();
    // What a guest needs no host for: links of its own, also through each other.
    let outside = secret.path().file_name().unwrap().to_str().unwrap();
    guest.symlink(format!("../{outside}"), "own").unwrap();
    guest.symlink(format!("../{outside}/"), "slash").unwrap();
    guest.symlink("own/", "chain").unwrap();
    guest.symlink("chain/", "longer").unwrap();
    guest.symlink("./slash/.", "dot").unwrap();
    guest.symlink("..", "up").unwrap();
    guest.symlink("../", "above").unwrap();
    for name in [
        "link", "own", "slash", "chain", "longer", "dot", "up", "above",
    ] {
        for path in [
            format!("{name}/"),
            format!("{name}//"),
            format!("{name}/."),
            format!("./{name}/"),
        ] {
            refuses(&mut guest, &path);
        }
        let opened = guest.open(name, OFlags::DIRECTORY, false);
        assert!(opened.is_err(), "{name}");
        assert!(guest.stat(FOLLOW, name).is_err(), "{name}");
    }
    for path in ["up/", "own/file", "chain/file", "slash/file"] {
        let linked = guest.link((PREOPEN, path), (PREOPEN, "new"));
        assert!(linked.is_err(), "{path}");
    }
    assert_untouched(&secret);

    // The same while somebody else turns the directory into the link and back.
    fs::create_dir(guest.host("dir")).unwrap();
    let (dir, link, spare) = (guest.host("dir"), guest.host("link"), guest.host("spare"));
    let outside = fs::metadata(secret.path()).unwrap().ino();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                fs::rename(&dir, &spare).unwrap();
                fs::rename(&link, &dir).unwrap();
                fs::rename(&dir, &link).unwrap();
                fs::rename(&spare, &dir).unwrap();
            }
        });
        for _ in 0..2_000 {
            if let Ok(fd) = guest.open("dir/", OFlags::DIRECTORY, false) {
                assert_ne!(guest.filestat(fd).unwrap().ino, outside);
                guest.close(fd).unwrap();
            }
            if let Ok(stat) = guest.stat(FOLLOW, "dir/") {
                assert_ne!(stat.ino, outside);
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_untouched(&secret);
}

/// wasmer (GHSA-4mq4-7rw3-vm5j): the paths of the host could be opened without any
/// preopen.
#[test]
fn cve_2023_51661_no_preopens() {
    let secret = secret();
    let mut guest = Guest::new();
    guest.ctx = crate::WasiCtx::builder().build().unwrap();
    let path = secret.path().join("file");
    let path = path.to_str().unwrap();
    for fd in (0..16).chain([u32::MAX]) {
        for path in [path, ".", "/", "Cargo.toml"] {
            let opened =
                guest.path_open(fd, FOLLOW, path, OFlags::empty(), Rights::FD_READ, NO_FLAGS);
            assert!(
                matches!(opened, Err(Errno::Badf | Errno::Notdir)),
                "{fd} {path}: {opened:?}"
            );
        }
    }
}

/// wasmer (GHSA-55f3-3qvg-8pv5): a symbolic link that leads out was followed if the
/// file was to be created and written; and one that the guest had made itself was a panic.
#[test]
fn cve_2024_38358_links_and_creation() {
    let secret = secret();
    let mut guest = Guest::new();
    symlink(secret.path(), guest.host("dir")).unwrap();
    symlink(secret.path().join("file"), guest.host("file")).unwrap();
    symlink(secret.path().join("new"), guest.host("new")).unwrap();
    guest.symlink("../new", "own").unwrap();
    for path in ["dir/file", "dir/new", "file", "new", "own"] {
        for oflags in [
            OFlags::CREAT,
            OFlags::CREAT | OFlags::TRUNC,
            OFlags::CREAT | OFlags::EXCL,
        ] {
            let rights = Rights::FD_READ | Rights::FD_WRITE;
            let opened = guest.path_open(PREOPEN, FOLLOW, path, oflags, rights, NO_FLAGS);
            assert!(
                matches!(opened, Err(Errno::Notcapable | Errno::Exist | Errno::Loop)),
                "{path} {oflags:?}: {opened:?}"
            );
        }
    }
    assert_untouched(&secret);
}

/// wazero#2321: a guest made a symbolic link that leads out, and followed it.
#[test]
fn wazero_2321_links_of_the_guest() {
    let mut guest = Guest::new();
    let up = "../".repeat(20) + "etc/passwd";
    guest.symlink(&up, "a").unwrap();
    assert_eq!(
        guest.open("a", OFlags::empty(), false),
        Err(Errno::Notcapable)
    );
    assert_eq!(guest.stat(FOLLOW, "a"), Err(Errno::Notcapable));
    assert_eq!(guest.symlink("/etc/passwd", "b"), Err(Errno::Notcapable));
}

/// WAMR with uvwasi, which did not look at the target of a new link: a link that
/// the guest had made itself was followed out of the directory if there was
/// nothing yet, and the file was to be created.
#[test]
fn cve_2025_43853_creation_through_own_links() {
    let secret = secret();
    let mut guest = Guest::new();
    let outside = secret.path().file_name().unwrap().to_str().unwrap();
    guest.mkdir("dir").unwrap();
    for (target, name) in [
        (format!("../{outside}/new"), "link"),
        (format!("../../{outside}/new"), "dir/link"),
        (format!("dir/../../{outside}/new"), "crooked"),
    ] {
        guest.symlink(&target, name).unwrap();
        for lookup in [FOLLOW, NOFOLLOW] {
            for oflags in [OFlags::CREAT, OFlags::CREAT | OFlags::TRUNC] {
                let rights = Rights::FD_READ | Rights::FD_WRITE;
                let opened = guest.path_open(PREOPEN, lookup, name, oflags, rights, NO_FLAGS);
                assert!(
                    matches!(opened, Err(Errno::Notcapable | Errno::Loop)),
                    "{name} {lookup} {oflags:?}: {opened:?}"
                );
            }
        }
    }
    assert_untouched(&secret);
}

/// uvwasi#299: the target of a link was not checked as other paths are.
#[test]
fn uvwasi_299_targets_are_checked() {
    let secret = secret();
    let mut guest = Guest::new();
    let absolute = secret.path().join("file");
    for target in [absolute.to_str().unwrap(), "/", "//etc/passwd", "/."] {
        assert_eq!(
            guest.symlink(target, "link"),
            Err(Errno::Notcapable),
            "{target}"
        );
    }
    assert_eq!(guest.symlink("", "link"), Err(Errno::Noent));
    assert_eq!(guest.symlink("fi\0le", "link"), Err(Errno::Inval));
    assert_eq!(guest.names(PREOPEN), Ok(vec![]));
    // Text that leads out may be stored; it leads nowhere.
    guest.symlink("../file", "link").unwrap();
    assert_eq!(guest.stat(FOLLOW, "link"), Err(Errno::Notcapable));
}

/// uvwasi#226 and #224: targets are relative to where the link is, and none may
/// leave the directory in between, even to come back.
#[test]
fn uvwasi_226_targets_of_links() {
    let mut guest = Guest::new();
    guest.file("file", b"text");
    guest.mkdir("dir").unwrap();
    let root = guest.folder().to_owned();
    let name = root.file_name().unwrap().to_str().unwrap();
    let absolute = root.join("file");
    for (target, link, expected) in [
        ("./file", "near", Ok(())),
        ("../file", "dir/up", Ok(())),
        ("../file", "out", Err(Errno::Notcapable)),
        (&format!("../{name}/file"), "back", Err(Errno::Notcapable)),
        (absolute.to_str().unwrap(), "whole", Err(Errno::Notcapable)),
        // Resolved as text, these would count as two directories deep.
        (".", "loop", Ok(())),
        ("../outside", "loop/loop/deep", Err(Errno::Notcapable)),
    ] {
        symlink(target, guest.host(link)).unwrap();
        assert_eq!(guest.stat(FOLLOW, link).map(drop), expected, "{link}");
    }
    let inside = guest.stat(FOLLOW, "loop/loop/file").map(drop);
    assert_eq!(inside, Ok(()));
}

/// wasmer#1759: what was renamed at the top of the directory ended up beside the
/// directory.
#[test]
fn wr_1759_renamed_files_stay_inside() {
    let mut guest = Guest::new();
    guest.file("foo", b"text");
    assert_eq!(guest.rename((PREOPEN, "foo"), (PREOPEN, "bar")), Ok(()));
    assert_eq!(guest.read_file("bar"), b"text");
    assert_eq!(fs::read_dir(guest.folder()).unwrap().count(), 1);
}

fn twice(folder: &std::path::Path) -> WasiCtxBuilder {
    let mut builder = crate::WasiCtx::builder();
    builder
        .preopened_dir(folder, "/ro", Access::ReadOnly)
        .unwrap();
    builder
        .preopened_dir(folder, "/rw", Access::ReadWrite)
        .unwrap();
    builder
}

/// wasmtime (RUSTSEC-2026-0149, CVE-2026-47261): a file that could only be read
/// could be cut when it was opened.
#[test]
fn ghsa_2r75_truncation_through_read_only() {
    let mut guest = Guest::with_access(Access::ReadOnly, |_| {});
    guest.file("file", b"text");
    for rights in [Rights::empty(), Rights::FD_READ, Rights::all()] {
        for oflags in [OFlags::TRUNC, OFlags::TRUNC | OFlags::CREAT] {
            let opened = guest.path_open(PREOPEN, FOLLOW, "file", oflags, rights, NO_FLAGS);
            assert_eq!(opened, Err(Errno::Rofs), "{rights:?} {oflags:?}");
        }
    }
    let fd = guest.open("file", OFlags::empty(), false).unwrap();
    let call = &mut guest.call();
    assert!(functions::fd_filestat_set_size(call, fd, 0).is_err());
    assert!(functions::fd_allocate(call, fd, 0, 100).is_err());
    assert_eq!(guest.read_file("file"), b"text");
}

/// wasmtime (RUSTSEC-2026-0188, CVE-2026-58494): a file of a read-only directory was
/// linked or moved into a writable one, and written there.
#[test]
fn ghsa_4ch3_links_and_renames_out_of_read_only() {
    let mut guest = Guest::new();
    guest.file("file", b"text");
    let folder = guest.folder().to_owned();
    guest.ctx = twice(&folder).build().unwrap();
    let (ro, rw) = (PREOPEN, PREOPEN + 1);
    assert_eq!(guest.link((ro, "file"), (rw, "new")), Err(Errno::Rofs));
    assert_eq!(guest.rename((ro, "file"), (rw, "new")), Err(Errno::Rofs));
    assert_eq!(guest.link((rw, "file"), (ro, "new")), Err(Errno::Rofs));
    assert_eq!(guest.rename((rw, "file"), (ro, "new")), Err(Errno::Rofs));
    // Nor through a directory that was opened below it.
    let below = guest.open(".", OFlags::DIRECTORY, false).unwrap();
    assert_eq!(guest.link((below, "file"), (rw, "new")), Err(Errno::Rofs));
    assert!(!guest.host("new").exists());
}

/// WasmEdge#4938: a link was made at the target of the one that was there already.
#[test]
fn we_4938_a_link_over_a_link() {
    let secret = secret();
    let mut guest = Guest::new();
    let outside = secret.path().file_name().unwrap().to_str().unwrap();
    guest.symlink(format!("../{outside}/new"), "out").unwrap();
    guest.symlink("nothing", "in").unwrap();
    for name in ["out", "in"] {
        assert_eq!(guest.symlink("target", name), Err(Errno::Exist), "{name}");
        assert_eq!(guest.mkdir(name), Err(Errno::Exist), "{name}");
        guest.file("file", b"text");
        let linked = guest.link((PREOPEN, "file"), (PREOPEN, name));
        assert_eq!(linked, Err(Errno::Exist), "{name}");
    }
    assert!(!guest.host("nothing").exists());
    assert_untouched(&secret);
}

/// WAMR#4229: the text of a link was cut to the size that the host tells of it, which
/// is 0 for those in `/proc`.
#[test]
fn wamr_4229_links_whose_size_is_not_that_of_their_text() {
    let mut builder = crate::WasiCtx::builder();
    builder
        .preopened_dir("/proc", "/proc", Access::ReadOnly)
        .unwrap();
    let mut guest = Guest::new();
    guest.ctx = builder.build().unwrap();
    assert_eq!(fs::symlink_metadata("/proc/self/cwd").unwrap().len(), 0);
    let text = fs::read_link("/proc/self/cwd").unwrap();
    let text = text.to_str().unwrap().as_bytes();
    let pid = std::process::id();
    let found = guest.readlink(format!("{pid}/cwd"), 4096);
    assert_eq!(found.as_deref(), Ok(text));
    let cut = guest.readlink(format!("{pid}/cwd"), 1);
    assert_eq!(cut.as_deref(), Ok(&text[..1]));
    // It is text; nobody follows it.
    assert!(guest.stat(FOLLOW, format!("{pid}/cwd")).is_err());
}
