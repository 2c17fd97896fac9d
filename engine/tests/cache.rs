//! The cache: what is remembered, for whom, and what damage does.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use rwasm::{
    Cache, Config, Engine, Error, Instance, Linker, Module, PrecompiledError, Result, Store,
    StressBudget, Tier, TierStress,
};
use std::fs;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// `f` calls a leaf, which is inlined, and `g`; `add` and `sub` are what leaf and
/// `g` do.
fn module(leaf: &str, g: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
          (func $leaf (param i32) (result i32) (i32.{leaf} (local.get 0) (i32.const 3)))
          (func $g (param i32) (result i32) (local i32)
            (loop
              (local.set 0 (i32.{g} (local.get 0) (i32.const 5)))
              (br_if 0 (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1)))
                (i32.const 4))))
            (local.get 0))
          (func (export "f") (param i32) (result i32)
            (call $leaf (call $g (local.get 0)))))"#
    );
    padded(&text).into_bytes()
}

/// The module with data enough to be looked up before it runs.
fn padded(module: &str) -> String {
    let inner = module.trim_end().strip_suffix(')').expect("a module");
    format!("{inner}\n(data \"{}\"))", "x".repeat(20_000))
}

/// What `f(100)` gives.
const ADDED: i32 = 123;

/// With every function compiled at its first call.
fn config(folder: Option<&Path>) -> Config {
    let mut config = Config::new();
    config
        .tier(Tier::Auto)
        .cache(folder.map(Cache::new))
        .tier_stress(Some(TierStress {
            budget: StressBudget::Fixed(0),
            wait: true,
            delay: Duration::ZERO,
            queue: 1000,
        }));
    config
}

/// Runs `f(100)`; returns its result, the functions that were remembered, and
/// whether there was something to remember afterwards.
fn run(config: &Config, bytes: &[u8]) -> (i32, usize, bool) {
    let engine = Engine::new(config).unwrap();
    let module = Module::new(&engine, bytes).unwrap();
    let result = call(&module).unwrap();
    let new = module.remember().unwrap();
    (result, module.remembered_functions(), new)
}

fn call(module: &Module) -> Result<i32> {
    let mut store = Store::new(module.engine(), ());
    let instance: Instance = Linker::new(module.engine()).instantiate(&mut store, module)?;
    let f = instance.get_typed_func::<i32, i32>(&mut store, "f")?;
    f.call(&mut store, 100)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap();
    files.map(|file| file.unwrap().path()).collect()
}

#[test]
fn a_second_run_starts_with_machine_code() {
    let temp = TempDir::new().unwrap();
    let folder = &*temp.path().join("cache");
    let config = config(Some(folder));
    let bytes = module("add", "add");
    assert_eq!(run(&config, &bytes), (ADDED, 0, true));
    let engine = Engine::new(&config).unwrap();
    let again = Module::new(&engine, &bytes).unwrap();
    assert_eq!(again.remembered_functions(), 0);
    assert_eq!(call(&again).unwrap(), ADDED);
    // The leaf is one of them if `f` was interpreted once.
    assert!(again.remembered_functions() >= 2);
    let stats = engine.tier_stats();
    assert_eq!((stats.called, stats.compiled), (0, 0));
    assert!(!again.remember().unwrap());
    assert_eq!(Cache::new(folder).info().unwrap().entries, 1);
}

