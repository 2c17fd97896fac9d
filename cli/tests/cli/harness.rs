//! Runs the built binary over tables of cases.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// No case takes a second; one that takes this long hangs.
const HANGS: Duration = Duration::from_secs(60);

/// One run and what is to come of it.
pub struct Case {
    /// What follows `rwasm`, split at white space.
    pub args: &'static str,
    /// What standard input holds.
    pub stdin: &'static str,
    /// The exit code.
    pub code: i32,
    /// All of standard output.
    pub stdout: &'static str,
    /// What standard error contains; it is empty where nothing is expected.
    pub stderr: &'static [&'static str],
}

impl Case {
    /// A run that ends well, silently.
    pub const fn new(args: &'static str) -> Case {
        Case {
            args,
            stdin: "",
            code: 0,
            stdout: "",
            stderr: &[],
        }
    }

    /// What standard input holds.
    pub const fn stdin(self, stdin: &'static str) -> Case {
        Case { stdin, ..self }
    }

    /// The exit code.
    pub const fn code(self, code: i32) -> Case {
        Case { code, ..self }
    }

    /// All of standard output.
    pub const fn stdout(self, stdout: &'static str) -> Case {
        Case { stdout, ..self }
    }

    /// What standard error contains.
    pub const fn stderr(self, stderr: &'static [&'static str]) -> Case {
        Case { stderr, ..self }
    }
}

/// A fresh folder that holds all guests, to run in.
pub struct Folder(TempDir);

impl Folder {
    /// With the guests of these tests and those of `guests/wat`.
    pub fn new() -> Folder {
        let folder = Folder(TempDir::new().unwrap());
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        for guests in [here.join("tests/cli/guests"), here.join("../guests/wat")] {
            for guest in fs::read_dir(guests).unwrap() {
                let guest = guest.unwrap();
                fs::copy(
                    guest.path(),
                    folder.path(guest.file_name().to_str().unwrap()),
                )
                .unwrap();
            }
        }
        folder
    }

    /// Adds a file.
    pub fn with(self, name: &str, contents: impl AsRef<[u8]>) -> Folder {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
        self
    }

    /// The path of a file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `rwasm` in this folder, with these arguments and without the test's
    /// environment.
    pub fn rwasm(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rwasm"));
        command.args(args.split_whitespace());
        self.prepare(command)
    }

    /// A command of the shell in this folder, where `$RWASM` is the binary.
    pub fn shell(&self, script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        let mut command = self.prepare(command);
        command.env("PATH", "/usr/bin:/bin");
        command.env("RWASM", env!("CARGO_BIN_EXE_rwasm"));
        command
    }

    fn prepare(&self, mut command: Command) -> Command {
        command.current_dir(self.0.path()).env_clear();
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs all cases; the first that goes wrong is shown.
    pub fn check(&self, cases: &[Case]) {
        for case in cases {
            let mut command = self.rwasm(case.args);
            let ended = run(command.stdin(Stdio::piped()), case.stdin.as_bytes());
            let show = || format!("rwasm {}\n{ended:#?}", case.args);
            assert_eq!(ended.stdout, case.stdout, "{}", show());
            for part in case.stderr {
                assert!(
                    ended.stderr.contains(part),
                    "{part:?} is missing: {}",
                    show()
                );
            }
            if case.stderr.is_empty() {
                assert_eq!(ended.stderr, "", "{}", show());
            }
            assert_eq!(ended.code, case.code, "{}", show());
        }
    }
}

/// How a process ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; a signal is a failed test.
    pub code: i32,
    /// What it wrote.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
}

/// Runs a command to its end.
pub fn run(command: &mut Command, stdin: &[u8]) -> Ended {
    let start = Instant::now();
    let mut child = command.spawn().unwrap();
    let mut to_child = child.stdin.take();
    let Output {
        status,
        stdout,
        stderr,
    } = thread::scope(|scope| {
        scope.spawn(|| {
            if let Some(mut to_child) = to_child.take() {
                // A child that does not read its input is not wrong.
                let _ = to_child.write_all(stdin);
            }
        });
        let stdout = child
            .stdout
            .take()
            .map(|stream| scope.spawn(|| read(stream)));
        let stderr = child
            .stderr
            .take()
            .map(|stream| scope.spawn(|| read(stream)));
        let status = wait(&mut child);
        Output {
            status,
            stdout: stdout.map_or(Vec::new(), |reader| reader.join().unwrap()),
            stderr: stderr.map_or(Vec::new(), |reader| reader.join().unwrap()),
        }
    });
    let stderr = String::from_utf8(stderr).unwrap();
    assert!(!stderr.contains("panicked"), "{command:?}\n{stderr}");
    Ended {
        code: status
            .code()
            .unwrap_or_else(|| panic!("{command:?}: {status}\n{stderr}")),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr,
        took: start.elapsed(),
    }
}

fn read(mut stream: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    bytes
}

fn wait(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if start.elapsed() > HANGS {
            child.kill().unwrap();
            return child.wait().unwrap();
        }
        thread::sleep(Duration::from_millis(2));
    }
}
