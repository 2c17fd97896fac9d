//! Prints how fast interpreters lower whole modules, and how much memory their
//! code takes.
//!
//! Speed is CPU time to parse, validate and lower, the median of interleaved
//! rounds. Memory is what a fresh process has resident when it keeps copies that
//! are lowered, less what another has with copies that are not: the code, without
//! the module's bytes, which rwasm keeps (a program's are mapped from its file) and
//! wasmi copies as long as they are not translated. This program runs itself for
//! that.
#![forbid(unsafe_code)]

use rwasm_benches::{Kernel, cpu_time, lowering, programs};
use std::any::Any;
use std::error::Error;
use std::process::{Command, ExitCode};
use std::{env, fs};

const ROUNDS: usize = 9;
const COPIES: usize = 20;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let outcome = match &args[..] {
        [program, subject, lowered] => print_resident(program, subject, lowered == "lowered"),
        _ => run(),
    };
    match outcome {
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
    for (bytes, (subject, _)) in bytes.iter_mut().zip(lowering::SUBJECTS) {
        let resident = |state| resident_with_copies(&program.name, subject, state);
        *bytes = ((resident("lowered")? - resident("parsed")?) / COPIES as f64).max(1.0);
    }
    let seconds = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    Ok(Some((seconds, bytes)))
}

/// What another process prints that runs [`print_resident`].
fn resident_with_copies(program: &str, subject: &str, state: &str) -> Result<f64, Box<dyn Error>> {
    let mut command = Command::new(env::current_exe()?);
    let output = command.args([program, subject, state]).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// Prints the bytes that this process has resident with copies of a program.
fn print_resident(program: &str, subject: &str, lowered: bool) -> Result<(), Box<dyn Error>> {
    let subject = lowering::SUBJECTS.iter().find(|(name, _)| *name == subject);
    let (_, lower) = subject.ok_or("no subject has that name")?;
    let programs = programs()?;
    let program = programs.iter().find(|other| other.name == program);
    let wasm = &program.ok_or("no program has that name")?.wasm;
    let mut kept: Vec<Box<dyn Any>> = Vec::new();
    for _ in 0..COPIES {
        kept.push(lower(wasm, lowered)?);
    }
    println!("{}", resident()?);
    Ok(())
}

/// Resident bytes of this process that are of no file: which pages of the program
/// itself are there differs from build to build.
fn resident() -> Result<f64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("RssAnon:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1));
    let kibibytes: f64 = kibibytes.ok_or("the system says no RssAnon")?.parse()?;
    Ok(kibibytes * 1024.0)
}
