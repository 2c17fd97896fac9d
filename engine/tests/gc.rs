//! The garbage-collected heap: what is reclaimed, what is kept, and its limits.

mod common;

use common::{call, instance_with, link};
use rwasm::{
    AnyRef, Caller, Config, Engine, Error, ExternRef, Func, FuncType, Instance, Limits, Linker,
    Module, Owned, Result, RootScope, Store, Trap, Val, ValType,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Lists of nodes with a value, in both orders of their fields.
const LISTS: &str = r#"(module
    (type $node (struct (field $value (mut i32)) (field $next (mut (ref null $node)))))
    (type $edon (struct (field $next (mut (ref null $edon))) (field $value (mut anyref))))
    (type $nodes (array (mut (ref null $node))))
    (global $list (mut (ref null $node)) (ref.null $node))
    (global $tsil (mut (ref null $edon)) (ref.null $edon))
    (global $wide (mut (ref null $nodes)) (ref.null $nodes))

    (func (export "lists") (param $n i32)
        (local $i i32)
        (global.set $list (ref.null $node))
        (global.set $tsil (ref.null $edon))
        (local.set $i (local.get $n))
        (loop $more
            (local.set $i (i32.sub (local.get $i) (i32.const 1)))
            (global.set $list (struct.new $node (local.get $i) (global.get $list)))
            (global.set $tsil (struct.new $edon (global.get $tsil) (global.get $list)))
            (br_if $more (local.get $i))))
    ;; The sum of the values in one list; of the other list, what they refer to.
    (func (export "sum") (result i64)
        (local $at (ref null $node)) (local $ta (ref null $edon)) (local $sum i64)
        (local.set $at (global.get $list))
        (local.set $ta (global.get $tsil))
        (block $done
            (loop $more
                (br_if $done (ref.is_null (local.get $at)))
                (if (i32.eqz (ref.eq (local.get $at)
                        (ref.cast (ref $node) (struct.get $edon $value (local.get $ta)))))
                    (then unreachable))
                (local.set $sum (i64.add (local.get $sum)
                    (i64.extend_i32_u (struct.get $node $value (local.get $at)))))
                (local.set $at (struct.get $node $next (local.get $at)))
                (local.set $ta (struct.get $edon $next (local.get $ta)))
                (br $more)))
        (local.get $sum))
    (func (export "drop")
        (global.set $list (ref.null $node))
        (global.set $tsil (ref.null $edon))
        (global.set $wide (ref.null $nodes)))

    ;; Rings of two, which nothing refers to.
    (func (export "rings") (param $n i32)
        (local $a (ref null $node))
        (loop $more
            (local.set $a (struct.new $node (i32.const 1) (ref.null $node)))
            (struct.set $node $next (local.get $a)
                (struct.new $node (i32.const 2) (local.get $a)))
            (local.set $n (i32.sub (local.get $n) (i32.const 1)))
            (br_if $more (local.get $n))))

    (func (export "wide") (param $n i32)
        (local $i i32)
        (global.set $wide (array.new_default $nodes (local.get $n)))
        (loop $more
            (array.set $nodes (global.get $wide) (local.get $i)
                (struct.new $node (local.get $i) (ref.null $node)))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $more (i32.lt_u (local.get $i) (local.get $n)))))
    (func (export "wide-sum") (result i64)
        (local $i i32) (local $sum i64)
        (loop $more
            (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u
                (struct.get $node $value (array.get $nodes (global.get $wide) (local.get $i))))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $more (i32.lt_u (local.get $i) (array.len (global.get $wide)))))
        (local.get $sum)))"#;

fn stress(on: bool) -> Config {
    let mut config = common::config();
    config.collect_at_every_allocation(on);
    config
}

fn call_i64(store: &mut Store<()>, instance: Instance, name: &str) -> i64 {
    call(store, instance, name, &[]).unwrap()[0].unwrap_i64()
}

/// The sum of 0..n.
fn sum(n: i64) -> i64 {
    n * (n - 1) / 2
}

