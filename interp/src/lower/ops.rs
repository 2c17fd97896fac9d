//! What the instructions without a file of their own become.

use super::stack::{Kind, State};
use super::{Lower, LowerError};
use crate::arch;
use crate::exec::simd::SimdOp;
use crate::exec::slots::SlotOp;
use crate::inst::{Dst, Inst, Jump, Src};
use crate::op::*;
use wasmparser::Operator;

impl Lower<'_> {
    /// Lowers an instruction of a proposal that has a table of its own.
    pub(super) fn other(&mut self, operator: &Operator<'_>) -> Result<(), LowerError> {
        let known = self.simd(operator)
            || self.object(operator)
            || self.atomic(operator)
            || self.wide(operator);
        if known {
            Ok(())
        } else {
            self.unsupported(operator)
        }
    }

    /// A block begins in dead code.
    pub(super) fn begin_dead_block(&mut self) -> bool {
        self.dead_blocks += 1;
        false
    }

    /// A block ends in dead code; returns whether it is the one that died.
    pub(super) fn end_dead_block(&mut self) -> bool {
        let died = self.dead_blocks == 0;
        self.dead_blocks = self.dead_blocks.saturating_sub(1);
        died
    }

    #[inline]
    pub(super) fn const_at(&self, from_top: usize) -> Option<u64> {
        match self.stack[self.stack.len() - 1 - from_top].state {
            State::Const(bits) => Some(bits),
            State::Local(_) | State::Temp { .. } => None,
        }
    }

    /// The two operands on top, if both are constants.
    #[inline]
    fn two_consts(&self) -> Option<(u64, u64)> {
        match &self.stack[..] {
            [.., a, b] => match (a.state, b.state) {
                (State::Const(a), State::Const(b)) => Some((a, b)),
                _ => None,
            },
            _ => None,
        }
    }

    pub(super) fn binary(&mut self, mut op: IntBinary) {
        if let Some((a, b)) = self.two_consts() {
            self.truncate(self.stack.len() - 2);
            return self.push_const(Kind::Int, fold_int_binary(op, a, b));
        }
        let mut b = self.pop();
        let mut a = self.pop();
        // Constants last, the accumulator first: fewer forms to know of.
        if op.commutes() && (a.is_const() || b == Src::Acc) {
            std::mem::swap(&mut a, &mut b);
        }
        // `x - k` as a sum, which loads, stores and loop ends can absorb.
        match (op, b) {
            (IntBinary::I32Sub, Src::Const(k)) => {
                let negated = (k as u32).wrapping_neg();
                (op, b) = (IntBinary::I32Add, Src::Const(negated.into()));
            }
            (IntBinary::I64Sub, Src::Const(k)) => {
                (op, b) = (IntBinary::I64Add, Src::Const(k.wrapping_neg()));
            }
            _ => {}
        }
        self.emit_int(|d| Inst::Binary { op, a, b, d });
    }

    /// A comparison; `push` may push its right operand.
    pub(super) fn compare(&mut self, op: IntCompare, push: impl FnOnce(&mut Self)) {
        push(self);
        if let Some((a, b)) = self.two_consts() {
            self.truncate(self.stack.len() - 2);
            return self.push_const(Kind::Int, u64::from(fold_int_compare(op, a, b)));
        }
        let b = self.pop();
        let a = self.pop();
        self.emit_int(|d| Inst::Compare { op, a, b, d });
    }

    pub(super) fn compare_swapped(&mut self, op: IntCompare) {
        if let Some((a, b)) = self.two_consts() {
            self.truncate(self.stack.len() - 2);
            return self.push_const(Kind::Int, u64::from(fold_int_compare(op, b, a)));
        }
        let b = self.pop();
        let a = self.pop();
        self.emit_int(|d| Inst::Compare { op, a: b, b: a, d });
    }

    /// `eqz` turns a comparison just made around.
    pub(super) fn eqz(&mut self, op: IntUnary) {
        if let Some(bits) = self.const_at(0) {
            self.pop_entry();
            return self.push_const(Kind::Int, u64::from(bits == 0));
        }
        if let Some(last) = self.absorbable() {
            match &mut self.out[last] {
                Inst::Compare { op, a, b, .. } => {
                    let (negated, swap) = op.negated();
                    *op = negated;
                    if swap {
                        std::mem::swap(a, b);
                    }
                    return;
                }
                Inst::FloatCompare { op, .. } => {
                    *op = op.negated();
                    return;
                }
                _ => {}
            }
        }
        self.unary(op);
    }

    pub(super) fn divide(&mut self, op: IntDivide) {
        if self.const_at(0).is_some() && self.const_at(1).is_some() {
            // Rare, and may trap: not worth folding.
            self.materialise(self.stack.len() - 1);
        }
        let b = self.pop();
        let a = self.pop();
        self.emit_int(|d| Inst::Divide { op, a, b, d });
    }

    pub(super) fn unary(&mut self, op: IntUnary) {
        let a = self.pop();
        self.emit_int(|d| Inst::Unary { op, a, d });
    }

    pub(super) fn float_binary(&mut self, op: FloatBinary) {
        if let Some(width) = op.absorbs_load()
            && (self.absorb_float_load(op, width) || op.is_add() && self.absorb_product(width))
        {
            return;
        }
        let b = self.pop();
        let a = self.pop();
        self.emit_float(|d| Inst::FloatBinary { op, a, b, d });
    }

    pub(super) fn float_unary(&mut self, op: FloatUnary) {
        arch::detect();
        let a = self.pop();
        self.emit_float(|d| Inst::FloatUnary { op, a, d });
    }

    pub(super) fn float_compare(&mut self, op: FloatCompare, swap: bool) {
        let b = self.pop();
        let a = self.pop();
        let (a, b) = if swap { (b, a) } else { (a, b) };
        self.emit_int(|d| Inst::FloatCompare { op, a, b, d });
    }

    pub(super) fn convert_from_int(&mut self, op: IntToFloat) {
        let a = self.pop();
        self.emit_float(|d| Inst::FromInt { op, a, d });
    }

    pub(super) fn convert_to_int(&mut self, op: FloatToInt) {
        let a = self.pop();
        self.emit_int(|d| Inst::ToInt { op, a, d });
    }

    pub(super) fn trunc(&mut self, op: FloatTrunc) {
        let a = self.pop();
        self.emit_int(|d| Inst::Trunc { op, a, d });
    }

    pub(super) fn select(&mut self) {
        if let Some(condition) = self.const_at(0) {
            self.pop_entry();
            return self.select_known(condition as u32 != 0);
        }
        let top = self.stack.len() - 1;
        let kind = self.stack[top - 1].kind;
        match kind {
            Kind::Vector => self.simd_operation(SimdOp::Select, 0),
            Kind::Int => {
                let c = self.pop();
                let b = self.pop();
                let a = self.pop();
                self.emit_int(|d| Inst::Select { c, a, b, d });
            }
            Kind::Float => {
                let c = self.pop();
                let b = self.pop_bits();
                let a = self.pop_bits();
                self.emit_to_slot(kind, |slot| Inst::Select {
                    c,
                    a,
                    b,
                    d: Dst::Slot(slot),
                });
            }
        }
    }

    /// A selection whose condition is a constant.
    fn select_known(&mut self, first: bool) {
        if first {
            self.pop_entry();
            return;
        }
        // The second stays, in the first one's slot.
        let kind = self.stack[self.stack.len() - 1].kind;
        let b = self.pop_bits();
        self.pop_entry();
        self.emit_to_slot(kind, |slot| match kind {
            Kind::Vector => Inst::Simd {
                op: SimdOp::Copy,
                s: [slot, b.slot(), 0, 0],
                lane: 0,
            },
            Kind::Int | Kind::Float => Inst::Mov {
                a: b,
                d: Dst::Slot(slot),
            },
        });
    }

    pub(super) fn global_get(&mut self, index: u32) {
        let global = self.code.offsets.global(index);
        match Kind::of(&self.module.globals()[index as usize].ty.content) {
            Kind::Int => self.emit_int(|d| Inst::GlobalGet { global, d }),
            Kind::Float => self.emit_to_slot(Kind::Float, |slot| Inst::GlobalGet {
                global,
                d: Dst::Slot(slot),
            }),
            Kind::Vector => self.emit_to_slot(Kind::Vector, |d| Inst::SimdGlobalGet { global, d }),
        }
    }

    pub(super) fn global_set(&mut self, index: u32) {
        let global = self.code.offsets.global(index);
        if self.stack[self.stack.len() - 1].kind == Kind::Vector {
            let a = self.pop_slot();
            self.emit(Inst::SimdGlobalSet { global, a });
        } else {
            let a = self.pop_bits();
            self.emit(Inst::GlobalSet { global, a });
        }
    }

    /// An instruction over slots with a result and up to two operands.
    pub(super) fn slot_result(&mut self, op: SlotOp, operands: usize, x: u32, y: u32) {
        let mut s = [0; 3];
        for at in (1..=operands).rev() {
            s[at] = self.pop_slot();
        }
        self.emit_to_slot(Kind::Int, |slot| {
            s[0] = slot;
            Inst::Slots { op, s, x, y }
        });
    }

    /// An instruction over three slots without a result.
    pub(super) fn slot_effect(&mut self, op: SlotOp, x: u32, y: u32) {
        let c = self.pop_slot();
        let b = self.pop_slot();
        let a = self.pop_slot();
        self.emit_slots(op, [a, b, c], x, y);
    }

    /// The slot that holds an operand: a local's own or a temporary's.
    pub(super) fn slot_source(&self, height: usize) -> Src {
        match self.stack[height].state {
            State::Local(local) => Src::Slot(self.locals[local as usize].slot as u16),
            State::Const(bits) => Src::Const(bits),
            State::Temp { .. } => Src::Slot(self.stack[height].slot as u16),
        }
    }

    /// `br_on_null`: branches without the reference, goes on with it.
    pub(super) fn br_on_null(&mut self, depth: u32) {
        let top = self.stack.len() - 1;
        if !matches!(self.stack[top].state, State::Local(_)) {
            self.materialise(top);
        }
        let source = self.slot_source(top);
        let reference = self.pop_entry();
        self.branch_if_null(source, depth, true);
        // Nothing on the way here has used its slot.
        self.push(Kind::Int, reference.state);
    }

    /// `br_on_non_null`: branches with the reference, goes on without it.
    pub(super) fn br_on_non_null(&mut self, depth: u32) {
        let top = self.stack.len() - 1;
        if !matches!(self.stack[top].state, State::Local(_)) {
            self.materialise(top);
        }
        let source = self.slot_source(top);
        self.branch_if_null(source, depth, false);
        self.pop_entry();
    }

    /// Branches to a label with what is on the stack, if the reference is null
    /// or if it is not.
    fn branch_if_null(&mut self, reference: Src, depth: u32, null: bool) {
        // The operands go to their slots before, for both ways.
        self.materialise_for(depth);
        let skip = self.new_label();
        let op = if null {
            IntCompare::I64Ne
        } else {
            IntCompare::I64Eq
        };
        let to = Jump {
            label: skip,
            loop_slot: 0,
        };
        self.emit(Inst::BrCompare {
            op,
            a: reference,
            b: Src::Const(0),
            to,
        });
        self.br(depth);
        self.bind(skip);
        self.begin_fuel_block();
    }
}
