//! Pairs, by what the first instruction of them does.

use super::{is_result, sum_with_const, two, two_of};
use crate::exec::fused::chain::{self, Chain};
use crate::exec::fused::float::{self, Operation};
use crate::exec::fused::{self, address};
use crate::exec::regs::{Handler, class};
use crate::inst::{Dst, Inst, Src};
use crate::op::{FloatBinary, FloatWidth, IntBinary, IntCompare, IntLoad, IntStore};

/// A load from the sum of `a` and `b`, and what comes next.
pub(super) fn after_load2(op: IntLoad, a: Src, b: Src, d: Dst, next: &Inst) -> Option<Handler> {
    match *next {
        Inst::Load {
            op: same,
            a: y,
            d: e,
            ..
        } if op == same && b.is_const() && !y.is_const() => {
            address::load2_load_handler(op, a.class(), two(d)?, y.class(), two(e)?)
        }
        Inst::Store {
            op: IntStore::Store8,
            a: y,
            v: Src::Acc,
            ..
        } if op == IntLoad::Load8U && b.is_const() && d == Dst::Acc && !y.is_const() => {
            Some(address::load2_store_byte_handler(a.class(), y.class()))
        }
        Inst::BrCompare {
            op: compare,
            a: Src::Slot(_),
            b: Src::Acc,
            to,
        } if d == Dst::Acc && to.loop_slot == 0 => {
            address::load2_br_compare_handler(op, compare, a.class(), b.class())
        }
        _ => None,
    }
}

