//! Which neighbouring instructions become one (see [`crate::exec::fused`]).
//!
//! Chosen by how often neighbours were executed in the start of CPython; the
//! forms for 64 bits are there by symmetry, and not measured.
//! Nothing here changes what the instructions do: a fused pair computes, writes
//! and traps as its parts would one after the other.

use crate::exec::fused::{self, Then};
use crate::exec::regs::{Handler, class};
use crate::inst::{Dst, Inst, Src};
use crate::lower::Lowered;
use crate::op::{IntBinary, IntLoad, IntStore};
use std::ops::Range;

/// Instructions that are fused at most.
const MAX_PARTS: usize = 3;

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
        let fused = fuse(&insts[at..label.min(at + MAX_PARTS)]);
        let group = at..at + fused.map_or(1, |(_, count)| count);
        at = group.end;
        Some((group, fused.map(|(handler, _)| handler)))
    })
}

/// The handler for the first instructions of `insts` together, and how many
/// they are. `insts` holds nothing that is branched to but its first.
fn fuse(insts: &[Inst]) -> Option<(Handler, usize)> {
    let &[ref first, ref second, ref rest @ ..] = insts else {
        return None;
    };
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
        Inst::Binary { a, d: Dst::Acc, .. } if !a.is_const() => {
            sum_with_const(first, a)?;
            let Inst::GlobalSet { a: Src::Acc, .. } = second else {
                return None;
            };
            let (then, count) = match rest.first() {
                Some(Inst::Ret) => (Then::Ret, 3),
                Some(Inst::RetInt { a: Src::Slot(_) }) => (Then::RetSlot, 3),
                _ => (Then::Next, 2),
            };
            Some((fused::add_global_set_handler(then, a.class()), count))
        }
        Inst::Load { op, a, d, .. } if !a.is_const() => {
            Some((after_load(op, a.class(), d, second)?, 2))
        }
        Inst::Store { op, a, v, .. } if !a.is_const() => {
            Some((after_store(op, a.class(), v, second)?, 2))
        }
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
        } if in_acc && op == IntLoad::Load32U => {
            let (second, y) = other_operand(a, b)?;
            fused::load_binary_handler(binary, second, x, y, two(d)?)
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
        } if in_acc && to.loop_slot == 0 => {
            let (second, y) = other_operand(a, b)?;
            fused::load_br_compare_handler(op, compare, second, x, y)
        }
        Inst::RetInt { a: Src::Acc } if in_acc => fused::load_ret_handler(op, x),
        _ => None,
    }
}

/// A store to an address of class `x`, and what comes next.
fn after_store(op: IntStore, x: usize, v: Src, next: &Inst) -> Option<Handler> {
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
            Some(fused::store_store_handler(
                wide,
                x,
                v,
                a.class(),
                two_of(w)?,
            ))
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
