//! The state of a running script, and what each kind of directive does to it.
//!
//! ```text
//!  definitions: name → Module      (module …), (module definition …)
//!  instances:   name → Instance    (module …), (module instance …)
//!  shared:      name → memories    (thread … (shared (module …)))
//!  linker:      what modules import: `spectest`, and instances by (register …)
//! ```
//! A directive that names no module means the newest one.

use crate::features::ScriptFeatures;
use crate::mismatch::{Check, Mismatch, message_matches};
use crate::run::{Options, caught};
use crate::spectest;
use crate::value::{self, HostRefs};
use rwasm::{Engine, Error, Extern, Instance, Linker, Module, Result, SharedMemory, Store, Val};
use std::collections::HashMap;
use std::thread::{Scope, ScopedJoinHandle};
use wast::token::Id;
use wast::{QuoteWat, QuoteWatTest, WastDirective, WastExecute, WastInvoke, WastThread, Wat};

/// A running script.
pub(crate) struct Script<'scope, 'env> {
    features: ScriptFeatures,
    engine: Engine,
    store: Store<()>,
    linker: Linker<()>,
    host_refs: HostRefs,
    definitions: Named<Module>,
    instances: Named<Instance>,
    /// What a thread knows of modules of the script that started it: no store
    /// but theirs has the instances, only their shared memories.
    shared: HashMap<String, Vec<(String, SharedMemory)>>,
    threads: &'scope Scope<'scope, 'env>,
    running: HashMap<String, ScopedJoinHandle<'scope, Check>>,
}

/// Things with names, and the newest of them with or without one.
struct Named<T> {
    by_name: HashMap<String, T>,
    newest: Option<T>,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Named {
            by_name: HashMap::new(),
            newest: None,
        }
    }
}

impl<T: Clone> Named<T> {
    fn add(&mut self, name: Option<Id>, item: T) {
        if let Some(name) = name {
            self.by_name.insert(name.name().to_owned(), item.clone());
        }
        self.newest = Some(item);
    }

    /// Forgets the newest, and what `name` names: what follows must not act on
    /// an older one.
    fn remove(&mut self, name: Option<Id>) {
        if let Some(name) = name {
            self.by_name.remove(name.name());
        }
        self.newest = None;
    }

    fn get(&self, name: Option<Id>) -> Check<T> {
        let (found, name) = match name {
            Some(name) => (self.by_name.get(name.name()), format!("${}", name.name())),
            None => (self.newest.as_ref(), "before this directive".to_owned()),
        };
        found
            .cloned()
            .ok_or_else(|| Mismatch::wrong(format!("a module {name}"), "none, or one that failed"))
    }
}

impl<'scope, 'env> Script<'scope, 'env> {
    /// A script that has run nothing yet. Its threads are those of `threads`.
    pub(crate) fn new(
        threads: &'scope Scope<'scope, 'env>,
        features: ScriptFeatures,
        options: &Options,
    ) -> Result<Self> {
        let mut config = features.config(options.tier);
        config
            .collect_at_every_allocation(options.gc_stress)
            .mixed_tiers(options.mixed_tiers)
            .tier_stress(options.tier_stress);
        let engine = Engine::new(&config)?;
        Script::with_engine(threads, features, engine)
    }

    fn with_engine(
        threads: &'scope Scope<'scope, 'env>,
        features: ScriptFeatures,
        engine: Engine,
    ) -> Result<Self> {
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        linker.allow_shadowing(true);
        spectest::define(&mut linker, &mut store, features == ScriptFeatures::Threads)?;
        Ok(Script {
            features,
            engine,
            store,
            linker,
            host_refs: HostRefs::new(),
            definitions: Named::default(),
            instances: Named::default(),
            shared: HashMap::new(),
            threads,
            running: HashMap::new(),
        })
    }

    /// Does what a directive says, and checks what it states.
    pub(crate) fn directive(&mut self, directive: WastDirective<'env>) -> Check {
        match directive {
            WastDirective::Module(module) => self.module(module),
            WastDirective::ModuleDefinition(module) => self.define(module).map(drop),
            WastDirective::ModuleInstance {
                instance, module, ..
            } => {
                let module = self.definitions.get(module)?;
                self.instantiate(instance, &module)
            }
            WastDirective::Register { name, module, .. } => self.register(name, module),
            WastDirective::Invoke(invoke) => {
                let outcome = self.invoke(invoke)?;
                self.returned("a return", outcome).map(drop)
            }
            WastDirective::AssertReturn { exec, results, .. } => {
                let outcome = self.execute(exec)?;
                let values = self.returned("a return", outcome)?;
                value::check_results(&self.store, &results, &values)
            }
            WastDirective::AssertTrap { exec, message, .. } => {
                let outcome = self.execute(exec)?;
                self.trapped(message, outcome)
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                let outcome = self.invoke(call)?;
                self.trapped(message, outcome)
            }
            WastDirective::AssertException { exec, .. } => {
                let outcome = self.execute(exec)?;
                self.thrown(outcome)
            }
            WastDirective::AssertSuspension { exec, message, .. } => {
                let outcome = self.execute(exec)?;
                self.failed("an unhandled suspension", message, outcome)
            }
            WastDirective::AssertUnlinkable {
                module, message, ..
            } => self.unlinkable(module, message),
            WastDirective::AssertMalformed {
                module, message, ..
            }
            | WastDirective::AssertMalformedCustom {
                module, message, ..
            } => self.malformed(module, message),
            WastDirective::AssertInvalid {
                module, message, ..
            }
            | WastDirective::AssertInvalidCustom {
                module, message, ..
            } => {
                let bytes = encode(module)?;
                self.rejected(&bytes, "invalid", message)
            }
            WastDirective::Thread(thread) => self.thread(thread),
            WastDirective::Wait { thread, .. } => self.wait(thread),
        }
    }

