//! Workers side by side, and what they found.

use crate::Options;
use crate::worker::Message;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use std::{env, io, thread};

/// Seeds that a worker takes at a time.
const BATCH: u64 = 500;

/// Runs all seeds; returns whether there was no difference.
pub fn run(options: &Options) -> Result<bool, String> {
    let end = options.seed.saturating_add(options.count);
    let next = Mutex::new(options.seed);
    let counts = Mutex::new(BTreeMap::<String, u64>::new());
    let take = || {
        let mut next = next.lock().unwrap_or_else(|error| error.into_inner());
        let first = *next;
        *next = first.saturating_add(BATCH).min(end);
        (first < end).then_some((first, *next))
    };
    let count = |what: String, by: u64| {
        let mut counts = counts.lock().unwrap_or_else(|error| error.into_inner());
        *counts.entry(what).or_default() += by;
    };
    let work = || -> io::Result<()> {
        while let Some((first, end)) = take() {
            let mut seed = first;
            while seed < end {
                seed = batch(options, seed, end, &count)?;
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..options.jobs()).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            let result = worker.join().expect("no thread panics here");
            result.map_err(|error| error.to_string())
        })
    })?;
    let counts = counts
        .into_inner()
        .unwrap_or_else(|error| error.into_inner());
    for (what, count) in &counts {
        println!("{count:>10} {what}");
    }
    Ok(!counts.contains_key("different") && !counts.contains_key("lost"))
}

/// Runs the seeds from `first` up to `end` in one process. Returns the seed to
/// go on with: `end`, or the one after that which ended the process.
fn batch(options: &Options, first: u64, end: u64, count: &impl Fn(String, u64)) -> io::Result<u64> {
    let (mut child, lines) = spawn(options, first, end - first)?;
    let mut seed = first;
    let timed_out = loop {
        match lines.recv_timeout(Duration::from_secs(options.timeout)) {
            Ok(line) => match line.parse() {
                Ok(Message::Begin(begun)) => seed = begun,
                Ok(Message::Different(seed, text)) => println!("seed {seed}: {text}"),
                Ok(Message::Count(what, by)) => count(what, by),
                Err(()) => println!("{line}"),
            },
            Err(RecvTimeoutError::Disconnected) => break false,
            Err(RecvTimeoutError::Timeout) => {
                child.kill()?;
                break true;
            }
        }
    };
    let status = child.wait()?;
    if status.success() {
        return Ok(end);
    }
    let why = if timed_out {
        format!("no end after {} s", options.timeout)
    } else {
        format!("the process ended by {status}")
    };
    println!("seed {seed}: {why}");
    // The counts of the seeds before it were lost with the process.
    count("lost".to_owned(), 1);
    count("before a lost one".to_owned(), seed - first);
    Ok(seed + 1)
}

fn spawn(options: &Options, seed: u64, count: u64) -> io::Result<(Child, mpsc::Receiver<String>)> {
    let mut command = Command::new(env::current_exe()?);
    command.arg("--worker");
    command.args(["--seed", &seed.to_string(), "--count", &count.to_string()]);
    for tier in &options.tiers {
        command.args(["--tier", &tier.to_string()]);
    }
    if options.no_peers {
        command.arg("--no-peers");
    }
    if let Some(folder) = &options.save {
        command.arg("--save").arg(folder);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    Ok((child, receiver))
}
