//! What was measured on.

use std::{fs, thread};

/// The processor, how many of its cores there are, and how busy it was.
pub fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let field = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let load = read("/proc/loadavg");
    format!(
        "{} (family {}, model {}), {cores} cores, load average at the end {}",
        field("model name").unwrap_or_default(),
        field("cpu family").unwrap_or_default(),
        field("model\t").unwrap_or_default(),
        load.split(' ').next().unwrap_or_default(),
    )
}
