//! Why a server does not start, as a sentence that says what to do.

use std::io;
use std::path::Path;

use rwasm_serve::{ServeError, StartError};

use crate::exit;
use crate::failure::Failure;
use crate::run::Bounds;
use crate::{grants, sentences};

/// The failure of a server.
pub fn failure(error: &ServeError) -> Failure {
    let message = match error {
        ServeError::Read { path, source } => return unreadable(path, source),
        ServeError::Load { path, source } => {
            let bounds = Bounds {
                timeout: None,
                fuel: None,
            };
            return sentences::stopped(&path.to_string_lossy(), &bounds, source);
        }
        ServeError::NoStart(path) => format!(
            "{} has no `_start` to run for a request; build it as a command for wasm32-wasip1 (a \
             `main`, and no library)",
            path.display()
        ),
        ServeError::Threads(path) => format!(
            "{} starts threads, which programs that are served cannot; build it without them",
            path.display()
        ),
        ServeError::Grant { source, .. } => return grants::cannot_grant(source),
        ServeError::MountPath(path) => {
            format!("{path:?} cannot be a path; write `/`, or one like `/a/b`")
        }
        ServeError::MountTwice(path) => {
            format!("two programs are mounted at {path}; give each a path of its own")
        }
        ServeError::NotAlone(path) => format!(
            "the program at {path} listens itself and must be the only one; serve it by a command \
             of its own, or in the mode cgi"
        ),
        ServeError::NoMounts => "there is nothing to serve; name a module".to_owned(),
        ServeError::Zero(what) => format!("{what} must be above zero"),
        ServeError::Listen { addr, source } => match source.kind() {
            io::ErrorKind::AddrInUse => format!(
                "another program listens on {addr} already; give another address, or port 0 for \
                 any free one"
            ),
            io::ErrorKind::PermissionDenied => format!(
                "this user may not listen on {addr}; ports below 1024 are for root, --addr names \
                 another"
            ),
            _ => format!("cannot listen on {addr}: {source}; --addr names an address"),
        },
        ServeError::Start { path, source } => return not_started(path, source),
        ServeError::Scratch(source) => format!(
            "cannot make a folder for temporary files: {source}; TMPDIR names where they may be"
        ),
        error => format!("{error}{}", cause(error)),
    };
    let usage = matches!(
        error,
        ServeError::MountPath(_)
            | ServeError::MountTwice(_)
            | ServeError::NotAlone(_)
            | ServeError::NoMounts
            | ServeError::Zero(_)
    );
    Failure::new(if usage { exit::USAGE } else { exit::FAILED }, message)
}

/// Why a program was not started once for all requests.
fn not_started(path: &Path, error: &StartError) -> Failure {
    let name = path.display();
    let next = match error {
        StartError::Grant(source) => return grants::cannot_grant(source),
        StartError::TimeOver => "--timeout gives it more time",
        StartError::OutOfFuel => "--fuel gives it more",
        StartError::Ended(_) => {
            "with --snapshot, `wizer.initialize` must return, or `_start` read a request; in the \
             mode isolate it must accept a connection"
        }
        StartError::Open(_) => {
            "have it close what it opens at its start, or serve it without --snapshot, or in the \
             mode listen"
        }
        StartError::State(_) => "serve it without --snapshot, or in the mode listen",
        _ => "see what it does at its start by `rwasm run`",
    };
    let message = format!(
        "{name} cannot be started once for all requests: {error}{}; {next}",
        cause(error)
    );
    Failure::new(exit::FAILED, message)
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let name = path.display();
    let message = match error.kind() {
        io::ErrorKind::NotFound => format!("{name}: no such file; check the path of the module"),
        io::ErrorKind::PermissionDenied => {
            format!("{name} may not be read; check its permissions")
        }
        io::ErrorKind::IsADirectory => {
            format!("{name} is a folder; give the module inside by its name")
        }
        _ => format!("{name} cannot be read: {error}"),
    };
    Failure::new(exit::FAILED, message)
}

fn cause(error: &dyn std::error::Error) -> String {
    error
        .source()
        .map_or(String::new(), |source| format!(": {source}"))
}