    fn module(&mut self, module: QuoteWat) -> Check {
        let name = module.name();
        self.instances.remove(name);
        let module = self.define(module)?;
        self.instantiate(name, &module)
    }

    fn define(&mut self, module: QuoteWat) -> Check<Module> {
        let name = module.name();
        self.definitions.remove(name);
        let module = self.compile(module)?;
        self.definitions.add(name, module.clone());
        Ok(module)
    }

    fn instantiate(&mut self, name: Option<Id>, module: &Module) -> Check {
        self.instances.remove(name);
        let instance = self
            .linker
            .instantiate(&mut self.store, module)
            .map_err(|error| Mismatch::error("an instance", &error))?;
        self.instances.add(name, instance);
        Ok(())
    }

    fn register(&mut self, name: &str, module: Option<Id>) -> Check {
        if let Some(memories) = module.and_then(|module| self.shared.get(module.name())) {
            let mut memories = memories.iter();
            return memories
                .try_for_each(|(export, memory)| {
                    let linker = &mut self.linker;
                    linker.define_shared_memory(name, export, memory).map(drop)
                })
                .map_err(|error| Mismatch::error("names for the shared memories", &error));
        }
        let instance = self.instances.get(module)?;
        self.linker
            .instance(&mut self.store, name, instance)
            .map(drop)
            .map_err(|error| Mismatch::error("names for the exports", &error))
    }

    /// Runs an action. The inner result is what the action came to.
    fn execute(&mut self, action: WastExecute) -> Check<Result<Vec<Val>>> {
        match action {
            WastExecute::Invoke(invoke) => self.invoke(invoke),
            WastExecute::Wat(module) => {
                let module = self.compile(QuoteWat::Wat(module))?;
                let instance = self.linker.instantiate(&mut self.store, &module);
                Ok(instance.map(|_| Vec::new()))
            }
            WastExecute::Get { module, global, .. } => {
                let instance = self.instances.get(module)?;
                match instance.get_export(&mut self.store, global) {
                    Some(Extern::Global(global)) => Ok(Ok(vec![global.get(&mut self.store)])),
                    other => Err(wrong_export("global", global, other.is_some())),
                }
            }
        }
    }

    fn invoke(&mut self, invoke: WastInvoke) -> Check<Result<Vec<Val>>> {
        let instance = self.instances.get(invoke.module)?;
        let func = match instance.get_export(&mut self.store, invoke.name) {
            Some(Extern::Func(func)) => func,
            other => return Err(wrong_export("function", invoke.name, other.is_some())),
        };
        let arguments = invoke
            .args
            .iter()
            .map(|argument| value::argument(&mut self.store, &mut self.host_refs, argument))
            .collect::<Check<Vec<Val>>>()?;
        let mut results = vec![Val::I32(0); func.ty(&self.store).results().len()];
        let called = func.call(&mut self.store, &arguments, &mut results);
        Ok(called.map(|()| results))
    }

    /// A module that must be well-formed and valid.
    fn compile(&self, module: QuoteWat) -> Check<Module> {
        let bytes = encode(module)?;
        self.features
            .check(&bytes)
            .and_then(|()| Module::new(&self.engine, bytes))
            .map_err(|error| Mismatch::error("a valid module", &error))
    }

    fn returned(&self, expected: &str, outcome: Result<Vec<Val>>) -> Check<Vec<Val>> {
        outcome.map_err(|error| Mismatch::error(expected, &error))
    }

    fn trapped(&self, message: &str, outcome: Result<Vec<Val>>) -> Check {
        let expected = format!("trap: {message}");
        match outcome {
            Ok(values) => Err(Mismatch::wrong(expected, self.show(&values))),
            Err(error) => match error.trap() {
                Some(trap) if message_matches(message, trap.message()) => Ok(()),
                Some(trap) => Err(Mismatch::wrong(expected, format!("trap: {trap}"))),
                None => Err(Mismatch::error(expected, &error)),
            },
        }
    }

