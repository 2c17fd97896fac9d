//! One program under trial: running it under `rwasm run`, and judging the end.

use std::{
    ffi::{OsStr, OsString},
    fs,
    net::SocketAddr,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    time::Duration,
};

use super::modules::Modules;
use crate::{
    error::{Context, Error, Result},
    process::{self, Captured, Input},
};

/// No run of any program takes nearly as long, even in a slow tier.
const LIMIT: Duration = Duration::from_secs(180);

/// A trial of one program, with a folder of its own.
pub struct Trial<'a> {
    rwasm: &'a Path,
    /// The modules that can be run.
    pub modules: &'a Modules,
    scratch: PathBuf,
    time: Duration,
    runs: u32,
}

/// Why a trial ended without success.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The trial itself could not be held.
    #[error(transparent)]
    Trial(#[from] Error),

    /// A run went on and on.
    #[error("`{command}` was killed after {} s", LIMIT.as_secs())]
    Hung {
        /// The command line.
        command: String,
    },

    /// A run ended with another exit code.
    #[error("`{command}` gave {status} instead of exit code {expected}\n{stderr}")]
    Status {
        /// The command line.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// How it had to end.
        expected: i32,
        /// What it wrote to standard error.
        stderr: String,
    },

    /// A run printed something else.
    #[error("`{command}` printed in line {line}:\n  {actual}\ninstead of:\n  {expected}\n{stderr}")]
    Output {
        /// The command line.
        command: String,
        /// The first line that differs, from 1.
        line: usize,
        /// What it printed there.
        actual: String,
        /// What it had to print there.
        expected: String,
        /// What it wrote to standard error.
        stderr: String,
    },

    /// An error message does not tell what it has to.
    #[error("`{command}` did not say {expected:?} on standard error, but:\n{stderr}")]
    Message {
        /// The command line.
        command: String,
        /// What had to be in the message.
        expected: String,
        /// What it wrote to standard error.
        stderr: String,
    },

    /// A server answered something else.
    #[error("a client got {actual:?} instead of {expected:?}")]
    Answer {
        /// What it got, or why nothing.
        actual: String,
        /// What it had to get.
        expected: String,
    },

    /// A run left something else behind.
    #[error("{0}")]
    Left(String),
}

impl<'a> Trial<'a> {
    /// A trial in a new, empty folder.
    pub fn new(rwasm: &'a Path, modules: &'a Modules, scratch: PathBuf) -> Result<Self> {
        if scratch.exists() {
            fs::remove_dir_all(&scratch).at(&scratch)?;
        }
        fs::create_dir_all(&scratch).at(&scratch)?;
        Ok(Self {
            rwasm,
            modules,
            scratch,
            time: Duration::ZERO,
            runs: 0,
        })
    }

    /// Makes an empty folder.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.scratch.join(name);
        fs::create_dir(&folder).at(&folder)?;
        Ok(folder)
    }

    /// Runs a guest and compares its end with the expected one.
    pub fn expect(&mut self, guest: Guest, expected: &Outcome) -> Result<(), Failure> {
        let mut command = guest.command(self.rwasm);
        let captured = process::capture(&mut command, guest.input, LIMIT)?;
        self.time += captured.time;
        self.runs += 1;
        expected.compare(&process::line(&command), captured)
    }

    /// Serves a guest by `rwasm serve`, with a client meanwhile, which gets its
    /// address.
    pub fn serve(
        &mut self,
        module: &Path,
        flags: &[&str],
        client: impl FnOnce(SocketAddr) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        const SERVING: &str = "serving on http://";
        let mut command = Command::new(self.rwasm);
        command
            .args(["serve", "--addr", "127.0.0.1:0", "--log", "warn"])
            .args(flags)
            .arg(module);
        let (captured, answered) = process::serve(&mut command, SERVING, LIMIT, |line| {
            let address = line.split(SERVING).nth(1).unwrap_or_default();
            let address = address.trim().parse().map_err(|_| Failure::Answer {
                actual: line.to_owned(),
                expected: "an address".to_owned(),
            })?;
            client(address)
        })?;
        self.time += captured.time;
        self.runs += 1;
        let served = Outcome::code(0).compare(&process::line(&command), captured);
        // The client knows better what went wrong.
        answered.unwrap_or(Ok(())).and(served)
    }

    /// The time of all runs, from start to end.
    pub fn time(&self) -> Duration {
        self.time
    }

    /// The number of runs.
    pub fn runs(&self) -> u32 {
        self.runs
    }

    /// Removes the folder. After a failure it is left, to be looked at.
    pub fn clean_up(self) -> Result<()> {
        fs::remove_dir_all(&self.scratch).at(&self.scratch)
    }
}

