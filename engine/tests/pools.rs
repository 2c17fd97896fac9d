//! Pools: what one use does, the next does not see.

mod common;

use common::configs;
use rwasm::{
    AnyRef, Caller, Config, Engine, Error, ExternRef, Func, I31, Instance, InstancePool,
    InstancePre, InstanceSnapshot, Limits, Linker, Memory, MemoryType, Module, PoolConfig,
    PoolError, Ref, Result, SharedMemory, Store, Tier, Trap, Val,
};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The default tiers.
fn config() -> Config {
    let mut config = Config::new();
    config.tier(Tier::Auto).custom_page_sizes(true);
    config
}

fn pre<T: 'static>(config: &Config, wat: &str) -> InstancePre<T> {
    let engine = Engine::new(config).unwrap();
    let module = Module::new(&engine, wat).unwrap();
    Linker::new(&engine).instantiate_pre(&module).unwrap()
}

fn pool<T: 'static>(config: &Config, wat: &str) -> InstancePool<T> {
    InstancePool::new(&pre(config, wat), PoolConfig::new()).unwrap()
}

fn call<T: 'static>(store: &mut Store<T>, instance: Instance, name: &str) -> Result<()> {
    let func = instance.get_typed_func::<(), ()>(&mut *store, name)?;
    func.call(store, ())
}

