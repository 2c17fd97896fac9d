//! Every subject computes what the kernels' authors say.

use rwasm_benches::{Kernel, SUBJECTS, built_in, programs};

#[test]
fn small_sizes_have_known_results() {
    let cases = [
        ("fib:20", 6765),
        ("sieve:1000", 168),
        // The CRC-32 of 65,536 bytes of `31 * i + 7`, from Python's zlib.
        ("crc32:1", 2_079_246_634),
        // 1 + 3 + … + 99.
        ("vm:100", 2500),
        // The only point, -2 - 1.5i, escapes at once.
        ("mandelbrot:1", 0),
        // The same computed in Python.
        ("quicksort:1000", 12794725258773855394),
        ("matmul:10", 0x40b13d6f44200000),
    ];
    for (argument, expected) in cases {
        let kernel = Kernel::parse(argument).unwrap();
        for subject in SUBJECTS {
            let mut guest = (subject.load)(&kernel).unwrap();
            let result = guest.run(kernel.size).unwrap();
            assert_eq!(result, expected, "{argument} in {}", subject.name);
        }
    }
}

/// A guest is run many times, and must compute the same every time.
#[test]
fn subjects_agree_and_repeat_themselves() {
    for kernel in built_in().unwrap() {
        let size = kernel.size.min(3);
        let size = if kernel.name == "fib" { 15 } else { size };
        let mut results = Vec::new();
        for subject in SUBJECTS {
            let mut guest = (subject.load)(&kernel).unwrap();
            results.extend([guest.run(size).unwrap(), guest.run(size).unwrap()]);
        }
        results.dedup();
        assert_eq!(results.len(), 1, "{}: {results:x?}", kernel.name);
    }
}

/// What subjects have not: garbage-collected objects, and Silverfir-nano's
/// interpreter no vectors, which clang uses, wasmi no exceptions.
const LACKING: [(&str, &str); 9] = [
    ("silverfir", "gc-arrays"),
    ("silverfir", "gc-trees"),
    ("silverfir", "indirect"),
    ("silverfir", "lz"),
    ("silverfir", "sha256"),
    ("silverfir", "simd"),
    ("wasmi", "exceptions"),
    ("wasmi", "gc-arrays"),
    ("wasmi", "gc-trees"),
];

#[test]
fn programs_print_the_same_everywhere() {
    for mut program in programs().unwrap() {
        program.size = 1;
        let mut results = Vec::new();
        for subject in SUBJECTS {
            match (subject.load)(&program) {
                Ok(mut guest) => results.push(guest.run(program.size).unwrap()),
                Err(error) => {
                    let known = LACKING.contains(&(subject.name, &program.name));
                    assert!(known, "{}: {error}", program.name);
                }
            }
        }
        results.dedup();
        assert_eq!(results.len(), 1, "{}: {results:x?}", program.name);
    }
}

/// A program that does the same whatever its size would be useless.
#[test]
fn size_matters_to_programs() {
    for program in programs().unwrap() {
        let mut guest = (SUBJECTS[1].load)(&program).unwrap();
        let (small, large) = (guest.run(1).unwrap(), guest.run(2).unwrap());
        assert_ne!(small, large, "{}", program.name);
    }
}

#[test]
fn wrong_names_are_errors() {
    for argument in ["no-such-kernel", "fib:many", "", "/dev/null:x"] {
        assert!(Kernel::parse(argument).is_err(), "{argument}");
    }
}
