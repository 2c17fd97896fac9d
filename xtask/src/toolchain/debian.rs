//! A Rust toolchain for wasm32-wasip1 made from Debian packages, without
//! installing them over the machine's own Rust.
//!
//! Debian's `rustc-web` is a recent rustc, and `rust-web-src` the source of its
//! standard library, which is built here with `-Zbuild-std`. The C library that
//! std links comes from the sysroot.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use super::{TARGET, host_cargo, once, remap, remap_cargo_home};
use crate::{
    error::{Context, Error, Result},
    process,
};

/// The machine that rustc runs on, as Rust and as Debian call it. The packages
/// exist for others too, but the runtime does not.
const HOST: &str = "x86_64-unknown-linux-gnu";
const MULTIARCH: &str = "x86_64-linux-gnu";

/// The packages that are unpacked. A fourth one, with rustc's own shared
/// libraries, has the release in its name.
const PACKAGES: [&str; 3] = ["rustc-web", "libstd-rust-web-dev", "rust-web-src"];

/// Installs packages, which only root can do.
pub fn install(packages: &[String]) -> Result<()> {
    if process::output(Command::new("id").arg("-u"))?.trim() != "0" {
        return Err(Error::NotRoot {
            packages: packages.join(" "),
        });
    }
    process::run(apt_get().arg("update"))?;
    process::run(
        apt_get()
            .args(["install", "--yes", "--no-install-recommends"])
            .args(packages),
    )
}

/// Makes the toolchain below `folder`, unless it is there, and returns its rustc.
pub fn set_up_rustc(folder: &Path, sysroot: &Path, lld: &str) -> Result<PathBuf> {
    let home = folder.join("rust");
    once(&home, |partial| {
        eprintln!("getting Debian's rustc, and building std for {TARGET} (about a minute)");
        unpack_packages(partial)?;
        write_wrapper(partial)?;
        link_lld(partial, lld)?;
        copy_c_library(partial, sysroot)?;
        build_std(partial)
    })?;
    Ok(home.join("bin/rustc"))
}

fn unpack_packages(home: &Path) -> Result<()> {
    let downloads = home.join("downloads");
    fs::create_dir(&downloads).at(&downloads)?;
    // The pool keeps the newest version only, so any version written down here
    // would soon be gone.
    let mut madison = Command::new("apt-cache");
    madison.args(["madison", PACKAGES[0]]);
    let mut table = process::output(&mut madison)?;
    if table.trim().is_empty() {
        process::run(apt_get().arg("update"))?;
        table = process::output(&mut madison)?;
    }
    let version = table
        .lines()
        .next()
        .and_then(|row| row.split('|').nth(1))
        .map(str::trim);
    let Some(version) = version else {
        return Err(Error::Output {
            command: process::line(&madison),
            expected: "version",
        });
    };
    let release = version.split(['+', '-']).next().unwrap_or(version);
    let minor = release.rsplit_once('.').map_or(release, |(minor, _)| minor);
    let libraries = format!("libstd-rust-web-{minor}");
    let packages = PACKAGES.iter().copied().chain([libraries.as_str()]);
    for package in packages.clone() {
        process::run(
            apt_get()
                .arg("download")
                .arg(format!("{package}={version}"))
                .current_dir(&downloads),
        )?;
    }
    for entry in fs::read_dir(&downloads).at(&downloads)? {
        let package = entry.at(&downloads)?.path();
        process::run(Command::new("dpkg").arg("-x").arg(&package).arg(home))?;
        install_llvm_of(&package)?;
    }
    fs::remove_dir_all(&downloads).at(&downloads)
}

