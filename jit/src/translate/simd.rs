//! Vector instructions.
//!
//! Relaxed instructions do what the specification's deterministic profile says,
//! as in the interpreter: a program gives the same results in both tiers, and
//! on every processor. `relaxed_madd` rounds twice.

use super::{FuncTranslator, VECTOR};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{
    F32, F32X4, F64, F64X2, I8, I8X16, I16, I16X8, I32, I32X4, I64, I64X2,
};
use cranelift_codegen::ir::{self, InstBuilder};
use wasmparser::{MemArg, Operator};

/// Emits an instruction on one vector.
macro_rules! one {
    ($t:ident, $lanes:expr, $emit:ident) => {{
        let a = $t.pop_vector($lanes);
        let value = $t.b.ins().$emit(a);
        $t.push(value)
    }};
}

/// Emits an instruction on two vectors with the same lanes.
macro_rules! two {
    ($t:ident, $lanes:expr, $emit:ident) => {{
        let (a, b) = $t.pop_vectors($lanes);
        let value = $t.b.ins().$emit(a, b);
        $t.push(value)
    }};
}

/// Emits a shift of all lanes.
macro_rules! shift {
    ($t:ident, $lanes:expr, $emit:ident) => {{
        let bits = $t.pop();
        let a = $t.pop_vector($lanes);
        let value = $t.b.ins().$emit(a, bits);
        $t.push(value)
    }};
}

/// Emits a product of halves of two vectors' lanes.
macro_rules! extended_product {
    ($t:ident, $lanes:expr, $widen:ident) => {{
        let (a, b) = $t.pop_vectors($lanes);
        let a = $t.b.ins().$widen(a);
        let b = $t.b.ins().$widen(b);
        let value = $t.b.ins().imul(a, b);
        $t.push(value)
    }};
}

/// Emits sums of neighbouring lanes.
macro_rules! pairwise {
    ($t:ident, $lanes:expr, $low:ident, $high:ident) => {{
        let a = $t.pop_vector($lanes);
        let low = $t.b.ins().$low(a);
        let high = $t.b.ins().$high(a);
        let value = $t.b.ins().iadd_pairwise(low, high);
        $t.push(value)
    }};
}

/// Emits a load of half a vector whose lanes are extended.
macro_rules! load_wide {
    ($t:ident, $memarg:expr, $emit:ident) => {{
        let at = $t.place($memarg, 8);
        let value = $t.b.ins().$emit(at.flags, at.address, at.offset);
        $t.push(value)
    }};
}

