//! wasmi with the features that make it fastest; the workspace manifest says
//! which.

use super::{Guest, SubjectError};
use crate::kernels::Kernel;
use wasmi::{Config, Engine, Error, Func, Linker, Module, Store, Val};

struct Instance {
    store: Store<()>,
    func: Func,
    takes_size: bool,
    results: Vec<Val>,
}

pub(super) fn load(kernel: &Kernel) -> Result<Box<dyn Guest>, SubjectError> {
    instantiate(kernel)
        .map(|instance| Box::new(instance) as Box<dyn Guest>)
        .map_err(error)
}

fn instantiate(kernel: &Kernel) -> Result<Instance, Error> {
    let engine = Engine::new(&Config::default());
    let module = Module::new(&engine, &kernel.wasm)?;
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate_and_start(&mut store, &module)?;
    let func = instance
        .get_func(&store, &kernel.export)
        .ok_or_else(|| Error::new(format!("no function {:?} is exported", kernel.export)))?;
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
            Some(Val::F32(value)) => u64::from(value.to_bits()),
            Some(Val::F64(value)) => value.to_bits(),
            _ => 0,
        })
    }
}

fn error(cause: Error) -> SubjectError {
    SubjectError {
        subject: "wasmi",
        cause: Box::new(cause),
    }
}
