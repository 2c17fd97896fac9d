//! What cannot be said in Cranelift's IR, by architecture: leaving a segment,
//! entering a function whose adapter is not made yet, and stubs.

#[cfg(all(target_arch = "x86_64", unix))]
mod x86_64;
#[cfg(all(target_arch = "x86_64", unix))]
pub(crate) use x86_64::{
    STUB_SIZE, SUPPORTED, backward_branches, land, leave_segment, resolve_and_enter, write_stub,
};

#[cfg(not(all(target_arch = "x86_64", unix)))]
mod unsupported;
#[cfg(not(all(target_arch = "x86_64", unix)))]
pub(crate) use unsupported::{
    STUB_SIZE, SUPPORTED, backward_branches, land, leave_segment, resolve_and_enter, write_stub,
};
