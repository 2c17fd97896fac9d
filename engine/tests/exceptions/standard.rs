//! `try_table`, `throw` and `throw_ref`.

use crate::check;
use crate::common::{call, instance, instance_with, shown};
use rwasm::{Config, Instance, Module, Store, Tier, Trap};

#[test]
fn the_innermost_handler_that_fits_catches() {
    check(
        r#"(module
            (tag $a (param i32)) (tag $b (param i32)) (tag $c)
            (func $throw (param i32)
                (block $c (block $b (block $a
                    (br_table $a $b $c (local.get 0)))
                    (throw $a (i32.const 10)))
                    (throw $b (i32.const 20)))
                (throw $c))
            (func (export "nested") (param i32) (result i32)
                (block $all
                    (block $outer (result i32)
                        (try_table (catch_all $all)
                            (block $inner (result i32)
                                (try_table (catch $b $outer)
                                    (try_table (catch $a $inner)
                                        (call $throw (local.get 0))))
                                (unreachable))
                            (return (i32.add (i32.const 1))))
                        (unreachable))
                    (return (i32.add (i32.const 2))))
                (i32.const 3))
            (func (export "first") (param i32) (result i32)
                (block $two (block $one
                    (try_table (catch_all $one) (catch_all $two)
                        (call $throw (local.get 0))))
                    (return (i32.const 1)))
                (i32.const 2))
            (func (export "from handler") (param i32) (result i32)
                (block $outer (result i32)
                    (try_table (catch $b $outer)
                        (block $h (result i32)
                            (try_table (catch $a $h) (catch $b $h)
                                (call $throw (local.get 0)))
                            (return (i32.const 9)))
                        (throw $b (i32.add (i32.const 1))))
                    (unreachable)))
            (func (export "result") (param i32) (result i32)
                (try_table (catch $a 0) (call $throw (local.get 0)))
                (i32.const 4))
            (func (export "empty") (param i32) (result i32)
                (try_table (result i32) (call $throw (local.get 0)) (i32.const 5))))"#,
        &[
            ("nested", 0, "[I32(11)]"),
            ("nested", 1, "[I32(22)]"),
            ("nested", 2, "[I32(3)]"),
            ("first", 0, "[I32(1)]"),
            ("first", 2, "[I32(1)]"),
            ("from handler", 0, "[I32(11)]"),
            ("from handler", 1, "[I32(21)]"),
            ("from handler", 2, "uncaught wasm exception ()"),
            ("result", 0, "[I32(10)]"),
            ("result", 1, "uncaught wasm exception (i32) with 20"),
            ("empty", 0, "uncaught wasm exception (i32) with 10"),
        ],
    );
}

