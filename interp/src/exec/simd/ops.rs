//! The vector operations over slots, each listed once, by shape.
//!
//! The names are those of the instructions in `wasmparser`, so that lowering
//! needs no table of its own. Relaxed operations do what their strict
//! counterparts do, or what the specification's deterministic profile says.

/// Hands all rows to another macro.
macro_rules! simd_ops {
    ($with:ident) => {
        $with! {
            // Lane by lane, one operand: `Name(operand and result, |lane| lane)`.
            map {
                I8x16Abs([i8; 16], |x| x.wrapping_abs()),
                I8x16Neg([i8; 16], |x| x.wrapping_neg()),
                I16x8Abs([i16; 8], |x| x.wrapping_abs()),
                I16x8Neg([i16; 8], |x| x.wrapping_neg()),
                I32x4Abs([i32; 4], |x| x.wrapping_abs()),
                I32x4Neg([i32; 4], |x| x.wrapping_neg()),
                I64x2Abs([i64; 2], |x| x.wrapping_abs()),
                I64x2Neg([i64; 2], |x| x.wrapping_neg()),
                I8x16Popcnt([u8; 16], |x| x.count_ones() as u8),
                V128Not([u64; 2], |x| !x),
                F32x4Abs([u32; 4], |x| x & (u32::MAX >> 1)),
                F32x4Neg([u32; 4], |x| x ^ (1 << 31)),
                F32x4Sqrt([f32; 4], |x| x.sqrt()),
                F64x2Abs([u64; 2], |x| x & (u64::MAX >> 1)),
                F64x2Neg([u64; 2], |x| x ^ (1 << 63)),
                F64x2Sqrt([f64; 2], |x| x.sqrt()),
            }
            // Lane by lane, two operands: `Name(operands and result, |lane, lane| lane)`.
            zip {
                V128And([u64; 2], |x, y| x & y),
                V128AndNot([u64; 2], |x, y| x & !y),
                V128Or([u64; 2], |x, y| x | y),
                V128Xor([u64; 2], |x, y| x ^ y),
                I8x16Add([u8; 16], |x, y| x.wrapping_add(y)),
                I8x16Sub([u8; 16], |x, y| x.wrapping_sub(y)),
                I8x16AddSatS([i8; 16], |x, y| x.saturating_add(y)),
                I8x16AddSatU([u8; 16], |x, y| x.saturating_add(y)),
                I8x16SubSatS([i8; 16], |x, y| x.saturating_sub(y)),
                I8x16SubSatU([u8; 16], |x, y| x.saturating_sub(y)),
                I8x16AvgrU([u8; 16], |x, y| ((u32::from(x) + u32::from(y) + 1) >> 1) as u8),
                I8x16MinS([i8; 16], |x, y| x.min(y)),
                I8x16MinU([u8; 16], |x, y| x.min(y)),
                I8x16MaxS([i8; 16], |x, y| x.max(y)),
                I8x16MaxU([u8; 16], |x, y| x.max(y)),
                I16x8Add([u16; 8], |x, y| x.wrapping_add(y)),
                I16x8Sub([u16; 8], |x, y| x.wrapping_sub(y)),
                I16x8Mul([u16; 8], |x, y| x.wrapping_mul(y)),
                I16x8AddSatS([i16; 8], |x, y| x.saturating_add(y)),
                I16x8AddSatU([u16; 8], |x, y| x.saturating_add(y)),
                I16x8SubSatS([i16; 8], |x, y| x.saturating_sub(y)),
                I16x8SubSatU([u16; 8], |x, y| x.saturating_sub(y)),
                I16x8AvgrU([u16; 8], |x, y| ((u32::from(x) + u32::from(y) + 1) >> 1) as u16),
                I16x8MinS([i16; 8], |x, y| x.min(y)),
                I16x8MinU([u16; 8], |x, y| x.min(y)),
                I16x8MaxS([i16; 8], |x, y| x.max(y)),
                I16x8MaxU([u16; 8], |x, y| x.max(y)),
                I32x4Add([u32; 4], |x, y| x.wrapping_add(y)),
                I32x4Sub([u32; 4], |x, y| x.wrapping_sub(y)),
                I32x4Mul([u32; 4], |x, y| x.wrapping_mul(y)),
                I32x4MinS([i32; 4], |x, y| x.min(y)),
                I32x4MinU([u32; 4], |x, y| x.min(y)),
                I32x4MaxS([i32; 4], |x, y| x.max(y)),
                I32x4MaxU([u32; 4], |x, y| x.max(y)),
                I64x2Add([u64; 2], |x, y| x.wrapping_add(y)),
                I64x2Sub([u64; 2], |x, y| x.wrapping_sub(y)),
                I64x2Mul([u64; 2], |x, y| x.wrapping_mul(y)),
                I16x8Q15MulrSatS([i16; 8], |x, y| q15mulr(x, y)),
                I16x8RelaxedQ15mulrS([i16; 8], |x, y| q15mulr(x, y)),
                F32x4Add([f32; 4], |x, y| x + y),
                F32x4Sub([f32; 4], |x, y| x - y),
                F32x4Mul([f32; 4], |x, y| x * y),
                F32x4Div([f32; 4], |x, y| x / y),
                F32x4Min([f32; 4], |x, y| x.lane_min(y)),
                F32x4RelaxedMin([f32; 4], |x, y| x.lane_min(y)),
                F32x4Max([f32; 4], |x, y| x.lane_max(y)),
                F32x4RelaxedMax([f32; 4], |x, y| x.lane_max(y)),
                F64x2Min([f64; 2], |x, y| x.lane_min(y)),
                F64x2RelaxedMin([f64; 2], |x, y| x.lane_min(y)),
                F64x2Max([f64; 2], |x, y| x.lane_max(y)),
                F64x2RelaxedMax([f64; 2], |x, y| x.lane_max(y)),
                F32x4PMin([f32; 4], |x, y| if y < x { y } else { x }),
                F32x4PMax([f32; 4], |x, y| if x < y { y } else { x }),
                F64x2Add([f64; 2], |x, y| x + y),
                F64x2Sub([f64; 2], |x, y| x - y),
                F64x2Mul([f64; 2], |x, y| x * y),
                F64x2Div([f64; 2], |x, y| x / y),
                F64x2PMin([f64; 2], |x, y| if y < x { y } else { x }),
                F64x2PMax([f64; 2], |x, y| if x < y { y } else { x }),
            }
            // Comparisons of lanes: `Name(operands, result, operator)`.
            compare {
                I8x16Eq([i8; 16], [i8; 16], ==),
                I8x16Ne([i8; 16], [i8; 16], !=),
                I8x16LtS([i8; 16], [i8; 16], <),
                I8x16LtU([u8; 16], [i8; 16], <),
                I8x16GtS([i8; 16], [i8; 16], >),
                I8x16GtU([u8; 16], [i8; 16], >),
                I8x16LeS([i8; 16], [i8; 16], <=),
                I8x16LeU([u8; 16], [i8; 16], <=),
                I8x16GeS([i8; 16], [i8; 16], >=),
                I8x16GeU([u8; 16], [i8; 16], >=),
                I16x8Eq([i16; 8], [i16; 8], ==),
                I16x8Ne([i16; 8], [i16; 8], !=),
                I16x8LtS([i16; 8], [i16; 8], <),
                I16x8LtU([u16; 8], [i16; 8], <),
                I16x8GtS([i16; 8], [i16; 8], >),
                I16x8GtU([u16; 8], [i16; 8], >),
                I16x8LeS([i16; 8], [i16; 8], <=),
                I16x8LeU([u16; 8], [i16; 8], <=),
                I16x8GeS([i16; 8], [i16; 8], >=),
                I16x8GeU([u16; 8], [i16; 8], >=),
                I32x4Eq([i32; 4], [i32; 4], ==),
                I32x4Ne([i32; 4], [i32; 4], !=),
                I32x4LtS([i32; 4], [i32; 4], <),
                I32x4LtU([u32; 4], [i32; 4], <),
                I32x4GtS([i32; 4], [i32; 4], >),
                I32x4GtU([u32; 4], [i32; 4], >),
                I32x4LeS([i32; 4], [i32; 4], <=),
                I32x4LeU([u32; 4], [i32; 4], <=),
                I32x4GeS([i32; 4], [i32; 4], >=),
                I32x4GeU([u32; 4], [i32; 4], >=),
                I64x2Eq([i64; 2], [i64; 2], ==),
                I64x2Ne([i64; 2], [i64; 2], !=),
                I64x2LtS([i64; 2], [i64; 2], <),
                I64x2GtS([i64; 2], [i64; 2], >),
                I64x2LeS([i64; 2], [i64; 2], <=),
                I64x2GeS([i64; 2], [i64; 2], >=),
                F32x4Eq([f32; 4], [i32; 4], ==),
                F32x4Ne([f32; 4], [i32; 4], !=),
                F32x4Lt([f32; 4], [i32; 4], <),
                F32x4Gt([f32; 4], [i32; 4], >),
                F32x4Le([f32; 4], [i32; 4], <=),
                F32x4Ge([f32; 4], [i32; 4], >=),
                F64x2Eq([f64; 2], [i64; 2], ==),
                F64x2Ne([f64; 2], [i64; 2], !=),
                F64x2Lt([f64; 2], [i64; 2], <),
                F64x2Gt([f64; 2], [i64; 2], >),
                F64x2Le([f64; 2], [i64; 2], <=),
                F64x2Ge([f64; 2], [i64; 2], >=),
            }
            // One operand: `Name(operand => result, |vector| vector)`.
            unary {
                F32x4Ceil([f32; 4] => [f32; 4], |a| arch::ceil_f32x4(a)),
                F32x4Floor([f32; 4] => [f32; 4], |a| arch::floor_f32x4(a)),
                F32x4Trunc([f32; 4] => [f32; 4], |a| arch::trunc_f32x4(a)),
                F32x4Nearest([f32; 4] => [f32; 4], |a| arch::nearest_f32x4(a)),
                F64x2Ceil([f64; 2] => [f64; 2], |a| arch::ceil_f64x2(a)),
                F64x2Floor([f64; 2] => [f64; 2], |a| arch::floor_f64x2(a)),
                F64x2Trunc([f64; 2] => [f64; 2], |a| arch::trunc_f64x2(a)),
                F64x2Nearest([f64; 2] => [f64; 2], |a| arch::nearest_f64x2(a)),
                I16x8ExtendLowI8x16S([i8; 16] => [i16; 8], |a| low(a, i16::from)),
                I16x8ExtendLowI8x16U([u8; 16] => [u16; 8], |a| low(a, u16::from)),
                I16x8ExtendHighI8x16S([i8; 16] => [i16; 8], |a| high(a, i16::from)),
                I16x8ExtendHighI8x16U([u8; 16] => [u16; 8], |a| high(a, u16::from)),
                I32x4ExtendLowI16x8S([i16; 8] => [i32; 4], |a| low(a, i32::from)),
                I32x4ExtendLowI16x8U([u16; 8] => [u32; 4], |a| low(a, u32::from)),
                I32x4ExtendHighI16x8S([i16; 8] => [i32; 4], |a| high(a, i32::from)),
                I32x4ExtendHighI16x8U([u16; 8] => [u32; 4], |a| high(a, u32::from)),
                I64x2ExtendLowI32x4S([i32; 4] => [i64; 2], |a| low(a, i64::from)),
                I64x2ExtendLowI32x4U([u32; 4] => [u64; 2], |a| low(a, u64::from)),
                I64x2ExtendHighI32x4S([i32; 4] => [i64; 2], |a| high(a, i64::from)),
                I64x2ExtendHighI32x4U([u32; 4] => [u64; 2], |a| high(a, u64::from)),
                I16x8ExtAddPairwiseI8x16S([i8; 16] => [i16; 8], |a| pairwise(a, |x, y| i16::from(x) + i16::from(y))),
                I16x8ExtAddPairwiseI8x16U([u8; 16] => [u16; 8], |a| pairwise(a, |x, y| u16::from(x) + u16::from(y))),
                I32x4ExtAddPairwiseI16x8S([i16; 8] => [i32; 4], |a| pairwise(a, |x, y| i32::from(x) + i32::from(y))),
                I32x4ExtAddPairwiseI16x8U([u16; 8] => [u32; 4], |a| pairwise(a, |x, y| u32::from(x) + u32::from(y))),
                I32x4TruncSatF32x4S([f32; 4] => [i32; 4], |a| map(a, |x| x as i32)),
                I32x4RelaxedTruncF32x4S([f32; 4] => [i32; 4], |a| map(a, |x| x as i32)),
                I32x4TruncSatF64x2SZero([f64; 2] => [i32; 4], |[x, y]| [x as i32, y as i32, 0, 0]),
                I32x4RelaxedTruncF64x2SZero([f64; 2] => [i32; 4], |[x, y]| [x as i32, y as i32, 0, 0]),
                F32x4ConvertI32x4S([i32; 4] => [f32; 4], |a| map(a, |x| x as f32)),
                F64x2ConvertLowI32x4S([i32; 4] => [f64; 2], |a| low(a, f64::from)),
                I32x4TruncSatF32x4U([f32; 4] => [u32; 4], |a| map(a, |x| x as u32)),
                I32x4RelaxedTruncF32x4U([f32; 4] => [u32; 4], |a| map(a, |x| x as u32)),
                I32x4TruncSatF64x2UZero([f64; 2] => [u32; 4], |[x, y]| [x as u32, y as u32, 0, 0]),
                I32x4RelaxedTruncF64x2UZero([f64; 2] => [u32; 4], |[x, y]| [x as u32, y as u32, 0, 0]),
                F32x4ConvertI32x4U([u32; 4] => [f32; 4], |a| map(a, |x| x as f32)),
                F64x2ConvertLowI32x4U([u32; 4] => [f64; 2], |a| low(a, f64::from)),
                F32x4DemoteF64x2Zero([f64; 2] => [f32; 4], |[x, y]| [x as f32, y as f32, 0.0, 0.0]),
                F64x2PromoteLowF32x4([f32; 4] => [f64; 2], |a| low(a, f64::from)),
            }
            // Two operands: `Name(operands => result, |vector, vector| vector)`.
            binary {
                I8x16Swizzle([u8; 16] => [u8; 16], |a, b| arch::swizzle(a, b)),
                I8x16RelaxedSwizzle([u8; 16] => [u8; 16], |a, b| arch::swizzle(a, b)),
                I8x16NarrowI16x8S([i16; 8] => [i8; 16], |a, b| narrow(a, b, |x| x.clamp(i8::MIN.into(), i8::MAX.into()) as i8)),
                I8x16NarrowI16x8U([i16; 8] => [u8; 16], |a, b| narrow(a, b, |x| x.clamp(0, u8::MAX.into()) as u8)),
                I16x8NarrowI32x4S([i32; 4] => [i16; 8], |a, b| narrow(a, b, |x| x.clamp(i16::MIN.into(), i16::MAX.into()) as i16)),
                I16x8NarrowI32x4U([i32; 4] => [u16; 8], |a, b| narrow(a, b, |x| x.clamp(0, u16::MAX.into()) as u16)),
                I16x8ExtMulLowI8x16S([i8; 16] => [i16; 8], |a, b| zip(low(a, i16::from), low(b, i16::from), |x, y| x * y)),
                I16x8ExtMulLowI8x16U([u8; 16] => [u16; 8], |a, b| zip(low(a, u16::from), low(b, u16::from), |x, y| x * y)),
                I16x8ExtMulHighI8x16S([i8; 16] => [i16; 8], |a, b| zip(high(a, i16::from), high(b, i16::from), |x, y| x * y)),
                I16x8ExtMulHighI8x16U([u8; 16] => [u16; 8], |a, b| zip(high(a, u16::from), high(b, u16::from), |x, y| x * y)),
                I32x4ExtMulLowI16x8S([i16; 8] => [i32; 4], |a, b| zip(low(a, i32::from), low(b, i32::from), |x, y| x * y)),
                I32x4ExtMulLowI16x8U([u16; 8] => [u32; 4], |a, b| zip(low(a, u32::from), low(b, u32::from), |x, y| x * y)),
                I32x4ExtMulHighI16x8S([i16; 8] => [i32; 4], |a, b| zip(high(a, i32::from), high(b, i32::from), |x, y| x * y)),
                I32x4ExtMulHighI16x8U([u16; 8] => [u32; 4], |a, b| zip(high(a, u32::from), high(b, u32::from), |x, y| x * y)),
                I64x2ExtMulLowI32x4S([i32; 4] => [i64; 2], |a, b| zip(low(a, i64::from), low(b, i64::from), |x, y| x * y)),
                I64x2ExtMulLowI32x4U([u32; 4] => [u64; 2], |a, b| zip(low(a, u64::from), low(b, u64::from), |x, y| x * y)),
                I64x2ExtMulHighI32x4S([i32; 4] => [i64; 2], |a, b| zip(high(a, i64::from), high(b, i64::from), |x, y| x * y)),
                I64x2ExtMulHighI32x4U([u32; 4] => [u64; 2], |a, b| zip(high(a, u64::from), high(b, u64::from), |x, y| x * y)),
                I32x4DotI16x8S([i16; 8] => [i32; 4], |a, b| arch::dot_i16x8(a, b)),
                I16x8RelaxedDotI8x16I7x16S([i8; 16] => [i16; 8], |a, b| dot_i8(a, b)),
            }
            // Three operands: `Name(two operands, the last => result, |vector, vector, vector| vector)`.
            ternary {
                V128Bitselect([u64; 2], [u64; 2] => [u64; 2], |a, b, c| bitselect(a, b, c)),
                I8x16RelaxedLaneselect([u64; 2], [u64; 2] => [u64; 2], |a, b, c| bitselect(a, b, c)),
                I16x8RelaxedLaneselect([u64; 2], [u64; 2] => [u64; 2], |a, b, c| bitselect(a, b, c)),
                I32x4RelaxedLaneselect([u64; 2], [u64; 2] => [u64; 2], |a, b, c| bitselect(a, b, c)),
                I64x2RelaxedLaneselect([u64; 2], [u64; 2] => [u64; 2], |a, b, c| bitselect(a, b, c)),
                F32x4RelaxedMadd([f32; 4], [f32; 4] => [f32; 4], |a, b, c| madd(a, b, c)),
                F32x4RelaxedNmadd([f32; 4], [f32; 4] => [f32; 4], |a, b, c| nmadd(a, b, c)),
                F64x2RelaxedMadd([f64; 2], [f64; 2] => [f64; 2], |a, b, c| madd(a, b, c)),
                F64x2RelaxedNmadd([f64; 2], [f64; 2] => [f64; 2], |a, b, c| nmadd(a, b, c)),
                I32x4RelaxedDotI8x16I7x16AddS([i8; 16], [i32; 4] => [i32; 4], |a, b, c| dot_add(a, b, c)),
            }
            // Shifts, by an `i32` modulo the lane's width: `Name(operand and result, |lane, u32| lane)`.
            shift {
                I8x16Shl([u8; 16], |x, n| x.wrapping_shl(n)),
                I8x16ShrS([i8; 16], |x, n| x.wrapping_shr(n)),
                I8x16ShrU([u8; 16], |x, n| x.wrapping_shr(n)),
                I16x8Shl([u16; 8], |x, n| x.wrapping_shl(n)),
                I16x8ShrS([i16; 8], |x, n| x.wrapping_shr(n)),
                I16x8ShrU([u16; 8], |x, n| x.wrapping_shr(n)),
                I32x4Shl([u32; 4], |x, n| x.wrapping_shl(n)),
                I32x4ShrS([i32; 4], |x, n| x.wrapping_shr(n)),
                I32x4ShrU([u32; 4], |x, n| x.wrapping_shr(n)),
                I64x2Shl([u64; 2], |x, n| x.wrapping_shl(n)),
                I64x2ShrS([i64; 2], |x, n| x.wrapping_shr(n)),
                I64x2ShrU([u64; 2], |x, n| x.wrapping_shr(n)),
            }
            // A vector to an `i32`: `Name(operand, |vector| slot)`.
            test {
                V128AnyTrue([u64; 2], |a| u64::from((a[0] | a[1]) != 0)),
                I8x16AllTrue([i8; 16], |a| u64::from(all_true(a))),
                I16x8AllTrue([i16; 8], |a| u64::from(all_true(a))),
                I32x4AllTrue([i32; 4], |a| u64::from(all_true(a))),
                I64x2AllTrue([i64; 2], |a| u64::from(all_true(a))),
                I8x16Bitmask([u64; 2], |a| bitmask_8(a)),
                I16x8Bitmask([u64; 2], |a| bitmask_16(a)),
                I32x4Bitmask([u64; 2], |a| bitmask_32(a)),
                I64x2Bitmask([u64; 2], |a| a[0] >> 63 | a[1] >> 63 << 1),
            }
            // A scalar to all lanes: `Name(result, |slot| vector)`.
            splat {
                I8x16Splat([u8; 16], |x| [x as u8; 16]),
                I16x8Splat([u16; 8], |x| [x as u16; 8]),
                I32x4Splat([u32; 4], |x| [x as u32; 4]),
                I64x2Splat([u64; 2], |x| [x; 2]),
                F32x4Splat([u32; 4], |x| [x as u32; 4]),
                F64x2Splat([u64; 2], |x| [x; 2]),
            }
            // A lane to an integer: `Name(lane, |lane| slot)`.
            extract {
                I8x16ExtractLaneS(i8, |x| u64::from(x as u32)),
                I8x16ExtractLaneU(u8, |x| u64::from(x)),
                I16x8ExtractLaneS(i16, |x| u64::from(x as u32)),
                I16x8ExtractLaneU(u16, |x| u64::from(x)),
                I32x4ExtractLane(u32, |x| u64::from(x)),
                I64x2ExtractLane(u64, |x| x),
            }
            // A lane to a float's bits: `Name(lane, |lane| slot)`.
            extract_float {
                F32x4ExtractLane(u32, |x| u64::from(x)),
                F64x2ExtractLane(u64, |x| x),
            }
            // A scalar to one lane: `Name(lane, |slot| lane)`.
            replace {
                I8x16ReplaceLane(u8, |x| x as u8),
                I16x8ReplaceLane(u16, |x| x as u16),
                I32x4ReplaceLane(u32, |x| x as u32),
                I64x2ReplaceLane(u64, |x| x),
                F32x4ReplaceLane(u32, |x| x as u32),
                F64x2ReplaceLane(u64, |x| x),
            }
        }
    };
}

