//! Numbers that a guest could pass: wild pointers and lengths, any flags, any
//! file descriptors.

use super::guest::{BYTES, RESULT};
use super::*;
use crate::functions::{self, Call, preview1};
use crate::interruption::Stop;

/// Splitmix64.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Small numbers, the edges of the types, and anything.
    fn argument(&mut self) -> u64 {
        const EDGES: [u64; 12] = [
            0x1_ffff,
            0x2_0000,
            0x7fff_ffff,
            0x8000_0000,
            0xffff_fff0,
            0xffff_fffc,
            0xffff_ffff,
            0x1_0000_0000,
            0x7fff_ffff_ffff_ffff,
            0x8000_0000_0000_0000,
            0xffff_ffff_ffff_fff0,
            0xffff_ffff_ffff_ffff,
        ];
        let number = self.next();
        match number % 8 {
            0..=3 => number >> 32 & 7,
            4 => number >> 32 & 0xffff,
            5 | 6 => EDGES[(number >> 32) as usize % EDGES.len()],
            _ => number,
        }
    }
}

type Function = (&'static str, fn(&mut Call<'_>, &mut Numbers));

macro_rules! with_numbers {
    (
        quick { $($(#[$_q:meta])* $quick:ident($($q_param:ident: $q_ty:ty),*) -> $_qr:ident;)* }
        long { $($(#[$_l:meta])* $long:ident($($l_param:ident: $l_ty:ty),*) -> $_lr:ident;)* }
        recent { $($(#[$_r:meta])* $recent:ident($($r_param:ident: $r_ty:ty),*) -> $_rr:ident;)* }
    ) => {
        /// All functions, called with whatever numbers come.
        pub(super) const ALL: &[Function] = &[
            $((stringify!($quick), |call, numbers| {
                let _ = &numbers;
                functions::$quick(call, $(numbers.argument() as $q_ty),*);
            }),)*
            $((stringify!($recent), |call, numbers| {
                let never = Interruption::never();
                functions::$recent(call, &never, $(numbers.argument() as $r_ty),*);
            }),)*
            $((stringify!($long), |call, numbers| {
                let never = Interruption::never();
                functions::$long(call, &never, $(numbers.argument() as $l_ty),*);
            }),)*
        ];
    };
}

#[allow(unused_must_use, reason = "any outcome will do")]
mod generated {
    use super::*;
    preview1!(with_numbers);
}

#[test]
fn whatever_the_numbers_nothing_panics() {
    let mut numbers = Numbers(7);
    for round in 0..40 {
        let mut guest = Guest::new();
        guest.file("f", b"contents");
        guest.mkdir("d").unwrap();
        guest.create("g");
        for _ in 0..300 {
            for (name, function) in generated::ALL {
                match *name {
                    // It could fill the disk.
                    "fd_allocate" => continue,
                    // Zeroes are subscriptions to a clock that is due.
                    "poll_oneoff" => guest.memory.fill(0),
                    // Low addresses hold paths that make sense.
                    _ => guest.put(0, b"f\0d/x\0g"),
                }
                function(&mut guest.call(), &mut numbers);
            }
        }
        assert_eq!(guest.memory.len(), 128 << 10, "round {round}");
    }
}

#[test]
fn a_fault_has_no_partial_effect() {
    let wild = [u32::MAX, u32::MAX - 3, (128 << 10) - 1];
    let mut guest = Guest::new();
    let fd = guest.create("file");
    guest.write(fd, b"abc").unwrap();
    guest.seek(fd, 0, 0).unwrap();
    let (path, len) = guest.path("new");
    let (list, count) = guest.iovecs(&[(BYTES, 3)]);
    let before = guest.memory.clone();
    for wild in wild {
        let call = &mut guest.call();
        let never = Interruption::never();
        let all = u64::MAX;
        let results = [
            uninterrupted::fd_write(call, fd, list, count, wild),
            uninterrupted::fd_write(call, fd, wild, count, RESULT),
            uninterrupted::fd_pwrite(call, fd, list, count, 0, wild),
            uninterrupted::fd_read(call, fd, list, count, wild),
            uninterrupted::fd_read(call, fd, wild, count, RESULT),
            uninterrupted::fd_pread(call, fd, list, count, 0, wild),
            functions::fd_seek(call, fd, 2, 0, wild),
            functions::fd_tell(call, fd, wild),
            functions::fd_fdstat_get(call, fd, wild),
            functions::fd_filestat_get(call, fd, wild),
            functions::fd_prestat_get(call, PREOPEN, wild),
            functions::fd_prestat_dir_name(call, PREOPEN, wild, 2),
            functions::fd_readdir(call, PREOPEN, wild, 64, 0, RESULT),
            functions::fd_readdir(call, PREOPEN, BYTES, 64, 0, wild),
            functions::path_open(call, PREOPEN, 0, path, len, 1, all, all, 0, wild),
            functions::path_open(call, PREOPEN, 0, wild, len, 1, all, all, 0, RESULT),
            functions::path_create_directory(call, PREOPEN, wild, len),
            functions::path_filestat_get(call, PREOPEN, 0, wild, len, RESULT),
            functions::path_symlink(call, path, len, PREOPEN, wild, len),
            functions::path_symlink(call, wild, len, PREOPEN, path, len),
            functions::path_link(call, PREOPEN, 0, wild, len, PREOPEN, path, len),
            functions::path_rename(call, PREOPEN, path, len, PREOPEN, wild, len),
            functions::path_readlink(call, PREOPEN, path, len, wild, 9, RESULT),
            functions::path_readlink(call, PREOPEN, path, len, BYTES, 9, wild),
            functions::path_unlink_file(call, PREOPEN, wild, len),
            functions::path_remove_directory(call, PREOPEN, wild, len),
            functions::args_sizes_get(call, RESULT, wild),
            functions::args_sizes_get(call, wild, RESULT),
            functions::clock_res_get(call, 0, wild),
            functions::clock_time_get(call, 0, 0, wild),
        ];
        for (index, result) in results.into_iter().enumerate() {
            assert_eq!(result, Err(Errno::Fault), "{wild:#x}, call {index}");
        }
        let fault = Err(Stop::Errno(Errno::Fault));
        assert_eq!(functions::environ_sizes_get(call, RESULT, wild), fault);
        assert_eq!(functions::random_get(call, &never, wild, 4), fault);
        assert_eq!(functions::random_get(call, &never, BYTES, u32::MAX), fault);
        assert_eq!(
            functions::poll_oneoff(call, &never, wild, BYTES, 1, RESULT),
            fault
        );
        assert_eq!(
            functions::poll_oneoff(call, &never, BYTES, wild, 1, RESULT),
            fault
        );
        assert_eq!(
            functions::poll_oneoff(call, &never, BYTES, BYTES, 1, wild),
            fault
        );
        assert!(guest.memory == before, "{wild:#x}");
        assert_eq!(guest.tell(fd), Ok(0), "{wild:#x}");
        guest.memory.copy_from_slice(&before);
    }
    assert_eq!(guest.names(PREOPEN).unwrap().len(), 1);
    assert_eq!(guest.read_file("file"), b"abc");
    assert!(
        guest.ctx.alone().table.get(fd + 1).is_err(),
        "no descriptor is lost"
    );
}

/// One bad buffer among good ones.
#[test]
fn no_buffer_is_moved_before_all_are_checked() {
    let mut guest = Guest::new();
    let fd = guest.create("file");
    let bad = (u32::MAX - 8, 9);
    for count in [1, 15, 16, 17, 40] {
        let mut list = vec![(BYTES, 1); count];
        list.push(bad);
        assert_eq!(guest.writev(fd, &list), Err(Errno::Fault), "{count}");
        assert_eq!(guest.readv(fd, &list), Err(Errno::Fault), "{count}");
    }
    assert_eq!(guest.filestat(fd).unwrap().size, 0);
}
