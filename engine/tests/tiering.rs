//! Code that gets hot: functions that become machine code between two calls, and
//! loops that are taken over while they run.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod common;

use common::{call, instance_with, link, shown};
use rwasm::{
    Config, Engine, Error, Instance, Linker, Module, Result, Store, StressBudget, Tier, TierStress,
    Trap, Val,
};
use std::thread;
use std::time::{Duration, Instant};

/// Tiering in which the guest waits for what it asked for: a spent budget always
/// changes the tier.
fn waiting(budget: u32) -> Config {
    let mut config = Config::new();
    config.tier(Tier::Auto).tier_stress(Some(TierStress {
        budget: StressBudget::Fixed(budget),
        wait: true,
        delay: Duration::ZERO,
        queue: 1000,
    }));
    config
}

/// Guests whose `run` loops, with something that a take-over must keep.
const LOOPS: &[(&str, &str)] = &[
    (
        "operands of every type below the loop, constants among them",
        r#"(module
            (func (export "run") (param $n i32) (result i64)
                (local $i i32) (local $s i64) (local $f f64)
                (i64.const 7)
                (i64.extend_i32_u (local.get $n))
                (f32.const 1.5)
                (local.tee $f (f64.convert_i32_u (local.get $n)))
                (v128.const i64x2 3 4)
                (i32.eqz (local.get $n))
                (loop $l (param i32) (result i32)
                    (local.set $s (i64.add (local.get $s) (i64.const 3)))
                    (local.set $f (f64.add (local.get $f) (f64.const 0.5)))
                    (i32.add (i32.const 1))
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (br_if $l (i32.lt_u (local.get $i) (local.get $n))))
                local.set $i
                i64x2.extract_lane 1
                local.get $s
                i64.add
                local.set $s
                local.get $f
                f64.add
                local.set $f
                f64.promote_f32
                local.get $f
                f64.add
                i64.trunc_f64_s
                i64.add
                local.get $i
                i64.extend_i32_u
                i64.add
                local.get $s
                i64.add
                i64.add))"#,
    ),
    (
        "an operand that other ways reach its use by",
        r#"(module
            (func (export "run") (param $n i32) (result i64)
                (local $i i32) (local $s i64)
                (loop $outer
                    (i64.extend_i32_u (local.get $i))
                    (block $b (result i64)
                        (i64.const 5)
                        (br_if $b (i32.and (local.get $i) (i32.const 1)))
                        (loop $inner
                            (local.set $i (i32.add (local.get $i) (i32.const 1)))
                            (br_if $inner (i32.and (local.get $i) (i32.const 3))))
                        (i64.add (i64.const 100)))
                    i64.add
                    local.get $s
                    i64.add
                    local.set $s
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (br_if $outer (i32.lt_u (local.get $i) (local.get $n))))
                (local.get $s)))"#,
    ),
    (
        "the arms of an if, with parameters",
        r#"(module
            (func (export "run") (param $n i32) (result i64)
                (local $i i32) (local $s i64)
                (loop $outer
                    (local.get $s)
                    (i64.const 2)
                    (if (param i64 i64) (result i64) (i32.and (local.get $i) (i32.const 1))
                        (then
                            (loop $a
                                (local.set $i (i32.add (local.get $i) (i32.const 3)))
                                (br_if $a (i32.rem_u (local.get $i) (i32.const 7))))
                            (i64.mul))
                        (else
                            (i64.add)
                            (loop $b
                                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                                (br_if $b (i32.rem_u (local.get $i) (i32.const 5))))))
                    (local.set $s)
                    (br_if $outer (i32.lt_u (local.get $i) (local.get $n))))
                (local.get $s)))"#,
    ),
    (
        "vectors and references in locals",
        r#"(module
            (type $f (func (result i64)))
            (type $s (struct (field (mut i64))))
            (func $g (type $f) (i64.const 11))
            (elem declare func $g)
            (func (export "run") (param $n i32) (result i64)
                (local $i i32) (local $v v128) (local $r (ref null $f)) (local $o (ref null $s))
                (local.set $r (ref.func $g))
                (local.set $o (struct.new $s (i64.const 1)))
                (loop $l
                    (local.set $v (i32x4.add (local.get $v) (i32x4.splat (local.get $i))))
                    (struct.set $s 0 (local.get $o) (i64.add
                        (struct.get $s 0 (local.get $o)) (call_ref $f (local.get $r))))
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (br_if $l (i32.lt_u (local.get $i) (local.get $n))))
                (i64.add (struct.get $s 0 (local.get $o))
                    (i64x2.extract_lane 1 (local.get $v)))))"#,
    ),
    (
        "a loop in a try_table, and one whose body is a try_table",
        r#"(module
            (tag $t (param i64))
            (func $odd (param $i i32)
                (if (i32.and (local.get $i) (i32.const 1))
                    (then (throw $t (i64.extend_i32_u (local.get $i))))))
            (func (export "run") (param $n i32) (result i64)
                (local $i i32) (local $s i64)
                (loop $outer
                    (block $caught (result i64)
                        (try_table (catch $t $caught)
                            (loop $inner
                                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                                (call $odd (local.get $i))
                                (br_if $inner (i32.lt_u (local.get $i) (local.get $n)))))
                        (i64.const 0))
                    local.get $s
                    i64.add
                    local.set $s
                    (br_if $outer (i32.lt_u (local.get $i) (local.get $n))))
                (loop $again
                    (block $caught (result i64)
                        (try_table (catch $t $caught)
                            (call $odd (local.get $i)))
                        (i64.const 1000))
                    local.get $s
                    i64.add
                    local.set $s
                    (br_if $again (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
                (local.get $s)))"#,
    ),
    (
        "functions that tail-call each other out of their loops",
        r#"(module
            (func $even (param $n i32) (param $s i64) (result i64)
                (local $i i32)
                (loop $l
                    (local.set $s (i64.add (local.get $s) (i64.const 1)))
                    (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 3))))
                (if (i32.eqz (local.get $n)) (then (return (local.get $s))))
                (return_call $odd (i32.sub (local.get $n) (i32.const 1)) (local.get $s) (i32.const 9)))
            (func $odd (param $n i32) (param $s i64) (param $more i32) (result i64)
                (loop $l
                    (local.set $s (i64.add (local.get $s) (i64.const 10)))
                    (br_if $l (local.tee $more (i32.sub (local.get $more) (i32.const 3)))))
                (return_call $even (i32.sub (local.get $n) (i32.const 1)) (local.get $s)))
            (func (export "run") (param $n i32) (result i64)
                (call $even (i32.shl (local.get $n) (i32.const 1)) (i64.const 0))))"#,
    ),
    (
        "several results, and more of them than registers",
        r#"(module
            (func $many (param $n i32) (result i64 i32 f64 i64 i64 i64 v128 f32)
                (local $i i32)
                (loop $l
                    (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
                (i64.const 1) (local.get $i) (f64.const 2.5) (i64.const 3) (i64.const 4) (i64.const 5)
                (i32x4.splat (local.get $i)) (f32.const 6.5))
            (func (export "run") (param $n i32) (result i64)
                (local $v v128) (local $d f64) (local $x i64)
                (call $many (local.get $n))
                f64.promote_f32
                local.set $d
                local.set $v
                i64.add
                i64.add
                local.get $v
                i64x2.extract_lane 0
                i64.add
                local.set $x
                f64.const 1
                f64.add
                local.get $d
                f64.add
                i64.trunc_f64_s
                local.get $x
                i64.add
                local.set $x
                i64.extend_i32_u
                i64.add
                local.get $x
                i64.add))"#,
    ),
    (
        "a legacy handler around a loop",
        r#"(module
            (tag $t)
            (func (export "run") (param $n i32) (result i64)
                (local $i i32) (local $s i64)
                try
                    throw $t
                catch $t
                    (loop $l
                        (local.set $s (i64.add (local.get $s) (i64.const 2)))
                        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
                end
                (local.get $s)))"#,
    ),
];

