//! Guests that are suspended in a call of the host go on as if nothing had been: in
//! the same store, and in those of a pool.

mod common;

use common::configs;
use rwasm::{
    AsContextMut, Caller, Config, Engine, Error, Instance, InstancePool, InstancePre,
    InstanceSnapshot, Limits, Linker, Module, PoolConfig, PoolError, Progress, Result, Store, Tier,
    Trap, V128,
};
use std::time::{Duration, Instant};

/// What `host.ask` answers; without it, it suspends.
type Answer = Option<i32>;

/// A module, with `host.ask` and `host.through`, which calls the export `inner`.
fn pre(config: &Config, wat: &str) -> InstancePre<Answer> {
    let engine = Engine::new(config).unwrap();
    let module = Module::new(&engine, wat).unwrap();
    let mut linker = Linker::<Answer>::new(&engine);
    linker
        .func_wrap("host", "ask", |caller: Caller<'_, Answer>, add: i32| {
            caller.data().map(|n| n + add).ok_or(Error::Suspended)
        })
        .unwrap();
    linker
        .func_wrap("host", "through", |mut caller: Caller<'_, Answer>| {
            let inner = caller.get_export("inner").ok_or(Error::Suspended)?;
            let inner = inner.into_func().unwrap();
            inner.typed::<(), ()>(&caller)?.call(&mut caller, ())
        })
        .unwrap();
    linker.instantiate_pre(&module).unwrap()
}

fn suspended(pre: &InstancePre<Answer>) -> (Store<Answer>, Instance) {
    let mut store = Store::new(pre.module().engine(), None);
    let instance = pre.instantiate(&mut store).unwrap();
    let progress = start(&mut store, instance).unwrap();
    assert_eq!(progress, Progress::Suspended);
    (store, instance)
}

fn start(store: &mut Store<Answer>, instance: Instance) -> Result<Progress> {
    let run = instance.get_typed_func::<(), ()>(&mut *store, "run")?;
    run.call_suspendable(store)
}

fn result(mut store: impl AsContextMut, instance: Instance) -> i64 {
    let result = instance.get_global(&mut store, "result").unwrap();
    result.get(&store).i64().unwrap()
}

/// What a guest that is suspended once comes to in its own store and in those of a
/// pool, where it goes on three times.
fn outcomes(pre: &InstancePre<Answer>, answer: i32) -> Vec<Result<i64, String>> {
    let said = |done: Result<()>, store: &mut Store<Answer>, instance| match done {
        Ok(()) => Ok(result(store, instance)),
        Err(error) => Err(error.to_string()),
    };
    let (mut first, instance) = suspended(pre);
    let snapshot = InstanceSnapshot::new(&mut first, instance).unwrap();
    *first.data_mut() = Some(answer);
    let done = first.resume();
    let mut outcomes = vec![said(done, &mut first, instance)];
    drop(first);
    let pool = InstancePool::with_snapshot(pre, &snapshot, PoolConfig::new()).unwrap();
    for _ in 0..3 {
        let (mut store, instance) = pool.instantiate(Some(answer)).unwrap();
        let done = store.resume();
        outcomes.push(said(done, &mut store, instance));
    }
    assert_eq!(pool.idle(), 1, "the store came back");
    // Two at a time, neither of which sees the other.
    let mut both = [0, 1].map(|_| pool.instantiate(Some(answer)).unwrap());
    for (store, instance) in &mut both {
        let done = store.resume();
        outcomes.push(said(done, store, *instance));
    }
    outcomes
}

fn check(wat: &str, answer: i32, expected: Result<i64, &str>) {
    for config in configs() {
        let outcomes = outcomes(&pre(&config, wat), answer);
        let expected = expected.map_err(str::to_owned);
        assert!(
            outcomes.iter().all(|outcome| *outcome == expected),
            "{config:?}: {outcomes:?}, not {expected:?}"
        );
    }
}

