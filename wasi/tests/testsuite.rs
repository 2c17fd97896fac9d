//! The official test programs: `WebAssembly/wasi-testsuite`, branch
//! `prod/testsuite-base`, of which `RWASM_WASI_TESTSUITE` names a copy. Its
//! `doc/specification.md` says what is done here. Only programs for preview1
//! run.

use rwasm::{Config, Engine, Error, Linker, Module, Result, Store, Tier};
use rwasm_wasi::{Access, Capture, Output, WasiCtx};
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folders of a copy that hold programs for preview1, and a variable that
/// makes those in Rust expect POSIX's error codes, not any that some system
/// gives.
const FOLDERS: [(&str, Option<&str>); 3] = [
    ("tests/assemblyscript/testsuite/wasm32-wasip1", None),
    ("tests/c/testsuite/wasm32-wasip1", None),
    (
        "tests/rust/testsuite/wasm32-wasip1",
        Some("ERRNO_MODE_UNIX"),
    ),
];

/// The programs that the suite had when this was written.
const PROGRAMS: usize = 72;

#[test]
fn official_programs() {
    let Some(suite) = std::env::var_os("RWASM_WASI_TESTSUITE") else {
        eprintln!("skipped: RWASM_WASI_TESTSUITE does not name a copy of the suite");
        return;
    };
    for tier in [Tier::Interp, Tier::Jit, Tier::Auto] {
        run_all(Path::new(&suite), tier);
    }
}

fn run_all(suite: &Path, tier: Tier) {
    let (mut passed, mut failures) = (0, Vec::new());
    for (folder, variable) in FOLDERS {
        // The programs write into their folders.
        let copy = tempfile::tempdir().expect("a folder");
        copy_folder(&suite.join(folder), copy.path()).expect("the suite is there");
        for program in programs(copy.path()) {
            let mut spec = Spec::of(&program);
            spec.env
                .extend(variable.map(|name| (name.into(), "1".into())));
            let outcome = run(&program, &spec, tier);
            let name = program.strip_prefix(copy.path()).unwrap_or(&program);
            match outcome {
                Ok(outcome) if outcome.fits(&spec) => passed += 1,
                outcome => {
                    failures.push(format!("{tier:?} {folder}/{}: {outcome:?}", name.display()))
                }
            }
            remove_leftovers(copy.path()).expect("they can be removed");
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(passed >= PROGRAMS, "only {passed} programs were found");
}

/// What a program is given and must do.
struct Spec {
    args: Vec<String>,
    env: Vec<(String, String)>,
    root: Option<PathBuf>,
    exit_code: i32,
    stdout: Option<String>,
    stderr: Option<String>,
}

impl Spec {
    /// What stands next to the program, in the older or the newer form.
    fn of(program: &Path) -> Spec {
        let text = fs::read_to_string(program.with_extension("json"));
        let json: Value = text.map_or(Value::Null, |text| {
            serde_json::from_str(&text).expect("valid JSON")
        });
        let operations = json["operations"].as_array();
        let operation = |kind: &str, id: Option<&str>| match operations {
            None => &json,
            Some(operations) => operations
                .iter()
                .find(|operation| {
                    operation["type"] == kind && id.is_none_or(|id| operation["id"] == id)
                })
                .unwrap_or(&Value::Null),
        };
        let output = |id| {
            let found = match operations {
                None => &json[id],
                Some(_) => &operation("read", Some(id))["payload"],
            };
            found.as_str().map(str::to_owned)
        };
        let run = operation("run", None);
        let folder = program.parent().expect("in a folder");
        let args = run["args"].as_array().into_iter().flatten();
        let env = run["env"].as_object().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let code = operation("wait", None)["exit_code"].as_i64();
        Spec {
            args: args.map(text).collect(),
            env: env
                .map(|(name, value)| (name.clone(), text(value)))
                .collect(),
            root: run["root"].as_str().map(|root| folder.join(root)),
            exit_code: code.unwrap_or(0) as i32,
            stdout: output("stdout"),
            stderr: output("stderr"),
        }
    }
}

/// What a program did.
#[derive(Debug)]
struct Outcome {
    exit_code: i32,
    stdout: String,
    stderr: String,
}

impl Outcome {
    fn fits(&self, spec: &Spec) -> bool {
        let same = |expected: &Option<String>, found: &String| {
            expected.as_ref().is_none_or(|expected| expected == found)
        };
        self.exit_code == spec.exit_code
            && same(&spec.stdout, &self.stdout)
            && same(&spec.stderr, &self.stderr)
    }
}

fn run(program: &Path, spec: &Spec, tier: Tier) -> Result<Outcome> {
    let (stdout, stderr) = (Capture::new(1 << 20), Capture::new(1 << 20));
    let mut builder = WasiCtx::builder();
    builder
        .arg(program.file_name().unwrap_or_default())
        .args(&spec.args)
        .stdout(Output::capture(&stdout))
        .stderr(Output::capture(&stderr));
    for (name, value) in &spec.env {
        builder.env(name, value);
    }
    if let Some(root) = &spec.root {
        let given = builder.preopened_dir(root, "/", Access::ReadWrite);
        given.map_err(Error::host)?;
    }
    let engine = Engine::new(Config::new().tier(tier))?;
    let module = Module::from_file(&engine, program)?;
    let mut linker = Linker::new(&engine);
    rwasm_wasi::add_to_linker(&mut linker, |ctx: &mut WasiCtx| ctx)?;
    let mut store = Store::new(&engine, builder.build().map_err(Error::host)?);
    let instance = linker.instantiate(&mut store, &module)?;
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
    let exit_code = match start.call(&mut store, ()) {
        Ok(()) => 0,
        Err(Error::Exit(code)) => code,
        Err(error) => return Err(error),
    };
    Ok(Outcome {
        exit_code,
        stdout: stdout.text(),
        stderr: stderr.text(),
    })
}

fn programs(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut programs: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension() == Some(OsStr::new("wasm")))
        .collect();
    programs.sort();
    programs
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Removes what the programs leave: everything whose name ends in `.cleanup`.
fn remove_leftovers(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, is_dir) = (entry.path(), entry.file_type()?.is_dir());
        match (path.extension() == Some(OsStr::new("cleanup")), is_dir) {
            (true, true) => fs::remove_dir_all(path)?,
            (true, false) => fs::remove_file(path)?,
            (false, true) => remove_leftovers(&path)?,
            (false, false) => {}
        }
    }
    Ok(())
}
