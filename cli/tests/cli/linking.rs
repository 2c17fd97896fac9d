//! Imports that are not there, or of another type.

use crate::harness::{Case, Folder, run};

/// Reports WT#4417 and WT#7697: one missing import was told at a time.
#[test]
fn wt_4417_all_missing_imports_are_told_at_once() {
    let text = r#"(module
      (import "wasi_snapshot_preview1" "fd_wriet" (func (param i32 i32 i32 i32) (result i32)))
      (import "mystery" "function" (func (param externref) (result f64)))
      (import "mystery" "memory" (memory 1))
      (func (export "_start")))"#;
    let folder = Folder::new().with("three.wat", text);
    folder.check(&[Case::new("three.wat").code(1).stderr(&[
        "rwasm: three.wat imports 3 things that rwasm does not have:\n",
        "\n  wasi_snapshot_preview1 fd_wriet (func (i32, i32, i32, i32) -> (i32))",
        "did you mean wasi_snapshot_preview1 fd_write?",
        "\n  mystery function (func (externref) -> (f64))\n",
        "\n  mystery memory (memory 1)\n",
        "wasm32-wasip1",
    ])]);
    let ended = run(&mut folder.rwasm("unknown-import.wat"), b"");
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("fd_write"), "{}", ended.stderr);
}

#[test]
fn a_program_for_another_host_is_told_apart() {
    let importing = |module: &str| {
        format!("(module (import \"{module}\" \"f\" (func)) (func (export \"_start\")))")
    };
    let folder = Folder::new()
        .with("p2.wat", importing("wasi:cli/run@0.2.0"))
        .with("wasix.wat", importing("wasix_32v1"))
        .with("web.wat", importing("__wbindgen_placeholder__"))
        .with("go.wat", importing("gojs"))
        .with("c.wat", importing("env"))
        .with("other.wat", importing("other"));
    folder.check(&[
        Case::new("p2.wat")
            .code(1)
            .stderr(&["WASI 0.2", "wasm32-wasip1"]),
        Case::new("wasix.wat").code(1).stderr(&["WASIX"]),
        Case::new("web.wat").code(1).stderr(&["wasm-bindgen"]),
        Case::new("go.wat").code(1).stderr(&["GOOS=wasip1"]),
        Case::new("c.wat")
            .code(1)
            .stderr(&["Emscripten", "missing library"]),
        Case::new("other.wat").code(1).stderr(&["wasm32-wasip1"]),
    ]);
}

#[test]
fn an_import_of_another_type_is_told() {
    let text = r#"(module
      (import "wasi_snapshot_preview1" "proc_exit" (func (param i64)))
      (memory (export "memory") 1)
      (func (export "_start")))"#;
    Folder::new()
        .with("types.wat", text)
        .check(&[Case::new("types.wat").code(1).stderr(&[
            "types.wat cannot be linked",
            "proc_exit",
            "i64",
            "i32",
        ])]);
}

#[test]
fn many_missing_imports_are_cut() {
    let imports: String = (0..500)
        .map(|i| format!("(import \"m\" \"f{i}\" (func))"))
        .collect();
    let text = format!("(module {imports} (func (export \"_start\")))");
    let folder = Folder::new().with("many.wat", text);
    let ended = run(&mut folder.rwasm("many.wat"), b"");
    assert_eq!(ended.code, 1);
    assert!(
        ended.stderr.contains("imports 500 things"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("and 450 more"), "{}", ended.stderr);
}
