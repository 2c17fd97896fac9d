//! Host functions as code sees them.

use crate::code::CodeCell;
use crate::layout::{FuncRef, VmCtx};
use std::any::Any;

/// A function of the host: an instance block of its own, so that a call passes
/// it as `callee`, and the closure behind it.
#[repr(C)]
pub struct HostFunc {
    /// Head of the block, with [`crate::layout::VmCtxKind::Host`]. First, so
    /// that a `*mut VmCtx` of that kind is a `*mut HostFunc`.
    pub vmctx: VmCtx,
    /// The code: an array entry that knows the type of `closure`, and makes no
    /// tail calls.
    pub cell: CodeCell,
    /// The reference to this function.
    pub func_ref: FuncRef,
    /// What the array entry calls.
    pub closure: Box<dyn Any + Send + Sync>,
}
