//! The runner itself: that it fails what must fail, says why, and goes on.

use rwasm_spec_tests::{Options, Report, ScriptError, run_source};

/// A module that the scripts below act on.
const MODULE: &str = r#"(module
  (global (export "g") i64 (i64.const 7))
  (memory (export "m") 1)
  (func (export "i32") (param i32) (result i32) local.get 0)
  (func (export "f32") (param f32) (result f32) local.get 0)
  (func (export "f64.nan") (result f64) f64.const nan:0x4000000000000)
  (func (export "extern") (param externref) (result externref) local.get 0)
  (func (export "func") (result funcref) ref.func 0)
  (func (export "pair") (result i32 i64) i32.const 1 i64.const 2)
  (func (export "unreachable") unreachable)
  (func $overflow (export "overflow") call $overflow)
  (func (export "divide") (param i32) (result i32)
    i32.const 1 local.get 0 i32.div_s))
"#;

fn run(script: &str) -> Report {
    let source = format!("{MODULE}{script}");
    let options = Options {
        gaps: &[],
        ..Options::default()
    };
    run_source("test.wast", &source, &options).expect("the script is well-formed")
}

#[test]
fn what_holds_passes() {
    let directives = [
        r#"(assert_return (invoke "i32" (i32.const -1)) (i32.const 0xffffffff))"#,
        r#"(assert_return (invoke "f32" (f32.const nan:0x200000)) (f32.const nan:0x200000))"#,
        r#"(assert_return (invoke "f32" (f32.const -nan)) (f32.const nan:canonical))"#,
        r#"(assert_return (invoke "f32" (f32.const -nan)) (f32.const nan:arithmetic))"#,
        r#"(assert_return (invoke "pair") (i32.const 1) (i64.const 2))"#,
        r#"(assert_return (invoke "i32" (i32.const 3)) (either (i32.const 2) (i32.const 3)))"#,
        r#"(assert_return (invoke "extern" (ref.extern 5)) (ref.extern 5))"#,
        r#"(assert_return (invoke "extern" (ref.null extern)) (ref.null extern))"#,
        r#"(assert_return (invoke "extern" (ref.null extern)) (ref.null))"#,
        r#"(assert_return (invoke "func") (ref.func))"#,
        r#"(assert_return (get "g") (i64.const 7))"#,
        r#"(assert_trap (invoke "unreachable") "unreachable")"#,
        r#"(assert_trap (invoke "divide" (i32.const 0)) "integer divide by zero")"#,
        r#"(assert_exhaustion (invoke "overflow") "call stack exhausted")"#,
        r#"(assert_trap (module (func $f unreachable) (start $f)) "unreachable")"#,
        r#"(assert_unlinkable (module (import "a" "b" (func))) "unknown import")"#,
        r#"(assert_unlinkable
             (module (import "spectest" "print" (func (param i32)))) "incompatible import type")"#,
        r#"(assert_invalid (module (func (result i32))) "type mismatch")"#,
        r#"(assert_malformed (module quote "(func") "unexpected token")"#,
        r#"(assert_malformed (module binary "\00asm\02\00\00\00") "unknown binary version")"#,
        r#"(assert_malformed (module binary "") "unexpected end")"#,
        r#"(module quote "(func)")"#,
        r#"(invoke "pair")"#,
        r#"(module $named (func (export "one") (result i32) i32.const 1))
           (assert_return (invoke $named "one") (i32.const 1))"#,
        r#"(register "exports")
           (module (import "exports" "i32" (func (param i32) (result i32))))"#,
        r#"(module definition $definition (global (export "x") (mut i32) (i32.const 0))
             (func (export "set") i32.const 1 global.set 0))
           (module instance $first $definition)
           (module instance $second $definition)
           (invoke $first "set")
           (assert_return (get $first "x") (i32.const 1))
           (assert_return (get $second "x") (i32.const 0))"#,
        r#"(thread $t (module (func (export "f"))) (invoke "f")) (wait $t)"#,
    ];
    for directive in directives {
        let report = run(directive);
        assert_eq!(report.failures, [], "{directive}");
        assert_eq!(
            report.totals.passed, report.totals.directives,
            "{directive}"
        );
    }
}

