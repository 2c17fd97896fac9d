//! Traps raised by handlers. Cold, and sibling calls like everything else.

use super::regs::{Ip, Outcome, handler, header};
use rwasm_runtime::layout::{Status, VmCtx};
use rwasm_runtime::store::Store;
use rwasm_runtime::trap::Trap;

/// A trap as a type, so that [`trap`] is one handler per trap.
pub(crate) trait Raise {
    const TRAP: Trap;
}

macro_rules! raises {
    ($($name:ident),* $(,)?) => {$(
        pub(crate) struct $name;
        impl Raise for $name { const TRAP: Trap = Trap::$name; }
    )*};
}
raises! {
    Unreachable, MemoryOutOfBounds, TableOutOfBounds, UndefinedElement, UninitializedElement,
    IndirectCallTypeMismatch, NullFunctionReference, NullReference, NullExceptionReference,
    IntegerDivideByZero, IntegerOverflow, BadConversionToInteger, NullStructureReference,
    NullArrayReference, NullI31Reference, ArrayOutOfBounds, CastFailure, StackOverflow, OutOfFuel,
    Interrupted,
}

handler! {
    /// Ends the segment with a trap at the current instruction.
    #[cold]
    #[inline(never)]
    fn trap<T: Raise>(r) {
        raise(r.ip, r.fp, T::TRAP)
    }
}

/// Records a trap at the instruction `ip` of the frame `fp`; returns the
/// chain's outcome. It takes no `&Regs`: a handler whose registers had an
/// address would lose its sibling call.
#[cold]
#[inline(never)]
pub(crate) unsafe fn raise(ip: Ip, fp: *mut u64, trap: Trap) -> Outcome {
    // SAFETY: the contract of all handlers; a segment is entered.
    unsafe {
        let vmctx = *fp.offset(header::VMCTX) as *mut VmCtx;
        let store = (*vmctx).store;
        let segment = (*store).segment;
        (*segment).exit_fp = fp;
        (*segment).exit_ip = ip.0;
        Store::raise(store, trap);
    }
    Status::Trap as Outcome
}
