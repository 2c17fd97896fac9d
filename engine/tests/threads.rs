//! Shared memories: guests on several threads, each with a store of its own.

mod common;

use common::call;
use rwasm::{
    Config, Engine, Error, Instance, LimitError, LimitKind, Limits, Linker, Memory, MemoryType,
    Module, SharedMemory, Store, Trap, Val, WaitResult,
};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A kind of shared memory, as code sees it.
#[derive(Clone, Copy, Debug)]
struct Kind {
    guarded: Option<bool>,
    index: &'static str,
}

/// Guarded where that is possible; checked; with 64-bit addresses.
const KINDS: [Kind; 3] = [
    Kind {
        guarded: None,
        index: "i32",
    },
    Kind {
        guarded: Some(false),
        index: "i32",
    },
    Kind {
        guarded: None,
        index: "i64",
    },
];

/// Most pages of the memories below.
const MAX: u64 = 64;

impl Kind {
    fn engine(self, interruption: bool) -> Engine {
        let mut config = Config::new();
        config.threads(true).guarded_memories(self.guarded);
        Engine::new(config.interruption(interruption)).unwrap()
    }

    fn memory(self, engine: &Engine) -> SharedMemory {
        let ty = MemoryType::new(1, Some(MAX)).shared();
        let ty = if self.index == "i64" {
            ty.memory64()
        } else {
            ty
        };
        SharedMemory::new(engine, ty).unwrap()
    }

    /// A module with these functions over an imported memory. `ix` in them
    /// stands for the type of addresses.
    fn module(self, engine: &Engine, functions: &str) -> Module {
        let index = self.index;
        let wat = format!(
            r#"(module
                (import "host" "memory" (memory {index} 1 {MAX} shared))
                {functions})"#
        );
        Module::new(engine, wat.replace("ix.", &format!("{index}."))).unwrap()
    }
}

fn instantiate(module: &Module, memory: &SharedMemory) -> (Store<()>, Instance) {
    let mut store = Store::new(module.engine(), ());
    let mut linker = Linker::new(module.engine());
    linker
        .define_shared_memory("host", "memory", memory)
        .unwrap();
    let instance = linker.instantiate(&mut store, module).unwrap();
    (store, instance)
}

/// Runs `work` with the numbers below `count` at the same time, each with an
/// instance of its own.
fn on_threads(
    count: i32,
    module: &Module,
    memory: &SharedMemory,
    work: impl Fn(i32, &mut Store<()>, Instance) + Sync,
) {
    let start = Barrier::new(count as usize);
    thread::scope(|threads| {
        for nth in 0..count {
            let (start, work) = (&start, &work);
            threads.spawn(move || {
                let (mut store, instance) = instantiate(module, memory);
                start.wait();
                work(nth, &mut store, instance);
            });
        }
    });
}

fn word(memory: &SharedMemory, at: usize) -> u64 {
    let mut bytes = [0; 8];
    memory.read(at, &mut bytes).unwrap();
    u64::from_le_bytes(bytes)
}

/// A mutex at 0 (free, held, held and wanted), as futexes are used.
const MUTEX: &str = "
    (func $lock (local $was i32)
        (local.set $was (i32.atomic.rmw.cmpxchg (ix.const 0) (i32.const 0) (i32.const 1)))
        (if (local.get $was) (then
            (if (i32.ne (local.get $was) (i32.const 2)) (then
                (local.set $was (i32.atomic.rmw.xchg (ix.const 0) (i32.const 2)))))
            (loop $again
                (if (local.get $was) (then
                    (drop (memory.atomic.wait32 (ix.const 0) (i32.const 2) (i64.const -1)))
                    (local.set $was (i32.atomic.rmw.xchg (ix.const 0) (i32.const 2)))
                    (br $again)))))))
    (func $unlock
        (if (i32.ne (i32.atomic.rmw.sub (ix.const 0) (i32.const 1)) (i32.const 1)) (then
            (i32.atomic.store (ix.const 0) (i32.const 0))
            (drop (memory.atomic.notify (ix.const 0) (i32.const 1))))))";