#[test]
fn a_handler_finds_locals_and_operands_as_they_were() {
    check(
        r#"(module
            (tag $t (param i32)) (tag $none)
            (func $maybe (param i32) (result i32)
                (if (i32.eqz (i32.rem_u (local.get 0) (i32.const 3)))
                    (then (throw $t (local.get 0))))
                (local.get 0))
            ;; Pinned locals change in the loop, inside and outside of the body.
            (func (export "loop") (param $n i32) (result i32)
                (local $i i32) (local $caught i32) (local $passed i32) (local $f f64)
                (loop $again
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (local.set $f (f64.add (local.get $f) (f64.const 0.5)))
                    (block $done
                        (block $h (result i32)
                            (try_table (catch $t $h)
                                (local.set $passed (i32.add (local.get $passed)
                                    (call $maybe (local.get $i)))))
                            (br $done))
                        (local.set $caught (i32.add (local.get $caught))))
                    (br_if $again (i32.lt_u (local.get $i) (local.get $n))))
                (i32.add (i32.mul (i32.const 1000) (local.get $caught))
                    (i32.add (i32.mul (i32.const 10000000) (i32.trunc_f64_u (local.get $f)))
                        (local.get $passed))))
            ;; A handler that is the head of a loop.
            (func (export "head") (param $n i32) (result i32) (local $sum i32)
                (i32.const 1)
                (loop $again (param i32) (result i32)
                    (local.set $n (i32.sub (local.get $n) (i32.const 1)))
                    (local.set $sum (i32.add (local.get $sum)))
                    (if (i32.gt_s (local.get $n) (i32.const 0))
                        (then (try_table (catch $t $again)
                            (throw $t (local.get $n)))))
                    (local.get $sum)))
            ;; Out of an inner loop, whose pins are others.
            (func (export "out") (param $n i32) (result i32)
                (local $a i32) (local $b i32) (local $i i32) (local $j i32) (local $k i32)
                (loop $outer
                    (local.set $a (i32.add (local.get $a) (i32.const 1)))
                    (block $h
                        (try_table (catch_all $h)
                            (local.set $i (i32.const 0))
                            (loop $inner
                                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                                (local.set $j (i32.add (local.get $j) (local.get $i)))
                                (local.set $k (i32.xor (local.get $k) (local.get $j)))
                                (if (i32.ge_u (local.get $i) (local.get $a)) (then (throw $none)))
                                (br $inner))))
                    (local.set $b (i32.add (local.get $b) (local.get $i)))
                    (br_if $outer (i32.lt_u (local.get $a) (local.get $n))))
                (i32.add (i32.mul (local.get $j) (i32.const 1000)) (local.get $b)))
            ;; Operands below the block, of all states: a local that changes
            ;; inside, a constant, a result in an accumulator, a float.
            (func (export "below") (param $n i32) (result i32)
                (local.get $n) (i32.const 7) (i32.mul (local.get $n) (i32.const 100))
                (f32.convert_i32_s (local.get $n))
                (block $h (result i32)
                    (try_table (catch $t $h)
                        (local.set $n (i32.const 12345))
                        (drop (call $maybe (i32.const 3))))
                    (unreachable))
                (drop) (i32.trunc_f32_s) (i32.add) (i32.add) (i32.add)
                (i32.add (local.get $n)))
            ;; The assignment behind a call that throws does not happen.
            (func (export "late") (param $n i32) (result i32) (local $x i32)
                (local.set $x (i32.const 1))
                (block $h
                    (try_table (catch_all $h)
                        (i32.add (local.get $n) (i32.const 50))
                        (drop (call $maybe (local.get $n)))
                        (local.set $x)))
                (local.get $x))
            ;; A block's parameters, and results over a deeper stack.
            (func (export "params") (param $n i32) (result i32)
                (i32.const 5)
                (block $h (param i32) (result i32)
                    (try_table (param i32) (result i32) (catch $t $h)
                        (drop)
                        (i32.const 1) (i32.const 2) (i32.const 3)
                        (drop (call $maybe (local.get $n)))
                        (i32.add) (i32.add)))
                (i32.add (i32.const 1000))))"#,
        &[
            ("loop", 10, "[I32(50018037)]"),
            ("loop", 1, "[I32(1)]"),
            ("head", 4, "[I32(7)]"),
            ("head", 1, "[I32(1)]"),
            ("out", 4, "[I32(20010)]"),
            ("below", 2, "[I32(12556)]"),
            ("late", 3, "[I32(1)]"),
            ("late", 4, "[I32(54)]"),
            ("params", 3, "[I32(1003)]"),
            ("params", 4, "[I32(1006)]"),
        ],
    );
}

#[test]
fn values_of_every_type_are_carried() {
    check(
        r#"(module
            (tag $all (param i32 i64 f32 f64 v128 funcref externref exnref i32))
            (tag $small)
            (func $f (export "f") (param i32) (result i32) (local.get 0))
            (func $exception (result exnref)
                (block $h (result exnref)
                    (try_table (catch_all_ref $h) (throw $small))
                    (unreachable)))
            (func $throw (param i32)
                (throw $all (i32.const -1) (i64.const -2) (f32.const 1.5) (f64.const -2.5)
                    (v128.const i64x2 3 4) (ref.func $f) (ref.null extern) (call $exception)
                    (local.get 0)))
            (func (export "all") (param i32)
                (result i32 i64 f32 f64 i64 i64 i32 i32 i32 i32)
                (local $v v128) (local $f funcref) (local $e exnref) (local $x externref)
                (local $last i32)
                (block $h (result i32 i64 f32 f64 v128 funcref externref exnref i32)
                    (try_table (catch $all $h) (call $throw (local.get 0)))
                    (unreachable))
                (local.set $last) (local.set $e) (local.set $x) (local.set $f) (local.set $v)
                (i64x2.extract_lane 0 (local.get $v)) (i64x2.extract_lane 1 (local.get $v))
                (ref.is_null (local.get $f)) (ref.is_null (local.get $x))
                (ref.is_null (local.get $e)) (local.get $last))
            (func (export "with ref") (param i32) (result i32)
                (block $again (result i32 i64 f32 f64 v128 funcref externref exnref i32)
                    (block $h (result i32 i64 f32 f64 v128 funcref externref exnref i32 exnref)
                        (try_table (catch_ref $all $h) (call $throw (local.get 0)))
                        (unreachable))
                    (try_table (param exnref) (catch $all $again) (throw_ref))
                    (unreachable))
                (return)))"#,
        &[
            (
                "all",
                77,
                "[I32(-1), I64(-2), F32(1069547520), F64(13836183955189006336), I64(3), I64(4), \
                 I32(0), I32(1), I32(0), I32(77)]",
            ),
            ("with ref", 78, "[I32(78)]"),
        ],
    );
}

