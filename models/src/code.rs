//! `runtime/src/code/cell.rs`: how a function changes its form.
//!
//! Code is words that loom watches: whoever reads them must have come there by
//! what made them visible.

pub use cell::CodeCell;

use crate::func_refs::LiveRefs;
use crate::layout::ArrayEntry;
use cell::Entries;
use loom::sync::{self, Arc};
use loom::thread;
use std::ptr;
use std::sync::atomic::Ordering;

#[path = "../../runtime/src/code/cell.rs"]
#[allow(dead_code, reason = "machine code needs more of it than the models")]
mod cell;

#[derive(Clone, Copy, Debug)]
pub struct LocalFuncIndex;

#[derive(Debug)]
pub struct ModuleCode;

/// A lowered body of one word.
#[derive(Debug)]
pub struct InterpCode {
    words: Code,
}

/// One word of code, which does not move.
#[derive(Debug)]
struct Code(Box<loom::cell::UnsafeCell<u64>>);

impl Code {
    fn new(word: u64) -> Self {
        Code(Box::new(loom::cell::UnsafeCell::new(word)))
    }

    fn as_ptr(&self) -> *const u64 {
        (&raw const *self.0).cast()
    }
}

/// What running code does: it reads the word.
fn run(code: *const u64) -> u64 {
    // SAFETY: all code here is a `Code`, and lives until the model ends.
    unsafe { (*code.cast::<loom::cell::UnsafeCell<u64>>()).with(|word| *word) }
}

extern "C" fn interpreted() -> usize {
    1
}

extern "C" fn compiled() -> usize {
    2
}

/// A cell whose interpreter entry is `stub` and whose native one is `lookup`.
fn cell(stub: &Code, lookup: &Code) -> CodeCell {
    let entries = Entries {
        interp: stub.as_ptr(),
        array: interpreted,
        native: lookup.as_ptr().cast(),
    };
    CodeCell::new(entries, ptr::null(), LocalFuncIndex, (0, 0))
}

/// The word behind the entry that the interpreter would go to.
fn call_interpreted(cell: &CodeCell) -> u64 {
    run(cell.interp_entry.load(Ordering::Acquire))
}

/// The word behind the entry that machine code would go to.
fn call_native(cell: &CodeCell) -> u64 {
    run(cell.native_entry.load(Ordering::Acquire).cast())
}

fn is_compiled(entry: ArrayEntry) -> bool {
    entry() == compiled()
}

const STUB: u64 = 0;
const LOOKUP: u64 = 10;
const ADAPTER: u64 = 11;
const MACHINE_CODE: u64 = 20;
const COPY: u64 = 21;
const CALL_BY_ARRAY: u64 = 30;

/// Two threads lower a function when they first call it, and a third calls it
/// meanwhile.
#[test]
fn a_function_is_lowered_by_two_threads() {
    loom::model(|| {
        let code = Arc::new((Code::new(STUB), Code::new(LOOKUP)));
        let cell = Arc::new(cell(&code.0, &code.1));
        let lowering = [1, 2].map(|word| {
            let (cell, code) = (cell.clone(), code.clone());
            thread::spawn(move || {
                let words = Code::new(word);
                let entry = cell.publish_interp_code(InterpCode { words }, code.0.as_ptr());
                (entry.addr(), run(entry), call_interpreted(&cell))
            })
        });
        let seen = call_interpreted(&cell);
        assert!([STUB, 1, 2].contains(&seen));
        if seen != STUB {
            let words = &cell.interp_code().expect("it was called").words;
            assert_eq!(run(words.as_ptr()), seen);
        }
        let [one, two] = lowering.map(|thread| thread.join().unwrap());
        assert_eq!(one, two, "all run the same body");
        assert_eq!(one.1, one.2);
    });
}

/// A worker publishes machine code while one thread lowers the function and
/// another calls it.
#[test]
fn machine_code_is_published_while_a_function_is_lowered() {
    loom::model(|| {
        let code = Arc::new((Code::new(STUB), Code::new(LOOKUP)));
        let by_array = Arc::new(Code::new(CALL_BY_ARRAY));
        let cell = Arc::new(cell(&code.0, &code.1));
        let worker = {
            let (cell, by_array) = (cell.clone(), by_array.clone());
            thread::spawn(move || {
                let native = Code::new(MACHINE_CODE);
                cell.publish_native(
                    &LiveRefs,
                    native.as_ptr().cast(),
                    compiled,
                    by_array.as_ptr(),
                );
                // The module keeps it.
                native
            })
        };
        let lowering = {
            let (cell, code) = (cell.clone(), code.clone());
            thread::spawn(move || {
                let words = Code::new(1);
                let entry = cell.publish_interp_code(InterpCode { words }, code.0.as_ptr());
                assert_eq!(run(entry), 1);
            })
        };
        // Whoever comes by one entry finds what it leads to.
        let interpreted = call_interpreted(&cell);
        assert!([STUB, 1, CALL_BY_ARRAY].contains(&interpreted));
        let array = cell.array_entry();
        if interpreted == CALL_BY_ARRAY {
            assert!(is_compiled(array));
        }
        let native = call_native(&cell);
        if is_compiled(array) {
            assert_eq!(native, MACHINE_CODE);
        }
        let native = worker.join().unwrap();
        lowering.join().unwrap();
        assert_eq!(call_interpreted(&cell), CALL_BY_ARRAY, "nothing tiers down");
        assert_eq!(call_native(&cell), run(native.as_ptr()));
        assert!(is_compiled(cell.array_entry()));
    });
}

/// A thread finds the adapter for a function that has no machine code, while a
/// worker publishes some, and then a copy that is linked anew.
#[test]
fn an_adapter_does_not_replace_machine_code() {
    loom::model(|| {
        let code = Arc::new((Code::new(STUB), Code::new(LOOKUP)));
        let others = Arc::new((Code::new(CALL_BY_ARRAY), Code::new(ADAPTER)));
        let cell = Arc::new(cell(&code.0, &code.1));
        let worker = {
            let (cell, others) = (cell.clone(), others.clone());
            thread::spawn(move || {
                let native = Code::new(MACHINE_CODE);
                cell.publish_native(
                    &LiveRefs,
                    native.as_ptr().cast(),
                    compiled,
                    others.0.as_ptr(),
                );
                let copy = Code::new(COPY);
                cell.replace_native(&LiveRefs, copy.as_ptr().cast());
                (native, copy)
            })
        };
        let resolving = {
            let (cell, code, others) = (cell.clone(), code.clone(), others.clone());
            thread::spawn(move || {
                cell.resolve_native(&LiveRefs, code.1.as_ptr().cast(), others.1.as_ptr().cast());
                let found = call_native(&cell);
                assert!([ADAPTER, MACHINE_CODE, COPY].contains(&found));
                found
            })
        };
        let found = call_native(&cell);
        assert!([LOOKUP, ADAPTER, MACHINE_CODE, COPY].contains(&found));
        let code = worker.join().unwrap();
        resolving.join().unwrap();
        assert_eq!(call_native(&cell), COPY);
        drop(code);
    });
}