/// A guest that leaves something wherever a guest can leave something.
const HOSTILE: &str = r#"(module
    (type $f (func (result i32)))
    (type $pair (struct (field $a (mut i32)) (field $next (mut anyref))))
    (type $numbers (array (mut i64)))
    (memory $m (export "m") 2 60)
    (memory $second (export "second") 1 40)
    (memory $wide (export "wide") i64 1 40)
    (memory $empty (export "empty") 0 10)
    (memory $bytes (export "bytes") 10 70000 (pagesize 1))
    (data $passive "passive")
    (data (memory $m) (i32.const 65530) "over the border")
    (data (memory $wide) (i64.const 9) "wide")
    (table $t (export "t") 4 100000 funcref)
    (table $none (export "none") 0 100000 funcref)
    (table $objects (export "objects") 2 1000 anyref)
    (table $externs (export "externs") 2 1000 externref)
    (elem (table $t) (i32.const 1) func $one $two)
    (elem $functions func $two $one $two)
    (elem $values (ref null $pair) (struct.new $pair (i32.const 7) (ref.null any)) (ref.null none))
    (global $n (export "n") (mut i32) (i32.const 5))
    (global $wide_n (export "wide_n") (mut i64) (i64.const -5))
    (global $x (export "x") (mut f64) (f64.const 0.5))
    (global $v (export "v") (mut v128) (v128.const i64x2 1 2))
    (global $func (export "func") (mut funcref) (ref.func $one))
    (global $object (export "object") (mut (ref null $pair))
        (struct.new $pair (i32.const 11) (ref.i31 (i32.const 3))))
    (global $extern (export "extern") (mut externref) (ref.null extern))
    (tag $e (param i32 anyref))
    (func $one (type $f) (i32.const 1))
    (func $two (type $f) (i32.const 2))

    (func (export "fill")
        (drop (memory.grow $m (i32.const 30)))
        (memory.fill $m (i32.const 0) (i32.const 0xaa) (i32.const 2097152))
        (drop (memory.grow $second (i32.const 3)))
        (memory.fill $second (i32.const 0) (i32.const 0xbb) (i32.const 262144))
        (drop (memory.grow $wide (i64.const 9)))
        (memory.fill $wide (i64.const 0) (i32.const 0xcc) (i64.const 655360))
        (drop (memory.grow $empty (i32.const 1)))
        (memory.fill $empty (i32.const 0) (i32.const 0xdd) (i32.const 65536))
        (drop (memory.grow $bytes (i32.const 60000)))
        (memory.fill $bytes (i32.const 0) (i32.const 0xee) (i32.const 60010))
        (memory.init $passive (i32.const 0) (i32.const 0) (i32.const 7))
        (data.drop $passive))
    (func (export "tables")
        (table.set $t (i32.const 0) (ref.func $two))
        (table.set $t (i32.const 1) (ref.null func))
        (drop (table.grow $t (ref.func $two) (i32.const 5000)))
        (drop (table.grow $none (ref.func $one) (i32.const 3)))
        (table.init $t $functions (i32.const 10) (i32.const 0) (i32.const 3))
        (elem.drop $functions)
        (table.init $objects $values (i32.const 0) (i32.const 0) (i32.const 2))
        (struct.set $pair $a
            (ref.cast (ref $pair) (table.get $objects (i32.const 0))) (i32.const 1234))
        (elem.drop $values)
        (drop (table.grow $objects (ref.i31 (i32.const 9)) (i32.const 100)))
        (drop (table.grow $externs (ref.null extern) (i32.const 7))))
    (func (export "globals")
        (global.set $n (i32.const 99))
        (global.set $wide_n (i64.const 99))
        (global.set $x (f64.const 99))
        (global.set $v (v128.const i64x2 99 99))
        (global.set $func (ref.func $two))
        (struct.set $pair $a (global.get $object) (i32.const 4321))
        (struct.set $pair $next (global.get $object) (global.get $object))
        (global.set $object (struct.new $pair (i32.const 99) (global.get $object))))
    (func (export "allocate") (local $i i32)
        (loop $more
            (table.set $objects (i32.const 0)
                (struct.new $pair (local.get $i) (table.get $objects (i32.const 0))))
            (table.set $objects (i32.const 1) (array.new $numbers (i64.const -1) (i32.const 100000)))
            (br_if $more (i32.lt_u
                (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100)))))
    (func (export "throw") (throw $e (i32.const 1) (global.get $object)))
    (func (export "trap") (drop (i32.load (i32.const -4))))
    (func $deep (export "deep") (param i64) (result i64)
        (i64.add (call $deep (i64.add (local.get 0) (i64.const 1))) (local.get 0)))
    (func (export "deep_down") (drop (call $deep (i64.const 0))))

    ;; What only code sees.
    (func (export "passive") (result i32)
        (memory.init $passive (i32.const 100) (i32.const 0) (i32.const 7))
        (i32.load (i32.const 100)))
    (func (export "functions") (result i32)
        (table.init $t $functions (i32.const 0) (i32.const 0) (i32.const 3))
        (call_indirect $t (type $f) (i32.const 0)))
    (func (export "values") (result i32)
        (table.init $objects $values (i32.const 0) (i32.const 0) (i32.const 2))
        (struct.get $pair $a (ref.cast (ref $pair) (table.get $objects (i32.const 0)))))
    (func (export "indirect") (result i32)
        (i32.add (call_indirect $t (type $f) (i32.const 1))
            (i32.mul (i32.const 10) (call_indirect $t (type $f) (i32.const 2)))))
    (func (export "null") (result i32) (call_indirect $t (type $f) (i32.const 0)))
    (func (export "pair") (result i32) (struct.get $pair $a (global.get $object)))
    (func (export "next") (result i32)
        (i31.get_u (ref.cast (ref i31) (struct.get $pair $next (global.get $object)))))
    (func (export "fresh") (result i32) (local $sum i64) (local $i i32)
        (local $array (ref $numbers))
        (local.set $array (array.new_default $numbers (i32.const 50000)))
        (loop $more
            (local.set $sum (i64.or (local.get $sum) (array.get $numbers (local.get $array) (local.get $i))))
            (br_if $more (i32.lt_u
                (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 50000))))
        (i64.ne (local.get $sum) (i64.const 0)))
    (func (export "grown") (result i32)
        (drop (memory.grow $m (i32.const 40)))
        (drop (memory.grow $second (i32.const 3)))
        (drop (memory.grow $wide (i64.const 9)))
        (drop (memory.grow $empty (i32.const 3)))
        (drop (memory.grow $bytes (i32.const 60000)))
        (drop (table.grow $t (ref.null func) (i32.const 6000)))
        (drop (table.grow $none (ref.null func) (i32.const 3)))
        (i32.const 0))
    (func (export "outside") (result i32) (i32.load (i32.const 131072)))
    (func (export "outside_wide") (result i32) (i32.load $wide (i64.const 65536)))
)"#;

