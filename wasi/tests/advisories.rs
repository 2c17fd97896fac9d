//! Published advisories, of any runtime, that need a running guest: one test
//! each. Those that a call of a function shows stand in
//! `src/functions/tests/advisories.rs`.

mod common;

use common::{ended, guest, linker, run, store};
use rwasm::{Config, Engine, Instance, Limits, Linker, Module, Store, Tier, Trap, Val};
use rwasm_wasi::{Capture, Input, NoMemory, Output, WasiCtx};
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const FAULT: i32 = 21;

/// Nothing here takes as long.
const SOON: Duration = Duration::from_secs(20);

/// An engine for each tier.
fn engines() -> impl Iterator<Item = Engine> {
    let tiers = [Tier::Interp, Tier::Jit, Tier::Auto].into_iter();
    tiers.map(|tier| Engine::new(Config::new().tier(tier).threads(true)).expect("an engine"))
}

/// Instantiates a module of no imports in a store without limits.
fn instance(engine: &Engine, text: &str) -> (Store<()>, rwasm::Result<Instance>) {
    let mut store = Store::new(engine, ());
    let limits = Limits::new().table_elements(u64::MAX);
    store.limits(limits).expect("it has nothing yet");
    let module = Module::new(engine, text).expect("valid");
    let instance = Linker::new(engine).instantiate(&mut store, &module);
    (store, instance)
}

/// CVE-2025-66627 of wasmi (GHSA-g4v2-cjqp-rfmq): memory that grew while the host held on to it.
#[test]
fn cve_2025_66627_memory_that_grows() {
    assert_eq!(run(guest!("growing"), |_| {}), ended(0, "!"));
}

/// GHSA-44mr-8vmm-wjhg of wasmtime (RUSTSEC-2022-0102): a memory of no page was
/// read and written. So are those of all pages a special case.
#[test]
fn ghsa_44mr_memories_of_extreme_sizes() {
    let engine = Engine::default();
    let stdout = Capture::new(64);
    let mut builder = WasiCtx::builder();
    builder.stdout(Output::capture(&stdout));
    let mut store = store(&engine, &mut builder);
    let module = Module::new(&engine, guest!("boundaries")).expect("valid");
    let instance = linker(&engine)
        .instantiate(&mut store, &module)
        .expect("linked");
    let grow = instance
        .get_typed_func::<i32, i32>(&mut store, "grow")
        .expect("it is there");
    let put = instance
        .get_typed_func::<(i32, i32, i32), ()>(&mut store, "put")
        .expect("it is there");
    let write = instance
        .get_typed_func::<(i32, i32), i32>(&mut store, "write")
        .expect("it is there");

    // No page: there is no address at all.
    for (list, out) in [(0, 0), (0, -4), (-8, 0)] {
        let result = write.call(&mut store, (list, out));
        assert_eq!(result.expect("no trap"), FAULT, "{list} {out}");
    }
    let pages = 65536;
    assert_eq!(grow.call(&mut store, pages).expect("no trap"), 0, "4 GiB");
    // All pages: every address is one, up to the last.
    for (ptr, len, expected) in [
        (-1, 1, 0),
        (-16, 16, 0),
        (-16, 17, FAULT),
        (-1, 2, FAULT),
        (-1, -1, FAULT),
        (0, 1, 0),
    ] {
        put.call(&mut store, (8, ptr, len)).expect("no trap");
        let result = write.call(&mut store, (8, 64)).expect("no trap");
        assert_eq!(result, expected, "{ptr} {len}");
    }
    put.call(&mut store, (-8, 8, 4)).expect("no trap");
    for (list, out, expected) in [
        (-8, -4, 0),
        (-7, 64, FAULT),
        (-8, -3, FAULT),
        (-8, -1, FAULT),
    ] {
        put.call(&mut store, (-8, 8, 4)).expect("no trap");
        let result = write.call(&mut store, (list, out)).expect("no trap");
        assert_eq!(result, expected, "{list} {out}");
    }
    assert_eq!(stdout.bytes().len(), 1 + 16 + 1 + 4);
}

