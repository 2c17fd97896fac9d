//! One run of a program, and what many of them say.

use std::{
    io::Read,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use wait4::Wait4;

use crate::{
    error::{Error, Result},
    process,
};

/// What a run took.
#[derive(Clone, Copy)]
pub struct Sample {
    /// From start to end.
    pub wall: Duration,
    /// Of all its threads, in user and system mode.
    pub cpu: Duration,
    /// The most memory that was resident, in bytes.
    pub memory: u64,
}

/// Median and extremes.
pub struct Figures {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Sample {
    /// Runs a program that prints no more than a pipe holds: what it took and what
    /// it printed, or why it failed.
    pub fn take(command: &mut Command) -> Result<Result<(Self, String), String>> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let begin = Instant::now();
        let mut child = command.spawn().map_err(|source| Error::Start {
            program: process::line(command),
            source,
        })?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let used = child.wait4().map_err(|source| Error::Start {
            program: process::line(command),
            source,
        })?;
        let wall = begin.elapsed();
        if !used.status.success() {
            let said = text(stderr);
            let mut lines = said.lines();
            let first = lines.next().unwrap_or("nothing was said");
            let line = lines.find(|line| line.contains("Error")).unwrap_or(first);
            return Ok(Err(format!("{}: {line}", used.status)));
        }
        let sample = Sample {
            wall,
            cpu: used.rusage.utime + used.rusage.stime,
            memory: used.rusage.maxrss,
        };
        Ok(Ok((sample, text(stdout))))
    }

    /// Of start to end.
    pub fn wall_ms(&self) -> f64 {
        self.wall.as_secs_f64() * 1e3
    }

    /// Of all threads.
    pub fn cpu_ms(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e3
    }

    /// The most that was resident.
    pub fn memory_mib(&self) -> f64 {
        self.memory as f64 / f64::from(1 << 20)
    }
}

impl Figures {
    /// Of these samples, if there are some.
    pub fn of(samples: &[Sample], measure: fn(&Sample) -> f64) -> Option<Self> {
        let mut values: Vec<f64> = samples.iter().map(measure).collect();
        values.sort_by(f64::total_cmp);
        Some(Figures {
            median: *values.get(values.len() / 2)?,
            least: *values.first()?,
            most: *values.last()?,
        })
    }
}

/// The geometric mean, if there is anything.
pub fn geometric_mean(ratios: impl IntoIterator<Item = f64>) -> Option<f64> {
    let logs: Vec<f64> = ratios.into_iter().map(f64::ln).collect();
    let mean = logs.iter().sum::<f64>() / logs.len() as f64;
    (!logs.is_empty()).then(|| mean.exp())
}

/// What a program has written to a pipe. What is no text is no checksum either.
fn text(pipe: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        // An error means that the program is gone, and what was read is all.
        let _ = pipe.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
