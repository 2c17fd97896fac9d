//! Declared sizes take no memory. This file has one test, so that no other
//! runs in its process.
#![cfg(target_os = "linux")]

mod common;

use rwasm_parser::Module;

/// How much the address space may grow, in KiB. Most declarations below would
/// reserve tens of MiB each if they were believed.
const ALLOWANCE: u64 = 4 << 10;

/// The largest size that this process's address space ever had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc is mounted");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmPeak:"))
        .expect("VmPeak");
    line.split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse().ok())
        .expect("a number")
}

fn exercise(module: &Module) {
    let _ = (module.names().functions().count(), module.producers());
}

#[test]
fn declared_sizes_take_no_memory() {
    let mut large = Vec::new();
    common::leb128(&mut large, 1_000_000);
    let mut huge = Vec::new();
    common::leb128(&mut huge, u32::MAX as usize);
    let types: (u8, &[u8]) = (1, b"\x01\x60\0\0");
    let mut modules = vec![common::wat("(module (func))")];
    for count in [&large, &huge] {
        let after = |prefix: &[u8], suffix: &[u8]| [prefix, count, suffix].concat();
        // Every kind of section, with a valid first item where that is short.
        let first_items: [(u8, &[u8]); 12] = [
            (1, b"\x60\0\0"),
            (2, b"\0\0\0\0"),
            (3, b"\0"),
            (4, b"\x70\0\0"),
            (5, b"\0\0"),
            (6, b"\x7f\0\x41\0\x0b"),
            (7, b"\0\0\0"),
            (9, b"\x01\0\0"),
            (10, b"\x02\0\x0b"),
            (11, b"\x01\0"),
            (12, b""),
            (13, b"\0\0"),
        ];
        for (id, item) in first_items {
            let contents = after(b"", item);
            modules.push(common::binary(&[(id, &contents)]));
            modules.push(common::binary(&[types, (id, &contents)]));
        }
        // Lists inside of items: parameters, fields, recursion groups,
        // elements, instruction lists.
        for (id, prefix, suffix) in [
            (1, &b"\x01\x60"[..], &b"\x7f"[..]),
            (1, b"\x01\x60\0", b"\x7f"),
            (1, b"\x01\x5f", b"\x7f\0"),
            (1, b"\x01\x4e", b"\x60\0\0"),
            (9, b"\x01\x01\0", b"\0"),
            (9, b"\x01\x05\x70", b"\xd0\x70\x0b"),
        ] {
            modules.push(common::binary(&[(id, &after(prefix, suffix))]));
        }
        let function: (u8, &[u8]) = (3, b"\x01\0");
        for (prefix, suffix) in [
            (&b""[..], &b"\x01\x7f"[..]),
            (b"\x01", b"\x7f\x0b"),
            (b"\0\x41\0\x0e", b"\0\0\x0b"),
            (b"\0\x1c", b"\x7f\x0b"),
        ] {
            let body = after(prefix, suffix);
            let mut code = vec![1];
            common::leb128(&mut code, body.len());
            code.extend(body);
            modules.push(common::binary(&[types, function, (10, &code)]));
        }
        // Custom sections that are read later.
        for prefix in [
            &b"\x04name\x01\x08"[..],
            b"\x04name\x02\x08",
            b"\x09producers",
            b"\x09producers\x01\x08language",
        ] {
            modules.push(common::binary(&[(0, &after(prefix, b"\0\x01a"))]));
        }
    }
    // What a first module allocates for good is no concern here.
    drop(common::parse(modules[0].clone()));
    let before = peak();
    for bytes in modules {
        if let Ok(module) = common::parse(bytes) {
            exercise(&module);
        }
    }
    let grown = peak() - before;
    assert!(grown <= ALLOWANCE, "the address space grew by {grown} KiB");
}