/// Loads of vectors but `v128.load` itself, as `Name(access, in memory =>
/// result, |bits| vector)`; loads of one lane; stores of one lane.
macro_rules! simd_memory_ops {
    ($with:ident) => {
        $with! {
            load {
                V128Load8x8S(load64, u64 => [i16; 8], |v| map(v.to_le_bytes(), |x| i16::from(x as i8))),
                V128Load16x4S(load64, u64 => [i32; 4], |v| map(quarters(v), |x| i32::from(x as i16))),
                V128Load32x2S(load64, u64 => [i64; 2], |v| map(halves(v), |x| i64::from(x as i32))),
                V128Load8x8U(load64, u64 => [u16; 8], |v| map(v.to_le_bytes(), |x| u16::from(x))),
                V128Load16x4U(load64, u64 => [u32; 4], |v| map(quarters(v), |x| u32::from(x))),
                V128Load32x2U(load64, u64 => [u64; 2], |v| map(halves(v), |x| u64::from(x))),
                V128Load8Splat(load8_u, u8 => [u8; 16], |v| [v as u8; 16]),
                V128Load16Splat(load16_u, u16 => [u16; 8], |v| [v as u16; 8]),
                V128Load32Splat(load32_u, u32 => [u32; 4], |v| [v as u32; 4]),
                V128Load64Splat(load64, u64 => [u64; 2], |v| [v; 2]),
                V128Load32Zero(load32_u, u32 => [u64; 2], |v| [v, 0]),
                V128Load64Zero(load64, u64 => [u64; 2], |v| [v, 0]),
            }
            load_lane {
                V128Load8Lane(load8_u, u8),
                V128Load16Lane(load16_u, u16),
                V128Load32Lane(load32_u, u32),
                V128Load64Lane(load64, u64),
            }
            store_lane {
                V128Store8Lane(store8, u8),
                V128Store16Lane(store16, u16),
                V128Store32Lane(store32, u32),
                V128Store64Lane(store64, u64),
            }
        }
    };
}

pub(crate) use {simd_memory_ops, simd_ops};
