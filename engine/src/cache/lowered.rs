//! Lowered bodies of an entry: what the interpreter need not lower again.
//!
//! They are used where a module's bodies are validated when they are first
//! called. A body that was lowered was valid, and if the module has the same
//! bytes in the same place, and all but bodies and data is the same (which the
//! key says), it still is.

use super::hash_bytes;
use rwasm_parser::LocalFuncIndex;
use rwasm_runtime::code::{BodyHash, KeptBodies, ModuleCode};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// The most bytes of lowered bodies that an entry has: writing so many takes some
/// milliseconds at the end of a run.
const MOST_BYTES: usize = 4 << 20;

/// A lowered body of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lowered<'a> {
    pub(super) func: u32,
    pub(super) body: BodyHash,
    /// As [`rwasm_interp::keep`] gives it.
    pub(super) code: &'a [u8],
}

/// Those of one module: the entry's, and which were lowered since.
#[derive(Debug, Default)]
pub(super) struct LoweredBodies {
    /// The entry, checked.
    entry: Vec<u8>,
    /// Functions in ascending order: each one's body, and where in the entry its
    /// code is.
    kept: Vec<(u32, BodyHash, Range<usize>)>,
    fresh: Mutex<Fresh>,
}

#[derive(Debug, Default)]
struct Fresh {
    funcs: Vec<LocalFuncIndex>,
    /// How many of them the cache has by now.
    written: usize,
}

impl LoweredBodies {
    /// Those at places of an entry.
    pub(super) fn new(entry: Vec<u8>, kept: Vec<(u32, BodyHash, Range<usize>)>) -> Self {
        LoweredBodies {
            entry,
            kept,
            fresh: Mutex::default(),
        }
    }

    /// How many came from the cache.
    pub(super) fn recalled(&self) -> usize {
        self.kept.len()
    }

    /// Whether so many were lowered, and there is room for so many, that it is worth
    /// writing them.
    pub(super) fn grew(&self) -> bool {
        let bytes: usize = self.kept.iter().map(|(.., at)| at.len()).sum();
        let fresh = self.lock();
        let known = self.kept.len() + fresh.written;
        fresh.funcs.len() - fresh.written > known / 8 && bytes < MOST_BYTES / 8 * 7
    }

    /// The entry has what was lowered until now, so far as it has room.
    pub(super) fn written(&self) {
        let mut fresh = self.lock();
        fresh.written = fresh.funcs.len();
    }

    /// What an entry is to have: what was lowered for the first time, and then what
    /// it had before. Functions that have machine code by now are left out.
    pub(super) fn all<'a>(
        &'a self,
        code: &ModuleCode,
        fresh: &'a mut Vec<(u32, BodyHash, Vec<u8>)>,
        has_code: impl Fn(u32) -> bool,
    ) -> Vec<Lowered<'a>> {
        let mut room = MOST_BYTES;
        for &func in &self.lock().funcs {
            if has_code(func.as_u32()) {
                continue;
            }
            if let Some((body, bytes)) = rwasm_interp::keep(code, func) {
                room = room.saturating_sub(bytes.len());
                fresh.push((func.as_u32(), body, bytes));
            }
            if room == 0 {
                break;
            }
        }
        let mut all: BTreeMap<u32, Lowered<'a>> = BTreeMap::new();
        let fresh = fresh
            .iter()
            .map(|(func, body, code)| (*func, *body, &code[..]));
        let kept = self.kept.iter();
        let kept = kept.map(|(func, body, at)| (*func, *body, &self.entry[at.clone()]));
        let mut room = MOST_BYTES;
        for (func, body, code) in fresh.chain(kept) {
            if code.len() <= room && !has_code(func) && !all.contains_key(&func) {
                room -= code.len();
                all.insert(func, Lowered { func, body, code });
            }
        }
        all.into_values().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Fresh> {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeptBodies for LoweredBodies {
    fn hash(&self, code: &ModuleCode, func: LocalFuncIndex, body: &[u8]) -> BodyHash {
        let mut hasher = blake3::Hasher::new();
        hash_bytes(
            code.module.bodies()[func.index()].start(),
            body,
            &mut hasher,
        );
        *hasher.finalize().as_bytes()
    }

    fn find(&self, func: LocalFuncIndex) -> Option<(BodyHash, &[u8])> {
        let func = func.as_u32();
        let place = self.kept.binary_search_by_key(&func, |kept| kept.0).ok()?;
        let (_, body, at) = &self.kept[place];
        Some((*body, &self.entry[at.clone()]))
    }

    fn note(&self, func: LocalFuncIndex) {
        self.lock().funcs.push(func);
    }
}
