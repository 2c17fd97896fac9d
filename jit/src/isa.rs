//! The processor that code is made for, and how.

use cranelift_codegen::isa::{self, OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable, SetError};
use std::str::FromStr;
use std::sync::OnceLock;
use target_lexicon::Triple;
use thiserror::Error;

/// Why no machine code can be made on this machine.
#[derive(Clone, Debug, Error)]
#[error("no machine code for this machine: {0}")]
pub struct IsaError(String);

/// Settings that are the same everywhere, each with its reason where the
/// default is another one. `docs/RATIONALE.md` has the measurements.
const SETTINGS: &[(&str, &str)] = &[
    ("opt_level", "speed"),
    // Backtraces and exceptions walk frame pointers; nothing reads tables.
    ("preserve_frame_pointers", "true"),
    ("unwind_info", "false"),
    // The prologue compares the whole frame with a limit instead.
    ("enable_probestack", "false"),
    // More results than registers: Cranelift passes a pointer to the rest.
    ("enable_multi_ret_implicit_sret", "true"),
    ("enable_heap_access_spectre_mitigation", "true"),
    ("enable_table_access_spectre_mitigation", "true"),
    (
        "enable_verifier",
        if cfg!(debug_assertions) {
            "true"
        } else {
            "false"
        },
    ),
];

/// Whose code is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processor {
    /// The one that this process runs on.
    Host,
    /// x86-64 with SSE 4.2 and popcnt (x86-64-v2), on Linux: what it is given
    /// does not depend on the machine.
    Reference,
}

impl Processor {
    pub(crate) fn isa(self) -> Result<OwnedTargetIsa, IsaError> {
        match self {
            Processor::Host => build(Triple::host(), enable_features),
            Processor::Reference => {
                let triple = Triple::from_str("x86_64-unknown-linux-gnu");
                build(triple.expect("a known triple"), |isa| {
                    REFERENCE.iter().try_for_each(|feature| isa.enable(feature))
                })
            }
        }
    }
}

/// What [`Processor::Reference`] has.
const REFERENCE: &[&str] = &[
    "has_cmpxchg16b",
    "has_sse3",
    "has_ssse3",
    "has_sse41",
    "has_sse42",
    "has_popcnt",
];

/// The processor that this process runs on.
pub(crate) fn host() -> Result<&'static dyn TargetIsa, IsaError> {
    static HOST: OnceLock<Result<OwnedTargetIsa, IsaError>> = OnceLock::new();
    match HOST.get_or_init(|| Processor::Host.isa()) {
        Ok(isa) => Ok(&**isa),
        Err(error) => Err(error.clone()),
    }
}

/// What machine code depends on beside the build of this crate, as text: code
/// that was made where it is the same runs here.
///
/// It names the processor's features, not the processor, and takes no back end,
/// so that a program that never needs machine code does not pay for one.
pub fn fingerprint() -> String {
    let mut text = format!("{} {}", std::env::consts::ARCH, std::env::consts::OS);
    for (feature, _) in FEATURES.iter().filter(|(_, is_there)| is_there()) {
        text.push(' ');
        text.push_str(feature);
    }
    text
}

fn build(
    triple: Triple,
    enable: impl FnOnce(&mut dyn Configurable) -> Result<(), SetError>,
) -> Result<OwnedTargetIsa, IsaError> {
    let refuse = |error: &dyn std::fmt::Display| IsaError(error.to_string());
    let mut flags = settings::builder();
    for (name, value) in SETTINGS {
        flags.set(name, value).map_err(|error| refuse(&error))?;
    }
    let mut isa = isa::lookup(triple).map_err(|error| refuse(&error))?;
    enable(&mut isa).map_err(|error| refuse(&error))?;
    isa.finish(settings::Flags::new(flags))
        .map_err(|error| refuse(&error))
}

/// Allows the instructions that this processor has.
fn enable_features(isa: &mut dyn Configurable) -> Result<(), SetError> {
    let mut features = FEATURES.iter().filter(|(_, is_there)| is_there());
    features.try_for_each(|(setting, _)| isa.enable(setting))
}

/// Cranelift's settings for instructions, and whether this processor has them.
type Features = &'static [(&'static str, fn() -> bool)];

#[cfg(target_arch = "x86_64")]
const FEATURES: Features = {
    macro_rules! features {
        ($($feature:tt => $setting:literal;)*) => {
            &[$(($setting, || std::is_x86_feature_detected!($feature)),)*]
        };
    }
    features! {
        "cmpxchg16b" => "has_cmpxchg16b";
        "sse3" => "has_sse3";
        "ssse3" => "has_ssse3";
        "sse4.1" => "has_sse41";
        "sse4.2" => "has_sse42";
        "popcnt" => "has_popcnt";
        "avx" => "has_avx";
        "avx2" => "has_avx2";
        "fma" => "has_fma";
        "bmi1" => "has_bmi1";
        "bmi2" => "has_bmi2";
        "avx512bitalg" => "has_avx512bitalg";
        "avx512dq" => "has_avx512dq";
        "avx512f" => "has_avx512f";
        "avx512vl" => "has_avx512vl";
        "avx512vbmi" => "has_avx512vbmi";
        "lzcnt" => "has_lzcnt";
    }
};

/// The instructions that every processor of the architecture has.
#[cfg(not(target_arch = "x86_64"))]
const FEATURES: Features = &[];
