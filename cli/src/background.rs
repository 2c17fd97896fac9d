//! Validation of a whole module while its guest runs, where functions are
//! otherwise validated when they are first called.
//!
//! A module with an invalid function is no module, whether or not the function
//! is ever called: the first one found ends the run, and what is said is what
//! `rwasm validate` says. A guest that has ended before is none the worse.

use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use rwasm::{InterruptHandle, Module};

use crate::failure::Failure;
use crate::{sentences, watchdog};

/// What ends sooner is not worth a second thread: CPython prints its version in
/// this time, and validating all of it takes ten times as long.
const HEAD_START: Duration = Duration::from_millis(20);

/// What is remembered is written once after so long, beside the guest.
const LONG_RUN: Duration = Duration::from_secs(2);

/// A validation that goes on. It cannot be stopped: it ends with the process.
pub struct Background {
    found: Arc<OnceLock<Failure>>,
}

impl Background {
    /// Begins, beside the guest that `guest` interrupts. Where no thread can be
    /// had, functions are validated when they are called, and no others.
    pub fn start(module: &Module, name: &str, guest: InterruptHandle) -> Background {
        let found = Arc::new(OnceLock::new());
        let (told, module, name) = (Arc::clone(&found), module.clone(), name.to_owned());
        let _ = thread::Builder::new()
            .name("validation".into())
            .spawn(move || {
                thread::sleep(HEAD_START);
                give_way();
                if let Err(error) = module.validate_in_order() {
                    let failure = told.get_or_init(|| sentences::cannot_load(&name, &error));
                    watchdog::end(Some(&guest), failure);
                }
                // Who runs so long may not come to the end. All others remember
                // everything there, at once.
                thread::sleep(LONG_RUN);
                let _ = module.remember();
            });
        Background { found }
    }

    /// Why the guest was interrupted, if it was because of this.
    pub fn failure(&self) -> Option<&Failure> {
        self.found.get()
    }
}

/// Lets the guest, and what compiles for it, go first where there are too few
/// cores for all. On Linux a thread has a priority of its own.
fn give_way() {
    #[cfg(target_os = "linux")]
    {
        const LOW: i32 = 10;
        // It runs as it is where this is refused.
        let _ = rustix::process::setpriority_process(None, LOW);
    }
}
