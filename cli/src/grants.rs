//! What the command line grants to the guest, and nothing else: arguments,
//! variables, streams, folders.

mod refused;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::path::Path;

use rwasm::{Linker, Module};
use rwasm_wasi::{Access, BuildError, Input, Output, WasiCtx};

use crate::args::{RunArgs, Stream};
use crate::exit;
use crate::failure::{Failure, Result};
use crate::output;
use refused::Refused;

/// The system as the guest sees it.
pub type Guest = WasiCtx;

/// Builds it for the module `word` with the arguments `guest_args`.
///
/// With `-v`, it is told what was granted, and later what was not.
pub fn guest(args: &RunArgs, word: &OsStr, guest_args: &[OsString]) -> Result<Guest> {
    let mut builder = WasiCtx::builder();
    builder
        .arg(args.argv0.as_deref().unwrap_or(word))
        .args(guest_args);
    for (name, value) in args.guest.variables() {
        builder.env(name, value);
    }
    builder.stdin(match &args.stdin {
        Stream::Inherit => Input::inherit(),
        Stream::Null => Input::null(),
        Stream::File(path) => Input::file(opened("--stdin", path, File::open(path))?),
    });
    let output = |flag, stream: &Stream| {
        Ok(match stream {
            Stream::Inherit => Output::inherit(),
            Stream::Null => Output::null(),
            Stream::File(path) => Output::file(opened(flag, path, File::create(path))?),
        })
    };
    builder.stdout(output("--stdout", &args.stdout)?);
    builder.stderr(output("--stderr", &args.stderr)?);
    for grant in &args.guest.dirs {
        let access = if grant.read_only {
            Access::ReadOnly
        } else {
            Access::ReadWrite
        };
        builder
            .preopened_dir(&grant.host, &grant.guest, access)
            .map_err(|error| cannot_grant(&error))?;
    }
    // Directories come first, from 3 on.
    for (fd, grant) in (3 + args.guest.dirs.len()..).zip(&args.listen) {
        let address = &grant.0;
        let listener = TcpListener::bind(address.as_str()).map_err(|error| {
            let message = format!("cannot listen on {address}: {error}; --listen names an address");
            Failure::new(exit::FAILED, message)
        })?;
        if args.verbose {
            let bound = listener.local_addr();
            let bound = bound.map_or(address.clone(), |bound| bound.to_string());
            output::note(&format!(
                "listening on {bound}, the guest's descriptor {fd}"
            ));
        }
        builder.listener(listener);
    }
    if args.verbose {
        if args.guest.dirs.is_empty() {
            // Programs then fail on their own: there is no folder to ask in.
            output::note("the guest sees no folder; --dir grants one");
        }
        let refused = Refused::new(&args.guest.dirs);
        builder.on_refusal(move |refusal| refused.tell(refusal));
    }
    builder.build().map_err(|error| cannot_grant(&error))
}

/// Defines what modules may import.
pub fn link(linker: &mut Linker<Guest>, module: &Module) -> rwasm::Result<()> {
    rwasm_wasi::add_imports_to_linker(linker, module, |guest| guest)
}

fn opened(flag: &str, path: &Path, file: io::Result<File>) -> Result<File> {
    file.map_err(|error| {
        let message = format!("{} cannot be opened for {flag}: {error}", path.display());
        Failure::new(exit::FAILED, message)
    })
}

/// Why something cannot be granted.
pub fn cannot_grant(error: &BuildError) -> Failure {
    let message = match error {
        BuildError::Preopen { path, source } => {
            let path = path.display();
            match source.kind() {
                io::ErrorKind::NotFound => {
                    format!("the folder {path} does not exist; --dir names a folder of the host")
                }
                io::ErrorKind::NotADirectory => {
                    format!("{path} is no folder; --dir takes the folder that it is in")
                }
                _ => format!("the folder {path} cannot be opened for --dir: {source}"),
            }
        }
        BuildError::Stdio { stream, source } => {
            format!("the {stream} cannot be used: {source}; give a file or `null` for it")
        }
        BuildError::TooLong(_) => format!("{error}, more than a guest can address"),
        error => error.to_string(),
    };
    Failure::new(exit::FAILED, message)
}
