//! Calls, returns, and the stubs at the edges of the interpreter.
//!
//! ```text
//!  call            [handler] [cell]                          [base:16 _ catcher:32]  [pins]
//!  call imported   [handler] [offset in the instance block]  [base:16 _ catcher:32]  [pins]
//!  call indirect   [handler] [a:16 base:16 table:32]         [type:32 catcher:32]    [pins]
//!  call reference  [handler] [a:16 base:16 _]                [_:32 catcher:32]       [pins]
//!  tail calls      the same, with [argument slots:16] in place of the pins, and no catcher
//!  return          [handler] [a:16 _] [constant:64]
//!  return many     [handler] [first:16 count:16 _]
//!  enter           [handler] [first:16 count:16 _]
//! ```
//! `base` is where the callee's frame begins in the caller's; its arguments are
//! there. A callee returns to the instruction behind the call, whose last word,
//! the caller's pins, the return handler finds just before its return address.
//! `catcher` is for exceptions (see [`exception`](super::exception)).
//!
//! Every call goes to its callee's `interp_entry` with the callee's cell in the
//! accumulator. For what is not lowered or not interpreted that entry is a
//! static instruction of this module, so that calls need not ask what they call.

use super::exception::unwind;
use super::grid::pick;
use super::int;
use super::regs::{
    A, Class, FA, FK, FS, FloatClass, Handler, Ip, K, Outcome, P0, P1, P2, Regs, S, dispatch,
    handler, header, tail,
};
use super::trap::{
    IndirectCallTypeMismatch, NullFunctionReference, StackOverflow, UndefinedElement,
    UninitializedElement, trap,
};
use crate::backtrace::before_return;
use rwasm_runtime::code::CodeCell;
use rwasm_runtime::entry::finish_tail_calls;
use rwasm_runtime::layout::{FuncRef, Status, StoreCtx, TableDef, TailCall, VmCtx};
use rwasm_runtime::types::TypeId;
use std::sync::atomic::Ordering;

/// Bytes of a call instruction.
const CALL_SIZE: usize = 32;

/// Begins the callee's frame: the whole of its header but the loop slots.
macro_rules! push_frame {
    ($r:ident, $base:expr, $vmctx:expr, $memory:expr) => {{
        let callee_fp = $r.fp.add($base);
        if callee_fp >= (*$r.store()).stack_limit {
            tail!(trap::<StackOverflow>, $r)
        }
        *callee_fp.offset(header::MEMORY) = $memory;
        *callee_fp.offset(header::VMCTX) = $vmctx;
        *callee_fp.offset(header::CALLER) = $r.fp as u64;
        *callee_fp.offset(header::RETURN) = $r.ip.next(CALL_SIZE).0 as u64;
        $r.fp = callee_fp;
    }};
}

/// Enters a cell's code.
macro_rules! enter_cell {
    ($r:ident, $cell:expr) => {{
        let cell: *const CodeCell = $cell;
        $r.acc = cell as u64;
        $r.ip = Ip((*cell).interp_entry.load(Ordering::Acquire));
        dispatch!($r)
    }};
}

/// Moves the arguments of a tail call to the start of the frame.
macro_rules! reuse_frame {
    ($r:ident, $base:expr) => {{
        let count = $r.ip.u16(24);
        std::ptr::copy($r.fp.add($base), $r.fp, count);
    }};
}

/// Calls the function of the module that the instruction names.
macro_rules! call_own {
    ($r:ident) => {{
        let cell = $r.ip.u64(8) as *const CodeCell;
        push_frame!(
            $r,
            $r.ip.u16(16),
            $r.header(header::VMCTX),
            $r.header(header::MEMORY)
        );
        enter_cell!($r, cell)
    }};
}

handler! {
    fn call<>(r) {
        call_own!(r)
    }
}

handler! {
    fn return_call<>(r) {
        let cell = r.ip.u64(8) as *const CodeCell;
        reuse_frame!(r, r.ip.u16(16));
        enter_cell!(r, cell)
    }
}

/// Calls the function that `$func` refers to.
macro_rules! call_func_ref {
    ($r:ident, $func:expr, $base:expr) => {{
        let func: *const FuncRef = $func;
        let vmctx = (*func).instance;
        push_frame!($r, $base, vmctx as u64, (*vmctx).memory0_base as u64);
        enter_cell!($r, (*func).cell)
    }};
}

/// Tail-calls the function that `$func` refers to.
macro_rules! return_call_func_ref {
    ($r:ident, $func:expr, $base:expr) => {{
        let func: *const FuncRef = $func;
        let vmctx = (*func).instance;
        reuse_frame!($r, $base);
        $r.set_header(header::VMCTX, vmctx as u64);
        $r.set_header(header::MEMORY, (*vmctx).memory0_base as u64);
        enter_cell!($r, (*func).cell)
    }};
}

