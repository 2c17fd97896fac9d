//! A vector as an array of lanes, and how operations are made of what they do
//! to a lane.
//!
//! Lane 0 is the lowest bits, so that an array is the vector's image in memory
//! on little-endian processors, the only ones that this family is written for.
//! The loops below have constant bounds and are inlined into their handlers,
//! where LLVM makes vector instructions of them. They are not
//! `std::array::from_fn` or iterators: a helper that was not inlined would take
//! the array's address, and the handler would lose its sibling call.

#[cfg(target_endian = "big")]
compile_error!("vectors are stored as arrays of little-endian lanes");

/// An array that is a vector.
///
/// # Safety
/// It has 16 bytes, all of them initialised, every bit pattern is valid, and it
/// is aligned to 8 bytes at most, as slots are.
pub(crate) unsafe trait Lanes: Copy {}

macro_rules! lanes {
    ($($ty:ty),*) => {$(
        // SAFETY: 16 bytes of integers or floats.
        unsafe impl Lanes for $ty {}
        const _: () = assert!(size_of::<$ty>() == 16 && align_of::<$ty>() <= align_of::<u64>());
    )*};
}
lanes! {
    [u8; 16], [i8; 16], [u16; 8], [i16; 8], [u32; 4], [i32; 4], [u64; 2], [i64; 2], [f32; 4],
    [f64; 2]
}

/// A lane that can stand for a truth value: all ones or all zeros.
pub(crate) trait Mask {
    fn mask(holds: bool) -> Self;
}

macro_rules! masks {
    ($($ty:ty),*) => {$(
        impl Mask for $ty {
            #[inline(always)]
            fn mask(holds: bool) -> Self {
                <$ty>::from(holds).wrapping_neg()
            }
        }
    )*};
}
masks!(i8, i16, i32, i64);

/// `f` of each lane.
#[inline(always)]
pub(crate) fn map<T: Copy, U: Copy + Default, const N: usize>(
    a: [T; N],
    f: impl Fn(T) -> U,
) -> [U; N] {
    let mut d = [U::default(); N];
    let mut i = 0;
    while i < N {
        d[i] = f(a[i]);
        i += 1;
    }
    d
}

/// `f` of each pair of lanes.
#[inline(always)]
pub(crate) fn zip<T: Copy, U: Copy, V: Copy + Default, const N: usize>(
    a: [T; N],
    b: [U; N],
    f: impl Fn(T, U) -> V,
) -> [V; N] {
    let mut d = [V::default(); N];
    let mut i = 0;
    while i < N {
        d[i] = f(a[i], b[i]);
        i += 1;
    }
    d
}

/// `f` of the first `M` lanes.
#[inline(always)]
pub(crate) fn low<T: Copy, U: Copy + Default, const N: usize, const M: usize>(
    a: [T; N],
    f: impl Fn(T) -> U,
) -> [U; M] {
    let mut d = [U::default(); M];
    let mut i = 0;
    while i < M {
        d[i] = f(a[i]);
        i += 1;
    }
    d
}

/// `f` of the last `M` lanes.
#[inline(always)]
pub(crate) fn high<T: Copy, U: Copy + Default, const N: usize, const M: usize>(
    a: [T; N],
    f: impl Fn(T) -> U,
) -> [U; M] {
    let mut d = [U::default(); M];
    let mut i = 0;
    while i < M {
        d[i] = f(a[N - M + i]);
        i += 1;
    }
    d
}

/// `f` of each two neighbouring lanes.
#[inline(always)]
pub(crate) fn pairwise<T: Copy, U: Copy + Default, const N: usize, const M: usize>(
    a: [T; N],
    f: impl Fn(T, T) -> U,
) -> [U; M] {
    let mut d = [U::default(); M];
    let mut i = 0;
    while i < M {
        d[i] = f(a[2 * i], a[2 * i + 1]);
        i += 1;
    }
    d
}

/// `f` of each lane of `a`, then of each lane of `b`.
#[inline(always)]
pub(crate) fn narrow<T: Copy, U: Copy + Default, const N: usize, const M: usize>(
    a: [T; N],
    b: [T; N],
    f: impl Fn(T) -> U,
) -> [U; M] {
    let mut d = [U::default(); M];
    let mut i = 0;
    while i < N {
        d[i] = f(a[i]);
        d[N + i] = f(b[i]);
        i += 1;
    }
    d
}

/// Each bit of `a` where `c` has a one, of `b` where it has a zero.
#[inline(always)]
pub(crate) fn bitselect(a: [u64; 2], b: [u64; 2], c: [u64; 2]) -> [u64; 2] {
    [a[0] & c[0] | b[0] & !c[0], a[1] & c[1] | b[1] & !c[1]]
}

/// `fmin` and `fmax` of the specification, section 4.3.3, without branches:
/// LLVM makes selections of branches in one lane, but not in four.
pub(crate) trait LaneMinMax {
    fn lane_min(self, other: Self) -> Self;
    fn lane_max(self, other: Self) -> Self;
}

