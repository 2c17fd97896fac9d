//! Programs of the Common Gateway Interface on wasmtime, as fast as its own
//! means allow: compiled ahead of time, linked once, instances out of a pool, and
//! hyper in front.
//!
//! `payload-wasmtime compile MODULE ARTIFACT`, then `payload-wasmtime serve
//! ARTIFACT ADDRESS`.

mod cgi;
mod engine;

use std::{env, error::Error, fs};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use engine::Program;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["compile", module, artifact] => {
            let code = engine::compile(&fs::read(module)?)?;
            Ok(fs::write(artifact, code)?)
        }
        ["serve", artifact, address] => serve(Program::load(artifact)?, address),
        _ => Err("usage: payload-wasmtime compile MODULE ARTIFACT | serve ARTIFACT ADDRESS".into()),
    }
}

/// A thread for each processor that the process may run on.
#[tokio::main]
async fn serve(program: Program, address: &str) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let program = program.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| cgi::answer(&program, request));
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // A client that goes away costs its own connection only.
            let _ = connection.await;
        });
    }
}
