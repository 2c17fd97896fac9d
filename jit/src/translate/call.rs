//! Calls.
//!
//! Own functions are called directly. Imported ones, and those that a reference
//! leads to, are called through the native entry that the reference has now. They
//! may be the host's or have no machine code, hence the note of who calls what;
//! a reference that says that it leads to machine code of the same instance needs
//! none.

use super::env::{Region, displacement};
use super::exception::Callee;
use super::{FuncTranslator, TranslateError};
use crate::libcall::LibCall;
use crate::symbol::Symbol;
use crate::trap_code::trap_code;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, BlockArg, ExtFuncData, ExternalName, InstBuilder, types};
use cranelift_codegen::isa::CallConv;
use rwasm_parser::{FuncType, HeapType, LocalFuncIndex, TypeIndex};
use rwasm_runtime::layout::{FuncRef, VmCtx};
use rwasm_runtime::trap::Trap;
use smallvec::SmallVec;
use std::mem::offset_of;

type Args = SmallVec<[ir::Value; 8]>;

impl FuncTranslator<'_> {
    /// `call` and `return_call`.
    pub(super) fn call(&mut self, func: u32, tail: bool) -> Result<(), TranslateError> {
        let ty = self.module.functions()[func as usize].as_u32();
        match func.checked_sub(self.module.num_imported_functions()) {
            Some(own) => {
                let own = LocalFuncIndex::from_u32(own);
                if !tail && self.inline(own)? {
                    return Ok(());
                }
                let callee = self.own_func(own, ty);
                self.emit_call(ty, Callee::Direct(callee), self.vmctx, tail);
            }
            None => {
                let func = self.load_vmctx(self.code.offsets.imported_func(func));
                let cell = self.load_fixed(types::I64, func, offset_of!(FuncRef, cell) as u32);
                let instance = offset_of!(FuncRef, instance) as u32;
                let instance = self.load_fixed(types::I64, func, instance);
                self.note_call(cell);
                self.call_entry(ty, func, instance, tail);
            }
        }
        Ok(())
    }

    /// `call_ref` and `return_call_ref`.
    pub(super) fn call_ref(&mut self, ty: u32, tail: bool) {
        let reference = self.pop();
        self.call_checked(ty, reference, Some(Trap::NullFunctionReference), tail);
    }

    /// `call_indirect` and `return_call_indirect`.
    pub(super) fn call_indirect(&mut self, table: u32, ty: u32, tail: bool) {
        let address = self.element_address(table, Trap::UndefinedElement);
        let flags = self.element_flags(table);
        let reference = self.b.ins().load(types::I64, flags, address, 0);
        let element = self.module.tables()[table as usize].ty.element;
        let mut null = element.nullable.then_some(Trap::UninitializedElement);
        if self.is_declared_subtype(&element.heap, ty) {
            return self.call_checked(ty, reference, null, tail);
        }
        if self.is_final(ty) {
            return self.call_of_final_type(ty, reference, null, tail);
        }
        self.check_type(reference, ty, null.take());
        self.call_checked(ty, reference, null, tail);
    }

    fn is_final(&self, ty: u32) -> bool {
        self.module.types()[TypeIndex::from_u32(ty).index()].is_final
    }

    /// Whether every function of a heap type is of a defined type.
    fn is_declared_subtype(&self, heap: &HeapType, ty: u32) -> bool {
        match *heap {
            HeapType::Concrete(heap) => {
                let ids = &self.code.type_ids;
                let registry = &self.code.registry;
                registry.is_subtype(ids[heap.index()], ids[ty as usize])
            }
            HeapType::NoFunc => true,
            _ => false,
        }
    }

    /// Traps unless a function has the type, which is not final, or a declared
    /// subtype of it.
    fn check_type(&mut self, reference: ir::Value, ty: u32, null: Option<Trap>) {
        let offset = offset_of!(FuncRef, ty);
        let actual = self.load_func_field(types::I32, reference, offset, null);
        let expected = self.type_id(ty);
        let mismatch = trap_code(Trap::IndirectCallTypeMismatch);
        let equal = self.b.ins().icmp(IntCC::Equal, actual, expected);
        let (compare, matches) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(compare);
        self.b.ins().brif(equal, matches, &[], compare, &[]);
        self.b.seal_block(compare);
        self.b.switch_to_block(compare);
        let is_subtype = self.libcall(LibCall::IsSubtype, &[actual, expected]);
        self.b.ins().trapz(is_subtype[0], mismatch);
        self.b.ins().jump(matches, &[]);
        self.b.seal_block(matches);
        self.b.switch_to_block(matches);
    }

    /// Calls the function that a reference leads to, or traps if it is null.
    fn call_checked(&mut self, ty: u32, func: ir::Value, null: Option<Trap>, tail: bool) {
        let direct = self.load_direct(types::I32, func, offset_of!(FuncRef, direct), null);
        let own = self.own_number();
        let is_direct = self.b.ins().icmp(IntCC::Equal, direct, own);
        let call = self.branch_direct(is_direct);
        self.call_of_either(ty, func, call, tail);
    }

    /// The same, if the function has to be of the type, which is final: that and
    /// whether the call needs a note is one comparison.
    fn call_of_final_type(&mut self, ty: u32, func: ir::Value, null: Option<Trap>, tail: bool) {
        let expected = self.type_id(ty);
        let word = self.load_direct(types::I64, func, offset_of!(FuncRef, ty), null);
        let own = self.own_number();
        let is_direct = {
            let own = self.b.ins().uextend(types::I64, own);
            let own = self.b.ins().ishl_imm_u(own, 32);
            let expected = self.b.ins().uextend(types::I64, expected);
            let expected = self.b.ins().bor(own, expected);
            self.b.ins().icmp(IntCC::Equal, word, expected)
        };
        let call = self.branch_direct(is_direct);
        let actual = self.b.ins().ireduce(types::I32, word);
        let differs = self.b.ins().icmp(IntCC::NotEqual, actual, expected);
        let mismatch = trap_code(Trap::IndirectCallTypeMismatch);
        self.b.ins().trapnz(differs, mismatch);
        self.call_of_either(ty, func, call, tail);
    }

    /// Loads [`FuncRef::direct`], alone or with the type before it, so that the
    /// native entry that is loaded later is at least as new. Traps if the reference
    /// is null.
    fn load_direct(
        &mut self,
        ty: ir::Type,
        func: ir::Value,
        offset: usize,
        null: Option<Trap>,
    ) -> ir::Value {
        let flags = self.flags(Region::Code).with_trap_code(null.map(trap_code));
        let address = self.b.ins().iadd_imm_u(func, offset as i64);
        self.b.ins().atomic_load(ty, flags, address)
    }

    /// What [`FuncRef::direct`] is where a call needs no note.
    fn own_number(&mut self) -> ir::Value {
        self.load_fixed(types::I32, self.vmctx, offset_of!(VmCtx, instance) as u32)
    }

    /// Goes on in the block of calls that need a note; returns that of all calls,
    /// which gets the callee's instance.
    fn branch_direct(&mut self, is_direct: ir::Value) -> ir::Block {
        let (noted, call) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(noted);
        self.b.append_block_param(call, types::I64);
        let own = BlockArg::Value(self.vmctx);
        self.b.ins().brif(is_direct, call, &[own], noted, &[]);
        self.b.seal_block(noted);
        self.b.switch_to_block(noted);
        call
    }

    /// Notes the call; goes on in the block of all calls, and calls.
    fn call_of_either(&mut self, ty: u32, func: ir::Value, call: ir::Block, tail: bool) {
        let cell = offset_of!(FuncRef, cell);
        let cell = self.load_func_field(types::I64, func, cell, None);
        let instance = offset_of!(FuncRef, instance);
        let instance = self.load_func_field(types::I64, func, instance, None);
        self.note_call(cell);
        self.b.ins().jump(call, &[BlockArg::Value(instance)]);
        self.b.seal_block(call);
        self.b.switch_to_block(call);
        let instance = self.b.block_params(call)[0];
        self.call_entry(ty, func, instance, tail);
    }

    /// Calls the native entry that a reference has now.
    fn call_entry(&mut self, ty: u32, func: ir::Value, instance: ir::Value, tail: bool) {
        let flags = self.flags(Region::Code);
        let offset = displacement(offset_of!(FuncRef, native) as u32);
        let entry = self.b.ins().load(types::I64, flags, func, offset);
        let signature = self.signature(ty);
        self.emit_call(ty, Callee::Indirect(signature, entry), instance, tail);
    }

    /// Emits a call of a function of type `ty`, whose arguments are popped, in
    /// an instance.
    fn emit_call(&mut self, ty: u32, callee: Callee, instance: ir::Value, tail: bool) {
        let ty = self.func_type(ty);
        let args = self.pop_args(ty, instance);
        if tail {
            match callee {
                Callee::Direct(func) => self.b.ins().return_call(func, &args),
                Callee::Indirect(signature, address) => {
                    self.b.ins().return_call_indirect(signature, address, &args)
                }
            };
            self.dead = true;
            return;
        }
        let results = self.emit_throwing_call(callee, &args);
        self.stack.extend(results);
    }

    /// Pops the arguments of a call, and puts the callee's instance before.
    fn pop_args(&mut self, ty: &FuncType, instance: ir::Value) -> Args {
        let count = ty.params.len();
        self.plain_top(count);
        let first = self.stack.len() - count;
        let mut args = Args::with_capacity(count + 1);
        args.push(instance);
        args.extend(self.stack.drain(first..));
        args
    }

    /// The signature of functions of a type of the module.
    fn signature(&mut self, ty: u32) -> ir::SigRef {
        if let Some(&signature) = self.signatures.get(&ty) {
            return signature;
        }
        let signature = super::native_signature(self.module, self.func_type(ty));
        let signature = self.b.import_signature(signature);
        self.signatures.insert(ty, signature);
        signature
    }

    fn own_func(&mut self, func: LocalFuncIndex, ty: u32) -> ir::FuncRef {
        if let Some(&func) = self.funcs.get(&func) {
            return func;
        }
        let signature = self.signature(ty);
        let reference = self.import(Symbol::Func(func), signature);
        self.funcs.insert(func, reference);
        reference
    }

    fn import(&mut self, symbol: Symbol, signature: ir::SigRef) -> ir::FuncRef {
        let name = self.b.func.declare_imported_user_function(symbol.to_name());
        self.b.import_function(ExtFuncData {
            name: ExternalName::user(name),
            signature,
            colocated: true,
            patchable: false,
        })
    }

    /// Calls a function of the runtime, which gets the instance block first;
    /// returns its results.
    pub(super) fn libcall(
        &mut self,
        libcall: LibCall,
        args: &[ir::Value],
    ) -> SmallVec<[ir::Value; 1]> {
        let func = self.libcall_func(libcall);
        let mut all = Args::with_capacity(args.len() + 1);
        all.push(self.vmctx);
        all.extend_from_slice(args);
        let call = self.b.ins().call(func, &all);
        self.b.inst_results(call).into()
    }

    pub(super) fn libcall_func(&mut self, libcall: LibCall) -> ir::FuncRef {
        if let Some(&func) = self.libcalls.get(&libcall) {
            return func;
        }
        let signature = self.b.import_signature(libcall.signature(CallConv::Tail));
        let func = self.import(Symbol::LibCall(libcall), signature);
        self.libcalls.insert(libcall, func);
        func
    }
}
