//! Execution: one handler per operation and operand classes.
//!
//! Each file holds the handlers of one family, the format of their
//! instructions, and the function by which [`crate::link`] finds a handler.

pub(crate) mod atomic;
pub(crate) mod call;
pub(crate) mod control;
pub(crate) mod exception;
pub(crate) mod float;
pub(crate) mod fused;
pub(crate) mod grid;
pub(crate) mod int;
pub(crate) mod memory;
pub(crate) mod object;
pub(crate) mod regs;
pub(crate) mod simd;
pub(crate) mod slots;
pub(crate) mod tier_up;
pub(crate) mod trap;
pub(crate) mod wide;
