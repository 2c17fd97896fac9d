//! wasmtime, set up for one instance per request.

use std::path::Path;

use bytes::{Bytes, BytesMut};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, InstancePre, Linker, Module,
    PoolingAllocationConfig, Result, Store,
};
use wasmtime_wasi::{
    WasiCtxBuilder,
    p1::{self, WasiP1Ctx},
    p2::pipe::{MemoryInputPipe, MemoryOutputPipe},
};

/// Instances at a time.
const INSTANCES: u32 = 64;

/// Bytes of one memory.
const MEMORY: usize = 256 << 20;

/// Bytes of a slot that stay resident and are cleared by copying: faults cost
/// more than that.
const KEEP_RESIDENT: usize = 16 << 20;

/// Bytes of a response, at most.
const OUTPUT: usize = 64 << 20;

/// A program that is ready to be run.
#[derive(Clone)]
pub struct Program {
    engine: Engine,
    instance: InstancePre<WasiP1Ctx>,
}

/// Compiles a module for [`Program::load`].
pub fn compile(module: &[u8]) -> Result<Vec<u8>> {
    engine()?.precompile_module(module)
}

impl Program {
    /// Loads what [`compile`] has made.
    pub fn load(artifact: impl AsRef<Path>) -> Result<Program> {
        let engine = engine()?;
        // SAFETY: the file is one that `compile` has written.
        let module = unsafe { Module::deserialize_file(&engine, artifact)? };
        let mut linker = Linker::new(&engine);
        p1::add_to_linker_async(&mut linker, |guest| guest)?;
        let instance = linker.instantiate_pre(&module)?;
        Ok(Program { engine, instance })
    }

    /// Runs it, and returns its standard output.
    pub async fn run(&self, variables: &[(String, String)], stdin: Bytes) -> Result<BytesMut> {
        let stdout = MemoryOutputPipe::new(OUTPUT);
        let guest = WasiCtxBuilder::new()
            .envs(variables)
            .stdin(MemoryInputPipe::new(stdin))
            .stdout(stdout.clone())
            .build_p1();
        let mut store = Store::new(&self.engine, guest);
        let instance = self.instance.instantiate_async(&mut store).await?;
        let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
        start.call_async(&mut store, ()).await?;
        drop(store);
        Ok(stdout.try_into_inner().unwrap_or_default())
    }
}

fn engine() -> Result<Engine> {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_core_instances(INSTANCES)
        .total_memories(INSTANCES)
        .total_tables(INSTANCES)
        .total_stacks(INSTANCES)
        .max_memory_size(MEMORY)
        .max_unused_warm_slots(INSTANCES)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(64 << 10)
        .async_stack_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config)
}
