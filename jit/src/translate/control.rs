//! Blocks, branches, and what surrounds them: labels, fuel, interruption.

use super::dispatch::Dispatch;
use super::exception::CatcherIndex;
use super::{Charge, FuncTranslator, TranslateError, Types};
use crate::trap_code::trap_code;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, InstructionData, JumpTableData, types};
use rwasm_parser::ValType;
use rwasm_runtime::trap::Trap;
use smallvec::SmallVec;
use wasmparser::{BlockType, BrTable, Operator, OperatorsReader};

/// A block that is open.
#[derive(Clone)]
pub(super) struct Frame<'a> {
    pub(super) opened: Opened<'a>,
    /// Where its end is; its parameters are the results.
    end: ir::Block,
    /// Whether anything jumps to the end.
    end_used: bool,
    /// Operands below the block's own.
    height: usize,
    /// Number of parameters.
    params: usize,
    /// Number of results.
    results: usize,
    /// Whether more may jump to its end after it was closed: then the loop
    /// around it seals the end.
    sealed_by_loop: bool,
    /// The innermost `try` around its instructions.
    pub(super) catcher: Option<CatcherIndex>,
}

impl<'a> Frame<'a> {
    pub(super) fn is_loop(&self) -> bool {
        matches!(self.opened, Opened::Loop { .. })
    }

    /// The dispatch at its head, if it is a loop that has one.
    pub(super) fn dispatch(&mut self) -> Option<&mut Dispatch<'a>> {
        match &mut self.opened {
            Opened::Loop { dispatch, .. } => dispatch.as_mut(),
            _ => None,
        }
    }

    /// Leaves it to the loop around to seal the block's end.
    pub(super) fn leave_unsealed(&mut self) {
        self.sealed_by_loop = true;
    }

    pub(super) fn height(&self) -> usize {
        self.height
    }
}

#[derive(Clone)]
pub(super) enum Opened<'a> {
    Function,
    /// The body of an inlined function.
    Inlined,
    Block,
    Loop {
        header: ir::Block,
        dispatch: Option<Dispatch<'a>>,
    },
    If {
        /// Where to go if the condition is zero.
        otherwise: ir::Block,
        /// The parameters, for the other arm.
        params: SmallVec<[ir::Value; 2]>,
    },
    Else,
    TryTable(CatcherIndex),
    /// The body of a legacy `try`.
    Try(CatcherIndex),
    /// A handler of a legacy `try`.
    Catch {
        exception: ir::Value,
        /// Where exceptions go on that this handler does not catch.
        otherwise: Option<ir::Block>,
    },
}

impl<'a> FuncTranslator<'a> {
    /// Opens the frame that is the function's body.
    pub(super) fn open_function(&mut self, results: &[ValType]) {
        let types = self.clif_types(results);
        self.open(Opened::Function, 0, &types);
    }

    /// Opens the frame that is an inlined function's body.
    pub(super) fn open_inlined(&mut self, results: &[ValType]) {
        let types = self.clif_types(results);
        self.open(Opened::Inlined, 0, &types);
    }

    fn clif_types(&self, types: &[ValType]) -> Types {
        let types = types.iter().map(|ty| super::clif_type(self.module, ty));
        types.collect()
    }

    pub(super) fn open(&mut self, opened: Opened<'a>, params: usize, results: &[ir::Type]) {
        let end = self.block_with(results);
        let catcher = self.frames.last().and_then(|frame| frame.catcher);
        self.frames.push(Frame {
            opened,
            end,
            end_used: false,
            height: self.stack.len() - params,
            params,
            results: results.len(),
            sealed_by_loop: false,
            catcher,
        });
    }

    fn block_with(&mut self, params: &[ir::Type]) -> ir::Block {
        let block = self.b.create_block();
        for &ty in params {
            self.b.append_block_param(block, ty);
        }
        block
    }

