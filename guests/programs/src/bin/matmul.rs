//! The kernel `matmul` as a program.

use std::process::ExitCode;

fn main() -> ExitCode {
    programs::run(|size| kernels::matmul::run(size as i32 * 10) as u64)
}
