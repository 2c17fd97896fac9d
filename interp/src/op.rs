//! The operations of the register code, each listed once.
//!
//! A list is a macro that hands its rows to another macro; the enums that
//! lowering uses, the marker types that handlers are generic over, and the
//! tables of handlers all derive from it. `I32GtU` and its like are missing
//! because lowering swaps their operands.

/// Integer operations with two operands and one result that cannot trap:
/// `Name(operand type, |a, b| result)`.
macro_rules! int_binary_ops {
    ($with:ident) => {
        $with! {
            I32Add(u32, |a, b| a.wrapping_add(b)),
            I32Sub(u32, |a, b| a.wrapping_sub(b)),
            I32Mul(u32, |a, b| a.wrapping_mul(b)),
            I32And(u32, |a, b| a & b),
            I32Or(u32, |a, b| a | b),
            I32Xor(u32, |a, b| a ^ b),
            I32Shl(u32, |a, b| a.wrapping_shl(b)),
            I32ShrS(u32, |a, b| (a as i32).wrapping_shr(b) as u32),
            I32ShrU(u32, |a, b| a.wrapping_shr(b)),
            I32Rotl(u32, |a, b| a.rotate_left(b & 31)),
            I32Rotr(u32, |a, b| a.rotate_right(b & 31)),
            I64Add(u64, |a, b| a.wrapping_add(b)),
            I64Sub(u64, |a, b| a.wrapping_sub(b)),
            I64Mul(u64, |a, b| a.wrapping_mul(b)),
            I64And(u64, |a, b| a & b),
            I64Or(u64, |a, b| a | b),
            I64Xor(u64, |a, b| a ^ b),
            I64Shl(u64, |a, b| a.wrapping_shl(b as u32)),
            I64ShrS(u64, |a, b| (a as i64).wrapping_shr(b as u32) as u64),
            I64ShrU(u64, |a, b| a.wrapping_shr(b as u32)),
            I64Rotl(u64, |a, b| a.rotate_left(b as u32 & 63)),
            I64Rotr(u64, |a, b| a.rotate_right(b as u32 & 63)),
        }
    };
}

/// Integer comparisons: `Name(operand type, |a, b| bool), negation(swapped?)`.
/// The negation of `a < b` is `b <= a`.
macro_rules! int_compare_ops {
    ($with:ident) => {
        $with! {
            I32Eq(u32, |a, b| a == b), I32Ne(same),
            I32Ne(u32, |a, b| a != b), I32Eq(same),
            I32LtS(u32, |a, b| (a as i32) < (b as i32)), I32LeS(swapped),
            I32LtU(u32, |a, b| a < b), I32LeU(swapped),
            I32LeS(u32, |a, b| (a as i32) <= (b as i32)), I32LtS(swapped),
            I32LeU(u32, |a, b| a <= b), I32LtU(swapped),
            I64Eq(u64, |a, b| a == b), I64Ne(same),
            I64Ne(u64, |a, b| a != b), I64Eq(same),
            I64LtS(u64, |a, b| (a as i64) < (b as i64)), I64LeS(swapped),
            I64LtU(u64, |a, b| a < b), I64LeU(swapped),
            I64LeS(u64, |a, b| (a as i64) <= (b as i64)), I64LtS(swapped),
            I64LeU(u64, |a, b| a <= b), I64LtU(swapped),
        }
    };
}

/// Integer divisions: `Name(unsigned type, signed?, quotient or remainder)`.
macro_rules! int_divide_ops {
    ($with:ident) => {
        $with! {
            I32DivS(i32, u32, |a, b| a.wrapping_div(b), overflows),
            I32DivU(u32, u32, |a, b| a / b, exact),
            I32RemS(i32, u32, |a, b| a.wrapping_rem(b), exact),
            I32RemU(u32, u32, |a, b| a % b, exact),
            I64DivS(i64, u64, |a, b| a.wrapping_div(b), overflows),
            I64DivU(u64, u64, |a, b| a / b, exact),
            I64RemS(i64, u64, |a, b| a.wrapping_rem(b), exact),
            I64RemU(u64, u64, |a, b| a % b, exact),
        }
    };
}

/// Integer operations with one operand: `Name(operand type, |a| result as u64)`.
macro_rules! int_unary_ops {
    ($with:ident) => {
        $with! {
            I32WrapI64(u64, |a| u64::from(a as u32)),
            I64ExtendI32S(u32, |a| i64::from(a as i32) as u64),
            I32Extend8S(u32, |a| u64::from(a as i8 as u32)),
            I32Extend16S(u32, |a| u64::from(a as i16 as u32)),
            I64Extend8S(u64, |a| a as i8 as u64),
            I64Extend16S(u64, |a| a as i16 as u64),
            I32Clz(u32, |a| u64::from(a.leading_zeros())),
            I32Ctz(u32, |a| u64::from(a.trailing_zeros())),
            I32Popcnt(u32, |a| u64::from(a.count_ones())),
            I64Clz(u64, |a| u64::from(a.leading_zeros())),
            I64Ctz(u64, |a| u64::from(a.trailing_zeros())),
            I64Popcnt(u64, |a| u64::from(a.count_ones())),
            I32Eqz(u32, |a| u64::from(a == 0)),
            I64Eqz(u64, |a| u64::from(a == 0)),
            I31New(u32, |a| i31_slot(a)),
        }
    };
}

