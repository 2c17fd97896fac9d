//! What got hot is remembered for the next start, where the engine has a cache.

use crate::tunables::{REMEMBER_AT_LEAST, REMEMBER_FIRST};
use rwasm::Module;
use std::sync::Arc;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// The modules of all programs.
#[derive(Clone, Debug)]
pub(crate) struct Modules(Arc<[Module]>);

impl Modules {
    pub(crate) fn new(modules: Vec<Module>) -> Modules {
        Modules(modules.into())
    }

    /// Writes what there is of them that was not written before.
    pub(crate) fn remember(&self) {
        for module in &*self.0 {
            match module.remember() {
                Ok(true) => tracing::debug!("machine code was remembered"),
                Ok(false) => {}
                // The next start takes longer, and that is all.
                Err(error) => tracing::debug!(%error, "machine code was not remembered"),
            }
        }
    }

    /// Does so again and again, for ever: a server may be ended by force. Soon at
    /// first, when most of the code is made.
    pub(crate) async fn remember_now_and_then(self) {
        let mut pause = REMEMBER_FIRST;
        loop {
            sleep(pause).await;
            pause = (2 * pause).min(REMEMBER_AT_LEAST);
            let modules = self.clone();
            // It is files that are written.
            let _ = spawn_blocking(move || modules.remember()).await;
        }
    }
}
