//! The programs of `guests/wat/`, which try to break what runs them: each must
//! come to the end that the comment at its top gives, and soon.

use std::process::Command;

use super::{
    Program,
    trial::{Failure, Guest, Outcome, Trial},
};
use crate::process::{self, Input};

pub const PROGRAMS: &[Program] = &[
    Program {
        name: "recursion",
        check: recursion,
    },
    Program {
        name: "growth",
        check: growth,
    },
    Program {
        name: "endless-loops",
        check: endless_loops,
    },
    Program {
        name: "standard-streams",
        check: standard_streams,
    },
    Program {
        name: "full-disk",
        check: full_disk,
    },
    Program {
        name: "exit-codes",
        check: exit_codes,
    },
    Program {
        name: "traps",
        check: traps,
    },
    Program {
        name: "not-runnable",
        check: not_runnable,
    },
    Program {
        name: "bad-pointers",
        check: bad_pointers,
    },
    Program {
        name: "escapes",
        check: escapes,
    },
];

const FAILED: i32 = 1;
const TIMED_OUT: i32 = 124;
const TRAPPED: i32 = 134;

/// What WASI calls these errors.
const ERRNO_FBIG: i32 = 22;
const ERRNO_NOSPC: i32 = 51;
const ERRNO_PIPE: i32 = 64;

fn recursion(trial: &mut Trial<'_>) -> Result<(), Failure> {
    for name in ["recurse", "recurse-wide"] {
        let guest = Guest::new(trial.modules.hostile(name));
        trial.expect(
            guest,
            &Outcome::code(TRAPPED).saying("call stack exhausted"),
        )?;
    }
    Ok(())
}

fn growth(trial: &mut Trial<'_>) -> Result<(), Failure> {
    let limited = |name| Guest::new(trial.modules.hostile(name)).flag("--max-memory", "16777216");
    let [memory, memory_on] = ["grow-memory", "grow-memory-on"].map(limited);
    trial.expect(memory, &Outcome::code(7))?;
    trial.expect(
        memory_on.flag("--timeout", "300ms"),
        &Outcome::code(TIMED_OUT),
    )?;
    let table = Guest::new(trial.modules.hostile("grow-table"));
    trial.expect(table, &Outcome::code(7))
}

fn endless_loops(trial: &mut Trial<'_>) -> Result<(), Failure> {
    for name in ["loop", "loop-in-start", "sleep"] {
        let guest = Guest::new(trial.modules.hostile(name)).flag("--timeout", "200ms");
        trial.expect(guest, &Outcome::code(TIMED_OUT))?;
    }
    for name in ["loop", "loop-in-start"] {
        let guest = Guest::new(trial.modules.hostile(name)).flag("--fuel", "100000");
        trial.expect(guest, &Outcome::code(TRAPPED).saying("fuel"))?;
    }
    Ok(())
}