macro_rules! lane_min_max {
    ($($ty:ty),*) => {$(
        impl LaneMinMax for $ty {
            #[inline(always)]
            fn lane_min(self, other: Self) -> Self {
                // These differ for zeros alone, of which a negative one wins.
                let a = if self < other { self } else { other };
                let b = if other < self { other } else { self };
                let least = <$ty>::from_bits(a.to_bits() | b.to_bits());
                let sum = self + other;
                if self.is_nan() | other.is_nan() { sum } else { least }
            }
            #[inline(always)]
            fn lane_max(self, other: Self) -> Self {
                let a = if self > other { self } else { other };
                let b = if other > self { other } else { self };
                let greatest = <$ty>::from_bits(a.to_bits() & b.to_bits());
                let sum = self + other;
                if self.is_nan() | other.is_nan() { sum } else { greatest }
            }
        }
    )*};
}
lane_min_max!(f32, f64);

/// `a × b + c` with two roundings.
#[inline(always)]
pub(crate) fn madd<T, const N: usize>(a: [T; N], b: [T; N], c: [T; N]) -> [T; N]
where
    T: Copy + Default + std::ops::Mul<Output = T> + std::ops::Add<Output = T>,
{
    zip(zip(a, b, |x, y| x * y), c, |x, y| x + y)
}

/// `-(a × b) + c` with two roundings.
#[inline(always)]
pub(crate) fn nmadd<T, const N: usize>(a: [T; N], b: [T; N], c: [T; N]) -> [T; N]
where
    T: Copy + Default + std::ops::Mul<Output = T> + std::ops::Sub<Output = T>,
{
    zip(zip(a, b, |x, y| x * y), c, |x, y| y - x)
}

/// The products of lanes, added to their neighbours. Not for x86-64, but for
/// the tests.
#[cfg(any(test, not(target_arch = "x86_64")))]
#[inline(always)]
pub(crate) fn soft_dot_i16(a: [i16; 8], b: [i16; 8]) -> [i32; 4] {
    pairwise(
        zip(a, b, |x, y| i32::from(x) * i32::from(y)),
        i32::wrapping_add,
    )
}

/// The products of lanes, added to their neighbours.
#[inline(always)]
pub(crate) fn dot_i8(a: [i8; 16], b: [i8; 16]) -> [i16; 8] {
    pairwise(
        zip(a, b, |x, y| i16::from(x) * i16::from(y)),
        i16::wrapping_add,
    )
}

/// The products of lanes, added to their three neighbours and to `c`.
#[inline(always)]
pub(crate) fn dot_add(a: [i8; 16], b: [i8; 16], c: [i32; 4]) -> [i32; 4] {
    let sums = pairwise(dot_i8(a, b), |x, y| i32::from(x) + i32::from(y));
    zip(sums, c, i32::wrapping_add)
}

/// The upper half of a product of 16-bit fractions, rounded and saturated.
#[inline(always)]
pub(crate) fn q15mulr(x: i16, y: i16) -> i16 {
    let product = (i32::from(x) * i32::from(y) + 0x4000) >> 15;
    // Only the square of -1 is too great.
    product.min(0x7fff) as i16
}

/// Whether no lane is zero.
#[inline(always)]
pub(crate) fn all_true<T: Copy + Default + PartialEq, const N: usize>(a: [T; N]) -> bool {
    let mut zeros = 0u32;
    let mut i = 0;
    while i < N {
        zeros |= u32::from(a[i] == T::default());
        i += 1;
    }
    zeros == 0
}

/// The sign bits of 16 lanes of 8 bits. A multiplication gathers those of 8
/// lanes in the highest byte.
#[inline(always)]
pub(crate) fn bitmask_8(a: [u64; 2]) -> u64 {
    let gather =
        |half: u64| ((half >> 7 & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080)) >> 56;
    gather(a[0]) | gather(a[1]) << 8
}

/// The sign bits of 8 lanes of 16 bits. A multiplication gathers those of 4
/// lanes in bits 48 to 51.
#[inline(always)]
pub(crate) fn bitmask_16(a: [u64; 2]) -> u64 {
    let gather = |half: u64| {
        ((half >> 15 & 0x0001_0001_0001_0001).wrapping_mul(0x0001_0002_0004_0008)) >> 48 & 15
    };
    gather(a[0]) | gather(a[1]) << 4
}

/// The sign bits of 4 lanes of 32 bits.
#[inline(always)]
pub(crate) fn bitmask_32(a: [u64; 2]) -> u64 {
    let gather = |half: u64| half >> 31 & 1 | half >> 63 << 1;
    gather(a[0]) | gather(a[1]) << 2
}

/// The four 16-bit parts of a word.
#[inline(always)]
pub(crate) fn quarters(v: u64) -> [u16; 4] {
    [
        v as u16,
        (v >> 16) as u16,
        (v >> 32) as u16,
        (v >> 48) as u16,
    ]
}

