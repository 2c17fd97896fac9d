//! What is measured.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    arms::{Arm, Arms},
    http,
    options::Options,
    servers::{self, Servers},
};
use crate::{
    error::{Context, Error, Result},
    process,
};

/// The share of requests that are GET.
const GET_SHARE: f64 = 0.7;

/// Clients that ask without a pause keep one server busy.
const CLIENTS: usize = 8;

/// What Node's GET is to take alone.
const NODE_MILLISECONDS: f64 = 10.0;

/// The bytes of the other documents.
const OTHER_SIZES: [(&str, usize); 2] = [("64 KiB", 64 << 10), ("8 MiB", 8 << 20)];

/// Measures, one thing after the other.
pub struct Laboratory<'a> {
    arms: &'a Arms,
    options: &'a Options,
    /// For what is posted.
    folder: PathBuf,
    begun: Instant,
}

/// Documents of one size.
struct Size {
    name: String,
    items: u32,
    bytes: usize,
    /// One of them, to be posted.
    file: PathBuf,
}

/// What the load generator is to do.
enum Load<'a> {
    Get(&'a Size),
    Post(&'a Size),
    Mixed(&'a Size),
    Empty,
}

impl<'a> Laboratory<'a> {
    pub fn new(arms: &'a Arms, options: &'a Options, output: &Path) -> Self {
        Laboratory {
            arms,
            options,
            folder: output.to_owned(),
            begun: Instant::now(),
        }
    }

    /// Everything that is missing in the results, each part kept as soon as it is
    /// there, until there is no time left.
    pub fn measure(&self, results: &mut Value, keep: impl Fn(&Value) -> Result<()>) -> Result<()> {
        if results["starts"].is_null() {
            results["starts"] = self.starts()?;
            results["empty"] = self.empty()?.into();
            keep(results)?;
        }
        let sizes = match &results["sizes"] {
            Value::Null => self.sizes()?,
            known => self.known_sizes(known)?,
        };
        let json =
            |size: &Size| json!({ "name": size.name, "items": size.items, "bytes": size.bytes });
        results["sizes"] = sizes.iter().map(json).collect();
        for (at, size) in sizes.iter().enumerate() {
            for run in 0..self.options.runs {
                let part = [("size", json!(size.name)), ("run", json!(run))];
                if has_part(&results["capacity"], &part) {
                    continue;
                }
                if self.is_late() {
                    return Ok(());
                }
                let cells = self.capacity(size, run)?;
                add(results, "capacity", &part, cells);
                keep(results)?;
            }
            for &count in &self.options.servers {
                // The first size is the one that the figures are of.
                let loads = match &self.options.loads[..] {
                    loads if at == 0 || !self.options.quick => loads,
                    _ if count > 1 => continue,
                    loads => &loads[loads.len() / 2..=loads.len() / 2],
                };
                for run in 0..self.options.runs {
                    self.loads(size, count, loads, run, results, &keep)?;
                }
            }
        }
        Ok(())
    }

    /// What is missing of one run at each of some loads.
    fn loads(
        &self,
        size: &Size,
        count: usize,
        loads: &[u32],
        run: usize,
        results: &mut Value,
        keep: &impl Fn(&Value) -> Result<()>,
    ) -> Result<()> {
        let mut capacity = None;
        for &load in loads {
            let part = [
                ("size", json!(size.name)),
                ("servers", json!(count)),
                ("load", json!(load)),
                ("run", json!(run)),
            ];
            if has_part(&results["load"], &part) || self.is_late() {
                continue;
            }
            let capacity = match capacity {
                Some(capacity) => capacity,
                None => *capacity.insert(self.native(size, count)?),
            };
            let rate = capacity * f64::from(load) / 100.0;
            let cells = self.load(size, (count, load, rate), run)?;
            add(results, "load", &part, cells);
            keep(results)?;
        }
        Ok(())
    }

    /// Whether nothing more is to begin.
    fn is_late(&self) -> bool {
        let at_most = self.options.at_most;
        at_most.is_some_and(|at_most| self.begun.elapsed() >= at_most)
    }

    /// From exec to the first byte of an answer.
    fn starts(&self) -> Result<Value> {
        let mut times = vec![Vec::new(); self.arms.arms.len()];
        for round in 0..=self.options.starts {
            for (arm, times) in self.arms.arms.iter().zip(&mut times) {
                let time = self.start(arm)?;
                // The first start fills caches.
                if round > 0 {
                    times.push(time);
                }
            }
        }
        let arms = self.arms.arms.iter().zip(&mut times);
        let arms = arms.map(|(arm, times)| {
            times.sort_by(f64::total_cmp);
            let median = times.get(times.len() / 2);
            json!({ "arm": arm.name, "median": median, "least": times.first() })
        });
        Ok(arms.collect())
    }

    /// In milliseconds.
    fn start(&self, arm: &Arm) -> Result<f64> {
        let failed = |source| Error::Asked {
            arm: arm.name,
            request: "a free port".to_owned(),
            source,
        };
        let address = servers::free_addresses(1).map_err(failed)?.remove(0);
        let (server, load) = self.options.processors;
        let mut command = Command::new(&self.arms.load);
        command.args(["start", &server.to_string(), &load.to_string(), &address]);
        command.args(arm.command(&address));
        let printed = process::output(&mut command)?;
        printed.trim().parse().map_err(|_| Error::Output {
            command: process::line(&command),
            expected: "time",
        })
    }

    /// The size for which Node needs the time that it is to need, and the others.
    fn sizes(&self) -> Result<Vec<Size>> {
        let first = &self.arms.arms[0];
        let node = self.arms.arms.iter().find(|arm| arm.name == "node");
        let mut items = 2000;
        if let Some(node) = node {
            for _ in 0..3 {
                let size = self.size("main", items, first)?;
                // Processor time: what it takes where nobody else is.
                let (_, used) = self.closed(node, &Load::Get(&size), 1)?;
                let factor = if used > 0.0 {
                    NODE_MILLISECONDS / used
                } else {
                    1.0
                };
                items = (f64::from(items) * factor).round() as u32;
                // To two digits: nothing is more exact on another day.
                let unit = 10u32.pow(items.max(10).ilog10() - 1);
                items = items / unit * unit;
            }
        }
        let main = self.size("main", items, first)?;
        let mut sizes = vec![main];
        for (name, bytes) in OTHER_SIZES {
            let per_item = sizes[0].bytes as f64 / f64::from(sizes[0].items);
            let items = (bytes as f64 / per_item).round() as u32;
            sizes.push(self.size(name, items, first)?);
        }
        sizes[0].name = format!("{} KiB", sizes[0].bytes >> 10);
        for size in &sizes {
            eprintln!("{}: {} items, {} bytes", size.name, size.items, size.bytes);
        }
        Ok(sizes)
    }

    /// The same as in an earlier run.
    fn known_sizes(&self, known: &Value) -> Result<Vec<Size>> {
        let known = known.as_array().into_iter().flatten();
        let size = |size: &Value| {
            let name = size["name"].as_str().unwrap_or_default();
            let items = size["items"].as_u64().unwrap_or_default();
            self.size(name, items as u32, &self.arms.arms[0])
        };
        known.map(size).collect()
    }

    fn size(&self, name: &str, items: u32, arm: &Arm) -> Result<Size> {
        let servers = Servers::start(arm, 1, self.options)?;
        let target = target(items);
        let answer = http::ask(&servers.addresses()[0], "GET", &target, None);
        let answer = answer.map_err(|source| Error::Asked {
            arm: arm.name,
            request: format!("GET {target}"),
            source,
        })?;
        let file = self.folder.join(format!("{items}.json"));
        fs::write(&file, &answer.body).at(&file)?;
        Ok(Size {
            name: name.to_owned(),
            items,
            bytes: answer.body.len(),
            file,
        })
    }

    /// What a request takes that does nothing, with one client.
    fn empty(&self) -> Result<Vec<Value>> {
        self.each(0, |arm| {
            let (outcome, used) = self.closed(arm, &Load::Empty, 1)?;
            Ok(json!({ "arm": arm.name, "outcome": outcome, "cpu_ms_per_request": used }))
        })
    }

    /// Requests per second at saturation, of each kind.
    fn capacity(&self, size: &Size, run: usize) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        for (kind, load) in [("get", Load::Get(size)), ("post", Load::Post(size))] {
            all.extend(self.each(run, |arm| {
                let (outcome, used) = self.closed(arm, &load, CLIENTS)?;
                eprintln!(
                    "{} {kind} {}: {:.1} per second, {used:.2} ms of processor time each",
                    size.name,
                    arm.name,
                    outcome["per_second"].as_f64().unwrap_or(f64::NAN),
                );
                Ok(json!({
                    "kind": kind,
                    "arm": arm.name,
                    "cpu_ms_per_request": used,
                    "outcome": outcome,
                }))
            })?);
        }
        Ok(all)
    }

    /// So many clients that ask one server again and again: what they saw, and the
    /// server's processor time per answer, in milliseconds.
    fn closed(&self, arm: &Arm, load: &Load<'_>, clients: usize) -> Result<(Value, f64)> {
        let servers = Servers::start(arm, 1, self.options)?;
        let clients = ["--clients".to_owned(), clients.to_string()];
        self.generate(
            &servers,
            load,
            &clients,
            (self.options.warm_up, Duration::ZERO),
        )?;
        let before = servers.processor_time();
        let time = self.options.capacity_time;
        let outcome = self.generate(&servers, load, &clients, (time, Duration::ZERO))?;
        let after = servers.processor_time();
        let used = after.zip(before).map(|(after, before)| after - before);
        let answered = outcome["answered"].as_f64().unwrap_or(f64::NAN);
        Ok((outcome, used.unwrap_or(f64::NAN) * 1e3 / answered))
    }

    /// What the native arm can do, with so many servers, per second.
    fn native(&self, size: &Size, count: usize) -> Result<f64> {
        let native = Servers::start(&self.arms.arms[0], count, self.options)?;
        let clients = CLIENTS.max(2 * count);
        let clients = ["--clients".to_owned(), clients.to_string()];
        let times = (self.options.capacity_time, self.options.warm_up);
        let outcome = self.generate(&native, &Load::Mixed(size), &clients, times)?;
        let capacity = outcome["per_second"].as_f64().unwrap_or(0.0);
        eprintln!(
            "{}, {count} servers: capacity {capacity:.1} per second",
            size.name
        );
        Ok(capacity)
    }

    /// Random arrivals, `rate` per second in the mean, at `count` servers.
    fn load(
        &self,
        size: &Size,
        (count, load, rate): (usize, u32, f64),
        run: usize,
    ) -> Result<Vec<Value>> {
        let pace = ["--rate".to_owned(), format!("{rate:.2}")];
        self.each(run, |arm| {
            let servers = Servers::start(arm, count, self.options)?;
            let times = (self.options.time, self.options.warm_up);
            let outcome = self.generate(&servers, &Load::Mixed(size), &pace, times)?;
            let memory = servers.memory();
            eprintln!(
                "{}, {count} servers, {load} %: {} {:.1} % good",
                size.name,
                arm.name,
                100.0 * outcome["good"].as_f64().unwrap_or(0.0),
            );
            Ok(json!({
                "rate": rate,
                "arm": arm.name,
                "memory": memory,
                "outcome": outcome,
            }))
        })
    }

    /// All arms in turn. In each round another one begins.
    fn each(&self, round: usize, of: impl Fn(&Arm) -> Result<Value>) -> Result<Vec<Value>> {
        let arms = &self.arms.arms;
        (0..arms.len())
            .map(|turn| of(&arms[(round + turn) % arms.len()]))
            .collect()
    }

    /// Runs the load generator, and returns what it has to say.
    fn generate(
        &self,
        servers: &Servers,
        load: &Load<'_>,
        pace: &[String],
        (time, warm_up): (Duration, Duration),
    ) -> Result<Value> {
        let mut command = Command::new("taskset");
        command
            .args(["--cpu-list", &self.options.processors.1.to_string()])
            .arg(&self.arms.load)
            .args(["--servers", &servers.addresses().join(",")])
            .args(["--seconds", &time.as_secs_f64().to_string()])
            .args(["--warm-up", &warm_up.as_secs_f64().to_string()])
            .args(pace);
        let mut ask = |size: &Size, get_share: f64| {
            command.args(["--get", &target(size.items)]);
            command.arg("--post");
            command.arg(format!("/payload={}", size.file.display()));
            command.args(["--get-share", &get_share.to_string()]);
        };
        match load {
            Load::Get(size) => ask(size, 1.0),
            Load::Post(size) => ask(size, 0.0),
            Load::Mixed(size) => ask(size, GET_SHARE),
            Load::Empty => drop(command.args(["--get", "/empty"])),
        }
        let printed = process::output(&mut command)?;
        serde_json::from_str(&printed).map_err(|_| Error::Output {
            command: process::line(&command),
            expected: "outcome",
        })
    }
}

/// Whether a part of the results, by what its cells have in common, is there.
fn has_part(cells: &Value, part: &[(&str, Value)]) -> bool {
    let mut cells = cells.as_array().into_iter().flatten();
    cells.any(|cell| part.iter().all(|(name, value)| cell[name] == *value))
}

/// Adds the cells of a part, measured in the newest session.
fn add(results: &mut Value, list: &str, part: &[(&str, Value)], mut cells: Vec<Value>) {
    let session = results["sessions"].as_array().map_or(0, Vec::len);
    for cell in &mut cells {
        for (name, value) in part {
            cell[name] = value.clone();
        }
        cell["session"] = session.into();
    }
    if results[list].is_null() {
        results[list] = json!([]);
    }
    results[list]
        .as_array_mut()
        .expect("a list of cells")
        .append(&mut cells);
}

fn target(items: u32) -> String {
    format!("/payload?items={items}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_added_once_and_found_again() {
        let mut results = json!({ "sessions": [{}, {}] });
        let part = |load: u32| [("servers", json!(4)), ("load", json!(load))];
        assert!(!has_part(&results["load"], &part(50)));
        let cells = ["axum", "node"].map(|arm| json!({ "arm": arm }));
        add(&mut results, "load", &part(50), cells.to_vec());
        assert!(has_part(&results["load"], &part(50)));
        assert!(!has_part(&results["load"], &part(80)));
        add(&mut results, "load", &part(80), cells.to_vec());
        let list = results["load"].as_array().unwrap();
        assert_eq!(list.len(), 4);
        let expected = json!({ "arm": "node", "servers": 4, "load": 80, "session": 2 });
        assert_eq!(list[3], expected);
    }
}
