//! Which neighbouring instructions become one (see [`crate::exec::fused`]).
//!
//! Chosen by how often neighbours were executed in the start of CPython and in
//! the programs of `guests/`; the forms for 64 bits are there by symmetry, and not
//! measured.
//! Nothing here changes what the instructions do: a fused pair computes, writes
//! and traps as its parts would one after the other.

use crate::exec::call;
use crate::exec::fused::chain::{self, Chain};
use crate::exec::fused::float::{self, Operation};
use crate::exec::fused::switch::{self, FetchPins};
use crate::exec::fused::{self, Then, address};
use crate::exec::regs::{Handler, class};
use crate::inst::{Callee, Dst, Inst, Jump, Src};
use crate::lower::Lowered;
use crate::op::{FloatBinary, FloatWidth, IntBinary, IntCompare, IntLoad, IntStore};
use std::ops::Range;

/// Instructions that are fused at most.
const MAX_PARTS: usize = 4;

/// The instructions of a function in groups, most of one, and the handler of
/// each group of several.
pub(crate) fn groups(
    lowered: &Lowered,
) -> impl Iterator<Item = (Range<usize>, Option<Handler>)> + '_ {
    let insts = &lowered.insts[..];
    let mut bound = lowered.bound.iter().peekable();
    let mut at = 0;
    std::iter::from_fn(move || {
        if at == insts.len() {
            return None;
        }
        // Whoever branches to a label wants an instruction that begins there.
        while bound.next_if(|&&label| label as usize <= at).is_some() {}
        let label = bound.peek().map_or(insts.len(), |&&label| label as usize);
        let fused = fuse(&insts[at..label.min(at + MAX_PARTS)], lowered);
        let group = at..at + fused.map_or(1, |(_, count)| count);
        at = group.end;
        Some((group, fused.map(|(handler, _)| handler)))
    })
}