#[test]
fn loops_are_taken_over_with_all_that_they_have() {
    for (what, wat) in LOOPS {
        let expected = results(Config::new().tier(Tier::Interp), what, wat);
        assert_eq!(
            results(Config::new().tier(Tier::Jit), what, wat),
            expected,
            "{what}"
        );
        for budget in 0..8 {
            assert_eq!(
                results(&waiting(budget), what, wat),
                expected,
                "{what}, budget {budget}"
            );
        }
    }
}

fn results(config: &Config, what: &str, wat: &str) -> Vec<String> {
    let engine = Engine::new(config).unwrap();
    let module = Module::new(&engine, wat).unwrap_or_else(|error| panic!("{what}: {error}"));
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let counts = [0, 1, 2, 3, 5, 10, 1000];
    counts
        .map(|n| shown(&call(&mut store, instance, "run", &[Val::I32(n)]).unwrap()))
        .into()
}

/// A guest that loops as often as it is told, 2^31 times for a second or more.
const COUNT: &str = r#"(module
    (func (export "run") (param $n i32) (result i64)
        (local $i i32) (local $s i64)
        (loop $l
            (local.set $s (i64.add (local.get $s) (i64.extend_i32_u (local.get $i))))
            (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
        (local.get $s)))"#;

#[test]
fn one_call_that_loops_is_taken_over_soon() {
    let (mut store, instance) = instance_with(&Config::new(), COUNT);
    call(&mut store, instance, "run", &[Val::I32(50_000_000)]).unwrap();
    let stats = store.engine().tier_stats();
    assert_eq!(
        (stats.called, stats.osr_entries, stats.failed),
        (1, 1, 0),
        "{stats:?}"
    );
}

/// A loop in a legacy handler cannot be where machine code begins; another loop of
/// the same call can, although that one asked first.
#[test]
fn a_loop_that_cannot_be_taken_over_does_not_stop_another() {
    const GUEST: &str = r#"(module
        (tag $t)
        (func (export "run") (param $n i32) (result i32)
            (local $i i32)
            try
                throw $t
            catch $t
                loop $a
                    (br_if $a (i32.lt_u
                        (local.tee $i (i32.add (local.get $i) (i32.const 1)))
                        (i32.const 20000000)))
                end
            end
            (loop $b
                (br_if $b (i32.lt_u
                    (local.tee $i (i32.add (local.get $i) (i32.const 1)))
                    (local.get $n))))
            (local.get $i)))"#;
    let (mut store, instance) = instance_with(&Config::new(), GUEST);
    let result = call(&mut store, instance, "run", &[Val::I32(100_000_000)]).unwrap();
    assert_eq!(shown(&result), shown(&[Val::I32(100_000_000)]));
    let stats = store.engine().tier_stats();
    assert_eq!((stats.failed, stats.osr_entries), (1, 1), "{stats:?}");
}

