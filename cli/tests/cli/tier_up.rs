//! `--tier auto` where the guest and the threads that compile share one core.

use std::fs;
use std::path::Path;

use crate::harness::{Folder, run};

/// The committed programs print what they print when they are interpreted,
/// whenever their functions become machine code.
#[test]
fn one_core_compiles_while_it_runs() {
    let folder = Folder::new();
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guests/modules");
    let mut count = 0;
    for entry in fs::read_dir(modules).unwrap() {
        let module = entry.unwrap().path();
        if module.extension().is_none_or(|ext| ext != "wasm") {
            continue;
        }
        count += 1;
        let module = module.to_str().unwrap();
        let interpreted = format!("--no-cache --tier interp {module} --size 1");
        let interpreted = run(&mut folder.rwasm(&interpreted), b"");
        assert_eq!(interpreted.code, 0, "{module}\n{}", interpreted.stderr);
        for budget in [0, 1, 2] {
            // The first core that this process may run on.
            let script = format!(
                "core=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*\\([0-9]*\\).*/\\1/p' \
                 /proc/self/status); \
                 exec taskset -c $core $RWASM --no-cache --tier auto -O budget={budget} \
                 {module} --size 1"
            );
            let ended = run(&mut folder.shell(&script), b"");
            let (found, expected) = ((ended.code, &ended.stdout), (0, &interpreted.stdout));
            assert_eq!(found, expected, "{module}, {budget}\n{}", ended.stderr);
        }
    }
    assert!(count > 20, "{count}");
}