/// Float operations with two operands: `Name(type, |a, b| result)`.
macro_rules! float_binary_ops {
    ($with:ident) => {
        $with! {
            F32Add(f32, |a, b| a + b),
            F32Sub(f32, |a, b| a - b),
            F32Mul(f32, |a, b| a * b),
            F32Div(f32, |a, b| a / b),
            F32Min(f32, |a, b| float::min(a, b)),
            F32Max(f32, |a, b| float::max(a, b)),
            F32Copysign(f32, |a, b| a.copysign(b)),
            F64Add(f64, |a, b| a + b),
            F64Sub(f64, |a, b| a - b),
            F64Mul(f64, |a, b| a * b),
            F64Div(f64, |a, b| a / b),
            F64Min(f64, |a, b| float::min(a, b)),
            F64Max(f64, |a, b| float::max(a, b)),
            F64Copysign(f64, |a, b| a.copysign(b)),
        }
    };
}

/// Float operations with one operand and a float result:
/// `Name(operand type, result type, |a| result)`.
macro_rules! float_unary_ops {
    ($with:ident) => {
        $with! {
            F32Abs(f32, f32, |a| a.abs()),
            F32Neg(f32, f32, |a| -a),
            F32Ceil(f32, f32, |a| arch::ceil_f32(a)),
            F32Floor(f32, f32, |a| arch::floor_f32(a)),
            F32Trunc(f32, f32, |a| arch::trunc_f32(a)),
            F32Nearest(f32, f32, |a| arch::nearest_f32(a)),
            F32Sqrt(f32, f32, |a| a.sqrt()),
            F64Abs(f64, f64, |a| a.abs()),
            F64Neg(f64, f64, |a| -a),
            F64Ceil(f64, f64, |a| arch::ceil_f64(a)),
            F64Floor(f64, f64, |a| arch::floor_f64(a)),
            F64Trunc(f64, f64, |a| arch::trunc_f64(a)),
            F64Nearest(f64, f64, |a| arch::nearest_f64(a)),
            F64Sqrt(f64, f64, |a| a.sqrt()),
            F32DemoteF64(f64, f32, |a| a as f32),
            F64PromoteF32(f32, f64, |a| f64::from(a)),
        }
    };
}

/// Float comparisons: `Name(operand type, |a, b| bool), negation`. With NaNs
/// the negation of `a < b` is a relation of its own.
macro_rules! float_compare_ops {
    ($with:ident) => {
        $with! {
            F32Eq(f32, |a, b| a == b), F32Ne,
            F32Ne(f32, |a, b| a != b), F32Eq,
            F32Lt(f32, |a, b| a < b), F32NotLt,
            F32Le(f32, |a, b| a <= b), F32NotLe,
            F32NotLt(f32, |a, b| !(a < b)), F32Lt,
            F32NotLe(f32, |a, b| !(a <= b)), F32Le,
            F64Eq(f64, |a, b| a == b), F64Ne,
            F64Ne(f64, |a, b| a != b), F64Eq,
            F64Lt(f64, |a, b| a < b), F64NotLt,
            F64Le(f64, |a, b| a <= b), F64NotLe,
            F64NotLt(f64, |a, b| !(a < b)), F64Lt,
            F64NotLe(f64, |a, b| !(a <= b)), F64Le,
        }
    };
}

/// Integers to floats: `Name(operand type, result type, |a| result)`.
macro_rules! int_to_float_ops {
    ($with:ident) => {
        $with! {
            F32ConvertI32S(u32, f32, |a| a as i32 as f32),
            F32ConvertI32U(u32, f32, |a| a as f32),
            F32ConvertI64S(u64, f32, |a| a as i64 as f32),
            F32ConvertI64U(u64, f32, |a| a as f32),
            F64ConvertI32S(u32, f64, |a| f64::from(a as i32)),
            F64ConvertI32U(u32, f64, |a| f64::from(a)),
            F64ConvertI64S(u64, f64, |a| a as i64 as f64),
            F64ConvertI64U(u64, f64, |a| a as f64),
            F32ReinterpretI32(u32, f32, |a| f32::from_bits(a)),
            F64ReinterpretI64(u64, f64, |a| f64::from_bits(a)),
        }
    };
}

