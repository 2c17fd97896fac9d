//! The kernel `crc32` as a program.

use std::process::ExitCode;

fn main() -> ExitCode {
    programs::run(|size| kernels::crc32::run(size as i32 * 50) as u64)
}
