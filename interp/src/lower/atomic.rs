//! Atomic instructions and those of wide arithmetic: operands and results in
//! slots.

use super::Lower;
use super::stack::{Kind, State};
use crate::exec::atomic::AtomicOp;
use crate::exec::wide::WideOp;
use crate::inst::Inst;
use wasmparser::Operator;

impl Lower<'_> {
    /// Lowers an instruction if it is an atomic one; returns whether it is.
    pub(super) fn atomic(&mut self, operator: &Operator<'_>) -> bool {
        if let Operator::AtomicFence { .. } = operator {
            self.emit(Inst::AtomicFence);
            return true;
        }
        let Some((op, memarg)) = AtomicOp::of(operator) else {
            return false;
        };
        let mut memory = Self::memory_of(memarg);
        if !op.by_index() {
            memory = self.code.offsets.memory(memory);
        }
        let offset = memarg.offset;
        let mut v = [0; 2];
        for operand in v[..op.operands()].iter_mut().rev() {
            *operand = self.pop_slot();
        }
        let a = self.pop_slot();
        let make = |d| Inst::Atomic {
            op,
            memory,
            a,
            d,
            v,
            offset,
        };
        if op.has_result() {
            self.emit_to_slot(Kind::Int, make);
        } else {
            self.emit(make(0));
        }
        true
    }

    /// Lowers an instruction if it is one of wide arithmetic; returns whether
    /// it is.
    pub(super) fn wide(&mut self, operator: &Operator<'_>) -> bool {
        let Some(op) = WideOp::of(operator) else {
            return false;
        };
        let mut s = [0; 4];
        for operand in s[..op.operands()].iter_mut().rev() {
            *operand = self.pop_slot();
        }
        let low = self.next_slot();
        let d = [low as u16, low as u16 + 1];
        let def = self.emit(Inst::Wide { op, s, d });
        for _ in d {
            self.push(
                Kind::Int,
                State::Temp {
                    def: Some(def),
                    in_slot: true,
                },
            );
        }
        true
    }
}
