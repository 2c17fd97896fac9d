//! One script in a process of its own, seen from both sides.
//!
//! The worker prints a line `LINE DIRECTIVES` before each directive and its
//! report as JSON in the last line. Where that line never comes, the last one
//! tells which directive ended the process.

use crate::options::{Options, Tiers};
use crate::scripts::Scripts;
use rwasm_spec_tests::{Failure, Progress, Report, Totals, run_source};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitCode, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, io, panic};

/// Bytes of native stack for a script: enough for the parsers and for what an
/// engine grants its guests, and so little that an interpreter whose
/// instructions leave something on it (a tail call that was lost) runs out.
const STACK: usize = 1 << 20;

/// The worker: runs the script and prints what the other side waits for.
pub(crate) fn main(scripts: &Scripts, path: &str, options: &Options) -> ExitCode {
    // A backtrace for each of many panics would take longer than the script.
    panic::set_hook(Box::new(|info| eprintln!("{info}")));
    let source = match scripts.read(path) {
        Ok(source) => source,
        Err(error) => {
            eprintln!("cannot read {path}: {error}");
            return ExitCode::FAILURE;
        }
    };
    let tiers = options.tiers()[0];
    let options = rwasm_spec_tests::Options {
        tier: tiers.tier,
        mixed_tiers: tiers.mixed,
        tier_stress: tiers.stress.map(|stress| stress.how),
        gaps: options.gaps(),
        progress: Some(|Progress { line, directives }| println!("{line} {directives}")),
        ..Default::default()
    };
    let script = || run_source(path, &source, &options);
    let outcome = thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK);
        let running = thread.spawn_scoped(scope, script);
        running.map(|thread| thread.join().expect("panics of directives are caught"))
    });
    match outcome {
        Ok(Ok(report)) => {
            println!(
                "{}",
                serde_json::to_string(&report).expect("reports are plain data")
            );
            ExitCode::SUCCESS
        }
        Ok(Err(error)) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("no thread for the script: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The other side: starts a worker and waits for its report. A worker that dies
/// or takes too long gives a report that says so.
pub(crate) fn run(path: &str, tiers: Tiers, options: &Options) -> Report {
    let spawned = spawn(path, tiers, options);
    let (mut child, stdout, stderr) = match spawned {
        Ok(spawned) => spawned,
        Err(error) => {
            return lost(
                path,
                Progress {
                    line: 1,
                    directives: 1,
                },
                error.to_string(),
            );
        }
    };
    let errors = collect(stderr);
    let end = watch(&lines(stdout), Duration::from_secs(options.timeout));
    let (progress, how) = match end {
        End::Report(report) => {
            let _ = child.wait();
            // Panics that were caught: their messages tell where.
            let errors = errors.join().unwrap_or_default();
            if !errors.is_empty() {
                eprintln!("{path}: {}", errors.trim_end());
            }
            return *report;
        }
        End::Closed(progress) => (progress, None),
        End::TimedOut(progress) => {
            let _ = child.kill();
            (
                progress,
                Some(format!("no end after {} s", options.timeout)),
            )
        }
    };
    let status = child.wait();
    let how = how.unwrap_or_else(|| match status {
        Ok(status) => format!("the process ended by {status}"),
        Err(error) => error.to_string(),
    });
    let errors = errors.join().unwrap_or_default();
    lost(
        path,
        progress,
        format!("{how}\n{errors}").trim_end().to_owned(),
    )
}

/// How a worker's output ended.
enum End {
    Report(Box<Report>),
    Closed(Progress),
    TimedOut(Progress),
}

fn watch(lines: &Receiver<String>, timeout: Duration) -> End {
    let deadline = Instant::now() + timeout;
    let mut progress = Progress {
        line: 1,
        directives: 1,
    };
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                if let Some((line, directives)) = line.split_once(' ')
                    && let (Ok(line), Ok(directives)) = (line.parse(), directives.parse())
                {
                    progress = Progress { line, directives };
                } else if let Ok(report) = serde_json::from_str(&line) {
                    return End::Report(Box::new(report));
                }
            }
            Err(RecvTimeoutError::Disconnected) => return End::Closed(progress),
            Err(RecvTimeoutError::Timeout) => return End::TimedOut(progress),
        }
    }
}

/// The report of a script whose results are not known: all of it failed.
fn lost(path: &str, progress: Progress, got: String) -> Report {
    let Progress { line, directives } = progress;
    Report {
        path: path.to_owned(),
        totals: Totals {
            files: 1,
            directives,
            failed: directives,
            ..Totals::default()
        },
        failures: vec![Failure {
            path: path.to_owned(),
            line,
            source: "(the directive that ran last)".to_owned(),
            expected: "a report of the whole script".to_owned(),
            got,
        }],
    }
}

fn spawn(
    path: &str,
    tiers: Tiers,
    options: &Options,
) -> io::Result<(Child, ChildStdout, ChildStderr)> {
    let mut command = Command::new(env::current_exe()?);
    command.args(["--worker", path, "--tier", &tiers.tier.to_string()]);
    if let Some(seed) = tiers.mixed {
        command.args(["--mixed-tiers", &seed.to_string()]);
    }
    if let Some(stress) = tiers.stress {
        command.args(["--stress", stress.name]);
    }
    if options.bundled {
        command.arg("--bundled");
    }
    if options.no_gaps {
        command.arg("--no-gaps");
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let missing = || io::Error::other("the worker has no output");
    let stdout = child.stdout.take().ok_or_else(missing)?;
    let stderr = child.stderr.take().ok_or_else(missing)?;
    Ok((child, stdout, stderr))
}

/// Lines of the output, as they come.
fn lines(stdout: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// The beginning of what a worker complains about.
fn collect(mut stderr: ChildStderr) -> JoinHandle<String> {
    const MOST: u64 = 2_000;
    thread::spawn(move || {
        let mut text = Vec::new();
        let _ = (&mut stderr).take(MOST).read_to_end(&mut text);
        // The rest must be read too, or the worker would wait for ever.
        let _ = io::copy(&mut stderr, &mut io::sink());
        String::from_utf8_lossy(&text).into_owned()
    })
}
