//! The interpreter's machine registers, the calling convention of handlers,
//! and dispatch.
//!
//! A *handler* executes one instruction and ends in an indirect jump to the
//! handler of the next one. On stable Rust that jump is a sibling call, which
//! LLVM makes from opt-level 1 on if the caller and the callee have the same
//! signature and nothing must be dropped. All state of the interpreter is in the
//! arguments, which the convention keeps in registers:
//!
//! | register (x86-64) | argument | meaning |
//! |---|---|---|
//! | rdi | `ip` | the current instruction |
//! | rsi | `fp` | the current frame: its first argument's slot |
//! | rdx | `acc` | the integer accumulator |
//! | rcx, r8, r9 | `p0`-`p2` | pinned locals of the current loop |
//! | xmm0 | `fa` | the float accumulator (an `f32` in its low half) |
//!
//! A seventh integer argument would be passed in memory; so would everything if
//! a handler took the address of a local, which is why cold paths are sibling
//! calls as well.
//!
//! Built without optimisation (`rwasm_trampoline`) or with debug assertions, whose
//! panics need the address of what they check, the same handlers take their
//! registers by pointer and return to a loop.

use crate::arch;
use rwasm_runtime::layout::{Segment, Status, StoreCtx, VmCtx};

/// An instruction's address. Instructions are 8-byte words: the address of the
/// handler, then operands whose format the handler knows.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Ip(pub(crate) *const u64);

/// The registers, in the order of the arguments.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Regs {
    pub(crate) ip: Ip,
    pub(crate) fp: *mut u64,
    pub(crate) acc: u64,
    pub(crate) p0: u64,
    pub(crate) p1: u64,
    pub(crate) p2: u64,
    pub(crate) fa: f64,
    /// Where to leave the registers for the loop.
    #[cfg(any(rwasm_trampoline, debug_assertions))]
    pub(crate) home: *mut Regs,
}

/// What a handler returns when its chain ends: a [`Status`] as `u32`.
pub(crate) type Outcome = u32;

/// Returned to the trampoline loop: go on with the next instruction.
#[cfg(any(rwasm_trampoline, debug_assertions))]
pub(crate) const CONTINUE: Outcome = u32::MAX;

/// The code of one instruction.
#[cfg(all(not(any(rwasm_trampoline, debug_assertions)), target_arch = "x86_64"))]
pub(crate) type Handler =
    unsafe extern "sysv64" fn(Ip, *mut u64, u64, u64, u64, u64, f64) -> Outcome;
/// The code of one instruction.
#[cfg(all(
    not(any(rwasm_trampoline, debug_assertions)),
    not(target_arch = "x86_64")
))]
pub(crate) type Handler = unsafe extern "C" fn(Ip, *mut u64, u64, u64, u64, u64, f64) -> Outcome;
/// The code of one instruction.
#[cfg(any(rwasm_trampoline, debug_assertions))]
pub(crate) type Handler = unsafe extern "C" fn(*mut Regs) -> Outcome;

/// Defines a handler. Its body is unsafe code under the one contract of all
/// handlers: `r.ip` is an instruction of this handler, made by lowering from a
/// validated body; `r.fp` is the live frame that it belongs to, with all slots
/// that the instruction names; and `fp[VMCTX]` is a live instance.
#[cfg(all(not(any(rwasm_trampoline, debug_assertions)), target_arch = "x86_64"))]
macro_rules! handler {
    ($($rest:tt)*) => { crate::exec::regs::handler_with_abi! { "sysv64", $($rest)* } };
}
#[cfg(all(
    not(any(rwasm_trampoline, debug_assertions)),
    not(target_arch = "x86_64")
))]
macro_rules! handler {
    ($($rest:tt)*) => { crate::exec::regs::handler_with_abi! { "C", $($rest)* } };
}

