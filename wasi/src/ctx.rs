//! The state of one guest.

use crate::builder::WasiCtxBuilder;
use crate::clocks::Clocks;
use crate::limits::Limits;
use crate::random::Random;
use crate::refusal::Observer;
use crate::strings::Strings;
use crate::table::Table;
use std::fmt;

/// What one guest has of the system: arguments, environment, open files,
/// clocks. Embedders keep it in the data of their store.
pub struct WasiCtx {
    pub(crate) args: Strings,
    pub(crate) env: Strings,
    pub(crate) table: Table,
    pub(crate) clocks: Clocks,
    pub(crate) random: Random,
    pub(crate) limits: Limits,
    pub(crate) on_refusal: Option<Observer>,
}

impl WasiCtx {
    /// A builder that gives nothing yet.
    pub fn builder() -> WasiCtxBuilder {
        WasiCtxBuilder::new()
    }
}

impl fmt::Debug for WasiCtx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasiCtx")
            .field("args", &self.args)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