#[test]
fn long_lists_and_wide_arrays_are_kept_and_then_reclaimed() {
    for (on, n) in [(false, 2_000_000), (true, 300)] {
        let (mut store, instance) = instance_with(&stress(on), LISTS);
        for _ in 0..2 {
            call(&mut store, instance, "lists", &[Val::I32(n)]).unwrap();
            call(&mut store, instance, "wide", &[Val::I32(n)]).unwrap();
            store.gc();
            assert_eq!(call_i64(&mut store, instance, "sum"), sum(n.into()));
            assert_eq!(call_i64(&mut store, instance, "wide-sum"), sum(n.into()));
            let live = store.heap_stats().live_bytes;
            // Three nodes of 16 bytes, and the reference in the array.
            let least = 52 * n as u64;
            assert!((least..2 * least + 1000).contains(&live), "{live} for {n}");

            call(&mut store, instance, "drop", &[]).unwrap();
            store.gc();
            assert_eq!(store.heap_stats().live_bytes, 0);
            assert_eq!(store.heap_stats().used_bytes, 0);
        }
    }
}

#[test]
fn rings_are_reclaimed_while_the_guest_runs() {
    let (mut store, instance) = instance_with(&common::config(), LISTS);
    store
        .limits(Limits::default().gc_heap_bytes(32 << 20))
        .unwrap();
    // 320 MB in all.
    call(&mut store, instance, "rings", &[Val::I32(10_000_000)]).unwrap();
    let stats = store.heap_stats();
    assert!(stats.collections > 10, "{stats:?}");
    assert!(stats.used_bytes <= 32 << 20, "{stats:?}");
}

/// Allocates `total` MiB in arrays of 1 KiB, of which the last 10,000 live.
const CHURN: &str = r#"(module
    (type $bytes (array (mut i8)))
    (type $window (array (mut (ref null $bytes))))
    (func (export "churn") (param $total i32)
        (local $window (ref $window)) (local $i i32)
        (local.set $window (array.new_default $window (i32.const 10000)))
        (local.set $total (i32.mul (local.get $total) (i32.const 1024)))
        (loop $more
            (array.set $window (local.get $window)
                (i32.rem_u (local.get $i) (i32.const 10000))
                (array.new_default $bytes (i32.const 1016)))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $more (i32.lt_u (local.get $i) (local.get $total))))))"#;

/// Resident memory of this process, in bytes.
#[cfg(target_os = "linux")]
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[cfg(target_os = "linux")]
#[test]
fn memory_is_bounded_however_much_is_allocated() {
    let (mut store, instance) = instance_with(&common::config(), CHURN);
    let before = resident();
    // 2 GiB with 10 MB alive; other tests of this process run meanwhile, so that
    // the store's own figures are the strict ones.
    call(&mut store, instance, "churn", &[Val::I32(2048)]).unwrap();
    let (grown, stats) = (resident().saturating_sub(before), store.heap_stats());
    assert!(grown < 1 << 30, "{grown} {stats:?}");
    assert!(stats.used_bytes < 40 << 20, "{stats:?}");
    assert!(stats.collections > 50, "{stats:?}");
}

#[test]
fn a_full_heap_traps_and_can_be_used_again() {
    for (config, limit) in [
        (common::config(), 4 << 20),
        (common::config(), 300_000),
        (stress(true), 70_000),
    ] {
        let (mut store, instance) = instance_with(&config, LISTS);
        store
            .limits(Limits::default().gc_heap_bytes(limit))
            .unwrap();
        for _ in 0..3 {
            let error = call(&mut store, instance, "lists", &[Val::I32(100_000_000)]).unwrap_err();
            assert_eq!(error.trap(), Some(Trap::HeapExhausted));
            // A bounded number of collections, however long it was tried.
            assert!(store.heap_stats().used_bytes <= limit);
            call(&mut store, instance, "drop", &[]).unwrap();
            call(&mut store, instance, "lists", &[Val::I32(100)]).unwrap();
            assert_eq!(call_i64(&mut store, instance, "sum"), sum(100));
            call(&mut store, instance, "drop", &[]).unwrap();
        }
        let collections = store.heap_stats().collections;
        assert!(
            config_is_stress(&config) || collections < 100,
            "{collections}"
        );
    }
}

