//! What the tests of guests share.

use rwasm::{Engine, Error, Linker, Module, Result, Store};
use rwasm_wasi::{Capture, Output, WasiCtx, WasiCtxBuilder};

/// The text of a guest.
macro_rules! guest {
    ($name:literal) => {
        include_str!(concat!("guests/", $name, ".wat"))
    };
}
pub(crate) use guest;

/// How a program ended, and what it wrote.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
}

pub fn ended(code: i32, stdout: &str) -> Ended {
    Ended {
        code,
        stdout: stdout.to_owned(),
    }
}

pub fn store(engine: &Engine, builder: &mut WasiCtxBuilder) -> Store<WasiCtx> {
    Store::new(engine, builder.build().expect("the state"))
}

pub fn linker(engine: &Engine) -> Linker<WasiCtx> {
    let mut linker = Linker::new(engine);
    rwasm_wasi::add_to_linker(&mut linker, |ctx| ctx).expect("no name twice");
    linker
}

pub fn start(engine: &Engine, wat: &str, builder: &mut WasiCtxBuilder) -> Result<()> {
    let mut store = store(engine, builder);
    let module = Module::new(engine, wat)?;
    let instance = linker(engine).instantiate(&mut store, &module)?;
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
    start.call(&mut store, ())
}

/// Runs `_start` of a program.
pub fn run(wat: &str, setup: impl FnOnce(&mut WasiCtxBuilder)) -> Ended {
    let stdout = Capture::new(1 << 20);
    let mut builder = WasiCtx::builder();
    builder.stdout(Output::capture(&stdout));
    setup(&mut builder);
    let code = match start(&Engine::default(), wat, &mut builder) {
        Ok(()) => 0,
        Err(Error::Exit(code)) => code,
        Err(error) => panic!("{error}"),
    };
    Ended {
        code,
        stdout: stdout.text(),
    }
}