/// A small module is looked up when one of its functions is hot, and so runs machine
/// code that nobody compiles again.
#[test]
fn a_small_module_is_looked_up_when_it_is_hot() {
    const GUEST: &str = r#"(module
        (func $twice (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
        (func (export "f") (param i32) (result i32) (call $twice (local.get 0))))"#;
    let temp = TempDir::new().unwrap();
    let folder = &*temp.path().join("cache");
    let hot = config(Some(folder));
    assert_eq!(run(&hot, GUEST.as_bytes()), (200, 0, true));
    let engine = Engine::new(&hot).unwrap();
    let again = Module::new(&engine, GUEST).unwrap();
    assert_eq!(call(&again).unwrap(), 200);
    assert!(again.remembered_functions() > 0);
    assert_eq!(engine.tier_stats().compiled, 0);
    assert!(!again.remember().unwrap());
    // While nothing is hot, nothing is looked up.
    let engine = Engine::new(Config::new().cache(Some(Cache::new(folder)))).unwrap();
    let cold = Module::new(&engine, GUEST).unwrap();
    assert_eq!(call(&cold).unwrap(), 200);
    assert_eq!(cold.remembered_functions(), 0);
}

/// A function that is called once, and becomes machine code in its loop, is
/// machine code from its first instruction on in the next run.
#[test]
fn a_loop_that_got_hot_is_remembered_as_its_function() {
    const GUEST: &str = r#"(module
        (func (export "f") (param i32) (result i32)
            (local i32)
            (loop
                (local.set 1 (i32.add (local.get 1) (i32.const 7)))
                (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
            (local.get 1)))"#;
    let temp = TempDir::new().unwrap();
    let mut config = config(Some(&temp.path().join("cache")));
    config.tier_stress(Some(TierStress {
        budget: StressBudget::Fixed(10),
        wait: true,
        delay: Duration::ZERO,
        queue: 1000,
    }));
    for (remembered, called) in [(0, 1), (1, 0)] {
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, padded(GUEST)).unwrap();
        assert_eq!(call(&module).unwrap(), 700);
        let stats = engine.tier_stats();
        assert_eq!(
            (module.remembered_functions(), stats.called),
            (remembered, called)
        );
        module.remember().unwrap();
    }
}

#[test]
fn functions_are_remembered_as_long_as_they_are_the_same() {
    let temp = TempDir::new().unwrap();
    let folder = &*temp.path().join("cache");
    let config = config(Some(folder));
    let known = |bytes: &[u8]| {
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, bytes).unwrap();
        (call(&module).unwrap(), module.remembered_functions())
    };
    run(&config, &module("add", "add"));
    let all = known(&module("add", "add")).1;
    // `g` is the same; `f` has another leaf in it.
    let other_leaf = module("sub", "add");
    assert_eq!(known(&other_leaf), (ADDED - 6, 1));
    assert_eq!(run(&config, &other_leaf).0, ADDED - 6);
    assert_eq!(known(&other_leaf).1, all);
    // `f` is the same, and calls another `g`.
    let other_g = module("sub", "sub");
    assert_eq!(known(&other_g), (100 - 20 - 3, all - 1));
    assert_eq!(run(&config, &other_g).0, 100 - 20 - 3);
    assert_eq!(entries(folder).len(), 1);
}

#[test]
fn other_settings_are_other_entries() {
    let temp = TempDir::new().unwrap();
    let folder = &*temp.path().join("cache");
    let bytes = module("add", "add");
    run(&config(Some(folder)), &bytes);
    let mut interruptible = config(Some(folder));
    interruptible.interruption(true);
    let engine = Engine::new(&interruptible).unwrap();
    let module = Module::new(&engine, &bytes).unwrap();
    assert_eq!(module.remembered_functions(), 0);
    run(&interruptible, &bytes);
    assert_eq!(entries(folder).len(), 2);
}

