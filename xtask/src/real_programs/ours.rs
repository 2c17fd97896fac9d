//! The programs of `guests/`.

use std::{fmt::Write, fs};

use super::{
    Program,
    sample::Sample,
    trial::{Failure, Guest, Outcome, Trial},
};
use crate::{error::Context, process::Input};

pub const PROGRAMS: &[Program] = &[
    Program {
        name: "hello",
        check: hello,
    },
    Program {
        name: "hello-std",
        check: hello_std,
    },
    Program {
        name: "kernels",
        check: kernels,
    },
    Program {
        name: "cfile",
        check: cfile,
    },
    Program {
        name: "exceptions",
        check: exceptions,
    },
    Program {
        name: "std-files",
        check: std_files,
    },
    Program {
        name: "wordcount",
        check: wordcount,
    },
    Program {
        name: "json-regex",
        check: json_regex,
    },
    Program {
        name: "sqlite-shell",
        check: sqlite_shell,
    },
];

fn hello(trial: &mut Trial<'_>) -> Result<(), Failure> {
    let guest = Guest::new(trial.modules.guest("hello"));
    trial.expect(guest, &Outcome::success("Hello from a small guest!\n"))
}

fn hello_std(trial: &mut Trial<'_>) -> Result<(), Failure> {
    let module = trial.modules.guest("hello-std");
    trial.expect(
        Guest::new(module.clone()),
        &Outcome::success("Hello, world!\n"),
    )?;
    let guest = Guest::new(module).args(&["--Zoë"]);
    trial.expect(guest, &Outcome::success("Hello, --Zoë!\n"))
}

/// The kernels are a native library too, which says what they must return.
fn kernels(trial: &mut Trial<'_>) -> Result<(), Failure> {
    type Kernel = fn(i32) -> i32;
    let kernels: [(&str, Kernel, i32); 6] = [
        ("fib", kernels::fib::run, 25),
        ("matmul", kernels::matmul::run, 10),
        ("sieve", kernels::sieve::run, 10),
        ("crc32", kernels::crc32::run, 20),
        ("sort", kernels::sort::run, 10),
        ("coremark-like", kernels::coremark::run, 50),
    ];
    for (name, native, size) in kernels {
        let guest = Guest::new(trial.modules.guest(name)).flag("--invoke", "run");
        let expected = Outcome::success(format!("{}\n", native(size)));
        trial.expect(guest.args(&[&size.to_string()]), &expected)?;
    }
    Ok(())
}

fn cfile(trial: &mut Trial<'_>) -> Result<(), Failure> {
    let folder = trial.folder("data")?;
    let guest = Guest::new(trial.modules.guest("cfile"))
        .dir(&folder, "/data")
        .args(&["/data"]);
    trial.expect(guest, &Outcome::success(CFILE_OUTPUT))?;
    let left = fs::read_dir(&folder).at(&folder)?.count();
    if left != 0 {
        return Err(Failure::Left(format!("{left} files were not removed")));
    }
    let guest = Guest::new(trial.modules.guest("cfile")).args(&["/data"]);
    let outcome = Outcome::code(1).printing("fopen wx failed: No such file or directory\n");
    trial.expect(guest, &outcome)
}

/// The same as of the programs compiled natively, in both forms of exceptions.
fn exceptions(trial: &mut Trial<'_>) -> Result<(), Failure> {
    for name in ["longjmp", "longjmp-exnref"] {
        let guest = Guest::new(trial.modules.guest(name));
        let outcome = Outcome::success("1000 tries, total 7000, sum 1000.5\n");
        trial.expect(guest, &outcome)?;
    }
    for name in ["throw", "throw-exnref"] {
        let guest = Guest::new(trial.modules.guest(name));
        let outcome = Outcome::code(134)
            .printing("caught 300, destroyed 8250, sum 305.076\n")
            .saying("threw an exception that nothing caught, of type (i32)");
        trial.expect(guest, &outcome)?;
    }
    Ok(())
}

/// The same as of the program compiled natively, but for `outside`, which is
/// opened there.
const CFILE_OUTPUT: &str = "\
wrote up to 10000
at 5000: line 0500
100 later: line 0600
last: line 0999
end of file: 1
lines: 1000
appended up to 10008
overwritten: LINE 0002
cut to 15
read 20, 5 zeros after the cut
position: 0
at 7: world
size: 12
renamed: 20 bytes, regular: 1
entries: 201, first entry-with-a-longer-name-000, last renamed.txt
missing: No such file or directory
exists: File exists
not empty: Directory not empty
a folder: Is a directory
outside: refused
done
";

/// It checks what it finds by itself.
fn std_files(trial: &mut Trial<'_>) -> Result<(), Failure> {
    let folder = trial.folder("data")?;
    let link = folder.join("link-of-the-host");
    std::os::unix::fs::symlink("file", &link).at(&link)?;
    let steps = "variables\nclocks\nfiles\ndirectories\nmetadata\ntimes\nlinks\nerrors\noutside\n";
    let guest = Guest::new(trial.modules.guest("std-files"))
        .flag("--env", "GIVEN=a value")
        .dir(&folder, "/data")
        .args(&["/data", "200"]);
    trial.expect(guest, &Outcome::code(200).printing(steps))
}

