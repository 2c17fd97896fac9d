//! Atomic accesses, waiting and notifying.
//!
//! An address that is not a multiple of the access's size traps, also where the
//! access would be out of bounds, as in the reference interpreter.

use super::FuncTranslator;
use super::memory::Place;
use crate::libcall::LibCall;
use crate::trap_code::trap_code;
use cranelift_codegen::ir::types::{I8, I16, I32, I64};
use cranelift_codegen::ir::{self, AtomicRmwOp, InstBuilder};
use rwasm_runtime::trap::Trap;
use wasmparser::{MemArg, MemArgTarget, Operator};

/// What an atomic access does.
#[derive(Clone, Copy)]
enum Access {
    Load,
    Store,
    Modify(AtomicRmwOp),
    CompareExchange,
}

macro_rules! accesses {
    ($($access:expr => { $($operator:ident: $memory:ident as $ty:ident,)* })*) => {
        /// What an operator does, the type it has in memory, and that on the
        /// operand stack.
        fn access<'a>(operator: &'a Operator<'_>) -> Option<(Access, ir::Type, ir::Type, &'a MemArg)> {
            use Access::*;
            use AtomicRmwOp::*;
            Some(match operator {
                $($(Operator::$operator { memarg } => ($access, $memory, $ty, memarg),)*)*
                _ => return None,
            })
        }
    };
}

accesses! {
    Load => {
        I32AtomicLoad: I32 as I32, I32AtomicLoad8U: I8 as I32, I32AtomicLoad16U: I16 as I32,
        I64AtomicLoad: I64 as I64, I64AtomicLoad8U: I8 as I64, I64AtomicLoad16U: I16 as I64,
        I64AtomicLoad32U: I32 as I64,
    }
    Store => {
        I32AtomicStore: I32 as I32, I32AtomicStore8: I8 as I32, I32AtomicStore16: I16 as I32,
        I64AtomicStore: I64 as I64, I64AtomicStore8: I8 as I64, I64AtomicStore16: I16 as I64,
        I64AtomicStore32: I32 as I64,
    }
    Modify(Add) => {
        I32AtomicRmwAdd: I32 as I32, I32AtomicRmw8AddU: I8 as I32, I32AtomicRmw16AddU: I16 as I32,
        I64AtomicRmwAdd: I64 as I64, I64AtomicRmw8AddU: I8 as I64, I64AtomicRmw16AddU: I16 as I64,
        I64AtomicRmw32AddU: I32 as I64,
    }
    Modify(Sub) => {
        I32AtomicRmwSub: I32 as I32, I32AtomicRmw8SubU: I8 as I32, I32AtomicRmw16SubU: I16 as I32,
        I64AtomicRmwSub: I64 as I64, I64AtomicRmw8SubU: I8 as I64, I64AtomicRmw16SubU: I16 as I64,
        I64AtomicRmw32SubU: I32 as I64,
    }
    Modify(And) => {
        I32AtomicRmwAnd: I32 as I32, I32AtomicRmw8AndU: I8 as I32, I32AtomicRmw16AndU: I16 as I32,
        I64AtomicRmwAnd: I64 as I64, I64AtomicRmw8AndU: I8 as I64, I64AtomicRmw16AndU: I16 as I64,
        I64AtomicRmw32AndU: I32 as I64,
    }
    Modify(Or) => {
        I32AtomicRmwOr: I32 as I32, I32AtomicRmw8OrU: I8 as I32, I32AtomicRmw16OrU: I16 as I32,
        I64AtomicRmwOr: I64 as I64, I64AtomicRmw8OrU: I8 as I64, I64AtomicRmw16OrU: I16 as I64,
        I64AtomicRmw32OrU: I32 as I64,
    }
    Modify(Xor) => {
        I32AtomicRmwXor: I32 as I32, I32AtomicRmw8XorU: I8 as I32, I32AtomicRmw16XorU: I16 as I32,
        I64AtomicRmwXor: I64 as I64, I64AtomicRmw8XorU: I8 as I64, I64AtomicRmw16XorU: I16 as I64,
        I64AtomicRmw32XorU: I32 as I64,
    }
    Modify(Xchg) => {
        I32AtomicRmwXchg: I32 as I32, I32AtomicRmw8XchgU: I8 as I32, I32AtomicRmw16XchgU: I16 as I32,
        I64AtomicRmwXchg: I64 as I64, I64AtomicRmw8XchgU: I8 as I64, I64AtomicRmw16XchgU: I16 as I64,
        I64AtomicRmw32XchgU: I32 as I64,
    }
    CompareExchange => {
        I32AtomicRmwCmpxchg: I32 as I32, I32AtomicRmw8CmpxchgU: I8 as I32,
        I32AtomicRmw16CmpxchgU: I16 as I32,
        I64AtomicRmwCmpxchg: I64 as I64, I64AtomicRmw8CmpxchgU: I8 as I64,
        I64AtomicRmw16CmpxchgU: I16 as I64, I64AtomicRmw32CmpxchgU: I32 as I64,
    }
}

