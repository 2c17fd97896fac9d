//! What is in a module is what its text says.

mod common;

use rwasm_parser::{
    ConstExpr, ConstOp, DataKind, ElementItems, ElementKind, ExternKind, ExternType, FuncIndex,
    GlobalIndex, HeapType, LocalFuncIndex, MemoryIndex, Module, ParseOptions, RefType, SectionKind,
    TableIndex, TypeIndex, ValType,
};

fn module(text: &str) -> Module {
    let bytes = text.as_bytes().to_vec().into();
    Module::parse_any(bytes, None, &ParseOptions::default()).unwrap_or_else(|e| panic!("{e}"))
}

fn shown<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(T::to_string).collect()
}

#[test]
fn types_and_recursion_groups() {
    let module = module(
        "(module (type (func (param i32)))
            (rec (type (sub (struct))) (type (sub 1 (struct (field (ref 1))))))
            (type (array (mut i8))))",
    );
    assert_eq!(
        shown(module.types()),
        [
            "(func (param i32))",
            "(sub (struct))",
            "(sub 1 (struct (field (ref 1))))",
            "(array (mut i8))"
        ]
    );
    assert_eq!(module.rec_groups(), [0..1, 1..3, 3..4]);
    assert!(module.func_type(TypeIndex::from_u32(0)).is_some());
    assert!(module.func_type(TypeIndex::from_u32(1)).is_none());
    assert!(module.func_type(TypeIndex::from_u32(9)).is_none());
}

#[test]
fn imports_come_first_in_their_index_spaces() {
    let module = module(
        r#"(module (import "a" "f" (func (param i64))) (import "a" "t" (table 1 2 externref))
            (import "b" "m" (memory i64 3)) (import "b" "g" (global (mut f32)))
            (import "" "e" (tag (param i64)))
            (func) (table 5 funcref) (memory 6 7) (global i32 (i32.const 1)) (tag))"#,
    );
    let imports: Vec<_> = module
        .imports()
        .iter()
        .map(|i| format!("{}.{} {}", i.module, i.name, i.ty))
        .collect();
    assert_eq!(
        imports,
        [
            "a.f (func (type 0))",
            "a.t (table 1 2 externref)",
            "b.m (memory i64 3)",
            "b.g (global (mut f32))",
            ".e (tag (type 0))"
        ]
    );
    let counts = [
        (module.num_imported_functions(), module.functions().len()),
        (module.num_imported_tables(), module.tables().len()),
        (module.num_imported_memories(), module.memories().len()),
        (module.num_imported_globals(), module.globals().len()),
        (module.num_imported_tags(), module.tags().len()),
    ];
    assert_eq!(counts, [(1, 2); 5]);
    assert_eq!(module.bodies().len(), 1);
    assert_eq!(
        module.func_index(LocalFuncIndex::from_u32(0)),
        FuncIndex::from_u32(1)
    );
    let own = [0, 1].map(|index| module.local_func_index(FuncIndex::from_u32(index)));
    assert_eq!(own, [None, Some(LocalFuncIndex::from_u32(0))]);
    assert_eq!(module.tables()[1].ty.to_string(), "5 funcref");
    assert_eq!(module.tables()[1].init, None);
    assert_eq!(shown(module.memories()), ["i64 3", "6 7"]);
}

#[test]
fn exports_and_start() {
    let module = module(
        r#"(module (func $s) (table 1 funcref) (memory 1) (global i32 (i32.const 1)) (tag)
            (export "f" (func 0)) (export "" (table 0)) (export "mémoire" (memory 0))
            (export "g" (global 0)) (export "e" (tag 0)) (start $s))"#,
    );
    let exports: Vec<_> = module
        .exports()
        .iter()
        .map(|e| format!("{} {}", e.name, module.export_type(e).unwrap()))
        .collect();
    assert_eq!(
        exports,
        [
            "f (func (type 0))",
            " (table 1 funcref)",
            "mémoire (memory 1)",
            "g (global i32)",
            "e (tag (type 0))"
        ]
    );
    assert_eq!(module.exports()[0].func(), Some(FuncIndex::from_u32(0)));
    assert_eq!(module.exports()[0].memory(), None);
    assert_eq!(module.exports()[2].memory(), Some(MemoryIndex::from_u32(0)));
    assert_eq!(module.exports()[4].kind, ExternKind::Tag);
    assert_eq!(module.start(), Some(FuncIndex::from_u32(0)));
}

