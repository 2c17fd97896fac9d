//! The figures that a start is to reach, each beside what was measured: whole
//! processes, from start to end, in turns.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    programs,
    sample::{Figures, Sample, geometric_mean},
};
use crate::{
    error::{Context, Error, Result},
    guests,
    machine::machine,
    paths::Paths,
    process,
    real_programs::modules,
    toolchain::Toolchain,
};

/// Programs with `--size 100` that wasmtime takes so many milliseconds for, compiled
/// ahead of time, are those of 0.2 to 0.5 seconds, with room for other machines.
const SHORT_MS: std::ops::Range<f64> = 120.0..700.0;

/// Programs of less by wasmtime's file are jobs, of which there are long ones and
/// short ones. Where the goal was set, that file took 0.16 of wasmtime's first run.
const JOB_MS: f64 = 50.0;
const JOB_SIZES: [u32; 2] = [3, 10];

/// Programs that run long: of integers, of calls, of memory, of floats.
const LONG: [&str; 5] = ["coremark-like", "json", "shapes", "sort", "spectral-norm"];
const LONG_MS: f64 = 3300.0;

/// Runs of a program that takes about a millisecond.
const HELLO_ROUNDS: usize = 101;

/// Measures everything, and returns a table.
pub fn measure(paths: &Paths, rwasm: &Path, rounds: usize) -> Result<String> {
    let toolchain = Toolchain::set_up(paths)?;
    guests::build_all(paths, &toolchain)?;
    let output = paths.target.join("compare");
    // What is linked lies in the page cache by pages; what is installed is a copy,
    // which lies there in larger pieces, and so is what is read from a disk.
    let installed = output.join("rwasm");
    fs::create_dir_all(&output).at(&output)?;
    fs::copy(rwasm, &installed).at(&installed)?;
    let mut goals = Goals {
        rwasm: installed.display().to_string(),
        home: output.join("home"),
        output,
        rounds,
        rows: Vec::new(),
    };
    goals.hello(&paths.guests().join("greeting.wasm"))?;
    goals.large(&modules::python(paths)?, &modules::clang(paths)?)?;
    goals.programs(&programs(&paths.root.join("guests/modules"), &[])?)?;
    Ok(goals.table())
}

struct Goals {
    rwasm: String,
    /// Where caches are.
    home: PathBuf,
    output: PathBuf,
    rounds: usize,
    rows: Vec<Row>,
}

struct Row {
    what: String,
    /// The most that it may be; none if it is only told.
    reach: Option<f64>,
    unit: &'static str,
    /// None if something is missing.
    measured: Option<f64>,
}

/// A command line, and what it took.
struct Job {
    command: Vec<String>,
    /// Whether caches are emptied before each run.
    fresh: bool,
    samples: Vec<Sample>,
    output: Option<String>,
}

impl Job {
    fn new<S: Into<String>>(command: impl IntoIterator<Item = S>) -> Self {
        Job {
            command: command.into_iter().map(Into::into).collect(),
            fresh: false,
            samples: Vec::new(),
            output: None,
        }
    }

    /// With empty caches.
    fn fresh<S: Into<String>>(command: impl IntoIterator<Item = S>) -> Self {
        Job {
            fresh: true,
            ..Job::new(command)
        }
    }

    fn median(&self, measure: fn(&Sample) -> f64) -> Option<f64> {
        Some(Figures::of(&self.samples, measure)?.median)
    }

    fn wall(&self) -> Option<f64> {
        self.median(Sample::wall_ms)
    }

    fn memory(&self) -> Option<f64> {
        self.median(Sample::memory_mib)
    }
}

/// `a` less `empty`, relative to `b` less `empty`.
fn ratio_above(a: &Job, b: &Job, empty: &Job) -> Option<f64> {
    let empty = empty.wall()?;
    Some((a.wall()? - empty) / (b.wall()? - empty))
}

fn ratio(a: &Job, b: &Job) -> Option<f64> {
    Some(a.wall()? / b.wall()?)
}

