//! Tables and charts of what was measured.

use std::{env, fmt::Write};

use serde_json::{Value, json};

use super::{
    chart,
    runner::{Runner, Samples},
    sample::{Figures, Sample, geometric_mean},
};
use crate::machine::machine;

/// What was measured, and where.
pub struct Report {
    runner: Runner,
    rounds: usize,
    size: u32,
}

/// Something that a sample says.
struct Measure {
    name: &'static str,
    unit: &'static str,
    of: fn(&Sample) -> f64,
}

const MEASURES: [Measure; 3] = [
    Measure {
        name: "wall",
        unit: "ms",
        of: Sample::wall_ms,
    },
    Measure {
        name: "cpu",
        unit: "ms",
        of: Sample::cpu_ms,
    },
    Measure {
        name: "memory",
        unit: "MiB",
        of: Sample::memory_mib,
    },
];

/// The first run of a pair or the second.
struct Run {
    name: &'static str,
    of: fn(&Samples) -> &[Sample],
}

const RUNS: [Run; 2] = [
    Run {
        name: "first",
        of: |samples| &samples.first,
    },
    Run {
        name: "second",
        of: |samples| &samples.second,
    },
];

impl Report {
    pub fn new(runner: Runner, rounds: usize, size: u32) -> Self {
        Report {
            runner,
            rounds,
            size,
        }
    }

    /// One table for each measure and run: medians, the spread from the least to
    /// the most in per cent of the median, and geometric means of the ratios to
    /// the first subject.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        let mut line = |words: String| {
            text.push_str(&words);
            text.push('\n');
        };
        line(format!("Machine: {}.", machine()));
        line(format!("Command: `cargo xtask {}`.", arguments()));
        line(format!(
            "Medians of {} rounds with `--size {}`, and in brackets the spread in per cent.\n",
            self.rounds, self.size
        ));
        line("| subject | version | command |\n|---|---|---|".to_owned());
        for subject in &self.runner.subjects {
            let mut command = subject.command.clone();
            // Where the program lies is of no interest.
            if let Some(name) = command[0].rsplit('/').next() {
                command[0] = name.to_owned();
            }
            let command = command.join(" ");
            line(format!(
                "| {} | {} | `{command}` |",
                subject.name, subject.version
            ));
        }
        for measure in &MEASURES {
            for run in &RUNS {
                line(format!(
                    "\n### {}, {} run ({})\n",
                    measure.name, run.name, measure.unit
                ));
                let names = self.runner.subjects.iter().map(|subject| &*subject.name);
                let names: Vec<_> = ["program"].into_iter().chain(names).collect();
                line(format!("| {} |", names.join(" | ")));
                line(format!("|---|{}", "---:|".repeat(names.len() - 1)));
                for (program, all) in &self.runner.programs {
                    let mut row = format!("| {program} |");
                    for subject in all {
                        match Figures::of((run.of)(subject), measure.of) {
                            Some(f) => {
                                let spread = 100.0 * (f.most - f.least) / f.median;
                                let _ = write!(row, " {:.1} ({spread:.0}) |", f.median);
                            }
                            None => row.push_str(" – |"),
                        }
                    }
                    line(row);
                }
                let mut row = "| geometric mean of ratios |".to_owned();
                for at in 0..self.runner.subjects.len() {
                    match self.mean_ratio(at, measure, run) {
                        Some(mean) => {
                            let _ = write!(row, " {mean:.3} |");
                        }
                        None => row.push_str(" – |"),
                    }
                }
                line(row);
            }
        }
        let mut failures = String::new();
        for (program, all) in &self.runner.programs {
            for (subject, samples) in self.runner.subjects.iter().zip(all) {
                if let Some(failure) = &samples.failure {
                    let _ = writeln!(failures, "- {program} under {}: {failure}", subject.name);
                }
            }
        }
        if !failures.is_empty() {
            line(format!("\nNot in the tables:\n\n{failures}"));
        }
        text
    }

    /// Everything, every sample included.
    pub fn json(&self) -> String {
        let subjects = self.runner.subjects.iter().map(|subject| {
            json!({
                "name": subject.name,
                "version": subject.version,
                "command": subject.command,
            })
        });
        let programs = self.runner.programs.iter().map(|(name, all)| {
            let subjects = self
                .runner
                .subjects
                .iter()
                .zip(all)
                .map(|(subject, samples)| {
                    let mut value = json!({ "subject": subject.name, "failure": samples.failure });
                    for run in &RUNS {
                        value[run.name] = (run.of)(samples).iter().map(numbers).collect();
                    }
                    value
                });
            json!({ "program": name, "subjects": subjects.collect::<Value>() })
        });
        let report = json!({
            "machine": machine(),
            "command": format!("cargo xtask {}", arguments()),
            "rounds": self.rounds,
            "size": self.size,
            "units": "milliseconds, MiB",
            "subjects": subjects.collect::<Value>(),
            "programs": programs.collect::<Value>(),
        });
        format!("{report:#}\n")
    }

    /// One chart for each measure and run, by file name.
    pub fn charts(&self) -> Vec<(String, String)> {
        let mut charts = Vec::new();
        for measure in &MEASURES {
            for run in &RUNS {
                let subjects: Vec<_> = self.runner.subjects.iter().map(|s| &*s.name).collect();
                let groups = self.runner.programs.iter().map(|(program, all)| {
                    let bars = all.iter().map(|subject| {
                        Figures::of((run.of)(subject), measure.of).map(|f| f.median)
                    });
                    (&**program, bars.collect())
                });
                let title = format!("{}, {} run ({})", measure.name, run.name, measure.unit);
                let svg = chart::bars(&title, &subjects, &groups.collect::<Vec<_>>());
                charts.push((format!("{}-{}.svg", measure.name, run.name), svg));
            }
        }
        charts
    }

    /// The geometric mean of a subject's ratios to the first one, over the
    /// programs that both ran.
    fn mean_ratio(&self, at: usize, measure: &Measure, run: &Run) -> Option<f64> {
        let ratios = self.runner.programs.iter().filter_map(|(_, all)| {
            let subject = Figures::of((run.of)(&all[at]), measure.of)?;
            let first = Figures::of((run.of)(&all[0]), measure.of)?;
            Some(subject.median / first.median)
        });
        geometric_mean(ratios)
    }
}

fn numbers(sample: &Sample) -> Value {
    let number = |measure: &Measure| (measure.name.to_owned(), json!((measure.of)(sample)));
    Value::Object(MEASURES.iter().map(number).collect())
}

fn arguments() -> String {
    env::args().skip(1).collect::<Vec<_>>().join(" ")
}
