//! A program, ready to be run any number of times: how an instance is made, and
//! what its end means. Nobody else here knows of stores, linkers and instances.

use crate::error::ServeError;
use crate::settings::{Program as Settings, RequestLimits, Snapshot};
use crate::start::{INITIALIZE, Once};
use rwasm::{
    Engine, Error, ExternType, Instance, InstancePool, InstancePre, InstanceSnapshot,
    InterruptHandle, Limits, Linker, Module, PoolConfig, Store, Trap,
};
use rwasm_wasi::{SuspendAt, WasiCtx, WasiSnapshot, starts_threads};
use std::fs;
use std::path::Path;

/// What a command exports to be run.
pub(crate) const START: &str = "_start";

/// A program that was loaded and linked.
#[derive(Debug)]
pub(crate) struct Program {
    instances: Instances,
    limits: RequestLimits,
    entry: Entry,
    /// What its guests go on from, if it was started already.
    system: Option<WasiSnapshot>,
}

/// What is done with an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// `_start` is called.
    Start,
    /// It goes on where it was suspended in `_start`.
    Resume,
}

/// Where the instance of a request comes from.
#[derive(Debug)]
pub(crate) enum Instances {
    /// From a store that was used before, and has been reset since.
    Pooled(InstancePool<WasiCtx>),
    /// From a store of its own: a start function is code of the guest, which has
    /// to be interruptible; and some imports cannot be pooled.
    Fresh(InstancePre<WasiCtx>, Limits),
}

/// How a guest has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// By itself, with this code.
    Exit(i32),
    /// It used up its fuel.
    OutOfFuel,
    /// It was interrupted.
    Interrupted,
    /// By a trap, an exception, or before it had started. For the log.
    Failed(String),
}

impl Program {
    /// Loads and links what `settings` names.
    pub(crate) fn load(settings: &Settings) -> Result<Program, ServeError> {
        let path = &settings.module;
        let failed = |source| ServeError::Load {
            path: path.clone(),
            source,
        };
        let mut config = settings.config.clone();
        config
            .interruption(true)
            .consume_fuel(settings.limits.fuel.is_some())
            .max_stack(settings.limits.stack);
        let engine = Engine::new(&config).map_err(failed)?;
        // Read and not mapped: whoever installs a new version by writing over
        // the file must not change what is running.
        let bytes = read(path)?;
        let module = Module::from_bytes(&engine, bytes.into()).map_err(failed)?;
        if !matches!(module.get_export(START), Some(ExternType::Func(_))) {
            return Err(ServeError::NoStart(path.clone()));
        }
        if starts_threads(&module) {
            return Err(ServeError::Threads(path.clone()));
        }
        let mut linker = Linker::new(&engine);
        rwasm_wasi::add_to_linker(&mut linker, |guest| guest).map_err(failed)?;
        let pre = linker.instantiate_pre(&module).map_err(failed)?;
        Ok(Program {
            instances: Instances::new(pre, limits(&settings.limits)).map_err(failed)?,
            limits: settings.limits,
            entry: Entry::Start,
            system: None,
        })
    }

    /// Has all instances begin with a snapshot.
    pub(crate) fn begin_with(
        &mut self,
        snapshot: &InstanceSnapshot,
        system: WasiSnapshot,
        entry: Entry,
    ) -> rwasm::Result<()> {
        let config = PoolConfig::new().limits(limits(&self.limits));
        let pool = InstancePool::with_snapshot(self.instances.pre(), snapshot, config)?;
        self.instances = Instances::Pooled(pool);
        self.system = Some(system);
        self.entry = entry;
        Ok(())
    }

    /// What can be done once for all requests.
    pub(crate) fn once(&self, at: Snapshot) -> Once {
        match self.module().get_export(INITIALIZE) {
            Some(ExternType::Func(_)) => Once::Initialize,
            _ => Once::Start(match at {
                Snapshot::Request => SuspendAt::Request,
                Snapshot::Input => SuspendAt::Input,
            }),
        }
    }

    /// What its guests go on from, if it was started already.
    pub(crate) fn system(&self) -> Option<&WasiSnapshot> {
        self.system.as_ref()
    }

