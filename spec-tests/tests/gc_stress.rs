//! The scripts on objects and exceptions, with a collection at every allocation:
//! a reference that the collector does not find is soon one to something else.

#[path = "suite/scripts.rs"]
#[allow(dead_code, reason = "shared with the suite, which uses all of it")]
mod scripts;

use rwasm::{Config, Engine, Tier};
use rwasm_spec_tests::{Options, run_source};
use scripts::Scripts;

#[test]
fn nothing_is_lost_if_every_allocation_collects() {
    let scripts = Scripts::find(false).expect("the suite");
    let paths =
        scripts.paths(|path| path.contains("core/gc/") || path.contains("core/exceptions/"));
    assert!(paths.len() > 15, "{paths:?}");
    // Mixed tiers: references wait in frames of machine code, too.
    for (tier, mixed_tiers) in [
        (Tier::Interp, None),
        (Tier::Jit, Some(1)),
        (Tier::Jit, Some(2)),
    ] {
        if Engine::new(Config::new().tier(tier)).is_err() {
            // No machine code here.
            continue;
        }
        let options = Options {
            tier,
            mixed_tiers,
            gc_stress: true,
            gaps: &[],
            ..Options::default()
        };
        for path in &paths {
            let source = scripts.read(path).unwrap();
            let report = run_source(path, &source, &options).unwrap();
            assert_eq!(report.failures, [], "{path} {tier:?} {mixed_tiers:?}");
        }
    }
}
