//! What is remembered from run to run: machine code of hot functions, the adapters
//! that it is called by, what the interpreter made of others ([`lowered`]), and
//! that a module was found valid.
//!
//! ```text
//!  module ─ key ─► folder ─ entry ─► functions whose bodies are the same ─► cells
//!     │                       ▲
//!     └─ afterwards ──────────┘ the functions that have machine code by now
//! ```
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

mod entry;
mod file;
mod folder;
mod huge;
mod key;
mod lowered;

pub use file::PrecompiledError;
pub use folder::{CacheError, CacheInfo};

pub(crate) use file::{is_precompiled, read as read_precompiled, write as write_precompiled};

use crate::tiers;
use entry::{Entry, Function};
use folder::Folder;
use key::Key;
use lowered::LoweredBodies;
use rwasm_parser::LocalFuncIndex;
use rwasm_runtime::code::ModuleCode;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tracing::debug;

/// What a [`Cache`] takes of the disk by default. Entries of large programs have
/// some megabytes (CPython, after a short script: 3).
const DEFAULT_MAX_BYTES: u64 = 256 << 20;

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
    folder: Folder,
    key: Key,
    /// Functions whose machine code was there.
    recalled: usize,
    lowered: Arc<LoweredBodies>,
    program: OnceLock<Option<Vec<u8>>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Functions that came from the cache or went to it.
    known: usize,
    /// Adapters that came from the cache or went to it.
    known_adapters: usize,
    /// The hash of a module with this key that is known to be valid.
    valid: Option<[u8; 32]>,
    /// Whether the cache does not have that yet.
    new_valid: bool,
}

impl ModuleCache {
    /// Looks up a module, and gives its functions the machine code that is
    /// remembered.
    pub(crate) fn recall(cache: &Cache, code: &ModuleCode) -> ModuleCache {
        let mut cached = ModuleCache {
            folder: cache.folder.clone(),
            key: Key::of(code),
            recalled: 0,
            lowered: Arc::default(),
            program: OnceLock::new(),
            state: Mutex::default(),
        };
        if let Some(bytes) = cached.folder.read(&cached.key) {
            cached.take_up(code, bytes);
        }
        if code.settings.lazy_validation && cached.program().is_some() {
            code.keep_bodies(cached.lowered.clone());
        }
        cached
    }

    /// The program that bodies are lowered in: distances between handlers are
    /// those of one program as it was linked.
    fn program(&self) -> Option<&[u8]> {
        self.program.get_or_init(rwasm_interp::program).as_deref()
    }

    /// Takes up what an entry has.
    fn take_up(&mut self, code: &ModuleCode, bytes: Vec<u8>) {
        let entry = match Entry::decode(&bytes, &self.key) {
            Ok(entry) => entry,
            Err(error) => {
                debug!(target: "cache", %error, key = %self.key, "entry not used");
                return;
            }
        };
        self.recalled = install(code, &entry);
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.valid = entry.valid;
        state.known = self.recalled;
        state.known_adapters = entry.adapters.len();
        if !entry.lowered.is_empty() && self.program() == Some(&*entry.program) {
            debug!(target: "cache", bodies = entry.lowered.len(), "lowered by an earlier run");
            let kept = entry.lowered.iter().map(|lowered| {
                let start = lowered.code.as_ptr().addr() - bytes.as_ptr().addr();
                let range = start..start + lowered.code.len();
                (lowered.func, lowered.body, range)
            });
            let kept: Vec<_> = kept.collect();
            self.lowered = Arc::new(LoweredBodies::new(bytes, kept));
        }
    }

    /// Functions whose machine code was there.
    pub(crate) fn recalled(&self) -> usize {
        self.recalled
    }

    /// Functions whose lowered bodies were there.
    pub(crate) fn recalled_bodies(&self) -> usize {
        self.lowered.recalled()
    }

    /// Whether a module of these bytes is known to be valid.
    pub(crate) fn is_valid(&self, bytes: &[u8]) -> bool {
        let valid = self.lock().valid;
        // The hash takes a twentieth of the time of validation.
        valid.is_some_and(|valid| valid == *blake3::hash(bytes).as_bytes())
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
        let compiled = rwasm_jit::published(code);
        let mut state = self.lock();
        let adapters = if compiled.is_empty() {
            Vec::new()
        } else {
            rwasm_jit::adapters(code)
        };
        let nothing_new = compiled.len() <= state.known && adapters.len() <= state.known_adapters;
        if nothing_new && !state.new_valid && !self.lowered.grew() {
            return Ok(false);
        }
        let program = self.program().unwrap_or_default();
        let mut fresh = Vec::new();
        let lowered = if program.is_empty() {
            Vec::new()
        } else {
            let has_code = |func: u32| {
                let funcs = compiled.binary_search_by_key(&func, |compiled| compiled.func.as_u32());
                funcs.is_ok()
            };
            self.lowered.all(code, &mut fresh, has_code)
        };
        let adapter_count = adapters.len();
        let functions = compiled
            .iter()
            .filter_map(|function| Function::of(function, code));
        let entry = Entry {
            valid: state.valid,
            functions: functions.collect(),
            adapters: adapters.into_iter().map(Into::into).collect(),
            program: program.into(),
            lowered,
        };
        self.folder.write(&self.key, &entry.encode(&self.key))?;
        state.known = compiled.len();
        state.known_adapters = adapter_count;
        state.new_valid = false;
        self.lowered.written();
        Ok(true)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Publishes the functions of an entry that are those of the module; returns how
/// many they are.
fn install(code: &ModuleCode, entry: &Entry<'_>) -> usize {
    if entry.functions.is_empty() || !rwasm_jit::init_running() {
        return 0;
    }
    let compiled: Vec<_> = entry
        .functions
        .iter()
        .filter_map(|function| function.compiled(code))
        .collect();
    let count = compiled.len();
    let adapters = entry.adapters.iter().map(|adapter| &**adapter);
    match rwasm_jit::take_up_adapters(code, adapters) {
        Ok(adapters) => debug!(target: "cache", adapters, "adapters from an earlier run"),
        Err(error) => debug!(target: "cache", %error, "adapters of an earlier run not used"),
    }
    match rwasm_jit::publish(code, compiled, tiers::call_by_array()) {
        Ok(bytes) => {
            debug!(target: "cache", functions = count, bytes, "machine code from an earlier run");
            count
        }
        Err(error) => {
            debug!(target: "cache", %error, "machine code of an earlier run not used");
            0
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
