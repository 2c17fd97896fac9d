//! Vector instructions: operands and results in slots.

use super::Lower;
use super::stack::Kind;
use crate::arch;
use crate::exec::simd::memory::SimdAccess;
use crate::exec::simd::{ResultKind, SimdOp};
use crate::inst::{Inst, Place};
use wasmparser::{MemArg, Operator};

impl Lower<'_> {
    /// Lowers an instruction if it is one of vectors; returns whether it is.
    pub(super) fn simd(&mut self, operator: &Operator<'_>) -> bool {
        if let Some((op, lane)) = SimdOp::of(operator) {
            self.simd_operation(op, lane);
        } else if let Some((op, memarg, lane)) = SimdAccess::of(operator) {
            self.simd_access(op, memarg, lane);
        } else {
            match operator {
                Operator::V128Const { value } => {
                    let value = u128::from_le_bytes(*value.bytes());
                    let bits = [value as u64, (value >> 64) as u64];
                    self.emit_to_slot(Kind::Vector, |d| Inst::SimdConst { d, bits });
                }
                Operator::I8x16Shuffle { lanes } => {
                    let b = self.pop_slot();
                    let a = self.pop_slot();
                    let lanes = *lanes;
                    self.emit_to_slot(Kind::Vector, |d| Inst::SimdShuffle { d, a, b, lanes });
                }
                _ => return false,
            }
        }
        arch::detect();
        true
    }

    /// An operation whose operands are on the stack.
    pub(super) fn simd_operation(&mut self, op: SimdOp, lane: u8) {
        if op.constant_shift_handler().is_some()
            && let Some(bits) = self.const_at(0)
        {
            self.pop_entry();
            let a = self.pop_slot();
            // No lane is wider than 64 bits, and shifts are modulo its width.
            let bits = bits as u8 % 64;
            return self.emit_to_slot(Kind::Vector, |d| Inst::SimdShift { op, d, a, bits });
        }
        let shape = op.shape();
        let mut s = [0; 4];
        for operand in s[1..=shape.operands.len()].iter_mut().rev() {
            *operand = self.pop_slot();
        }
        let kind = match shape.result {
            ResultKind::Vector => Kind::Vector,
            ResultKind::Int => Kind::Int,
            ResultKind::Float => Kind::Float,
        };
        self.emit_to_slot(kind, |d| {
            s[0] = d;
            Inst::Simd { op, s, lane }
        });
    }

    fn simd_access(&mut self, op: SimdAccess, memarg: &MemArg, lane: u8) {
        let at = match self.guarded(memarg) {
            Some(offset) => Place::Guarded(offset),
            None => Place::Checked {
                memory: self.code.offsets.memory(Self::memory_of(memarg)),
                offset: memarg.offset,
            },
        };
        if op.is_store() {
            let d = self.pop_slot();
            let a = self.pop_slot();
            self.emit(Inst::SimdAccess {
                op,
                at,
                a,
                d,
                v: 0,
                lane,
            });
            return;
        }
        let v = if op.is_lane_load() {
            self.pop_slot()
        } else {
            0
        };
        let a = self.pop_slot();
        self.emit_to_slot(Kind::Vector, |d| Inst::SimdAccess {
            op,
            at,
            a,
            d,
            v,
            lane,
        });
    }
}
