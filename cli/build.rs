//! How the command is linked: so that it starts soon (docs/RATIONALE.md).

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// The functions that a start calls, as `cargo xtask order` writes them.
const ORDER: &str = "start.order";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = env::var("TARGET").unwrap_or_default();
    if target.contains("-linux-") {
        // By which lowered bodies are remembered for this program alone.
        println!("cargo:rustc-link-arg-bins=-Wl,--build-id");
    }
    println!("cargo:rerun-if-changed={ORDER}");
    if target != "x86_64-unknown-linux-gnu" {
        return;
    }
    let features = env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    if features.split(',').any(|feature| feature == "crt-static") {
        // `runtime/src/sys/main_stack.rs`.
        link_args(&["--wrap=pthread_getattr_np"]);
    }
    if has_rust_lld() {
        // Side by side, these functions take fewer windows of pages.
        let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        let order = format!("--symbol-ordering-file={folder}/{ORDER}");
        link_args(&[&order, "--no-warn-symbol-ordering"]);
    }
}

/// Passes these to the linker of the program.
fn link_args(args: &[&str]) {
    for arg in args {
        println!("cargo:rustc-link-arg-bins=-Xlinker");
        println!("cargo:rustc-link-arg-bins={arg}");
    }
}

/// Whether the linker is the one that comes with the compiler, which knows of
/// orders: not where somebody has chosen another, or has built the compiler without.
fn has_rust_lld() -> bool {
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let is_default = env::var_os("RUSTC_LINKER").is_none()
        && !["linker", "link-self-contained", "fuse-ld"]
            .iter()
            .any(|choice| flags.contains(choice));
    is_default
        && sysroot().is_some_and(|sysroot| {
            let lld = "lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld/ld.lld";
            sysroot.join(lld).exists()
        })
}

/// Where the compiler is.
fn sysroot() -> Option<PathBuf> {
    let rustc = env::var_os("RUSTC")?;
    let output = Command::new(rustc)
        .args(["--print", "sysroot"])
        .output()
        .ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().into())
}
