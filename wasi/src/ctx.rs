//! The state of one guest: its own, or shared by its threads.

use crate::builder::WasiCtxBuilder;
use crate::clocks::Clocks;
use crate::interruption::WaitObserver;
use crate::limits::Limits;
use crate::random::Random;
use crate::refusal::Observer;
use crate::snapshot::Turn;
use crate::strings::Strings;
use crate::table::Table;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What one guest has of the system: arguments, environment, open files,
/// clocks. Embedders keep it in the data of their store.
///
/// A guest of several threads has a store for each, and a `WasiCtx` in each that
/// [`share`](WasiCtx::share) gives: they are one state.
pub struct WasiCtx(Holder);

/// The state itself.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) args: Strings,
    pub(crate) env: Strings,
    pub(crate) table: Table,
    pub(crate) clocks: Clocks,
    pub(crate) random: Random,
    pub(crate) limits: Limits,
    pub(crate) on_refusal: Option<Observer>,
    pub(crate) on_wait: Option<WaitObserver>,
    pub(crate) turn: Turn,
}

/// How a call reaches the state.
pub(crate) enum Access<'a> {
    /// No other thread has it.
    Alone(&'a mut State),
    /// Others may have it.
    Together(&'a Mutex<State>),
}

enum Holder {
    /// Used by one thread, without any lock.
    Own(Box<State>),
    /// Used by one thread at a time, for one call. No call waits with it.
    Shared(Arc<Mutex<State>>),
}

impl WasiCtx {
    /// A builder that gives nothing yet.
    pub fn builder() -> WasiCtxBuilder {
        WasiCtxBuilder::new()
    }

    pub(crate) fn new(state: State) -> WasiCtx {
        WasiCtx(Holder::Own(Box::new(state)))
    }

    /// The same state once more, for another thread of the guest. From now on,
    /// each call takes a lock.
    ///
    /// While a thread waits for a file, a socket or a time, the others go on. But
    /// the opening of a named pipe, a terminal that takes a part of a write and
    /// then stops, and a [`Reader`](crate::Input::reader) or
    /// [`Writer`](crate::Output::writer) that blocks, block them all.
    #[must_use]
    pub fn share(&mut self) -> WasiCtx {
        if let Holder::Own(state) = &mut self.0 {
            let state = std::mem::take(&mut **state);
            self.0 = Holder::Shared(Arc::new(Mutex::new(state)));
        }
        match &self.0 {
            Holder::Shared(state) => WasiCtx(Holder::Shared(Arc::clone(state))),
            Holder::Own(_) => unreachable!("it was just shared"),
        }
    }

    #[inline]
    pub(crate) fn access(&mut self) -> Access<'_> {
        match &mut self.0 {
            Holder::Own(state) => Access::Alone(state),
            Holder::Shared(state) => Access::Together(state),
        }
    }

    /// Looks at the state, between calls.
    pub(crate) fn with_state<R>(&mut self, look: impl FnOnce(&mut State) -> R) -> R {
        match &mut self.0 {
            Holder::Own(state) => look(state),
            Holder::Shared(state) => {
                look(&mut state.lock().unwrap_or_else(PoisonError::into_inner))
            }
        }
    }

    /// The state of a guest with one thread.
    #[cfg(test)]
    pub(crate) fn alone(&mut self) -> &mut State {
        match &mut self.0 {
            Holder::Own(state) => state,
            Holder::Shared(_) => panic!("it was shared"),
        }
    }
}

impl fmt::Debug for WasiCtx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |f: &mut fmt::Formatter<'_>, state: &State| {
            f.debug_struct("WasiCtx")
                .field("args", &state.args)
                .field("limits", &state.limits)
                .finish_non_exhaustive()
        };
        match &self.0 {
            Holder::Own(state) => show(f, state),
            Holder::Shared(state) => show(f, &state.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }
}
