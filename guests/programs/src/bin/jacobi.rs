//! Floating point: Jacobi's method for the heat equation on a square.

use std::mem;
use std::process::ExitCode;

const N: usize = 130;

type Grid = [[f64; N]; N];

fn main() -> ExitCode {
    programs::run(|size| {
        let mut grid: Box<Grid> = Box::new([[0.0; N]; N]);
        for (at, cell) in grid[0].iter_mut().enumerate() {
            *cell = at as f64;
        }
        let mut next = grid.clone();
        let mut change = 0.0;
        for _ in 0..size * 60 {
            change = sweep(&grid, &mut next);
            mem::swap(&mut grid, &mut next);
        }
        programs::mix(f64::to_bits(change), grid[N / 4][N / 2].to_bits())
    })
}

/// Replaces every inner cell by the mean of its neighbours; the sum of the
/// squares of all changes.
#[inline(never)]
fn sweep(grid: &Grid, next: &mut Grid) -> f64 {
    let mut change = 0.0;
    for row in 1..N - 1 {
        for column in 1..N - 1 {
            let sum = grid[row - 1][column]
                + grid[row + 1][column]
                + grid[row][column - 1]
                + grid[row][column + 1];
            let mean = 0.25 * sum;
            let difference = mean - grid[row][column];
            change += difference * difference;
            next[row][column] = mean;
        }
    }
    change
}
