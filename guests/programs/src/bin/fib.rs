//! Calls: naive recursion.

use std::process::ExitCode;

fn main() -> ExitCode {
    programs::run(|size| {
        (0..size).fold(0, |sum, round| {
            programs::mix(sum, kernels::fib::run(26 + (round & 1) as i32) as u64)
        })
    })
}
