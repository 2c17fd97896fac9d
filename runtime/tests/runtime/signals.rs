//! Faults: the guest's become traps, all others go where they went before.

use crate::child::{assert_killed_by, assert_success, in_child, in_children};
use rwasm_runtime::sys::signals::{Lookup, TrapSite, register};
use rwasm_runtime::trap::Trap;
use std::ffi::{c_int, c_void};
use std::ptr;

fn no_sites(_pc: usize) -> Option<TrapSite> {
    None
}

/// Reads from a page that nobody mapped.
fn fault() {
    // SAFETY: none; this is how the tests fault.
    unsafe { ptr::without_provenance::<u8>(4096).read_volatile() };
}

/// Installs an action for SIGSEGV as a program that embeds the runtime would.
fn install(action: usize, flags: c_int) {
    // SAFETY: all-zero bytes are a valid action, whose handler is of the type
    // that the flags say.
    unsafe {
        let mut new: libc::sigaction = std::mem::zeroed();
        new.sa_sigaction = action;
        new.sa_flags = flags;
        assert_eq!(libc::sigaction(libc::SIGSEGV, &new, ptr::null_mut()), 0);
    }
}

unsafe extern "C" fn plain_handler(signal: c_int) {
    // SAFETY: `_exit` may be called in a handler.
    unsafe { libc::_exit(if signal == libc::SIGSEGV { 40 } else { 1 }) }
}

unsafe extern "C" fn info_handler(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel, or our handler, passes valid pointers.
    unsafe {
        let right = signal == libc::SIGSEGV && (*info).si_addr().addr() == 4096;
        libc::_exit(if right && !context.is_null() { 41 } else { 1 })
    }
}

unsafe extern "C" fn returning_handler(_signal: c_int) {}

/// Installs an action, then our handler, then faults.
fn fault_after(action: usize, flags: c_int) {
    install(action, flags);
    register(no_sites).unwrap();
    register(no_sites).unwrap();
    fault();
}

#[test]
fn foreign_handlers_see_foreign_faults() {
    let statuses = in_children(
        "signals::foreign_handlers_see_foreign_faults",
        "",
        &[
            &|| fault_after(plain_handler as *const () as usize, 0),
            &|| fault_after(info_handler as *const () as usize, libc::SA_SIGINFO),
        ],
    );
    assert_eq!(statuses[0].code(), Some(40));
    assert_eq!(statuses[1].code(), Some(41));
}

#[test]
fn faults_kill_where_nobody_handles_them() {
    let statuses = in_children(
        "signals::faults_kill_where_nobody_handles_them",
        "ulimit -c 0",
        &[&|| fault_after(libc::SIG_DFL, 0), &|| {
            fault_after(libc::SIG_IGN, 0)
        }],
    );
    for status in statuses {
        assert_killed_by(status, libc::SIGSEGV);
    }
}

/// Rust's own handler is chained to as well: it resets to the default.
#[test]
fn faults_of_the_host_still_kill() {
    let status = in_child(
        "signals::faults_of_the_host_still_kill",
        "ulimit -c 0",
        || {
            register(no_sites).unwrap();
            fault();
        },
    );
    assert_killed_by(status, libc::SIGSEGV);
}

/// ... and still tells stack overflows of the host, by aborting.
#[test]
fn stack_overflows_of_the_host_are_still_told() {
    fn overflow(depth: usize) -> usize {
        let frame = std::hint::black_box([depth; 64]);
        if depth == usize::MAX {
            0
        } else {
            overflow(depth + 1) + frame[depth % 64]
        }
    }
    let test = "signals::stack_overflows_of_the_host_are_still_told";
    let status = in_child(test, "ulimit -c 0", || {
        register(no_sites).unwrap();
        overflow(0);
    });
    assert_killed_by(status, libc::SIGABRT);
}

#[test]
fn sent_signals_are_treated_as_before() {
    fn send_after(action: usize) {
        install(action, 0);
        register(no_sites).unwrap();
        for _ in 0..2 {
            // SAFETY: sends a signal to this thread.
            assert_eq!(unsafe { libc::raise(libc::SIGSEGV) }, 0);
        }
    }
    let statuses = in_children(
        "signals::sent_signals_are_treated_as_before",
        "ulimit -c 0",
        &[
            &|| send_after(libc::SIG_IGN),
            &|| send_after(returning_handler as *const () as usize),
            &|| send_after(libc::SIG_DFL),
        ],
    );
    assert_success(statuses[0]);
    assert_success(statuses[1]);
    assert_killed_by(statuses[2], libc::SIGSEGV);
}

