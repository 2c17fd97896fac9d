//! Lowered bodies of an entry: what the interpreter need not lower again.
//!
//! They are used where a module's bodies are validated when they are first
//! called. A body that was lowered was valid, and if the module has the same
//! bytes in the same place, and all but bodies and data is the same (which the
//! key says), it still is.

use super::entry::{self, Place};
use super::{OpenEntry, hash_bytes};
use rwasm_parser::LocalFuncIndex;
use rwasm_runtime::code::{BodyHash, KeptBodies, ModuleCode};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The most bytes of lowered bodies that an entry has. What CPython calls until it has
/// printed a line is 5 MB; writing so many takes some milliseconds at the end of a run.
const MOST_BYTES: usize = 8 << 20;

/// One new body is worth writing so many. To write one takes a fifth of the time that
/// lowering it takes (CPython's first line: 21 ms for all that is kept, 116 ms for
/// lowering the same, on a loaded machine), so that this pays with the second run that
/// follows.
const WORTH: usize = 8;

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
    entry: Option<Arc<OpenEntry>>,
    /// The entry's blocks that were needed; `None` where one is damaged.
    blocks: Box<[OnceLock<Option<Vec<u8>>>]>,
    used: Mutex<Used>,
}

/// What a run has called, in order.
#[derive(Debug, Default)]
struct Used {
    /// Functions, and whether what they run came from the entry.
    funcs: Vec<(LocalFuncIndex, bool)>,
    /// How many of them did.
    recalled: usize,
    /// How many of the others an entry has by now.
    written: usize,
}

impl LoweredBodies {
    /// Those of an entry.
    pub(super) fn new(entry: Arc<OpenEntry>) -> Self {
        LoweredBodies {
            blocks: (0..entry.blocks.len()).map(|_| OnceLock::new()).collect(),
            entry: Some(entry),
            used: Mutex::default(),
        }
    }

    /// How many came from the cache.
    pub(super) fn recalled(&self) -> usize {
        self.lock().recalled
    }

    /// Whether so many were lowered that it is worth writing them, with all others.
    pub(super) fn grew(&self) -> bool {
        let index = self.entry.as_ref().map(|entry| &entry.index);
        let known = index.map_or(0, |index| index.lowered.len());
        let used = self.lock();
        let fresh = used.funcs.len() - used.recalled - used.written;
        fresh > (known + used.written) / WORTH
    }

    /// The entry has what was lowered until now, so far as it has room.
    pub(super) fn written(&self) {
        let mut used = self.lock();
        used.written = used.funcs.len() - used.recalled;
    }

    /// What an entry is to have: what this run called, and then what the entry had
    /// before. Functions that have machine code by now are left out. `fresh` is room
    /// for what was lowered for the first time.
    pub(super) fn all<'a>(
        &'a self,
        code: &ModuleCode,
        fresh: &'a mut Vec<(BodyHash, Vec<u8>)>,
        has_code: impl Fn(u32) -> bool,
    ) -> Vec<Lowered<'a>> {
        let mut room = MOST_BYTES;
        let mut taken = HashSet::new();
        let mut order = Vec::new();
        let used = self.lock().funcs.clone();
        for (local, from_entry) in used {
            let func = local.as_u32();
            if room == 0 || has_code(func) || !taken.insert(func) {
                continue;
            }
            let (number, len) = if from_entry {
                (None, self.of_entry(func).map_or(0, |(_, code)| code.len()))
            } else if let Some(kept) = rwasm_interp::keep(code, local) {
                fresh.push(kept);
                let number = fresh.len() - 1;
                (Some(number), fresh[number].1.len())
            } else {
                continue;
            };
            room = room.saturating_sub(len);
            order.push((func, number));
        }
        let used = order.into_iter().filter_map(|(func, number)| {
            let (body, code) = match number {
                None => self.of_entry(func)?,
                Some(number) => (fresh[number].0, &fresh[number].1[..]),
            };
            Some(Lowered { func, body, code })
        });
        let mut all: Vec<_> = used.collect();
        let index = self.entry.as_ref().map(|entry| &entry.index);
        let mut others = index.map_or_else(Vec::new, |index| index.lowered.clone());
        others.sort_unstable_by_key(|(_, place)| (place.block, place.at));
        for (func, place) in others {
            if room > 0
                && !has_code(func)
                && !taken.contains(&func)
                && let Some((body, code)) = self.at(place)
            {
                room = room.saturating_sub(code.len());
                all.push(Lowered { func, body, code });
            }
        }
        all
    }

    /// What the entry has of a function.
    fn of_entry(&self, func: u32) -> Option<(BodyHash, &[u8])> {
        self.at(self.entry.as_ref()?.index.lowered(func)?)
    }

    fn at(&self, place: Place) -> Option<(BodyHash, &[u8])> {
        let entry = self.entry.as_ref()?;
        let block = self.blocks.get(place.block as usize)?;
        let bytes = block.get_or_init(|| entry.blocks.read(place.block).ok());
        entry::lowered(bytes.as_ref()?, place.at)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.of_entry(func.as_u32())
    }

    fn note(&self, func: LocalFuncIndex, found: bool) {
        let mut used = self.lock();
        used.funcs.push((func, found));
        used.recalled += usize::from(found);
    }
}