#[test]
fn calls_that_were_hot_together_call_each_other_directly() {
    const GUEST: &str = r#"(module
        (func $a (param i32) (result i32)
            (if (result i32) (local.get 0)
                (then (i32.add (i32.const 1) (call $b (i32.sub (local.get 0) (i32.const 1)))))
                (else (i32.const 0))))
        (func $b (param i32) (result i32)
            (if (result i32) (local.get 0)
                (then (i32.add (i32.const 2) (call $a (i32.sub (local.get 0) (i32.const 1)))))
                (else (i32.const 0))))
        (func (export "run") (param i32) (result i32) (call $a (local.get 0))))"#;
    for budget in 0..20 {
        let (mut store, instance) = instance_with(&waiting(budget), GUEST);
        for n in 0..30 {
            let result = call(&mut store, instance, "run", &[Val::I32(n)]).unwrap();
            assert_eq!(shown(&result), shown(&[Val::I32(n + n / 2)]));
        }
        assert_eq!(store.engine().tier_stats().compiled, 3);
    }
}

/// Traps, host errors and backtraces, whoever ran how much of it.
#[test]
fn failures_in_loops_that_were_taken_over() {
    const GUEST: &str = r#"(module
        (import "host" "stop" (func $stop))
        (memory 1)
        (func $load (param $i i32) (result i32)
            (i32.load (i32.mul (local.get $i) (i32.const 4096))))
        (func $fault (export "fault") (param $n i32)
            (local $i i32)
            (loop $l
                (drop (call $load (local.get $i)))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br $l)))
        (func $divide (export "divide") (param $n i32)
            (loop $l
                (drop (i32.div_u (i32.const 1) (local.get $n)))
                (local.set $n (i32.sub (local.get $n) (i32.const 1)))
                (br $l)))
        (func $host (export "host") (param $n i32)
            (loop $l
                (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (call $stop))
        (func $deep (export "deep") (param $n i32)
            (loop $l
                (br_if $l (i32.and (local.tee $n (i32.sub (local.get $n) (i32.const 1))) (i32.const 3))))
            (call $deep (local.get $n)))
        (func (export "around") (param $n i32)
            (call $host (local.get $n))))"#;
    let texts = |config: &Config| -> Vec<String> {
        let engine = Engine::new(config).unwrap();
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        let stop = || -> Result<()> { Err(Trap::Interrupted.into()) };
        linker.func_wrap("host", "stop", stop).unwrap();
        let instance = link(&mut store, &linker, GUEST).unwrap();
        let mut texts = Vec::new();
        for _ in 0..3 {
            for name in ["fault", "divide", "host", "deep", "around"] {
                let error = call(&mut store, instance, name, &[Val::I32(5)]).unwrap_err();
                let Error::Trap(error) = error else {
                    panic!("{error:?}")
                };
                texts.push(format!("{error}\n{}", error.backtrace));
            }
        }
        texts
    };
    let interpreted = texts(Config::new().tier(Tier::Interp));
    for budget in 0..6 {
        assert_eq!(texts(&waiting(budget)), interpreted, "budget {budget}");
    }
}

