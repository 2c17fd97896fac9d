//! Small integer matrices: 16-bit loads, 32-bit multiply and add, bit fields.

use super::crc16::Crc16;

const N: usize = 10;

pub struct Matrices {
    a: [[i16; N]; N],
    b: [[i16; N]; N],
    product: [[i32; N]; N],
}

impl Matrices {
    pub fn new() -> Self {
        let mut matrices = Self {
            a: [[0; N]; N],
            b: [[0; N]; N],
            product: [[0; N]; N],
        };
        for row in 0..N {
            for column in 0..N {
                matrices.a[row][column] = (row * 11 + column * 7) as i16 % 29;
                matrices.b[row][column] = (row * 5 + column * 13) as i16 % 31;
            }
        }
        matrices
    }

    /// Runs all operations with `seed` mixed in, leaving `a` as it was.
    pub fn exercise(&mut self, seed: u16) -> u16 {
        let seed = seed as i16;
        let mut crc = Crc16::default();
        self.add_constant(seed);
        self.multiply_constant(seed);
        crc.add_u16(self.rises());
        self.multiply_vector();
        crc.add_u16(self.rises());
        self.multiply(|product| product);
        crc.add_u16(self.rises());
        self.multiply(|product| (product >> 2 & 0x0F) * (product >> 5 & 0x7F));
        crc.add_u16(self.rises());
        self.add_constant(-seed);
        crc.value()
    }

    fn add_constant(&mut self, constant: i16) {
        for cell in self.a.iter_mut().flatten() {
            *cell = cell.wrapping_add(constant);
        }
    }

    fn multiply_constant(&mut self, constant: i16) {
        for (row, cells) in self.product.iter_mut().enumerate() {
            for (column, cell) in cells.iter_mut().enumerate() {
                *cell = i32::from(self.a[row][column]) * i32::from(constant);
            }
        }
    }

    fn multiply_vector(&mut self) {
        for row in 0..N {
            let sum =
                (0..N).map(|inner| i32::from(self.a[row][inner]) * i32::from(self.b[0][inner]));
            self.product[row][0] = sum.sum();
        }
    }

    /// The product of `a` and `b`, every term put through `term` before it is
    /// added.
    #[inline(always)]
    fn multiply(&mut self, term: impl Fn(i32) -> i32) {
        for row in 0..N {
            for column in 0..N {
                let mut sum = 0i32;
                for inner in 0..N {
                    let product = i32::from(self.a[row][inner]) * i32::from(self.b[inner][column]);
                    sum = sum.wrapping_add(term(product));
                }
                self.product[row][column] = sum;
            }
        }
    }

    /// Walks the product and counts: ten for every time that a running sum
    /// leaves its range, one for every cell greater than the one before it.
    fn rises(&self) -> u16 {
        let (mut sum, mut last, mut count) = (0i32, 0, 0u16);
        for &cell in self.product.iter().flatten() {
            sum = sum.wrapping_add(cell);
            if sum > 2000 {
                sum = 0;
                count = count.wrapping_add(10);
            } else if cell > last {
                count = count.wrapping_add(1);
            }
            last = cell;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exercise_restores_its_input() {
        let mut matrices = Matrices::new();
        let first = matrices.exercise(5);
        assert_eq!(matrices.a, Matrices::new().a);
        assert_eq!(matrices.exercise(5), first);
    }
}