impl Goals {
    fn hello(&mut self, module: &Path) -> Result<()> {
        eprintln!("a line of text");
        let empty = self.native("empty", "int main(void) { return 0; }")?;
        let source = include_str!("../../../guests/hello/greeting.c");
        let native = self.native("greeting", source)?;
        let module = module.display().to_string();
        let mut jobs = [
            Job::new([&*empty]),
            Job::new([&*native]),
            Job::new([&*self.rwasm, "run", &module]),
            Job::new(["wasm3", &module]),
            Job::new(["wasmtime", "run", &module]),
        ];
        self.take(&mut jobs, HELLO_ROUNDS)?;
        let [empty, native, ours, wasm3, wasmtime] = &jobs;
        let size = fs::metadata(&module).at(module.as_ref())?.len();
        let what = |of: &str| format!("hello of {size} bytes, {of}");
        self.row(what("wall"), None, "ms", ours.wall());
        self.row(
            what("wall of an empty native process"),
            None,
            "ms",
            empty.wall(),
        );
        let by_native = ratio(ours, native);
        self.row(
            what("wall, by that of the native program"),
            Some(1.5),
            "×",
            by_native,
        );
        let above = "wall less an empty native process, by";
        let by = |peer: &str| what(&format!("{above} {peer}'s"));
        self.row(by("wasm3"), Some(1.0), "×", ratio_above(ours, wasm3, empty));
        self.row(
            by("wasmtime"),
            Some(0.35),
            "×",
            ratio_above(ours, wasmtime, empty),
        );
        self.row(what("peak memory"), Some(6.0), "MiB", ours.memory());
        Ok(())
    }

    /// Modules of 26 and 75 MB.
    fn large(&mut self, python: &Path, clang: &Path) -> Result<()> {
        eprintln!("CPython and clang");
        let rwasm = self.rwasm.clone();
        let (python, clang) = (python.display().to_string(), clang.display().to_string());
        let python = |args: &[&str]| {
            let command = [&*rwasm, "run", "--argv0", "python", &python];
            command
                .iter()
                .chain(args)
                .map(|&word| word.to_owned())
                .collect::<Vec<_>>()
        };
        let clang = || [&*rwasm, "run", "--argv0", "clang", &clang, "--version"];
        let print = ["-c", "print(1)"];
        // Each finds what those before it have left, from the last fresh one on.
        let mut jobs = [
            Job::fresh(python(&["--version"])),
            Job::new(python(&["--version"])),
            Job::fresh(python(&print)),
            Job::new(python(&print)),
            Job::new(python(&["--version"])),
            Job::fresh(clang()),
            Job::new(clang()),
        ];
        self.take(&mut jobs, self.rounds)?;
        let [
            version,
            again,
            print,
            print_again,
            after_print,
            clang,
            clang_again,
        ] = &jobs;
        let what = |of: &str| format!("CPython (26 MB) {of}");
        self.row(
            what("--version, first run"),
            Some(40.0),
            "ms",
            version.wall(),
        );
        self.row(
            what("--version, first run, peak"),
            Some(45.0),
            "MiB",
            version.memory(),
        );
        self.row(
            what("--version, second run"),
            Some(10.0),
            "ms",
            again.wall(),
        );
        let name = what("--version, second run, `print(1)` remembered as well");
        self.row(name, Some(10.0), "ms", after_print.wall());
        self.row(
            what("`print(1)`, first run"),
            Some(300.0),
            "ms",
            print.wall(),
        );
        let cpu = print.median(Sample::cpu_ms);
        self.row(what("`print(1)`, first run, CPU"), None, "ms", cpu);
        self.row(
            what("`print(1)`, second run"),
            None,
            "ms",
            print_again.wall(),
        );
        self.row(
            "clang (75 MB) --version, first run".into(),
            None,
            "ms",
            clang.wall(),
        );
        self.row(
            "clang (75 MB) --version, second run".into(),
            None,
            "ms",
            clang_again.wall(),
        );
        Ok(())
    }

