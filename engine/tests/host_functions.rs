//! Functions of the host: their forms, and how they fail.

mod common;

use common::{call, call_back, link, linker, shown};
use rwasm::{
    Caller, Error, Extern, Func, FuncType, Linker, Result, Store, Trap, TypeError, Val, ValType,
};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

#[test]
fn closures_of_every_form() {
    let mut store = Store::<u32>::default();
    type Make = fn(&mut Store<u32>) -> Func;
    let cases: [(Make, &str); 9] = [
        (|s| Func::wrap(s, || {}), "() -> ()"),
        (|s| Func::wrap(s, |_: i32| {}), "(i32) -> ()"),
        (|s| Func::wrap(s, |a: u32, _: u64| a), "(i32, i64) -> (i32)"),
        (
            |s| Func::wrap(s, |a: f32, b: f64| (b, a)),
            "(f32, f64) -> (f64, f32)",
        ),
        (|s| Func::wrap(s, |_: Caller<'_, u32>| {}), "() -> ()"),
        (
            |s| Func::wrap(s, |c: Caller<'_, u32>, _: i64| *c.data()),
            "(i64) -> (i32)",
        ),
        (
            |s| Func::wrap(s, |f: Option<Func>| f),
            "(funcref) -> (funcref)",
        ),
        (|s| Func::wrap(s, || -> Result<()> { Ok(()) }), "() -> ()"),
        (
            |s| Func::wrap(s, || -> Result<(i32, i64)> { Ok((1, 2)) }),
            "() -> (i32, i64)",
        ),
    ];
    for (make, ty) in cases {
        assert_eq!(make(&mut store).ty(&store).to_string(), ty);
    }
}

#[test]
fn sixteen_arguments_and_results_reach_the_closure() {
    let (mut store, mut linker) = linker(());
    linker
        .func_wrap(
            "host",
            "f",
            |_: Caller<'_, ()>,
             a: i32,
             b: i64,
             c: f32,
             d: f64,
             e: i32,
             f: i64,
             g: f32,
             h: f64,
             i: i32,
             j: i64,
             k: f32,
             l: f64,
             m: i32,
             n: i64,
             o: f32,
             p: f64| { (p, o, n, m, l, k, j, i, h, g, f, e, d, c, b, a) },
        )
        .unwrap();
    let wat = r#"(module
        (import "host" "f" (func $f
            (param i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64)
            (result f64 f32 i64 i32 f64 f32 i64 i32 f64 f32 i64 i32 f64 f32 i64 i32)))
        (func (export "f")
            (result f64 f32 i64 i32 f64 f32 i64 i32 f64 f32 i64 i32 f64 f32 i64 i32)
            (call $f
                (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4)
                (i32.const 5) (i64.const 6) (f32.const 7) (f64.const 8)
                (i32.const 9) (i64.const 10) (f32.const 11) (f64.const 12)
                (i32.const 13) (i64.const 14) (f32.const 15) (f64.const 16))))"#;
    let instance = link(&mut store, &linker, wat).unwrap();
    let results = call(&mut store, instance, "f", &[]).unwrap();
    let expected: [Val; 16] = [
        16f64.into(),
        15f32.into(),
        14i64.into(),
        13.into(),
        12f64.into(),
        11f32.into(),
        10i64.into(),
        9.into(),
        8f64.into(),
        7f32.into(),
        6i64.into(),
        5.into(),
        4f64.into(),
        3f32.into(),
        2i64.into(),
        1.into(),
    ];
    assert_eq!(shown(&results), shown(&expected));
}

/// An error of the embedder's own.
#[derive(Debug, PartialEq)]
struct Refused(u32);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused {}", self.0)
    }
}

impl std::error::Error for Refused {}

/// A guest that calls `host.f` through two frames, and must not go on after it.
const TWO_FRAMES: &str = r#"(module
    (import "host" "f" (func $f))
    (global (export "after") (mut i32) (i32.const 0))
    (func $inner (call $f) (global.set 0 (i32.const 1)))
    (func (export "outer") (call $inner) (global.set 0 (i32.const 2))))"#;

