//! Memory: the standard library's B-tree, as the index of a small table.

use programs::{Random, mix};
use std::collections::BTreeMap;
use std::process::ExitCode;

fn main() -> ExitCode {
    programs::run(|size| {
        let mut index: BTreeMap<u64, u32> = BTreeMap::new();
        let mut random = Random::new(8);
        let mut checksum = 0;
        for row in 0..size * 9_000 {
            let key = random.below(30_000);
            match random.below(8) {
                0 => drop(index.remove(&key)),
                1 => {
                    for (key, row) in index.range(key..).take(20) {
                        checksum = mix(checksum, key ^ u64::from(*row));
                    }
                }
                2..=4 => drop(index.insert(key, row)),
                _ => checksum = mix(checksum, index.get(&key).copied().unwrap_or(0).into()),
            }
        }
        mix(checksum, index.len() as u64)
    })
}
