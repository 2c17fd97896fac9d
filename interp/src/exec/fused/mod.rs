//! Two to four instructions in one handler, which saves the jumps between them.
//!
//! A fused instruction has the words of its parts in their order, less the
//! handler's address of all but the first: each part finds its operands where it
//! would find them alone. Which neighbours are fused is [`crate::fuse`]'s choice.

pub(crate) mod address;
pub(crate) mod chain;
pub(crate) mod float;
pub(crate) mod switch;

use super::call::leave_frame;
use super::control::{Absolute, IfNonZero, IfZero, Loop1, Sense, Target, branch};
use super::grid::pick;
use super::int::{self, Binary, Compare};
use super::memory::{
    Load, Load8S32, Load8S64, Load8U, Load16S32, Load16S64, Load16U, Load32S64, Load32U, Load64,
    Store8, Store32, Store64,
};
use super::regs::{
    A, Class, Handler, K, P0, P1, P2, S, class, dispatch, dispatch_arm, handler, header,
};
use crate::op::{IntBinary, IntCompare, IntLoad};

handler! {
    /// `load; load`.
    fn load_load<O: Load, N: Load, X: Class, D: Class, Y: Class, E: Class>(r) {
        r.do_load::<O, X, D>();
        r.second_part();
        r.do_load::<N, Y, E>();
        dispatch!(r)
    }
}

handler! {
    /// `load; store` of as many bits.
    fn load_store<O: Move, X: Class, D: Class, Y: Class, V: Class>(r) {
        r.do_load::<O::Load, X, D>();
        r.second_part();
        r.do_store::<O::Store, Y, V>();
        dispatch!(r)
    }
}

handler! {
    /// `store; load` of as many bits.
    fn store_load<O: Move, X: Class, V: Class, Y: Class, D: Class>(r) {
        r.do_store::<O::Store, X, V>();
        r.second_part();
        r.do_load::<O::Load, Y, D>();
        dispatch!(r)
    }
}

handler! {
    /// `store; store` of as many bits.
    fn store_store<O: Move, X: Class, V: Class, Y: Class, W: Class>(r) {
        r.do_store::<O::Store, X, V>();
        r.second_part();
        r.do_store::<O::Store, Y, W>();
        dispatch!(r)
    }
}

/// A load and a store of the same width.
pub(crate) trait Move {
    type Load: Load;
    type Store: super::memory::Store;
}
struct Move8;
struct Move32;
struct Move64;
impl Move for Move8 {
    type Load = Load8U;
    type Store = Store8;
}
impl Move for Move32 {
    type Load = Load32U;
    type Store = Store32;
}
impl Move for Move64 {
    type Load = Load64;
    type Store = Store64;
}

handler! {
    /// An operation whose first operand was loaded.
    fn load_binary<O: Load, N: Binary, X: Class, Y: Class, D: Class>(r) {
        r.do_load::<O, X, A>();
        r.second_part();
        r.do_binary::<N, A, Y, D>();
        dispatch!(r)
    }
}

handler! {
    /// An operation whose second operand was loaded.
    fn binary_load<O: Load, N: Binary, X: Class, Y: Class, D: Class>(r) {
        r.do_load::<O, X, A>();
        r.second_part();
        r.do_binary::<N, Y, A, D>();
        dispatch!(r)
    }
}

handler! {
    /// A branch on what was loaded.
    fn load_br_if<O: Load, T: Target, Z: Sense, X: Class>(r) {
        r.do_load::<O, X, A>();
        r.second_part();
        branch!(r, T, Z::taken(r.acc as u32), T::OPERANDS + 8)
    }
}

handler! {
    /// A branch on a comparison whose first operand was loaded.
    fn load_br_compare<O: Load, N: Compare, X: Class, D: Class, Y: Class>(r) {
        r.do_load::<O, X, D>();
        let a = r.result::<D>();
        r.second_part();
        let b = r.read_short::<Y>(const { Absolute::OPERANDS + 2 }, const { Absolute::OPERANDS + 4 });
        branch!(r, Absolute, N::holds(a, b), Absolute::OPERANDS + 8)
    }
}

