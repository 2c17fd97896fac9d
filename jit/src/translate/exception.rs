//! Exceptions: what throws them, and both forms of `try`.
//!
//! A call inside of a `try` is a `try_call`, whose table names the handlers of
//! all `try`s around it, innermost first, and the instance block that tags are
//! looked up in: whoever unwinds the frame finds both. A handler gets the
//! reference to the exception in a register, and loads its values.

use super::FuncTranslator;
use super::control::Opened;
use crate::libcall::LibCall;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    self, BlockArg, BlockCall, ExceptionTableData, ExceptionTableItem, ExceptionTag, InstBuilder,
    types,
};
use rwasm_parser::FuncType;
use rwasm_runtime::code::value_slots;
use rwasm_runtime::gc::object::{EXCEPTION_TAG, EXCEPTION_VALUES};
use rwasm_runtime::trap::Trap;
use smallvec::SmallVec;
use wasmparser::{BlockType, Catch, TryTable};

/// A `try`, as calls inside of it see it.
pub(super) struct Catcher {
    outer: Option<CatcherIndex>,
    handlers: SmallVec<[CatchHandler; 2]>,
}

/// Names a [`Catcher`] of the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CatcherIndex(u32);

#[derive(Clone, Copy)]
struct CatchHandler {
    /// What it catches; `None` for everything.
    tag: Option<u32>,
    /// Where it begins: with the reference to the exception, as 64 bits.
    block: ir::Block,
}

/// What a call that may throw calls.
#[derive(Clone, Copy, Debug)]
pub(super) enum Callee {
    /// A function that is known by name.
    Direct(ir::FuncRef),
    /// Machine code at this address.
    Indirect(ir::SigRef, ir::Value),
}

type Values = SmallVec<[ir::Value; 4]>;

