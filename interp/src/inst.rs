//! Register code between lowering and encoding: instructions whose operands
//! still say where they are, so that lowering can redirect a result after the
//! fact.

use crate::exec::atomic::AtomicOp;
use crate::exec::regs::class;
use crate::exec::simd::memory::SimdAccess;
use crate::exec::simd::{ResultKind, SimdOp};
use crate::exec::slots::SlotOp;
use crate::exec::wide::WideOp;
use crate::object::ObjectInst;
use crate::op::*;

/// Where an operand is. For a float operand, `Acc` is the float accumulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Src {
    /// A frame slot.
    Slot(u16),
    /// The accumulator of the operand's kind.
    Acc,
    /// A pinned local.
    Pin(u8),
    /// A constant's bits.
    Const(u64),
}

/// Where a result goes. Every result but one for a pin also goes to the
/// accumulator of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dst {
    /// The accumulator alone.
    Acc,
    /// A frame slot.
    Slot(u16),
    /// A pinned local and its slot.
    Pin(u8, u16),
}

impl Src {
    /// Index into tables of integer handlers.
    pub(crate) fn class(self) -> usize {
        match self {
            Src::Slot(_) => class::SLOT,
            Src::Acc => class::ACC,
            Src::Pin(pin) => class::PIN + usize::from(pin),
            Src::Const(_) => class::CONST,
        }
    }

    /// Index into tables of float handlers.
    pub(crate) fn float_class(self) -> usize {
        match self {
            Src::Const(_) => class::FLOAT_CONST,
            other => other.class(),
        }
    }

    /// The slot number, 0 where there is none.
    pub(crate) fn slot(self) -> u16 {
        match self {
            Src::Slot(slot) => slot,
            _ => 0,
        }
    }

    /// The constant, 0 where there is none.
    pub(crate) fn constant(self) -> u64 {
        match self {
            Src::Const(bits) => bits,
            _ => 0,
        }
    }

    /// Whether it is that slot or pin.
    pub(crate) fn touches(self, slot: u16, pin: Option<u8>) -> bool {
        match self {
            Src::Slot(n) => n == slot,
            Src::Pin(n) => Some(n) == pin,
            Src::Acc | Src::Const(_) => false,
        }
    }

    /// Whether it is a constant.
    pub(crate) fn is_const(self) -> bool {
        matches!(self, Src::Const(_))
    }

    /// Whether it is a constant of more than 32 bits.
    pub(crate) fn is_wide_const(self) -> bool {
        self.constant() > u64::from(u32::MAX)
    }
}

impl Dst {
    /// Index into tables of handlers.
    pub(crate) fn class(self) -> usize {
        match self {
            Dst::Slot(_) => class::SLOT,
            Dst::Acc => class::ACC,
            Dst::Pin(pin, _) => class::PIN + usize::from(pin),
        }
    }

    /// Whether it is that slot or pin.
    pub(crate) fn touches(self, slot: u16, pin: Option<u8>) -> bool {
        match self {
            Dst::Slot(n) => n == slot,
            Dst::Pin(n, s) => s == slot || Some(n) == pin,
            Dst::Acc => false,
        }
    }

    /// The slot number, 0 where there is none.
    pub(crate) fn slot(self) -> u16 {
        match self {
            Dst::Slot(slot) | Dst::Pin(_, slot) => slot,
            Dst::Acc => 0,
        }
    }
}

/// A branch target before encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label(pub(crate) u32);

/// Where a branch goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Jump {
    /// The target.
    pub(crate) label: Label,
    /// The loop slot that holds the target's address, or 0.
    pub(crate) loop_slot: u8,
}

/// Slots of the pinned locals; slot 0 where nothing is pinned.
pub(crate) type PinSlots = [u16; 3];

/// A `try` of the function, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TryIndex(pub(crate) u32);

/// Where exceptions go that leave the calls and throws in the body of a `try`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Try {
    /// Where those go that no clause catches; out of the function if nowhere.
    pub(crate) outer: Option<TryIndex>,
    /// The first that fits counts.
    pub(crate) clauses: Vec<Clause>,
}

