//! Which WebAssembly is accepted.

use wasmparser::WasmFeatures;

/// How to parse a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ParseOptions {
    /// Which WebAssembly is accepted.
    pub features: Features,
    /// Whether parsing validates function bodies too. Without it they must be
    /// validated one by one, each before its first use.
    pub validate_bodies: bool,
}

impl Default for ParseOptions {
    fn default() -> Self {
        Self {
            features: Features::default(),
            validate_bodies: true,
        }
    }
}

/// A version of the specification and the proposals accepted beyond it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Features {
    /// The version of the specification.
    pub version: SpecVersion,
    /// The threads proposal: shared memories and atomic instructions.
    pub threads: bool,
    /// The custom-page-sizes proposal: memories with pages of one byte.
    pub custom_page_sizes: bool,
    /// The wide-arithmetic proposal: 128-bit additions and multiplications.
    pub wide_arithmetic: bool,
    /// The exception handling of before version 3.0: `try`, `catch`, `rethrow`
    /// and `delegate`, which compilers still make.
    pub legacy_exceptions: bool,
}

/// A version of the WebAssembly core specification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SpecVersion {
    /// Version 1.0. Proposals' test suites that branched off before later
    /// versions expect errors for what these allow.
    Wasm1,
    /// Version 3.0.
    #[default]
    Wasm3,
}

impl Features {
    /// What the threads proposal's test suite is written against.
    pub const WASM1_THREADS: Self = Self {
        version: SpecVersion::Wasm1,
        threads: true,
        custom_page_sizes: false,
        wide_arithmetic: false,
        legacy_exceptions: false,
    };

    /// The same set in `wasmparser`'s terms.
    pub fn to_wasmparser(self) -> WasmFeatures {
        let mut features = match self.version {
            SpecVersion::Wasm1 => WasmFeatures::WASM1,
            SpecVersion::Wasm3 => WasmFeatures::WASM3,
        };
        // `WASM3` includes threads, which the specification's version 3 does not.
        features.set(WasmFeatures::THREADS, self.threads);
        features.set(WasmFeatures::CUSTOM_PAGE_SIZES, self.custom_page_sizes);
        features.set(WasmFeatures::LEGACY_EXCEPTIONS, self.legacy_exceptions);
        features.set(WasmFeatures::WIDE_ARITHMETIC, self.wide_arithmetic);
        features
    }
}
