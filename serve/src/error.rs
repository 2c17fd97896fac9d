//! Why a server does not start, or does not go on.

use crate::start::StartError;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why a server does not start, or does not go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The file of a module cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no module, or one that cannot be run.
    #[error("cannot load {}", path.display())]
    Load {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rwasm::Error,
    },
    /// The module has no `_start`.
    #[error("{} exports no `_start`, so that there is nothing to run", .0.display())]
    NoStart(PathBuf),
    /// The module starts threads, which has no bound of its own here.
    #[error("{} starts threads, which programs of a server cannot", .0.display())]
    Threads(PathBuf),
    /// What a program is to be given cannot be given.
    #[error("cannot set up {}", path.display())]
    Grant {
        /// The file of its module.
        path: PathBuf,
        /// Why.
        source: rwasm_wasi::BuildError,
    },
    /// A program cannot be started once for all requests.
    #[error("cannot start {} once for all requests", path.display())]
    Start {
        /// The file of its module.
        path: PathBuf,
        /// Why.
        source: Box<StartError>,
    },
    /// The path of a mount is not `/` and not like `/a/b`.
    #[error("{0:?} cannot be the path of a mount")]
    MountPath(String),
    /// Two programs at one path.
    #[error("two programs are mounted at {0}")]
    MountTwice(String),
    /// A program that listens is not the only one.
    #[error("the program that listens at {0} is not the only one")]
    NotAlone(String),
    /// No program at all.
    #[error("no program is mounted")]
    NoMounts,
    /// A limit of zero would refuse every request.
    #[error("{0} must be above zero")]
    Zero(&'static str),
    /// An address cannot be listened on.
    #[error("cannot listen on {addr}")]
    Listen {
        /// The address.
        addr: String,
        /// Why.
        source: io::Error,
    },
    /// The folder for scratch folders cannot be used.
    #[error("cannot make a folder for scratch files")]
    Scratch(#[source] io::Error),
    /// A thread, or the means to wait for many sockets, cannot be had.
    #[error("cannot start the server's threads")]
    Threading(#[source] io::Error),
}