/// Locals, pinned ones of a loop among them, operands of all types, and 200 frames.
#[test]
fn frames_are_as_they_were() {
    let wat = r#"(module
      (import "host" "ask" (func $ask (param i32) (result i32)))
      (memory 1)
      (global $result (export "result") (mut i64) (i64.const 0))
      (func $deep (param $n i32) (param $x f64) (result f64)
        (local $i i32) (local $sum i64) (local $product i64) (local $f f32) (local $v v128)
        (local.set $f (f32.convert_i32_u (local.get $n)))
        (local.set $v (i32x4.splat (local.get $n)))
        (local.set $product (i64.const 1))
        (local.set $i (i32.const 3))
        (loop $again
          (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (local.get $i))))
          (local.set $product (i64.mul (local.get $product) (i64.const 3)))
          (i32.store (i32.mul (local.get $i) (i32.const 8)) (local.get $n))
          (local.set $x
            (f64.add
              (f64.mul (local.get $x) (f64.const 0.5))
              (if (result f64) (i32.eq (local.get $i) (i32.const 2))
                (then
                  (if (result f64) (local.get $n)
                    (then (call $deep (i32.sub (local.get $n) (i32.const 1)) (local.get $x)))
                    (else (f64.convert_i32_s (call $ask (i32.const 2))))))
                (else (f64.const 1)))))
          (local.set $i (i32.sub (local.get $i) (i32.const 1)))
          (br_if $again (local.get $i)))
        (global.set $result (i64.add (global.get $result) (i64.add
          (i64.mul (local.get $sum) (local.get $product))
          (i64.add
            (i64.extend_i32_u (i32x4.extract_lane 2 (local.get $v)))
            (i64.trunc_f32_u (local.get $f))))))
        (local.get $x))
      (func (export "run")
        (global.set $result (i64.add (global.get $result)
          (i64.trunc_f64_s (f64.mul (call $deep (i32.const 200) (f64.const 8)) (f64.const 1e6)))))))"#;
    // The same without a pause.
    let pre = pre(&Config::new(), wat);
    let mut store = Store::new(pre.module().engine(), Some(40));
    let instance = pre.instantiate(&mut store).unwrap();
    assert_eq!(start(&mut store, instance).unwrap(), Progress::Returned);
    let expected = result(&mut store, instance);
    assert!(expected > 201 * 6 * 27);
    check(wat, 40, Ok(expected));
}

/// What was done to memories, tables, globals and segments before is there after.
#[test]
fn the_state_of_the_instance_comes_along() {
    check(
        r#"(module
          (import "host" "ask" (func $ask (param i32) (result i32)))
          (type $f (func (result i64)))
          (memory $m 1 10) (memory $second 1 10) (memory $wide i64 1 10)
          (data $passive "passive")
          (table $t 2 10 funcref)
          (elem declare func $seven)
          (global $n (mut i64) (i64.const 0))
          (global $result (export "result") (mut i64) (i64.const 0))
          (func $seven (result i64) (i64.const 7))
          (func (export "run")
            (drop (memory.grow $m (i32.const 3)))
            (drop (memory.grow $second (i32.const 1)))
            (drop (memory.grow $wide (i64.const 1)))
            (i64.store $m (i32.const 200000) (i64.const 1))
            (i64.store $second (i32.const 100000) (i64.const 10))
            (i64.store $wide (i64.const 100000) (i64.const 100))
            (data.drop $passive)
            (table.set $t (i32.const 1) (ref.func $seven))
            (drop (table.grow $t (ref.func $seven) (i32.const 3)))
            (global.set $n (i64.const 1000))
            (i64.store $m (i32.const 0) (i64.extend_i32_s (call $ask (i32.const 0))))
            (global.set $result (i64.add
              (i64.add (i64.load $m (i32.const 200000)) (i64.load $second (i32.const 100000)))
              (i64.add (i64.load $wide (i64.const 100000)) (i64.add (global.get $n)
                (i64.add (i64.load $m (i32.const 0))
                  (i64.add
                    (i64.mul (i64.const 10000) (call_indirect (type $f) (i32.const 1)))
                    (i64.mul (i64.const 100000) (call_indirect (type $f) (i32.const 4)))))))))
            ;; None of this is seen the next time.
            (i64.store $m (i32.const 200000) (i64.const 9))
            (i64.store $second (i32.const 100000) (i64.const 9))
            (i64.store $wide (i64.const 100000) (i64.const 9))
            (drop (memory.grow $m (i32.const 1)))
            (table.set $t (i32.const 4) (ref.null func))
            (global.set $n (i64.const 9))))"#,
        0,
        Ok(771_111),
    );
}