fn config_is_stress(config: &Config) -> bool {
    format!("{config:?}").contains("collect_at_every_allocation: true")
}

#[test]
fn hostile_lengths_trap() {
    let wat = r#"(module
        (type $i8 (array (mut i8)))
        (type $i64 (array (mut i64)))
        (type $v128 (array (mut v128)))
        (type $any (array (mut anyref)))
        (data $d "0123456789")
        (elem $e anyref (ref.i31 (i32.const 1)))
        (func (export "i8") (param i32) (drop (array.new_default $i8 (local.get 0))))
        (func (export "i64") (param i32) (drop (array.new $i64 (i64.const 1) (local.get 0))))
        (func (export "v128") (param i32)
            (drop (array.new $v128 (v128.const i64x2 1 2) (local.get 0))))
        (func (export "any") (param i32)
            (drop (array.new $any (ref.i31 (i32.const 1)) (local.get 0))))
        (func (export "data") (param i32)
            (drop (array.new_data $i64 $d (i32.const 0) (local.get 0))))
        (func (export "elem") (param i32)
            (drop (array.new_elem $any $e (i32.const 0) (local.get 0))))
        (func (export "fill") (param i32)
            (array.fill $i8 (array.new_default $i8 (i32.const 9)) (local.get 0) (i32.const 1)
                (local.get 0)))
        (func (export "copy") (param i32) (local $a (ref $i8))
            (local.set $a (array.new_default $i8 (i32.const 9)))
            (array.copy $i8 $i8 (local.get $a) (i32.const 1) (local.get $a) (i32.const 0)
                (local.get 0))))"#;
    let (mut store, instance) = instance_with(&common::config(), wat);
    store
        .limits(Limits::default().gc_heap_bytes(64 << 20))
        .unwrap();
    let too_large = Trap::AllocationTooLarge;
    let cases = [
        ("i8", u32::MAX, too_large),
        ("i8", 64 << 20, too_large),
        ("i64", u32::MAX, too_large),
        ("i64", 1 << 29, too_large),
        ("v128", u32::MAX, too_large),
        ("v128", 1 << 28, too_large),
        ("any", u32::MAX, too_large),
        ("any", 1 << 30, too_large),
        ("data", u32::MAX, Trap::MemoryOutOfBounds),
        ("data", 2, Trap::MemoryOutOfBounds),
        ("elem", u32::MAX, Trap::TableOutOfBounds),
        ("elem", 2, Trap::TableOutOfBounds),
        ("fill", u32::MAX, Trap::ArrayOutOfBounds),
        ("fill", 5, Trap::ArrayOutOfBounds),
        ("copy", u32::MAX, Trap::ArrayOutOfBounds),
        ("copy", 9, Trap::ArrayOutOfBounds),
    ];
    for (name, len, expected) in cases {
        let error = call(&mut store, instance, name, &[Val::I32(len as i32)]).unwrap_err();
        assert_eq!(error.trap(), Some(expected), "{name} {len}");
    }
    for (name, len) in [
        ("i8", 60 << 20),
        ("i64", 7 << 20),
        ("v128", 3 << 20),
        ("any", 15 << 20),
        ("copy", 8),
    ] {
        // Twice: the first is garbage by then.
        for _ in 0..2 {
            call(&mut store, instance, name, &[Val::I32(len)]).unwrap();
        }
    }
}

#[test]
fn endless_allocation_is_stopped() {
    let wat = r#"(module
        (type $node (struct (field (ref null $node)) (field i64)))
        (func (export "run")
            (loop $more
                (drop (struct.new $node (struct.new_default $node) (i64.const 1)))
                (br $more))))"#;
    let mut config = common::config();
    config.consume_fuel(true).interruption(true);
    let (mut store, instance) = instance_with(&config, wat);
    store.set_fuel(10_000_000).unwrap();
    let error = call(&mut store, instance, "run", &[]).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::OutOfFuel));

    store.set_fuel(u64::MAX).unwrap();
    let handle = store.interrupt_handle();
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(100));
        handle.interrupt();
    });
    let error = call(&mut store, instance, "run", &[]).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::Interrupted));
    stopper.join().unwrap();
}

