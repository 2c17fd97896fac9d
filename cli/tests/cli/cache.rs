//! What is remembered from run to run, and machine code in files.

use std::fs;

use crate::harness::{Case, Folder, run};

/// Runs for some 100 ms in the interpreter.
const HOT: &str = r#"(module
  (func $step (param i32) (result i32)
    (i32.add (i32.mul (local.get 0) (i32.const 1664525)) (i32.const 1013904223)))
  (func $many (param i32) (result i32) (local i32)
    (loop
      (local.set 0 (call $step (local.get 0)))
      (br_if 0 (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1)))
        (i32.const 1000))))
    (local.get 0))
  (func (export "run") (param i32) (result i32) (local i32)
    (loop
      (local.set 0 (call $many (local.get 0)))
      (br_if 0 (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1)))
        (i32.const 10000))))
    (local.get 0)))"#;

/// What `--stats` calls the functions that were remembered.
const BEFORE: &str = "compiled before, from the cache or the file";

fn has_cache() -> bool {
    cfg!(all(target_os = "linux", target_arch = "x86_64"))
}

/// The number behind `name: ` in what `--stats` says.
fn count(stats: &str, name: &str) -> u64 {
    let line = stats
        .lines()
        .find_map(|line| line.trim().strip_prefix(name));
    let number = line.and_then(|line| line.strip_prefix(": "));
    number.expect(name).parse().unwrap()
}

#[test]
fn a_second_run_starts_with_what_the_first_one_compiled() {
    if !has_cache() {
        return;
    }
    let folder = Folder::new().with("hot.wat", HOT);
    let hot = || {
        let args = "--stats --cache-dir remembered/here --invoke run hot.wat 1";
        let ended = run(&mut folder.rwasm(args), b"");
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (0, "818035329\n"),
            "{ended:?}"
        );
        count(&ended.stderr, BEFORE)
    };
    // A loaded machine may compile nothing before the guest has ended.
    let found = (0..50).map(|_| hot()).find(|&functions| functions > 0);
    assert!(found.is_some());
    let cache = folder.path("remembered/here");
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 1);

    let info = run(
        &mut folder.rwasm("cache info --cache-dir remembered/here"),
        b"",
    );
    assert!(
        info.stdout.starts_with("remembered/here\n1 entries, "),
        "{info:?}"
    );
    let clear = run(
        folder.rwasm("cache clear").env("RWASM_CACHE_DIR", &cache),
        b"",
    );
    assert!(clear.stdout.contains("removed 1 entries"), "{clear:?}");
    assert_eq!(hot(), 0);
}

/// Machine code is entered and left by adapters, which are remembered with it.
#[test]
fn adapters_are_remembered() {
    if !has_cache() {
        return;
    }
    let folder = Folder::new().with("hot.wat", HOT);
    let adapters = || {
        let args = "--cache-dir cache --invoke run hot.wat 1";
        let ended = run(folder.rwasm(args).env("RWASM_LOG", "cache=debug"), b"");
        assert_eq!(ended.stdout, "818035329\n", "{ended:?}");
        let (_, number) = ended.stderr.split_once("adapters=")?;
        let end = number.find(|c: char| !c.is_ascii_digit());
        number[..end.unwrap_or(number.len())].parse::<u32>().ok()
    };
    let found = (0..50).find_map(|_| adapters());
    assert!(found.is_some_and(|adapters| adapters > 0), "{found:?}");
}

#[test]
fn nothing_is_remembered_where_that_is_not_wanted_or_not_possible() {
    let folder = Folder::new().with("hot.wat", HOT).with("file", "");
    for (args, home) in [
        ("--no-cache --invoke run hot.wat 1", "home"),
        ("--invoke run hot.wat 1", ""),
        ("--invoke run hot.wat 1", "/proc"),
        ("--invoke run hot.wat 1", "file"),
        ("--cache-dir file --invoke run hot.wat 1", "home"),
    ] {
        let ended = run(folder.rwasm(args).env("HOME", home), b"");
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (0, ""),
            "{args} {home}"
        );
        assert!(!folder.path("home").exists());
    }
    folder.check(&[
        Case::new("cache info").code(1).stderr(&["RWASM_CACHE_DIR"]),
        Case::new("cache info --cache-dir none").stdout("none\n0 entries, 0 bytes\n"),
        Case::new("cache clear --cache-dir none").stdout("none\nremoved 0 entries, 0 bytes\n"),
        Case::new("cache clear --cache-dir file")
            .code(1)
            .stderr(&["file"]),
        Case::new("--no-cache --cache-dir a hello.wat")
            .code(2)
            .stderr(&["--cache-dir"]),
    ]);
}

#[test]
fn a_compiled_module_is_run_if_it_is_trusted() {
    if !has_cache() {
        return;
    }
    let folder = Folder::new().with("hot.wat", HOT);
    folder.check(&[
        Case::new("compile hot.wat -o hot.cwasm"),
        Case::new("--invoke run hot.cwasm 1")
            .code(1)
            .stderr(&["hot.cwasm is a precompiled module", "--allow-precompiled"]),
        Case::new("--allow-precompiled --invoke run hot.cwasm 1").stdout("818035329\n"),
        Case::new("--allow-precompiled --tier interp --invoke run hot.cwasm 1")
            .stdout("818035329\n"),
        Case::new("--allow-precompiled --timeout 1h --invoke run hot.cwasm 1")
            .code(1)
            .stderr(&["hot.cwasm cannot be run", "--interruptible"]),
        Case::new("compile --interruptible hot.wat -o interruptible.cwasm"),
        Case::new("--allow-precompiled --timeout 1h --invoke run interruptible.cwasm 1")
            .stdout("818035329\n"),
        Case::new("compile --metered hot.wat -o metered.cwasm"),
        Case::new("--allow-precompiled --fuel 1 --invoke run metered.cwasm 1")
            .code(134)
            .stderr(&["used up its fuel"]),
        Case::new("compile none.wat -o none.cwasm")
            .code(1)
            .stderr(&["none.wat"]),
        Case::new("compile hot.wat -o none/hot.cwasm")
            .code(1)
            .stderr(&["none/hot.cwasm"]),
    ]);
    let stats = "--stats --allow-precompiled --invoke run hot.cwasm 1";
    let ended = run(&mut folder.rwasm(stats), b"");
    assert_eq!(count(&ended.stderr, BEFORE), 3);

    let mut bytes = fs::read(folder.path("hot.cwasm")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    folder.with("hot.cwasm", bytes).check(&[Case::new(
        "--allow-precompiled --invoke run hot.cwasm 1",
    )
    .code(1)
    .stderr(&["damaged", "rwasm compile"])]);
}

#[test]
fn what_the_runtime_does_can_be_logged() {
    let folder = Folder::new().with("hot.wat", HOT);
    let args = "--cache-dir cache --invoke run hot.wat 1";
    let refused = run(folder.rwasm(args).env("RWASM_LOG", "tiering=loud"), b"");
    assert_eq!(refused.code, 2);
    assert!(
        refused
            .stderr
            .starts_with("rwasm: RWASM_LOG is not understood")
    );
    let quiet = run(folder.rwasm(args).env("RWASM_LOG", "tiering=error"), b"");
    assert_eq!((quiet.code, quiet.stderr.as_str()), (0, ""));
}
