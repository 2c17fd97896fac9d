//! Integer operations and what comes next: another one on their result, mostly.
//!
//! How compilers take fields out of words, compute addresses and hash: shifts,
//! masks and sums with constants. Only operations that follow each other often
//! have a handler for both: with all classes of all operands, every pair of them
//! costs a hundred.

use crate::exec::call::leave_frame;
use crate::exec::control::{Absolute, Loop1, Loop2, Target, add_and_branch, branch};
use crate::exec::grid::pick;
use crate::exec::int::{self, Binary, Compare};
use crate::exec::regs::{
    A, Class, Handler, K, P0, P1, P2, S, class, dispatch, dispatch_arm, handler, header,
};
use crate::op::{IntBinary, IntCompare};

handler! {
    /// `(x op k) op k`.
    fn const_const<O: Binary, N: Binary, X: Class, D: Class>(r) {
        r.do_binary::<O, X, K, A>();
        r.second_part();
        r.do_binary::<N, A, K, D>();
        dispatch!(r)
    }
}

handler! {
    /// `(x op k) op z`.
    fn const_any<O: Binary, N: Binary, X: Class, Z: Class, D: Class>(r) {
        r.do_binary::<O, X, K, A>();
        r.second_part();
        r.do_binary::<N, A, Z, D>();
        dispatch!(r)
    }
}

handler! {
    /// `(x op y) op k`.
    fn any_const<O: Binary, N: Binary, X: Class, Y: Class, D: Class>(r) {
        r.do_binary::<O, X, Y, A>();
        r.second_part();
        r.do_binary::<N, A, K, D>();
        dispatch!(r)
    }
}

handler! {
    /// `(x op y) op k`, the first result also to its slot.
    fn any_const_kept<O: Binary, N: Binary, X: Class, Y: Class, M: Class, D: Class>(r) {
        r.do_binary::<O, X, Y, M>();
        r.second_part();
        r.do_binary::<N, A, K, D>();
        dispatch!(r)
    }
}

handler! {
    /// `(x < y) - (a < b)`, as languages with a comparison of three results
    /// order: the second comparison is of slots.
    fn compare_difference<O: Compare, X: Class, Y: Class>(r) {
        r.do_compare::<O, X, Y, S>();
        r.second_part();
        r.do_compare::<O, S, S, A>();
        r.second_part();
        r.do_binary::<int::I32Sub, S, A, A>();
        dispatch!(r)
    }
}

handler! {
    /// `d = x op k; e = (y op k) ^ z`, as hashes mix rotations of a word.
    fn const_const_xor<O: Binary, X: Class, Y: Class, E: Class>(r) {
        r.do_binary::<O, X, K, S>();
        r.second_part();
        r.do_binary::<O, Y, K, A>();
        r.second_part();
        r.do_binary::<int::I32Xor, A, S, E>();
        dispatch!(r)
    }
}

handler! {
    /// Two fields of a word: `d = (x >> k) & k; e = (x >> k) & k`.
    fn two_fields<X: Class, D: Class, E: Class>(r) {
        r.do_binary::<int::I32ShrU, X, K, A>();
        r.second_part();
        r.do_binary::<int::I32And, A, K, D>();
        r.second_part();
        r.do_binary::<int::I32ShrU, X, K, A>();
        r.second_part();
        r.do_binary::<int::I32And, A, K, E>();
        dispatch!(r)
    }
}

handler! {
    /// `d = x + y; local += constant`.
    fn sum_step<X: Class, Y: Class, L: Class>(r) {
        r.do_binary::<int::I32Add, X, Y, S>();
        r.second_part();
        r.do_binary::<int::I32Add, L, K, L>();
        dispatch!(r)
    }
}

handler! {
    /// Loads the pinned locals, and ends a counting loop around the one left.
    fn pin_add_br<T: Target, O: Compare, X: Class, Y: Class>(r) {
        r.load_pins(r.ip.0.add(1).cast());
        r.ip = r.ip.next(16);
        r.second_part();
        add_and_branch!(r, T, O, X, Y)
    }
}