#[test]
fn a_mutex_of_the_guests_guards_plain_accesses() {
    const THREADS: i32 = 4;
    const ROUNDS: i32 = 3000;
    for kind in KINDS {
        let engine = kind.engine(false);
        let memory = kind.memory(&engine);
        // Two counters that agree whenever the mutex is free; the second one is
        // not aligned.
        let add = |at| {
            format!(
                "(i64.store (ix.const {at}) (i64.add (i64.load (ix.const {at})) (i64.const 1)))"
            )
        };
        let functions = format!(
            r#"{MUTEX}
            (func (export "run") (param $rounds i32) (result i32) (local $wrong i32)
                (loop $again
                    (call $lock)
                    (local.set $wrong (i32.or (local.get $wrong)
                        (i64.ne (i64.load (ix.const 64)) (i64.load (ix.const 129)))))
                    {} {}
                    (call $unlock)
                    (br_if $again
                        (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
                (local.get $wrong))"#,
            add(64),
            add(129),
        );
        let module = kind.module(&engine, &functions);
        on_threads(THREADS, &module, &memory, |_, store, instance| {
            let wrong = call(store, instance, "run", &[Val::I32(ROUNDS)]).unwrap();
            assert!(matches!(wrong[..], [Val::I32(0)]), "{kind:?}");
        });
        let expected = (THREADS * ROUNDS) as u64;
        assert_eq!(word(&memory, 64), expected, "{kind:?}");
        assert_eq!(word(&memory, 129), expected, "{kind:?}");
    }
}

#[test]
fn counters_of_every_width_lose_nothing() {
    const THREADS: i32 = 3;
    const ROUNDS: i32 = 5000;
    // Each row adds 1 to its own bytes of the word at 16, so that neighbours of
    // other widths are written at the same time.
    let rows = [
        ("i32.atomic.rmw8.add_u (ix.const 16) (i32.const 1)", 0, 0xff),
        ("i64.atomic.rmw8.add_u (ix.const 17) (i64.const 1)", 8, 0xff),
        (
            "i32.atomic.rmw16.sub_u (ix.const 18) (i32.const -1)",
            16,
            0xffff,
        ),
        (
            "i64.atomic.rmw32.add_u (ix.const 20) (i64.const 1)",
            32,
            0xffff_ffff,
        ),
        (
            "i64.atomic.rmw.add (ix.const 24) (i64.const 1)",
            64,
            u64::MAX,
        ),
    ];
    let body: String = rows
        .iter()
        .map(|(operation, ..)| format!("(drop ({operation}))"))
        .collect();
    // A sum by compare-and-exchange too, at 32.
    let functions = format!(
        r#"(func (export "run") (param $rounds i32) (local $old i64)
            (loop $again
                {body}
                (loop $retry
                    (local.set $old (i64.atomic.load (ix.const 32)))
                    (br_if $retry (i64.ne (local.get $old) (i64.atomic.rmw.cmpxchg (ix.const 32)
                        (local.get $old) (i64.add (local.get $old) (i64.const 1))))))
                (br_if $again (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1))))))"#
    );
    for kind in KINDS {
        let engine = kind.engine(false);
        let memory = kind.memory(&engine);
        let module = kind.module(&engine, &functions);
        on_threads(THREADS, &module, &memory, |_, store, instance| {
            call(store, instance, "run", &[Val::I32(ROUNDS)]).unwrap();
        });
        let total = (THREADS * ROUNDS) as u64;
        let words = u128::from(word(&memory, 24)) << 64 | u128::from(word(&memory, 16));
        for (operation, shift, mask) in rows {
            assert_eq!(
                (words >> shift) as u64 & mask,
                total & mask,
                "{operation} {kind:?}"
            );
        }
        assert_eq!(word(&memory, 32), total, "{kind:?}");
    }
}

