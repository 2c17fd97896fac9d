//! Floating point: the orbits of the outer planets.

use std::process::ExitCode;

#[derive(Clone, Copy)]
struct Body {
    position: [f64; 3],
    velocity: [f64; 3],
    mass: f64,
}

const SOLAR_MASS: f64 = 39.478_417_604_357_43;
const DAYS: f64 = 365.24;

/// The Sun, Jupiter, Saturn, Uranus and Neptune: positions in astronomical
/// units, velocities in units a day, masses in that of the Sun.
const BODIES: [([f64; 3], [f64; 3], f64); 5] = [
    ([0.0; 3], [0.0; 3], 1.0),
    (
        [4.841_431_44, -1.160_320_04, -0.103_622_04],
        [0.001_660_08, 0.007_699_01, -0.000_069_05],
        0.000_954_79,
    ),
    (
        [8.343_366_72, 4.124_798_56, -0.403_523_42],
        [-0.002_767_43, 0.004_998_53, 0.000_023_04],
        0.000_285_89,
    ),
    (
        [12.894_369_56, -15.111_151_40, -0.223_307_58],
        [0.002_964_60, 0.002_378_47, -0.000_029_66],
        0.000_043_66,
    ),
    (
        [15.379_697_11, -25.919_314_61, 0.179_258_77],
        [0.002_680_68, 0.001_628_24, -0.000_095_16],
        0.000_051_51,
    ),
];

fn main() -> ExitCode {
    programs::run(|size| {
        let mut bodies = BODIES.map(|(position, velocity, mass)| Body {
            position,
            velocity: velocity.map(|speed| speed * DAYS),
            mass: mass * SOLAR_MASS,
        });
        for _ in 0..size * 22_000 {
            advance(&mut bodies, 0.01);
        }
        energy(&bodies).to_bits()
    })
}

#[inline(never)]
fn advance(bodies: &mut [Body; 5], step: f64) {
    for first in 0..bodies.len() {
        for second in first + 1..bodies.len() {
            let (mut a, mut b) = (bodies[first], bodies[second]);
            let [x, y, z] = [0, 1, 2].map(|axis| a.position[axis] - b.position[axis]);
            let square = x * x + y * y + z * z;
            let magnitude = step / (square * square.sqrt());
            for (axis, distance) in [x, y, z].into_iter().enumerate() {
                a.velocity[axis] -= distance * b.mass * magnitude;
                b.velocity[axis] += distance * a.mass * magnitude;
            }
            (bodies[first], bodies[second]) = (a, b);
        }
    }
    for body in bodies {
        for axis in 0..3 {
            body.position[axis] += step * body.velocity[axis];
        }
    }
}

fn energy(bodies: &[Body; 5]) -> f64 {
    let mut energy = 0.0;
    for (number, body) in bodies.iter().enumerate() {
        let square: f64 = body.velocity.iter().map(|speed| speed * speed).sum();
        energy += 0.5 * body.mass * square;
        for other in &bodies[number + 1..] {
            let differences = body.position.iter().zip(&other.position);
            let square: f64 = differences.map(|(a, b)| (a - b) * (a - b)).sum();
            energy -= body.mass * other.mass / square.sqrt();
        }
    }
    energy
}
