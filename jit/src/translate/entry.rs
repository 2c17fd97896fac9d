//! Where compiled code is entered: at the function's beginning, or at the head of
//! a loop, in the middle of an interpreted call (on-stack replacement).
//!
//! ```text
//!  entry(instance, frame): locals ◄── frame ──┐
//!                                             ▼
//!  (unreachable) beginning ─► … ─► loop head ◄┘ operands ◄── frame
//!                              ▲      │
//!                              └──────┘ … rest of the function, its return
//! ```
//! The whole function is translated, with a second way to the loop's head; what
//! only the beginning led to is unreachable, and gone before it costs anything.
//! Operands below the loop have two definitions then, the beginning's and the
//! frame's. So each is a variable of the frontend as well: it is assigned where
//! a block opens over it, and read again where control flow meets.

use super::control::Opened;
use super::{FuncTranslator, TranslateError};
use crate::shape::slots;
use cranelift_codegen::ir::{self, BlockArg, InstBuilder, MemFlagsData};
use cranelift_frontend::Variable;
use std::collections::HashMap;
use wasmparser::FunctionBody;

/// Where a function's machine code is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Entry {
    /// At its beginning, by the native call shape.
    Function,
    /// At the head of the loop at this byte offset of the module, with the
    /// address of an interpreted frame instead of the arguments.
    Loop(u32),
}

/// The entry at a loop's head.
pub(super) struct LoopEntry {
    loop_at: u32,
    /// Ends in the jump to the loop; follows the entry, where the locals are read.
    block: ir::Block,
    frame: ir::Value,
    /// The slot of the first operand.
    first_slot: u32,
    /// By height and type of an operand.
    variables: HashMap<(usize, ir::Type), Variable>,
    /// The operands below the loop from the bottom up, as they are now. `None`
    /// before the loop is met.
    operands: Option<Vec<(ir::Value, Variable)>>,
}

impl FuncTranslator<'_> {
    /// Begins a function that is entered at a loop.
    pub(super) fn begin_at_loop(
        &mut self,
        loop_at: u32,
        frame: ir::Value,
        body: &FunctionBody<'_>,
    ) -> Result<(), TranslateError> {
        let ty = super::func_type_of(self.module, self.func);
        let mut slot = 0;
        let mut clif_types = Vec::new();
        for param in &ty.params {
            clif_types.push(super::clif_type(self.module, param));
        }
        for local in body.get_locals_reader()? {
            let (count, ty) = local?;
            let ty = self.clif_type_of(ty);
            clif_types.extend(std::iter::repeat_n(ty, count as usize));
        }
        for &ty in &clif_types {
            let value = self.load_frame(ty, frame, slot);
            self.declare_local(ty, value);
            slot += slots(ty);
        }
        let (block, beginning) = (self.b.create_block(), self.b.create_block());
        self.b.ins().jump(block, &[]);
        self.b.seal_block(block);
        self.b.seal_block(beginning);
        self.b.switch_to_block(beginning);
        for (local, ty) in clif_types.into_iter().enumerate() {
            let zero = self.zero(ty);
            self.b.def_var(self.locals[local], zero);
        }
        self.entry = Some(LoopEntry {
            loop_at,
            block,
            frame,
            first_slot: slot,
            variables: HashMap::new(),
            operands: None,
        });
        Ok(())
    }

    /// Before a block opens: assigns the operands on the stack to their variables,
    /// in case the loop of the entry is in it.
    pub(super) fn note_operands(&mut self) {
        let Some(mut entry) = self.entry.take_if(|entry| entry.operands.is_none()) else {
            return;
        };
        // Those below the block around were noted when that opened.
        let noted = self.frames.last().map_or(0, super::Frame::height);
        self.plain_top(self.stack.len() - noted);
        for height in noted..self.stack.len() {
            let value = self.stack[height];
            let variable = entry.variable(self, height, self.type_of(value));
            self.b.def_var(variable, value);
        }
        self.entry = Some(entry);
    }

    /// If the loop at `offset` is that of the entry: leads the entry to its
    /// `header`, whose parameters are the topmost `params` operands. The current
    /// block has ended.
    pub(super) fn enter_loop(&mut self, offset: u32, header: ir::Block, params: usize) {
        // A legacy handler's exception is no operand here.
        let in_handler = |frame: &super::Frame<'_>| matches!(frame.opened, Opened::Catch { .. });
        if self.frames.iter().any(in_handler) {
            return;
        }
        let here = |entry: &mut LoopEntry| entry.loop_at == offset && entry.operands.is_none();
        let Some(mut entry) = self.entry.take_if(here) else {
            return;
        };
        self.b.switch_to_block(entry.block);
        let mut slot = entry.first_slot;
        let mut operands = Vec::new();
        let mut args = Vec::new();
        let below = self.stack.len() - params;
        for height in 0..self.stack.len() {
            let ty = self.type_of(self.stack[height]);
            let value = self.load_frame(ty, entry.frame, slot);
            slot += slots(ty);
            if height < below {
                let variable = entry.variable(self, height, ty);
                self.b.def_var(variable, value);
                operands.push((self.stack[height], variable));
            } else {
                args.push(BlockArg::Value(value));
            }
        }
        self.b.ins().jump(header, &args);
        entry.operands = Some(operands);
        self.entry = Some(entry);
    }

    /// Where control flow meets: reads the operands again that were below the
    /// loop of the entry, as long as they stand.
    pub(super) fn reload_operands(&mut self) {
        let Some(LoopEntry {
            operands: Some(operands),
            ..
        }) = &mut self.entry
        else {
            return;
        };
        let standing = operands
            .iter()
            .zip(&self.stack)
            .take_while(|((value, _), on_stack)| value == *on_stack)
            .count();
        operands.truncate(standing);
        for ((value, variable), on_stack) in operands.iter_mut().zip(&mut self.stack) {
            *value = self.b.use_var(*variable);
            *on_stack = *value;
        }
    }

    /// Whether the loop of the entry was met, or there is none.
    pub(super) fn entry_was_met(&self) -> bool {
        let entry = self.entry.as_ref();
        entry.is_none_or(|entry| entry.operands.is_some())
    }

    fn load_frame(&mut self, ty: ir::Type, frame: ir::Value, slot: u32) -> ir::Value {
        let flags = MemFlagsData::new().with_notrap();
        let offset = i32::try_from(slot * size_of::<u64>() as u32).expect("frames are small");
        self.b.ins().load(ty, flags, frame, offset)
    }
}

impl LoopEntry {
    fn variable(
        &mut self,
        translator: &mut FuncTranslator<'_>,
        height: usize,
        ty: ir::Type,
    ) -> Variable {
        *self
            .variables
            .entry((height, ty))
            .or_insert_with(|| translator.b.declare_var(ty))
    }
}
