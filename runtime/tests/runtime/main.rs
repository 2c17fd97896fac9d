//! Tests of the runtime without a tier: modules are instantiated and their
//! definitions used, but no body runs.

mod child;
mod entry;
mod fixture;
mod func_refs;
mod instantiation;
mod memories;
mod segments;
mod signals;
mod tables;
mod types;
