//! Casts and tests of references.
//!
//! A reference's own bits tell null, i31 and values of the host; an object's
//! header has its exact type, a function's reference too. Supertypes are looked
//! up in a table by type, or by the runtime.

use super::FuncTranslator;
use super::env::Region;
use crate::libcall::LibCall;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I32, I64};
use cranelift_codegen::ir::{self, BlockArg, InstBuilder, MemFlagsData};
use rwasm_parser::{CompositeType, HeapType};
use rwasm_runtime::gc::layout::DISPLAY;
use rwasm_runtime::gc::object::{KIND_MASK, TAG_MASK, TYPE_SHIFT};
use rwasm_runtime::gc::{GcCtx, ObjectKind, TypeInfo};
use rwasm_runtime::layout::{FuncRef, StoreCtx};
use rwasm_runtime::trap::Trap;
use std::mem::offset_of;

/// What a reference other than null is tested for.
#[derive(Clone, Copy)]
enum TypeTest {
    /// Nothing: the top of the hierarchy.
    Always,
    /// The bottom of the hierarchy.
    Never,
    /// `eq`: an i31 or an object.
    Eq,
    I31,
    /// `struct` or `array`.
    Kind(ObjectKind),
    /// A struct or array type of the module.
    Object(u32),
    /// A function type of the module.
    Func(u32),
}