/// `d = a op b`, and what comes next.
pub(super) fn after_binary(op: IntBinary, a: Src, b: Src, d: Dst, next: &Inst) -> Option<Handler> {
    if a.is_const() {
        return None;
    }
    let (x, by_const) = (a.class(), b.is_const());
    let adds_const = op == IntBinary::I32Add && by_const;
    // A local that goes on by a constant.
    let step = (adds_const && x == d.class()).then_some(x);
    match *next {
        Inst::Binary {
            op: second,
            a: Src::Acc,
            b: z,
            d: e,
        } if d == Dst::Acc || (op.is_wide() && two(d).is_some()) => chain::chain_handler(Chain {
            first: op,
            x,
            y: b.class(),
            m: d.class(),
            second,
            z: z.class(),
            d: e.class(),
        }),
        Inst::Binary {
            op: IntBinary::I32Add,
            a: y,
            b: Src::Const(_),
            d: e,
        } if op == IntBinary::I32Add
            && !by_const
            && x <= class::ACC
            && matches!(d, Dst::Slot(_))
            && y.class() == e.class()
            && !y.is_const() =>
        {
            Some(chain::sum_step_handler(x, b.class(), y.class()))
        }
        Inst::Binary {
            op: IntBinary::I32Add,
            a: y,
            b: Src::Const(_),
            d: e,
        } if !y.is_const() => Some(chain::step_add_handler(step?, y.class(), e.class())),
        Inst::AddBr {
            op: compare,
            a: counter,
            b: limit,
            to,
            ..
        } => {
            let (counter, limit) = (counter.class(), limit.class());
            chain::step_add_br_handler(compare, to.loop_slot, step?, counter, limit)
        }
        Inst::BrCompare {
            op: IntCompare::I32LtU,
            a: less,
            b: y,
            to,
        } if adds_const && to.loop_slot == 0 && is_result(less, d) => {
            Some(chain::add_br_less_handler(x, d.class(), y.class()))
        }
        Inst::BrCompare {
            op: compare,
            a: masked,
            b: limit,
            to,
        } if op == IntBinary::I32And && by_const && to.loop_slot == 0 => {
            let second = masked.is_const();
            let (masked, limit) = if second {
                (limit, masked)
            } else {
                (masked, limit)
            };
            if !limit.is_const() || !is_result(masked, d) {
                return None;
            }
            chain::and_br_handler(compare, second, x, d.class())
        }
        Inst::Mov {
            a: a @ Src::Const(_),
            d: e,
        } if adds_const && !a.is_wide_const() => {
            Some(chain::add_mov_handler(x, d.class(), e.class()))
        }
        Inst::RetInt { a: Src::Acc } if d == Dst::Acc => {
            chain::binary_ret_handler(op, x, b.class())
        }
        Inst::Load {
            op: load,
            a: at,
            d: e,
            ..
        } if by_const && is_result(at, d) => {
            address::binary_load_handler(op, load, x, d.class(), e.class())
        }
        Inst::Load {
            op: load,
            a: at,
            d: e,
            ..
        } if op == IntBinary::I32Add && x <= class::ACC && !by_const && is_result(at, d) => {
            address::sum_load_handler(load, x, b.class(), d.class(), e.class())
        }
        Inst::Store {
            op: store,
            a: at,
            v: Src::Acc,
            ..
        } if adds_const && !at.is_const() => {
            address::add_store_handler(store, x, two(d)?, at.class())
        }
        Inst::Store2 {
            op: store,
            a: Src::Acc,
            b: y,
            v,
            ..
        } if op == IntBinary::I32Shl
            && by_const
            && d == Dst::Acc
            && !y.is_const()
            && !v.is_const() =>
        {
            address::shl_store2_handler(store, x, y.class(), v.class())
        }
        Inst::FloatLoad {
            width, a: at, d: e, ..
        } if adds_const && is_result(at, d) => Some(address::add_float_load_handler(
            width,
            x,
            d.class(),
            e.class(),
        )),
        Inst::Load2 {
            op: load,
            a: Src::Acc,
            b: y,
            d: e,
            ..
        } if op == IntBinary::I32Shl && by_const && d == Dst::Acc && !y.is_const() => {
            address::shl_load2_handler(load, x, y.class(), e.class())
        }
        Inst::Load2 {
            op: load,
            a: Src::Acc,
            b: Src::Const(_),
            d: e,
            ..
        } if op == IntBinary::I32Add && !by_const && x <= class::ACC => {
            address::sum_load2_handler(load, x, b.class(), two(d)?, two(e)?)
        }
        Inst::Load2 {
            op: load,
            a: Src::Acc,
            b: y,
            d: e,
            ..
        } if adds_const && d == Dst::Acc && !y.is_const() => {
            address::add_load2_handler(load, x, y.class(), e.class())
        }
        _ => None,
    }
}

/// An operation on floats, and what comes next.
pub(super) fn after_float_binary(operation: Operation, next: &Inst) -> Option<Handler> {
    match *next {
        Inst::FloatMulAdd {
            width: FloatWidth::F64,
            a: Src::Acc,
            b,
            d,
            ..
        } if operation.op == FloatBinary::F64Sub
            && operation.a <= class::ACC
            && operation.b <= class::ACC =>
        {
            let Operation {
                a: x, b: y, d: m, ..
            } = operation;
            Some(float::sub_mul_add_handler(x, y, m, b.class(), d.class()))
        }
        Inst::FloatBinary { op, a, b, d } => float::binary_binary_handler(
            operation,
            Operation {
                op,
                a: a.float_class(),
                b: b.float_class(),
                d: d.class(),
            },
        ),
        Inst::FloatStore {
            width: FloatWidth::F64,
            a,
            v: Src::Acc,
            ..
        } if !a.is_const() => float::binary_store_handler(operation, a.class()),
        _ => None,
    }
}