/// The handler for the first instructions of `insts` together, and how many
/// they are. `insts` holds nothing that is branched to but its first.
fn fuse(insts: &[Inst], lowered: &Lowered) -> Option<(Handler, usize)> {
    if let &[Inst::Br { to }, ..] = insts {
        let handler = switch::br_fetch_handler(to.loop_slot, fetch_at(to, lowered)?);
        return Some((handler, 1));
    }
    if let Some(pins) = fetch(insts) {
        return Some((switch::fetch_handler(pins), FETCH_PARTS));
    }
    let &[ref first, ref second, ref rest @ ..] = insts else {
        return None;
    };
    if let Some(handler) = before_branch(first, second, lowered) {
        return Some((handler, 2));
    }
    if let Some(group) = before_call(first, second, rest) {
        return Some(group);
    }
    match *first {
        Inst::GlobalGet {
            global,
            d: Dst::Acc,
        } => {
            let d = sum_with_const(second, Src::Acc)?;
            let set = matches!(rest.first(), Some(&Inst::GlobalSet { global: same, a: Src::Acc }) if same == global);
            let handler = fused::global_add_handler(set, two(d)?);
            Some((handler, if set { 3 } else { 2 }))
        }
        Inst::Binary { a, d: Dst::Acc, .. }
            if !a.is_const()
                && sum_with_const(first, a).is_some()
                && matches!(second, Inst::GlobalSet { a: Src::Acc, .. }) =>
        {
            let (then, count) = match rest.first() {
                Some(Inst::Ret) => (Then::Ret, 3),
                Some(Inst::RetInt { a: Src::Slot(_) }) => (Then::RetSlot, 3),
                _ => (Then::Next, 2),
            };
            Some((fused::add_global_set_handler(then, a.class()), count))
        }
        Inst::Binary { op, a, b, d } => two_fields(insts)
            .map(|handler| (handler, 4))
            .or_else(|| Some((three_binaries(first, second, rest)?, 3)))
            .or_else(|| Some((after_binary(op, a, b, d, second)?, 2))),
        Inst::FloatBinary { op, a, b, d } => {
            let operation = Operation {
                op,
                a: a.float_class(),
                b: b.float_class(),
                d: d.class(),
            };
            Some((after_float_binary(operation, second)?, 2))
        }
        Inst::Compare { .. } => Some((compare_difference(first, second, rest)?, 3)),
        Inst::FloatMulAdd {
            width: FloatWidth::F64,
            a,
            b,
            d: Dst::Acc,
            ..
        } => match *second {
            Inst::FloatStore {
                width: FloatWidth::F64,
                a: x,
                v: Src::Acc,
                ..
            } if !x.is_const() => {
                let handler = float::mul_add_store_handler(a.class(), b.class(), x.class());
                Some((handler, 2))
            }
            _ => None,
        },
        Inst::FloatLoad2 {
            width: FloatWidth::F64,
            a: x,
            b: Src::Const(_),
            d: Dst::Slot(_),
            ..
        } => match (*second, *rest.first()?) {
            (
                Inst::FloatLoad2 {
                    width: FloatWidth::F64,
                    a: y,
                    b: Src::Const(_),
                    d: Dst::Acc,
                    ..
                },
                Inst::FloatMulAdd {
                    width: FloatWidth::F64,
                    a: Src::Slot(_),
                    b: Src::Acc,
                    d,
                    ..
                },
            ) => {
                let handler = float::load2_load2_mul_add_handler(x.class(), y.class(), d.class());
                Some((handler, 3))
            }
            _ => None,
        },
        Inst::FloatMov {
            a: Src::Slot(_),
            d: Dst::Slot(_),
        } => match *second {
            Inst::AddBr {
                op: IntCompare::I32Ne,
                a: x,
                b: y,
                to,
                ..
            } if to.loop_slot == 1 => Some((float::mov_add_br_handler(x.class(), y.class()), 2)),
            _ => None,
        },
        Inst::Pin { .. } => match *second {
            Inst::AddBr {
                op, a: x, b: y, to, ..
            } => {
                let handler = chain::pin_add_br_handler(op, to.loop_slot, x.class(), y.class())?;
                Some((handler, 2))
            }
            _ => None,
        },
        Inst::Mov {
            a,
            d: Dst::Pin(d, _),
        } if !a.is_wide_const() => match *second {
            Inst::BrCompare {
                op: IntCompare::I32LtU,
                a: Src::Pin(less),
                b: y,
                to,
            } if to.loop_slot == 1 && less == d => {
                let handler = chain::mov_br_less_handler(a.class(), d.into(), y.class());
                Some((handler, 2))
            }
            _ => None,
        },
        Inst::FloatLoad2 {
            width: FloatWidth::F64,
            a,
            b: Src::Const(_),
            d: Dst::Acc,
            ..
        } => match *second {
            Inst::FloatBinary {
                op,
                a: Src::Slot(_),
                b: Src::Acc,
                d,
            } => {
                let handler = float::load2_binary_handler(op, a.class(), d.class())?;
                Some((handler, 2))
            }
            Inst::FloatMulAdd {
                width: FloatWidth::F64,
                a: Src::Slot(_),
                b: Src::Acc,
                d,
                ..
            } => Some((float::load2_mul_add_handler(a.class(), d.class()), 2)),
            _ => None,
        },
        Inst::FloatLoad {
            width: FloatWidth::F64,
            a,
            d,
            ..
        } if !a.is_const() => {
            let Inst::FloatLoad {
                width: FloatWidth::F64,
                a: b,
                d: e,
                ..
            } = *second
            else {
                return None;
            };
            if b.is_const() {
                return None;
            }
            let handler = float::load_load_handler(d.class(), a.class(), e.class(), b.class());
            Some((handler, 2))
        }
        Inst::Load { op, a, d, .. } if !a.is_const() => byte_and_branch(first, second, rest)
            .map(|handler| (handler, 3))
            .or_else(|| Some((after_load(op, a.class(), d, second)?, 2))),
        Inst::Load2 { op, a, b, d, .. } => Some((after_load2(op, a, b, d, second)?, 2)),
        Inst::Store { op, a, v, .. } if !a.is_const() => {
            Some((after_store(op, a.class(), v, second)?, 2))
        }
        _ => None,
    }
}