#[test]
fn calls_of_all_kinds_lead_there() {
    let guest = |body: &str| {
        format!(
            r#"(module
              (import "host" "ask" (func $ask (param i32) (result i32)))
              (type $ask_type (func (param i32) (result i32)))
              (table funcref (elem $ask $tail))
              (tag $e (param i64))
              (global $result (export "result") (mut i64) (i64.const 0))
              (func $tail (param $n i32) (result i32)
                (return_call $ask (i32.add (local.get $n) (i32.const 1))))
              (func $tail_of_tail (param $n i32) (result i32)
                (return_call_indirect (type $ask_type)
                  (i32.add (local.get $n) (i32.const 10)) (i32.const 1)))
              (func $set (param $n i32)
                (global.set $result (i64.extend_i32_s (local.get $n))))
              (func $last
                (drop (call $ask (i32.const 0)))
                (global.set $result (i64.const 5)))
              (func (export "run") {body}))"#
        )
    };
    for (body, expected) in [
        (
            "(call $set (call_indirect (type $ask_type) (i32.const 3) (i32.const 0)))",
            Ok(103),
        ),
        ("(call $set (call $tail (i32.const 3)))", Ok(104)),
        ("(call $set (call $tail_of_tail (i32.const 3)))", Ok(114)),
        ("(return_call $last)", Ok(5)),
        // An exception finds its way through frames that have moved.
        (
            "(call $set (block $caught (result i32)
               (i32.wrap_i64 (block $value (result i64)
                 (try_table (result i32) (catch $e $value)
                   (drop (call $tail (i32.const 3)))
                   (throw $e (i64.const 77)))
                 (br $caught)))))",
            Ok(77),
        ),
        (
            "(drop (call $ask (i32.const 3))) unreachable",
            Err("wasm trap: unreachable"),
        ),
        (
            "(drop (call $ask (i32.const 3))) (drop (i32.div_u (i32.const 1) (i32.const 0)))",
            Err("wasm trap: integer divide by zero"),
        ),
    ] {
        check(&guest(body), 100, expected);
    }
}

/// From where it goes on, loops and calls get to machine code.
#[test]
fn what_is_hot_afterwards_is_compiled() {
    check(
        r#"(module
          (import "host" "ask" (func $ask (param i32) (result i32)))
          (global $result (export "result") (mut i64) (i64.const 0))
          (func $one (param $n i64) (result i64) (i64.and (local.get $n) (i64.const 1)))
          (func (export "run") (local $i i64) (local $sum i64)
            (local.set $i (i64.const 2000))
            (loop $before
              (local.set $sum (i64.add (local.get $sum) (call $one (local.get $i))))
              (br_if $before (i64.ne (i64.const 0)
                (local.tee $i (i64.sub (local.get $i) (i64.const 1))))))
            (local.set $i (i64.extend_i32_s (call $ask (i32.const 0))))
            (loop $after
              (local.set $sum (i64.add (local.get $sum) (call $one (local.get $i))))
              (br_if $after (i64.ne (i64.const 0)
                (local.tee $i (i64.sub (local.get $i) (i64.const 1))))))
            (global.set $result (local.get $sum))))"#,
        1_000_000,
        Ok(501_000),
    );
}

/// Functions that have machine code are lowered for the start, but not at each call.
#[test]
fn what_is_compiled_already_is_interpreted_as_fast_as_ever() {
    // Much that is never run.
    let body = "(i32.store (i32.const 0) (i32.mul (local.get 0) (i32.const 3)))".repeat(2000);
    let wat = format!(
        r#"(module
          (import "host" "ask" (func $ask (param i32) (result i32)))
          (memory 1)
          (global $result (export "result") (mut i64) (i64.const 0))
          (func $large (param i32) (result i32)
            (if (i32.eq (local.get 0) (i32.const -1)) (then {body}))
            (i32.sub (local.get 0) (i32.const 1)))
          (func (export "run") (local $n i32)
            (local.set $n (i32.const 300000))
            (loop $l (br_if $l (local.tee $n (call $large (local.get $n)))))
            (global.set $result (i64.extend_i32_s (call $ask (i32.const 1))))))"#
    );
    let mut config = Config::new();
    config.tier(Tier::Jit);
    let begin = Instant::now();
    let (mut store, instance) = suspended(&pre(&config, &wat));
    assert!(begin.elapsed() < Duration::from_secs(20));
    *store.data_mut() = Some(1);
    store.resume().unwrap();
    assert_eq!(result(&mut store, instance), 2);
}