/// What a `try` does with the exceptions of one tag, or of any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clause {
    /// Index of the tag.
    pub(crate) tag: Option<u32>,
    /// Where it goes on.
    pub(crate) label: Label,
    /// First of the slots for the exception's values, if it has a tag.
    pub(crate) values: u16,
    /// The slot for the reference to the exception, if that is wanted.
    pub(crate) exception: Option<u16>,
    /// What is pinned at the label.
    pub(crate) pins: PinSlots,
}

/// Who is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callee {
    /// A function of the module, by index among its own.
    Own(u32),
    /// An imported function.
    Imported(u32),
    /// An element of a table, checked against a type of the module.
    Indirect { table: u32, ty: u32, index: Src },
    /// A function reference.
    Ref(Src),
}

/// Where in memory a vector access is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In guarded memory 0, at this offset from the address.
    Guarded(u32),
    /// In any memory.
    Checked { memory: u32, offset: u64 },
}

/// An instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Inst {
    Binary {
        op: IntBinary,
        a: Src,
        b: Src,
        d: Dst,
    },
    Compare {
        op: IntCompare,
        a: Src,
        b: Src,
        d: Dst,
    },
    Divide {
        op: IntDivide,
        a: Src,
        b: Src,
        d: Dst,
    },
    Unary {
        op: IntUnary,
        a: Src,
        d: Dst,
    },
    FloatBinary {
        op: FloatBinary,
        a: Src,
        b: Src,
        d: Dst,
    },
    /// `d = a op [address + offset]`.
    FloatBinaryLoad {
        op: FloatBinary,
        a: Src,
        address: Src,
        offset: u32,
        d: Dst,
    },
    /// `d = c + a * b`, rounded twice.
    FloatMulAdd {
        width: FloatWidth,
        a: Src,
        b: Src,
        c: u16,
        d: Dst,
    },
    /// `d = c + a * [address + offset]`, rounded twice.
    FloatMulAddLoad {
        width: FloatWidth,
        a: Src,
        address: Src,
        offset: u32,
        c: u16,
        d: Dst,
    },
    FloatUnary {
        op: FloatUnary,
        a: Src,
        d: Dst,
    },
    FloatCompare {
        op: FloatCompare,
        a: Src,
        b: Src,
        d: Dst,
    },
    FromInt {
        op: IntToFloat,
        a: Src,
        d: Dst,
    },
    ToInt {
        op: FloatToInt,
        a: Src,
        d: Dst,
    },
    Trunc {
        op: FloatTrunc,
        a: Src,
        d: Dst,
    },
    Load {
        op: IntLoad,
        a: Src,
        offset: u32,
        d: Dst,
    },
    Load2 {
        op: IntLoad,
        a: Src,
        b: Src,
        offset: u32,
        d: Dst,
    },
    Store {
        op: IntStore,
        a: Src,
        v: Src,
        offset: u32,
    },
    Store2 {
        op: IntStore,
        a: Src,
        b: Src,
        v: Src,
        offset: u32,
    },
    FloatLoad {
        width: FloatWidth,
        a: Src,
        offset: u32,
        d: Dst,
    },
    FloatLoad2 {
        width: FloatWidth,
        a: Src,
        b: Src,
        offset: u32,
        d: Dst,
    },
    FloatStore {
        width: FloatWidth,
        a: Src,
        v: Src,
        offset: u32,
    },
    CheckedLoad {
        op: IntLoad,
        memory: u32,
        a: u16,
        offset: u64,
        d: Dst,
    },
    CheckedStore {
        op: IntStore,
        memory: u32,
        a: u16,
        v: u16,
        offset: u64,
    },
    Mov {
        a: Src,
        d: Dst,
    },
    FloatMov {
        a: Src,
        d: Dst,
    },
    Select {
        c: Src,
        a: Src,
        b: Src,
        d: Dst,
    },
    GlobalGet {
        global: u32,
        d: Dst,
    },
    GlobalSet {
        global: u32,
        a: Src,
    },
    Br {
        to: Jump,
    },
    BrIf {
        a: Src,
        non_zero: bool,
        to: Jump,
    },
    BrCompare {
        op: IntCompare,
        a: Src,
        b: Src,
        to: Jump,
    },
    BrAnd {
        a: Src,
        b: Src,
        non_zero: bool,
        to: Jump,
    },
    BrFloatCompare {
        op: FloatCompare,
        a: Src,
        b: Src,
        to: Jump,
    },
    /// Adds to the local in `slot` (and in `a`, if that is a pin) and compares.
    AddBr {
        op: IntCompare,
        a: Src,
        slot: u16,
        addend: i32,
        b: Src,
        to: Jump,
    },
    /// Targets `first..=first + last` of the function's list of targets.
    BrTable {
        a: Src,
        first: u32,
        last: u32,
    },
    EnterLoop {
        loop_slot: u8,
        pins: PinSlots,
    },
    Pin {
        pins: PinSlots,
    },
    Call {
        callee: Callee,
        base: u16,
        pins: PinSlots,
        /// The innermost `try` around it.
        catcher: Option<TryIndex>,
    },
    /// `slots` arguments, moved down to the frame's start.
    ReturnCall {
        callee: Callee,
        base: u16,
        slots: u16,
    },
    Ret,
    RetInt {
        a: Src,
    },
    RetFloat {
        a: Src,
    },
    RetMany {
        first: u16,
        count: u16,
    },
    Enter {
        first: u16,
        count: u16,
    },
    Slots {
        op: SlotOp,
        s: [u16; 3],
        x: u32,
        y: u32,
    },
    /// A vector operation: the result's slot, then those of the operands.
    Simd {
        op: SimdOp,
        s: [u16; 4],
        lane: u8,
    },
    /// A shift by a constant number of bits.
    SimdShift {
        op: SimdOp,
        d: u16,
        a: u16,
        bits: u8,
    },
    SimdConst {
        d: u16,
        bits: [u64; 2],
    },
    SimdShuffle {
        d: u16,
        a: u16,
        b: u16,
        lanes: [u8; 16],
    },
    SimdGlobalGet {
        global: u32,
        d: u16,
    },
    SimdGlobalSet {
        global: u32,
        a: u16,
    },
    /// A load to `d` or a store from it; `v` is the vector that a lane is
    /// loaded into.
    SimdAccess {
        op: SimdAccess,
        at: Place,
        a: u16,
        d: u16,
        v: u16,
        lane: u8,
    },
    /// An atomic access: a result, unless it is a store, to `d`; operands
    /// beside the address in `v`.
    Atomic {
        op: AtomicOp,
        memory: u32,
        a: u16,
        d: u16,
        v: [u16; 2],
        offset: u64,
    },
    AtomicFence,
    /// 128-bit arithmetic: halves in `s`, the result's in `d`.
    Wide {
        op: WideOp,
        s: [u16; 4],
        d: [u16; 2],
    },
    /// Throws a new exception of a tag of the module, with the values that stand
    /// in the slots from `first` up.
    Throw {
        tag: u32,
        first: u16,
        catcher: Option<TryIndex>,
    },
    /// Throws the exception that `a` refers to.
    ThrowRef {
        a: u16,
        catcher: Option<TryIndex>,
    },
    /// On structs, arrays and references.
    Object(ObjectInst),
    Unreachable,
    ConsumeFuel {
        units: u32,
    },
    CheckInterrupt,
    /// Counts a call, or an iteration of the loop at this byte offset of the
    /// module.
    Count {
        loop_at: Option<u32>,
    },
}

