//! What is kept of a request: a line of the access log, and counts.

use crate::body::Truncated;
use crate::metrics::MountMetrics;
use hyper::http::request::Parts;
use hyper::{Method, StatusCode, Version};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use tracing::{Level, enabled, event};

/// The name under which the log has requests.
pub(crate) const ACCESS: &str = "rwasm::access";

/// A request that is being answered. Dropped, it is written down.
#[derive(Debug)]
pub(crate) struct Record {
    begin: Instant,
    /// Kept only if somebody reads it.
    line: Option<Box<Line>>,
    metrics: Option<Arc<MountMetrics>>,
    status: StatusCode,
    bytes: u64,
    problem: Option<Problem>,
}

#[derive(Debug)]
struct Line {
    remote: SocketAddr,
    method: Method,
    uri: String,
    version: Version,
}

/// What went wrong with a request.
#[derive(Debug)]
pub(crate) struct Problem {
    /// One word for the metrics.
    pub(crate) kind: &'static str,
    /// A sentence for the log.
    pub(crate) message: String,
}

impl Record {
    pub(crate) fn new(begin: Instant, remote: SocketAddr, head: &Parts) -> Record {
        let line = enabled!(target: ACCESS, Level::WARN).then(|| {
            Box::new(Line {
                remote,
                method: head.method.clone(),
                uri: head.uri.to_string(),
                version: head.version,
            })
        });
        Record {
            begin,
            line,
            metrics: None,
            status: StatusCode::OK,
            bytes: 0,
            problem: None,
        }
    }

    /// When the request began.
    pub(crate) fn begin(&self) -> Instant {
        self.begin
    }

    /// It is for the program with these metrics.
    pub(crate) fn belongs_to(&mut self, metrics: &Arc<MountMetrics>) {
        self.metrics = Some(Arc::clone(metrics));
    }

    pub(crate) fn answered(&mut self, status: StatusCode) {
        self.status = status;
    }

    pub(crate) fn failed(&mut self, problem: Problem) {
        self.problem.get_or_insert(problem);
    }

    pub(crate) fn sent(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    pub(crate) fn truncated(&mut self, why: Truncated) {
        self.failed(Problem {
            kind: "truncated",
            message: why.to_string(),
        });
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let time = self.begin.elapsed();
        if let Some(metrics) = &self.metrics {
            metrics.count(self.status, time, self.bytes);
            if let Some(problem) = &self.problem {
                metrics.count_problem(problem.kind);
            }
        }
        let Some(line) = &self.line else { return };
        let Line {
            remote,
            method,
            uri,
            version,
        } = &**line;
        macro_rules! write_down {
            ($level:expr $(, $problem:ident)?) => {
                event!(
                    target: ACCESS,
                    $level,
                    %remote,
                    %method,
                    // As Rust quotes it: the client has chosen it.
                    ?uri,
                    ?version,
                    status = self.status.as_u16(),
                    bytes = self.bytes,
                    ms = time.as_secs_f64() * 1e3,
                    $($problem = ?$problem.message,)?
                )
            };
        }
        match &self.problem {
            Some(problem) => write_down!(Level::WARN, problem),
            None => write_down!(Level::INFO),
        }
    }
}
