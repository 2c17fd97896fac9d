//! What machine code calls by name, before it is linked.

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
}

const FUNCS: u32 = 0;
const LIBCALLS: u32 = 1;

impl Symbol {
    /// The name that stands for it in Cranelift's functions and relocations.
    pub(crate) fn to_name(self) -> UserExternalName {
        match self {
            Symbol::Func(func) => UserExternalName::new(FUNCS, func.as_u32()),
            Symbol::LibCall(call) => UserExternalName::new(LIBCALLS, call as u32),
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
            _ => None,
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
        for symbol in calls.chain([func]) {
            assert_eq!(Symbol::from_name(&symbol.to_name()), Some(symbol));
        }
        let unknown = UserExternalName::new(LIBCALLS, u32::MAX);
        assert_eq!(Symbol::from_name(&unknown), None);
    }
}
