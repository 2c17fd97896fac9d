//! What is remembered from run to run: machine code of hot functions, the adapters
//! that it is called by, what the interpreter made of others ([`lowered`]), and
//! that a module was found valid.
//!
//! ```text
//!  module ─ key ─► folder ─ entry ─ first call ─► code of functions whose bodies
//!     │                       ▲                     are the same ─► cells
//!     └─ afterwards ──────────┘ the functions that have machine code by now
//! ```
//! Of an entry nothing but the index is read before a function is called: what a run
//! does not need costs it nothing ([`blocks`]).
//!
//! A key ([`key`]) stands for all of a module but its bodies and data, and for
//! all that machine code depends on beside it. So a module is found without
//! reading it as a whole, and each function ([`entry::Function`]) names the
//! bodies that it was compiled from by a hash of its own: it is of use wherever
//! these are the same, whatever became of others.
//!
//! Nothing here is an error of a run: what cannot be read, is damaged, or is of
//! somebody else is a miss, and what cannot be written is not remembered.
//! Whoever can write to the folder can run code as its owner, so that it must
//! belong to the process's user, and to nobody else ([`folder`]).

mod blocks;
mod entry;
mod file;
mod folder;
mod huge;
mod key;
mod lowered;
mod machine;

pub use file::PrecompiledError;
pub use folder::{CacheError, CacheInfo};

pub(crate) use file::{is_precompiled, read as read_precompiled, write as write_precompiled};

use blocks::{Blocks, EntryError, Source};
use entry::{Contents, Function, Index};
use folder::Folder;
use key::Key;
use lowered::LoweredBodies;
use machine::MachineCode;
use rwasm_jit::Compiled;
use rwasm_parser::LocalFuncIndex;
use rwasm_runtime::code::{KeptCode, ModuleCode};
use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tracing::debug;

/// What a [`Cache`] takes of the disk by default. Entries of large programs have
/// some megabytes (CPython, after a short script: 3).
const DEFAULT_MAX_BYTES: u64 = 256 << 20;

/// Modules of no more bytes are not looked up before one of their functions gets hot:
/// in most of them none ever does, and a look-up takes a fifteenth of the time of a
/// program that prints a line (`docs/RATIONALE.md`). Where the bound should be was not
/// measured.
const SMALL: usize = 16 << 10;

/// A folder in which engines remember machine code from run to run; see
/// [`Config::cache`](crate::Config::cache). Any number of processes may use it at
/// the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    folder: Folder,
}

impl Cache {
    /// The cache in this folder, which is made when there is first something to
    /// remember. It must belong to the user that the process runs as and be
    /// closed to others; otherwise nothing is read from it or written to it.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Cache {
            folder: Folder::new(folder.into(), DEFAULT_MAX_BYTES),
        }
    }

    /// Bounds the bytes that all entries take: beyond it, those that were not
    /// used for longest go. The default is 256 MiB.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.folder.max_bytes = bytes;
        self
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder.path
    }

    /// What is in it. An empty one may not exist.
    ///
    /// # Errors
    /// If its folder cannot be read, or is not closed to others.
    pub fn info(&self) -> Result<CacheInfo, CacheError> {
        self.folder.info()
    }

    /// Removes all entries; returns what was in it.
    ///
    /// # Errors
    /// As for [`Cache::info`].
    pub fn clear(&self) -> Result<CacheInfo, CacheError> {
        self.folder.clear()
    }
}

/// What a module has to do with the cache of its engine.
#[derive(Debug)]
pub(crate) struct ModuleCache {
    recalled: Arc<Recalled>,
    lowered: Arc<LoweredBodies>,
    program: OnceLock<Option<Vec<u8>>>,
    state: Mutex<State>,
}

/// What there was of a module when it was looked up.
#[derive(Debug)]
struct Found {
    key: Key,
    entry: Option<Arc<OpenEntry>>,
    code: Option<MachineCode>,
}

/// The same, for a module that may not have been looked up yet.
#[derive(Debug)]
struct Recalled {
    folder: Folder,
    found: OnceLock<Found>,
}

