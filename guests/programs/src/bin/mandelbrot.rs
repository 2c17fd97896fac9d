//! Floating point: the Mandelbrot set, one point at a time.

use std::process::ExitCode;

const SIDE: u32 = 64;
const ROUNDS: u32 = 200;

fn main() -> ExitCode {
    programs::run(|size| {
        let mut checksum = 0;
        for image in 0..size * 4 {
            let shift = f64::from(image) * 1e-4;
            for row in 0..SIDE {
                let y = f64::from(row) / f64::from(SIDE) * 2.0 - 1.0;
                for column in 0..SIDE {
                    let x = f64::from(column) / f64::from(SIDE) * 3.0 - 2.0 + shift;
                    checksum = programs::mix(checksum, rounds(x, y).into());
                }
            }
        }
        checksum
    })
}

/// How long z² + c stays near the origin.
fn rounds(x: f64, y: f64) -> u32 {
    let (mut re, mut im) = (0.0, 0.0);
    for round in 0..ROUNDS {
        let (re2, im2) = (re * re, im * im);
        if re2 + im2 > 4.0 {
            return round;
        }
        im = 2.0 * re * im + y;
        re = re2 - im2 + x;
    }
    ROUNDS
}
