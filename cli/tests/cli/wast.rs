//! `rwasm wast`.

use serde_json::Value;

use crate::harness::{Case, Folder, run};

const GOOD: &str = r#"
(module (func (export "one") (result i32) (i32.const 1)))
(assert_return (invoke "one") (i32.const 1))
(assert_invalid (module (func (result i32))) "type mismatch")
"#;

const BAD: &str = r#"
(module (func (export "one") (result i32) (i32.const 1)))
(assert_return (invoke "one") (i32.const 2))
"#;

#[test]
fn a_script_that_passes_is_counted() {
    let folder = Folder::new().with("good.wast", GOOD);
    let ended = run(&mut folder.rwasm("wast good.wast"), b"");
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (0, ""),
        "{}",
        ended.stdout
    );
    let total = ended.stdout.lines().last().unwrap();
    let words: Vec<&str> = total.split_whitespace().collect();
    assert_eq!(words, ["total", "1", "3", "3", "0", "0"]);
}

#[test]
fn a_directive_that_fails_is_shown_with_its_place() {
    let folder = Folder::new().with("good.wast", GOOD).with("bad.wast", BAD);
    let ended = run(&mut folder.rwasm("wast good.wast bad.wast"), b"");
    assert_eq!((ended.code, ended.stderr.as_str()), (1, ""));
    for part in ["bad.wast:3: ", "expected: ", "got: "] {
        assert!(ended.stdout.contains(part), "{part}\n{}", ended.stdout);
    }
}

#[test]
fn the_last_line_of_json_holds_the_totals() {
    let folder = Folder::new().with("good.wast", GOOD).with("bad.wast", BAD);
    let ended = run(&mut folder.rwasm("wast --json good.wast bad.wast"), b"");
    assert_eq!(ended.code, 1);
    let lines: Vec<Value> = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["failures"][0]["line"], 3);
    for (name, count) in [
        ("files", 2),
        ("directives", 5),
        ("passed", 4),
        ("failed", 1),
        ("skipped", 0),
    ] {
        assert_eq!(lines[2][name], count, "{name}");
    }
}

#[test]
fn a_script_that_cannot_be_run_has_failed() {
    let folder = Folder::new().with("slip.wast", "(assert_retrun)");
    for file in ["slip.wast", "missing.wast"] {
        let ended = run(&mut folder.rwasm(&format!("wast {file}")), b"");
        assert_eq!(ended.code, 1);
        assert!(ended.stdout.contains(file), "{}", ended.stdout);
    }
    folder.check(&[Case::new("wast").code(2).stderr(&["FILE"])]);
}