    fn programs(&mut self, modules: &[PathBuf]) -> Result<()> {
        let (mut short, mut long) = (Vec::new(), Vec::new());
        let mut jobs = JOB_SIZES.map(|size| (size, Vec::new(), Vec::new()));
        for module in modules {
            let name = module.file_stem().unwrap_or_default().to_string_lossy();
            eprintln!("{name}");
            let aot = self.ahead_of_time(module)?;
            let (first, second, aot_took) = self.short_program(module, aot.as_deref())?;
            if aot_took.is_some_and(|took| SHORT_MS.contains(&took)) {
                short.push((first, second));
            }
            for (size, first, with_file) in &mut jobs {
                if let Some((ours, aot)) = self.job(module, aot.as_deref(), *size)? {
                    first.push(ours);
                    with_file.push(aot);
                }
            }
            if LONG.contains(&&*name) {
                long.extend(self.long_program(module)?);
            }
        }
        let what = |run: &str| {
            let count = short.len();
            format!("{count} programs of 0.2-0.5 s, {run} run, by wasmtime's with its file")
        };
        let (first, second): (Vec<_>, Vec<_>) = short.iter().copied().unzip();
        let mean = |ratios: Vec<Option<f64>>| geometric_mean(ratios.into_iter().flatten());
        let (first, second) = (mean(first), mean(second));
        self.row(what("first"), Some(1.15), "×", first);
        self.row(what("second"), Some(0.95), "×", second);
        for (size, first, with_file) in jobs {
            let count = first.len();
            let what = |run| format!("{count} jobs of less than 50 ms, `--size {size}`, {run}");
            let first = geometric_mean(first);
            let with_file = geometric_mean(with_file);
            self.row(what("first run, by wasmtime's"), Some(0.40), "×", first);
            let name = what("wasmtime with its file, by its first run");
            self.row(name, None, "×", with_file);
        }
        let what = format!("{} programs of 3 s, by `--tier jit`", long.len());
        self.row(what, Some(1.03), "×", geometric_mean(long));
        Ok(())
    }

    /// The first and the second run of a program, relative to wasmtime running what
    /// it compiled ahead of time, and what that took.
    fn short_program(
        &self,
        module: &Path,
        aot: Option<&Path>,
    ) -> Result<(Option<f64>, Option<f64>, Option<f64>)> {
        let ours = self.program(module, 100);
        let mut jobs = [Job::fresh(&ours), Job::new(&ours), self.with_file(aot, 100)];
        self.take(&mut jobs, self.rounds)?;
        let [first, second, aot] = &jobs;
        Ok((ratio(first, aot), ratio(second, aot), aot.wall()))
    }

    /// The first run of a program that wasmtime takes little time for, relative to
    /// wasmtime's, and what wasmtime compiled ahead of time, relative to the same.
    fn job(&self, module: &Path, aot: Option<&Path>, size: u32) -> Result<Option<(f64, f64)>> {
        let path = module.display().to_string();
        let mut jobs = [
            Job::fresh(self.program(module, size)),
            Job::fresh(["wasmtime", "run", &path, "--size", &size.to_string()]),
            self.with_file(aot, size),
        ];
        self.take(&mut jobs, self.rounds)?;
        let [ours, wasmtime, aot] = &jobs;
        let is_short = aot.wall().is_some_and(|took| took < JOB_MS);
        let ratios = ratio(ours, wasmtime).zip(ratio(aot, wasmtime));
        Ok(ratios.filter(|_| is_short))
    }

    /// A program that runs long, relative to the same as machine code from the start.
    fn long_program(&self, module: &Path) -> Result<Option<f64>> {
        let jit = |size| {
            let size = format!("{size}");
            let module = module.display().to_string();
            [
                &*self.rwasm,
                "run",
                "--tier",
                "jit",
                &module,
                "--size",
                &size,
            ]
            .map(str::to_owned)
        };
        let mut probe = [Job::new(jit(100))];
        self.take(&mut probe, 1)?;
        let took = probe[0].wall().unwrap_or(LONG_MS);
        let size = (100.0 * LONG_MS / took).ceil().max(100.0) as u32;
        let mut jobs = [Job::fresh(self.program(module, size)), Job::new(jit(size))];
        self.take(&mut jobs, self.rounds.div_ceil(2))?;
        Ok(ratio(&jobs[0], &jobs[1]))
    }

    fn program(&self, module: &Path, size: u32) -> [String; 5] {
        let (module, size) = (module.display().to_string(), size.to_string());
        [&*self.rwasm, "run", &module, "--size", &size].map(str::to_owned)
    }

