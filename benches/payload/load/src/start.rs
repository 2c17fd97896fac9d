//! How long a server takes from exec to the first byte of an answer.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::thread::{CpuSet, sched_setaffinity};

/// How often it is tried to connect.
const PAUSE: Duration = Duration::from_micros(50);
const TIMEOUT: Duration = Duration::from_secs(30);

/// `SERVER_PROCESSOR LOAD_PROCESSOR HOST:PORT COMMAND…`: starts the server, asks
/// for `/empty`, kills the server, and returns the time.
pub fn measure(args: &[String]) -> io::Result<Duration> {
    let [server, load, address, program, args @ ..] = args else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let processor = |text: &str| text.parse().map_err(|_| io::ErrorKind::InvalidInput);
    let (server, load) = (processor(server)?, processor(load)?);
    let address = address.parse().map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // A process starts where its parent is.
    stay_on(server)?;
    let begin = Instant::now();
    let mut child = command.spawn()?;
    stay_on(load)?;
    let answered = first_byte(address, begin);
    child.kill()?;
    child.wait()?;
    answered
}

fn first_byte(address: SocketAddr, begin: Instant) -> io::Result<Duration> {
    let mut stream = loop {
        match TcpStream::connect(address) {
            Ok(stream) => break stream,
            Err(_) if begin.elapsed() < TIMEOUT => thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
    };
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(b"GET /empty HTTP/1.1\r\nhost: payload\r\n\r\n")?;
    stream.read_exact(&mut [0])?;
    Ok(begin.elapsed())
}

fn stay_on(processor: usize) -> io::Result<()> {
    let mut processors = CpuSet::new();
    processors.set(processor);
    Ok(sched_setaffinity(None, &processors)?)
}
