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
use crate::op::{FloatWidth, IntBinary, IntCompare, IntLoad, IntStore};
use std::ops::Range;

/// Instructions that are fused at most.
const MAX_PARTS: usize = 4;

/// The instructions of a function in groups, most of one, and the handler of
/// each group of several.
pub(crate) fn groups(
    lowered: &Lowered,
) -> impl Iterator<Item = (Range<usize>, Option<Handler>)> + '_ {
    let insts = &lowered.insts[..];
    let mut bound = lowered.bound.iter();
    // The next instruction that is branched to.
    let mut label = 0;
    let mut at = 0;
    std::iter::from_fn(move || {
        if at == insts.len() {
            return None;
        }
        // Whoever branches to a label wants an instruction that begins there.
        while label <= at {
            label = bound.next().map_or(usize::MAX, |&label| label as usize);
        }
        let end = label.min(at + MAX_PARTS).min(insts.len());
        let fused = fuse(&insts[at..end], lowered);
        let group = at..at + fused.map_or(1, |(_, count)| count);
        at = group.end;
        Some((group, fused.map(|(handler, _)| handler)))
    })
}

/// The handler for the first instructions of `insts` together, and how many
/// they are. `insts` holds nothing that is branched to but its first.
///
/// Most instructions fuse with nothing: what the first one is decides where to look
/// on, so that these are passed by quickly.
fn fuse(insts: &[Inst], lowered: &Lowered) -> Option<(Handler, usize)> {
    if let &[Inst::Br { to }, ..] = insts {
        let handler = switch::br_fetch_handler(to.loop_slot, fetch_at(to, lowered)?);
        return Some((handler, 1));
    }
    let &[ref first, ref second, ref rest @ ..] = insts else {
        return None;
    };
    match *first {
        Inst::Mov { a, d } if !a.is_wide_const() => mov(a, d, insts, lowered),
        Inst::Binary { op, a, b, d } if !a.is_const() => binary(op, a, b, d, insts, lowered),
        Inst::Load { op, a, d, .. } if !a.is_const() => match *second {
            Inst::BrTable { a: Src::Acc, .. } if d == Dst::Acc => {
                Some((switch::load_br_table_handler(op, a.class())?, 2))
            }
            _ => longer::byte_and_branch(first, second, rest)
                .map(|handler| (handler, 3))
                .or_else(|| Some((pairs::after_load(op, a.class(), d, second)?, 2))),
        },
        Inst::Load2 { op, a, b, d, .. } => Some((pairs::after_load2(op, a, b, d, second)?, 2)),
        Inst::Store { op, a, v, .. } if !a.is_const() => {
            Some((store(op, a, v, second, lowered)?, 2))
        }
        Inst::GlobalGet {
            global,
            d: Dst::Acc,
        } => {
            let d = sum_with_const(second, Src::Acc)?;
            let set = matches!(rest.first(), Some(&Inst::GlobalSet { global: same, a: Src::Acc }) if same == global);
            let handler = fused::global_add_handler(set, two(d)?);
            Some((handler, if set { 3 } else { 2 }))
        }
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
        _ => None,
    }
}