/// Every byte is damaged, one in each run.
#[test]
fn a_damaged_entry_is_a_miss() {
    let temp = TempDir::new().unwrap();
    let folder = &*temp.path().join("cache");
    let hot = config(Some(folder));
    let bytes = module("add", "add");
    run(&hot, &bytes);
    let [path] = &entries(folder)[..] else {
        panic!("one entry");
    };
    let whole = fs::read(path).unwrap();
    // Nothing is compiled, which is slow, in a run of so few iterations.
    let engine = Engine::new(Config::new().cache(Some(Cache::new(folder)))).unwrap();
    let remembered = |entry: &[u8]| {
        fs::write(path, entry).unwrap();
        let module = Module::new(&engine, &bytes).unwrap();
        assert_eq!(call(&module).unwrap(), ADDED);
        module.remembered_functions()
    };
    let all = remembered(&whole);
    assert!(all >= 2);
    // The last blocks are adapters and the index.
    let blocks = blocks(&whole);
    let adapters = blocks[blocks.len() - 2].clone();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        let expected = if adapters.contains(&at) { all } else { 0 };
        assert_eq!(remembered(&damaged), expected, "byte {at}");
    }
    for len in [0, 1, 20, whole.len() / 2, whole.len() - 1] {
        assert_eq!(remembered(&whole[..len]), 0, "{len} bytes");
    }
    assert_eq!(remembered(&[&whole[..], &whole].concat()), 0);
    // It is written again by who has compiled.
    assert_eq!(run(&hot, &bytes), (ADDED, 0, true));
    assert_eq!(fs::read(path).unwrap(), whole);
}

/// Where the blocks of an entry are.
fn blocks(entry: &[u8]) -> Vec<Range<usize>> {
    const LIST: usize = 8 + 4 + 32 + 4;
    const HASH: usize = 32;
    let number = |at: usize| u32::from_le_bytes(entry[at..at + 4].try_into().unwrap()) as usize;
    let count = number(LIST - 4);
    let mut end = LIST + count * (4 + HASH) + HASH;
    let blocks = (0..count).map(|block| {
        let start = end;
        end += number(LIST + block * (4 + HASH));
        start..end
    });
    blocks.collect()
}

/// A module of `count` functions that have many instructions each, and `f`, which
/// calls those from `from` to `to` and adds up what they give.
fn large(count: u32) -> String {
    let mut text = String::from(
        "(module (type $unary (func (param i32) (result i32)))
            (memory 1)",
    );
    for func in 0..count {
        text += &format!("(func $f{func} (type $unary) (local i32)");
        for step in 0..100 {
            text += &format!(
                "(i32.store (i32.const {}) (i32.xor (local.get 0)
                    (i32.mul (i32.load (i32.const {})) (i32.const {}))))",
                4 * step,
                4 * (step + func) % 400,
                2 * (step + func) + 3,
            );
        }
        text += "(i32.add (local.get 0) (i32.load (i32.const 396))))";
    }
    text += "(table funcref (elem";
    (0..count).for_each(|func| text += &format!(" $f{func}"));
    text + "))
        (func (export \"f\") (param i32 i32) (result i32) (local i32)
            (loop $again
                (local.set 2 (i32.add (local.get 2)
                    (call_indirect (type $unary) (local.get 0) (local.get 0))))
                (br_if $again (i32.ne (local.get 1)
                    (local.tee 0 (i32.add (local.get 0) (i32.const 1))))))
            (local.get 2)))"
}

fn call_some(module: &Module, funcs: Range<i32>) -> i32 {
    let mut store = Store::new(module.engine(), ());
    let linker = Linker::new(module.engine());
    let instance = linker.instantiate(&mut store, module).unwrap();
    let f = instance.get_typed_func::<(i32, i32), i32>(&mut store, "f");
    f.unwrap()
        .call(&mut store, (funcs.start, funcs.end))
        .unwrap()
}

