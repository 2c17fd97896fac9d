//! Vector instructions.
//!
//! Operands and results are in slots; a `v128` takes two, the lower half first.
//! There is no vector accumulator: what a handler saves by one, it loses again
//! where a call or a label wants the value in its slots.
//!
//! * [`ops`] lists the operations; an operation is a type that handlers are
//!   generic over.
//! * [`lanes`] has what operations are made of.
//! * [`memory`] has the loads and stores.
//!
//! ```text
//!  operation    [handler] [d:16 a:16 b:16 c:16]        the lane, if any, in c
//!  shift        the same, or the constant number of bits in b
//!  constant     [handler] [d:16 _] [low:64] [high:64]
//!  shuffle      [handler] [d:16 a:16 b:16 _] [lanes:8 × 16]
//!  global.get   [handler] [d:16 _ global:32]           offset in the instance block
//!  global.set   [handler] [a:16 _ global:32]
//! ```

pub(crate) mod lanes;
pub(crate) mod memory;
mod ops;
#[cfg(any(test, target_arch = "x86_64"))]
pub(crate) mod round;

use super::regs::{Handler, Regs, dispatch, handler};
use crate::arch;
use lanes::*;
use ops::simd_ops;
use rwasm_runtime::layout::{GlobalDef, VmCtx};

/// An operation with one operand.
pub(crate) trait Unary {
    type A: Lanes;
    type D: Lanes;
    fn apply(a: Self::A) -> Self::D;
}

/// An operation with two operands.
pub(crate) trait Binary {
    type A: Lanes;
    type D: Lanes;
    fn apply(a: Self::A, b: Self::A) -> Self::D;
}

/// An operation with three operands.
pub(crate) trait Ternary {
    type A: Lanes;
    type C: Lanes;
    type D: Lanes;
    fn apply(a: Self::A, b: Self::A, c: Self::C) -> Self::D;
}

/// A shift of all lanes by one number of bits.
pub(crate) trait Shift {
    type A: Lanes;
    fn apply(a: Self::A, bits: u32) -> Self::A;
}

/// An operation from a vector to an `i32`.
pub(crate) trait Test {
    type A: Lanes;
    fn apply(a: Self::A) -> u64;
}

/// A vector made of a scalar.
pub(crate) trait Splat {
    type D: Lanes;
    fn apply(a: u64) -> Self::D;
}

/// A read of one lane.
pub(crate) trait Extract {
    type Lane: Copy;
    fn apply(lane: Self::Lane) -> u64;
}

/// A write of one lane.
pub(crate) trait Replace {
    type Lane: Copy;
    fn apply(a: u64) -> Self::Lane;
}

impl Regs {
    /// The vector that begins in frame slot `slot`.
    #[inline(always)]
    pub(super) unsafe fn vector<L: Lanes>(&self, slot: usize) -> L {
        // SAFETY: the contract of all handlers; any 16 bytes are such a vector,
        // which is aligned as slots are.
        unsafe { *self.fp.add(slot).cast::<L>() }
    }

    /// Sets the vector that begins in frame slot `slot`.
    #[inline(always)]
    pub(super) unsafe fn set_vector<L: Lanes>(&mut self, slot: usize, value: L) {
        // SAFETY: the contract of all handlers; aligned as above.
        unsafe { *self.fp.add(slot).cast::<L>() = value }
    }

    /// Address of a lane of the vector that begins in frame slot `slot`.
    #[inline(always)]
    pub(super) unsafe fn lane<T>(&self, slot: usize, lane: usize) -> *mut T {
        // SAFETY: the contract of all handlers; validation has bounded the lane.
        unsafe { self.fp.add(slot).cast::<T>().add(lane) }
    }
}

/// Bytes of an operation.
const SIZE: usize = 16;