impl FuncTranslator<'_> {
    /// Emits a call that may throw; returns its results.
    pub(super) fn emit_throwing_call(&mut self, callee: Callee, args: &[ir::Value]) -> Values {
        let Some(catcher) = self.catcher() else {
            let call = match callee {
                Callee::Direct(func) => self.b.ins().call(func, args),
                Callee::Indirect(signature, address) => {
                    self.b.ins().call_indirect(signature, address, args)
                }
            };
            return self.b.inst_results(call).into();
        };
        let signature = match callee {
            Callee::Direct(func) => self.b.func.dfg.ext_funcs[func].signature,
            Callee::Indirect(signature, _) => signature,
        };
        let next = self.b.create_block();
        let returns = &self.b.func.dfg.signatures[signature].returns;
        let types: super::Types = returns.iter().map(|param| param.value_type).collect();
        let mut results = SmallVec::<[BlockArg; 4]>::new();
        for (ty, index) in types.into_iter().zip(0..) {
            self.b.append_block_param(next, ty);
            results.push(BlockArg::TryCallRet(index));
        }
        let returned = self.b.func.dfg.block_call(next, &results);
        let table = self.exception_table(signature, returned, catcher);
        match callee {
            Callee::Direct(func) => self.b.ins().try_call(func, args, table),
            Callee::Indirect(_, address) => self.b.ins().try_call_indirect(address, args, table),
        };
        self.b.seal_block(next);
        self.b.switch_to_block(next);
        self.b.block_params(next).into()
    }

    /// The handlers of a call inside of a `try`.
    fn exception_table(
        &mut self,
        signature: ir::SigRef,
        returned: BlockCall,
        innermost: CatcherIndex,
    ) -> ir::ExceptionTable {
        let mut items = vec![ExceptionTableItem::Context(self.vmctx)];
        let mut index = Some(innermost);
        'all: while let Some(CatcherIndex(at)) = index {
            let catcher = &self.catchers[at as usize];
            for handler in &catcher.handlers {
                let dfg = &mut self.b.func.dfg;
                let target = dfg.block_call(handler.block, &[BlockArg::TryCallExn(0)]);
                match handler.tag {
                    Some(tag) => {
                        let tag = ExceptionTag::from_u32(tag);
                        items.push(ExceptionTableItem::Tag(tag, target));
                    }
                    None => {
                        items.push(ExceptionTableItem::Default(target));
                        break 'all;
                    }
                }
            }
            index = catcher.outer;
        }
        let table = ExceptionTableData::new(signature, returned, items);
        self.b.func.dfg.exception_tables.push(table)
    }

    /// The innermost `try` around the current instruction.
    fn catcher(&self) -> Option<CatcherIndex> {
        self.frames.last()?.catcher
    }

    fn new_catcher(&mut self, handlers: SmallVec<[CatchHandler; 2]>) -> CatcherIndex {
        let index = CatcherIndex(self.catchers.len() as u32);
        let outer = self.catcher();
        self.catchers.push(Catcher { outer, handlers });
        index
    }

    fn new_handler(&mut self, tag: Option<u32>) -> CatchHandler {
        let block = self.b.create_block();
        self.b.append_block_param(block, types::I64);
        self.b.set_cold_block(block);
        CatchHandler { tag, block }
    }

    /// Begins a handler; returns the reference to the exception.
    fn enter_handler(&mut self, block: ir::Block) -> ir::Value {
        self.b.switch_to_block(block);
        let reference = self.b.block_params(block)[0];
        self.b.ins().ireduce(types::I32, reference)
    }

    pub(super) fn throw(&mut self, tag: u32) {
        let ty = self.tag_type(tag);
        let count = ty.params.len();
        self.plain_top(count);
        let first = self.stack.len() - count;
        let values: Values = self.stack.drain(first..).collect();
        let index = self.immediate(tag);
        let exception = self.libcall(LibCall::NewException, &[index])[0];
        let exception = self.b.ins().ireduce(types::I32, exception);
        let object = self.object_address(exception);
        let flags = self.object_flags();
        for ((value, offset), param) in values.iter().zip(value_offsets(ty)).zip(&ty.params) {
            let clif = super::clif_type(self.module, param);
            self.store_slot(clif, flags, *value, object, offset);
        }
        self.throw_reference(exception);
    }

    pub(super) fn throw_ref(&mut self) {
        let exception = self.pop();
        self.trap_if_zero(exception, Trap::NullExceptionReference);
        self.throw_reference(exception);
    }

    fn throw_reference(&mut self, exception: ir::Value) {
        let func = self.libcall_func(LibCall::ThrowRef);
        self.emit_throwing_call(Callee::Direct(func), &[self.vmctx, exception]);
        // It does not return.
        self.unreachable();
    }

    pub(super) fn try_table(&mut self, table: &TryTable) {
        self.note_operands();
        let (params, results) = self.block_types(table.ty);
        let body = self.b.create_block();
        self.b.ins().jump(body, &[]);
        let mut handlers = SmallVec::new();
        for catch in &table.catches {
            let (tag, depth, with_reference) = match *catch {
                Catch::One { tag, label } => (Some(tag), label, false),
                Catch::OneRef { tag, label } => (Some(tag), label, true),
                Catch::All { label } => (None, label, false),
                Catch::AllRef { label } => (None, label, true),
            };
            let handler = self.new_handler(tag);
            handlers.push(handler);
            let exception = self.enter_handler(handler.block);
            let height = self.stack.len();
            if let Some(tag) = tag {
                self.push_values(exception, tag);
            }
            if with_reference {
                self.push(exception);
            }
            self.jump_to_label(depth);
            self.stack.truncate(height);
        }
        self.b.seal_block(body);
        self.b.switch_to_block(body);
        let catcher = self.new_catcher(handlers);
        self.open(Opened::TryTable(catcher), params.len(), &results);
        self.set_catcher(Some(catcher));
    }

    /// The end of a `try_table`: no more calls lead to its handlers.
    pub(super) fn seal_handlers(&mut self, CatcherIndex(at): CatcherIndex) {
        for handler in &self.catchers[at as usize].handlers {
            self.b.seal_block(handler.block);
        }
    }

    fn set_catcher(&mut self, catcher: Option<CatcherIndex>) {
        let frame = self.frames.last_mut().expect("validated: a block is open");
        frame.catcher = catcher;
    }

    /// Pushes the values of an exception of that tag.
    fn push_values(&mut self, exception: ir::Value, tag: u32) {
        let ty = self.tag_type(tag);
        let object = self.object_address(exception);
        let flags = self.object_flags();
        for (param, offset) in ty.params.iter().zip(value_offsets(ty)) {
            let clif = super::clif_type(self.module, param);
            let value = self.load_slot(clif, flags, object, offset);
            self.push(value);
        }
    }
}

