//! Adapters between the call shapes, one for each [`Shape`] and destination.
//!
//! ```text
//!  host or interpreter ──array──► [to native] ──► machine code
//!  interpreter, in a loop ──frame──► [to native] ──► machine code
//!  machine code ──native──► [to array] ──► host function or interpreter
//! ```
//! The former begins a segment of machine code and is where that segment
//! resumes when it fails; the latter notes where the segment was left.

use crate::exit;
use crate::libcall::LibCall;
use crate::shape::{Shape, slots};
use crate::symbol::{Runtime, Symbol};
use cranelift_codegen::ir::{
    self, AbiParam, BlockArg, ExceptionTableData, ExceptionTableItem, ExtFuncData, ExternalName,
    GlobalValueData, InstBuilder, MemFlagsData, Signature, StackSlotData, StackSlotKind,
    condcodes::IntCC, types,
};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use rwasm_runtime::code::CodeCell;
use rwasm_runtime::host::HostFunc;
use rwasm_runtime::layout::{Segment, SegmentKind, Status, StoreCtx, TailCall, VmCtx};
use rwasm_runtime::tunables::NATIVE_STACK_RESERVE;
use std::mem::offset_of;

/// Where an adapter leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Destination {
    /// An array entry that calls the cell's native entry.
    Native,
    /// An array entry that calls the cell's native entry with the array itself as
    /// the only argument: code that takes an interpreted frame over.
    Frame,
    /// A native entry of host functions: calls the array entry of the cell in
    /// the callee's [`HostFunc`].
    Host,
    /// A native entry of functions without machine code: calls the array entry
    /// of the cell in [`StoreCtx::callee`].
    Array,
}

/// Slots of an array that need no check of the native stack: what the stack's
/// limit keeps free for functions of the host ([`NATIVE_STACK_RESERVE`]) has room
/// for a frame of so few.
const UNCHECKED_SLOTS: u32 = 32;
const _: () = assert!(UNCHECKED_SLOTS as usize * 8 * 100 < NATIVE_STACK_RESERVE);

/// Builds an adapter in `into`.
pub(crate) fn build(
    isa: &dyn TargetIsa,
    destination: Destination,
    shape: &Shape,
    into: &mut ir::Function,
    buffers: &mut FunctionBuilderContext,
) {
    into.signature = match destination {
        Destination::Native | Destination::Frame => array_signature(isa),
        Destination::Host | Destination::Array => shape.signature(),
    };
    let mut adapter = Adapter {
        isa,
        shape,
        b: FunctionBuilder::new(into, buffers),
    };
    match destination {
        Destination::Native => adapter.enter(false),
        Destination::Frame => adapter.enter(true),
        Destination::Host => adapter.exit(true),
        Destination::Array => adapter.exit(false),
    }
    adapter.b.finalize(isa.frontend_config());
}

/// Builds the way from machine code to a function of the runtime, in `into`. If
/// that can fail, a negative result ends the segment with the status that it is
/// the negative of.
///
/// Machine code reaches it by its own convention: exceptions that leave calls of
/// any other would have to restore registers.
pub(crate) fn build_trampoline(
    isa: &dyn TargetIsa,
    call: LibCall,
    into: &mut ir::Function,
    buffers: &mut FunctionBuilderContext,
) {
    into.signature = call.signature(CallConv::Tail);
    let shape = Shape {
        params: Box::default(),
        results: Box::default(),
    };
    let mut adapter = Adapter {
        isa,
        shape: &shape,
        b: FunctionBuilder::new(into, buffers),
    };
    adapter.trampoline(call);
    adapter.b.finalize(isa.frontend_config());
}

/// The signature of an [`rwasm_runtime::layout::ArrayEntry`].
fn array_signature(isa: &dyn TargetIsa) -> Signature {
    c_signature(isa, &[types::I64; 4], &[types::I32])
}

fn c_signature(isa: &dyn TargetIsa, params: &[ir::Type], results: &[ir::Type]) -> Signature {
    let mut signature = Signature::new(isa.default_call_conv());
    signature
        .params
        .extend(params.iter().copied().map(AbiParam::new));
    signature
        .returns
        .extend(results.iter().copied().map(AbiParam::new));
    signature
}

struct Adapter<'a> {
    isa: &'a dyn TargetIsa,
    shape: &'a Shape,
    b: FunctionBuilder<'a>,
}

