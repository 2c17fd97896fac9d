//! The errors of the runtime as sentences that say what to do.

use std::fmt::Write;

use rwasm::parser::{FileKind, ParseError};
use rwasm::{
    Error, Exception, LimitError, LimitKind, LinkError, PrecompiledError, Trap, TrapError,
    UnknownImport, WasmBacktrace, demangle,
};

use crate::args::proposal_hint;
use crate::exit;
use crate::failure::Failure;
use crate::invoke;
use crate::run::Bounds;
use crate::watchdog;

/// Frames of a backtrace that are shown. Endless recursion leaves thousands.
const MAX_FRAMES: usize = 30;

/// Missing imports that are shown.
const MAX_IMPORTS: usize = 50;

/// Why the module called `name` cannot be used.
pub fn cannot_load(name: &str, error: &Error) -> Failure {
    let message = match error {
        Error::Parse(error) => no_module(name, error),
        Error::Precompiled(error) => precompiled(name, error),
        error => format!("{name} cannot be loaded: {error}"),
    };
    Failure::new(exit::FAILED, message)
}

/// Why the module called `name` did not start, or did not end by itself.
pub fn stopped(name: &str, bounds: &Bounds, error: &Error) -> Failure {
    let message = match error {
        Error::Trap(trap) => return trapped(name, bounds, trap),
        Error::Exception(exception) => return threw(name, exception),
        Error::Host(error) => {
            let message = format!("{name} was ended by a host function: {error}");
            return Failure::new(exit::TRAPPED, message);
        }
        Error::Parse(error) => no_module(name, error),
        Error::Link(LinkError::UnknownImports(imports)) => unknown_imports(name, imports),
        Error::Link(error) => {
            format!("{name} cannot be linked: {error}; build it for the target wasm32-wasip1")
        }
        Error::Limit(error) => format!("{name} needs too much: {error}{}", flag_for(error)),
        Error::Unsupported(what) => format!("{name} cannot be run by this version: {what}"),
        error => format!("{name} cannot be run: {error}"),
    };
    Failure::new(exit::FAILED, message)
}

/// Why machine code from a file is not used.
fn precompiled(name: &str, error: &PrecompiledError) -> String {
    let next = match error {
        PrecompiledError::NotAllowed => {
            return format!(
                "{name} is a precompiled module, with machine code; if you trust who made it, \
                 `rwasm run --allow-precompiled {name}` runs it"
            );
        }
        PrecompiledError::OtherSettings { .. } => {
            "compile it again with the same -W, with --interruptible for runs with --timeout and \
             with --metered for runs with --fuel"
        }
        _ => "make it again with `rwasm compile`",
    };
    format!("{name} cannot be run: {error}; {next}")
}

/// What is wrong with a file that is no module.
pub fn no_module(name: &str, error: &ParseError) -> String {
    match error {
        ParseError::Text { .. } if name.ends_with(".wast") => {
            format!("{name} is a script, not a module; run it with `rwasm wast {name}`")
        }
        ParseError::Component => format!(
            "{name} is a component, and rwasm runs core modules; build it for the target \
             wasm32-wasip1, or take a core module out with `wasm-tools component unbundle`"
        ),
        ParseError::Empty => format!("{name} is empty; build or download it again"),
        ParseError::NotWasm { what } => {
            let next = match what {
                FileKind::Elf | FileKind::MachO | FileKind::Pe => {
                    "; build it for the target wasm32-wasip1, or run it directly"
                }
                FileKind::Script => "; run it directly",
                FileKind::Markup => "; see what was downloaded",
                FileKind::Blank | FileKind::Text | FileKind::Data => {
                    "; give a file that a compiler made for the target wasm32-wasip1, or .wat"
                }
                // The others say in their own text what to do.
                _ => "",
            };
            format!("{name} is no WebAssembly module but {what}{next}")
        }
        error => {
            let hint = proposal_hint(&error.message()).unwrap_or_default();
            format!("{name}: {error}{hint}")
        }
    }
}

fn flag_for(error: &LimitError) -> &'static str {
    match error.limit {
        LimitKind::MemoryBytes => "; --max-memory raises the limit",
        LimitKind::TableElements => "; --max-table raises the limit",
        LimitKind::StackBytes => "; --max-stack raises the limit",
        _ => "",
    }
}

