//! Branches and returns: operands are brought to where the label expects them,
//! and pins that its block needs are loaded.

use super::control::Opened;
use super::prescan::pin_slots;
use super::stack::Kind;
use super::{Lower, LowerError};
use crate::exec::slots::SlotOp;
use crate::inst::{Inst, Jump, Label, Src};
use wasmparser::BrTable;

/// Operands that a branch moves one by one. More are moved by one instruction:
/// a branch of two bytes may carry a thousand.
const MAX_MOVES: usize = 8;

impl Lower<'_> {
    pub(super) fn frame_index(&self, depth: u32) -> usize {
        self.frames.len() - 1 - depth as usize
    }

    /// Whether a branch to the frame must load pins before it jumps. A block's
    /// label loads its own.
    fn must_repin(&mut self, index: usize) -> bool {
        let frame = &mut self.frames[index];
        let differ = frame
            .pins
            .iter()
            .zip(&self.pins)
            .any(|(there, here)| there.is_some() && there != here);
        match frame.opened {
            Opened::Loop => differ,
            _ => {
                frame.repin |= differ;
                false
            }
        }
    }

    /// Whether the operands on top are where the frame's label expects them.
    fn operands_in_place(&self, index: usize) -> bool {
        let frame = &self.frames[index];
        let count = frame.label_types().len();
        count == 0
            || (self.stack.len() == frame.height + count
                && (frame.height..self.stack.len()).all(|at| self.is_settled(at)))
    }

    pub(super) fn jump_to(&mut self, index: usize) -> Jump {
        let frame = &mut self.frames[index];
        frame.label_used = true;
        Jump {
            label: frame.label,
            loop_slot: frame.loop_slot,
        }
    }

    /// `br`. The operand stack stays as it is: the code behind is dead, or the
    /// caller goes on with it.
    pub(super) fn br(&mut self, depth: u32) {
        let index = self.frame_index(depth);
        if self.frames[index].opened == Opened::Function {
            return self.return_();
        }
        self.move_operands(index);
        if self.must_repin(index) {
            let pins = self.frames[index].pins;
            self.emit(Inst::Pin {
                pins: pin_slots(pins, &self.locals),
            });
        }
        let to = self.jump_to(index);
        self.emit(Inst::Br { to });
    }

    /// Moves the operands on top down to where the frame's label expects them.
    pub(super) fn move_operands(&mut self, index: usize) {
        let frame = &self.frames[index];
        let count = frame.label_types().len();
        let from = self.stack.len() - count;
        let to = frame.height;
        if from == to {
            for at in from..self.stack.len() {
                self.materialise(at);
            }
            return;
        }
        if count > MAX_MOVES {
            for at in from..self.stack.len() {
                self.materialise(at);
            }
            let source = self.stack[from].slot;
            let slots = self.next_slot() - source;
            self.emit(Inst::Slots {
                op: SlotOp::CopySlots,
                s: [self.slot_at(to) as u16, source as u16, 0],
                x: slots,
                y: 0,
            });
            return;
        }
        // The accumulators are lost to the first move.
        for at in from..self.stack.len() {
            self.temp_to_slot(at);
        }
        let mut slot = self.slot_at(to);
        // Upwards: every target is below its source.
        for at in from..self.stack.len() {
            let kind = self.stack[at].kind;
            let source = self.source(at);
            self.emit_copy(kind, source, slot);
            slot += kind.slots();
        }
    }

    /// The slot of the operand at `height`, which may be the next to come.
    pub(super) fn slot_at(&self, height: usize) -> u32 {
        match self.stack.get(height) {
            Some(entry) => entry.slot,
            None => self.next_slot(),
        }
    }
    /// Branches to a label with what is on the stack, all of it in its slots, if
    /// the accumulator is not zero or, if not `when`, if it is.
    pub(super) fn branch_on_acc(&mut self, when: bool, depth: u32) {
        let index = self.frame_index(depth);
        let direct = self.frames[index].opened != Opened::Function
            && self.operands_in_place(index)
            && !self.must_repin(index);
        let a = Src::Acc;
        if direct {
            let (non_zero, to) = (when, self.jump_to(index));
            self.emit_branch(Inst::BrIf { a, non_zero, to });
        } else {
            let (non_zero, label) = (!when, self.new_label());
            let to = Jump {
                label,
                loop_slot: 0,
            };
            self.emit_branch(Inst::BrIf { a, non_zero, to });
            self.br(depth);
            self.bind(label);
        }
        self.begin_fuel_block();
    }

    /// Brings everything above the last label, and all that a label takes from
    /// the top, to its slot: also constants from before a block. What the branch
    /// did to them would not be done for who goes on.
    pub(super) fn materialise_for(&mut self, depth: u32) {
        let index = self.frame_index(depth);
        let count = self.frames[index].label_types().len().max(1);
        let operands = self.stack.len().saturating_sub(count);
        for at in operands.min(self.flushed)..self.stack.len() {
            self.materialise(at);
        }
    }

    pub(super) fn br_if(&mut self, depth: u32) {
        let index = self.frame_index(depth);
        let returns = self.frames[index].opened == Opened::Function;
        let condition = self.stack.len() - 1;
        // Operands of the label lie below the condition.
        let direct = !returns && {
            let frame = &self.frames[index];
            let count = frame.label_types().len();
            count == 0
                || (condition == frame.height + count
                    && (frame.height..condition).all(|at| self.is_settled(at)))
        };
        if direct && !self.must_repin(index) {
            let to = self.jump_to(index);
            self.branch_on_top(true, to);
            self.begin_fuel_block();
            return;
        }
        let skip = self.new_label();
        // What moves for the branch must not move for who goes on: everything
        // that the branch needs is brought to its slot before.
        self.settle_acc(condition);
        let count = self.frames[index].label_types().len();
        let many = count > 1 || (count == 1 && self.stack[condition - 1].kind == Kind::Vector);
        if !returns || many {
            for at in condition - count..condition {
                self.materialise(at);
            }
        }
        self.branch_on_top(
            false,
            Jump {
                label: skip,
                loop_slot: 0,
            },
        );
        let accs = (self.acc, self.float_acc);
        self.br(depth);
        self.bind(skip);
        // Whoever skips has the accumulators that the branch found, unless an
        // operand in one of them was spilled since: then its slot counts.
        (self.acc, self.float_acc) = accs;
        self.begin_fuel_block();
    }

    pub(super) fn br_table(&mut self, table: &BrTable<'_>) -> Result<(), LowerError> {
        let default = self.frame_index(table.default());
        let count = self.frames[default].label_types().len();
        let index = self.stack.len() - 1;
        for at in index - count..index {
            self.materialise(at);
        }
        let a = self.pop_variable();
        let first = self.targets.len() as u32;
        // Targets that need more than a jump get it behind the table. Each
        // depth is looked at once: tables are long, and labels carry much.
        let mut stubs: Vec<(u32, Label)> = Vec::new();
        for depth in table.targets().chain([Ok(table.default())]) {
            let depth = depth?;
            let index = self.frame_index(depth);
            let label = match self.frames[index].table_entry {
                Some((of, label)) if of == first => label,
                _ => {
                    let direct = self.frames[index].opened != Opened::Function
                        && self.operands_in_place(index)
                        && !self.must_repin(index);
                    let label = if direct {
                        self.jump_to(index).label
                    } else {
                        let label = self.new_label();
                        stubs.push((depth, label));
                        label
                    };
                    self.frames[index].table_entry = Some((first, label));
                    label
                }
            };
            self.targets.push(label);
        }
        let last = self.targets.len() as u32 - 1 - first;
        self.emit(Inst::BrTable { a, first, last });
        for (depth, label) in stubs {
            self.bind(label);
            self.br(depth);
        }
        self.dead = true;
        Ok(())
    }

    /// `return`, or the end of the function.
    pub(super) fn return_(&mut self) {
        let results = self.frames[0].results.len();
        let from = self.stack.len() - results;
        match results {
            0 => {
                self.emit(Inst::Ret);
            }
            1 => match self.stack[from].kind {
                Kind::Int => {
                    let a = self.source(from);
                    self.emit(Inst::RetInt { a });
                }
                Kind::Float => {
                    let a = self.source(from);
                    self.emit(Inst::RetFloat { a });
                }
                Kind::Vector => self.return_many(from),
            },
            _ => self.return_many(from),
        }
    }

    fn return_many(&mut self, from: usize) {
        for at in from..self.stack.len() {
            self.materialise(at);
        }
        let first = self.stack[from].slot;
        let count = self.next_slot() - first;
        self.emit(Inst::RetMany {
            first: first as u16,
            count: count as u16,
        });
    }
}
