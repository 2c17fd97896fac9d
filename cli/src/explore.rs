//! `rwasm explore`: what is in a module.
//!
//! It goes by the headers alone: no body is validated, nothing is executed,
//! and every proposal that the parser knows is accepted, so that it also shows
//! modules that cannot be run. With `--interp` it shows what the interpreter
//! makes of the functions instead; nothing is executed then either.

mod interp;
mod summary;
mod text;

use rwasm::parser::{Features, Module, ParseOptions, SpecVersion};

use crate::args::ExploreArgs;
use crate::failure::{Failure, Result};
use crate::source::Source;
use crate::{exit, output, sentences};

use summary::Summary;

/// Shows what is in a module, as text or as JSON, or its interpreter code.
pub fn explore(args: ExploreArgs) -> Result<u8> {
    let source = Source::open(args.file.as_os_str())?;
    if args.interp {
        return interp::print(&source, args.func.as_deref());
    }
    let (name, size) = (source.name().to_owned(), source.size());
    let options = ParseOptions {
        features: Features {
            version: SpecVersion::Wasm3,
            threads: true,
            custom_page_sizes: true,
            wide_arithmetic: true,
            legacy_exceptions: true,
        },
        validate_bodies: false,
    };
    let module = Module::parse_any(source.into_bytes()?.into(), Some(&name), &options)
        .map_err(|error| Failure::new(exit::FAILED, sentences::no_module(&name, &error)))?;
    let producers = module.producers();
    let summary = Summary::of(&name, size, &module, &producers);
    if args.json {
        let json = serde_json::to_string_pretty(&summary).expect("strings and numbers alone");
        output::print(&(json + "\n"))?;
    } else {
        output::print(&output::printable(&text::render(&summary)))?;
    }
    Ok(0)
}