impl Recalled {
    fn found(&self, code: &ModuleCode) -> &Found {
        self.found.get_or_init(|| {
            let key = Key::of(code);
            let file = self.folder.open_entry(&key);
            let entry = file.and_then(|(file, size)| open(file, size, &key));
            if let Some(OpenEntry { index, .. }) = entry.as_deref() {
                let (functions, bodies) = (index.functions.len(), index.lowered.len());
                debug!(target: "cache", functions, bodies, "an entry of an earlier run");
            }
            let has_code = |entry: &&Arc<OpenEntry>| !entry.index.functions.is_empty();
            let code = entry.as_ref().filter(has_code).cloned();
            Found {
                key,
                code: code.map(MachineCode::new),
                entry,
            }
        })
    }

    /// The machine code that was found, if that was looked for.
    fn code(&self) -> Option<&MachineCode> {
        self.found.get()?.code.as_ref()
    }
}

impl KeptCode for Recalled {
    fn publish_called(&self, code: &ModuleCode, func: LocalFuncIndex) -> bool {
        let kept = self.code();
        kept.is_some_and(|kept| kept.publish(code, func))
    }

    fn publish_hot(&self, code: &ModuleCode, func: LocalFuncIndex) -> bool {
        let kept = self.found(code).code.as_ref();
        kept.is_some_and(|kept| kept.publish(code, func))
    }
}

/// An entry whose index was read.
#[derive(Debug)]
struct OpenEntry {
    blocks: Blocks,
    index: Index,
}

impl OpenEntry {
    fn new(source: Source, size: u64, key: &Key) -> Result<Self, EntryError> {
        let blocks = Blocks::open(source, size, key)?;
        let index = Index::of(&blocks)?;
        Ok(OpenEntry { blocks, index })
    }
}

#[derive(Debug, Default)]
struct State {
    /// Functions that were compiled since, and that the cache has by now.
    written: usize,
    /// The same of adapters.
    written_adapters: usize,
    /// The hash of a module with this key that was found valid since.
    valid: Option<[u8; 32]>,
    /// Whether the cache does not have that yet.
    new_valid: bool,
}

impl ModuleCache {
    /// Looks up a module, and has its functions begin with what is remembered of
    /// them. A small module is looked up when one of its functions gets hot: see
    /// [`SMALL`].
    pub(crate) fn recall(cache: &Cache, code: &ModuleCode) -> ModuleCache {
        let recalled = Arc::new(Recalled {
            folder: cache.folder.clone(),
            found: OnceLock::new(),
        });
        let mut cached = ModuleCache {
            recalled: recalled.clone(),
            lowered: Arc::default(),
            program: OnceLock::new(),
            state: Mutex::default(),
        };
        if code.module.bytes().len() > SMALL {
            let entry = recalled.found(code).entry.as_ref();
            if let Some(entry) = entry.filter(|entry| !entry.index.lowered.is_empty())
                && cached.program() == Some(&*entry.index.program)
            {
                cached.lowered = Arc::new(LoweredBodies::new(entry.clone()));
            }
            if code.settings.lazy_validation && cached.program().is_some() {
                code.keep_bodies(cached.lowered.clone());
            }
        }
        code.keep_code(recalled);
        cached
    }

    /// The program that bodies are lowered in: distances between handlers are
    /// those of one program as it was linked.
    fn program(&self) -> Option<&[u8]> {
        self.program.get_or_init(rwasm_interp::program).as_deref()
    }

    /// Functions that got machine code of an earlier run until now.
    pub(crate) fn recalled(&self) -> usize {
        self.recalled.code().map_or(0, MachineCode::functions)
    }

    /// Functions that got lowered bodies of an earlier run until now.
    pub(crate) fn recalled_bodies(&self) -> usize {
        self.lowered.recalled()
    }

