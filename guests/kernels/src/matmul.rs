//! Dense matrix multiplication in double precision: floating-point arithmetic,
//! strided loads, three nested loops.

const N: usize = 64;

type Matrix = [[f64; N]; N];

/// Multiplies two 64 × 64 matrices `rounds` times.
///
/// The entries are small integers, so every product and sum is exact and the
/// checksum does not depend on the order of additions.
pub fn run(rounds: i32) -> i32 {
    let mut a = matrix(|row, column| (row * 3 + column * 5) % 17);
    let b = matrix(|row, column| (row * 7 + column) % 13);
    let mut product = [[0.0; N]; N];
    let mut checksum = 0i32;
    for round in 0..rounds {
        multiply(&a, &b, &mut product);
        let at = round as usize % N;
        checksum = checksum
            .wrapping_mul(31)
            .wrapping_add(product[at][N - 1 - at] as i32);
        // The next round must depend on this one, or it could be hoisted.
        a[at][at] = f64::from(checksum & 15);
    }
    checksum
}

fn matrix(entry: impl Fn(usize, usize) -> usize) -> Matrix {
    let mut matrix = [[0.0; N]; N];
    for (row, cells) in matrix.iter_mut().enumerate() {
        for (column, cell) in cells.iter_mut().enumerate() {
            *cell = entry(row, column) as f64;
        }
    }
    matrix
}

#[inline(never)]
fn multiply(a: &Matrix, b: &Matrix, product: &mut Matrix) {
    for row in 0..N {
        for column in 0..N {
            let mut sum = 0.0;
            for inner in 0..N {
                sum += a[row][inner] * b[inner][column];
            }
            product[row][column] = sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_changes_nothing() {
        let identity = matrix(|row, column| usize::from(row == column));
        let a = matrix(|row, column| row * N + column);
        let mut product = [[0.0; N]; N];
        multiply(&a, &identity, &mut product);
        assert_eq!(product, a);
    }

    #[test]
    fn known_checksums() {
        for (rounds, expected) in [(0, 0), (1, 3127), (10, 822_676_017)] {
            assert_eq!(run(rounds), expected, "{rounds} rounds");
        }
    }
}
