//! The programs that benches run (`guests/programs/`), whose modules are
//! committed in `guests/modules/` so that everybody measures the same bytes.
//!
//! `SHA256SUMS` there is the manifest, in the form of `sha256sum --check`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::keep;
use crate::{
    error::{Context, Error, Result},
    paths::Paths,
    process,
    toolchain::{TARGET, Toolchain},
};

/// What a program is written in, which is where its source is: `src/bin/`, `c/`
/// or `wat/`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    Rust,
    C,
    Text,
}

/// All programs.
const PROGRAMS: [(&str, Language); 26] = [
    ("btree", Language::Rust),
    ("coremark-like", Language::Rust),
    ("crc32", Language::Rust),
    ("exceptions", Language::Text),
    ("fft", Language::Rust),
    ("fib", Language::Rust),
    ("forth", Language::C),
    ("gc-arrays", Language::Text),
    ("gc-trees", Language::Text),
    ("hash-map", Language::Rust),
    ("indirect", Language::C),
    ("jacobi", Language::Rust),
    ("json", Language::Rust),
    ("leaves", Language::Rust),
    ("lz", Language::C),
    ("mandelbrot", Language::Rust),
    ("matmul", Language::Rust),
    ("nbody", Language::Rust),
    ("regex", Language::Rust),
    ("sha256", Language::C),
    ("shapes", Language::Rust),
    ("sieve", Language::Rust),
    ("simd", Language::C),
    ("sort", Language::Rust),
    ("spectral-norm", Language::Rust),
    ("stack-vm", Language::Rust),
];

/// The manifest's name.
const MANIFEST: &str = "SHA256SUMS";

/// Builds the programs called `names`, or all if there are none, into
/// `target/guests/programs/`, and returns the modules.
pub fn build(paths: &Paths, toolchain: &Toolchain, names: &[String]) -> Result<Vec<PathBuf>> {
    let wanted = |name: &str| names.is_empty() || names.iter().any(|other| other == name);
    if !names
        .iter()
        .all(|name| PROGRAMS.iter().any(|program| program.0 == name))
    {
        let known: Vec<_> = PROGRAMS.iter().map(|program| program.0).collect();
        eprintln!("the programs are: {}", known.join(", "));
        return Err(Error::Usage);
    }
    let programs: Vec<_> = PROGRAMS
        .iter()
        .filter(|program| wanted(program.0))
        .collect();
    let source = paths.root.join("guests/programs");
    let modules = paths.guests().join("programs");
    fs::create_dir_all(&modules).at(&modules)?;

    let mut cargo = toolchain.cargo(paths, &[]);
    cargo.args(["build", "--release", "--locked", "--target", TARGET]);
    let in_rust = programs
        .iter()
        .filter(|program| program.1 == Language::Rust);
    for (name, _) in in_rust.clone() {
        cargo.args(["--bin", name]);
    }
    if in_rust.count() > 0 {
        process::run(cargo.current_dir(&source))?;
    }

    let mut built = Vec::new();
    for (name, language) in programs {
        let module = modules.join(name).with_extension("wasm");
        match language {
            Language::Rust => {
                let release = paths.guest_build().join(TARGET).join("release");
                keep(&release.join(name).with_extension("wasm"), &modules, name)?;
            }
            Language::C => {
                let mut clang = toolchain.clang();
                clang.args(["-O3", "-msimd128", "-Wall", "-Wextra", "-Werror"]);
                clang.arg(source.join("c").join(name).with_extension("c"));
                process::run(clang.arg("-o").arg(&module))?;
            }
            Language::Text => assemble(&source.join("wat"), name, &module)?,
        }
        built.push(module);
    }
    Ok(built)
}

/// Builds all programs and puts them where they are committed.
pub fn commit(paths: &Paths, toolchain: &Toolchain) -> Result<()> {
    let committed = committed(paths);
    if committed.exists() {
        fs::remove_dir_all(&committed).at(&committed)?;
    }
    fs::create_dir_all(&committed).at(&committed)?;
    let mut sha256sum = Command::new("sha256sum");
    for module in build(paths, toolchain, &[])? {
        let name = module.file_name().unwrap_or_default();
        fs::copy(&module, committed.join(name)).at(&module)?;
        sha256sum.arg(name);
    }
    let sums = process::output(sha256sum.current_dir(&committed))?;
    let manifest = committed.join(MANIFEST);
    fs::write(&manifest, sums).at(&manifest)
}

/// Checks that the committed modules are those of the manifest, and that the
/// programs called `names` are built into the same bytes here.
pub fn check(paths: &Paths, toolchain: &Toolchain, names: &[String]) -> Result<()> {
    let committed = committed(paths);
    let mut sha256sum = Command::new("sha256sum");
    sha256sum.args(["--check", "--strict", "--quiet", MANIFEST]);
    process::run(sha256sum.current_dir(&committed))?;
    for module in build(paths, toolchain, names)? {
        let other = committed.join(module.file_name().unwrap_or_default());
        if fs::read(&module).at(&module)? != fs::read(&other).at(&other)? {
            return Err(Error::Differs(module, other));
        }
    }
    Ok(())
}

fn committed(paths: &Paths) -> PathBuf {
    paths.root.join("guests/modules")
}

/// Makes a module of the text that all programs begin with and that of `name`.
fn assemble(folder: &Path, name: &str, module: &Path) -> Result<()> {
    let mut text = "(module\n".to_owned();
    for part in ["prelude", name] {
        let file = folder.join(part).with_extension("wat");
        text += &fs::read_to_string(&file).at(&file)?;
    }
    text.push(')');
    let bytes = wat::parse_str(&text).map_err(|mut source| {
        source.set_path(folder.join(name).with_extension("wat"));
        Error::Text(source)
    })?;
    fs::write(module, bytes).at(module)
}
