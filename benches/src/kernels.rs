//! What is run: modules with one exported function from a size to a checksum.

use std::fs;
use std::path::Path;
use thiserror::Error;

/// A module, and how to call it.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Name in reports.
    pub name: String,
    /// The module in binary form.
    pub wasm: Vec<u8>,
    /// The exported function: it takes one `i32`, or nothing, and returns one
    /// number.
    pub export: String,
    /// Its argument, chosen so that wasmi takes about 0.2-0.4 s.
    pub size: i32,
}

/// Why a kernel cannot be had.
#[derive(Debug, Error)]
pub enum KernelError {
    /// The argument is neither a built-in kernel nor a file.
    #[error("no kernel is called {0:?}, and there is no such file; the kernels are: {1}")]
    Unknown(String, String),
    /// The size after the first colon is no number.
    #[error("{0:?} is no size: write KERNEL:SIZE or FILE:SIZE:EXPORT")]
    Size(String),
    /// The file cannot be read.
    #[error("cannot read {0}: {1}")]
    Read(String, std::io::Error),
    /// The file is text, and wrong.
    #[error("{0}: {1}")]
    Text(String, wat::Error),
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

/// The kernels of this crate.
///
/// # Errors
/// If the text of one is wrong.
pub fn built_in() -> Result<Vec<Kernel>, KernelError> {
    BUILT_IN.iter().map(|&row| Kernel::from_row(row)).collect()
}

impl Kernel {
    /// The kernel that a command line names: one of the built-in kernels, with
    /// an optional size (`fib`, `fib:35`), or a file (`FILE[:SIZE[:EXPORT]]`,
    /// where the export is `run` if not given).
    ///
    /// # Errors
    /// If there is no such kernel, or its file is unreadable or wrong.
    pub fn parse(argument: &str) -> Result<Self, KernelError> {
        let mut parts = argument.split(':');
        let name = parts.next().unwrap_or_default();
        let parse_size = |text: &str| text.parse().map_err(|_| KernelError::Size(text.into()));
        if let Some(&row) = BUILT_IN.iter().find(|row| row.0 == name) {
            let mut kernel = Kernel::from_row(row)?;
            if let Some(size) = parts.next() {
                kernel.size = parse_size(size)?;
            }
            return Ok(kernel);
        }
        let path = Path::new(name);
        if !path.exists() {
            let known: Vec<&str> = BUILT_IN.iter().map(|row| row.0).collect();
            return Err(KernelError::Unknown(name.into(), known.join(", ")));
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let size = match parts.next() {
            Some(size) => parse_size(size)?,
            None => {
                let known = COMPILED.iter().find(|row| row.0 == stem);
                known.map_or(1, |row| row.1)
            }
        };
        let bytes = fs::read(path).map_err(|e| KernelError::Read(name.into(), e))?;
        let wasm = wat::parse_bytes(&bytes).map_err(|e| KernelError::Text(name.into(), e))?;
        Ok(Kernel {
            name: path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            wasm: wasm.into_owned(),
            export: parts.next().unwrap_or("run").to_owned(),
            size,
        })
    }

    fn from_row((name, text, size): (&str, &str, i32)) -> Result<Self, KernelError> {
        let wasm = wat::parse_str(text).map_err(|e| KernelError::Text(name.into(), e))?;
        Ok(Kernel {
            name: name.to_owned(),
            wasm,
            export: "run".to_owned(),
            size,
        })
    }
}
