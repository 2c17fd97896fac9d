//! Structs, arrays and i31 values in the hands of the host.

mod common;

use common::{call, link, linker};
use rwasm::{
    AnyRef, ArrayRef, ArrayType, Config, Engine, Error, ExternRef, FieldType, HeapType, I31,
    Limits, Linker, Mutability, RefType, StorageType, Store, StructRef, StructType, Tier, Trap,
    V128, Val, ValType,
};

fn var(ty: impl Into<StorageType>) -> FieldType {
    FieldType::new(Mutability::Var, ty)
}

#[test]
fn structs_of_every_field() {
    let mut store = Store::<()>::default();
    let engine = store.engine().clone();
    let external = ExternRef::new(&mut store, 5u8).unwrap();
    let internal = AnyRef::from_i31(&mut store, I31::wrapping_u32(9));
    let func = rwasm::Func::wrap(&mut store, || {});
    let cases: Vec<(StorageType, Val, Val)> = vec![
        (StorageType::I8, Val::I32(-1), Val::I32(0xff)),
        (StorageType::I16, Val::I32(0x1_2345), Val::I32(0x2345)),
        (ValType::I32.into(), Val::I32(-7), Val::I32(-7)),
        (ValType::I64.into(), Val::I64(i64::MIN), Val::I64(i64::MIN)),
        (
            ValType::F32.into(),
            Val::F32(0x7fa0_0000),
            Val::F32(0x7fa0_0000),
        ),
        (ValType::F64.into(), Val::F64(1), Val::F64(1)),
        (
            ValType::V128.into(),
            Val::V128(V128::from(3 << 100)),
            Val::V128(V128::from(3 << 100)),
        ),
        (ValType::FUNCREF.into(), func.into(), func.into()),
        (ValType::EXTERNREF.into(), external.into(), external.into()),
        (ValType::ANYREF.into(), internal.into(), internal.into()),
        (ValType::ANYREF.into(), Val::AnyRef(None), Val::AnyRef(None)),
    ];
    let ty = StructType::new(&engine, cases.iter().map(|case| var(case.0))).unwrap();
    let values: Vec<Val> = cases.iter().map(|case| case.1).collect();
    let object = StructRef::new(&mut store, &ty, &values).unwrap();
    store.gc();
    let shown = |value: &Val| format!("{value:?}");
    let expected: Vec<String> = cases.iter().map(|case| shown(&case.2)).collect();
    let found = object.fields(&mut store).unwrap();
    assert_eq!(found.iter().map(shown).collect::<Vec<_>>(), expected);

    let empty = StructRef::new(
        &mut store,
        &ty,
        &cases
            .iter()
            .map(|case| match case.0 {
                StorageType::ValType(ty) => Val::default_for_ty(ty).unwrap(),
                _ => Val::I32(0),
            })
            .collect::<Vec<_>>(),
    )
    .unwrap();
    for (at, (storage, value, expected)) in cases.iter().enumerate() {
        empty.set_field(&mut store, at, *value).unwrap();
        assert_eq!(
            shown(&empty.field(&mut store, at).unwrap()),
            shown(expected)
        );
        let wrong = match storage {
            StorageType::ValType(ValType::I64) => Val::I32(0),
            _ => Val::I64(0),
        };
        assert!(matches!(
            empty.set_field(&mut store, at, wrong),
            Err(Error::Type(_))
        ));
        // Arrays of the same.
        let ty = ArrayType::new(&engine, var(*storage)).unwrap();
        let array = ArrayRef::new(&mut store, &ty, *value, 5).unwrap();
        assert_eq!(array.len(&store).unwrap(), 5);
        for index in 0..5 {
            assert_eq!(
                shown(&array.get(&mut store, index).unwrap()),
                shown(expected)
            );
        }
        assert!(matches!(array.get(&mut store, 5), Err(Error::Access(_))));
        assert!(matches!(
            array.set(&mut store, 5, *value),
            Err(Error::Access(_))
        ));
        let fixed = ArrayRef::new_fixed(&mut store, &ty, &[*value, *value]).unwrap();
        assert_eq!(fixed.elems(&mut store).unwrap().len(), 2);
    }
    assert!(matches!(
        object.field(&mut store, 11),
        Err(Error::Access(_))
    ));
    assert!(matches!(
        object.field(&mut store, usize::MAX),
        Err(Error::Access(_))
    ));
    assert!(StructRef::new(&mut store, &ty, &values[1..]).is_err());
    assert_eq!(object.ty(&store).unwrap(), ty);
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut store = Store::<()>::default();
    let engine = store.engine().clone();
    let constant = FieldType::new(Mutability::Const, ValType::I32);
    let ty = StructType::new(&engine, [constant]).unwrap();
    let object = StructRef::new(&mut store, &ty, &[Val::I32(1)]).unwrap();
    let error = object.set_field(&mut store, 0, Val::I32(2)).unwrap_err();
    assert_eq!(error.to_string(), "the field is immutable");

    let mut other = Store::<()>::default();
    assert!(matches!(
        StructRef::new(&mut other, &ty, &[Val::I32(1)]),
        Err(Error::StoreMismatch(_))
    ));
    assert!(matches!(
        object.field(&mut other, 0),
        Err(Error::StoreMismatch(_))
    ));
    assert!(object.to_anyref().is_struct(&other).is_err());
    let mut sibling = Store::new(&engine, ());
    let any = ArrayType::new(&engine, var(ValType::ANYREF)).unwrap();
    assert!(matches!(
        ArrayRef::new(&mut sibling, &any, object.into(), 1),
        Err(Error::StoreMismatch(_))
    ));

    let too_many = std::iter::repeat_n(constant, 10_001);
    assert!(matches!(
        StructType::new(&engine, too_many),
        Err(Error::Type(_))
    ));

    store
        .limits(Limits::default().gc_heap_bytes(1 << 20))
        .unwrap();
    for len in [1 << 20, u32::MAX] {
        let error = ArrayRef::new(&mut store, &any, Val::AnyRef(None), len).unwrap_err();
        assert_eq!(error.trap(), Some(Trap::AllocationTooLarge));
    }
}

