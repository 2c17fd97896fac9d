//! Float arithmetic and conversions.
//!
//! Format: `[handler] [a:16 d:16 b:16 _] [a's constant:64] [b's constant:64]`,
//! the constants only where an operand is one.

use self as float;
use super::grid::pick;
use super::memory::FloatAccess;
use super::regs::{
    A, Class, FA, FK, FS, Float, FloatClass, Handler, K, P0, P1, P2, Regs, S, class, dispatch,
    handler, tail,
};
use super::trap::{BadConversionToInteger, IntegerOverflow, trap};
use crate::arch;
use crate::op::*;

/// An operation with two operands.
pub(crate) trait Binary {
    type Operand: FloatAccess;
    fn apply(a: Self::Operand, b: Self::Operand) -> Self::Operand;
}

/// An operation with one operand.
pub(crate) trait Unary {
    type Operand: Float;
    type Result: Float;
    fn apply(a: Self::Operand) -> Self::Result;
}

/// A comparison.
pub(crate) trait Compare {
    type Operand: Float;
    fn holds(a: Self::Operand, b: Self::Operand) -> bool;
}

/// A conversion from an integer.
pub(crate) trait FromInt {
    type Result: Float;
    fn apply(a: u64) -> Self::Result;
}

/// A conversion to an integer that cannot trap.
pub(crate) trait ToInt {
    type Operand: Float;
    fn apply(a: Self::Operand) -> u64;
}

/// A conversion to an integer that traps outside the integer's range.
pub(crate) trait Trunc {
    type Operand: Float;
    fn is_nan(a: Self::Operand) -> bool;
    fn in_range(a: Self::Operand) -> bool;
    fn apply(a: Self::Operand) -> u64;
}

impl Regs {
    #[inline(always)]
    pub(super) unsafe fn do_float_binary<O: Binary, X: FloatClass, Y: FloatClass, D: FloatClass>(
        &mut self,
    ) {
        // SAFETY: the contract of all handlers.
        unsafe {
            let a: O::Operand = self.read_float::<X, _>(8, 16);
            let b: O::Operand = self.read_float::<Y, _>(12, const { size::<X, FS>() });
            self.write_float::<D, _>(10, O::apply(a, b));
            self.ip = self.ip.next(const { size::<X, Y>() });
        }
    }

    #[inline(always)]
    pub(super) unsafe fn do_float_mul_add<
        F: FloatAccess,
        X: FloatClass,
        Y: FloatClass,
        D: FloatClass,
    >(
        &mut self,
    ) {
        // SAFETY: the contract of all handlers.
        unsafe {
            let a: F = self.read_float::<X, F>(8, 0);
            let b: F = self.read_float::<Y, F>(12, 0);
            let c = F::from_slot(self.slot(self.ip.u16(14)));
            self.write_float::<D, F>(10, F::mul_add(a, b, c));
            self.ip = self.ip.next(16);
        }
    }
}

handler! {
    fn binary<O: Binary, X: FloatClass, Y: FloatClass, D: FloatClass>(r) {
        r.do_float_binary::<O, X, Y, D>();
        dispatch!(r)
    }
}

handler! {
    fn unary<O: Unary, X: FloatClass, D: FloatClass>(r) {
        let a: O::Operand = r.read_float::<X, _>(8, 16);
        r.write_float::<D, _>(10, O::apply(a));
        r.ip = r.ip.next(const { size::<X, FS>() });
        dispatch!(r)
    }
}

handler! {
    fn compare<O: Compare, X: FloatClass, Y: FloatClass, D: Class>(r) {
        let a: O::Operand = r.read_float::<X, _>(8, 16);
        let b: O::Operand = r.read_float::<Y, _>(12, const { size::<X, FS>() });
        r.write::<D>(10, u64::from(O::holds(a, b)));
        r.ip = r.ip.next(const { size::<X, Y>() });
        dispatch!(r)
    }
}

