//! Guests that mean no good: each ends as documented, in bounded time and
//! memory.

use std::process::Stdio;
use std::time::Duration;

use crate::harness::{Case, Folder, run};

/// A time-out of 200 ms is over by then, on a busy machine too.
const SOON: Duration = Duration::from_secs(5);

#[test]
fn endless_recursion_is_a_trap() {
    let folder = Folder::new();
    folder.check(&[
        Case::new("recurse.wat").code(134).stderr(&[
            "rwasm: recurse.wat trapped: call stack exhausted; --max-stack grants more",
            "deeper",
            "more",
        ]),
        Case::new("recurse-wide.wat")
            .code(134)
            .stderr(&["call stack exhausted"]),
        Case::new("--max-stack 64MiB recurse.wat")
            .code(134)
            .stderr(&["call stack exhausted"]),
    ]);
    // It is told in a few lines, however deep it was.
    let ended = run(&mut folder.rwasm("recurse.wat"), b"");
    assert!(ended.stderr.lines().count() < 40, "{}", ended.stderr);
}

#[test]
fn an_uncaught_exception_is_told_with_its_values() {
    let text = r#"(module
      (tag $t (param i32 f64 externref))
      (func $fail (throw $t (i32.const 7) (f64.const 0.5) (ref.null extern)))
      (func (export "_start") (call $fail))
      (func (export "caught") (result i32)
        (block $h (try_table (catch_all $h) (call $fail)))
        (i32.const 1)))"#;
    let legacy = r#"(module
      (tag $t)
      (func (export "_start") try throw $t catch $t rethrow 0 end))"#;
    Folder::new()
        .with("throw.wat", text)
        .with("legacy.wat", legacy)
        .check(&[
            Case::new("throw.wat").code(134).stderr(&[
                "rwasm: throw.wat threw an exception that nothing caught, \
                 of type (i32, f64, externref): 7, 0.5, null",
                "fail @",
            ]),
            Case::new("--invoke caught throw.wat").stdout("1\n"),
            Case::new("legacy.wat").code(134).stderr(&[
                "rwasm: legacy.wat threw an exception that nothing caught, of type ()\n",
            ]),
        ]);
}

/// Report WR#3760: a flag for the size of the stack.
#[test]
fn wr_3760_the_stack_can_be_sized() {
    let text = r#"(module
      (func $deep (export "deep") (param i32) (result i32)
        (if (result i32) (local.get 0)
          (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))
          (else (i32.const 0)))))"#;
    Folder::new().with("deep.wat", text).check(&[
        Case::new("--max-stack 64KiB --invoke deep deep.wat 100").stdout("100\n"),
        Case::new("--max-stack 64KiB --invoke deep deep.wat 100000")
            .code(134)
            .stderr(&["stack"]),
        Case::new("--max-stack 64MiB --invoke deep deep.wat 100000").stdout("100000\n"),
    ]);
}

#[test]
fn growth_ends_at_the_limits() {
    Folder::new()
        .with(
            "large.wat",
            "(module (memory 100) (func (export \"_start\")))",
        )
        .with(
            "table.wat",
            "(module (table 1000 funcref) (func (export \"_start\")))",
        )
        .with(
            "grow-list.wat",
            r#"(module
                (type $node (struct (field (ref null $node))))
                (global $list (mut (ref null $node)) (ref.null $node))
                (func (export "_start")
                    (loop $more
                        (global.set $list (struct.new $node (global.get $list)))
                        (br $more))))"#,
        )
        .check(&[
            Case::new("--max-memory 1MiB grow-memory.wat").code(7),
            Case::new("--max-table 1000 grow-table.wat").code(7),
            Case::new("grow-table.wat").code(7),
            Case::new("--max-memory 1MiB large.wat")
                .code(1)
                .stderr(&["large.wat", "--max-memory"]),
            Case::new("--max-memory 6553600 large.wat"),
            Case::new("--max-memory 1MiB grow-list.wat")
                .code(134)
                .stderr(&["garbage-collected heap exhausted"]),
            Case::new("--max-table 10 table.wat")
                .code(1)
                .stderr(&["table.wat", "--max-table"]),
        ]);
}

#[test]
fn a_loop_ends_with_its_time() {
    let folder = Folder::new();
    for args in [
        "--timeout 200ms loop.wat",
        "run --timeout 200ms loop.wat",
        "--timeout 200ms --max-memory 1MiB grow-memory-on.wat",
        "--timeout 200ms --fuel 99999999999999 loop.wat",
    ] {
        let ended = run(&mut folder.rwasm(args), b"");
        assert_eq!(ended.code, 124, "{args}\n{}", ended.stderr);
        assert!(
            ended.stderr.contains("after 200ms, as --timeout says"),
            "{}",
            ended.stderr
        );
        assert!(
            (Duration::from_millis(200)..SOON).contains(&ended.took),
            "{:?}",
            ended.took
        );
    }
}

/// Report WA#4047: the time-out did not cover the start function.
#[test]
fn wa_4047_the_time_covers_the_start_function() {
    let ended = run(
        &mut Folder::new().rwasm("--timeout 200ms loop-in-start.wat"),
        b"",
    );
    assert_eq!(ended.code, 124, "{}", ended.stderr);
    assert!(ended.took < SOON, "{:?}", ended.took);
}

