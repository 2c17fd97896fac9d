//! In which order the functions of the command lie in its text.
//!
//! The system maps a program's text where it is touched, sixteen pages at a time.
//! What a start calls lies all over it; side by side it takes fewer such windows, and
//! a third of the memory less (`docs/RATIONALE.md`).
//! The linker is told by a list (`cli/build.rs`), which this makes: the functions
//! that small programs have the command call, as they are called first.
//!
//! Names in it have hashes of the compiler's: with another compiler most are
//! unknown, which costs nothing but what the list was to save.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use crate::{
    error::{Context, Error, Result},
    guests,
    paths::Paths,
    process,
    rwasm::build_rwasm,
    toolchain::Toolchain,
};

/// The tables of the interpreter's handlers, which lie among its code: data, which
/// no profile has.
const TABLES: &str = "_handler5table17h";

/// Writes `cli/start.order` anew.
pub fn run(paths: &Paths) -> Result<ExitCode> {
    guests::build_all(paths, &Toolchain::set_up(paths)?)?;
    let rwasm = build_rwasm(paths)?;
    let symbols = process::output(Command::new("nm").arg(&rwasm))?;
    let symbols: Vec<&str> = symbols
        .lines()
        .filter_map(|line| line.split(' ').nth(2))
        .collect();
    let profile = paths.target.join("start.callgrind");
    let mut known = HashSet::new();
    let mut order = String::new();
    let module = paths.target.join("start.wasm");
    for (tier, start) in starts(paths) {
        // Text takes a parser, which programs do not.
        let bytes = wat::parse_file(start).map_err(Error::Text)?;
        fs::write(&module, bytes).at(&module)?;
        let mut valgrind = Command::new("valgrind");
        valgrind
            .args(["--tool=callgrind", "--demangle=no"])
            .arg(format!("--callgrind-out-file={}", profile.display()))
            .arg(&rwasm)
            .args(["run", "--dir", ".", "--tier", tier])
            .arg(&module)
            .args(["--size", "1"])
            .current_dir(&paths.root);
        process::run(&mut valgrind)?;
        for name in functions(&profile)? {
            for name in variants(&name, &symbols) {
                if known.insert(name.to_owned()) {
                    order.push_str(name);
                    order.push('\n');
                }
            }
        }
    }
    for name in symbols.iter().filter(|name| name.contains(TABLES)) {
        order.push_str(name);
        order.push('\n');
    }
    let path = paths.root.join("cli/start.order");
    fs::write(&path, order).at(&path)?;
    println!("{}: {} functions", path.display(), known.len());
    Ok(ExitCode::SUCCESS)
}

/// Programs whose starts are followed, and in which tier: the least one first, then
/// one with a C library, then one of which nothing is to get hot.
fn starts(paths: &Paths) -> [(&'static str, PathBuf); 3] {
    let guests = paths.root.join("guests");
    [
        ("auto", guests.join("wat/hello.wat")),
        ("auto", paths.guests().join("greeting.wasm")),
        ("interp", guests.join("modules/fib.wasm")),
    ]
}

/// A function, and what the C library would have chosen in its place on another
/// processor than callgrind's: `__strlen_avx2`, `__strlen_evex`.
fn variants<'a>(name: &'a str, symbols: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec![name];
    if let Some((stem, _)) = name.split_once("_avx") {
        let is_variant = |symbol: &&&str| {
            let variant = symbol.strip_prefix(stem).unwrap_or_default();
            variant.starts_with("_avx") || variant.starts_with("_evex")
        };
        all.extend(symbols.iter().filter(is_variant));
    }
    all
}

/// The functions of a profile of callgrind's. Each has a number, and a name where it
/// is first met: `fn=(12) name`, `cfn=(13) callee`, `cfn=(14) recursive'2`.
fn functions(profile: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(profile).at(profile)?;
    let names = text.lines().filter_map(|line| {
        let numbered = line.strip_prefix("cfn=(").or(line.strip_prefix("fn=("))?;
        let (_, name) = numbered.split_once(") ")?;
        let (name, _) = name.split_once('\'').unwrap_or((name, ""));
        // What has no name, and names that another build does not give.
        let is_lasting = !name.starts_with(['0', '(']) && !name.contains(".llvm.");
        is_lasting.then(|| name.to_owned())
    });
    Ok(names.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_are_those_of_other_processors() {
        let symbols = [
            "__strlen_evex",
            "__strlen_avx2",
            "__strlen_sse2",
            "__strnlen_avx2",
        ];
        let expected = ["__strlen_avx2", "__strlen_evex", "__strlen_avx2"];
        assert_eq!(variants("__strlen_avx2", &symbols), expected);
        assert_eq!(variants("main", &symbols), ["main"]);
    }
}
