//! What the programs that benches run have in common.
//!
//! Each takes `--size N` (100 if not given), does an amount of work in
//! proportion to N, and prints a checksum of what it computed. At 100 that is a
//! few tenths of a second as machine code. A program does the same on every
//! machine and in every run.

#![forbid(unsafe_code)]

use std::env;
use std::process::ExitCode;

/// The size of a program that is not told one.
const DEFAULT_SIZE: u32 = 100;

/// Runs a program: `compute` gets the size and returns the checksum.
pub fn run(compute: impl FnOnce(u32) -> u64) -> ExitCode {
    let mut args = env::args().skip(1);
    let size = match (args.next().as_deref(), args.next()) {
        (None, _) => Some(DEFAULT_SIZE),
        (Some("--size"), Some(size)) => size.parse().ok(),
        _ => None,
    };
    let Some(size) = size else {
        eprintln!("usage: PROGRAM [--size N]");
        return ExitCode::from(2);
    };
    println!("{:016x}", compute(size));
    ExitCode::SUCCESS
}

/// Adds a number to a checksum (FNV-1a, by words).
pub fn mix(checksum: u64, value: u64) -> u64 {
    (checksum ^ value).wrapping_mul(0x0100_0000_01b3)
}

/// Pseudo-random numbers (xorshift64*).
pub struct Random(u64);

impl Random {
    /// A sequence of its own for every seed.
    pub fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// The next number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 32) * limit >> 32
    }
}
