//! `rwasm run`: arguments, environment, standard input, exit codes.

use std::process::Stdio;

use crate::harness::{Case, Folder, run};

/// Report WT#6794: flags were taken in one place only. Everything behind the
/// module is the guest's.
#[test]
fn wt_6794_flags_before_module() {
    let folder = Folder::new()
        .with("in.txt", "text\n")
        .with("-.wat", "(module)");
    folder.check(&[
        Case::new("args.wat").stdout("args.wat\n"),
        Case::new("run args.wat").stdout("args.wat\n"),
        Case::new("--dir . cat.wat").stdout("text\n"),
        Case::new("run --dir . cat.wat").stdout("text\n"),
        Case::new("--dir . run cat.wat").stdout("text\n"),
        Case::new("--dir=. run --env A=b cat.wat").stdout("text\n"),
        Case::new("--fuel 100000 --tier interp run --dir . cat.wat").stdout("text\n"),
        Case::new("--dir . -- cat.wat").stdout("text\n"),
        Case::new("cat.wat --dir .").code(8),
        Case::new("run -- args.wat -v").stdout("args.wat\n-v\n"),
    ]);
}

#[test]
fn what_follows_the_module_is_the_guests() {
    Folder::new().check(&[
        Case::new("args.wat --help").stdout("args.wat\n--help\n"),
        Case::new("args.wat run --version").stdout("args.wat\nrun\n--version\n"),
        Case::new("args.wat -- -v").stdout("args.wat\n--\n-v\n"),
        Case::new("run args.wat -v --env A=b").stdout("args.wat\n-v\n--env\nA=b\n"),
        Case::new("--env A=b args.wat --env C").stdout("args.wat\n--env\nC\n"),
        Case::new("args.wat args.wat - --dir").stdout("args.wat\nargs.wat\n-\n--dir\n"),
    ]);
}

#[test]
fn the_guests_own_name_can_be_set() {
    Folder::new().check(&[
        Case::new("--argv0 tool args.wat x").stdout("tool\nx\n"),
        Case::new("./args.wat").stdout("./args.wat\n"),
    ]);
}

#[test]
fn arguments_need_not_be_utf8() {
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new();
    let mut command = folder.rwasm("args.wat");
    command.arg(std::ffi::OsStr::from_bytes(b"\xff\xfe"));
    let ended = command.output().unwrap();
    assert_eq!(ended.stdout, b"args.wat\n\xff\xfe\n");
}

#[test]
fn only_the_named_environment_is_passed_on() {
    let folder = Folder::new();
    for (args, expected) in [
        ("env.wat", ""),
        ("--env A=1 --env B=x=y env.wat", "A=1\nB=x=y\n"),
        ("--env SEEN env.wat", "SEEN=yes\n"),
        ("--env SEEN --env UNSET --env A= env.wat", "SEEN=yes\nA=\n"),
    ] {
        let ended = run(
            folder.rwasm(args).env("SEEN", "yes").env("HIDDEN", "no"),
            b"",
        );
        assert_eq!(ended.stdout, expected, "{args}\n{}", ended.stderr);
    }
}

#[test]
fn modules_come_through_pipes() {
    let hello = "(module (func (export \"f\") (result i32) i32.const 5))";
    Folder::new().check(&[
        Case::new("--invoke f -").stdin(hello).stdout("5\n"),
        Case::new("--invoke f run -").stdin(hello).stdout("5\n"),
        Case::new("-")
            .stdin("")
            .code(1)
            .stderr(&["<stdin> is empty"]),
        Case::new("-")
            .stdin("\x7fELF")
            .code(1)
            .stderr(&["<stdin>", "ELF"]),
        Case::new("--invoke f /dev/stdin")
            .stdin(hello)
            .stdout("5\n"),
    ]);
}

#[test]
fn standard_input_is_the_guests() {
    Folder::new().check(&[
        Case::new("echo-stdin.wat")
            .stdin("some\nlines\n")
            .stdout("some\nlines\n"),
        Case::new("echo-stdin.wat").stdin(""),
    ]);
}

#[test]
fn a_closed_standard_input_is_an_end_or_an_error_of_the_guest() {
    let ended = run(
        &mut Folder::new().shell("exec $RWASM echo-stdin.wat <&-"),
        b"",
    );
    assert!([0, 8].contains(&ended.code), "{ended:?}");
    assert_eq!(ended.stdout, "");
}