const ASKS_TWICE: &str = r#"(module
  (import "host" "ask" (func $ask (param i32) (result i32)))
  (global $result (export "result") (mut i64) (i64.const 0))
  (func (export "other") (result i32) (local i32 i32 i32 i32 i32 i32 i32 i32 i32)
    (call $ask (i32.const 5)))
  (func (export "grow") (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (i32.const 1) (call 2 (i32.sub (local.get 0) (i32.const 1)))))
      (else (i32.const 0))))
  (func (export "run")
    (global.set $result (i64.extend_i32_s
      (i32.add (call $ask (i32.const 1)) (call $ask (i32.const 2)))))))"#;

#[test]
fn a_store_can_be_used_while_its_guest_waits() {
    for config in configs() {
        let (mut store, instance) = suspended(&pre(&config, ASKS_TWICE));
        // Another call that wants to suspend the guest ends.
        let other = instance.get_typed_func::<(), i32>(&mut store, "other");
        let other = other.unwrap();
        let error = other.call(&mut store, ()).unwrap_err();
        assert!(matches!(error, Error::Suspended), "{error}");
        let error = start(&mut store, instance).unwrap_err();
        assert!(matches!(error, Error::NotSuspendable(_)), "{error}");
        // Calls leave the frames alone.
        let grow = instance.get_typed_func::<i32, i32>(&mut store, "grow");
        assert_eq!(grow.unwrap().call(&mut store, 500).unwrap(), 500);
        store.gc();
        // Its frames are on the stack that this would replace.
        store
            .limits(Limits::default().stack_bytes(1 << 16))
            .unwrap_err();
        *store.data_mut() = Some(10);
        assert_eq!(other.call(&mut store, ()).unwrap(), 15);
        store.resume().unwrap();
        assert_eq!(result(&mut store, instance), 23);
        let error = store.resume().unwrap_err();
        assert!(matches!(error, Error::NotSuspendable(_)), "{error}");
        // And it can be suspended once more.
        *store.data_mut() = None;
        assert_eq!(start(&mut store, instance).unwrap(), Progress::Suspended);
        *store.data_mut() = Some(0);
        store.resume().unwrap();
        assert_eq!(result(&mut store, instance), 3);
    }
}

/// A guest that goes on cannot be suspended again; what there was is gone.
#[test]
fn the_second_time_ends_it() {
    for config in configs() {
        let pre = pre(&config, ASKS_TWICE);
        let (mut store, instance) = suspended(&pre);
        let snapshot = InstanceSnapshot::new(&mut store, instance).unwrap();
        let pool = InstancePool::with_snapshot(&pre, &snapshot, PoolConfig::new()).unwrap();
        drop(store);
        for _ in 0..3 {
            let (mut store, instance) = pool.instantiate(None).unwrap();
            let error = store.resume().unwrap_err();
            assert!(matches!(error, Error::Suspended), "{error}");
            let error = store.resume().unwrap_err();
            assert!(matches!(error, Error::NotSuspendable(_)), "{error}");
            assert_eq!(result(&mut store, instance), 0);
        }
        assert_eq!(pool.idle(), 1);
    }
}

