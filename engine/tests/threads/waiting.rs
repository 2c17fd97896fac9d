//! Waiting, notifications and interruptions of those who wait.

use crate::common::call;
use crate::kinds::{KINDS, Kind, instantiate, on_threads};
use rwasm::{Engine, Module, SharedMemory, Trap, Val, WaitResult};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

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
        let mut config = crate::common::config();
        config.threads(true).guarded_memories(guarded);
        let (mut store, instance) = crate::common::instance_with(
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