#[cfg(not(any(rwasm_trampoline, debug_assertions)))]
macro_rules! handler_with_abi {
    ($abi:literal, $(#[$meta:meta])* fn $name:ident<$($g:ident : $bound:ident),* $(; const $cg:ident : $ct:ty)?>($r:ident) $body:block) => {
        $(#[$meta])*
        #[allow(unused_mut, reason = "not every handler changes a register")]
        pub(crate) unsafe extern $abi fn $name<$($g: $bound,)* $(const $cg: $ct)?>(
            ip: $crate::exec::regs::Ip, fp: *mut u64, acc: u64, p0: u64, p1: u64, p2: u64, fa: f64,
        ) -> $crate::exec::regs::Outcome {
            let mut $r = $crate::exec::regs::Regs { ip, fp, acc, p0, p1, p2, fa };
            // SAFETY: the contract of all handlers (see `handler!`).
            unsafe { $body }
        }
    };
}

#[cfg(any(rwasm_trampoline, debug_assertions))]
macro_rules! handler {
    ($(#[$meta:meta])* fn $name:ident<$($g:ident : $bound:ident),* $(; const $cg:ident : $ct:ty)?>($r:ident) $body:block) => {
        $(#[$meta])*
        #[allow(unused_mut, reason = "not every handler changes a register")]
        pub(crate) unsafe extern "C" fn $name<$($g: $bound,)* $(const $cg: $ct)?>(home: *mut $crate::exec::regs::Regs) -> $crate::exec::regs::Outcome {
            // SAFETY: the contract of all handlers (see `handler!`); the loop
            // passes its own registers.
            unsafe {
                let mut $r = *home;
                $body
            }
        }
    };
}

/// Ends a handler by running `$handler` with the registers as they are.
#[cfg(not(any(rwasm_trampoline, debug_assertions)))]
macro_rules! tail {
    ($handler:expr, $r:ident) => {
        return $handler($r.ip, $r.fp, $r.acc, $r.p0, $r.p1, $r.p2, $r.fa)
    };
}
#[cfg(any(rwasm_trampoline, debug_assertions))]
macro_rules! tail {
    ($handler:expr, $r:ident) => {{
        *$r.home = $r;
        return $handler($r.home);
    }};
}

/// Ends a handler by running the instruction at `ip`.
#[cfg(not(any(rwasm_trampoline, debug_assertions)))]
macro_rules! dispatch {
    ($r:ident) => {{
        let next = $r.ip.handler();
        crate::exec::regs::tail!(next, $r)
    }};
}
#[cfg(any(rwasm_trampoline, debug_assertions))]
macro_rules! dispatch {
    ($r:ident) => {{
        *$r.home = $r;
        return crate::exec::regs::CONTINUE;
    }};
}

/// [`dispatch`] from one arm of a conditional handler. The empty `asm!` differs
/// per arm, so that LLVM cannot merge the two indirect jumps into one, which
/// the branch predictor would then have to tell apart (2-3 % measured).
#[cfg(not(any(rwasm_trampoline, debug_assertions)))]
macro_rules! dispatch_arm {
    ($r:ident, $arm:literal) => {{
        let mut next = $r.ip.handler();
        // Nothing is read through the pointer: the assembler sees a comment.
        #[allow(clippy::pointers_in_nomem_asm_block)]
        {
            std::arch::asm!(concat!("/* ", $arm, " {0} */"), inout(reg) next,
                options(nomem, nostack, preserves_flags));
        }
        crate::exec::regs::tail!(next, $r)
    }};
}
#[cfg(any(rwasm_trampoline, debug_assertions))]
macro_rules! dispatch_arm {
    ($r:ident, $arm:literal) => {
        dispatch!($r)
    };
}

#[cfg(not(any(rwasm_trampoline, debug_assertions)))]
pub(crate) use handler_with_abi;
pub(crate) use {dispatch, dispatch_arm, handler, tail};

/// Runs the instructions from `regs.ip` until the chain ends, as part of the
/// segment `segment`, which a hardware trap resumes at.
///
/// # Safety
/// The contract of all handlers holds for `regs`; `segment` is live and the
/// store's newest segment.
pub(crate) unsafe fn run(regs: &mut Regs, segment: *mut Segment) -> Status {
    // SAFETY: the caller's contract.
    let outcome = unsafe { arch::enter(regs, segment) };
    match outcome {
        0 => Status::Ok,
        1 => Status::Trap,
        2 => Status::Exception,
        _ => Status::TailCall,
    }
}

/// The loop behind handlers that are not sibling calls.
#[cfg(any(rwasm_trampoline, debug_assertions))]
pub(crate) unsafe extern "C" fn run_loop(regs: *mut Regs) -> Outcome {
    // SAFETY: the contract of `run`.
    unsafe {
        (*regs).home = regs;
        loop {
            let handler = (*regs).ip.handler();
            let outcome = handler(regs);
            if outcome != CONTINUE {
                return outcome;
            }
        }
    }
}

impl Ip {
    /// The handler of this instruction.
    #[inline(always)]
    pub(crate) unsafe fn handler(self) -> Handler {
        // SAFETY: an instruction's first word is its handler's address.
        unsafe { std::mem::transmute::<u64, Handler>(*self.0) }
    }

    /// The `u16` at byte offset `at` of the instruction.
    #[inline(always)]
    pub(crate) unsafe fn u16(self, at: usize) -> usize {
        // SAFETY: the handler knows its instruction's format.
        unsafe { usize::from(*self.0.byte_add(at).cast::<u16>()) }
    }

    /// The `u32` at byte offset `at` of the instruction.
    #[inline(always)]
    pub(crate) unsafe fn u32(self, at: usize) -> u32 {
        // SAFETY: as above.
        unsafe { *self.0.byte_add(at).cast::<u32>() }
    }

    /// The word at byte offset `at` of the instruction.
    #[inline(always)]
    pub(crate) unsafe fn u64(self, at: usize) -> u64 {
        // SAFETY: as above.
        unsafe { *self.0.byte_add(at) }
    }

    /// The instruction `bytes` further on.
    #[inline(always)]
    pub(crate) unsafe fn next(self, bytes: usize) -> Ip {
        // SAFETY: lowering puts an instruction behind each one that falls through.
        Ip(unsafe { self.0.byte_add(bytes) })
    }
}

impl Regs {
    /// Goes on to the second part of a fused instruction, which has the format
    /// of an instruction of its own but for the handler's address.
    #[inline(always)]
    pub(super) fn second_part(&mut self) {
        self.ip = Ip(self.ip.0.wrapping_sub(1));
    }
}

/// The header of a frame, at fixed offsets below its first slot.
///
/// ```text
///  fp[-6]  instance (*mut VmCtx)      ┐ results of the call are returned
///  fp[-5]  ip of the second loop slot │ from fp[-6] upwards: the caller's
///  fp[-4]  ip of the first loop slot  │ operand stack at the height that its
///  fp[-3]  return ip                  │ arguments began at
///  fp[-2]  caller's fp                │
///  fp[-1]  base of guarded memory 0   ┘
///  fp[0]   arguments, locals, operands, outgoing arguments
/// ```
pub(crate) mod header {
    use rwasm_runtime::tunables::FRAME_HEADER_SLOTS;

    /// Offset of the base of memory 0.
    pub(crate) const MEMORY: isize = -1;
    /// Offset of the caller's frame pointer.
    pub(crate) const CALLER: isize = -2;
    /// Offset of the return address.
    pub(crate) const RETURN: isize = -3;
    /// Offset of the header address of the innermost kind of loop; the slot
    /// for loops one level out is one below.
    pub(crate) const LOOP: isize = -4;
    /// Offset of the instance.
    pub(crate) const VMCTX: isize = -6;
    /// Offset of the first result.
    pub(crate) const RESULT: isize = -(FRAME_HEADER_SLOTS as isize);
}

impl Regs {
    /// The value of frame slot `slot`.
    #[inline(always)]
    pub(crate) unsafe fn slot(&self, slot: usize) -> u64 {
        // SAFETY: the contract of all handlers.
        unsafe { *self.fp.add(slot) }
    }

    /// Sets frame slot `slot`.
    #[inline(always)]
    pub(crate) unsafe fn set_slot(&mut self, slot: usize, value: u64) {
        // SAFETY: the contract of all handlers.
        unsafe { *self.fp.add(slot) = value }
    }

    /// A word of the frame's header.
    #[inline(always)]
    pub(crate) unsafe fn header(&self, offset: isize) -> u64 {
        // SAFETY: every frame has a header.
        unsafe { *self.fp.offset(offset) }
    }

    /// Sets a word of the frame's header.
    #[inline(always)]
    pub(crate) unsafe fn set_header(&mut self, offset: isize, value: u64) {
        // SAFETY: every frame has a header.
        unsafe { *self.fp.offset(offset) = value }
    }

    /// The running instance.
    #[inline(always)]
    pub(crate) unsafe fn vmctx(&self) -> *mut VmCtx {
        // SAFETY: every frame has its instance in its header.
        unsafe { self.header(header::VMCTX) as *mut VmCtx }
    }

    /// The running store.
    #[inline(always)]
    pub(crate) unsafe fn store(&self) -> *mut StoreCtx {
        // SAFETY: every instance block points to its store.
        unsafe { (*self.vmctx()).store }
    }

    /// Loads the pinned locals from the slots named at bytes `at..at + 6` of
    /// the instruction (or, for a negative reach, of the one before).
    #[inline(always)]
    pub(crate) unsafe fn load_pins(&mut self, pins: *const u16) {
        // SAFETY: lowering encodes three slots of the current frame there.
        unsafe {
            self.p0 = self.slot(usize::from(*pins));
            self.p1 = self.slot(usize::from(*pins.add(1)));
            self.p2 = self.slot(usize::from(*pins.add(2)));
        }
    }
}

/// Where an operand is, as an index into handler tables.
pub(crate) mod class {
    /// In a frame slot.
    pub(crate) const SLOT: usize = 0;
    /// In the accumulator of its kind.
    pub(crate) const ACC: usize = 1;
    /// In the first pinned local's register; the others follow.
    pub(crate) const PIN: usize = 2;
    /// In the instruction (integers).
    pub(crate) const CONST: usize = 5;
    /// In the instruction (floats, which are never pinned).
    pub(crate) const FLOAT_CONST: usize = 2;
}

/// The class of an integer operand or result.
pub(crate) trait Class {
    /// One of [`class`].
    const INDEX: usize;
}

/// The class of a float operand or result.
pub(crate) trait FloatClass {
    /// One of [`class`].
    const INDEX: usize;
}

macro_rules! classes {
    ($($trait:ident: $($name:ident = $index:expr),*;)*) => {
        $($(
            pub(crate) struct $name;
            impl $trait for $name { const INDEX: usize = $index; }
        )*)*
    };
}
classes! {
    Class: S = class::SLOT, A = class::ACC, P0 = class::PIN, P1 = class::PIN + 1,
        P2 = class::PIN + 2, K = class::CONST;
    FloatClass: FS = class::SLOT, FA = class::ACC, FK = class::FLOAT_CONST;
}

impl Regs {
    /// Reads an operand of class `C`: its slot number stands at byte `slot_at`,
    /// its constant at byte `const_at`.
    #[inline(always)]
    pub(crate) unsafe fn read<C: Class>(&self, slot_at: usize, const_at: usize) -> u64 {
        // SAFETY: the handler knows its instruction's format.
        unsafe {
            match C::INDEX {
                class::SLOT => self.slot(self.ip.u16(slot_at)),
                class::ACC => self.acc,
                class::CONST => self.ip.u64(const_at),
                pin => self.pin(pin),
            }
        }
    }

    /// Reads an operand whose constant, unless it is `wide`, has 32 bits: these
    /// stand in the operand word.
    #[inline(always)]
    pub(crate) unsafe fn read_sized<C: Class>(&self, slot_at: usize, wide: bool) -> u64 {
        // SAFETY: the handler knows its instruction's format.
        unsafe {
            match C::INDEX {
                class::CONST if !wide => u64::from(self.ip.u32(12)),
                _ => self.read::<C>(slot_at, 16),
            }
        }
    }

    /// As [`Regs::read`], with a constant of 32 bits, sign-extended.
    #[inline(always)]
    pub(crate) unsafe fn read_short<C: Class>(&self, slot_at: usize, const_at: usize) -> u64 {
        // SAFETY: the handler knows its instruction's format.
        unsafe {
            match C::INDEX {
                class::CONST => self.ip.u32(const_at) as i32 as u64,
                _ => self.read::<C>(slot_at, 0),
            }
        }
    }

    #[inline(always)]
    fn pin(&self, class: usize) -> u64 {
        match class - class::PIN {
            0 => self.p0,
            1 => self.p1,
            _ => self.p2,
        }
    }

    /// Writes a result of class `C`. Slots are always written unless the result
    /// is for the accumulator alone, so that the frame holds every local.
    #[inline(always)]
    pub(crate) unsafe fn write<C: Class>(&mut self, slot_at: usize, value: u64) {
        // SAFETY: the handler knows its instruction's format.
        unsafe {
            if C::INDEX != class::ACC {
                self.set_slot(self.ip.u16(slot_at), value);
            }
        }
        match C::INDEX {
            class::SLOT | class::ACC => self.acc = value,
            pin => match pin - class::PIN {
                0 => self.p0 = value,
                1 => self.p1 = value,
                _ => self.p2 = value,
            },
        }
    }

    /// What was just written as a result of class `C`.
    #[inline(always)]
    pub(crate) fn result<C: Class>(&self) -> u64 {
        match C::INDEX {
            class::SLOT | class::ACC => self.acc,
            pin => self.pin(pin),
        }
    }

    /// Reads a float operand's bits.
    #[inline(always)]
    pub(crate) unsafe fn read_float<C: FloatClass, F: Float>(
        &self,
        slot_at: usize,
        const_at: usize,
    ) -> F {
        // SAFETY: the handler knows its instruction's format.
        unsafe {
            match C::INDEX {
                class::SLOT => F::from_slot(self.slot(self.ip.u16(slot_at))),
                class::ACC => F::from_acc(self.fa),
                _ => F::from_slot(self.ip.u64(const_at)),
            }
        }
    }

    /// Writes a float result, to its slot if it has one and to the accumulator.
    #[inline(always)]
    pub(crate) unsafe fn write_float<C: FloatClass, F: Float>(&mut self, slot_at: usize, value: F) {
        if C::INDEX == class::SLOT {
            // SAFETY: the handler knows its instruction's format.
            unsafe { self.set_slot(self.ip.u16(slot_at), value.to_slot()) };
        }
        self.fa = value.to_acc();
    }
}

/// A float type in slots and in the accumulator.
pub(crate) trait Float: Copy {
    /// From a slot; an `f32` is in its low half.
    fn from_slot(slot: u64) -> Self;
    /// To a slot.
    fn to_slot(self) -> u64;
    /// From the accumulator.
    fn from_acc(acc: f64) -> Self;
    /// To the accumulator.
    fn to_acc(self) -> f64;
}

impl Float for f64 {
    #[inline(always)]
    fn from_slot(slot: u64) -> Self {
        f64::from_bits(slot)
    }
    #[inline(always)]
    fn to_slot(self) -> u64 {
        self.to_bits()
    }
    #[inline(always)]
    fn from_acc(acc: f64) -> Self {
        acc
    }
    #[inline(always)]
    fn to_acc(self) -> f64 {
        self
    }
}

impl Float for f32 {
    #[inline(always)]
    fn from_slot(slot: u64) -> Self {
        f32::from_bits(slot as u32)
    }
    #[inline(always)]
    fn to_slot(self) -> u64 {
        u64::from(self.to_bits())
    }
    #[inline(always)]
    fn from_acc(acc: f64) -> Self {
        f32::from_bits(acc.to_bits() as u32)
    }
    #[inline(always)]
    fn to_acc(self) -> f64 {
        f64::from_bits(u64::from(self.to_bits()))
    }
}
