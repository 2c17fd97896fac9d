//! Groups of three and four instructions.

use super::{is_result, two, two_of};
use crate::exec::fused::{self, address, chain};
use crate::exec::regs::Handler;
use crate::inst::{Dst, Inst, Src};
use crate::op::{IntBinary, IntCompare, IntLoad};

/// `(x < y) - (a < b)`, the second comparison one of slots.
pub(super) fn compare_difference(first: &Inst, second: &Inst, rest: &[Inst]) -> Option<Handler> {
    match (*first, *second, *rest.first()?) {
        (
            Inst::Compare {
                op,
                a: x,
                b: y,
                d: Dst::Slot(less),
            },
            Inst::Compare {
                op: same,
                a: Src::Slot(_),
                b: Src::Slot(_),
                d: Dst::Acc,
            },
            Inst::Binary {
                op: IntBinary::I32Sub,
                a: Src::Slot(minuend),
                b: Src::Acc,
                d: Dst::Acc,
            },
        ) if op == same && less == minuend => {
            chain::compare_difference_handler(op, two_of(x)?, two_of(y)?)
        }
        _ => None,
    }
}

/// Two fields of a word.
pub(super) fn two_fields(insts: &[Inst]) -> Option<Handler> {
    let field = |shift: &Inst, mask: &Inst| match (*shift, *mask) {
        (
            Inst::Binary {
                op: IntBinary::I32ShrU,
                a,
                b: Src::Const(_),
                d: Dst::Acc,
            },
            Inst::Binary {
                op: IntBinary::I32And,
                a: Src::Acc,
                b: Src::Const(_),
                d,
            },
        ) if !a.is_const() => Some((a, d)),
        _ => None,
    };
    let [shift, mask, next_shift, next_mask, ..] = insts else {
        return None;
    };
    let (x, d) = field(shift, mask)?;
    let (y, e) = field(next_shift, next_mask)?;
    (x.class() == y.class()).then_some(())?;
    Some(chain::two_fields_handler(x.class(), two(d)?, two(e)?))
}

/// Three operations, or two and an access or a branch.
pub(super) fn three_binaries(first: &Inst, second: &Inst, rest: &[Inst]) -> Option<Handler> {
    let (
        Inst::Binary {
            op,
            a: x,
            b: Src::Const(_),
            d,
        },
        Inst::Binary {
            op: next,
            a: y,
            b: Src::Const(_),
            d: m,
        },
    ) = (*first, *second)
    else {
        return None;
    };
    if x.is_const() || y.is_const() {
        return None;
    }
    match *rest.first()? {
        Inst::Binary {
            op: IntBinary::I32Xor,
            a: Src::Acc,
            b: Src::Slot(_),
            d: e,
        } if op == next && matches!(d, Dst::Slot(_)) && m == Dst::Acc => {
            chain::const_const_xor_handler(op, x.class(), y.class(), two(e)?)
        }
        Inst::Load2 {
            op: load,
            a: Src::Acc,
            b: z,
            d: e,
            ..
        } if (op, next) == (IntBinary::I32And, IntBinary::I32Shl)
            && d == Dst::Acc
            && y == Src::Acc
            && m == Dst::Acc
            && !z.is_const() =>
        {
            address::and_shl_load2_handler(load, x.class(), z.class(), two(e)?)
        }
        Inst::AddBr { .. } => steps(first, second, rest),
        _ => None,
    }
}

/// Steps of two pinned locals, and the end of a loop that counts with the third.
fn steps(first: &Inst, second: &Inst, rest: &[Inst]) -> Option<Handler> {
    let step = |inst: &Inst| match *inst {
        Inst::Binary {
            op: IntBinary::I32Add,
            a: Src::Pin(pin),
            b: Src::Const(_),
            d: Dst::Pin(same, _),
        } if pin == same => Some(usize::from(pin)),
        _ => None,
    };
    let (l, m) = (step(first)?, step(second)?);
    match *rest.first()? {
        Inst::AddBr {
            op: IntCompare::I32Ne,
            a: Src::Pin(counter),
            b: limit,
            to,
            ..
        } if to.loop_slot == 1 => Some(chain::step_step_br_handler(
            l,
            m,
            counter.into(),
            limit.class(),
        )),
        _ => None,
    }
}

/// A load of a byte, and two instructions that end in a branch on what that is.
pub(super) fn byte_and_branch(first: &Inst, second: &Inst, rest: &[Inst]) -> Option<Handler> {
    let Inst::Load {
        op: IntLoad::Load8U,
        a: x,
        d,
        ..
    } = *first
    else {
        return None;
    };
    match (*second, *rest.first()?) {
        (
            Inst::Load {
                op: IntLoad::Load8U,
                a: y,
                d: e,
                ..
            },
            Inst::BrCompare {
                op,
                a: Src::Slot(_),
                b: Src::Acc,
                to,
            },
        ) if to.loop_slot == 0 && matches!(d, Dst::Slot(_)) && !y.is_const() => {
            fused::load_load_br_compare_handler(op, x.class(), y.class(), two(e)?)
        }
        (
            Inst::Binary {
                op: IntBinary::I32Add,
                a: byte,
                b: Src::Const(_),
                d: Dst::Acc,
            },
            Inst::BrCompare {
                op: IntCompare::I32LtU,
                a: Src::Acc,
                b: Src::Const(_),
                to,
            },
        ) if to.loop_slot == 0 && is_result(byte, d) => {
            Some(address::load_br_in_range_handler(x.class(), d.class()))
        }
        _ => None,
    }
}
