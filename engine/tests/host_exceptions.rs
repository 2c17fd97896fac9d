//! Exceptions between guests and the host: thrown by host functions, passed
//! through them, and uncaught.

mod common;

use common::{call, call_back, instance, instance_with, link, linker, shown};
use rwasm::{
    AsContextMut, Caller, Error, ExnRef, Extern, Func, FuncType, Instance, Limits, Linker, Module,
    Result, Store, Tag, TagType, Trap, Val, ValType,
};

/// A tag of exceptions that carry these.
fn tag(store: impl AsContextMut, types: impl IntoIterator<Item = ValType>) -> Tag {
    Tag::new(store, &TagType::new(FuncType::new(types, []))).unwrap()
}

/// A guest whose exports call `host` `f` within handlers of `host` `tag`.
const GUEST: &str = r#"(module $guest
    (tag $t (import "host" "tag") (param i32 f64))
    (func $f (import "host" "f"))
    (func (export "caught") (result i32 f64)
        (block $h (result i32 f64)
            (try_table (catch $t $h) (call $f))
            (i32.const -1) (f64.const 0)))
    (func (export "all") (result i32)
        (block $h (try_table (catch_all $h) (call $f)) (return (i32.const 0)))
        (i32.const 1))
    (func $pass (export "pass") (call $f))
    (func $throw (export "throw") (throw $t (i32.const 5) (f64.const 0.5)))
    (func (export "tail") (return_call $f))
    (func (export "uncaught") (call $throw)))"#;