/// GHSA-p8xm-42r7-89xg of wasmtime (CVE-2026-44216): a table that no address space
/// has room for was a panic.
#[test]
fn ghsa_p8xm_tables_of_extreme_sizes() {
    for engine in engines() {
        for table in [
            "i64 0x1000_0000_0000_0000 funcref",
            "i64 0x2000_0000_0000_0000 externref",
            "i64 0xffff_ffff_ffff_ffff externref",
        ] {
            let (_, made) = instance(&engine, &format!("(module (table {table}))"));
            let error = made.expect_err(table);
            assert!(error.to_string().contains("table"), "{table}: {error}");
        }
        // By default, there is a limit far below.
        let module = Module::new(&engine, "(module (table 0xffff_ffff funcref))");
        let made =
            Linker::new(&engine).instantiate(&mut Store::new(&engine, ()), &module.expect("valid"));
        assert!(made.is_err());
        // Of no element, and grown by all that there can be.
        let text = r#"(module
            (table $t 0 funcref)
            (table $u i64 0 0xffff_ffff_ffff_ffff externref)
            (func (export "get") (param i32) (drop (table.get $t (local.get 0))))
            (func (export "grow64") (param i64) (result i64)
                (table.grow $u (ref.null extern) (local.get 0))))"#;
        let (mut store, made) = instance(&engine, text);
        let made = made.expect("linked");
        let get = made.get_typed_func::<i32, ()>(&mut store, "get");
        let error = get.expect("exported").call(&mut store, 0);
        let trap = error.expect_err("there is none").trap();
        assert_eq!(trap, Some(Trap::TableOutOfBounds));
        let grow = made.get_typed_func::<i64, i64>(&mut store, "grow64");
        let grow = grow.expect("exported");
        for delta in [-1, i64::MAX, 1 << 61, 1 << 60] {
            assert_eq!(grow.call(&mut store, delta).ok(), Some(-1), "{delta:#x}");
        }
    }
}

/// CVE-2025-58749 of WAMR: `memory.fill` at an address from 2 GiB on hung.
#[test]
fn cve_2025_58749_fills_of_the_upper_half() {
    let text = r#"(module
        (memory 65536)
        (func (export "fill") (param i32 i32)
            (memory.fill (local.get 0) (i32.const 7) (local.get 1)))
        (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0))))"#;
    for engine in engines() {
        let (mut store, made) = instance(&engine, text);
        let made = made.expect("linked");
        let fill = made.get_typed_func::<(i32, i32), ()>(&mut store, "fill");
        let (fill, load) = (
            fill.expect("exported"),
            made.get_typed_func(&mut store, "load"),
        );
        let load = load.expect("exported");
        for address in [i32::MIN, i32::MIN + 4095, -4096, -1] {
            fill.call(&mut store, (address, 1)).expect("in the memory");
            assert_eq!(load.call(&mut store, address).ok(), Some(7), "{address:#x}");
        }
        for (address, len) in [(-1, 2), (i32::MIN, i32::MIN + 1), (-4096, -1)] {
            let error = fill.call(&mut store, (address, len)).expect_err("beyond");
            assert_eq!(error.trap(), Some(Trap::MemoryOutOfBounds), "{address:#x}");
        }
        assert_eq!(load.call(&mut store, i32::MIN + 1).ok(), Some(0), "no part");
    }
}

/// CVE-2024-28123 of wasmi (GHSA-75jp-vq8x-h4cq): a call by the host with more
/// than 128 arguments wrote beyond the stack.
#[test]
fn cve_2024_28123_hundreds_of_arguments() {
    const COUNT: usize = 1000;
    let params = "i64 ".repeat(COUNT);
    let gets: String = (0..COUNT)
        .map(|index| format!("local.get {index} "))
        .collect();
    let text = format!("(module (func (export \"f\") (param {params}) (result {params}) {gets}))");
    for engine in engines() {
        let (mut store, made) = instance(&engine, &text);
        let f = made
            .expect("linked")
            .get_func(&mut store, "f")
            .expect("exported");
        let arguments: Vec<Val> = (0..COUNT as i64).map(Val::I64).collect();
        let mut results = vec![Val::I64(-1); COUNT];
        f.call(&mut store, &arguments, &mut results)
            .expect("no trap");
        for (index, result) in results.iter().enumerate() {
            assert!(
                matches!(result, Val::I64(value) if *value == index as i64),
                "{result:?}"
            );
        }
    }
}

/// GHSA-hj27-mpw9-ff4c of wasmtime: a host function that looked for an export of
/// its caller panicked where no guest called it.
#[test]
fn ghsa_hj27_functions_that_the_host_calls() {
    for engine in engines() {
        let mut store = store(&engine, &mut WasiCtx::builder());
        let linker = linker(&engine);
        let mut call = |name, params: &[Val]| {
            let found = linker.get(&mut store, "wasi_snapshot_preview1", name);
            let function = found.and_then(|item| item.into_func()).expect("a function");
            let mut results = [Val::I32(-1)];
            function
                .call(&mut store, params, &mut results)
                .map(|()| results)
        };
        let yielded = call("sched_yield", &[]).expect("it needs no memory");
        assert!(matches!(yielded, [Val::I32(0)]), "{yielded:?}");
        let error = call("args_sizes_get", &[Val::I32(0), Val::I32(4)]);
        let error = error.expect_err("there is no memory");
        assert!(error.downcast_ref::<NoMemory>().is_some(), "{error}");
    }
}