#[test]
fn references_to_exceptions_are_values() {
    check(
        r#"(module
            (tag $t (param i32))
            (global $g (mut exnref) (ref.null exn))
            (table $table 4 exnref)
            (func $make (param i32) (result exnref)
                (block $h (result exnref)
                    (try_table (catch_all_ref $h) (throw $t (local.get 0)))
                    (unreachable)))
            (func $value (param exnref) (result i32)
                (block $h (result i32)
                    (try_table (catch $t $h) (throw_ref (local.get 0)))
                    (unreachable)))
            (func (export "global") (param i32) (result i32)
                (global.set $g (call $make (local.get 0)))
                (drop (call $make (i32.const 99)))
                (i32.add (call $value (global.get $g)) (call $value (global.get $g))))
            (func (export "table") (param i32) (result i32)
                (table.set $table (i32.const 1) (call $make (local.get 0)))
                (table.copy (i32.const 2) (i32.const 1) (i32.const 1))
                (table.fill (i32.const 1) (ref.null exn) (i32.const 1))
                (call $value (table.get $table (i32.const 2))))
            (func (export "null") (param i32)
                (block $h (try_table (catch_all $h) (throw_ref (ref.null exn)))))
            (func (export "rethrow") (param i32) (throw_ref (call $make (local.get 0)))))"#,
        &[
            ("global", 21, "[I32(42)]"),
            ("table", 5, "[I32(5)]"),
            ("null", 0, "wasm trap: null exception reference"),
            ("rethrow", 6, "uncaught wasm exception (i32) with 6"),
        ],
    );
}

#[test]
fn traps_are_not_caught() {
    let (mut store, instance) = instance_with(
        crate::common::config().consume_fuel(true),
        r#"(module (memory 1) (table 1 funcref)
            (func $stack (call $stack))
            (func (export "unreachable")
                (block $h (try_table (catch_all $h) (unreachable))))
            (func (export "memory")
                (block $h (try_table (catch_all $h) (drop (i32.load (i32.const -1))))))
            (func (export "divide")
                (block $h (try_table (catch_all $h) (drop (i32.div_u (i32.const 1) (i32.const 0))))))
            (func (export "element")
                (block $h (try_table (catch_all $h) (call_indirect (i32.const 0)))))
            (func (export "stack")
                (block $h (result exnref) (try_table (catch_all_ref $h) (call $stack)) (return))
                (drop))
            (func (export "legacy") try call $stack catch_all end)
            (func (export "fuel")
                (block $h (try_table (catch_all $h) (loop (br 0))))))"#,
    );
    for (name, trap) in [
        ("unreachable", Trap::Unreachable),
        ("memory", Trap::MemoryOutOfBounds),
        ("divide", Trap::IntegerDivideByZero),
        ("element", Trap::UninitializedElement),
        ("stack", Trap::StackOverflow),
        ("legacy", Trap::StackOverflow),
        ("fuel", Trap::OutOfFuel),
    ] {
        store.set_fuel(1_000_000).unwrap();
        let error = call(&mut store, instance, name, &[]).unwrap_err();
        assert_eq!(error.trap(), Some(trap), "{name}");
    }
}

#[test]
fn exceptions_cross_many_frames() {
    check(
        r#"(module
            (tag $t (param i32))
            (func $down (param $n i32) (param $from i32) (result i32)
                (if (i32.eqz (local.get $n)) (then (throw $t (local.get $from))))
                (i32.add (call $down (i32.sub (local.get $n) (i32.const 1)) (local.get $from))
                    (i32.const 1)))
            (func (export "deep") (param $n i32) (result i32)
                (block $h (result i32)
                    (try_table (catch $t $h)
                        (drop (call $down (local.get $n) (local.get $n))))
                    (unreachable)))
            ;; Every frame catches and throws another.
            (func $climb (param $n i32) (result i32)
                (block $h (result i32)
                    (try_table (catch $t $h)
                        (if (local.get $n) (then
                            (return (call $climb (i32.sub (local.get $n) (i32.const 1))))))
                        (throw $t (i32.const 0)))
                    (unreachable))
                (throw $t (i32.add (i32.const 1))))
            (func (export "climb") (param $n i32) (result i32)
                (block $h (result i32)
                    (try_table (catch $t $h) (drop (call $climb (local.get $n))))
                    (unreachable)))
            ;; A tail call leaves the handler.
            (func $thrower (param i32) (result i32) (throw $t (local.get 0)))
            (func $tail (param i32) (result i32)
                (block $h (result i32)
                    (try_table (result i32) (catch $t $h)
                        (return_call $thrower (local.get 0)))))
            (func (export "tail") (param i32) (result i32)
                (block $h (result i32)
                    (try_table (catch $t $h) (drop (call $tail (local.get 0))))
                    (i32.const -1))
                (i32.add (i32.const 1000))))"#,
        &[
            ("deep", 10_000, "[I32(10000)]"),
            ("climb", 5_000, "[I32(5001)]"),
            ("tail", 5, "[I32(1005)]"),
        ],
    );
}

