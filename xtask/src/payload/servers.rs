//! Servers of an arm, on one processor.

use std::{
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{arms::Arm, http, options::Options};
use crate::error::{Error, Result};

/// How long all of them may take to start.
const START: Duration = Duration::from_secs(60);

/// Servers that run until this is dropped.
pub struct Servers {
    running: Vec<Child>,
    addresses: Vec<String>,
}

impl Servers {
    /// Starts so many, and waits until each answers.
    pub fn start(arm: &Arm, count: usize, options: &Options) -> Result<Servers> {
        let mut servers = Servers {
            running: Vec::new(),
            addresses: free_addresses(count).map_err(|source| Error::Asked {
                arm: arm.name,
                request: "a free port".to_owned(),
                source,
            })?,
        };
        for address in &servers.addresses {
            let mut command = Command::new("taskset");
            command
                .args(["--cpu-list", &options.processors.0.to_string()])
                .args(arm.command(address))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            let child = command.spawn().map_err(|source| Error::Start {
                program: "taskset".to_owned(),
                source,
            })?;
            servers.running.push(child);
        }
        let begin = Instant::now();
        for address in &servers.addresses {
            while let Err(source) = http::ask(address, "GET", "/empty", None) {
                if begin.elapsed() > START {
                    return Err(Error::Asked {
                        arm: arm.name,
                        request: "GET /empty, just started".to_owned(),
                        source,
                    });
                }
                thread::sleep(Duration::from_millis(5));
            }
        }
        Ok(servers)
    }

    /// Where they listen.
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// The processor time that all of them have taken, in seconds.
    pub fn processor_time(&self) -> Option<f64> {
        /// In a second; Linux has never told programs another number.
        const TICKS: f64 = 100.0;
        let mut ticks = 0;
        for server in &self.running {
            let text = fs::read_to_string(format!("/proc/{}/stat", server.id())).ok()?;
            // The name, in brackets, may have spaces. User and system time are
            // the 14th and the 15th field.
            let (_, fields) = text.rsplit_once(')')?;
            let mut fields = fields.split_whitespace().skip(11);
            ticks += fields.next()?.parse::<u64>().ok()?;
            ticks += fields.next()?.parse::<u64>().ok()?;
        }
        Some(ticks as f64 / TICKS)
    }

    /// Bytes of memory for each, what several of them share counted in parts
    /// (`Pss`).
    pub fn memory(&self) -> Option<u64> {
        let mut kibibytes = 0;
        for server in &self.running {
            let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", server.id())).ok()?;
            let line = text.lines().find(|line| line.starts_with("Pss:"))?;
            kibibytes += line.split_whitespace().nth(1)?.parse::<u64>().ok()?;
        }
        Some((kibibytes << 10) / self.running.len() as u64)
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for server in &mut self.running {
            // It fails if the server is gone already.
            let _ = server.kill();
        }
        for server in &mut self.running {
            let _ = server.wait();
        }
    }
}

/// Addresses that nobody listens on, and most likely still when servers start.
pub fn free_addresses(count: usize) -> std::io::Result<Vec<String>> {
    // All at once, or one might be named twice.
    let listeners = (0..count).map(|_| TcpListener::bind("127.0.0.1:0"));
    let listeners: Vec<_> = listeners.collect::<Result<_, _>>()?;
    let address = |listener: &TcpListener| Ok(listener.local_addr()?.to_string());
    listeners.iter().map(address).collect()
}
