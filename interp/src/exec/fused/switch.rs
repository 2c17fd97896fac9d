//! The loop of an interpreter that is itself a guest, `for (;;) switch (*next++)`:
//! its head in one handler, and with it the ways back to it.
//!
//! Most of what such a guest executes is this head, and the bodies of its
//! instructions are short. A way back that goes through the head by itself also
//! gives the processor one indirect jump per instruction of the guest's guest to
//! predict by, where one `br_table` stood for all.
//!
//! The head stays where it is, also for who falls into it or branches to it by
//! another instruction; its operands are read there.

use crate::exec::control::{Absolute, Loop1, Loop2, Target};
use crate::exec::grid::pick;
use crate::exec::int::{self, Binary};
use crate::exec::memory::{Load, Load8U, Load16U, Load32U};
use crate::exec::regs::{A, Class, Handler, K, P0, P1, P2, Regs, S, dispatch, handler};
use crate::op::{IntBinary, IntLoad};

impl Regs {
    /// `op = next; next = op + constant; br_table (load8_u op)`.
    #[inline(always)]
    unsafe fn do_fetch<N: Class, O: Class>(&mut self) {
        // SAFETY: the contract of all handlers.
        unsafe {
            self.do_mov::<N, O>();
            self.second_part();
            self.do_binary::<int::I32Add, O, K, N>();
            self.second_part();
            self.do_load::<Load8U, O, A>();
            self.second_part();
            self.do_br_table::<A>();
        }
    }
}

handler! {
    fn fetch<N: Class, O: Class>(r) {
        r.do_fetch::<N, O>();
        dispatch!(r)
    }
}

handler! {
    /// `br` to a [`fetch`].
    fn br_fetch<T: Target, N: Class, O: Class>(r) {
        r.jump::<T>();
        r.do_fetch::<N, O>();
        dispatch!(r)
    }
}

handler! {
    /// `pin = pin + constant` before that.
    fn add_br_fetch<T: Target, N: Class, O: Class, X: Class, D: Class>(r) {
        r.do_binary::<int::I32Add, X, K, D>();
        r.second_part();
        r.jump::<T>();
        r.do_fetch::<N, O>();
        dispatch!(r)
    }
}

handler! {
    /// A move between pins before that.
    fn mov_br_fetch<T: Target, N: Class, O: Class, X: Class, D: Class>(r) {
        r.do_mov::<X, D>();
        r.second_part();
        r.jump::<T>();
        r.do_fetch::<N, O>();
        dispatch!(r)
    }
}

handler! {
    /// A `br_table` on what was loaded.
    fn load_br_table<O: Load, X: Class>(r) {
        r.do_load::<O, X, A>();
        r.second_part();
        r.do_br_table::<A>();
        dispatch!(r)
    }
}

handler! {
    /// A `br_table` on a sum with a constant (cases that do not begin with 0) or
    /// on some bits.
    fn binary_br_table<O: Binary, X: Class, D: Class>(r) {
        r.do_binary::<O, X, K, D>();
        r.second_part();
        r.do_br_table::<A>();
        dispatch!(r)
    }
}

handler! {
    /// `d = a + constant` at the end of a block or loop.
    fn add_br<T: Target, X: Class, D: Class>(r) {
        r.do_binary::<int::I32Add, X, K, D>();
        r.second_part();
        r.jump::<T>();
        dispatch!(r)
    }
}

handler! {
    /// A move at the end of a block or loop.
    fn mov_br<T: Target, X: Class, D: Class>(r) {
        r.do_mov::<X, D>();
        r.second_part();
        r.jump::<T>();
        dispatch!(r)
    }
}

/// The pins of a [`fetch`], 0 the first: that of the address of the next
/// instruction, and that of the address of the current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FetchPins {
    pub(crate) next: usize,
    pub(crate) op: usize,
}

macro_rules! by_target {
    ($loop_slot:expr, $f:ident; $($axes:tt)*) => {
        pick!($f by usize::from($loop_slot) => [Absolute] [Loop1] [Loop2]; $($axes)*)
    };
}

/// The handler of the head.
pub(crate) fn fetch_handler(FetchPins { next, op }: FetchPins) -> Handler {
    pick!(fetch[]; pins next, pins op)
}

/// The handler of a `br` to a head.
pub(crate) fn br_fetch_handler(loop_slot: u8, FetchPins { next, op }: FetchPins) -> Handler {
    by_target!(loop_slot, br_fetch; pins next, pins op)
}

/// The handler of `d = x + constant` between pins and a `br` to a head.
pub(crate) fn add_br_fetch_handler(
    loop_slot: u8,
    FetchPins { next, op }: FetchPins,
    x: usize,
    d: usize,
) -> Handler {
    by_target!(loop_slot, add_br_fetch; pins next, pins op, pins x, pins d)
}

/// The handler of a move between pins and a `br` to a head.
pub(crate) fn mov_br_fetch_handler(
    loop_slot: u8,
    FetchPins { next, op }: FetchPins,
    x: usize,
    d: usize,
) -> Handler {
    by_target!(loop_slot, mov_br_fetch; pins next, pins op, pins x, pins d)
}

/// The handler of a load and a `br_table` on it, if there is one.
pub(crate) fn load_br_table_handler(op: IntLoad, x: usize) -> Option<Handler> {
    match op {
        IntLoad::Load8U => Some(pick!(load_br_table[Load8U]; five x)),
        IntLoad::Load16U => Some(pick!(load_br_table[Load16U]; five x)),
        IntLoad::Load32U => Some(pick!(load_br_table[Load32U]; five x)),
        _ => None,
    }
}

/// The handler of an operation with a constant and a `br_table` on its result,
/// if there is one.
pub(crate) fn binary_br_table_handler(op: IntBinary, x: usize, d: usize) -> Option<Handler> {
    match op {
        IntBinary::I32Add => Some(pick!(binary_br_table[int::I32Add]; five x, two d)),
        IntBinary::I32And => Some(pick!(binary_br_table[int::I32And]; five x, two d)),
        _ => None,
    }
}

/// The handler of a sum with a constant and a `br`.
pub(crate) fn add_br_handler(loop_slot: u8, x: usize, d: usize) -> Handler {
    by_target!(loop_slot, add_br; five x, five d)
}

/// The handler of a move and a `br`.
pub(crate) fn mov_br_handler(loop_slot: u8, x: usize, d: usize) -> Handler {
    by_target!(loop_slot, mov_br; six x, five d)
}