/// Zeroes without end.
struct Zeroes;

impl Read for Zeroes {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        bytes.fill(0);
        Ok(bytes.len())
    }
}

/// GHSA-hc7m-r6v8-hg9q of wasmtime (RUSTSEC-2025-0118): bytes that other threads
/// change were borrowed. Here another thread changes the list of buffers all the
/// time, from one that fits to one that does not: what is used is what was
/// checked, and what is a fault does nothing.
#[test]
fn ghsa_hc7m_lists_that_change_while_they_are_read() {
    const CALLS: u32 = 10_000;
    const LIST: u32 = 64;
    const OUT: u32 = 128;
    const NOTHING: [u8; 4] = [0xee; 4];
    let engine = Engine::new(Config::new().threads(true)).expect("an engine");
    let stdout = Capture::new(1 << 30);
    let mut builder = WasiCtx::builder();
    builder
        .stdin(Input::reader(Zeroes))
        .stdout(Output::capture(&stdout));
    let mut store = store(&engine, &mut builder);
    let module = Module::new(&engine, guest!("lists")).expect("valid");
    let instance = linker(&engine)
        .instantiate(&mut store, &module)
        .expect("linked");
    let memory = instance.get_memory(&mut store, "memory").expect("exported");
    let shared = memory.to_shared(&store).expect("it says so");
    assert!(memory.try_data_and_store_mut(&mut store).is_none());
    let stop = AtomicBool::new(false);
    let (mut moved, mut faults) = (0, 0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                for (start, len) in [(8192, 16), (0xffff_fff0, 16), (8192, u32::MAX)] {
                    let list = [u32::to_le_bytes(start), u32::to_le_bytes(len)].concat();
                    shared.write(LIST as usize, &list).expect("in the memory");
                }
            }
        });
        let [write, read] = ["write", "read"].map(|name| {
            let function = instance.get_typed_func::<(i32, i32), i32>(&mut store, name);
            function.expect("exported")
        });
        let mut call = 0;
        // Each thread may get its turn late.
        let begun = Instant::now();
        while call < CALLS || (moved == 0 || faults == 0) && begun.elapsed() < SOON {
            call += 1;
            shared.write(OUT as usize, &NOTHING).expect("in the memory");
            let function = [&write, &read][call as usize % 2];
            let errno = function.call(&mut store, (LIST as i32, OUT as i32));
            let mut out = [0; 4];
            shared.read(OUT as usize, &mut out).expect("in the memory");
            match errno.expect("no trap") {
                0 if call % 2 == 0 => moved += u32::from_le_bytes(out) as usize,
                0 => assert_ne!(out, NOTHING),
                errno => {
                    assert_eq!((errno, out), (FAULT, NOTHING));
                    faults += 1;
                }
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(stdout.bytes().len(), moved);
    assert!(moved > 0 && faults > 0, "{moved} bytes, {faults} faults");
}

/// WasmEdge#2932: functions used the first memory of their caller, not the one that it
/// exports as `memory`.
#[test]
fn we_2932_the_memory_is_the_one_of_that_name() {
    let text = r#"(module
        (import "wasi_snapshot_preview1" "args_sizes_get"
            (func $sizes (param i32 i32) (result i32)))
        (memory $first 1)
        (memory $named 1)
        (memory $last 1)
        (export "first" (memory $first))
        (export "memory" (memory $named))
        (func (export "run") (param i32) (result i32)
            (call $sizes (local.get 0) (i32.add (local.get 0) (i32.const 4))))
        (func (export "sum") (result i32)
            (i32.add
                (i32.add (i32.load $first (i32.const 64)) (i32.load $last (i32.const 64)))
                (i32.mul (i32.const 1000) (i32.load $named (i32.const 64))))))"#;
    for engine in engines() {
        let mut store = store(&engine, WasiCtx::builder().args(["tool", "x"]));
        let module = Module::new(&engine, text).expect("valid");
        let instance = linker(&engine).instantiate(&mut store, &module);
        let instance = instance.expect("linked");
        let run = instance.get_typed_func::<i32, i32>(&mut store, "run");
        let run = run.expect("exported");
        assert_eq!(run.call(&mut store, 64).ok(), Some(0));
        assert_eq!(run.call(&mut store, 65536 - 7).ok(), Some(FAULT));
        let sum = instance.get_typed_func::<(), i32>(&mut store, "sum");
        assert_eq!(sum.expect("exported").call(&mut store, ()).ok(), Some(2000));
    }
}
