//! `rwasm validate`: are these modules?

use rwasm::{Config, Engine, Validation};

use crate::args::ValidateArgs;
use crate::failure::{Failure, Result};
use crate::source::Source;
use crate::{exit, output};

/// Says of each file that is no valid module why, and of the others nothing.
pub fn validate(args: ValidateArgs) -> Result<u8> {
    let mut config = Config::new();
    args.proposals.apply(config.validation(Validation::Eager));
    let engine =
        Engine::new(&config).map_err(|error| Failure::new(exit::FAILED, error.to_string()))?;
    let mut code = 0;
    for file in &args.files {
        let valid = Source::open(file.as_os_str()).and_then(|source| source.load(&engine));
        if let Err(failure) = valid {
            output::complain(&failure);
            code = exit::FAILED;
        }
    }
    Ok(code)
}