/// The parts of [`fetch`].
const FETCH_PARTS: usize = 4;

/// The pins of the head of an interpreter's loop, if that is what comes.
fn fetch(insts: &[Inst]) -> Option<FetchPins> {
    let &[
        Inst::Mov {
            a: Src::Pin(next),
            d: Dst::Pin(op, _),
        },
        Inst::Binary {
            op: IntBinary::I32Add,
            a: Src::Pin(summand),
            b: Src::Const(_),
            d: Dst::Pin(sum, _),
        },
        Inst::Load {
            op: IntLoad::Load8U,
            a: Src::Pin(address),
            d: Dst::Acc,
            ..
        },
        Inst::BrTable { a: Src::Acc, .. },
        ..,
    ] = insts
    else {
        return None;
    };
    let is_fetch = summand == op && sum == next && address == op && next != op;
    is_fetch.then_some(FetchPins {
        next: next.into(),
        op: op.into(),
    })
}

/// The same of what a branch leads to.
fn fetch_at(to: Jump, lowered: &Lowered) -> Option<FetchPins> {
    let at = lowered.labels[to.label.0 as usize];
    let behind = lowered.bound.partition_point(|&label| label <= at);
    let end = at as usize + FETCH_PARTS;
    // Nobody branches to its middle.
    if lowered
        .bound
        .get(behind)
        .is_some_and(|&label| (label as usize) < end)
    {
        return None;
    }
    fetch(lowered.insts.get(at as usize..end)?)
}

/// An instruction, and a jump or `br_table` behind it.
fn before_branch(first: &Inst, branch: &Inst, lowered: &Lowered) -> Option<Handler> {
    match (*first, *branch) {
        (Inst::Mov { a, d }, Inst::Br { to }) if !a.is_wide_const() => {
            match (a, d, fetch_at(to, lowered)) {
                (Src::Pin(x), Dst::Pin(d, _), Some(pins)) => Some(switch::mov_br_fetch_handler(
                    to.loop_slot,
                    pins,
                    x.into(),
                    d.into(),
                )),
                (_, _, Some(_)) => None,
                _ => Some(switch::mov_br_handler(to.loop_slot, a.class(), d.class())),
            }
        }
        (Inst::Binary { a, .. }, Inst::Br { to }) if !a.is_const() => {
            let d = sum_with_const(first, a)?;
            match (a, d, fetch_at(to, lowered)) {
                (Src::Pin(x), Dst::Pin(d, _), Some(pins)) => Some(switch::add_br_fetch_handler(
                    to.loop_slot,
                    pins,
                    x.into(),
                    d.into(),
                )),
                (_, _, Some(_)) => None,
                _ => Some(switch::add_br_handler(to.loop_slot, a.class(), d.class())),
            }
        }
        (
            Inst::Binary {
                op,
                a,
                b: Src::Const(_),
                d,
            },
            Inst::BrTable { a: Src::Acc, .. },
        ) if !a.is_const() => switch::binary_br_table_handler(op, a.class(), two(d)?),
        (Inst::Store { op, a, v, .. }, Inst::Br { to })
            if to.loop_slot == 0
                && !a.is_const()
                && !v.is_const()
                && fetch_at(to, lowered).is_none() =>
        {
            address::store_br_handler(op, a.class(), v.class())
        }
        (
            Inst::Load {
                op, a, d: Dst::Acc, ..
            },
            Inst::BrTable { a: Src::Acc, .. },
        ) if !a.is_const() => switch::load_br_table_handler(op, a.class()),
        _ => None,
    }
}