fn standard_streams(trial: &mut Trial<'_>) -> Result<(), Failure> {
    let echo = |input| Guest::new(trial.modules.hostile("echo-stdin")).input(input);
    let text = "some lines\n".repeat(10_000) + "without an end";
    let copied = echo(Input::Bytes(text.clone().into_bytes()));
    let pending = echo(Input::Pending).flag("--timeout", "200ms");
    let closed = echo(Input::Pending).in_shell(r#""$@" <&-"#);
    trial.expect(copied, &Outcome::success(text))?;
    trial.expect(pending, &Outcome::code(TIMED_OUT))?;
    // Nothing can be read, and whether that is an error or the end is up to
    // what stands in for a closed standard input.
    trial.expect(closed.flag("--timeout", "10s"), &Outcome::success(""))?;

    let write = |script| Guest::new(trial.modules.hostile("write-stdout")).in_shell(script);
    let broken = write(r#"set -o pipefail; "$@" | head -c 100000 >/dev/null"#);
    let full = write(r#""$@" >/dev/full"#);
    trial.expect(broken, &Outcome::code(ERRNO_PIPE))?;
    trial.expect(full, &Outcome::code(ERRNO_NOSPC))
}

/// The disk is a file system of 1 MiB in a mount namespace of its own. Where no
/// such thing may be made, the limit of a file's size has to do.
fn full_disk(trial: &mut Trial<'_>) -> Result<(), Failure> {
    let disk = trial.folder("disk")?;
    let module = trial.modules.hostile("fill-disk");
    let fill = |script| {
        Guest::new(module.clone())
            .dir(&disk, "/disk")
            .in_shell(script)
    };

    let script = r#"trap '' XFSZ; ulimit -f 1000; exec "$@""#.to_owned();
    trial.expect(fill(script), &Outcome::code(ERRNO_FBIG))?;

    let namespace = "unshare --mount --map-root-user";
    let mount = format!("mount -t tmpfs -o size=1m tmpfs '{}'", disk.display());
    if process::run(Command::new("bash").args(["-c", &format!("{namespace} {mount}")])).is_err() {
        eprintln!("full-disk: mount namespaces are not allowed here, so no disk could be full");
        return Ok(());
    }
    let script = format!("{namespace} bash -c \"{mount}\"' && exec \"$@\"' bash \"$@\"");
    trial.expect(fill(script), &Outcome::code(ERRNO_NOSPC))
}

fn exit_codes(trial: &mut Trial<'_>) -> Result<(), Failure> {
    let exit = trial.modules.hostile("exit");
    trial.expect(Guest::new(exit.clone()), &Outcome::success(""))?;
    for code in [0, 1, 2, 42, 124, 125, 126, 127, 128, 134, 255] {
        let guest = Guest::new(exit.clone()).args(&[&code.to_string()]);
        trial.expect(guest, &Outcome::code(code).printing(""))?;
    }
    Ok(())
}

fn traps(trial: &mut Trial<'_>) -> Result<(), Failure> {
    let traps = trial.modules.hostile("traps");
    let outcome = Outcome::code(TRAPPED)
        .saying("unreachable")
        .saying("inner")
        .saying("outer");
    trial.expect(Guest::new(traps.clone()), &outcome)?;
    for export in [
        "unreachable",
        "integer divide by zero",
        "integer overflow",
        "invalid conversion to integer",
        "out of bounds memory access",
        "out of bounds table access",
        "undefined element",
        "uninitialized element",
        "indirect call type mismatch",
    ] {
        let guest = Guest::new(traps.clone()).flag("--invoke", export);
        trial.expect(guest, &Outcome::code(TRAPPED).saying(export))?;
    }
    let export = "out of bounds memory access by a bulk operation";
    let guest = Guest::new(traps).flag("--invoke", export);
    trial.expect(
        guest,
        &Outcome::code(TRAPPED).saying("out of bounds memory access"),
    )
}

fn not_runnable(trial: &mut Trial<'_>) -> Result<(), Failure> {
    let guest = Guest::new(trial.modules.hostile("unknown-import"));
    let outcome = Outcome::code(FAILED)
        .saying("fd_wriet")
        .saying("fd_write")
        .saying("mystery");
    trial.expect(guest, &outcome)?;
    let guest = Guest::new(trial.modules.hostile("mistyped-import"));
    let outcome = Outcome::code(FAILED)
        .saying("proc_exit")
        .saying("i64")
        .saying("i32");
    trial.expect(guest, &outcome)?;
    let guest = Guest::new(trial.modules.hostile("no-start"));
    trial.expect(
        guest,
        &Outcome::code(FAILED).saying("_start").saying("answer"),
    )?;
    let guest = Guest::new(trial.modules.hostile("no-start")).flag("--invoke", "answer");
    trial.expect(guest, &Outcome::success("42\n"))
}

fn bad_pointers(trial: &mut Trial<'_>) -> Result<(), Failure> {
    let folder = trial.folder("data")?;
    let guest = Guest::new(trial.modules.hostile("bad-pointers")).dir(&folder, "/data");
    trial.expect(guest, &Outcome::success(""))
}

fn escapes(trial: &mut Trial<'_>) -> Result<(), Failure> {
    let folder = trial.folder("data")?;
    let guest = Guest::new(trial.modules.hostile("escape")).dir(&folder, "/data");
    trial.expect(guest, &Outcome::success(""))
}