/// The element of a table that `call_indirect` calls.
macro_rules! indirect_callee {
    ($r:ident, $class:ident) => {{
        let table: *mut TableDef = VmCtx::pointer_at($r.vmctx(), $r.ip.u32(12));
        let index = $r.read::<$class>(8, 0);
        if index >= (*table).len {
            tail!(trap::<UndefinedElement>, $r)
        }
        let func = *(*table).elems.add(index as usize) as *const FuncRef;
        if func.is_null() {
            tail!(trap::<UninitializedElement>, $r)
        }
        if (*func).ty.as_u32() != $r.ip.u32(16) && !is_subtype($r.vmctx(), func, $r.ip.u32(16)) {
            tail!(trap::<IndirectCallTypeMismatch>, $r)
        }
        func
    }};
}

handler! {
    fn call_imported<>(r) {
        let func: *mut FuncRef = VmCtx::pointer_at(r.vmctx(), r.ip.u32(8));
        let cell = (*func).cell;
        let vmctx = (*func).instance;
        push_frame!(r, r.ip.u16(16), vmctx as u64, (*vmctx).memory0_base as u64);
        r.acc = cell as u64;
        let entry = (*cell).interp_entry.load(Ordering::Acquire);
        if entry.cast_const() == CALL_ARRAY.ip() {
            // What is imported is mostly of the host; one jump less to predict.
            tail!(call_array, r)
        }
        r.ip = Ip(entry);
        dispatch!(r)
    }
}

handler! {
    fn return_call_imported<>(r) {
        let func: *mut FuncRef = VmCtx::pointer_at(r.vmctx(), r.ip.u32(8));
        return_call_func_ref!(r, func, r.ip.u16(16))
    }
}

// The last argument of a call is often computed just before it.
handler! {
    /// A move to a slot, and a call.
    fn mov_call<X: Class>(r) {
        r.do_mov::<X, S>();
        r.second_part();
        call_own!(r)
    }
}

handler! {
    /// Two moves to slots, and a call.
    fn mov_mov_call<X: Class, Y: Class>(r) {
        r.do_mov::<X, S>();
        r.second_part();
        r.do_mov::<Y, S>();
        r.second_part();
        call_own!(r)
    }
}

handler! {
    /// A sum with a constant to a slot, and a call.
    fn add_call<X: Class>(r) {
        r.do_binary::<int::I32Add, X, K, S>();
        r.second_part();
        call_own!(r)
    }
}

handler! {
    fn call_indirect<X: Class>(r) {
        let func = indirect_callee!(r, X);
        call_func_ref!(r, func, r.ip.u16(10))
    }
}

handler! {
    /// A move to a slot, and an indirect call.
    fn mov_call_indirect<X: Class, I: Class>(r) {
        r.do_mov::<X, S>();
        r.second_part();
        let func = indirect_callee!(r, I);
        call_func_ref!(r, func, r.ip.u16(10))
    }
}

handler! {
    fn return_call_indirect<X: Class>(r) {
        let func = indirect_callee!(r, X);
        return_call_func_ref!(r, func, r.ip.u16(10))
    }
}

handler! {
    fn call_ref<X: Class>(r) {
        let func = r.read::<X>(8, 0) as *const FuncRef;
        if func.is_null() {
            tail!(trap::<NullFunctionReference>, r)
        }
        call_func_ref!(r, func, r.ip.u16(10))
    }
}

handler! {
    fn return_call_ref<X: Class>(r) {
        let func = r.read::<X>(8, 0) as *const FuncRef;
        if func.is_null() {
            tail!(trap::<NullFunctionReference>, r)
        }
        return_call_func_ref!(r, func, r.ip.u16(10))
    }
}

/// Whether a function has a declared subtype of the type that a `call_indirect`
/// of the instance expects.
#[cold]
#[inline(never)]
unsafe fn is_subtype(vmctx: *mut VmCtx, func: *const FuncRef, expected: u32) -> bool {
    // SAFETY: the contract of all handlers; the instance runs a module's code.
    unsafe {
        let module = &*(*vmctx).module;
        module
            .registry
            .is_subtype((*func).ty, TypeId::from_u32(expected))
    }
}