/// Everything that may keep an object alive, one object in each.
#[test]
fn roots_of_every_kind_keep_objects_alive() {
    let wat = r#"(module
        (type $box (struct (field i32)))
        (type $pair (struct (field (ref $box)) (field (ref $box))))
        (import "host" "pass" (func $pass (param anyref) (result anyref)))
        (tag $tag (param (ref $box) i32))
        (global $global (mut anyref) (struct.new $box (i32.const 1)))
        (table $table 3 anyref)
        (elem $elem anyref (item (struct.new $box (i32.const 3))))
        (table $exceptions 1 exnref)
        (func $new (param i32) (result (ref $box)) (struct.new $box (local.get 0)))
        (func $value (param anyref) (result i32)
            (struct.get $box 0 (ref.cast (ref $box) (local.get 0))))
        (func $churn (param i32)
            (loop $more
                (drop (struct.new $box (i32.const -1)))
                (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                (br_if $more (local.get 0))))
        (func $check (param anyref i32)
            (if (i32.ne (call $value (local.get 0)) (local.get 1)) (then unreachable)))
        (func (export "run") (param $n i32)
            (local $box (ref $box)) (local $exn exnref) (local $pair (ref $pair))
            (table.set $table (i32.const 1) (call $new (i32.const 2)))
            (local.set $box (call $new (i32.const 4)))
            (local.set $exn
                (block $caught (result exnref)
                    (try_table (catch_all_ref $caught)
                        (throw $tag (call $new (i32.const 5)) (i32.const 6)))
                    unreachable))
            (table.set $exceptions (i32.const 0) (local.get $exn))
            (local.set $exn (ref.null exn))
            ;; On the operand stack, in all sorts of places.
            (call $new (i32.const 7))
            (struct.get $pair 1 (struct.new $pair (call $new (i32.const 8)) (call $new (i32.const 9))))
            (call $pass (call $new (i32.const 10)))
            (call $churn (local.get $n))
            (call $check (i32.const 10))
            (call $check (i32.const 9))
            (call $check (i32.const 7))
            (call $check (global.get $global) (i32.const 1))
            (call $check (table.get $table (i32.const 1)) (i32.const 2))
            (table.init $table $elem (i32.const 2) (i32.const 0) (i32.const 1))
            (call $check (table.get $table (i32.const 2)) (i32.const 3))
            (call $check (local.get $box) (i32.const 4))
            (block $caught (result (ref $box) i32)
                (try_table (catch $tag $caught)
                    (throw_ref (table.get $exceptions (i32.const 0))))
                unreachable)
            (if (i32.ne (i32.const 6)) (then unreachable))
            (call $check (i32.const 5)))
        (func (export "churn") (param i32) (call $churn (local.get 0))))"#;
    for (on, n) in [(false, 2_000_000), (true, 100)] {
        let engine = Engine::new(&stress(on)).unwrap();
        let mut linker = Linker::new(&engine);
        let mut store = Store::new(&engine, ());
        linker
            .func_wrap(
                "host",
                "pass",
                move |mut caller: Caller<'_, ()>, value: Option<AnyRef>| {
                    // The guest again, while the host holds the only reference.
                    let churn = caller.get_export("churn").unwrap().into_func().unwrap();
                    churn.typed::<i32, ()>(&caller)?.call(&mut caller, n)?;
                    Ok::<_, Error>(value)
                },
            )
            .unwrap();
        let instance = link(&mut store, &linker, wat).unwrap();
        for _ in 0..3 {
            call(&mut store, instance, "run", &[Val::I32(n)]).unwrap();
        }
        assert!(store.heap_stats().collections > 3);
    }
}

