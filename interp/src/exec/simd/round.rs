//! Rounding for x86-64 processors without SSE 4.1, where the methods of the
//! standard library are calls. These have neither calls nor branches, so that
//! the handlers save no registers for the sake of a path that hardly any
//! processor takes.

/// Rounding of a lane to an integer.
pub(crate) trait SoftRound {
    fn soft_nearest(self) -> Self;
    fn soft_floor(self) -> Self;
    fn soft_ceil(self) -> Self;
    fn soft_trunc(self) -> Self;
}

macro_rules! soft_round {
    ($($ty:ty),*) => {$(
        impl SoftRound for $ty {
            #[inline(always)]
            fn soft_nearest(self) -> Self {
                // From here up all floats are integers: a sum with it is rounded.
                const WHOLE: $ty = (1u64 << (<$ty>::MANTISSA_DIGITS - 1)) as $ty;
                let size = self.abs();
                let rounded = (size + WHOLE - WHOLE).copysign(self);
                // The addition quiets a NaN and leaves everything else alone.
                if size < WHOLE { rounded } else { self + 0.0 }
            }
            #[inline(always)]
            fn soft_floor(self) -> Self {
                let nearest = self.soft_nearest();
                let floor = if nearest > self { nearest - 1.0 } else { nearest };
                floor.copysign(self)
            }
            #[inline(always)]
            fn soft_ceil(self) -> Self {
                let nearest = self.soft_nearest();
                let ceil = if nearest < self { nearest + 1.0 } else { nearest };
                ceil.copysign(self)
            }
            #[inline(always)]
            fn soft_trunc(self) -> Self {
                self.abs().soft_floor().copysign(self)
            }
        }
    )*};
}
soft_round!(f32, f64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_rounding_is_that_of_the_standard_library() {
        let mut values = vec![
            0.0,
            f64::MIN_POSITIVE,
            f64::INFINITY,
            f64::MAX,
            f64::from(f32::MAX),
            0.49999999999999994,
        ];
        for exponent in -3..60 {
            let power = 2f64.powi(exponent);
            for factor in [1.0, 1.25, 1.5, 1.75, 1.0 + f64::EPSILON, 2.0 - f64::EPSILON] {
                values.extend([power * factor, power * factor - 0.5, power * factor + 0.5]);
            }
        }
        for value in values.into_iter().flat_map(|value| [value, -value]) {
            let same = |a: f64, b: f64| assert_eq!(a.to_bits(), b.to_bits(), "{value}: {a} {b}");
            same(value.soft_nearest(), value.round_ties_even());
            same(value.soft_floor(), value.floor());
            same(value.soft_ceil(), value.ceil());
            same(value.soft_trunc(), value.trunc());
            let value = value as f32;
            let same = |a: f32, b: f32| assert_eq!(a.to_bits(), b.to_bits(), "{value}: {a} {b}");
            same(value.soft_nearest(), value.round_ties_even());
            same(value.soft_floor(), value.floor());
            same(value.soft_ceil(), value.ceil());
            same(value.soft_trunc(), value.trunc());
        }
        let signalling = f32::from_bits(0xffa0_0000);
        // An arithmetic NaN: the specification leaves the rest of it open, and so
        // does LLVM where it computes this while compiling.
        for quieted in [signalling.soft_trunc(), signalling.soft_nearest()] {
            assert!(quieted.is_nan() && quieted.to_bits() & 0x0040_0000 != 0);
        }
    }
}