#[test]
fn there_is_room_for_a_few_lookups() {
    let status = in_child("signals::there_is_room_for_a_few_lookups", "", || {
        // Bodies that differ, lest their addresses are merged.
        macro_rules! lookups {
            ($($n:literal)*) => {
                [$(|pc| (pc == $n).then_some(TrapSite { trap: Trap::OutOfFuel, landing: None })),*]
            };
        }
        let lookups: [Lookup; 5] = lookups!(1 2 3 4 5);
        for lookup in &lookups[..4] {
            register(*lookup).unwrap();
            register(*lookup).unwrap();
        }
        assert!(register(lookups[4]).is_err());
    });
    assert_success(status);
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod guest {
    //! A segment in assembly whose access is a trap site.

    use super::*;
    use crate::fixture::Fixture;
    use rwasm_parser::FuncType;
    use rwasm_runtime::code::CodeCell;
    use rwasm_runtime::entry;
    use rwasm_runtime::error::Pending;
    use rwasm_runtime::layout::{Segment, SegmentKind, Status, StoreCtx, VmCtx};
    use rwasm_runtime::memory::Memory;
    use rwasm_runtime::store::Store;
    use std::arch::naked_asm;
    use std::mem::offset_of;

    /// Reads a byte at `address` between entering and leaving `segment`; gives
    /// 0, or the status that the handler resumes with.
    #[unsafe(naked)]
    unsafe extern "sysv64" fn read(
        segment: *mut Segment,
        address: usize,
        ip: *const u64,
        fp: *mut u64,
    ) -> u32 {
        naked_asm!(
            "push rbp",
            "mov [rdi + {sp}], rsp",
            "lea rax, [rip + 3f]",
            "mov [rdi + {pc}], rax",
            "mov r8, rsi",
            "mov rdi, rdx",
            "mov rsi, rcx",
            "2: movzx eax, byte ptr [r8]",
            "xor eax, eax",
            "3: pop rbp",
            "ret",
            sp = const offset_of!(Segment, resume_sp),
            pc = const offset_of!(Segment, resume_pc),
        )
    }

    /// The code of [`read`] as a trap site: 64 bytes are enough.
    fn sites(pc: usize) -> Option<TrapSite> {
        let start = read as *const () as usize;
        let inside = (start..start + 64).contains(&pc);
        inside.then_some(TrapSite {
            trap: Trap::MemoryOutOfBounds,
            landing: None,
        })
    }

    const IP: *const u64 = ptr::without_provenance(0x1230);
    const FP: *mut u64 = ptr::without_provenance_mut(0x4560);

    /// Enters a segment that reads the address in the first slot, and leaves
    /// there what it ended with.
    unsafe extern "C" fn array_entry(
        callee: *mut VmCtx,
        _caller: *mut VmCtx,
        _cell: *const CodeCell,
        slots: *mut u64,
    ) -> Status {
        // SAFETY: the block is live, and the test passes a slot.
        unsafe {
            let ctx: *mut StoreCtx = (*callee).store;
            let mut segment = Segment {
                previous: (*ctx).segment,
                resume_sp: 0,
                resume_pc: 0,
                resume_fp: 0,
                exit_fp: ptr::null_mut(),
                exit_ip: ptr::null(),
                kind: SegmentKind::Interpreter,
            };
            (*ctx).segment = &raw mut segment;
            let status = read(&raw mut segment, *slots as usize, IP, FP);
            (*ctx).segment = segment.previous;
            if status == Status::Ok as u32 {
                return Status::Ok;
            }
            assert_eq!(status, Status::Trap as u32);
            assert_eq!((segment.exit_ip, segment.exit_fp), (IP, FP));
            let trap = (*ctx.cast::<Store>()).take_hardware_trap().unwrap();
            Store::raise(ctx, trap)
        }
    }

    /// Calls a guest that reads `offset` bytes behind the base of a memory.
    fn read_memory(fixture: &mut Fixture, base: usize, offset: usize) -> Status {
        let ty = FuncType {
            params: [].into(),
            results: [].into(),
        };
        let id = fixture.registry.register_func_type(ty).unwrap();
        let mut slots = [(base + offset) as u64];
        // SAFETY: the entry wants one slot.
        unsafe {
            let func = fixture.store.new_host_func(id, array_entry, Box::new(()));
            entry::call(fixture.store.as_ptr(), func.as_ptr(), slots.as_mut_ptr())
        }
    }

    fn fixture() -> (Fixture, usize) {
        register(sites).unwrap();
        let mut fixture = Fixture::with(true, Default::default());
        fixture.instance("(module (memory 0) (memory 0))");
        let instance = fixture.instance(r#"(module (memory (export "m") 1 2))"#);
        let memory = fixture.memory(instance, "m");
        let memory: &Memory = fixture.store.get(memory);
        let base = memory.def.base.addr();
        (fixture, base)
    }

    #[test]
    fn faults_of_the_guest_are_traps() {
        let (mut fixture, base) = fixture();
        for _ in 0..3 {
            for (offset, inside) in [
                (0, true),
                (0xffff, true),
                (0x10000, false),
                ((1 << 32) + 0x1ff_ffff, false),
            ] {
                let status = read_memory(&mut fixture, base, offset);
                if inside {
                    assert_eq!(status, Status::Ok);
                    continue;
                }
                assert_eq!(status, Status::Trap);
                let pending = fixture.store.take_pending();
                assert!(matches!(
                    pending,
                    Some(Pending::Trap(Trap::MemoryOutOfBounds, _))
                ));
            }
        }
    }

    #[test]
    fn threads_fault_independently() {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let (mut fixture, base) = fixture();
                    for _ in 0..1000 {
                        assert_eq!(read_memory(&mut fixture, base, 0x10000), Status::Trap);
                        assert_eq!(read_memory(&mut fixture, base, 0), Status::Ok);
                    }
                });
            }
        });
    }

    /// A trap site alone is no excuse, nor is an address in a memory.
    #[test]
    fn other_faults_of_the_guest_are_not_hidden() {
        let statuses = in_children(
            "signals::guest::other_faults_of_the_guest_are_not_hidden",
            "ulimit -c 0",
            &[
                // At a site, but outside all memories.
                &|| {
                    let (mut fixture, _) = fixture();
                    read_memory(&mut fixture, 4096, 0);
                },
                // In a memory of a store that is not running.
                &|| {
                    let (_other, base) = fixture();
                    read_memory(&mut Fixture::new(), base, 0x10000);
                },
                // In a memory, but not at a site.
                &|| {
                    let (_fixture, base) = fixture();
                    // SAFETY: none; this is how the test faults.
                    unsafe { ptr::without_provenance::<u8>(base + 0x10000).read_volatile() };
                },
            ],
        );
        for status in statuses {
            assert_killed_by(status, libc::SIGSEGV);
        }
    }
}
