//! Sets `rwasm_trampoline` where the crate is compiled without optimisation:
//! LLVM makes sibling calls of the handlers from opt-level 1 on; at 0 a loop
//! calls them one by one (see `exec::regs`).

fn main() {
    println!("cargo::rustc-check-cfg=cfg(rwasm_trampoline)");
    println!("cargo::rerun-if-env-changed=RWASM_TRAMPOLINE");
    let unoptimised = std::env::var("OPT_LEVEL").as_deref() == Ok("0");
    if unoptimised || std::env::var_os("RWASM_TRAMPOLINE").is_some() {
        println!("cargo::rustc-cfg=rwasm_trampoline");
    }
}