#[test]
fn constant_expressions() {
    let ty = TypeIndex::from_u32;
    let null = |heap| ConstOp::RefNull(heap);
    let cases: &[(&str, &[ConstOp])] = &[
        ("i32 (i32.const -1)", &[ConstOp::I32Const(-1)]),
        (
            "i64 (i64.const 0x7fffffffffffffff)",
            &[ConstOp::I64Const(i64::MAX)],
        ),
        (
            "f32 (f32.const nan:0x200001)",
            &[ConstOp::F32Const(0x7fa0_0001)],
        ),
        ("f64 (f64.const -0.0)", &[ConstOp::F64Const(1 << 63)]),
        (
            "v128 (v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)",
            &[ConstOp::V128Const([
                0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
            ])],
        ),
        (
            "i32 (i32.mul (i32.add (i32.const 1) (global.get 0)) (i32.sub (i32.const 2) (i32.const 3)))",
            &[
                ConstOp::I32Const(1),
                ConstOp::GlobalGet(GlobalIndex::from_u32(0)),
                ConstOp::I32Add,
                ConstOp::I32Const(2),
                ConstOp::I32Const(3),
                ConstOp::I32Sub,
                ConstOp::I32Mul,
            ],
        ),
        (
            "i64 (i64.mul (i64.const 1) (i64.add (i64.const 2) (i64.sub (i64.const 3) (i64.const 4))))",
            &[
                ConstOp::I64Const(1),
                ConstOp::I64Const(2),
                ConstOp::I64Const(3),
                ConstOp::I64Const(4),
                ConstOp::I64Sub,
                ConstOp::I64Add,
                ConstOp::I64Mul,
            ],
        ),
        ("funcref (ref.null nofunc)", &[null(HeapType::NoFunc)]),
        (
            "(ref null $s) (ref.null $s)",
            &[null(HeapType::Concrete(ty(0)))],
        ),
        (
            "(ref func) (ref.func 0)",
            &[ConstOp::RefFunc(FuncIndex::from_u32(0))],
        ),
        (
            "i31ref (ref.i31 (i32.const 5))",
            &[ConstOp::I32Const(5), ConstOp::RefI31],
        ),
        (
            "(ref $s) (struct.new $s (i32.const 1))",
            &[ConstOp::I32Const(1), ConstOp::StructNew(ty(0))],
        ),
        (
            "(ref $s) (struct.new_default $s)",
            &[ConstOp::StructNewDefault(ty(0))],
        ),
        (
            "(ref $a) (array.new $a (i32.const 1) (i32.const 2))",
            &[
                ConstOp::I32Const(1),
                ConstOp::I32Const(2),
                ConstOp::ArrayNew(ty(1)),
            ],
        ),
        (
            "(ref $a) (array.new_default $a (i32.const 2))",
            &[ConstOp::I32Const(2), ConstOp::ArrayNewDefault(ty(1))],
        ),
        (
            "(ref $a) (array.new_fixed $a 1 (i32.const 2))",
            &[
                ConstOp::I32Const(2),
                ConstOp::ArrayNewFixed { ty: ty(1), len: 1 },
            ],
        ),
        (
            "anyref (any.convert_extern (extern.convert_any (ref.null none)))",
            &[
                null(HeapType::None),
                ConstOp::ExternConvertAny,
                ConstOp::AnyConvertExtern,
            ],
        ),
    ];
    for (text, ops) in cases {
        let module = module(&format!(
            r#"(module (type $s (struct (field i32))) (type $a (array i8))
                (import "" "" (global i32)) (func) (global {text}))"#
        ));
        assert_eq!(
            module.globals()[1].init,
            Some(ConstExpr::new(ops)),
            "{text}"
        );
        assert_eq!(module.globals()[0].init, None);
    }
}

