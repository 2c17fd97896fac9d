//! Criterion bench: what it costs to get to the work and back. Validation,
//! lowering, compilation (wall time and CPU time of all threads), instantiation,
//! calls in all directions, and memory growth.

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rwasm::{Config, Tier};
use rwasm_benches::{Kernel, lowering, process_cpu_time};
use std::hint::black_box;
use std::time::Duration;

/// Programs of 31, 128 and 132 KB.
const MODULES: [&str; 3] = ["sha256", "json", "regex"];

/// Calls per iteration, where the guest makes them.
const CALLS: i32 = 10_000;

/// Pages that a memory grows by, one by one.
const PAGES: i32 = 64;

/// One runtime with the module of `kernels/costs.wat`.
trait Host {
    fn instantiate(&mut self);
    fn add(&mut self, left: i32, right: i32) -> i32;
    fn call(&mut self, export: usize, calls: i32) -> i32;
    /// Makes an instance whose memory then grows.
    fn grow(&mut self, pages: i32) -> i32;
}

/// The exports that make calls.
const CALLERS: [&str; 3] = ["call_host", "call_wasm", "call_indirect"];

/// The runtimes' interfaces differ in little more than names.
macro_rules! host {
    ($host:ident, $runtime:ident, $instantiate:ident) => {
        struct $host {
            engine: $runtime::Engine,
            module: $runtime::Module,
            linker: $runtime::Linker<()>,
            store: $runtime::Store<()>,
            add: $runtime::TypedFunc<(i32, i32), i32>,
            callers: [$runtime::TypedFunc<i32, i32>; 3],
        }

        impl $host {
            fn load(
                engine: $runtime::Engine,
                wasm: &[u8],
            ) -> Result<Box<dyn Host>, $runtime::Error> {
                let module = $runtime::Module::new(&engine, wasm)?;
                let mut linker = $runtime::Linker::new(&engine);
                linker.func_wrap("host", "next", |value: i32| value.wrapping_add(1))?;
                let mut store = $runtime::Store::new(&engine, ());
                let instance = linker.$instantiate(&mut store, &module)?;
                let add = instance.get_typed_func(&mut store, "add")?;
                let [host, wasm, indirect] =
                    CALLERS.map(|name| instance.get_typed_func::<i32, i32>(&mut store, name));
                Ok(Box::new($host {
                    callers: [host?, wasm?, indirect?],
                    engine,
                    module,
                    linker,
                    store,
                    add,
                }))
            }
        }

        impl Host for $host {
            fn instantiate(&mut self) {
                let mut store = $runtime::Store::new(&self.engine, ());
                let instance = self.linker.$instantiate(&mut store, &self.module);
                black_box(instance.expect("it was instantiated before"));
            }

            fn add(&mut self, left: i32, right: i32) -> i32 {
                self.add
                    .call(&mut self.store, (left, right))
                    .expect("it adds")
            }

            fn call(&mut self, export: usize, calls: i32) -> i32 {
                self.callers[export]
                    .call(&mut self.store, calls)
                    .expect("it calls")
            }

            fn grow(&mut self, pages: i32) -> i32 {
                let mut store = $runtime::Store::new(&self.engine, ());
                let instance = self.linker.$instantiate(&mut store, &self.module);
                let instance = instance.expect("it was instantiated before");
                let grow = instance.get_typed_func::<i32, i32>(&mut store, "grow");
                grow.expect("it exists")
                    .call(&mut store, pages)
                    .expect("it grows")
            }
        }
    };
}

host!(Rwasm, rwasm, instantiate);
host!(Wasmtime, wasmtime, instantiate);
host!(Wasmi, wasmi, instantiate_and_start);

/// All runtimes, by name.
fn hosts() -> Vec<(&'static str, Box<dyn Host>)> {
    let text = include_str!("../kernels/costs.wat");
    let wasm = wat::parse_str(text).expect("the text is correct");
    let rwasm = |tier| {
        let engine = rwasm::Engine::new(Config::new().tier(tier)).expect("the settings fit");
        Rwasm::load(engine, &wasm).expect("rwasm runs it")
    };
    let pooling = wasmtime::PoolingAllocationConfig::new();
    let pooling = wasmtime::InstanceAllocationStrategy::Pooling(pooling);
    let mut pooled = wasmtime::Config::new();
    pooled.allocation_strategy(pooling);
    let wasmtime = |config: &wasmtime::Config| {
        let engine = wasmtime::Engine::new(config).expect("the settings fit");
        Wasmtime::load(engine, &wasm).expect("wasmtime runs it")
    };
    vec![
        ("rwasm-interp", rwasm(Tier::Interp)),
        ("rwasm-jit", rwasm(Tier::Jit)),
        (
            "wasmi",
            Wasmi::load(wasmi::Engine::default(), &wasm).expect("wasmi runs it"),
        ),
        ("wasmtime", wasmtime(&wasmtime::Config::new())),
        ("wasmtime-pooling", wasmtime(&pooled)),
    ]
}

