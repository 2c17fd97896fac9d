//! The command line.

use std::{fs, net::SocketAddr, sync::Arc, time::Duration};

/// What is asked for.
pub struct Options {
    pub servers: Vec<SocketAddr>,
    pub get: Arc<[u8]>,
    /// None if all requests are GET.
    pub post: Option<Arc<[u8]>>,
    /// The share of requests that are GET.
    pub get_share: f64,
    pub pace: Pace,
    /// How long requests are counted.
    pub time: Duration,
    /// How long they are not, before.
    pub warm_up: Duration,
    pub seed: u64,
    /// The most connections to one server.
    pub connections: usize,
}

/// When requests are sent.
#[derive(Clone, Copy)]
pub enum Pace {
    /// So many per second, at random.
    Rate(f64),
    /// By so many clients, one after the other.
    Clients(usize),
}

/// What is wrong with a command line.
#[derive(Debug, thiserror::Error)]
pub enum Wrong {
    #[error("no value for {0}")]
    Missing(String),
    #[error("{1:?} is no value for {0}")]
    Value(String, String),
    #[error("unknown: {0}")]
    Unknown(String),
    #[error("{0} is needed")]
    Needed(&'static str),
    #[error("{0}: {1}")]
    File(String, std::io::Error),
}

impl Options {
    pub fn parse(args: impl Iterator<Item = String>) -> Result<Options, Wrong> {
        let mut servers = Vec::new();
        let (mut get, mut post, mut pace) = (None, None, None);
        let mut get_share = 1.0;
        let mut time = Duration::from_secs(30);
        let mut warm_up = Duration::from_secs(1);
        let (mut seed, mut connections) = (1, 32);
        let mut args = args;
        while let Some(flag) = args.next() {
            let value = args.next().ok_or_else(|| Wrong::Missing(flag.clone()))?;
            match flag.as_str() {
                "--servers" => {
                    for server in value.split(',') {
                        servers.push(parse(&flag, server)?);
                    }
                }
                "--get" => get = Some(format!("GET {value} HTTP/1.1\r\nhost: payload\r\n\r\n")),
                "--post" => {
                    let wrong = || Wrong::Value(flag.clone(), value.clone());
                    let (path, file) = value.split_once('=').ok_or_else(wrong)?;
                    let body = fs::read(file).map_err(|e| Wrong::File(file.to_owned(), e))?;
                    let mut request = format!(
                        "POST {path} HTTP/1.1\r\nhost: payload\r\n\
                         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
                        body.len()
                    )
                    .into_bytes();
                    request.extend_from_slice(&body);
                    post = Some(request.into());
                }
                "--get-share" => get_share = parse(&flag, &value)?,
                "--rate" => pace = Some(Pace::Rate(parse(&flag, &value)?)),
                "--clients" => pace = Some(Pace::Clients(parse(&flag, &value)?)),
                "--seconds" => time = seconds(&flag, &value)?,
                "--warm-up" => warm_up = seconds(&flag, &value)?,
                "--seed" => seed = parse(&flag, &value)?,
                "--connections" => connections = parse(&flag, &value)?,
                _ => return Err(Wrong::Unknown(flag)),
            }
        }
        if servers.is_empty() {
            return Err(Wrong::Needed("--servers"));
        }
        Ok(Options {
            servers,
            get: get.unwrap_or_default().into_bytes().into(),
            post,
            get_share,
            pace: pace.ok_or(Wrong::Needed("--rate or --clients"))?,
            time,
            warm_up,
            seed,
            connections,
        })
    }
}

fn parse<T: std::str::FromStr>(flag: &str, value: &str) -> Result<T, Wrong> {
    let wrong = |_| Wrong::Value(flag.to_owned(), value.to_owned());
    value.parse().map_err(wrong)
}

fn seconds(flag: &str, value: &str) -> Result<Duration, Wrong> {
    let wrong = |_| Wrong::Value(flag.to_owned(), value.to_owned());
    Duration::try_from_secs_f64(parse(flag, value)?).map_err(wrong)
}
