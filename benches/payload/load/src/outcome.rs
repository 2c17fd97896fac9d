//! What came of all requests.

use std::{collections::BTreeMap, time::Duration};

use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

/// Below this, an answer is good.
const GOOD: Duration = Duration::from_millis(20);
/// Up to this, it is fine, and beyond bad.
const FINE: Duration = Duration::from_millis(30);

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Get,
    Post,
}

/// How a request ended.
#[derive(Clone, Copy)]
pub enum Result {
    Status(u16),
    NoConnection,
    /// The connection ended before the answer did.
    Broken,
}

pub struct Record {
    pub kind: Kind,
    pub time: Duration,
    /// Whether it was answered before the end of the run.
    pub in_time: bool,
    pub result: Result,
}

pub struct Outcome {
    records: Vec<Record>,
    sent: u64,
    time: Duration,
}

impl Outcome {
    pub fn new(records: Vec<Record>, sent: u64, time: Duration) -> Outcome {
        Outcome {
            records,
            sent,
            time,
        }
    }

    /// Shares are of all that was sent: what failed or was never answered is bad.
    /// Percentiles are of what was answered by 200.
    pub fn json(&self) -> Value {
        let mut errors = BTreeMap::new();
        for record in &self.records {
            let error = match record.result {
                Result::Status(200) => continue,
                Result::Status(status) => format!("status {status}"),
                Result::NoConnection => "no connection".to_owned(),
                Result::Broken => "broken".to_owned(),
            };
            *errors.entry(error).or_insert(0u64) += 1;
        }
        let unanswered = self.sent - self.records.len() as u64;
        if unanswered > 0 {
            errors.insert("unanswered".to_owned(), unanswered);
        }
        let answered = |record: &&Record| matches!(record.result, Result::Status(200));
        let times = |wanted: &dyn Fn(&Record) -> bool| {
            let records = self.records.iter().filter(answered);
            let times = records.filter(|record| wanted(record));
            let mut times: Vec<Duration> = times.map(|record| record.time).collect();
            times.sort();
            times
        };
        let all = times(&|_| true);
        let good = all.partition_point(|&time| time < GOOD);
        let fine = all.partition_point(|&time| time <= FINE) - good;
        let bad = self.sent - (good + fine) as u64;
        let share = |count: u64| count as f64 / self.sent.max(1) as f64;
        let in_time = self.records.iter().filter(answered).filter(|r| r.in_time);
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let cpu = cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9;
        json!({
            "seconds": self.time.as_secs_f64(),
            "sent": self.sent,
            "answered": all.len(),
            "per_second": in_time.count() as f64 / self.time.as_secs_f64(),
            "good": share(good as u64),
            "fine": share(fine as u64),
            "bad": share(bad),
            "all": percentiles(&all),
            "get": percentiles(&times(&|record| record.kind == Kind::Get)),
            "post": percentiles(&times(&|record| record.kind == Kind::Post)),
            "errors": errors,
            // With warm-up and grace.
            "generator_cpu_seconds": cpu,
        })
    }
}

/// In milliseconds, of times in order.
fn percentiles(times: &[Duration]) -> Value {
    let at = |share: f64| {
        let index = (times.len() as f64 * share) as usize;
        let time = times.get(index.min(times.len().saturating_sub(1)));
        time.map(|time| time.as_secs_f64() * 1e3)
    };
    json!({ "count": times.len(), "p50": at(0.5), "p99": at(0.99), "p99_9": at(0.999), "max": at(1.0) })
}
