//! Who is compared, and how one run is measured.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::sample::Sample;
use crate::{
    error::{Context, Result},
    process,
};

/// What Node needs to run a program: a script.
const NODE_SCRIPT: &str = "\
import { readFile } from 'node:fs/promises';
import { WASI } from 'node:wasi';
const [module, ...args] = process.argv.slice(2);
const wasi = new WASI({ version: 'preview1', args: [module, ...args] });
const wasm = await WebAssembly.compile(await readFile(module));
process.exitCode = wasi.start(await WebAssembly.instantiate(wasm, wasi.getImportObject()));
";

/// The peers: a name, and the command with what stands before the module.
const PEERS: [(&str, &[&str]); 6] = [
    ("wasmtime", &["wasmtime", "run"]),
    ("wasmtime, cache", &["wasmtime", "run", "-C", "cache=y"]),
    ("wasmi", &["wasmi", "run"]),
    ("wasm3", &["wasm3"]),
    ("iwasm", &["iwasm"]),
    ("node", &["node", "--no-warnings"]),
];

/// A runtime with its flags.
pub struct Subject {
    /// Name in reports.
    pub name: String,
    /// What stands before the module on the command line.
    pub command: Vec<String>,
    /// What it says about its version.
    pub version: String,
}

/// All samples of one subject with one program.
#[derive(Default)]
pub struct Samples {
    /// With empty caches.
    pub first: Vec<Sample>,
    /// Right after.
    pub second: Vec<Sample>,
    /// Why there are none.
    pub failure: Option<String>,
}

/// Measures, and keeps what was measured.
pub struct Runner {
    /// The home that subjects are given, where their caches are.
    home: PathBuf,
    size: u32,
    pub subjects: Vec<Subject>,
    /// Programs by name, with samples for every subject.
    pub programs: Vec<(String, Vec<Samples>)>,
}

impl Subject {
    /// Everybody who is there. `scratch` is for files that they need.
    pub fn all(rwasm: &Path, scratch: &Path) -> Result<Vec<Self>> {
        let script = scratch.join("run.mjs");
        fs::write(&script, NODE_SCRIPT).at(&script)?;
        let rwasm = rwasm.display().to_string();
        let mut subjects = Vec::new();
        for tier in ["interp", "jit", "auto"] {
            let command = [rwasm.as_str(), "run", "--tier", tier];
            subjects.push(Subject::new(format!("rwasm {tier}"), &command)?);
        }
        let path = env::var_os("PATH").unwrap_or_default();
        for (name, command) in PEERS {
            if !env::split_paths(&path).any(|folder| folder.join(command[0]).is_file()) {
                continue;
            }
            let mut subject = Subject::new(name.to_owned(), command)?;
            if command[0] == "node" {
                subject.command.push(script.display().to_string());
            }
            subjects.push(subject);
        }
        Ok(subjects)
    }

    fn new(name: String, command: &[&str]) -> Result<Self> {
        let version = process::output(Command::new(command[0]).arg("--version"))?;
        Ok(Subject {
            name,
            command: command.iter().map(|&word| word.to_owned()).collect(),
            version: version.lines().next().unwrap_or_default().to_owned(),
        })
    }
}

impl Runner {
    pub fn new(home: PathBuf, size: u32, subjects: Vec<Subject>) -> Self {
        Runner {
            home,
            size,
            subjects,
            programs: Vec::new(),
        }
    }

    /// Runs a program `rounds` times, twice each, under every subject.
    pub fn measure(&mut self, module: &Path, rounds: usize) -> Result<()> {
        let mut all: Vec<Samples> = self.subjects.iter().map(|_| Samples::default()).collect();
        let mut expected = None;
        for round in 0..rounds {
            for turn in 0..all.len() {
                // Everybody comes first equally often.
                let at = (round + turn) % all.len();
                if all[at].failure.is_some() {
                    continue;
                }
                if self.home.exists() {
                    fs::remove_dir_all(&self.home).at(&self.home)?;
                }
                fs::create_dir_all(&self.home).at(&self.home)?;
                for second in [false, true] {
                    let outcome = self.sample(&self.subjects[at], module)?;
                    match outcome {
                        Ok((sample, output)) => {
                            if *expected.get_or_insert_with(|| output.clone()) != output {
                                all[at].failure = Some(format!("printed {output:?}"));
                            }
                            let samples = &mut all[at];
                            let samples = match second {
                                false => &mut samples.first,
                                true => &mut samples.second,
                            };
                            samples.push(sample);
                        }
                        Err(failure) => all[at].failure = Some(failure),
                    }
                }
            }
        }
        let name = module.file_stem().unwrap_or_default().to_string_lossy();
        self.programs.push((name.into_owned(), all));
        Ok(())
    }

    /// One run: what it took and what it printed, or why it failed.
    fn sample(&self, subject: &Subject, module: &Path) -> Result<Result<(Sample, String), String>> {
        let mut command = Command::new(&subject.command[0]);
        command
            .args(&subject.command[1..])
            .arg(module)
            .args(["--size", &self.size.to_string()])
            .env("HOME", &self.home)
            .env_remove("XDG_CACHE_HOME");
        Sample::take(&mut command)
    }
}
