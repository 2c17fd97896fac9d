//! Counts, in the text format of Prometheus.

use hyper::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::time::Duration;

/// The bounds of the histogram of times, in seconds.
const SECONDS: [f64; 14] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0,
];

/// All counts of a server.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Code, Counter>,
    problems: Family<Reason, Counter>,
    seconds: Family<AtMount, Histogram, fn() -> Histogram>,
    bytes: Family<AtMount, Counter>,
    pub(crate) connections: Gauge,
    queued: Gauge,
    running: Gauge,
}

/// The counts of one mount.
#[derive(Debug)]
pub(crate) struct MountMetrics {
    mount: Arc<str>,
    /// By the first digit of the status, from 1 on.
    requests: [Counter; 5],
    problems: Family<Reason, Counter>,
    seconds: Histogram,
    bytes: Counter,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AtMount {
    mount: Arc<str>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Code {
    mount: Arc<str>,
    code: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Reason {
    mount: Arc<str>,
    reason: &'static str,
}

impl Metrics {
    pub(crate) fn new() -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("rwasm"),
            requests: Family::default(),
            problems: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            bytes: Family::default(),
            connections: Gauge::default(),
            queued: Gauge::default(),
            running: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register(
            "requests",
            "Requests to a program, by the class of the answer",
            metrics.requests.clone(),
        );
        registry.register(
            "problems",
            "Requests that a program did not answer as it should",
            metrics.problems.clone(),
        );
        registry.register(
            "request_seconds",
            "From a request's head to the end of its answer",
            metrics.seconds.clone(),
        );
        registry.register(
            "response_bytes",
            "Bytes of the bodies of answers",
            metrics.bytes.clone(),
        );
        registry.register(
            "connections",
            "Connections that are open",
            metrics.connections.clone(),
        );
        registry.register(
            "requests_queued",
            "Requests that wait for a thread",
            metrics.queued.clone(),
        );
        registry.register("guests_running", "Guests that run", metrics.running.clone());
        metrics
    }

    /// The counts of the program at `path`.
    pub(crate) fn mount(&self, path: &str) -> Arc<MountMetrics> {
        let mount: Arc<str> = path.into();
        let at = AtMount {
            mount: Arc::clone(&mount),
        };
        let requests = ["1xx", "2xx", "3xx", "4xx", "5xx"].map(|code| {
            let mount = Arc::clone(&mount);
            self.requests.get_or_create_owned(&Code { mount, code })
        });
        Arc::new(MountMetrics {
            requests,
            problems: self.problems.clone(),
            seconds: self.seconds.get_or_create_owned(&at),
            bytes: self.bytes.get_or_create_owned(&at),
            mount,
        })
    }

    /// All of it as text. `queued` requests wait, `running` guests run.
    pub(crate) fn text(&self, queued: usize, running: usize) -> String {
        self.queued.set(queued as i64);
        self.running.set(running as i64);
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string takes all that is written");
        text
    }
}

impl MountMetrics {
    pub(crate) fn count(&self, status: StatusCode, time: Duration, bytes: u64) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5);
        self.requests[class - 1].inc();
        self.seconds.observe(time.as_secs_f64());
        self.bytes.inc_by(bytes);
    }

    pub(crate) fn count_problem(&self, reason: &'static str) {
        let mount = Arc::clone(&self.mount);
        self.problems.get_or_create(&Reason { mount, reason }).inc();
    }
}
