//! Instructions on structs, arrays and casts.

use super::Lower;
use super::stack::{Entry, Kind, State};
use crate::exec::object::array::BulkOp;
use crate::exec::object::cast::{TypeTest, display_offset};
use crate::exec::object::{ObjectLoad, ObjectStore};
use crate::inst::{Dst, Inst, Src};
use crate::object::{Live, ObjectInst};
use crate::op::{IntCompare, IntUnary};
use rwasm_parser::{CompositeType, HeapType, RefType};
use rwasm_runtime::gc::layout::Storage;
use rwasm_runtime::gc::object::{ARRAY_ELEMENTS, header};
use rwasm_runtime::gc::{ArrayLayout, FieldLayout, Layout, ObjectKind};
use rwasm_runtime::types::TypeId;
use std::sync::Arc;
use wasmparser::Operator;

/// How a packed field is extended; of no account for others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extension {
    Signed,
    Unsigned,
}
use Extension::{Signed, Unsigned};

impl Lower<'_> {
    /// Lowers an instruction of this family; returns whether it is one.
    pub(super) fn object(&mut self, operator: &Operator<'_>) -> bool {
        use Operator as O;
        match *operator {
            O::RefEq => self.compare(IntCompare::I64Eq, |_| {}),
            O::RefI31 => self.unary(IntUnary::I31New),
            O::I31GetS => self.i31_get(true),
            O::I31GetU => self.i31_get(false),
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

            O::ArrayNew { array_type_index } => self.array_new(array_type_index),
            O::ArrayNewDefault { array_type_index } => self.array_new_default(array_type_index),
            O::ArrayNewFixed {
                array_type_index,
                array_size,
            } => self.array_new_fixed(array_type_index, array_size),
            O::ArrayNewData {
                array_type_index,
                array_data_index,
            } => self.bulk(BulkOp::NewData, array_type_index, array_data_index, 2),
            O::ArrayNewElem {
                array_type_index,
                array_elem_index,
            } => self.bulk(BulkOp::NewElem, array_type_index, array_elem_index, 2),
            O::ArrayGet { array_type_index } | O::ArrayGetU { array_type_index } => {
                self.array_get(array_type_index, Unsigned);
            }
            O::ArrayGetS { array_type_index } => self.array_get(array_type_index, Signed),
            O::ArraySet { array_type_index } => self.array_set(array_type_index),
            O::ArrayLen => {
                let a = self.pop_variable();
                self.emit_int(|d| Inst::Object(ObjectInst::ArrayLen { a, d }));
            }
            O::ArrayFill { array_type_index } => self.bulk(BulkOp::Fill, array_type_index, 0, 4),
            O::ArrayCopy {
                array_type_index_dst,
                ..
            } => self.bulk(BulkOp::Copy, array_type_index_dst, 0, 5),
            O::ArrayInitData {
                array_type_index,
                array_data_index,
            } => self.bulk(BulkOp::InitData, array_type_index, array_data_index, 4),
            O::ArrayInitElem {
                array_type_index,
                array_elem_index,
            } => self.bulk(BulkOp::InitElem, array_type_index, array_elem_index, 4),
            _ => return false,
        }
        true
    }

    fn type_id(&self, index: u32) -> TypeId {
        self.code.type_ids[index as usize]
    }

    fn layout(&self, index: u32) -> Arc<Layout> {
        self.code.registry.layout(self.type_id(index))
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

    /// The kind on the operand stack of what a field or element holds.
    fn stored_kind(&self, ty: u32, field: u32) -> Kind {
        let field = match &self.module.types()[ty as usize].composite {
            CompositeType::Struct(fields) => &fields[field as usize],
            CompositeType::Array(element) => element,
            CompositeType::Func(_) => unreachable!("validated: a type of objects"),
        };
        Kind::of_storage(&field.storage)
    }

    /// Brings a constant so far from the top to its slot: what is popped later
    /// must not change the accumulator that an earlier one may be in.
    fn no_const(&mut self, from_top: usize) {
        if self.const_at(from_top).is_some() {
            self.materialise(self.stack.len() - 1 - from_top);
        }
    }

    /// The slots that are in use now: up to the last operand that is in its slot,
    /// but for those of locals and constants below it.
    fn live(&self) -> Live {
        let is_temp = |entry: &Entry| matches!(entry.state, State::Temp { .. });
        let Some(last) = self.stack.iter().rfind(|entry| is_temp(entry)) else {
            let (end, dead) = (self.first_temp as u16, 0);
            return Live { end, dead };
        };
        let end = last.slot + last.kind.slots();
        let mut dead = 0;
        for entry in self.stack.iter().rev().filter(|entry| !is_temp(entry)) {
            for slot in entry.slot..entry.slot + entry.kind.slots() {
                // Those above the end count no more than those too far below.
                let below = end.wrapping_sub(1).wrapping_sub(slot);
                dead |= 1u32.checked_shl(below).unwrap_or(0);
            }
            if end - entry.slot.min(end) > 32 {
                break;
            }
        }
        let end = end as u16;
        Live { end, dead }
    }

    fn struct_new(&mut self, ty: u32, default: bool) {
        let layout = self.layout(ty);
        let Layout::Struct(layout) = &*layout else {
            unreachable!("validated: a struct type")
        };
        let header = header(self.type_id(ty), ObjectKind::Struct).into();
        let fields: &[FieldLayout] = if default { &[] } else { &layout.fields };
        self.new_object(header, layout.bytes, fields.iter().copied());
    }

    fn array_new_fixed(&mut self, ty: u32, len: u32) {
        let layout = self.array_layout(ty);
        let header = header(self.type_id(ty), ObjectKind::Array);
        let header = u64::from(header) | u64::from(len) << 32;
        let storage = layout.element;
        let fields = (0..len).map(|index| FieldLayout {
            offset: ARRAY_ELEMENTS + index * storage.bytes(),
            storage,
        });
        // At most 10,000 elements of 16 bytes (wasmparser's limit).
        self.new_object(header, layout.bytes(len) as u32, fields);
    }

    /// Allocates an object and sets its fields to the operands on top.
    fn new_object(
        &mut self,
        header: u64,
        bytes: u32,
        fields: impl ExactSizeIterator<Item = FieldLayout>,
    ) {
        let from = self.stack.len() - fields.len();
        for at in from..self.stack.len() {
            self.temp_to_slot(at);
        }
        let live = self.live();
        // The object goes through the accumulator, past the operands.
        self.spill_acc();
        let inits: Vec<(FieldLayout, Src)> = fields
            .zip(from..)
            .map(|(field, at)| (field, self.bits_source(at)))
            // New objects are zeroed.
            .filter(|(_, source)| *source != Src::Const(0))
            .collect();
        self.truncate(from);
        let new = |d| {
            Inst::Object(ObjectInst::New {
                header,
                bytes,
                live,
                d,
            })
        };
        let Some((&(last, last_source), inits)) = inits.split_last() else {
            return self.emit_int(new);
        };
        self.emit(new(Dst::Acc));
        for &(field, source) in inits {
            self.emit(init(field, source, Dst::Acc));
        }
        self.emit_int(|d| init(last, last_source, d));
    }

    fn array_new_default(&mut self, ty: u32) {
        let live = self.live();
        let len = self.pop_slot();
        self.new_array(ty, len, live);
    }

    /// Allocates an array of zeros.
    fn new_array(&mut self, ty: u32, len: u16, live: Live) {
        let shift = self.array_layout(ty).element.shift();
        let header = header(self.type_id(ty), ObjectKind::Array);
        self.emit_int(|d| {
            Inst::Object(ObjectInst::NewArray {
                header,
                shift,
                len,
                live,
                d,
            })
        });
    }

    fn array_new(&mut self, ty: u32) {
        if self.const_at(1) != Some(0) {
            return self.bulk(BulkOp::New, ty, 0, 2);
        }
        let live = self.live();
        let len = self.pop_slot();
        self.pop_entry();
        self.new_array(ty, len, live);
    }

    fn struct_get(&mut self, ty: u32, field: u32, extension: Extension) {
        let kind = self.stored_kind(ty, field);
        let FieldLayout { offset, storage } = self.field(ty, field);
        let a = self.pop_variable();
        let get = |op| move |d| Inst::Object(ObjectInst::Get { op, a, offset, d });
        match (kind, load(storage, extension)) {
            (Kind::Int, Some(op)) => self.emit_int(get(op)),
            (_, Some(op)) => self.emit_to_slot(kind, |d| get(op)(Dst::Slot(d))),
            (_, None) => self.emit_to_slot(kind, |d| {
                Inst::Object(ObjectInst::GetVector { a, offset, d })
            }),
        }
    }

    fn struct_set(&mut self, ty: u32, field: u32) {
        let FieldLayout { offset, storage } = self.field(ty, field);
        let inst = match store(storage) {
            Some(op) => {
                self.no_const(1);
                let v = self.pop_bits();
                let a = self.pop();
                ObjectInst::Set { op, a, offset, v }
            }
            None => {
                self.no_const(1);
                let v = self.pop_slot();
                let a = self.pop();
                ObjectInst::SetVector { a, offset, v }
            }
        };
        self.emit(Inst::Object(inst));
    }

    fn array_get(&mut self, ty: u32, extension: Extension) {
        let kind = self.stored_kind(ty, 0);
        let storage = self.array_layout(ty).element;
        let Some(op) = load(storage, extension) else {
            let b = self.pop_slot();
            let a = self.pop_slot();
            return self.emit_to_slot(kind, |d| {
                Inst::Object(ObjectInst::ArrayGetVector { a, b, d })
            });
        };
        self.no_const(0);
        self.no_const(1);
        let b = self.pop();
        let a = self.pop();
        let get = |d| Inst::Object(ObjectInst::ArrayGet { op, a, b, d });
        match kind {
            Kind::Int => self.emit_int(get),
            Kind::Float | Kind::Vector => self.emit_to_slot(kind, |d| get(Dst::Slot(d))),
        }
    }

    fn array_set(&mut self, ty: u32) {
        let inst = match store(self.array_layout(ty).element) {
            Some(op) => {
                self.no_const(1);
                self.no_const(2);
                let v = self.pop_bits();
                let b = self.pop();
                let a = self.pop();
                ObjectInst::ArraySet { op, a, b, v }
            }
            None => {
                let v = self.pop_slot();
                let b = self.pop_slot();
                let a = self.pop_slot();
                ObjectInst::ArraySetVector { a, b, v }
            }
        };
        self.emit(Inst::Object(inst));
    }

    /// An instruction over consecutive slots.
    fn bulk(&mut self, op: BulkOp, ty: u32, y: u32, operands: usize) {
        let from = self.stack.len() - operands;
        for at in from..self.stack.len() {
            self.materialise(at);
        }
        let live = self.live();
        let first = self.stack[from].slot as u16;
        self.truncate(from);
        let x = self.type_id(ty).as_u32();
        self.emit(Inst::Object(ObjectInst::Bulk {
            op,
            first,
            live,
            x,
            y,
        }));
        if matches!(op, BulkOp::New | BulkOp::NewData | BulkOp::NewElem) {
            self.push_in_slot(Kind::Int);
        }
    }

    fn i31_get(&mut self, signed: bool) {
        let a = self.pop_variable();
        self.emit_int(|d| Inst::Object(ObjectInst::I31Get { signed, a, d }));
    }

    /// What to test references other than null for.
    fn type_test(&self, heap: wasmparser::HeapType) -> (TypeTest, u32, u32) {
        let heap = HeapType::try_from(heap).expect("validated: a type of version 3.0");
        let test = match heap {
            HeapType::Any | HeapType::Extern | HeapType::Func | HeapType::Exn => TypeTest::Always,
            HeapType::None | HeapType::NoExtern | HeapType::NoFunc | HeapType::NoExn => {
                TypeTest::Never
            }
            HeapType::Eq => TypeTest::Eq,
            HeapType::I31 => TypeTest::I31,
            HeapType::Struct => return (TypeTest::Kind, ObjectKind::Struct as u32, 0),
            HeapType::Array => return (TypeTest::Kind, ObjectKind::Array as u32, 0),
            HeapType::Concrete(ty) => {
                let id = self.code.type_ids[ty.index()];
                let definition = &self.module.types()[ty.index()];
                let kind = match definition.composite {
                    CompositeType::Func(_) => return (TypeTest::Func, id.as_u32(), 0),
                    CompositeType::Struct(_) => ObjectKind::Struct,
                    CompositeType::Array(_) => ObjectKind::Array,
                };
                if definition.is_final {
                    return (TypeTest::Exact, header(id, kind), 0);
                }
                return match display_offset(self.code.registry.depth(id)) {
                    Some(offset) => (TypeTest::Sub, header(id, kind), offset),
                    None => (TypeTest::Deep, id.as_u32(), 0),
                };
            }
        };
        (test, 0, 0)
    }

    fn ref_test(&mut self, heap: wasmparser::HeapType, null: bool) {
        let (op, x, y) = self.type_test(heap);
        let a = self.pop_variable();
        self.emit_int(|d| {
            Inst::Object(ObjectInst::Test {
                op,
                null,
                x,
                y,
                a,
                d,
            })
        });
    }

    fn ref_cast(&mut self, heap: wasmparser::HeapType, null: bool) {
        let (op, x, y) = self.type_test(heap);
        if op == TypeTest::Always && null {
            return;
        }
        let a = self.pop_variable();
        self.emit_int(|d| {
            Inst::Object(ObjectInst::Cast {
                op,
                null,
                x,
                y,
                a,
                d,
            })
        });
    }

    /// `br_on_cast` and, if not `when`, `br_on_cast_fail`.
    fn br_on_cast(&mut self, depth: u32, to: wasmparser::RefType, when: bool) {
        let RefType { nullable, .. } = RefType::try_from(to).expect("validated: of version 3.0");
        let (op, x, y) = self.type_test(to.heap_type());
        // The operands go to their slots before, for both ways.
        self.materialise_for(depth);
        self.spill_acc();
        let a = self.slot_source(self.stack.len() - 1);
        self.emit(Inst::Object(ObjectInst::Test {
            op,
            null: nullable,
            x,
            y,
            a,
            d: Dst::Acc,
        }));
        self.branch_on_acc(when, depth);
    }
}