handler! {
    /// A branch on a comparison whose second operand was loaded.
    fn load_br_compare_to<O: Load, N: Compare, X: Class, D: Class, Y: Class>(r) {
        r.do_load::<O, X, D>();
        let b = r.result::<D>();
        r.second_part();
        let a = r.read_short::<Y>(const { Absolute::OPERANDS }, const { Absolute::OPERANDS + 4 });
        branch!(r, Absolute, N::holds(a, b), Absolute::OPERANDS + 8)
    }
}

handler! {
    /// Two loads of bytes, the first to a slot, and a branch on whether they are
    /// the same.
    fn load_load_br_compare<N: Compare, X: Class, Y: Class, E: Class>(r) {
        r.do_load::<Load8U, X, S>();
        r.second_part();
        r.do_load::<Load8U, Y, E>();
        r.second_part();
        let a = r.slot(r.ip.u16(Absolute::OPERANDS));
        branch!(r, Absolute, N::holds(a, r.acc), Absolute::OPERANDS + 8)
    }
}

handler! {
    /// Returns what was loaded.
    fn load_ret<O: Load, X: Class>(r) {
        r.do_load::<O, X, A>();
        let (caller, return_to) = (r.header(header::CALLER), r.header(header::RETURN));
        r.set_header(header::RESULT, r.acc);
        leave_frame!(r, caller, return_to)
    }
}

handler! {
    /// `global + constant`.
    fn global_add<D: Class>(r) {
        r.do_global_get::<A>();
        r.second_part();
        r.do_binary::<int::I32Add, A, K, D>();
        dispatch!(r)
    }
}

handler! {
    /// `global += constant`: how a function takes its share of the stack that
    /// compilers keep in linear memory.
    fn global_add_set<D: Class>(r) {
        r.do_global_get::<A>();
        r.second_part();
        r.do_binary::<int::I32Add, A, K, D>();
        r.second_part();
        r.do_global_set::<A>();
        dispatch!(r)
    }
}

handler! {
    /// `global = a + constant`: how a function gives its share back.
    fn add_global_set<X: Class>(r) {
        r.do_binary::<int::I32Add, X, K, A>();
        r.second_part();
        r.do_global_set::<A>();
        dispatch!(r)
    }
}

handler! {
    /// The same at a function's end without results.
    fn add_global_set_ret<X: Class>(r) {
        r.do_binary::<int::I32Add, X, K, A>();
        r.second_part();
        r.do_global_set::<A>();
        let (caller, return_to) = (r.header(header::CALLER), r.header(header::RETURN));
        leave_frame!(r, caller, return_to)
    }
}

handler! {
    /// The same at the end of a function that returns what is in a slot.
    fn add_global_set_ret_int<X: Class>(r) {
        r.do_binary::<int::I32Add, X, K, A>();
        r.second_part();
        r.do_global_set::<A>();
        r.second_part();
        let value = r.read::<S>(8, 16);
        let (caller, return_to) = (r.header(header::CALLER), r.header(header::RETURN));
        r.set_header(header::RESULT, value);
        r.acc = value;
        leave_frame!(r, caller, return_to)
    }
}

/// The handler of two loads. The first is of 32 bits, zero-extended; unless the
/// second is too, the first goes to the accumulator.
pub(crate) fn load_load_handler(op: IntLoad, x: usize, d: usize, y: usize, e: usize) -> Handler {
    macro_rules! chains {
        ($($name:ident),*) => {
            match op {
                IntLoad::Load32U => pick!(load_load[Load32U, Load32U]; five x, two d, five y, two e),
                $(IntLoad::$name => {
                    debug_assert!(d == super::regs::class::ACC && y == super::regs::class::ACC);
                    pick!(load_chain[$name]; five x, two e)
                })*
            }
        };
    }
    chains!(
        Load8U, Load8S32, Load8S64, Load16U, Load16S32, Load16S64, Load32S64, Load64
    )
}

handler! {
    /// A load from where a loaded address points.
    fn load_chain<N: Load, X: Class, E: Class>(r) {
        r.do_load::<Load32U, X, A>();
        r.second_part();
        r.do_load::<N, A, E>();
        dispatch!(r)
    }
}

