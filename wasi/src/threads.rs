//! `wasi-threads`: guests that start threads of their own.
//!
//! A thread is a thread of the host with a store and an instance of its own; the
//! guest's memory, which all of them import, is one, and so is the
//! [`WasiCtx`](crate::WasiCtx) in the data of the stores, if the embedder shares
//! it. A guest ends as a whole: with the code of the first `proc_exit`, with the
//! first trap, or when its first thread returns from `_start`. The others are
//! interrupted then, so that the engine must have
//! [`interruption`](rwasm::Config::interruption).

use crate::errno::Errno;
use rwasm::{
    Caller, Error, ExternType, InterruptHandle, Linker, Module, Result, SharedMemory, Store,
};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread;

/// The function that starts a thread.
const SPAWN: (&str, &str) = ("wasi", "thread-spawn");

/// What a module exports to be run by a thread, with its number and the argument
/// of the one that started it.
const START: &str = "wasi_thread_start";

/// The highest number that a thread can have.
const LAST: u32 = (1 << 29) - 1;

/// The threads of one guest.
///
/// ```no_run
/// use rwasm::{Config, Engine, Linker, Module, Store};
/// use rwasm_wasi::{Threads, WasiCtx};
///
/// let engine = Engine::new(Config::new().threads(true).interruption(true))?;
/// let module = Module::from_file(&engine, "threads.wasm")?;
/// let mut linker = Linker::new(&engine);
/// rwasm_wasi::add_to_linker(&mut linker, |ctx: &mut WasiCtx| ctx)?;
/// let mut store = Store::new(&engine, WasiCtx::builder().build()?);
///
/// let of_threads = engine.clone();
/// let threads = Threads::new(&module, &mut linker, 64, move |ctx: &mut WasiCtx| {
///     Store::new(&of_threads, ctx.share())
/// })?;
/// let instance = linker.instantiate(&mut store, &module)?;
/// let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
/// threads.run(&mut store, |store| start.call(store, ()))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Threads<T: 'static>(Arc<Group<T>>);

#[derive(Debug)]
struct Group<T: 'static> {
    module: Module,
    /// What a thread's instance is linked with: also this group's function, which
    /// holds the group weakly.
    linker: OnceLock<Linker<T>>,
    /// Threads at a time, the first one not counted.
    limit: u32,
    members: Mutex<Members>,
}

#[derive(Debug, Default)]
struct Members {
    last: u32,
    /// The first thread has the number 0.
    running: Vec<(u32, InterruptHandle)>,
    ended: bool,
    /// What ended the guest, if not the first thread itself.
    reason: Option<Error>,
}

/// Whether a module starts threads.
pub fn starts_threads(module: &Module) -> bool {
    let mut imports = module.imports();
    imports.any(|import| (import.module(), import.name()) == SPAWN)
}

impl<T: 'static> Threads<T> {
    /// Defines in `linker` the function that starts threads, and the memory that
    /// `module` imports, if it is shared. What is defined afterwards is not there
    /// for the threads.
    ///
    /// `store` makes the store of a thread from the data of the one that starts
    /// it. At most `limit` threads run at a time; the guest is told that there
    /// are no more (`again`).
    pub fn new(
        module: &Module,
        linker: &mut Linker<T>,
        limit: u32,
        store: impl Fn(&mut T) -> Store<T> + Send + Sync + 'static,
    ) -> Result<Threads<T>>
    where
        T: Send,
    {
        for import in module.imports() {
            if let ExternType::Memory(ty) = import.ty()
                && ty.is_shared()
            {
                let memory = SharedMemory::new(linker.engine(), *ty)?;
                linker.define_shared_memory(import.module(), import.name(), &memory)?;
            }
        }
        let group = Arc::new(Group {
            module: module.clone(),
            linker: OnceLock::new(),
            limit,
            members: Mutex::default(),
        });
        let weak = Arc::downgrade(&group);
        let (from, name) = SPAWN;
        linker.func_wrap(from, name, move |mut caller: Caller<'_, T>, arg: i32| {
            spawn(&weak, || store(caller.data_mut()), arg)
        })?;
        // It is new, so that nobody has set it.
        let _ = group.linker.set(linker.clone());
        Ok(Threads(group))
    }

    /// Runs the first thread, and ends the others with it. The result is the
    /// guest's: also that of another thread which has exited or trapped.
    ///
    /// The threads are interrupted, but not waited for.
    pub fn run<R>(
        &self,
        store: &mut Store<T>,
        first: impl FnOnce(&mut Store<T>) -> Result<R>,
    ) -> Result<R> {
        let group = &self.0;
        if let Some(reason) = group.enter(0, store.interrupt_handle()) {
            return Err(reason);
        }
        let result = first(store);
        match group.leave(0, true, None) {
            Some(reason) => Err(reason),
            None => result,
        }
    }
}

/// Starts a thread; returns its number, or an error code below zero.
fn spawn<T: Send + 'static>(
    group: &Weak<Group<T>>,
    store: impl FnOnce() -> Store<T>,
    arg: i32,
) -> i32 {
    let started = group
        .upgrade()
        .ok_or(Errno::Again)
        .and_then(|group| start(group, store, arg));
    match started {
        // It has 29 bits.
        Ok(number) => number as i32,
        Err(errno) => -(errno as i32),
    }
}

fn start<T: Send + 'static>(
    group: Arc<Group<T>>,
    store: impl FnOnce() -> Store<T>,
    arg: i32,
) -> Result<u32, Errno> {
    let mut members = group.members();
    let full = members.running.len() > group.limit as usize;
    if full || members.ended || members.last == LAST {
        return Err(Errno::Again);
    }
    let store = store();
    members.last += 1;
    let number = members.last;
    members.running.push((number, store.interrupt_handle()));
    drop(members);
    let of_thread = Arc::clone(&group);
    let started = thread::Builder::new()
        .name(format!("guest-{number}"))
        .spawn(move || of_thread.run(number, store, arg));
    match started {
        Ok(_) => Ok(number),
        Err(_) => {
            group.leave(number, false, None);
            Err(Errno::Again)
        }
    }
}

impl<T: 'static> Group<T> {
    /// What a thread does.
    fn run(&self, number: u32, mut store: Store<T>, arg: i32) {
        let result = self.call(number, &mut store, arg);
        self.leave(number, result.is_err(), result.err());
    }

    fn call(&self, number: u32, store: &mut Store<T>, arg: i32) -> Result<()> {
        let linker = self.linker.get().expect("it was set before any guest ran");
        let instance = linker.instantiate(&mut *store, &self.module)?;
        let start = instance.get_typed_func::<(i32, i32), ()>(&mut *store, START)?;
        start.call(store, (number as i32, arg))
    }

    /// A thread begins, unless the guest has ended already.
    fn enter(&self, number: u32, handle: InterruptHandle) -> Option<Error> {
        let mut members = self.members();
        members.running.push((number, handle));
        members.reason.take()
    }

    /// A thread is over, and perhaps the guest with it. The first thread gets
    /// what ended the guest, if it was another.
    fn leave(&self, number: u32, ends: bool, reason: Option<Error>) -> Option<Error> {
        let mut members = self.members();
        members.running.retain(|(running, _)| *running != number);
        if ends && !members.ended {
            members.ended = true;
            members.reason = reason;
            for (_, handle) in &members.running {
                handle.interrupt();
            }
        }
        match number {
            0 => members.reason.take(),
            _ => None,
        }
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