/// The guest, with a host function that does as it is told.
fn guest(
    f: impl Fn(Caller<'_, ()>, Tag) -> Result<()> + Send + Sync + 'static,
) -> (Store<()>, Instance, Tag) {
    let (mut store, mut linker) = linker(());
    let tag = tag(&mut store, [ValType::I32, ValType::F64]);
    linker.define(&store, "host", "tag", tag).unwrap();
    linker
        .func_wrap("host", "f", move |caller: Caller<'_, ()>| f(caller, tag))
        .unwrap();
    let instance = link(&mut store, &linker, GUEST).unwrap();
    (store, instance, tag)
}

#[test]
fn host_functions_throw() {
    let (mut store, instance, tag) = guest(|mut caller, tag| {
        let exception = ExnRef::new(&mut caller, &tag, &[Val::I32(7), 2.5.into()])?;
        Err(exception.throw(&mut caller))
    });
    let values = call(&mut store, instance, "caught", &[]).unwrap();
    assert_eq!(shown(&values), shown(&[Val::I32(7), 2.5.into()]));
    let values = call(&mut store, instance, "all", &[]).unwrap();
    assert_eq!(shown(&values), "[I32(1)]");
    for name in ["pass", "tail"] {
        let error = call(&mut store, instance, name, &[]).unwrap_err();
        let exception = error.exception().expect(name);
        assert_eq!(exception.tag(), tag);
        assert_eq!(exception.ty(), &tag.ty(&store));
        assert_eq!(shown(exception.values()), shown(&[Val::I32(7), 2.5.into()]));
        assert_eq!(exception.exn_ref().tag(&store), tag);
        assert_eq!(
            shown(&exception.exn_ref().fields(&store)),
            shown(exception.values())
        );
        assert_eq!(
            error.to_string(),
            "uncaught wasm exception (i32, f64) with 7, 2.5"
        );
        assert!(error.trap().is_none() && error.exit_code().is_none());
    }
    // Called by the host itself.
    let func = Func::wrap(
        &mut store,
        move |mut caller: Caller<'_, ()>| -> Result<()> {
            let exception = ExnRef::new(&mut caller, &tag, &[Val::I32(8), 0.0.into()])?;
            Err(exception.throw(&mut caller))
        },
    );
    let error = func.call(&mut store, &[], &mut []).unwrap_err();
    assert_eq!(shown(&error.exception().unwrap().values()[..1]), "[I32(8)]");
}

#[test]
fn exceptions_pass_through_host_functions_as_they_are() {
    type Pass = fn(Error) -> Error;
    let ways: [(&str, Pass); 3] = [
        ("as it is", |error| error),
        ("boxed", |error| Error::host(error)),
        ("bare", |error| {
            Error::host(error.exception().unwrap().clone())
        }),
    ];
    for (name, way) in ways {
        let (mut store, instance, tag) = guest(move |mut caller, _| {
            call_back(&mut caller, "throw").map_err(|error| {
                // Only the outermost knows that nothing catches it.
                assert!(error.exception().unwrap().backtrace().frames().is_empty());
                way(error)
            })
        });
        let values = call(&mut store, instance, "caught", &[]).unwrap();
        assert_eq!(shown(&values), shown(&[Val::I32(5), 0.5.into()]), "{name}");
        let error = call(&mut store, instance, "pass", &[]).unwrap_err();
        assert_eq!(error.exception().unwrap().tag(), tag, "{name}");
    }
}

#[test]
fn host_functions_may_swallow_an_exception() {
    let (mut store, instance, _) = guest(|mut caller, _| {
        call_back(&mut caller, "throw").unwrap_err();
        Ok(())
    });
    let values = call(&mut store, instance, "all", &[]).unwrap();
    assert_eq!(shown(&values), "[I32(0)]");
    call(&mut store, instance, "pass", &[]).unwrap();
}

#[test]
fn what_is_no_exception_is_not_caught() {
    type Fail = fn() -> Error;
    let failures: [(&str, Fail); 3] = [
        ("an error", || Error::host("no")),
        ("a trap", || Trap::Unreachable.into()),
        ("an exit", || Error::Exit(3)),
    ];
    for (name, fail) in failures {
        let (mut store, instance, _) = guest(move |_, _| Err(fail()));
        let error = call(&mut store, instance, "all", &[]).unwrap_err();
        assert!(error.exception().is_none(), "{name}");
        if name != "a trap" {
            assert_eq!(error.to_string(), fail().to_string());
        }
    }
    let (mut store, instance, _) = guest(|_, _| panic!("out"));
    let unwind = std::panic::AssertUnwindSafe(|| call(&mut store, instance, "all", &[]));
    std::panic::catch_unwind(unwind).unwrap_err();
}

#[test]
fn uncaught_exceptions_come_out_of_every_kind_of_call() {
    let (mut store, instance, tag) = guest(|_, _| Ok(()));
    let func = instance.get_func(&mut store, "uncaught").unwrap();
    let typed = func.typed::<(), ()>(&store).unwrap();
    let start = r#"(module
        (tag $t (import "host" "tag") (param i32 f64))
        (func $start (throw $t (i32.const 5) (f64.const 0.5)))
        (start $start))"#;
    let module = Module::new(store.engine(), start).unwrap();
    let errors = [
        func.call(&mut store, &[], &mut []).unwrap_err(),
        typed.call(&mut store, ()).unwrap_err(),
        Instance::new(&mut store, &module, &[tag.into()]).unwrap_err(),
    ];
    for error in &errors {
        let Error::Exception(exception) = error else {
            panic!("{error:?}");
        };
        assert_eq!(exception.tag(), tag);
        assert_eq!(shown(exception.values()), shown(&[Val::I32(5), 0.5.into()]));
    }
    // Where it was thrown, as for a trap.
    let names = |error: &Error| -> Vec<String> {
        let frames = error.exception().unwrap().backtrace().frames().iter();
        frames
            .map(|frame| frame.func_name().unwrap_or("?").to_owned())
            .collect()
    };
    assert_eq!(names(&errors[0]), ["throw", "?"]);
    assert_eq!(names(&errors[2]), ["start"]);
    // The store can be used as before.
    call(&mut store, instance, "pass", &[]).unwrap();
}

