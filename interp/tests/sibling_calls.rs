//! Handlers end in jumps: no sibling call got lost.
//!
//! A handler calls the next one as its last act, and LLVM makes a jump of that
//! call, unless something keeps the handler's frame alive: a local whose address
//! is taken, a value to drop, a seventh integer argument. Then the native stack
//! grows with every instruction that the guest executes. This test finds what
//! such a loss looks like in its own program, which has all handlers in it: a
//! call through a register, or of another handler, behind which there is only
//! the way out.
//!
//! Without optimisation a loop calls the handlers, so that there is nothing to
//! find.
#![cfg(all(target_arch = "x86_64", target_os = "linux", not(debug_assertions)))]

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind, Register};
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};
use std::collections::HashSet;
use std::{env, fs};

/// Where handlers are, in mangled names.
const HANDLERS: &str = "rwasm_interp4exec";

/// What handlers' tables are called: they stand between the code and hold
/// distances.
const TABLE: &str = "5table17h";

/// Functions beside the handlers that may be called as a last act: they end the
/// chain.
const ENDS: &str = "4trap5raise";

/// Fewer than this means that they were not found, not that they are good.
const LEAST: usize = 5_000;

struct Function<'a> {
    name: &'a str,
    address: u64,
    code: &'a [u8],
}

#[test]
fn no_sibling_call_is_lost() {
    // Code that is not linked cannot be looked at: this names all of it.
    assert!(!rwasm_interp::ENTRIES.interp.is_null());
    let program = fs::read(env::current_exe().unwrap()).unwrap();
    let program = object::File::parse(&*program).unwrap();
    let functions = functions(&program);
    assert!(functions.len() > LEAST, "{} handlers", functions.len());
    let handlers: HashSet<u64> = functions.iter().map(|function| function.address).collect();
    let lost: Vec<String> = functions
        .iter()
        .filter_map(|function| {
            let at = lost_call(function.code, function.address, &handlers)?;
            Some(format!("{} at {at:#x}", function.name))
        })
        .collect();
    assert!(lost.is_empty(), "{}", lost.join("\n"));
}

fn functions<'a>(program: &'a object::File<'a>) -> Vec<Function<'a>> {
    let symbols = program.symbols().filter_map(|symbol| {
        let name = symbol.name().ok()?;
        let wanted = symbol.kind() == SymbolKind::Text
            && name.contains(HANDLERS)
            && ![TABLE, ENDS].iter().any(|other| name.contains(other));
        let section = program.section_by_index(symbol.section_index()?).ok()?;
        let code = section
            .data_range(symbol.address(), symbol.size())
            .ok()
            .flatten()?;
        wanted.then_some(Function {
            name,
            address: symbol.address(),
            code,
        })
    });
    symbols.collect()
}

/// Where there is a call that should have been a jump.
fn lost_call(code: &[u8], address: u64, handlers: &HashSet<u64>) -> Option<u64> {
    // The last call, as long as nothing but the way out followed it.
    let mut call = None;
    for instruction in Decoder::with_ip(64, code, address, DecoderOptions::NONE) {
        match instruction.flow_control() {
            FlowControl::Return if call.is_some() => return call,
            FlowControl::IndirectCall if !through_got(&instruction) => {
                call = Some(instruction.ip());
            }
            FlowControl::Call => {
                let target = instruction.near_branch_target();
                call = handlers.contains(&target).then_some(instruction.ip());
            }
            _ if is_way_out(&instruction) => {}
            _ => call = None,
        }
    }
    None
}

/// Calls of libraries go through addresses at a distance from the code.
fn through_got(instruction: &Instruction) -> bool {
    instruction.op0_kind() == OpKind::Memory && instruction.is_ip_rel_memory_operand()
}

/// What stands between a call and the return: registers and stack restored.
fn is_way_out(instruction: &Instruction) -> bool {
    match instruction.mnemonic() {
        Mnemonic::Pop | Mnemonic::Leave | Mnemonic::Vzeroupper | Mnemonic::Nop => true,
        Mnemonic::Add | Mnemonic::Lea | Mnemonic::Mov => {
            instruction.op0_register() == Register::RSP
        }
        _ => false,
    }
}

/// The test's eyes are good: it sees a loss where there is one.
#[test]
fn a_lost_call_is_seen() {
    let handlers = HashSet::from([0x1000]);
    let cases: &[(&[u8], bool)] = &[
        // jmp rax
        (&[0xff, 0xe0], false),
        // push rax; call rax; pop rcx; ret
        (&[0x50, 0xff, 0xd0, 0x59, 0xc3], true),
        // call [rdi]; add rsp, 8; pop rbx; ret
        (&[0xff, 0x17, 0x48, 0x83, 0xc4, 0x08, 0x5b, 0xc3], true),
        // call rax; mov eax, 1; pop rcx; ret
        (&[0xff, 0xd0, 0xb8, 1, 0, 0, 0, 0x59, 0xc3], false),
        // call [rip + 16]; pop rcx; ret
        (&[0xff, 0x15, 16, 0, 0, 0, 0x59, 0xc3], false),
        // call 0x1000; ret
        (&[0xe8, 0xfb, 0x0f, 0, 0, 0xc3], true),
        // call 0x1001; ret
        (&[0xe8, 0xfc, 0x0f, 0, 0, 0xc3], false),
    ];
    for (code, lost) in cases {
        let found = lost_call(code, 0, &handlers);
        assert_eq!(found.is_some(), *lost, "{code:x?}");
    }
}
