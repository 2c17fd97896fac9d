//! What bodies are validated against: what the validator has learnt of a module,
//! and what of it was read without asking the validator ([`crate::plain`]).

use std::sync::Arc;

use wasmparser::types::CoreTypeId;
use wasmparser::{
    FuncType, GlobalType, HeapType, MemoryType, RefType, SubType, TableType, ValType,
    ValidatorResources, WasmModuleResources,
};

use crate::index::FuncIndex;

/// What bodies of a module are validated against. Cheap to clone.
#[derive(Clone)]
pub struct Resources(Arc<Inner>);

struct Inner {
    validator: ValidatorResources,
    plain: PlainElements,
}

/// Element segments that are lists of functions and that the validator has not
/// seen: all of the module's, or none.
#[derive(Default)]
pub(crate) struct PlainElements {
    count: u32,
    /// By function, one bit each: whether a segment names it.
    functions: Vec<u64>,
}

impl PlainElements {
    /// Notes one segment more.
    pub(crate) fn add(&mut self, functions: &[FuncIndex]) {
        self.count += 1;
        for func in functions {
            let (word, bit) = (func.index() / 64, func.index() % 64);
            if word >= self.functions.len() {
                self.functions.resize(word + 1, 0);
            }
            self.functions[word] |= 1 << bit;
        }
    }

    fn names(&self, func: u32) -> bool {
        let word = self.functions.get(func as usize / 64);
        word.is_some_and(|word| word >> (func % 64) & 1 == 1)
    }
}

impl Resources {
    pub(crate) fn new(validator: ValidatorResources, plain: PlainElements) -> Self {
        Self(Arc::new(Inner { validator, plain }))
    }
}

impl WasmModuleResources for Resources {
    fn element_type_at(&self, at: u32) -> Option<RefType> {
        if at < self.0.plain.count {
            return Some(RefType::FUNC);
        }
        self.0.validator.element_type_at(at)
    }

    fn element_count(&self) -> u32 {
        self.0.plain.count + self.0.validator.element_count()
    }

    fn is_function_referenced(&self, func: u32) -> bool {
        self.0.plain.names(func) || self.0.validator.is_function_referenced(func)
    }

    fn table_at(&self, at: u32) -> Option<TableType> {
        self.0.validator.table_at(at)
    }

    fn memory_at(&self, at: u32) -> Option<MemoryType> {
        self.0.validator.memory_at(at)
    }

    fn tag_at(&self, at: u32) -> Option<&FuncType> {
        self.0.validator.tag_at(at)
    }

    fn global_at(&self, at: u32) -> Option<GlobalType> {
        self.0.validator.global_at(at)
    }

    fn sub_type_at(&self, at: u32) -> Option<&SubType> {
        self.0.validator.sub_type_at(at)
    }

    fn sub_type_at_id(&self, id: CoreTypeId) -> &SubType {
        self.0.validator.sub_type_at_id(id)
    }

    fn type_id_of_function(&self, func: u32) -> Option<CoreTypeId> {
        self.0.validator.type_id_of_function(func)
    }

    fn type_index_of_function(&self, func: u32) -> Option<u32> {
        self.0.validator.type_index_of_function(func)
    }

    fn is_subtype(&self, a: ValType, b: ValType) -> bool {
        self.0.validator.is_subtype(a, b)
    }

    fn is_shared(&self, ty: RefType) -> bool {
        self.0.validator.is_shared(ty)
    }

    fn check_heap_type(&self, ty: &mut HeapType, offset: u64) -> Result<(), wasmparser::Error> {
        self.0.validator.check_heap_type(ty, offset)
    }

    fn top_type(&self, ty: &HeapType) -> HeapType {
        self.0.validator.top_type(ty)
    }

    fn data_count(&self) -> Option<u32> {
        self.0.validator.data_count()
    }

    fn has_function_exact_type(&self, func: u32) -> bool {
        self.0.validator.has_function_exact_type(func)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_that_segments_name() {
        let mut plain = PlainElements::default();
        let named = [0, 63, 64, 1000];
        plain.add(&named.map(FuncIndex::from_u32));
        plain.add(&[]);
        assert_eq!(plain.count, 2);
        for func in 0..2000 {
            assert_eq!(plain.names(func), named.contains(&func), "{func}");
        }
    }
}
