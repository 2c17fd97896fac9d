//! The operand stack during lowering.
//!
//! An entry is a local not copied yet, a constant, or a temporary. Each has a
//! slot of its own by its height, which a temporary gets into only when its
//! accumulator is needed for something else. A temporary remembers the
//! instruction that made it, so that its result can be redirected: to its slot,
//! to a local that it is assigned to, to the argument area of a call.

use super::Lower;
use crate::exec::simd::SimdOp;
use crate::inst::{Dst, Inst, Src};
use rwasm_parser::{StorageType, ValType};

/// The kind of a value, as far as lowering cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An integer or a reference.
    Int,
    /// `f32` or `f64`.
    Float,
    /// `v128`, of two slots.
    Vector,
}

impl Kind {
    pub(super) fn of<T>(ty: &ValType<T>) -> Kind {
        match ty {
            ValType::I32 | ValType::I64 | ValType::Ref(_) => Kind::Int,
            ValType::F32 | ValType::F64 => Kind::Float,
            ValType::V128 => Kind::Vector,
        }
    }

    pub(super) fn of_storage<T>(storage: &StorageType<T>) -> Kind {
        match storage {
            StorageType::I8 | StorageType::I16 => Kind::Int,
            StorageType::Val(ty) => Kind::of(ty),
        }
    }

    pub(super) fn slots(self) -> u32 {
        if self == Kind::Vector { 2 } else { 1 }
    }
}

/// What is known of an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The value of a local, which must not change while this entry stands.
    Local(u32),
    /// A constant's bits.
    Const(u64),
    /// The result of instruction `def`, if there is one that can still be
    /// redirected. Unless `in_slot`, it is in the accumulator alone.
    Temp { def: Option<u32>, in_slot: bool },
}

/// An operand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) slot: u32,
    pub(super) state: State,
}

/// What an accumulator holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acc {
    Nothing,
    /// The operand at that height.
    Temp(u32),
    /// A copy of that local.
    Local(u32),
}

/// How far back a redirection looks for users of its new place. Bounds the work
/// per instruction.
const REDIRECT_REACH: usize = 12;

/// How far down the operand stack an assignment looks for operands that stand
/// for the old value of its local.
const PRESERVE_REACH: usize = 64;

