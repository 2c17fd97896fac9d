//! Who is compared: how it is built, started and deployed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use super::options::Options;
use crate::{
    error::{Context, Result},
    paths::Paths,
    process,
    rwasm::{build_executables, build_rwasm},
    toolchain::{TARGET, Toolchain, debian, host_cargo},
};

/// Stands for the address in a command.
const ADDRESS: &str = "ADDRESS";

/// The programs for WASI.
const GUESTS: [&str; 3] = ["payload-cgi", "payload-listen", "payload-accept"];

/// What has been built.
pub struct Arms {
    /// The first is the one that the others are compared with.
    pub arms: Vec<Arm>,
    /// The load generator.
    pub load: PathBuf,
}

/// A server of the API.
pub struct Arm {
    pub name: &'static str,
    command: Vec<String>,
    /// What a machine without it must be given.
    deployed: Vec<PathBuf>,
}

impl Arms {
    /// Builds all, unless that was done, and chooses those that are asked for.
    pub fn new(paths: &Paths, output: &Path, options: &Options) -> Result<Arms> {
        let programs = output.join("programs");
        let node = output.join("node/built/server.js");
        if options.build {
            build(paths, output, &programs, options)?;
        }
        let rwasm = programs.join("rwasm");
        let wasmtime = programs.join("payload-wasmtime");
        let artifact = programs.join("payload-cgi.cwasm");
        let native = |name: &'static str, program: &str| {
            let program = programs.join(program);
            Arm::new(name, &[&text(&program), ADDRESS], vec![program])
        };
        let mut arms = vec![
            native("axum", "payload-axum"),
            native("actix", "payload-actix"),
            Arm::new("node", &["node", &text(&node), ADDRESS], node_files(&node)?),
            Arm::new(
                "wasmtime",
                &[&text(&wasmtime), "serve", &text(&artifact), ADDRESS],
                vec![wasmtime, artifact],
            ),
        ];
        let modes: [(&'static str, &str, &[&str]); 4] = [
            ("rwasm-cgi", "payload-cgi", &["--mode", "cgi"]),
            (
                "rwasm-snapshot",
                "payload-cgi",
                &["--mode", "cgi", "--snapshot"],
            ),
            ("rwasm-listen", "payload-listen", &["--mode", "listen"]),
            ("rwasm-isolate", "payload-accept", &["--mode", "isolate"]),
        ];
        for (name, guest, flags) in modes {
            let module = programs.join(guest).with_extension("wasm");
            let (program, module_path) = (text(&rwasm), text(&module));
            let mut command = vec![&*program, "serve", &module_path, "--addr", ADDRESS];
            command.extend(["--log", "warn"]);
            command.extend(flags);
            arms.push(Arm::new(name, &command, vec![rwasm.clone(), module]));
        }
        arms.retain(|arm| arm.name == "axum" || options.wants(arm.name));
        Ok(Arms {
            arms,
            load: programs.join("payload-load"),
        })
    }

    /// Names, commands, and the bytes of what is deployed.
    pub fn json(&self) -> Result<Value> {
        let arms = self.arms.iter().map(|arm| {
            let mut bytes = 0;
            for file in &arm.deployed {
                bytes += fs::metadata(file).at(file)?.len();
            }
            let names = arm.command.iter().map(|word| {
                // Where it lies is of no interest.
                word.rsplit('/').next().unwrap_or_default()
            });
            Ok(json!({
                "name": arm.name,
                "command": names.collect::<Vec<_>>().join(" "),
                "deployed_bytes": bytes,
            }))
        });
        arms.collect()
    }
}

impl Arm {
    fn new(name: &'static str, command: &[&str], deployed: Vec<PathBuf>) -> Arm {
        Arm {
            name,
            command: command.iter().map(|&word| word.to_owned()).collect(),
            deployed,
        }
    }

    /// The words of the command that serves at this address.
    pub fn command(&self, address: &str) -> Vec<String> {
        let word = |word: &String| word.replace(ADDRESS, address);
        self.command.iter().map(word).collect()
    }
}