/// Of a large entry, a run reads what it calls: what is damaged elsewhere does not
/// matter, and what is damaged there is made anew. So for machine code, and for
/// lowered bodies.
#[test]
fn damage_matters_where_it_is() {
    for (count, writer) in [(40, config as fn(Option<&Path>) -> Config), (200, cold)] {
        let temp = TempDir::new().unwrap();
        let folder = &*temp.path().join("cache");
        let bytes = large(count).into_bytes();
        let all = 0..count as i32;
        let (first, last) = (all.start..1, all.end - 1..all.end);
        let expected = {
            let engine = Engine::new(&writer(Some(folder))).unwrap();
            let module = Module::new(&engine, &bytes).unwrap();
            let expected = [&all, &first, &last].map(|funcs| call_some(&module, funcs.clone()));
            assert!(module.remember().unwrap());
            expected
        };
        let path = entries(folder).remove(0);
        let whole = fs::read(&path).unwrap();
        let engine = Engine::new(&cold(Some(folder))).unwrap();
        // What some functions give, and how many of all were remembered.
        let remembered = |entry: &[u8], funcs: &Range<i32>| {
            fs::write(&path, entry).unwrap();
            let module = Module::new(&engine, &bytes).unwrap();
            let result = call_some(&module, funcs.clone());
            (
                result,
                module.remembered_functions() + module.remembered_bodies(),
            )
        };
        let known = remembered(&whole, &all).1;
        assert!(known >= count as usize);
        let (_, of_first) = remembered(&whole, &first);
        assert!(of_first < known / 2, "{of_first} of {known}");

        let blocks = blocks(&whole);
        assert!(blocks.len() > 3);
        let mut missed = 0;
        for block in &blocks {
            let mut damaged = whole.clone();
            damaged[block.start + block.len() / 2] ^= 0x10;
            let after = remembered(&damaged, &all);
            assert_eq!(after.0, expected[0]);
            if after.1 == 0 {
                // The index, without which there is nothing.
                assert_eq!(block.end, whole.len());
                continue;
            }
            missed += known - after.1;
            // A run needs one block or the other.
            let counts = [(&first, expected[1]), (&last, expected[2])].map(|(funcs, expected)| {
                let (result, count) = remembered(&damaged, funcs);
                assert_eq!(result, expected);
                count
            });
            assert!(counts.iter().any(|&count| count > 0), "{counts:?}");
        }
        // Each is in one block.
        assert_eq!(missed, known);

        // Whoever writes has what is whole, and what was made anew.
        let mut damaged = whole.clone();
        for block in &blocks[..blocks.len() - 2] {
            damaged[block.start] ^= 0x10;
        }
        fs::write(&path, damaged).unwrap();
        let engine = Engine::new(&writer(Some(folder))).unwrap();
        let module = Module::new(&engine, &bytes).unwrap();
        assert_eq!(call_some(&module, all.clone()), expected[0]);
        assert!(module.remember().unwrap());
        let written = fs::read(&path).unwrap();
        assert_eq!(remembered(&written, &all), (expected[0], known));
    }
}

/// What a run does not call stays in the cache, when it has something new.
#[test]
fn what_is_not_called_stays_remembered() {
    for writer in [config as fn(Option<&Path>) -> Config, cold] {
        let temp = TempDir::new().unwrap();
        let folder = &*temp.path().join("cache");
        let bytes = large(40).into_bytes();
        let run = |funcs: Range<i32>| {
            let engine = Engine::new(&writer(Some(folder))).unwrap();
            let module = Module::new(&engine, &bytes).unwrap();
            call_some(&module, funcs);
            let known = module.remembered_functions() + module.remembered_bodies();
            (known, module.remember().unwrap())
        };
        assert_eq!(run(0..20), (0, true));
        assert!(run(30..40).1);
        let (known, new) = run(0..40);
        assert!(known >= 31, "{known}");
        assert!(new);
        let (known, new) = run(0..40);
        assert!(known >= 41, "{known}");
        assert!(!new);
    }
}

#[test]
fn an_entry_under_the_name_of_another_is_a_miss() {
    let temp = TempDir::new().unwrap();
    let folder = &*temp.path().join("cache");
    let config = config(Some(folder));
    let (one, two) = (
        module("add", "add"),
        br#"(module (func (export "f") (param i32) (result i32) (local.get 0)) (memory 1))"#,
    );
    run(&config, &one);
    let first = entries(folder).remove(0);
    assert_eq!(run(&config, two).0, 100);
    let second = entries(folder).into_iter().find(|path| *path != first);
    fs::copy(&first, second.unwrap()).unwrap();
    assert_eq!(run(&config, two), (100, 0, true));
}

