//! The start of a program that is started once, for all requests.
//!
//! ```text
//!  _start ─────► first call that has to do with a request   each request goes on here
//!  wizer.initialize ─────► returns                          each request: _start
//! ```
//! Either way, what the program has become is what all instances begin with.

use crate::exchange::{Exchange, Stop};
use crate::program::{Ended, Entry, Program, START};
use crate::timer::{Timer, later};
use crate::tunables::HOST_STACK;
use rwasm::{Error, Instance, InstanceSnapshot, Progress, Store};
use rwasm_wasi::{BuildError, OpenDescriptor, SuspendAt, WasiCtx, WasiCtxBuilder, WasiSnapshot};
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Instant;
use thiserror::Error;

/// What a program exports to say itself what is to be done once.
pub(crate) const INITIALIZE: &str = "wizer.initialize";

/// Why a program cannot be started once for all requests.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// What it is to be given cannot be given.
    #[error("cannot set it up")]
    Grant(#[from] BuildError),
    /// Its scratch folder cannot be made.
    #[error("cannot make its scratch folder")]
    Scratch(#[source] io::Error),
    /// It took longer than a request may take.
    #[error("it took too long")]
    TimeOver,
    /// It used up the fuel of a request.
    #[error("it used up its fuel")]
    OutOfFuel,
    /// It has ended by itself.
    #[error("it ended with exit code {0}")]
    Ended(i32),
    /// It got to a request in the module's start function, which no host may
    /// suspend.
    #[error("it asks for a request before `_start`")]
    TooEarly,
    /// It trapped, or worse.
    #[error("{0}")]
    Failed(String),
    /// It has files open.
    #[error(transparent)]
    Open(#[from] OpenDescriptor),
    /// What it has become cannot be brought into other instances.
    #[error("what it has become cannot be kept")]
    State(#[source] Error),
    /// There is no thread to start it on.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
}

/// What is done once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Once {
    /// The program's own `wizer.initialize` is called.
    Initialize,
    /// `_start` is called, and suspended.
    Start(SuspendAt),
}

/// What a program has become.
struct Started {
    snapshot: InstanceSnapshot,
    system: WasiSnapshot,
}

impl Program {
    /// Does what is to be done once, in the system that `builder` has. From now on
    /// all instances begin there.
    pub(crate) fn start_once(
        &mut self,
        mut builder: WasiCtxBuilder,
        once: Once,
        timer: &Arc<Timer>,
    ) -> Result<(), StartError> {
        if let Once::Start(at) = once {
            builder.suspend_at(at);
        }
        let guest = builder.build()?;
        let limits = self.request_limits();
        let exchange = Exchange::new(limits.output);
        let deadline = later(Instant::now(), limits.timeout);
        let watch = timer.watch(Arc::clone(&exchange), deadline);
        let started = thread::scope(|scope| {
            // With as much stack as a thread has that answers requests.
            let thread = thread::Builder::new()
                .name("start".into())
                .stack_size(limits.stack + HOST_STACK)
                .spawn_scoped(scope, || self.start(guest, once, &exchange));
            let ended = thread.map_err(StartError::Thread)?.join();
            ended.unwrap_or_else(|_| Err(StartError::Failed("this is an error in rwasm".into())))
        });
        drop(watch);
        let Started { snapshot, system } = started?;
        let entry = match once {
            Once::Initialize => Entry::Start,
            Once::Start(_) => Entry::Resume,
        };
        self.begin_with(&snapshot, system, entry)
            .map_err(StartError::State)
    }

    fn start(
        &self,
        guest: WasiCtx,
        once: Once,
        exchange: &Exchange,
    ) -> Result<Started, StartError> {
        let failed = |error: Error| match (exchange.stopped(), error) {
            (Some(Stop::TimeOver), _) => StartError::TimeOver,
            (_, Error::Suspended) => StartError::TooEarly,
            (_, error) => Ended::from_error(&error).into(),
        };
        let (mut store, instance) = self.instances().store(guest).map_err(failed)?;
        exchange.guest_starts(store.interrupt_handle());
        let instance = self.prepare(&mut store, instance).map_err(failed)?;
        let progress = run(&mut store, instance, once).map_err(failed)?;
        exchange.finish(Ended::Exit(0));
        if once != Once::Initialize && progress == Progress::Returned {
            return Err(StartError::Ended(0));
        }
        Ok(Started {
            system: store.data_mut().snapshot()?,
            snapshot: InstanceSnapshot::new(&mut store, instance).map_err(StartError::State)?,
        })
    }
}

fn run(store: &mut Store<WasiCtx>, instance: Instance, once: Once) -> rwasm::Result<Progress> {
    let name = match once {
        Once::Initialize => INITIALIZE,
        Once::Start(_) => START,
    };
    let func = instance.get_typed_func::<(), ()>(&mut *store, name)?;
    match once {
        Once::Initialize => func.call(store, ()).map(|()| Progress::Returned),
        Once::Start(_) => func.call_suspendable(store),
    }
}

impl From<Ended> for StartError {
    fn from(ended: Ended) -> StartError {
        match ended {
            Ended::Exit(code) => StartError::Ended(code),
            Ended::OutOfFuel => StartError::OutOfFuel,
            Ended::Interrupted => StartError::Failed("it was interrupted".into()),
            Ended::Failed(message) => StartError::Failed(message),
        }
    }
}