#[test]
fn casts() {
    let (mut store, linker) = linker(());
    let instance = link(
        &mut store,
        &linker,
        r#"(module
            (type $point (struct (field $x (mut i32)) (field $y (mut f64))))
            (type $bytes (array (mut i8)))
            (func (export "point") (result (ref $point))
                (struct.new $point (i32.const 3) (f64.const 0.5)))
            (func (export "bytes") (result (ref $bytes))
                (array.new $bytes (i32.const 200) (i32.const 3)))
            (func (export "i31") (result i31ref) (ref.i31 (i32.const -5)))
            (func (export "host") (param externref) (result anyref)
                (any.convert_extern (local.get 0)))
            (func (export "x") (param (ref $point)) (result i32)
                (struct.get $point $x (local.get 0))))"#,
    )
    .unwrap();
    let external = ExternRef::new(&mut store, 1).unwrap();
    let mut get = |name: &str, args: &[Val]| -> AnyRef {
        call(&mut store, instance, name, args).unwrap()[0]
            .unwrap_anyref()
            .unwrap()
    };
    let (point, bytes) = (get("point", &[]), get("bytes", &[]));
    let (i31, host) = (get("i31", &[]), get("host", &[external.into()]));
    // Value; is it eq, i31, struct, array?
    let cases = [
        (point, [true, false, true, false]),
        (bytes, [true, false, false, true]),
        (i31, [true, true, false, false]),
        (host, [false; 4]),
    ];
    for (value, expected) in cases {
        let found = [
            value.is_eqref(&store).unwrap(),
            value.is_i31(&store).unwrap(),
            value.is_struct(&store).unwrap(),
            value.is_array(&store).unwrap(),
        ];
        assert_eq!(found, expected);
        assert!(value.matches_ty(&store, HeapType::Any).unwrap());
        assert!(!value.matches_ty(&store, HeapType::None).unwrap());
    }
    assert_eq!(i31.as_i31(&store).unwrap().unwrap().get_i32(), -5);
    assert_eq!(ExternRef::convert_any(&store, host).unwrap(), external);
    assert_eq!(AnyRef::convert_extern(&store, external).unwrap(), host);

    let point = point.as_struct(&store).unwrap().unwrap();
    let ty = point.ty(&store).unwrap();
    assert_eq!(ty.fields()[1], var(ValType::F64));
    point.set_field(&mut store, 0, Val::I32(44)).unwrap();
    let x = call(&mut store, instance, "x", &[point.into()]).unwrap();
    assert_eq!(x[0].unwrap_i32(), 44);
    // One of the host's of the same type.
    let ours = StructType::new(store.engine(), ty.fields().iter().copied()).unwrap();
    assert_eq!(ours, ty);
    let ours = StructRef::new(&mut store, &ours, &[Val::I32(8), Val::F64(0)]).unwrap();
    let x = call(&mut store, instance, "x", &[ours.into()]).unwrap();
    assert_eq!(x[0].unwrap_i32(), 8);
    let error = call(&mut store, instance, "x", &[bytes.into()]).unwrap_err();
    assert!(matches!(error, Error::Type(_)), "{error}");

    let bytes = bytes.as_array(&store).unwrap().unwrap();
    let elems = bytes.elems(&mut store).unwrap();
    assert_eq!(
        elems
            .iter()
            .map(|value| value.unwrap_i32())
            .collect::<Vec<_>>(),
        [200; 3]
    );

    let typed = instance
        .get_typed_func::<(), StructRef>(&mut store, "point")
        .unwrap();
    let again = typed.call(&mut store, ()).unwrap();
    assert_ne!(again, point);
    assert_eq!(again.to_anyref(), AnyRef::from(again));
    let _ = (RefType::ANYREF, common::engine());
}

