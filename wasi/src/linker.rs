//! Registration of the functions in a linker.

use crate::abi::Snapshot;
use crate::ctx::{Access, State, WasiCtx};
use crate::errno::Errno;
use crate::functions::{self, Call, Exit, preview1};
use crate::interruption::{Interruption, Stop};
use crate::memory::GuestMemory;
use rwasm::{Caller, Error, Linker, Module, Result, Trap, ValType};
use std::sync::{Mutex, PoisonError};
use thiserror::Error;

/// The two names under which modules import the functions.
const MODULES: [(&str, Snapshot); 2] = [
    ("wasi_snapshot_preview1", Snapshot::One),
    ("wasi_unstable", Snapshot::Zero),
];

/// A module called a function that reads or writes its memory, but exports none
/// under the name `memory`. Found in [`Error::Host`].
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("`{function}` needs the memory of its caller, which exports none under the name `memory`")]
#[non_exhaustive]
pub struct NoMemory {
    /// The function.
    pub function: &'static str,
}

/// A function of preview1.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// Its parameters: names and types.
    pub params: &'static [(&'static str, ValType)],
    /// Its result: an error code, or nothing.
    pub result: Option<ValType>,
    /// Whether `wasi_unstable` has it too.
    pub unstable: bool,
}

macro_rules! describe {
    (
        quick { $($quick:tt)* }
        long { $($long:tt)* }
        recent { $($recent:tt)* }
    ) => {
        describe! { @rows [true $($quick)* $($long)*] [false $($recent)*] }
    };
    (@rows $([
        $unstable:literal
        $($(#[doc = $doc:literal])* $name:ident($($param:ident: $ty:ident),*) -> $result:ident;)*
    ])*) => {
        /// All functions, as [`add_to_linker`] defines them.
        pub const FUNCTIONS: &[Function] = &[$($(Function {
            name: stringify!($name),
            summary: concat!($($doc),*).trim_ascii(),
            params: &[$((stringify!($param), describe!(@type $ty))),*],
            result: describe!(@type $result),
            unstable: $unstable,
        },)*)*];
    };
    (@type u32) => { ValType::I32 };
    (@type u64) => { ValType::I64 };
    (@type i64) => { ValType::I64 };
    (@type errno) => { Some(ValType::I32) };
    (@type noreturn) => { None };
}

preview1!(describe);

/// Defines the functions in `linker`, under the module names
/// `wasi_snapshot_preview1` and `wasi_unstable`. `get` finds the state in the
/// data of the store.
///
/// `proc_exit` ends the guest with [`Error::Exit`].
pub fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    get: impl Fn(&mut T) -> &mut WasiCtx + Copy + Send + Sync + 'static,
) -> Result<()> {
    for (module, snapshot) in MODULES {
        define(linker, module, snapshot, |_| true, get)?;
    }
    Ok(())
}

/// As [`add_to_linker`], but defines only the functions that `module` imports,
/// which takes a small part of the time. If it imports anything else, all are
/// defined, so that an error can name the one that was meant.
pub fn add_imports_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    module: &Module,
    get: impl Fn(&mut T) -> &mut WasiCtx + Copy + Send + Sync + 'static,
) -> Result<()> {
    let imported = |from| {
        let imports = module
            .imports()
            .filter(move |import| import.module() == from);
        imports.map(|import| import.name()).collect::<Vec<_>>()
    };
    let imported = MODULES.map(|(module, _)| imported(module));
    let is_known = |name: &&str, snapshot| {
        let mut functions = FUNCTIONS.iter();
        functions.any(|function| function.name == *name && function.is_in(snapshot))
    };
    let mut by_module = imported.iter().zip(MODULES);
    let all_known = by_module.all(|(names, (_, snapshot))| {
        let mut names = names.iter();
        names.all(|name| is_known(name, snapshot))
    });
    let count: usize = imported.iter().map(Vec::len).sum();
    if !all_known || count < module.imports().len() {
        return add_to_linker(linker, get);
    }
    for (names, (module, snapshot)) in imported.iter().zip(MODULES) {
        define(linker, module, snapshot, |name| names.contains(&name), get)?;
    }
    Ok(())
}

impl Function {
    fn is_in(&self, snapshot: Snapshot) -> bool {
        self.unstable || snapshot == Snapshot::One
    }
}

