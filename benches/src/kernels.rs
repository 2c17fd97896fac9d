//! What is run: modules with one exported function from a size to a checksum,
//! and programs that are told a size and print a checksum.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A module, and how to call it.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Name in reports.
    pub name: String,
    /// The module in binary form.
    pub wasm: Vec<u8>,
    /// How it is run.
    pub entry: Entry,
    /// Its argument, chosen so that wasmi takes about 0.2-0.4 s.
    pub size: i32,
}

/// How a module is run.
#[derive(Clone, Debug)]
pub enum Entry {
    /// By a call of the exported function of this name: it takes one `i32`, or
    /// nothing, and returns one number.
    Export(String),
    /// As a program of WASI, with the arguments `--size SIZE`.
    Start,
}

/// Why a kernel cannot be had.
#[derive(Debug, Error)]
pub enum KernelError {
    /// The argument is neither a built-in kernel nor a file.
    #[error("no kernel is called {0:?}, and there is no such file; the kernels are: {1}")]
    Unknown(String, String),
    /// The size after the first colon is no number.
    #[error("{0:?} is no size: write KERNEL:SIZE, PROGRAM:SIZE or FILE:SIZE:EXPORT")]
    Size(String),
    /// The file cannot be read.
    #[error("cannot read {0}: {1}")]
    Read(String, std::io::Error),
    /// The file is text, and wrong.
    #[error("{0}: {1}")]
    Text(String, wat::Error),
    /// The file is no module.
    #[error("{0}: {1}")]
    Module(String, rwasm::Error),
}

macro_rules! kernels {
    ($($name:literal: $size:literal,)*) => {
        /// Name, text and size of every kernel of this crate.
        const BUILT_IN: &[(&str, &str, i32)] = &[
            $(($name, include_str!(concat!("../kernels/", $name, ".wat")), $size),)*
        ];
    };
}

kernels! {
    "fib": 34,
    "loops": 3000,
    "matmul": 320,
    "sieve": 2_000_000,
    "crc32": 500,
    "hash": 2_000_000,
    "copy": 1000,
    "dispatch": 9_000_000,
    "vm": 1_300_000,
    "mandelbrot": 900,
    "quicksort": 1_000_000,
}

/// Sizes of the kernels that compilers make (`guests/kernels`), by file name.
const COMPILED: &[(&str, i32)] = &[
    ("coremark-like", 800),
    ("crc32", 1300),
    ("fib", 34),
    ("matmul", 100),
    ("sieve", 320),
    ("sort", 150),
];

/// The size that programs are run at: a tenth of their own default.
const PROGRAM_SIZE: i32 = 10;

/// The kernels of this crate.
///
/// # Errors
/// If the text of one is wrong.
pub fn built_in() -> Result<Vec<Kernel>, KernelError> {
    BUILT_IN.iter().map(|&row| Kernel::from_row(row)).collect()
}

/// The programs whose modules are committed in `guests/modules/`, by name.
///
/// # Errors
/// If one cannot be read.
pub fn programs() -> Result<Vec<Kernel>, KernelError> {
    let folder = modules();
    let read = |e| KernelError::Read(folder.display().to_string(), e);
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        if path.extension() == Some(OsStr::new("wasm")) {
            files.push(path);
        }
    }
    files.sort();
    files
        .iter()
        .map(|path| Kernel::from_file(path, Some(PROGRAM_SIZE), None))
        .collect()
}

fn modules() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../guests/modules")
}

impl Kernel {
    /// The kernel that a command line names: one of the built-in kernels or of
    /// the programs, with an optional size (`fib`, `fib:35`), or a file
    /// (`FILE[:SIZE[:EXPORT]]`). If no export is given, that is `run` where
    /// there is one, and the file is a program otherwise.
    ///
    /// # Errors
    /// If there is no such kernel, or its file is unreadable or wrong.
    pub fn parse(argument: &str) -> Result<Self, KernelError> {
        let mut parts = argument.split(':');
        let name = parts.next().unwrap_or_default();
        let parse_size = |text: &str| text.parse().map_err(|_| KernelError::Size(text.into()));
        let size = parts.next().map(parse_size).transpose()?;
        if let Some(&row) = BUILT_IN.iter().find(|row| row.0 == name) {
            let mut kernel = Kernel::from_row(row)?;
            kernel.size = size.unwrap_or(kernel.size);
            return Ok(kernel);
        }
        let program = modules().join(name).with_extension("wasm");
        if !name.is_empty() && program.exists() {
            return Kernel::from_file(&program, size.or(Some(PROGRAM_SIZE)), None);
        }
        let path = Path::new(name);
        if !path.exists() {
            let mut known: Vec<_> = BUILT_IN.iter().map(|row| row.0.to_owned()).collect();
            known.extend(programs()?.into_iter().map(|kernel| kernel.name));
            return Err(KernelError::Unknown(name.into(), known.join(", ")));
        }
        Kernel::from_file(path, size, parts.next())
    }

    fn from_file(
        path: &Path,
        size: Option<i32>,
        export: Option<&str>,
    ) -> Result<Self, KernelError> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let size = size.unwrap_or_else(|| {
            let known = COMPILED.iter().find(|row| row.0 == stem);
            known.map_or(1, |row| row.1)
        });
        let shown = || path.display().to_string();
        let bytes = fs::read(path).map_err(|e| KernelError::Read(shown(), e))?;
        let wasm = wat::parse_bytes(&bytes).map_err(|e| KernelError::Text(shown(), e))?;
        let entry = match export {
            Some(export) => Entry::Export(export.to_owned()),
            None => {
                let module = rwasm::Module::new(&rwasm::Engine::default(), &wasm)
                    .map_err(|e| KernelError::Module(shown(), e))?;
                match module.get_export("run") {
                    Some(_) => Entry::Export("run".to_owned()),
                    None => Entry::Start,
                }
            }
        };
        Ok(Kernel {
            name: stem.into_owned(),
            wasm: wasm.into_owned(),
            entry,
            size,
        })
    }

    fn from_row((name, text, size): (&str, &str, i32)) -> Result<Self, KernelError> {
        let wasm = wat::parse_str(text).map_err(|e| KernelError::Text(name.into(), e))?;
        Ok(Kernel {
            name: name.to_owned(),
            wasm,
            entry: Entry::Export("run".to_owned()),
            size,
        })
    }
}
