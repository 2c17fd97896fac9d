//! Listings, through the function. `listing.rs` tests the rest.

use super::guest::{BYTES, RESULT};
use super::*;
use crate::functions;
use crate::limits::Limits;

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

#[test]
fn names_that_are_not_utf8_can_be_used() {
    let mut guest = Guest::new();
    let name: &[u8] = b"caf\xe9";
    std::fs::write(guest.host(guest::os(name)), "text").unwrap();
    let names = guest.names(PREOPEN).unwrap();
    assert_eq!(names, [(name.to_vec(), FileType::RegularFile as u8)]);
    let fd = guest.open(name, OFlags::empty(), false).unwrap();
    assert_eq!(guest.read(fd, 9), Ok(b"text".to_vec()));
    guest.unlink(name).unwrap();
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
