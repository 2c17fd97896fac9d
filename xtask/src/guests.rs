//! Builds the programs of `guests/`.
//!
//! The same sources and the same toolchain give the same bytes, whatever the
//! folder: no path of the machine gets into a module.

pub mod programs;

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    error::{Context, Result},
    paths::Paths,
    process,
    toolchain::{TARGET, Toolchain},
};

/// The programs in Rust: folders that are a package of that name with a binary
/// of that name.
const RUST_PROGRAMS: [&str; 7] = [
    "hello-std",
    "wordcount",
    "json-regex",
    "sqlite-shell",
    "std-files",
    "tcp-server",
    "visits",
];

/// The modules of the package `kernels`, which are its examples.
pub const KERNELS: [&str; 6] = ["fib", "matmul", "sieve", "crc32", "sort", "coremark-like"];

/// The programs in C and C++: the module, its source file, and what is needed
/// beyond the usual flags. Those with exceptions come in the legacy form, which
/// is what clang makes by default, and in that of WebAssembly 3.0.
const C_PROGRAMS: [(&str, &str, &[&str]); 8] = [
    ("cfile", "cfile/cfile.c", &["-O2"]),
    ("greeting", "hello/greeting.c", &["-Os"]),
    ("visits-c", "visits-c/visits.c", &["-O2"]),
    (
        "hello",
        "hello/hello.c",
        &["-Os", "-ffreestanding", "-nostdlib", "-Wl,--no-entry"],
    ),
    (
        "longjmp",
        "longjmp/longjmp.c",
        &["-O2", "-mllvm", "-wasm-enable-sjlj", "-lsetjmp"],
    ),
    (
        "longjmp-exnref",
        "longjmp/longjmp.c",
        &[
            "-O2",
            "-mllvm",
            "-wasm-enable-sjlj",
            "-mllvm",
            "-wasm-use-legacy-eh=false",
            "-lsetjmp",
        ],
    ),
    (
        "throw",
        "throw/throw.cc",
        &["-O2", "-fwasm-exceptions", "-fno-rtti"],
    ),
    (
        "throw-exnref",
        "throw/throw.cc",
        &[
            "-O2",
            "-fwasm-exceptions",
            "-fno-rtti",
            "-mllvm",
            "-wasm-use-legacy-eh=false",
        ],
    ),
];

/// The programs in Go: folders that are a module of that name.
const GO_PROGRAMS: [&str; 2] = ["go-http", "go-visits"];

/// Builds all guests and returns the modules, in `target/guests/`.
pub fn build_all(paths: &Paths, toolchain: &Toolchain) -> Result<Vec<PathBuf>> {
    let sources = paths.root.join("guests");
    let modules = paths.guests();
    fs::create_dir_all(&modules).at(&modules)?;
    let built = paths.guest_build().join(TARGET).join("release");
    let mut all = Vec::new();
    for name in RUST_PROGRAMS {
        let mut cargo = toolchain.cargo(paths, &[]);
        cargo.args(["build", "--release", "--locked", "--target", TARGET]);
        process::run(cargo.current_dir(sources.join(name)))?;
        all.push(keep(
            &built.join(name).with_extension("wasm"),
            &modules,
            name,
        )?);
    }

    // Without these flags each kernel would contain the start of a C library.
    let bare = ["-Clink-self-contained=no", "-Clink-arg=--no-entry"];
    let mut cargo = toolchain.cargo(paths, &bare);
    cargo.args([
        "build",
        "--release",
        "--locked",
        "--examples",
        "--target",
        TARGET,
    ]);
    process::run(cargo.current_dir(sources.join("kernels")))?;
    for name in KERNELS {
        // cargo names a library after its crate, in which no hyphen may stand.
        let file = format!("{}.wasm", name.replace('-', "_"));
        all.push(keep(&built.join("examples").join(file), &modules, name)?);
    }

    for (name, source, flags) in C_PROGRAMS {
        let module = modules.join(name).with_extension("wasm");
        let mut clang = toolchain.clang();
        clang.args(["-Wall", "-Wextra", "-Werror"]).args(flags);
        clang.arg(sources.join(source)).arg("-o").arg(&module);
        process::run(&mut clang)?;
        all.push(module);
    }

    for name in GO_PROGRAMS {
        let module = modules.join(name).with_extension("wasm");
        let mut go = toolchain.go(paths);
        go.arg("-o").arg(&module).arg(".");
        process::run(go.current_dir(sources.join(name)))?;
        all.push(module);
    }
    all.extend(programs::build(paths, toolchain, &[])?);
    Ok(all)
}

fn keep(built: &Path, modules: &Path, name: &str) -> Result<PathBuf> {
    let module = modules.join(name).with_extension("wasm");
    fs::copy(built, &module).at(built)?;
    Ok(module)
}