impl FuncTranslator<'_> {
    /// Translates a vector instruction; returns whether it is one.
    pub(super) fn simd(&mut self, operator: &Operator<'_>) -> bool {
        use IntCC as C;
        use Operator as O;
        match *operator {
            O::V128Load { ref memarg } => self.load(VECTOR, memarg),
            O::V128Load8x8S { ref memarg } => load_wide!(self, memarg, sload8x8),
            O::V128Load8x8U { ref memarg } => load_wide!(self, memarg, uload8x8),
            O::V128Load16x4S { ref memarg } => load_wide!(self, memarg, sload16x4),
            O::V128Load16x4U { ref memarg } => load_wide!(self, memarg, uload16x4),
            O::V128Load32x2S { ref memarg } => load_wide!(self, memarg, sload32x2),
            O::V128Load32x2U { ref memarg } => load_wide!(self, memarg, uload32x2),
            O::V128Load8Splat { ref memarg } => self.load_splat(I8X16, memarg),
            O::V128Load16Splat { ref memarg } => self.load_splat(I16X8, memarg),
            O::V128Load32Splat { ref memarg } => self.load_splat(I32X4, memarg),
            O::V128Load64Splat { ref memarg } => self.load_splat(I64X2, memarg),
            O::V128Load32Zero { ref memarg } => self.load_zero(I32X4, memarg),
            O::V128Load64Zero { ref memarg } => self.load_zero(I64X2, memarg),
            O::V128Store { ref memarg } => self.store_vector(memarg),
            O::V128Load8Lane { ref memarg, lane } => self.load_lane(I8X16, memarg, lane),
            O::V128Load16Lane { ref memarg, lane } => self.load_lane(I16X8, memarg, lane),
            O::V128Load32Lane { ref memarg, lane } => self.load_lane(I32X4, memarg, lane),
            O::V128Load64Lane { ref memarg, lane } => self.load_lane(I64X2, memarg, lane),
            O::V128Store8Lane { ref memarg, lane } => self.store_lane(I8X16, memarg, lane),
            O::V128Store16Lane { ref memarg, lane } => self.store_lane(I16X8, memarg, lane),
            O::V128Store32Lane { ref memarg, lane } => self.store_lane(I32X4, memarg, lane),
            O::V128Store64Lane { ref memarg, lane } => self.store_lane(I64X2, memarg, lane),
            O::V128Const { value } => {
                let value = self.vector_const(VECTOR, value.bytes());
                self.push(value);
            }

            O::I8x16Shuffle { lanes } => {
                let (a, b) = self.pop_vectors(I8X16);
                let lanes = self.b.func.dfg.immediates.push(lanes[..].into());
                let value = self.b.ins().shuffle(a, b, lanes);
                self.push(value);
            }
            O::I8x16Swizzle | O::I8x16RelaxedSwizzle => two!(self, I8X16, swizzle),
            O::I8x16Splat => self.splat(I8X16),
            O::I16x8Splat => self.splat(I16X8),
            O::I32x4Splat => self.splat(I32X4),
            O::I64x2Splat => self.splat(I64X2),
            O::F32x4Splat => self.splat(F32X4),
            O::F64x2Splat => self.splat(F64X2),
            O::I8x16ExtractLaneS { lane } => self.extract_extended(I8X16, lane, true),
            O::I8x16ExtractLaneU { lane } => self.extract_extended(I8X16, lane, false),
            O::I16x8ExtractLaneS { lane } => self.extract_extended(I16X8, lane, true),
            O::I16x8ExtractLaneU { lane } => self.extract_extended(I16X8, lane, false),
            O::I32x4ExtractLane { lane } => self.extract(I32X4, lane),
            O::I64x2ExtractLane { lane } => self.extract(I64X2, lane),
            O::F32x4ExtractLane { lane } => self.extract(F32X4, lane),
            O::F64x2ExtractLane { lane } => self.extract(F64X2, lane),
            O::I8x16ReplaceLane { lane } => self.replace(I8X16, lane),
            O::I16x8ReplaceLane { lane } => self.replace(I16X8, lane),
            O::I32x4ReplaceLane { lane } => self.replace(I32X4, lane),
            O::I64x2ReplaceLane { lane } => self.replace(I64X2, lane),
            O::F32x4ReplaceLane { lane } => self.replace(F32X4, lane),
            O::F64x2ReplaceLane { lane } => self.replace(F64X2, lane),

            O::I8x16Eq => self.vector_icmp(I8X16, C::Equal),
            O::I16x8Eq => self.vector_icmp(I16X8, C::Equal),
            O::I32x4Eq => self.vector_icmp(I32X4, C::Equal),
            O::I64x2Eq => self.vector_icmp(I64X2, C::Equal),
            O::I8x16Ne => self.vector_icmp(I8X16, C::NotEqual),
            O::I16x8Ne => self.vector_icmp(I16X8, C::NotEqual),
            O::I32x4Ne => self.vector_icmp(I32X4, C::NotEqual),
            O::I64x2Ne => self.vector_icmp(I64X2, C::NotEqual),
            O::I8x16LtS => self.vector_icmp(I8X16, C::SignedLessThan),
            O::I16x8LtS => self.vector_icmp(I16X8, C::SignedLessThan),
            O::I32x4LtS => self.vector_icmp(I32X4, C::SignedLessThan),
            O::I64x2LtS => self.vector_icmp(I64X2, C::SignedLessThan),
            O::I8x16LtU => self.vector_icmp(I8X16, C::UnsignedLessThan),
            O::I16x8LtU => self.vector_icmp(I16X8, C::UnsignedLessThan),
            O::I32x4LtU => self.vector_icmp(I32X4, C::UnsignedLessThan),
            O::I8x16GtS => self.vector_icmp(I8X16, C::SignedGreaterThan),
            O::I16x8GtS => self.vector_icmp(I16X8, C::SignedGreaterThan),
            O::I32x4GtS => self.vector_icmp(I32X4, C::SignedGreaterThan),
            O::I64x2GtS => self.vector_icmp(I64X2, C::SignedGreaterThan),
            O::I8x16GtU => self.vector_icmp(I8X16, C::UnsignedGreaterThan),
            O::I16x8GtU => self.vector_icmp(I16X8, C::UnsignedGreaterThan),
            O::I32x4GtU => self.vector_icmp(I32X4, C::UnsignedGreaterThan),
            O::I8x16LeS => self.vector_icmp(I8X16, C::SignedLessThanOrEqual),
            O::I16x8LeS => self.vector_icmp(I16X8, C::SignedLessThanOrEqual),
            O::I32x4LeS => self.vector_icmp(I32X4, C::SignedLessThanOrEqual),
            O::I64x2LeS => self.vector_icmp(I64X2, C::SignedLessThanOrEqual),
            O::I8x16LeU => self.vector_icmp(I8X16, C::UnsignedLessThanOrEqual),
            O::I16x8LeU => self.vector_icmp(I16X8, C::UnsignedLessThanOrEqual),
            O::I32x4LeU => self.vector_icmp(I32X4, C::UnsignedLessThanOrEqual),
            O::I8x16GeS => self.vector_icmp(I8X16, C::SignedGreaterThanOrEqual),
            O::I16x8GeS => self.vector_icmp(I16X8, C::SignedGreaterThanOrEqual),
            O::I32x4GeS => self.vector_icmp(I32X4, C::SignedGreaterThanOrEqual),
            O::I64x2GeS => self.vector_icmp(I64X2, C::SignedGreaterThanOrEqual),
            O::I8x16GeU => self.vector_icmp(I8X16, C::UnsignedGreaterThanOrEqual),
            O::I16x8GeU => self.vector_icmp(I16X8, C::UnsignedGreaterThanOrEqual),
            O::I32x4GeU => self.vector_icmp(I32X4, C::UnsignedGreaterThanOrEqual),
            O::F32x4Eq => self.vector_fcmp(F32X4, FloatCC::Equal),
            O::F64x2Eq => self.vector_fcmp(F64X2, FloatCC::Equal),
            O::F32x4Ne => self.vector_fcmp(F32X4, FloatCC::NotEqual),
            O::F64x2Ne => self.vector_fcmp(F64X2, FloatCC::NotEqual),
            O::F32x4Lt => self.vector_fcmp(F32X4, FloatCC::LessThan),
            O::F64x2Lt => self.vector_fcmp(F64X2, FloatCC::LessThan),
            O::F32x4Gt => self.vector_fcmp(F32X4, FloatCC::GreaterThan),
            O::F64x2Gt => self.vector_fcmp(F64X2, FloatCC::GreaterThan),
            O::F32x4Le => self.vector_fcmp(F32X4, FloatCC::LessThanOrEqual),
            O::F64x2Le => self.vector_fcmp(F64X2, FloatCC::LessThanOrEqual),
            O::F32x4Ge => self.vector_fcmp(F32X4, FloatCC::GreaterThanOrEqual),
            O::F64x2Ge => self.vector_fcmp(F64X2, FloatCC::GreaterThanOrEqual),

            O::V128Not => one!(self, VECTOR, bnot),
            O::V128And => two!(self, VECTOR, band),
            O::V128AndNot => two!(self, VECTOR, band_not),
            O::V128Or => two!(self, VECTOR, bor),
            O::V128Xor => two!(self, VECTOR, bxor),
            O::V128Bitselect
            | O::I8x16RelaxedLaneselect
            | O::I16x8RelaxedLaneselect
            | O::I32x4RelaxedLaneselect
            | O::I64x2RelaxedLaneselect => {
                let mask = self.pop_vector(VECTOR);
                let (a, b) = self.pop_vectors(VECTOR);
                let value = self.b.ins().bitselect(mask, a, b);
                self.push(value);
            }
            // Booleans are 8 bits, which the operand stack allows.
            O::V128AnyTrue => one!(self, VECTOR, vany_true),
            O::I8x16AllTrue => one!(self, I8X16, vall_true),
            O::I16x8AllTrue => one!(self, I16X8, vall_true),
            O::I32x4AllTrue => one!(self, I32X4, vall_true),
            O::I64x2AllTrue => one!(self, I64X2, vall_true),
            O::I8x16Bitmask => self.bitmask(I8X16),
            O::I16x8Bitmask => self.bitmask(I16X8),
            O::I32x4Bitmask => self.bitmask(I32X4),
            O::I64x2Bitmask => self.bitmask(I64X2),

            O::I8x16Abs => one!(self, I8X16, iabs),
            O::I16x8Abs => one!(self, I16X8, iabs),
            O::I32x4Abs => one!(self, I32X4, iabs),
            O::I64x2Abs => one!(self, I64X2, iabs),
            O::I8x16Neg => one!(self, I8X16, ineg),
            O::I16x8Neg => one!(self, I16X8, ineg),
            O::I32x4Neg => one!(self, I32X4, ineg),
            O::I64x2Neg => one!(self, I64X2, ineg),
            O::I8x16Popcnt => one!(self, I8X16, popcnt),
            O::I8x16Shl => shift!(self, I8X16, ishl),
            O::I16x8Shl => shift!(self, I16X8, ishl),
            O::I32x4Shl => shift!(self, I32X4, ishl),
            O::I64x2Shl => shift!(self, I64X2, ishl),
            O::I8x16ShrS => shift!(self, I8X16, sshr),
            O::I16x8ShrS => shift!(self, I16X8, sshr),
            O::I32x4ShrS => shift!(self, I32X4, sshr),
            O::I64x2ShrS => shift!(self, I64X2, sshr),
            O::I8x16ShrU => shift!(self, I8X16, ushr),
            O::I16x8ShrU => shift!(self, I16X8, ushr),
            O::I32x4ShrU => shift!(self, I32X4, ushr),
            O::I64x2ShrU => shift!(self, I64X2, ushr),
            O::I8x16Add => two!(self, I8X16, iadd),
            O::I16x8Add => two!(self, I16X8, iadd),
            O::I32x4Add => two!(self, I32X4, iadd),
            O::I64x2Add => two!(self, I64X2, iadd),
            O::I8x16AddSatS => two!(self, I8X16, sadd_sat),
            O::I16x8AddSatS => two!(self, I16X8, sadd_sat),
            O::I8x16AddSatU => two!(self, I8X16, uadd_sat),
            O::I16x8AddSatU => two!(self, I16X8, uadd_sat),
            O::I8x16Sub => two!(self, I8X16, isub),
            O::I16x8Sub => two!(self, I16X8, isub),
            O::I32x4Sub => two!(self, I32X4, isub),
            O::I64x2Sub => two!(self, I64X2, isub),
            O::I8x16SubSatS => two!(self, I8X16, ssub_sat),
            O::I16x8SubSatS => two!(self, I16X8, ssub_sat),
            O::I8x16SubSatU => two!(self, I8X16, usub_sat),
            O::I16x8SubSatU => two!(self, I16X8, usub_sat),
            O::I16x8Mul => two!(self, I16X8, imul),
            O::I32x4Mul => two!(self, I32X4, imul),
            O::I64x2Mul => two!(self, I64X2, imul),
            O::I8x16MinS => two!(self, I8X16, smin),
            O::I16x8MinS => two!(self, I16X8, smin),
            O::I32x4MinS => two!(self, I32X4, smin),
            O::I8x16MinU => two!(self, I8X16, umin),
            O::I16x8MinU => two!(self, I16X8, umin),
            O::I32x4MinU => two!(self, I32X4, umin),
            O::I8x16MaxS => two!(self, I8X16, smax),
            O::I16x8MaxS => two!(self, I16X8, smax),
            O::I32x4MaxS => two!(self, I32X4, smax),
            O::I8x16MaxU => two!(self, I8X16, umax),
            O::I16x8MaxU => two!(self, I16X8, umax),
            O::I32x4MaxU => two!(self, I32X4, umax),
            O::I8x16AvgrU => two!(self, I8X16, avg_round),
            O::I16x8AvgrU => two!(self, I16X8, avg_round),
            O::I16x8Q15MulrSatS | O::I16x8RelaxedQ15mulrS => {
                two!(self, I16X8, sqmul_round_sat);
            }

            O::I8x16NarrowI16x8S => two!(self, I16X8, snarrow),
            O::I8x16NarrowI16x8U => two!(self, I16X8, unarrow),
            O::I16x8NarrowI32x4S => two!(self, I32X4, snarrow),
            O::I16x8NarrowI32x4U => two!(self, I32X4, unarrow),
            O::I16x8ExtendLowI8x16S => one!(self, I8X16, swiden_low),
            O::I16x8ExtendLowI8x16U => one!(self, I8X16, uwiden_low),
            O::I16x8ExtendHighI8x16S => one!(self, I8X16, swiden_high),
            O::I16x8ExtendHighI8x16U => one!(self, I8X16, uwiden_high),
            O::I32x4ExtendLowI16x8S => one!(self, I16X8, swiden_low),
            O::I32x4ExtendLowI16x8U => one!(self, I16X8, uwiden_low),
            O::I32x4ExtendHighI16x8S => one!(self, I16X8, swiden_high),
            O::I32x4ExtendHighI16x8U => one!(self, I16X8, uwiden_high),
            O::I64x2ExtendLowI32x4S => one!(self, I32X4, swiden_low),
            O::I64x2ExtendLowI32x4U => one!(self, I32X4, uwiden_low),
            O::I64x2ExtendHighI32x4S => one!(self, I32X4, swiden_high),
            O::I64x2ExtendHighI32x4U => one!(self, I32X4, uwiden_high),
            O::I16x8ExtAddPairwiseI8x16S => pairwise!(self, I8X16, swiden_low, swiden_high),
            O::I16x8ExtAddPairwiseI8x16U => pairwise!(self, I8X16, uwiden_low, uwiden_high),
            O::I32x4ExtAddPairwiseI16x8S => pairwise!(self, I16X8, swiden_low, swiden_high),
            O::I32x4ExtAddPairwiseI16x8U => pairwise!(self, I16X8, uwiden_low, uwiden_high),
            O::I16x8ExtMulLowI8x16S => extended_product!(self, I8X16, swiden_low),
            O::I16x8ExtMulLowI8x16U => extended_product!(self, I8X16, uwiden_low),
            O::I16x8ExtMulHighI8x16S => extended_product!(self, I8X16, swiden_high),
            O::I16x8ExtMulHighI8x16U => extended_product!(self, I8X16, uwiden_high),
            O::I32x4ExtMulLowI16x8S => extended_product!(self, I16X8, swiden_low),
            O::I32x4ExtMulLowI16x8U => extended_product!(self, I16X8, uwiden_low),
            O::I32x4ExtMulHighI16x8S => extended_product!(self, I16X8, swiden_high),
            O::I32x4ExtMulHighI16x8U => extended_product!(self, I16X8, uwiden_high),
            O::I64x2ExtMulLowI32x4S => extended_product!(self, I32X4, swiden_low),
            O::I64x2ExtMulLowI32x4U => extended_product!(self, I32X4, uwiden_low),
            O::I64x2ExtMulHighI32x4S => extended_product!(self, I32X4, swiden_high),
            O::I64x2ExtMulHighI32x4U => extended_product!(self, I32X4, uwiden_high),
            O::I32x4DotI16x8S => self.dot(I16X8),
            O::I16x8RelaxedDotI8x16I7x16S => self.dot(I8X16),
            O::I32x4RelaxedDotI8x16I7x16AddS => self.dot_add(),

            O::F32x4Abs => one!(self, F32X4, fabs),
            O::F64x2Abs => one!(self, F64X2, fabs),
            O::F32x4Neg => one!(self, F32X4, fneg),
            O::F64x2Neg => one!(self, F64X2, fneg),
            O::F32x4Sqrt => one!(self, F32X4, sqrt),
            O::F64x2Sqrt => one!(self, F64X2, sqrt),
            O::F32x4Ceil => one!(self, F32X4, ceil),
            O::F64x2Ceil => one!(self, F64X2, ceil),
            O::F32x4Floor => one!(self, F32X4, floor),
            O::F64x2Floor => one!(self, F64X2, floor),
            O::F32x4Trunc => one!(self, F32X4, trunc),
            O::F64x2Trunc => one!(self, F64X2, trunc),
            O::F32x4Nearest => one!(self, F32X4, nearest),
            O::F64x2Nearest => one!(self, F64X2, nearest),
            O::F32x4Add => two!(self, F32X4, fadd),
            O::F64x2Add => two!(self, F64X2, fadd),
            O::F32x4Sub => two!(self, F32X4, fsub),
            O::F64x2Sub => two!(self, F64X2, fsub),
            O::F32x4Mul => two!(self, F32X4, fmul),
            O::F64x2Mul => two!(self, F64X2, fmul),
            O::F32x4Div => two!(self, F32X4, fdiv),
            O::F64x2Div => two!(self, F64X2, fdiv),
            O::F32x4Min | O::F32x4RelaxedMin => two!(self, F32X4, fmin),
            O::F64x2Min | O::F64x2RelaxedMin => two!(self, F64X2, fmin),
            O::F32x4Max | O::F32x4RelaxedMax => two!(self, F32X4, fmax),
            O::F64x2Max | O::F64x2RelaxedMax => two!(self, F64X2, fmax),
            O::F32x4PMin => self.pseudo_min(F32X4),
            O::F64x2PMin => self.pseudo_min(F64X2),
            O::F32x4PMax => self.pseudo_max(F32X4),
            O::F64x2PMax => self.pseudo_max(F64X2),
            O::F32x4RelaxedMadd => self.madd(F32X4, false),
            O::F64x2RelaxedMadd => self.madd(F64X2, false),
            O::F32x4RelaxedNmadd => self.madd(F32X4, true),
            O::F64x2RelaxedNmadd => self.madd(F64X2, true),

            O::F32x4ConvertI32x4S => self.convert(I32X4, |ins, a| ins.fcvt_from_sint(F32X4, a)),
            O::F32x4ConvertI32x4U => self.convert(I32X4, |ins, a| ins.fcvt_from_uint(F32X4, a)),
            O::F64x2ConvertLowI32x4S => {
                one!(self, I32X4, swiden_low);
                self.convert(I64X2, |ins, a| ins.fcvt_from_sint(F64X2, a));
            }
            O::F64x2ConvertLowI32x4U => {
                one!(self, I32X4, uwiden_low);
                self.convert(I64X2, |ins, a| ins.fcvt_from_uint(F64X2, a));
            }
            O::F32x4DemoteF64x2Zero => one!(self, F64X2, fvdemote),
            O::F64x2PromoteLowF32x4 => one!(self, F32X4, fvpromote_low),
            O::I32x4TruncSatF32x4S | O::I32x4RelaxedTruncF32x4S => {
                self.convert(F32X4, |ins, a| ins.fcvt_to_sint_sat(I32X4, a));
            }
            O::I32x4TruncSatF32x4U | O::I32x4RelaxedTruncF32x4U => {
                self.convert(F32X4, |ins, a| ins.fcvt_to_uint_sat(I32X4, a));
            }
            O::I32x4TruncSatF64x2SZero | O::I32x4RelaxedTruncF64x2SZero => {
                self.convert(F64X2, |ins, a| ins.fcvt_to_sint_sat(I64X2, a));
                let wide = self.pop_vector(I64X2);
                let zero = self.vector_const(I64X2, &[0; 16]);
                let value = self.b.ins().snarrow(wide, zero);
                self.push(value);
            }
            O::I32x4TruncSatF64x2UZero | O::I32x4RelaxedTruncF64x2UZero => {
                self.convert(F64X2, |ins, a| ins.fcvt_to_uint_sat(I64X2, a));
                let wide = self.pop_vector(I64X2);
                let zero = self.vector_const(I64X2, &[0; 16]);
                let value = self.b.ins().uunarrow(wide, zero);
                self.push(value);
            }
            _ => return false,
        }
        true
    }

    /// Pops two vectors with the same lanes, the second from the top first.
    fn pop_vectors(&mut self, lanes: ir::Type) -> (ir::Value, ir::Value) {
        let second = self.pop_vector(lanes);
        (self.pop_vector(lanes), second)
    }

    fn vector_const(&mut self, lanes: ir::Type, bytes: &[u8; 16]) -> ir::Value {
        let constant = self.b.func.dfg.constants.insert(bytes[..].into());
        self.b.ins().vconst(lanes, constant)
    }

    fn load_splat(&mut self, lanes: ir::Type, memarg: &MemArg) {
        let lane = self.load_lane_value(lanes, memarg);
        let value = self.b.ins().splat(lanes, lane);
        self.push(value);
    }

    fn load_zero(&mut self, lanes: ir::Type, memarg: &MemArg) {
        let lane = self.load_lane_value(lanes, memarg);
        let value = self.b.ins().scalar_to_vector(lanes, lane);
        self.push(value);
    }

    fn load_lane(&mut self, lanes: ir::Type, memarg: &MemArg, lane: u8) {
        let vector = self.pop_vector(lanes);
        let value = self.load_lane_value(lanes, memarg);
        let value = self.b.ins().insertlane(vector, value, lane);
        self.push(value);
    }

    fn load_lane_value(&mut self, lanes: ir::Type, memarg: &MemArg) -> ir::Value {
        let ty = lanes.lane_type();
        let at = self.place(memarg, ty.bytes());
        self.b.ins().load(ty, at.flags, at.address, at.offset)
    }

    fn store_lane(&mut self, lanes: ir::Type, memarg: &MemArg, lane: u8) {
        let vector = self.pop_vector(lanes);
        let at = self.place(memarg, lanes.lane_type().bytes());
        let value = self.b.ins().extractlane(vector, lane);
        self.b.ins().store(at.flags, value, at.address, at.offset);
    }

    fn splat(&mut self, lanes: ir::Type) {
        let value = self.pop_lane(lanes);
        let value = self.b.ins().splat(lanes, value);
        self.push(value);
    }

    fn replace(&mut self, lanes: ir::Type, lane: u8) {
        let value = self.pop_lane(lanes);
        let vector = self.pop_vector(lanes);
        let value = self.b.ins().insertlane(vector, value, lane);
        self.push(value);
    }

    /// Pops a scalar as one lane.
    fn pop_lane(&mut self, lanes: ir::Type) -> ir::Value {
        let value = self.pop();
        match lanes.lane_type() {
            ty @ (I8 | I16) => self.b.ins().ireduce(ty, value),
            I32 | I64 | F32 | F64 => value,
            _ => unreachable!("lanes of vectors have these types"),
        }
    }

    fn extract(&mut self, lanes: ir::Type, lane: u8) {
        let vector = self.pop_vector(lanes);
        let value = self.b.ins().extractlane(vector, lane);
        self.push(value);
    }

    fn extract_extended(&mut self, lanes: ir::Type, lane: u8, signed: bool) {
        let vector = self.pop_vector(lanes);
        let value = self.b.ins().extractlane(vector, lane);
        let value = if signed {
            self.b.ins().sextend(I32, value)
        } else {
            self.b.ins().uextend(I32, value)
        };
        self.push(value);
    }

    fn vector_icmp(&mut self, lanes: ir::Type, condition: IntCC) {
        let (a, b) = self.pop_vectors(lanes);
        let value = self.b.ins().icmp(condition, a, b);
        self.push(value);
    }

    fn vector_fcmp(&mut self, lanes: ir::Type, condition: FloatCC) {
        let (a, b) = self.pop_vectors(lanes);
        let value = self.b.ins().fcmp(condition, a, b);
        self.push(value);
    }

    fn bitmask(&mut self, lanes: ir::Type) {
        let a = self.pop_vector(lanes);
        let value = self.b.ins().vhigh_bits(I32, a);
        self.push(value);
    }

    /// Products of lanes, added to their neighbours.
    fn dot(&mut self, lanes: ir::Type) {
        let (a, b) = self.pop_vectors(lanes);
        let [low_a, low_b] = [a, b].map(|v| self.b.ins().swiden_low(v));
        let low = self.b.ins().imul(low_a, low_b);
        let [high_a, high_b] = [a, b].map(|v| self.b.ins().swiden_high(v));
        let high = self.b.ins().imul(high_a, high_b);
        let value = self.b.ins().iadd_pairwise(low, high);
        self.push(value);
    }

    /// Products of lanes of 8 bits, added to their three neighbours and to a
    /// third operand.
    fn dot_add(&mut self) {
        let c = self.pop_vector(I32X4);
        self.dot(I8X16);
        pairwise!(self, I16X8, swiden_low, swiden_high);
        let sums = self.pop_vector(I32X4);
        let value = self.b.ins().iadd(sums, c);
        self.push(value);
    }

    /// The second operand where it is less, else the first.
    fn pseudo_min(&mut self, lanes: ir::Type) {
        let (a, b) = self.pop_vectors(lanes);
        let less = self.b.ins().fcmp(FloatCC::LessThan, b, a);
        self.select_lanes(less, b, a, lanes);
    }

    /// The second operand where it is greater, else the first.
    fn pseudo_max(&mut self, lanes: ir::Type) {
        let (a, b) = self.pop_vectors(lanes);
        let greater = self.b.ins().fcmp(FloatCC::LessThan, a, b);
        self.select_lanes(greater, b, a, lanes);
    }

    fn select_lanes(&mut self, mask: ir::Value, a: ir::Value, b: ir::Value, lanes: ir::Type) {
        let mask = self.as_lanes(mask, lanes);
        let value = self.b.ins().bitselect(mask, a, b);
        self.push(value);
    }

    /// `a × b + c` with two roundings, or `c - a × b`.
    fn madd(&mut self, lanes: ir::Type, negate: bool) {
        let c = self.pop_vector(lanes);
        let (a, b) = self.pop_vectors(lanes);
        let product = self.b.ins().fmul(a, b);
        let value = if negate {
            self.b.ins().fsub(c, product)
        } else {
            self.b.ins().fadd(product, c)
        };
        self.push(value);
    }

    fn convert(
        &mut self,
        lanes: ir::Type,
        emit: impl FnOnce(cranelift_frontend::FuncInstBuilder<'_, '_>, ir::Value) -> ir::Value,
    ) {
        let a = self.pop_vector(lanes);
        let value = emit(self.b.ins(), a);
        self.push(value);
    }
}
