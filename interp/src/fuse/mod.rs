//! Which neighbouring instructions become one (see [`crate::exec::fused`]).
//!
//! Chosen by how often neighbours were executed in the start of CPython and in
//! the programs of `guests/`; the forms for 64 bits are there by symmetry, and not
//! measured.
//! Nothing here changes what the instructions do: a fused pair computes, writes
//! and traps as its parts would one after the other.

mod longer;
mod pairs;

use crate::exec::call;
use crate::exec::fused::chain;
use crate::exec::fused::float::{self, Operation};
use crate::exec::fused::switch::{self, FetchPins};
use crate::exec::fused::{self, Then, address};
use crate::exec::regs::{Handler, class};
use crate::inst::{Callee, Dst, Inst, Jump, Src};
use crate::lower::Lowered;
use crate::op::{FloatWidth, IntBinary, IntCompare, IntLoad};
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
        Inst::Binary { op, a, b, d } => longer::two_fields(insts)
            .map(|handler| (handler, 4))
            .or_else(|| Some((longer::three_binaries(first, second, rest)?, 3)))
            .or_else(|| Some((pairs::after_binary(op, a, b, d, second)?, 2))),
        Inst::FloatBinary { op, a, b, d } => {
            let operation = Operation {
                op,
                a: a.float_class(),
                b: b.float_class(),
                d: d.class(),
            };
            Some((pairs::after_float_binary(operation, second)?, 2))
        }
        Inst::Compare { .. } => Some((longer::compare_difference(first, second, rest)?, 3)),
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
        Inst::Load { op, a, d, .. } if !a.is_const() => {
            longer::byte_and_branch(first, second, rest)
                .map(|handler| (handler, 3))
                .or_else(|| Some((pairs::after_load(op, a.class(), d, second)?, 2)))
        }
        Inst::Load2 { op, a, b, d, .. } => Some((pairs::after_load2(op, a, b, d, second)?, 2)),
        Inst::Store { op, a, v, .. } if !a.is_const() => {
            Some((pairs::after_store(op, a.class(), v, second)?, 2))
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

/// Whether an operand is the result just computed.
fn is_result(operand: Src, result: Dst) -> bool {
    match result {
        Dst::Acc => operand == Src::Acc,
        Dst::Slot(slot) => operand == Src::Acc || operand == Src::Slot(slot),
        Dst::Pin(pin, _) => operand == Src::Pin(pin),
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