impl Inst {
    /// Sends the result elsewhere, if the instruction has a handler for that.
    /// Of two results it is the one in slot `from`.
    pub(crate) fn redirect(&mut self, from: u16, to: Dst) -> bool {
        match self {
            Inst::Binary { d, .. }
            | Inst::Unary { d, .. }
            | Inst::Load { d, .. }
            | Inst::Load2 { d, .. }
            | Inst::Mov { d, .. }
            | Inst::GlobalGet { d, .. } => {
                *d = to;
                true
            }
            Inst::Compare { d, .. }
            | Inst::Divide { d, .. }
            | Inst::Select { d, .. }
            | Inst::FloatCompare { d, .. }
            | Inst::ToInt { d, .. }
            | Inst::Trunc { d, .. }
            | Inst::CheckedLoad { d, .. }
            | Inst::FloatBinary { d, .. }
            | Inst::FloatBinaryLoad { d, .. }
            | Inst::FloatMulAdd { d, .. }
            | Inst::FloatMulAddLoad { d, .. }
            | Inst::FloatUnary { d, .. }
            | Inst::FromInt { d, .. }
            | Inst::FloatLoad { d, .. }
            | Inst::FloatLoad2 { d, .. }
            | Inst::FloatMov { d, .. } => {
                if matches!(to, Dst::Pin(..)) {
                    return false;
                }
                *d = to;
                true
            }
            Inst::Slots { op, s, .. } if op.has_result() => redirect_slot(&mut s[0], to),
            Inst::Simd { s: [d, ..], .. }
            | Inst::SimdShift { d, .. }
            | Inst::SimdConst { d, .. }
            | Inst::SimdShuffle { d, .. }
            | Inst::SimdGlobalGet { d, .. } => redirect_slot(d, to),
            Inst::SimdAccess { op, d, .. } if !op.is_store() => redirect_slot(d, to),
            Inst::Object(inst) => inst.redirect(to),
            Inst::Atomic { op, d, .. } if op.has_result() => redirect_slot(d, to),
            Inst::Wide { d: [low, high], .. } => {
                let (d, other) = if *low == from {
                    (low, high)
                } else {
                    (high, low)
                };
                to != Dst::Slot(*other) && redirect_slot(d, to)
            }
            _ => false,
        }
    }