#[test]
fn a_cache_that_cannot_be_used_changes_nothing() {
    let temp = TempDir::new().unwrap();
    fs::set_permissions(temp.path(), fs::Permissions::from_mode(0o755)).unwrap();
    for folder in [temp.path(), "/proc/none".as_ref(), "/dev/null".as_ref()] {
        let engine = Engine::new(&config(Some(folder))).unwrap();
        let module = Module::new(&engine, module("add", "add")).unwrap();
        assert_eq!(call(&module).unwrap(), ADDED);
        assert!(module.remember().is_err());
        assert_eq!(call(&module).unwrap(), ADDED);
    }
}

#[test]
fn what_is_known_to_be_valid_is_not_validated_again() {
    let temp = TempDir::new().unwrap();
    let folder = &*temp.path().join("cache");
    let mut config = config(Some(folder));
    config.validation(rwasm::Validation::Lazy);
    let bytes = module("add", "add");
    let engine = Engine::new(&config).unwrap();
    let first = Module::new(&engine, &bytes).unwrap();
    first.validate_in_order().unwrap();
    assert!(first.remember().unwrap());
    // A module that differs in bodies alone has the same entry. It is not taken
    // for the one that was valid.
    let text = String::from_utf8(bytes).unwrap();
    let invalid = text.replace("(i32.const 5)", "(i64.const 5)");
    let second = Module::new(&engine, invalid).unwrap();
    assert!(matches!(second.validate_in_order(), Err(Error::Parse(_))));
}

/// What interpreted code has of every kind: branches, tables, calls of all kinds,
/// loops, constants that share a word with others.
const VARIED: &str = r#"(module
    (type $unary (func (param i32) (result i32)))
    (type $other (func (param i64)))
    (table funcref (elem $double $negate))
    (memory 1)
    (global $count (mut i32) (i32.const 0))
    (data (i32.const 16) "\07\00\00\00")
    (func $double (type $unary) (i32.shl (local.get 0) (i32.const 1)))
    (func $negate (type $unary) (i32.sub (i32.const 0) (local.get 0)))
    (func $pick (param i32) (result i32)
        (block $c (block $b (block $a
            (br_table $a $b $c (local.get 0)))
            (return (i32.const 1000)))
            (return (i32.load (i32.const 16))))
        (i32.trunc_f64_s (f64.mul (f64.const 2.5) (f64.convert_i32_s (local.get 0)))))
    ;; It compares canonical types, so that its words are never kept.
    (func $is_unary (param funcref) (result i32) (ref.test (ref $unary) (local.get 0)))
    (func (export "f") (param i32) (result i32) (local i32 i32)
        (local.set 2 (call $is_unary (table.get (i32.const 0))))
        (loop $again
            (local.set 2 (i32.add (local.get 2)
                (call_indirect (type $unary) (local.get 1)
                    (i32.and (local.get 1) (i32.const 1)))))
            (local.set 2 (i32.add (local.get 2) (call $pick (local.get 1))))
            (global.set $count (i32.add (global.get $count) (i32.const 1)))
            (local.set 1 (i32.add (local.get 1) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get 1) (i32.const 7))))
        (i32.add (local.get 2) (i32.mul (global.get $count) (local.get 0)))))"#;

fn varied() -> String {
    padded(VARIED)
}

/// For bodies that are validated when they are called, and never hot.
fn cold(folder: Option<&Path>) -> Config {
    let mut config = Config::new();
    config
        .tier(Tier::Auto)
        .cache(folder.map(Cache::new))
        .validation(rwasm::Validation::Lazy);
    config
}

#[test]
fn lowered_bodies_are_remembered() {
    let temp = TempDir::new().unwrap();
    let folder = &*temp.path().join("cache");
    let expected = run(&cold(None), varied().as_bytes()).0;
    let config = cold(Some(folder));
    assert_eq!(run(&config, varied().as_bytes()), (expected, 0, true));
    for _ in 0..2 {
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, varied()).unwrap();
        assert_eq!(module.remembered_bodies(), 0);
        assert_eq!(call(&module).unwrap(), expected);
        assert_eq!(module.remembered_bodies(), 4);
        // Nothing is new.
        assert!(!module.remember().unwrap());
    }
    // A body that is another one is lowered, the others are as before.
    let other = varied().replace("(i32.const 1000)", "(i32.const 1001)");
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, &other).unwrap();
    assert_eq!(call(&module).unwrap(), expected + 1);
    // One that is not valid is found out.
    let invalid = varied().replace("(return (i32.const 1000))", "(return (f32.const 1000))");
    let module = Module::new(&engine, &invalid).unwrap();
    assert!(
        call(&module)
            .unwrap_err()
            .to_string()
            .contains("type mismatch")
    );
}