    /// The types of a block's parameters and results.
    pub(super) fn block_types(&self, ty: BlockType) -> (Types, Types) {
        match ty {
            BlockType::Empty => Default::default(),
            BlockType::Type(ty) => (Types::new(), [self.clif_type_of(ty)][..].into()),
            BlockType::FuncType(index) => {
                let ty = self.func_type(index);
                (self.clif_types(&ty.params), self.clif_types(&ty.results))
            }
        }
    }

    pub(super) fn block(&mut self, ty: BlockType) {
        self.note_operands();
        let (params, results) = self.block_types(ty);
        self.open(Opened::Block, params.len(), &results);
    }

    pub(super) fn loop_(
        &mut self,
        ty: BlockType,
        rest: Option<&OperatorsReader<'a>>,
    ) -> Result<(), TranslateError> {
        self.note_operands();
        let (params, results) = self.block_types(ty);
        let header = self.block_with(&params);
        let args = self.block_args(params.len());
        self.b.ins().jump(header, &args);
        if let Some(at) = self.current_offset() {
            self.enter_loop(at as u32, header, params.len());
        }
        let dispatch = match rest {
            Some(rest) if params.is_empty() => Dispatch::find(rest)?,
            _ => None,
        };
        self.open(Opened::Loop { header, dispatch }, params.len(), &results);
        self.enter_block(header, self.stack.len() - params.len());
        self.begin_fuel_block();
        self.check_interrupt();
        Ok(())
    }

    pub(super) fn if_(&mut self, ty: BlockType) {
        let condition = self.pop_condition();
        self.note_operands();
        let (params, results) = self.block_types(ty);
        let (then, otherwise) = (self.b.create_block(), self.b.create_block());
        self.b.ins().brif(condition, then, &[], otherwise, &[]);
        let values = self.stack[self.stack.len() - params.len()..].into();
        let opened = Opened::If {
            otherwise,
            params: values,
        };
        self.open(opened, params.len(), &results);
        self.b.seal_block(then);
        self.b.seal_block(otherwise);
        self.b.switch_to_block(then);
        self.begin_fuel_block();
    }

    pub(super) fn else_(&mut self) {
        if !self.dead {
            self.jump_to_end();
        }
        let frame = self.top_frame();
        let height = frame.height;
        match std::mem::replace(&mut frame.opened, Opened::Else) {
            Opened::If { otherwise, params } => self.begin_else(otherwise, &params, height),
            _ => unreachable!("validated: else belongs to an if"),
        }
        self.begin_fuel_block();
    }

    fn begin_else(&mut self, otherwise: ir::Block, params: &[ir::Value], height: usize) {
        self.b.switch_to_block(otherwise);
        self.stack.truncate(height);
        self.stack.extend_from_slice(params);
        self.dead = false;
    }

    /// Returns whether that was the end of the function.
    pub(super) fn end(&mut self) -> bool {
        if !self.dead {
            self.jump_to_end();
        }
        self.throw_uncaught();
        let frame = self.frames.pop().expect("validated: a block is open");
        match frame.opened {
            Opened::If {
                otherwise,
                ref params,
            } => {
                self.begin_else(otherwise, params, frame.height);
                let args = self.block_args(frame.results);
                self.b.ins().jump(frame.end, &args);
                self.continue_at_end(&frame);
            }
            Opened::Loop {
                header,
                ref dispatch,
            } => {
                self.b.seal_block(header);
                for inner in dispatch.iter().flat_map(Dispatch::frames) {
                    self.b.seal_block(inner.end);
                }
                self.leave(&frame);
            }
            Opened::TryTable(catcher) => {
                self.seal_handlers(catcher);
                self.leave(&frame);
            }
            _ => self.leave(&frame),
        }
        match frame.opened {
            Opened::Function => {
                if !self.dead {
                    self.plain_top(frame.results);
                    self.b.ins().return_(&self.stack);
                }
                true
            }
            Opened::Inlined => true,
            _ => {
                if !self.dead {
                    self.begin_fuel_block();
                }
                false
            }
        }
    }

