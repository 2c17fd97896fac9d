//! The kernel `sort` as a module of its own.

#![cfg_attr(target_family = "wasm", no_std)]

kernels::export!(kernels::sort::run);
