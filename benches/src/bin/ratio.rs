//! Prints the CPU time of every subject per kernel, and its ratio to the last
//! subject: medians of interleaved rounds.
#![forbid(unsafe_code)]

use clap::Parser;
use rwasm_benches::{Guest, Kernel, SUBJECTS, Subject, built_in, cpu_time};
use std::error::Error;
use std::process::ExitCode;

/// Compares CPU times in one process, on the same modules.
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
    let subjects: Vec<Subject> = SUBJECTS
        .iter()
        .filter(|subject| {
            options
                .only
                .as_ref()
                .is_none_or(|only| subject.name == only)
        })
        .copied()
        .collect();
    print_header(&subjects);
    let mut logs = vec![0.0; subjects.len()];
    for kernel in &kernels {
        let medians = measure(kernel, &subjects, options.rounds.max(1))?;
        let last = medians.last().copied().unwrap_or(1.0);
        let ratios: Vec<f64> = medians.iter().map(|median| median / last).collect();
        for (log, ratio) in logs.iter_mut().zip(&ratios) {
            *log += ratio.ln();
        }
        print_row(&kernel.name, &medians, &ratios);
    }
    if kernels.len() > 1 {
        let means: Vec<f64> = logs
            .iter()
            .map(|log| (log / kernels.len() as f64).exp())
            .collect();
        print_row("geometric mean", &[], &means);
    }
    Ok(())
}

/// Median CPU time in milliseconds of each subject.
fn measure(
    kernel: &Kernel,
    subjects: &[Subject],
    rounds: usize,
) -> Result<Vec<f64>, Box<dyn Error>> {
    let mut guests = Vec::new();
    let mut expected = None;
    for subject in subjects {
        let mut guest = (subject.load)(kernel)?;
        let checksum = guest.run(kernel.size)?;
        if *expected.get_or_insert(checksum) != checksum {
            return Err(format!(
                "{}: {} returns {checksum:#x}, {} {:#x}",
                kernel.name,
                subject.name,
                subjects[0].name,
                expected.unwrap_or_default()
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
    Ok(times.into_iter().map(median).collect())
}

fn time(guest: &mut dyn Guest, size: i32) -> Result<f64, Box<dyn Error>> {
    let start = cpu_time();
    guest.run(size)?;
    Ok((cpu_time() - start).as_secs_f64() * 1e3)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn print_header(subjects: &[Subject]) {
    print!("{:<16}", "kernel");
    for subject in subjects {
        print!(" {:>12}", format!("{} ms", subject.name));
    }
    if let Some((last, rest)) = subjects.split_last() {
        for subject in rest {
            print!(" {:>12}", format!("{}/{}", subject.name, last.name));
        }
    }
    println!();
}

fn print_row(name: &str, medians: &[f64], ratios: &[f64]) {
    print!("{name:<16}");
    for at in 0..ratios.len() {
        match medians.get(at) {
            Some(median) => print!(" {median:>12.1}"),
            None => print!(" {:>12}", ""),
        }
    }
    for ratio in ratios.split_last().map_or(&[][..], |(_, rest)| rest) {
        print!(" {ratio:>12.3}");
    }
    println!();
}
