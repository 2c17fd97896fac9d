//! Floating point: the fast Fourier transform, there and back.

use std::f64::consts::TAU;
use std::process::ExitCode;

const N: usize = 1024;

#[derive(Clone, Copy)]
struct Complex {
    re: f64,
    im: f64,
}

fn main() -> ExitCode {
    programs::run(|size| {
        let roots = roots();
        let mut random = programs::Random::new(3);
        let mut signal: Vec<Complex> = (0..N)
            .map(|_| Complex {
                re: random.below(1000) as f64,
                im: 0.0,
            })
            .collect();
        for _ in 0..size * 40 {
            transform(&mut signal, &roots);
            // The conjugate of the transform of the conjugate goes back.
            for value in &mut signal {
                value.im = -value.im;
            }
            transform(&mut signal, &roots);
            for value in &mut signal {
                value.re = (value.re / N as f64).round();
                value.im = 0.0;
            }
            // There and back is what it was: so that the work shows in the result.
            signal.rotate_left(1);
        }
        signal
            .iter()
            .fold(0, |sum, value| programs::mix(sum, value.re.to_bits()))
    })
}

/// The N-th roots of unity, each by one multiplication of the one before: a
/// sine would be that of a library.
fn roots() -> Vec<Complex> {
    let angle = TAU / N as f64;
    // Taylor's series, which for such an angle is exact after six terms.
    let square = angle * angle;
    let series = |first: f64, mut number: f64| {
        let (mut sum, mut term) = (0.0, first);
        for _ in 0..6 {
            sum += term;
            term *= -square / (number * (number + 1.0));
            number += 2.0;
        }
        sum
    };
    let step = Complex {
        re: series(1.0, 1.0),
        im: -series(angle, 2.0),
    };
    let mut root = Complex { re: 1.0, im: 0.0 };
    (0..N / 2)
        .map(|_| {
            let this = root;
            root = Complex {
                re: this.re * step.re - this.im * step.im,
                im: this.re * step.im + this.im * step.re,
            };
            this
        })
        .collect()
}

#[inline(never)]
fn transform(signal: &mut [Complex], roots: &[Complex]) {
    let bits = signal.len().trailing_zeros();
    for at in 0..signal.len() {
        let mirrored = at.reverse_bits() >> (usize::BITS - bits);
        if at < mirrored {
            signal.swap(at, mirrored);
        }
    }
    let mut half = 1;
    while half < signal.len() {
        let stride = roots.len() / half;
        for block in signal.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for ((a, b), root) in low.iter_mut().zip(high).zip(roots.iter().step_by(stride)) {
                let turned = Complex {
                    re: b.re * root.re - b.im * root.im,
                    im: b.re * root.im + b.im * root.re,
                };
                *b = Complex {
                    re: a.re - turned.re,
                    im: a.im - turned.im,
                };
                a.re += turned.re;
                a.im += turned.im;
            }
        }
        half *= 2;
    }
}
