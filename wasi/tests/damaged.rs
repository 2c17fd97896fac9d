//! Damaged copies of real programs: 10,000 truncated, overwritten and
//! bit-flipped modules, from a fixed seed. Each is a typed error or runs within
//! its bounds; none panics, and the memory taken stays a small multiple of the
//! files'.
//!
//! `RWASM_REAL_PROGRAMS` names a folder of `.wasm` files to damage (CI passes
//! those that `cargo xtask real-programs` fetched and built); without it the
//! guests of this folder are.

use rwasm::{Config, Engine, Error, Limits, Linker, Module, Result, Store};
use rwasm_wasi::{Output, WasiCtx};
use std::fs;
use std::path::Path;

const COUNT: usize = 10_000;

/// Programs above this size are left out: one run of the test would take hours.
const LARGEST: usize = 2 << 20;

/// Fuel of a damaged program that is still valid.
const FUEL: u64 = 20_000;

#[test]
fn damaged_programs_are_errors_or_run_within_bounds() {
    let originals = originals();
    let largest = originals.iter().map(Vec::len).max().expect("programs") as u64;
    let engine = Engine::new(Config::new().consume_fuel(true)).expect("an engine");
    let mut linker = Linker::new(&engine);
    rwasm_wasi::add_to_linker(&mut linker, |ctx: &mut WasiCtx| ctx).expect("no name twice");

    let before = peak_memory();
    let mut random = Random(0x005e_ed0f_da4a_6ed5);
    let mut ran = 0;
    for round in 0..COUNT {
        // Small programs more often: as much damage in less time.
        let count = originals.len();
        let original = &originals[random.below(count).min(random.below(count))];
        let damaged = random.damage(original);
        match run(&engine, &linker, &damaged) {
            Ok(()) | Err(Error::Exit(_) | Error::Trap(_)) => ran += 1,
            Err(error) => assert!(!error.to_string().is_empty(), "round {round}"),
        }
    }
    eprintln!("{ran} of {COUNT} damaged programs were still valid and ran");
    if let (Some(before), Some(after)) = (before, peak_memory()) {
        let bound = 16 * largest + (64 << 20);
        assert!(
            after - before < bound,
            "{} bytes for files of {largest}",
            after - before
        );
    }
}

fn run(engine: &Engine, linker: &Linker<WasiCtx>, bytes: &[u8]) -> Result<()> {
    let module = Module::new(engine, bytes)?;
    let wasi = WasiCtx::builder()
        .stdout(Output::null())
        .stderr(Output::null())
        .build()
        .expect("no folders");
    let mut store = Store::new(engine, wasi);
    store.limits(Limits::new().memory_bytes(64 << 20))?;
    store.set_fuel(FUEL)?;
    let instance = linker.instantiate(&mut store, &module)?;
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
    start.call(&mut store, ())
}

/// The programs to damage, small ones first.
fn originals() -> Vec<Vec<u8>> {
    let (folder, ending) = match std::env::var_os("RWASM_REAL_PROGRAMS") {
        Some(folder) => (folder.into(), "wasm"),
        None => (
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests"),
            "wat",
        ),
    };
    let mut originals: Vec<Vec<u8>> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .map(|path| fs::read(path).expect("a readable file"))
        .filter(|bytes| bytes.len() <= LARGEST)
        .collect();
    assert!(
        !originals.is_empty(),
        "{}: no .{ending} files",
        folder.display()
    );
    originals.sort_unstable_by_key(Vec::len);
    originals
}

/// Peak resident memory of this process in bytes.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

/// A xorshift generator (Marsaglia 2003): the same damage on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn damage(&mut self, original: &[u8]) -> Vec<u8> {
        let mut bytes = original.to_vec();
        match self.below(4) {
            0 => bytes.truncate(self.below(original.len())),
            1 => {
                // A run of noise.
                let start = self.below(bytes.len());
                let end = (start + 1 + self.below(64)).min(bytes.len());
                bytes[start..end].fill_with(|| self.next() as u8);
            }
            2 => {
                // Damage near the beginning, where sections are declared.
                let reach = bytes.len().min(256);
                for _ in 0..1 + self.below(4) {
                    bytes[self.below(reach)] = self.next() as u8;
                }
            }
            _ => {
                for _ in 0..1 + self.below(16) {
                    let bit = self.below(8 * bytes.len());
                    bytes[bit / 8] ^= 1 << (bit % 8);
                }
            }
        }
        bytes
    }
}