/// A host function that was called by the host, or by code that the host has called,
/// has frames of the host below it.
#[test]
fn below_the_host_nothing_is_suspended() {
    let wat = r#"(module
      (import "host" "ask" (func $ask (param i32) (result i32)))
      (import "host" "through" (func $through))
      (global $result (export "result") (mut i64) (i64.const 0))
      (start $start)
      (func $start (global.set $result (i64.const 1)))
      (export "run_host" (func $through))
      (func (export "inner")
        (global.set $result (i64.add (global.get $result) (i64.const 1)))
        (drop (call $ask (i32.const 0))))
      (func (export "run")
        (call $through)
        (global.set $result (i64.mul (global.get $result) (i64.const 10)))))"#;
    for config in configs() {
        let pre = pre(&config, wat);
        // It passes the error on, and so is what the guest waits in: it is called
        // again, and `inner` with it.
        let (mut store, instance) = suspended(&pre);
        assert_eq!(result(&mut store, instance), 2);
        *store.data_mut() = Some(0);
        store.resume().unwrap();
        assert_eq!(result(&mut store, instance), 30);
        // No guest has called it.
        *store.data_mut() = None;
        let host = instance.get_typed_func::<(), ()>(&mut store, "run_host");
        let error = host.unwrap().call_suspendable(&mut store).unwrap_err();
        assert!(matches!(error, Error::Suspended), "{error}");
    }
    // Nor is a start function suspended.
    let pre = pre(
        &Config::new(),
        r#"(module
      (import "host" "ask" (func $ask (param i32) (result i32)))
      (start $start) (func $start (drop (call $ask (i32.const 0)))))"#,
    );
    let mut store = Store::new(pre.module().engine(), None);
    let error = pre.instantiate(&mut store).unwrap_err();
    assert!(matches!(error, Error::Suspended), "{error}");
}

fn refused(config: &Config, wat: &str) -> PoolError {
    let (mut store, instance) = suspended(&pre(config, wat));
    let refused = match InstanceSnapshot::new(&mut store, instance) {
        Err(Error::Pool(error)) => error,
        other => panic!("{other:?}"),
    };
    // In its own store it goes on all the same, after a collection.
    store.gc();
    *store.data_mut() = Some(1);
    store.resume().unwrap();
    assert_eq!(result(&mut store, instance), 42);
    refused
}

#[test]
fn what_belongs_to_a_store_stays_there() {
    let object = r#"(module
      (import "host" "ask" (func $ask (param i32) (result i32)))
      (type $box (struct (field i64)))
      (global $result (export "result") (mut i64) (i64.const 0))
      (func (export "run") (local $box (ref null $box))
        (local.set $box (struct.new $box (i64.const 42)))
        (drop (call $ask (i32.const 0)))
        (global.set $result (struct.get $box 0 (local.get $box)))))"#;
    let function = r#"(module
      (import "host" "ask" (func $ask (param i32) (result i32)))
      (type $f (func (result i64)))
      (elem declare func $answer)
      (global $result (export "result") (mut i64) (i64.const 0))
      (func $answer (result i64) (i64.const 42))
      (func (export "run") (local $f (ref null $f))
        (local.set $f (ref.func $answer))
        (drop (call $ask (i32.const 0)))
        (global.set $result (call_ref $f (local.get $f)))))"#;
    let imported = r#"(module
      (import "host" "ask" (func $ask (param i32) (result i32)))
      (type $f (func (param i32) (result i32)))
      (elem declare func $ask)
      (global $result (export "result") (mut i64) (i64.const 0))
      (func (export "run") (local $f (ref null $f))
        (local.set $f (ref.func $ask))
        (drop (call $ask (i32.const 0)))
        (global.set $result (i64.extend_i32_u (call_ref $f (i32.const 41) (local.get $f))))))"#;
    for config in configs() {
        assert!(matches!(refused(&config, object), PoolError::Objects));
        assert!(matches!(
            refused(&config, function),
            PoolError::FunctionOnStack
        ));
        assert!(matches!(
            refused(&config, imported),
            PoolError::FunctionOnStack
        ));
    }
}

