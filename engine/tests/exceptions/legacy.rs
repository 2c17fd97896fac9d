//! `try`, `catch`, `delegate` and `rethrow`.

use crate::check;
use rwasm::{Engine, Error, Module};

#[test]
fn legacy_instructions() {
    check(
        r#"(module
            (tag $a (param i32)) (tag $b (param i32 f64)) (tag $c)
            (func $throw (param i32)
                (block $none (block $c (block $b (block $a
                    (br_table $a $b $c $none (local.get 0)))
                    (throw $a (i32.const 10)))
                    (throw $b (i32.const 20) (f64.const 0.5)))
                    (throw $c)))
            (func (export "catch") (param i32) (result i32)
                (i32.const 1000)
                try (result i32)
                    local.get 0
                    call $throw
                    i32.const 1
                catch $a
                    i32.const 1
                    i32.add
                catch $b
                    drop
                    i32.const 2
                    i32.add
                catch_all
                    i32.const 3
                end
                i32.add)
            (func $rethrow (export "rethrow") (param i32) (result i32)
                try (result i32)
                    try (result i32)
                        local.get 0
                        call $throw
                        i32.const 1
                    catch $a
                        drop
                        rethrow 0
                    catch_all
                        ;; From a nested handler, the outer one's.
                        try (result i32)
                            i32.const 0
                            call $throw
                            i32.const 5
                        catch $a
                            drop
                            rethrow 1
                        end
                    end
                catch $a
                    i32.const 100
                    i32.add
                catch $b
                    drop
                    i32.const 200
                    i32.add
                end)
            (func (export "delegate") (param i32) (result i32)
                try (result i32)
                    try
                        try
                            local.get 0
                            call $throw
                        delegate 1
                    catch_all
                        unreachable
                    end
                    i32.const 1
                catch $a
                    i32.const 1
                    i32.add
                catch_all
                    i32.const 3
                end)
            (func (export "delegate out") (param i32) (result i32)
                try (result i32)
                    try
                        local.get 0
                        call $throw
                    delegate 1
                    i32.const 1
                catch_all
                    i32.const 3
                end)
            (func (export "delegate block") (param i32) (result i32)
                try (result i32)
                    block
                        try
                            local.get 0
                            call $throw
                        delegate 0
                    end
                    i32.const 1
                catch_all
                    i32.const 3
                end)
            ;; A handler is not covered by its own try.
            (func (export "handler") (param i32) (result i32)
                try (result i32)
                    try (result i32)
                        local.get 0
                        call $throw
                        i32.const 1
                    catch $a
                        drop
                        i32.const 2
                        call $throw
                        i32.const 2
                    catch_all
                        i32.const 3
                    end
                catch $c
                    i32.const 4
                end)
            (func (export "no handler") (param i32) (result i32)
                try (result i32) local.get 0 call $throw i32.const 1 end)
            (func (export "dead") (param i32) (result i32)
                try (result i32)
                    i32.const 8
                    return
                catch_all
                    unreachable
                    try catch_all end
                    try delegate 0
                end)
            (func (export "branch") (param i32) (result i32)
                block $out (result i32)
                    try $t (result i32)
                        local.get 0
                        call $throw
                        i32.const 1
                    catch $a
                        i32.const 50
                        i32.add
                        br $t
                    catch_all
                        i32.const 60
                        br $out
                    end
                    i32.const 1000
                    i32.add
                end)
            (func (export "loop") (param $n i32) (result i32) (local $i i32) (local $sum i32)
                loop $again
                    try
                        local.get $i
                        i32.const 3
                        i32.and
                        call $throw
                        local.get $sum
                        i32.const 1000
                        i32.add
                        local.set $sum
                    catch $a
                        local.get $sum
                        i32.add
                        local.set $sum
                    catch_all
                        local.get $sum
                        i32.const 1
                        i32.add
                        local.set $sum
                    end
                    local.get $i
                    i32.const 1
                    i32.add
                    local.tee $i
                    local.get $n
                    i32.lt_u
                    br_if $again
                end
                local.get $sum))"#,
        &[
            ("catch", 0, "[I32(1011)]"),
            ("catch", 1, "[I32(1022)]"),
            ("catch", 2, "[I32(1003)]"),
            ("catch", 3, "[I32(1001)]"),
            ("rethrow", 0, "[I32(110)]"),
            ("rethrow", 1, "[I32(220)]"),
            ("rethrow", 2, "uncaught wasm exception ()"),
            ("rethrow", 3, "[I32(1)]"),
            ("delegate", 0, "[I32(11)]"),
            ("delegate", 1, "[I32(3)]"),
            ("delegate", 3, "[I32(1)]"),
            ("delegate out", 0, "uncaught wasm exception (i32) with 10"),
            ("delegate out", 3, "[I32(1)]"),
            ("delegate block", 2, "[I32(3)]"),
            ("handler", 0, "[I32(4)]"),
            ("handler", 1, "[I32(3)]"),
            (
                "no handler",
                1,
                "uncaught wasm exception (i32, f64) with 20, 0.5",
            ),
            ("no handler", 3, "[I32(1)]"),
            ("dead", 0, "[I32(8)]"),
            ("branch", 0, "[I32(1060)]"),
            ("branch", 1, "[I32(60)]"),
            ("branch", 3, "[I32(1001)]"),
            ("loop", 8, "[I32(2024)]"),
        ],
    );
}

#[test]
fn legacy_instructions_can_be_refused() {
    let engine = Engine::new(crate::common::config().legacy_exceptions(false)).unwrap();
    let error = Module::new(&engine, "(module (func try catch_all end))").unwrap_err();
    assert!(matches!(error, Error::Parse(_)), "{error:?}");
}