impl Adapter<'_> {
    fn enter(&mut self, frame: bool) {
        let params = self.entry_block();
        let [callee, _caller, cell, array] = params[..] else {
            unreachable!("four parameters")
        };
        let store = self.load(callee, offset_of!(VmCtx, store));
        let sp = self.b.ins().get_stack_pointer(types::I64);
        let limit = self.load(store, offset_of!(StoreCtx, native_stack_limit));
        let too_deep = self.b.ins().icmp(IntCC::UnsignedLessThan, sp, limit);
        let (refused, begin) = (self.cold_block(), self.b.create_block());
        self.b.ins().brif(too_deep, refused, &[], begin, &[]);

        // There is no segment yet that a trap could end.
        self.b.switch_to_block(refused);
        let status = self.call_rust(Runtime::RefuseSegment, &[store], &[types::I32]);
        self.b.ins().return_(&status);

        self.b.switch_to_block(begin);
        let (returned, failed) = (self.b.create_block(), self.cold_block());
        let segment = self.stack_area(size_of::<Segment>() as u32);
        let previous = self.load(store, offset_of!(StoreCtx, segment));
        let fp = self.b.ins().get_frame_pointer(types::I64);
        let failed_pc = self
            .b
            .ins()
            .get_exception_handler_address(types::I64, begin, 0);
        let no_pc = self.b.ins().iconst(types::I64, 0);
        let kind = self
            .b
            .ins()
            .iconst(types::I32, SegmentKind::Native as u32 as i64);
        for (offset, value) in [
            (offset_of!(Segment, previous), previous),
            (offset_of!(Segment, resume_sp), sp),
            (offset_of!(Segment, resume_pc), failed_pc),
            (offset_of!(Segment, resume_fp), fp),
            (offset_of!(Segment, exit_fp), fp),
            (offset_of!(Segment, exit_ip), no_pc),
            (offset_of!(Segment, kind), kind),
        ] {
            self.store(value, segment, offset);
        }
        self.store(segment, store, offset_of!(StoreCtx, segment));

        let mut args = vec![callee];
        match frame {
            true => args.push(array),
            false => args.extend(self.read_array(array, &self.shape.params)),
        }
        let code = self.load(cell, offset_of!(CodeCell, native_entry));
        let signature = self.b.import_signature(self.shape.signature());
        let results = self.shape.results.iter().zip(0..).map(|(&ty, index)| {
            self.b.append_block_param(returned, ty);
            BlockArg::TryCallRet(index)
        });
        let results: Vec<BlockArg> = results.collect();
        // The payload that a failure leaves: its status, and nothing.
        self.b.append_block_param(failed, types::I64);
        let data = &mut self.b.func.dfg;
        let returned_call = data.block_call(returned, &results);
        let failed_call = data.block_call(failed, &[BlockArg::TryCallExn(0)]);
        let table = ExceptionTableData::new(
            signature,
            returned_call,
            [ExceptionTableItem::Default(failed_call)],
        );
        let table = data.exception_tables.push(table);
        self.b.ins().try_call_indirect(code, &args, table);

        self.b.switch_to_block(returned);
        self.store(previous, store, offset_of!(StoreCtx, segment));
        let results = self.b.block_params(returned).to_vec();
        self.write_array(array, &results);
        let ok = self.b.ins().iconst(types::I32, Status::Ok as u32 as i64);
        self.b.ins().return_(&[ok]);

        self.b.switch_to_block(failed);
        let status = self.b.block_params(failed)[0];
        let status = self.b.ins().ireduce(types::I32, status);
        self.store(previous, store, offset_of!(StoreCtx, segment));
        self.b.ins().return_(&[status]);
        self.b.seal_all_blocks();
    }

    fn exit(&mut self, host: bool) {
        let params = self.entry_block();
        let vmctx = params[0];
        let slots = self.shape.slots();
        if slots > UNCHECKED_SLOTS {
            self.check_native_stack();
        }
        let store = self.load(vmctx, offset_of!(VmCtx, store));
        let cell = match host {
            true => {
                let cell = offset_of!(HostFunc, cell) as i64;
                self.b.ins().iadd_imm_s(vmctx, cell)
            }
            false => self.load(store, offset_of!(StoreCtx, callee)),
        };
        let segment = self.leave_noted(store);
        if !host {
            self.tail_call(store, segment, vmctx, cell, &params[1..]);
        }
        let array = self.stack_area(slots * size_of::<u64>() as u32);
        self.write_array(array, &params[1..]);
        // What only a failure needs waits in the frame: registers that the call
        // preserves would have to be saved by every call. A function of the host
        // makes no tail calls, so that it needs less.
        let kept = match host {
            true => &[vmctx][..],
            false => &[vmctx, cell, array],
        };
        let kept: Vec<ir::StackSlot> = kept.iter().map(|&value| self.keep(value)).collect();
        let caller = self.load(store, offset_of!(StoreCtx, caller));
        // The entry is no public field: only its cell knows its type.
        let entry = self.load(cell, CodeCell::array_entry_offset());
        let signature = self.b.import_signature(array_signature(self.isa));
        let args = [vmctx, caller, cell, array];
        let call = self.b.ins().call_indirect(signature, entry, &args);
        let status = self.b.inst_results(call)[0];
        let (done, not_ok) = (self.b.create_block(), self.cold_block());
        self.b.ins().brif(status, not_ok, &[], done, &[]);

        self.b.switch_to_block(not_ok);
        let kept: Vec<ir::Value> = kept.iter().map(|&slot| self.kept(slot)).collect();
        let store = self.load(kept[0], offset_of!(VmCtx, store));
        let status = match kept[..] {
            [_, cell, array] => self.finish_call(store, status, cell, array, done),
            _ => status,
        };
        self.leave(store, status);

        self.b.switch_to_block(done);
        let results = self.read_array(array, &self.shape.results);
        self.b.ins().return_(&results);
        self.b.seal_all_blocks();
    }

    /// After a call that returned another status than [`Status::Ok`]: makes the
    /// tail calls that it left, and goes on at `done` if they succeed; here, with
    /// the status that is returned, if they fail.
    fn finish_call(
        &mut self,
        store: ir::Value,
        status: ir::Value,
        cell: ir::Value,
        array: ir::Value,
        done: ir::Block,
    ) -> ir::Value {
        let args = [store, status, cell, array];
        let status = self.call_rust(Runtime::FinishCall, &args, &[types::I32])[0];
        let failed = self.cold_block();
        self.b.ins().brif(status, failed, &[], done, &[]);
        self.b.switch_to_block(failed);
        status
    }

    /// Keeps a value in this frame.
    fn keep(&mut self, value: ir::Value) -> ir::StackSlot {
        let slot = self.stack_slot(size_of::<u64>() as u32);
        self.b.ins().stack_store(types::I64, value, slot, 0);
        slot
    }

    /// A value that was kept.
    fn kept(&mut self, slot: ir::StackSlot) -> ir::Value {
        self.b.ins().stack_load(types::I64, types::I64, slot, 0)
    }

    /// Where this adapter is the segment's only frame, since the first was
    /// replaced by a tail call: leaves the segment and has its caller make the
    /// call.
    fn tail_call(
        &mut self,
        store: ir::Value,
        segment: ir::Value,
        vmctx: ir::Value,
        cell: ir::Value,
        args: &[ir::Value],
    ) {
        let caller_fp = self.load(segment, offset_of!(Segment, exit_fp));
        let entry_fp = self.load(segment, offset_of!(Segment, resume_fp));
        let is_only = self.b.ins().icmp(IntCC::Equal, caller_fp, entry_fp);
        let (only, go_on) = (self.cold_block(), self.b.create_block());
        self.b.ins().brif(is_only, only, &[], go_on, &[]);
        self.b.switch_to_block(only);
        let top = self.load(store, offset_of!(StoreCtx, stack_top));
        self.write_array(top, args);
        let pending = offset_of!(StoreCtx, tail_call);
        self.store(vmctx, store, pending + offset_of!(TailCall, callee));
        self.store(cell, store, pending + offset_of!(TailCall, cell));
        self.store(top, store, pending + offset_of!(TailCall, args));
        let status = Status::TailCall as u32 as i64;
        let status = self.b.ins().iconst(types::I32, status);
        self.leave(store, status);
        self.b.switch_to_block(go_on);
    }

    fn trampoline(&mut self, call: LibCall) {
        let params = self.entry_block();
        let store = self.load(params[0], offset_of!(VmCtx, store));
        if !call.is_leaf() {
            self.leave_noted(store);
        }
        let signature = call.signature(self.isa.default_call_conv());
        let function = self.import(Runtime::LibCall(call), signature);
        let inst = self.b.ins().call(function, &params);
        let results = self.b.inst_results(inst).to_vec();
        if call.can_fail() {
            let zero = self.b.ins().iconst(types::I64, 0);
            let is_failure = self.b.ins().icmp(IntCC::SignedLessThan, results[0], zero);
            let (failed, done) = (self.cold_block(), self.b.create_block());
            self.b.ins().brif(is_failure, failed, &[], done, &[]);
            self.b.switch_to_block(failed);
            let status = self.b.ins().ineg(results[0]);
            let status = self.b.ins().ireduce(types::I32, status);
            self.leave(store, status);
            self.b.switch_to_block(done);
        }
        self.b.ins().return_(&results);
        self.b.seal_all_blocks();
    }

    /// Notes in the newest segment that its newest frame is this one's caller;
    /// returns the segment.
    fn leave_noted(&mut self, store: ir::Value) -> ir::Value {
        let segment = self.load(store, offset_of!(StoreCtx, segment));
        let fp = self.b.ins().get_frame_pointer(types::I64);
        let caller_fp = self.load(fp, 0);
        let return_address = self.b.ins().get_return_address(types::I64);
        self.store(caller_fp, segment, offset_of!(Segment, exit_fp));
        self.store(return_address, segment, offset_of!(Segment, exit_ip));
        segment
    }

    /// Leaves the newest segment with a status.
    fn leave(&mut self, store: ir::Value, status: ir::Value) {
        self.call_rust(Runtime::Leave, &[store, status], &[]);
        // It does not return.
        self.b.ins().trap(exit::NEVER);
    }

    /// Has the prologue trap where the native stack ends, in the caller's
    /// segment.
    fn check_native_stack(&mut self) {
        let func = &mut *self.b.func;
        let vmctx = func.create_global_value(GlobalValueData::VMContext);
        let flags = func.dfg.mem_flags.insert(trusted()).expect("the first");
        let mut load = |base, field: usize| {
            func.create_global_value(GlobalValueData::Load {
                base,
                offset: (field as i32).into(),
                global_type: types::I64,
                flags,
            })
        };
        let store = load(vmctx, offset_of!(VmCtx, store));
        func.stack_limit = Some(load(store, offset_of!(StoreCtx, native_stack_limit)));
    }

    fn entry_block(&mut self) -> Vec<ir::Value> {
        let entry = self.b.create_block();
        self.b.append_block_params_for_function_params(entry);
        self.b.switch_to_block(entry);
        self.b.block_params(entry).to_vec()
    }

    fn cold_block(&mut self) -> ir::Block {
        let block = self.b.create_block();
        self.b.set_cold_block(block);
        block
    }

    /// So many bytes in this frame.
    fn stack_slot(&mut self, size: u32) -> ir::StackSlot {
        let data = StackSlotData::new(StackSlotKind::ExplicitSlot, size, 4);
        self.b.create_sized_stack_slot(data)
    }

    /// The address of so many bytes in this frame.
    fn stack_area(&mut self, size: u32) -> ir::Value {
        let slot = self.stack_slot(size);
        self.b.ins().stack_addr(types::I64, slot, 0)
    }

    fn load(&mut self, base: ir::Value, offset: usize) -> ir::Value {
        self.b
            .ins()
            .load(types::I64, trusted(), base, offset as i32)
    }

    fn store(&mut self, value: ir::Value, base: ir::Value, offset: usize) {
        self.b.ins().store(trusted(), value, base, offset as i32);
    }

    fn read_array(&mut self, array: ir::Value, types: &[ir::Type]) -> Vec<ir::Value> {
        let mut offset = 0;
        let values = types.iter().map(|&ty| {
            let value = self.b.ins().load(ty, in_slot(), array, offset);
            offset += (slots(ty) * size_of::<u64>() as u32) as i32;
            value
        });
        values.collect()
    }

    /// Writes whole slots: what is narrower is zero-extended, as everywhere.
    fn write_array(&mut self, array: ir::Value, values: &[ir::Value]) {
        let mut offset = 0;
        for &value in values {
            let ty = self.b.func.dfg.value_type(value);
            let bits = match ty {
                types::F32 => self.b.ins().bitcast(types::I32, MemFlagsData::new(), value),
                _ => value,
            };
            let wide = match ty.bits() {
                32 => self.b.ins().uextend(types::I64, bits),
                _ => bits,
            };
            self.b.ins().store(in_slot(), wide, array, offset);
            offset += (slots(ty) * size_of::<u64>() as u32) as i32;
        }
    }

    /// Calls a function of Rust.
    fn call_rust(
        &mut self,
        function: Runtime,
        args: &[ir::Value],
        results: &[ir::Type],
    ) -> Vec<ir::Value> {
        let types = args.iter().map(|&arg| self.b.func.dfg.value_type(arg));
        let types: Vec<ir::Type> = types.collect();
        let signature = c_signature(self.isa, &types, results);
        let function = self.import(function, signature);
        let call = self.b.ins().call(function, args);
        self.b.inst_results(call).to_vec()
    }

    /// A function of Rust, anywhere in the address space.
    fn import(&mut self, function: Runtime, signature: Signature) -> ir::FuncRef {
        let signature = self.b.import_signature(signature);
        let name = Symbol::Runtime(function).to_name();
        let name = self.b.func.declare_imported_user_function(name);
        self.b.import_function(ExtFuncData {
            name: ExternalName::user(name),
            signature,
            colocated: false,
            patchable: false,
        })
    }
}

/// Flags of accesses to structures of the runtime.
fn trusted() -> MemFlagsData {
    MemFlagsData::trusted()
}

/// Flags of accesses to slots: always there, but aligned to 8 bytes only, even
/// for vectors.
fn in_slot() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}