/// Where the values of exceptions of a tag of this type lie in an object.
fn value_offsets(ty: &FuncType) -> impl Iterator<Item = u32> + '_ {
    let mut offset = EXCEPTION_VALUES;
    ty.params.iter().map(move |param| {
        let at = offset;
        offset += u32::from(value_slots(param)) * size_of::<u64>() as u32;
        at
    })
}

/// The legacy instructions. A body's calls have one handler, which looks for the
/// `catch` that fits and throws again if there is none.
impl FuncTranslator<'_> {
    pub(super) fn legacy_try(&mut self, ty: BlockType) {
        self.note_operands();
        let (params, results) = self.block_types(ty);
        let landing = self.new_handler(None);
        let catcher = self.new_catcher(SmallVec::from_iter([landing]));
        self.open(Opened::Try(catcher), params.len(), &results);
        self.set_catcher(Some(catcher));
    }

    /// `catch` and, without a tag, `catch_all`.
    pub(super) fn legacy_catch(&mut self, tag: Option<u32>) {
        if !self.dead {
            self.jump_to_end();
        }
        let (height, opened) = self.top_opened();
        let exception = match opened {
            Opened::Try(catcher) => self.begin_landing(catcher),
            Opened::Catch {
                exception,
                otherwise: Some(otherwise),
            } => {
                self.b.switch_to_block(otherwise);
                exception
            }
            _ => unreachable!("validated: a handler belongs to a try, and catch_all is the last"),
        };
        self.stack.truncate(height);
        let otherwise = tag.map(|tag| self.test_tag(exception, tag));
        self.set_top_opened(Opened::Catch {
            exception,
            otherwise,
        });
        self.dead = false;
        if let Some(tag) = tag {
            self.push_values(exception, tag);
        }
        self.begin_fuel_block();
    }

    /// Begins what all calls in the body of a `try` lead to; from here on the
    /// `try`s around it catch.
    fn begin_landing(&mut self, catcher: CatcherIndex) -> ir::Value {
        let CatcherIndex(at) = catcher;
        let Catcher {
            outer,
            ref handlers,
        } = self.catchers[at as usize];
        let landing = handlers[0].block;
        self.b.seal_block(landing);
        self.set_catcher(outer);
        self.enter_handler(landing)
    }

    /// Goes on if an exception has the tag; returns where it goes on if not.
    fn test_tag(&mut self, exception: ir::Value, tag: u32) -> ir::Block {
        let object = self.object_address(exception);
        let flags = self.object_flags();
        let actual = self.load_slot(types::I64, flags, object, EXCEPTION_TAG);
        let expected = self.load_vmctx(self.code.offsets.tag(tag));
        let equal = self.b.ins().icmp(IntCC::Equal, actual, expected);
        let (matches, otherwise) = (self.b.create_block(), self.b.create_block());
        self.b.ins().brif(equal, matches, &[], otherwise, &[]);
        self.b.seal_block(matches);
        self.b.seal_block(otherwise);
        self.b.switch_to_block(matches);
        otherwise
    }

    pub(super) fn rethrow(&mut self, depth: u32) {
        let index = self.frames.len() - 1 - depth as usize;
        let Opened::Catch { exception, .. } = self.frames[index].opened else {
            unreachable!("validated: rethrow names a handler")
        };
        self.throw_reference(exception);
    }

    /// Ends a `try` whose exceptions go where those of an outer block go.
    pub(super) fn delegate(&mut self, depth: u32) {
        let top = self.frames.len() - 1;
        let Opened::Try(catcher) = self.frames[top].opened else {
            unreachable!("validated: delegate belongs to a try")
        };
        let to = self.frames[top - 1 - depth as usize].catcher;
        if !self.dead {
            self.jump_to_end();
        }
        let exception = self.begin_landing(catcher);
        self.set_catcher(to);
        self.throw_reference(exception);
        self.set_top_opened(Opened::Block);
        self.end();
    }

    /// The end of a legacy `try`: what nothing has caught is thrown again.
    pub(super) fn throw_uncaught(&mut self) {
        let (_, opened) = self.top_opened();
        let exception = match opened {
            Opened::Try(catcher) => self.begin_landing(catcher),
            Opened::Catch {
                exception,
                otherwise: Some(otherwise),
            } => {
                self.b.switch_to_block(otherwise);
                exception
            }
            _ => return,
        };
        self.throw_reference(exception);
    }
}
