//! Calls: arguments go to where the callee's frame begins.

use super::stack::{Acc, Kind, State};
use super::{LocalInfo, Lower};
use crate::exec::slots::SlotOp;
use crate::inst::{Callee, Dst, Inst, Src};
use rwasm_parser::FuncType;
use rwasm_runtime::tunables::FRAME_HEADER_SLOTS;

impl Lower<'_> {
    /// `call` and `return_call` of a function of the module.
    pub(super) fn call(&mut self, func: u32, tail: bool) {
        let imported = self.module.num_imported_functions();
        let ty = self.func_type(self.module.functions()[func as usize].as_u32());
        let callee = match func.checked_sub(imported) {
            Some(own) => Callee::Own(own),
            None => Callee::Imported(func),
        };
        self.emit_call(callee, ty, tail);
    }

    /// `call_indirect` and `return_call_indirect`.
    pub(super) fn call_indirect(&mut self, table: u32, ty: u32, tail: bool) {
        let index = self.pop_callee();
        let func_type = self.func_type(ty);
        self.emit_call(Callee::Indirect { table, ty, index }, func_type, tail);
    }

    /// `call_ref` and `return_call_ref`.
    pub(super) fn call_ref(&mut self, ty: u32, tail: bool) {
        let func = self.pop_callee();
        let func_type = self.func_type(ty);
        self.emit_call(Callee::Ref(func), func_type, tail);
    }

    /// Pops the operand that says who is called. Moving the arguments may change
    /// the accumulator, hence never from there.
    fn pop_callee(&mut self) -> Src {
        let top = self.stack.len() - 1;
        match self.stack[top].state {
            State::Local(local) => {
                self.pop_entry();
                match self.locals[local as usize] {
                    LocalInfo { pin: Some(pin), .. } => Src::Pin(pin),
                    LocalInfo { slot, .. } => Src::Slot(slot as u16),
                }
            }
            State::Const(_) | State::Temp { .. } => {
                // Its slot is that of an argument-to-be: the frame header's
                // slots lie between, and arguments are moved from the top.
                self.materialise(top);
                let slot = self.stack[top].slot as u16;
                self.pop_entry();
                Src::Slot(slot)
            }
        }
    }

    fn emit_call(&mut self, callee: Callee, ty: &FuncType, tail: bool) {
        let height = self.stack.len() - ty.params.len();
        let result_slot = self.slot_at(height);
        let base = result_slot + FRAME_HEADER_SLOTS as u32;
        // The callee's operand must survive the moves: put the frame beyond it.
        if let Callee::Indirect {
            index: Src::Slot(slot),
            ..
        }
        | Callee::Ref(Src::Slot(slot)) = callee
            && u32::from(slot) >= self.first_temp
        {
            let params: u32 = self.stack[height..]
                .iter()
                .map(|entry| entry.kind.slots())
                .sum();
            if u32::from(slot) >= base && u32::from(slot) < base + params {
                let safe = base + params;
                self.use_slots(safe + 1);
                self.emit(Inst::Mov {
                    a: Src::Slot(slot),
                    d: Dst::Slot(safe as u16),
                });
                return self.emit_call(with_operand(callee, Src::Slot(safe as u16)), ty, tail);
            }
        }
        let param_slots = self.move_arguments(height, base);
        self.truncate(height);
        // A call changes both accumulators.
        self.spill_acc();
        self.spill_float_acc();
        let result_slots: u32 = ty.results.iter().map(|ty| Kind::of(ty).slots()).sum();
        self.use_slots(base + param_slots.max(result_slots));
        if tail {
            let slots = param_slots as u16;
            self.emit(Inst::ReturnCall {
                callee,
                base: base as u16,
                slots,
            });
            self.dead = true;
            return;
        }
        let pins = self.pin_slots();
        self.emit(Inst::Call {
            callee,
            base: base as u16,
            pins,
            catcher: self.catcher(),
        });
        for ty in &ty.results {
            self.push_in_slot(Kind::of(ty));
        }
        if let [result] = &ty.results[..] {
            match Kind::of(result) {
                Kind::Int => self.acc = Acc::Temp(height as u32),
                Kind::Float => self.float_acc = Acc::Temp(height as u32),
                Kind::Vector => {}
            }
        }
    }

    /// Brings the operands from `height` up to the slots from `base` up; returns
    /// how many slots they take.
    fn move_arguments(&mut self, height: usize, base: u32) -> u32 {
        let total: u32 = self.stack[height..]
            .iter()
            .map(|entry| entry.kind.slots())
            .sum();
        self.use_slots(base + total);
        // Results in an accumulator first: moves change the accumulators.
        let mut moved = std::mem::take(&mut self.scratch.moved);
        moved.clear();
        // From the top in both rounds: an argument's place may be the slot of a
        // later one.
        let mut slot = base + total;
        for at in (height..self.stack.len()).rev() {
            let entry = self.stack[at];
            slot -= entry.kind.slots();
            let done = match entry.state {
                State::Temp { def, .. } => {
                    self.try_redirect(def, entry.slot, Dst::Slot(slot as u16))
                }
                State::Local(_) | State::Const(_) => false,
            };
            if done {
                // Its own slot does not get it any more, nor may a later spill
                // send it there.
                self.stack[at].state = State::Temp {
                    def: None,
                    in_slot: true,
                };
            } else {
                self.temp_to_slot(at);
            }
            moved.push(done);
        }
        let mut slot = base + total;
        for (at, &done) in (height..self.stack.len()).rev().zip(&moved) {
            let kind = self.stack[at].kind;
            slot -= kind.slots();
            if !done {
                let source = self.source(at);
                self.emit_copy(kind, source, slot);
            }
        }
        self.scratch.moved = moved;
        total
    }

    /// Appends an instruction over slots without a result.
    pub(super) fn emit_slots(&mut self, op: SlotOp, s: [u16; 3], x: u32, y: u32) {
        self.emit(Inst::Slots { op, s, x, y });
    }
}

fn with_operand(callee: Callee, operand: Src) -> Callee {
    match callee {
        Callee::Indirect { table, ty, .. } => Callee::Indirect {
            table,
            ty,
            index: operand,
        },
        Callee::Ref(_) => Callee::Ref(operand),
        other => other,
    }
}
