#![allow(warnings)]
use super::*;
use cranelift_codegen::settings::{self, Configurable};
use rwasm_runtime::code::{CodeCell, CodeSettings, Entries};
use rwasm_runtime::layout::{Status, VmCtx};
use rwasm_runtime::types::TypeRegistry;
use std::sync::Arc;

unsafe extern "C" fn none(_: *mut VmCtx, _: *mut VmCtx, _: *const CodeCell, _: *mut u64) -> Status {
    Status::Ok
}

fn isa() -> cranelift_codegen::isa::OwnedTargetIsa {
    let mut flags = settings::builder();
    flags.set("opt_level", "speed").unwrap();
    flags.set("preserve_frame_pointers", "true").unwrap();
    flags.set("enable_multi_ret_implicit_sret", "true").unwrap();
    let mut b = cranelift_codegen::isa::lookup(target_lexicon::Triple::host()).unwrap();
    for f in [
        "has_sse3",
        "has_ssse3",
        "has_sse41",
        "has_sse42",
        "has_popcnt",
        "has_bmi1",
        "has_bmi2",
        "has_lzcnt",
        "has_avx",
        "has_avx2",
        "has_fma",
    ] {
        b.enable(f).unwrap();
    }
    b.finish(settings::Flags::new(flags)).unwrap()
}

#[test]
fn suite() {
    let dir = std::env::var("SMOKE").unwrap();
    let only = std::env::var("ONLY").ok();
    let isa = isa();
    let mut unsupported = std::collections::BTreeMap::new();
    let mut n = 0;
    let mut todo = vec![std::path::PathBuf::from(dir)];
    let mut ctx = cranelift_codegen::Context::new();
    let mut t = Translator::new(&*isa);
    while let Some(p) = todo.pop() {
        if p.is_dir() {
            todo.extend(std::fs::read_dir(p).unwrap().map(|e| e.unwrap().path()));
            continue;
        }
        if let Some(o) = &only
            && !p.to_str().unwrap().contains(o.as_str())
        {
            continue;
        }
        let mut modules = vec![];
        if p.extension().is_some_and(|e| e == "wasm") {
            modules.push(std::fs::read(&p).unwrap())
        } else if p.extension().is_some_and(|e| e == "wast") {
            let text = std::fs::read_to_string(&p).unwrap();
            let mut lexer = wast::lexer::Lexer::new(&text);
            lexer.allow_confusing_unicode(true);
            let Ok(buf) = wast::parser::ParseBuffer::new_with_lexer(lexer) else {
                continue;
            };
            let Ok(w) = wast::parser::parse::<wast::Wast>(&buf) else {
                continue;
            };
            for d in w.directives {
                if let wast::WastDirective::Module(mut m) = d {
                    if let Ok(b) = m.encode() {
                        modules.push(b)
                    }
                }
            }
        }
        for bytes in modules {
            let opts = rwasm_parser::ParseOptions::default();
            let Ok(module) = rwasm_parser::Module::parse(bytes.into(), &opts) else {
                continue;
            };
            if module.validate_all().is_err() {
                continue;
            }
            for settings in [
                CodeSettings {
                    guarded_memories: true,
                    ..Default::default()
                },
                CodeSettings {
                    fuel: true,
                    interruption: true,
                    ..Default::default()
                },
            ] {
                let code = ModuleCode::new(
                    Arc::new(rwasm_parser::Module::parse(module.bytes().clone(), &opts).unwrap()),
                    Arc::new(TypeRegistry::new()),
                    settings,
                    Entries {
                        interp: std::ptr::null(),
                        array: none,
                        native: std::ptr::null(),
                    },
                );
                for i in 0..module.bodies().len() as u32 {
                    ctx.clear();
                    match t.translate(&code, LocalFuncIndex::from_u32(i), &mut ctx.func) {
                        Ok(_) => {
                            n += 1;
                            if let Err(e) = cranelift_codegen::verify_function(&ctx.func, &*isa) {
                                panic!("{p:?} {i}: {}\n{}", e, ctx.func)
                            }
                            if let Err(e) = ctx.compile(&*isa, &mut Default::default()) {
                                panic!("{p:?} {i}: {:?}", e)
                            }
                        }
                        Err(TranslateError::Unsupported { instruction, .. }) => {
                            *unsupported.entry(instruction).or_insert(0) += 1
                        }
                        Err(e) => panic!("{p:?} {i}: {e}"),
                    }
                }
            }
        }
    }
    println!("{n} ok; {unsupported:#?}");
}