impl FuncTranslator<'_> {
    fn type_test(&self, heap: wasmparser::HeapType) -> TypeTest {
        match HeapType::try_from(heap).expect("validated: a type of version 3.0") {
            HeapType::Any | HeapType::Extern | HeapType::Func | HeapType::Exn => TypeTest::Always,
            HeapType::None | HeapType::NoExtern | HeapType::NoFunc | HeapType::NoExn => {
                TypeTest::Never
            }
            HeapType::Eq => TypeTest::Eq,
            HeapType::I31 => TypeTest::I31,
            HeapType::Struct => TypeTest::Kind(ObjectKind::Struct),
            HeapType::Array => TypeTest::Kind(ObjectKind::Array),
            HeapType::Concrete(ty) if super::is_func_type(self.module, ty) => {
                TypeTest::Func(ty.as_u32())
            }
            HeapType::Concrete(ty) => TypeTest::Object(ty.as_u32()),
        }
    }

    pub(super) fn ref_test(&mut self, heap: wasmparser::HeapType, nullable: bool) {
        let reference = self.pop();
        let holds = self.test(reference, self.type_test(heap), nullable);
        self.push(holds);
    }

    pub(super) fn ref_cast(&mut self, heap: wasmparser::HeapType, nullable: bool) {
        let test = self.type_test(heap);
        if matches!(test, TypeTest::Always) && nullable {
            return;
        }
        let reference = self.pop();
        let holds = self.test(reference, test, nullable);
        self.trap_if_zero(holds, Trap::CastFailure);
        self.push(reference);
    }

    /// `br_on_cast` and, if not `when`, `br_on_cast_fail`.
    pub(super) fn br_on_cast(&mut self, depth: u32, to: wasmparser::RefType, when: bool) {
        let reference = self.stack[self.stack.len() - 1];
        let test = self.type_test(to.heap_type());
        let holds = self.test(reference, test, to.is_nullable());
        self.br_on(holds, depth, when);
    }

    /// Whether a reference is of a type: an `i8`.
    fn test(&mut self, reference: ir::Value, test: TypeTest, nullable: bool) -> ir::Value {
        match test {
            TypeTest::Always if nullable => self.b.ins().iconst(I8, 1),
            TypeTest::Always => self.b.ins().icmp_imm_s(IntCC::NotEqual, reference, 0),
            TypeTest::Never if nullable => self.b.ins().icmp_imm_s(IntCC::Equal, reference, 0),
            TypeTest::Never => self.b.ins().iconst(I8, 0),
            TypeTest::I31 => {
                let bit = self.b.ins().ireduce(I8, reference);
                let bit = self.b.ins().band_imm_u(bit, 1);
                if nullable {
                    let null = self.b.ins().icmp_imm_s(IntCC::Equal, reference, 0);
                    self.b.ins().bor(bit, null)
                } else {
                    bit
                }
            }
            TypeTest::Eq => {
                // All but references to values of the host.
                let tag = self.b.ins().band_imm_u(reference, i64::from(TAG_MASK));
                let host = rwasm_runtime::reference::HOST_TAG;
                let eq = self
                    .b
                    .ins()
                    .icmp_imm_u(IntCC::NotEqual, tag, i64::from(host));
                if nullable {
                    eq
                } else {
                    let value = self.b.ins().icmp_imm_s(IntCC::NotEqual, reference, 0);
                    self.b.ins().band(eq, value)
                }
            }
            TypeTest::Kind(_) | TypeTest::Object(_) | TypeTest::Func(_) => {
                self.test_pointee(reference, test, nullable)
            }
        }
    }

    /// Tests that look at what a reference leads to.
    fn test_pointee(&mut self, reference: ir::Value, test: TypeTest, nullable: bool) -> ir::Value {
        let done = self.b.create_block();
        let holds = self.b.append_block_param(done, I8);
        let look = self.b.create_block();
        let null = self.b.ins().iconst(I8, i64::from(nullable));
        self.b
            .ins()
            .brif(reference, look, &[], done, &[BlockArg::Value(null)]);
        self.b.seal_block(look);
        self.b.switch_to_block(look);
        let result = match test {
            TypeTest::Func(ty) => self.is_func_of(reference, ty, done),
            _ => {
                let object = self.b.create_block();
                let tag = self.b.ins().band_imm_u(reference, i64::from(TAG_MASK));
                let no = self.b.ins().iconst(I8, 0);
                self.b
                    .ins()
                    .brif(tag, done, &[BlockArg::Value(no)], object, &[]);
                self.b.seal_block(object);
                self.b.switch_to_block(object);
                let address = self.object_address(reference);
                // Never written again as long as the object is referred to.
                let flags = self.object_flags();
                let header = self.load_slot(I32, flags, address, 0);
                match test {
                    TypeTest::Kind(kind) => {
                        let actual = self.b.ins().band_imm_u(header, i64::from(KIND_MASK));
                        let kind = kind as u32 as i64;
                        self.b.ins().icmp_imm_u(IntCC::Equal, actual, kind)
                    }
                    TypeTest::Object(ty) => self.is_object_of(header, ty, done),
                    _ => unreachable!("all others need no look"),
                }
            }
        };
        self.b.ins().jump(done, &[BlockArg::Value(result)]);
        self.b.seal_block(done);
        self.b.switch_to_block(done);
        holds
    }

    /// Whether an object with that header is of a type. May go on to `done` with
    /// the answer.
    fn is_object_of(&mut self, header: ir::Value, ty: u32, done: ir::Block) -> ir::Value {
        let definition = &self.module.types()[ty as usize];
        let kind = match definition.composite {
            CompositeType::Array(_) => ObjectKind::Array,
            _ => ObjectKind::Struct,
        };
        let expected = self.header(ty, kind);
        let equal = self.b.ins().icmp(IntCC::Equal, header, expected);
        if definition.is_final {
            return equal;
        }
        self.go_on_unless(equal, done);
        let id = self.type_id(ty);
        let depth = self.code.registry.depth(self.code.type_ids[ty as usize]);
        let actual = self.b.ins().ushr_imm_u(header, i64::from(TYPE_SHIFT));
        if depth >= DISPLAY {
            let holds = self.libcall(LibCall::IsSubtype, &[actual, id])[0];
            return self.b.ins().ireduce(I8, holds);
        }
        let store = self.store_ctx();
        let flags = self.flags(Region::Store);
        let types = offset_of!(StoreCtx, gc) + offset_of!(GcCtx, types);
        let types = self.load_slot(I64, flags, store, types as u32);
        let actual = self.b.ins().uextend(I64, actual);
        let offset = self
            .b
            .ins()
            .imul_imm_s(actual, size_of::<TypeInfo>() as i64);
        let info = self.b.ins().iadd(types, offset);
        let ancestor = offset_of!(TypeInfo, display) + depth * size_of::<u32>();
        // Written before any object of the type was made.
        let flags = MemFlagsData::trusted().with_readonly();
        let ancestor = self.load_slot(I32, flags, info, ancestor as u32);
        self.b.ins().icmp(IntCC::Equal, ancestor, id)
    }

    /// Whether a function is of a type. May go on to `done` with the answer.
    fn is_func_of(&mut self, reference: ir::Value, ty: u32, done: ir::Block) -> ir::Value {
        let actual = self.load_func_field(I32, reference, offset_of!(FuncRef, ty), None);
        let expected = self.type_id(ty);
        let equal = self.b.ins().icmp(IntCC::Equal, actual, expected);
        if self.module.types()[ty as usize].is_final {
            return equal;
        }
        self.go_on_unless(equal, done);
        let holds = self.libcall(LibCall::IsSubtype, &[actual, expected])[0];
        self.b.ins().ireduce(I8, holds)
    }

    /// Goes to `done` with the answer 1 if a condition holds.
    fn go_on_unless(&mut self, condition: ir::Value, done: ir::Block) {
        let otherwise = self.b.create_block();
        self.b.ins().brif(
            condition,
            done,
            &[BlockArg::Value(condition)],
            otherwise,
            &[],
        );
        self.b.seal_block(otherwise);
        self.b.switch_to_block(otherwise);
    }
}
