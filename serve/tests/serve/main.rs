//! Programs behind HTTP, asked over real connections.

mod guests;
mod harness;
mod servers;

mod cgi;
mod isolate;
mod isolation;
mod limits;
mod listen;
mod protocol;
mod setup;
mod snapshot;
