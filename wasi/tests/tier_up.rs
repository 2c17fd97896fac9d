//! The committed programs under `auto`, with functions that change their form at
//! the worst time: they print what they print when they are interpreted. The
//! command's tests run them on one core.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use rwasm::{Config, Engine, Error, Linker, Module, Store, StressBudget, Tier, TierStress};
use rwasm_wasi::{Capture, Output, WasiCtx};
use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

/// A program, and what it prints.
struct Program {
    name: String,
    wasm: Vec<u8>,
    printed: String,
}

/// All of them, at the least size that they have something to do with.
fn programs() -> &'static [Program] {
    static PROGRAMS: OnceLock<Vec<Program>> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let engine = Engine::new(Config::new().tier(Tier::Interp)).expect("an engine");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guests/modules");
        let entries = fs::read_dir(folder).expect("it is committed");
        let paths = entries.map(|entry| entry.expect("listed").path());
        let mut programs: Vec<Program> = paths
            .filter(|path| path.extension().is_some_and(|ext| ext == "wasm"))
            .map(|path| {
                let wasm = fs::read(&path).expect("it is there");
                let name = path.file_stem().expect("a name").to_string_lossy();
                Program {
                    printed: run(&engine, &name, &wasm),
                    name: name.into_owned(),
                    wasm,
                }
            })
            .collect();
        programs.sort_by(|a, b| a.name.cmp(&b.name));
        assert!(programs.len() > 20, "{}", programs.len());
        programs
    })
}

fn run(engine: &Engine, name: &str, wasm: &[u8]) -> String {
    let stdout = Capture::new(1 << 20);
    let mut builder = WasiCtx::builder();
    builder
        .args([name, "--size", "1"])
        .stdout(Output::capture(&stdout));
    let mut linker = Linker::new(engine);
    rwasm_wasi::add_to_linker(&mut linker, |ctx: &mut WasiCtx| ctx).expect("no name twice");
    let module = Module::new(engine, wasm).expect("valid");
    let mut store = Store::new(engine, builder.build().expect("the state"));
    let instance = linker.instantiate(&mut store, &module).expect("linked");
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start");
    match start.expect("exported").call(&mut store, ()) {
        Ok(()) | Err(Error::Exit(0)) => stdout.text(),
        Err(error) => panic!("{name}: {error}"),
    }
}

/// Under stress, nothing is different; and something is compiled.
fn check(stress: TierStress) {
    for Program {
        name,
        wasm,
        printed,
    } in programs()
    {
        let mut config = Config::new();
        config.tier(Tier::Auto).tier_stress(Some(stress));
        let engine = Engine::new(&config).expect("an engine");
        assert_eq!(run(&engine, name, wasm), *printed, "{name}");
        if stress.wait {
            let stats = engine.tier_stats();
            assert!(stats.compiled > 0 && stats.failed == 0, "{name}: {stats:?}");
        }
    }
}

/// The guest waits for what it asks for, so that every function that is called
/// so often, and every loop, becomes machine code then.
fn waiting(budget: StressBudget) -> TierStress {
    TierStress {
        budget,
        wait: true,
        delay: Duration::ZERO,
        queue: 1 << 20,
    }
}

#[test]
fn with_the_first_call() {
    check(waiting(StressBudget::Fixed(0)));
}

#[test]
fn with_the_second_call() {
    check(waiting(StressBudget::Fixed(1)));
}

#[test]
fn with_the_third_call() {
    check(waiting(StressBudget::Fixed(2)));
}

#[test]
fn at_random() {
    check(waiting(StressBudget::Random(6)));
}

/// The code comes when it comes.
#[test]
fn with_workers_that_are_late() {
    check(TierStress {
        budget: StressBudget::Random(7),
        wait: false,
        delay: Duration::from_millis(3),
        queue: 1 << 20,
    });
}

#[test]
fn with_a_full_queue() {
    check(TierStress {
        budget: StressBudget::Fixed(0),
        wait: false,
        delay: Duration::from_millis(1),
        queue: 1,
    });
}