/// Threads see the shared memories of a module of the script, by the name that
/// they register it under, and nothing else of it.
#[test]
fn threads_share_memories() {
    let script = r#"
        (module $shared (memory (export "memory") 1 1 shared) (func (export "f")))
        (thread $writer (shared (module $shared))
            (register "shared" $shared)
            (module (memory (import "shared" "memory") 1 1 shared)
                (func (export "run")
                    (i32.store (i32.const 0) (i32.const 42))
                    (i32.atomic.store (i32.const 4) (i32.const 1))
                    (drop (memory.atomic.notify (i32.const 4) (i32.const 1)))))
            (invoke "run"))
        (thread $reader (shared (module $shared))
            (register "shared" $shared)
            (assert_unlinkable (module (import "shared" "f" (func))) "unknown import")
            (module (memory (import "shared" "memory") 1 1 shared)
                (func (export "run") (result i32)
                    (drop (memory.atomic.wait32 (i32.const 4) (i32.const 0) (i64.const -1)))
                    (i32.load (i32.const 0))))
            (assert_return (invoke "run") (i32.const 42)))
        (wait $reader)
        (wait $writer)
        (register "shared" $shared)
        (module (memory (import "shared" "memory") 1 1 shared)
            (func (export "run") (result i32) (i32.load (i32.const 0))))
        (assert_return (invoke "run") (i32.const 42))
        (thread $wrong (shared (module $shared))
            (module (import "shared" "memory" (memory 1 1 shared))))
        (wait $wrong)"#;
    let options = Options {
        gaps: &[],
        ..Options::default()
    };
    let report = run_source("proposals/threads/test.wast", script, &options);
    let report = report.expect("the script is well-formed");
    // The last thread has not registered the module.
    let [failure] = &report.failures[..] else {
        panic!("{:?}", report.failures)
    };
    assert_eq!(failure.source, "(wait $wrong)");
    assert!(failure.got.contains("unknown import"), "{failure}");
}