/// Installs the LLVM library that a package of rustc depends on, if it does.
fn install_llvm_of(package: &Path) -> Result<()> {
    let depends = process::output(
        Command::new("dpkg-deb")
            .arg("-f")
            .arg(package)
            .arg("Depends"),
    )?;
    let llvm = depends
        .split([',', ' ', '(', ')', '\n'])
        .find(|word| word.strip_prefix("libllvm").is_some_and(is_number));
    match llvm {
        Some(llvm) if process::run(Command::new("dpkg").args(["-s", llvm])).is_err() => {
            install(&[llvm.to_owned()])
        }
        _ => Ok(()),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Puts a rustc into `bin` that finds its shared libraries by itself. It is
/// called by its full path, so `$0` says where they are.
fn write_wrapper(home: &Path) -> Result<()> {
    let bin = home.join("bin");
    fs::create_dir(&bin).at(&bin)?;
    let script = format!(
        "#!/bin/sh\n\
         home=${{0%/bin/rustc}}\n\
         LD_LIBRARY_PATH=\"$home/usr/lib/{MULTIARCH}\" exec \"$home/usr/bin/rustc\" \"$@\"\n"
    );
    let rustc = bin.join("rustc");
    fs::write(&rustc, script).at(&rustc)?;
    fs::set_permissions(&rustc, fs::Permissions::from_mode(0o755)).at(&rustc)
}

/// Gives rustc the linker that it looks for when none is named.
fn link_lld(home: &Path, lld: &str) -> Result<()> {
    let bin = home.join("usr/lib/rustlib").join(HOST).join("bin");
    fs::create_dir_all(&bin).at(&bin)?;
    let link = bin.join("rust-lld");
    symlink(Path::new("/usr/bin").join(lld), &link).at(&link)
}

/// Puts the C library where rustc expects a target to bring its own.
fn copy_c_library(home: &Path, sysroot: &Path) -> Result<()> {
    let library = target_library(home).join("self-contained");
    fs::create_dir_all(&library).at(&library)?;
    for file in ["crt1-command.o", "crt1-reactor.o", "libc.a"] {
        let from = sysroot.join("lib").join(TARGET).join(file);
        fs::copy(&from, library.join(file)).at(&from)?;
    }
    Ok(())
}

/// Builds std as a dependency of an empty package, and keeps its libraries.
fn build_std(home: &Path) -> Result<()> {
    let package = home.join("build-std");
    let source = package.join("src");
    fs::create_dir_all(&source).at(&source)?;
    let manifest = package.join("Cargo.toml");
    let text = "[package]\nname = \"empty\"\nedition = \"2024\"\n\n[workspace]\n";
    fs::write(&manifest, text).at(&manifest)?;
    fs::write(source.join("lib.rs"), "").at(&source)?;

    let library = target_library(home);
    let mut flags = vec![
        // Without bitcode no guest could be linked with LTO.
        "-Cembed-bitcode=yes".to_owned(),
        format!("-Lnative={}", library.join("self-contained").display()),
        remap(home, "/rust"),
    ];
    flags.extend(remap_cargo_home());
    let mut cargo = host_cargo();
    cargo
        .current_dir(&package)
        .env("RUSTC", home.join("bin/rustc"))
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
        .env("CARGO_TARGET_DIR", package.join("target"))
        .args([
            "build",
            "--release",
            "-Zbuild-std=std,panic_abort,test",
            "--target",
            TARGET,
        ]);
    process::run(&mut cargo)?;

    let built = package.join("target").join(TARGET).join("release/deps");
    for entry in fs::read_dir(&built).at(&built)? {
        let file = entry.at(&built)?.path();
        let name = file.file_name().unwrap_or_default();
        let text = name.to_string_lossy();
        if text.ends_with(".rlib") && !text.starts_with("libempty-") {
            fs::copy(&file, library.join(name)).at(&file)?;
        }
    }
    // The sources have served, and take more room than all the rest.
    for folder in [package, home.join("usr/src")] {
        fs::remove_dir_all(&folder).at(&folder)?;
    }
    Ok(())
}

fn target_library(home: &Path) -> PathBuf {
    home.join("usr/lib/rustlib").join(TARGET).join("lib")
}

fn apt_get() -> Command {
    let mut apt_get = Command::new("apt-get");
    apt_get
        .env("DEBIAN_FRONTEND", "noninteractive")
        // Downloads go into a folder that apt's own user cannot write to.
        .args(["-qq", "-o", "APT::Sandbox::User=root"]);
    apt_get
}
