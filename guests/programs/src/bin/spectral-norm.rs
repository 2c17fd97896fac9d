//! Floating point: the spectral norm of an infinite matrix, by power iteration.

use std::process::ExitCode;

const N: usize = 100;

type Vector = [f64; N];

fn main() -> ExitCode {
    programs::run(|size| {
        let mut u = [1.0; N];
        let mut v = [0.0; N];
        // Of every round, since the vectors soon stay the same.
        let mut checksum = 0;
        for _ in 0..size * 35 {
            v = multiply(&multiply(&u, entry), |row, column| entry(column, row));
            u = multiply(&multiply(&v, entry), |row, column| entry(column, row));
            let length = dot(&u, &u).sqrt();
            u = u.map(|value| value / length);
            checksum = programs::mix(checksum, length.to_bits());
        }
        programs::mix(checksum, dot(&u, &v).to_bits())
    })
}

fn entry(row: usize, column: usize) -> f64 {
    let diagonal = row + column;
    1.0 / (diagonal * (diagonal + 1) / 2 + row + 1) as f64
}

fn multiply(vector: &Vector, entry: impl Fn(usize, usize) -> f64) -> Vector {
    let mut product = [0.0; N];
    for (row, sum) in product.iter_mut().enumerate() {
        for (column, value) in vector.iter().enumerate() {
            *sum += entry(row, column) * value;
        }
    }
    product
}

fn dot(a: &Vector, b: &Vector) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
