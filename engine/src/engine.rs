//! The engine: what stores and modules share.

use crate::config::Config;
use crate::error::Result;
use std::sync::Arc;

/// Settings, types and code shared by the modules and stores made with it.
/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Engine(Arc<Config>);

impl Engine {
    /// An engine with these settings; an error if this build or this machine
    /// cannot do what they ask for.
    pub fn new(config: &Config) -> Result<Engine> {
        config.check()?;
        Ok(Engine(Arc::new(config.clone())))
    }

    /// The settings it was made with.
    pub fn config(&self) -> &Config {
        &self.0
    }

    /// Whether both are clones of one engine.
    pub fn same(a: &Engine, b: &Engine) -> bool {
        Arc::ptr_eq(&a.0, &b.0)
    }
}

impl Default for Engine {
    fn default() -> Self {
        Engine::new(&Config::default()).expect("the default settings work everywhere")
    }
}
