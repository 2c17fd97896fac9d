//! The kernel `crc32` as a module of its own.

#![cfg_attr(target_family = "wasm", no_std)]

kernels::export!(kernels::crc32::run);
