//! The kernel `sieve` as a program.

use std::process::ExitCode;

fn main() -> ExitCode {
    programs::run(|size| kernels::sieve::run(size as i32 * 12) as u64)
}