handler! {
    fn unary<O: Unary>(r) {
        let a = r.vector(r.ip.u16(10));
        r.set_vector(r.ip.u16(8), O::apply(a));
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

handler! {
    fn binary<O: Binary>(r) {
        let a = r.vector(r.ip.u16(10));
        let b = r.vector(r.ip.u16(12));
        r.set_vector(r.ip.u16(8), O::apply(a, b));
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

handler! {
    fn ternary<O: Ternary>(r) {
        let a = r.vector(r.ip.u16(10));
        let b = r.vector(r.ip.u16(12));
        let c = r.vector(r.ip.u16(14));
        r.set_vector(r.ip.u16(8), O::apply(a, b, c));
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

handler! {
    fn shift<O: Shift>(r) {
        let a = r.vector(r.ip.u16(10));
        let bits = r.slot(r.ip.u16(12)) as u32;
        r.set_vector(r.ip.u16(8), O::apply(a, bits));
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

handler! {
    fn shift_by_constant<O: Shift>(r) {
        let a = r.vector(r.ip.u16(10));
        r.set_vector(r.ip.u16(8), O::apply(a, r.ip.u16(12) as u32));
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

handler! {
    fn test<O: Test>(r) {
        let a = r.vector(r.ip.u16(10));
        r.set_slot(r.ip.u16(8), O::apply(a));
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

handler! {
    fn splat<O: Splat>(r) {
        let a = r.slot(r.ip.u16(10));
        r.set_vector(r.ip.u16(8), O::apply(a));
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

handler! {
    fn extract<O: Extract>(r) {
        let lane: *const O::Lane = r.lane(r.ip.u16(10), r.ip.u16(14));
        r.set_slot(r.ip.u16(8), O::apply(*lane));
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

handler! {
    fn replace<O: Replace>(r) {
        let a: [u64; 2] = r.vector(r.ip.u16(10));
        let b = r.slot(r.ip.u16(12));
        r.set_vector(r.ip.u16(8), a);
        *r.lane(r.ip.u16(8), r.ip.u16(14)) = O::apply(b);
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

handler! {
    /// `d = a`
    fn copy<>(r) {
        let a: [u64; 2] = r.vector(r.ip.u16(10));
        r.set_vector(r.ip.u16(8), a);
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

handler! {
    /// `d = if c != 0 then a else b`
    fn select<>(r) {
        let from = if r.slot(r.ip.u16(14)) as u32 != 0 { r.ip.u16(10) } else { r.ip.u16(12) };
        let value: [u64; 2] = r.vector(from);
        r.set_vector(r.ip.u16(8), value);
        r.ip = r.ip.next(SIZE);
        dispatch!(r)
    }
}

handler! {
    fn constant<>(r) {
        let value: [u64; 2] = [r.ip.u64(16), r.ip.u64(24)];
        r.set_vector(r.ip.u16(8), value);
        r.ip = r.ip.next(32);
        dispatch!(r)
    }
}

handler! {
    fn shuffle<>(r) {
        let a = r.vector(r.ip.u16(10));
        let b = r.vector(r.ip.u16(12));
        let lanes = *r.ip.0.add(2).cast::<[u8; 16]>();
        r.set_vector(r.ip.u16(8), arch::shuffle(a, b, lanes));
        r.ip = r.ip.next(32);
        dispatch!(r)
    }
}

handler! {
    fn global_get<>(r) {
        let global: *mut GlobalDef = VmCtx::pointer_at(r.vmctx(), r.ip.u32(12));
        r.set_vector(r.ip.u16(8), (*global).value);
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

handler! {
    fn global_set<>(r) {
        let global: *mut GlobalDef = VmCtx::pointer_at(r.vmctx(), r.ip.u32(12));
        (*global).value = r.vector(r.ip.u16(8));
        r.ip = r.ip.next(16);
        dispatch!(r)
    }
}

/// What the operands and the result of an operation are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Slots of each operand.
    pub(crate) operands: &'static [u16],
    /// What the result is.
    pub(crate) result: ResultKind,
    /// Whether a lane is named.
    pub(crate) has_lane: bool,
}

/// What the result of an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResultKind {
    Vector,
    Int,
    Float,
}

const fn shape(operands: &'static [u16], result: ResultKind, has_lane: bool) -> Shape {
    Shape {
        operands,
        result,
        has_lane,
    }
}

const UNARY: Shape = shape(&[2], ResultKind::Vector, false);
const BINARY: Shape = shape(&[2, 2], ResultKind::Vector, false);
const TERNARY: Shape = shape(&[2, 2, 2], ResultKind::Vector, false);
const SHIFT: Shape = shape(&[2, 1], ResultKind::Vector, false);
const TEST: Shape = shape(&[2], ResultKind::Int, false);
const SPLAT: Shape = shape(&[1], ResultKind::Vector, false);
const EXTRACT: Shape = shape(&[2], ResultKind::Int, true);
const EXTRACT_FLOAT: Shape = shape(&[2], ResultKind::Float, true);
const REPLACE: Shape = shape(&[2, 1], ResultKind::Vector, true);
const SELECT: Shape = shape(&[2, 2, 1], ResultKind::Vector, false);

macro_rules! operations {
    (
        map { $($map:ident($map_ty:ty, |$map_x:ident| $map_e:expr),)* }
        zip { $($zip:ident($zip_ty:ty, |$zip_x:ident, $zip_y:ident| $zip_e:expr),)* }
        compare { $($cmp:ident($cmp_ty:ty, $cmp_d:ty, $cmp_op:tt),)* }
        unary { $($un:ident($un_ty:ty => $un_d:ty, |$un_a:pat_param| $un_e:expr),)* }
        binary { $($bin:ident($bin_ty:ty => $bin_d:ty, |$bin_a:ident, $bin_b:ident| $bin_e:expr),)* }
        ternary { $($ter:ident($ter_ty:ty, $ter_c_ty:ty => $ter_d:ty, |$ter_a:ident, $ter_b:ident, $ter_c:ident| $ter_e:expr),)* }
        shift { $($shift:ident($shift_ty:ty, |$shift_x:ident, $shift_n:ident| $shift_e:expr),)* }
        test { $($test:ident($test_ty:ty, |$test_a:ident| $test_e:expr),)* }
        splat { $($splat:ident($splat_d:ty, |$splat_x:ident| $splat_e:expr),)* }
        extract { $($ext:ident($ext_ty:ty, |$ext_x:ident| $ext_e:expr),)* }
        extract_float { $($extf:ident($extf_ty:ty, |$extf_x:ident| $extf_e:expr),)* }
        replace { $($rep:ident($rep_ty:ty, |$rep_x:ident| $rep_e:expr),)* }
    ) => {
        /// A vector operation over slots, named as in `wasmparser`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum SimdOp {
            /// `d = a`
            Copy,
            /// `d = if c then a else b`
            Select,
            $($map,)* $($zip,)* $($cmp,)* $($un,)* $($bin,)* $($ter,)* $($shift,)*
            $($test,)* $($splat,)* $($ext,)* $($extf,)* $($rep,)*
        }

        impl SimdOp {
            /// The operation of an instruction, and the lane if it names one.
            pub(crate) fn of(operator: &wasmparser::Operator<'_>) -> Option<(SimdOp, u8)> {
                use wasmparser::Operator;
                Some(match *operator {
                    $(Operator::$map => (SimdOp::$map, 0),)*
                    $(Operator::$zip => (SimdOp::$zip, 0),)*
                    $(Operator::$cmp => (SimdOp::$cmp, 0),)*
                    $(Operator::$un => (SimdOp::$un, 0),)*
                    $(Operator::$bin => (SimdOp::$bin, 0),)*
                    $(Operator::$ter => (SimdOp::$ter, 0),)*
                    $(Operator::$shift => (SimdOp::$shift, 0),)*
                    $(Operator::$test => (SimdOp::$test, 0),)*
                    $(Operator::$splat => (SimdOp::$splat, 0),)*
                    $(Operator::$ext { lane } => (SimdOp::$ext, lane),)*
                    $(Operator::$extf { lane } => (SimdOp::$extf, lane),)*
                    $(Operator::$rep { lane } => (SimdOp::$rep, lane),)*
                    _ => return None,
                })
            }

            /// What its operands and its result are.
            pub(crate) fn shape(self) -> Shape {
                match self {
                    SimdOp::Copy $(| SimdOp::$map)* $(| SimdOp::$un)* => UNARY,
                    SimdOp::Select => SELECT,
                    $(SimdOp::$zip)|* $(| SimdOp::$cmp)* $(| SimdOp::$bin)* => BINARY,
                    $(SimdOp::$ter)|* => TERNARY,
                    $(SimdOp::$shift)|* => SHIFT,
                    $(SimdOp::$test)|* => TEST,
                    $(SimdOp::$splat)|* => SPLAT,
                    $(SimdOp::$ext)|* => EXTRACT,
                    $(SimdOp::$extf)|* => EXTRACT_FLOAT,
                    $(SimdOp::$rep)|* => REPLACE,
                }
            }

            /// The handler of the operation.
            pub(crate) fn handler(self) -> Handler {
                match self {
                    SimdOp::Copy => copy,
                    SimdOp::Select => select,
                    $(SimdOp::$map => unary::<$map>,)*
                    $(SimdOp::$zip => binary::<$zip>,)*
                    $(SimdOp::$cmp => binary::<$cmp>,)*
                    $(SimdOp::$un => unary::<$un>,)*
                    $(SimdOp::$bin => binary::<$bin>,)*
                    $(SimdOp::$ter => ternary::<$ter>,)*
                    $(SimdOp::$shift => shift::<$shift>,)*
                    $(SimdOp::$test => test::<$test>,)*
                    $(SimdOp::$splat => splat::<$splat>,)*
                    $(SimdOp::$ext => extract::<$ext>,)*
                    $(SimdOp::$extf => extract::<$extf>,)*
                    $(SimdOp::$rep => replace::<$rep>,)*
                }
            }

            /// The handler of a shift by a constant, if the operation is a shift.
            pub(crate) fn constant_shift_handler(self) -> Option<Handler> {
                match self {
                    $(SimdOp::$shift => Some(shift_by_constant::<$shift>),)*
                    _ => None,
                }
            }
        }

        $(
            struct $map;
            impl Unary for $map {
                type A = $map_ty;
                type D = $map_ty;
                #[inline(always)]
                fn apply(a: $map_ty) -> $map_ty { map(a, |$map_x| $map_e) }
            }
        )*
        $(
            struct $zip;
            impl Binary for $zip {
                type A = $zip_ty;
                type D = $zip_ty;
                #[inline(always)]
                fn apply(a: $zip_ty, b: $zip_ty) -> $zip_ty { zip(a, b, |$zip_x, $zip_y| $zip_e) }
            }
        )*
        $(
            struct $cmp;
            impl Binary for $cmp {
                type A = $cmp_ty;
                type D = $cmp_d;
                #[inline(always)]
                fn apply(a: $cmp_ty, b: $cmp_ty) -> $cmp_d { zip(a, b, |x, y| Mask::mask(x $cmp_op y)) }
            }
        )*
        $(
            struct $un;
            impl Unary for $un {
                type A = $un_ty;
                type D = $un_d;
                #[inline(always)]
                fn apply($un_a: $un_ty) -> $un_d { $un_e }
            }
        )*
        $(
            struct $bin;
            impl Binary for $bin {
                type A = $bin_ty;
                type D = $bin_d;
                #[inline(always)]
                fn apply($bin_a: $bin_ty, $bin_b: $bin_ty) -> $bin_d { $bin_e }
            }
        )*
        $(
            struct $ter;
            impl Ternary for $ter {
                type A = $ter_ty;
                type C = $ter_c_ty;
                type D = $ter_d;
                #[inline(always)]
                fn apply($ter_a: $ter_ty, $ter_b: $ter_ty, $ter_c: $ter_c_ty) -> $ter_d { $ter_e }
            }
        )*
        $(
            struct $shift;
            impl Shift for $shift {
                type A = $shift_ty;
                #[inline(always)]
                fn apply(a: $shift_ty, $shift_n: u32) -> $shift_ty { map(a, |$shift_x| $shift_e) }
            }
        )*
        $(
            struct $test;
            impl Test for $test {
                type A = $test_ty;
                #[inline(always)]
                fn apply($test_a: $test_ty) -> u64 { $test_e }
            }
        )*
        $(
            struct $splat;
            impl Splat for $splat {
                type D = $splat_d;
                #[inline(always)]
                fn apply($splat_x: u64) -> $splat_d { $splat_e }
            }
        )*
        $(
            struct $ext;
            impl Extract for $ext {
                type Lane = $ext_ty;
                #[inline(always)]
                fn apply($ext_x: $ext_ty) -> u64 { $ext_e }
            }
        )*
        $(
            struct $extf;
            impl Extract for $extf {
                type Lane = $extf_ty;
                #[inline(always)]
                fn apply($extf_x: $extf_ty) -> u64 { $extf_e }
            }
        )*
        $(
            struct $rep;
            impl Replace for $rep {
                type Lane = $rep_ty;
                #[inline(always)]
                fn apply($rep_x: u64) -> $rep_ty { $rep_e }
            }
        )*
    };
}
simd_ops!(operations);

/// The handler of `v128.const`.
pub(crate) fn constant_handler() -> Handler {
    constant
}

/// The handler of `i8x16.shuffle`.
pub(crate) fn shuffle_handler() -> Handler {
    shuffle
}

/// The handler of `global.get` of a vector.
pub(crate) fn global_get_handler() -> Handler {
    global_get
}

/// The handler of `global.set` of a vector.
pub(crate) fn global_set_handler() -> Handler {
    global_set
}
