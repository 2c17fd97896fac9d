//! `--stats`: what became of a module's functions.

use std::time::{Duration, Instant};

use rwasm::Module;

use crate::output;

/// What is measured, if it was asked for.
pub struct Stats(Option<Times>);

struct Times {
    begun: Instant,
    /// From there to the guest's first instruction.
    to_guest: Duration,
}

impl Stats {
    /// Begins to measure.
    pub fn start(on: bool) -> Stats {
        Stats(on.then(|| Times {
            begun: Instant::now(),
            to_guest: Duration::ZERO,
        }))
    }

    /// The guest is about to be instantiated, which runs its start function.
    pub fn guest_starts(&mut self) {
        if let Some(times) = &mut self.0 {
            times.to_guest = times.begun.elapsed();
        }
    }

    /// Prints all of it, on standard error.
    pub fn print(&self, module: &Module) {
        let Some(times) = &self.0 else {
            return;
        };
        let tiers = module.engine().tier_stats();
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let lines = [
            format!("functions: {}", module.parsed().bodies().len()),
            format!("  called in the interpreter, so lowered: {}", tiers.called),
            format!(
                "  lowered before, from the cache: {}",
                module.remembered_bodies()
            ),
            format!("  compiled: {}, and {} loops", tiers.compiled, tiers.loops),
            format!("  that cannot be compiled: {}", tiers.failed),
            format!(
                "  compiled before, from the cache or the file: {}",
                module.remembered_functions()
            ),
            format!(
                "machine code: {} bytes, compiled in {:.1} ms",
                tiers.code_bytes,
                ms(tiers.compile_time)
            ),
            format!("running calls taken over: {}", tiers.osr_entries),
            format!("time to the guest: {:.2} ms", ms(times.to_guest)),
            format!("time of all: {:.2} ms", ms(times.begun.elapsed())),
        ];
        output::note(&lines.join("\n"));
    }
}
