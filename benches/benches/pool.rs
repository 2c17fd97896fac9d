//! Criterion bench: an instance from the pool, a call that writes to so much
//! memory, and the way back, in rwasm and in wasmtime with its pooling allocator.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

/// What a small program of a compiler looks like: a stack, some data, a table.
const GUEST: &str = r#"(module
    (memory (export "memory") 17 1024)
    (data (i32.const 1048576) "some data, as programs have it")
    (table 10 funcref)
    (elem (i32.const 1) $nothing)
    (global $stack_pointer (mut i32) (i32.const 1048576))
    (func $nothing)
    (func (export "write") (param $bytes i32)
        (memory.fill (i32.const 0) (i32.const 1) (local.get $bytes))))"#;

const KIB: [i32; 4] = [0, 16, 256, 1024];

fn pool(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pool");
    let rwasm = rwasm_pool().expect("the guest loads");
    let wasmtime = wasmtime_pool().expect("the guest loads");
    for kib in KIB {
        group.bench_function(BenchmarkId::new("rwasm", kib), |bencher| {
            bencher.iter(|| use_rwasm(&rwasm, kib).expect("the guest runs"));
        });
        group.bench_function(BenchmarkId::new("wasmtime", kib), |bencher| {
            bencher.iter(|| use_wasmtime(&wasmtime, kib).expect("the guest runs"));
        });
    }
    group.finish();
}

fn rwasm_pool() -> rwasm::Result<rwasm::InstancePool<()>> {
    let mut config = rwasm::Config::new();
    config.tier(rwasm::Tier::Jit);
    let engine = rwasm::Engine::new(&config)?;
    let module = rwasm::Module::new(&engine, GUEST)?;
    let pre = rwasm::Linker::new(&engine).instantiate_pre(&module)?;
    rwasm::InstancePool::new(&pre, rwasm::PoolConfig::new())
}

fn use_rwasm(pool: &rwasm::InstancePool<()>, kib: i32) -> rwasm::Result<()> {
    let (mut store, instance) = pool.instantiate(())?;
    if kib > 0 {
        let write = instance.get_typed_func::<i32, ()>(&mut store, "write")?;
        write.call(&mut store, kib << 10)?;
    }
    Ok(())
}

/// The pooling allocator, with as much that stays in memory as ours.
fn wasmtime_pool() -> wasmtime::Result<wasmtime::InstancePre<()>> {
    let mut pooling = wasmtime::PoolingAllocationConfig::default();
    pooling
        .linear_memory_keep_resident(16 << 20)
        .table_keep_resident(1 << 20);
    let mut config = wasmtime::Config::new();
    config.allocation_strategy(wasmtime::InstanceAllocationStrategy::Pooling(pooling));
    let engine = wasmtime::Engine::new(&config)?;
    let wasm = wat::parse_str(GUEST)?;
    let module = wasmtime::Module::new(&engine, wasm)?;
    wasmtime::Linker::new(&engine).instantiate_pre(&module)
}

fn use_wasmtime(pre: &wasmtime::InstancePre<()>, kib: i32) -> wasmtime::Result<()> {
    let mut store = wasmtime::Store::new(pre.module().engine(), ());
    let instance = pre.instantiate(&mut store)?;
    if kib > 0 {
        let write = instance.get_typed_func::<i32, ()>(&mut store, "write")?;
        write.call(&mut store, kib << 10)?;
    }
    Ok(())
}

criterion_group!(benches, pool);
criterion_main!(benches);