fn calls(criterion: &mut Criterion) {
    let mut hosts = hosts();
    for (name, host) in &mut hosts {
        assert_eq!(host.add(40, 2), 42, "{name}");
        assert_eq!(host.call(0, 100), 100, "{name}");
        assert_eq!(host.call(1, 100), 100, "{name}");
        assert_eq!(host.call(2, 100), 200, "{name}");
        assert_eq!(host.grow(PAGES), PAGES + 1, "{name}");
    }
    let mut bench = |what: &str, elements: i32, run: &dyn Fn(&mut dyn Host)| {
        let mut group = criterion.benchmark_group(what);
        group
            .measurement_time(Duration::from_secs(2))
            .throughput(Throughput::Elements(elements.unsigned_abs().into()));
        for (name, host) in &mut hosts {
            group.bench_function(BenchmarkId::from_parameter(*name), |bencher| {
                bencher.iter(|| run(&mut **host));
            });
        }
        group.finish();
    };
    bench("instantiate", 1, &|host| host.instantiate());
    bench("host-calls-wasm", 1, &|host| {
        black_box(host.add(black_box(40), 2));
    });
    for (at, what) in ["wasm-calls-host", "wasm-calls-wasm", "wasm-calls-indirect"]
        .into_iter()
        .enumerate()
    {
        bench(what, CALLS, &|host| {
            black_box(host.call(at, CALLS));
        });
    }
    bench("memory-grow", PAGES, &|host| {
        black_box(host.grow(PAGES));
    });
}

fn validation_and_lowering(criterion: &mut Criterion) {
    for name in MODULES {
        let wasm = Kernel::parse(name).expect("the program is there").wasm;
        let bytes = Throughput::Bytes(wasm.len() as u64);
        let mut group = criterion.benchmark_group(format!("validate/{name}"));
        group.sample_size(20).throughput(bytes.clone());
        let (ours, wasmi) = (rwasm::Engine::default(), wasmi::Engine::default());
        let wasmtime = wasmtime::Engine::default();
        group.bench_function("rwasm", |bencher| {
            bencher.iter(|| rwasm::Module::validate(&ours, &wasm));
        });
        group.bench_function("wasmi", |bencher| {
            bencher.iter(|| wasmi::Module::validate(&wasmi, &wasm));
        });
        group.bench_function("wasmtime", |bencher| {
            bencher.iter(|| wasmtime::Module::validate(&wasmtime, &wasm));
        });
        group.finish();

        let mut group = criterion.benchmark_group(format!("validate-and-lower/{name}"));
        group.sample_size(20).throughput(bytes);
        for (subject, lower) in lowering::SUBJECTS {
            group.bench_function(*subject, |bencher| bencher.iter(|| lower(&wasm, true)));
        }
        group.finish();
    }
}

fn compilation<M: Measurement>(criterion: &mut Criterion<M>, unit: &str) {
    let ours = rwasm::Engine::new(Config::new().tier(Tier::Jit)).expect("the settings fit");
    let wasmtime = wasmtime::Engine::default();
    for name in MODULES {
        let wasm = Kernel::parse(name).expect("the program is there").wasm;
        let mut group = criterion.benchmark_group(format!("compile-{unit}/{name}"));
        group
            .sample_size(10)
            .throughput(Throughput::Bytes(wasm.len() as u64));
        group.bench_function("rwasm-jit", |bencher| {
            bencher.iter(|| rwasm::Module::new(&ours, &wasm));
        });
        group.bench_function("wasmtime", |bencher| {
            bencher.iter(|| wasmtime::Module::new(&wasmtime, &wasm));
        });
        group.finish();
    }
}

fn compilation_wall(criterion: &mut Criterion) {
    compilation(criterion, "wall");
}

fn compilation_cpu(criterion: &mut Criterion<ProcessCpu>) {
    compilation(criterion, "cpu");
}

/// CPU time of all threads of the process.
struct ProcessCpu;

impl Measurement for ProcessCpu {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        process_cpu_time()
    }

    fn end(&self, start: Duration) -> Duration {
        process_cpu_time() - start
    }

    fn add(&self, left: &Duration, right: &Duration) -> Duration {
        *left + *right
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

criterion_group!(wall, calls, validation_and_lowering, compilation_wall);
criterion_group! {
    name = cpu;
    config = Criterion::default().with_measurement(ProcessCpu);
    targets = compilation_cpu
}
criterion_main!(wall, cpu);