fn trapped(name: &str, bounds: &Bounds, error: &TrapError) -> Failure {
    let mut failure = match (error.trap, bounds.timeout, bounds.fuel) {
        (Trap::Interrupted, Some(limit), _) => watchdog::timed_out(name, limit),
        (Trap::OutOfFuel, _, Some(fuel)) => Failure::new(
            exit::TRAPPED,
            format!("{name} used up its fuel of {fuel}; --fuel grants more"),
        ),
        (Trap::StackOverflow, ..) => Failure::new(
            exit::TRAPPED,
            format!("{name} trapped: {}; --max-stack grants more", error.trap),
        ),
        (trap, ..) => Failure::new(exit::TRAPPED, format!("{name} trapped: {trap}")),
    };
    push_backtrace(&mut failure.message, &error.backtrace);
    failure
}

fn threw(name: &str, exception: &Exception) -> Failure {
    let mut message = format!(
        "{name} threw an exception that nothing caught, of type {}",
        exception.ty()
    );
    for (at, value) in exception.values().iter().enumerate() {
        let separator = if at == 0 { ": " } else { ", " };
        let _ = write!(message, "{separator}{}", invoke::format(value));
    }
    push_backtrace(&mut message, exception.backtrace());
    Failure::new(exit::TRAPPED, message)
}

fn push_backtrace(message: &mut String, backtrace: &WasmBacktrace) {
    let frames = backtrace.frames();
    let places = frames.iter().zip(backtrace.source_locations());
    for (i, (frame, location)) in places.take(MAX_FRAMES).enumerate() {
        let function = match frame.func_name() {
            Some(name) => demangle(name),
            None => format!("function {}", frame.func_index()).into(),
        };
        let place = frame.offset().map(|offset| format!(" @ {offset:#x}"));
        let _ = write!(message, "\n{i:4}: {function}{}", place.unwrap_or_default());
        if let Some(location) = location {
            let _ = write!(message, "\n      at {location}");
        }
    }
    if frames.len() > MAX_FRAMES {
        let _ = write!(message, "\n      … and {} more", frames.len() - MAX_FRAMES);
    }
}

fn unknown_imports(name: &str, imports: &[UnknownImport]) -> String {
    let mut message = match imports.len() {
        1 => format!("{name} imports what rwasm does not have:"),
        n => format!("{name} imports {n} things that rwasm does not have:"),
    };
    for import in imports.iter().take(MAX_IMPORTS) {
        let _ = write!(
            message,
            "\n  {} {} ({})",
            import.module, import.name, import.ty
        );
        if let Some((module, name)) = &import.suggestion {
            let _ = write!(message, "; did you mean {module} {name}?");
        }
    }
    if imports.len() > MAX_IMPORTS {
        let _ = write!(message, "\n  … and {} more", imports.len() - MAX_IMPORTS);
    }
    let advice = imports.iter().find_map(|import| {
        let known = MAKERS
            .iter()
            .find(|(start, _)| import.module.starts_with(start));
        known.map(|&(_, advice)| advice)
    });
    let _ = write!(message, "\n{}", advice.unwrap_or(ANY_MAKER));
    message
}

/// The modules that imports name in programs made for other hosts, and what
/// to do with such a program.
const MAKERS: &[(&str, &str)] = &[
    (
        "wasi:",
        "They belong to WASI 0.2 or later; build it for the target wasm32-wasip1.",
    ),
    (
        "wasix",
        "They belong to WASIX, a set of its own; build it for the target wasm32-wasip1.",
    ),
    ("wbg", FOR_BROWSERS),
    ("__wbindgen", FOR_BROWSERS),
    (
        "gojs",
        "They come from GOOS=js; build it with GOOS=wasip1 GOARCH=wasm.",
    ),
    (
        "env",
        "`env` is what the linker did not find, or JavaScript of Emscripten; link the missing \
         library, or build it for the target wasm32-wasip1.",
    ),
];

const FOR_BROWSERS: &str = "They are JavaScript that wasm-bindgen writes; build it for the target \
                            wasm32-wasip1, without wasm-bindgen.";

const ANY_MAKER: &str = "Build it for the target wasm32-wasip1, whose imports rwasm has.";
