//! What calls of the host cost, beside the system calls behind them, and whether
//! listing a directory takes time in proportion to its entries.
//!
//! `cargo bench -p rwasm-wasi`. Each figure is the least of some runs.

use rustix::fs::{CWD, Mode, OFlags, SeekFrom, openat, seek};
use rwasm::{Config, Engine, Instance, Linker, Module, Store, Tier, TypedFunc};
use rwasm_wasi::{Access, Output, WasiCtx};
use std::fs::{self, File};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const RUNS: usize = 7;

/// Each function does something `n` times. Writes stay in the first MiB, so that
/// no pages are allocated.
const GUEST: &str = r#"(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir"
    (func $readdir (param i32 i32 i32 i64 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 0) "\00\04\00\00\00\10\00\00")
  (data (i32.const 64) "a/b/c/file")
  (func (export "sizes") (param $n i32)
    (loop $next
      (if (call $sizes (i32.const 16) (i32.const 20)) (then unreachable))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "write") (param $n i32)
    (loop $next
      (if (i32.eqz (i32.and (local.get $n) (i32.const 255)))
        (then (drop (call $seek (i32.const 1) (i64.const 0) (i32.const 0) (i32.const 16)))))
      (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16))
        (then unreachable))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "open") (param $n i32)
    (loop $next
      (if
        (call $open (i32.const 3) (i32.const 1) (i32.const 64) (i32.const 10) (i32.const 0)
          (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16))
        (then unreachable))
      (if (call $close (i32.load (i32.const 16))) (then unreachable))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "list") (param $n i32)
    (local $cookie i64) (local $at i32) (local $end i32)
    (loop $more
      (if
        (call $readdir (i32.const 3) (i32.const 0x10000) (i32.const 0x8000) (local.get $cookie)
          (i32.const 16))
        (then unreachable))
      (local.set $at (i32.const 0x10000))
      (local.set $end (i32.add (local.get $at) (i32.load (i32.const 16))))
      (loop $entry
        (if (i32.le_u (i32.add (local.get $at) (i32.const 24)) (local.get $end))
          (then
            (local.set $n
              (i32.add (i32.const 24)
                (i32.add (local.get $at) (i32.load (i32.add (local.get $at) (i32.const 16))))))
            (if (i32.le_u (local.get $n) (local.get $end))
              (then
                (local.set $cookie (i64.load (local.get $at)))
                (local.set $at (local.get $n))
                (br $entry))))))
      (br_if $more (i32.eq (i32.load (i32.const 16)) (i32.const 0x8000))))))"#;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join("a/b/c")).expect("made");
    fs::write(folder.path().join("a/b/c/file"), "").expect("written");
    for tier in [Tier::Interp, Tier::Jit] {
        let mut guest = Guest::new(&folder, tier);
        let sizes = guest.nanoseconds("sizes", 1_000_000);
        let write = guest.nanoseconds("write", 50_000);
        let open = guest.nanoseconds("open", 20_000);
        println!(
            "{tier}: args_sizes_get {sizes:.1} ns, fd_write of 4 KiB {write:.0} ns, open and close {open:.0} ns"
        );
    }
    let file = output(&folder);
    let bytes = [0; 4096];
    let write = nanoseconds(50_000, || {
        for n in 0..50_000 {
            if n % 256 == 0 {
                seek(&file, SeekFrom::Start(0)).expect("moved");
            }
            native_write(&file, &bytes);
        }
    });
    let path = folder.path().join("a/b/c/file");
    let open = nanoseconds(20_000, || {
        for _ in 0..20_000 {
            openat(CWD, &path, OFlags::RDONLY, Mode::empty()).expect("opened");
        }
    });
    println!("native: write of 4 KiB {write:.0} ns, open and close {open:.0} ns");
    for entries in [1_000, 10_000, 100_000] {
        let folder = tempfile::tempdir().expect("a folder");
        for entry in 0..entries {
            File::create(folder.path().join(format!("entry-{entry}"))).expect("created");
        }
        let mut guest = Guest::new(&folder, Tier::Interp);
        let list = guest.nanoseconds("list", entries);
        println!("{entries} directory entries: {list:.0} ns each");
    }
}

struct Guest {
    store: Store<WasiCtx>,
    instance: Instance,
}

impl Guest {
    fn new(folder: &TempDir, tier: Tier) -> Guest {
        let engine = Engine::new(Config::new().tier(tier)).expect("an engine");
        let module = Module::new(&engine, GUEST).expect("valid");
        let mut linker = Linker::new(&engine);
        rwasm_wasi::add_to_linker(&mut linker, |ctx: &mut WasiCtx| ctx).expect("no name twice");
        let mut builder = WasiCtx::builder();
        builder.stdout(Output::file(output(folder)));
        builder
            .preopened_dir(folder.path(), "/", Access::ReadWrite)
            .expect("it is there");
        let mut store = Store::new(&engine, builder.build().expect("the state"));
        let instance = linker.instantiate(&mut store, &module).expect("linked");
        Guest { store, instance }
    }

    /// What one of `times` takes.
    fn nanoseconds(&mut self, name: &str, times: i32) -> f64 {
        let function: TypedFunc<i32, ()> = self
            .instance
            .get_typed_func(&mut self.store, name)
            .expect("it is there");
        nanoseconds(times, || {
            function.call(&mut self.store, times).expect("no trap")
        })
    }
}

/// As a function, which the C library's is, too: on the machine of the figures,
/// the first return after a system call costs 200 ns, because the processor does
/// not know any more where to return to.
#[inline(never)]
fn native_write(file: &File, bytes: &[u8]) {
    rustix::io::write(file, bytes).expect("written");
}

fn output(folder: &TempDir) -> File {
    File::create(folder.path().join("output")).expect("created")
}

fn nanoseconds(times: i32, mut run: impl FnMut()) -> f64 {
    let least = (0..RUNS).map(|_| {
        let begin = Instant::now();
        run();
        begin.elapsed()
    });
    least.min().unwrap_or(Duration::MAX).as_secs_f64() * 1e9 / f64::from(times)
}