#[test]
fn aligned_words_are_not_torn() {
    // One thread writes words of all zeros and all ones; the others may see
    // nothing else, by plain and by atomic accesses.
    let functions = r#"
        (func (export "write") (param $rounds i32) (local $value i64)
            (loop $again
                (local.set $value (i64.xor (local.get $value) (i64.const -1)))
                (i64.store (ix.const 56) (local.get $value))
                (i64.atomic.store (ix.const 120) (local.get $value))
                (drop (i64.atomic.rmw.xchg (ix.const 184) (local.get $value)))
                (f64.store (ix.const 248) (f64.reinterpret_i64 (local.get $value)))
                (br_if $again (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
            (i32.atomic.store (ix.const 0) (i32.const 1)))
        (func $torn (param $value i64) (result i32)
            (i32.and (i64.ne (local.get $value) (i64.const 0))
                     (i64.ne (local.get $value) (i64.const -1))))
        (func (export "read") (result i32) (local $torn i32)
            (loop $again
                (local.set $torn (i32.or (local.get $torn) (i32.or
                    (i32.or (call $torn (i64.load (ix.const 56)))
                            (call $torn (i64.atomic.load (ix.const 56))))
                    (i32.or (i32.or (call $torn (i64.load (ix.const 120)))
                                    (call $torn (i64.atomic.load (ix.const 120))))
                            (i32.or (call $torn (i64.load (ix.const 184)))
                                    (call $torn (i64.reinterpret_f64 (f64.load (ix.const 248)))))))))
                (br_if $again (i32.eqz (i32.atomic.load (ix.const 0)))))
            (local.get $torn))"#;
    for kind in KINDS {
        let engine = kind.engine(false);
        let memory = kind.memory(&engine);
        let module = kind.module(&engine, functions);
        on_threads(3, &module, &memory, |nth, store, instance| {
            if nth == 0 {
                call(store, instance, "write", &[Val::I32(30_000)]).unwrap();
            } else {
                let torn = call(store, instance, "read", &[]).unwrap();
                assert!(matches!(torn[..], [Val::I32(0)]), "{kind:?}");
            }
        });
    }
}

/// Each of two threads writes its own flag and reads the other's. That both find
/// nothing is what sequential consistency rules out, and what store buffers do
/// to plain stores: those fail within a hundred rounds.
#[test]
fn atomic_accesses_are_sequentially_consistent() {
    const ROUNDS: i32 = 500;
    // The flags of a round are in cache lines of their own, so that writing one
    // takes a while; what was read stands behind the own flag.
    const STRIDE: i32 = 256;
    let writes = [
        ("(i32.atomic.store", ")"),
        ("(drop (i32.atomic.rmw.xchg", "))"),
        ("(i32.store", ") (atomic.fence)"),
    ];
    for (write, end) in writes {
        let functions = format!(
            r#"
            (func (export "run") (param $mine i32) (param $other i32) (param $rounds i32)
                (local $round i32)
                (loop $again
                    (local.set $round (i32.add (local.get $round) (i32.const 2)))
                    (drop (i32.atomic.rmw.add (ix.const 0) (i32.const 1)))
                    (loop $start
                        (br_if $start (i32.lt_u
                            (i32.atomic.load (ix.const 0)) (local.get $round))))
                    {write} offset=256 (local.get $mine) (i32.const 1) {end}
                    (i32.store offset=260 (local.get $mine)
                        (i32.atomic.load offset=256 (local.get $other)))
                    (local.set $mine (i32.add (local.get $mine) (i32.const {STRIDE})))
                    (local.set $other (i32.add (local.get $other) (i32.const {STRIDE})))
                    (br_if $again
                        (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1))))))"#
        );
        for kind in KINDS.into_iter().filter(|kind| kind.index == "i32") {
            let engine = kind.engine(false);
            let module = kind.module(&engine, &functions);
            let memory = kind.memory(&engine);
            memory.grow(10).unwrap();
            on_threads(2, &module, &memory, |nth, store, instance| {
                let params = [nth * 128, 128 - nth * 128, ROUNDS].map(Val::I32);
                call(store, instance, "run", &params).unwrap();
            });
            for round in 0..ROUNDS {
                let read = |nth: i32| {
                    let at = 256 + round * STRIDE + nth * 128;
                    word(&memory, at as usize) >> 32
                };
                assert_ne!(read(0) + read(1), 0, "{write} {kind:?}, round {round}");
            }
        }
    }
}

#[test]
fn a_memory_grows_while_others_use_it() {
    // `use` touches the last word of the size that it sees, which must be there
    // and zero, and ends when the memory has its maximum.
    let functions = format!(
        r#"
        (func (export "grow") (result i32) (local $wrong i32) (local $old ix.) (local $before ix.)
            (loop $again
                (local.set $old (memory.grow (ix.const 1)))
                (if (ix.ne (local.get $old) (ix.const -1)) (then
                    (local.set $wrong (i32.or (local.get $wrong)
                        (ix.lt_u (local.get $old) (local.get $before))))
                    (local.set $before (local.get $old))
                    (br $again))))
            (i32.or (local.get $wrong) (ix.ne (memory.size) (ix.const {MAX}))))
        (func (export "use") (result i32) (local $wrong i32) (local $end ix.)
            (loop $again
                (local.set $end (ix.mul (memory.size) (ix.const 65536)))
                (local.set $wrong (i32.or (local.get $wrong) (i32.or
                    (i64.ne (i64.load (ix.sub (local.get $end) (ix.const 8))) (i64.const 0))
                    (i32.ne (i32.atomic.rmw.or (ix.sub (local.get $end) (ix.const 64))
                        (i32.const 0)) (i32.const 0)))))
                (memory.copy (ix.sub (local.get $end) (ix.const 4096))
                    (ix.sub (local.get $end) (ix.const 4100)) (ix.const 4000))
                (memory.fill (ix.sub (local.get $end) (ix.const 2048)) (i32.const 0)
                    (ix.const 1000))
                (br_if $again (ix.ne (local.get $end) (ix.const {}))))
            (local.get $wrong))"#,
        MAX * 65536,
    );
    for kind in KINDS {
        let engine = kind.engine(false);
        let memory = kind.memory(&engine);
        let functions = functions
            .replace("ix.)", &format!("{})", kind.index))
            .to_owned();
        let module = kind.module(&engine, &functions);
        on_threads(4, &module, &memory, |nth, store, instance| {
            let name = if nth < 2 { "grow" } else { "use" };
            let wrong = call(store, instance, name, &[]).unwrap();
            assert!(matches!(wrong[..], [Val::I32(0)]), "{name} {kind:?}");
        });
        assert_eq!(memory.size(), MAX);
        assert!(memory.grow(1).is_err());
    }
}

#[test]
fn an_access_outside_traps_in_its_own_store() {
    let functions = r#"
        (func (export "plain") (result i32) (i32.load (ix.const 65533)))
        (func (export "atomic") (result i32) (i32.atomic.load (ix.const 65536)))
        (func (export "vector") (result i32)
            (i32x4.extract_lane 0 (v128.load (ix.const 65521))))
        (func (export "fill") (result i32)
            (memory.fill (ix.const 65530) (i32.const 1) (ix.const 7)) (i32.const 0))
        (func (export "copy") (result i32)
            (memory.copy (ix.const 0) (ix.const 65530) (ix.const 7)) (i32.const 0))
        (func (export "wait") (result i32)
            (memory.atomic.wait32 (ix.const 65536) (i32.const 0) (i64.const 0)))
        (func (export "notify") (result i32)
            (memory.atomic.notify (ix.const 65536) (i32.const 0)))"#;
    let names = [
        "plain", "atomic", "vector", "fill", "copy", "wait", "notify",
    ];
    for kind in KINDS {
        let engine = kind.engine(false);
        let memory = kind.memory(&engine);
        let module = kind.module(&engine, functions);
        on_threads(3, &module, &memory, |_, store, instance| {
            for name in names.iter().cycle().take(50) {
                let error = call(&mut *store, instance, name, &[]).unwrap_err();
                assert_eq!(
                    error.trap(),
                    Some(Trap::MemoryOutOfBounds),
                    "{name} {kind:?}"
                );
            }
        });
        assert_eq!(word(&memory, 65528), 0, "{kind:?}");
    }
}

const WAIT: &str = r#"
    (func (export "wait32") (param $at i32) (param $expected i32) (param $time i64) (result i32)
        (memory.atomic.wait32 AT (local.get $expected) (local.get $time)))
    (func (export "wait64") (param $at i32) (param $expected i64) (param $time i64) (result i32)
        (memory.atomic.wait64 AT (local.get $expected) (local.get $time)))
    (func (export "notify") (param $at i32) (param $count i32) (result i32)
        (memory.atomic.notify AT (local.get $count)))"#;

impl Kind {
    fn waiting_module(self, engine: &Engine) -> Module {
        let address = match self.index {
            "i64" => "(i64.extend_i32_u (local.get $at))",
            _ => "(local.get $at)",
        };
        self.module(engine, &WAIT.replace("AT", address))
    }
}

#[test]
fn waits_and_notifications_return_what_the_proposal_says() {
    let ms = 1_000_000;
    for kind in KINDS {
        let engine = kind.engine(false);
        let memory = kind.memory(&engine);
        memory.write(8, &u64::MAX.to_le_bytes()).unwrap();
        let module = kind.waiting_module(&engine);
        let (mut store, instance) = instantiate(&module, &memory);
        let cases: [(&str, &[Val], Result<i32, Trap>); 12] = [
            ("wait32", &[Val::I32(0), Val::I32(1), Val::I64(-1)], Ok(1)),
            ("wait32", &[Val::I32(8), Val::I32(0), Val::I64(-1)], Ok(1)),
            ("wait32", &[Val::I32(8), Val::I32(-1), Val::I64(0)], Ok(2)),
            (
                "wait32",
                &[Val::I32(4), Val::I32(0), Val::I64(2 * ms)],
                Ok(2),
            ),
            (
                "wait64",
                &[Val::I32(8), Val::I64(0xffff_ffff), Val::I64(-1)],
                Ok(1),
            ),
            ("wait64", &[Val::I32(8), Val::I64(-1), Val::I64(ms)], Ok(2)),
            (
                "wait64",
                &[Val::I32(4), Val::I64(0), Val::I64(0)],
                Err(Trap::UnalignedAtomic),
            ),
            (
                "wait32",
                &[Val::I32(2), Val::I32(0), Val::I64(0)],
                Err(Trap::UnalignedAtomic),
            ),
            (
                "notify",
                &[Val::I32(2), Val::I32(0)],
                Err(Trap::UnalignedAtomic),
            ),
            ("notify", &[Val::I32(0), Val::I32(-1)], Ok(0)),
            (
                "notify",
                &[Val::I32(-4), Val::I32(0)],
                Err(Trap::MemoryOutOfBounds),
            ),
            (
                "wait64",
                &[Val::I32(-8), Val::I64(0), Val::I64(0)],
                Err(Trap::MemoryOutOfBounds),
            ),
        ];
        for (name, params, expected) in cases {
            let got = call(&mut store, instance, name, params);
            match (got, expected) {
                (Ok(values), Ok(expected)) => {
                    assert!(
                        matches!(values[..], [Val::I32(got)] if got == expected),
                        "{name} {params:?} {values:?} {kind:?}"
                    );
                }
                (got, expected) => {
                    let trap = got.err().and_then(|error| error.trap());
                    assert_eq!(trap, expected.err(), "{name} {params:?} {kind:?}");
                }
            }
        }
    }
}

/// Notifies until so many have been woken.
fn notify_all(memory: &SharedMemory, at: u64, mut count: u32) {
    while count > 0 {
        count -= memory.atomic_notify(at, count).unwrap();
        thread::yield_now();
    }
}

#[test]
fn guests_and_hosts_wake_each_other() {
    for kind in KINDS {
        let engine = kind.engine(true);
        let memory = kind.memory(&engine);
        let module = kind.waiting_module(&engine);
        thread::scope(|threads| {
            threads.spawn(|| notify_all(&memory, 16, 3));
            on_threads(3, &module, &memory, |_, store, instance| {
                let params = [Val::I32(16), Val::I32(0), Val::I64(-1)];
                let woken = call(store, instance, "wait32", &params).unwrap();
                assert!(matches!(woken[..], [Val::I32(0)]), "{woken:?}");
            });
        });
        thread::scope(|threads| {
            let host = threads.spawn(|| memory.atomic_wait64(24, 0, None));
            let (mut store, instance) = instantiate(&module, &memory);
            loop {
                let params = [Val::I32(24), Val::I32(1)];
                let woken = call(&mut store, instance, "notify", &params).unwrap();
                if let [Val::I32(1)] = woken[..] {
                    break;
                }
                thread::yield_now();
            }
            assert_eq!(host.join().unwrap(), Ok(WaitResult::Ok));
        });
        let soon = Some(Duration::from_millis(1));
        assert_eq!(memory.atomic_wait32(24, 1, None), Ok(WaitResult::Mismatch));
        assert_eq!(memory.atomic_wait32(24, 0, soon), Ok(WaitResult::TimedOut));
        assert_eq!(memory.atomic_wait64(4, 0, None), Err(Trap::UnalignedAtomic));
    }
}

/// Also in an engine whose guests do not look for requests otherwise.
#[test]
fn a_waiting_guest_is_interrupted() {
    for kind in KINDS {
        for interruption in [false, true] {
            let engine = kind.engine(interruption);
            let memory = kind.memory(&engine);
            let module = kind.waiting_module(&engine);
            let (mut store, instance) = instantiate(&module, &memory);
            let handle = store.interrupt_handle();
            let params = [Val::I32(0), Val::I32(0), Val::I64(-1)];
            thread::scope(|threads| {
                let waiter = threads.spawn(|| call(&mut store, instance, "wait32", &params));
                thread::sleep(Duration::from_millis(20));
                handle.interrupt();
                let start = Instant::now();
                let error = waiter.join().unwrap().unwrap_err();
                assert_eq!(error.trap(), Some(Trap::Interrupted));
                assert!(start.elapsed() < Duration::from_secs(5));
            });
            // It waits no more, the request is used up, and the store works.
            assert_eq!(memory.atomic_notify(0, 1), Ok(0));
            assert!(!handle.is_interrupted());
            let params = [Val::I32(0), Val::I32(0), Val::I64(1)];
            let timed_out = call(&mut store, instance, "wait32", &params).unwrap();
            assert!(matches!(timed_out[..], [Val::I32(2)]));
        }
    }
}

/// One store is interrupted; who waits at the same address goes on waiting.
#[test]
fn an_interruption_is_of_one_store() {
    let kind = KINDS[0];
    let engine = kind.engine(true);
    let memory = kind.memory(&engine);
    let module = kind.waiting_module(&engine);
    let woken = AtomicBool::new(false);
    let params = [Val::I32(0), Val::I32(0), Val::I64(-1)];
    thread::scope(|threads| {
        let (mut other, of_other) = instantiate(&module, &memory);
        let (woken, params) = (&woken, &params);
        let other = threads.spawn(move || {
            let result = call(&mut other, of_other, "wait32", params);
            woken.store(true, Ordering::Release);
            result
        });
        let (mut store, instance) = instantiate(&module, &memory);
        store.interrupt_handle().interrupt();
        let error = call(&mut store, instance, "wait32", params).unwrap_err();
        assert_eq!(error.trap(), Some(Trap::Interrupted));
        assert!(!woken.load(Ordering::Acquire));
        notify_all(&memory, 0, 1);
        assert!(matches!(other.join().unwrap().unwrap()[..], [Val::I32(0)]));
    });
}

#[test]
fn atomics_work_on_unshared_memories_but_waiting_does_not() {
    for guarded in [None, Some(false)] {
        let mut config = Config::new();
        config.threads(true).guarded_memories(guarded);
        let (mut store, instance) = common::instance_with(
            &config,
            r#"(module (memory 1)
                (func (export "add") (param i64) (result i64)
                    (i64.atomic.rmw.add (i32.const 8) (local.get 0)))
                (func (export "wrapped") (result i32)
                    (i32.atomic.store8 (i32.const 0) (i32.const 0x155))
                    (drop (i32.atomic.rmw8.cmpxchg_u (i32.const 0) (i32.const 0xff55)
                        (i32.const 0xaa77)))
                    (i32.load (i32.const 0)))
                (func (export "fence") atomic.fence)
                (func (export "unaligned") (drop (i64.atomic.load (i32.const 12))))
                (func (export "wait")
                    (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))
                (func (export "notify") (result i32)
                    (memory.atomic.notify (i32.const 0) (i32.const 1))))"#,
        );
        for (add, expected) in [(5, 0), (-1, 5), (0, 4)] {
            let old = call(&mut store, instance, "add", &[Val::I64(add)]).unwrap();
            assert!(matches!(old[..], [Val::I64(old)] if old == expected));
        }
        let mut run = |name| call(&mut store, instance, name, &[]);
        // The proposal wraps what is expected to the width of the access.
        assert!(matches!(run("wrapped").unwrap()[..], [Val::I32(0x77)]));
        assert!(run("fence").unwrap().is_empty());
        assert!(matches!(run("notify").unwrap()[..], [Val::I32(0)]));
        assert_eq!(
            run("unaligned").unwrap_err().trap(),
            Some(Trap::UnalignedAtomic)
        );
        assert_eq!(
            run("wait").unwrap_err().trap(),
            Some(Trap::ExpectedSharedMemory)
        );
    }
}

