//! `rwasm explore`.

use serde_json::{Value, json};

use crate::harness::{Case, Folder, run};

const MODULE: &str = r#"(module $sample
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "env" "table" (table 1 funcref))
  (memory (export "memory") 1 2)
  (global $counter (mut i32) (i32.const 0))
  (tag $tag (param i32))
  (func $main (export "_start") (call $exit (i32.const 0)))
  (func $begin)
  (start $begin)
  (data (i32.const 0) "hello")
  (elem (i32.const 0) func $main $begin)
  (@custom "notes" "abc")
  (@producers (language "Text" "1.0") (processed-by "hand" ""))
)"#;

#[test]
fn the_text_tells_what_is_inside() {
    let folder = Folder::new().with("sample.wat", MODULE);
    let ended = run(&mut folder.rwasm("explore sample.wat"), b"");
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    for line in [
        "sample.wat: a program (run it with `rwasm run`)",
        "  name: sample",
        "2 defined",
        "1 imported, 3 named",
        "  start function: 2",
        "  data: 1 segments, 5 bytes",
        "  elements: 1 segments, 2 items",
        "  language: Text 1.0",
        "imports (2)\n  wasi_snapshot_preview1 proc_exit (func (param i32))",
        "  env table (table 1 funcref)",
        "exports (2)\n  memory (memory 1 2)\n  _start (func)",
        "memories (1)\n  1 2, 64 KiB to 128 KiB",
        "tables (1)\n  1 funcref, imported",
        "tags (1)\n",
        "  custom notes 9 bytes",
        "largest functions (2)\n  6 bytes main\n",
    ] {
        assert!(ended.stdout.contains(line), "{line}\n{}", ended.stdout);
    }
}

#[test]
fn the_json_tells_the_same() {
    let folder = Folder::new().with("sample.wat", MODULE);
    let ended = run(&mut folder.rwasm("explore --json sample.wat"), b"");
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    for (pointer, expected) in [
        ("/file", json!("sample.wat")),
        ("/kind", json!("program")),
        ("/name", json!("sample")),
        ("/imports/0/module", json!("wasi_snapshot_preview1")),
        ("/imports/0/type", json!("(func (param i32))")),
        ("/imports/1/kind", json!("table")),
        ("/exports/1/name", json!("_start")),
        ("/exports/1/index", json!(1)),
        ("/functions/imported", json!(1)),
        ("/functions/defined", json!(2)),
        ("/functions/largest/0/name", json!("main")),
        ("/memories/0/min_bytes", json!(65536)),
        ("/memories/0/max_bytes", json!(131072)),
        ("/memories/0/imported", json!(false)),
        ("/tables/0/imported", json!(true)),
        ("/globals/0/type", json!("(mut i32)")),
        ("/start", json!(2)),
        ("/data", json!({"segments": 1, "bytes": 5})),
        ("/elements", json!({"segments": 1, "items": 2})),
        ("/names", json!({"functions": 3})),
        ("/producers/languages/0/name", json!("Text")),
    ] {
        assert_eq!(
            json.pointer(pointer),
            Some(&expected),
            "{pointer}\n{json:#}"
        );
    }
}

#[test]
fn what_a_module_is_for_is_told_by_its_exports() {
    Folder::new()
        .with("nothing.wat", "(module)")
        .check(&[Case::new("--json explore nothing.wat --no")
            .code(2)
            .stderr(&["--no"])]);
    for (file, kind) in [
        ("math.wat", "library"),
        ("reactor.wat", "reactor"),
        ("exit.wat", "program"),
    ] {
        let ended = run(
            &mut Folder::new().rwasm(&format!("explore --json {file}")),
            b"",
        );
        let json: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(json["kind"], kind, "{file}");
    }
}

#[test]
fn modules_that_cannot_be_run_are_shown_too() {
    let folder = Folder::new()
        .with("shared.wat", "(module (memory 1 1 shared))")
        .with("bytes.wat", "(module (memory 1 1 (pagesize 1)))")
        .with("huge.wat", "(module (memory i64 0x1000000000000))");
    for (file, bytes) in [
        ("shared", "64 KiB"),
        ("bytes", "1 byte"),
        ("huge", "16384 PiB"),
    ] {
        let ended = run(&mut folder.rwasm(&format!("explore {file}.wat")), b"");
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{file}");
        assert!(ended.stdout.contains(bytes), "{file}\n{}", ended.stdout);
    }
}

#[test]
fn the_interpreters_code_is_shown() {
    const TWO: &str = r#"(module
      (import "env" "log" (func $log (param i32)))
      (func $double (export "twice") (param i32) (result i32)
        (i32.add (local.get 0) (local.get 0)))
      (func $other (result i32) (i32.const 1)))"#;
    let folder = Folder::new().with("two.wat", TWO);
    let double = "func 1 \"double\", 3 slots\n    acc = I32Add s0, s0\n  + ret acc\n";
    let other = "func 2 \"other\", 1 slots\n    ret 0x1\n";
    for (args, code, stdout, stderr) in [
        ("", 0, format!("{double}{other}"), ""),
        (" --func 1", 0, double.into(), ""),
        (" --func twice", 0, double.into(), ""),
        (" --func double", 0, double.into(), ""),
        (" --func other", 0, other.into(), ""),
        (" --func 0", 1, String::new(), "function 0 is imported"),
        (" --func 3", 1, String::new(), "there are 3"),
        (
            " --func 4294967296",
            1,
            String::new(),
            "no function is called",
        ),
        (" --func othr", 1, String::new(), "did you mean `other`?"),
        (" --json", 2, String::new(), "--json"),
    ] {
        let ended = run(
            &mut folder.rwasm(&format!("explore --interp two.wat{args}")),
            b"",
        );
        assert_eq!((ended.code, ended.stdout), (code, stdout), "{args}");
        assert!(ended.stderr.contains(stderr), "{args}: {}", ended.stderr);
    }
    let ended = run(&mut folder.rwasm("explore --func 1 two.wat"), b"");
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("--interp"), "{}", ended.stderr);
}

/// A body that is not valid does not hide the others.
#[test]
fn functions_without_code_are_told() {
    let bad = "(module (func (result i32)) (func $good (result i32) (i32.const 1)))";
    let folder = Folder::new().with("bad.wat", bad);
    let ended = run(&mut folder.rwasm("explore --interp bad.wat"), b"");
    assert_eq!(ended.code, 1);
    assert!(ended.stdout.starts_with("func 1 \"good\""));
    assert!(ended.stderr.contains("function 0 has no code"));
}

/// Report WR#6279: a reader that goes away is no reason to panic.
#[test]
fn wr_6279_a_reader_that_goes_away_is_no_failure() {
    let script = "$RWASM explore math.wat | true; $RWASM --help | true";
    let ended = run(&mut Folder::new().shell(script), b"");
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
}

#[test]
fn a_full_disk_is_told() {
    for args in ["explore math.wat", "--help"] {
        let ended = run(
            &mut Folder::new().shell(&format!("$RWASM {args} > /dev/full")),
            b"",
        );
        assert_eq!(ended.code, 1, "{args}");
        assert!(
            ended.stderr.contains("cannot write to standard output"),
            "{}",
            ended.stderr
        );
    }
}
