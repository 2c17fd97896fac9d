//! Structured control: blocks and loops, where they begin and end.
//!
//! At every label the operands that the label expects are in their slots, and
//! the locals pinned are those that were pinned where its block began. Whoever
//! branches there brings the operands; a block that was left from a loop with
//! other pins loads its own again behind its label.

use super::Lower;
use super::prescan::{LoopInfo, Pins, keep_places, pin_slots, scan_nest};
use super::stack::{Kind, State};
use crate::inst::{Inst, Jump, Label, Src, TryIndex};
use rwasm_parser::ValType;
use wasmparser::{BinaryReader, BlockType};

/// The instruction that opened a control frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opened {
    Function,
    Block,
    Loop,
    /// With the label of its `else`, as long as that did not come.
    If(Option<Label>),
    /// A legacy `try`, in its body.
    Try(TryIndex),
    /// A legacy `try`, in one of its handlers.
    Catch {
        of: TryIndex,
        /// The slot of the reference to the exception.
        exception: u32,
    },
}

/// A control frame.
///
/// It borrows its types: a module's blocks, three bytes each, may have a
/// thousand parameters.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub(super) opened: Opened,
    /// Where branches go: the end, or a loop's head.
    pub(super) label: Label,
    /// Whether anything branched there.
    pub(super) label_used: bool,
    /// For a loop: the loop slot with its head's address, or 0.
    pub(super) loop_slot: u8,
    /// Height of the operand stack below the parameters.
    pub(super) height: usize,
    pub(super) params: &'a [ValType],
    pub(super) results: &'a [ValType],
    /// What is pinned at the label.
    pub(super) pins: Pins,
    /// What was pinned around a loop.
    pub(super) outer_pins: Pins,
    /// Whether the pins must be loaded behind the label.
    pub(super) repin: bool,
    /// The innermost `try` that exceptions in the block go to.
    pub(super) catcher: Option<TryIndex>,
    /// What `begin_assignments` gave where the block began.
    pub(super) assignments: usize,
    /// Where a `br_table` jumps to get there, and its first target, by which it is
    /// known whose that is.
    pub(super) table_entry: Option<(u32, Label)>,
}

impl<'a> Frame<'a> {
    /// What a branch to the label carries.
    pub(super) fn label_types(&self) -> &'a [ValType] {
        if self.opened == Opened::Loop {
            self.params
        } else {
            self.results
        }
    }
}

impl<'a> Lower<'a> {
    /// Opens the function's own frame.
    pub(super) fn open_function(&mut self, results: &'a [ValType]) {
        let label = self.new_label();
        self.open(Opened::Function, label, 0, &[], results);
    }

