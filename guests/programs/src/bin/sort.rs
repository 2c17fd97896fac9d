//! The kernel `sort` as a program.

use std::process::ExitCode;

fn main() -> ExitCode {
    programs::run(|size| kernels::sort::run(size as i32 * 5) as u64)
}
