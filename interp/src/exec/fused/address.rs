//! An access of memory, and the arithmetic on its address: before it the sum or
//! the shift that the address comes from, behind it the step to the next one.

use crate::exec::control::{Absolute, Target, branch};
use crate::exec::grid::pick;
use crate::exec::int::{self, Binary, Compare};
use crate::exec::memory::{
    FloatAccess, Load, Load8U, Load16S32, Load16U, Load32U, Load64, Store, Store8, Store16, Store32,
};
use crate::exec::regs::{
    A, Class, FA, FS, FloatClass, Handler, K, P0, P1, P2, S, dispatch, dispatch_arm, handler,
};
use crate::op::{FloatWidth, IntBinary, IntCompare, IntLoad, IntStore};

handler! {
    /// `d = x op constant`, and a load from there.
    fn binary_load_from<O: Binary, L: Load, X: Class, D: Class, E: Class>(r) {
        r.do_binary::<O, X, K, D>();
        let address = r.result::<D>();
        r.second_part();
        r.do_load_from::<L, E>(address);
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

handler! {
    /// `d = x + constant`, and a load of a float from there.
    fn add_float_load<F: FloatAccess, E: FloatClass, X: Class, D: Class>(r) {
        r.do_binary::<int::I32Add, X, K, D>();
        let address = r.result::<D>();
        r.second_part();
        r.do_float_load_from::<F, E>(address);
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

handler! {
    /// An element of an array: a load from `y + (x << constant)`.
    fn shl_load2<L: Load, X: Class, Y: Class, E: Class>(r) {
        r.do_binary::<int::I32Shl, X, K, A>();
        r.second_part();
        r.do_load2::<L, A, Y, E>();
        dispatch!(r)
    }
}

handler! {
    /// `d = x + y`, and a load from there.
    fn sum_load<L: Load, X: Class, Y: Class, D: Class, E: Class>(r) {
        r.do_binary::<int::I32Add, X, Y, D>();
        let address = r.result::<D>();
        r.second_part();
        r.do_load_from::<L, E>(address);
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

handler! {
    /// A load from `y + (x + constant)`.
    fn add_load2<L: Load, X: Class, Y: Class, E: Class>(r) {
        r.do_binary::<int::I32Add, X, K, A>();
        r.second_part();
        r.do_load2::<L, A, Y, E>();
        dispatch!(r)
    }
}

handler! {
    /// An element of a table by some bits: a load from `y + ((x & k) << k)`.
    fn and_shl_load2<L: Load, X: Class, Y: Class, E: Class>(r) {
        r.do_binary::<int::I32And, X, K, A>();
        r.second_part();
        r.do_binary::<int::I32Shl, A, K, A>();
        r.second_part();
        r.do_load2::<L, A, Y, E>();
        dispatch!(r)
    }
}

handler! {
    /// `d = x + y`, and a load from a constant distance behind.
    fn sum_load2<L: Load, X: Class, Y: Class, D: Class, E: Class>(r) {
        r.do_binary::<int::I32Add, X, Y, D>();
        r.second_part();
        r.do_load2::<L, A, K, E>();
        dispatch!(r)
    }
}

handler! {
    /// `d` is the byte at `x`, and a branch on whether that is in a range.
    fn load_br_in_range<X: Class, D: Class>(r) {
        r.do_load::<Load8U, X, D>();
        let byte = r.result::<D>();
        r.second_part();
        r.acc = int::I32Add::apply(byte, u64::from(r.ip.u32(12)));
        r.ip = r.ip.next(16);
        r.second_part();
        let length = r.read_short::<K>(0, const { Absolute::OPERANDS + 4 });
        branch!(r, Absolute, int::I32LtU::holds(r.acc, length), Absolute::OPERANDS + 8)
    }
}

handler! {
    /// A store at the end of a block.
    fn store_br<O: Store, X: Class, V: Class>(r) {
        r.do_store::<O, X, V>();
        r.second_part();
        r.jump::<Absolute>();
        dispatch!(r)
    }
}

handler! {
    /// A load from a sum with a constant, and a load.
    fn load2_load<L: Load, X: Class, D: Class, Y: Class, E: Class>(r) {
        r.do_load2::<L, X, K, D>();
        r.second_part();
        r.do_load::<L, Y, E>();
        dispatch!(r)
    }
}

handler! {
    /// A load from a sum with a constant, and a store of what was loaded.
    fn load2_store_byte<X: Class, Y: Class>(r) {
        r.do_load2::<Load8U, X, K, A>();
        r.second_part();
        r.do_store::<Store8, Y, A>();
        dispatch!(r)
    }
}

handler! {
    /// A load from a sum, and a branch on its relation to a slot.
    fn load2_br_compare<L: Load, N: Compare, X: Class, Y: Class>(r) {
        r.do_load2::<L, X, Y, A>();
        r.second_part();
        let a = r.slot(r.ip.u16(Absolute::OPERANDS));
        branch!(r, Absolute, N::holds(a, r.acc), Absolute::OPERANDS + 8)
    }
}

handler! {
    /// `d = x + constant`, and a store of that.
    fn add_store<O: Store, X: Class, D: Class, Y: Class>(r) {
        r.do_binary::<int::I32Add, X, K, D>();
        r.second_part();
        r.do_store::<O, Y, A>();
        dispatch!(r)
    }
}

handler! {
    /// An element of an array: a store to `y + (x << constant)`.
    fn shl_store2<O: Store, X: Class, Y: Class, V: Class>(r) {
        r.do_binary::<int::I32Shl, X, K, A>();
        r.second_part();
        r.do_store2::<O, A, Y, V>();
        dispatch!(r)
    }
}

handler! {
    /// A store, and `local += constant`.
    fn store_step<O: Store, X: Class, V: Class, L: Class>(r) {
        r.do_store::<O, X, V>();
        r.second_part();
        r.do_binary::<int::I32Add, L, K, L>();
        dispatch!(r)
    }
}

/// The handler of `d = x op constant` and a load to `e` from there, if there is
/// one.
pub(crate) fn binary_load_handler(
    op: IntBinary,
    load: IntLoad,
    x: usize,
    d: usize,
    e: usize,
) -> Option<Handler> {
    macro_rules! table {
        ($($op:ident $load:ident),*) => {
            match (op, load) {
                $((IntBinary::$op, IntLoad::$load) => {
                    Some(pick!(binary_load_from[int::$op, $load]; five x, five d, five e))
                })*
                _ => None,
            }
        };
    }
    table!(
        I32Add Load32U, I32Add Load8U, I32Shl Load32U, I32Shl Load64, I32And Load32U,
        I32And Load8U, I32And Load16U
    )
}

/// The handler of `d = x + y` and a load to `e` from there, if there is one.
pub(crate) fn sum_load_handler(
    load: IntLoad,
    x: usize,
    y: usize,
    d: usize,
    e: usize,
) -> Option<Handler> {
    match load {
        IntLoad::Load8U => Some(pick!(sum_load[Load8U]; two x, five y, five d, five e)),
        IntLoad::Load16U => Some(pick!(sum_load[Load16U]; two x, five y, five d, five e)),
        IntLoad::Load32U => Some(pick!(sum_load[Load32U]; two x, five y, five d, five e)),
        _ => None,
    }
}

/// The handler of a load to `e` from `y + (x + constant)`, if there is one.
pub(crate) fn add_load2_handler(load: IntLoad, x: usize, y: usize, e: usize) -> Option<Handler> {
    match load {
        IntLoad::Load8U => Some(pick!(add_load2[Load8U]; five x, five y, five e)),
        _ => None,
    }
}

/// The handler of a load to `e` from `y + ((x & constant) << constant)`, if there
/// is one.
pub(crate) fn and_shl_load2_handler(
    load: IntLoad,
    x: usize,
    y: usize,
    e: usize,
) -> Option<Handler> {
    match load {
        IntLoad::Load32U => Some(pick!(and_shl_load2[Load32U]; five x, five y, two e)),
        _ => None,
    }
}

/// The handler of `d = x + y` and a load to `e` from a constant distance behind,
/// if there is one.
pub(crate) fn sum_load2_handler(
    load: IntLoad,
    x: usize,
    y: usize,
    d: usize,
    e: usize,
) -> Option<Handler> {
    match load {
        IntLoad::Load8U => Some(pick!(sum_load2[Load8U]; two x, five y, two d, two e)),
        IntLoad::Load32U => Some(pick!(sum_load2[Load32U]; two x, five y, two d, two e)),
        _ => None,
    }
}

/// The handler of a load of a byte to `d` and a forward branch on whether it is
/// in a range.
pub(crate) fn load_br_in_range_handler(x: usize, d: usize) -> Handler {
    pick!(load_br_in_range[]; five x, five d)
}

/// The handler of a store and a `br`, if there is one.
pub(crate) fn store_br_handler(op: IntStore, x: usize, v: usize) -> Option<Handler> {
    match op {
        IntStore::Store8 => Some(pick!(store_br[Store8]; five x, five v)),
        IntStore::Store32 => Some(pick!(store_br[Store32]; five x, five v)),
        IntStore::Store16 | IntStore::Store64 => None,
    }
}

/// The handler of a load to `d` from the sum of `x` and a constant and a load to
/// `e` of as many bits from `y`, if there is one.
pub(crate) fn load2_load_handler(
    load: IntLoad,
    x: usize,
    d: usize,
    y: usize,
    e: usize,
) -> Option<Handler> {
    match load {
        IntLoad::Load16U => Some(pick!(load2_load[Load16U]; five x, two d, five y, two e)),
        IntLoad::Load16S32 => Some(pick!(load2_load[Load16S32]; five x, two d, five y, two e)),
        IntLoad::Load32U => Some(pick!(load2_load[Load32U]; five x, two d, five y, two e)),
        _ => None,
    }
}

/// The handler of a load of a byte from the sum of `x` and a constant and its
/// store to `y`.
pub(crate) fn load2_store_byte_handler(x: usize, y: usize) -> Handler {
    pick!(load2_store_byte[]; five x, five y)
}

/// The handler of a load from `x + y` and a forward branch on whether that is
/// what is in a slot, if there is one.
pub(crate) fn load2_br_compare_handler(
    load: IntLoad,
    op: IntCompare,
    x: usize,
    y: usize,
) -> Option<Handler> {
    match (load, op) {
        (IntLoad::Load8U, IntCompare::I32Eq) => {
            Some(pick!(load2_br_compare[Load8U, int::I32Eq]; five x, six y))
        }
        (IntLoad::Load8U, IntCompare::I32Ne) => {
            Some(pick!(load2_br_compare[Load8U, int::I32Ne]; five x, six y))
        }
        _ => None,
    }
}

/// The handler of `d = x + constant` and a store of that to `y`, if there is one.
pub(crate) fn add_store_handler(op: IntStore, x: usize, d: usize, y: usize) -> Option<Handler> {
    match op {
        IntStore::Store16 => Some(pick!(add_store[Store16]; five x, two d, five y)),
        IntStore::Store32 => Some(pick!(add_store[Store32]; five x, two d, five y)),
        IntStore::Store8 | IntStore::Store64 => None,
    }
}

/// The handler of a store of `v` to `y + (x << constant)`, if there is one.
pub(crate) fn shl_store2_handler(op: IntStore, x: usize, y: usize, v: usize) -> Option<Handler> {
    match op {
        IntStore::Store32 => Some(pick!(shl_store2[Store32]; five x, five y, five v)),
        _ => None,
    }
}

/// The handler of `d = x + constant` and a load of a float to `e` from there.
pub(crate) fn add_float_load_handler(width: FloatWidth, x: usize, d: usize, e: usize) -> Handler {
    match width {
        FloatWidth::F32 => pick!(add_float_load[f32]; float_two e, five x, five d),
        FloatWidth::F64 => pick!(add_float_load[f64]; float_two e, five x, five d),
    }
}

/// The handler of a load to `e` from `y + (x << constant)`, if there is one.
pub(crate) fn shl_load2_handler(load: IntLoad, x: usize, y: usize, e: usize) -> Option<Handler> {
    match load {
        IntLoad::Load32U => Some(pick!(shl_load2[Load32U]; five x, five y, five e)),
        _ => None,
    }
}

/// The handler of a store and a sum of the local in `l` and a constant, if there
/// is one.
pub(crate) fn store_step_handler(op: IntStore, x: usize, v: usize, l: usize) -> Option<Handler> {
    match op {
        IntStore::Store8 => Some(pick!(store_step[Store8]; five x, five v, five l)),
        IntStore::Store32 => Some(pick!(store_step[Store32]; five x, five v, five l)),
        IntStore::Store16 | IntStore::Store64 => None,
    }
}