#[test]
fn the_host_makes_exceptions_of_the_tags_type_only() {
    let (mut store, mut linker) = linker(());
    let tag = tag(&mut store, [ValType::I32, ValType::EXTERNREF]);
    let null = Val::ExternRef(None);
    for (values, expected) in [
        (vec![], "expected 2 values, found 0"),
        (vec![Val::I32(1)], "expected 2 values, found 1"),
        (
            vec![null, null],
            "type mismatch: expected i32, found (ref null noextern)",
        ),
    ] {
        let error = ExnRef::new(&mut store, &tag, &values).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let exception = ExnRef::new(&mut store, &tag, &[Val::I32(1), null]).unwrap();
    assert_eq!(
        shown(&exception.fields(&store)),
        shown(&[Val::I32(1), null])
    );
    assert_eq!(
        exception.throw(&mut store).to_string(),
        "uncaught wasm exception (i32, externref) with 1, null"
    );

    // As a value, in and out of a guest.
    linker.define(&store, "host", "tag", tag).unwrap();
    let instance = link(
        &mut store,
        &linker,
        r#"(module (tag $t (import "host" "tag") (param i32 externref))
            (func (export "value") (param exnref) (result i32)
                (block $h (result i32 externref)
                    (try_table (catch $t $h) (throw_ref (local.get 0)))
                    (unreachable))
                (drop))
            (func (export "same") (param exnref) (result exnref) (local.get 0)))"#,
    )
    .unwrap();
    let exn = Val::ExnRef(Some(exception));
    let values = call(&mut store, instance, "value", &[exn]).unwrap();
    assert_eq!(shown(&values), "[I32(1)]");
    let values = call(&mut store, instance, "same", &[exn]).unwrap();
    assert_eq!(values[0].unwrap_exnref(), Some(exception));
    let values = call(&mut store, instance, "same", &[Val::ExnRef(None)]).unwrap();
    assert_eq!(values[0].unwrap_exnref(), None);

    // Not of another store.
    let mut other = Store::new(store.engine(), ());
    let error = ExnRef::new(&mut other, &tag, &[Val::I32(1), null]).unwrap_err();
    assert!(matches!(error, Error::StoreMismatch(_)), "{error}");
    let foreign = exception.throw(&mut store);
    let func = Func::wrap(&mut other, move || -> Result<()> {
        Err(Error::host(foreign.exception().unwrap().clone()))
    });
    let error = func.call(&mut other, &[], &mut []).unwrap_err();
    assert!(matches!(error, Error::StoreMismatch(_)), "{error}");
}

#[test]
fn exceptions_cross_instances_and_nested_calls() {
    // Guest, host, guest and so on, each level of which may catch.
    let (mut store, mut linker) = linker(());
    linker
        .func_wrap(
            "host",
            "again",
            |mut caller: Caller<'_, ()>, n: i32| -> Result<()> {
                let run = caller
                    .get_export("run")
                    .and_then(Extern::into_func)
                    .unwrap();
                run.typed::<i32, ()>(&caller)?.call(&mut caller, n)
            },
        )
        .unwrap();
    let instance = link(
        &mut store,
        &linker,
        r#"(module (tag $t (param i32))
            (func $again (import "host" "again") (param i32))
            (func (export "run") (param $n i32)
                (if (i32.eqz (local.get $n)) (then (throw $t (i32.const 0))))
                ;; Every other level adds one.
                (if (i32.and (local.get $n) (i32.const 1)) (then
                    (block $h (result i32)
                        (try_table (catch $t $h)
                            (call $again (i32.sub (local.get $n) (i32.const 1))))
                        (unreachable))
                    (throw $t (i32.add (i32.const 1)))))
                (call $again (i32.sub (local.get $n) (i32.const 1)))))"#,
    )
    .unwrap();
    let error = call(&mut store, instance, "run", &[Val::I32(40)]).unwrap_err();
    assert_eq!(shown(error.exception().unwrap().values()), "[I32(20)]");
}