#[test]
fn values_of_the_host_are_dropped_when_nothing_refers_to_them() {
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let wat = r#"(module
        (import "host" "make" (func $make (result externref)))
        (type $box (struct (field anyref)))
        (table (export "table") 10 externref)
        (global $box (mut (ref null $box)) (ref.null $box))
        (func (export "run") (param i32)
            (global.set $box (struct.new $box (any.convert_extern (call $make))))
            (loop $more
                (table.set (i32.rem_u (local.get 0) (i32.const 10)) (call $make))
                (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                (br_if $more (local.get 0)))))"#;
    let dropped = Arc::new(AtomicUsize::new(0));
    let (mut store, mut linker) = common::linker(());
    let counter = dropped.clone();
    linker
        .func_wrap("host", "make", move |mut caller: Caller<'_, ()>| {
            ExternRef::new(&mut caller, Counted(counter.clone())).map(Some)
        })
        .unwrap();
    let instance = link(&mut store, &linker, wat).unwrap();
    call(&mut store, instance, "run", &[Val::I32(100_000)]).unwrap();
    // Without being asked…
    assert!(
        store.heap_stats().host_refs < 5000,
        "{:?}",
        store.heap_stats()
    );
    store.gc();
    // … and then all but ten in the table and one in a struct.
    assert_eq!(store.heap_stats().host_refs, 11);
    assert_eq!(dropped.load(Ordering::Relaxed), 100_001 - 11);
    drop(store);
    assert_eq!(dropped.load(Ordering::Relaxed), 100_001);
}

#[test]
fn handles_end_with_their_scope() {
    let wat = r#"(module
        (type $box (struct (field (mut i32))))
        (import "host" "keep" (func $keep (param structref)))
        (func (export "new") (param i32) (result structref) (struct.new $box (local.get 0)))
        (func (export "keep") (param i32) (call $keep (struct.new $box (local.get 0)))))"#;
    let (mut store, mut linker) = common::linker(Vec::<(AnyRef, Owned<AnyRef>)>::new());
    linker
        .func_wrap(
            "host",
            "keep",
            |mut caller: Caller<'_, Vec<_>>, value: Option<rwasm::StructRef>| -> Result<()> {
                let value = value.unwrap().to_anyref();
                let owned = Owned::new(&mut caller, value)?;
                caller.data_mut().push((value, owned));
                Ok(())
            },
        )
        .unwrap();
    let instance = link(&mut store, &linker, wat).unwrap();
    for n in 0..10 {
        call(&mut store, instance, "keep", &[Val::I32(n)]).unwrap();
    }
    store.gc();
    for (n, (handle, owned)) in std::mem::take(store.data_mut()).into_iter().enumerate() {
        assert!(matches!(handle.is_struct(&store), Err(Error::Unrooted)));
        let value = owned.get().as_struct(&store).unwrap().unwrap();
        assert_eq!(value.field(&mut store, 0).unwrap().unwrap_i32(), n as i32);
        assert_eq!(owned.get(), handle, "the same object");
        drop(owned);
        store.gc();
        assert!(value.field(&mut store, 0).is_err());
    }
    assert_eq!(store.heap_stats().live_bytes, 0);

    // A stale handle as an argument, a result, a field, a global.
    let stale = {
        let mut scope = RootScope::new(&mut store);
        call(&mut scope, instance, "new", &[Val::I32(1)]).unwrap()[0]
    };
    let ty = FuncType::new([ValType::ANYREF], []);
    let func = Func::new(&mut store, ty, |_, _, _| Ok(())).unwrap();
    let error = func.call(&mut store, &[stale], &mut []).unwrap_err();
    assert!(matches!(error, Error::Unrooted), "{error}");
    let error = func
        .call(&mut Store::<()>::default(), &[], &mut [])
        .unwrap_err();
    assert!(matches!(error, Error::StoreMismatch(_)));

    // One that lives as long as the store.
    let value = call(&mut store, instance, "new", &[Val::I32(7)]).unwrap()[0];
    store.gc();
    let value = value
        .unwrap_anyref()
        .unwrap()
        .as_struct(&store)
        .unwrap()
        .unwrap();
    assert_eq!(value.field(&mut store, 0).unwrap().unwrap_i32(), 7);
}