fn define<T: 'static>(
    linker: &mut Linker<T>,
    module: &str,
    snapshot: Snapshot,
    is_wanted: impl Fn(&str) -> bool,
    get: impl Fn(&mut T) -> &mut WasiCtx + Copy + Send + Sync + 'static,
) -> Result<()> {
    macro_rules! wrap {
        (
            quick { $($(#[$_q:meta])* $quick:ident($($q_param:ident: $q_ty:ident),*) -> $_qr:ident;)* }
            long { $($(#[$_l:meta])* $long:ident($($l_param:ident: $l_ty:ident),*) -> $_lr:ident;)* }
            recent { $($(#[$_r:meta])* $recent:ident($($r_param:ident: $r_ty:ident),*) -> $_rr:ident;)* }
        ) => {
            $(if is_wanted(stringify!($quick)) {
                linker.func_wrap(
                    module,
                    stringify!($quick),
                    move |caller: Caller<'_, T>, $($q_param: $q_ty),*| {
                        invoke(caller, snapshot, get, stringify!($quick), move |call| {
                            functions::$quick(call, $($q_param),*)
                        })
                    },
                )?;
            })*
            $(if is_wanted(stringify!($long)) {
                linker.func_wrap(
                    module,
                    stringify!($long),
                    move |caller: Caller<'_, T>, $($l_param: $l_ty),*| {
                        invoke_long(caller, snapshot, get, stringify!($long), move |call, waits| {
                            functions::$long(call, waits, $($l_param),*)
                        })
                    },
                )?;
            })*
            $(if snapshot == Snapshot::One && is_wanted(stringify!($recent)) {
                linker.func_wrap(
                    module,
                    stringify!($recent),
                    move |caller: Caller<'_, T>, $($r_param: $r_ty),*| {
                        invoke_long(caller, snapshot, get, stringify!($recent), move |call, waits| {
                            functions::$recent(call, waits, $($r_param),*)
                        })
                    },
                )?;
            })*
        };
    }
    preview1!(wrap);
    Ok(())
}

/// Calls a function on the caller's memory and state.
///
/// A guest calls some functions as often as its own. So the usual case is all that
/// stands here: it has loaded nothing that the other ones need, and keeps nothing
/// for them.
#[inline]
fn invoke<T: 'static, O: Outcome>(
    mut caller: Caller<'_, T>,
    snapshot: Snapshot,
    get: impl Fn(&mut T) -> &mut WasiCtx,
    function: &'static str,
    body: impl Fn(&mut Call<'_>) -> O,
) -> Result<O::Value> {
    if let Some((bytes, data)) = caller.memory_and_data_mut()
        && let Access::Alone(ctx) = get(data).access()
    {
        let memory = GuestMemory::new(bytes);
        let call = &mut Call {
            ctx,
            memory,
            snapshot,
        };
        return body(call).finish();
    }
    invoke_unusual(caller, snapshot, get, function, None, body)
}

/// As [`invoke`], for a function that may wait.
#[inline]
fn invoke_long<T: 'static, O: Outcome>(
    mut caller: Caller<'_, T>,
    snapshot: Snapshot,
    get: impl Fn(&mut T) -> &mut WasiCtx,
    function: &'static str,
    body: impl Fn(&mut Call<'_>, &Interruption<'_>) -> O,
) -> Result<O::Value> {
    if let Some((bytes, data, interrupt)) = caller.memory_data_and_interrupt_mut()
        && let Access::Alone(ctx) = get(data).access()
    {
        let waits = &Interruption::new(interrupt);
        observe(Some(waits), ctx);
        let memory = GuestMemory::new(bytes);
        let call = &mut Call {
            ctx,
            memory,
            snapshot,
        };
        return body(call, waits).finish();
    }
    let interrupt = caller.interrupt_handle();
    let waits = &Interruption::new(&interrupt);
    invoke_unusual(caller, snapshot, get, function, Some(waits), |call| {
        body(call, waits)
    })
}

/// Where there is no memory, or others have the memory or the state too.
#[cold]
#[inline(never)]
fn invoke_unusual<T: 'static, O: Outcome>(
    mut caller: Caller<'_, T>,
    snapshot: Snapshot,
    get: impl Fn(&mut T) -> &mut WasiCtx,
    function: &'static str,
    waits: Option<&Interruption<'_>>,
    body: impl Fn(&mut Call<'_>) -> O,
) -> Result<O::Value> {
    let Some(memory) = caller.memory() else {
        // Some functions do without; the others find no address valid.
        let memory = GuestMemory::new(&mut []);
        let outcome = perform(get(caller.data_mut()), memory, snapshot, waits, body);
        if outcome.is_fault() {
            return Err(Error::host(NoMemory { function }));
        }
        return outcome.finish();
    };
    if let Some((bytes, data)) = memory.try_data_and_store_mut(&mut caller) {
        let memory = GuestMemory::new(bytes);
        return perform(get(data), memory, snapshot, waits, body).finish();
    }
    // The bytes of a memory that other threads have too are copied.
    let shared = memory.to_shared(&caller);
    let shared = shared.expect("what cannot be borrowed is shared");
    let memory = GuestMemory::Shared(&shared);
    perform(get(caller.data_mut()), memory, snapshot, waits, body).finish()
}

fn perform<O: Outcome>(
    ctx: &mut WasiCtx,
    memory: GuestMemory<'_>,
    snapshot: Snapshot,
    waits: Option<&Interruption<'_>>,
    body: impl Fn(&mut Call<'_>) -> O,
) -> O {
    match ctx.access() {
        Access::Alone(state) => {
            observe(waits, state);
            body(&mut Call {
                ctx: state,
                memory,
                snapshot,
            })
        }
        Access::Together(state) => perform_together(state, memory, snapshot, waits, body),
    }
}

#[inline]
fn observe(waits: Option<&Interruption<'_>>, state: &State) {
    if let (Some(interruption), Some(observer)) = (waits, &state.on_wait) {
        interruption.observe_by(observer);
    }
}

/// Where other threads have the state too, none of them waits with it: a call
/// that would wait is made again when it need not.
fn perform_together<O: Outcome>(
    state: &Mutex<State>,
    mut memory: GuestMemory<'_>,
    snapshot: Snapshot,
    waits: Option<&Interruption<'_>>,
    body: impl Fn(&mut Call<'_>) -> O,
) -> O {
    if let Some(interruption) = waits {
        interruption.postpone();
    }
    loop {
        // A panic of the embedder's is passed on to it; what the state holds is
        // good between any two calls.
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        observe(waits, &state);
        let outcome = body(&mut Call {
            ctx: &mut state,
            memory: memory.again(),
            snapshot,
        });
        drop(state);
        let ended = match waits {
            Some(interruption) => outcome.after(interruption),
            None => Some(outcome),
        };
        if let Some(outcome) = ended {
            return outcome;
        }
    }
}

/// What a function returns, and what the guest sees of it.
trait Outcome: Sized {
    /// The function's result type.
    type Value;

    /// Waits for what the function has left to be awaited. `None`: it is to be
    /// called again.
    fn after(self, _: &Interruption<'_>) -> Option<Self> {
        Some(self)
    }

    fn finish(self) -> Result<Self::Value>;

    fn is_fault(&self) -> bool;
}

impl Outcome for Result<(), Errno> {
    type Value = i32;

    #[inline]
    fn finish(self) -> Result<i32> {
        Ok(match self {
            Ok(()) => 0,
            Err(errno) => errno as i32,
        })
    }

    fn is_fault(&self) -> bool {
        *self == Err(Errno::Fault)
    }
}

impl Outcome for Result<(), Stop> {
    type Value = i32;

    fn finish(self) -> Result<i32> {
        match self {
            Ok(()) => Ok(0),
            Err(Stop::Errno(errno)) => Ok(errno as i32),
            Err(Stop::Interrupted) => Err(Trap::Interrupted.into()),
            Err(Stop::Suspended) => Err(Error::Suspended),
            Err(Stop::Later) => unreachable!("it was called again"),
        }
    }

    fn after(self, interruption: &Interruption<'_>) -> Option<Self> {
        match self {
            Err(Stop::Later) => match interruption.wait() {
                Ok(()) => None,
                Err(stop) => Some(Err(stop)),
            },
            outcome => Some(outcome),
        }
    }

    fn is_fault(&self) -> bool {
        *self == Err(Stop::Errno(Errno::Fault))
    }
}

impl Outcome for Exit {
    type Value = ();

    fn finish(self) -> Result<()> {
        Err(Error::Exit(self.0))
    }

    fn is_fault(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_functions_are_listed() {
        assert_eq!(FUNCTIONS.len(), 46);
        let old = FUNCTIONS
            .iter()
            .filter(|function| function.unstable)
            .count();
        assert_eq!(old, 45);
        for function in FUNCTIONS {
            assert!(function.summary.ends_with('.'), "{}", function.name);
            let noreturn = function.name == "proc_exit";
            assert_eq!(function.result.is_none(), noreturn, "{}", function.name);
        }
    }
}
