//! Compute kernels that need nothing from a host.
//!
//! Every kernel is a function `run(size) -> checksum` over its own fixed-size
//! buffers: no allocation, no imports, the same result on every machine. `size`
//! is the argument of [`fib`] and a number of rounds everywhere else, so that
//! the time of a kernel grows in proportion to it.
//!
//! The files in `examples/` turn each kernel into a WebAssembly module of its
//! own; as a native library the kernels are the baseline and the oracle.

#![no_std]
#![forbid(unsafe_code)]

pub mod coremark;
pub mod crc32;
pub mod fib;
pub mod matmul;
pub mod sieve;
pub mod sort;

mod random;

/// Makes the crate a module that exports the given kernel as `run(i32) -> i32`.
///
/// A panic becomes a trap without a message: formatting it would be most of the
/// module.
#[macro_export]
macro_rules! export {
    ($kernel:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn run(size: i32) -> i32 {
            $kernel(size)
        }

        #[cfg(target_family = "wasm")]
        #[panic_handler]
        fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
            core::arch::wasm32::unreachable()
        }
    };
}
