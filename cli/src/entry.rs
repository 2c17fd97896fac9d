//! What of a module is called, decided and checked before any of it runs.

use std::ffi::OsString;
use std::fmt::Write;

use rwasm::{ExternType, FuncType, Module, Val};

use crate::failure::{Failure, Result};
use crate::{exit, invoke, suggest};

/// The export that a program starts at.
const START: &str = "_start";

/// The export of a reactor that is called before any other.
const INITIALIZE: &str = "_initialize";

/// Exports that a message lists.
const MAX_EXPORTS: usize = 20;

/// What is called, after instantiation.
#[derive(Debug)]
pub enum Entry {
    /// A program: this export, without arguments or results.
    Program(&'static str),
    /// The module's own start function was all.
    Nothing,
    /// One function with arguments.
    Invoke {
        /// The export that is called before it, if the module is a reactor.
        initialize: Option<&'static str>,
        /// Its name.
        name: String,
        /// Its arguments, which fit its type.
        args: Vec<Val>,
        /// How many results it has.
        results: usize,
    },
}

impl Entry {
    /// The entry of a module that is run without `--invoke`.
    pub fn of_program(module_name: &str, module: &Module, args: &[OsString]) -> Result<Entry> {
        match module.get_export(START) {
            Some(ExternType::Func(ty)) if takes_and_gives_nothing(&ty) => Ok(Entry::Program(START)),
            Some(found) => Err(Failure::new(
                exit::FAILED,
                format!(
                    "{module_name} exports `{START}` as {found}, not as func () -> (); call \
                     another export with --invoke"
                ),
            )),
            None if module.parsed().start().is_some() => Ok(Entry::Nothing),
            None => Err(no_start(module_name, module, args)),
        }
    }

    /// The entry for `--invoke name args…`.
    pub fn of_invoke(
        module_name: &str,
        module: &Module,
        name: &str,
        args: &[OsString],
    ) -> Result<Entry> {
        let usage = |message| Failure::new(exit::USAGE, message);
        let ty = match module.get_export(name) {
            Some(ExternType::Func(ty)) => ty,
            Some(found) => {
                let kind = found.kind();
                let message = format!("`{name}` is a {kind} of {module_name}, not a function");
                return Err(usage(message));
            }
            None => {
                let mut message = format!("{module_name} exports no function `{name}`");
                match suggest::nearest(name, functions(module)) {
                    Some(near) => {
                        let _ = write!(message, "; did you mean `{near}`?");
                    }
                    None => push_functions(&mut message, module, "; it exports "),
                }
                return Err(usage(message));
            }
        };
        let args = invoke::parse_args(&ty, args)
            .map_err(|error| usage(format!("`{name}` cannot be called: {error}")))?;
        let initialize = match module.get_export(INITIALIZE) {
            Some(ExternType::Func(ty)) if takes_and_gives_nothing(&ty) && name != INITIALIZE => {
                Some(INITIALIZE)
            }
            _ => None,
        };
        Ok(Entry::Invoke {
            initialize,
            name: name.to_owned(),
            args,
            results: ty.results().len(),
        })
    }
}

/// There is no `_start`: says what there is, and how to call it.
fn no_start(module_name: &str, module: &Module, args: &[OsString]) -> Failure {
    // The slip behind WT#6794: a flag of ours behind the module.
    if args
        .iter()
        .any(|arg| arg.as_encoded_bytes().starts_with(b"--invoke"))
    {
        let message = format!(
            "what follows the module belongs to the guest; write `rwasm run --invoke FUNC \
             {module_name} ARGS`"
        );
        return Failure::new(exit::USAGE, message);
    }
    let mut message = format!("{module_name} has no `{START}` to run");
    if functions(module).next().is_none() {
        message += " and exports no function; build it as a program";
    } else {
        push_functions(&mut message, module, "; it exports ");
        let _ = write!(
            message,
            "; call one with `rwasm run --invoke FUNC {module_name}`"
        );
    }
    Failure::new(exit::FAILED, message)
}

fn push_functions(message: &mut String, module: &Module, before: &str) {
    let mut separator = before;
    for (i, name) in functions(module).enumerate() {
        if i == MAX_EXPORTS {
            let _ = write!(message, " and {} more", functions(module).count() - i);
            break;
        }
        let _ = write!(message, "{separator}`{name}`");
        separator = ", ";
    }
}

/// The functions that a user may call.
fn functions(module: &Module) -> impl Iterator<Item = &str> {
    module
        .exports()
        .filter(|export| export.ty().func().is_some())
        .map(|export| export.name())
        .filter(|&name| name != INITIALIZE)
}

fn takes_and_gives_nothing(ty: &FuncType) -> bool {
    ty.params().is_empty() && ty.results().is_empty()
}