#[test]
fn a_shared_memory_has_one_handle_in_each_store() {
    let engine = KINDS[0].engine(false);
    let module = Module::new(
        &engine,
        r#"(module (memory (export "m") 1 3 shared) (data (i32.const 4) "data"))"#,
    )
    .unwrap();
    let (mut store, mut other) = (Store::new(&engine, ()), Store::new(&engine, ()));
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let memory = instance.get_memory(&mut store, "m").unwrap();
    let shared = memory.to_shared(&store).unwrap();
    assert_eq!(shared.memory(&mut store).unwrap(), memory);
    let there = shared.memory(&mut other).unwrap();
    assert_eq!(shared.memory(&mut other).unwrap(), there);
    assert_ne!(there, memory);
    assert!(SharedMemory::same(
        &there.to_shared(&other).unwrap(),
        &shared
    ));

    // What one does all see, also after the store that made it is gone.
    let mut bytes = [0; 4];
    there.read(&other, 4, &mut bytes).unwrap();
    assert_eq!(&bytes, b"data");
    memory.write(&mut store, 65536 - 2, b"ok").unwrap();
    assert_eq!(memory.grow(&mut store, 1).unwrap(), 1);
    drop(store);
    assert_eq!(
        (there.size(&other), shared.size(), shared.data_size()),
        (2, 2, 2 * 65536)
    );
    assert_eq!((shared.data().len(), shared.ty().minimum()), (2 * 65536, 2));
    there.read(&other, 65536 - 2, &mut bytes).unwrap();
    assert_eq!(&bytes, b"ok\0\0");
    // Accesses of the host outside are errors, and have no effect.
    assert!(shared.write(2 * 65536 - 3, b"long").is_err());
    assert!(there.write(&mut other, usize::MAX, b"x").is_err());
    assert!(there.read(&other, 2 * 65536 - 3, &mut bytes).is_err());
    assert_eq!(word(&shared, 2 * 65536 - 8), 0);
}

