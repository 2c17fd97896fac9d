//! When a function is compiled, and when its running call is handed over.
//!
//! A function gets a budget of calls and iterations by the size of its body when
//! it is first called. Once that is spent it is asked for: as a whole if it was
//! called more than once, at the head of the loop that spent it if that call seems
//! to last. Until the code is there, and for as long as calls that began before
//! are in the interpreter, a loop asks again from time to time.

use super::queue::{Queue, Request};
use super::stats::add;
use super::stress::TierStress;
use super::tunables::{BUDGET, BUDGET_PER_BYTE, FEW_CALLS, PATIENCE, POLL};
use crate::config::Config;
use rwasm_jit::Entry;
use rwasm_runtime::code::{CodeCell, ModuleCode, TierUp};
use std::collections::{HashMap, HashSet};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Decides for one module.
#[derive(Debug)]
pub(super) struct Policy {
    queue: Arc<Queue>,
    /// The first budget, if it is not by size.
    budget: Option<u32>,
    stress: Option<TierStress>,
    asked: Mutex<Asked>,
}

#[derive(Debug, Default)]
struct Asked {
    /// What was asked for, whatever became of it.
    entries: HashSet<(u32, Entry)>,
    /// By function: its calls when a loop of it last spent the budget.
    calls: HashMap<u32, u32>,
    /// By function: the loop of it that was asked for last.
    loops: HashMap<u32, AskedLoop>,
}

/// Machine code that begins at one loop of a function has all others as well, so
/// one loop of a function is compiled at a time: the running call will meet it.
#[derive(Debug)]
struct AskedLoop {
    at: u32,
    /// Whether it turned out that it cannot be compiled.
    failed: Arc<AtomicBool>,
    /// How often other loops have still to ask, once this one is compiled, before
    /// it is believed that the call does not come by it.
    patience: u32,
}

impl AskedLoop {
    fn new(at: u32) -> Self {
        AskedLoop {
            at,
            failed: Arc::default(),
            patience: PATIENCE,
        }
    }

    /// Whether the running call, which asks at another loop, can be expected to
    /// be taken over at this one.
    fn should_do(&mut self, cell: &CodeCell, code: &ModuleCode) -> bool {
        if self.failed.load(Ordering::Relaxed) {
            return false;
        }
        if rwasm_jit::heir(code, cell.func, self.at).is_some() {
            self.patience = self.patience.saturating_sub(1);
        }
        self.patience > 0
    }
}

impl Policy {
    pub(super) fn new(queue: Arc<Queue>, config: &Config) -> Self {
        Policy {
            queue,
            budget: config.tier_up_budget,
            stress: config.stress,
            asked: Mutex::default(),
        }
    }

    /// Sets the budget at a function's first call, and counts how often it was
    /// spent; returns that number, 0 for the first call.
    fn spent(&self, cell: &CodeCell, code: &ModuleCode) -> u32 {
        let heat = cell.heat.fetch_add(1, Ordering::Relaxed);
        let budget = match (heat, self.stress) {
            (0, None) => self.first_budget(cell, code),
            (0, Some(stress)) => stress.budget.of(cell.func) as i32,
            (_, None) => POLL,
            (_, Some(_)) => 0,
        };
        if heat == 0 {
            add(&self.queue.counters().called, 1);
        }
        cell.budget.store(budget, Ordering::Relaxed);
        // A budget of nothing is spent at once.
        if heat == 0 && budget == 0 { 1 } else { heat }
    }

    fn first_budget(&self, cell: &CodeCell, code: &ModuleCode) -> i32 {
        let budget = self.budget.unwrap_or_else(|| {
            let bytes = code.module.bodies()[cell.func.index()].len();
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            bytes.saturating_mul(BUDGET_PER_BYTE).saturating_add(BUDGET)
        });
        i32::try_from(budget).unwrap_or(i32::MAX)
    }

    /// Whether the call of a function whose loop has spent the budget seems to
    /// last: it is one of the first, or the same as when that last happened.
    fn call_lasts(&self, cell: &CodeCell, calls: u32) -> bool {
        let mut asked = self.lock();
        let before = asked.calls.insert(cell.func.as_u32(), calls);
        calls <= FEW_CALLS || before == Some(calls) || self.stress.is_some()
    }

    /// Asks for code that begins at a loop, unless another loop of the function
    /// should do.
    fn ask_for_loop(&self, cell: &CodeCell, code: &ModuleCode, loop_at: u32) {
        let mut asked = self.lock();
        let last = asked.loops.entry(cell.func.as_u32());
        let last = last.or_insert_with(|| AskedLoop::new(loop_at));
        if last.at != loop_at {
            if self.stress.is_none() && last.should_do(cell, code) {
                return;
            }
            *last = AskedLoop::new(loop_at);
        }
        let failed = last.failed.clone();
        drop(asked);
        if !self.ask(cell, code, Entry::Loop(loop_at), failed) {
            // The next loop that asks need not wait for it.
            self.lock().loops.remove(&cell.func.as_u32());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an earlier run has left machine code for a function that is hot.
    fn recall(&self, cell: &CodeCell, code: &ModuleCode) -> bool {
        let kept = code.kept_code();
        kept.is_some_and(|kept| kept.publish_hot(code, cell.func))
    }

    /// Asks for code, once; returns whether that was done, now or before. `failed`
    /// becomes true if the code cannot be made.
    fn ask(
        &self,
        cell: &CodeCell,
        code: &ModuleCode,
        entry: Entry,
        failed: Arc<AtomicBool>,
    ) -> bool {
        let key = (cell.func.as_u32(), entry);
        let mut asked = self.lock();
        if asked.entries.contains(&key) {
            return true;
        }
        let request = Request {
            module: code.downgrade(),
            func: cell.func,
            entry,
            failed,
        };
        // What finds no place is asked for again.
        if !self.queue.push(request) {
            return false;
        }
        asked.entries.insert(key);
        drop(asked);
        if self.stress.is_some_and(|stress| stress.wait) {
            self.queue.wait_until_idle();
        }
        true
    }
}

impl TierUp for Policy {
    fn function_is_hot(&self, code: &ModuleCode, cell: &CodeCell) {
        let heat = self.spent(cell, code);
        if heat > 0 && !self.recall(cell, code) {
            self.ask(cell, code, Entry::Function, Arc::default());
        }
    }

    fn loop_is_hot(&self, code: &ModuleCode, cell: &CodeCell, loop_at: u32) -> *const CodeCell {
        let heat = self.spent(cell, code);
        let heir = || {
            rwasm_jit::heir(code, cell.func, loop_at).inspect(|_| {
                add(&self.queue.counters().osr_entries, 1);
            })
        };
        if let Some(heir) = heir() {
            return heir;
        }
        if heat > 0 {
            let recalled = self.recall(cell, code);
            let calls = cell.calls.load(Ordering::Relaxed);
            if self.call_lasts(cell, calls) {
                self.ask_for_loop(cell, code, loop_at);
            }
            if calls > 1 && !recalled {
                self.ask(cell, code, Entry::Function, Arc::default());
            }
        }
        match self.stress {
            Some(stress) if stress.wait => heir().map_or(ptr::null(), ptr::from_ref),
            _ => ptr::null(),
        }
    }
}
