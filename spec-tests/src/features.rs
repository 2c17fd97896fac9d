//! Which WebAssembly a script is written against.

use rwasm::{Config, Result, Tier};
use rwasm_parser::{Features, Module, ParseOptions};

/// The features that a script's modules are validated with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ScriptFeatures {
    /// WebAssembly 3.0.
    #[default]
    Wasm3,
    /// The threads proposal. Its suite branched off from version 1.0.
    Threads,
    /// Version 3.0 with the custom-page-sizes proposal.
    CustomPageSizes,
    /// Version 3.0 with the wide-arithmetic proposal.
    WideArithmetic,
    /// Version 3.0 with the exceptions of before it.
    LegacyExceptions,
}

impl ScriptFeatures {
    /// The features for a script of the official suite, by its path: what lies
    /// under `proposals/` needs the proposal, what lies under `legacy/exceptions/`
    /// the instructions of before, everything else is version 3.0.
    pub fn of_path(path: &str) -> Self {
        let in_proposal = |name: &str| {
            path.split_once("proposals/")
                .and_then(|(_, rest)| rest.split_once('/'))
                .is_some_and(|(folder, _)| folder == name)
        };
        match () {
            () if in_proposal("threads") => ScriptFeatures::Threads,
            () if in_proposal("custom-page-sizes") => ScriptFeatures::CustomPageSizes,
            () if in_proposal("wide-arithmetic") => ScriptFeatures::WideArithmetic,
            () if path.contains("legacy/exceptions/") => ScriptFeatures::LegacyExceptions,
            () => ScriptFeatures::Wasm3,
        }
    }

    /// The configuration of an engine for these features.
    pub(crate) fn config(self, tier: Tier) -> Config {
        let mut config = Config::new();
        config.tier(tier).legacy_exceptions(false);
        match self {
            ScriptFeatures::Wasm3 => &mut config,
            ScriptFeatures::Threads => config.threads(true),
            ScriptFeatures::CustomPageSizes => config.custom_page_sizes(true),
            ScriptFeatures::WideArithmetic => config.wide_arithmetic(true),
            ScriptFeatures::LegacyExceptions => config.legacy_exceptions(true),
        };
        config
    }

    /// An error for a module that these features do not allow, although the
    /// engine does, whose base is version 3.0 always.
    pub(crate) fn check(self, module: &[u8]) -> Result<()> {
        if self != ScriptFeatures::Threads {
            return Ok(());
        }
        let options = ParseOptions {
            features: Features::WASM1_THREADS,
            validate_bodies: true,
        };
        Module::parse_any(module.to_vec().into(), None, &options)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_follow_the_folder() {
        let cases = [
            ("core/i32.wast", ScriptFeatures::Wasm3),
            ("core/simd/simd_load.wast", ScriptFeatures::Wasm3),
            ("proposals/threads/atomic.wast", ScriptFeatures::Threads),
            (
                "/suite/proposals/threads/atomic.wast",
                ScriptFeatures::Threads,
            ),
            (
                "proposals/custom-page-sizes/x.wast",
                ScriptFeatures::CustomPageSizes,
            ),
            (
                "proposals/wide-arithmetic/x.wast",
                ScriptFeatures::WideArithmetic,
            ),
            ("proposals/threads.wast", ScriptFeatures::Wasm3),
            (
                "legacy/exceptions/core/rethrow.wast",
                ScriptFeatures::LegacyExceptions,
            ),
            ("core/exceptions/throw.wast", ScriptFeatures::Wasm3),
        ];
        for (path, expected) in cases {
            assert_eq!(ScriptFeatures::of_path(path), expected, "{path}");
        }
    }
}