handler! {
    fn from_int<O: FromInt, D: FloatClass, X: Class>(r) {
        let a = r.read::<X>(8, 16);
        r.write_float::<D, _>(10, O::apply(a));
        r.ip = r.ip.next(const { super::int::size::<X, S>(true) });
        dispatch!(r)
    }
}

handler! {
    fn to_int<O: ToInt, X: FloatClass, D: Class>(r) {
        let a: O::Operand = r.read_float::<X, _>(8, 16);
        r.write::<D>(10, O::apply(a));
        r.ip = r.ip.next(const { size::<X, FS>() });
        dispatch!(r)
    }
}

handler! {
    fn trunc<O: Trunc, X: FloatClass, D: Class>(r) {
        let a: O::Operand = r.read_float::<X, _>(8, 16);
        if !O::in_range(a) {
            if O::is_nan(a) {
                tail!(trap::<BadConversionToInteger>, r)
            }
            tail!(trap::<IntegerOverflow>, r)
        }
        r.write::<D>(10, O::apply(a));
        r.ip = r.ip.next(const { size::<X, FS>() });
        dispatch!(r)
    }
}

handler! {
    /// `d = c + a * b`, rounded twice, as the two instructions would:
    /// `[handler] [a:16 d:16 b:16 c:16]`.
    fn mul_add<F: FloatAccess, X: FloatClass, Y: FloatClass, D: FloatClass>(r) {
        r.do_float_mul_add::<F, X, Y, D>();
        dispatch!(r)
    }
}

handler! {
    /// Moves a float between a slot, the accumulator and a constant.
    fn mov<X: FloatClass, D: FloatClass>(r) {
        let a: f64 = r.read_float::<X, _>(8, 16);
        r.write_float::<D, _>(10, a);
        r.ip = r.ip.next(const { size::<X, FS>() });
        dispatch!(r)
    }
}

/// Size of an instruction with these operands, in bytes.
pub(crate) const fn size<X: FloatClass, Y: FloatClass>() -> usize {
    let first = (X::INDEX == class::FLOAT_CONST) as usize;
    let second = (Y::INDEX == class::FLOAT_CONST) as usize;
    16 + 8 * (first + second)
}

/// The specification's `fmin`: a NaN operand gives a NaN, and -0 < +0.
#[inline(always)]
pub(crate) fn min<F: MinMax>(a: F, b: F) -> F {
    a.min(b)
}

/// The specification's `fmax`.
#[inline(always)]
pub(crate) fn max<F: MinMax>(a: F, b: F) -> F {
    a.max(b)
}

/// `fmin` and `fmax` of the specification, section 4.3.3.
pub(crate) trait MinMax {
    fn min(self, other: Self) -> Self;
    fn max(self, other: Self) -> Self;
}

macro_rules! min_max {
    ($($ty:ty),*) => {$(
        impl MinMax for $ty {
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                if self < other {
                    self
                } else if other < self {
                    other
                } else if self == other {
                    // Equal, or zeros of either sign: a negative one wins.
                    <$ty>::from_bits(self.to_bits() | other.to_bits())
                } else {
                    self + other
                }
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                if self > other {
                    self
                } else if other > self {
                    other
                } else if self == other {
                    <$ty>::from_bits(self.to_bits() & other.to_bits())
                } else {
                    self + other
                }
            }
        }
    )*};
}
min_max!(f32, f64);

macro_rules! binary_table {
    ($($name:ident($ty:ty, |$a:ident, $b:ident| $e:expr),)*) => {
        $(
            pub(super) struct $name;
            impl Binary for $name {
                type Operand = $ty;
                #[inline(always)]
                fn apply($a: $ty, $b: $ty) -> $ty { $e }
            }
        )*
        /// The handler of an operation with two operands.
        pub(crate) fn binary_handler(op: FloatBinary, a: usize, b: usize, d: usize) -> Handler {
            pick!(binary by op as usize => $([$name])*; float_three a, float_three b, float_two d)
        }
    };
}
float_binary_ops!(binary_table);

