//! The machine-code tier: translation of function bodies to Cranelift's IR,
//! compilation, and the memory that the code lives in.

#![allow(dead_code)]

mod libcall;
mod symbol;
mod trap_code;
mod translate;