/// Floats to integers without a trap: `Name(operand type, |a| result as u64)`.
macro_rules! float_to_int_ops {
    ($with:ident) => {
        $with! {
            I32TruncSatF32S(f32, |a| u64::from(a as i32 as u32)),
            I32TruncSatF32U(f32, |a| u64::from(a as u32)),
            I32TruncSatF64S(f64, |a| u64::from(a as i32 as u32)),
            I32TruncSatF64U(f64, |a| u64::from(a as u32)),
            I64TruncSatF32S(f32, |a| a as i64 as u64),
            I64TruncSatF32U(f32, |a| a as u64),
            I64TruncSatF64S(f64, |a| a as i64 as u64),
            I64TruncSatF64U(f64, |a| a as u64),
            I32ReinterpretF32(f32, |a| u64::from(a.to_bits())),
            I64ReinterpretF64(f64, |a| a.to_bits()),
        }
    };
}

/// Floats to integers with a trap: `Name(operand type, least - 1 or least,
/// greatest + 1, |a| result as u64)`. The bounds are exact in the operand type;
/// the lower one is exclusive unless marked.
macro_rules! float_trunc_ops {
    ($with:ident) => {
        $with! {
            I32TruncF32S(f32, |a| (-2147483648.0..2147483648.0).contains(&a), |a| u64::from(a as i32 as u32)),
            I32TruncF32U(f32, |a| a > -1.0 && a < 4294967296.0, |a| u64::from(a as u32)),
            I32TruncF64S(f64, |a| a > -2147483649.0 && a < 2147483648.0, |a| u64::from(a as i32 as u32)),
            I32TruncF64U(f64, |a| a > -1.0 && a < 4294967296.0, |a| u64::from(a as u32)),
            I64TruncF32S(f32, |a| (-9223372036854775808.0..9223372036854775808.0).contains(&a), |a| a as i64 as u64),
            I64TruncF32U(f32, |a| a > -1.0 && a < 18446744073709551616.0, |a| a as u64),
            I64TruncF64S(f64, |a| (-9223372036854775808.0..9223372036854775808.0).contains(&a), |a| a as i64 as u64),
            I64TruncF64U(f64, |a| a > -1.0 && a < 18446744073709551616.0, |a| a as u64),
        }
    };
}

/// Loads to integers: `Name(access, width in memory)`. `Load8S32` extends to 32 bits and clears the upper half of the slot.
macro_rules! int_load_ops {
    ($with:ident) => {
        $with! {
            Load8U(load8_u, u8),
            Load8S32(load8_s32, u8),
            Load8S64(load8_s64, u8),
            Load16U(load16_u, u16),
            Load16S32(load16_s32, u16),
            Load16S64(load16_s64, u16),
            Load32U(load32_u, u32),
            Load32S64(load32_s64, u32),
            Load64(load64, u64),
        }
    };
}

/// Stores of integers: `Name(access, width in memory)`.
macro_rules! int_store_ops {
    ($with:ident) => {
        $with! {
            Store8(store8, u8),
            Store16(store16, u16),
            Store32(store32, u32),
            Store64(store64, u64),
        }
    };
}

pub(crate) use {
    float_binary_ops, float_compare_ops, float_to_int_ops, float_trunc_ops, float_unary_ops,
    int_binary_ops, int_compare_ops, int_divide_ops, int_load_ops, int_store_ops, int_to_float_ops,
    int_unary_ops,
};