handler! {
    /// Zeroes the locals behind the arguments.
    fn enter<>(r) {
        let first = r.fp.add(r.ip.u16(8));
        let count = r.ip.u16(10);
        let mut at = 0;
        while at < count {
            // Volatile, lest LLVM calls `memset` and spills the registers.
            first.add(at).write_volatile(0);
            at += 1;
        }
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

handler! {
    /// As [`enter`], for the usual few locals.
    fn enter_few<; const N: usize>(r) {
        let first = r.fp.add(r.ip.u16(8));
        *first.cast::<[u64; N]>() = [0; N];
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

/// Returns to the caller, whose pins are in the word before the return address.
macro_rules! leave_frame {
    ($r:ident, $caller:expr, $return_to:expr) => {{
        $r.fp = $caller as *mut u64;
        $r.ip = crate::exec::regs::Ip($return_to as *const u64);
        $r.load_pins($r.ip.0.sub(1).cast());
        dispatch!($r)
    }};
}

pub(super) use leave_frame;

handler! {
    fn ret<>(r) {
        let (caller, return_to) = (r.header(header::CALLER), r.header(header::RETURN));
        leave_frame!(r, caller, return_to)
    }
}

handler! {
    fn ret_int<X: Class>(r) {
        let value = r.read::<X>(8, 16);
        let (caller, return_to) = (r.header(header::CALLER), r.header(header::RETURN));
        r.set_header(header::RESULT, value);
        r.acc = value;
        leave_frame!(r, caller, return_to)
    }
}

handler! {
    fn ret_float<X: FloatClass>(r) {
        let value: f64 = r.read_float::<X, _>(8, 16);
        let (caller, return_to) = (r.header(header::CALLER), r.header(header::RETURN));
        r.set_header(header::RESULT, value.to_bits());
        r.fa = value;
        leave_frame!(r, caller, return_to)
    }
}

handler! {
    /// Returns what stands in consecutive slots.
    fn ret_many<>(r) {
        let (caller, return_to) = (r.header(header::CALLER), r.header(header::RETURN));
        std::ptr::copy(r.fp.add(r.ip.u16(8)), r.fp.offset(header::RESULT), r.ip.u16(10));
        leave_frame!(r, caller, return_to)
    }
}

handler! {
    /// Ends the chain: the return address of a segment's first frame.
    #[allow(unused_unsafe, reason = "the macro's block is for handlers that read memory")]
    fn exit<>(r) {
        let _ = r;
        Status::Ok as Outcome
    }
}

handler! {
    /// Lowers the called function, whose frame is already begun, and enters it; or
    /// enters machine code of an earlier process.
    #[cold]
    fn lower_and_enter<>(r) {
        let cell = &*(r.acc as *const CodeCell);
        if crate::take_up_code(cell) && !(*r.store()).interpreted {
            tail!(call_array, r)
        }
        match crate::lower_cell(cell) {
            Ok(entry) => {
                r.ip = Ip(entry);
                dispatch!(r)
            }
            Err(error) => {
                leave_to_caller(&r);
                rwasm_runtime::store::Store::fail(r.store(), error.into());
                Status::Trap as Outcome
            }
        }
    }
}

/// Returns from a frame whose array an array entry has left with a status.
macro_rules! return_from_array {
    ($r:ident, $status:expr, $cell:expr, $caller:expr, $return_to:expr) => {{
        let status: Status = $status;
        if status != Status::Ok {
            if status == Status::Exception {
                $r.fp = $caller as *mut u64;
                $r.ip = Ip($return_to as *const u64);
                tail!(unwind, $r)
            }
            return status as Outcome;
        }
        $r.acc = *$r.fp;
        $r.fa = f64::from_bits($r.acc);
        // Over the header, which is there also if there is no result.
        $r.set_header(header::RESULT, $r.acc);
        if $cell.result_slots > 1 {
            std::ptr::copy(
                $r.fp,
                $r.fp.offset(header::RESULT),
                usize::from($cell.result_slots),
            );
        }
        leave_frame!($r, $caller, $return_to)
    }};
}

pub(super) use return_from_array;

handler! {
    /// Calls a host function, or whatever else has only an array entry, in the
    /// frame that was begun for it; then returns from that frame.
    fn call_array<>(r) {
        let cell = &*(r.acc as *const CodeCell);
        let (caller, return_to) = (r.header(header::CALLER), r.header(header::RETURN));
        let store = r.store();
        if (*store).interpreted && !cell.module.is_null() {
            // It has machine code, and a body all the same.
            tail!(lower_and_enter, r)
        }
        leave_to_caller(&r);
        if return_to == EXIT.ip() as u64 && !cell.module.is_null() {
            // A tail call out of the segment's first frame: the segment ends
            // first, so that tiers that call each other do not nest.
            (*store).tail_call = TailCall { callee: r.vmctx(), cell, args: r.fp };
            return Status::TailCall as Outcome;
        }
        let slots = cell.param_slots.max(cell.result_slots);
        let outer_top = (*store).stack_top;
        (*store).stack_top = r.fp.add(usize::from(slots));
        let caller_vmctx = *(caller as *mut u64).offset(header::VMCTX) as *mut VmCtx;
        let mut status = cell.array_entry()(r.vmctx(), caller_vmctx, cell, r.fp);
        if status != Status::Ok {
            status = finish_failed(store, status, cell, r.fp);
        }
        (*store).stack_top = outer_top;
        return_from_array!(r, status, cell, caller, return_to)
    }
}

/// After a call by the array shape that returned another status than
/// [`Status::Ok`]: makes the tail calls that it left, and notes a failure.
#[cold]
#[inline(never)]
unsafe fn finish_failed(
    store: *mut StoreCtx,
    status: Status,
    cell: *const CodeCell,
    frame: *mut u64,
) -> Status {
    // SAFETY: the contract of all handlers; `cell` was just called with `frame`.
    unsafe {
        let status = finish_tail_calls(store, status, cell, frame);
        if status == Status::Trap {
            rwasm_runtime::store::Store::note_failed_call(store, cell, frame);
        }
        status
    }
}

/// Leaves the segment at the call that began the current frame.
#[inline(always)]
pub(super) unsafe fn leave_to_caller(r: &Regs) {
    // SAFETY: the contract of all handlers; a segment is entered.
    unsafe {
        let segment = (*r.store()).segment;
        (*segment).exit_fp = r.header(header::CALLER) as *mut u64;
        (*segment).exit_ip = before_return(r.header(header::RETURN) as usize) as *const u64;
    }
}

/// A static instruction without operands. Handlers are functions, whose
/// addresses a `u64` cannot hold in a constant, hence the type.
#[repr(C)]
pub(crate) struct Stub {
    /// The pins of the "caller" where the stub is a return address: slot 0.
    pins: u64,
    handler: Handler,
}

impl Stub {
    /// The address of the instruction.
    pub(crate) const fn ip(&'static self) -> *const u64 {
        (&raw const self.handler).cast()
    }
}

/// The return address of a segment's first frame.
pub(crate) static EXIT: Stub = Stub {
    pins: 0,
    handler: exit,
};
/// The entry of a function that is not lowered yet.
pub(crate) static LOWER: Stub = Stub {
    pins: 0,
    handler: lower_and_enter,
};
/// The entry of a function that has an array entry only.
pub(crate) static CALL_ARRAY: Stub = Stub {
    pins: 0,
    handler: call_array,
};

/// The handlers of the four kinds of calls, ordinary and tail.
pub(crate) fn call_handler(tail: bool) -> Handler {
    if tail { return_call } else { call }
}

/// The handler of a call to an imported function.
pub(crate) fn call_imported_handler(tail: bool) -> Handler {
    if tail {
        return_call_imported
    } else {
        call_imported
    }
}

/// The handler of a call through a table.
pub(crate) fn call_indirect_handler(tail: bool, a: usize) -> Handler {
    if tail {
        pick!(return_call_indirect[]; five a)
    } else {
        pick!(call_indirect[]; five a)
    }
}

/// The handler of a call through a reference.
pub(crate) fn call_ref_handler(tail: bool, a: usize) -> Handler {
    if tail {
        pick!(return_call_ref[]; five a)
    } else {
        pick!(call_ref[]; five a)
    }
}

/// The handler that zeroes `count` locals.
pub(crate) fn enter_handler(count: usize) -> Handler {
    match count {
        1 => enter_few::<1>,
        2 => enter_few::<2>,
        3 => enter_few::<3>,
        4 => enter_few::<4>,
        5 => enter_few::<5>,
        6 => enter_few::<6>,
        7 => enter_few::<7>,
        8 => enter_few::<8>,
        _ => enter,
    }
}

/// The handler of a return without results.
pub(crate) fn ret_handler() -> Handler {
    ret
}

/// The handler of a return of one integer.
pub(crate) fn ret_int_handler(a: usize) -> Handler {
    pick!(ret_int[]; six a)
}

/// The handler of a return of one float.
pub(crate) fn ret_float_handler(a: usize) -> Handler {
    pick!(ret_float[]; float_three a)
}

/// The handler of a return of several results.
pub(crate) fn ret_many_handler() -> Handler {
    ret_many
}

/// The handler of a move to a slot and an indirect call.
pub(crate) fn mov_call_indirect_handler(x: usize, index: usize) -> Handler {
    pick!(mov_call_indirect[]; six x, five index)
}

/// The handler of a move to a slot and a call of a function of the module.
pub(crate) fn mov_call_handler(x: usize) -> Handler {
    pick!(mov_call[]; six x)
}

/// The handler of two moves to slots and such a call.
pub(crate) fn mov_mov_call_handler(x: usize, y: usize) -> Handler {
    pick!(mov_mov_call[]; six x, six y)
}

/// The handler of a sum of `x` and a constant, to a slot, and such a call.
pub(crate) fn add_call_handler(x: usize) -> Handler {
    pick!(add_call[]; five x)
}
