//! Prints the CPU time of every subject per kernel, and its ratio to the last
//! subject. Rounds are interleaved, so that a busy machine disturbs all alike.
//! A subject that cannot run a kernel says why, and has a dash.
#![forbid(unsafe_code)]

use clap::Parser;
use rwasm_benches::{Guest, Kernel, SUBJECTS, Subject, built_in, cpu_time, programs};
use std::error::Error;
use std::process::ExitCode;

/// Compares CPU times in one process, on the same modules: medians in
/// milliseconds, the ratio of the medians, and in brackets the ratio of the
/// fastest rounds. Where the two ratios differ, the machine was too busy.
#[derive(Parser, Debug)]
struct Options {
    /// Kernels (`fib`, `fib:35`), programs (`json`, `json:100`) or files
    /// (`FILE.wasm[:SIZE[:EXPORT]]`); all programs if none is given.
    kernels: Vec<String>,
    /// Also the kernels of this crate.
    #[arg(long)]
    kernels_too: bool,
    /// Rounds; in each, every subject runs once.
    #[arg(short = 'n', long, default_value_t = 7)]
    rounds: usize,
    /// The subjects, the one that ratios are taken against last. One alone is
    /// for a profiler.
    #[arg(short, long, value_delimiter = ',', default_value = DEFAULT_SUBJECTS)]
    subjects: Vec<String>,
}

const DEFAULT_SUBJECTS: &str = "rwasm-interp,rwasm-jit,rwasm-auto,wasmi,wasmtime";

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
    let mut kernels = Vec::new();
    if options.kernels.is_empty() {
        kernels = programs()?;
    }
    if options.kernels_too {
        kernels.extend(built_in()?);
    }
    for argument in &options.kernels {
        kernels.push(Kernel::parse(argument)?);
    }
    let subjects = subjects(&options.subjects)?;
    print_header(&subjects);
    // The logarithms of the ratios of every subject but the last.
    let mut logs = vec![Vec::new(); subjects.len() - 1];
    for kernel in &kernels {
        let times = measure(kernel, &subjects, options.rounds.max(1))?;
        print_times(&kernel.name, &times);
        let baseline = times.last().and_then(Option::as_ref);
        for (logs, times) in logs.iter_mut().zip(&times) {
            match (times, baseline) {
                (Some(times), Some(baseline)) => {
                    let ratio = times.median / baseline.median;
                    logs.push(ratio.ln());
                    print!(" {ratio:>RATIO$.3} ({:.3})", times.best / baseline.best);
                }
                _ => print!(" {:>RATIO$} (  -  )", "-"),
            }
        }
        println!();
    }
    if kernels.len() > 1 {
        print!(
            "{:NAME$}{:width$}",
            "geometric mean",
            "",
            width = (TIME + 1) * subjects.len()
        );
        for logs in &logs {
            let mean = logs.iter().sum::<f64>() / logs.len() as f64;
            print!(" {:>RATIO$.3}        ", mean.exp());
        }
        print!(
            "\n{:NAME$}{:width$}",
            "worst",
            "",
            width = (TIME + 1) * subjects.len()
        );
        for logs in &logs {
            let worst = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            print!(" {:>RATIO$.3}        ", worst.exp());
        }
        println!();
    }
    Ok(())
}

fn subjects(names: &[String]) -> Result<Vec<Subject>, Box<dyn Error>> {
    let subject = |name: &String| {
        let found = SUBJECTS.iter().find(|subject| subject.name == name);
        found.copied().ok_or_else(|| {
            let known: Vec<_> = SUBJECTS.iter().map(|subject| subject.name).collect();
            format!(
                "no subject is called {name:?}; the subjects are: {}",
                known.join(", ")
            )
            .into()
        })
    };
    names.iter().map(subject).collect()
}

/// What each subject takes for a kernel, after a check that all of them compute
/// the same.
fn measure(
    kernel: &Kernel,
    subjects: &[Subject],
    rounds: usize,
) -> Result<Vec<Option<Times>>, Box<dyn Error>> {
    let mut guests = Vec::new();
    let mut expected = None;
    for subject in subjects {
        let mut guest = match (subject.load)(kernel) {
            Ok(guest) => guest,
            Err(error) => {
                eprintln!("{}: {error}", kernel.name);
                guests.push(None);
                continue;
            }
        };
        let checksum = guest.run(kernel.size)?;
        let (first, name) = *expected.get_or_insert((checksum, subject.name));
        if first != checksum {
            return Err(format!(
                "{}: {name} returns {first:#x}, {} {checksum:#x}",
                kernel.name, subject.name
            )
            .into());
        }
        guests.push(Some(guest));
    }
    let mut times = vec![Vec::new(); guests.len()];
    for round in 0..rounds {
        // Every subject comes first equally often.
        for turn in 0..guests.len() {
            let at = (round + turn) % guests.len();
            if let Some(guest) = &mut guests[at] {
                times[at].push(time(&mut **guest, kernel.size)?);
            }
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
    fn of(mut times: Vec<f64>) -> Option<Self> {
        times.sort_by(f64::total_cmp);
        Some(Times {
            median: *times.get(times.len() / 2)?,
            best: *times.first()?,
        })
    }
}

/// Widths of columns.
const NAME: usize = 18;
const TIME: usize = 15;
const RATIO: usize = 12;

fn print_header(subjects: &[Subject]) {
    print!("{:NAME$}", "kernel");
    for subject in subjects {
        print!(" {:>TIME$}", format!("{} ms", subject.name));
    }
    if let Some((baseline, compared)) = subjects.split_last() {
        for subject in compared {
            print!(" {:>RATIO$} (best) ", subject.name);
        }
        if !compared.is_empty() {
            print!(" ratios to {}", baseline.name);
        }
    }
    println!();
}

fn print_times(name: &str, times: &[Option<Times>]) {
    print!("{name:NAME$}");
    for times in times {
        match times {
            Some(times) => print!(" {:>TIME$.1}", times.median),
            None => print!(" {:>TIME$}", "-"),
        }
    }
}