#[test]
fn the_time_covers_what_blocks_in_the_host() {
    let folder = Folder::new();
    // A sleep, a read from a pipe that nobody writes to, and the module itself
    // from such a pipe.
    for args in [
        "--timeout 200ms sleep.wat",
        "--timeout 200ms echo-stdin.wat",
        "--timeout 200ms -",
        "--timeout 200ms /dev/stdin",
    ] {
        let mut command = folder.rwasm(args);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let nobody_writes = child.stdin.take();
        let start = std::time::Instant::now();
        let ended = child.wait_with_output().unwrap();
        drop(nobody_writes);
        let stderr = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(124), "{args}\n{stderr}");
        assert!(stderr.contains("--timeout"), "{args}\n{stderr}");
        assert!(start.elapsed() < SOON, "{args}");
    }
}

#[test]
fn a_guest_that_is_done_in_time_is_left_alone() {
    Folder::new().check(&[
        Case::new("--timeout 1h exit.wat 3").code(3),
        Case::new("--timeout 1000years args.wat").stdout("args.wat\n"),
    ]);
}

#[test]
fn fuel_runs_out() {
    Folder::new().check(&[
        Case::new("--fuel 10000 loop.wat")
            .code(134)
            .stderr(&["rwasm: loop.wat used up its fuel of 10000; --fuel grants more"]),
        Case::new("--fuel 10000 loop-in-start.wat")
            .code(134)
            .stderr(&["used up its fuel"]),
        Case::new("--fuel 10000 exit.wat 5").code(5),
        Case::new("--fuel 0 loop.wat")
            .code(134)
            .stderr(&["used up its fuel of 0"]),
    ]);
}

#[test]
fn traps_are_told_by_their_messages() {
    let folder = Folder::new();
    for trap in [
        "unreachable",
        "integer divide by zero",
        "integer overflow",
        "invalid conversion to integer",
        "out of bounds memory access",
        "out of bounds memory access by a bulk operation",
        "out of bounds table access",
        "undefined element",
        "uninitialized element",
        "indirect call type mismatch",
    ] {
        let mut command = folder.rwasm("run");
        let ended = run(command.args(["--invoke", trap, "traps.wat"]), b"");
        let message = trap.split(" by a bulk").next().unwrap();
        let told = format!("rwasm: traps.wat trapped: {message}");
        assert_eq!(ended.code, 134, "{trap}\n{}", ended.stderr);
        assert!(ended.stderr.starts_with(&told), "{trap}\n{}", ended.stderr);
    }
}

/// Reports WT#5400, WZ#58 and WR#827: backtraces with names.
#[test]
fn wt_5400_backtraces_have_names() {
    let text = r#"(module
      (func $_ZN3app5inner17h0123456789abcdefE unreachable)
      (func $outer (call $_ZN3app5inner17h0123456789abcdefE))
      (func (export "_start") (call $outer)))"#;
    let folder = Folder::new().with("names.wat", text);
    let ended = run(&mut folder.rwasm("names.wat"), b"");
    assert_eq!(ended.code, 134);
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(lines[0], "rwasm: names.wat trapped: unreachable");
    for (line, start) in lines[1..]
        .iter()
        .zip(["   0: app::inner @ 0x", "   1: outer @ 0x"])
    {
        assert!(line.starts_with(start), "{}", ended.stderr);
    }
    assert_eq!(lines.len(), 4, "{}", ended.stderr);
}

#[test]
fn pointers_that_reach_outside_are_refused() {
    let folder = Folder::new().with("data/x", "");
    folder.check(&[
        Case::new("--dir data bad-pointers.wat"),
        Case::new("bad-pointers.wat"),
    ]);
}

/// Reports WT#1501, WR#2861 and WA#3013: the reservation of address space
/// fails under `ulimit -v`, and the program runs all the same.
#[test]
fn wt_1501_address_space_may_be_scarce() {
    let script = "ulimit -v 1000000; exec $RWASM args.wat";
    let ended = run(&mut Folder::new().shell(script), b"");
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (0, "args.wat\n"),
        "{}",
        ended.stderr
    );
    let script = "ulimit -v 1000000; exec $RWASM --invoke 'out of bounds memory access' traps.wat";
    let ended = run(&mut Folder::new().shell(script), b"");
    assert_eq!(ended.code, 134, "{}", ended.stderr);
}

/// Where the main thread's stack ends is derived from its limit, which may be any.
#[test]
fn any_limit_of_the_native_stack_will_do() {
    for limit in ["256", "8192", "unlimited"] {
        let script = format!("ulimit -s {limit} 2>/dev/null; exec $RWASM args.wat");
        let ended = run(&mut Folder::new().shell(&script), b"");
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (0, "args.wat\n"),
            "{limit}: {}",
            ended.stderr
        );
        let script = format!("ulimit -s {limit} 2>/dev/null; exec $RWASM recurse.wat");
        let ended = run(&mut Folder::new().shell(&script), b"");
        assert_eq!(ended.code, 134, "{limit}: {}", ended.stderr);
    }
}
