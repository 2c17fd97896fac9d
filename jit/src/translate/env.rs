//! What code reads of its instance and store, and which accesses can alias.
//!
//! Most fields of an instance block are written once, before the first
//! instruction runs: their loads are `readonly` and `can_move`, so that the
//! optimiser shares them and moves them out of loops. Everything that changes
//! lies in an alias region, so that a store to one thing does not make the
//! others be loaded again. Own memories, tables and globals have a region each;
//! imported ones of a kind share one, since two imports can be the same thing.

use super::{FuncTranslator, VECTOR};
use crate::trap_code::trap_code;
use cranelift_codegen::ir::{
    self, AliasRegion, AliasRegionData, GlobalValueData, InstBuilder, MemFlagsData, types,
};
use rwasm_parser::ValType;
use rwasm_runtime::layout::{FuncRef, StoreCtx, VmCtx};
use rwasm_runtime::trap::Trap;
use rwasm_runtime::tunables::POLL_DISPLACEMENT;
use std::borrow::Cow;
use std::collections::HashMap;
use std::mem::offset_of;

/// A part of memory that no access to another one touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Region {
    /// The part of the store that code reads and writes.
    Store,
    /// Entries of code cells, and references to own functions.
    Code,
    /// The bytes of an own memory.
    Memory(u32),
    /// The bytes of imported memories.
    ImportedMemory,
    /// The definition (base and length) of any memory.
    MemoryDef,
    /// The elements of an own table.
    Table(u32),
    /// The elements of imported tables.
    ImportedTable,
    /// The definition of any table.
    TableDef,
    /// An own global.
    Global(u32),
    /// Imported globals.
    ImportedGlobal,
    /// Objects of the garbage-collected heap.
    Objects,
}

/// Own globals that have a region each; the rest shares one. Cranelift numbers
/// the kinds of accesses of a function with 16 bits.
const MAX_GLOBAL_REGIONS: u32 = 1000;

/// The regions that a function has met.
pub(super) type Regions = HashMap<Region, AliasRegion>;

