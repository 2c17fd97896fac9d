//! `--invoke`: one function, with typed arguments and printed results.

use crate::harness::{Case, Folder};

/// Reports WT#7382 and WT#10792: `--invoke` with arguments, negative ones
/// included.
#[test]
fn wt_7382_arguments_are_read_by_the_functions_type() {
    Folder::new().check(&[
        Case::new("--invoke add math.wat 1 2").stdout("3\n"),
        Case::new("run --invoke add math.wat -1 -2").stdout("-3\n"),
        Case::new("--invoke=add run math.wat 0xffffffff 0").stdout("-1\n"),
        Case::new("--invoke add math.wat 4294967295 1").stdout("0\n"),
        Case::new("--invoke add math.wat -2147483648 0").stdout("-2147483648\n"),
        Case::new("--invoke add64 math.wat -0x1 1").stdout("0\n"),
        Case::new("--invoke add64 math.wat 18446744073709551615 0").stdout("-1\n"),
        Case::new("--invoke half math.wat 3").stdout("1.5\n"),
        Case::new("--invoke half math.wat -inf").stdout("-inf\n"),
        Case::new("--invoke half math.wat nan").stdout("nan\n"),
        Case::new("--invoke double math.wat 1e300").stdout("2e300\n"),
        Case::new("--invoke double math.wat 0.1").stdout("0.2\n"),
        Case::new("--invoke double math.wat 1e308").stdout("inf\n"),
        Case::new("--invoke swap math.wat 1 2").stdout("2\n1\n"),
        Case::new("--invoke same math.wat null").stdout("null\n"),
        Case::new("--invoke is_null math.wat null").stdout("1\n"),
        Case::new("--invoke self math.wat").stdout("funcref\n"),
        Case::new("--invoke nothing math.wat"),
    ]);
}

#[test]
fn vectors_are_read_and_written_in_hex() {
    Folder::new().check(&[
        Case::new("--invoke same vector.wat 0xff").stdout("0x000000000000000000000000000000ff\n"),
        Case::new("--invoke same vector.wat 255")
            .code(2)
            .stderr(&["no v128", "hex digits"]),
    ]);
}

#[test]
fn what_does_not_fit_is_told() {
    Folder::new().check(&[
        Case::new("--invoke add math.wat 1").code(2).stderr(&[
            "rwasm: `add` cannot be called: it takes 2 arguments (i32 i32), and 1 was given",
        ]),
        Case::new("--invoke nothing math.wat 1 2")
            .code(2)
            .stderr(&["takes no argument", "2 were"]),
        Case::new("--invoke add math.wat 1 x")
            .code(2)
            .stderr(&["argument 2, `x`, is no i32"]),
        Case::new("--invoke add math.wat 1 4294967296")
            .code(2)
            .stderr(&["to 4294967295"]),
        Case::new("--invoke half math.wat one")
            .code(2)
            .stderr(&["is no f32", "nan"]),
        Case::new("--invoke same math.wat 0")
            .code(2)
            .stderr(&["is no externref; write null"]),
        Case::new("--invoke whole math.wat null")
            .code(2)
            .stderr(&["is no (ref func)"]),
        Case::new("--invoke ad math.wat 1 2")
            .code(2)
            .stderr(&["math.wat exports no function `ad`; did you mean `add`?"]),
        Case::new("--invoke zzzzzz math.wat")
            .code(2)
            .stderr(&["it exports `add`, `add64`"]),
        Case::new("--invoke answer math.wat")
            .code(2)
            .stderr(&["`answer` is a global"]),
        Case::new("--invoke f exit.wat")
            .code(2)
            .stderr(&["exports no function `f`", "`_start`"]),
    ]);
}

#[test]
fn a_missing_start_tells_what_can_be_called() {
    let folder = Folder::new()
        .with("nothing.wat", "(module)")
        .with(
            "typed.wat",
            "(module (func (export \"_start\") (param i32)))",
        )
        .with("other.wat", "(module (memory (export \"_start\") 1))");
    folder.check(&[
        Case::new("no-start.wat").code(1).stderr(&[
            "no-start.wat has no `_start` to run; it exports `main`, `answer`",
            "rwasm run --invoke FUNC no-start.wat",
        ]),
        Case::new("reactor.wat")
            .code(1)
            .stderr(&["it exports `get`"]),
        Case::new("nothing.wat")
            .code(1)
            .stderr(&["exports no function", "build it as a program"]),
        Case::new("typed.wat")
            .code(1)
            .stderr(&["`_start` as func", "--invoke"]),
        Case::new("other.wat")
            .code(1)
            .stderr(&["`_start` as memory"]),
        Case::new("math.wat --invoke add 1 2").code(2).stderr(&[
            "what follows the module belongs to the guest",
            "rwasm run --invoke FUNC math.wat ARGS",
        ]),
    ]);
}

#[test]
fn a_reactor_is_initialized_once_before_the_call() {
    Folder::new().check(&[
        Case::new("--invoke get reactor.wat").stdout("7\n"),
        Case::new("--invoke _initialize reactor.wat"),
    ]);
}