#[test]
fn errors_cross_the_guest_as_they_are() {
    type Check = fn(&Error) -> bool;
    let cases: [(fn() -> Error, Check); 6] = [
        (
            || Error::host(Refused(7)),
            |e| e.downcast_ref() == Some(&Refused(7)),
        ),
        (
            || Error::host("no"),
            |e| matches!(e, Error::Host(_)) && e.to_string() == "no",
        ),
        (|| Error::Exit(42), |e| e.exit_code() == Some(42)),
        (
            || Trap::Unreachable.into(),
            |e| e.trap() == Some(Trap::Unreachable),
        ),
        (
            || TypeError::ImmutableGlobal.into(),
            |e| matches!(e, Error::Type(TypeError::ImmutableGlobal)),
        ),
        (
            || Error::StoreMismatch("x"),
            |e| matches!(e, Error::StoreMismatch("x")),
        ),
    ];
    for (make, check) in cases {
        let (mut store, mut linker) = linker(());
        linker
            .func_wrap("host", "f", move || -> Result<()> { Err(make()) })
            .unwrap();
        let instance = link(&mut store, &linker, TWO_FRAMES).unwrap();
        let error = call(&mut store, instance, "outer", &[]).unwrap_err();
        assert!(check(&error), "{error:?}");
        let after = instance.get_global(&mut store, "after").unwrap();
        assert_eq!(after.get(&store).unwrap_i32(), 0);
    }
}

#[test]
fn panics_cross_the_guest_and_leave_the_store_whole() {
    let (mut store, mut linker) = linker(0u32);
    linker
        .func_wrap("host", "f", |mut caller: Caller<'_, u32>| {
            *caller.data_mut() += 1;
            if *caller.data() == 1 {
                std::panic::panic_any(Refused(9));
            }
        })
        .unwrap();
    let instance = link(&mut store, &linker, TWO_FRAMES).unwrap();
    let outer = instance
        .get_typed_func::<(), ()>(&mut store, "outer")
        .unwrap();

    let panic = catch_unwind(AssertUnwindSafe(|| outer.call(&mut store, ()))).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&Refused(9)));

    outer.call(&mut store, ()).unwrap();
    assert_eq!(*store.data(), 2);
    assert_eq!(
        instance
            .get_global(&mut store, "after")
            .unwrap()
            .get(&store)
            .unwrap_i32(),
        2
    );
}

#[test]
fn panics_unwind_every_host_function_on_the_way() {
    // host → outer → f (depth 1) → outer → f (depth 2), which panics. Guards in
    // the host's frames must be dropped.
    struct Guard<'a>(&'a std::sync::atomic::AtomicU32);
    impl Drop for Guard<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }
    static DROPPED: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);

    let (mut store, mut linker) = linker(0u32);
    linker
        .func_wrap("host", "f", |mut caller: Caller<'_, u32>| -> Result<()> {
            let _guard = Guard(&DROPPED);
            *caller.data_mut() += 1;
            if *caller.data() == 3 {
                panic!("deep");
            }
            call_back(&mut caller, "outer")
        })
        .unwrap();
    let instance = link(&mut store, &linker, TWO_FRAMES).unwrap();
    let outer = instance
        .get_typed_func::<(), ()>(&mut store, "outer")
        .unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| outer.call(&mut store, ()))).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"deep"));
    assert_eq!(DROPPED.load(std::sync::atomic::Ordering::Relaxed), 3);
}

#[test]
fn functions_of_values() {
    let ty = FuncType::new([ValType::I32, ValType::F64], [ValType::F64, ValType::I32]);
    let mut store = Store::<u32>::default();
    let swap = Func::new(&mut store, ty.clone(), |mut caller, params, results| {
        *caller.data_mut() += 1;
        assert_eq!(shown(results), shown(&[Val::F64(0), Val::I32(0)]));
        (results[0], results[1]) = (params[1], params[0]);
        Ok(())
    })
    .unwrap();
    assert_eq!(swap.ty(&store), ty);
    let typed = swap.typed::<(i32, f64), (f64, i32)>(&store).unwrap();
    assert_eq!(typed.call(&mut store, (1, 2.5)).unwrap(), (2.5, 1));
    assert_eq!(*store.data(), 1);
}

#[test]
fn functions_of_values_call_themselves() {
    // The values of one call must not be those of another.
    let ty = FuncType::new([ValType::I64], [ValType::I64]);
    let (mut store, mut linker) = linker(());
    linker
        .func_new("host", "down", ty, |mut caller, params, results| {
            let n = params[0].unwrap_i64();
            let Some(Extern::Func(next)) = caller.get_export("down") else {
                return Err(Error::host("no export"));
            };
            if n > 0 {
                next.call(&mut caller, &[Val::I64(n - 1)], results)?;
            }
            assert_eq!(params[0].unwrap_i64(), n);
            results[0] = Val::I64(results[0].unwrap_i64() + n);
            Ok(())
        })
        .unwrap();
    let wat = r#"(module
        (import "host" "down" (func $down (param i64) (result i64)))
        (func (export "down") (param i64) (result i64) (call $down (local.get 0))))"#;
    let instance = link(&mut store, &linker, wat).unwrap();
    let results = call(&mut store, instance, "down", &[Val::I64(10)]).unwrap();
    assert_eq!(results[0].unwrap_i64(), 55);
}