const DEEDS: [&str; 7] = [
    "fill",
    "tables",
    "globals",
    "allocate",
    "throw",
    "trap",
    "deep_down",
];

/// All that a guest and its host can see.
fn seen(store: &mut Store<()>, instance: Instance) -> Vec<String> {
    let mut seen = Vec::new();
    let exports: Vec<_> = instance
        .exports(&mut *store)
        .map(|export| (export.name().to_owned(), export.into_extern()))
        .collect();
    let mut look = |store: &mut Store<()>| {
        for (name, export) in &exports {
            if let Some(memory) = export.into_memory() {
                let bytes = memory.data(&*store);
                let used: Vec<_> = (0..).zip(bytes).filter(|&(_, &byte)| byte != 0).collect();
                seen.push(format!("{name}: {} {used:?}", bytes.len()));
            } else if let Some(table) = export.into_table() {
                let nulls: Vec<_> = (0..table.size(&*store))
                    .filter(|&at| !table.get(&mut *store, at).unwrap().is_null())
                    .collect();
                seen.push(format!("{name}: {} {nulls:?}", table.size(&*store)));
            } else if let Some(global) = export.into_global() {
                let value = global.get(&mut *store);
                let value = match value {
                    Val::FuncRef(_) | Val::AnyRef(_) => is_null(&value).to_string(),
                    value => format!("{value:?}"),
                };
                seen.push(format!("{name}: {value}"));
            }
        }
        seen.push(format!("{:?}", store.heap_stats()));
    };
    look(store);
    let probes = [
        "outside",
        "outside_wide",
        "null",
        "indirect",
        "pair",
        "next",
        "passive",
        "values",
        "functions",
        "fresh",
        "grown",
    ];
    let mut answers = Vec::new();
    for probe in probes {
        let func = instance
            .get_typed_func::<(), i32>(&mut *store, probe)
            .unwrap();
        let answer = match func.call(&mut *store, ()) {
            Ok(answer) => answer.to_string(),
            Err(error) => error.to_string(),
        };
        answers.push(format!("{probe}: {answer}"));
    }
    look(store);
    seen.extend(answers);
    seen
}

fn is_null(value: &Val) -> bool {
    matches!(
        value,
        Val::FuncRef(None) | Val::AnyRef(None) | Val::ExternRef(None)
    )
}

#[test]
fn nothing_of_one_use_is_seen_in_the_next() {
    // What stays in memory, of which each kind of memory meets all.
    let resident = [1 << 30, 100 << 10, 0].into_iter().cycle();
    for (config, resident) in configs().iter().zip(resident) {
        let pre = pre(config, HOSTILE);
        let mut fresh = Store::new(pre.module().engine(), ());
        let instance = pre.instantiate(&mut fresh).unwrap();
        let expected = seen(&mut fresh, instance);

        let settings = PoolConfig::new().resident_bytes(resident);
        let pool = InstancePool::new(&pre, settings).unwrap();
        for deed in DEEDS.iter().copied().chain(["all"]) {
            {
                let (mut store, instance) = pool.instantiate(()).unwrap();
                assert_eq!(seen(&mut store, instance), expected, "before {deed}");
            }
            let (mut store, instance) = pool.instantiate(()).unwrap();
            let deeds = if deed == "all" { &DEEDS[..] } else { &[deed] };
            for deed in deeds {
                let _ = call(&mut store, instance, deed);
            }
            assert_eq!(pool.idle(), 0);
            drop(store);
            assert_eq!(pool.idle(), 1, "{deed}");
            let (mut store, instance) = pool.instantiate(()).unwrap();
            assert_eq!(seen(&mut store, instance), expected, "after {deed}");
        }
    }
}

