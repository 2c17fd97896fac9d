//! Tests whose subject would end or disturb the process run in children: the
//! test's own binary, told to run that test alone.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

const CASE: &str = "RWASM_TEST_CASE";

/// Runs each of `cases` in a child process and returns how these ended. `test`
/// is the full name of the calling test, `setup` a shell command to run before.
pub fn in_children(test: &str, setup: &str, cases: &[&dyn Fn()]) -> Vec<ExitStatus> {
    if let Ok(case) = std::env::var(CASE) {
        cases[case.parse::<usize>().unwrap()]();
        std::process::exit(0);
    }
    (0..cases.len())
        .map(|case| child(test, setup, case))
        .collect()
}

/// As [`in_children`], for one case.
pub fn in_child(test: &str, setup: &str, inside: impl Fn()) -> ExitStatus {
    in_children(test, setup, &[&inside])[0]
}

fn child(test: &str, setup: &str, case: usize) -> ExitStatus {
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!(
            "{setup}\nexec \"$0\" --exact \"$1\" --test-threads 1 --nocapture"
        ))
        .arg(std::env::current_exe().unwrap())
        .arg(test)
        .env(CASE, case.to_string())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("running 1 test"),
        "no test is called {test}: {text}"
    );
    eprintln!(
        "{case}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    output.status
}

/// Asserts that a child ended by itself, without a failure.
#[track_caller]
pub fn assert_success(status: ExitStatus) {
    assert!(status.success(), "{status}");
}

/// Asserts that a child was killed by a signal.
#[track_caller]
pub fn assert_killed_by(status: ExitStatus, signal: i32) {
    assert_eq!(status.signal(), Some(signal), "{status}");
}
