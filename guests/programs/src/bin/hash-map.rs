//! Memory: the standard library's hash map, with its default hash function.

use programs::{Random, mix};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::process::ExitCode;

fn main() -> ExitCode {
    programs::run(|size| {
        // A hasher with random keys would make every run another one.
        let mut map: HashMap<u64, u64, BuildHasherDefault<DefaultHasher>> = HashMap::default();
        let mut random = Random::new(5);
        let mut checksum = 0;
        for _ in 0..size * 30_000 {
            let key = random.below(20_000);
            match random.below(4) {
                0 => {
                    if let Some(value) = map.remove(&key) {
                        checksum = mix(checksum, value);
                    }
                }
                1 => *map.entry(key).or_insert(key) += 1,
                _ => checksum = mix(checksum, map.get(&key).copied().unwrap_or(0)),
            }
        }
        mix(checksum, map.len() as u64)
    })
}
