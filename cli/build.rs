//! Links the command with packed relative relocations where the C library that
//! it is linked to can apply them: 24,700 relocations take 594 KB of file that
//! every start would read, packed 6 KB (docs/RATIONALE.md).

use std::env;
use std::process::Command;

/// The first glibc whose start code applies `DT_RELR`, also in a static program.
const GLIBC: (u32, u32) = (2, 36);

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = env::var("TARGET").unwrap_or_default();
    if target.contains("-linux-") {
        // By which lowered bodies are remembered for this program alone.
        println!("cargo:rustc-link-arg-bins=-Wl,--build-id");
    }
    let native = env::var("HOST").is_ok_and(|host| host == target);
    if native && target.ends_with("-linux-gnu") && glibc().is_some_and(|glibc| glibc >= GLIBC) {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// The version of this machine's glibc.
fn glibc() -> Option<(u32, u32)> {
    let output = Command::new("getconf")
        .arg("GNU_LIBC_VERSION")
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
