//! The command `rwasm` as its users meet it: arguments in; exit code, standard
//! output and standard error out. Tests that answer a report on another
//! runtime are named after it (WT is wasmtime, WR wasmer, WI wasmi, WA WAMR).

mod cache;
mod explore;
mod files;
mod harness;
mod help;
mod hostile;
mod invoke;
mod linking;
mod listen;
mod no_module;
mod proposals;
mod run;
mod serve;
mod tier_up;
mod validate;
mod wast;