macro_rules! unary_table {
    ($($name:ident($ty:ty, $result:ty, |$a:ident| $e:expr),)*) => {
        $(
            struct $name;
            impl Unary for $name {
                type Operand = $ty;
                type Result = $result;
                #[inline(always)]
                fn apply($a: $ty) -> $result { $e }
            }
        )*
        /// The handler of an operation with one operand.
        pub(crate) fn unary_handler(op: FloatUnary, a: usize, d: usize) -> Handler {
            pick!(unary by op as usize => $([$name])*; float_three a, float_two d)
        }
    };
}
float_unary_ops!(unary_table);

macro_rules! compare_table {
    ($($name:ident($ty:ty, |$a:ident, $b:ident| $e:expr), $neg:ident,)*) => {
        $(
            pub(crate) struct $name;
            impl Compare for $name {
                type Operand = $ty;
                // `!(a < b)` is not `a >= b` where an operand is a NaN.
                #[allow(clippy::nonminimal_bool, clippy::neg_cmp_op_on_partial_ord)]
                #[inline(always)]
                fn holds($a: $ty, $b: $ty) -> bool { $e }
            }
        )*
        /// The handler of a comparison to a value.
        pub(crate) fn compare_handler(op: FloatCompare, a: usize, b: usize, d: usize) -> Handler {
            pick!(compare by op as usize => $([$name])*; float_three a, float_three b, two d)
        }
    };
}
float_compare_ops!(compare_table);

macro_rules! from_int_table {
    ($($name:ident($ty:ty, $result:ty, |$a:ident| $e:expr),)*) => {
        $(
            struct $name;
            impl FromInt for $name {
                type Result = $result;
                #[inline(always)]
                fn apply(a: u64) -> $result {
                    let $a = a as $ty;
                    $e
                }
            }
        )*
        /// The handler of a conversion from an integer.
        pub(crate) fn from_int_handler(op: IntToFloat, a: usize, d: usize) -> Handler {
            pick!(from_int by op as usize => $([$name])*; float_two d, six a)
        }
    };
}
int_to_float_ops!(from_int_table);

macro_rules! to_int_table {
    ($($name:ident($ty:ty, |$a:ident| $e:expr),)*) => {
        $(
            struct $name;
            impl ToInt for $name {
                type Operand = $ty;
                #[inline(always)]
                fn apply($a: $ty) -> u64 { $e }
            }
        )*
        /// The handler of a conversion to an integer that cannot trap.
        pub(crate) fn to_int_handler(op: FloatToInt, a: usize, d: usize) -> Handler {
            pick!(to_int by op as usize => $([$name])*; float_three a, two d)
        }
    };
}
float_to_int_ops!(to_int_table);

macro_rules! trunc_table {
    ($($name:ident($ty:ty, |$r:ident| $range:expr, |$a:ident| $e:expr),)*) => {
        $(
            struct $name;
            impl Trunc for $name {
                type Operand = $ty;
                #[inline(always)]
                fn is_nan(a: $ty) -> bool { a.is_nan() }
                #[inline(always)]
                fn in_range($r: $ty) -> bool { $range }
                #[inline(always)]
                fn apply($a: $ty) -> u64 { $e }
            }
        )*
        /// The handler of a conversion to an integer that can trap.
        pub(crate) fn trunc_handler(op: FloatTrunc, a: usize, d: usize) -> Handler {
            pick!(trunc by op as usize => $([$name])*; float_three a, two d)
        }
    };
}
float_trunc_ops!(trunc_table);

/// The handler of a move.
pub(crate) fn mov_handler(a: usize, d: usize) -> Handler {
    pick!(mov[]; float_three a, float_two d)
}

/// The handler of a multiplication and an addition.
pub(crate) fn mul_add_handler(width: FloatWidth, a: usize, b: usize, d: usize) -> Handler {
    match width {
        FloatWidth::F32 => pick!(mul_add[f32]; float_two a, float_two b, float_two d),
        FloatWidth::F64 => pick!(mul_add[f64]; float_two a, float_two b, float_two d),
    }
}
