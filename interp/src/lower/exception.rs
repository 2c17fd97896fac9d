//! Exceptions: what throws them, and both forms of `try`.
//!
//! Calls and throws name the innermost `try` around them; what else can fail
//! traps, and traps are not caught. So a body that throws nothing costs nothing.
//! A handler finds what every label finds: the operands below it and all locals
//! in their slots, since a block settles its operands before it opens and no
//! result is redirected across a call. It is entered with the pins of its label
//! loaded, by whoever unwinds.

use super::Lower;
use super::control::Opened;
use super::prescan::pin_slots;
use super::stack::Kind;
use crate::inst::{Clause, Inst, Try, TryIndex};
use rwasm_parser::ValType;
use wasmparser::{BlockType, Catch, TryTable};

impl<'a> Lower<'a> {
    /// The innermost `try` around the current instruction.
    pub(super) fn catcher(&self) -> Option<TryIndex> {
        self.frames.last()?.catcher
    }

    pub(super) fn throw(&mut self, tag: u32) {
        let height = self.stack.len() - self.tag_types(tag).len();
        for at in height..self.stack.len() {
            self.materialise(at);
        }
        let first = self.slot_at(height) as u16;
        let catcher = self.catcher();
        self.emit(Inst::Throw {
            tag,
            first,
            catcher,
        });
        self.dead = true;
    }

    pub(super) fn throw_ref(&mut self) {
        let a = self.pop_slot();
        self.throw_slot(a);
    }

    /// Throws the exception that a slot refers to.
    fn throw_slot(&mut self, a: u16) {
        let catcher = self.catcher();
        self.emit(Inst::ThrowRef { a, catcher });
        self.dead = true;
    }

    pub(super) fn try_table(&mut self, table: &TryTable) {
        let (params, results) = self.block_types(table.ty);
        let height = self.settle(params.len());
        let clauses = table.catches.iter().map(|catch| self.clause(catch));
        let clauses = clauses.collect();
        let catcher = self.new_try(clauses);
        let label = self.new_label();
        self.open(Opened::Block, label, height, params, results);
        self.frames.last_mut().expect("just opened").catcher = Some(catcher);
    }

    /// A clause of a `try_table` that is about to open.
    fn clause(&mut self, catch: &Catch) -> Clause {
        let (tag, depth, with_reference) = match *catch {
            Catch::One { tag, label } => (Some(tag), label, false),
            Catch::OneRef { tag, label } => (Some(tag), label, true),
            Catch::All { label } => (None, label, false),
            Catch::AllRef { label } => (None, label, true),
        };
        let index = self.frame_index(depth);
        let frame = &self.frames[index];
        let values = self.slot_at(frame.height);
        let pins = pin_slots(frame.pins, &self.locals);
        let label = if frame.opened == Opened::Function {
            match self.return_label {
                Some(label) => label,
                None => {
                    let label = self.new_label();
                    self.return_label = Some(label);
                    label
                }
            }
        } else {
            self.jump_to(index).label
        };
        let end = values + self.tag_slots(tag);
        self.use_slots(end + u32::from(with_reference));
        Clause {
            tag,
            label,
            values: values as u16,
            exception: with_reference.then_some(end as u16),
            pins,
        }
    }

    /// The end of a function some of whose exceptions are caught with its own
    /// label: returns what was caught, which stands at the bottom of the stack.
    pub(super) fn return_caught(&mut self) {
        let Some(label) = self.return_label else {
            return;
        };
        self.truncate(0);
        self.bind(label);
        self.push_all(self.frames[0].results);
        self.return_();
    }

    fn new_try(&mut self, clauses: Vec<Clause>) -> TryIndex {
        let index = TryIndex(self.tries.len() as u32);
        let outer = self.catcher();
        self.tries.push(Try { outer, clauses });
        index
    }

    /// Types of the values that exceptions of the tag carry.
    fn tag_types(&self, tag: u32) -> &'a [ValType] {
        &self
            .func_type(self.module.tags()[tag as usize].as_u32())
            .params
    }

    /// Slots of the values that exceptions of the tag carry; none for any tag.
    fn tag_slots(&self, tag: Option<u32>) -> u32 {
        let types = tag.map_or(&[][..], |tag| self.tag_types(tag));
        types.iter().map(|ty| Kind::of(ty).slots()).sum()
    }
}

/// The legacy instructions, which LLVM still makes by default. A handler is a
/// part of its `try`, with the reference to the exception as a hidden operand
/// below those that the guest knows of, for `rethrow`.
impl Lower<'_> {
    pub(super) fn legacy_try(&mut self, ty: BlockType) {
        let (params, results) = self.block_types(ty);
        let height = self.settle(params.len());
        let catcher = self.new_try(Vec::new());
        let label = self.new_label();
        self.open(Opened::Try(catcher), label, height, params, results);
        self.frames.last_mut().expect("just opened").catcher = Some(catcher);
    }

    /// `catch` and, without a tag, `catch_all`.
    pub(super) fn legacy_catch(&mut self, tag: Option<u32>) {
        let top = self.frames.len() - 1;
        let end = self.jump_to(top);
        if !self.dead {
            self.move_operands(top);
            self.emit(Inst::Br { to: end });
        }
        let frame = &self.frames[top];
        let (Opened::Try(of) | Opened::Catch { of, .. }) = frame.opened else {
            unreachable!("validated: a handler belongs to a try")
        };
        let (height, pins, assignments) = (frame.height, frame.pins, frame.assignments);
        self.set_pins(pins);
        self.end_assignments(assignments);
        self.truncate(height);
        let label = self.new_label();
        self.bind(label);
        self.dead = false;
        let exception = self.next_slot();
        self.push_in_slot(Kind::Int);
        let values = self.next_slot();
        if let Some(tag) = tag {
            self.push_all(self.tag_types(tag));
        }
        self.flushed = self.stack.len();
        self.tries[of.0 as usize].clauses.push(Clause {
            tag,
            label,
            values: values as u16,
            exception: Some(exception as u16),
            pins: pin_slots(pins, &self.locals),
        });
        let frame = &mut self.frames[top];
        frame.opened = Opened::Catch { of, exception };
        frame.catcher = self.tries[of.0 as usize].outer;
        self.begin_fuel_block();
    }

    pub(super) fn rethrow(&mut self, depth: u32) {
        let index = self.frame_index(depth);
        let Opened::Catch { exception, .. } = self.frames[index].opened else {
            unreachable!("validated: rethrow names a handler")
        };
        self.throw_slot(exception as u16);
    }

    /// Ends a `try` whose exceptions go where those of an outer block go.
    pub(super) fn delegate(&mut self, depth: u32) {
        let top = self.frames.len() - 1;
        let Opened::Try(of) = self.frames[top].opened else {
            unreachable!("validated: delegate belongs to a try")
        };
        self.tries[of.0 as usize].outer = self.frames[top - 1 - depth as usize].catcher;
        self.end();
    }
}