impl FuncTranslator<'_> {
    /// Translates an atomic instruction; returns whether it is one.
    pub(super) fn atomic(&mut self, operator: &Operator<'_>) -> bool {
        match *operator {
            Operator::AtomicFence { .. } => {
                self.b.ins().fence();
            }
            Operator::MemoryAtomicWait32 { memarg } => self.wait(LibCall::AtomicWait32, &memarg),
            Operator::MemoryAtomicWait64 { memarg } => self.wait(LibCall::AtomicWait64, &memarg),
            Operator::MemoryAtomicNotify { memarg } => self.notify(&memarg),
            _ => match access(operator) {
                Some((access, memory, ty, memarg)) => {
                    self.atomic_access(access, memory, ty, memarg);
                }
                None => return false,
            },
        }
        true
    }

    fn atomic_access(&mut self, access: Access, memory: ir::Type, ty: ir::Type, memarg: &MemArg) {
        match access {
            Access::Load => {
                let (address, flags) = self.atomic_place(memarg, memory);
                let value = self.b.ins().atomic_load(memory, flags, address);
                self.push_widened(value, ty);
            }
            Access::Store => {
                let value = self.pop_narrowed(memory);
                let (address, flags) = self.atomic_place(memarg, memory);
                self.b.ins().atomic_store(flags, value, address);
            }
            Access::Modify(op) => {
                let value = self.pop_narrowed(memory);
                let (address, flags) = self.atomic_place(memarg, memory);
                let old = self.b.ins().atomic_rmw(memory, flags, op, address, value);
                self.push_widened(old, ty);
            }
            Access::CompareExchange => {
                let new = self.pop_narrowed(memory);
                // What is expected is wrapped to the width.
                let expected = self.pop_narrowed(memory);
                let (address, flags) = self.atomic_place(memarg, memory);
                let old = self.b.ins().atomic_cas(flags, address, expected, new);
                self.push_widened(old, ty);
            }
        }
    }

    /// Pops an integer and takes its low bits.
    fn pop_narrowed(&mut self, memory: ir::Type) -> ir::Value {
        let value = self.pop();
        if self.type_of(value) == memory {
            value
        } else {
            self.b.ins().ireduce(memory, value)
        }
    }

    fn push_widened(&mut self, value: ir::Value, ty: ir::Type) {
        let value = if self.type_of(value) == ty {
            value
        } else {
            self.b.ins().uextend(ty, value)
        };
        self.push(value);
    }

    /// The address of an atomic access; pops the index.
    fn atomic_place(&mut self, memarg: &MemArg, memory: ir::Type) -> (ir::Value, ir::MemFlagsData) {
        let size = memory.bytes();
        if size > 1 {
            // The low bits are right even where the sum wraps.
            let index = self.pop();
            let low = self
                .b
                .ins()
                .iadd_imm_s(index, (memarg.offset & u64::from(size - 1)) as i64);
            let misaligned = self.b.ins().band_imm_s(low, i64::from(size - 1));
            self.b
                .ins()
                .trapnz(misaligned, trap_code(Trap::UnalignedAtomic));
            self.push(index);
        }
        let Place {
            address,
            offset,
            flags,
        } = self.place(memarg, size);
        (self.b.ins().iadd_imm_s(address, i64::from(offset)), flags)
    }

    /// `memory.atomic.wait32` and `memory.atomic.wait64`.
    fn wait(&mut self, libcall: LibCall, memarg: &MemArg) {
        let (expected, timeout) = self.pop2();
        let (memory, address, offset) = self.runtime_place(memarg);
        let args = [memory, address, offset, expected, timeout];
        let result = self.libcall(libcall, &args);
        let result = self.b.ins().ireduce(I32, result[0]);
        self.push(result);
    }

    /// `memory.atomic.notify`.
    fn notify(&mut self, memarg: &MemArg) {
        let count = self.pop();
        let (memory, address, offset) = self.runtime_place(memarg);
        let result = self.libcall(LibCall::AtomicNotify, &[memory, address, offset, count]);
        let result = self.b.ins().ireduce(I32, result[0]);
        self.push(result);
    }

    /// A place in a memory, as the runtime takes it.
    fn runtime_place(&mut self, memarg: &MemArg) -> (ir::Value, ir::Value, ir::Value) {
        let MemArgTarget::Memory(memory) = memarg.target else {
            unreachable!("validated: not an access to an array")
        };
        let index64 = self.module.memories()[memory as usize].index64;
        let address = self.pop_index(index64);
        let memory = self.immediate(memory);
        let offset = self.b.ins().iconst(I64, memarg.offset as i64);
        (memory, address, offset)
    }
}