/// Types are numbered by engine: code that was lowered in one names them in
/// another.
#[test]
fn lowered_bodies_know_types_by_what_they_are() {
    let temp = TempDir::new().unwrap();
    let config = cold(Some(&temp.path().join("cache")));
    let expected = run(&config, varied().as_bytes()).0;
    let engine = Engine::new(&config).unwrap();
    let types = "(module (type (func (param f64 f64))) (type (func (param i64 f64))))";
    let _before = Module::new(&engine, types).unwrap();
    let module = Module::new(&engine, varied()).unwrap();
    assert_eq!(call(&module).unwrap(), expected);
    assert_eq!(module.remembered_bodies(), 4);
}

#[test]
fn a_damaged_entry_with_lowered_bodies_is_a_miss() {
    let temp = TempDir::new().unwrap();
    let folder = &*temp.path().join("cache");
    let config = cold(Some(folder));
    let expected = run(&config, varied().as_bytes()).0;
    let path = entries(folder).remove(0);
    let whole = fs::read(&path).unwrap();
    let engine = Engine::new(&config).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        fs::write(&path, &damaged).unwrap();
        let module = Module::new(&engine, varied()).unwrap();
        assert_eq!(call(&module).unwrap(), expected, "byte {at}");
        assert_eq!(module.remembered_bodies(), 0, "byte {at}");
    }
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let module = Module::new(&engine, varied()).unwrap();
    assert_eq!(call(&module).unwrap(), expected);
    assert_eq!(module.remembered_bodies(), 0);
}

fn precompiled(config: &mut Config) -> Vec<u8> {
    let engine = Engine::new(config.tier(Tier::Jit)).unwrap();
    let module = Module::new(&engine, module("add", "add")).unwrap();
    module.precompiled()
}

fn why(result: Result<Module>) -> PrecompiledError {
    match result {
        Err(Error::Precompiled(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_precompiled_module_is_run_where_it_was_made_for() {
    let bytes = precompiled(&mut Config::new());
    let engine = Engine::default();
    assert_eq!(
        why(Module::new(&engine, &bytes)),
        PrecompiledError::NotAllowed
    );
    for tier in Tier::ALL {
        let engine = Engine::new(Config::new().allow_precompiled(true).tier(tier)).unwrap();
        let module = Module::new(&engine, &bytes).unwrap();
        let expected = if tier == Tier::Interp { 0 } else { 3 };
        assert_eq!(module.remembered_functions(), expected);
        assert_eq!(call(&module).unwrap(), ADDED);
        assert_eq!(engine.tier_stats().compiled, 0);
    }
    let metered = Engine::new(Config::new().allow_precompiled(true).consume_fuel(true)).unwrap();
    let error = why(Module::new(&metered, &bytes));
    assert!(
        matches!(error, PrecompiledError::OtherSettings { .. }),
        "{error}"
    );
}

#[test]
fn a_damaged_precompiled_module_is_refused() {
    let bytes = precompiled(&mut Config::new());
    let engine = Engine::new(Config::new().allow_precompiled(true)).unwrap();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        // In the front it is no such file any more, and no other either.
        let error = Module::from_precompiled(&engine, damaged);
        assert!(matches!(error, Err(Error::Precompiled(_))), "byte {at}");
    }
    for len in 0..bytes.len() {
        let error = Module::from_precompiled(&engine, bytes[..len].to_vec());
        assert!(matches!(error, Err(Error::Precompiled(_))), "{len} bytes");
    }
}
