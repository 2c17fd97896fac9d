//! Canonical types and subtyping.

use crate::fixture::parse;
use rwasm_parser::{
    ExternType, FuncType, GlobalType, HeapType, MemoryType, RefType, TableType, ValType,
};
use rwasm_runtime::limits::{LimitError, LimitKind};
use rwasm_runtime::types::{TypeId, TypeRegistry};

fn canonicalize(registry: &TypeRegistry, types: &str) -> Box<[TypeId]> {
    registry.canonicalize(&parse(&format!("(module {types})")))
}

#[test]
fn equal_groups_get_equal_ids() {
    let registry = TypeRegistry::new();
    let cases = [
        // A singleton, whatever stands before it.
        (
            "(type (func (param i32)))",
            "(type (func)) (type (func (param i32)))",
        ),
        // References to itself.
        (
            "(type $t (func (param (ref $t))))",
            "(type (func)) (type $t (func (param (ref $t))))",
        ),
        // Groups of several types.
        (
            "(rec (type $a (struct (field (ref $b)))) (type $b (struct (field (ref $a)))))",
            "(type i32x (func)) (rec (type $b (struct (field (ref $a)))) \
             (type $a (struct (field (ref $b)))))",
        ),
        // References to equal earlier groups.
        (
            "(type $f (func)) (type (struct (field (ref $f))))",
            "(type (func)) (type $f (func)) (type (struct (field (ref $f))))",
        ),
        // Subtypes of equal types.
        (
            "(type $p (sub (struct))) (type (sub $p (struct (field i32))))",
            "(type $q (sub (struct))) (type (sub final $q (struct))) \
             (type (sub $q (struct (field i32))))",
        ),
    ];
    for (one, other) in cases {
        let other = other.replace("i32x ", "");
        let (a, b) = (
            canonicalize(&registry, one),
            canonicalize(&registry, &other),
        );
        assert_eq!(a.last(), b.last(), "{one}\n{other}");
        assert_eq!(a, canonicalize(&registry, one));
    }
}

#[test]
fn unequal_groups_get_unequal_ids() {
    let registry = TypeRegistry::new();
    let cases = [
        ("(type (func (param i32)))", "(type (func (param i64)))"),
        ("(type (func (param i32)))", "(type (func (result i32)))"),
        ("(type (func))", "(type (sub (func)))"),
        (
            "(type (struct (field i32)))",
            "(type (struct (field (mut i32))))",
        ),
        ("(type (array i8))", "(type (array i16))"),
        // The group is part of the type.
        ("(type (func))", "(rec (type (struct)) (type (func)))"),
        (
            "(rec (type (func)) (type (struct)))",
            "(rec (type (struct)) (type (func)))",
        ),
        // An inner reference is not an outer one.
        (
            "(type $f (func)) (type (func (param (ref $f))))",
            "(type $f (func (param (ref $f))))",
        ),
        // A supertype is part of the type.
        (
            "(type $p (sub (struct))) (type (sub $p (struct)))",
            "(type $p (sub (struct))) (type (sub (struct)))",
        ),
    ];
    for (one, other) in cases {
        let (a, b) = (canonicalize(&registry, one), canonicalize(&registry, other));
        assert_ne!(a.last(), b.last(), "{one}\n{other}");
    }
    // Positions in a group are told apart too.
    let both = canonicalize(&registry, "(rec (type (func)) (type (func)))");
    assert_ne!(both[0], both[1]);
}

#[test]
fn host_function_types_are_those_of_modules() {
    let registry = TypeRegistry::new();
    let ids = canonicalize(
        &registry,
        "(type $s (struct)) (type (func (param i32 (ref $s)) (result externref)))",
    );
    let of_struct = RefType {
        nullable: false,
        heap: HeapType::Concrete(ids[0]),
    };
    let ty = FuncType {
        params: [ValType::I32, ValType::Ref(of_struct)].into(),
        results: [ValType::EXTERNREF].into(),
    };
    assert_eq!(registry.register_func_type(ty.clone()), Ok(ids[1]));
    assert_eq!(registry.func_type(ids[1]), Some(ty));
    assert_eq!(registry.func_type(ids[0]), None);
    assert!(registry.sub_type(ids[0]).is_final);
}

#[test]
fn host_function_types_have_limits() {
    let registry = TypeRegistry::new();
    for (params, results, limit) in [
        (1001, 0, LimitKind::Parameters),
        (0, 1001, LimitKind::Results),
    ] {
        let ty = FuncType {
            params: vec![ValType::V128; params].into(),
            results: vec![ValType::V128; results].into(),
        };
        let error = LimitError {
            limit,
            value: 1000,
            asked: 1001,
        };
        assert_eq!(registry.register_func_type(ty), Err(error));
    }
}

#[test]
fn declared_subtypes_are_subtypes_at_any_distance() {
    let registry = TypeRegistry::new();
    let ids = canonicalize(
        &registry,
        "(type $a (sub (struct)))
         (type $b (sub $a (struct (field i32))))
         (type $c (sub final $b (struct (field i32 i64))))
         (type $d (sub $a (struct (field i32 f32))))",
    );
    for (sub, sup, expected) in [
        (0, 0, true),
        (1, 0, true),
        (2, 0, true),
        (2, 1, true),
        (3, 0, true),
        (0, 1, false),
        (0, 2, false),
        (3, 1, false),
        (2, 3, false),
    ] {
        assert_eq!(
            registry.is_subtype(ids[sub], ids[sup]),
            expected,
            "{sub} {sup}"
        );
    }
}