handler! {
    /// A move to a pinned local, and a branch back if that is less than `y`.
    fn mov_br_less<X: Class, D: Class, Y: Class>(r) {
        r.do_mov::<X, D>();
        let a = r.result::<D>();
        r.second_part();
        let b = r.read_short::<Y>(const { Loop1::OPERANDS + 2 }, const { Loop1::OPERANDS + 4 });
        branch!(r, Loop1, int::I32LtU::holds(a, b), Loop1::OPERANDS + 8)
    }
}

handler! {
    /// `d = x + constant; e = constant`.
    fn add_mov<X: Class, D: Class, E: Class>(r) {
        r.do_binary::<int::I32Add, X, K, D>();
        r.second_part();
        r.do_mov::<K, E>();
        dispatch!(r)
    }
}

handler! {
    /// `(acc op y) op z`.
    fn acc_any_any<O: Binary, N: Binary, Y: Class, Z: Class, D: Class>(r) {
        r.do_binary::<O, A, Y, A>();
        r.second_part();
        r.do_binary::<N, A, Z, D>();
        dispatch!(r)
    }
}

handler! {
    /// `local += constant; d = y + constant`, as loops over several arrays do.
    fn step_add<L: Class, Y: Class, D: Class>(r) {
        r.do_binary::<int::I32Add, L, K, L>();
        r.second_part();
        r.do_binary::<int::I32Add, Y, K, D>();
        dispatch!(r)
    }
}

handler! {
    /// `local += constant`, and the end of a counting loop.
    fn step_add_br<T: Target, O: Compare, L: Class, X: Class, Y: Class>(r) {
        r.do_binary::<int::I32Add, L, K, L>();
        r.second_part();
        add_and_branch!(r, T, O, X, Y)
    }
}

handler! {
    /// Two steps of pinned locals, and the end of a counting loop.
    fn step_step_br<O: Compare, L: Class, M: Class, X: Class, Y: Class>(r) {
        r.do_binary::<int::I32Add, L, K, L>();
        r.second_part();
        r.do_binary::<int::I32Add, M, K, M>();
        r.second_part();
        add_and_branch!(r, Loop1, O, X, Y)
    }
}

handler! {
    /// `d = x + constant`, and a branch on the result's relation to `y`.
    fn add_br_compare<N: Compare, X: Class, D: Class, Y: Class>(r) {
        r.do_binary::<int::I32Add, X, K, D>();
        let a = r.result::<D>();
        r.second_part();
        let b = r.read_short::<Y>(const { Absolute::OPERANDS + 2 }, const { Absolute::OPERANDS + 4 });
        branch!(r, Absolute, N::holds(a, b), Absolute::OPERANDS + 8)
    }
}

handler! {
    /// `d = x & constant`, and a branch on its relation to a constant.
    fn and_br_compare<N: Compare, X: Class, D: Class>(r) {
        r.do_binary::<int::I32And, X, K, D>();
        let a = r.result::<D>();
        r.second_part();
        let b = r.read_short::<K>(0, const { Absolute::OPERANDS + 4 });
        branch!(r, Absolute, N::holds(a, b), Absolute::OPERANDS + 8)
    }
}

handler! {
    /// The same with the constant as the first operand.
    fn and_br_compare_to<N: Compare, X: Class, D: Class>(r) {
        r.do_binary::<int::I32And, X, K, D>();
        let b = r.result::<D>();
        r.second_part();
        let a = r.read_short::<K>(0, const { Absolute::OPERANDS + 4 });
        branch!(r, Absolute, N::holds(a, b), Absolute::OPERANDS + 8)
    }
}

handler! {
    /// Returns the result.
    fn binary_ret<O: Binary, X: Class, Y: Class>(r) {
        r.do_binary::<O, X, Y, A>();
        let (caller, return_to) = (r.header(header::CALLER), r.header(header::RETURN));
        r.set_header(header::RESULT, r.acc);
        leave_frame!(r, caller, return_to)
    }
}