#[test]
fn what_the_host_writes_is_gone_as_well() {
    let pool = pool::<()>(&config(), HOSTILE);
    let expected = {
        let (mut store, instance) = pool.instantiate(()).unwrap();
        seen(&mut store, instance)
    };
    let (mut store, instance) = pool.instantiate(()).unwrap();
    let memory = instance.get_memory(&mut store, "m").unwrap();
    memory.grow(&mut store, 5).unwrap();
    memory.data_mut(&mut store).fill(7);
    let table = instance.get_table(&mut store, "t").unwrap();
    table.grow(&mut store, 10, Ref::Func(None)).unwrap();
    let object = AnyRef::from_i31(&mut store, I31::wrapping_u32(1));
    let objects = instance.get_table(&mut store, "objects").unwrap();
    objects.set(&mut store, 0, Ref::Any(Some(object))).unwrap();
    let value = ExternRef::new(&mut store, "secret").unwrap();
    let global = instance.get_global(&mut store, "extern").unwrap();
    global.set(&mut store, Val::ExternRef(Some(value))).unwrap();
    drop(store);
    let (mut store, instance) = pool.instantiate(()).unwrap();
    assert_eq!(seen(&mut store, instance), expected);
    // A handle of the last use is none of this one.
    let global = instance.get_global(&mut store, "extern").unwrap();
    let error = global.set(&mut store, Val::ExternRef(Some(value)));
    assert!(matches!(error, Err(Error::StoreMismatch(_))));
    assert!(object.as_i31(&store).is_err());
}

#[test]
#[should_panic(expected = "another store")]
fn handles_of_one_use_are_not_good_in_the_next() {
    let pool = pool::<()>(&config(), HOSTILE);
    let (mut store, instance) = pool.instantiate(()).unwrap();
    let memory = instance.get_memory(&mut store, "m").unwrap();
    drop(store);
    let (store, _) = pool.instantiate(()).unwrap();
    let _ = memory.data(&store);
}

#[test]
fn values_of_the_host_are_dropped_with_their_use() {
    let pool = pool::<Arc<()>>(&config(), HOSTILE);
    let value = Arc::new(());
    for _ in 0..3 {
        let (mut store, instance) = pool.instantiate(value.clone()).unwrap();
        let handle = ExternRef::new(&mut store, value.clone()).unwrap();
        let global = instance.get_global(&mut store, "extern").unwrap();
        global
            .set(&mut store, Val::ExternRef(Some(handle)))
            .unwrap();
        assert_eq!(Arc::strong_count(&value), 3);
        drop(store);
        assert_eq!(Arc::strong_count(&value), 1);
        let (store, _) = pool.instantiate(value.clone()).unwrap();
        drop(store.into_data());
        assert_eq!(Arc::strong_count(&value), 1);
        assert_eq!(pool.idle(), 1);
    }
}

#[test]
fn fuel_limits_and_interrupts_begin_anew() {
    for mut config in configs() {
        begin_anew(config.consume_fuel(true).interruption(true));
    }
}

fn begin_anew(config: &Config) {
    let wat = r#"(module
        (memory (export "m") 1)
        (func (export "grow") (result i32) (memory.grow (i32.const 10)))
        (func (export "work") (nop)))"#;
    let pre = pre::<()>(config, wat);
    let limits = Limits::new().memory_bytes(20 << 16);
    let pool = InstancePool::new(&pre, PoolConfig::new().limits(limits)).unwrap();
    let (mut store, _) = pool.instantiate(()).unwrap();
    store.set_fuel(1 << 20).unwrap();
    store.limits(limits.memory_bytes(1 << 16)).unwrap();
    let stale = store.interrupt_handle();
    stale.interrupt();
    drop(store);

    let (mut store, instance) = pool.instantiate(()).unwrap();
    assert_eq!(store.get_fuel().unwrap(), 0);
    let error = call(&mut store, instance, "work").unwrap_err();
    assert_eq!(error.trap(), Some(Trap::OutOfFuel));
    store.set_fuel(1 << 20).unwrap();
    call(&mut store, instance, "work").unwrap();
    let grow = instance
        .get_typed_func::<(), i32>(&mut store, "grow")
        .unwrap();
    assert_eq!(grow.call(&mut store, ()).unwrap(), 1);
    assert_eq!(grow.call(&mut store, ()).unwrap(), -1);
    stale.interrupt();
    call(&mut store, instance, "work").unwrap();
    store.interrupt_handle().interrupt();
    let error = call(&mut store, instance, "work").unwrap_err();
    assert_eq!(error.trap(), Some(Trap::Interrupted));
}