    pub(super) fn open(
        &mut self,
        opened: Opened,
        label: Label,
        height: usize,
        params: &'a [ValType],
        results: &'a [ValType],
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
            catcher: self.catcher(),
            assignments: self.begin_assignments(),
            table_entry: None,
        });
    }

    /// Parameters and results of a block.
    pub(super) fn block_types(&self, ty: BlockType) -> (&'a [ValType], &'a [ValType]) {
        match ty {
            BlockType::Empty => (&[], &[]),
            BlockType::Type(ty) => (&[], single(kind_of(ty))),
            BlockType::FuncType(index) => {
                let ty = self.func_type(index);
                (&ty.params, &ty.results)
            }
        }
    }

    /// Before a block opens: its parameters are temporaries in their slots, and
    /// everything below is where labels expect it.
    pub(super) fn settle(&mut self, params: usize) -> usize {
        let height = self.stack.len() - params;
        self.flush();
        for at in height..self.stack.len() {
            self.materialise(at);
        }
        height
    }

    pub(super) fn block(&mut self, ty: BlockType) {
        let (params, results) = self.block_types(ty);
        let height = self.settle(params.len());
        let label = self.new_label();
        self.open(Opened::Block, label, height, params, results);
    }

    pub(super) fn loop_(&mut self, ty: BlockType) {
        let offset = u64::from(self.offset);
        let (params, results) = self.block_types(ty);
        let height = self.settle(params.len());
        if self.settings.tier_up {
            self.copy_constants(height);
        }
        let label = self.new_label();
        if self.loop_depth == 0 {
            let body = self.rest_of_body();
            let scratch = &mut self.scratch.prescan;
            scan_nest(body, &self.locals, scratch, &mut self.nest);
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
        self.set_pins(keep_places(info.pins, outer_pins));
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
        if self.settings.tier_up {
            // Before fuel: machine code that takes over here charges it.
            let loop_at = Some(offset as u32);
            self.emit(Inst::Count { loop_at });
        }
        self.begin_fuel_block();
        if self.settings.interruption {
            self.emit(Inst::CheckInterrupt);
        }
    }

    /// The body from the current instruction on.
    fn rest_of_body(&self) -> BinaryReader<'a> {
        let offset = u64::from(self.offset);
        let before = (offset - self.body.range().start) as usize;
        let features = self.module.features().to_wasmparser();
        BinaryReader::new_features(&self.body.as_bytes()[before..], offset, features)
    }

    /// Writes the constants among the operands below a height to their slots,
    /// where machine code that takes over looks for operands. They stay constants:
    /// other ways to where they are used do not write them.
    fn copy_constants(&mut self, height: usize) {
        for at in 0..height {
            let entry = self.stack[at];
            if let State::Const(bits) = entry.state {
                self.emit_copy(entry.kind, Src::Const(bits), entry.slot);
            }
        }
    }

    pub(super) fn if_(&mut self, ty: BlockType) {
        let (params, results) = self.block_types(ty);
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

    pub(super) fn is_settled(&self, height: usize) -> bool {
        matches!(self.stack[height].state, State::Temp { in_slot: true, .. })
    }

    pub(super) fn is_const(&self, height: usize) -> bool {
        matches!(self.stack[height].state, State::Const(_))
    }

    pub(super) fn else_(&mut self) {
        let top = self.frames.len() - 1;
        let Opened::If(Some(else_label)) = self.frames[top].opened else {
            unreachable!("validated: else belongs to an if")
        };
        self.end_assignments(self.frames[top].assignments);
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
        let (height, params, pins) = (frame.height, frame.params, frame.pins);
        self.set_pins(pins);
        self.truncate(height);
        self.bind(else_label);
        self.push_all(params);
        self.dead = false;
        self.begin_fuel_block();
    }

    pub(super) fn end(&mut self) {
        let top = self.frames.len() - 1;
        if self.frames[top].opened == Opened::Function {
            if !self.dead {
                self.return_();
            }
            self.return_caught();
            return;
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
        } else if let Opened::Catch { .. } = frame.opened {
            // The reference to the exception lies below.
            self.move_operands(top);
        } else if merges {
            self.settle_results(top);
        }
        let frame = self.frames.pop().expect("not empty");
        self.end_assignments(frame.assignments);
        if frame.opened == Opened::Loop {
            self.loop_depth -= 1;
            if !self.dead && self.pins != frame.outer_pins {
                self.repin(frame.outer_pins);
            }
            self.set_pins(frame.outer_pins);
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
            self.set_pins(frame.pins);
            if frame.repin {
                self.repin(frame.pins);
            }
            self.truncate(frame.height);
            self.push_all(frame.results);
        }
        if !self.dead {
            self.begin_fuel_block();
        }
    }

    /// Pushes operands that stand in their slots.
    pub(super) fn push_all(&mut self, types: &[ValType]) {
        for ty in types {
            self.push_in_slot(Kind::of(ty));
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
        self.set_pins(pins);
        if pins.iter().any(Option::is_some) {
            self.emit(Inst::Pin {
                pins: pin_slots(pins, &self.locals),
            });
            self.region = self.out.len();
        }
    }

    pub(super) fn new_label(&mut self) -> Label {
        self.labels.push(u32::MAX);
        Label(self.labels.len() as u32 - 1)
    }

    /// Puts the label here. Who comes from elsewhere has other accumulators.
    pub(super) fn bind(&mut self, label: Label) {
        self.turn_branch_around(label);
        self.spill_acc();
        self.spill_float_acc();
        self.labels[label.0 as usize] = self.out.len() as u32;
        self.bound.push(self.out.len() as u32);
        self.region = self.out.len();
    }
}

/// A single result of that kind; which of its types it is matters to nobody.
fn single(kind: Kind) -> &'static [ValType] {
    match kind {
        Kind::Int => &[ValType::I64],
        Kind::Float => &[ValType::F64],
        Kind::Vector => &[ValType::V128],
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