/// Sets a field of the new object in the accumulator.
fn init(field: FieldLayout, v: Src, d: Dst) -> Inst {
    let FieldLayout { offset, storage } = field;
    Inst::Object(match store(storage) {
        Some(op) => ObjectInst::Init { op, v, offset, d },
        None => ObjectInst::InitVector {
            v: v.slot(),
            offset,
            d,
        },
    })
}

/// How what is stored so is read; `None` for a vector.
fn load(storage: Storage, extension: Extension) -> Option<ObjectLoad> {
    Some(match (storage, extension) {
        (Storage::I8, Signed) => ObjectLoad::Get8S,
        (Storage::I8, Unsigned) => ObjectLoad::Get8U,
        (Storage::I16, Signed) => ObjectLoad::Get16S,
        (Storage::I16, Unsigned) => ObjectLoad::Get16U,
        (Storage::Word | Storage::Ref, _) => ObjectLoad::Get32,
        (Storage::Double | Storage::FuncRef, _) => ObjectLoad::Get64,
        (Storage::Vector, _) => return None,
    })
}

/// How what is stored so is written; `None` for a vector.
fn store(storage: Storage) -> Option<ObjectStore> {
    Some(match storage {
        Storage::I8 => ObjectStore::Set8,
        Storage::I16 => ObjectStore::Set16,
        Storage::Word | Storage::Ref => ObjectStore::Set32,
        Storage::Double | Storage::FuncRef => ObjectStore::Set64,
        Storage::Vector => return None,
    })
}
