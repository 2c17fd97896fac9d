//! The worker: runs its seeds one after the other and tells what it finds.

use crate::case::{Case, Proposals};
use crate::record::{Record, Stop, Verdict, compare};
use crate::wasmtime::Wasmtime;
use crate::{Options, rwasm, wasmi};
use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::path::Path;
use std::str::FromStr;
use std::{fs, io};

/// What a worker says: one a line on standard output.
pub enum Message {
    /// This seed comes next. Where nothing follows, it ended the process.
    Begin(u64),
    /// A difference.
    Different(u64, String),
    /// What became of a number of seeds.
    Count(String, u64),
}

impl Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Message::Begin(seed) => write!(f, "begin {seed} "),
            Message::Different(seed, text) => {
                write!(f, "different {seed} {}", text.replace('\n', " "))
            }
            Message::Count(what, count) => write!(f, "count {count} {what}"),
        }
    }
}

impl FromStr for Message {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        let mut parts = line.splitn(3, ' ');
        let mut next = || parts.next().ok_or(());
        let (kind, number, text) = (next()?, next()?.parse().map_err(drop)?, next()?);
        match kind {
            "begin" => Ok(Message::Begin(number)),
            "different" => Ok(Message::Different(number, text.to_owned())),
            "count" => Ok(Message::Count(text.to_owned(), number)),
            _ => Err(()),
        }
    }
}

/// Modules that need a proposal, to see what this build can run.
const GC: &str = "(module (type $s (struct)) (func (export \"f\") (drop (struct.new $s))))";
const EXCEPTIONS: &str =
    "(module (tag $t) (func (export \"f\") (block $b (try_table (catch $t $b) (throw $t)))))";
const WIDE_ARITHMETIC: &str = "(module (func (export \"f\")
    (i64.const 1) (i64.const 2) (i64.mul_wide_u) (drop) (drop)))";
const CUSTOM_PAGE_SIZES: &str = "(module (memory 1 (pagesize 1)) (func (export \"f\")))";

/// Runs the seeds of `options`.
pub fn run(options: &Options) -> Result<(), String> {
    let peer = match options.no_peers {
        true => None,
        false => Some(Wasmtime::new().map_err(|error| error.to_string())?),
    };
    let tiers = match options.tiers.as_slice() {
        [] => rwasm::tiers(),
        tiers => tiers.to_vec(),
    };
    let proposals = Proposals {
        gc: rwasm::supports(GC),
        exceptions: rwasm::supports(EXCEPTIONS),
        wide_arithmetic: rwasm::supports(WIDE_ARITHMETIC),
        custom_page_sizes: rwasm::supports(CUSTOM_PAGE_SIZES),
    };
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in options.seed..options.seed.saturating_add(options.count) {
        println!("{}", Message::Begin(seed));
        let case = match Case::new(seed, proposals) {
            Ok(Some(case)) => case,
            Ok(None) => {
                *counts.entry("without a module").or_default() += 1;
                continue;
            }
            Err(error) => {
                println!("{}", Message::Different(seed, error));
                *counts.entry(DIFFERENT).or_default() += 1;
                continue;
            }
        };
        let ran = tiers.iter().map(|&tier| {
            let record = rwasm::run(&case, tier);
            (format!("rwasm ({tier})"), record)
        });
        let mut records: Vec<(String, Record)> = ran.collect();
        records.extend(
            peer.iter()
                .map(|peer| ("wasmtime".to_owned(), peer.run(&case))),
        );
        let what = judge(seed, &case, &records);
        *counts.entry(what).or_default() += 1;
        for (step, number) in records.last().iter().flat_map(|(_, record)| record.tally()) {
            *counts.entry(step).or_default() += number;
        }
        if what == DIFFERENT
            && let Some(folder) = &options.save
        {
            save(folder, seed, &case.wasm).map_err(|error| error.to_string())?;
        }
    }
    for (what, count) in counts {
        println!("{}", Message::Count(what.to_owned(), count));
    }
    Ok(())
}

/// What the worker counts for a seed with differences.
const DIFFERENT: &str = "different";

/// Compares each record with the last, and says what became of the seed.
fn judge(seed: u64, case: &Case, records: &[(String, Record)]) -> &'static str {
    let Some(((last_name, last), others)) = records.split_last() else {
        return "without a tier";
    };
    let mut what = "the same";
    for (name, record) in others {
        match compare((name, record), (last_name, last)) {
            Verdict::Same => {}
            Verdict::Cut(Stop::Unsupported(_)) => what = "not supported by one",
            Verdict::Cut(_) => what = "the same until a limit of one",
            Verdict::Different(text) => {
                let text = format!(
                    "{text}{}",
                    second_opinion(case, name, record, last_name, last)
                );
                println!("{}", Message::Different(seed, text));
                return DIFFERENT;
            }
        }
    }
    what
}

/// Whom wasmi agrees with.
fn second_opinion(case: &Case, a_name: &str, a: &Record, b_name: &str, b: &Record) -> String {
    let wasmi = wasmi::run(case);
    for (name, record) in [(a_name, a), (b_name, b)] {
        match compare(("wasmi", &wasmi), (name, record)) {
            Verdict::Same => return format!(" (wasmi agrees with {name})"),
            Verdict::Cut(_) => return " (wasmi cannot tell)".to_owned(),
            Verdict::Different(_) => {}
        }
    }
    " (wasmi agrees with neither)".to_owned()
}

fn save(folder: &Path, seed: u64, wasm: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join(format!("{seed}.wasm")), wasm)
}