macro_rules! names {
    ($(#[$doc:meta])* $enum:ident: $($name:ident),*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum $enum { $($name),* }
    };
}

/// Says of each operation how wide its operands are.
macro_rules! widths {
    ($enum:ident: $($name:ident $ty:ty),*) => {
        impl $enum {
            /// Whether its operands have 64 bits.
            pub(crate) const fn is_wide(self) -> bool {
                match self { $($enum::$name => size_of::<$ty>() == 8),* }
            }
        }
    };
}

macro_rules! int_binary_enum {
    ($($name:ident($ty:ty, |$a:ident, $b:ident| $e:expr),)*) => {
        names!(/** An integer operation with two operands. */ IntBinary: $($name),*);
        widths!(IntBinary: $($name $ty),*);
        /// Computes at lowering what the handler computes at run time.
        pub(crate) fn fold_int_binary(op: IntBinary, a: u64, b: u64) -> u64 {
            match op { $(IntBinary::$name => {
                let ($a, $b) = (a as $ty, b as $ty);
                u64::from($e)
            })* }
        }
    };
}
int_binary_ops!(int_binary_enum);

impl IntBinary {
    /// Whether the operands may be exchanged.
    pub(crate) fn commutes(self) -> bool {
        use IntBinary::*;
        matches!(
            self,
            I32Add | I32Mul | I32And | I32Or | I32Xor | I64Add | I64Mul | I64And | I64Or | I64Xor
        )
    }
}

macro_rules! int_compare_enum {
    ($($name:ident($ty:ty, |$a:ident, $b:ident| $e:expr), $neg:ident($how:ident),)*) => {
        names!(/** An integer comparison. */ IntCompare: $($name),*);
        widths!(IntCompare: $($name $ty),*);
        impl IntCompare {
            /// The opposite relation, and whether its operands are swapped.
            pub(crate) fn negated(self) -> (IntCompare, bool) {
                match self { $(IntCompare::$name => (IntCompare::$neg, stringify!($how) == "swapped")),* }
            }
        }
        /// Computes at lowering what the handler computes at run time.
        pub(crate) fn fold_int_compare(op: IntCompare, a: u64, b: u64) -> bool {
            match op { $(IntCompare::$name => {
                let ($a, $b) = (a as $ty, b as $ty);
                $e
            })* }
        }
    };
}
int_compare_ops!(int_compare_enum);

macro_rules! float_compare_enum {
    ($($name:ident($ty:ty, |$a:ident, $b:ident| $e:expr), $neg:ident,)*) => {
        names!(/** A float comparison. */ FloatCompare: $($name),*);
        impl FloatCompare {
            /// The opposite relation, NaNs included.
            pub(crate) fn negated(self) -> FloatCompare {
                match self { $(FloatCompare::$name => FloatCompare::$neg),* }
            }
        }
    };
}
float_compare_ops!(float_compare_enum);

macro_rules! int_divide_enum {
    ($($name:ident($ty:ty, $bits:ty, |$a:ident, $b:ident| $e:expr, $overflow:ident),)*) => {
        names!(/** A division or remainder, which can trap. */ IntDivide: $($name),*);
        widths!(IntDivide: $($name $bits),*);
    };
}
int_divide_ops!(int_divide_enum);
macro_rules! int_unary_enum {
    ($($name:ident($($x:tt)*),)*) => { names!(/** An integer operation with one operand. */ IntUnary: $($name),*); };
}
int_unary_ops!(int_unary_enum);
macro_rules! float_binary_enum {
    ($($name:ident($($x:tt)*),)*) => { names!(/** A float operation with two operands. */ FloatBinary: $($name),*); };
}
float_binary_ops!(float_binary_enum);
impl FloatBinary {
    /// The operands' width if it is an operation that can absorb the load of
    /// its second operand.
    pub(crate) fn absorbs_load(self) -> Option<FloatWidth> {
        match self {
            FloatBinary::F32Add | FloatBinary::F32Sub | FloatBinary::F32Mul => {
                Some(FloatWidth::F32)
            }
            FloatBinary::F64Add | FloatBinary::F64Sub | FloatBinary::F64Mul => {
                Some(FloatWidth::F64)
            }
            _ => None,
        }
    }

    /// Whether it is a multiplication.
    pub(crate) fn is_mul(self) -> bool {
        matches!(self, FloatBinary::F32Mul | FloatBinary::F64Mul)
    }

    /// Whether it is an addition.
    pub(crate) fn is_add(self) -> bool {
        matches!(self, FloatBinary::F32Add | FloatBinary::F64Add)
    }
}
macro_rules! float_unary_enum {
    ($($name:ident($($x:tt)*),)*) => { names!(/** A float operation with one operand. */ FloatUnary: $($name),*); };
}
float_unary_ops!(float_unary_enum);
macro_rules! int_to_float_enum {
    ($($name:ident($($x:tt)*),)*) => { names!(/** A conversion from an integer to a float. */ IntToFloat: $($name),*); };
}
int_to_float_ops!(int_to_float_enum);
macro_rules! float_to_int_enum {
    ($($name:ident($($x:tt)*),)*) => { names!(/** A conversion from a float to an integer that cannot trap. */ FloatToInt: $($name),*); };
}
float_to_int_ops!(float_to_int_enum);
macro_rules! float_trunc_enum {
    ($($name:ident($($x:tt)*),)*) => { names!(/** A conversion from a float to an integer that can trap. */ FloatTrunc: $($name),*); };
}
float_trunc_ops!(float_trunc_enum);
macro_rules! int_load_enum {
    ($($name:ident($($x:tt)*),)*) => { names!(/** A load to an integer. */ IntLoad: $($name),*); };
}
int_load_ops!(int_load_enum);
macro_rules! int_store_enum {
    ($($name:ident($($x:tt)*),)*) => { names!(/** A store of an integer. */ IntStore: $($name),*); };
}
int_store_ops!(int_store_enum);

/// The width of a float in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum FloatWidth {
    /// `f32`.
    F32,
    /// `f64`.
    F64,
}
