//! Programs behind HTTP, asked over real connections.

mod guests;
mod harness;

mod cgi;
mod isolation;
mod limits;
mod protocol;
mod setup;
