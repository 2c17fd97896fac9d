//! Numbers that a guest could pass: wild pointers and lengths, any flags, any
//! file descriptors.

use super::guest::{BYTES, RESULT};
use super::*;
use crate::descriptor::Object;
use crate::functions::{self, Call, preview1};
use crate::interruption::Stop;
use crate::linker::FUNCTIONS;
use rustix::io::ioctl_fionread;
use std::io::Write;
use std::os::unix::net::{UnixListener, UnixStream};

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

/// A call with the arguments that come.
type Function = fn(&mut Call<'_>, &mut dyn FnMut() -> u64) -> Result<(), Errno>;

/// What any function returns, as an error code.
trait Told {
    fn told(self) -> Result<(), Errno>;
}

impl Told for Result<(), Errno> {
    fn told(self) -> Result<(), Errno> {
        self
    }
}

impl Told for Result<(), Stop> {
    fn told(self) -> Result<(), Errno> {
        self.map_err(|stop| match stop {
            Stop::Errno(errno) => errno,
            Stop::Interrupted | Stop::Suspended | Stop::Later => unreachable!("nobody does"),
        })
    }
}

impl Told for functions::Exit {
    fn told(self) -> Result<(), Errno> {
        Ok(())
    }
}

macro_rules! with_arguments {
    (
        quick { $($(#[$_q:meta])* $quick:ident($($q_param:ident: $q_ty:ty),*) -> $_qr:ident;)* }
        long { $($(#[$_l:meta])* $long:ident($($l_param:ident: $l_ty:ty),*) -> $_lr:ident;)* }
        recent { $($(#[$_r:meta])* $recent:ident($($r_param:ident: $r_ty:ty),*) -> $_rr:ident;)* }
    ) => {
        /// All functions, in the order of [`FUNCTIONS`].
        const ALL: &[Function] = &[
            $(|call, argument| {
                let _ = &argument;
                functions::$quick(call, $(argument() as $q_ty),*).told()
            },)*
            $(|call, argument| {
                let never = Interruption::never();
                functions::$long(call, &never, $(argument() as $l_ty),*).told()
            },)*
            $(|call, argument| {
                let never = Interruption::never();
                functions::$recent(call, &never, $(argument() as $r_ty),*).told()
            },)*
        ];
    };
}
preview1!(with_arguments);

#[test]
fn whatever_the_numbers_nothing_panics() {
    let mut numbers = Numbers(7);
    for round in 0..40 {
        let mut guest = Guest::new();
        guest.file("f", b"contents");
        guest.mkdir("d").unwrap();
        guest.create("g");
        for _ in 0..300 {
            for (function, call) in FUNCTIONS.iter().zip(ALL) {
                match function.name {
                    // It could fill the disk.
                    "fd_allocate" => continue,
                    // Zeroes are subscriptions to a clock that is due.
                    "poll_oneoff" => guest.memory.fill(0),
                    // Low addresses hold paths that make sense.
                    _ => guest.put(0, b"f\0d/x\0g"),
                }
                // Any outcome will do.
                let _ = call(&mut guest.call(), &mut || numbers.argument());
            }
        }
        assert_eq!(guest.memory.len(), 128 << 10, "round {round}");
    }
}

/// What a function gets for a parameter, so that it succeeds.
#[derive(Clone, Copy)]
enum Argument {
    Number(u64),
    /// An address. At least two bytes from there on are used.
    Pointer(u32),
    /// A length of what is at the pointer before it.
    Length(u32),
}

impl Argument {
    fn number(self) -> u64 {
        match self {
            Argument::Number(number) => number,
            Argument::Pointer(number) | Argument::Length(number) => number.into(),
        }
    }
}

/// A guest in which every function has something to do.
struct Busy {
    guest: Guest,
    /// The other sides of its connections.
    _peers: [UnixStream; 2],
}

/// Everything that a function could change.
#[derive(Debug, PartialEq, Eq)]
struct State {
    memory: Vec<u8>,
    names: Vec<(Vec<u8>, u8)>,
    contents: Vec<u8>,
    modified: u64,
    position: u64,
    received: u64,
    open: usize,
}

impl Busy {
    const LISTENER: u32 = PREOPEN + 1;
    const SOCKET: u32 = PREOPEN + 2;
    const FILE: u32 = PREOPEN + 3;
    /// Paths of four bytes each.
    const PATHS: [(&str, u32); 4] = [("file", 512), ("link", 516), ("diry", 520), ("newy", 524)];
    /// A list of one buffer, of three bytes.
    const BUFFERS: u32 = 528;

    fn new() -> Busy {
        let sockets = tempfile::tempdir().unwrap();
        let address = sockets.path().join("listener");
        let listener = UnixListener::bind(&address).unwrap();
        let mut guest = Guest::with(|builder| {
            builder.listener(listener).args(["tool", "x"]).env("A", "1");
        });
        // One connection is accepted, the other one waits.
        let mut peers = [(); 2].map(|()| UnixStream::connect(&address).unwrap());
        let accepted = uninterrupted::sock_accept(&mut guest.call(), Busy::LISTENER, 0, RESULT);
        assert_eq!((accepted, guest.u32(RESULT)), (Ok(()), Busy::SOCKET));
        peers[0].write_all(b"12345678").unwrap();
        guest.mkdir("diry").unwrap();
        guest.symlink("file", "link").unwrap();
        assert_eq!(guest.create("file"), Busy::FILE);
        guest.write(Busy::FILE, b"contents").unwrap();
        guest.seek(Busy::FILE, 2, 0).unwrap();
        for (path, at) in Busy::PATHS {
            guest.put(at, path.as_bytes());
        }
        guest.put(Busy::BUFFERS, &BYTES.to_le_bytes());
        guest.put(Busy::BUFFERS + 4, &3u32.to_le_bytes());
        Busy {
            guest,
            _peers: peers,
        }
    }

    fn argument(function: &str, param: &str) -> Argument {
        use Argument::{Length, Number, Pointer};
        let path = |name| {
            let found = Busy::PATHS.iter().find(|(path, _)| *path == name);
            Pointer(found.unwrap().1)
        };
        match (function, param) {
            ("sock_accept", "fd") => Number(Busy::LISTENER.into()),
            ("fd_prestat_get" | "fd_prestat_dir_name" | "fd_readdir", "fd") => {
                Number(PREOPEN.into())
            }
            (function, "fd") if function.starts_with("sock") => Number(Busy::SOCKET.into()),
            (function, "fd" | "old_fd" | "new_fd") if function.starts_with("path") => {
                Number(PREOPEN.into())
            }
            (_, "fd") => Number(Busy::FILE.into()),
            ("fd_prestat_dir_name", "path") => Pointer(BYTES),
            ("path_readlink", "path") => path("link"),
            ("path_remove_directory", "path") => path("diry"),
            ("path_create_directory", "path") | (_, "new_path") => path("newy"),
            (_, "path" | "old_path") => path("file"),
            (_, "path_len" | "old_path_len" | "new_path_len") => Length(4),
            (_, "iovs" | "ri_data" | "si_data") => Pointer(Busy::BUFFERS),
            (_, "iovs_len" | "ri_data_len" | "si_data_len" | "nsubscriptions") => Length(1),
            ("fd_readdir" | "path_readlink" | "random_get", "buf") => Pointer(BYTES),
            (_, "buf_len") => Length(64),
            // To the beginning of time.
            ("path_filestat_set_times", "fst_flags") => Number(FstFlags::MTIM.bits().into()),
            // A clock that is due.
            (_, "in_") => Pointer(4096),
            (_, "out" | "argv_buf" | "environ_buf" | "argv_buf_size" | "environ_buf_size") => {
                Pointer(8192)
            }
            ("fd_tell", "offset")
            | (
                _,
                "argc" | "argv" | "environc" | "environ" | "resolution" | "time" | "stat" | "buf"
                | "bufused" | "nread" | "nwritten" | "newoffset" | "opened_fd" | "nevents"
                | "connection" | "ro_datalen" | "ro_flags" | "so_datalen",
            ) => Pointer(RESULT),
            _ => Number(0),
        }
    }

    fn call(&mut self, call: Function, arguments: &[Argument]) -> Result<(), Errno> {
        let mut numbers = arguments.iter().map(|argument| argument.number());
        call(&mut self.guest.call(), &mut || numbers.next().unwrap())
    }

    fn state(&mut self) -> State {
        let guest = &mut self.guest;
        let memory = guest.memory.clone();
        let names = guest.names(PREOPEN).unwrap();
        let modified = guest.stat(FOLLOW, "file").unwrap().mtim;
        let position = guest.tell(Busy::FILE).unwrap();
        let contents = guest.read_file("file");
        let open = (0..32).filter(|fd| guest.fdstat(*fd).is_ok()).count();
        let table = &guest.ctx.alone().table;
        let Object::File(socket) = &table.get(Busy::SOCKET).unwrap().object else {
            panic!("it is a socket");
        };
        let received = ioctl_fionread(&socket.fd).unwrap();
        guest.memory.copy_from_slice(&memory);
        State {
            memory,
            names,
            contents,
            modified,
            position,
            received,
            open,
        }
    }
}

/// In a call that would succeed, each pointer and each length in turn is made
/// one that reaches beyond the memory.
#[test]
fn every_pointer_and_length_is_checked_before_anything_is_done() {
    let mut checked = 0;
    for (function, call) in FUNCTIONS.iter().zip(ALL) {
        let params = function.params.iter();
        let good: Vec<Argument> = params
            .map(|(param, _)| Busy::argument(function.name, param))
            .collect();
        let mut busy = Busy::new();
        let before = busy.state();
        let size = before.memory.len() as u32;
        for (index, (param, _)) in function.params.iter().enumerate() {
            let bad = match good[index] {
                Argument::Number(_) => continue,
                Argument::Pointer(_) => [size - 1, size, 1 << 31, !7, !3, !0],
                Argument::Length(_) => [size, size + 1, 1 << 31, !7, !3, !0],
            };
            checked += 1;
            for bad in bad {
                let mut arguments = good.clone();
                arguments[index] = Argument::Number(bad.into());
                let called = format!("{} with {param} {bad:#x}", function.name);
                let result = busy.call(*call, &arguments);
                assert_eq!(result, Err(Errno::Fault), "{called}");
                assert!(busy.state() == before, "{called}");
            }
        }
        if good
            .iter()
            .any(|argument| matches!(argument, Argument::Pointer(_)))
        {
            let result = busy.call(*call, &good);
            assert_eq!(result, Ok(()), "{}", function.name);
        }
    }
    // The witx has 53 pointers and 24 lengths.
    assert_eq!(checked, 53 + 24);
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