/// The operands of two operations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain {
    pub(crate) first: IntBinary,
    pub(crate) x: usize,
    pub(crate) y: usize,
    /// The first operation's result: the accumulator, or also a slot.
    pub(crate) m: usize,
    pub(crate) second: IntBinary,
    /// The second operand of the second operation, whose first is the result of
    /// the first.
    pub(crate) z: usize,
    pub(crate) d: usize,
}

/// The handler of two operations, if there is one.
pub(crate) fn chain_handler(chain: Chain) -> Option<Handler> {
    let Chain { x, y, m, z, d, .. } = chain;
    macro_rules! table {
        (
            const_const: $($a:ident $b:ident),*;
            const_any: $($c:ident $e:ident),*;
            any_const: $($f:ident $g:ident),*;
            acc_any_any: $($h:ident $i:ident),*;
            any_const_kept: $($j:ident $k:ident),*;
        ) => {
            match (chain.first, y == class::CONST, chain.second, z == class::CONST) {
                $((IntBinary::$j, false, IntBinary::$k, true) if d <= class::ACC => {
                    Some(pick!(any_const_kept[int::$j, int::$k]; five x, five y, two m, two d))
                })*
                _ if m != class::ACC => None,
                $((IntBinary::$a, true, IntBinary::$b, true) => {
                    Some(pick!(const_const[int::$a, int::$b]; five x, five d))
                })*
                $((IntBinary::$c, true, IntBinary::$e, false) => {
                    Some(pick!(const_any[int::$c, int::$e]; five x, five z, five d))
                })*
                $((IntBinary::$f, false, IntBinary::$g, true) => {
                    Some(pick!(any_const[int::$f, int::$g]; five x, five y, five d))
                })*
                $((IntBinary::$h, false, IntBinary::$i, false)
                    if x == class::ACC && d <= class::ACC =>
                {
                    Some(pick!(acc_any_any[int::$h, int::$i]; five y, five z, two d))
                })*
                _ => None,
            }
        };
    }
    table! {
        const_const: I32Add I32And, I32And I32Shl, I32ShrU I32And, I32Mul I32Add, I64Mul I64ShrU,
            I64Shl I64Or;
        const_any: I32Shl I32Add, I32ShrU I32Xor, I32ShrU I32Add, I32Rotl I32Xor, I32Mul I32Add,
            I64Rotl I64Xor, I64Rotl I64Add, I64ShrU I64Xor, I64Shl I64Xor;
        any_const: I32Xor I32And, I32Add I32Add, I32Add I32And;
        acc_any_any: I32Add I32Add, I32Xor I32Add, I32Xor I32Xor, I32Mul I32Add;
        any_const_kept: I64Xor I64Rotl, I64Xor I64Shl, I64Xor I64ShrU, I64Xor I64Mul,
            I64Add I64Rotl;
    }
}

/// The handler of `local += constant; d = y + constant`, with the local in `l`.
pub(crate) fn step_add_handler(l: usize, y: usize, d: usize) -> Handler {
    pick!(step_add[]; five l, five y, five d)
}

/// The handler of `local += constant`, with the local in `l`, and the end of a
/// counting loop, if there is one.
pub(crate) fn step_add_br_handler(
    op: IntCompare,
    loop_slot: u8,
    l: usize,
    x: usize,
    y: usize,
) -> Option<Handler> {
    match (op, loop_slot) {
        (IntCompare::I32Ne, 1) => {
            Some(pick!(step_add_br[Loop1, int::I32Ne]; five l, five x, six y))
        }
        (IntCompare::I32LtU, 1) => {
            Some(pick!(step_add_br[Loop1, int::I32LtU]; five l, five x, six y))
        }
        (IntCompare::I32LtU, 2) => {
            Some(pick!(step_add_br[Loop2, int::I32LtU]; five l, five x, six y))
        }
        _ => None,
    }
}

/// The handler of steps of the pinned locals `l` and `m`, 0 the first, and the
/// end of a counting loop on the pinned local `x`.
pub(crate) fn step_step_br_handler(l: usize, m: usize, x: usize, y: usize) -> Handler {
    pick!(step_step_br[int::I32Ne]; pins l, pins m, pins x, six y)
}

