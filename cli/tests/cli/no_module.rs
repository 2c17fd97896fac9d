//! What is no module is told by what it is, with the next step.

use crate::harness::{Case, Folder, run};

#[test]
fn every_kind_of_file_is_told() {
    let folder = Folder::new()
        .with("empty.wasm", "")
        .with("blank.wasm", "\n")
        .with("program", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0")
        .with("component.wasm", b"\0asm\x0d\0\x01\0")
        .with("component.wat", "(component)")
        .with("version2.wasm", b"\0asm\x02\0\0\0")
        .with("cut.wasm", b"\0asm\x01\0\0\0\x01\x7f")
        .with("magic.wasm", b"\0asm")
        .with("page.wasm", "<!DOCTYPE html><html></html>")
        .with("script.sh", "#!/bin/sh\n")
        .with("packed.wasm.gz", b"\x1f\x8b\x08\0")
        .with("library.a", "!<arch>\n")
        .with("noise.wasm", b"\x80\x81\x82\x83\0\0\0\0")
        .with("prose.txt", "It was a dark and stormy night.")
        .with("suite.wast", "(module) (assert_return (invoke \"x\"))")
        .with("folder/x", "");
    let cases: &[(&str, &[&str])] = &[
        ("missing.wasm", &["missing.wasm: no such file"]),
        ("folder", &["folder is a folder", "give the module"]),
        ("folder/x/y", &["folder/x/y cannot be read"]),
        ("empty.wasm", &["empty.wasm is empty"]),
        ("/dev/null", &["/dev/null is empty"]),
        (
            "blank.wasm",
            &["blank.wasm is no WebAssembly module but blank text"],
        ),
        ("program", &["ELF", "wasm32-wasip1", "run it directly"]),
        (
            "component.wasm",
            &["component.wasm is a component", "wasm32-wasip1"],
        ),
        (
            "component.wat",
            &["component.wat is a component", "wasm32-wasip1"],
        ),
        ("version2.wasm", &["version"]),
        ("cut.wasm", &["offset"]),
        ("magic.wasm", &["magic.wasm"]),
        ("page.wasm", &["HTML", "what was downloaded"]),
        ("script.sh", &["a script", "run it directly"]),
        ("packed.wasm.gz", &["gzip", "decompress it first"]),
        ("library.a", &["static library", "link it"]),
        ("noise.wasm", &["unknown kind", "wasm32-wasip1"]),
        ("prose.txt", &["text", "(module"]),
        (
            "suite.wast",
            &["suite.wast is a script", "rwasm wast suite.wast"],
        ),
    ];
    for (file, parts) in cases {
        for command in ["run", "validate", "explore"] {
            let ended = run(&mut folder.rwasm(&format!("{command} {file}")), b"");
            assert_eq!(
                (ended.code, ended.stdout.as_str()),
                (1, ""),
                "{command} {file}"
            );
            assert!(
                ended.stderr.starts_with("rwasm: "),
                "{command} {file}: {}",
                ended.stderr
            );
            for part in *parts {
                assert!(
                    ended.stderr.contains(part),
                    "{command} {file}: {}",
                    ended.stderr
                );
            }
        }
    }
}

#[test]
fn an_error_in_text_shows_its_line() {
    let text = "(module\n  (func (export \"_start\")\n    i32.ad\n  ))\n";
    Folder::new()
        .with("slip.wat", text)
        .check(&[Case::new("slip.wat").code(1).stderr(&[
            "rwasm: slip.wat",
            "3",
            "    i32.ad\n",
            "^",
        ])]);
}

#[test]
fn an_invalid_body_is_told_before_anything_runs() {
    let text = "(module (func (export \"_start\") i32.const 1))";
    Folder::new().with("invalid.wat", text).check(&[
        Case::new("invalid.wat")
            .code(1)
            .stderr(&["rwasm: invalid.wat", "offset"]),
        Case::new("validate invalid.wat")
            .code(1)
            .stderr(&["rwasm: invalid.wat", "offset"]),
    ]);
}

#[test]
fn what_may_not_be_read_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let path = folder.path("exit.wat");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    // Root may read everything.
    if std::fs::read(&path).is_err() {
        folder.check(&[Case::new("exit.wat")
            .code(1)
            .stderr(&["may not be read", "permissions"])]);
    }
}

#[test]
fn names_do_not_steer_the_terminal() {
    let text = "(module (func (export \"\\1b[2Jhidden\")))";
    let folder = Folder::new().with("names.wat", text);
    for args in ["run names.wat", "explore names.wat"] {
        let ended = run(&mut folder.rwasm(args), b"");
        let told = ended.stdout + &ended.stderr;
        assert!(
            told.contains("\\u{1b}[2Jhidden") && !told.contains('\x1b'),
            "{args}: {told}"
        );
    }
}
