//! The processor that code is made for, and how.

use cranelift_codegen::isa::{self, OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable, SetError};
use std::sync::OnceLock;
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

/// The processor that this process runs on.
pub(crate) fn host() -> Result<&'static dyn TargetIsa, IsaError> {
    static HOST: OnceLock<Result<OwnedTargetIsa, IsaError>> = OnceLock::new();
    match HOST.get_or_init(build) {
        Ok(isa) => Ok(&**isa),
        Err(error) => Err(error.clone()),
    }
}

fn build() -> Result<OwnedTargetIsa, IsaError> {
    let refuse = |error: &dyn std::fmt::Display| IsaError(error.to_string());
    let mut flags = settings::builder();
    for (name, value) in SETTINGS {
        flags.set(name, value).map_err(|error| refuse(&error))?;
    }
    let mut isa = isa::lookup(target_lexicon::Triple::host()).map_err(|error| refuse(&error))?;
    enable_features(&mut isa).map_err(|error| refuse(&error))?;
    isa.finish(settings::Flags::new(flags))
        .map_err(|error| refuse(&error))
}

/// Allows the instructions that this processor has.
#[cfg(target_arch = "x86_64")]
fn enable_features(isa: &mut dyn Configurable) -> Result<(), SetError> {
    macro_rules! features {
        ($($feature:tt => $($setting:literal),+;)*) => {$(
            if std::is_x86_feature_detected!($feature) {
                $(isa.enable($setting)?;)+
            }
        )*};
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
    Ok(())
}

/// The instructions that every processor of the architecture has.
#[cfg(not(target_arch = "x86_64"))]
fn enable_features(_isa: &mut dyn Configurable) -> Result<(), SetError> {
    Ok(())
}
