//! Structured control: blocks, loops, branches, returns.
//!
//! At every label the operands that the label expects are in their slots, and
//! the locals pinned are those that were pinned where its block began. Whoever
//! branches there brings the operands; a block that was left from a loop with
//! other pins loads its own again behind its label.

use super::prescan::{LoopInfo, Pins, keep_places, pin_slots, scan_nest};
use super::stack::{Acc, Kind, State};
use super::{Lower, LowerError};
use crate::inst::{Dst, Inst, Jump, Label, Src};
use crate::op::{IntBinary, IntCompare, IntUnary};
use rwasm_parser::ValType;
use wasmparser::{BlockType, BrTable, OperatorsReader};

/// The instruction that opened a control frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opened {
    Function,
    Block,
    Loop,
    /// With the label of its `else`, as long as that did not come.
    If(Option<Label>),
}

/// A control frame.
#[derive(Debug)]
pub(super) struct Frame {
    opened: Opened,
    /// Where branches go: the end, or a loop's head.
    label: Label,
    /// Whether anything branched there.
    label_used: bool,
    /// For a loop: the loop slot with its head's address, or 0.
    loop_slot: u8,
    /// Height of the operand stack below the parameters.
    height: usize,
    params: Vec<Kind>,
    results: Vec<Kind>,
    /// What is pinned at the label.
    pins: Pins,
    /// What was pinned around a loop.
    outer_pins: Pins,
    /// Whether the pins must be loaded behind the label.
    repin: bool,
}

impl Frame {
    /// What a branch to the label carries.
    fn label_kinds(&self) -> &[Kind] {
        if self.opened == Opened::Loop {
            &self.params
        } else {
            &self.results
        }
    }
}