#[test]
fn what_does_not_hold_fails_with_both_sides() {
    let cases = [
        (
            r#"(assert_return (invoke "i32" (i32.const 1)) (i32.const 2))"#,
            "(i32.const 2)",
            "(i32.const 1)",
        ),
        (
            r#"(assert_return (invoke "f32" (f32.const -0)) (f32.const 0))"#,
            "(f32.const 0 (0x00000000))",
            "(f32.const -0 (0x80000000))",
        ),
        (
            r#"(assert_return (invoke "f64.nan") (f64.const nan:arithmetic))"#,
            "(f64.const nan:arithmetic)",
            "(f64.const NaN (0x7ff4000000000000))",
        ),
        (
            r#"(assert_return (invoke "pair") (i32.const 1))"#,
            "(i32.const 1)",
            "(i32.const 1) (i64.const 2)",
        ),
        (
            r#"(assert_return (invoke "i32" (i32.const 1)) (i64.const 1))"#,
            "(i64.const 1)",
            "(i32.const 1)",
        ),
        (
            r#"(assert_return (invoke "extern" (ref.extern 5)) (ref.extern 6))"#,
            "(ref.extern 6)",
            "(ref.extern 5)",
        ),
        (
            r#"(assert_return (invoke "extern" (ref.null extern)) (ref.null func))"#,
            "(ref.null func)",
            "(ref.null extern)",
        ),
        (
            r#"(assert_trap (invoke "divide" (i32.const 0)) "integer overflow")"#,
            "trap: integer overflow",
            "trap: integer divide by zero",
        ),
        (
            r#"(assert_trap (invoke "divide" (i32.const 1)) "integer divide by zero")"#,
            "trap: integer divide by zero",
            "(i32.const 1)",
        ),
        (
            r#"(assert_unlinkable (module (import "a" "b" (func))) "incompatible import type")"#,
            "unlinkable: incompatible import type",
            "unknown import",
        ),
        (
            r#"(assert_unlinkable (module) "unknown import")"#,
            "unlinkable: ",
            "an instance",
        ),
        (
            r#"(assert_invalid (module) "type mismatch")"#,
            "invalid: type mismatch",
            "a valid",
        ),
        (
            r#"(assert_malformed (module quote "(func)") "x")"#,
            "malformed: x",
            "a valid module",
        ),
        (r#"(invoke "unreachable")"#, "a return", "unreachable"),
        (
            r#"(invoke "missing")"#,
            "an exported function \"missing\"",
            "no export",
        ),
        (
            r#"(invoke "m")"#,
            "an exported function \"m\"",
            "something else",
        ),
        (r#"(invoke $missing "f")"#, "a module $missing", "none"),
        (r#"(invoke "i32")"#, "a return", "expected 1"),
        (r#"(register "x" $missing)"#, "a module $missing", "none"),
        (
            r#"(module (import "a" "b" (func)))"#,
            "an instance",
            "unknown import",
        ),
        (r#"(thread $t (invoke "f")) (wait $t)"#, "a module", "none"),
        (r#"(wait $missing)"#, "a thread $missing", "none"),
    ];
    for (directive, expected, got) in cases {
        let report = run(directive);
        let [failure] = report.failures.as_slice() else {
            panic!("{directive}: {:?}", report.failures);
        };
        assert!(
            failure.expected.starts_with(expected),
            "{directive}: {failure}"
        );
        assert!(failure.got.contains(got), "{directive}: {failure}");
        assert_eq!(report.totals.failed, 1, "{directive}");
        assert_eq!(
            failure.line as usize,
            MODULE.lines().count() + 1,
            "{directive}"
        );
    }
}

#[test]
fn a_failure_stops_nothing_and_is_located() {
    let report = run(
        "(invoke \"missing\")\n  (module (func (export \"f\")))\n\n  (assert_return (invoke \"f\") \
         (i32.const 1)) ;; comment\n(invoke \"f\")",
    );
    let totals = report.totals;
    assert_eq!((totals.directives, totals.passed, totals.failed), (5, 3, 2));
    assert_eq!(totals.assertions, 1);
    let last = &report.failures[1];
    let line = u32::try_from(MODULE.lines().count()).unwrap() + 4;
    assert_eq!(last.line, line);
    assert_eq!(
        last.source,
        "(assert_return (invoke \"f\") (i32.const 1)) ;; comment"
    );
    assert_eq!(
        last.to_string(),
        format!(
            "test.wast:{line}: {}\n  expected: (i32.const 1)\n  got:      no results",
            last.source
        )
    );
}

/// A module that fails must not leave an older one to act on.
#[test]
fn a_failed_module_is_no_module() {
    let report = run("(module (import \"a\" \"b\" (func)))\n(invoke \"pair\")");
    assert_eq!(report.totals.failed, 2);
    assert_eq!(report.failures[1].got, "none, or one that failed");
}

#[test]
fn scripts_that_are_none_are_errors() {
    for source in [
        "(assert_return",
        "(module) (nonsense)",
        "\u{0}",
        "(module \"\\q\")",
    ] {
        let error = run_source("test.wast", source, &Options::default()).unwrap_err();
        assert!(matches!(error, ScriptError::Parse(_)), "{source}: {error}");
        assert!(
            error.to_string().contains("test.wast:1:"),
            "{source}: {error}"
        );
    }
    let missing = std::path::Path::new("/no/such/script.wast");
    let error = rwasm_spec_tests::run_file(missing, &Options::default()).unwrap_err();
    assert!(matches!(error, ScriptError::Read { .. }));
}
