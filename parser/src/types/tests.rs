use super::*;

const LIST: TypeIndex = TypeIndex::from_u32(3);

fn concrete(nullable: bool) -> ValType {
    ValType::Ref(RefType {
        nullable,
        heap: HeapType::Concrete(LIST),
    })
}

fn abstract_ref(nullable: bool, heap: HeapType) -> ValType {
    ValType::Ref(RefType { nullable, heap })
}

#[test]
fn value_types_read_as_in_text() {
    let cases = [
        (ValType::I32, "i32"),
        (ValType::I64, "i64"),
        (ValType::F32, "f32"),
        (ValType::F64, "f64"),
        (ValType::V128, "v128"),
        (ValType::FUNCREF, "funcref"),
        (ValType::EXTERNREF, "externref"),
        (abstract_ref(true, HeapType::Any), "anyref"),
        (abstract_ref(true, HeapType::Eq), "eqref"),
        (abstract_ref(true, HeapType::I31), "i31ref"),
        (abstract_ref(true, HeapType::Struct), "structref"),
        (abstract_ref(true, HeapType::Array), "arrayref"),
        (abstract_ref(true, HeapType::None), "nullref"),
        (abstract_ref(true, HeapType::NoExtern), "nullexternref"),
        (abstract_ref(true, HeapType::NoFunc), "nullfuncref"),
        (abstract_ref(true, HeapType::Exn), "exnref"),
        (abstract_ref(true, HeapType::NoExn), "nullexnref"),
        (abstract_ref(false, HeapType::Func), "(ref func)"),
        (abstract_ref(false, HeapType::NoExtern), "(ref noextern)"),
        (concrete(true), "(ref null 3)"),
        (concrete(false), "(ref 3)"),
    ];
    for (ty, text) in cases {
        assert_eq!(ty.to_string(), text);
    }
}

fn func_type() -> FuncType {
    FuncType {
        params: [ValType::I32, concrete(true)].into(),
        results: [ValType::F64].into(),
    }
}

fn struct_type() -> CompositeType {
    CompositeType::Struct(
        [
            FieldType {
                storage: StorageType::I8,
                mutable: true,
            },
            FieldType {
                storage: StorageType::Val(concrete(false)),
                mutable: false,
            },
        ]
        .into(),
    )
}

fn sub_type() -> SubType {
    SubType {
        is_final: false,
        supertype: Some(LIST),
        composite: struct_type(),
    }
}

fn table_type() -> TableType {
    TableType {
        element: RefType::FUNCREF,
        index64: true,
        shared: false,
        min: 1,
        max: Some(8),
    }
}

#[test]
fn defined_and_external_types_read_as_in_text() {
    let memory = MemoryType {
        index64: false,
        shared: false,
        min: 1,
        max: None,
        page_size_log2: 16,
    };
    let array: CompositeType = CompositeType::Array(FieldType {
        storage: StorageType::I16,
        mutable: true,
    });
    let global: GlobalType = GlobalType {
        content: ValType::I64,
        mutable: true,
        shared: false,
    };
    let cases = [
        (
            func_type().to_string(),
            "(func (param i32 (ref null 3)) (result f64))",
        ),
        (
            FuncType::<TypeIndex> {
                params: [].into(),
                results: [].into(),
            }
            .to_string(),
            "(func)",
        ),
        (
            struct_type().to_string(),
            "(struct (field (mut i8)) (field (ref 3)))",
        ),
        (array.to_string(), "(array (mut i16))"),
        (
            sub_type().to_string(),
            "(sub 3 (struct (field (mut i8)) (field (ref 3))))",
        ),
        (
            SubType {
                is_final: true,
                ..sub_type()
            }
            .to_string(),
            "(sub final 3 (struct (field (mut i8)) (field (ref 3))))",
        ),
        (
            SubType {
                is_final: false,
                supertype: None,
                composite: array.clone(),
            }
            .to_string(),
            "(sub (array (mut i16)))",
        ),
        (
            SubType {
                is_final: true,
                supertype: None,
                composite: array,
            }
            .to_string(),
            "(array (mut i16))",
        ),
        (table_type().to_string(), "i64 1 8 funcref"),
        (memory.to_string(), "1"),
        (
            MemoryType {
                shared: true,
                max: Some(2),
                page_size_log2: 0,
                ..memory
            }
            .to_string(),
            "1 2 shared (pagesize 1)",
        ),
        (
            ExternType::<TypeIndex>::Memory(memory).to_string(),
            "(memory 1)",
        ),
        (ExternType::Func(LIST).to_string(), "(func (type 3))"),
        (ExternType::Tag(LIST).to_string(), "(tag (type 3))"),
        (
            ExternType::Table(table_type()).to_string(),
            "(table i64 1 8 funcref)",
        ),
        (ExternType::Global(global).to_string(), "(global (mut i64))"),
    ];
    for (shown, text) in cases {
        assert_eq!(shown, text);
    }
}

#[test]
fn map_replaces_every_reference() {
    let double = |index: TypeIndex| u64::from(index.as_u32()) * 2;
    assert_eq!(
        func_type().map(double).to_string(),
        "(func (param i32 (ref null 6)) (result f64))"
    );
    assert_eq!(
        sub_type().map(double).to_string(),
        "(sub 6 (struct (field (mut i8)) (field (ref 6))))"
    );
    assert_eq!(table_type().map(double).to_string(), "i64 1 8 funcref");
    assert_eq!(ExternType::Tag(LIST).map(double), ExternType::Tag(6));
}

#[test]
fn try_map_stops_at_the_first_failure() {
    let mut seen = 0;
    let result = sub_type().try_map(|index| {
        seen += 1;
        if seen == 2 { Err(index) } else { Ok(index) }
    });
    assert_eq!((result, seen), (Err(LIST), 2));
}

#[test]
fn types_of_other_proposals_are_refused() {
    use wasmparser::{AbstractHeapType, UnpackedIndex};
    let cases = [
        wasmparser::HeapType::Abstract {
            shared: true,
            ty: AbstractHeapType::Any,
        },
        wasmparser::HeapType::Abstract {
            shared: false,
            ty: AbstractHeapType::Cont,
        },
        wasmparser::HeapType::Exact(UnpackedIndex::Module(0)),
        wasmparser::HeapType::Concrete(UnpackedIndex::RecGroup(0)),
    ];
    for ty in cases {
        assert_eq!(HeapType::try_from(ty), Err(UnsupportedType), "{ty:?}");
    }
}
