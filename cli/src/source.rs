//! Where a module comes from: a file, or standard input.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rwasm::{Engine, Module};

use crate::failure::{Failure, Result};
use crate::{args, exit, sentences, suggest};

/// The most that is read from what is no regular file and so may never end.
/// The largest modules in use have about 100 MB.
const MAX_STREAM: u64 = 1 << 30;

/// The bytes of a module, found but not yet parsed.
pub struct Source {
    name: String,
    input: Input,
}

enum Input {
    /// A regular file of this length, which is mapped rather than read.
    File(PathBuf, u64),
    /// What came through a pipe.
    Bytes(Vec<u8>),
}

impl Source {
    /// Finds `word`: `-` is standard input, everything else a path.
    pub fn open(word: &OsStr) -> Result<Source> {
        let name = display_name(word);
        let failed = |error: io::Error| cannot_read(&name, &error);
        if word == "-" {
            let bytes = read_stream(io::stdin().lock()).map_err(failed)?;
            let input = Input::Bytes(bytes);
            return Ok(Source { name, input });
        }
        let path = Path::new(word);
        let metadata = fs::metadata(path).map_err(failed)?;
        let input = if metadata.is_dir() {
            let message = format!("{name} is a folder; give the module inside by its name");
            return Err(Failure::new(exit::FAILED, message));
        } else if metadata.is_file() && metadata.len() > 0 {
            Input::File(path.to_owned(), metadata.len())
        } else {
            // A pipe as `<(…)` makes one, or a file of /proc: it cannot be
            // mapped.
            Input::Bytes(File::open(path).and_then(read_stream).map_err(failed)?)
        };
        Ok(Source { name, input })
    }

    /// What messages call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        match &self.input {
            Input::File(_, size) => *size,
            Input::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// Parses it, and validates it as the engine's settings say.
    pub fn load(&self, engine: &Engine) -> Result<Module> {
        let module = match &self.input {
            Input::File(path, _) => Module::from_file(engine, path),
            Input::Bytes(bytes) => Module::new(engine, bytes),
        };
        module.map_err(|error| sentences::cannot_load(&self.name, &error))
    }

    /// All of its bytes, read into memory.
    pub fn into_bytes(self) -> Result<Vec<u8>> {
        match self.input {
            Input::File(path, _) => fs::read(path).map_err(|error| cannot_read(&self.name, &error)),
            Input::Bytes(bytes) => Ok(bytes),
        }
    }
}

/// What messages call the module `word`.
pub fn display_name(word: &OsStr) -> String {
    if word == "-" {
        "<stdin>".into()
    } else {
        word.to_string_lossy().into_owned()
    }
}

fn read_stream(stream: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let length = stream.take(MAX_STREAM + 1).read_to_end(&mut bytes)?;
    if length as u64 > MAX_STREAM {
        return Err(io::Error::other(
            "it has more than 1 GiB and no end in sight",
        ));
    }
    Ok(bytes)
}

fn cannot_read(name: &str, error: &io::Error) -> Failure {
    let message = match error.kind() {
        io::ErrorKind::NotFound => match suggest::nearest(name, args::COMMANDS) {
            Some(command) => {
                format!("{name} is no command and no file; did you mean `rwasm {command}`?")
            }
            None => format!("{name}: no such file; check the path of the module"),
        },
        io::ErrorKind::PermissionDenied => {
            format!("{name} may not be read; check its permissions")
        }
        _ => format!("{name} cannot be read: {error}"),
    };
    Failure::new(exit::FAILED, message)
}
