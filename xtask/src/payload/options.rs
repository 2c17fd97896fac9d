//! What the command line says.

use std::{path::PathBuf, time::Duration};

use serde_json::{Value, json};

use crate::error::{Error, Result};

/// What to measure.
pub struct Options {
    /// One short run of each, and the other sizes with one server and one load only.
    pub quick: bool,
    /// Compare the answers, and no more.
    pub check_only: bool,
    /// Put the results into `docs/`.
    pub docs: bool,
    /// Measure what is missing in the results that are there.
    pub go_on: bool,
    /// When to begin nothing more.
    pub at_most: Option<Duration>,
    /// Whether to build first, or to take what was built before.
    pub build: bool,
    /// The command; built if it is not given.
    pub rwasm: Option<PathBuf>,
    /// The processor of the servers, and that of the load generator.
    pub processors: (u32, u32),
    /// How many servers there are at a time.
    pub servers: Vec<usize>,
    /// In per cent of what the native arm can do.
    pub loads: Vec<u32>,
    /// Arms by name; all if empty.
    pub arms: Vec<String>,
    pub runs: usize,
    /// How long requests are counted, and how long they are not, before.
    pub time: Duration,
    pub warm_up: Duration,
    /// How long it is measured what a server can do, for each kind of request.
    pub capacity_time: Duration,
    /// Starts whose times are taken.
    pub starts: usize,
}

impl Options {
    /// Whether an arm is to be measured.
    pub fn wants(&self, arm: &str) -> bool {
        self.arms.is_empty() || self.arms.iter().any(|wanted| wanted == arm)
    }

    pub fn parse(args: &[String]) -> Result<Options> {
        let quick = args.iter().any(|arg| arg == "--quick");
        let seconds = |quick_seconds, seconds| {
            Duration::from_secs_f64(if quick { quick_seconds } else { seconds })
        };
        let mut options = Options {
            quick,
            check_only: false,
            docs: false,
            go_on: false,
            at_most: None,
            build: true,
            rwasm: None,
            processors: (0, 1),
            servers: vec![1, 4, 16, 64],
            loads: vec![50, 80, 110],
            arms: Vec::new(),
            runs: if quick { 1 } else { 3 },
            time: seconds(5.0, 30.0),
            warm_up: seconds(1.0, 5.0),
            capacity_time: seconds(2.5, 10.0),
            starts: if quick { 5 } else { 20 },
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(Error::Usage);
            match arg.as_str() {
                "--quick" => {}
                "--check" => options.check_only = true,
                "--docs" => options.docs = true,
                "--continue" => options.go_on = true,
                "--minutes" => {
                    options.at_most = Some(Duration::from_secs(60 * number::<u64>(value()?)?));
                }
                "--no-build" => options.build = false,
                "--rwasm" => options.rwasm = Some(value()?.into()),
                "--servers" => options.servers = list(value()?)?,
                "--loads" => options.loads = list(value()?)?,
                "--arms" => options.arms = list(value()?)?,
                "--runs" => options.runs = number(value()?)?,
                "--seconds" => options.time = Duration::from_secs(number(value()?)?),
                "--warm-up" => options.warm_up = Duration::from_secs(number(value()?)?),
                "--processors" => {
                    let [servers, load] = list(value()?)?[..] else {
                        return Err(Error::Usage);
                    };
                    options.processors = (servers, load);
                }
                _ => return Err(Error::Usage),
            }
        }
        Ok(options)
    }

    pub fn json(&self) -> Value {
        json!({
            "quick": self.quick,
            "arms": self.arms,
            "runs": self.runs,
            "seconds": self.time.as_secs_f64(),
            "warm_up_seconds": self.warm_up.as_secs_f64(),
            "capacity_seconds": self.capacity_time.as_secs_f64(),
            "starts": self.starts,
            "server_processor": self.processors.0,
            "load_processor": self.processors.1,
        })
    }
}

fn list<T: std::str::FromStr>(text: &str) -> Result<Vec<T>> {
    text.split(',').map(number).collect()
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| Error::Usage)
}
