//! `--timeout`: a thread that ends the run when its time is over.
//!
//! The time starts before the module is read, so that nothing escapes it: not
//! a pipe that never delivers the module, not the start function (WA#4047), not
//! a host call that blocks. A guest that is running is interrupted and unwinds
//! with a backtrace; whoever does not react within [`GRACE`] is ended together
//! with the process.

use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use rwasm::InterruptHandle;

use crate::failure::{Failure, Result};
use crate::{exit, output};

/// How long an interrupted guest has to unwind. It takes microseconds unless a
/// host call blocks, and then there is nothing to wait for.
const GRACE: Duration = Duration::from_millis(50);

/// The thread needs next to no stack; the default is 2 MiB.
const STACK_BYTES: usize = 128 << 10;

/// A running time limit. It cannot be stopped: it ends with the process.
pub struct Watchdog {
    guest: Arc<OnceLock<InterruptHandle>>,
}

impl Watchdog {
    /// Starts the clock for the module that messages call `name`.
    pub fn start(limit: Duration, name: &str) -> Result<Watchdog> {
        if limit.is_zero() {
            return Err(Failure::new(
                exit::USAGE,
                "--timeout needs a time above zero; leave it out for no limit",
            ));
        }
        let guest = Arc::new(OnceLock::new());
        let watched = Arc::clone(&guest);
        let last_words = timed_out(name, limit);
        thread::Builder::new()
            .name("watchdog".into())
            .stack_size(STACK_BYTES)
            .spawn(move || watch(limit, &watched, &last_words))
            .map_err(|error| {
                let message = format!("cannot start the thread that --timeout needs: {error}");
                Failure::new(exit::FAILED, message)
            })?;
        Ok(Watchdog { guest })
    }

    /// Lets the guest unwind when the time is over.
    pub fn interrupts(&self, guest: InterruptHandle) {
        // There is one guest in a run, so it cannot be set already.
        let _ = self.guest.set(guest);
    }
}

/// The failure of a run whose time was over.
pub fn timed_out(name: &str, limit: Duration) -> Failure {
    let limit = humantime::format_duration(limit);
    let message = format!("{name} was stopped after {limit}, as --timeout says");
    Failure::new(exit::TIMED_OUT, message)
}

fn watch(limit: Duration, guest: &OnceLock<InterruptHandle>, last_words: &Failure) -> ! {
    thread::sleep(limit);
    end(guest.get(), last_words)
}

/// Ends the process from beside the guest, which has a moment to unwind if it
/// looks out for interruptions.
pub fn end(guest: Option<&InterruptHandle>, last_words: &Failure) -> ! {
    if let Some(guest) = guest {
        guest.interrupt();
        thread::sleep(GRACE);
    }
    output::complain(last_words);
    std::process::exit(last_words.exit_code.into())
}
