//! rwasm, in the tier that the subject names.

use super::{Guest, SubjectError};
use crate::kernels::Kernel;
use rwasm::{Config, Engine, Error, Func, Linker, Module, Store, Tier, TypeError, Val};

struct Instance {
    store: Store<()>,
    func: Func,
    takes_size: bool,
    results: Vec<Val>,
}

/// The interpreter.
pub(super) fn load_interp(kernel: &Kernel) -> Result<Box<dyn Guest>, SubjectError> {
    instantiate(kernel, Tier::Interp)
        .map(|instance| Box::new(instance) as Box<dyn Guest>)
        .map_err(error)
}

fn instantiate(kernel: &Kernel, tier: Tier) -> Result<Instance, Error> {
    let engine = Engine::new(Config::new().tier(tier))?;
    let module = Module::new(&engine, &kernel.wasm)?;
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &module)?;
    let func = instance
        .get_func(&mut store, &kernel.export)
        .ok_or_else(|| TypeError::UnknownExport(kernel.export.clone()))?;
    let ty = func.ty(&store);
    Ok(Instance {
        func,
        takes_size: !ty.params().is_empty(),
        results: vec![Val::I32(0); ty.results().len()],
        store,
    })
}

impl Guest for Instance {
    fn run(&mut self, size: i32) -> Result<u64, SubjectError> {
        let arguments = [Val::I32(size)];
        let arguments = &arguments[..usize::from(self.takes_size)];
        self.func
            .call(&mut self.store, arguments, &mut self.results)
            .map_err(error)?;
        Ok(match self.results.first() {
            Some(Val::I32(value)) => u64::from(value.cast_unsigned()),
            Some(Val::I64(value)) => value.cast_unsigned(),
            Some(Val::F32(bits)) => u64::from(*bits),
            Some(Val::F64(bits)) => *bits,
            _ => 0,
        })
    }
}

fn error(cause: Error) -> SubjectError {
    SubjectError {
        subject: "rwasm",
        cause: Box::new(cause),
    }
}