fn wordcount(trial: &mut Trial<'_>) -> Result<(), Failure> {
    let folder = trial.folder("texts")?;
    let sample = Sample::new();
    sample.write_to(&folder)?;
    let counts = sample.count();
    let expected = format!(
        "{} files, {} bytes, {} lines, {} words, {} different\n{}",
        sample.files().count(),
        counts.bytes,
        counts.lines,
        counts.words.values().sum::<usize>(),
        counts.words.len(),
        counts.top(20),
    );
    let guest = Guest::new(trial.modules.guest("wordcount")).dir(&folder, "/texts");
    trial.expect(guest.args(&["/texts", "20"]), &Outcome::success(expected))
}

/// Log lines, among them some that are no JSON, of which the slow requests are
/// to be found.
fn json_regex(trial: &mut Trial<'_>) -> Result<(), Failure> {
    const LINES: usize = 20_000;
    let (mut input, mut expected) = (String::new(), String::new());
    let (mut matches, mut bad) = (0, 0);
    for line in 1..=LINES {
        let user = ["ann", "bob", "zo\u{eb}", "\u{5c0f}\u{660e}"][line % 4];
        let millis = line * 7919 % 1500;
        if line % 500 == 0 {
            bad += 1;
            writeln!(input, "{{\"message\": \"cut off, {user}").expect("a string takes all");
            continue;
        }
        let message = format!("GET /items/{line} by {user} took {millis} ms");
        writeln!(
            input,
            r#"{{"id": {line}, "message": "{message}", "tags": ["a", {{"b": null}}]}}"#
        )
        .expect("a string takes all");
        if millis >= 1000 && user != "bob" {
            matches += 1;
            writeln!(expected, r#"[{line},["{line}","{user}","{millis}"]]"#)
                .expect("a string takes all");
        }
    }
    writeln!(
        expected,
        r#"{{"bad":{bad},"lines":{LINES},"matches":{matches}}}"#
    )
    .expect("a string takes all");
    let guest = Guest::new(trial.modules.guest("json-regex"))
        .args(&[
            "message",
            r"^GET /items/(\d+) by ([^\sb]\w+) took (\d{4,}) ms$",
        ])
        .input(Input::Bytes(input.into_bytes()));
    trial.expect(
        guest,
        &Outcome::success(expected).saying("line 500: EOF while parsing"),
    )
}

/// Makes a database in one process, and asks and changes it in others.
fn sqlite_shell(trial: &mut Trial<'_>) -> Result<(), Failure> {
    let folder = trial.folder("data")?;
    let module = trial.modules.guest("sqlite-shell");
    let shell = |sql: &[&str]| {
        let guest = Guest::new(module.clone())
            .dir(&folder, "/data")
            .args(&["/data/test.sqlite"]);
        guest.args(sql)
    };
    trial.expect(shell(&[SQLITE_SETUP]), &Outcome::success("items|20000\n"))?;

    let file = folder.join("test.sqlite");
    let bytes = fs::read(&file).at(&file)?;
    if !bytes.starts_with(b"SQLite format 3\0") {
        return Err(Failure::Left(format!("{} is no database", file.display())));
    }

    let values = || (1..=20_000u64).map(|id| id * id % 1009);
    let sevens = || values().filter(|value| value % 7 == 0);
    let most = values().max().unwrap_or_default();
    let of_kind = |kind| (1..=20_000).filter(|id| id / 3 % 3 == kind).count();
    let mut kinds = [("A", of_kind(0)), ("B", of_kind(1)), ("C", of_kind(2))];
    kinds.sort_by_key(|(_, count)| *count);
    let [first, second, third] = kinds.map(|(label, count)| format!("{label}|{count}"));
    let expected = format!(
        "{}|{}\n{most}\n{first}\n{second}\n{third}\n2.5|x'00ff'|NULL|it's\nok\n",
        sevens().count(),
        sevens().sum::<u64>(),
    );
    trial.expect(shell(&SQLITE_QUERIES), &Outcome::success(expected))?;

    let script = "begin; delete from items; rollback; delete from items where id > 100; vacuum;
        select count(*), max(id) from items;";
    let guest = shell(&[]).input(Input::Bytes(script.into()));
    trial.expect(guest, &Outcome::success("100|100\n"))?;

    let outcome = Outcome::code(1)
        .printing("")
        .saying("no such table: missing");
    trial.expect(shell(&["select * from missing"]), &outcome)
}

const SQLITE_SETUP: &str = "
    create table items (id integer primary key, value integer, kind text);
    create table kinds (kind text primary key, label text) without rowid;
    begin;
    with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < 20000)
        insert into items select n, n * n % 1009, char(97 + (n / 3) % 3) from numbers;
    insert into kinds values ('a', 'A'), ('b', 'B'), ('c', 'C');
    commit;
    create index by_value on items (value);
    select 'items', count(*) from items;";

const SQLITE_QUERIES: [&str; 5] = [
    "select count(*), sum(value) from items where value % 7 = 0",
    "select value from items order by value desc limit 1",
    "select label, count(*) from items join kinds using (kind) group by label order by 2, 1",
    "select 2.5, x'00ff', null, 'it''s'",
    "pragma integrity_check",
];