#[test]
fn a_table_with_an_initial_value() {
    let module = module("(module (table 3 (ref func) (ref.func 0)) (func))");
    let expected = ConstExpr::new(&[ConstOp::RefFunc(FuncIndex::from_u32(0))]);
    assert_eq!(module.tables()[0].init, Some(expected));
}

#[test]
fn element_segments() {
    let module = module(
        "(module (table 4 funcref) (table i64 4 externref) (func) (func)
            (elem (i32.const 1) 0 1)
            (elem (table 1) (offset i64.const 2) externref (ref.null extern))
            (elem func 1) (elem funcref (ref.null func)) (elem declare func 0))",
    );
    let func = FuncIndex::from_u32;
    let functions =
        |list: &[u32]| ElementItems::Functions(list.iter().map(|&index| func(index)).collect());
    let null = |heap| ElementItems::Expressions([ConstExpr::new(&[ConstOp::RefNull(heap)])].into());
    let active = |table, op| ElementKind::Active {
        table: TableIndex::from_u32(table),
        offset: ConstExpr::new(&[op]),
    };
    let func_ref = RefType {
        nullable: false,
        heap: HeapType::Func,
    };
    let expected = [
        (
            active(0, ConstOp::I32Const(1)),
            func_ref,
            functions(&[0, 1]),
        ),
        (
            active(1, ConstOp::I64Const(2)),
            RefType::EXTERNREF,
            null(HeapType::Extern),
        ),
        (ElementKind::Passive, func_ref, functions(&[1])),
        (ElementKind::Passive, RefType::FUNCREF, null(HeapType::Func)),
        (ElementKind::Declared, func_ref, functions(&[0])),
    ];
    let found = module
        .elements()
        .iter()
        .map(|e| (e.kind.clone(), e.ty, e.items.clone()));
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

