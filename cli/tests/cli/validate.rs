//! `rwasm validate`.

use crate::harness::{Case, Folder};

#[test]
fn valid_files_are_passed_over_in_silence() {
    Folder::new().check(&[
        Case::new("validate math.wat"),
        Case::new("validate math.wat exit.wat"),
        Case::new("validate -").stdin("(module)"),
    ]);
}

#[test]
fn every_bad_file_is_told() {
    let folder = Folder::new()
        .with("a.wat", "(module (func i32.const 1))")
        .with("b.wasm", b"\0asm\x01\0\0\0\x01");
    folder.check(&[Case::new("validate a.wat math.wat b.wasm missing.wasm")
        .code(1)
        .stderr(&["rwasm: a.wat", "rwasm: b.wasm", "rwasm: missing.wasm"])]);
}

#[test]
fn what_needs_a_proposal_that_is_off_is_not_valid() {
    let folder = Folder::new().with("shared.wat", "(module (memory 1 1 shared))");
    folder.check(&[Case::new("validate shared.wat")
        .code(1)
        .stderr(&["rwasm: shared.wat"])]);
}