/// One call of `rwasm run`.
pub struct Guest {
    module: PathBuf,
    flags: Vec<OsString>,
    args: Vec<OsString>,
    input: Input,
    shell: String,
}

impl Guest {
    /// A call with no flags and no arguments, and an empty standard input.
    pub fn new(module: PathBuf) -> Self {
        Self {
            module,
            flags: Vec::new(),
            args: Vec::new(),
            input: Input::Bytes(Vec::new()),
            shell: String::new(),
        }
    }

    /// Adds a flag for rwasm.
    pub fn flag(mut self, flag: &str, value: impl AsRef<OsStr>) -> Self {
        self.flags
            .extend([OsStr::new(flag).to_owned(), value.as_ref().to_owned()]);
        self
    }

    /// Adds a folder, under the name by which the guest knows it.
    pub fn dir(self, host: &Path, guest: &str) -> Self {
        let mut value = host.as_os_str().to_owned();
        value.push("::");
        value.push(guest);
        self.flag("--dir", value)
    }

    /// Adds arguments for the guest.
    pub fn args(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(OsString::from));
        self
    }

    /// Sets what stands on standard input.
    pub fn input(mut self, input: Input) -> Self {
        self.input = input;
        self
    }

    /// Has the command started by a shell script, in which `"$@"` stands for it.
    pub fn in_shell(mut self, script: impl Into<String>) -> Self {
        self.shell = script.into();
        self
    }

    fn command(&self, rwasm: &Path) -> Command {
        let mut command = if self.shell.is_empty() {
            Command::new(rwasm)
        } else {
            let mut shell = Command::new("bash");
            shell.args(["-c", &self.shell, "bash"]).arg(rwasm);
            shell
        };
        command
            .arg("run")
            .args(&self.flags)
            .arg(&self.module)
            .args(&self.args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

/// How a run must end.
pub struct Outcome {
    code: i32,
    stdout: Option<String>,
    messages: Vec<String>,
}

impl Outcome {
    /// Success, with exactly this on standard output.
    pub fn success(stdout: impl Into<String>) -> Self {
        Self {
            stdout: Some(stdout.into()),
            ..Self::code(0)
        }
    }

    /// An exit code, with anything on the output streams.
    pub fn code(code: i32) -> Self {
        Self {
            code,
            stdout: None,
            messages: Vec::new(),
        }
    }

    /// Exactly this on standard output.
    pub fn printing(mut self, stdout: impl Into<String>) -> Self {
        self.stdout = Some(stdout.into());
        self
    }

    /// Among other things, this on standard error.
    pub fn saying(mut self, message: impl Into<String>) -> Self {
        self.messages.push(message.into());
        self
    }

    fn compare(&self, command: &str, captured: Captured) -> Result<(), Failure> {
        let command = command.to_owned();
        let stderr = String::from_utf8_lossy(&captured.stderr).into_owned();
        let Some(status) = captured.status else {
            return Err(Failure::Hung { command });
        };
        if status.code() != Some(self.code) || status.signal().is_some() {
            return Err(Failure::Status {
                command,
                status,
                expected: self.code,
                stderr,
            });
        }
        if let Some(expected) = &self.stdout
            && expected.as_bytes() != captured.stdout
        {
            let actual = String::from_utf8_lossy(&captured.stdout);
            let (line, actual, expected) = first_difference(&actual, expected);
            return Err(Failure::Output {
                command,
                line,
                actual,
                expected,
                stderr,
            });
        }
        match self
            .messages
            .iter()
            .find(|message| !stderr.contains(*message))
        {
            Some(expected) => Err(Failure::Message {
                command,
                expected: expected.clone(),
                stderr,
            }),
            None => Ok(()),
        }
    }
}

/// The number of the first line that differs, and the line in both texts.
fn first_difference(actual: &str, expected: &str) -> (usize, String, String) {
    let (mut actual, mut expected) = (actual.split('\n'), expected.split('\n'));
    let mut line = 1;
    loop {
        match (actual.next(), expected.next()) {
            (a, b) if a == b && a.is_some() => line += 1,
            (a, b) => {
                let shown = |text: Option<&str>| text.unwrap_or("(nothing more)").to_owned();
                return (line, shown(a), shown(b));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn the_first_difference_is_found() {
        for (actual, expected, line, a, b) in [
            ("a\nb\n", "a\nc\n", 2, "b", "c"),
            ("a", "a\n", 2, "(nothing more)", ""),
            ("", "x", 1, "", "x"),
            ("a\nb\nc", "a\nb", 3, "c", "(nothing more)"),
        ] {
            let expected_difference = (line, a.to_owned(), b.to_owned());
            assert_eq!(first_difference(actual, expected), expected_difference);
        }
    }
}