/// The two 32-bit parts of a word.
#[inline(always)]
pub(crate) fn halves(v: u64) -> [u32; 2] {
    [v as u32, (v >> 32) as u32]
}

/// The lanes of `a` that `lanes` names, 0 for those from 16 up, byte by byte.
#[inline(always)]
pub(crate) fn soft_swizzle(a: [u8; 16], lanes: [u8; 16]) -> [u8; 16] {
    map(
        lanes,
        |lane| {
            if lane < 16 { a[usize::from(lane)] } else { 0 }
        },
    )
}

/// The lanes of `a` and, from 16 up, of `b` that `lanes` names, all below 32,
/// byte by byte.
#[inline(always)]
pub(crate) fn soft_shuffle(a: [u8; 16], b: [u8; 16], lanes: [u8; 16]) -> [u8; 16] {
    map(lanes, |lane| {
        let from = if lane < 16 { a } else { b };
        from[usize::from(lane & 15)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch;
    use std::array::from_fn;

    #[test]
    fn byte_shuffles_do_the_same_with_and_without_instructions() {
        arch::detect();
        let a: [u8; 16] = from_fn(|i| 0x10 + i as u8);
        let b: [u8; 16] = from_fn(|i| 0xa0 + i as u8);
        for first in 0..=255u8 {
            let lanes = from_fn(|i| first.wrapping_add(17 * i as u8));
            assert_eq!(arch::swizzle(a, lanes), soft_swizzle(a, lanes), "{lanes:?}");
            let lanes = lanes.map(|lane| lane % 32);
            assert_eq!(
                arch::shuffle(a, b, lanes),
                soft_shuffle(a, b, lanes),
                "{lanes:?}"
            );
        }
        let reversed = from_fn(|i| 31 - 2 * i as u8);
        let expected: [u8; 16] = from_fn(|i| {
            if i < 8 {
                0xaf - 2 * i as u8
            } else {
                0x2f - 2 * i as u8
            }
        });
        assert_eq!(soft_shuffle(a, b, reversed), expected);
    }

    #[test]
    fn bit_masks_gather_the_sign_of_each_lane() {
        for bits in 0..=0xffffu64 {
            let byte = |i: usize| (0x7f + (bits >> i & 1)) as u8;
            let bytes: [u8; 16] = from_fn(byte);
            let halves = u128::from_le_bytes(bytes);
            let words = [halves as u64, (halves >> 64) as u64];
            assert_eq!(bitmask_8(words), bits);
            let every =
                |n: usize| (0..16 / n).fold(0, |mask, i| mask | (bits >> (n * i + n - 1) & 1) << i);
            assert_eq!(bitmask_16(words), every(2), "{bits:#x}");
            assert_eq!(bitmask_32(words), every(4), "{bits:#x}");
        }
    }

    #[test]
    fn minimum_and_maximum_order_zeros_and_keep_nans() {
        let nan = f32::NAN;
        let cases: [(f32, f32, f32, f32); 8] = [
            (1.0, 2.0, 1.0, 2.0),
            (2.0, 1.0, 1.0, 2.0),
            (0.0, -0.0, -0.0, 0.0),
            (-0.0, 0.0, -0.0, 0.0),
            (
                f32::NEG_INFINITY,
                f32::INFINITY,
                f32::NEG_INFINITY,
                f32::INFINITY,
            ),
            (nan, 1.0, nan, nan),
            (1.0, nan, nan, nan),
            (nan, nan, nan, nan),
        ];
        for (a, b, min, max) in cases {
            assert_eq!(
                a.lane_min(b).to_bits() << 1 >> 1,
                min.to_bits() << 1 >> 1,
                "{a} {b}"
            );
            assert_eq!(
                a.lane_max(b).to_bits() << 1 >> 1,
                max.to_bits() << 1 >> 1,
                "{a} {b}"
            );
            assert!(min.is_nan() || a.lane_min(b).is_sign_negative() == min.is_sign_negative());
            assert!(max.is_nan() || a.lane_max(b).is_sign_negative() == max.is_sign_negative());
        }
    }

    #[test]
    fn dot_products_wrap_and_q15_products_saturate() {
        assert_eq!(dot_i8([-128; 16], [-128; 16]), [i16::MIN; 8]);
        assert_eq!(
            dot_add([127; 16], [127; 16], [i32::MAX; 4]),
            [i32::MIN + 64515; 4]
        );
        let a = [i16::MIN, i16::MIN, 1, 2, -3, 4, i16::MAX, -1];
        let b = [i16::MIN, i16::MIN, 5, -6, 7, 8, i16::MAX, i16::MIN];
        assert_eq!(soft_dot_i16(a, b), [i32::MIN, -7, 11, 0x3fff_8001]);
        assert_eq!(arch::dot_i16x8(a, b), soft_dot_i16(a, b));
        assert_eq!(q15mulr(i16::MIN, i16::MIN), i16::MAX);
        assert_eq!(q15mulr(i16::MIN, i16::MAX), -32767);
    }
}