impl Lower<'_> {
    /// Opens the function's own frame.
    pub(super) fn open_function(&mut self, results: &[ValType]) {
        let label = self.new_label();
        let results = results.iter().map(Kind::of).collect();
        self.open(Opened::Function, label, 0, Vec::new(), results);
    }

    fn open(
        &mut self,
        opened: Opened,
        label: Label,
        height: usize,
        params: Vec<Kind>,
        results: Vec<Kind>,
    ) {
        self.frames.push(Frame {
            opened,
            label,
            label_used: false,
            loop_slot: 0,
            height,
            params,
            results,
            pins: self.pins,
            outer_pins: self.pins,
            repin: false,
        });
    }

    /// Parameters and results of a block.
    fn block_kinds(&self, ty: BlockType) -> (Vec<Kind>, Vec<Kind>) {
        let kinds = |types: &[ValType]| types.iter().map(Kind::of).collect();
        match ty {
            BlockType::Empty => (Vec::new(), Vec::new()),
            BlockType::Type(ty) => (Vec::new(), vec![kind_of(ty)]),
            BlockType::FuncType(index) => {
                let ty = self.func_type(index);
                (kinds(&ty.params), kinds(&ty.results))
            }
        }
    }

    /// Before a block opens: its parameters are temporaries in their slots, and
    /// everything below is where labels expect it.
    fn settle(&mut self, params: usize) -> usize {
        let height = self.stack.len() - params;
        self.flush();
        for at in height..self.stack.len() {
            self.materialise(at);
        }
        height
    }

    pub(super) fn block(&mut self, ty: BlockType) {
        let (params, results) = self.block_kinds(ty);
        let height = self.settle(params.len());
        let label = self.new_label();
        self.open(Opened::Block, label, height, params, results);
    }

    pub(super) fn loop_(&mut self, ty: BlockType, offset: u64, body: &OperatorsReader<'_>) {
        let (params, results) = self.block_kinds(ty);
        let height = self.settle(params.len());
        let label = self.new_label();
        if self.loop_depth == 0 {
            self.nest = scan_nest(
                offset,
                body.clone(),
                &self.locals,
                &mut self.scratch.prescan,
            );
            self.nest_at = 0;
        }
        self.loop_depth += 1;
        // Loops in dead code were read too, but never get here.
        while self
            .nest
            .get(self.nest_at)
            .is_some_and(|info| info.offset < offset)
        {
            self.nest_at += 1;
        }
        let info = self
            .nest
            .get(self.nest_at)
            .copied()
            .unwrap_or(LoopInfo::unknown(offset));
        let outer_pins = self.pins;
        self.pins = keep_places(info.pins, outer_pins);
        let loop_slot = if info.height < 2 { info.height + 1 } else { 0 };
        let pins = pin_slots(self.pins, &self.locals);
        if loop_slot > 0 {
            self.emit(Inst::EnterLoop { loop_slot, pins });
        } else if self.pins != outer_pins {
            self.emit(Inst::Pin { pins });
        }
        self.bind(label);
        self.open(Opened::Loop, label, height, params, results);
        let frame = self.frames.last_mut().expect("just opened");
        frame.loop_slot = loop_slot;
        frame.outer_pins = outer_pins;
        self.begin_fuel_block();
        if self.settings.interruption {
            self.emit(Inst::CheckInterrupt);
        }
    }

    pub(super) fn if_(&mut self, ty: BlockType) {
        let (params, results) = self.block_kinds(ty);
        // The condition is on top; flushing below it may need the accumulator,
        // which keeps it out of the branch.
        let top = self.stack.len() - 1;
        let settled = (top - params.len()..top).all(|at| self.is_settled(at))
            && (self.flushed..top).all(|at| self.is_settled(at) || self.is_const(at));
        if settled {
            self.flushed = self.flushed.max(top);
        } else {
            let condition = self.stack[top];
            self.materialise(top);
            let condition_slot = self.stack[top].slot;
            self.pop_entry();
            let height = self.settle(params.len());
            debug_assert_eq!(height + params.len(), top);
            debug_assert_eq!(condition_slot, self.next_slot());
            self.push(
                condition.kind,
                State::Temp {
                    def: None,
                    in_slot: true,
                },
            );
        }
        let else_label = self.new_label();
        let label = self.new_label();
        self.branch_on_top(
            false,
            Jump {
                label: else_label,
                loop_slot: 0,
            },
        );
        let height = self.stack.len() - params.len();
        self.open(Opened::If(Some(else_label)), label, height, params, results);
        self.begin_fuel_block();
    }

    fn is_settled(&self, height: usize) -> bool {
        matches!(self.stack[height].state, State::Temp { in_slot: true, .. })
    }

    fn is_const(&self, height: usize) -> bool {
        matches!(self.stack[height].state, State::Const(_))
    }

    pub(super) fn else_(&mut self) {
        let top = self.frames.len() - 1;
        let Opened::If(Some(else_label)) = self.frames[top].opened else {
            unreachable!("validated: else belongs to an if")
        };
        if !self.dead {
            self.settle_results(top);
            let label = self.frames[top].label;
            self.frames[top].label_used = true;
            self.emit(Inst::Br {
                to: Jump {
                    label,
                    loop_slot: 0,
                },
            });
        }
        let frame = &mut self.frames[top];
        frame.opened = Opened::If(None);
        self.pins = frame.pins;
        let (height, params) = (frame.height, frame.params.clone());
        self.truncate(height);
        self.bind(else_label);
        self.push_all(&params);
        self.dead = false;
        self.begin_fuel_block();
    }

    /// Returns whether that was the end of the function.
    pub(super) fn end(&mut self) -> bool {
        let top = self.frames.len() - 1;
        if self.frames[top].opened == Opened::Function {
            if !self.dead {
                self.return_();
            }
            return true;
        }
        let frame = &self.frames[top];
        // Whether other paths than falling through come here.
        let merges = match frame.opened {
            Opened::Loop => false,
            // Without an else the condition branches to the end.
            Opened::If(Some(_)) => true,
            _ => frame.label_used,
        };
        if self.dead {
            let height = frame.height;
            self.truncate(height);
        } else if merges {
            self.settle_results(top);
        }
        let frame = self.frames.pop().expect("not empty");
        if frame.opened == Opened::Loop {
            self.loop_depth -= 1;
            if !self.dead && self.pins != frame.outer_pins {
                self.repin(frame.outer_pins);
            }
            self.pins = frame.outer_pins;
            // What the body computes must not be redirected from here: it was
            // computed in every round.
            self.region = self.out.len();
        }
        if merges {
            if let Opened::If(Some(else_label)) = frame.opened {
                self.bind(else_label);
            }
            self.bind(frame.label);
            self.dead = false;
            self.pins = frame.pins;
            if frame.repin {
                self.repin(frame.pins);
            }
            self.truncate(frame.height);
            self.push_all(&frame.results);
        }
        if !self.dead {
            self.begin_fuel_block();
        }
        false
    }

    /// Pushes operands that stand in their slots.
    fn push_all(&mut self, kinds: &[Kind]) {
        for &kind in kinds {
            self.push_in_slot(kind);
        }
        self.flushed = self.stack.len();
    }

    /// Puts the results of a block, which are all that is on the stack above its
    /// height, into their slots.
    fn settle_results(&mut self, frame: usize) {
        let frame = &self.frames[frame];
        debug_assert_eq!(self.stack.len(), frame.height + frame.results.len());
        for at in frame.height..self.stack.len() {
            self.materialise(at);
        }
    }

    /// Loads pins that were lost to a loop's.
    fn repin(&mut self, pins: Pins) {
        self.pins = pins;
        if pins.iter().any(Option::is_some) {
            self.emit(Inst::Pin {
                pins: pin_slots(pins, &self.locals),
            });
            self.region = self.out.len();
        }
    }

    fn frame_index(&self, depth: u32) -> usize {
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
        let count = frame.label_kinds().len();
        count == 0
            || (self.stack.len() == frame.height + count
                && (frame.height..self.stack.len()).all(|at| self.is_settled(at)))
    }

    fn jump_to(&mut self, index: usize) -> Jump {
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
    fn move_operands(&mut self, index: usize) {
        let frame = &self.frames[index];
        let count = frame.label_kinds().len();
        let from = self.stack.len() - count;
        let to = frame.height;
        if from == to {
            for at in from..self.stack.len() {
                self.materialise(at);
            }
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

    pub(super) fn br_if(&mut self, depth: u32) {
        let index = self.frame_index(depth);
        let returns = self.frames[index].opened == Opened::Function;
        let condition = self.stack.len() - 1;
        // Operands of the label lie below the condition.
        let direct = !returns && {
            let frame = &self.frames[index];
            let count = frame.label_kinds().len();
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
        let count = self.frames[index].label_kinds().len();
        if !returns || count > 1 {
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

    /// Branches on the `i32` on top, which is popped: if it is zero or if it is
    /// not. Absorbs the comparison that made it.
    pub(super) fn branch_on_top(&mut self, mut non_zero: bool, to: Jump) {
        // `eqz` turns the branch around; an `and` below it is absorbed as well.
        if let Some(last) = self.absorbable()
            && let Inst::Unary {
                op: IntUnary::I32Eqz,
                a,
                ..
            } = self.out[last]
        {
            self.absorb();
            non_zero = !non_zero;
            if a == Src::Acc
                && last > self.region
                && let Inst::Binary {
                    op: IntBinary::I32And,
                    a,
                    b,
                    d: Dst::Acc,
                } = self.out[last - 1]
                && !a.is_const()
            {
                self.drop_last();
                self.emit_branch(Inst::BrAnd { a, b, non_zero, to });
            } else {
                self.emit_if_branch(a, non_zero, to);
            }
            return;
        }
        if let Some(last) = self.absorbable() {
            match self.out[last] {
                Inst::Compare { op, a, b, .. } if fits_branch(op, a) && fits_branch(op, b) => {
                    self.absorb();
                    let (op, swap) = if non_zero { (op, false) } else { op.negated() };
                    let (a, b) = if swap { (b, a) } else { (a, b) };
                    self.emit_compare_branch(op, a, b, to);
                    return;
                }
                Inst::Unary {
                    op: IntUnary::I64Eqz,
                    a,
                    ..
                } if !a.is_const() => {
                    self.absorb();
                    let op = if non_zero {
                        IntCompare::I64Eq
                    } else {
                        IntCompare::I64Ne
                    };
                    self.emit_compare_branch(op, a, Src::Const(0), to);
                    return;
                }
                Inst::Binary {
                    op: IntBinary::I32And,
                    a,
                    b,
                    ..
                } if !a.is_const() => {
                    self.absorb();
                    self.emit_branch(Inst::BrAnd { a, b, non_zero, to });
                    return;
                }
                Inst::FloatCompare { op, a, b, .. } => {
                    self.absorb();
                    let op = if non_zero { op } else { op.negated() };
                    self.emit_branch(Inst::BrFloatCompare { op, a, b, to });
                    return;
                }
                _ => {}
            }
        }
        let a = self.pop_variable();
        self.emit_if_branch(a, non_zero, to);
    }

    fn emit_if_branch(&mut self, a: Src, non_zero: bool, to: Jump) {
        // `local.tee` of a sum, as at the end of a counting loop.
        let op = if non_zero {
            IntCompare::I32Ne
        } else {
            IntCompare::I32Eq
        };
        if let Some(local) = self.local_in(a)
            && self.try_add_branch(local, op, Src::Const(0), to)
        {
            return;
        }
        self.emit_branch(Inst::BrIf { a, non_zero, to });
    }

    fn emit_compare_branch(&mut self, op: IntCompare, a: Src, b: Src, to: Jump) {
        let commutes = matches!(
            op,
            IntCompare::I32Eq | IntCompare::I32Ne | IntCompare::I64Eq | IntCompare::I64Ne
        );
        for (a, b) in [(a, b), (b, a)]
            .into_iter()
            .take(if commutes { 2 } else { 1 })
        {
            if let Some(local) = self.local_in(a)
                && self.local_in(b) != Some(local)
                && self.try_add_branch(local, op, b, to)
            {
                return;
            }
        }
        self.emit_branch(Inst::BrCompare { op, a, b, to });
    }

    /// The local that a source reads.
    fn local_in(&self, source: Src) -> Option<u32> {
        match source {
            Src::Pin(pin) => self.pins[usize::from(pin)],
            Src::Acc => match self.acc {
                Acc::Local(local) => Some(local),
                Acc::Temp(_) | Acc::Nothing => None,
            },
            Src::Slot(slot) if u32::from(slot) < self.first_temp => {
                let after = self
                    .locals
                    .partition_point(|info| info.slot <= u32::from(slot));
                Some(after as u32 - 1)
            }
            Src::Slot(_) | Src::Const(_) => None,
        }
    }

    /// Absorbs `local += constant` before a branch back on that local.
    fn try_add_branch(&mut self, local: u32, op: IntCompare, b: Src, to: Jump) -> bool {
        if to.loop_slot == 0 || b == Src::Acc {
            return false;
        }
        let Some(last) = self
            .out
            .len()
            .checked_sub(1)
            .filter(|&last| last >= self.region)
        else {
            return false;
        };
        let Inst::Binary {
            op: add,
            a,
            b: Src::Const(addend),
            d,
        } = self.out[last]
        else {
            return false;
        };
        let wide = is_wide(op);
        let expected = if wide {
            IntBinary::I64Add
        } else {
            IntBinary::I32Add
        };
        let slot = self.locals[local as usize].slot as u16;
        let (own_slot, own_pin) = (Src::Slot(slot), self.pin_of(local).map(Src::Pin));
        let to_local = d.slot() == slot && d != Dst::Acc;
        if add != expected || !to_local || (a != own_slot && Some(a) != own_pin) {
            return false;
        }
        let addend = if wide {
            addend as i64
        } else {
            i64::from(addend as i32)
        };
        let Ok(addend) = i32::try_from(addend) else {
            return false;
        };
        self.drop_last();
        let a = own_pin.unwrap_or(own_slot);
        self.emit_branch(Inst::AddBr {
            op,
            a,
            slot,
            addend,
            b,
            to,
        });
        if own_pin.is_none() {
            self.acc = Acc::Local(local);
        }
        true
    }

    /// Appends a branch, which ends the region: what comes before must not
    /// change any more, lest it changes for who branches.
    fn emit_branch(&mut self, inst: Inst) {
        self.emit(inst);
        self.region = self.out.len();
    }

    pub(super) fn br_table(&mut self, table: &BrTable<'_>) -> Result<(), LowerError> {
        let default = self.frame_index(table.default());
        let count = self.frames[default].label_kinds().len();
        let index = self.stack.len() - 1;
        for at in index - count..index {
            self.materialise(at);
        }
        let a = self.pop_variable();
        let first = self.targets.len() as u32;
        // Targets that need more than a jump get it behind the table, once each.
        let mut stubs: Vec<(u32, Label)> = Vec::new();
        let mut stub_of = std::collections::HashMap::new();
        for depth in table.targets().chain([Ok(table.default())]) {
            let depth = depth?;
            let index = self.frame_index(depth);
            let direct = self.frames[index].opened != Opened::Function
                && self.operands_in_place(index)
                && !self.must_repin(index);
            let label = if direct {
                self.jump_to(index).label
            } else {
                match stub_of.get(&depth) {
                    Some(&label) => label,
                    None => {
                        let label = self.new_label();
                        stub_of.insert(depth, label);
                        stubs.push((depth, label));
                        label
                    }
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

    pub(super) fn new_label(&mut self) -> Label {
        self.labels.push(u32::MAX);
        Label(self.labels.len() as u32 - 1)
    }

    /// Puts the label here. Who comes from elsewhere has other accumulators.
    pub(super) fn bind(&mut self, label: Label) {
        self.spill_acc();
        self.spill_float_acc();
        self.labels[label.0 as usize] = self.out.len() as u32;
        self.region = self.out.len();
    }
}

/// Whether it compares 64 bits.
fn is_wide(op: IntCompare) -> bool {
    op as u8 >= IntCompare::I64Eq as u8
}

/// Whether a branch can hold the operand: its constants have 32 bits and are
/// sign-extended.
fn fits_branch(op: IntCompare, operand: Src) -> bool {
    match operand {
        Src::Const(bits) => !is_wide(op) || i32::try_from(bits as i64).is_ok(),
        _ => true,
    }
}

/// The kind of a block type's single result.
pub(super) fn kind_of(ty: wasmparser::ValType) -> Kind {
    match ty {
        wasmparser::ValType::F32 | wasmparser::ValType::F64 => Kind::Float,
        wasmparser::ValType::V128 => Kind::Vector,
        _ => Kind::Int,
    }
}
