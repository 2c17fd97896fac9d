//! What ends a chore early.

use std::{
    io,
    path::{Path, PathBuf},
};

/// The result of a step of a chore.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What ends a chore early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line makes no sense; the answer is the usage text.
    #[error("wrong usage")]
    Usage,

    /// A file or folder could not be worked with.
    #[error("{path}: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// A program could not be started.
    #[error("cannot start `{program}`: {source}; is it installed?")]
    Start {
        /// The program's name.
        program: String,
        /// What the system said.
        source: io::Error,
    },

    /// A program ended with a failure.
    #[error("`{command}` failed ({status}):\n{output}")]
    Failed {
        /// The program with its arguments.
        command: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it printed.
        output: String,
    },

    /// Debian packages are missing, and only root can install them.
    #[error("packages are missing; as root: apt-get install {packages}")]
    NotRoot {
        /// The names of the packages.
        packages: String,
    },

    /// What earlier runs kept is of another form.
    #[error("{} has no results of the same arms and options, so that they cannot be continued; run without --continue", .0.display())]
    Results(PathBuf),

    /// The output of a program was not what is built upon.
    #[error("`{command}` printed no {expected}")]
    Output {
        /// The program with its arguments.
        command: String,
        /// What was looked for.
        expected: &'static str,
    },

    /// A server of the payload experiment does not answer.
    #[error("{arm} does not answer {request}: {source}")]
    Asked {
        /// Who was asked.
        arm: &'static str,
        /// For what.
        request: String,
        /// What the system said.
        source: io::Error,
    },

    /// A server of the payload experiment gives another answer than the first one.
    #[error("{arm} answers {request} otherwise than others do")]
    OtherAnswer {
        /// Who was asked.
        arm: &'static str,
        /// For what.
        request: String,
    },

    /// A module in text is wrong.
    #[error("{0}")]
    Text(wat::Error),

    /// A module that was built is another one than what is committed.
    #[error("{} is not {}: was it built by another compiler?", .0.display(), .1.display())]
    Differs(PathBuf, PathBuf),
}

/// Names the file in an I/O error.
pub trait Context<T> {
    /// Turns the error of an operation on `path` into one that says so.
    fn at(self, path: &Path) -> Result<T>;
}

impl<T> Context<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T> {
        self.map_err(|source| Error::File {
            path: path.to_owned(),
            source,
        })
    }
}
