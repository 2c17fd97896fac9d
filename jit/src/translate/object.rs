//! Structs, arrays and their elements.
//!
//! An object is at the base of the store's heap plus its 32-bit reference.
//! Allocation bumps the cursor of its size class; the rest is left to the
//! runtime, as are instructions on many elements, whose operands go through
//! memory. The collector finds references in frames by itself, so nothing is
//! kept for it.

use super::FuncTranslator;
use super::env::{Region, displacement};
use crate::libcall::LibCall;
use crate::trap_code::trap_code;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    self, BlockArg, InstBuilder, MemFlagsData, StackSlotData, StackSlotKind,
};
use rwasm_parser::{CompositeType, StorageType};
use rwasm_runtime::gc::layout::Storage;
use rwasm_runtime::gc::object::{ARRAY_ELEMENTS, ARRAY_LEN, TYPE_SHIFT};
use rwasm_runtime::gc::{
    ArrayLayout, FieldLayout, GcCtx, Layout, ObjectKind, Run, cell_bytes, class_of,
};
use rwasm_runtime::layout::{StoreCtx, VmCtx};
use rwasm_runtime::trap::Trap;
use smallvec::SmallVec;
use std::mem::offset_of;
use std::sync::Arc;
use wasmparser::Operator;

/// How a packed field is extended; of no account for others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extension {
    Signed,
    Unsigned,
}
use Extension::{Signed, Unsigned};