/// Reports WI#675 and WR#361: exit codes from 126 on were changed.
#[test]
fn wi_675_the_exit_code_is_the_guests() {
    let folder = Folder::new();
    for code in [0, 1, 2, 42, 124, 125, 126, 127, 128, 134, 255] {
        let ended = run(&mut folder.rwasm(&format!("exit.wat {code}")), b"");
        assert_eq!((ended.code, ended.stderr.as_str()), (code, ""));
    }
    let start = r#"(module
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1)
      (func $start (call $exit (i32.const 9)))
      (start $start)
      (func (export "_start")))"#;
    folder.with("exit-in-start.wat", start).check(&[
        Case::new("exit.wat"),
        Case::new("exit-in-start.wat").code(9),
        Case::new("--invoke _start exit.wat").code(0),
    ]);
}

#[test]
fn a_start_function_alone_is_a_program() {
    let text = r#"(module
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1)
      (func $start (call $exit (i32.const 3)))
      (start $start))"#;
    Folder::new()
        .with("start.wat", text)
        .check(&[Case::new("start.wat").code(3)]);
}

#[test]
fn verbose_tells_what_is_done() {
    Folder::new().check(&[Case::new("-v --fuel 1000 exit.wat 3").code(3).stderr(&[
        "rwasm: [",
        "loaded exit.wat (",
        "ran exit.wat",
        "of 1000 fuel",
    ])]);
}

#[test]
fn validation_can_be_put_off_until_the_call() {
    let text = r#"(module
      (func (export "good") (result i32) i32.const 1)
      (func (export "bad") (result i32)))"#;
    Folder::new().with("half.wat", text).check(&[
        Case::new("--validate lazy --invoke good half.wat").stdout("1\n"),
        Case::new("--validate lazy --invoke bad half.wat")
            .code(1)
            .stderr(&["half.wat", "offset"]),
        Case::new("--validate eager --invoke good half.wat")
            .code(1)
            .stderr(&["half.wat"]),
        Case::new("--invoke good half.wat")
            .code(1)
            .stderr(&["half.wat"]),
    ]);
}

#[test]
fn an_invalid_function_that_nothing_calls_ends_the_run() {
    let text = r#"(module
      (func (export "_start") (loop (br 0)))
      (func (result i32)))"#;
    let folder = Folder::new().with("half.wat", text);
    let validated = run(&mut folder.rwasm("validate half.wat"), b"");
    assert_eq!(validated.code, 1);
    for args in [
        "--validate lazy half.wat",
        "--validate lazy --tier interp half.wat",
        // Here the guest looks out for interruptions.
        "--validate lazy --timeout 1h half.wat",
    ] {
        let ended = run(&mut folder.rwasm(args), b"");
        assert_eq!(ended.code, validated.code, "{args}");
        assert_eq!(ended.stderr, validated.stderr, "{args}");
    }
}

/// Report WR#6279: EPIPE is the guest's error, and no panic.
#[test]
fn wr_6279_a_closed_pipe_is_an_error_of_the_guest() {
    let script = "{ $RWASM write-stdout.wat; echo $? >&2; } | head -n 1";
    let ended = run(&mut Folder::new().shell(script), b"");
    assert_eq!(ended.stdout, "the same line over and over\n");
    assert_eq!(ended.stderr, "64\n");
}

#[test]
fn a_full_disk_is_an_error_of_the_guest() {
    let ended = run(
        &mut Folder::new().shell("exec $RWASM write-stdout.wat > /dev/full"),
        b"",
    );
    assert_eq!((ended.code, ended.stderr.as_str()), (51, ""));
}

#[test]
fn results_that_cannot_be_written_are_told() {
    let script = "exec $RWASM --invoke add math.wat 1 2 > /dev/full";
    let ended = run(&mut Folder::new().shell(script), b"");
    assert_eq!(ended.code, 1);
    assert!(
        ended.stderr.contains("cannot write to standard output"),
        "{}",
        ended.stderr
    );
}

/// Report WT#255: what the guest has written is out before it goes on.
#[test]
fn wt_255_standard_output_is_not_buffered() {
    use std::io::Read;
    let folder = Folder::new();
    let mut child = folder
        .rwasm("write-stdout.wat")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut first = [0; 28];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut first)
        .unwrap();
    assert_eq!(&first, b"the same line over and over\n");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Reports WA#1790 and WA#1909: threads, which wasmtime has dropped.
#[test]
fn wa_1790_any_thread_ends_the_guest() {
    Folder::new().check(&[
        Case::new("-W threads threads.wat").code(200),
        Case::new("-W threads --timeout 200ms --invoke alone threads.wat")
            .code(124)
            .stderr(&["after 200ms"]),
        Case::new("threads.wat").code(1).stderr(&["-W threads"]),
        Case::new("-W threads --fuel 1000 threads.wat")
            .code(2)
            .stderr(&["--timeout"]),
    ]);
}