    fn thrown(&self, outcome: Result<Vec<Val>>) -> Check {
        let expected = "an uncaught exception";
        match outcome {
            Ok(values) => Err(Mismatch::wrong(expected, self.show(&values))),
            Err(Error::Exception(_)) => Ok(()),
            Err(error) => Err(Mismatch::error(expected, &error)),
        }
    }

    /// Checks for an error that is no trap, by its message.
    fn failed(&self, expected: &str, message: &str, outcome: Result<Vec<Val>>) -> Check {
        match outcome {
            Ok(values) => Err(Mismatch::wrong(expected, self.show(&values))),
            Err(error) if error.trap().is_some() => Err(Mismatch::wrong(expected, error)),
            Err(error) if message_matches(message, &error.to_string()) => Ok(()),
            Err(error) => Err(Mismatch::error(expected, &error)),
        }
    }

    fn unlinkable(&mut self, module: Wat, message: &str) -> Check {
        let expected = format!("unlinkable: {message}");
        let module = self.compile(QuoteWat::Wat(module))?;
        match self.linker.instantiate(&mut self.store, &module) {
            Ok(_) => Err(Mismatch::wrong(expected, "an instance")),
            Err(Error::Link(error)) if message_matches(message, &error.to_string()) => Ok(()),
            Err(error) => Err(Mismatch::error(expected, &error)),
        }
    }

    /// A malformed module is refused by the text parser or by the engine.
    fn malformed(&self, mut module: QuoteWat, message: &str) -> Check {
        match module.to_test() {
            Err(_) => Ok(()),
            Ok(QuoteWatTest::Binary(bytes) | QuoteWatTest::Text(bytes)) => {
                self.rejected(&bytes, "malformed", message)
            }
        }
    }

    /// Checks that the engine refuses a module. Its message is its own: the
    /// suite's are those of one reference implementation.
    fn rejected(&self, bytes: &[u8], how: &str, message: &str) -> Check {
        let expected = format!("{how}: {message}");
        let verdict = self
            .features
            .check(bytes)
            .and_then(|()| Module::validate(&self.engine, bytes));
        match verdict {
            Ok(()) => Err(Mismatch::wrong(expected, "a valid module")),
            Err(Error::Parse(_)) => Ok(()),
            Err(error) => Err(Mismatch::error(expected, &error)),
        }
    }

    /// Starts a thread with a store and names of its own.
    fn thread(&mut self, thread: WastThread<'env>) -> Check {
        let shared = match thread.shared_module {
            Some(module) => {
                HashMap::from([(module.name().to_owned(), self.shared_memories(module)?)])
            }
            None => HashMap::new(),
        };
        let (threads, features, engine) = (self.threads, self.features, self.engine.clone());
        let handle = threads.spawn(move || {
            let mut script = Script::with_engine(threads, features, engine)
                .map_err(|error| Mismatch::error("a store for the thread", &error))?;
            script.shared = shared;
            let mut directives = thread.directives.into_iter();
            directives.try_for_each(|directive| script.directive(directive))
        });
        self.running.insert(thread.name.name().to_owned(), handle);
        Ok(())
    }

    /// The shared memories that a module exports.
    fn shared_memories(&mut self, module: Id) -> Check<Vec<(String, SharedMemory)>> {
        let instance = self.instances.get(Some(module))?;
        let exports: Vec<(String, Extern)> = instance
            .exports(&mut self.store)
            .map(|export| (export.name().to_owned(), export.into_extern()))
            .collect();
        let shared = exports.into_iter().filter_map(|(name, export)| {
            let shared = export.into_memory()?.to_shared(&self.store)?;
            Some((name, shared))
        });
        Ok(shared.collect())
    }

    /// Waits for a thread; its first directive that does not pass fails this
    /// one.
    fn wait(&mut self, thread: Id) -> Check {
        let name = thread.name();
        let handle = self
            .running
            .remove(name)
            .ok_or_else(|| Mismatch::wrong(format!("a thread ${name}"), "none"))?;
        handle.join().unwrap_or_else(|panic| Err(caught(&*panic)))
    }

    fn show(&self, values: &[Val]) -> String {
        value::show_results(&self.store, values)
    }
}

fn wrong_export(kind: &str, name: &str, exists: bool) -> Mismatch {
    let got = if exists {
        "something else"
    } else {
        "no export of this name"
    };
    Mismatch::wrong(format!("an exported {kind} {name:?}"), got)
}

/// The bytes that the engine gets for a module that should be well-formed: the
/// binary form, or the text where the script quotes it.
fn encode(mut module: QuoteWat) -> Check<Vec<u8>> {
    match module.to_test() {
        Ok(QuoteWatTest::Binary(bytes) | QuoteWatTest::Text(bytes)) => Ok(bytes),
        Err(error) => Err(Mismatch::wrong("a well-formed module", error.message())),
    }
}
