//! One run of a program, on a thread of the pool.

use super::Shared;
use crate::error::ServeError;
use crate::exchange::Exchange;
use crate::guest;
use crate::pool::Turn;
use crate::program::Ended;
use crate::scratch::Scratch;
use crate::settings::Snapshot;
use crate::start::StartError;
use crate::timer::{Timer, Watch};
use rwasm_wasi::{Access, BuildError, Input, Output, WasiCtx, WasiCtxBuilder};
use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::OwnedSemaphorePermit;

/// One run of a program.
pub(super) struct Job {
    pub(super) program: Arc<Shared>,
    pub(super) variables: Vec<(OsString, OsString)>,
    pub(super) has_body: bool,
    /// What is kept free for a body that was received before.
    pub(super) _room: Option<OwnedSemaphorePermit>,
    pub(super) exchange: Arc<Exchange>,
    /// Until the guest has ended.
    pub(super) watch: Watch,
}

/// Why a guest cannot be started.
#[derive(Debug, Error)]
enum SetupError {
    #[error("cannot give it what it is to be given: {0}")]
    Grant(#[from] BuildError),
    #[error("cannot make its scratch folder: {0}")]
    Scratch(#[from] io::Error),
}

impl Job {
    pub(super) fn run(self, turn: &Arc<Turn>) {
        let ending = Ending(&self.exchange);
        if !self.exchange.begin(turn) {
            return;
        }
        let program = &self.program;
        // Declared first, so that it is removed when the guest has no file open.
        let mut scratch = None;
        match program.guest(&self, turn, &mut scratch) {
            Ok(guest) => program.mounted.program.run(
                guest,
                |handle| self.exchange.guest_starts(handle),
                |ended| {
                    ending.0.finish(ended);
                    drop(self.watch);
                },
            ),
            Err(error) => ending.0.finish(Ended::Failed(error.to_string())),
        }
    }
}

/// Ends an exchange also if the thread panics or the job is not done at all.
struct Ending<'a>(&'a Exchange);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let reason = "the host has failed; this is an error in rwasm";
        self.0.finish(Ended::Failed(reason.into()));
    }
}

impl Shared {
    /// Whether a guest could be given all that it is to be given.
    pub(super) fn try_out(&self) -> Result<(), ServeError> {
        let failed = |source| ServeError::Grant {
            path: self.mounted.settings.module.clone(),
            source,
        };
        let mut builder = self.mounted.builder().map_err(failed)?;
        builder.build().map(drop).map_err(failed)
    }

    /// The system as the guest of one request sees it.
    fn guest(
        &self,
        job: &Job,
        turn: &Arc<Turn>,
        scratch: &mut Option<Scratch>,
    ) -> Result<WasiCtx, SetupError> {
        let mut builder = self.mounted.builder()?;
        guest::rests(&mut builder, turn);
        // After the program's own, which they hide.
        for (name, value) in &job.variables {
            builder.env(name, value);
        }
        if job.has_body {
            builder.stdin(Input::reader(job.exchange.stdin()));
        }
        builder.stdout(Output::writer(job.exchange.stdout()));
        self.give_scratch(&mut builder, scratch)?;
        Ok(builder.build()?)
    }

    /// Does what is done once. There is no request yet: the environment is the
    /// program's own, and what it prints goes to the log.
    pub(super) fn start(&mut self, at: Snapshot, timer: &Arc<Timer>) -> Result<(), StartError> {
        let mut builder = self.mounted.builder()?;
        let mut scratch = None;
        self.give_scratch(&mut builder, &mut scratch)
            .map_err(StartError::Scratch)?;
        let once = self.mounted.program.once(at);
        self.mounted.program.start_once(builder, once, timer)
    }

    /// Gives a guest a scratch folder, which is kept in `scratch`, if it is to have
    /// one.
    fn give_scratch(
        &self,
        builder: &mut WasiCtxBuilder,
        scratch: &mut Option<Scratch>,
    ) -> io::Result<()> {
        if let (Some(name), Some(all)) = (&self.mounted.settings.scratch, &self.scratch) {
            let folder = scratch.insert(Scratch::new(all)?);
            builder.preopened_handle(folder.dir()?, name, Access::ReadWrite);
        }
        Ok(())
    }
}
