//! What depends on the processor: memory accesses that may fault, the entry
//! into a chain of handlers, and rounding instructions.

#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::*;

#[cfg(not(target_arch = "x86_64"))]
mod generic;
#[cfg(not(target_arch = "x86_64"))]
pub(crate) use generic::*;