#[test]
fn tags_are_told_apart_by_identity() {
    let engine = crate::common::engine();
    let mut store = Store::new(&engine, ());
    let maker = Module::new(
        &engine,
        r#"(module (tag $t (export "a") (param i32)) (tag (export "b") (param i32))
            (func (export "throw") (throw $t (i32.const 1))))"#,
    )
    .unwrap();
    let catcher = Module::new(
        &engine,
        r#"(module (tag $a (import "" "a") (param i32)) (tag $b (import "" "b") (param i32))
            (tag $own (param i32)) (func $throw (import "" "throw"))
            (func (export "which") (result i32)
                (block $hown (result i32) (block $hb (result i32) (block $ha (result i32)
                    (try_table (catch $own $hown) (catch $b $hb) (catch $a $ha) (call $throw))
                    (unreachable))
                    (return (i32.add (i32.const 10))))
                    (return (i32.add (i32.const 20))))
                (i32.add (i32.const 30))))"#,
    )
    .unwrap();
    let [one, two] = [(); 2].map(|()| Instance::new(&mut store, &maker, &[]).unwrap());
    let mut get = |instance: Instance, name| instance.get_export(&mut store, name).unwrap();
    let cases = [
        (get(one, "a"), get(one, "b"), get(one, "throw"), "[I32(11)]"),
        (get(one, "b"), get(one, "a"), get(one, "throw"), "[I32(21)]"),
        (get(two, "a"), get(one, "a"), get(one, "throw"), "[I32(21)]"),
        (get(one, "a"), get(one, "a"), get(one, "throw"), "[I32(21)]"),
        (
            get(two, "a"),
            get(two, "b"),
            get(one, "throw"),
            "uncaught wasm exception (i32) with 1",
        ),
    ];
    for (a, b, throw, expected) in cases {
        let instance = Instance::new(&mut store, &catcher, &[a, b, throw]).unwrap();
        let found = match call(&mut store, instance, "which", &[]) {
            Ok(values) => shown(&values),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected);
    }
}

#[test]
fn many_handlers_in_one_function() {
    // More than 16 bits can count, nested as deep as validation allows side by
    // side, and every one of them is looked at.
    let mut body = String::new();
    for _ in 0..70_000 {
        body.push_str("(block (try_table (catch $never 0) (call $nop)))");
    }
    let mut nest = String::from("(throw $t (i32.const 3))");
    for _ in 0..300 {
        nest = format!("(try_table (catch $never 300) (catch $also 300) {nest})");
    }
    let clauses = "(catch $never 0)".repeat(9_000);
    let wat = format!(
        r#"(module (tag $t (param i32)) (tag $never) (tag $also)
            (func $nop)
            (func $deep (block {}))
            (func (export "run") (result i32)
                {body}
                (block $h (result i32)
                    (try_table (catch $t $h)
                        (block (try_table {clauses} (call $deep))))
                    (unreachable))))"#,
        nest.replace("300", "0"),
    );
    let (mut store, instance) = instance(&wat);
    let values = call(&mut store, instance, "run", &[]).unwrap();
    assert_eq!(shown(&values), "[I32(3)]");
}

/// A module without structs, arrays and references: its machine code must find
/// the heap although the first exception is the first object.
#[test]
fn the_first_object_may_be_an_exception_of_machine_code() {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return;
    }
    let (mut store, instance) = instance_with(
        Config::new().tier(Tier::Jit),
        r#"(module
            (tag $t (param i32 i64))
            (func $throw (throw $t (i32.const 7) (i64.const 8)))
            (func (export "f") (result i32 i64)
                (block $h (result i32 i64)
                    (try_table (catch $t $h) (call $throw))
                    (unreachable))))"#,
    );
    let results = call(&mut store, instance, "f", &[]).unwrap();
    assert_eq!(shown(&results), "[I32(7), I64(8)]");
}
