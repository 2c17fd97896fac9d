//! Neighbouring float operations: two of arithmetic, and one and a store of what
//! it computed. Of 64 bits, which is what nearly all programs compute with.

use crate::exec::control::{Loop1, Target, add_and_branch, branch};
use crate::exec::float::{self, Binary};
use crate::exec::grid::pick;
use crate::exec::int::{self, Compare};
use crate::exec::regs::{
    A, Class, FA, FK, FS, FloatClass, Handler, K, P0, P1, P2, S, class, dispatch, dispatch_arm,
    handler,
};
use crate::op::FloatBinary;

handler! {
    fn binary_binary<O: Binary, N: Binary, X: FloatClass, Y: FloatClass, D: FloatClass, Z: FloatClass, W: FloatClass, E: FloatClass>(r) {
        r.do_float_binary::<O, X, Y, D>();
        r.second_part();
        r.do_float_binary::<N, Z, W, E>();
        dispatch!(r)
    }
}

handler! {
    /// A store of the accumulator, which holds the result.
    fn binary_store<O: Binary, X: FloatClass, Y: FloatClass, D: FloatClass, B: Class>(r) {
        r.do_float_binary::<O, X, Y, D>();
        r.second_part();
        r.do_float_store::<f64, FA, B>();
        dispatch!(r)
    }
}

