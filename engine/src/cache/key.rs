//! What an entry of the cache is for.

use rwasm_parser::SectionKind;
use rwasm_runtime::code::{CodeSettings, ModuleCode};
use std::fmt;

/// Which build of this crate made code: see `build.rs`.
pub(super) const BUILD: &str = env!("RWASM_BUILD");

/// A hash of everything that machine code of a module depends on, but for the
/// bodies it was compiled from: the build that made it, the processor, the
/// settings, and the module's types, imports, declarations and exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key(pub(super) [u8; 32]);

impl Key {
    pub(super) fn of(code: &ModuleCode) -> Key {
        let module = &*code.module;
        let mut hasher = blake3::Hasher::new();
        let mut text = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        text(BUILD);
        text(&rwasm_jit::fingerprint());
        text(&settings(code));
        for section in module.sections() {
            match section.kind {
                // Machine code reads data and custom sections at run time, if
                // ever; bodies have hashes of their own.
                SectionKind::Code | SectionKind::Data | SectionKind::Custom(_) => continue,
                _ => {}
            }
            let range = section.range.start as usize..section.range.end as usize;
            let bytes = module.bytes().get(range).unwrap_or_default();
            hasher.update(section.kind.to_string().as_bytes());
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        }
        Key(*hasher.finalize().as_bytes())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The settings of the engine that code depends on, as text. When bodies are
/// validated makes no difference, nor does what runs them meanwhile.
pub(super) fn settings(code: &ModuleCode) -> String {
    let CodeSettings {
        guarded_memories,
        fuel,
        interruption,
        lazy_validation: _,
        tier_up: _,
    } = code.settings;
    let features = code.module.features();
    format!(
        "guarded memories: {guarded_memories}, fuel: {fuel}, interruption: {interruption}, {features:?}"
    )
}