/// Sections of nothing but plain segments are read in another way than others.
#[test]
fn plain_segments_are_as_among_others() {
    let text = |more: &str| {
        format!(
            r#"(module (memory 1) (table 4 funcref) (func) (func)
                (elem (i32.const 1) 0 1) (elem (i32.const -1)) {more}
                (data (i32.const -5) "one") (data (i32.const 70000) ""))"#
        )
    };
    let (plain, mixed) = (
        module(&text("")),
        module(&text(r#"(elem func 1) (data "")"#)),
    );
    assert_eq!(plain.elements(), &mixed.elements()[..2]);
    assert_eq!(plain.data().len(), 2);
    for (index, segment) in plain.data().enumerate() {
        assert_eq!(plain.data_segment(index), Some(segment.clone()));
        // A passive one stands before those in the text.
        let other = mixed.data_segment(index + 1).unwrap();
        assert_eq!(segment.kind, other.kind);
        assert_eq!(plain.data_bytes(&segment), mixed.data_bytes(&other));
    }
    assert_eq!(plain.data_segment(2), None);
}

/// Bodies may name what plain element segments list, and nothing else.
#[test]
fn bodies_are_validated_against_plain_segments() {
    let text = |body: &str| {
        format!("(module (table 4 funcref) (func) (elem (i32.const 0) 0) (func {body}))")
    };
    for valid in [
        "(drop (ref.func 0))",
        "(elem.drop 0)",
        "(table.init 0 (i32.const 0) (i32.const 0) (i32.const 0))",
    ] {
        module(&text(valid));
    }
    for (invalid, message) in [
        ("(drop (ref.func 1))", "undeclared function reference"),
        ("(elem.drop 1)", "unknown elem segment"),
        (
            "(table.init 1 (i32.const 0) (i32.const 0) (i32.const 0))",
            "unknown elem segment",
        ),
    ] {
        let error = common::parse(common::wat(&text(invalid))).unwrap_err();
        assert!(error.message().starts_with(message), "{error}");
    }
}

#[test]
fn data_segments() {
    let module = module(
        r#"(module (import "" "" (global i64)) (memory 1) (memory i64 1)
            (data (i32.const 1) "one") (data "") (data (memory 1) (offset global.get 0) "two"))"#,
    );
    let active = |memory, op| DataKind::Active {
        memory: MemoryIndex::from_u32(memory),
        offset: ConstExpr::new(&[op]),
    };
    let expected: [(_, &[u8]); 3] = [
        (active(0, ConstOp::I32Const(1)), b"one"),
        (DataKind::Passive, b""),
        (
            active(1, ConstOp::GlobalGet(GlobalIndex::from_u32(0))),
            b"two",
        ),
    ];
    let found = module
        .data()
        .map(|d| (d.kind.clone(), module.data_bytes(&d)));
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

#[test]
fn bodies_have_offsets_in_the_module() {
    let module = module(
        "(module (func) (func (result i32) (local i64 i64) i32.const 5) (func (param v128)))",
    );
    for (index, range) in module.bodies().iter().enumerate() {
        let body = module.body(LocalFuncIndex::from_u32(index as u32));
        assert_eq!(body.as_bytes(), &module.bytes()[range.range()]);
        assert_eq!(body.range(), range.start() as u64..range.end() as u64);
        assert_eq!(module.bytes()[range.end() - 1], 0x0b);
    }
    assert_eq!(module.bodies()[1].len(), 6);
    let body = module.body(LocalFuncIndex::from_u32(1));
    let locals: Vec<_> = body
        .get_locals_reader()
        .unwrap()
        .into_iter()
        .flatten()
        .collect();
    let ty = ValType::try_from(locals[0].1).unwrap();
    assert_eq!((locals.len(), locals[0].0, ty), (1, 2, ValType::I64));
    let validator = module.func_validator(LocalFuncIndex::from_u32(2), Default::default());
    assert_eq!((validator.index(), validator.len_locals()), (2, 1));
}

#[test]
fn names() {
    let named = module(
        "(module $m (import \"\" \"\" (func $imported (param $p i32)))
            (func) (func $\"último\" (param $x i32) (local $y i64) (local i32)))",
    );
    let names = named.names();
    let func = FuncIndex::from_u32;
    assert_eq!(names.module(), Some("m"));
    let functions: Vec<_> = names
        .functions()
        .map(|(index, name)| (index.as_u32(), name))
        .collect();
    assert_eq!(functions, [(0, "imported"), (2, "último")]);
    assert_eq!(names.function(func(1)), None);
    assert_eq!(names.function(func(2)), Some("último"));
    assert_eq!(names.local(func(0), 0), Some("p"));
    assert_eq!(
        [0, 1, 2].map(|local| names.local(func(2), local)),
        [Some("x"), Some("y"), None]
    );
    assert_eq!(names.local(func(9), 0), None);
    assert_eq!(module("(module (func $f))").names().module(), None);
    assert_eq!(module("(module)").names().functions().count(), 0);
}

#[test]
fn broken_names_are_ignored() {
    // A function subsection with entries out of order, then one cut short.
    let broken: &[u8] = b"\x04name\x01\x07\x02\x05\x01b\x02\x01a\x02\xff\x01";
    let cases: &[(&[u8], [Option<&str>; 2])] = &[
        (broken, [Some("a"), Some("b")]),
        (b"\x04name\x01\x07\x02\x02\x01a\x05\x02b", [Some("a"), None]),
        (b"\x04name\x01\x04\x01\x02\x01\xff", [None, None]),
        (b"\x04name\x01\x06\xff\xff\xff\xff\x0f\x00", [None, None]),
        (b"\x04name", [None, None]),
        (b"\x04name\xff", [None, None]),
    ];
    for (section, expected) in cases {
        let module = common::parse(common::binary(&[(0, section)])).unwrap();
        let names = module.names();
        let found = [2, 5].map(|index| names.function(FuncIndex::from_u32(index)));
        assert_eq!(found, *expected, "{section:x?}");
    }
}

#[test]
fn sections_producers_and_dwarf() {
    let producers: &[u8] = b"\x09producers\x02\x08language\x02\x04Rust\x00\x01C\x0211\
        \x0cprocessed-by\x01\x05rustc\x041.95";
    let bytes = common::binary(&[
        (0, &b"\x01x"[..]),
        (1, b"\x01\x60\0\0"),
        (0, b"\x0b.debug_info\x01\x02\x03"),
        (0, producers),
        (0, b"\x0a.debug_str"),
    ]);
    let module = common::parse(bytes).unwrap();
    let sections: Vec<_> = module
        .sections()
        .iter()
        .map(|s| (s.kind, s.range.clone(), s.size()))
        .collect();
    assert_eq!(
        sections,
        [
            (SectionKind::Custom(0), 10..12, 2),
            (SectionKind::Type, 14..18, 4),
            (SectionKind::Custom(1), 20..35, 15),
            (
                SectionKind::Custom(2),
                37..37 + producers.len() as u32,
                producers.len() as u32
            ),
            (SectionKind::Custom(3), 96..107, 11),
        ]
    );
    let dwarf: Vec<_> = module
        .dwarf_sections()
        .map(|s| (&*s.name, s.data(&module), s.range.start))
        .collect();
    let expected: [(&str, &[u8], u32); 2] = [
        (".debug_info", b"\x01\x02\x03", 32),
        (".debug_str", b"", 107),
    ];
    assert_eq!(dwarf, expected);
    let producers = module.producers();
    let languages: Vec<_> = producers
        .languages
        .iter()
        .map(|p| (&*p.name, &*p.version))
        .collect();
    assert_eq!(languages, [("Rust", ""), ("C", "11")]);
    assert_eq!(&*producers.processed_by[0].name, "rustc");
    assert!(producers.sdks.is_empty());
}

#[test]
fn extern_types_know_their_kind() {
    let module = module(common::CORPUS[2]);
    let kinds: Vec<_> = module
        .imports()
        .iter()
        .map(|import| import.ty.kind().name())
        .collect();
    assert_eq!(kinds, ["table", "global"]);
    assert!(matches!(module.imports()[0].ty, ExternType::Table(_)));
}

/// Code of so many bytes is read while the data section behind it is.
#[test]
fn data_behind_large_code_is_the_same_as_elsewhere() {
    // A function of instructions that do nothing.
    let mut body = vec![0x01; 5 << 20];
    body[0] = 0x00;
    *body.last_mut().unwrap() = 0x0b;
    let mut code = vec![1];
    common::leb128(&mut code, body.len());
    code.extend(&body);
    let types = (1, &b"\x01\x60\0\0"[..]);
    let functions = (3, &b"\x01\0"[..]);
    let memories = (5, &b"\x01\0\x01"[..]);
    let plain: &[u8] = b"\x01\0\x41\x07\x0b\x02hi";
    // Its place is the sum of two constants.
    let sum: &[u8] = b"\x01\0\x41\x03\x41\x04\x6a\x0b\x02hi";
    for data in [plain, sum] {
        let sections = [types, functions, memories, (10, &code[..]), (11, data)];
        let bytes = common::binary(&sections);
        let module = common::parse(bytes.clone()).unwrap();
        assert_eq!(module.plain_data().is_some(), data == plain);
        let segments: Vec<_> = module.data().collect();
        assert_eq!(segments.len(), 1);
        assert_eq!(module.data_bytes(&segments[0]), b"hi");
        for len in [bytes.len() - 1, bytes.len() - data.len(), 6 << 10] {
            assert!(common::parse(bytes[..len].to_vec()).is_err(), "{len} bytes");
        }
        // A memory is missing, which the data needs.
        let sections = [types, functions, (10, &code[..]), (11, data)];
        assert!(common::parse(common::binary(&sections)).is_err());
        // Another section comes first.
        let sections = [
            types,
            functions,
            memories,
            (10, &code[..]),
            (0, &b"\x01x"[..]),
            (11, data),
        ];
        let module = common::parse(common::binary(&sections)).unwrap();
        assert_eq!(module.data().count(), 1);
    }
}