#[test]
fn the_start_function_runs_in_each_use() {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (import "host" "next" (func $next (result i32)))
            (memory (export "m") 1)
            (func $start (i32.store8 (i32.const 0)
                (i32.add (i32.load8_u (i32.const 0)) (call $next))))
            (start $start))"#,
    )
    .unwrap();
    let mut linker = Linker::<u8>::new(&engine);
    linker
        .func_wrap("host", "next", |caller: Caller<'_, u8>| -> Result<i32> {
            match caller.data() {
                0 => Err(Error::host("no more")),
                &n => Ok(n.into()),
            }
        })
        .unwrap();
    let pre = linker.instantiate_pre(&module).unwrap();
    let pool = InstancePool::new(&pre, PoolConfig::new()).unwrap();
    for n in [3, 200, 7, 0, 9] {
        match pool.instantiate(n) {
            Ok((mut store, instance)) => {
                let memory = instance.get_memory(&mut store, "m").unwrap();
                assert_eq!(memory.data(&store)[0], n);
            }
            Err(error) => assert_eq!((n, error.to_string()), (0, "no more".to_owned())),
        }
        assert_eq!(pool.idle(), 1);
    }
}

#[test]
fn panics_of_the_host_leave_the_pool_whole() {
    struct Bomb(bool);
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(!self.0 || std::thread::panicking(), "in drop");
        }
    }
    let engine = Engine::default();
    let wat = r#"(module
        (import "host" "panic" (func $panic))
        (memory (export "m") 1)
        (global (export "g") (mut externref) (ref.null extern))
        (func (export "run") (i32.store8 (i32.const 0) (i32.const 1)) (call $panic)))"#;
    let module = Module::new(&engine, wat).unwrap();
    let mut linker = Linker::<Bomb>::new(&engine);
    linker
        .func_wrap("host", "panic", || -> () { panic!("in a host function") })
        .unwrap();
    let pre = linker.instantiate_pre(&module).unwrap();
    let pool = InstancePool::new(&pre, PoolConfig::new()).unwrap();
    let panics = |work: &dyn Fn()| {
        let work = std::panic::AssertUnwindSafe(work);
        assert!(std::panic::catch_unwind(work).is_err());
    };
    panics(&|| {
        let (mut store, instance) = pool.instantiate(Bomb(false)).unwrap();
        let _ = call(&mut store, instance, "run");
    });
    panics(&|| drop(pool.instantiate(Bomb(true)).unwrap()));
    assert_eq!(pool.idle(), 1);
    panics(&|| {
        let (mut store, _) = pool.instantiate(Bomb(false)).unwrap();
        ExternRef::new(&mut store, Bomb(true)).unwrap();
    });
    // What was half reset is freed.
    assert_eq!(pool.idle(), 0);
    let (mut store, instance) = pool.instantiate(Bomb(false)).unwrap();
    let memory = instance.get_memory(&mut store, "m").unwrap();
    assert_eq!(memory.data(&store)[0], 0);
}

#[test]
fn stores_with_more_definitions_are_freed() {
    let pool = pool::<()>(&config(), HOSTILE);
    let uses: [fn(&mut Store<()>); 3] = [
        |store| _ = Func::wrap(store, || ()),
        |store| _ = Memory::new(store, MemoryType::new(1, None)).unwrap(),
        |store| store.limits(Limits::new().stack_bytes(1 << 16)).unwrap(),
    ];
    for change in uses {
        let (mut store, _) = pool.instantiate(()).unwrap();
        change(&mut store);
        drop(store);
        assert_eq!(pool.idle(), 0);
        drop(pool.instantiate(()).unwrap());
        assert_eq!(pool.idle(), 1);
    }
}

