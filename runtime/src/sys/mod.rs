//! What the operating system is asked for: address space, the bounds of native
//! stacks, and signals. Knows nothing of WebAssembly but the name of a trap.
//!
//! Everything here is for Unix. Linux is complete; elsewhere memories are not
//! guarded and stack bounds are unknown, and the callers' fallbacks take over.

pub mod build_id;
mod fault;
pub mod image;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod main_stack;
pub mod mmap;
pub mod pagemap;
pub mod signals;
pub mod stack;
