//! Programs that are servers of their own: each is given the listener, and lives
//! on. Several instances of one program share it.

use crate::error::ServeError;
use crate::guest;
use crate::lines::Lines;
use crate::program::{Ended, Program};
use crate::settings;
use rwasm::InterruptHandle;
use rwasm_wasi::{BuildError, Limits, Output, WasiCtx};
use std::future::pending;
use std::net::TcpListener;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The pause before a worker that ended is started again; it doubles as long as
/// workers end at once.
const PAUSE: Duration = Duration::from_millis(50);

/// The longest such pause. A worker that has lived longer did not end at once.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A program, and its instances.
#[derive(Debug)]
pub(crate) struct Workers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    program: Program,
    settings: settings::Program,
    mount: Arc<str>,
    listener: TcpListener,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stopping: bool,
    running: Vec<(usize, InterruptHandle)>,
    threads: usize,
}

impl Workers {
    /// Loads the program, and tries out what it is to be given.
    pub(crate) fn load(
        settings: settings::Program,
        mount: &str,
        listener: TcpListener,
    ) -> Result<Workers, ServeError> {
        let shared = Shared {
            program: Program::load(&settings)?,
            settings,
            mount: mount.into(),
            listener,
            state: Mutex::default(),
            changed: Condvar::new(),
        };
        let given = shared.guest().map(drop);
        given.map_err(|source| ServeError::Grant {
            path: shared.settings.module.clone(),
            source,
        })?;
        Ok(Workers(Arc::new(shared)))
    }

    pub(crate) fn program(&self) -> &Program {
        &self.0.program
    }

    /// Starts so many instances, each on a thread with so much stack. Ready only if
    /// that fails.
    pub(crate) async fn work(&self, workers: usize, stack_bytes: usize) -> Result<(), ServeError> {
        self.start(workers, stack_bytes)?;
        pending().await
    }

    fn start(&self, workers: usize, stack_bytes: usize) -> Result<(), ServeError> {
        for number in 0..workers {
            let shared = Arc::clone(&self.0);
            self.0.state().threads += 1;
            let started = thread::Builder::new()
                .name(format!("worker-{number}"))
                .stack_size(stack_bytes)
                .spawn(move || shared.work(number));
            if let Err(error) = started {
                self.0.state().threads -= 1;
                return Err(ServeError::Threading(error));
            }
        }
        Ok(())
    }

    /// Stops them, and waits until they have stopped, but no longer than `grace`.
    pub(crate) fn stop(&self, grace: Duration) {
        let mut state = self.0.state();
        state.stopping = true;
        for (_, handle) in &state.running {
            handle.interrupt();
        }
        self.0.changed.notify_all();
        let ended = self
            .0
            .changed
            .wait_timeout_while(state, grace, |state| state.threads > 0);
        drop(ended);
    }
}

impl Shared {
    /// What a worker's thread does.
    fn work(&self, number: usize) {
        let mut pause = PAUSE;
        while !self.state().stopping {
            let begin = Instant::now();
            match self.guest() {
                Ok(guest) => self.run(number, guest),
                Err(error) => tracing::error!(%error, number, "cannot start a worker"),
            }
            if begin.elapsed() > LONGEST_PAUSE {
                pause = PAUSE;
            }
            let state = self.state();
            let slept = self
                .changed
                .wait_timeout_while(state, pause, |state| !state.stopping);
            drop(slept);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.state().threads -= 1;
        self.changed.notify_all();
    }

    fn run(&self, number: usize, guest: WasiCtx) {
        let starts = |handle: InterruptHandle| {
            let mut state = self.state();
            if state.stopping {
                handle.interrupt();
            }
            state.running.push((number, handle));
        };
        let ended = |ended: Ended| {
            let mut state = self.state();
            state.running.retain(|(running, _)| *running != number);
            if !state.stopping {
                tracing::error!(number, ?ended, "a worker has ended, and is started again");
            }
        };
        self.program.run(guest, starts, ended);
    }

    /// The system as a worker sees it.
    fn guest(&self) -> Result<WasiCtx, BuildError> {
        let listener = self.listener.try_clone().map_err(BuildError::Listener)?;
        let mut builder = guest::builder(&self.settings, Limits::default())?;
        builder
            .listener(listener)
            .stdout(Output::writer(Lines::new(
                "stdout",
                &self.mount,
                usize::MAX,
            )))
            .stderr(Output::writer(Lines::new(
                "stderr",
                &self.mount,
                usize::MAX,
            )));
        builder.build()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing below panics half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