/// A load from an address of class `x`, and what comes next.
pub(super) fn after_load(op: IntLoad, x: usize, d: Dst, next: &Inst) -> Option<Handler> {
    let in_acc = d == Dst::Acc;
    match *next {
        Inst::Load {
            op: inner, a, d: e, ..
        } if op == IntLoad::Load32U && !a.is_const() => {
            let chained = in_acc && a == Src::Acc;
            if inner != IntLoad::Load32U && !chained {
                return None;
            }
            let (d, e) = (two(d)?, two(e)?);
            Some(fused::load_load_handler(inner, x, d, a.class(), e))
        }
        Inst::Load {
            op: IntLoad::Load8U,
            a,
            d: e,
            ..
        } if op == IntLoad::Load8U && !a.is_const() => Some(fused::load_load_bytes_handler(
            x,
            two(d)?,
            a.class(),
            two(e)?,
        )),
        Inst::Store {
            op: IntStore::Store8,
            a,
            v,
            ..
        } if op == IntLoad::Load8U && !a.is_const() => Some(fused::load_store_byte_handler(
            x,
            two(d)?,
            a.class(),
            two_of(v)?,
        )),
        Inst::Store {
            op: store, a, v, ..
        } if !a.is_const() => {
            let wide = width_of_move(op, store)?;
            Some(fused::load_store_handler(
                wide,
                x,
                two(d)?,
                a.class(),
                two_of(v)?,
            ))
        }
        Inst::Binary {
            op: binary,
            a,
            b,
            d,
        } if in_acc => {
            let (second, y) = other_operand(a, b)?;
            fused::load_binary_handler(op, binary, second, x, y, d.class())
        }
        Inst::BrIf {
            a: Src::Acc,
            non_zero,
            to,
        } if in_acc => fused::load_br_if_handler(op, to.loop_slot, non_zero, x),
        Inst::BrCompare {
            op: compare,
            a,
            b,
            to,
        } if to.loop_slot == 0 => {
            let (second, y) = match d {
                Dst::Pin(pin, _) if a == Src::Pin(pin) => (false, b.class()),
                Dst::Pin(pin, _) if b == Src::Pin(pin) => (true, a.class()),
                Dst::Pin(..) => return None,
                Dst::Acc | Dst::Slot(_) => other_operand(a, b)?,
            };
            fused::load_br_compare_handler(op, compare, second, x, d.class(), y)
        }
        Inst::RetInt { a: Src::Acc } if in_acc => fused::load_ret_handler(op, x),
        _ => None,
    }
}

/// A store to an address of class `x`, and what comes next.
pub(super) fn after_store(op: IntStore, x: usize, v: Src, next: &Inst) -> Option<Handler> {
    if let Inst::Binary { a, d, .. } = *next
        && a.class() == d.class()
        && !v.is_const()
    {
        sum_with_const(next, a)?;
        return address::store_step_handler(op, x, v.class(), a.class());
    }
    let v = two_of(v)?;
    match *next {
        Inst::Load { op: load, a, d, .. } if !a.is_const() => {
            let wide = width_of_move(load, op)?;
            Some(fused::store_load_handler(wide, x, v, a.class(), two(d)?))
        }
        Inst::Store {
            op: next, a, v: w, ..
        } if next == op && !a.is_const() => {
            let wide = match op {
                IntStore::Store32 => false,
                IntStore::Store64 => true,
                IntStore::Store8 | IntStore::Store16 => return None,
            };
            let w = match w {
                Src::Pin(_) if !wide => w.class(),
                _ => two_of(w)?,
            };
            Some(fused::store_store_handler(wide, x, v, a.class(), w))
        }
        _ => None,
    }
}

/// Whether a load and a store that move as many bits move 64.
pub(super) fn width_of_move(load: IntLoad, store: IntStore) -> Option<bool> {
    match (load, store) {
        (IntLoad::Load32U, IntStore::Store32) => Some(false),
        (IntLoad::Load64, IntStore::Store64) => Some(true),
        _ => None,
    }
}

/// Whether the accumulator is the second operand, and the other one's class.
pub(super) fn other_operand(a: Src, b: Src) -> Option<(bool, usize)> {
    match (a, b) {
        (Src::Acc, other) => Some((false, other.class())),
        (other, Src::Acc) => Some((true, other.class())),
        _ => None,
    }
}
