//! What a guest is given: nothing that was not named.

use crate::clocks::{Clock, Clocks};
use crate::ctx::{State, WasiCtx};
use crate::descriptor::{Descriptor, Directory, HostFile, Object};
use crate::errno::Errno;
use crate::interruption::WaitObserver;
use crate::limits::Limits;
use crate::random::Random;
use crate::refusal::{Observer, Refusal};
use crate::rights::Rights;
use crate::snapshot::{Turn, WasiSnapshot};
use crate::stdio::{Input, Output};
use crate::strings::Strings;
use crate::table::Table;
use cap_std::fs::Dir;
use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

/// What a guest may do with a preopened directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everything that the process may.
    ReadWrite,
    /// No writing, creating, removing, renaming, linking, and no changes of
    /// sizes and times: the error is `rofs`, as on a read-only file system.
    ReadOnly,
}

/// Why a [`WasiCtx`] could not be built.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A directory to be preopened cannot be opened.
    #[error("cannot open the directory {}", path.display())]
    Preopen {
        /// The host's path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An argument, a variable or a guest path cannot be passed on: guests see
    /// them as strings that end with a NUL.
    #[error("{what} {text:?} contains a NUL byte")]
    Nul {
        /// What it is.
        what: &'static str,
        /// The text.
        text: OsString,
    },
    /// The name of an environment variable is empty or contains `=`.
    #[error("{0:?} cannot be the name of an environment variable")]
    VariableName(OsString),
    /// Arguments or variables are more than a guest can address.
    #[error("{0} take 4 GiB or more")]
    TooLong(&'static str),
    /// A standard stream cannot be used.
    #[error("cannot use the {stream}")]
    Stdio {
        /// Which.
        stream: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A listener cannot be used.
    #[error("cannot use a listener")]
    Listener(#[source] io::Error),
    /// A snapshot is of a guest that was given other descriptors.
    #[error("the snapshot is of a guest that was given something else: {0}")]
    Snapshot(Errno),
    /// Standard streams, directories and listeners are more than [`Limits::open_files`].
    #[error("more than {0} files are open at the start")]
    TooManyFiles(u32),
}

/// Says what a guest is given, then builds its [`WasiCtx`].
///
/// It starts with nothing: no arguments, no variables, no directories, an empty
/// standard input, and outputs that forget what they get.
///
/// ```
/// use rwasm_wasi::{Capture, Output, WasiCtx};
///
/// let out = Capture::new(1 << 20);
/// let mut builder = WasiCtx::builder();
/// builder.arg("tool").arg("--help").env("LANG", "C");
/// builder.stdout(Output::capture(&out));
/// let ctx = builder.build()?;
/// # drop(ctx);
/// # Ok::<(), rwasm_wasi::BuildError>(())
/// ```
pub struct WasiCtxBuilder {
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    stdin: Input,
    stdout: Output,
    stderr: Output,
    preopens: Vec<Preopen>,
    listeners: Vec<OwnedFd>,
    limits: Limits,
    wall: Option<Box<dyn Clock>>,
    monotonic: Option<Box<dyn Clock>>,
    random: Random,
    on_refusal: Option<Observer>,
    on_wait: Option<WaitObserver>,
    turn: Turn,
    snapshot: Option<WasiSnapshot>,
}

struct Preopen {
    dir: Dir,
    guest: OsString,
    access: Access,
}

impl Default for WasiCtxBuilder {
    fn default() -> WasiCtxBuilder {
        WasiCtxBuilder {
            args: Vec::new(),
            env: Vec::new(),
            stdin: Input::null(),
            stdout: Output::null(),
            stderr: Output::null(),
            preopens: Vec::new(),
            listeners: Vec::new(),
            limits: Limits::default(),
            wall: None,
            monotonic: None,
            random: Random::Host,
            on_refusal: None,
            on_wait: None,
            turn: Turn::default(),
            snapshot: None,
        }
    }
}

impl WasiCtxBuilder {
    /// Gives nothing.
    pub fn new() -> WasiCtxBuilder {
        WasiCtxBuilder::default()
    }

    /// Adds an argument. The first is the name of the program.
    pub fn arg(&mut self, arg: impl AsRef<OsStr>) -> &mut Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args<A: AsRef<OsStr>>(&mut self, args: impl IntoIterator<Item = A>) -> &mut Self {
        for arg in args {
            self.arg(arg);
        }
        self
    }

    /// Sets an environment variable; the last value of a name counts.
    pub fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        let (name, value) = (name.as_ref(), value.as_ref().to_owned());
        match self.env.iter_mut().find(|variable| variable.0 == name) {
            Some(variable) => variable.1 = value,
            None => self.env.push((name.to_owned(), value)),
        }
        self
    }

    /// Sets all environment variables of this process.
    pub fn inherit_env(&mut self) -> &mut Self {
        for (name, value) in std::env::vars_os() {
            self.env(name, value);
        }
        self
    }

    /// Connects the standard input.
    pub fn stdin(&mut self, input: Input) -> &mut Self {
        self.stdin = input;
        self
    }

    /// Connects the standard output.
    pub fn stdout(&mut self, output: Output) -> &mut Self {
        self.stdout = output;
        self
    }

    /// Connects the standard error.
    pub fn stderr(&mut self, output: Output) -> &mut Self {
        self.stderr = output;
        self
    }

    /// Connects all three standard streams to those of this process.
    pub fn inherit_stdio(&mut self) -> &mut Self {
        self.stdin(Input::inherit())
            .stdout(Output::inherit())
            .stderr(Output::inherit())
    }

    /// Gives the directory at `host`, under the name `guest`, with all that is
    /// in it. Directories get the numbers from 3 on, in the order of the calls.
    pub fn preopened_dir(
        &mut self,
        host: impl AsRef<Path>,
        guest: impl AsRef<OsStr>,
        access: Access,
    ) -> Result<&mut Self, BuildError> {
        let path = host.as_ref();
        let dir = open_directory(path).map_err(|source| BuildError::Preopen {
            path: path.to_owned(),
            source,
        })?;
        Ok(self.preopen(dir, guest, access))
    }

    /// The same for a directory that is open already.
    pub fn preopened_handle(
        &mut self,
        dir: Dir,
        guest: impl AsRef<OsStr>,
        access: Access,
    ) -> &mut Self {
        // A handle of our own, which no one else moves and which can be read.
        // Where that is not allowed, the guest cannot list it either.
        let own = dir
            .open(".")
            .map(|file| Dir::from_std_file(file.into_std()));
        self.preopen(own.unwrap_or(dir), guest, access)
    }

    /// Gives a socket that is listening, such as a
    /// [`TcpListener`](std::net::TcpListener), to accept connections from.
    /// Listeners get the numbers after those of the directories, in the order
    /// of the calls.
    pub fn listener(&mut self, listener: impl Into<OwnedFd>) -> &mut Self {
        self.listeners.push(listener.into());
        self
    }

    fn preopen(&mut self, dir: Dir, guest: impl AsRef<OsStr>, access: Access) -> &mut Self {
        self.preopens.push(Preopen {
            dir,
            guest: guest.as_ref().to_owned(),
            access,
        });
        self
    }

    /// Sets what the guest may use of the host.
    pub fn limits(&mut self, limits: Limits) -> &mut Self {
        self.limits = limits;
        self
    }

    /// Puts a clock in place of the host's wall clock.
    pub fn wall_clock(&mut self, clock: impl Clock + 'static) -> &mut Self {
        self.wall = Some(Box::new(clock));
        self
    }

    /// Puts a clock in place of the host's monotonic clock. Sleeping still
    /// takes real time: as long as the clock says when the sleep begins.
    pub fn monotonic_clock(&mut self, clock: impl Clock + 'static) -> &mut Self {
        self.monotonic = Some(Box::new(clock));
        self
    }

    /// Puts a source of bytes in place of the host's random generator.
    pub fn random(&mut self, source: impl FnMut(&mut [u8]) + Send + 'static) -> &mut Self {
        self.random = Random::Custom(Box::new(source));
        self
    }

    /// Calls `observer` whenever the guest asks for a path that it may not use.
    /// It can ask in a loop.
    pub fn on_refusal(&mut self, observer: impl Fn(&Refusal<'_>) + Send + 'static) -> &mut Self {
        self.on_refusal = Some(Box::new(observer));
        self
    }

    /// Calls `observer` whenever the guest waits: for a time, a socket, or a file
    /// that has nothing to read. It gets the wait itself, which it must call, once:
    /// the guest goes on when `observer` returns.
    ///
    /// It is not told how long an [`Input::reader`] or [`Output::writer`] takes, nor
    /// of a write that waits in the kernel.
    pub fn on_wait(
        &mut self,
        observer: impl Fn(&mut dyn FnMut()) + Send + Sync + 'static,
    ) -> &mut Self {
        self.on_wait = Some(Arc::new(observer));
        self
    }

    /// Has the guest go on where another was when the snapshot was taken, which had
    /// been given as many descriptors: it has them under the numbers, with the
    /// flags and the rights that they had then, and without those that it had
    /// closed; its monotonic clock goes on.
    pub fn go_on_from(&mut self, snapshot: &WasiSnapshot) -> &mut Self {
        self.snapshot = Some(snapshot.clone());
        self
    }

    pub(crate) fn turn(&mut self, turn: Turn) -> &mut Self {
        self.turn = turn;
        self
    }

    /// Builds it, and leaves a builder that gives nothing.
    pub fn build(&mut self) -> Result<WasiCtx, BuildError> {
        let given = std::mem::take(self);
        for (name, _) in &given.env {
            if name.is_empty() || name.as_bytes().contains(&b'=') {
                return Err(BuildError::VariableName(name.clone()));
            }
        }
        let variables = given.env.into_iter().map(|(mut variable, value)| {
            variable.push("=");
            variable.push(value);
            variable
        });
        let args = strings("the argument", "the arguments", given.args)?;
        let env = strings("the environment variable", "the environment", variables)?;

        let mut table = Table::new(given.limits.open_files);
        let stdio = [
            ("standard input", given.stdin.into_descriptor()),
            ("standard output", given.stdout.into_stdout()),
            ("standard error", given.stderr.into_stderr()),
        ];
        let mut open = Vec::new();
        for (stream, descriptor) in stdio {
            open.push(descriptor.map_err(|source| BuildError::Stdio { stream, source })?);
        }
        for preopen in given.preopens {
            open.push(preopen.into_descriptor()?);
        }
        for listener in given.listeners {
            let file = HostFile::listener(listener);
            let file = file.map_err(|error| BuildError::Listener(error.into()))?;
            open.push(Descriptor {
                object: Object::File(file),
                rights: Rights::LISTENER,
                inheriting: Rights::CONNECTION,
                origin: None,
            });
        }
        for (mut descriptor, number) in open.into_iter().zip(0..) {
            let full = |_| BuildError::TooManyFiles(given.limits.open_files);
            descriptor.origin = Some(number);
            table.insert(descriptor).map_err(full)?;
        }
        let mut clocks = Clocks::new(given.wall, given.monotonic);
        if let Some(snapshot) = given.snapshot {
            table = snapshot
                .arrange(&mut table, given.limits.open_files)
                .map_err(BuildError::Snapshot)?;
            clocks.began_at(snapshot.began());
        }
        Ok(WasiCtx::new(State {
            args,
            env,
            table,
            clocks,
            random: given.random,
            limits: given.limits,
            on_refusal: given.on_refusal,
            on_wait: given.on_wait,
            turn: given.turn,
        }))
    }
}

impl Preopen {
    fn into_descriptor(self) -> Result<Descriptor, BuildError> {
        let name = self.guest.as_bytes();
        if name.contains(&0) {
            return Err(BuildError::Nul {
                what: "the guest path",
                text: self.guest,
            });
        }
        let mut directory = Directory::new(self.dir, self.access == Access::ReadOnly);
        directory.preopen = Some(name.into());
        Ok(Descriptor {
            object: Object::Directory(directory),
            rights: Rights::DIRECTORY,
            inheriting: Rights::INHERITING,
            origin: None,
        })
    }
}

fn strings(
    what: &'static str,
    all: &'static str,
    texts: impl IntoIterator<Item = OsString>,
) -> Result<Strings, BuildError> {
    let mut strings = Strings::default();
    for text in texts {
        if text.as_bytes().contains(&0) {
            return Err(BuildError::Nul { what, text });
        }
        let fits = strings.push(text.as_bytes());
        fits.map_err(|_| BuildError::TooLong(all))?;
    }
    Ok(strings)
}

/// With the authority of the process: this is what the embedder named.
fn open_directory(path: &Path) -> io::Result<Dir> {
    let directory = rustix::fs::OFlags::DIRECTORY;
    let file: File = OpenOptions::new()
        .read(true)
        .custom_flags(directory.bits() as i32)
        .open(path)?;
    Ok(Dir::from_std_file(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_guests_cannot_be_told_is_refused() {
        let mut builder = WasiCtxBuilder::new();
        let error = builder.arg("a\0b").build().unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"the argument "a\0b" contains a NUL byte"#
        );
        for name in ["", "A=B"] {
            let error = builder.env(name, "x").build().unwrap_err();
            assert!(matches!(error, BuildError::VariableName(_)), "{error}");
        }
        let error = builder.env("A", "\0").build().unwrap_err();
        assert!(matches!(error, BuildError::Nul { .. }), "{error}");
        assert!(builder.build().is_ok(), "nothing is left of the failures");
    }

    #[test]
    fn preopens_must_be_directories() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let missing = Path::new("/nonexistent");
        for path in [file.path(), missing] {
            let result = WasiCtxBuilder::new()
                .preopened_dir(path, "/", Access::ReadWrite)
                .map(|_| ());
            let error = result.unwrap_err().to_string();
            assert!(error.contains(path.to_str().unwrap()), "{error}");
        }
    }

    #[test]
    fn the_last_value_of_a_variable_counts() {
        let mut builder = WasiCtxBuilder::new();
        builder.env("A", "1").env("B", "2").env("A", "3");
        let mut ctx = builder.build().unwrap();
        assert_eq!(ctx.alone().env.bytes(), b"A=3\0B=2\0");
    }

    #[test]
    fn the_limit_of_files_holds_from_the_start() {
        let limits = Limits {
            open_files: 2,
            ..Limits::default()
        };
        let error = WasiCtxBuilder::new().limits(limits).build().unwrap_err();
        assert_eq!(error.to_string(), "more than 2 files are open at the start");
    }
}