/// A move, and what comes next.
fn mov(a: Src, d: Dst, insts: &[Inst], lowered: &Lowered) -> Option<(Handler, usize)> {
    let &[_, ref second, ref rest @ ..] = insts else {
        return None;
    };
    match (d, second) {
        (_, &Inst::Br { to }) => match (a, d, fetch_at(to, lowered)) {
            (Src::Pin(x), Dst::Pin(d, _), Some(pins)) => {
                let (x, d) = (x.into(), d.into());
                Some((switch::mov_br_fetch_handler(to.loop_slot, pins, x, d), 2))
            }
            (_, _, Some(_)) => None,
            _ => Some((
                switch::mov_br_handler(to.loop_slot, a.class(), d.class()),
                2,
            )),
        },
        (Dst::Slot(_), &Inst::Call { callee, .. }) => match callee {
            Callee::Own(_) => Some((call::mov_call_handler(a.class()), 2)),
            Callee::Indirect { index, .. } if !index.is_const() => {
                Some((call::mov_call_indirect_handler(a.class(), index.class()), 2))
            }
            _ => None,
        },
        (
            Dst::Slot(_),
            &Inst::Mov {
                a: b,
                d: Dst::Slot(_),
            },
        ) if !b.is_wide_const() => Some(if rest.first().is_some_and(calls_own) {
            (call::mov_mov_call_handler(a.class(), b.class()), 3)
        } else {
            (fused::mov_mov_handler(a.class(), b.class()), 2)
        }),
        (
            Dst::Pin(d, _),
            &Inst::BrCompare {
                op: IntCompare::I32LtU,
                a: Src::Pin(less),
                b: y,
                to,
            },
        ) if to.loop_slot == 1 && less == d => {
            let handler = chain::mov_br_less_handler(a.class(), d.into(), y.class());
            Some((handler, 2))
        }
        (Dst::Pin(..), Inst::Binary { .. }) => {
            Some((switch::fetch_handler(fetch(insts)?), FETCH_PARTS))
        }
        _ => None,
    }
}

/// `d = a op b`, and what comes next.
fn binary(
    op: IntBinary,
    a: Src,
    b: Src,
    d: Dst,
    insts: &[Inst],
    lowered: &Lowered,
) -> Option<(Handler, usize)> {
    let &[ref first, ref second, ref rest @ ..] = insts else {
        return None;
    };
    let adds_const = op == IntBinary::I32Add && b.is_const();
    match (d, second) {
        (_, Inst::Binary { .. }) => longer::two_fields(insts)
            .map(|handler| (handler, 4))
            .or_else(|| Some((longer::three_binaries(first, second, rest)?, 3)))
            .or_else(|| Some((pairs::after_binary(op, a, b, d, second)?, 2))),
        (_, &Inst::Br { to }) if adds_const => match (a, d, fetch_at(to, lowered)) {
            (Src::Pin(x), Dst::Pin(d, _), Some(pins)) => {
                let (x, d) = (x.into(), d.into());
                Some((switch::add_br_fetch_handler(to.loop_slot, pins, x, d), 2))
            }
            (_, _, Some(_)) => None,
            _ => Some((
                switch::add_br_handler(to.loop_slot, a.class(), d.class()),
                2,
            )),
        },
        (_, Inst::BrTable { a: Src::Acc, .. }) if b.is_const() => {
            Some((switch::binary_br_table_handler(op, a.class(), two(d)?)?, 2))
        }
        (Dst::Slot(_), second) if adds_const && calls_own(second) => {
            Some((call::add_call_handler(a.class()), 2))
        }
        (Dst::Acc, Inst::GlobalSet { a: Src::Acc, .. }) if adds_const => {
            let (then, count) = match rest.first() {
                Some(Inst::Ret) => (Then::Ret, 3),
                Some(Inst::RetInt { a: Src::Slot(_) }) => (Then::RetSlot, 3),
                _ => (Then::Next, 2),
            };
            Some((fused::add_global_set_handler(then, a.class()), count))
        }
        _ => Some((pairs::after_binary(op, a, b, d, second)?, 2)),
    }
}

/// A store, and what comes next.
fn store(op: IntStore, a: Src, v: Src, next: &Inst, lowered: &Lowered) -> Option<Handler> {
    match *next {
        Inst::Br { to } if to.loop_slot == 0 && !v.is_const() => match fetch_at(to, lowered) {
            Some(_) => None,
            None => address::store_br_handler(op, a.class(), v.class()),
        },
        _ => pairs::after_store(op, a.class(), v, next),
    }
}

/// Whether an instruction calls a function of the module.
fn calls_own(inst: &Inst) -> bool {
    matches!(
        inst,
        Inst::Call {
            callee: Callee::Own(_),
            ..
        }
    )
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
