//! Calls: many small functions that call nothing, as unoptimised languages and
//! careful layers have them.

use std::process::ExitCode;

const LENGTH: usize = 4096;

#[inline(never)]
fn is_even(value: u32) -> bool {
    value & 1 == 0
}

#[inline(never)]
fn halve(value: u32) -> u32 {
    value >> 1
}

#[inline(never)]
fn triple_plus_one(value: u32) -> u32 {
    value.wrapping_mul(3).wrapping_add(1)
}

#[inline(never)]
fn get(steps: &[u16; LENGTH], at: u32) -> u16 {
    steps[at as usize % LENGTH]
}

#[inline(never)]
fn set(steps: &mut [u16; LENGTH], at: u32, value: u16) {
    steps[at as usize % LENGTH] = value;
}

/// The lengths of Collatz's sequences.
fn main() -> ExitCode {
    programs::run(|size| {
        let mut checksum = 0;
        for round in 0..size * 3 {
            let mut steps = [0; LENGTH];
            for start in 1..LENGTH as u32 {
                let (mut value, mut count) = (start + round, 0);
                while value > 1 && count < 200 {
                    value = if is_even(value) {
                        halve(value)
                    } else {
                        triple_plus_one(value)
                    };
                    count += 1;
                }
                let before = get(&steps, start - 1);
                set(&mut steps, start, before.wrapping_add(count));
            }
            checksum = programs::mix(checksum, get(&steps, LENGTH as u32 - 1).into());
        }
        checksum
    })
}
