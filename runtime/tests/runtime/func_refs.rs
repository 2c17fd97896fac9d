//! References follow the native entries of the cells that they lead to.

use crate::fixture::{ENTRIES, Fixture, parse, unreachable_entry};
use rwasm_parser::{ExternKind, LocalFuncIndex};
use rwasm_runtime::code::{Entries, ModuleCode};
use rwasm_runtime::handle::{Extern, InstanceHandle};
use rwasm_runtime::layout::FuncRef;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Stand for code that nobody enters.
static ADDRESSES: [u8; 4] = [0; 4];

fn address(of: usize) -> *const () {
    (&raw const ADDRESSES[of]).cast()
}

fn code(fixture: &Fixture) -> Arc<ModuleCode> {
    let module = parse(r#"(module (func (export "f")) (func (export "g")))"#);
    let entries = Entries {
        native: address(0),
        ..ENTRIES
    };
    ModuleCode::new(
        module,
        fixture.registry.clone(),
        fixture.settings,
        entries,
        None,
    )
}

fn publish(code: &ModuleCode, func: u32, native: *const ()) {
    let func = LocalFuncIndex::from_u32(func);
    code.publish_native(func, native, unreachable_entry, ENTRIES.interp);
}

fn func_ref(fixture: &mut Fixture, instance: InstanceHandle, func: u32) -> *const FuncRef {
    let definition = fixture.store.definition(instance, ExternKind::Func, func);
    match definition {
        Extern::Func(func) => func.as_ptr(),
        other => panic!("{other:?}"),
    }
}

fn native(func: *const FuncRef) -> *const () {
    // SAFETY: the store of the test is alive.
    unsafe { (*func).native.load(Ordering::SeqCst) }
}

/// Whether a call by machine code of the instance with that number needs no note.
fn is_direct(func: *const FuncRef, instance: u32) -> bool {
    // SAFETY: as above.
    unsafe { (*func).direct.load(Ordering::SeqCst) == instance }
}

#[test]
fn references_follow_what_is_published() {
    let mut fixture = Fixture::new();
    let code = code(&fixture);
    let instances = [(); 2].map(|()| fixture.store.instantiate(&code, &[]).unwrap());
    let early = instances.map(|instance| func_ref(&mut fixture, instance, 0));
    assert_eq!(early.map(native), [address(0); 2]);
    let are_direct = || [0, 1].map(|at| [0, 1].map(|instance| is_direct(early[at], instance)));
    assert_eq!(are_direct(), [[false; 2]; 2]);

    publish(&code, 0, address(1));
    publish(&code, 1, address(2));
    assert_eq!(early.map(native), [address(1); 2]);
    assert_eq!(are_direct(), [[true, false], [false, true]]);
    let late = func_ref(&mut fixture, instances[1], 1);
    assert_eq!(native(late), address(2));
    assert!(is_direct(late, 1));

    code.replace_native(LocalFuncIndex::from_u32(0), address(3));
    assert_eq!(early.map(native), [address(3); 2]);
    assert_eq!(native(late), address(2));
}

#[test]
fn a_way_to_other_forms_does_not_replace_machine_code() {
    let mut fixture = Fixture::new();
    let code = code(&fixture);
    let instance = fixture.store.instantiate(&code, &[]).unwrap();
    let [f, g] = [0, 1].map(|func| func_ref(&mut fixture, instance, func));
    publish(&code, 0, address(1));
    for func in [0, 1] {
        code.resolve_native(LocalFuncIndex::from_u32(func), address(0), address(2));
    }
    assert_eq!([f, g].map(native), [address(1), address(2)]);
    assert_eq!([f, g].map(|func| is_direct(func, 0)), [true, false]);
}

#[test]
fn instances_come_and_go_while_code_is_published() {
    let code = code(&Fixture::new());
    let done = AtomicBool::new(false);
    let made = std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..20_000 {
                publish(&code, 0, address(1 + round % 2));
            }
            publish(&code, 0, address(3));
            done.store(true, Ordering::Release);
        });
        let mut made = VecDeque::new();
        loop {
            let last = done.load(Ordering::Acquire);
            let mut fixture = Fixture::of(code.registry.clone());
            let instance = fixture.store.instantiate(&code, &[]).unwrap();
            let func = func_ref(&mut fixture, instance, 0);
            made.push_back((fixture, func));
            if last {
                return made;
            }
            if made.len() > 16 {
                made.pop_front();
            }
        }
    });
    for (_fixture, func) in made {
        assert_eq!(native(func), address(3));
        assert!(is_direct(func, 0));
    }
}
