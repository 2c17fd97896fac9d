//! CPython, with its own library in the module and scripts in a folder.

use std::fs;

use super::{
    Program,
    sample::Sample,
    trial::{Failure, Guest, Outcome, Trial},
};
use crate::{error::Context, process::Input};

pub const PROGRAMS: &[Program] = &[
    Program {
        name: "python",
        check: python,
    },
    Program {
        name: "python-script",
        check: script,
    },
];

/// Programs on the command line and on standard input.
fn python(trial: &mut Trial<'_>) -> Result<(), Failure> {
    let module = trial.modules.python.clone();
    let python = |args: &[&str]| {
        Guest::new(module.clone())
            .flag("--argv0", "python")
            .args(args)
    };

    trial.expect(python(&["-c", "print(1)"]), &Outcome::success("1\n"))?;
    trial.expect(python(&["-c", LIBRARY]), &Outcome::success(LIBRARY_OUTPUT))?;
    let guest = python(&["-", "one", "two"])
        .flag("--env", "GREETING=hello")
        .input(Input::Bytes(
            b"import os, sys\nprint(sys.argv, os.environ['GREETING'])\n".into(),
        ));
    trial.expect(guest, &Outcome::success("['-', 'one', 'two'] hello\n"))?;
    trial.expect(
        python(&["-c", "raise SystemExit(3)"]),
        &Outcome::code(3).printing(""),
    )?;
    let outcome = Outcome::code(1)
        .printing("")
        .saying("ZeroDivisionError: integer division or modulo by zero");
    trial.expect(python(&["-c", "1 // 0"]), &outcome)?;
    // The stack of the guest's own interpreter ends before ours does.
    let outcome = Outcome::code(1).saying("RecursionError: maximum recursion depth exceeded");
    trial.expect(python(&["-c", "def f(): return f() + 1\nf()"]), &outcome)
}

const LIBRARY: &str = "
import decimal, fractions, hashlib, json, math, re, statistics, textwrap, zlib
print(json.dumps({'b': [1, 2.5, None, True], 'a': 'zo\\u00eb'}, sort_keys=True))
print(hashlib.sha256(b'abc').hexdigest())
print(hashlib.md5(b'').hexdigest(), zlib.crc32(b'123456789'))
print(zlib.decompress(zlib.compress(b'x' * 100_000)) == b'x' * 100_000)
print(math.factorial(30), 2 ** 100 % 1_000_007, fractions.Fraction(1, 3) + fractions.Fraction(1, 6))
print(re.sub(r'(\\w+) (\\w+)', r'\\2 \\1', 'hello world'), 0.1 + 0.2, 1e300 * 1e10)
print(decimal.Decimal(2).sqrt(), statistics.median([3, 1, 2]), textwrap.shorten('a b c d', 5, placeholder=''))
";

/// As printed by CPython natively; the checksums are the algorithms' own test
/// vectors.
const LIBRARY_OUTPUT: &str = r#"{"a": "zo\u00eb", "b": [1, 2.5, null, true]}
ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
d41d8cd98f00b204e9800998ecf8427e 3421780262
True
265252859812191058636308480000000 698635 1/2
world hello 0.30000000000000004 inf
1.414213562373095048801688724 2 a b c
"#;

/// A script in a folder that reads a tree in another one, and writes a file.
fn script(trial: &mut Trial<'_>) -> Result<(), Failure> {
    let texts = trial.folder("texts")?;
    let sample = Sample::new();
    sample.write_to(&texts)?;
    let work = trial.folder("work")?;
    let script = work.join("count.py");
    fs::write(&script, SCRIPT).at(&script)?;

    let counts = sample.count();
    let guest = Guest::new(trial.modules.python.clone())
        .dir(&texts, "/texts")
        .dir(&work, "/work")
        .args(&["/work/count.py", "/texts", "/work/result.json"]);
    trial.expect(guest, &Outcome::success(counts.top(10)))?;

    let result = work.join("result.json");
    let written = fs::read_to_string(&result).at(&result)?;
    let (lines, words) = (counts.lines, counts.words.len());
    let expected = format!("{{\"lines\": {lines}, \"words\": {words}}}");
    if written != expected {
        return Err(Failure::Left(format!(
            "{written:?} was written, and not {expected:?}"
        )));
    }
    Ok(())
}

const SCRIPT: &str = r#"
import collections, json, os, re, sys

counts = collections.Counter()
lines = 0
for folder, folders, files in os.walk(sys.argv[1]):
    for name in files:
        with open(os.path.join(folder, name), encoding="ascii") as file:
            for line in file:
                lines += 1
                counts.update(re.findall(r"[a-z0-9]+", line.lower()))
for word, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:10]:
    print(f"{count:>8} {word}")
with open(sys.argv[2], "w") as file:
    json.dump({"lines": lines, "words": len(counts)}, file)
"#;