#[test]
fn many_stores_at_once_are_told_apart() {
    let pre = pre::<usize>(&config(), HOSTILE);
    let pool = InstancePool::new(&pre, PoolConfig::new().idle_slots(5)).unwrap();
    pool.prepare(3).unwrap();
    assert_eq!(pool.idle(), 3);
    let mut stores: Vec<_> = (0..10).map(|n| pool.instantiate(n).unwrap()).collect();
    let distinct: HashSet<_> = stores.iter().map(|(_, instance)| *instance).collect();
    assert_eq!((pool.idle(), distinct.len()), (0, 10));
    for (n, (store, instance)) in stores.iter_mut().enumerate() {
        let memory = instance.get_memory(&mut *store, "m").unwrap();
        assert_eq!(*store.data(), n);
        memory.data_mut(&mut *store)[0] = n as u8 + 1;
    }
    for (n, (store, instance)) in stores.iter_mut().enumerate() {
        let memory = instance.get_memory(&mut *store, "m").unwrap();
        assert_eq!(memory.data(&*store)[0], n as u8 + 1);
    }
    // Swapped stores go where they belong.
    let mut other = Store::new(pre.module().engine(), 99);
    std::mem::swap(&mut stores[0].0, &mut other);
    drop(stores);
    assert_eq!(pool.idle(), 5);
    drop(other);
    assert_eq!(pool.idle(), 5);
    let (outlives, _) = pool.instantiate(1).unwrap();
    drop(pool);
    assert_eq!(outlives.into_data(), 1);
}

