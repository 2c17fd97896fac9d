//! Prints how fast interpreters lower whole modules, and how much memory their
//! code takes.
//!
//! Speed is CPU time to parse, validate and lower, the median of interleaved
//! rounds. Memory is what the process grows by when it keeps copies that are
//! lowered, less what it grows by for copies that are not.
#![forbid(unsafe_code)]

use rwasm_benches::{Kernel, cpu_time, lowering, programs};
use std::any::Any;
use std::error::Error;
use std::fs;
use std::process::ExitCode;

const ROUNDS: usize = 9;
const COPIES: usize = 20;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lowering: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    println!(
        "{:18} {:>8} {:>11} {:>11} {:>7}   {:>11} {:>11} {:>7}",
        "program", "bytes", "rwasm MB/s", "wasmi MB/s", "ratio", "rwasm KiB", "wasmi KiB", "ratio"
    );
    let (mut speeds, mut sizes, mut count) = (0.0, 0.0, 0.0);
    for program in programs()? {
        let Some((seconds, bytes)) = measure(&program)? else {
            continue;
        };
        let length = program.wasm.len() as f64;
        let speed = [length / seconds[0] / 1e6, length / seconds[1] / 1e6];
        let (speed_ratio, size_ratio) = (speed[0] / speed[1], bytes[0] / bytes[1]);
        println!(
            "{:18} {length:>8} {:>11.1} {:>11.1} {speed_ratio:>7.3}   {:>11.1} {:>11.1} {size_ratio:>7.3}",
            program.name,
            speed[0],
            speed[1],
            bytes[0] / 1024.0,
            bytes[1] / 1024.0,
        );
        speeds += speed_ratio.ln();
        sizes += size_ratio.ln();
        count += 1.0;
    }
    println!(
        "{:18} {:>8} {:>11} {:>11} {:>7.3}   {:>11} {:>11} {:>7.3}",
        "geometric mean",
        "",
        "",
        "",
        (speeds / count).exp(),
        "",
        "",
        (sizes / count).exp()
    );
    Ok(())
}

/// Seconds for a module, and bytes of code, each by subject.
type Measured = ([f64; 2], [f64; 2]);

/// Measures one module; `None` if one of the subjects does not take it.
fn measure(program: &Kernel) -> Result<Option<Measured>, Box<dyn Error>> {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (times, (_, lower)) in times.iter_mut().zip(lowering::SUBJECTS) {
            let start = cpu_time();
            let Ok(lowered) = lower(&program.wasm, true) else {
                return Ok(None);
            };
            times.push((cpu_time() - start).as_secs_f64());
            drop(lowered);
        }
    }
    let mut bytes = [0.0; 2];
    for (bytes, (_, lower)) in bytes.iter_mut().zip(lowering::SUBJECTS) {
        // All copies stay until the last was measured, so that no memory is
        // used again.
        let mut kept: Vec<Box<dyn Any>> = Vec::new();
        let mut growth = [0.0; 2];
        for (growth, lowered) in growth.iter_mut().zip([false, true]) {
            let before = resident()?;
            for _ in 0..COPIES {
                kept.push(lower(&program.wasm, lowered)?);
            }
            *growth = resident()? - before;
        }
        *bytes = ((growth[1] - growth[0]) / COPIES as f64).max(1.0);
    }
    let seconds = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    Ok(Some((seconds, bytes)))
}

/// Resident bytes of this process.
fn resident() -> Result<f64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1));
    let kibibytes: f64 = kibibytes.ok_or("the system says no VmRSS")?.parse()?;
    Ok(kibibytes * 1024.0)
}
