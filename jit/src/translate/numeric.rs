//! Numeric instructions, by shape.

use super::FuncTranslator;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData, types};

/// Emits an instruction with one operand and a result of the same type.
macro_rules! unary {
    ($t:ident, $emit:ident) => {{
        let a = $t.pop();
        let value = $t.b.ins().$emit(a);
        $t.push(value)
    }};
}

/// Emits an instruction with two operands and a result of the same type.
macro_rules! binary {
    ($t:ident, $emit:ident) => {{
        let (a, b) = $t.pop2();
        let value = $t.b.ins().$emit(a, b);
        $t.push(value)
    }};
}

/// Emits an instruction with one operand and a result of the given type.
macro_rules! convert {
    ($t:ident, $emit:ident, $ty:expr) => {{
        let a = $t.pop();
        let value = $t.b.ins().$emit($ty, a);
        $t.push(value)
    }};
}
pub(super) use {binary, convert, unary};

impl FuncTranslator<'_> {
    /// A comparison of integers.
    pub(super) fn icmp(&mut self, condition: IntCC) {
        let (a, b) = self.pop2();
        let value = self.b.ins().icmp(condition, a, b);
        self.push(value);
    }

    /// `eqz`, of anything that is zero or not.
    pub(super) fn eqz(&mut self) {
        let a = self.pop_condition();
        let value = self.b.ins().icmp_imm_s(IntCC::Equal, a, 0);
        self.push(value);
    }

    /// A comparison of floats.
    pub(super) fn fcmp(&mut self, condition: FloatCC) {
        let (a, b) = self.pop2();
        let value = self.b.ins().fcmp(condition, a, b);
        self.push(value);
    }

    /// Extends the sign of the low bits.
    pub(super) fn extend_low(&mut self, low: ir::Type, ty: ir::Type) {
        let a = self.pop();
        let low = self.b.ins().ireduce(low, a);
        let value = self.b.ins().sextend(ty, low);
        self.push(value);
    }

    /// The same bits as another type.
    pub(super) fn reinterpret(&mut self, ty: ir::Type) {
        let a = self.pop();
        let value = self.b.ins().bitcast(ty, MemFlagsData::new(), a);
        self.push(value);
    }

    /// `i64.add128` and `i64.sub128`.
    pub(super) fn wide_add(&mut self, subtract: bool) {
        let b = self.pop_wide();
        let a = self.pop_wide();
        let value = if subtract {
            self.b.ins().isub(a, b)
        } else {
            self.b.ins().iadd(a, b)
        };
        self.push_wide(value);
    }

    /// `i64.mul_wide_s` and `i64.mul_wide_u`.
    pub(super) fn wide_multiply(&mut self, signed: bool) {
        let (a, b) = self.pop2();
        let [a, b] = [a, b].map(|value| {
            if signed {
                self.b.ins().sextend(types::I128, value)
            } else {
                self.b.ins().uextend(types::I128, value)
            }
        });
        let value = self.b.ins().imul(a, b);
        self.push_wide(value);
    }

    /// Pops the halves of a 128-bit integer, the upper one from the top.
    fn pop_wide(&mut self) -> ir::Value {
        let (low, high) = self.pop2();
        self.b.ins().iconcat(low, high)
    }

    fn push_wide(&mut self, value: ir::Value) {
        let (low, high) = self.b.ins().isplit(value);
        self.push(low);
        self.push(high);
    }

    /// Pushes a constant integer.
    pub(super) fn push_integer(&mut self, ty: ir::Type, value: i64) {
        debug_assert!(matches!(ty, types::I32 | types::I64));
        let value = self.b.ins().iconst(ty, value);
        self.push(value);
    }
}
