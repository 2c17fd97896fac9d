//! A compiled function, before it has an address.

use crate::place::Place;
use crate::symbol::Symbol;
use crate::translate::{InlinedAt, Position, Translated};
use crate::trap_code::to_trap;
use crate::unwind::{Handler, TryCall};
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::{Context, FinalizedMachCallSite, FinalizedRelocTarget, MachSrcLoc, ir};
use rwasm_parser::{LocalFuncIndex, TypeIndex};
use rwasm_runtime::trap::Trap;
use std::any::Any;
use thiserror::Error;

/// Machine code of one function, position-independent but for its relocations.
#[derive(Debug)]
pub(crate) struct CompiledFunction {
    pub(crate) code: Box<[u8]>,
    pub(crate) place: Place,
    pub(crate) relocations: Box<[Relocation]>,
    /// Instructions that may fault, by offset.
    pub(crate) traps: Box<[(u32, Trap)]>,
    /// Calls and instructions that may fault, by offset.
    pub(crate) positions: Box<[(u32, Position)]>,
    pub(crate) try_calls: TryCalls,
    /// What [`TryCall::items`] counts.
    pub(crate) handlers: Box<[Handler]>,
    pub(crate) inlined: Box<[InlinedAt]>,
    /// The functions that were inlined, in ascending order.
    pub(crate) inlined_funcs: Box<[LocalFuncIndex]>,
    /// The types of the functions that it calls, if it was compiled by this
    /// process: the adapters of others are kept with them.
    pub(crate) called_types: Box<[TypeIndex]>,
}

/// A place in the code that depends on where something else is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relocation {
    pub(crate) offset: u32,
    pub(crate) kind: RelocationKind,
    pub(crate) target: Target,
    pub(crate) addend: i64,
}

/// How the place names its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RelocationKind {
    /// The distance from the place, as 32 bits.
    Relative32,
    /// The address, as 64 bits.
    Absolute64,
}

/// What a relocation refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A function of the module or of the runtime.
    Symbol(Symbol),
    /// A function that Cranelift calls for instructions that the processor
    /// lacks.
    Cranelift(ir::LibCall),
    /// This offset of the function itself.
    Own(u32),
}

/// Why no machine code could be made of a translated function.
#[derive(Debug, Error)]
pub enum CodegenError {
    /// Cranelift refused it: it is too large, say.
    #[error("{0}")]
    Cranelift(String),
    /// Cranelift made something that the linker does not know.
    #[error("unknown {0} in compiled code")]
    Unknown(String),
    /// What Cranelift takes for granted did not hold.
    #[error("the compiler panicked: {0}")]
    Panicked(String),
}

impl CodegenError {
    /// What was caught while something was compiled.
    pub(crate) fn panicked(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
        CodegenError::Panicked(text.unwrap_or("no message").to_owned())
    }
}

impl CompiledFunction {
    /// Compiles the function in `context`.
    pub(crate) fn compile(
        isa: &dyn TargetIsa,
        context: &mut Context,
        translated: Translated,
    ) -> Result<Self, CodegenError> {
        context
            .compile(isa, &mut Default::default())
            .map_err(|error| CodegenError::Cranelift(error.inner.to_string()))?;
        let compiled = context.take_compiled_code().expect("just compiled");
        let buffer = &compiled.buffer;
        let traps = buffer.traps().iter().map(|trap| match to_trap(trap.code) {
            Some(meaning) => Ok((trap.offset, meaning)),
            None => Err(CodegenError::Unknown(format!("trap code {}", trap.code))),
        });
        let mut traps: Box<[(u32, Trap)]> = traps.collect::<Result<_, _>>()?;
        traps.sort_unstable_by_key(|&(offset, _)| offset);
        let calls = buffer.call_sites().map(|call| call.ret_addr - 1);
        let sites = traps.iter().map(|&(offset, _)| offset).chain(calls);
        let positions = positions(sites, buffer.get_srclocs_sorted());
        let relocations = buffer.relocs().iter().map(|reloc| {
            let kind = match reloc.kind {
                Reloc::X86CallPCRel4 | Reloc::X86PCRel4 => RelocationKind::Relative32,
                Reloc::Abs8 => RelocationKind::Absolute64,
                other => return Err(CodegenError::Unknown(format!("relocation {other}"))),
            };
            Ok(Relocation {
                offset: reloc.offset,
                kind,
                target: target(&reloc.target, &context.func)?,
                addend: reloc.addend,
            })
        });
        let (try_calls, handlers) = try_calls(buffer.call_sites())?;
        let alignment = isa.function_alignment();
        Ok(CompiledFunction {
            code: buffer.data().into(),
            place: Place::of(
                buffer.data(),
                buffer.alignment.max(alignment.minimum),
                alignment.preferred,
            ),
            relocations: relocations.collect::<Result<_, _>>()?,
            traps,
            positions,
            try_calls,
            handlers,
            inlined: translated.inlined.into(),
            inlined_funcs: translated.inlined_funcs.into_iter().collect(),
            called_types: translated.called_types.into(),
        })
    }
}

/// The positions of the instructions at `sites`, where they are known.
fn positions(
    sites: impl Iterator<Item = u32>,
    locations: &[MachSrcLoc<cranelift_codegen::Final>],
) -> Box<[(u32, Position)]> {
    let position = |offset: u32| {
        let index = locations.partition_point(|location| location.end <= offset);
        let location = locations.get(index)?;
        let inside = location.start <= offset;
        Position::from_srcloc(location.loc).filter(|_| inside)
    };
    let known = sites.filter_map(|offset| Some((offset, position(offset)?)));
    let mut known: Vec<_> = known.collect();
    known.sort_unstable_by_key(|&(offset, _)| offset);
    known.into()
}

/// Calls that exceptions may leave, by their return addresses' offsets.
type TryCalls = Box<[(u32, TryCall)]>;

/// The calls that have handlers, and these.
fn try_calls<'a>(
    calls: impl Iterator<Item = FinalizedMachCallSite<'a>>,
) -> Result<(TryCalls, Box<[Handler]>), CodegenError> {
    let (mut try_calls, mut handlers) = (Vec::new(), Vec::new());
    for call in calls.filter(|call| !call.exception_handlers.is_empty()) {
        let unknown = || CodegenError::Unknown("place of an exception's context".to_owned());
        let first = handlers.len() as u32;
        for handler in call.exception_handlers {
            handlers.push(Handler::new(handler).ok_or_else(unknown)?);
        }
        let try_call = TryCall {
            frame: call.frame_offset.ok_or_else(unknown)?,
            items: (first, handlers.len() as u32 - first),
        };
        try_calls.push((call.ret_addr, try_call));
    }
    try_calls.sort_unstable_by_key(|&(at, _)| at);
    Ok((try_calls.into(), handlers.into()))
}

fn target(target: &FinalizedRelocTarget, func: &ir::Function) -> Result<Target, CodegenError> {
    let known = match target {
        FinalizedRelocTarget::Func(offset) => Some(Target::Own(*offset)),
        FinalizedRelocTarget::ExternalName(ir::ExternalName::User(name)) => {
            let name = &func.params.user_named_funcs()[*name];
            Symbol::from_name(name).map(Target::Symbol)
        }
        FinalizedRelocTarget::ExternalName(ir::ExternalName::LibCall(call)) => {
            Some(Target::Cranelift(*call))
        }
        FinalizedRelocTarget::ExternalName(_) => None,
    };
    known.ok_or_else(|| CodegenError::Unknown(target.display(Some(&func.params))))
}