#[test]
fn fuel_is_the_same_in_every_tier() {
    for (what, wat) in LOOPS {
        let left = |config: &Config| {
            let (mut store, instance) = instance_with(config.clone().consume_fuel(true), wat);
            store.set_fuel(1_000_000).unwrap();
            call(&mut store, instance, "run", &[Val::I32(100)]).unwrap();
            store.get_fuel().unwrap()
        };
        let expected = left(Config::new().tier(Tier::Interp));
        for budget in 0..4 {
            assert_eq!(left(&waiting(budget)), expected, "{what}, budget {budget}");
        }
    }
}

#[test]
fn a_loop_that_was_taken_over_is_interrupted() {
    let mut config = waiting(0);
    config.interruption(true);
    const GUEST: &str = r#"(module (func (export "run") (param i32) (loop $l (br $l))))"#;
    let (mut store, instance) = instance_with(&config, GUEST);
    let handle = store.interrupt_handle();
    let interrupter = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        handle.interrupt();
    });
    let error = call(&mut store, instance, "run", &[Val::I32(0)]).unwrap_err();
    assert!(
        matches!(error, Error::Trap(ref error) if error.trap == Trap::Interrupted),
        "{error:?}"
    );
    assert_eq!(store.engine().tier_stats().osr_entries, 1);
    interrupter.join().unwrap();
}

/// Modules, stores and engines end while threads compile for them.
#[test]
fn nothing_outlives_its_module() {
    let late = TierStress {
        budget: StressBudget::Fixed(0),
        wait: false,
        delay: Duration::from_micros(300),
        queue: 1000,
    };
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(500) {
        let (mut store, instance) = instance_with(Config::new().tier_stress(Some(late)), COUNT);
        for n in [0, 1, 100, 10_000] {
            call(&mut store, instance, "run", &[Val::I32(n)]).unwrap();
        }
    }
}

/// A module without machine code is called by one that has some, directly and
/// through a table.
#[test]
fn cold_modules_are_called_by_hot_ones() {
    let engine = Engine::new(&waiting(3)).unwrap();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    let cold = r#"(module
        (func (export "f") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))
        (func $g (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
        (table (export "t") 1 1 funcref)
        (elem (i32.const 0) $g))"#;
    let cold = link(&mut store, &linker, cold).unwrap();
    linker.instance(&mut store, "cold", cold).unwrap();
    let hot = r#"(module
        (type $g (func (param i32) (result i32)))
        (import "cold" "f" (func $f (param i32) (result i32)))
        (import "cold" "t" (table 1 1 funcref))
        (func (export "run") (param $n i32) (result i64)
            (local $s i64)
            (loop $l
                (local.set $s (i64.add (local.get $s) (i64.extend_i32_u (i32.add
                    (call $f (local.get $n))
                    (call_indirect (type $g) (local.get $n) (i32.const 0))))))
                (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (local.get $s)))"#;
    let hot = link(&mut store, &linker, hot).unwrap();
    for n in [1, 2, 100] {
        let expected: i64 = (1..=i64::from(n)).map(|n| 4 * n + 1).sum();
        let result = call(&mut store, hot, "run", &[Val::I32(n)]).unwrap();
        assert_eq!(shown(&result), shown(&[Val::I64(expected)]));
    }
}
