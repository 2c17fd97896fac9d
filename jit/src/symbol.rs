//! What machine code calls by name, before it is linked.

use crate::exit::{finish_call, leave, refuse_segment};
use crate::libcall::LibCall;
use cranelift_codegen::ir::UserExternalName;
use rwasm_parser::LocalFuncIndex;

/// The target of a direct call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Symbol {
    /// The native entry of one of the module's own functions.
    Func(LocalFuncIndex),
    /// The trampoline of a function of the runtime.
    LibCall(LibCall),
    /// A function of this process itself, which only adapters call.
    Runtime(Runtime),
}

/// A function of this process that adapters call. Code names it, rather than
/// holding its address, so that it can be kept for other processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Runtime {
    /// What a trampoline leads to.
    LibCall(LibCall),
    /// [`refuse_segment`]
    RefuseSegment,
    /// [`finish_call`]
    FinishCall,
    /// [`leave`]
    Leave,
}

const FUNCS: u32 = 0;
const LIBCALLS: u32 = 1;
const RUNTIME: u32 = 2;

impl Symbol {
    /// The name that stands for it in Cranelift's functions and relocations.
    pub(crate) fn to_name(self) -> UserExternalName {
        match self {
            Symbol::Func(func) => UserExternalName::new(FUNCS, func.as_u32()),
            Symbol::LibCall(call) => UserExternalName::new(LIBCALLS, call as u32),
            Symbol::Runtime(function) => UserExternalName::new(RUNTIME, function.number()),
        }
    }

    /// What a name stands for, if it is one of ours.
    pub(crate) fn from_name(name: &UserExternalName) -> Option<Self> {
        match name.namespace {
            FUNCS => Some(Symbol::Func(LocalFuncIndex::from_u32(name.index))),
            LIBCALLS => {
                let call = LibCall::ALL.get(name.index as usize)?;
                Some(Symbol::LibCall(*call))
            }
            RUNTIME => Runtime::from_number(name.index).map(Symbol::Runtime),
            _ => None,
        }
    }
}

impl Runtime {
    /// Those that are no library calls.
    const OTHERS: [Runtime; 3] = [Runtime::RefuseSegment, Runtime::FinishCall, Runtime::Leave];

    /// A number that no other has: library calls come first.
    pub(crate) fn number(self) -> u32 {
        match self {
            Runtime::LibCall(call) => call as u32,
            Runtime::RefuseSegment => LibCall::ALL.len() as u32,
            Runtime::FinishCall => LibCall::ALL.len() as u32 + 1,
            Runtime::Leave => LibCall::ALL.len() as u32 + 2,
        }
    }

    /// The one that has this number.
    pub(crate) fn from_number(number: u32) -> Option<Self> {
        let number = number as usize;
        match number.checked_sub(LibCall::ALL.len()) {
            None => Some(Runtime::LibCall(LibCall::ALL[number])),
            Some(other) => Self::OTHERS.get(other).copied(),
        }
    }

    /// Where it is.
    pub(crate) fn address(self) -> *const () {
        match self {
            Runtime::LibCall(call) => call.address(),
            Runtime::RefuseSegment => refuse_segment as *const (),
            Runtime::FinishCall => finish_call as *const (),
            Runtime::Leave => leave as *const (),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_there_and_back() {
        let func = Symbol::Func(LocalFuncIndex::from_u32(7));
        let calls = LibCall::ALL.iter().map(|&call| Symbol::LibCall(call));
        let calls_of_runtime = LibCall::ALL.iter().map(|&call| Runtime::LibCall(call));
        let runtime = calls_of_runtime.chain(Runtime::OTHERS).map(Symbol::Runtime);
        let count = LibCall::ALL.len() as u32 + Runtime::OTHERS.len() as u32;
        assert_eq!(runtime.clone().count(), count as usize);
        for symbol in calls.chain([func]).chain(runtime) {
            assert_eq!(Symbol::from_name(&symbol.to_name()), Some(symbol));
        }
        for unknown in [(LIBCALLS, u32::MAX), (RUNTIME, count), (RUNTIME + 1, 0)] {
            let unknown = UserExternalName::new(unknown.0, unknown.1);
            assert_eq!(Symbol::from_name(&unknown), None);
        }
    }
}
