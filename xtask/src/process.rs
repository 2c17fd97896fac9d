//! Running other programs.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use crate::error::{Error, Result};

/// Runs a program that must succeed. Its output is shown only if it fails.
pub fn run(command: &mut Command) -> Result<()> {
    output(command).map(drop)
}

/// Runs a program that must succeed, and returns its standard output.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|source| start(command, source))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(Error::Failed {
        command: line(command),
        status: output.status,
        output: format!("{stdout}{stderr}"),
    })
}

/// A program and its arguments as one line.
pub fn line(command: &Command) -> String {
    let words = [command.get_program()]
        .into_iter()
        .chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// What a program that was watched did.
pub struct Captured {
    /// How it ended; `None` when it had to be killed.
    pub status: Option<ExitStatus>,
    /// What it wrote to standard output, where that was a pipe.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error, where that was a pipe.
    pub stderr: Vec<u8>,
    /// From its start to its end.
    pub time: Duration,
}

/// Runs a program with `input` on its standard input, keeps what it prints, and
/// kills it when it takes longer than `limit`.
///
/// Only streams that the command has as pipes are fed and kept.
pub fn capture(command: &mut Command, input: Input, limit: Duration) -> Result<Captured> {
    let begin = Instant::now();
    let mut child = command.spawn().map_err(|source| start(command, source))?;
    let stdin = child.stdin.take();
    // Kept open until the program has ended.
    let mut pending = None;
    match input {
        Input::Bytes(bytes) => {
            // An error means that the program does not read all of its input.
            thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&bytes)));
        }
        Input::Pending => pending = stdin,
    }
    let stdout = child
        .stdout
        .take()
        .map(|pipe| thread::spawn(move || drain(pipe)));
    let stderr = child
        .stderr
        .take()
        .map(|pipe| thread::spawn(move || drain(pipe)));
    let status = wait(&mut child, limit).map_err(|source| start(command, source))?;
    let time = begin.elapsed();
    drop(pending);
    let collect = |reader: Option<thread::JoinHandle<Vec<u8>>>| {
        reader
            .and_then(|reader| reader.join().ok())
            .unwrap_or_default()
    };
    Ok(Captured {
        status,
        stdout: collect(stdout),
        stderr: collect(stderr),
        time,
    })
}

/// Runs a server until `client` has ended, which gets the line of standard error in
/// which `said` is found; then asks it to end by SIGTERM. `None` if it never says
/// so.
pub fn serve<R>(
    command: &mut Command,
    said: &'static str,
    limit: Duration,
    client: impl FnOnce(&str) -> R,
) -> Result<(Captured, Option<R>)> {
    let begin = Instant::now();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|source| start(command, source))?;
    let (tell, told) = mpsc::channel();
    let stderr = child.stderr.take().map(|pipe| {
        thread::spawn(move || {
            let mut all = Vec::new();
            for line in BufReader::new(pipe).split(b'\n').map_while(io::Result::ok) {
                let text = String::from_utf8_lossy(&line);
                if text.contains(said) {
                    // Only the first is waited for.
                    let _ = tell.send(text.into_owned());
                }
                all.extend_from_slice(&line);
                all.push(b'\n');
            }
            all
        })
    });
    // Fails as soon as the server has ended.
    let result = told.recv_timeout(limit).ok().map(|line| client(&line));
    let pid = child.id().to_string();
    run(Command::new("sh").args(["-c", "kill -TERM \"$0\"", &pid]))?;
    let status = wait(&mut child, limit).map_err(|source| start(command, source))?;
    let captured = Captured {
        status,
        stdout: Vec::new(),
        stderr: stderr
            .and_then(|reader| reader.join().ok())
            .unwrap_or_default(),
        time: begin.elapsed(),
    };
    Ok((captured, result))
}

/// What stands on a program's standard input.
pub enum Input {
    /// These bytes, then the end.
    Bytes(Vec<u8>),
    /// Nothing, and no end either.
    Pending,
}

fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let begin = Instant::now();
    let mut pause = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if begin.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

fn drain(mut pipe: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What was read before an error is all there is to compare.
    let _ = pipe.read_to_end(&mut bytes);
    bytes
}

fn start(command: &Command, source: io::Error) -> Error {
    Error::Start {
        program: command.get_program().to_string_lossy().into_owned(),
        source,
    }
}
