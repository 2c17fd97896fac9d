//! An access of memory, and the arithmetic on its address: before it the sum or
//! the shift that the address comes from, behind it the step to the next one.

use crate::exec::grid::pick;
use crate::exec::int::{self, Binary};
use crate::exec::memory::{
    FloatAccess, Load, Load8U, Load16U, Load32U, Load64, Store, Store8, Store32,
};
use crate::exec::regs::{
    A, Class, FA, FS, FloatClass, Handler, K, P0, P1, P2, S, dispatch, handler,
};
use crate::op::{FloatWidth, IntBinary, IntLoad, IntStore};

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
