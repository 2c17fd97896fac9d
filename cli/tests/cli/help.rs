//! Usage: what is told, and what is refused.

use crate::harness::{Case, Folder, run};

const EXIT_CODES: [&str; 5] = [
    "\n  0-255  ",
    "\n  1  ",
    "\n  2  ",
    "\n  124  ",
    "\n  134  ",
];

#[test]
fn help_tells_all_exit_codes() {
    let folder = Folder::new();
    for args in [
        "--help",
        "-h",
        "help",
        "run --help",
        "help run",
        "--dir . --help",
        "serve --help",
        "validate --help",
        "wast --help",
        "explore --help",
        "compile --help",
        "cache --help",
    ] {
        let ended = run(&mut folder.rwasm(args), b"");
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{args}");
        assert!(
            ended.stdout.contains("Usage: rwasm"),
            "{args}\n{}",
            ended.stdout
        );
        for code in EXIT_CODES {
            assert!(
                ended.stdout.contains(code),
                "{args}: {code}\n{}",
                ended.stdout
            );
        }
    }
}

#[test]
fn the_version_is_told() {
    let version = concat!("rwasm ", env!("CARGO_PKG_VERSION"), "\n");
    Folder::new().check(&[
        Case::new("--version").stdout(version),
        Case::new("-V").stdout(version),
    ]);
}

#[test]
fn wrong_usage_is_told_in_a_sentence() {
    Folder::new().check(&[
        Case::new("")
            .code(2)
            .stderr(&["rwasm: there is nothing to do", "rwasm --help"]),
        Case::new("run").code(2).stderr(&["rwasm: ", "MODULE"]),
        Case::new("--dir .").code(2).stderr(&["rwasm: ", "MODULE"]),
        Case::new("--no-such-flag math.wat")
            .code(2)
            .stderr(&["rwasm: ", "--no-such-flag"]),
        Case::new("--fuel x math.wat")
            .code(2)
            .stderr(&["rwasm: ", "--fuel"]),
        Case::new("--fuel -1 math.wat").code(2).stderr(&["rwasm: "]),
        Case::new("--timeout 5 math.wat")
            .code(2)
            .stderr(&["rwasm: ", "--timeout", "unit"]),
        Case::new("--timeout 0s math.wat")
            .code(2)
            .stderr(&["rwasm: --timeout", "above zero"]),
        Case::new("--max-memory 1X math.wat")
            .code(2)
            .stderr(&["rwasm: ", "64KiB"]),
        Case::new("--env =x math.wat")
            .code(2)
            .stderr(&["rwasm: ", "NAME=VALUE"]),
        Case::new("--dir ::/x math.wat")
            .code(2)
            .stderr(&["rwasm: ", "HOST::GUEST"]),
        Case::new("--tier fast math.wat")
            .code(2)
            .stderr(&["rwasm: ", "interp"]),
        Case::new("explore").code(2).stderr(&["rwasm: ", "FILE"]),
        Case::new("validate").code(2).stderr(&["rwasm: ", "FILE"]),
        Case::new("wast").code(2).stderr(&["rwasm: ", "FILE"]),
    ]);
}

#[test]
fn a_tier_that_is_not_there_is_told() {
    Folder::new().check(&[
        Case::new("--tier interp exit.wat 3").code(3),
        Case::new("--tier jit exit.wat 3").code(3),
        Case::new("--tier auto exit.wat 3").code(3),
        Case::new("--tier fast exit.wat")
            .code(2)
            .stderr(&["rwasm: ", "interp, jit, auto"]),
    ]);
}

#[test]
fn a_slip_in_a_command_is_told() {
    Folder::new().check(&[
        Case::new("rnu exit.wat")
            .code(1)
            .stderr(&["did you mean `rwasm run`?"]),
        Case::new("validat exit.wat")
            .code(1)
            .stderr(&["did you mean `rwasm validate`?"]),
    ]);
}
