//! As much of WASI preview1 as the programs of `guests/` ask for, once for all
//! runtimes: they differ in how a host function is called, not in what it does.
//!
//! Time stands still and random bytes are all alike, so that a program does the
//! same every time.

/// What a host function tells its guest: 0, or an error code.
type Errno = u32;

const SUCCESS: Errno = 0;
const BADF: Errno = 8;
const FAULT: Errno = 21;

/// A parameter's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    I32,
    I64,
}
use Width::{I32, I64};

/// A function of the module `wasi_snapshot_preview1`.
#[derive(Clone, Copy)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) params: &'static [Width],
    /// Whether it returns an error code; `proc_exit` returns nothing.
    pub(crate) returns: bool,
    call: Body,
}

/// Gets the guest's state, its memory, and the arguments, zero-extended.
type Body = fn(&mut Wasi, &mut [u8], &[u64]) -> Option<Errno>;

/// The module that the functions are imported from.
pub(crate) const MODULE: &str = "wasi_snapshot_preview1";

/// All of them.
pub(crate) const FUNCTIONS: &[Function] = &[
    function("args_get", &[I32, I32], |wasi, memory, args| {
        let (mut pointer, mut text) = (args[0], args[1]);
        for arg in &wasi.args {
            put_u32(memory, pointer, u32::try_from(text).ok()?)?;
            put(memory, text, arg.as_bytes())?;
            put(memory, text + arg.len() as u64, &[0])?;
            pointer += 4;
            text += arg.len() as u64 + 1;
        }
        Some(SUCCESS)
    }),
    function("args_sizes_get", &[I32, I32], |wasi, memory, args| {
        let bytes: usize = wasi.args.iter().map(|arg| arg.len() + 1).sum();
        put_u32(memory, args[0], u32::try_from(wasi.args.len()).ok()?)?;
        put_u32(memory, args[1], u32::try_from(bytes).ok()?)?;
        Some(SUCCESS)
    }),
    function("environ_get", &[I32, I32], |_, _, _| Some(SUCCESS)),
    function("environ_sizes_get", &[I32, I32], |_, memory, args| {
        put_u32(memory, args[0], 0)?;
        put_u32(memory, args[1], 0)?;
        Some(SUCCESS)
    }),
    function("clock_time_get", &[I32, I64, I32], |_, memory, args| {
        put(memory, args[2], &[0; 8])?;
        Some(SUCCESS)
    }),
    function("random_get", &[I32, I32], |_, memory, args| {
        let bytes = get_mut(memory, args[0], args[1])?;
        bytes.fill(7);
        Some(SUCCESS)
    }),
    function("fd_close", &[I32], |_, _, _| Some(SUCCESS)),
    function("fd_seek", &[I32, I64, I32, I32], |_, _, _| Some(BADF)),
    function("fd_prestat_get", &[I32, I32], |_, _, _| Some(BADF)),
    function("fd_prestat_dir_name", &[I32, I32, I32], |_, _, _| {
        Some(BADF)
    }),
    function("fd_fdstat_get", &[I32, I32], |_, memory, args| {
        // A character device: what is printed goes out line by line.
        let mut stat = [0; 24];
        stat[0] = 2;
        put(memory, args[1], &stat)?;
        Some(SUCCESS)
    }),
    function("fd_write", &[I32, I32, I32, I32], |wasi, memory, args| {
        let mut written = 0;
        for number in 0..args[2] {
            let buffer = get_u32(memory, args[1] + 8 * number)?;
            let length = get_u32(memory, args[1] + 8 * number + 4)?;
            let bytes = get_mut(memory, buffer.into(), length.into())?;
            wasi.output.extend_from_slice(bytes);
            written += length;
        }
        put_u32(memory, args[3], written)?;
        Some(SUCCESS)
    }),
    Function {
        name: "proc_exit",
        params: &[I32],
        returns: false,
        call: |wasi, _, args| {
            wasi.exit = args[0] as u32;
            None
        },
    },
];

const fn function(name: &'static str, params: &'static [Width], call: Body) -> Function {
    Function {
        name,
        params,
        returns: true,
        call,
    }
}

impl Function {
    /// Runs it; `None` if the program ends with that.
    pub(crate) fn run(&self, wasi: &mut Wasi, memory: &mut [u8], args: &[u64]) -> Option<Errno> {
        let outcome = (self.call)(wasi, memory, args);
        if self.returns {
            Some(outcome.unwrap_or(FAULT))
        } else {
            None
        }
    }
}

/// The state of a program.
#[derive(Debug, Default)]
pub(crate) struct Wasi {
    args: Vec<String>,
    output: Vec<u8>,
    exit: u32,
}

impl Wasi {
    /// A program that is about to start with `--size SIZE`.
    pub(crate) fn new(name: &str, size: i32) -> Self {
        Wasi {
            args: vec![name.to_owned(), "--size".to_owned(), size.to_string()],
            ..Wasi::default()
        }
    }

    /// What the program gave `proc_exit`.
    pub(crate) fn exit_code(&self) -> i32 {
        self.exit.cast_signed()
    }

    /// A digest of what the program printed (FNV-1a).
    pub(crate) fn digest(&self) -> u64 {
        self.output
            .iter()
            .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            })
    }
}

fn get_mut(memory: &mut [u8], at: u64, length: u64) -> Option<&mut [u8]> {
    let at = usize::try_from(at).ok()?;
    let length = usize::try_from(length).ok()?;
    memory.get_mut(at..at.checked_add(length)?)
}

fn put(memory: &mut [u8], at: u64, bytes: &[u8]) -> Option<()> {
    get_mut(memory, at, bytes.len() as u64)?.copy_from_slice(bytes);
    Some(())
}

fn put_u32(memory: &mut [u8], at: u64, value: u32) -> Option<()> {
    put(memory, at, &value.to_le_bytes())
}

fn get_u32(memory: &mut [u8], at: u64) -> Option<u32> {
    let bytes = get_mut(memory, at, 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}
