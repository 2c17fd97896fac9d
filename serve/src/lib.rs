//! HTTP in front of WASI programs: `rwasm serve`.
//!
//! A [`Server`] is bound to an address and knows programs by the paths that they
//! are mounted at ([`Settings`]). A program meets HTTP in one of three ways
//! ([`Mode`]): by the Common Gateway Interface (RFC 3875), with a fresh instance
//! for each request; as a server of its own that is given the listener; or as such
//! a server with a fresh instance for each connection.
//!
//! ```no_run
//! use rwasm_serve::{Mount, Program, Server, Settings};
//!
//! let mut settings = Settings::new("127.0.0.1:8080");
//! settings.mounts.push(Mount::cgi("/", Program::new("app.wasm")));
//! let server = Server::bind(settings)?;
//! println!("listening on {}", server.addr());
//! server.run(rwasm_serve::signalled())?;
//! # Ok::<(), rwasm_serve::ServeError>(())
//! ```
//!
//! # A request, in `cgi`
//! ```text
//!  hyper's task            a thread of the pool         the timer
//!  ────────────            ────────────────────         ─────────
//!  http → router → cgi ──► job: variables, WasiCtx,
//!   │                      program::run                  interrupts
//!   │  ◄── Exchange ───►   stdin, stdout                 who is late
//!   ▼
//!  head, then body
//! ```
//! # Architecture invariants
//! - Nothing of a guest outlives its request but what it was given to change:
//!   a request has an instance, a `WasiCtx` and a scratch folder of its own.
//! - No thread of the asynchronous runtime ever waits for a guest, and no guest
//!   runs on one. The two meet in an `Exchange` alone.
//! - No more guests run than there are processors, and none waits with its turn.
//! - Whatever a guest does, or a client, costs the one request; each wait has a
//!   bound, and so has each queue and buffer.
//! - How an instance is made is known by `program.rs` alone.

#![forbid(unsafe_code)]

mod admin;
mod body;
mod cgi;
mod error;
mod exchange;
mod guest;
mod http;
mod isolate;
mod lines;
mod listen;
mod metrics;
mod pool;
mod program;
mod record;
mod remember;
mod router;
mod scratch;
mod server;
mod settings;
mod start;
mod timer;
mod tunables;

pub use error::ServeError;
pub use server::{Server, signalled};
pub use settings::{Folder, Mode, Mount, Program, RequestLimits, Settings, Snapshot};
pub use start::StartError;
