//! Benches of rwasm beside its peers, in one process and on the same modules.
//!
//! A [`Kernel`] is a module that exports one function from a size to a
//! checksum, or a program that prints one; a [`Subject`] is a runtime that can load and call it. Every bench
//! compares the checksums before it measures anything.
//!
//! The peers are compiled here and nowhere else: this crate is no default
//! member of the workspace, and nothing depends on it.
#![forbid(unsafe_code)]

mod clock;
mod kernels;
pub mod lowering;
mod subjects;
mod wasi;

pub use clock::{cpu_time, process_cpu_time};
pub use kernels::{Entry, Kernel, KernelError, built_in, programs};
pub use subjects::{Guest, SUBJECTS, Subject, SubjectError};
