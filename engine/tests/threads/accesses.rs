//! Plain and atomic accesses by several threads.

use crate::common::call;
use crate::kinds::{KINDS, MAX, on_threads, word};
use rwasm::{Trap, Val};

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
