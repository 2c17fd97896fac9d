//! Prints the CPU time of every subject per kernel, and its ratio to the last
//! subject. Rounds are interleaved, so that a busy machine disturbs all alike.
#![forbid(unsafe_code)]

use clap::Parser;
use rwasm_benches::{Guest, Kernel, SUBJECTS, Subject, built_in, cpu_time};
use std::error::Error;
use std::process::ExitCode;

/// Compares CPU times in one process, on the same modules: medians in
/// milliseconds, the ratio of the medians, and in brackets the ratio of the
/// fastest rounds. Where the two ratios differ, the machine was too busy.
#[derive(Parser, Debug)]
struct Options {
    /// Kernels (`fib`, `fib:35`) or files (`FILE.wasm[:SIZE[:EXPORT]]`); all
    /// built-in kernels if none is given.
    kernels: Vec<String>,
    /// Rounds; in each, every subject runs once.
    #[arg(short = 'n', long, default_value_t = 7)]
    rounds: usize,
    /// Run only this subject, for a profiler.
    #[arg(long)]
    only: Option<String>,
}

/// Milliseconds of CPU time that one subject took for one kernel.
struct Times {
    median: f64,
    best: f64,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ratio: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let kernels = if options.kernels.is_empty() {
        built_in()?
    } else {
        let parsed = options
            .kernels
            .iter()
            .map(|argument| Kernel::parse(argument));
        parsed.collect::<Result<Vec<_>, _>>()?
    };
    let selected = |subject: &&Subject| {
        options
            .only
            .as_ref()
            .is_none_or(|only| subject.name == only)
    };
    let subjects: Vec<Subject> = SUBJECTS.iter().filter(selected).copied().collect();
    let Some((baseline, compared)) = subjects.split_last() else {
        return Err("there is no such subject".into());
    };
    print_header(baseline, compared);
    let mut logs = vec![0.0; compared.len()];
    for kernel in &kernels {
        let times = measure(kernel, &subjects, options.rounds.max(1))?;
        print_times(&kernel.name, &times);
        if let Some((baseline, compared)) = times.split_last() {
            for (log, times) in logs.iter_mut().zip(compared) {
                let ratio = times.median / baseline.median;
                *log += ratio.ln();
                print!(" {ratio:>12.3} ({:.3})", times.best / baseline.best);
            }
        }
        println!();
    }
    if kernels.len() > 1 && !compared.is_empty() {
        print!(
            "{:<18}{:width$}",
            "geometric mean",
            "",
            width = 13 * subjects.len()
        );
        for log in logs {
            print!(" {:>12.3}        ", (log / kernels.len() as f64).exp());
        }
        println!();
    }
    Ok(())
}

/// What each subject takes for a kernel, after a check that all of them compute
/// the same.
fn measure(
    kernel: &Kernel,
    subjects: &[Subject],
    rounds: usize,
) -> Result<Vec<Times>, Box<dyn Error>> {
    let mut guests = Vec::new();
    let mut expected = None;
    for subject in subjects {
        let mut guest = (subject.load)(kernel)?;
        let checksum = guest.run(kernel.size)?;
        let (first, name) = *expected.get_or_insert((checksum, subject.name));
        if first != checksum {
            return Err(format!(
                "{}: {name} returns {first:#x}, {} {checksum:#x}",
                kernel.name, subject.name
            )
            .into());
        }
        guests.push(guest);
    }
    let mut times = vec![Vec::new(); guests.len()];
    for round in 0..rounds {
        // Every subject comes first equally often.
        for turn in 0..guests.len() {
            let at = (round + turn) % guests.len();
            times[at].push(time(&mut *guests[at], kernel.size)?);
        }
    }
    Ok(times.into_iter().map(Times::of).collect())
}

fn time(guest: &mut dyn Guest, size: i32) -> Result<f64, Box<dyn Error>> {
    let start = cpu_time();
    guest.run(size)?;
    Ok((cpu_time() - start).as_secs_f64() * 1e3)
}

impl Times {
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        Times {
            median: times[times.len() / 2],
            best: times[0],
        }
    }
}

fn print_header(baseline: &Subject, compared: &[Subject]) {
    print!("{:<18}", "kernel");
    for subject in compared.iter().chain([baseline]) {
        print!(" {:>12}", format!("{} ms", subject.name));
    }
    for subject in compared {
        print!(
            " {:>12} (best) ",
            format!("{}/{}", subject.name, baseline.name)
        );
    }
    println!();
}

fn print_times(name: &str, times: &[Times]) {
    print!("{name:<18}");
    for times in times {
        print!(" {:>12.1}", times.median);
    }
}