impl FuncTranslator<'_> {
    /// Translates an instruction of this family; returns whether it is one.
    pub(super) fn object(&mut self, operator: &Operator<'_>) -> bool {
        use Operator as O;
        match *operator {
            O::RefEq => self.icmp(IntCC::Equal),
            O::RefI31 => {
                let value = self.pop();
                let shifted = self.b.ins().ishl_imm_u(value, 1);
                let reference = self.b.ins().bor_imm_u(shifted, 1);
                self.push(reference);
            }
            O::I31GetS => self.i31_get(Signed),
            O::I31GetU => self.i31_get(Unsigned),
            // The encoding of references makes both do nothing.
            O::AnyConvertExtern | O::ExternConvertAny => {}
            O::RefTestNonNull { hty } => self.ref_test(hty, false),
            O::RefTestNullable { hty } => self.ref_test(hty, true),
            O::RefCastNonNull { hty } => self.ref_cast(hty, false),
            O::RefCastNullable { hty } => self.ref_cast(hty, true),
            O::BrOnCast {
                relative_depth,
                to_ref_type,
                ..
            } => self.br_on_cast(relative_depth, to_ref_type, true),
            O::BrOnCastFail {
                relative_depth,
                to_ref_type,
                ..
            } => self.br_on_cast(relative_depth, to_ref_type, false),

            O::StructNew { struct_type_index } => self.struct_new(struct_type_index, false),
            O::StructNewDefault { struct_type_index } => self.struct_new(struct_type_index, true),
            O::StructGet {
                struct_type_index,
                field_index,
            }
            | O::StructGetU {
                struct_type_index,
                field_index,
            } => self.struct_get(struct_type_index, field_index, Unsigned),
            O::StructGetS {
                struct_type_index,
                field_index,
            } => self.struct_get(struct_type_index, field_index, Signed),
            O::StructSet {
                struct_type_index,
                field_index,
            } => self.struct_set(struct_type_index, field_index),

            O::ArrayNew { array_type_index } => {
                self.array_bulk(LibCall::ArrayNew, array_type_index, 0, 2);
            }
            O::ArrayNewDefault { array_type_index } => self.array_new_default(array_type_index),
            O::ArrayNewFixed {
                array_type_index,
                array_size,
            } => self.array_new_fixed(array_type_index, array_size),
            O::ArrayNewData {
                array_type_index: ty,
                array_data_index: segment,
            } => self.array_bulk(LibCall::ArrayNewData, ty, segment, 2),
            O::ArrayNewElem {
                array_type_index: ty,
                array_elem_index: segment,
            } => self.array_bulk(LibCall::ArrayNewElem, ty, segment, 2),
            O::ArrayGet { array_type_index } | O::ArrayGetU { array_type_index } => {
                self.array_get(array_type_index, Unsigned);
            }
            O::ArrayGetS { array_type_index } => self.array_get(array_type_index, Signed),
            O::ArraySet { array_type_index } => self.array_set(array_type_index),
            O::ArrayLen => {
                let array = self.pop();
                let (_, len) = self.array_len(array);
                self.push(len);
            }
            O::ArrayFill { array_type_index } => {
                self.array_bulk(LibCall::ArrayFill, array_type_index, 0, 4);
            }
            O::ArrayCopy {
                array_type_index_dst,
                ..
            } => self.array_bulk(LibCall::ArrayCopy, array_type_index_dst, 0, 5),
            O::ArrayInitData {
                array_type_index: ty,
                array_data_index: segment,
            } => self.array_bulk(LibCall::ArrayInitData, ty, segment, 4),
            O::ArrayInitElem {
                array_type_index: ty,
                array_elem_index: segment,
            } => self.array_bulk(LibCall::ArrayInitElem, ty, segment, 4),
            _ => return false,
        }
        true
    }

    fn layout(&self, ty: u32) -> Arc<Layout> {
        self.code.registry.layout(self.code.type_ids[ty as usize])
    }

    fn field(&self, ty: u32, field: u32) -> FieldLayout {
        match &*self.layout(ty) {
            Layout::Struct(layout) => layout.fields[field as usize],
            Layout::Array(_) | Layout::Exception(_) => unreachable!("validated: a struct type"),
        }
    }

    fn array_layout(&self, ty: u32) -> ArrayLayout {
        match &*self.layout(ty) {
            Layout::Array(layout) => *layout,
            Layout::Struct(_) | Layout::Exception(_) => unreachable!("validated: an array type"),
        }
    }

    /// The type on the operand stack of what a field or element holds.
    fn stored_type(&self, ty: u32, field: u32) -> ir::Type {
        let field = match &self.module.types()[ty as usize].composite {
            CompositeType::Struct(fields) => &fields[field as usize],
            CompositeType::Array(element) => element,
            CompositeType::Func(_) => unreachable!("validated: a type of objects"),
        };
        match &field.storage {
            StorageType::I8 | StorageType::I16 => I32,
            StorageType::Val(ty) => super::clif_type(self.module, ty),
        }
    }

    /// The address of an object.
    pub(super) fn object_address(&mut self, reference: ir::Value) -> ir::Value {
        let base = self.load_vmctx(offset_of!(VmCtx, gc_base) as u32);
        let reference = self.b.ins().uextend(I64, reference);
        self.b.ins().iadd(base, reference)
    }

    /// Flags of accesses to objects, which are aligned but for vectors.
    pub(super) fn object_flags(&mut self) -> MemFlagsData {
        let region = self.flags(Region::Objects).alias_region();
        MemFlagsData::new().with_notrap().with_alias_region(region)
    }

    fn i31_get(&mut self, extension: Extension) {
        let reference = self.pop();
        self.trap_if_zero(reference, Trap::NullI31Reference);
        let value = match extension {
            Signed => self.b.ins().sshr_imm_u(reference, 1),
            Unsigned => self.b.ins().ushr_imm_u(reference, 1),
        };
        self.push(value);
    }
}

