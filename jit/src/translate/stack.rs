//! The operand stack.
//!
//! A value on it may have another type than WebAssembly gives it, to save
//! instructions: a comparison's result stays an `i8` until an `i32` is needed,
//! and a vector has the lanes that the last instruction gave it. Who pops says
//! what it needs; where control flow meets all values have their own types.

use super::{FuncTranslator, VECTOR};
use cranelift_codegen::ir::{self, BlockArg, Endianness, InstBuilder, MemFlagsData, types};
use smallvec::SmallVec;

impl FuncTranslator<'_> {
    pub(super) fn push(&mut self, value: ir::Value) {
        self.stack.push(value);
    }

    /// Pops a number or reference, in the type that WebAssembly gives it.
    pub(super) fn pop(&mut self) -> ir::Value {
        let value = self.pop_raw();
        self.plain(value)
    }

    /// Pops two operands, the second from the top first.
    pub(super) fn pop2(&mut self) -> (ir::Value, ir::Value) {
        let second = self.pop();
        (self.pop(), second)
    }

    /// Pops a condition: any integer that is zero or not.
    pub(super) fn pop_condition(&mut self) -> ir::Value {
        self.pop_raw()
    }

    /// Pops an operand in whatever type it has.
    pub(super) fn pop_raw(&mut self) -> ir::Value {
        self.stack.pop().expect("validated: an operand")
    }

    /// Pops a vector with the lanes of `ty`.
    pub(super) fn pop_vector(&mut self, ty: ir::Type) -> ir::Value {
        let value = self.pop_raw();
        self.as_lanes(value, ty)
    }

    /// A vector with the lanes of `ty`.
    pub(super) fn as_lanes(&mut self, value: ir::Value, ty: ir::Type) -> ir::Value {
        if self.type_of(value) == ty {
            return value;
        }
        // Lanes are numbered as if the vector were in little-endian memory.
        let flags = MemFlagsData::new().with_endianness(Endianness::Little);
        self.b.ins().bitcast(ty, flags, value)
    }

    /// The value in the type that WebAssembly gives it.
    pub(super) fn plain(&mut self, value: ir::Value) -> ir::Value {
        let ty = self.type_of(value);
        if ty == types::I8 {
            self.b.ins().uextend(types::I32, value)
        } else if ty.is_vector() {
            self.as_lanes(value, VECTOR)
        } else {
            value
        }
    }

    /// Makes the topmost `count` operands plain; they stay on the stack.
    pub(super) fn plain_top(&mut self, count: usize) {
        for at in self.stack.len() - count..self.stack.len() {
            self.stack[at] = self.plain(self.stack[at]);
        }
    }

    /// The topmost `count` operands as arguments of a block; they stay on the
    /// stack.
    pub(super) fn block_args(&mut self, count: usize) -> SmallVec<[BlockArg; 4]> {
        self.plain_top(count);
        let args = &self.stack[self.stack.len() - count..];
        args.iter().copied().map(BlockArg::Value).collect()
    }

    pub(super) fn type_of(&self, value: ir::Value) -> ir::Type {
        self.b.func.dfg.value_type(value)
    }
}