impl Lower<'_> {
    /// The slot that the next operand gets.
    #[inline]
    pub(super) fn next_slot(&self) -> u32 {
        match self.stack.last() {
            Some(top) => top.slot + top.kind.slots(),
            None => self.first_temp,
        }
    }

    /// Pushes an operand.
    #[inline]
    pub(super) fn push(&mut self, kind: Kind, state: State) {
        if let State::Local(local) = state {
            self.locals[local as usize].uses += 1;
        }
        self.push_entry(kind, state);
    }

    /// `local.get`.
    #[inline]
    pub(super) fn push_local(&mut self, local: u32) {
        let info = &mut self.locals[local as usize];
        info.uses += 1;
        let kind = info.kind;
        if !info.assigned {
            self.note_unassigned_read(local);
        }
        self.push_entry(kind, State::Local(local));
    }

    #[inline]
    fn push_entry(&mut self, kind: Kind, state: State) {
        let height = self.stack.len() as u32;
        // Whatever stood at this height before is gone.
        if self.acc == Acc::Temp(height) {
            self.acc = Acc::Nothing;
        }
        if self.float_acc == Acc::Temp(height) {
            self.float_acc = Acc::Nothing;
        }
        let slot = self.next_slot();
        self.use_slots(slot + kind.slots());
        self.stack.push(Entry { kind, slot, state });
    }

    /// Pushes a constant.
    #[inline]
    pub(super) fn push_const(&mut self, kind: Kind, bits: u64) {
        self.push(kind, State::Const(bits));
    }

    /// Pushes a value that stands in its slot already.
    pub(super) fn push_in_slot(&mut self, kind: Kind) {
        self.push(
            kind,
            State::Temp {
                def: None,
                in_slot: true,
            },
        );
    }

    /// Removes the top operand without using it.
    #[inline]
    pub(super) fn pop_entry(&mut self) -> Entry {
        let entry = self.stack.pop().expect("validated: an operand");
        if let State::Local(local) = entry.state {
            self.locals[local as usize].uses -= 1;
        }
        self.flushed = self.flushed.min(self.stack.len());
        entry
    }

    /// Removes operands down to `height`.
    pub(super) fn truncate(&mut self, height: usize) {
        while self.stack.len() > height {
            self.pop_entry();
        }
    }

    /// Where the operand at `height` is now.
    #[inline]
    pub(super) fn source(&self, height: usize) -> Src {
        let entry = &self.stack[height];
        match entry.state {
            State::Local(local) => self.local_source(local),
            State::Const(bits) => Src::Const(bits),
            State::Temp { .. } => self.temp_source(*entry, height),
        }
    }

    /// Where a temporary is that stands, or stood, at `height`.
    #[inline]
    fn temp_source(&self, entry: Entry, height: usize) -> Src {
        if self.acc_of(entry.kind) == Acc::Temp(height as u32) {
            Src::Acc
        } else {
            debug_assert!(
                matches!(entry.state, State::Temp { in_slot: true, .. }),
                "a temporary in neither accumulator nor slot"
            );
            Src::Slot(entry.slot as u16)
        }
    }

    /// Where a local is best read from.
    #[inline]
    pub(super) fn local_source(&self, local: u32) -> Src {
        let info = &self.locals[local as usize];
        if let Some(pin) = info.pin {
            return Src::Pin(pin);
        }
        if self.acc_of(info.kind) == Acc::Local(local) {
            Src::Acc
        } else {
            Src::Slot(info.slot as u16)
        }
    }

    #[inline]
    fn acc_of(&self, kind: Kind) -> Acc {
        match kind {
            Kind::Int => self.acc,
            Kind::Float => self.float_acc,
            Kind::Vector => Acc::Nothing,
        }
    }

    /// Pops an operand of any class.
    #[inline]
    pub(super) fn pop(&mut self) -> Src {
        let entry = self.stack.pop().expect("validated: an operand");
        let height = self.stack.len();
        self.flushed = self.flushed.min(height);
        match entry.state {
            State::Local(local) => {
                self.locals[local as usize].uses -= 1;
                self.local_source(local)
            }
            State::Const(bits) => Src::Const(bits),
            State::Temp { .. } => self.temp_source(entry, height),
        }
    }

    /// Pops an operand as integer bits for an instruction that has no float
    /// classes: a float comes from a slot or is a constant.
    pub(super) fn pop_bits(&mut self) -> Src {
        let top = self.stack.len() - 1;
        if self.stack[top].kind == Kind::Float {
            self.temp_to_slot(top);
            let source = self.bits_source(top);
            self.pop_entry();
            return source;
        }
        self.pop()
    }

    /// As [`Lower::source`], but never the float accumulator.
    pub(super) fn bits_source(&self, height: usize) -> Src {
        let entry = &self.stack[height];
        match (entry.kind, entry.state) {
            (Kind::Int, _) => self.source(height),
            (_, State::Local(local)) => Src::Slot(self.locals[local as usize].slot as u16),
            (_, State::Const(bits)) => Src::Const(bits),
            (_, State::Temp { .. }) => Src::Slot(entry.slot as u16),
        }
    }

    /// Pops an operand that must be in a slot: a local's own, or a temporary's.
    pub(super) fn pop_slot(&mut self) -> u16 {
        let top = self.stack.len() - 1;
        let slot = match self.stack[top].state {
            State::Local(local) => self.locals[local as usize].slot,
            State::Const(_) | State::Temp { .. } => {
                self.materialise(top);
                self.stack[top].slot
            }
        };
        self.pop_entry();
        slot as u16
    }

    /// Pops an operand that must not be a constant.
    pub(super) fn pop_variable(&mut self) -> Src {
        let top = self.stack.len() - 1;
        if let State::Const(_) = self.stack[top].state {
            self.materialise(top);
        }
        self.pop()
    }

    /// Makes a temporary stand in its slot; it may stay in the accumulator too.
    pub(super) fn temp_to_slot(&mut self, height: usize) {
        let entry = self.stack[height];
        if let State::Temp {
            def,
            in_slot: false,
        } = entry.state
        {
            self.stack[height].state = State::Temp { def, in_slot: true };
            match def {
                Some(def) => {
                    let to = Dst::Slot(entry.slot as u16);
                    let redirected = self.out[def as usize].redirect(entry.slot as u16, to);
                    debug_assert!(redirected, "every result can go to a slot");
                }
                // Not an instruction's result but what the accumulator held.
                None => self.emit_copy(entry.kind, Src::Acc, entry.slot),
            }
        }
    }

    /// Makes an operand a temporary in its slot.
    pub(super) fn materialise(&mut self, height: usize) {
        let entry = self.stack[height];
        match entry.state {
            State::Temp { .. } => self.temp_to_slot(height),
            State::Local(local) => {
                self.emit_copy(entry.kind, self.local_source(local), entry.slot);
                self.locals[local as usize].uses -= 1;
                self.stack[height].state = State::Temp {
                    def: None,
                    in_slot: true,
                };
            }
            State::Const(bits) => {
                self.emit_copy(entry.kind, Src::Const(bits), entry.slot);
                self.stack[height].state = State::Temp {
                    def: None,
                    in_slot: true,
                };
            }
        }
    }

    /// Copies a value of that kind to a slot.
    pub(super) fn emit_copy(&mut self, kind: Kind, a: Src, slot: u32) {
        let d = Dst::Slot(slot as u16);
        match (kind, a) {
            (Kind::Vector, _) => self.emit(Inst::Simd {
                op: SimdOp::Copy,
                s: [slot as u16, a.slot(), 0, 0],
                lane: 0,
            }),
            // A float constant's bits need no float instruction, and a float
            // move would cost the float accumulator its content.
            (Kind::Float, Src::Slot(_) | Src::Acc) => self.emit(Inst::FloatMov { a, d }),
            _ => self.emit(Inst::Mov { a, d }),
        };
    }

    /// Before a label: every operand below is where whoever branches there
    /// expects it. Constants stay, they are the same on every path.
    pub(super) fn flush(&mut self) {
        self.flush_below(self.stack.len());
    }

    /// As [`Lower::flush`], for the operands below a height.
    fn flush_below(&mut self, end: usize) {
        for height in self.flushed..end {
            if !matches!(self.stack[height].state, State::Const(_)) {
                self.materialise(height);
            }
        }
        self.flushed = self.flushed.max(end);
    }

    /// Appends an instruction; returns its index. Inlined because callers know which
    /// instruction it is, and so which accumulators it changes.
    #[inline(always)]
    pub(super) fn emit(&mut self, inst: Inst) -> u32 {
        self.accs_before = (self.acc, self.float_acc);
        if inst.writes_acc() {
            self.spill_acc();
        }
        if inst.writes_float_acc() {
            self.spill_float_acc();
        }
        self.append(inst)
    }

    #[inline]
    fn append(&mut self, inst: Inst) -> u32 {
        let index = self.out.len() as u32;
        self.out.push(inst);
        if let Some(offsets) = &mut self.offsets {
            offsets.push(self.offset);
        }
        index
    }

    /// Before the accumulator changes: an operand in it goes to its slot.
    #[inline]
    pub(super) fn spill_acc(&mut self) {
        if let Acc::Temp(height) = self.acc
            && (height as usize) < self.stack.len()
        {
            self.temp_to_slot(height as usize);
        }
        self.acc = Acc::Nothing;
    }

    /// Before code that runs on some ways only: an operand below `height` that
    /// would need an instruction to go to its slot goes there now.
    pub(super) fn settle_acc(&mut self, height: usize) {
        if let Acc::Temp(at) = self.acc
            && let at = at as usize
            && at < height
            && let State::Temp { def: None, .. } = self.stack[at].state
        {
            self.temp_to_slot(at);
        }
    }

    /// As [`Lower::spill_acc`] for the float accumulator.
    #[inline]
    pub(super) fn spill_float_acc(&mut self) {
        if let Acc::Temp(height) = self.float_acc
            && (height as usize) < self.stack.len()
        {
            self.temp_to_slot(height as usize);
        }
        self.float_acc = Acc::Nothing;
    }

    /// Appends an instruction with an integer result and pushes that.
    #[inline]
    pub(super) fn emit_int(&mut self, make: impl FnOnce(Dst) -> Inst) {
        let inst = make(Dst::Acc);
        // What `emit` would find out.
        debug_assert!(inst.writes_acc() && !inst.writes_float_acc());
        self.accs_before = (self.acc, self.float_acc);
        self.spill_acc();
        let def = self.append(inst);
        let height = self.stack.len() as u32;
        self.push(
            Kind::Int,
            State::Temp {
                def: Some(def),
                in_slot: false,
            },
        );
        self.acc = Acc::Temp(height);
    }

    /// Appends an instruction with a float result and pushes that.
    #[inline]
    pub(super) fn emit_float(&mut self, make: impl FnOnce(Dst) -> Inst) {
        let inst = make(Dst::Acc);
        // As above.
        debug_assert!(inst.writes_float_acc() && !inst.writes_acc());
        self.accs_before = (self.acc, self.float_acc);
        self.spill_float_acc();
        let def = self.append(inst);
        let height = self.stack.len() as u32;
        self.push(
            Kind::Float,
            State::Temp {
                def: Some(def),
                in_slot: false,
            },
        );
        self.float_acc = Acc::Temp(height);
    }

    /// Pushes what the accumulator holds. Another operand may be the same value.
    pub(super) fn push_acc(&mut self) {
        self.spill_acc();
        let height = self.stack.len() as u32;
        self.push(
            Kind::Int,
            State::Temp {
                def: None,
                in_slot: false,
            },
        );
        self.acc = Acc::Temp(height);
    }

    /// Appends an instruction whose result goes to a slot and pushes that.
    pub(super) fn emit_to_slot(&mut self, kind: Kind, make: impl FnOnce(u16) -> Inst) {
        let slot = self.next_slot();
        let def = self.emit(make(slot as u16));
        self.push(
            kind,
            State::Temp {
                def: Some(def),
                in_slot: true,
            },
        );
    }

    /// The index of the last instruction if the top operand is its result and
    /// nothing else: then a following instruction can absorb it.
    #[inline]
    pub(super) fn absorbable(&self) -> Option<usize> {
        let top = self.stack.last()?;
        let last = self.out.len().checked_sub(1)?;
        match top.state {
            State::Temp {
                def: Some(def),
                in_slot: false,
            } if def as usize == last && last >= self.region => Some(last),
            _ => None,
        }
    }

    /// Takes back the last instruction, whose result was the top operand.
    pub(super) fn absorb(&mut self) {
        self.pop_entry();
        self.drop_last();
        // The accumulators hold again what they held before, if that is still
        // on the stack; an operand has been sent to its slot too in between.
        let still = |acc: Acc| match acc {
            Acc::Temp(height) if height as usize >= self.stack.len() => Acc::Nothing,
            other => other,
        };
        let (acc, float_acc) = self.accs_before;
        (self.acc, self.float_acc) = (still(acc), still(float_acc));
    }

    /// Removes the last instruction.
    pub(super) fn drop_last(&mut self) {
        self.out.pop();
        if let Some(offsets) = &mut self.offsets {
            offsets.pop();
        }
    }

    /// Redirects the result of `def` to a slot (and pin) that nothing since has
    /// used. Not across a branch or label: elsewhere the old value counts.
    /// `from` is the slot that the result's operand has.
    pub(super) fn try_redirect(&mut self, def: Option<u32>, from: u32, to: Dst) -> bool {
        let Some(def) = def.map(|def| def as usize) else {
            return false;
        };
        if def < self.region || self.out.len() - def > REDIRECT_REACH {
            return false;
        }
        let pin = match to {
            Dst::Pin(pin, _) => Some(pin),
            Dst::Slot(_) | Dst::Acc => None,
        };
        let first = to.slot();
        let mut slots = first..first.saturating_add(self.out[def].result_slots());
        let since = &self.out[def + 1..];
        if !since.is_empty() && slots.any(|slot| since.iter().any(|inst| inst.touches(slot, pin))) {
            return false;
        }
        self.out[def].redirect(from as u16, to)
    }

    /// `local.set` and `local.tee`.
    pub(super) fn set_local(&mut self, local: u32, tee: bool) {
        self.note_assignment(local);
        let top = self.stack.len() - 1;
        if self.stack[top].state == State::Local(local) {
            if !tee {
                self.pop_entry();
            }
            return;
        }
        if self.locals[local as usize].uses > 0 {
            self.preserve(local, top);
        }
        let info = self.locals[local as usize];
        let to = match info.pin {
            Some(pin) => Dst::Pin(pin, info.slot as u16),
            None => Dst::Slot(info.slot as u16),
        };
        let entry = self.stack[top];
        let redirected = match entry.state {
            State::Temp { def, .. } => self.try_redirect(def, entry.slot, to),
            State::Local(_) | State::Const(_) => false,
        };
        if redirected {
            let in_acc = self.acc_of(info.kind) == Acc::Temp(top as u32);
            self.pop_entry();
            self.forget_local(local);
            if in_acc {
                // A result for a pin does not go to the accumulator.
                let holds = if let Dst::Pin(..) = to {
                    Acc::Nothing
                } else {
                    Acc::Local(local)
                };
                self.set_acc(info.kind, holds);
            }
        } else {
            let source = self.pop();
            match info.kind {
                Kind::Float if !source.is_const() => {
                    self.emit(Inst::FloatMov { a: source, d: to });
                    self.forget_local(local);
                    self.float_acc = Acc::Local(local);
                }
                Kind::Float => {
                    self.emit(Inst::Mov { a: source, d: to });
                    self.forget_local(local);
                }
                Kind::Int => {
                    self.emit(Inst::Mov { a: source, d: to });
                    self.forget_local(local);
                    if let Dst::Slot(_) = to {
                        self.acc = Acc::Local(local);
                    }
                }
                // No accumulator holds vectors.
                Kind::Vector => self.emit_copy(Kind::Vector, source, info.slot),
            }
        }
        if tee {
            let state = match entry.state {
                State::Const(bits) => State::Const(bits),
                State::Local(_) | State::Temp { .. } => State::Local(local),
            };
            self.push(entry.kind, state);
        }
    }

    /// Copies the local to every operand below `top` that stands for it.
    ///
    /// Those far down are not looked for: all of them go to their slots, and
    /// nobody looks below there again. So the work is in proportion to the
    /// body, however many locals wait under however many operands.
    fn preserve(&mut self, local: u32, top: usize) {
        let reach = top.saturating_sub(PRESERVE_REACH).max(self.flushed);
        for height in (reach..top).rev() {
            if self.locals[local as usize].uses == 0 {
                return;
            }
            if self.stack[height].state == State::Local(local) {
                self.materialise(height);
            }
        }
        if self.locals[local as usize].uses > 0 {
            self.flush_below(reach);
        }
    }

    fn set_acc(&mut self, kind: Kind, holds: Acc) {
        match kind {
            Kind::Int => self.acc = holds,
            Kind::Float => self.float_acc = holds,
            Kind::Vector => {}
        }
    }

    /// A local changed: accumulators do not hold its value any more.
    fn forget_local(&mut self, local: u32) {
        if self.acc == Acc::Local(local) {
            self.acc = Acc::Nothing;
        }
        if self.float_acc == Acc::Local(local) {
            self.float_acc = Acc::Nothing;
        }
    }
}