/// Only who can be sure that no other thread is there gets them as a slice.
#[test]
fn the_bytes_of_a_shared_memory_are_lent_to_its_only_owner() {
    let engine = KINDS[0].engine(false);
    let (mut store, mut other) = (Store::new(&engine, ()), Store::new(&engine, ()));
    let shared = KINDS[0].memory(&engine);
    let memory = shared.memory(&mut store).unwrap();
    assert!(memory.try_data_and_store_mut(&mut store).is_none());
    drop(shared);
    memory.data_mut(&mut store)[0] = 1;
    let there = memory
        .to_shared(&store)
        .unwrap()
        .memory(&mut other)
        .unwrap();
    assert!(memory.try_data_and_store_mut(&mut store).is_none());
    drop(store);
    assert_eq!(there.data_mut(&mut other)[0], 1);
}

#[test]
#[should_panic(expected = "the bytes of a shared memory were borrowed")]
fn the_bytes_of_a_shared_memory_are_not_lent_by_a_shared_borrow() {
    let engine = KINDS[0].engine(false);
    let mut store = Store::new(&engine, ());
    let memory = KINDS[0].memory(&engine).memory(&mut store).unwrap();
    memory.data(&store);
}

#[test]
fn a_stores_limits_bound_its_own_guests() {
    let functions = r#"(func (export "grow") (result ix.)
        (memory.grow (ix.const 1)))"#;
    for kind in KINDS {
        let engine = kind.engine(false);
        let memory = kind.memory(&engine);
        let module = kind.module(
            &engine,
            &functions.replace("ix.)", &format!("{})", kind.index)),
        );
        let (mut store, instance) = instantiate(&module, &memory);
        store
            .limits(Limits::default().memory_bytes(2 * 65536))
            .unwrap();
        let mut grow = || match call(&mut store, instance, "grow", &[]).unwrap()[..] {
            [Val::I32(old)] => i64::from(old),
            [Val::I64(old)] => old,
            ref other => panic!("{other:?}"),
        };
        assert_eq!((grow(), grow()), (1, -1), "{kind:?}");
        // The host and other stores are not bound by them.
        assert_eq!(memory.grow(2).unwrap(), 2, "{kind:?}");
        assert_eq!(grow(), -1, "{kind:?}");
        let (mut other, instance) = instantiate(&module, &memory);
        call(&mut other, instance, "grow", &[]).unwrap();
        assert_eq!(memory.size(), 5, "{kind:?}");

        // It counts as one of the store's memories, once.
        let limits = Limits::default().memories(1);
        let mut store = Store::new(&engine, ());
        store.limits(limits).unwrap();
        memory.memory(&mut store).unwrap();
        memory.memory(&mut store).unwrap();
        let refused = Memory::new(&mut store, MemoryType::new(1, None));
        assert!(matches!(
            refused,
            Err(Error::Limit(LimitError {
                limit: LimitKind::Memories,
                ..
            }))
        ));
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let (engine, other) = (KINDS[0].engine(false), KINDS[0].engine(false));
    let unshared = MemoryType::new(1, Some(1));
    assert!(matches!(
        SharedMemory::new(&engine, unshared),
        Err(Error::Type(_))
    ));
    let without_threads = SharedMemory::new(&Engine::default(), unshared.shared());
    assert!(matches!(without_threads, Err(Error::Type(_))));
    let endless = MemoryType::new(1, None).shared();
    assert!(matches!(
        SharedMemory::new(&engine, endless),
        Err(Error::Type(_))
    ));
    let huge = MemoryType::new(1 << 40, Some(1 << 44)).memory64().shared();
    assert!(matches!(
        SharedMemory::new(&engine, huge),
        Err(Error::Limit(_))
    ));
    // A large maximum alone reserves no more than the default limit.
    let large = MemoryType::new(1, Some(1 << 44)).memory64().shared();
    let large = SharedMemory::new(&engine, large).unwrap();
    assert!(large.grow(1 << 43).is_err());
    assert_eq!(large.size(), 1);

    let memory = SharedMemory::new(&engine, unshared.shared()).unwrap();
    let mut store = Store::new(&other, ());
    assert!(matches!(
        memory.memory(&mut store),
        Err(Error::StoreMismatch(_))
    ));
    let mut linker = Linker::<()>::new(&other);
    let defined = linker.define_shared_memory("a", "b", &memory);
    assert!(matches!(defined, Err(Error::StoreMismatch(_))));
    // An unshared import is not satisfied by a shared memory, nor the other way.
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    linker.define_shared_memory("a", "shared", &memory).unwrap();
    let memory = Memory::new(&mut store, unshared).unwrap();
    linker.define(&store, "a", "own", memory).unwrap();
    for wat in [
        r#"(module (import "a" "shared" (memory 1 1)))"#,
        r#"(module (import "a" "own" (memory 1 1 shared)))"#,
    ] {
        let module = Module::new(&engine, wat).unwrap();
        let refused = linker.instantiate(&mut store, &module);
        assert!(matches!(refused, Err(Error::Link(_))), "{wat}");
    }
}
