//! Programs behind HTTP, asked over real connections.

mod guests;
mod harness;

mod cgi;
mod isolation;
mod limits;
mod listen;
mod protocol;
mod setup;