/// The handler of `d = x op k; e = (y op k) ^ z`, if there is one.
pub(crate) fn const_const_xor_handler(
    op: IntBinary,
    x: usize,
    y: usize,
    e: usize,
) -> Option<Handler> {
    match op {
        IntBinary::I32Rotl => Some(pick!(const_const_xor[int::I32Rotl]; five x, five y, two e)),
        _ => None,
    }
}

/// The handler of `d = (x >> k) & k; e = (x >> k) & k`.
pub(crate) fn two_fields_handler(x: usize, d: usize, e: usize) -> Handler {
    pick!(two_fields[]; five x, two d, two e)
}

/// The handler of a sum to a slot and a step of the local in `l`.
pub(crate) fn sum_step_handler(x: usize, y: usize, l: usize) -> Handler {
    pick!(sum_step[]; two x, five y, five l)
}

/// The handler of loading pins and the end of a counting loop, if there is one.
pub(crate) fn pin_add_br_handler(
    op: IntCompare,
    loop_slot: u8,
    x: usize,
    y: usize,
) -> Option<Handler> {
    match (op, loop_slot) {
        (IntCompare::I32Ne, 1) => Some(pick!(pin_add_br[Loop1, int::I32Ne]; five x, six y)),
        (IntCompare::I32Ne, 2) => Some(pick!(pin_add_br[Loop2, int::I32Ne]; five x, six y)),
        _ => None,
    }
}

/// The handler of a move to the pinned local `d`, 0 the first, and a branch back
/// if that is less than `y`.
pub(crate) fn mov_br_less_handler(x: usize, d: usize, y: usize) -> Handler {
    pick!(mov_br_less[]; six x, pins d, six y)
}

/// The handler of `d = x + constant; e = constant`.
pub(crate) fn add_mov_handler(x: usize, d: usize, e: usize) -> Handler {
    pick!(add_mov[]; five x, five d, five e)
}

/// The handler of `(x < y) - (a < b)`, if there is one.
pub(crate) fn compare_difference_handler(op: IntCompare, x: usize, y: usize) -> Option<Handler> {
    match op {
        IntCompare::I32LtS => Some(pick!(compare_difference[int::I32LtS]; two x, two y)),
        IntCompare::I32LtU => Some(pick!(compare_difference[int::I32LtU]; two x, two y)),
        IntCompare::I64LtS => Some(pick!(compare_difference[int::I64LtS]; two x, two y)),
        IntCompare::I64LtU => Some(pick!(compare_difference[int::I64LtU]; two x, two y)),
        _ => None,
    }
}

/// The handler of `d = x + constant` and a branch if that is less than `y`.
pub(crate) fn add_br_less_handler(x: usize, d: usize, y: usize) -> Handler {
    pick!(add_br_compare[int::I32LtU]; five x, five d, six y)
}

/// The handler of `d = x & constant` and a branch on its relation to another
/// constant, if there is one. With `second` the result is the second operand.
pub(crate) fn and_br_handler(op: IntCompare, second: bool, x: usize, d: usize) -> Option<Handler> {
    match (op, second) {
        (IntCompare::I32Eq, _) => Some(pick!(and_br_compare[int::I32Eq]; five x, five d)),
        (IntCompare::I32Ne, _) => Some(pick!(and_br_compare[int::I32Ne]; five x, five d)),
        (IntCompare::I32LtU, false) => Some(pick!(and_br_compare[int::I32LtU]; five x, five d)),
        (IntCompare::I32LeU, true) => Some(pick!(and_br_compare_to[int::I32LeU]; five x, five d)),
        _ => None,
    }
}

/// The handler of an operation whose result is returned, if there is one.
pub(crate) fn binary_ret_handler(op: IntBinary, x: usize, y: usize) -> Option<Handler> {
    match op {
        IntBinary::I32Add => Some(pick!(binary_ret[int::I32Add]; five x, six y)),
        IntBinary::I32Sub => Some(pick!(binary_ret[int::I32Sub]; five x, six y)),
        IntBinary::I64Add => Some(pick!(binary_ret[int::I64Add]; five x, six y)),
        _ => None,
    }
}
