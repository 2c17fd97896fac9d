//! The engine: what stores and modules share.

use crate::config::{Config, Tier, Validation};
use crate::error::{ConfigError, Result};
use crate::tiers::{self, Counters, Queue, TierStats};
use rwasm_parser::{Features, ParseOptions};
use rwasm_runtime::code::{CodeSettings, Entries};
use rwasm_runtime::memory::guarded_memories_available;
use rwasm_runtime::types::TypeRegistry;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Settings, types and the way code is made, shared by the modules and stores
/// made with it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Engine(Arc<Shared>);

/// Tells engines apart: no two in a process ever have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct EngineId(u64);

#[derive(Debug)]
struct Shared {
    id: EngineId,
    config: Config,
    settings: CodeSettings,
    registry: Arc<TypeRegistry>,
    counters: Arc<Counters>,
    /// What waits to be compiled, if code gets hot.
    queue: Option<Arc<Queue>>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(queue) = &self.queue {
            queue.close();
        }
    }
}

impl Engine {
    /// An engine with these settings; an error if this build or this process
    /// cannot do what they ask for.
    pub fn new(config: &Config) -> Result<Engine> {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        if config.tier == Tier::Jit && !rwasm_jit::init() {
            return Err(ConfigError::NoJit.into());
        }
        let settings = CodeSettings {
            guarded_memories: guarded_memories(config)?,
            fuel: config.consume_fuel,
            interruption: config.interruption,
            lazy_validation: config.validation == Validation::Lazy,
            tier_up: tiers::tiers_up(config),
        };
        let registry = Arc::new(TypeRegistry::new());
        let counters = Arc::new(Counters::default());
        Ok(Engine(Arc::new(Shared {
            id: EngineId(NEXT_ID.fetch_add(1, Ordering::Relaxed)),
            config: config.clone(),
            settings,
            registry,
            queue: settings
                .tier_up
                .then(|| Queue::new(config, counters.clone())),
            counters,
        })))
    }

    /// The settings it was made with.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Whether both are clones of one engine.
    pub fn same(a: &Engine, b: &Engine) -> bool {
        Arc::ptr_eq(&a.0, &b.0)
    }

    /// What its functions went through until now.
    pub fn tier_stats(&self) -> TierStats {
        self.0.counters.read()
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.0.counters
    }

    /// What waits to be compiled, if code gets hot.
    pub(crate) fn queue(&self) -> Option<&Arc<Queue>> {
        self.0.queue.as_ref()
    }

    pub(crate) fn id(&self) -> EngineId {
        self.0.id
    }

    /// How code is made.
    pub(crate) fn settings(&self) -> CodeSettings {
        self.0.settings
    }

    /// The entries of host functions; each has an array entry of its own.
    pub(crate) fn host_entries(&self) -> Entries {
        Entries {
            native: tiers::entries(&self.0.config).native,
            ..rwasm_interp::host_entries(rwasm_interp::ENTRIES.array)
        }
    }

    /// The types of all its modules.
    pub(crate) fn registry(&self) -> &Arc<TypeRegistry> {
        &self.0.registry
    }

    /// How modules are parsed.
    pub(crate) fn parse_options(&self) -> ParseOptions {
        let Config {
            threads,
            custom_page_sizes,
            wide_arithmetic,
            legacy_exceptions,
            ..
        } = self.0.config;
        let features = Features {
            threads,
            custom_page_sizes,
            wide_arithmetic,
            legacy_exceptions,
            ..Features::default()
        };
        ParseOptions {
            features,
            validate_bodies: !self.0.settings.lazy_validation,
        }
    }
}

impl Default for Engine {
    fn default() -> Self {
        Engine::new(&Config::default()).expect("the default settings work everywhere")
    }
}

/// Whether memories are guarded: as configured, or else where it is possible.
fn guarded_memories(config: &Config) -> Result<bool> {
    let faults_are_traps = rwasm_interp::init();
    let possible = || faults_are_traps && guarded_memories_available();
    match config.guarded_memories {
        Some(false) => Ok(false),
        None => Ok(possible()),
        Some(true) if possible() => Ok(true),
        Some(true) => Err(ConfigError::NoGuardedMemories.into()),
    }
}