    /// What its instances are of.
    pub(crate) fn module(&self) -> &Module {
        self.instances.pre().module()
    }

    pub(crate) fn instances(&self) -> &Instances {
        &self.instances
    }

    /// What a request may take.
    pub(crate) fn request_limits(&self) -> RequestLimits {
        self.limits
    }

    /// Runs it once, in an instance of its own. `starts` gets what stops the
    /// guest, before it does anything; `ended` how it has ended, while there is
    /// still to be tidied up.
    pub(crate) fn run(
        &self,
        guest: WasiCtx,
        starts: impl FnOnce(InterruptHandle),
        ended: impl FnOnce(Ended),
    ) {
        let (mut store, instance) = match self.instances.store(guest) {
            Ok(made) => made,
            Err(error) => return ended(Ended::from_error(&error)),
        };
        starts(store.interrupt_handle());
        ended(match self.run_in(&mut store, instance) {
            Ok(()) => Ended::Exit(0),
            Err(error) => Ended::from_error(&error),
        });
    }

    fn run_in(&self, store: &mut Store<WasiCtx>, instance: Option<Instance>) -> rwasm::Result<()> {
        let instance = self.prepare(store, instance)?;
        match self.entry {
            Entry::Start => instance
                .get_typed_func::<(), ()>(&mut *store, START)?
                .call(store, ()),
            Entry::Resume => store.resume(),
        }
    }

    /// Gives a store what a guest may take, and an instance if it has none.
    pub(crate) fn prepare(
        &self,
        store: &mut Store<WasiCtx>,
        instance: Option<Instance>,
    ) -> rwasm::Result<Instance> {
        if let Some(fuel) = self.limits.fuel {
            store.set_fuel(fuel)?;
        }
        match instance {
            Some(instance) => Ok(instance),
            None => self.instances.pre().instantiate(store),
        }
    }
}

impl Instances {
    /// Finds out now what would make every request fail, such as more memory than
    /// is allowed, unless that takes a start function.
    fn new(pre: InstancePre<WasiCtx>, limits: Limits) -> rwasm::Result<Instances> {
        if pre.module().parsed().start().is_some() {
            return Ok(Instances::Fresh(pre, limits));
        }
        match InstancePool::new(&pre, PoolConfig::new().limits(limits)) {
            Ok(pool) => Ok(Instances::Pooled(pool)),
            Err(Error::Pool(_)) => Ok(Instances::Fresh(pre, limits)),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn pre(&self) -> &InstancePre<WasiCtx> {
        match self {
            Instances::Pooled(pool) => pool.instance_pre(),
            Instances::Fresh(pre, _) => pre,
        }
    }

    /// A store with the guest's system in it, and an instance where there is one
    /// already.
    pub(crate) fn store(
        &self,
        guest: WasiCtx,
    ) -> rwasm::Result<(Store<WasiCtx>, Option<Instance>)> {
        match self {
            Instances::Pooled(pool) => {
                let (store, instance) = pool.instantiate(guest)?;
                Ok((store, Some(instance)))
            }
            Instances::Fresh(pre, limits) => {
                let mut store = Store::try_new(pre.module().engine(), guest)?;
                store.limits(*limits)?;
                Ok((store, None))
            }
        }
    }
}

fn limits(limits: &RequestLimits) -> Limits {
    Limits::default()
        .memory_bytes(limits.memory)
        .gc_heap_bytes(limits.memory)
        .stack_bytes(limits.stack)
}

fn read(path: &Path) -> Result<Vec<u8>, ServeError> {
    fs::read(path).map_err(|source| ServeError::Read {
        path: path.to_owned(),
        source,
    })
}

impl Ended {
    pub(crate) fn from_error(error: &Error) -> Ended {
        match (error, error.trap()) {
            (Error::Exit(code), _) => Ended::Exit(*code),
            // It waits for another connection than its own.
            (Error::Suspended, _) => Ended::Exit(0),
            (_, Some(Trap::OutOfFuel)) => Ended::OutOfFuel,
            (_, Some(Trap::Interrupted)) => Ended::Interrupted,
            _ => Ended::Failed(error.to_string()),
        }
    }
}
