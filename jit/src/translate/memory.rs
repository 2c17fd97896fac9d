//! Linear memories: addresses, loads and stores, and the bulk instructions.
//!
//! A guarded memory needs no check: base, 32-bit index and a small offset reach
//! only what is mapped for it, and what is outside its length faults. For all
//! others, and for large offsets, the address is compared with the length.

use super::env::{Region, displacement, fixed};
use super::{FuncTranslator, VECTOR};
use crate::libcall::LibCall;
use crate::trap_code::trap_code;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    self, Endianness, InstBuilder, InstructionData, MemFlagsData, Opcode, types,
};
use rwasm_parser::MemoryType;
use rwasm_runtime::layout::{MemoryDef, VmCtx};
use rwasm_runtime::trap::Trap;
use rwasm_runtime::tunables::MEMORY_GUARD;
use std::mem::offset_of;
use wasmparser::{MemArg, MemArgTarget};

/// The widest access in bytes, bulk instructions without a call included.
pub(super) const WIDEST: u64 = 64;

/// A place in a memory that an instruction may access.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) address: ir::Value,
    pub(super) offset: i32,
    pub(super) flags: MemFlagsData,
}

impl FuncTranslator<'_> {
    /// The place that an access of `size` bytes is to; pops the index. It may
    /// still trap when it is accessed.
    pub(super) fn place(&mut self, memarg: &MemArg, size: u32) -> Place {
        let MemArgTarget::Memory(memory) = memarg.target else {
            unreachable!("validated: not an access to an array")
        };
        let index = self.pop();
        self.place_at(memory, index, memarg.offset, size)
    }

    /// The place that an access of `size` bytes, at most [`WIDEST`], at
    /// `index + offset` is to.
    pub(super) fn place_at(
        &mut self,
        memory: u32,
        index: ir::Value,
        offset: u64,
        size: u32,
    ) -> Place {
        let ty = self.module.memories()[memory as usize];
        let flags = self.memory_flags(memory);
        let guarded = self.code.memory_is_guarded(memory);
        if guarded && offset <= MEMORY_GUARD as u64 - WIDEST {
            let base = self.memory_base(memory);
            let index = self.zero_extend(index);
            return Place {
                address: self.b.ins().iadd(base, index),
                offset: displacement(offset as u32),
                flags,
            };
        }
        let address = self.checked_address(memory, &ty, index, offset, size);
        Place {
            address,
            offset: 0,
            flags,
        }
    }

    /// The address of `size` bytes at `index + offset`, after a check that they
    /// are inside the memory.
    fn checked_address(
        &mut self,
        memory: u32,
        ty: &MemoryType,
        index: ir::Value,
        offset: u64,
        size: u32,
    ) -> ir::Value {
        let oob = trap_code(Trap::MemoryOutOfBounds);
        let index = self.index_to_64(ty.index64, index);
        // The end of the access; where it does not fit, it is outside too.
        let end = match offset.checked_add(size.into()) {
            Some(reach) if ty.index64 => {
                let reach = self.b.ins().iconst(types::I64, reach as i64);
                self.b.ins().uadd_overflow_trap(index, reach, oob)
            }
            Some(reach) => self.b.ins().iadd_imm_s(index, reach as i64),
            None => self.b.ins().iconst(types::I64, -1),
        };
        let len = self.memory_len(memory);
        let outside = self.b.ins().icmp(IntCC::UnsignedGreaterThan, end, len);
        self.b.ins().trapnz(outside, oob);
        let base = self.memory_base(memory);
        let address = self.b.ins().iadd(base, index);
        let address = self.b.ins().iadd_imm_s(address, offset as i64);
        // A processor that goes on as if the check had passed reads null.
        let null = self.b.ins().iconst(types::I64, 0);
        self.b.ins().select_spectre_guard(outside, null, address)
    }

    /// How the bytes of a memory are accessed.
    pub(super) fn memory_flags(&mut self, memory: u32) -> MemFlagsData {
        let region = match memory.checked_sub(self.module.num_imported_memories()) {
            Some(own) => Region::Memory(own),
            None => Region::ImportedMemory,
        };
        let flags = self.flags(region);
        // Not aligned, and not `notrap`.
        MemFlagsData::new()
            .with_endianness(Endianness::Little)
            .with_trap_code(Some(trap_code(Trap::MemoryOutOfBounds)))
            .with_alias_region(flags.alias_region())
    }

    fn memory_def(&mut self, memory: u32) -> ir::Value {
        self.load_vmctx(self.code.offsets.memory(memory))
    }

    /// The address of a memory's first byte.
    pub(super) fn memory_base(&mut self, memory: u32) -> ir::Value {
        let guarded = self.code.memory_is_guarded(memory);
        if memory == 0 && guarded {
            return self.load_vmctx(offset_of!(VmCtx, memory0_base) as u32);
        }
        let def = self.memory_def(memory);
        let never_moves = guarded || self.module.memories()[memory as usize].shared;
        let flags = if never_moves {
            fixed()
        } else {
            self.flags(Region::MemoryDef)
        };
        let offset = displacement(offset_of!(MemoryDef, base) as u32);
        self.b.ins().load(types::I64, flags, def, offset)
    }

    /// The length of a memory in bytes. That of a shared one may be an old one,
    /// which is smaller.
    pub(super) fn memory_len(&mut self, memory: u32) -> ir::Value {
        let def = self.memory_def(memory);
        let flags = self.flags(Region::MemoryDef);
        let offset = displacement(offset_of!(MemoryDef, len) as u32);
        self.b.ins().load(types::I64, flags, def, offset)
    }

    /// Loads a value of type `ty`.
    pub(super) fn load(&mut self, ty: ir::Type, memarg: &MemArg) {
        let at = self.place(memarg, ty.bytes());
        let value = self.b.ins().load(ty, at.flags, at.address, at.offset);
        self.push(value);
    }

    /// Loads an integer that has fewer bits in memory than on the stack.
    pub(super) fn load_extended(
        &mut self,
        memory: ir::Type,
        signed: bool,
        ty: ir::Type,
        memarg: &MemArg,
    ) {
        let at = self.place(memarg, memory.bytes());
        let (flags, address, offset) = (at.flags, at.address, at.offset);
        let ins = self.b.ins();
        let value = match (memory, signed) {
            (types::I8, false) => ins.uload8(ty, flags, address, offset),
            (types::I8, true) => ins.sload8(ty, flags, address, offset),
            (types::I16, false) => ins.uload16(ty, flags, address, offset),
            (types::I16, true) => ins.sload16(ty, flags, address, offset),
            (_, false) => ins.uload32(flags, address, offset),
            (_, true) => ins.sload32(flags, address, offset),
        };
        self.push(value);
    }

    /// Stores a number whole.
    pub(super) fn store(&mut self, memarg: &MemArg) {
        let value = self.pop();
        let at = self.place(memarg, self.type_of(value).bytes());
        self.b.ins().store(at.flags, value, at.address, at.offset);
    }

    /// Stores the low bits of an integer.
    pub(super) fn store_low(&mut self, memory: ir::Type, memarg: &MemArg) {
        let value = self.pop();
        let at = self.place(memarg, memory.bytes());
        let (flags, address, offset) = (at.flags, at.address, at.offset);
        let ins = self.b.ins();
        match memory {
            types::I8 => ins.istore8(flags, value, address, offset),
            types::I16 => ins.istore16(flags, value, address, offset),
            _ => ins.istore32(flags, value, address, offset),
        };
    }

    /// Stores a vector, in whatever lanes it has.
    pub(super) fn store_vector(&mut self, memarg: &MemArg) {
        let value = self.pop_raw();
        let at = self.place(memarg, VECTOR.bytes());
        self.b.ins().store(at.flags, value, at.address, at.offset);
    }

    /// `memory.size`.
    pub(super) fn memory_size(&mut self, memory: u32) {
        let ty = self.module.memories()[memory as usize];
        let len = self.memory_len(memory);
        let pages = self.b.ins().ushr_imm_u(len, i64::from(ty.page_size_log2));
        self.push_from_64(ty.index64, pages);
    }

    /// `memory.grow`.
    pub(super) fn memory_grow(&mut self, memory: u32) {
        let ty = self.module.memories()[memory as usize];
        let delta = self.pop();
        let delta = self.index_to_64(ty.index64, delta);
        let memory = self.immediate(memory);
        let old = self.libcall(LibCall::MemoryGrow, &[memory, delta]);
        self.push_from_64(ty.index64, old[0]);
    }

    /// `memory.init`.
    pub(super) fn memory_init(&mut self, memory: u32, segment: u32) {
        let index64 = self.module.memories()[memory as usize].index64;
        let len = self.pop_index(false);
        let src = self.pop_index(false);
        let dst = self.pop_index(index64);
        let (memory, segment) = (self.immediate(memory), self.immediate(segment));
        self.libcall(LibCall::MemoryInit, &[memory, segment, dst, src, len]);
    }

    /// `data.drop`.
    pub(super) fn data_drop(&mut self, segment: u32) {
        let segment = self.immediate(segment);
        self.libcall(LibCall::DataDrop, &[segment]);
    }

    /// An index that an instruction holds, as an argument of a libcall.
    pub(super) fn immediate(&mut self, index: u32) -> ir::Value {
        self.b.ins().iconst(types::I32, i64::from(index))
    }

    /// Pops an index or length of a memory or table as 64 bits.
    pub(super) fn pop_index(&mut self, index64: bool) -> ir::Value {
        let index = self.pop();
        self.index_to_64(index64, index)
    }

    pub(super) fn index_to_64(&mut self, index64: bool, index: ir::Value) -> ir::Value {
        if index64 {
            index
        } else {
            self.zero_extend(index)
        }
    }

    /// An index of 32 bits as 64. That of a loaded one, as pointers mostly are,
    /// costs nothing: the load is made to extend it, where Cranelift would add an
    /// instruction.
    fn zero_extend(&mut self, index: ir::Value) -> ir::Value {
        let func = &mut *self.b.func;
        let index = func.dfg.resolve_aliases(index);
        if let Some(inst) = func.dfg.value_def(index).inst() {
            match func.dfg.insts[inst] {
                InstructionData::Load {
                    opcode: opcode @ (Opcode::Load | Opcode::Uload8 | Opcode::Uload16),
                    flags,
                    arg,
                    offset,
                } => {
                    let flags = func.dfg.mem_flags[flags];
                    // Loads of constants are shared as they are.
                    if func.dfg.value_type(index) == types::I32 && !flags.readonly() {
                        let srcloc = func.srcloc(inst);
                        let mut cursor = FuncCursor::new(func).at_inst(inst).with_srcloc(srcloc);
                        let wide = match opcode {
                            Opcode::Uload8 => cursor.ins().uload8(types::I64, flags, arg, offset),
                            Opcode::Uload16 => cursor.ins().uload16(types::I64, flags, arg, offset),
                            _ => cursor.ins().uload32(flags, arg, offset),
                        };
                        func.replace(inst).ireduce(types::I32, wide);
                        return wide;
                    }
                }
                InstructionData::Unary {
                    opcode: Opcode::Ireduce,
                    arg,
                } => {
                    let wide = func.dfg.value_def(arg).inst();
                    let opcode = wide.map(|wide| func.dfg.insts[wide].opcode());
                    if matches!(
                        opcode,
                        Some(Opcode::Uload32 | Opcode::Uload16 | Opcode::Uload8)
                    ) {
                        return arg;
                    }
                }
                _ => {}
            }
        }
        self.b.ins().uextend(types::I64, index)
    }

    /// Pushes a 64-bit number in the index type of a memory or table.
    pub(super) fn push_from_64(&mut self, index64: bool, value: ir::Value) {
        let value = if index64 {
            value
        } else {
            self.b.ins().ireduce(types::I32, value)
        };
        self.push(value);
    }
}
