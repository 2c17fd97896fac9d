//! Criterion bench: functions of WASI, called by a guest of rwasm, by the same
//! guest of wasmtime, and natively.
//!
//! One iteration is so many calls; the throughput is that of calls.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rustix::fs::{Mode, OFlags, SeekFrom, openat, seek};
use std::fs::{self, File, OpenOptions};
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const GUEST: &str = include_str!("../kernels/wasi.wat");

/// Its functions.
const EXPORTS: [&str; 4] = ["args_sizes_get", "fd_write", "open_close", "fd_readdir"];
const SIZES: usize = 0;
const WRITE: usize = 1;
const OPEN: usize = 2;
const LIST: usize = 3;

/// Calls of an iteration: whole MiBs for writes.
const CALLS: i32 = 2048;

/// Entries of the directories that are listed.
const ENTRIES: [i32; 3] = [1_000, 10_000, 100_000];

/// A guest that calls a function so many times.
type Guest = Box<dyn FnMut(usize, i32)>;

/// What a guest is given: one folder, as `/`.
fn rwasm_guest(folder: &Path, tier: rwasm::Tier) -> rwasm::Result<Guest> {
    let engine = rwasm::Engine::new(rwasm::Config::new().tier(tier))?;
    let module = rwasm::Module::new(&engine, GUEST)?;
    let mut linker = rwasm::Linker::new(&engine);
    rwasm_wasi::add_to_linker(&mut linker, |ctx: &mut rwasm_wasi::WasiCtx| ctx)?;
    let mut builder = rwasm_wasi::WasiCtx::builder();
    builder
        .arg("guest")
        .preopened_dir(folder, "/", rwasm_wasi::Access::ReadWrite)
        .map_err(rwasm::Error::host)?;
    let ctx = builder.build().map_err(rwasm::Error::host)?;
    let mut store = rwasm::Store::new(&engine, ctx);
    let instance = linker.instantiate(&mut store, &module)?;
    let functions = EXPORTS.map(|name| instance.get_typed_func::<i32, ()>(&mut store, name));
    let functions = functions.into_iter().collect::<rwasm::Result<Vec<_>>>()?;
    Ok(Box::new(move |export, calls| {
        let result = functions[export].call(&mut store, calls);
        result.expect("the guest checks what it is told");
    }))
}

/// The same, on the thread that calls, as its command does it.
fn wasmtime_guest(folder: &Path) -> wasmtime::Result<Guest> {
    let engine = wasmtime::Engine::default();
    let module = wasmtime::Module::new(&engine, wat::parse_str(GUEST)?)?;
    let mut linker = wasmtime::Linker::new(&engine);
    wasmtime_wasi::p1::add_to_linker_sync(&mut linker, |ctx| ctx)?;
    let mut builder = wasmtime_wasi::WasiCtxBuilder::new();
    builder
        .arg("guest")
        .allow_blocking_current_thread(true)
        .preopened_dir(folder, "/", wasmtime_wasi::FsPerms::ReadWrite)?;
    let mut store = wasmtime::Store::new(&engine, builder.build_p1());
    let instance = linker.instantiate(&mut store, &module)?;
    let functions = EXPORTS.map(|name| instance.get_typed_func::<i32, ()>(&mut store, name));
    let functions = functions
        .into_iter()
        .collect::<wasmtime::Result<Vec<_>>>()?;
    Ok(Box::new(move |export, calls| {
        let result = functions[export].call(&mut store, calls);
        result.expect("the guest checks what it is told");
    }))
}

/// All of them, by name.
fn guests(folder: &Path) -> Vec<(&'static str, Guest)> {
    let rwasm = |tier| rwasm_guest(folder, tier).expect("rwasm runs it");
    vec![
        ("rwasm-interp", rwasm(rwasm::Tier::Interp)),
        ("rwasm-jit", rwasm(rwasm::Tier::Jit)),
        ("rwasm-auto", rwasm(rwasm::Tier::Auto)),
        (
            "wasmtime",
            wasmtime_guest(folder).expect("wasmtime runs it"),
        ),
    ]
}

/// A folder with a file three folders deep.
fn deep_folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join("a/b/c")).expect("made");
    File::create(folder.path().join("a/b/c/file")).expect("created");
    folder
}