handler! {
    fn load_load<D: FloatClass, X: Class, E: FloatClass, Y: Class>(r) {
        let address = r.read::<X>(8, 0);
        r.do_float_load_from::<f64, D>(address);
        r.ip = r.ip.next(16);
        r.second_part();
        let address = r.read::<Y>(8, 0);
        r.do_float_load_from::<f64, E>(address);
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

handler! {
    /// An operation whose second operand was loaded.
    fn load2_binary<O: Binary, X: Class, D: FloatClass>(r) {
        r.do_float_load2::<f64, FA, X, K>();
        r.second_part();
        r.do_float_binary::<O, FS, FA, D>();
        dispatch!(r)
    }
}

handler! {
    /// A product with what was loaded, and an addition.
    fn load2_mul_add<X: Class, D: FloatClass>(r) {
        r.do_float_load2::<f64, FA, X, K>();
        r.second_part();
        r.do_float_mul_add::<f64, FS, FA, D>();
        dispatch!(r)
    }
}

handler! {
    /// The same of two that were loaded: the step of a scalar product.
    fn load2_load2_mul_add<X: Class, Y: Class, D: FloatClass>(r) {
        r.do_float_load2::<f64, FS, X, K>();
        r.second_part();
        r.do_float_load2::<f64, FA, Y, K>();
        r.second_part();
        r.do_float_mul_add::<f64, FS, FA, D>();
        dispatch!(r)
    }
}

handler! {
    /// A move between slots, and the end of a counting loop.
    fn mov_add_br<O: Compare, X: Class, Y: Class>(r) {
        let value: f64 = r.read_float::<FS, _>(8, 16);
        r.write_float::<FS, _>(10, value);
        r.ip = r.ip.next(16);
        r.second_part();
        add_and_branch!(r, Loop1, O, X, Y)
    }
}

/// The handler of `c + a * [x + constant]`.
pub(crate) fn load2_mul_add_handler(x: usize, d: usize) -> Handler {
    pick!(load2_mul_add[]; five x, float_two d)
}

/// The handler of `c + [x + constant] * [y + constant]`.
pub(crate) fn load2_load2_mul_add_handler(x: usize, y: usize, d: usize) -> Handler {
    pick!(load2_load2_mul_add[]; five x, five y, float_two d)
}

/// The handler of a move between slots and the end of a loop that counts with `x`.
pub(crate) fn mov_add_br_handler(x: usize, y: usize) -> Handler {
    pick!(mov_add_br[int::I32Ne]; five x, six y)
}

handler! {
    /// `(x - y) * b + c`, rounded three times.
    fn sub_mul_add<X: FloatClass, Y: FloatClass, M: FloatClass, B: FloatClass, D: FloatClass>(r) {
        r.do_float_binary::<float::F64Sub, X, Y, M>();
        r.second_part();
        r.do_float_mul_add::<f64, FA, B, D>();
        dispatch!(r)
    }
}

handler! {
    /// A store of `a * b + c`.
    fn mul_add_store<X: FloatClass, Y: FloatClass, B: Class>(r) {
        r.do_float_mul_add::<f64, X, Y, FA>();
        r.second_part();
        r.do_float_store::<f64, FA, B>();
        dispatch!(r)
    }
}

/// The handler of an operation whose second operand is loaded from `x` and a
/// constant, if there is one.
pub(crate) fn load2_binary_handler(op: FloatBinary, x: usize, d: usize) -> Option<Handler> {
    match op {
        FloatBinary::F64Add => Some(pick!(load2_binary[float::F64Add]; five x, float_two d)),
        FloatBinary::F64Sub => Some(pick!(load2_binary[float::F64Sub]; five x, float_two d)),
        FloatBinary::F64Mul => Some(pick!(load2_binary[float::F64Mul]; five x, float_two d)),
        _ => None,
    }
}

/// The handler of `(x - y) * b + c`.
pub(crate) fn sub_mul_add_handler(x: usize, y: usize, m: usize, b: usize, d: usize) -> Handler {
    pick!(sub_mul_add[]; float_two x, float_two y, float_two m, float_two b, float_two d)
}

/// The handler of a store of `a * b + c` to an address of class `x`.
pub(crate) fn mul_add_store_handler(a: usize, b: usize, x: usize) -> Handler {
    pick!(mul_add_store[]; float_two a, float_two b, five x)
}

/// An operation and where its operands and its result are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    pub(crate) op: FloatBinary,
    pub(crate) a: usize,
    pub(crate) b: usize,
    pub(crate) d: usize,
}

/// The handler of two operations, if there is one.
pub(crate) fn binary_binary_handler(first: Operation, second: Operation) -> Option<Handler> {
    let Operation { a: x, b: y, d, .. } = first;
    let Operation {
        a: z, b: w, d: e, ..
    } = second;
    let constant = |class| class == class::FLOAT_CONST;
    if constant(x) || constant(z) || (constant(y) && constant(w)) {
        return None;
    }
    macro_rules! table {
        ($($o:ident $n:ident),*) => {
            match (first.op, second.op) {
                $((FloatBinary::$o, FloatBinary::$n) => {
                    Some(table!(@ $o $n))
                })*
                _ => None,
            }
        };
        (@ F64Mul $n:ident) => {
            if constant(y) {
                pick!(binary_binary[float::F64Mul, float::$n]; float_two x, float_const y, float_two d, float_two z, float_two w, float_two e)
            } else {
                table!(@@ F64Mul $n)
            }
        };
        (@ $o:ident $n:ident) => {
            if constant(y) { return None } else { table!(@@ $o $n) }
        };
        (@@ $o:ident F64Mul) => {
            pick!(binary_binary[float::$o, float::F64Mul]; float_two x, float_two y, float_two d, float_two z, float_three w, float_two e)
        };
        (@@ $o:ident $n:ident) => {
            if constant(w) { return None } else {
                pick!(binary_binary[float::$o, float::$n]; float_two x, float_two y, float_two d, float_two z, float_two w, float_two e)
            }
        };
    }
    table!(
        F64Add F64Add, F64Add F64Sub, F64Add F64Mul, F64Sub F64Add, F64Sub F64Sub, F64Sub F64Mul,
        F64Mul F64Add, F64Mul F64Sub, F64Mul F64Mul
    )
}

/// The handler of an operation and a store of its result to an address of class
/// `b`, if there is one.
pub(crate) fn binary_store_handler(
    Operation { op, a, b: y, d }: Operation,
    b: usize,
) -> Option<Handler> {
    if a == class::FLOAT_CONST || y == class::FLOAT_CONST {
        return None;
    }
    macro_rules! table {
        ($($op:ident),*) => {
            match op {
                $(FloatBinary::$op => {
                    Some(pick!(binary_store[float::$op]; float_two a, float_two y, float_two d, five b))
                })*
                _ => None,
            }
        };
    }
    table!(F64Add, F64Sub, F64Mul)
}

/// The handler of two loads.
pub(crate) fn load_load_handler(d: usize, x: usize, e: usize, y: usize) -> Handler {
    pick!(load_load[]; float_two d, five x, float_two e, five y)
}
