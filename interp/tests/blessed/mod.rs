//! Texts made of small modules, held in golden files beside them: shared by the
//! golden tests of all tiers.
//!
//! `tests/golden/NAME.wat` is one family of instructions; with `BLESS=1` in the
//! environment a test writes its files anew.

use rwasm_runtime::code::CodeSettings;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// What the first line of a module begins with if it asks for other settings
/// than those of a plain engine: `fuel`, `interruption`, `unguarded`.
const SETTINGS: &str = ";; settings:";

/// Compares what `print` makes of each module in `tests/golden` of the crate at
/// `root` with the file of that name and `extension`.
///
/// # Panics
/// If one differs, is missing, or belongs to no module.
pub fn check(root: &str, extension: &str, print: impl Fn(&str) -> String) {
    let folder = Path::new(root).join("tests/golden");
    let bless = env::var_os("BLESS").is_some_and(|value| value == "1");
    let modules = files(&folder, "wat");
    assert!(!modules.is_empty());
    let mut wrong = Vec::new();
    for module in &modules {
        let name = module.display();
        let code = print(&fs::read_to_string(module).unwrap());
        let golden = module.with_extension(extension);
        if bless {
            fs::write(&golden, &code).unwrap();
        } else {
            let blessed = fs::read_to_string(&golden).unwrap_or_default();
            wrong.extend(difference(&blessed, &code).map(|text| format!("{name}: {text}")));
        }
    }
    let of_modules: BTreeSet<PathBuf> = modules
        .iter()
        .map(|path| path.with_extension(extension))
        .collect();
    for stray in files(&folder, extension).difference(&of_modules) {
        wrong.push(format!("{} belongs to no module", stray.display()));
    }
    assert!(
        wrong.is_empty(),
        "{}\n(BLESS=1 writes the files anew; look at the difference)",
        wrong.join("\n")
    );
}

/// The files of a folder with this extension.
fn files(folder: &Path, extension: &str) -> BTreeSet<PathBuf> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect()
}

/// The settings that a module asks for.
pub fn settings(text: &str) -> CodeSettings {
    let mut settings = CodeSettings {
        guarded_memories: true,
        ..CodeSettings::default()
    };
    let first = text.lines().next().unwrap_or_default();
    for word in first
        .strip_prefix(SETTINGS)
        .unwrap_or_default()
        .split_whitespace()
    {
        match word {
            "fuel" => settings.fuel = true,
            "interruption" => settings.interruption = true,
            "unguarded" => settings.guarded_memories = false,
            _ => panic!("no such setting: {word}"),
        }
    }
    settings
}

/// The first line in which the texts differ.
fn difference(blessed: &str, now: &str) -> Option<String> {
    if blessed == now {
        return None;
    }
    let (mut blessed, mut now) = (blessed.lines(), now.lines());
    let mut func = "";
    for line in 1.. {
        let (old, new) = (blessed.next(), now.next());
        if old != new || old.is_none() {
            let side = |text: Option<&str>| text.unwrap_or("(the end)").to_owned();
            let (old, new) = (side(old), side(new));
            return Some(format!(
                "line {line}, in {func}\n  blessed: {old}\n  now:     {new}"
            ));
        }
        func = old.filter(|text| text.starts_with("func")).unwrap_or(func);
    }
    None
}