handler! {
    /// Two moves to slots.
    fn mov_mov<X: Class, Y: Class>(r) {
        r.do_mov::<X, S>();
        r.second_part();
        r.do_mov::<Y, S>();
        dispatch!(r)
    }
}

/// The handler of two moves to slots.
pub(crate) fn mov_mov_handler(x: usize, y: usize) -> Handler {
    pick!(mov_mov[]; six x, six y)
}

/// The handler of two loads of bytes.
pub(crate) fn load_load_bytes_handler(x: usize, d: usize, y: usize, e: usize) -> Handler {
    pick!(load_load[Load8U, Load8U]; five x, two d, five y, two e)
}

/// The handler of a load and a store of a byte.
pub(crate) fn load_store_byte_handler(x: usize, d: usize, y: usize, v: usize) -> Handler {
    pick!(load_store[Move8]; five x, two d, five y, two v)
}

/// The handler of a load and a store.
pub(crate) fn load_store_handler(wide: bool, x: usize, d: usize, y: usize, v: usize) -> Handler {
    match wide {
        false => pick!(load_store[Move32]; five x, two d, five y, two v),
        true => pick!(load_store[Move64]; five x, two d, five y, two v),
    }
}

/// The handler of a store and a load.
pub(crate) fn store_load_handler(wide: bool, x: usize, v: usize, y: usize, d: usize) -> Handler {
    match wide {
        false => pick!(store_load[Move32]; five x, two v, five y, two d),
        true => pick!(store_load[Move64]; five x, two v, five y, two d),
    }
}

/// The handler of two stores.
pub(crate) fn store_store_handler(wide: bool, x: usize, v: usize, y: usize, w: usize) -> Handler {
    match wide {
        false if w >= class::PIN => {
            pick!(store_store[Move32]; five x, two v, five y, pins w - class::PIN)
        }
        false => pick!(store_store[Move32]; five x, two v, five y, two w),
        true => pick!(store_store[Move64]; five x, two v, five y, two w),
    }
}

/// The handler of a load and an operation on it and `y`, if there is one. With
/// `second` the loaded value is the second operand.
pub(crate) fn load_binary_handler(
    load: IntLoad,
    op: IntBinary,
    second: bool,
    x: usize,
    y: usize,
    d: usize,
) -> Option<Handler> {
    macro_rules! table {
        ($($name:ident),*) => {
            match (load, op, second) {
                $((IntLoad::Load32U, IntBinary::$name, false) if d <= class::ACC => {
                    pick!(load_binary[Load32U, int::$name]; five x, six y, two d)
                })*
                (IntLoad::Load32U, IntBinary::I32Sub, true) if d <= class::ACC => {
                    pick!(binary_load[Load32U, int::I32Sub]; five x, six y, two d)
                }
                // A loop's sum goes to a pinned local.
                (IntLoad::Load32U, IntBinary::I32Add, false) => {
                    pick!(load_binary[Load32U, int::I32Add]; five x, six y, pins d - class::PIN)
                }
                (IntLoad::Load32U, IntBinary::I32Xor, false) => {
                    pick!(load_binary[Load32U, int::I32Xor]; five x, six y, pins d - class::PIN)
                }
                (IntLoad::Load8U, IntBinary::I32Add, false) => {
                    pick!(load_binary[Load8U, int::I32Add]; five x, six y, five d)
                }
                (IntLoad::Load8U, IntBinary::I32Xor, false) => {
                    pick!(load_binary[Load8U, int::I32Xor]; five x, six y, five d)
                }
                _ => return None,
            }
        };
    }
    Some(table!(
        I32Add, I32Sub, I32And, I32Or, I32Xor, I32Mul, I32Shl, I32ShrU, I32ShrS
    ))
}