    fn leave(&mut self, frame: &Frame<'a>) {
        if frame.end_used {
            self.continue_at_end(frame);
        } else {
            self.dead = true;
        }
    }

    /// Goes on where a block ends.
    fn continue_at_end(&mut self, frame: &Frame<'a>) {
        if !frame.sealed_by_loop {
            self.b.seal_block(frame.end);
        }
        self.enter_block(frame.end, frame.height);
        self.dead = false;
    }

    /// Makes `block` the current one, whose parameters are the operands from
    /// `height` up.
    fn enter_block(&mut self, block: ir::Block, height: usize) {
        self.b.switch_to_block(block);
        self.stack.truncate(height);
        self.reload_operands();
        self.stack.extend_from_slice(self.b.block_params(block));
    }

    fn top_frame(&mut self) -> &mut Frame<'a> {
        self.frames.last_mut().expect("validated: a block is open")
    }

    /// What the innermost block is, and the operands below it.
    pub(super) fn top_opened(&mut self) -> (usize, Opened<'a>) {
        let frame = self.top_frame();
        (frame.height, frame.opened.clone())
    }

    pub(super) fn set_top_opened(&mut self, opened: Opened<'a>) {
        self.top_frame().opened = opened;
    }

    /// Ends the current arm of the innermost block.
    pub(super) fn jump_to_end(&mut self) {
        let frame = self.top_frame();
        frame.end_used = true;
        let (end, results) = (frame.end, frame.results);
        let args = self.block_args(results);
        self.b.ins().jump(end, &args);
    }

    /// Whether an instruction ends the dead code that it is met in. Keeps count
    /// of the blocks in it.
    pub(super) fn revives(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::TryTable { .. }
            | Operator::Try { .. } => self.dead_blocks += 1,
            Operator::Else | Operator::Catch { .. } | Operator::CatchAll => {
                return self.dead_blocks == 0;
            }
            Operator::End | Operator::Delegate { .. } if self.dead_blocks == 0 => return true,
            Operator::End | Operator::Delegate { .. } => self.dead_blocks -= 1,
            _ => {}
        }
        false
    }

    /// Where a branch goes, and with how many operands.
    fn target(&mut self, depth: u32) -> (ir::Block, usize) {
        let index = self.frames.len() - 1 - depth as usize;
        let frame = &mut self.frames[index];
        match frame.opened {
            Opened::Loop { header, .. } => (header, frame.params),
            _ => {
                frame.end_used = true;
                (frame.end, frame.results)
            }
        }
    }

    pub(super) fn br(&mut self, depth: u32) -> Result<(), TranslateError> {
        if !self.dispatch_again(depth)? {
            self.jump_to_label(depth);
        }
        self.dead = true;
        Ok(())
    }

    pub(super) fn jump_to_label(&mut self, depth: u32) {
        let (block, count) = self.target(depth);
        let args = self.block_args(count);
        self.b.ins().jump(block, &args);
    }

    pub(super) fn br_if(&mut self, depth: u32) {
        let condition = self.pop_condition();
        self.br_on(condition, depth, true);
    }

    /// Goes on in a block that is complete: what falls through a branch.
    fn go_on_in(&mut self, next: ir::Block) {
        self.b.seal_block(next);
        self.b.switch_to_block(next);
        self.begin_fuel_block();
    }

    pub(super) fn br_table(&mut self, table: &BrTable<'_>) -> Result<(), TranslateError> {
        self.note_dispatch(table);
        let index = self.pop();
        let (block, count) = self.target(table.default());
        let args = self.block_args(count);
        let default = self.b.func.dfg.block_call(block, &args);
        let mut targets = Vec::with_capacity(table.len() as usize);
        for depth in table.targets() {
            let (block, count) = self.target(depth?);
            let args = self.block_args(count);
            targets.push(self.b.func.dfg.block_call(block, &args));
        }
        let table = self
            .b
            .create_jump_table(JumpTableData::new(default, &targets));
        self.b.ins().br_table(index, table);
        self.dead = true;
        Ok(())
    }

    /// Branches if a condition is not zero, or if it is where not `when`.
    pub(super) fn br_on(&mut self, condition: ir::Value, depth: u32, when: bool) {
        let (block, count) = self.target(depth);
        let args = self.block_args(count);
        let next = self.b.create_block();
        if when {
            self.b.ins().brif(condition, block, &args, next, &[]);
        } else {
            self.b.ins().brif(condition, next, &[], block, &args);
        }
        self.go_on_in(next);
    }

    /// `br_on_null`: branches without the reference, goes on with it.
    pub(super) fn br_on_null(&mut self, depth: u32) {
        let reference = self.pop();
        self.br_on(reference, depth, false);
        self.push(reference);
    }

    /// `br_on_non_null`: branches with the reference, goes on without.
    pub(super) fn br_on_non_null(&mut self, depth: u32) {
        let (block, count) = self.target(depth);
        let args = self.block_args(count);
        let reference = self.pop();
        let next = self.b.create_block();
        self.b.ins().brif(reference, block, &args, next, &[]);
        self.go_on_in(next);
    }

    pub(super) fn return_(&mut self) {
        let frame = &self.frames[self.function_frame];
        let (end, results) = (frame.end, frame.results);
        let args = self.block_args(results);
        if self.call_site.is_some() {
            self.frames[self.function_frame].end_used = true;
            self.b.ins().jump(end, &args);
        } else {
            let values = &self.stack[self.stack.len() - results..];
            self.b.ins().return_(values);
        }
        self.dead = true;
    }

    pub(super) fn unreachable(&mut self) {
        self.b.ins().trap(trap_code(Trap::Unreachable));
        self.dead = true;
    }

    pub(super) fn select(&mut self) {
        let condition = self.pop_condition();
        let (a, b) = {
            let (b, a) = (self.pop_raw(), self.pop_raw());
            if self.type_of(a) == self.type_of(b) {
                (a, b)
            } else {
                (self.plain(a), self.plain(b))
            }
        };
        let value = self.b.ins().select(condition, a, b);
        self.push(value);
    }

    /// Charges what follows to a new basic block, if fuel is charged. The
    /// blocks and their charges are those of the interpreter.
    pub(super) fn begin_fuel_block(&mut self) {
        if !self.code.settings.fuel {
            return;
        }
        self.settle_fuel();
        let units = self.b.ins().iconst(types::I64, 0);
        let constant = self.b.func.dfg.value_def(units).unwrap_inst();
        let store = self.store_ctx();
        let fuel = self.load_fuel(store);
        let left = self.b.ins().isub(fuel, units);
        let out = self.b.ins().icmp_imm_s(IntCC::SignedLessThan, left, 0);
        self.b.ins().trapnz(out, trap_code(Trap::OutOfFuel));
        self.store_fuel(store, left);
        self.fuel = Some(Charge { constant, units: 0 });
    }

    /// Charges an instruction to the current basic block.
    pub(super) fn charge_fuel(&mut self) {
        if let Some(charge) = &mut self.fuel {
            charge.units += 1;
        }
    }

    /// Sets the number that the last basic block charges.
    pub(super) fn settle_fuel(&mut self) {
        if let Some(charge) = self.fuel.take() {
            self.b.func.dfg.insts[charge.constant] = InstructionData::UnaryImm {
                opcode: ir::Opcode::Iconst,
                imm: charge.units.into(),
            };
        }
    }

    /// Traps if another thread asked for it, if interruption is checked.
    pub(super) fn check_interrupt(&mut self) {
        if self.code.has_poll_page() {
            self.read_poll_page();
        } else if self.code.settings.interruption {
            let flag = self.load_interrupt_flag();
            self.b.ins().trapnz(flag, trap_code(Trap::Interrupted));
        }
    }
}
