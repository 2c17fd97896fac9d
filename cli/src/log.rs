//! `RWASM_LOG`: what the runtime does inside, for who looks into it.
//!
//! `RWASM_LOG=tiering=debug` tells what is compiled, when, why and how long it
//! took; `cache=debug` what was found in the cache. Several are separated by
//! commas. It goes before what `rwasm serve --log` says.

use std::io;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{fmt, registry};

use crate::exit;
use crate::failure::{Failure, Result};

/// The variable.
const VARIABLE: &str = "RWASM_LOG";

/// Begins to write to standard error what the variable asks for.
pub fn start() -> Result<()> {
    let Some(value) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) else {
        return Ok(());
    };
    let refused = |why: &dyn std::fmt::Display| {
        let message = format!("{VARIABLE} is not understood: {why}; write `tiering=debug`, say");
        Failure::new(exit::USAGE, message)
    };
    let text = value.to_str().ok_or_else(|| refused(&"it is no text"))?;
    let targets: Targets = text.parse().map_err(|error| refused(&error))?;
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(false);
    registry().with(lines).with(targets).init();
    Ok(())
}
