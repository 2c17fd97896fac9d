//! Names this build (`RWASM_BUILD`): machine code that an earlier process kept is
//! for the build that made it alone, since it knows the layouts, numbers and
//! addresses of that build.
//!
//! The name is a hash over the sources of the crates that decide these, the
//! versions of what they depend on, and how they are compiled. It tells builds
//! apart that differ by accident; it is no defence against who forges one.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// The crates beside this one that machine code depends on.
const CRATES: [&str; 5] = ["parser", "runtime", "interp", "jit", "engine"];

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("..");
    let mut hasher = DefaultHasher::new();
    for name in [
        "CARGO_PKG_VERSION",
        "TARGET",
        "PROFILE",
        "OPT_LEVEL",
        "DEBUG",
    ] {
        env::var_os(name).hash(&mut hasher);
    }
    for (name, value) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_CFG_") || name.starts_with("CARGO_FEATURE_") {
            (name, value).hash(&mut hasher);
        }
    }
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(compiler).arg("-vV").output()?;
    version.stdout.hash(&mut hasher);
    hash_file(&root.join("Cargo.lock"), &mut hasher);
    for name in CRATES {
        let folder = root.join(name);
        hash_file(&folder.join("Cargo.toml"), &mut hasher);
        hash_folder(&folder.join("src"), &mut hasher)?;
    }
    println!("cargo:rustc-env=RWASM_BUILD={:016x}", hasher.finish());
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        // By which lowered bodies are remembered; for programs, their packages ask.
        println!("cargo:rustc-link-arg-tests=-Wl,--build-id");
    }
    Ok(())
}

/// Hashes all files of a folder, if there is one, in the order of their names.
fn hash_folder(folder: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    println!("cargo:rerun-if-changed={}", folder.display());
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut paths: Vec<PathBuf> = entries.collect::<io::Result<_>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            hash_folder(&path, hasher)?;
        } else {
            hash_file(&path, hasher);
        }
    }
    Ok(())
}

/// Hashes the name and the contents of a file, if there is one.
fn hash_file(path: &Path, hasher: &mut DefaultHasher) {
    if let Ok(contents) = fs::read(path) {
        println!("cargo:rerun-if-changed={}", path.display());
        (path.file_name(), contents).hash(hasher);
    }
}