#[test]
fn a_pool_is_used_from_many_threads() {
    let pool = pool::<()>(&config(), HOSTILE);
    let expected = {
        let (mut store, instance) = pool.instantiate(()).unwrap();
        seen(&mut store, instance)
    };
    let done = AtomicUsize::new(0);
    std::thread::scope(|threads| {
        for thread in 0..4 {
            let (pool, expected, done) = (&pool, &expected, &done);
            threads.spawn(move || {
                for round in 0..5 {
                    let (mut store, instance) = pool.instantiate(()).unwrap();
                    let _ = call(&mut store, instance, DEEDS[(thread + round) % DEEDS.len()]);
                    drop(store);
                    let (mut store, instance) = pool.instantiate(()).unwrap();
                    assert_eq!(&seen(&mut store, instance), expected);
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(done.into_inner(), 20);
}

#[test]
fn what_cannot_be_pooled_is_an_error() {
    let mut config = Config::new();
    config.threads(true);
    let engine = Engine::new(&config).unwrap();
    let shared = r#"(module (memory 1 2 shared))"#;
    let imports = r#"(module (import "host" "m" (memory 1 2 shared)))"#;
    let mut linker = Linker::<()>::new(&engine);
    let memory = SharedMemory::new(&engine, MemoryType::new(1, Some(2)).shared()).unwrap();
    linker.define_shared_memory("host", "m", &memory).unwrap();
    for wat in [shared, imports] {
        let module = Module::new(&engine, wat).unwrap();
        let pre = linker.instantiate_pre(&module).unwrap();
        let error = InstancePool::new(&pre, PoolConfig::new()).unwrap_err();
        assert!(matches!(error, Error::Pool(PoolError::Shared)), "{error}");
        pre.instantiate(&mut Store::new(&engine, ())).unwrap();
    }
    // What belongs to a store is of use there alone.
    let mut store = Store::new(&engine, ());
    let memory = Memory::new(&mut store, MemoryType::new(1, None)).unwrap();
    linker.define(&store, "host", "own", memory).unwrap();
    let module = Module::new(&engine, r#"(module (import "host" "own" (memory 1)))"#).unwrap();
    let pre = linker.instantiate_pre(&module).unwrap();
    pre.instantiate(&mut store).unwrap();
    let error = InstancePool::new(&pre, PoolConfig::new()).unwrap_err();
    assert!(matches!(error, Error::StoreMismatch(_)));
    // A trap of instantiation is one of the pool's.
    let wat = r#"(module (memory 1) (data (i32.const 65536) "outside"))"#;
    let module = Module::new(&engine, wat).unwrap();
    let pre = Linker::<()>::new(&engine).instantiate_pre(&module).unwrap();
    let error = InstancePool::new(&pre, PoolConfig::new()).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::MemoryOutOfBounds));
}

#[test]
fn imports_are_checked_before_there_is_a_store() {
    let engine = Engine::default();
    let wat = r#"(module (import "host" "f" (func (param i32))))"#;
    let module = Module::new(&engine, wat).unwrap();
    let mut linker = Linker::<()>::new(&engine);
    let error = linker.instantiate_pre(&module).unwrap_err();
    assert!(
        error.to_string().contains("unknown import `host` `f`"),
        "{error}"
    );
    linker.func_wrap("host", "f", |_: i64| ()).unwrap();
    let error = linker.instantiate_pre(&module).unwrap_err();
    assert!(
        error.to_string().contains("incompatible import type"),
        "{error}"
    );
    let other = Module::new(&Engine::default(), wat).unwrap();
    let error = linker.instantiate_pre(&other).unwrap_err();
    assert!(matches!(error, Error::StoreMismatch(_)), "{error}");
}

/// A guest whose start costs much, and that may be snapshotted after it.
const PREPARED: &str = r#"(module
    (type $f (func (result i32)))
    (import "host" "five" (func $five (type $f)))
    (memory (export "m") 2 40)
    (memory $wide (export "wide") i64 1 40)
    (data (memory 0) (i32.const 65530) "over the border")
    (data $passive "passive")
    (table $t (export "t") 3 100 funcref)
    (table $objects 2 anyref)
    (elem (table $t) (i32.const 1) func $one $five)
    (elem $functions func $one $two)
    (global $runs (export "runs") (mut i32) (i32.const 0))
    (global $v (export "v") (mut v128) (v128.const i64x2 1 2))
    (global $func (mut funcref) (ref.null func))
    (func $one (type $f) (i32.const 1))
    (func $two (type $f) (i32.const 2))
    (func $start (global.set $runs (i32.add (global.get $runs) (i32.const 1))))
    (start $start)
    (func (export "wizer.initialize")
        (drop (memory.grow 0 (i32.const 3)))
        (drop (memory.grow $wide (i64.const 2)))
        (i32.store (i32.const 300000) (i32.const 41))
        (i64.store $wide (i64.const 190000) (i64.const 42))
        (memory.init $passive (i32.const 16) (i32.const 0) (i32.const 7))
        (data.drop $passive)
        (drop (table.grow $t (ref.func $two) (i32.const 2)))
        (table.set $t (i32.const 1) (ref.func $five))
        (table.set $t (i32.const 2) (ref.null func))
        (table.set $objects (i32.const 1) (ref.i31 (i32.const 9)))
        (elem.drop $functions)
        (global.set $v (v128.const i64x2 3 4))
        (global.set $func (ref.func $one)))
    (func (export "spoil")
        (drop (memory.grow 0 (i32.const 3)))
        (memory.fill (i32.const 0) (i32.const 255) (i32.const 524288))
        (memory.fill $wide (i64.const 0) (i32.const 255) (i64.const 196608))
        (table.fill $t (i32.const 0) (ref.func $one) (i32.const 5))
        (table.set $objects (i32.const 1) (ref.null any))
        (global.set $v (v128.const i64x2 5 6))
        (global.set $runs (i32.const 77))
        (global.set $func (ref.null func)))
    (func (export "call") (param i32) (result i32)
        (call_indirect $t (type $f) (local.get 0)))
    (func (export "i31") (result i32)
        (i31.get_u (ref.cast (ref i31) (table.get $objects (i32.const 1)))))
    (func (export "global") (result i32)
        (table.set $t (i32.const 0) (global.get $func))
        (call_indirect $t (type $f) (i32.const 0)))
    (func (export "init") (table.init $t $functions (i32.const 0) (i32.const 0) (i32.const 1)))
)"#;

#[test]
fn instances_begin_as_the_snapshot_has_it() {
    for config in configs() {
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, PREPARED).unwrap();
        let mut linker = Linker::<()>::new(&engine);
        linker.func_wrap("host", "five", || 5).unwrap();
        let pre = linker.instantiate_pre(&module).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = pre.instantiate(&mut store).unwrap();
        call(&mut store, instance, "wizer.initialize").unwrap();
        let snapshot = InstanceSnapshot::new(&mut store, instance).unwrap();
        let memory = |store: &mut Store<()>, instance: Instance, name| {
            let memory = instance.get_memory(&mut *store, name).unwrap();
            memory.data(&*store).to_vec()
        };
        let bytes = ["m", "wide"].map(|name| memory(&mut store, instance, name));
        // What happens afterwards is no part of it.
        call(&mut store, instance, "spoil").unwrap();

        let pool = InstancePool::with_snapshot(&pre, &snapshot, PoolConfig::new()).unwrap();
        pool.prepare(2).unwrap();
        for spoils in [false, true, true, false] {
            let mut stores = [(); 2].map(|()| pool.instantiate(()).unwrap());
            for (store, instance) in &mut stores {
                let now = ["m", "wide"].map(|name| memory(store, *instance, name));
                assert!(now == bytes);
                let runs = instance.get_global(&mut *store, "runs").unwrap();
                assert!(matches!(runs.get(&mut *store), Val::I32(1)));
                let v = instance.get_global(&mut *store, "v").unwrap();
                assert!(matches!(v.get(&mut *store), Val::V128(v) if u128::from(v) == 4 << 64 | 3));
                let at = instance
                    .get_typed_func::<i32, i32>(&mut *store, "call")
                    .unwrap();
                let called = [1, 3, 4].map(|index| at.call(&mut *store, index).unwrap());
                assert_eq!(called, [5, 2, 2]);
                for null in [0, 2] {
                    assert!(at.call(&mut *store, null).is_err());
                }
                let get = |store: &mut Store<()>, name| {
                    let get = instance
                        .get_typed_func::<(), i32>(&mut *store, name)
                        .unwrap();
                    get.call(store, ()).unwrap()
                };
                assert_eq!((get(store, "i31"), get(store, "global")), (9, 1));
                // The segment is dropped.
                assert!(call(store, *instance, "init").is_err());
                if spoils {
                    call(store, *instance, "spoil").unwrap();
                }
            }
            drop(stores);
            assert_eq!(pool.idle(), 2);
        }
        // A snapshot of what came from one is one as well.
        let (mut store, instance) = pool.instantiate(()).unwrap();
        call(&mut store, instance, "spoil").unwrap();
        let snapshot = InstanceSnapshot::new(&mut store, instance).unwrap();
        let pool = InstancePool::with_snapshot(&pre, &snapshot, PoolConfig::new()).unwrap();
        let (mut next, instance_of_next) = pool.instantiate(()).unwrap();
        for name in ["m", "wide"] {
            let bytes = memory(&mut store, instance, name);
            assert!(memory(&mut next, instance_of_next, name) == bytes);
        }
    }
}

#[test]
fn what_belongs_to_one_store_is_no_part_of_a_snapshot() {
    let take = |wat: &str, change: &dyn Fn(&mut Store<()>, Instance)| {
        let engine = Engine::default();
        let module = Module::new(&engine, wat).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        change(&mut store, instance);
        match InstanceSnapshot::new(&mut store, instance) {
            Ok(_) => None,
            Err(Error::Pool(error)) => Some(error),
            Err(error) => panic!("{error}"),
        }
    };
    let nothing = |_: &mut Store<()>, _: Instance| ();
    let object = r#"(module (type $s (struct))
        (global (ref $s) (struct.new $s)))"#;
    assert!(matches!(take(object, &nothing), Some(PoolError::Objects)));
    // One that nobody has any more is no hindrance.
    let garbage = r#"(module (type $s (struct))
        (func $start (drop (struct.new $s))) (start $start))"#;
    assert!(take(garbage, &nothing).is_none());
    let table = r#"(module (table (export "t") 1 funcref))"#;
    let foreign = |store: &mut Store<()>, instance: Instance| {
        let table = instance.get_table(&mut *store, "t").unwrap();
        let func = Func::wrap(&mut *store, || ());
        table.set(store, 0, Ref::Func(Some(func))).unwrap();
    };
    assert!(matches!(
        take(table, &foreign),
        Some(PoolError::ForeignFunction)
    ));
    let host = |store: &mut Store<()>, instance: Instance| {
        let value = ExternRef::new(&mut *store, 1).unwrap();
        let global = instance.get_global(&mut *store, "g").unwrap();
        global.set(store, Val::ExternRef(Some(value))).unwrap();
    };
    let global = r#"(module (global (export "g") (mut externref) (ref.null extern)))"#;
    assert!(matches!(take(global, &host), Some(PoolError::HostValues)));
    let second = |store: &mut Store<()>, _: Instance| {
        Memory::new(store, MemoryType::new(1, None)).unwrap();
    };
    assert!(matches!(take(table, &second), Some(PoolError::Reshaped)));
}
