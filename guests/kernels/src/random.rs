//! Numbers that look random and are the same on every run.

/// A linear congruential generator (constants from Numerical Recipes), of which
/// the upper half is used.
pub struct Random(u32);

impl Random {
    pub fn new(seed: u32) -> Self {
        Self(seed)
    }

    /// The next number, uniform over 16 bits.
    pub fn next_u16(&mut self) -> u16 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 16) as u16
    }

    /// The next number, uniform over 32 bits.
    pub fn next_u32(&mut self) -> u32 {
        u32::from(self.next_u16()) << 16 | u32::from(self.next_u16())
    }
}
