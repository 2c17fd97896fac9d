//! The kernel `coremark` as a program.

use std::process::ExitCode;

fn main() -> ExitCode {
    programs::run(|size| kernels::coremark::run(size as i32 * 40) as u64)
}
