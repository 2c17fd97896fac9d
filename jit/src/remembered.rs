//! Adapters as bytes, to be kept in a file and taken up by another process.
//!
//! ```text
//!  destination:8  parameters  results  function (see `artifact`)
//!  LIBCALL:8      number:32            function
//! ```
//! Types are one byte each, in lists. As with functions of modules, reading
//! checks that nothing refers to what is not there, and the keeper must make
//! sure that bytes are what [`adapters`] gave where the
//! [`fingerprint`](crate::fingerprint) was the same.

use crate::adapter::Destination;
use crate::artifact::{self, ArtifactError, Contents, Reader, Writer};
use crate::compile::CompileError;
use crate::function::CompiledFunction;
use crate::libcall::LibCall;
use crate::publish::MachineCode;
use crate::resolve::{self, Purpose};
use crate::shape::{Shape, VECTOR};
use cranelift_codegen::ir::{Type, types};
use rwasm_parser::CompositeType;
use rwasm_runtime::code::ModuleCode;

/// Types in shapes, by number.
const TYPES: [Type; 5] = [types::I32, types::I64, types::F32, types::F64, VECTOR];

/// The destinations that are kept, by number. Running frames are taken over by
/// code that is not kept either.
const DESTINATIONS: [Destination; 3] = [Destination::Native, Destination::Host, Destination::Array];

/// Follows the numbers of destinations.
const LIBCALL: u8 = DESTINATIONS.len() as u8;

/// The adapters that there are by now and that a module may use, for
/// [`take_up_adapters`].
pub fn adapters(code: &ModuleCode) -> Vec<Vec<u8>> {
    let types = code.module.types().iter().zip(&code.type_ids);
    let funcs = types.filter(|(ty, _)| matches!(ty.composite, CompositeType::Func(_)));
    let shapes = funcs
        .map(|(_, &id)| Shape::of(&code.registry, id))
        .collect();
    let adapters = resolve::existing(&shapes).into_iter();
    let mut bytes: Vec<Vec<u8>> = adapters
        .filter_map(|(purpose, adapter)| write(&purpose, adapter.function()))
        .collect();
    // Their order is that of a table of hashes.
    bytes.sort_unstable();
    bytes
}

/// Gives a module adapters of an earlier process; returns how many were of use.
/// Those that cannot be read are made when they are needed.
///
/// # Errors
/// If they cannot be published.
pub fn take_up_adapters<'a>(
    code: &ModuleCode,
    adapters: impl IntoIterator<Item = &'a [u8]>,
) -> Result<usize, CompileError> {
    let adapters = adapters.into_iter().filter_map(|bytes| read(bytes).ok());
    let taken_up = resolve::take_up(adapters.collect())?;
    let count = taken_up.len();
    let machine_code = MachineCode::of(code);
    for adapter in taken_up {
        machine_code.keep(adapter);
    }
    Ok(count)
}

/// `None` for what is not kept.
fn write(purpose: &Purpose, function: &CompiledFunction) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut writer = Writer(&mut bytes);
    match purpose {
        Purpose::Call(destination, shape) => {
            let number = DESTINATIONS.iter().position(|other| other == destination)?;
            writer.u8(number as u8);
            for types in [&shape.params, &shape.results] {
                writer.list(types, |writer, ty| {
                    let number = TYPES.iter().position(|other| other == ty);
                    writer.u8(number.expect("a type of shapes") as u8);
                });
            }
        }
        Purpose::LibCall(call) => {
            writer.u8(LIBCALL);
            writer.u32(*call as u32);
        }
    }
    artifact::write(function, &mut bytes).then_some(bytes)
}

fn read(bytes: &[u8]) -> Result<(Purpose, CompiledFunction), ArtifactError> {
    let mut reader = Reader(bytes);
    let purpose = match reader.u8()? {
        LIBCALL => {
            let call = LibCall::ALL.get(reader.u32()? as usize);
            Purpose::LibCall(*call.ok_or(ArtifactError::Invalid("library call"))?)
        }
        number => {
            let destination = DESTINATIONS.get(usize::from(number));
            let destination = *destination.ok_or(ArtifactError::Invalid("destination"))?;
            let mut types = || {
                reader.list(|reader| {
                    let ty = TYPES.get(usize::from(reader.u8()?));
                    ty.copied().ok_or(ArtifactError::Invalid("type"))
                })
            };
            let (params, results) = (types()?, types()?);
            Purpose::Call(destination, Shape { params, results })
        }
    };
    let function = artifact::read(reader.0, Contents::default())?;
    Ok((purpose, function))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::{Relocation, RelocationKind, Target};
    use crate::place::Place;
    use crate::symbol::{Runtime, Symbol};
    use rwasm_parser::LocalFuncIndex;

    fn function(target: Symbol) -> CompiledFunction {
        CompiledFunction {
            code: [0xc3; 16].into(),
            place: Place::aligned(16),
            relocations: Box::new([Relocation {
                offset: 8,
                kind: RelocationKind::Absolute64,
                target: Target::Symbol(target),
                addend: 0,
            }]),
            traps: Box::default(),
            positions: Box::default(),
            try_calls: Box::default(),
            handlers: Box::default(),
            inlined: Box::default(),
            inlined_funcs: Box::default(),
            called_types: Box::default(),
        }
    }

    fn purposes() -> Vec<Purpose> {
        let shape = Shape {
            params: TYPES.into(),
            results: [types::F32].into(),
        };
        let calls = DESTINATIONS.map(|destination| Purpose::Call(destination, shape.clone()));
        let libcall = Purpose::LibCall(LibCall::ALL[5]);
        calls.into_iter().chain([libcall]).collect()
    }

    #[test]
    fn an_adapter_is_the_same_afterwards() {
        for purpose in purposes() {
            let function = function(Symbol::Runtime(Runtime::Leave));
            let bytes = write(&purpose, &function).unwrap();
            let (again, code) = read(&bytes).unwrap();
            assert_eq!(again, purpose);
            assert_eq!(format!("{code:?}"), format!("{function:?}"));
        }
        let frame = Purpose::Call(
            Destination::Frame,
            Shape {
                params: Box::default(),
                results: Box::default(),
            },
        );
        assert!(write(&frame, &function(Symbol::Runtime(Runtime::Leave))).is_none());
    }

    #[test]
    fn damage_is_an_error_or_another_adapter() {
        for purpose in purposes() {
            let bytes = write(&purpose, &function(Symbol::Runtime(Runtime::Leave))).unwrap();
            for at in 0..bytes.len() {
                assert!(read(&bytes[..at]).is_err(), "{at}");
                for flip in [0x01, 0x80, 0xff] {
                    let mut damaged = bytes.clone();
                    damaged[at] ^= flip;
                    if let Ok((purpose, function)) = read(&damaged) {
                        assert_eq!(write(&purpose, &function), Some(damaged));
                    }
                }
            }
        }
    }

    /// Adapters belong to no module, so they cannot call a function of one.
    #[test]
    fn an_adapter_refers_to_no_function_of_a_module() {
        let function = function(Symbol::Func(LocalFuncIndex::from_u32(0)));
        let bytes = write(&purposes()[0], &function).unwrap();
        assert_eq!(read(&bytes).unwrap_err(), ArtifactError::Invalid("target"));
    }
}
