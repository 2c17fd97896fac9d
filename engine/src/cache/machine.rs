//! Machine code of an entry: placed when one of its functions is first called, a
//! block of it at a time.

use super::OpenEntry;
use super::blocks::{Blocks, EntryError};
use super::entry::{self, Function, Index};
use crate::tiers;
use rwasm_jit::Compiled;
use rwasm_parser::LocalFuncIndex;
use rwasm_runtime::code::ModuleCode;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tracing::debug;

/// That of one module.
#[derive(Debug)]
pub(super) struct MachineCode {
    entry: Arc<OpenEntry>,
    placed: Mutex<Placed>,
}

#[derive(Debug, Default)]
struct Placed {
    /// The blocks that were looked at, whatever came of it.
    blocks: BTreeSet<u32>,
    /// Functions that got their machine code.
    functions: usize,
    /// Adapters that the entry has, once they were taken up.
    adapters: Option<usize>,
}

impl MachineCode {
    pub(super) fn new(entry: Arc<OpenEntry>) -> Self {
        MachineCode {
            entry,
            placed: Mutex::default(),
        }
    }

    /// Functions that got their machine code until now.
    pub(super) fn functions(&self) -> usize {
        self.lock().functions
    }

    /// How many adapters were taken up or found to be there.
    pub(super) fn adapters(&self) -> usize {
        self.lock().adapters.unwrap_or_default()
    }

    /// Publishes the block that a function is in; returns whether the function has
    /// machine code now.
    pub(super) fn publish(&self, code: &ModuleCode, func: LocalFuncIndex) -> bool {
        let Some(block) = self.entry.index.code_block(func.as_u32()) else {
            return false;
        };
        // Others who need the block wait until it is there.
        let mut placed = self.lock();
        if placed.blocks.insert(block) {
            self.place(code, block, &mut placed);
        }
        drop(placed);
        rwasm_jit::is_published(code, func)
    }

    fn lock(&self) -> MutexGuard<'_, Placed> {
        self.placed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, code: &ModuleCode, block: u32, placed: &mut Placed) {
        if !rwasm_jit::init_running() {
            return;
        }
        let OpenEntry { blocks, index } = &*self.entry;
        if placed.adapters.is_none() {
            placed.adapters = Some(take_up_adapters(code, blocks, index).unwrap_or_default());
        }
        let Ok(bytes) = blocks.read(block) else {
            return;
        };
        let functions = entry::functions(&bytes).unwrap_or_default();
        let functions = functions
            .iter()
            .filter(|function| {
                let func = LocalFuncIndex::from_u32(function.func);
                !rwasm_jit::is_published(code, func)
            })
            .filter_map(|function| function.compiled(code));
        placed.functions += publish(code, functions.collect());
    }
}

/// Places all machine code of an entry at once; returns how many functions that
/// are.
///
/// # Errors
/// If a block is damaged.
pub(super) fn place_all(
    code: &ModuleCode,
    blocks: &Blocks,
    index: &Index,
) -> Result<usize, EntryError> {
    if index.functions.is_empty() || !rwasm_jit::init_running() {
        return Ok(0);
    }
    take_up_adapters(code, blocks, index)?;
    let mut compiled = Vec::new();
    for block in index.code_blocks() {
        let bytes = blocks.read(block)?;
        let functions = entry::functions(&bytes)?;
        compiled.extend(
            functions
                .iter()
                .filter_map(|function| function.compiled(code)),
        );
    }
    Ok(publish(code, compiled))
}

/// The functions of an entry that are those of the module and not in `others`,
/// from blocks that are as they were written.
pub(super) fn carry_over(
    code: &ModuleCode,
    entry: &OpenEntry,
    is_among_others: impl Fn(u32) -> bool,
) -> Vec<Function<'static>> {
    let mut carried = Vec::new();
    for block in entry.index.code_blocks() {
        let Ok(bytes) = entry.blocks.read(block) else {
            continue;
        };
        let functions = entry::functions(&bytes).unwrap_or_default().into_iter();
        let functions =
            functions.filter(|function| !is_among_others(function.func) && function.is_of(code));
        carried.extend(functions.map(Function::into_owned));
    }
    carried
}

/// The adapters of an entry, if they are as they were written.
pub(super) fn adapters(entry: &OpenEntry) -> Vec<Vec<u8>> {
    let block = entry.index.adapters;
    let bytes = block.and_then(|block| entry.blocks.read(block).ok());
    let bytes = bytes.unwrap_or_default();
    let adapters = entry::adapters(&bytes).unwrap_or_default();
    adapters.into_iter().map(<[u8]>::to_vec).collect()
}

/// Takes up the adapters of an entry; returns how many it has.
fn take_up_adapters(
    code: &ModuleCode,
    blocks: &Blocks,
    index: &Index,
) -> Result<usize, EntryError> {
    let Some(block) = index.adapters else {
        return Ok(0);
    };
    let bytes = blocks.read(block)?;
    let adapters = entry::adapters(&bytes)?;
    let count = adapters.len();
    match rwasm_jit::take_up_adapters(code, adapters) {
        Ok(adapters) => debug!(target: "cache", adapters, "adapters from an earlier run"),
        Err(error) => debug!(target: "cache", %error, "adapters of an earlier run not used"),
    }
    Ok(count)
}

/// Publishes functions of an entry; returns how many that are.
fn publish(code: &ModuleCode, compiled: Vec<Compiled>) -> usize {
    let count = compiled.len();
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