    /// wasmtime with what it compiled; a program that cannot be started if there is
    /// none.
    fn with_file(&self, aot: Option<&Path>, size: u32) -> Job {
        let file = aot.unwrap_or("none".as_ref()).display().to_string();
        let command = ["wasmtime", "run", "--allow-precompiled", &file];
        Job::new(command.into_iter().chain(["--size", &size.to_string()]))
    }

    /// What wasmtime compiles of a module, if it is there and can.
    fn ahead_of_time(&self, module: &Path) -> Result<Option<PathBuf>> {
        if !is_there("wasmtime") {
            return Ok(None);
        }
        let file = self.output.join("aot.cwasm");
        let mut wasmtime = Command::new("wasmtime");
        wasmtime.arg("compile").arg(module).arg("-o").arg(&file);
        match process::output(&mut wasmtime) {
            Ok(_) => Ok(Some(file)),
            Err(Error::Failed { output, .. }) => {
                eprintln!("{output}");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// A program of this machine.
    fn native(&self, name: &str, source: &str) -> Result<String> {
        let (file, program) = (
            self.output.join(name).with_extension("c"),
            self.output.join(name),
        );
        fs::write(&file, source).at(&file)?;
        process::run(
            Command::new("cc")
                .arg("-O2")
                .arg(&file)
                .arg("-o")
                .arg(&program),
        )?;
        Ok(program.display().to_string())
    }

    /// Runs jobs in turn. One that fails, or prints something else than before, has
    /// no samples.
    fn take(&self, jobs: &mut [Job], rounds: usize) -> Result<()> {
        let mut failed: Vec<bool> = jobs.iter().map(|job| !is_there(&job.command[0])).collect();
        for _ in 0..rounds {
            for (job, failed) in jobs.iter_mut().zip(&mut failed) {
                if *failed {
                    continue;
                }
                if job.fresh && self.home.exists() {
                    fs::remove_dir_all(&self.home).at(&self.home)?;
                }
                fs::create_dir_all(&self.home).at(&self.home)?;
                let mut command = Command::new(&job.command[0]);
                command
                    .args(&job.command[1..])
                    .env("HOME", &self.home)
                    .env_remove("XDG_CACHE_HOME")
                    .env_remove("RWASM_CACHE_DIR");
                let failure = match Sample::take(&mut command)? {
                    Ok((sample, output)) => {
                        job.samples.push(sample);
                        let expected = job.output.get_or_insert_with(|| output.clone());
                        (*expected != output).then(|| format!("printed {output:?}"))
                    }
                    Err(failure) => Some(failure),
                };
                if let Some(failure) = failure {
                    eprintln!("{}: {failure}", process::line(&command));
                    *failed = true;
                    job.samples.clear();
                }
            }
        }
        Ok(())
    }

    fn row(&mut self, what: String, reach: Option<f64>, unit: &'static str, measured: Option<f64>) {
        self.rows.push(Row {
            what,
            reach,
            unit,
            measured,
        });
    }

    fn table(&self) -> String {
        let mut text = format!(
            "Machine: {}. Medians; `cargo xtask compare --goals --rounds {}`.\n\n\
            | what | reach | measured | |\n|---|---:|---:|---|\n",
            machine(),
            self.rounds
        );
        for row in &self.rows {
            let unit = row.unit;
            let figure = |value: f64| format!("{value:.2} {unit}");
            let reach = row
                .reach
                .map_or(String::new(), |reach| format!("≤ {reach} {unit}"));
            let measured = row.measured.map_or("–".to_owned(), figure);
            let verdict = match (row.reach, row.measured) {
                (Some(reach), Some(measured)) if measured <= reach => "reached",
                (Some(_), Some(_)) => "missed",
                _ => "",
            };
            text += &format!("| {} | {reach} | {measured} | {verdict} |\n", row.what);
        }
        text
    }
}

/// Whether a program can be started: by its path, or by its name on `PATH`.
fn is_there(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders = env::split_paths(&path);
    Path::new(program).is_file() || folders.any(|folder| folder.join(program).is_file())
}