/// Throws of every kind, again and again.
const THROWER: &str = r#"(module
    (tag $t (param i64 i64 exnref))
    (func $throw (param i64) (throw $t (local.get 0) (i64.const 1) (ref.null exn)))
    (func (export "run") (param $n i64) (result i64) (local $sum i64) (local $last exnref)
        (loop $again
            (block $h (result i64 i64 exnref exnref)
                (try_table (catch_ref $t $h) (call $throw (local.get $n)))
                (unreachable))
            (local.set $last) (drop)
            (local.set $sum (i64.add (local.get $sum)))
            (drop)
            (br_if $again (i64.ne (i64.const 0)
                (local.tee $n (i64.sub (local.get $n) (i64.const 1))))))
        (local.get $sum))
    ;; Each carries the one before: nothing can be reclaimed.
    (func (export "chain") (local $last exnref)
        (loop $again
            (block $h (result i64 i64 exnref exnref)
                (try_table (catch_ref $t $h)
                    (throw $t (i64.const 0) (i64.const 0) (local.get $last)))
                (unreachable))
            (local.set $last) (drop) (drop) (drop)
            (br $again))))"#;

#[test]
fn throws_take_bounded_memory() {
    // In debug builds the loop behind the handlers is 50 times slower.
    let throws: i64 = if cfg!(debug_assertions) {
        200_000
    } else {
        10_000_000
    };
    let (mut store, instance) = instance(THROWER);
    store
        .limits(Limits::default().gc_heap_bytes(1 << 20))
        .unwrap();
    let values = call(&mut store, instance, "run", &[Val::I64(throws)]).unwrap();
    assert_eq!(shown(&values), format!("[I64({throws})]"));
    let error = call(&mut store, instance, "chain", &[]).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::HeapExhausted));
}

#[test]
fn a_guest_that_throws_forever_is_stopped_by_its_fuel() {
    let (mut store, instance) = instance_with(common::config().consume_fuel(true), THROWER);
    store.set_fuel(100_000).unwrap();
    let error = call(&mut store, instance, "run", &[Val::I64(i64::MAX)]).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::OutOfFuel));
}

#[test]
fn what_an_uncaught_exception_carries_stays_alive() {
    let (mut store, instance) = instance(
        r#"(module
            (tag $inner (param i32)) (tag $outer (param exnref))
            (func (export "throw") (param i32)
                (block $h (result exnref)
                    (try_table (catch_all_ref $h) (throw $inner (local.get 0)))
                    (unreachable))
                (throw $outer))
            (func (export "churn") (local $n i32)
                (loop $again
                    (block $h (try_table (catch_all $h) (throw $inner (i32.const 0))))
                    (br_if $again (i32.lt_u
                        (local.tee $n (i32.add (local.get $n) (i32.const 1)))
                        (i32.const 200000))))))"#,
    );
    store
        .limits(Limits::default().gc_heap_bytes(1 << 20))
        .unwrap();
    let errors: Vec<Error> = (0..10)
        .map(|n| call(&mut store, instance, "throw", &[Val::I32(n)]).unwrap_err())
        .collect();
    call(&mut store, instance, "churn", &[]).unwrap();
    for (n, error) in (0..).zip(&errors) {
        let inner = error.exception().unwrap().values()[0].unwrap_exnref();
        assert_eq!(shown(&inner.unwrap().fields(&store)), format!("[I32({n})]"));
    }
}

#[test]
fn linkers_check_the_types_of_tags() {
    let (mut store, mut linker): (Store<()>, Linker<()>) = linker(());
    let tag = tag(&mut store, [ValType::I32]);
    linker.define(&store, "host", "tag", tag).unwrap();
    for (import, links) in [
        (r#"(tag (import "host" "tag") (param i32))"#, true),
        (r#"(tag (import "host" "tag") (param i64))"#, false),
        (r#"(tag (import "host" "tag"))"#, false),
    ] {
        let result = link(&mut store, &linker, &format!("(module {import})"));
        assert_eq!(result.is_ok(), links, "{import}");
    }
}

#[test]
fn under_all_tiers() {
    common::run_under_all_tiers();
}
