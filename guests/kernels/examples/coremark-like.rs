//! The kernel `coremark` as a module of its own. The name of the file says that
//! its figures are not CoreMark scores.

#![cfg_attr(target_family = "wasm", no_std)]

kernels::export!(kernels::coremark::run);
