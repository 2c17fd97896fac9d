//! Calls: virtual functions of four types that come in no order.

use programs::{Random, mix};
use std::process::ExitCode;

trait Shape {
    fn area(&self) -> u64;
    fn grow(&mut self, by: u32);
}

struct Square(u32);

struct Rectangle {
    width: u32,
    height: u32,
}

struct Triangle {
    base: u32,
    height: u32,
}

struct Octagon(u32);

impl Shape for Square {
    fn area(&self) -> u64 {
        u64::from(self.0) * u64::from(self.0)
    }

    fn grow(&mut self, by: u32) {
        self.0 = (self.0 + by) & 0xffff;
    }
}

impl Shape for Rectangle {
    fn area(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    fn grow(&mut self, by: u32) {
        self.width = (self.width + by) & 0xffff;
        self.height ^= by;
    }
}

impl Shape for Triangle {
    fn area(&self) -> u64 {
        u64::from(self.base) * u64::from(self.height) / 2
    }

    fn grow(&mut self, by: u32) {
        self.height = (self.height + 3 * by) & 0xffff;
    }
}

impl Shape for Octagon {
    fn area(&self) -> u64 {
        // 2 (1 + √2), in 1,024ths.
        u64::from(self.0) * u64::from(self.0) * 4944 >> 10
    }

    fn grow(&mut self, by: u32) {
        self.0 = (self.0 ^ by) & 0xffff;
    }
}

fn main() -> ExitCode {
    programs::run(|size| {
        let mut random = Random::new(11);
        let mut shapes: Vec<Box<dyn Shape>> = (0..1000).map(|_| shape(&mut random)).collect();
        let mut checksum = 0;
        for round in 0..size * 120 {
            let total: u64 = shapes.iter().map(|shape| shape.area()).sum();
            checksum = mix(checksum, total);
            for shape in &mut shapes {
                shape.grow(round & 7);
            }
        }
        checksum
    })
}

fn shape(random: &mut Random) -> Box<dyn Shape> {
    let mut length = || random.below(100) as u32;
    let (width, height) = (length(), length());
    match length() % 4 {
        0 => Box::new(Square(width)),
        1 => Box::new(Rectangle { width, height }),
        2 => Box::new(Triangle {
            base: width,
            height,
        }),
        _ => Box::new(Octagon(height)),
    }
}