/// Builds all programs into a folder.
fn build(paths: &Paths, output: &Path, programs: &Path, options: &Options) -> Result<()> {
    let workspace = paths.root.join("benches/payload");
    fs::create_dir_all(programs).at(programs)?;

    eprintln!("building the programs for WASI");
    let toolchain = Toolchain::set_up(paths)?;
    let mut cargo = toolchain.cargo(paths, &[]);
    cargo.args([
        "build",
        "--profile",
        "server",
        "--locked",
        "--target",
        TARGET,
    ]);
    cargo.args(["--package", "payload-guest"]);
    process::run(cargo.current_dir(&workspace))?;
    let built = paths.guest_build().join(TARGET).join("server");
    for guest in GUESTS {
        keep(&built.join(guest).with_extension("wasm"), programs)?;
    }

    eprintln!("building the native servers");
    let native = ["payload-axum", "payload-actix", "payload-load"];
    build_native(&workspace, output, "server", &native, programs)?;
    // Ten minutes, which nobody else needs.
    if options.wants("wasmtime") {
        eprintln!("building wasmtime");
        let packages = ["payload-wasmtime"];
        build_native(&workspace, output, "release", &packages, programs)?;
        let mut compile = Command::new(programs.join("payload-wasmtime"));
        compile
            .arg("compile")
            .arg(programs.join("payload-cgi.wasm"));
        process::run(compile.arg(programs.join("payload-cgi.cwasm")))?;
    }
    let rwasm = match &options.rwasm {
        Some(rwasm) => rwasm.clone(),
        None => build_rwasm(paths)?,
    };
    keep_as(&rwasm, &programs.join("rwasm"))?;
    eprintln!("building the server in TypeScript");
    build_node(&workspace.join("node"), output)
}

/// Builds packages that are programs of that name, and copies these to `programs`.
fn build_native(
    workspace: &Path,
    output: &Path,
    profile: &str,
    packages: &[&str],
    programs: &Path,
) -> Result<()> {
    let mut cargo = host_cargo();
    cargo.args(["build", "--locked", "--profile", profile]);
    for package in packages {
        cargo.args(["--package", package]);
    }
    cargo.env("CARGO_TARGET_DIR", output.join("build"));
    for program in build_executables(cargo.current_dir(workspace))? {
        keep(&program, programs)?;
    }
    Ok(())
}

/// Compiles the server in TypeScript, apart from its sources: the compiler's
/// packages are no part of the repository.
fn build_node(sources: &Path, output: &Path) -> Result<()> {
    if process::output(Command::new("node").arg("--version")).is_err() {
        debian::install(&["nodejs".to_owned(), "npm".to_owned()])?;
    }
    let folder = output.join("node");
    fs::create_dir_all(&folder).at(&folder)?;
    let mut copy = Command::new("cp");
    copy.args(["--recursive", "--no-target-directory"]);
    process::run(copy.args([sources, &folder]))?;
    process::run(
        Command::new("npm")
            .args(["ci", "--silent"])
            .current_dir(&folder),
    )?;
    let mut compile = Command::new("npm");
    compile.args(["run", "--silent", "build", "--", "--outDir", "built"]);
    process::run(compile.current_dir(&folder))
}

/// What Node is on this machine, with its libraries, and the scripts.
fn node_files(script: &Path) -> Result<Vec<PathBuf>> {
    let node = process::output(Command::new("sh").args(["-c", "command -v node"]))?;
    let libraries = process::output(Command::new("ldd").arg(node.trim()))?;
    let library = |line: &str| {
        let path = line.split_whitespace().find(|word| word.starts_with('/'));
        path.map(PathBuf::from)
    };
    let mut files: Vec<PathBuf> = libraries.lines().filter_map(library).collect();
    files.push(node.trim().into());
    let folder = script.parent().unwrap_or(script);
    for entry in fs::read_dir(folder).at(folder)? {
        files.push(entry.at(folder)?.path());
    }
    Ok(files)
}

fn keep(file: &Path, folder: &Path) -> Result<()> {
    keep_as(file, &folder.join(file.file_name().unwrap_or_default()))
}

fn keep_as(file: &Path, kept: &Path) -> Result<()> {
    // One that still runs is not written over.
    if kept.exists() {
        fs::remove_file(kept).at(kept)?;
    }
    fs::copy(file, kept).at(file)?;
    Ok(())
}

fn text(path: &Path) -> String {
    path.display().to_string()
}
