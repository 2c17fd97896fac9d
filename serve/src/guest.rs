//! The system as guests see it: what is the same in every way to meet HTTP.

use crate::error::ServeError;
use crate::lines::Lines;
use crate::metrics::MountMetrics;
use crate::pool::Turn;
use crate::program::Program;
use crate::settings;
use crate::tunables::{MAX_STDERR, OPEN_FILES};
use rwasm_wasi::{BuildError, Limits, Output, WasiCtx, WasiCtxBuilder};
use std::sync::Arc;

/// A program that is mounted, and has a guest for each request or connection.
#[derive(Debug)]
pub(crate) struct Mounted {
    pub(crate) program: Program,
    pub(crate) settings: settings::Program,
    /// The path that it is mounted at.
    pub(crate) mount: Arc<str>,
    pub(crate) metrics: Arc<MountMetrics>,
}

/// What all guests of a program are given: arguments, environment, folders.
pub(crate) fn builder(
    program: &settings::Program,
    limits: Limits,
) -> Result<WasiCtxBuilder, BuildError> {
    let mut builder = WasiCtx::builder();
    builder
        .limits(limits)
        .arg(program.module.file_name().unwrap_or_default())
        .args(&program.args);
    for (name, value) in &program.env {
        builder.env(name, value);
    }
    for folder in &program.folders {
        builder.preopened_dir(&folder.host, &folder.guest, folder.access)?;
    }
    Ok(builder)
}

impl Mounted {
    pub(crate) fn load(
        settings: settings::Program,
        mount: &str,
        metrics: Arc<MountMetrics>,
    ) -> Result<Mounted, ServeError> {
        Ok(Mounted {
            program: Program::load(&settings)?,
            settings,
            mount: mount.into(),
            metrics,
        })
    }

    /// What its guests are given. What they print goes to the log.
    pub(crate) fn builder(&self) -> Result<WasiCtxBuilder, BuildError> {
        let mut limits = Limits::default();
        limits.open_files = OPEN_FILES;
        let mut builder = builder(&self.settings, limits)?;
        let lines = |stream| Output::writer(Lines::new(stream, &self.mount, MAX_STDERR));
        builder.stdout(lines("stdout")).stderr(lines("stderr"));
        if let Some(system) = self.program.system() {
            builder.go_on_from(system);
        }
        Ok(builder)
    }
}

/// Has the guest give its turn away whenever it waits.
pub(crate) fn rests(builder: &mut WasiCtxBuilder, turn: &Arc<Turn>) {
    let turn = Arc::clone(turn);
    builder.on_wait(move |wait| turn.rest(wait));
}