/// A folder with so many files.
fn wide_folder(entries: i32) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for entry in 0..entries {
        File::create(folder.path().join(format!("entry-{entry}"))).expect("created");
    }
    folder
}

fn compare(
    criterion: &mut Criterion,
    what: &str,
    calls: i32,
    folder: &Path,
    export: usize,
    native: Option<&mut dyn FnMut()>,
) {
    let mut group = criterion.benchmark_group(format!("wasi/{what}"));
    group
        .measurement_time(Duration::from_secs(2))
        .sample_size(20)
        .throughput(Throughput::Elements(calls.unsigned_abs().into()));
    // All are there until the end, so that every one, and the system's own, is
    // measured beside the same threads.
    let mut guests = guests(folder);
    for (name, guest) in &mut guests {
        // It lists the whole directory in each call: half a minute for 100,000.
        if *name == "wasmtime" && calls > 10_000 {
            continue;
        }
        group.bench_function(BenchmarkId::from_parameter(*name), |bencher| {
            bencher.iter(|| guest(export, calls));
        });
    }
    if let Some(native) = native {
        group.bench_function("native", |bencher| bencher.iter(&mut *native));
        if calls == CALLS {
            print_ratios(what, &mut guests, export, native);
        }
    }
    group.finish();
}

/// Prints what each takes in relation to the system's own, by medians of rounds in
/// which everybody has a turn: the machine's speed changes from second to second by
/// more than what is compared.
fn print_ratios(
    what: &str,
    guests: &mut [(&'static str, Guest)],
    export: usize,
    native: &mut dyn FnMut(),
) {
    const ROUNDS: usize = 101;
    let time = |work: &mut dyn FnMut()| {
        let begun = Instant::now();
        work();
        begun.elapsed()
    };
    let mut of_native = Vec::new();
    let mut of_guests = vec![Vec::new(); guests.len()];
    for _ in 0..ROUNDS {
        of_native.push(time(native));
        for ((_, guest), times) in guests.iter_mut().zip(&mut of_guests) {
            times.push(time(&mut || guest(export, CALLS)));
        }
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        times[ROUNDS / 2].as_secs_f64()
    };
    let own = median(&mut of_native);
    for ((name, _), times) in guests.iter().zip(&mut of_guests) {
        let ratio = median(times) / own;
        println!("wasi/{what}/{name}: {ratio:.3} of native, interleaved");
    }
}

fn wasi(criterion: &mut Criterion) {
    let folder = deep_folder();
    let path = folder.path();
    compare(criterion, "args_sizes_get", CALLS, path, SIZES, None);

    let bytes = [0; 4096];
    let mut options = OpenOptions::new();
    // What was written before stays: then no pages are allocated.
    options.write(true).create(true).truncate(false);
    let mut write = || {
        let file = options.open(path.join("native")).expect("opened");
        for call in 0..CALLS {
            if call % 256 == 0 {
                seek(&file, SeekFrom::Start(0)).expect("moved");
            }
            native_write(&file, &bytes);
        }
    };
    compare(criterion, "fd_write", CALLS, path, WRITE, Some(&mut write));

    let directory = File::open(path).expect("opened");
    let mut open = || {
        for _ in 0..CALLS {
            let file = openat(&directory, "a/b/c/file", OFlags::RDONLY, Mode::empty());
            black_box(file.expect("opened"));
        }
    };
    compare(criterion, "open_close", CALLS, path, OPEN, Some(&mut open));

    for entries in ENTRIES {
        let folder = wide_folder(entries);
        let mut list = || {
            for entry in fs::read_dir(folder.path()).expect("opened") {
                black_box(entry.expect("listed"));
            }
        };
        let what = format!("fd_readdir/{entries}");
        compare(
            criterion,
            &what,
            entries,
            folder.path(),
            LIST,
            Some(&mut list),
        );
    }
}

/// As a function, which the C library's is, too: on the machine of the figures,
/// the first return after a system call costs 200 ns, because the processor does
/// not know any more where to return to.
#[inline(never)]
fn native_write(file: &File, bytes: &[u8]) {
    rustix::io::write(file, bytes).expect("written");
}

criterion_group!(benches, wasi);
criterion_main!(benches);