/// An operand was moved ahead of an allocation to a slot that the collector
/// did not look at, since it was not in use yet.
#[test]
fn arguments_made_before_an_allocation_survive_it() {
    let wat = r#"(module
        (type $box (struct (field i32)))
        (func $value (param anyref anyref anyref anyref) (result i32)
            (i32.add
                (struct.get $box 0 (ref.cast (ref $box) (local.get 0)))
                (struct.get $box 0 (ref.cast (ref $box) (local.get 1)))))
        (func (export "run") (result i32) (local $null (ref null $box))
            (call $value
                (struct.new $box (i32.const 1))
                (struct.new $box (i32.const 2))
                (array.new_default $array (i32.const 4))
                (array.new $array (local.get $null) (i32.const 4))))
        (type $array (array (mut anyref))))"#;
    let (mut store, instance) = instance_with(&stress(true), wat);
    let result = call(&mut store, instance, "run", &[]).unwrap();
    assert_eq!(result[0].unwrap_i32(), 3);
}

#[test]
fn types_deep_down_a_hierarchy_are_told_apart() {
    // Deeper than casts look without the registry.
    let mut wat = String::from("(module (type $t0 (sub (struct (field i32))))\n");
    for n in 1..40 {
        wat += &format!("(type $t{n} (sub $t{} (struct (field i32))))\n", n - 1);
    }
    wat += "(type $other (sub $t5 (struct (field i32) (field i32))))\n";
    for n in 0..40 {
        wat += &format!(
            "(func (export \"new{n}\") (result anyref) (struct.new $t{n} (i32.const {n})))
             (func (export \"is{n}\") (param anyref) (result i32)
                (ref.test (ref $t{n}) (local.get 0)))"
        );
    }
    wat += r#"(func (export "other") (result anyref) (struct.new_default $other)))"#;
    let (mut store, instance) = instance_with(&common::config(), &wat);
    let mut scope = RootScope::new(&mut store);
    let other = call(&mut scope, instance, "other", &[]).unwrap()[0];
    for made in 0..40 {
        let value = call(&mut scope, instance, &format!("new{made}"), &[]).unwrap()[0];
        for asked in (0..40).step_by(3) {
            let is = format!("is{asked}");
            let found = call(&mut scope, instance, &is, &[value]).unwrap()[0].unwrap_i32();
            assert_eq!(found != 0, asked <= made, "{made} is {asked}");
            let found = call(&mut scope, instance, &is, &[other]).unwrap()[0].unwrap_i32();
            assert_eq!(found != 0, asked <= 5, "other is {asked}");
        }
    }
}

#[test]
fn objects_go_between_modules_and_outlive_their_makers() {
    let maker = r#"(module
        (rec (type $node (sub (struct (field i32) (field (ref null $node))))))
        (func (export "new") (param i32 (ref null $node)) (result (ref $node))
            (struct.new $node (local.get 0) (local.get 1))))"#;
    let user = r#"(module
        (type $unrelated (struct (field i64)))
        (rec (type $node (sub (struct (field i32) (field (ref null $node))))))
        (import "maker" "new" (func $new (param i32 (ref null $node)) (result (ref $node))))
        (func (export "run") (result i32)
            (struct.get $node 0 (struct.get $node 1
                (call $new (i32.const 1) (call $new (i32.const 2) (ref.null $node)))))))"#;
    let engine = Engine::new(&stress(true)).unwrap();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    let made = link(&mut store, &linker, maker).unwrap();
    let new = made.get_func(&mut store, "new").unwrap();
    linker.define(&store, "maker", "new", new).unwrap();
    let instance = link(&mut store, &linker, user).unwrap();
    let result = call(&mut store, instance, "run", &[]).unwrap();
    assert_eq!(result[0].unwrap_i32(), 2);
    let _ = Module::new(&engine, user).unwrap();
}

#[test]
fn under_all_tiers() {
    common::run_under_all_tiers();
}