/// Fields and elements.
impl FuncTranslator<'_> {
    fn struct_get(&mut self, ty: u32, field: u32, extension: Extension) {
        let FieldLayout { offset, storage } = self.field(ty, field);
        let object = self.pop();
        self.trap_if_zero(object, Trap::NullStructureReference);
        let address = self.object_address(object);
        let clif = self.stored_type(ty, field);
        let value = self.load_stored(storage, extension, clif, address, offset);
        self.push(value);
    }

    fn struct_set(&mut self, ty: u32, field: u32) {
        let FieldLayout { offset, storage } = self.field(ty, field);
        let value = self.pop();
        let object = self.pop();
        self.trap_if_zero(object, Trap::NullStructureReference);
        let address = self.object_address(object);
        self.store_stored(storage, value, address, offset);
    }

    fn array_get(&mut self, ty: u32, extension: Extension) {
        let storage = self.array_layout(ty).element;
        let address = self.element(storage);
        let clif = self.stored_type(ty, 0);
        let value = self.load_stored(storage, extension, clif, address, ARRAY_ELEMENTS);
        self.push(value);
    }

    fn array_set(&mut self, ty: u32) {
        let storage = self.array_layout(ty).element;
        let value = self.pop();
        let address = self.element(storage);
        self.store_stored(storage, value, address, ARRAY_ELEMENTS);
    }

    /// The address of an array and its length.
    fn array_len(&mut self, array: ir::Value) -> (ir::Value, ir::Value) {
        self.trap_if_zero(array, Trap::NullArrayReference);
        let address = self.object_address(array);
        // An array's length never changes, but its memory may become that of
        // another object.
        let flags = self.object_flags();
        let len = self.load_slot(I32, flags, address, ARRAY_LEN);
        (address, len)
    }

    /// The address of an element, less [`ARRAY_ELEMENTS`]; pops its index and the
    /// array.
    fn element(&mut self, storage: Storage) -> ir::Value {
        let (array, index) = self.pop2();
        let (address, len) = self.array_len(array);
        let outside = self
            .b
            .ins()
            .icmp(IntCC::UnsignedGreaterThanOrEqual, index, len);
        self.b
            .ins()
            .trapnz(outside, trap_code(Trap::ArrayOutOfBounds));
        let index = self.b.ins().uextend(I64, index);
        let offset = self.b.ins().ishl_imm_u(index, i64::from(storage.shift()));
        let element = self.b.ins().iadd(address, offset);
        // A processor that goes on as if the check had passed reads the first
        // element.
        self.b.ins().select_spectre_guard(outside, address, element)
    }

    fn load_stored(
        &mut self,
        storage: Storage,
        extension: Extension,
        ty: ir::Type,
        address: ir::Value,
        offset: u32,
    ) -> ir::Value {
        let flags = self.object_flags();
        let offset = displacement(offset);
        let ins = self.b.ins();
        match (storage, extension) {
            (Storage::I8, Signed) => ins.sload8(ty, flags, address, offset),
            (Storage::I8, Unsigned) => ins.uload8(ty, flags, address, offset),
            (Storage::I16, Signed) => ins.sload16(ty, flags, address, offset),
            (Storage::I16, Unsigned) => ins.uload16(ty, flags, address, offset),
            _ => ins.load(ty, flags, address, offset),
        }
    }

    fn store_stored(
        &mut self,
        storage: Storage,
        value: ir::Value,
        address: ir::Value,
        offset: u32,
    ) {
        let flags = self.object_flags();
        let offset = displacement(offset);
        let ins = self.b.ins();
        match storage {
            Storage::I8 => ins.istore8(flags, value, address, offset),
            Storage::I16 => ins.istore16(flags, value, address, offset),
            _ => ins.store(flags, value, address, offset),
        };
    }
}