/// A move or a sum to a slot, and a call behind it.
fn before_call(first: &Inst, second: &Inst, rest: &[Inst]) -> Option<(Handler, usize)> {
    let own = |inst: &Inst| {
        matches!(
            inst,
            Inst::Call {
                callee: Callee::Own(_),
                ..
            }
        )
    };
    match (*first, *second) {
        (Inst::Mov { a, d: Dst::Slot(_) }, _) if own(second) && !a.is_wide_const() => {
            Some((call::mov_call_handler(a.class()), 2))
        }
        (
            Inst::Mov { a, d: Dst::Slot(_) },
            Inst::Call {
                callee: Callee::Indirect { index, .. },
                ..
            },
        ) if !a.is_wide_const() && !index.is_const() => {
            Some((call::mov_call_indirect_handler(a.class(), index.class()), 2))
        }
        (
            Inst::Mov { a, d: Dst::Slot(_) },
            Inst::Mov {
                a: b,
                d: Dst::Slot(_),
            },
        ) if !a.is_wide_const() && !b.is_wide_const() => Some(if rest.first().is_some_and(own) {
            (call::mov_mov_call_handler(a.class(), b.class()), 3)
        } else {
            (fused::mov_mov_handler(a.class(), b.class()), 2)
        }),
        (
            Inst::Binary {
                a, d: Dst::Slot(_), ..
            },
            _,
        ) if own(second) && !a.is_const() => {
            sum_with_const(first, a)?;
            Some((call::add_call_handler(a.class()), 2))
        }
        _ => None,
    }
}

/// `(x < y) - (a < b)`, the second comparison one of slots.
fn compare_difference(first: &Inst, second: &Inst, rest: &[Inst]) -> Option<Handler> {
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
fn two_fields(insts: &[Inst]) -> Option<Handler> {
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
fn three_binaries(first: &Inst, second: &Inst, rest: &[Inst]) -> Option<Handler> {
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
fn byte_and_branch(first: &Inst, second: &Inst, rest: &[Inst]) -> Option<Handler> {
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

/// A load from the sum of `a` and `b`, and what comes next.
fn after_load2(op: IntLoad, a: Src, b: Src, d: Dst, next: &Inst) -> Option<Handler> {
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
fn after_binary(op: IntBinary, a: Src, b: Src, d: Dst, next: &Inst) -> Option<Handler> {
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

/// Whether an operand is the result just computed.
fn is_result(operand: Src, result: Dst) -> bool {
    match result {
        Dst::Acc => operand == Src::Acc,
        Dst::Slot(slot) => operand == Src::Acc || operand == Src::Slot(slot),
        Dst::Pin(pin, _) => operand == Src::Pin(pin),
    }
}

/// An operation on floats, and what comes next.
fn after_float_binary(operation: Operation, next: &Inst) -> Option<Handler> {
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
fn after_load(op: IntLoad, x: usize, d: Dst, next: &Inst) -> Option<Handler> {
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
fn after_store(op: IntStore, x: usize, v: Src, next: &Inst) -> Option<Handler> {
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

/// Where `a + constant` goes, if the instruction is that.
fn sum_with_const(inst: &Inst, summand: Src) -> Option<Dst> {
    match *inst {
        Inst::Binary {
            op: IntBinary::I32Add,
            a,
            b: Src::Const(_),
            d,
        } if a == summand => Some(d),
        _ => None,
    }
}

/// Whether a load and a store that move as many bits move 64.
fn width_of_move(load: IntLoad, store: IntStore) -> Option<bool> {
    match (load, store) {
        (IntLoad::Load32U, IntStore::Store32) => Some(false),
        (IntLoad::Load64, IntStore::Store64) => Some(true),
        _ => None,
    }
}

/// Whether the accumulator is the second operand, and the other one's class.
fn other_operand(a: Src, b: Src) -> Option<(bool, usize)> {
    match (a, b) {
        (Src::Acc, other) => Some((false, other.class())),
        (other, Src::Acc) => Some((true, other.class())),
        _ => None,
    }
}

/// A result's class, if that is one of the two that fused results have.
fn two(d: Dst) -> Option<usize> {
    let class = d.class();
    (class <= class::ACC).then_some(class)
}

/// As [`two`] for an operand.
fn two_of(v: Src) -> Option<usize> {
    let class = v.class();
    (class <= class::ACC).then_some(class)
}