#[test]
fn i31_values() {
    assert_eq!(I31::new_u32(1 << 31), None);
    assert_eq!(I31::new_i32(1 << 30), None);
    for value in [0, 1, -1, (1 << 30) - 1, -(1 << 30)] {
        assert_eq!(I31::new_i32(value).unwrap().get_i32(), value);
        assert_eq!(
            I31::wrapping_i32(value).get_u32(),
            value as u32 & 0x7fff_ffff
        );
    }
}

/// A module that defines no struct or array looks into those of another one,
/// by abstract types.
#[test]
fn modules_look_into_objects_of_others() {
    for tier in [Tier::Interp, Tier::Jit] {
        let engine = Engine::new(Config::new().tier(tier)).unwrap();
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        let maker = link(
            &mut store,
            &linker,
            r#"(module
                (type $bytes (array i8))
                (func (export "any") (result anyref)
                    (array.new_default $bytes (i32.const 7)))
                (func (export "extern") (result externref)
                    (extern.convert_any (array.new_default $bytes (i32.const 9))))
                (global (export "global") anyref (array.new_default $bytes (i32.const 11)))
                (table (export "table") 1 anyref (array.new_default $bytes (i32.const 13))))"#,
        )
        .unwrap();
        linker.instance(&mut store, "m", maker).unwrap();
        let sources = [
            (
                r#"(func $f (import "m" "any") (result anyref))"#,
                "(call $f)",
                7,
            ),
            (
                r#"(func $f (import "m" "extern") (result externref))"#,
                "(any.convert_extern (call $f))",
                9,
            ),
            (
                r#"(global $g (import "m" "global") anyref)"#,
                "(global.get $g)",
                11,
            ),
            (
                r#"(table $t (import "m" "table") 1 anyref)"#,
                "(table.get $t (i32.const 0))",
                13,
            ),
        ];
        for (import, get, len) in sources {
            let text = format!(
                r#"(module {import}
                    (func (export "len") (result i32) (array.len (ref.cast (ref array) {get})))
                    (func (export "is") (result i32) (ref.test (ref struct) {get})))"#
            );
            let looker = link(&mut store, &linker, &text).unwrap();
            let found = call(&mut store, looker, "len", &[]).unwrap();
            assert_eq!(found[0].unwrap_i32(), len, "{tier:?} {import}");
            let is = call(&mut store, looker, "is", &[]).unwrap();
            assert_eq!(is[0].unwrap_i32(), 0, "{tier:?} {import}");
        }
    }
}

#[test]
fn under_all_tiers() {
    common::run_under_all_tiers();
}