#[test]
fn heap_types_form_the_lattice_of_the_specification() {
    use HeapType::*;
    let registry = TypeRegistry::new();
    let ids = canonicalize(
        &registry,
        "(type (func)) (type $s (sub (struct))) (type (sub $s (struct))) (type (array i8))",
    );
    let [f, s, s2, a] = [0, 1, 2, 3].map(|index| Concrete(ids[index]));
    // Every strict relation; all others must not hold.
    let below = [
        (Eq, vec![Any]),
        (I31, vec![Eq, Any]),
        (Struct, vec![Eq, Any]),
        (Array, vec![Eq, Any]),
        (s, vec![Struct, Eq, Any]),
        (s2, vec![s, Struct, Eq, Any]),
        (a, vec![Array, Eq, Any]),
        (None, vec![s, s2, a, I31, Struct, Array, Eq, Any]),
        (f, vec![Func]),
        (NoFunc, vec![f, Func]),
        (NoExtern, vec![Extern]),
        (NoExn, vec![Exn]),
    ];
    let all = [
        Any, Eq, I31, Struct, Array, None, Func, NoFunc, Extern, NoExtern, Exn, NoExn, f, s, s2, a,
    ];
    for sub in all {
        let above = below
            .iter()
            .find(|(ty, _)| *ty == sub)
            .map(|(_, above)| above);
        for sup in all {
            let expected = sub == sup || above.is_some_and(|above| above.contains(&sup));
            for (nullable, sup_nullable) in
                [(false, false), (false, true), (true, true), (true, false)]
            {
                let sub = ValType::Ref(RefType {
                    nullable,
                    heap: sub,
                });
                let sup = ValType::Ref(RefType {
                    nullable: sup_nullable,
                    heap: sup,
                });
                let expected = expected && (sup_nullable || !nullable);
                assert_eq!(
                    registry.is_val_subtype(&sub, &sup),
                    expected,
                    "{sub:?} {sup:?}"
                );
            }
        }
    }
    assert!(registry.is_val_subtype(&ValType::I32, &ValType::I32));
    assert!(!registry.is_val_subtype(&ValType::I32, &ValType::I64));
    assert!(!registry.is_val_subtype(&ValType::I32, &ValType::FUNCREF));
}

#[test]
fn imports_match_by_kind_and_type() {
    let registry = TypeRegistry::new();
    let ids = canonicalize(&registry, "(type $f (sub (func))) (type (sub $f (func)))");
    let memory = MemoryType {
        index64: false,
        shared: false,
        min: 2,
        max: Some(4),
        page_size_log2: 16,
    };
    let table = TableType {
        element: RefType::FUNCREF,
        index64: false,
        shared: false,
        min: 2,
        max: Some(4),
    };
    let no_null = RefType {
        nullable: false,
        heap: HeapType::Func,
    };
    let global = GlobalType {
        content: ValType::FUNCREF,
        mutable: false,
        shared: false,
    };
    let narrow = GlobalType {
        content: ValType::Ref(no_null),
        ..global
    };
    let variable = |ty| {
        ExternType::Global(GlobalType {
            mutable: true,
            ..ty
        })
    };
    let cases = [
        (ExternType::Func(ids[1]), ExternType::Func(ids[0]), true),
        (ExternType::Func(ids[0]), ExternType::Func(ids[1]), false),
        (ExternType::Tag(ids[0]), ExternType::Tag(ids[0]), true),
        (ExternType::Tag(ids[1]), ExternType::Tag(ids[0]), false),
        (ExternType::Func(ids[0]), ExternType::Tag(ids[0]), false),
        (ExternType::Global(narrow), ExternType::Global(global), true),
        (
            ExternType::Global(global),
            ExternType::Global(narrow),
            false,
        ),
        (variable(narrow), variable(global), false),
        (variable(global), variable(global), true),
        (variable(global), ExternType::Global(global), false),
        (ExternType::Global(global), variable(global), false),
    ];
    for (found, expected, matches) in cases {
        assert_eq!(
            registry.matches(&found, &expected),
            matches,
            "{found:?} {expected:?}"
        );
    }
    for (min, max, matches) in [
        (2, Some(4), true),
        (0, Some(5), true),
        (1, None, true),
        (3, Some(4), false),
        (2, Some(3), false),
    ] {
        let wanted = ExternType::Memory(MemoryType { min, max, ..memory });
        assert_eq!(
            registry.matches(&ExternType::Memory(memory), &wanted),
            matches
        );
        let wanted = ExternType::Table(TableType { min, max, ..table });
        assert_eq!(
            registry.matches(&ExternType::Table(table), &wanted),
            matches
        );
    }
    let unbounded = ExternType::Memory(MemoryType {
        max: None,
        ..memory
    });
    assert!(!registry.matches(&unbounded, &ExternType::Memory(memory)));
    for other in [
        MemoryType {
            index64: true,
            ..memory
        },
        MemoryType {
            shared: true,
            ..memory
        },
        MemoryType {
            page_size_log2: 0,
            ..memory
        },
    ] {
        assert!(!registry.matches(&ExternType::Memory(other), &ExternType::Memory(memory)));
    }
    for other in [
        TableType {
            index64: true,
            ..table
        },
        TableType {
            element: no_null,
            ..table
        },
        TableType {
            element: RefType::EXTERNREF,
            ..table
        },
    ] {
        assert!(!registry.matches(&ExternType::Table(other), &ExternType::Table(table)));
    }
}

#[test]
fn threads_may_canonicalize_at_once() {
    let registry = TypeRegistry::new();
    let module = parse("(module (rec (type $a (func)) (type (struct (field (ref $a))))))");
    let all = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| registry.canonicalize(&module)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect::<Vec<_>>()
    });
    assert!(all.iter().all(|ids| *ids == all[0]));
}