    /// Slots of the result, for an instruction that has one.
    pub(crate) fn result_slots(&self) -> u16 {
        match self {
            Inst::Simd { op, .. } => match op.shape().result {
                ResultKind::Vector => 2,
                ResultKind::Int | ResultKind::Float => 1,
            },
            Inst::SimdShift { .. }
            | Inst::SimdConst { .. }
            | Inst::SimdShuffle { .. }
            | Inst::SimdGlobalGet { .. }
            | Inst::SimdAccess { .. } => 2,
            Inst::Object(inst) => inst.result_slots(),
            _ => 1,
        }
    }

    /// Whether it changes the integer accumulator.
    #[inline(always)] // Callers know the instruction.
    pub(crate) fn writes_acc(&self) -> bool {
        match self {
            Inst::Binary { d, .. }
            | Inst::Unary { d, .. }
            | Inst::Load { d, .. }
            | Inst::Load2 { d, .. }
            | Inst::Mov { d, .. }
            | Inst::GlobalGet { d, .. }
            | Inst::Compare { d, .. }
            | Inst::Divide { d, .. }
            | Inst::Select { d, .. }
            | Inst::FloatCompare { d, .. }
            | Inst::ToInt { d, .. }
            | Inst::Trunc { d, .. }
            | Inst::CheckedLoad { d, .. } => !matches!(d, Dst::Pin(..)),
            Inst::AddBr { a, .. } => !matches!(a, Src::Pin(_)),
            Inst::Call { .. } => true,
            Inst::Object(inst) => inst.writes_acc(),
            _ => false,
        }
    }

    /// Whether it changes the float accumulator.
    #[inline(always)] // Callers know the instruction.
    pub(crate) fn writes_float_acc(&self) -> bool {
        matches!(
            self,
            Inst::FloatBinary { .. }
                | Inst::FloatBinaryLoad { .. }
                | Inst::FloatMulAdd { .. }
                | Inst::FloatMulAddLoad { .. }
                | Inst::FloatUnary { .. }
                | Inst::FromInt { .. }
                | Inst::FloatLoad { .. }
                | Inst::FloatLoad2 { .. }
                | Inst::FloatMov { .. }
                | Inst::Call { .. }
        )
    }