#[test]
fn functions_of_values_with_wrong_results() {
    let mut store = Store::<()>::default();
    let ty = FuncType::new([], [ValType::I32]);
    let func = Func::new(&mut store, ty, |_, _, results| {
        results[0] = Val::F32(0);
        Ok(())
    })
    .unwrap();
    let error = func.call(&mut store, &[], &mut [Val::I32(0)]).unwrap_err();
    let mismatch = TypeError::Mismatch {
        expected: ValType::I32,
        found: ValType::F32,
    };
    assert!(
        matches!(&error, Error::Type(found) if *found == mismatch),
        "{error:?}"
    );
}

#[test]
fn function_types_are_bounded() {
    let mut store = Store::<()>::default();
    let ty = FuncType::new(vec![ValType::I32; 1001], []);
    let error = Func::new(&mut store, ty.clone(), |_, _, _| Ok(())).unwrap_err();
    assert!(matches!(error, Error::Limit(_)), "{error:?}");
    let mut linker = Linker::<()>::new(store.engine());
    assert!(linker.func_new("m", "f", ty, |_, _, _| Ok(())).is_err());
}

#[test]
fn the_caller_is_known() {
    let (mut store, mut linker) = linker(Vec::<String>::new());
    linker
        .func_wrap("host", "look", |mut caller: Caller<'_, Vec<String>>| {
            let text = match caller.memory() {
                Some(memory) => String::from_utf8_lossy(&memory.data(&caller)[..3]).into_owned(),
                None => "no memory".to_owned(),
            };
            let name = caller.get_export("name").is_some();
            caller.data_mut().push(format!("{text} {name}"));
        })
        .unwrap();
    for wat in [
        r#"(module (import "host" "look" (func $look))
            (memory (export "memory") 1) (data (i32.const 0) "abc")
            (func (export "go") (call $look)) (func (export "name")))"#,
        r#"(module (import "host" "look" (func $look))
            (memory 1) (memory (export "memory") 1) (data (memory 1) (i32.const 0) "xyz")
            (func (export "go") (call $look)))"#,
        // A memory that is not exported, and an export that is no memory.
        r#"(module (import "host" "look" (func $look))
            (memory 1) (global (export "memory") i32 (i32.const 0))
            (func (export "go") (call $look)))"#,
        // A tail call has no other caller than an ordinary one.
        r#"(module (import "host" "look" (func $look))
            (memory (export "memory") 1) (data (i32.const 0) "tlc")
            (func $tail (return_call $look))
            (func (export "go") (call $tail)))"#,
        // Through a table, where a function of its own stands as well.
        r#"(module (import "host" "look" (func $look))
            (memory (export "memory") 1) (data (i32.const 0) "tbl")
            (table funcref (elem $own $look))
            (func $own)
            (func (export "go")
                (call_indirect (i32.const 0))
                (call_indirect (i32.const 1))
                (return_call_indirect (i32.const 1))))"#,
    ] {
        let instance = link(&mut store, &linker, wat).unwrap();
        call(&mut store, instance, "go", &[]).unwrap();
    }
    let look = linker
        .get(&mut store, "host", "look")
        .unwrap()
        .into_func()
        .unwrap();
    look.call(&mut store, &[], &mut []).unwrap();
    assert_eq!(
        store.data()[..],
        [
            "abc true",
            "xyz false",
            "no memory false",
            "tlc false",
            "tbl false",
            "tbl false",
            "no memory false"
        ]
    );
}

#[test]
fn code_left_by_a_failed_instantiation_knows_its_memory() {
    // The element segment is written before the data segment traps.
    let (mut store, mut linker) = linker(0usize);
    linker
        .func_wrap("host", "look", |mut caller: Caller<'_, usize>| {
            *caller.data_mut() = caller
                .memory()
                .map_or(0, |memory| memory.data_size(&caller));
        })
        .unwrap();
    let first = link(
        &mut store,
        &linker,
        r#"(module (table (export "t") 1 funcref)
            (func (export "go") (call_indirect (i32.const 0))))"#,
    )
    .unwrap();
    linker.instance(&mut store, "first", first).unwrap();
    let error = link(
        &mut store,
        &linker,
        r#"(module
            (import "host" "look" (func $look)) (import "first" "t" (table 1 funcref))
            (memory (export "memory") 2)
            (elem (i32.const 0) func $f) (data (i32.const 0x20000) "x")
            (func $f (call $look)))"#,
    )
    .unwrap_err();
    assert_eq!(error.trap(), Some(Trap::MemoryOutOfBounds));
    call(&mut store, first, "go", &[]).unwrap();
    assert_eq!(*store.data(), 2 << 16);
}

#[test]
fn under_all_tiers() {
    common::run_under_all_tiers();
}
