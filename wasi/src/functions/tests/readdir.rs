//! Listings, through the function. `listing.rs` tests the rest.

use super::guest::{BYTES, RESULT};
use super::*;
use crate::functions;
use crate::limits::Limits;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

#[test]
fn the_last_entry_is_cut() {
    let mut guest = Guest::new();
    guest.file("a-rather-long-name", b"");
    let mut read = |len| {
        functions::fd_readdir(&mut guest.call(), PREOPEN, BYTES, len, 0, RESULT).unwrap();
        guest.u32(RESULT)
    };
    let all = read(4096);
    assert_eq!(all, 3 * 24 + 1 + 2 + 18);
    for len in [0, 1, 24, 25, 60, all - 1, all] {
        assert_eq!(read(len), len);
    }
    assert_eq!(read(all + 1), all, "less than asked for means the end");
}

#[test]
fn only_directories_are_listed() {
    let mut guest = Guest::new();
    let fd = guest.create("file");
    for (fd, expected) in [(fd, Errno::Notdir), (1, Errno::Notdir), (99, Errno::Badf)] {
        assert_eq!(guest.names(fd), Err(expected));
    }
}

/// In every function that takes a name, and as the text of a link.
#[test]
fn names_that_are_not_utf8_can_be_used() {
    let mut guest = Guest::new();
    let (name, other): (&[u8], &[u8]) = (b"caf\xe9", b"\xff\xfe");
    fs::write(guest.host(guest::os(name)), "text").unwrap();
    let names = guest.names(PREOPEN).unwrap();
    assert_eq!(names, [(name.to_vec(), FileType::RegularFile as u8)]);
    let fd = guest.open(name, OFlags::empty(), false).unwrap();
    assert_eq!(guest.read(fd, 9), Ok(b"text".to_vec()));
    assert_eq!(guest.stat(FOLLOW, name).unwrap().size, 4);
    guest.link((PREOPEN, name), (PREOPEN, other)).unwrap();
    guest.unlink(name).unwrap();
    guest.rename((PREOPEN, other), (PREOPEN, name)).unwrap();
    guest.symlink(name, other).unwrap();
    assert_eq!(guest.readlink(other, 9), Ok(name.to_vec()));
    assert_eq!(guest.stat(FOLLOW, other).unwrap().size, 4);
    guest.unlink(other).unwrap();
    guest.mkdir(other).unwrap();
    guest.create([other, b"/", name].concat());
    let names: Vec<_> = guest.names(PREOPEN).unwrap();
    let names: Vec<_> = names.iter().map(|(name, _)| name.as_slice()).collect();
    assert_eq!(names, [name, other]);
    guest.unlink([other, b"/", name].concat()).unwrap();
    guest.rmdir(other).unwrap();
    guest.unlink(name).unwrap();
    assert_eq!(guest.names(PREOPEN), Ok(vec![]));
}

/// What a listing says of an inode is what `path_filestat_get` and
/// `fd_filestat_get` say, and what the host sees.
#[test]
fn inodes_are_those_of_the_host() {
    let mut guest = Guest::new();
    guest.file("file", b"text");
    guest.mkdir("dir").unwrap();
    guest.symlink("file", "link").unwrap();
    guest.link((PREOPEN, "file"), (PREOPEN, "twin")).unwrap();
    let (entries, ends) = guest.page(PREOPEN, 4096, 0).unwrap();
    assert!(ends && entries.len() == 6);
    let inode = |name: &str| {
        let mut entries = entries.iter();
        let found = entries.find(|entry| entry.name == name.as_bytes());
        found.unwrap().ino
    };
    for name in ["file", "dir", "link", "twin", "."] {
        let host = fs::symlink_metadata(guest.host(name)).unwrap();
        let stat = guest.stat(NOFOLLOW, name).unwrap();
        assert_eq!((stat.dev, stat.ino), (host.dev(), host.ino()), "{name}");
        assert_eq!(inode(name), host.ino(), "{name}");
    }
    assert_eq!(inode("file"), inode("twin"));
    let fd = guest.open("link", OFlags::empty(), false).unwrap();
    assert_eq!(guest.filestat(fd).unwrap().ino, inode("file"));
}

/// Another program adds and removes entries while the guest lists them page by
/// page: what was there all the time is seen, and once. So it is where each page
/// is asked of another descriptor, which has to go where the cookie says.
#[test]
fn entries_that_stay_are_listed_once_while_others_come_and_go() {
    const STAY: usize = 300;
    const PASSES: usize = 30;
    let mut guest = Guest::new();
    for index in 0..STAY {
        guest.file(&format!("stay-{index}"), b"");
    }
    let fds = [(); 3].map(|()| guest.open(".", OFlags::DIRECTORY, false).unwrap());
    let (folder, stop) = (guest.folder().to_owned(), AtomicBool::new(false));
    let changes = thread::scope(|scope| {
        let changing = scope.spawn(|| {
            // Up to 200 at a time, which lie in the middle of the others.
            let name = |change: usize| folder.join(format!("goes-{}", change % 700));
            let mut change = 0;
            while !stop.load(Ordering::Relaxed) {
                File::create(name(change)).unwrap();
                if change >= 200 {
                    fs::remove_file(name(change - 200)).unwrap();
                }
                change += 1;
            }
            change
        });
        for pass in 0..PASSES {
            let len = [100, 700, 4096][pass % 3];
            let (mut seen, mut cookie, mut pages) = (BTreeMap::new(), 0, 0);
            loop {
                let fd = fds[if pass % 2 == 0 { 0 } else { pages % 3 }];
                let (entries, ends) = guest.page(fd, len, cookie).unwrap();
                for entry in entries {
                    cookie = entry.cookie;
                    *seen.entry(entry.name).or_insert(0) += 1;
                }
                pages += 1;
                if ends {
                    break;
                }
            }
            for index in 0..STAY {
                let times = seen.get(format!("stay-{index}").as_bytes());
                assert_eq!(times, Some(&1), "stay-{index}, {len} bytes, pass {pass}");
            }
        }
        stop.store(true, Ordering::Relaxed);
        changing.join().unwrap()
    });
    assert!(changes > PASSES, "only {changes} changes");
}

#[test]
fn listings_in_progress_are_limited() {
    let limits = Limits {
        listings: 2,
        ..Limits::default()
    };
    let mut guest = Guest::with(|builder| {
        builder.limits(limits);
    });
    let fds: Vec<u32> = (0..3)
        .map(|_| guest.open(".", OFlags::DIRECTORY, false).unwrap())
        .collect();
    let mut start = |fd| functions::fd_readdir(&mut guest.call(), fd, BYTES, 24, 0, RESULT);
    assert_eq!(start(fds[0]), Ok(()));
    assert_eq!(start(fds[1]), Ok(()));
    assert_eq!(start(fds[2]), Err(Errno::Nfile));
    assert_eq!(start(fds[1]), Ok(()), "it is under way already");
    // One that comes to its end makes room, and so does one that is closed.
    guest.names(fds[0]).unwrap();
    guest.names(fds[2]).unwrap();
    guest.close(fds[1]).unwrap();
    assert_eq!(guest.ctx.alone().table.listings(), 0);
}