#[test]
fn a_smaller_stack_is_no_place_for_it() {
    let wat = r#"(module
      (import "host" "ask" (func $ask (param i32) (result i32)))
      (global $result (export "result") (mut i64) (i64.const 0))
      (func $deep (param i32) (result i32)
        (if (result i32) (local.get 0)
          (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))
          (else (call $ask (i32.const 0)))))
      (func (export "run")
        (global.set $result (i64.extend_i32_s (call $deep (i32.const 3000))))))"#;
    let pre = pre(&Config::new(), wat);
    let (mut store, instance) = suspended(&pre);
    let snapshot = InstanceSnapshot::new(&mut store, instance).unwrap();
    let pool = |stack| {
        let limits = Limits::default().stack_bytes(stack);
        InstancePool::with_snapshot(&pre, &snapshot, PoolConfig::new().limits(limits))
    };
    let error = pool(64 << 10).unwrap_err();
    assert!(matches!(error, Error::Pool(PoolError::Stack)), "{error}");
    // It has room for what is there, and not for much more.
    let (mut store, instance) = pool(512 << 10).unwrap().instantiate(Some(1)).unwrap();
    store.resume().unwrap();
    assert_eq!(result(&mut store, instance), 3001);
    // And a guest that needs more than there is never gets as far.
    let endless = wat.replace("3000", "1000000000");
    let mut store = Store::new(pre.module().engine(), None);
    let module = Module::new(pre.module().engine(), endless).unwrap();
    let mut linker = Linker::<Answer>::new(pre.module().engine());
    linker.func_wrap("host", "ask", |_: i32| 0_i32).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let error = start(&mut store, instance).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::StackOverflow));
}

/// Calls of the host in all surroundings that are different to an interpreter: in
/// loops with pinned locals, between operands, with results of all types.
const MANY_CALLS: &str = r#"(module
  (import "host" "int" (func $int (param i32 i64) (result i64)))
  (import "host" "float" (func $float (param f32 f64) (result f64)))
  (import "host" "many" (func $many (param i32) (result i32 f64 i64 f32)))
  (import "host" "vector" (func $vector (param v128) (result v128)))
  (import "host" "nothing" (func $nothing))
  (type $unary (func (param i64) (result i64)))
  (memory 1)
  (table funcref (elem $indirect $recursive))
  (tag $e (param i64))
  (global $result (export "result") (mut i64) (i64.const 17))
  (func $mix (param i64)
    (global.set $result
      (i64.add (i64.mul (global.get $result) (i64.const 31)) (local.get 0))))
  (func $indirect (param $n i64) (result i64)
    (i64.add (local.get $n) (call $int (i32.const 9) (local.get $n))))
  (func $recursive (param $n i64) (result i64)
    (if (result i64) (i64.eqz (local.get $n))
      (then (call $int (i32.const 1) (i64.const 1)))
      (else (i64.mul
        (call $recursive (i64.sub (local.get $n) (i64.const 1)))
        (call $int (i32.const 3) (local.get $n))))))
  (func $tail (param $n i64) (result i64)
    (return_call $recursive (i64.add (local.get $n) (i64.const 1))))
  (func $throws (param $n i64)
    (drop (call $int (i32.const 0) (local.get $n)))
    (throw $e (local.get $n)))
  (func (export "run")
    (local $i i32) (local $j i64) (local $x f64) (local $f f32) (local $v v128) (local $k i32)
    (call $nothing)
    (local.set $i (i32.const 4))
    (local.set $v (v128.const i32x4 1 2 3 4))
    (loop $outer
      (local.set $k (i32.const 3))
      (loop $inner
        (local.set $j (i64.add (local.get $j)
          (i64.sub
            (call $int (local.get $k) (local.get $j))
            (i64.extend_i32_s (i32.mul (local.get $i) (local.get $k))))))
        (i64.store (i32.mul (local.get $k) (i32.const 8))
          (i64.xor (i64.load (i32.const 8)) (call $int (local.get $i) (local.get $j))))
        (local.set $k (i32.sub (local.get $k) (i32.const 1)))
        (br_if $inner (local.get $k)))
      (local.set $x (f64.add (local.get $x)
        (f64.mul (f64.const 0.25)
          (call $float (f32.convert_i32_s (local.get $i)) (f64.neg (local.get $x))))))
      (block $three (block $two (block $one
        (br_table $one $two $three
          (i32.wrap_i64 (i64.rem_u (call $int (i32.const 5) (local.get $j)) (i64.const 3)))))
        (call $nothing) (call $mix (i64.const 1)) (br $three))
        (call $mix (i64.const 2)) (call $nothing))
      (call $many (local.get $i))
      (local.set $f) (local.set $j (i64.add (local.get $j)))
      (local.set $x (f64.add (local.get $x)))
      (local.set $k)
      (local.set $v (i32x4.add (call $vector (local.get $v)) (call $vector (local.get $v))))
      (call $mix (i64.add (local.get $j) (i64.extend_i32_s (local.get $k))))
      (call $mix (i64.reinterpret_f64 (local.get $x)))
      (call $mix (i64.extend_i32_u (i32.reinterpret_f32 (local.get $f))))
      (call $mix (i64x2.extract_lane 1 (local.get $v)))
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (br_if $outer (local.get $i)))
    (call $mix (call_indirect (type $unary) (i64.const 7) (i32.const 0)))
    (call $mix (call_indirect (type $unary) (i64.const 4) (i32.const 1)))
    (call $mix (call $tail (i64.const 2)))
    (call $mix (block $caught (result i64)
      (try_table (catch $e $caught) (call $throws (local.get $j)))
      (i64.const 0)))
    (call $mix (select (call $int (i32.const 1) (i64.const 2)) (i64.const 5)
      (i32.wrap_i64 (call $int (i32.const 2) (i64.const 3)))))
    (call $mix (i64.load (i32.const 16)))
    (call $nothing)))"#;

