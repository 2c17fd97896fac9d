//! A module's exports by name.

use rwasm_parser::Module;
use std::collections::HashMap;

/// Finds exports by name, in time that does not depend on their number.
#[derive(Debug)]
pub(crate) struct Exports(HashMap<Box<str>, u32>);

impl Exports {
    pub(crate) fn new(module: &Module) -> Self {
        let by_name = module.exports().iter().zip(0..);
        Exports(
            by_name
                .map(|(export, index)| (export.name.clone(), index))
                .collect(),
        )
    }

    /// The position of an export among the module's.
    pub(crate) fn get(&self, name: &str) -> Option<usize> {
        self.0.get(name).map(|&index| index as usize)
    }
}
