//! Criterion bench: every subject on every program and kernel.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use rwasm_benches::{SUBJECTS, built_in, programs};
use std::time::Duration;

fn execution(criterion: &mut Criterion) {
    let mut kernels = programs().expect("the programs are there");
    kernels.extend(built_in().expect("the kernels are correct"));
    for kernel in &kernels {
        let mut group = criterion.benchmark_group(&kernel.name);
        group
            .sample_size(10)
            .warm_up_time(Duration::from_millis(500))
            .measurement_time(Duration::from_secs(5));
        let mut expected = None;
        for subject in SUBJECTS {
            let mut guest = match (subject.load)(kernel) {
                Ok(guest) => guest,
                Err(error) => {
                    eprintln!("{}: {error}", kernel.name);
                    continue;
                }
            };
            let checksum = guest.run(kernel.size).expect("the kernel runs");
            assert_eq!(*expected.get_or_insert(checksum), checksum);
            group.bench_function(BenchmarkId::from_parameter(subject.name), |bencher| {
                bencher.iter(|| guest.run(kernel.size));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, execution);
criterion_main!(benches);
