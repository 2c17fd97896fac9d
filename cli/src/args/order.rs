//! The command word, wherever the user put it.
//!
//! `rwasm app.wasm`, `rwasm --dir . app.wasm` and `rwasm --dir . run app.wasm`
//! all become `rwasm run …` before clap sees them. Users of other command
//! lines trip over the order of flags more than over anything else (wishes 4).

use std::ffi::{OsStr, OsString};

use super::COMMANDS;

/// `argv` with its command word in second place: the first word that is
/// neither a flag nor the value of one, if it names a command, else `run`.
/// What follows that word is left as it is.
pub fn command_first(cli: &clap::Command, mut argv: Vec<OsString>) -> Vec<OsString> {
    let Some(first) = argv.get(1) else {
        return argv;
    };
    if ["-h", "--help", "-V", "--version"]
        .iter()
        .any(|f| first == f)
    {
        return argv;
    }
    match first_word(cli, &argv) {
        Some(at) if COMMANDS.iter().any(|name| argv[at] == *name) => argv[1..=at].rotate_right(1),
        _ => argv.insert(1, "run".into()),
    }
    argv
}

/// Where the first word stands that is neither a flag nor the value of one.
/// A word behind `--` cannot be a command.
fn first_word(cli: &clap::Command, argv: &[OsString]) -> Option<usize> {
    let mut at = 1;
    loop {
        let word = argv.get(at)?.as_encoded_bytes();
        if word == b"--" {
            return None;
        }
        if word.len() < 2 || word[0] != b'-' {
            return Some(at);
        }
        at += if takes_next_word(cli, &argv[at]) {
            2
        } else {
            1
        };
    }
}

/// Whether `flag` is one whose value is the next word, under any command: no
/// name means two things (tested below).
fn takes_next_word(cli: &clap::Command, flag: &OsStr) -> bool {
    let Some(flag) = flag.to_str().and_then(|f| f.strip_prefix('-')) else {
        return false;
    };
    let is_named = |arg: &clap::Arg| match flag.strip_prefix('-') {
        Some(name) => arg.get_long() == Some(name),
        // With more behind the letter, that is the value.
        None => arg
            .get_short()
            .is_some_and(|short| flag.chars().eq([short])),
    };
    cli.get_subcommands()
        .flat_map(|command| command.get_arguments())
        .any(|arg| is_named(arg) && arg.get_action().takes_values())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use clap::CommandFactory;

    use super::super::Cli;
    use super::*;

    #[test]
    fn the_command_comes_first() {
        let cases = [
            ("", ""),
            ("a.wasm", "run a.wasm"),
            ("a.wasm --help", "run a.wasm --help"),
            ("a.wasm validate", "run a.wasm validate"),
            ("run a.wasm", "run a.wasm"),
            ("run run", "run run"),
            ("-", "run -"),
            ("--dir . a.wasm", "run --dir . a.wasm"),
            ("--dir . run a.wasm", "run --dir . a.wasm"),
            ("--dir run run a.wasm", "run --dir run a.wasm"),
            ("--dir=. run a.wasm", "run --dir=. a.wasm"),
            (
                "-v --fuel 1 run --env A a.wasm run",
                "run -v --fuel 1 --env A a.wasm run",
            ),
            ("--json explore a.wasm", "explore --json a.wasm"),
            ("-W threads run a.wasm", "run -W threads a.wasm"),
            ("-Wthreads validate a.wasm", "validate -Wthreads a.wasm"),
            ("-v validate", "validate -v"),
            (
                "--tier interp --json wast a.wast",
                "wast --tier interp --json a.wast",
            ),
            ("-- run", "run -- run"),
            ("--dir .", "run --dir ."),
            ("--dir", "run --dir"),
            ("--dir . --help", "run --dir . --help"),
            ("--no-such-flag a.wasm", "run --no-such-flag a.wasm"),
            ("--help", "--help"),
            ("--version run", "--version run"),
            ("help run", "help run"),
        ];
        for (given, expected) in cases {
            let words = |text: &str| -> Vec<OsString> {
                let name = ["rwasm"].into_iter();
                name.chain(text.split_whitespace())
                    .map(OsString::from)
                    .collect()
            };
            assert_eq!(
                command_first(&Cli::command(), words(given)),
                words(expected)
            );
        }
    }

    #[test]
    fn no_flag_takes_a_value_under_one_command_and_none_under_another() {
        let mut takes_value = HashMap::new();
        for command in Cli::command().get_subcommands() {
            for arg in command.get_arguments() {
                let takes = arg.get_action().takes_values();
                let long = arg.get_long().map(str::to_owned);
                for name in long.into_iter().chain(arg.get_short().map(String::from)) {
                    let before = takes_value.insert(name.clone(), takes);
                    assert!(before.is_none_or(|b| b == takes), "{name}");
                }
            }
        }
    }
}