    /// Whether it reads or writes frame slot `slot` or reads the pin `pin`.
    pub(crate) fn touches(&self, slot: u16, pin: Option<u8>) -> bool {
        let src = |s: &Src| s.touches(slot, pin);
        let dst = |d: &Dst| d.touches(slot, pin);
        match self {
            Inst::Binary { a, b, d, .. } => src(a) || src(b) || dst(d),
            Inst::Compare { a, b, d, .. } => src(a) || src(b) || dst(d),
            Inst::Divide { a, b, d, .. } => src(a) || src(b) || dst(d),
            Inst::FloatBinary { a, b, d, .. } => src(a) || src(b) || dst(d),
            Inst::FloatBinaryLoad { a, address, d, .. } => src(a) || src(address) || dst(d),
            Inst::FloatMulAdd { a, b, c, d, .. } => src(a) || src(b) || *c == slot || dst(d),
            Inst::FloatMulAddLoad {
                a, address, c, d, ..
            } => src(a) || src(address) || *c == slot || dst(d),
            Inst::FloatCompare { a, b, d, .. } => src(a) || src(b) || dst(d),
            Inst::Load2 { a, b, d, .. } => src(a) || src(b) || dst(d),
            Inst::FloatLoad2 { a, b, d, .. } => src(a) || src(b) || dst(d),
            Inst::Unary { a, d, .. } => src(a) || dst(d),
            Inst::FloatUnary { a, d, .. } => src(a) || dst(d),
            Inst::FromInt { a, d, .. } => src(a) || dst(d),
            Inst::ToInt { a, d, .. } => src(a) || dst(d),
            Inst::Trunc { a, d, .. } => src(a) || dst(d),
            Inst::Load { a, d, .. } => src(a) || dst(d),
            Inst::FloatLoad { a, d, .. } => src(a) || dst(d),
            Inst::Mov { a, d } | Inst::FloatMov { a, d } => src(a) || dst(d),
            Inst::Store { a, v, .. } | Inst::FloatStore { a, v, .. } => src(a) || src(v),
            Inst::Store2 { a, b, v, .. } => src(a) || src(b) || src(v),
            Inst::CheckedLoad { a, d, .. } => *a == slot || dst(d),
            Inst::CheckedStore { a, v, .. } => *a == slot || *v == slot,
            Inst::Select { c, a, b, d } => src(c) || src(a) || src(b) || dst(d),
            Inst::GlobalGet { d, .. } => dst(d),
            Inst::GlobalSet { a, .. } => src(a),
            Inst::Slots { s, .. } => s.contains(&slot),
            Inst::Simd {
                op,
                s: [d, operands @ ..],
                ..
            } => {
                let mut operands = operands.iter().zip(op.shape().operands);
                within(slot, *d, self.result_slots())
                    || operands.any(|(&operand, &slots)| within(slot, operand, slots))
            }
            Inst::SimdShift { d, a, .. } => within(slot, *d, 2) || within(slot, *a, 2),
            Inst::SimdConst { d, .. } | Inst::SimdGlobalGet { d, .. } => within(slot, *d, 2),
            Inst::SimdGlobalSet { a, .. } => within(slot, *a, 2),
            Inst::SimdShuffle { d, a, b, .. } => {
                within(slot, *d, 2) || within(slot, *a, 2) || within(slot, *b, 2)
            }
            Inst::SimdAccess { op, a, d, v, .. } => {
                *a == slot || within(slot, *d, 2) || (op.is_lane_load() && within(slot, *v, 2))
            }
            Inst::Atomic { op, a, d, v, .. } => {
                *a == slot || (op.has_result() && *d == slot) || v[..op.operands()].contains(&slot)
            }
            Inst::Wide { op, s, d } => s[..op.operands()].contains(&slot) || d.contains(&slot),
            Inst::Object(inst) => inst.touches(slot, pin),
            Inst::AtomicFence
            | Inst::ConsumeFuel { .. }
            | Inst::CheckInterrupt
            | Inst::Count { .. } => false,
            // Calls, and everything that ends a region anyway.
            _ => true,
        }
    }
}

/// Sends a result that only goes to slots elsewhere.
fn redirect_slot(d: &mut u16, to: Dst) -> bool {
    match to {
        Dst::Slot(slot) => {
            *d = slot;
            true
        }
        Dst::Acc | Dst::Pin(..) => false,
    }
}

/// Whether a slot is one of the `count` slots from `first` up.
fn within(slot: u16, first: u16, count: u16) -> bool {
    slot.checked_sub(first).is_some_and(|at| at < count)
}
