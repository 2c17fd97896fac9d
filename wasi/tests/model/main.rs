//! Random sequences of file operations, done by a guest in one folder and
//! natively in another: results and trees must be the same.
//!
//! The seeds are fixed. `RWASM_MODEL_STEPS` asks for more steps than the usual
//! 100,000, with new seeds; `RWASM_MODEL_SEED` repeats one of them.

mod guest;
mod native;
mod step;

use guest::Guest;
use native::Native;
use step::{Numbers, Step};

/// Steps in one pair of folders.
const ROUND: u64 = 5_000;

/// Steps between two comparisons of the trees.
const COMPARED: u64 = 250;

#[test]
fn a_guest_sees_what_a_native_program_sees() {
    let number = |name| {
        let text = std::env::var(name).ok()?;
        Some(text.parse::<u64>().expect("a number"))
    };
    if let Some(seed) = number("RWASM_MODEL_SEED") {
        return round(seed);
    }
    let steps = number("RWASM_MODEL_STEPS").unwrap_or(100_000);
    for seed in 0..steps / ROUND {
        round(seed);
    }
}

fn round(seed: u64) {
    let mut numbers = Numbers::new(seed);
    let (mut guest, mut native) = (Guest::new(seed % 4 == 3), Native::new());
    let mut done = Vec::new();
    for step in 0..ROUND {
        let next = Step::random(&mut numbers);
        let expected = native.run(&next);
        let found = guest.run(&next);
        done.push(format!("{next:?} = {found:?}"));
        let before = || done[done.len().saturating_sub(40)..].join("\n");
        assert!(
            next.agree(&found, &expected),
            "seed {seed}, step {step}: expected {expected:?}\n{}",
            before()
        );
        if step % COMPARED == 0 {
            let (found, expected) = (native::tree(guest.root()), native::tree(native.root()));
            assert!(
                found == expected,
                "seed {seed}, step {step}: {} in one tree only\n{}",
                differences(&found, &expected),
                before()
            );
        }
    }
}

/// What is in one list only.
fn differences(found: &[String], expected: &[String]) -> String {
    let only = |list: &[String], other: &[String]| {
        let only = list.iter().filter(|line| !other.contains(line)).cloned();
        only.collect::<Vec<_>>().join(", ")
    };
    format!("[{}] [{}]", only(found, expected), only(expected, found))
}
