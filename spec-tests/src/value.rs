//! Values: a script's arguments made into the engine's, its result patterns
//! compared with what came, and both shown as a script writes them.

mod pattern;
mod show;

use crate::mismatch::{Check, Mismatch};
use rwasm::{AnyRef, ExternRef, Store, V128, Val};
use std::collections::HashMap;
use wast::core::{AbstractHeapType, HeapType, WastArgCore, WastRetCore};
use wast::{WastArg, WastRet};

/// The values of the host that a script names by number: one reference each,
/// however often it is named.
pub(crate) type HostRefs = HashMap<u32, ExternRef>;

/// The value of an argument.
pub(crate) fn argument(
    store: &mut Store<()>,
    host_refs: &mut HostRefs,
    argument: &WastArg,
) -> Check<Val> {
    let WastArg::Core(argument) = argument else {
        return Err(Mismatch::wrong("a core value as argument", "a component's"));
    };
    Ok(match argument {
        WastArgCore::I32(value) => Val::I32(*value),
        WastArgCore::I64(value) => Val::I64(*value),
        WastArgCore::F32(value) => Val::F32(value.bits),
        WastArgCore::F64(value) => Val::F64(value.bits),
        WastArgCore::V128(value) => Val::V128(V128::from(u128::from_le_bytes(value.to_le_bytes()))),
        WastArgCore::RefNull(ty) => null(ty)
            .ok_or_else(|| Mismatch::unsupported("a null of that type", "no such value yet"))?,
        WastArgCore::RefExtern(number) => host_ref(store, host_refs, *number)?,
        WastArgCore::RefHost(number) => {
            let external = host_ref(store, host_refs, *number)?;
            let external = external.unwrap_externref().expect("just made");
            let internal = AnyRef::convert_extern(store, external)
                .map_err(|error| Mismatch::error(format!("(ref.host {number})"), &error))?;
            Val::AnyRef(Some(internal))
        }
    })
}

/// The reference to the host value that a script calls `number`. The value
/// behind it is the number.
fn host_ref(store: &mut Store<()>, host_refs: &mut HostRefs, number: u32) -> Check<Val> {
    if let Some(known) = host_refs.get(&number) {
        return Ok(Val::ExternRef(Some(*known)));
    }
    let fresh = ExternRef::new(store, number)
        .map_err(|error| Mismatch::error(format!("(ref.extern {number})"), &error))?;
    host_refs.insert(number, fresh);
    Ok(Val::ExternRef(Some(fresh)))
}

/// The null reference of a heap type, if the engine has values of it.
fn null(ty: &HeapType) -> Option<Val> {
    use AbstractHeapType as Ty;
    let HeapType::Abstract { shared: false, ty } = ty else {
        return None;
    };
    match ty {
        Ty::Func | Ty::NoFunc => Some(Val::FuncRef(None)),
        Ty::Extern | Ty::NoExtern => Some(Val::ExternRef(None)),
        Ty::Exn | Ty::NoExn => Some(Val::ExnRef(None)),
        Ty::Any | Ty::Eq | Ty::Struct | Ty::Array | Ty::I31 | Ty::None => Some(Val::AnyRef(None)),
        Ty::Cont | Ty::NoCont => None,
    }
}

/// Whether the results of a call are those that a script states.
pub(crate) fn check_results(store: &Store<()>, expected: &[WastRet], actual: &[Val]) -> Check {
    let patterns = expected.iter().map(|pattern| match pattern {
        WastRet::Core(pattern) => Ok(pattern),
        _ => Err(Mismatch::wrong("a core value as result", "a component's")),
    });
    let patterns: Vec<&WastRetCore> = patterns.collect::<Check<_>>()?;
    let mut pairs = patterns.iter().zip(actual);
    if patterns.len() == actual.len()
        && pairs.all(|(pattern, value)| pattern::matches(store, pattern, value))
    {
        return Ok(());
    }
    Err(Mismatch::wrong(
        show::list(patterns.iter().map(|pattern| show::pattern(pattern))),
        show::list(actual.iter().map(|value| show::value(store, value))),
    ))
}

/// Results, as a script writes them.
pub(crate) fn show_results(store: &Store<()>, results: &[Val]) -> String {
    show::list(results.iter().map(|value| show::value(store, value)))
}

/// The number of a host value, if the reference is to one.
fn host_number(store: &Store<()>, reference: ExternRef) -> Option<u32> {
    reference.data(store)?.downcast_ref().copied()
}