/// The handler of a load and a branch on it, if there is one.
pub(crate) fn load_br_if_handler(
    op: IntLoad,
    loop_slot: u8,
    non_zero: bool,
    x: usize,
) -> Option<Handler> {
    Some(match (op, loop_slot, non_zero) {
        (IntLoad::Load32U, 0, false) => pick!(load_br_if[Load32U, Absolute, IfZero]; five x),
        (IntLoad::Load32U, 0, true) => pick!(load_br_if[Load32U, Absolute, IfNonZero]; five x),
        (IntLoad::Load32U, 1, false) => pick!(load_br_if[Load32U, Loop1, IfZero]; five x),
        (IntLoad::Load32U, 1, true) => pick!(load_br_if[Load32U, Loop1, IfNonZero]; five x),
        (IntLoad::Load8U, 0, false) => pick!(load_br_if[Load8U, Absolute, IfZero]; five x),
        (IntLoad::Load8U, 0, true) => pick!(load_br_if[Load8U, Absolute, IfNonZero]; five x),
        (IntLoad::Load8U, 1, false) => pick!(load_br_if[Load8U, Loop1, IfZero]; five x),
        (IntLoad::Load8U, 1, true) => pick!(load_br_if[Load8U, Loop1, IfNonZero]; five x),
        _ => return None,
    })
}

/// The handler of a load and a forward branch on a comparison with it, if there
/// is one. With `second` the loaded value is the second operand.
pub(crate) fn load_br_compare_handler(
    load: IntLoad,
    op: IntCompare,
    second: bool,
    x: usize,
    d: usize,
    y: usize,
) -> Option<Handler> {
    macro_rules! table {
        ($load:ident: $($name:ident),*; pins: $($pinned:ident),*) => {
            match (op, second) {
                $(
                    (IntCompare::$pinned, false) if d >= class::PIN => {
                        pick!(load_br_compare[$load, int::$pinned]; five x, pins d - class::PIN, six y)
                    }
                    (IntCompare::$pinned, true) if d >= class::PIN => {
                        pick!(load_br_compare_to[$load, int::$pinned]; five x, pins d - class::PIN, six y)
                    }
                )*
                _ if d >= class::PIN => return None,
                $(
                    (IntCompare::$name, false) => pick!(load_br_compare[$load, int::$name]; five x, two d, six y),
                    (IntCompare::$name, true) => pick!(load_br_compare_to[$load, int::$name]; five x, two d, six y),
                )*
                _ => return None,
            }
        };
    }
    Some(match load {
        IntLoad::Load32U => {
            table!(Load32U: I32Eq, I32Ne, I32LtS, I32LtU, I32LeS, I32LeU; pins: I32LtU, I32LeU)
        }
        IntLoad::Load8U => table!(Load8U: I32Eq, I32Ne; pins:),
        _ => return None,
    })
}

/// The handler of two loads of bytes and a forward branch on whether they are
/// the same, if there is one.
pub(crate) fn load_load_br_compare_handler(
    op: IntCompare,
    x: usize,
    y: usize,
    e: usize,
) -> Option<Handler> {
    match op {
        IntCompare::I32Eq => Some(pick!(load_load_br_compare[int::I32Eq]; five x, five y, two e)),
        IntCompare::I32Ne => Some(pick!(load_load_br_compare[int::I32Ne]; five x, five y, two e)),
        _ => None,
    }
}

/// The handler of a load and a return of what was loaded, if there is one.
pub(crate) fn load_ret_handler(op: IntLoad, x: usize) -> Option<Handler> {
    match op {
        IntLoad::Load32U => Some(pick!(load_ret[Load32U]; five x)),
        _ => None,
    }
}

/// The handler of `global + constant`, with `set` also of `global += constant`.
pub(crate) fn global_add_handler(set: bool, d: usize) -> Handler {
    match set {
        false => pick!(global_add[]; two d),
        true => pick!(global_add_set[]; two d),
    }
}

/// What follows `global = a + constant`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Any instruction.
    Next,
    /// A return without a result.
    Ret,
    /// A return of a slot.
    RetSlot,
}

/// The handler of `global = a + constant`.
pub(crate) fn add_global_set_handler(then: Then, x: usize) -> Handler {
    match then {
        Then::Next => pick!(add_global_set[]; five x),
        Then::Ret => pick!(add_global_set_ret[]; five x),
        Then::RetSlot => pick!(add_global_set_ret_int[]; five x),
    }
}