/// Allocation.
impl FuncTranslator<'_> {
    fn struct_new(&mut self, ty: u32, default: bool) {
        let layout = self.layout(ty);
        let Layout::Struct(layout) = &*layout else {
            unreachable!("validated: a struct type")
        };
        let header = self.header(ty, ObjectKind::Struct);
        let header = self.b.ins().uextend(I64, header);
        let fields: &[FieldLayout] = if default { &[] } else { &layout.fields };
        self.new_object(header, layout.bytes, fields.iter().copied());
    }

    fn array_new_fixed(&mut self, ty: u32, len: u32) {
        let layout = self.array_layout(ty);
        let header = self.header(ty, ObjectKind::Array);
        let header = self.b.ins().uextend(I64, header);
        let header = self
            .b
            .ins()
            .bor_imm_s(header, (u64::from(len) << 32) as i64);
        let elements = (0..len).map(|index| layout.at(index));
        // At most 10,000 elements of 16 bytes (wasmparser's limit).
        self.new_object(header, layout.bytes(len) as u32, elements);
    }

    fn array_new_default(&mut self, ty: u32) {
        let len = self.pop();
        let header = self.header(ty, ObjectKind::Array);
        let array = self.libcall(LibCall::NewArray, &[header, len])[0];
        let array = self.b.ins().ireduce(I32, array);
        self.push(array);
    }

    /// The header of objects of a type of the module.
    pub(super) fn header(&mut self, ty: u32, kind: ObjectKind) -> ir::Value {
        let id = self.type_id(ty);
        let shifted = self.b.ins().ishl_imm_u(id, i64::from(TYPE_SHIFT));
        self.b.ins().bor_imm_u(shifted, kind as u32 as i64)
    }

    /// Allocates an object and sets its fields to the operands on top.
    fn new_object(
        &mut self,
        header: ir::Value,
        bytes: u32,
        fields: impl ExactSizeIterator<Item = FieldLayout>,
    ) {
        let count = fields.len();
        self.plain_top(count);
        let first = self.stack.len() - count;
        let values: SmallVec<[ir::Value; 8]> = self.stack.drain(first..).collect();
        let object = self.allocate(header, bytes);
        let address = self.object_address(object);
        for (FieldLayout { offset, storage }, value) in fields.zip(values) {
            self.store_stored(storage, value, address, offset);
        }
        self.push(object);
    }

    /// An object of zeros behind its header: from the run of its size class, or
    /// by the runtime if that is used up.
    fn allocate(&mut self, header: ir::Value, bytes: u32) -> ir::Value {
        let size = self.immediate(bytes);
        let Some(class) = class_of(bytes) else {
            let object = self.libcall(LibCall::NewObject, &[header, size])[0];
            return self.b.ins().ireduce(I32, object);
        };
        let cell = i64::from(cell_bytes(class));
        let store = self.store_ctx();
        let run = offset_of!(StoreCtx, gc) + offset_of!(GcCtx, runs) + class * size_of::<Run>();
        let (cursor_at, end_at) = (
            (run + offset_of!(Run, cursor)) as u32,
            (run + offset_of!(Run, end)) as u32,
        );
        let flags = self.flags(Region::Store);
        let cursor = self.load_slot(I32, flags, store, cursor_at);
        let end = self.load_slot(I32, flags, store, end_at);
        let free = self.b.ins().isub(end, cursor);
        let fits = self
            .b
            .ins()
            .icmp_imm_u(IntCC::UnsignedGreaterThanOrEqual, free, cell);
        let (bump, call) = (self.b.create_block(), self.b.create_block());
        let done = self.b.create_block();
        let object = self.b.append_block_param(done, I32);
        self.b.set_cold_block(call);
        self.b.ins().brif(fits, bump, &[], call, &[]);
        self.b.seal_block(bump);
        self.b.seal_block(call);

        self.b.switch_to_block(bump);
        let next = self.b.ins().iadd_imm_s(cursor, cell);
        self.b
            .ins()
            .store(flags, next, store, displacement(cursor_at));
        let address = self.object_address(cursor);
        let object_flags = self.object_flags();
        self.b.ins().store(object_flags, header, address, 0);
        self.b.ins().jump(done, &[BlockArg::Value(cursor)]);

        self.b.switch_to_block(call);
        let made = self.libcall(LibCall::NewObject, &[header, size])[0];
        let made = self.b.ins().ireduce(I32, made);
        self.b.ins().jump(done, &[BlockArg::Value(made)]);
        self.b.seal_block(done);
        self.b.switch_to_block(done);
        object
    }

    /// An instruction on many elements: its operands go to memory, from where
    /// the runtime takes them and where it leaves its result.
    fn array_bulk(&mut self, libcall: LibCall, ty: u32, segment: u32, operands: usize) {
        self.plain_top(operands);
        let first = self.stack.len() - operands;
        let values: SmallVec<[ir::Value; 5]> = self.stack.drain(first..).collect();
        let slots: u32 = values.iter().map(|&value| self.slots(value)).sum();
        let size = slots * size_of::<u64>() as u32;
        let area = StackSlotData::new(StackSlotKind::ExplicitSlot, size, 3);
        let area = self.b.create_sized_stack_slot(area);
        let area = self.b.ins().stack_addr(I64, area, 0);
        let flags = MemFlagsData::new().with_notrap();
        let mut offset = 0;
        for &value in &values {
            self.store_slot(self.type_of(value), flags, value, area, offset);
            offset += self.slots(value) * size_of::<u64>() as u32;
        }
        let ty = self.type_id(ty);
        let segment = self.immediate(segment);
        self.libcall(libcall, &[area, ty, segment]);
        let has_result = matches!(
            libcall,
            LibCall::ArrayNew | LibCall::ArrayNewData | LibCall::ArrayNewElem
        );
        if has_result {
            let array = self.load_slot(I32, flags, area, 0);
            self.push(array);
        }
    }

    /// Slots that a value takes.
    fn slots(&self, value: ir::Value) -> u32 {
        self.type_of(value)
            .bytes()
            .div_ceil(size_of::<u64>() as u32)
    }
}