impl FuncTranslator<'_> {
    /// The alias region of a part of memory.
    fn region(&mut self, region: Region) -> AliasRegion {
        let user_id = self.regions.len() as u32;
        let regions = &mut self.b.func.dfg.alias_regions;
        *self.regions.entry(region).or_insert_with(|| {
            regions.insert(AliasRegionData {
                user_id,
                description: Cow::Owned(format!("{region:?}")),
            })
        })
    }

    /// Flags of accesses to what is always there and may change.
    pub(super) fn flags(&mut self, region: Region) -> MemFlagsData {
        let region = self.region(region);
        MemFlagsData::trusted().with_alias_region(Some(region))
    }

    /// Loads what never changes while code runs, from where there is always
    /// something.
    pub(super) fn load_fixed(&mut self, ty: ir::Type, base: ir::Value, offset: u32) -> ir::Value {
        self.b.ins().load(ty, fixed(), base, displacement(offset))
    }

    /// Loads a pointer of the instance block.
    pub(super) fn load_vmctx(&mut self, offset: u32) -> ir::Value {
        self.load_fixed(types::I64, self.vmctx, offset)
    }

    /// The store's context.
    pub(super) fn store_ctx(&mut self) -> ir::Value {
        self.load_vmctx(offset_of!(VmCtx, store) as u32)
    }

    /// Has the prologue trap where the native stack ends.
    pub(super) fn check_native_stack(&mut self) {
        let func = &mut *self.b.func;
        let vmctx = func.create_global_value(GlobalValueData::VMContext);
        let mut load = |base, field: usize, flags| {
            let flags = func.dfg.mem_flags.insert(flags);
            func.create_global_value(GlobalValueData::Load {
                base,
                offset: displacement(field as u32).into(),
                global_type: types::I64,
                flags: flags.expect("the first of their kind"),
            })
        };
        let flags = MemFlagsData::trusted();
        let store = load(vmctx, offset_of!(VmCtx, store), flags.with_readonly());
        let limit = load(store, offset_of!(StoreCtx, native_stack_limit), flags);
        func.stack_limit = Some(limit);
    }

    pub(super) fn load_fuel(&mut self, store: ir::Value) -> ir::Value {
        let flags = self.flags(Region::Store);
        let offset = displacement(offset_of!(StoreCtx, fuel) as u32);
        self.b.ins().load(types::I64, flags, store, offset)
    }

    pub(super) fn store_fuel(&mut self, store: ir::Value, fuel: ir::Value) {
        let flags = self.flags(Region::Store);
        let offset = displacement(offset_of!(StoreCtx, fuel) as u32);
        self.b.ins().store(flags, fuel, store, offset);
    }

    /// The flag that another thread sets: an atomic load, so that it is loaded
    /// again in each iteration of a loop.
    pub(super) fn load_interrupt_flag(&mut self) -> ir::Value {
        let store = self.store_ctx();
        let offset = offset_of!(StoreCtx, interrupt) as u32;
        let flag = self.load_fixed(types::I64, store, offset);
        let flags = self.flags(Region::Store);
        self.b.ins().atomic_load(types::I32, flags, flag)
    }

    /// Reads the word that another thread takes away: an atomic load as well, so that
    /// it happens in each iteration of a loop, and although nobody wants its value.
    pub(super) fn read_poll_page(&mut self) {
        let base = self.memory_base(0);
        let word = self.b.ins().iadd_imm_s(base, i64::from(POLL_DISPLACEMENT));
        let flags = MemFlagsData::new().with_trap_code(Some(trap_code(Trap::Interrupted)));
        self.b.ins().atomic_load(types::I32, flags, word);
    }

    /// Notes who calls, for functions of the host, and what is called, for
    /// functions without machine code.
    pub(super) fn note_call(&mut self, cell: ir::Value) {
        let store = self.store_ctx();
        let flags = self.flags(Region::Store);
        for (value, field) in [
            (self.vmctx, offset_of!(StoreCtx, caller)),
            (cell, offset_of!(StoreCtx, callee)),
        ] {
            let offset = displacement(field as u32);
            self.b.ins().store(flags, value, store, offset);
        }
    }

    /// The canonical id of a type of the module.
    pub(super) fn type_id(&mut self, ty: u32) -> ir::Value {
        let ids = self.load_vmctx(offset_of!(VmCtx, type_ids) as u32);
        let size = size_of::<rwasm_runtime::types::TypeId>() as u32;
        self.load_fixed(types::I32, ids, ty * size)
    }

    /// Loads a field of a function reference, which traps if that is null.
    pub(super) fn load_func_field(
        &mut self,
        ty: ir::Type,
        func: ir::Value,
        offset: usize,
        null: Option<Trap>,
    ) -> ir::Value {
        // What was written before the reference was given out; but only where
        // the reference is known to be one.
        let flags = MemFlagsData::trusted()
            .with_readonly()
            .with_trap_code(null.map(trap_code));
        self.b
            .ins()
            .load(ty, flags, func, displacement(offset as u32))
    }

    /// `ref.func`: a reference to a function of the module.
    pub(super) fn ref_func(&mut self, func: u32) {
        let imported = self.module.num_imported_functions();
        let Some(own) = func.checked_sub(imported) else {
            let offset = self.code.offsets.imported_func(func);
            let reference = self.load_vmctx(offset);
            return self.push(reference);
        };
        let refs = self.load_vmctx(offset_of!(VmCtx, func_refs) as u32);
        let offset = own * size_of::<FuncRef>() as u32;
        let reference = self.b.ins().iadd_imm_s(refs, i64::from(offset));
        let flags = self.flags(Region::Code);
        let cell = displacement(offset_of!(FuncRef, cell) as u32);
        let cell = self.b.ins().load(types::I64, flags, reference, cell);
        let (make, made) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(make);
        self.b.ins().brif(cell, made, &[], make, &[]);
        self.b.seal_block(make);
        self.b.switch_to_block(make);
        let index = self.b.ins().iconst(types::I32, i64::from(func));
        self.libcall(crate::libcall::LibCall::RefFunc, &[index]);
        self.b.ins().jump(made, &[]);
        self.b.seal_block(made);
        self.b.switch_to_block(made);
        self.push(reference);
    }

    /// `global.get`.
    pub(super) fn global_get(&mut self, index: u32) {
        let (ty, address, flags) = self.global(index);
        let value = self.b.ins().load(ty, flags, address, 0);
        self.push(value);
    }

    /// `global.set`.
    pub(super) fn global_set(&mut self, index: u32) {
        let value = self.pop();
        let (ty, address, flags) = self.global(index);
        self.store_slot(ty, flags, value, address, 0);
    }

    /// The type of a global, where it is, and how it is accessed.
    fn global(&mut self, index: u32) -> (ir::Type, ir::Value, MemFlagsData) {
        let ty = self.module.globals()[index as usize].ty;
        let address = self.load_vmctx(self.code.offsets.global(index));
        let imported = self.module.num_imported_globals();
        let flags = if !ty.mutable {
            fixed()
        } else if index < imported {
            self.flags(Region::ImportedGlobal)
        } else {
            self.flags(Region::Global((index - imported).min(MAX_GLOBAL_REGIONS)))
        };
        (self.value_type(&ty.content), address, flags)
    }

    fn value_type(&self, ty: &ValType) -> ir::Type {
        super::clif_type(self.module, ty)
    }

    /// Loads a value from a slot, of which 32-bit values take the lower half.
    pub(super) fn load_slot(
        &mut self,
        ty: ir::Type,
        flags: MemFlagsData,
        address: ir::Value,
        offset: u32,
    ) -> ir::Value {
        self.b.ins().load(ty, flags, address, displacement(offset))
    }

    /// Stores a value to a slot, all of it: 32-bit values are zero-extended.
    pub(super) fn store_slot(
        &mut self,
        ty: ir::Type,
        flags: MemFlagsData,
        value: ir::Value,
        address: ir::Value,
        offset: u32,
    ) {
        let value = match ty {
            types::I32 => self.b.ins().uextend(types::I64, value),
            types::F32 => {
                let bits = self.b.ins().bitcast(types::I32, MemFlagsData::new(), value);
                self.b.ins().uextend(types::I64, bits)
            }
            _ => value,
        };
        debug_assert!(self.type_of(value).bytes() == 8 || self.type_of(value) == VECTOR);
        self.b
            .ins()
            .store(flags, value, address, displacement(offset));
    }
}

/// Flags of loads of what never changes while code runs.
pub(super) fn fixed() -> MemFlagsData {
    MemFlagsData::trusted().with_readonly().with_can_move()
}

/// An offset of a layout, as an instruction holds it.
pub(super) fn displacement(offset: u32) -> i32 {
    i32::try_from(offset).expect("blocks of instances are far smaller than 2 GiB")
}