    /// Whether a module of these bytes is known to be valid.
    pub(crate) fn is_valid(&self, code: &ModuleCode) -> bool {
        let valid = self.lock().valid;
        let entry = self.recalled.found(code).entry.as_ref();
        let valid = valid.or_else(|| entry?.index.valid);
        // The hash takes a twentieth of the time of validation.
        valid.is_some_and(|valid| valid == *blake3::hash(code.module.bytes()).as_bytes())
    }

    /// A module of these bytes was found valid.
    pub(crate) fn note_valid(&self, bytes: &[u8]) {
        let hash = *blake3::hash(bytes).as_bytes();
        let mut state = self.lock();
        state.valid = Some(hash);
        state.new_valid = true;
    }

    /// Writes what is not in the cache yet; returns whether there was any.
    pub(crate) fn remember(&self, code: &ModuleCode) -> Result<bool, CacheError> {
        let recalled = self.recalled();
        let compiled = rwasm_jit::published(code);
        let mut state = self.lock();
        let adapters = if compiled.is_empty() {
            Vec::new()
        } else {
            rwasm_jit::adapters(code)
        };
        let known_adapters = self.recalled.code().map_or(0, MachineCode::adapters);
        let new = compiled.len().saturating_sub(recalled);
        let new_adapters = adapters.len().saturating_sub(known_adapters);
        let nothing_new = new <= state.written && new_adapters <= state.written_adapters;
        if nothing_new && !state.new_valid && !self.lowered.grew() {
            return Ok(false);
        }
        self.write(code, &compiled, adapters, state.valid)?;
        state.written = new;
        state.written_adapters = new_adapters;
        state.new_valid = false;
        self.lowered.written();
        Ok(true)
    }

    /// Writes these functions and adapters, what the entry has beside them, and
    /// lowered bodies.
    fn write(
        &self,
        code: &ModuleCode,
        compiled: &[Compiled],
        mut adapters: Vec<Vec<u8>>,
        valid: Option<[u8; 32]>,
    ) -> Result<(), CacheError> {
        let mut have_code: HashSet<u32> = compiled.iter().map(|item| item.func.as_u32()).collect();
        let compiled = compiled.iter();
        let mut functions: Vec<_> = compiled
            .filter_map(|function| Function::of(function, code))
            .collect();
        let Found { key, entry, .. } = self.recalled.found(code);
        if let Some(entry) = entry {
            let carried = machine::carry_over(code, entry, |func| have_code.contains(&func));
            have_code.extend(carried.iter().map(|function| function.func));
            functions.extend(carried);
            adapters.extend(machine::adapters(entry));
            adapters.sort_unstable();
            adapters.dedup();
        }
        let program = self.program().unwrap_or_default();
        let mut fresh = Vec::new();
        let lowered = if program.is_empty() {
            Vec::new()
        } else {
            let has_code = |func| have_code.contains(&func);
            self.lowered.all(code, &mut fresh, has_code)
        };
        let known_valid = entry.as_ref().and_then(|entry| entry.index.valid);
        let contents = Contents {
            valid: valid.or(known_valid),
            functions,
            adapters,
            program,
            lowered,
        };
        let [head, blocks] = contents.encode(key);
        self.recalled.folder.write(key, &[&head, &blocks])
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An entry in a file of this size, if it is one for this key.
fn open(file: File, size: u64, key: &Key) -> Option<Arc<OpenEntry>> {
    match OpenEntry::new(Source::File(file), size, key) {
        Ok(entry) => Some(Arc::new(entry)),
        Err(error) => {
            debug!(target: "cache", %error, %key, "entry not used");
            None
        }
    }
}

/// The bytes of a body, behind where they are in the module, as code knows it.
fn hash_body(code: &ModuleCode, func: LocalFuncIndex, hasher: &mut blake3::Hasher) {
    let body = code.module.bodies()[func.index()];
    let bytes = code.module.bytes().get(body.range()).unwrap_or_default();
    hash_bytes(body.start(), bytes, hasher);
}

/// The bytes of a body that begins at an offset of its module.
fn hash_bytes(start: usize, bytes: &[u8], hasher: &mut blake3::Hasher) {
    hasher.update(&(start as u64).to_le_bytes());
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}