/// How often the host was called, and in which call it suspends.
#[derive(Clone, Copy, Default)]
struct Calls {
    made: u32,
    suspends: Option<u32>,
}

impl Calls {
    fn count(&mut self) -> Result<()> {
        if self.suspends == Some(self.made) {
            return Err(Error::Suspended);
        }
        self.made += 1;
        Ok(())
    }
}

fn many_calls(config: &Config) -> InstancePre<Calls> {
    let engine = Engine::new(config).unwrap();
    let module = Module::new(&engine, MANY_CALLS).unwrap();
    let mut linker = Linker::<Calls>::new(&engine);
    macro_rules! define {
        ($($name:ident($($param:ident: $ty:ty),*) -> $result:ty { $value:expr })*) => {$(
            let func = |mut caller: Caller<'_, Calls>, $($param: $ty),*| -> Result<$result> {
                caller.data_mut().count()?;
                Ok($value)
            };
            linker.func_wrap("host", stringify!($name), func).unwrap();
        )*};
    }
    define! {
        int(a: i32, b: i64) -> i64 { b.wrapping_mul(3) ^ i64::from(a) }
        float(a: f32, b: f64) -> f64 { f64::from(a) * 1.5 - b }
        many(a: i32) -> (i32, f64, i64, f32) { (a + 1, f64::from(a) / 3.0, i64::from(a) << 40, 0.1) }
        vector(a: V128) -> V128 { V128::from(a.as_u128().rotate_left(13)) }
        nothing() -> () { () }
    }
    linker.instantiate_pre(&module).unwrap()
}

#[test]
fn wherever_it_is_suspended_the_outcome_is_the_same() {
    for config in configs() {
        let pre = many_calls(&config);
        let engine = pre.module().engine();
        let mut store = Store::new(engine, Calls::default());
        let instance = pre.instantiate(&mut store).unwrap();
        let run = instance
            .get_typed_func::<(), ()>(&mut store, "run")
            .unwrap();
        run.call(&mut store, ()).unwrap();
        let expected = result(&mut store, instance);
        let calls = store.data().made;
        assert!(calls > 50, "{calls}");
        for at in 0..calls {
            let suspends = Some(at);
            let mut store = Store::new(engine, Calls { made: 0, suspends });
            let instance = pre.instantiate(&mut store).unwrap();
            let run = instance
                .get_typed_func::<(), ()>(&mut store, "run")
                .unwrap();
            let progress = run.call_suspendable(&mut store).unwrap();
            assert_eq!(progress, Progress::Suspended);
            let snapshot = InstanceSnapshot::new(&mut store, instance).unwrap();
            let goes_on = Calls {
                suspends: None,
                ..*store.data()
            };
            let pool = InstancePool::with_snapshot(&pre, &snapshot, PoolConfig::new()).unwrap();
            for _ in 0..2 {
                let (mut store, instance) = pool.instantiate(goes_on).unwrap();
                store.resume().unwrap();
                assert_eq!(
                    result(&mut store, instance),
                    expected,
                    "{config:?}, call {at}"
                );
            }
            store.data_mut().suspends = None;
            store.resume().unwrap();
            assert_eq!(
                result(&mut store, instance),
                expected,
                "{config:?}, call {at}"
            );
            assert_eq!(store.data().made, calls);
        }
    }
}
