//! Register code to words in memory: handler addresses and operands, in the
//! formats that the files of [`crate::exec`] describe.

use crate::exec::regs::Handler;
use crate::exec::slots::slot_handler;
use crate::exec::{atomic, call, control, exception, float, int, memory, simd, tier_up};
use crate::fuse::groups;
use crate::inst::{Callee, Dst, Inst, Jump, Label, PinSlots, Place, Src, Try, TryIndex};
use crate::kept::{Kind, Kinds};
use crate::lower::Lowered;
use rwasm_parser::LocalFuncIndex;
use rwasm_runtime::code::{InterpCode, ModuleCode};

/// Buffers kept from function to function.
#[derive(Default)]
pub(crate) struct Scratch {
    /// The word offset of each instruction, and of the end.
    pub(crate) positions: Vec<u32>,
    /// The code, until it is known how many words it has.
    words: Vec<u64>,
    /// Words that hold the address of a label.
    fixups: Vec<(usize, Label)>,
}

/// Encodes a lowered function, and leaves the position of each instruction in
/// `scratch`.
pub(crate) fn encode(lowered: &Lowered, code: &ModuleCode, scratch: &mut Scratch) -> InterpCode {
    let insts = &lowered.insts[..];
    let Scratch { words, fixups, .. } = scratch;
    let mut positions = std::mem::take(&mut scratch.positions);
    positions.clear();
    positions.reserve(insts.len() + 1);
    words.clear();
    fixups.clear();
    let mut encoder = Encoder {
        code,
        func: lowered.func,
        targets: &lowered.targets,
        words: std::mem::take(words),
        fixups,
        catchers: Vec::new(),
        kinds: lowered.body.map(|_| Kinds::default()),
    };
    for (range, fused) in groups(lowered) {
        let begin = encoder.words.len();
        positions.push(begin as u32);
        encoder.inst(&insts[range.start]);
        if let Some(handler) = fused {
            for inst in &insts[range.start + 1..range.end] {
                positions.push(encoder.part(inst) as u32);
            }
            encoder.words[begin] = handler as usize as u64;
        }
        encoder.note(begin, Kind::Handler);
    }
    let end = encoder.words.len();
    positions.push(end as u32);
    // A label at the very end belongs to code that nothing reaches.
    encoder.op(control::unreachable_handler(), [0]);
    encoder.note(end, Kind::Handler);
    encoder.tries(&lowered.tries);
    let Encoder {
        words: buffer,
        fixups,
        mut kinds,
        ..
    } = encoder;
    let mut encoded: Box<[u64]> = buffer[..].into();
    *words = buffer;
    scratch.positions = positions;
    let positions = &scratch.positions;
    let base = encoded.as_ptr() as u64;
    for &mut (at, label) in fixups {
        let inst = lowered.labels[label.0 as usize];
        encoded[at] = base + 8 * u64::from(positions[inst as usize]);
        if let Some(kinds) = &mut kinds {
            kinds.note(at, Kind::Own);
        }
    }
    let origin = lowered.body.zip(kinds);
    let origin = origin.map(|(body, kinds)| Box::new(kinds.into_origin(body, encoded.len())));
    InterpCode {
        words: encoded,
        frame_slots: lowered.frame_slots,
        origin,
    }
}

struct Encoder<'a> {
    code: &'a ModuleCode,
    func: LocalFuncIndex,
    targets: &'a [Label],
    words: Vec<u64>,
    fixups: &'a mut Vec<(usize, Label)>,
    /// Words whose upper half says how far it is from behind the instruction,
    /// which ends with the next word, to a `try`.
    catchers: Vec<(usize, TryIndex)>,
    /// Words that are of this process alone, if the code is to be kept.
    kinds: Option<Kinds>,
}

/// Four 16-bit operands.
fn quad(a: u16, b: u16, c: u16, d: u16) -> u64 {
    u64::from(a) | u64::from(b) << 16 | u64::from(c) << 32 | u64::from(d) << 48
}

/// Two 16-bit operands and one of 32 bits.
fn pair(a: u16, b: u16, long: u32) -> u64 {
    quad(a, b, 0, 0) | u64::from(long) << 32
}

fn pin_word([p0, p1, p2]: PinSlots) -> u64 {
    quad(p0, p1, p2, 0)
}

impl Encoder<'_> {
    /// Encodes a part of a fused instruction that is not its first: its operands
    /// alone, behind the words that there are. Returns where it would begin if it
    /// had a handler of its own.
    fn part(&mut self, inst: &Inst) -> usize {
        let begin = self.words.len() - 1;
        let before = self.words.pop().expect("the part before has words");
        self.inst(inst);
        // Its handler took the place of that word.
        self.words[begin] = before;
        begin
    }

    fn note(&mut self, word: usize, kind: Kind) {
        if let Some(kinds) = &mut self.kinds {
            kinds.note(word, kind);
        }
    }

    /// A handler and up to three operands.
    #[inline]
    fn op<const N: usize>(&mut self, handler: Handler, operands: [u64; N]) {
        // At once: each push asks whether there is room.
        let mut words = [0; 4];
        words[0] = handler as usize as u64;
        words[1..=N].copy_from_slice(&operands);
        self.words.extend_from_slice(&words[..=N]);
    }

    /// An integer instruction with two operands, one constant at most; `wide` if
    /// they have 64 bits.
    fn int(&mut self, handler: Handler, wide: bool, a: Src, b: Src, d: Dst) {
        debug_assert!(!a.is_const() || !b.is_const(), "computed by lowering");
        if !a.is_const() && !b.is_const() {
            return self.op(handler, [quad(a.slot(), d.slot(), b.slot(), 0)]);
        }
        let other = a.slot() | b.slot();
        let constant = a.constant() | b.constant();
        match wide {
            false => self.op(handler, [pair(other, d.slot(), constant as u32)]),
            true => self.op(handler, [quad(other, d.slot(), 0, 0), constant]),
        }
    }

    /// An instruction with words for `a` and `b` where these are constants.
    fn with_consts(&mut self, handler: Handler, operands: u64, a: Src, b: Src) {
        self.op(handler, [operands]);
        self.consts(a, b);
    }

    fn consts(&mut self, a: Src, b: Src) {
        for operand in [a, b] {
            if let Src::Const(bits) = operand {
                self.words.push(bits);
            }
        }
    }

    /// A branch: its target, unless a loop slot holds that, then operands.
    #[inline]
    fn branch<const N: usize>(&mut self, handler: Handler, to: Jump, operands: [u64; N]) {
        self.op(handler, []);
        if to.loop_slot == 0 {
            self.target(to.label);
        }
        self.words.extend_from_slice(&operands);
    }

    fn target(&mut self, label: Label) {
        self.fixups.push((self.words.len(), label));
        self.words.push(0);
    }

    fn inst(&mut self, inst: &Inst) {
        let abd = |a: Src, b: Src, d: Dst| quad(a.slot(), d.slot(), b.slot(), 0);
        let none = Src::Slot(0);
        match *inst {
            Inst::Binary { op, a, b, d } => {
                let handler = int::binary_handler(op, a.class(), b.class(), d.class());
                self.int(handler, op.is_wide(), a, b, d);
            }
            Inst::Compare { op, a, b, d } => {
                let handler = int::compare_handler(op, a.class(), b.class(), d.class());
                self.int(handler, op.is_wide(), a, b, d);
            }
            Inst::Divide { op, a, b, d } => {
                let handler = int::divide_handler(op, a.class(), b.class(), d.class());
                self.int(handler, op.is_wide(), a, b, d);
            }
            Inst::Unary { op, a, d } => {
                let handler = int::unary_handler(op, a.class(), d.class());
                self.with_consts(handler, abd(a, none, d), a, none);
            }
            Inst::FloatBinary { op, a, b, d } => {
                let handler =
                    float::binary_handler(op, a.float_class(), b.float_class(), d.class());
                self.with_consts(handler, abd(a, b, d), a, b);
            }
            Inst::FloatBinaryLoad {
                op,
                a,
                address,
                offset,
                d,
            } => {
                let handler =
                    memory::float_binary_load_handler(op, a.class(), address.class(), d.class());
                self.op(
                    handler,
                    [
                        pair(address.slot(), d.slot(), offset),
                        quad(a.slot(), 0, 0, 0),
                    ],
                );
            }
            Inst::FloatMulAdd { width, a, b, c, d } => {
                let handler = float::mul_add_handler(width, a.class(), b.class(), d.class());
                self.op(handler, [quad(a.slot(), d.slot(), b.slot(), c)]);
            }
            Inst::FloatMulAddLoad {
                width,
                a,
                address,
                offset,
                c,
                d,
            } => {
                let handler = memory::float_mul_add_load_handler(
                    width,
                    a.class(),
                    address.class(),
                    d.class(),
                );
                self.op(
                    handler,
                    [
                        pair(address.slot(), d.slot(), offset),
                        quad(a.slot(), c, 0, 0),
                    ],
                );
            }
            Inst::FloatUnary { op, a, d } => {
                let handler = float::unary_handler(op, a.float_class(), d.class());
                self.with_consts(handler, abd(a, none, d), a, none);
            }
            Inst::FloatCompare { op, a, b, d } => {
                let handler =
                    float::compare_handler(op, a.float_class(), b.float_class(), d.class());
                self.with_consts(handler, abd(a, b, d), a, b);
            }
            Inst::FromInt { op, a, d } => {
                let handler = float::from_int_handler(op, a.class(), d.class());
                self.with_consts(handler, abd(a, none, d), a, none);
            }
            Inst::ToInt { op, a, d } => {
                let handler = float::to_int_handler(op, a.float_class(), d.class());
                self.with_consts(handler, abd(a, none, d), a, none);
            }
            Inst::Trunc { op, a, d } => {
                let handler = float::trunc_handler(op, a.float_class(), d.class());
                self.with_consts(handler, abd(a, none, d), a, none);
            }
            Inst::Load { op, a, offset, d } => {
                let handler = memory::load_handler(op, a.class(), d.class());
                self.op(handler, [pair(a.slot(), d.slot(), whole_offset(a, offset))]);
            }
            Inst::Load2 {
                op,
                a,
                b,
                offset,
                d,
            } => {
                let handler = memory::load2_handler(op, a.class(), b.class(), d.class());
                self.op(handler, [abd(a, b, d), short(offset, b)]);
            }
            Inst::FloatLoad {
                width,
                a,
                offset,
                d,
            } => {
                let handler = memory::float_load_handler(width, a.class(), d.class());
                self.op(handler, [pair(a.slot(), d.slot(), whole_offset(a, offset))]);
            }
            Inst::FloatLoad2 {
                width,
                a,
                b,
                offset,
                d,
            } => {
                let handler = memory::float_load2_handler(width, a.class(), b.class(), d.class());
                self.op(handler, [abd(a, b, d), short(offset, b)]);
            }
            Inst::Store { op, a, v, offset } => {
                let handler = memory::store_handler(op, a.class(), v.class());
                self.store(handler, a, v, offset);
            }
            Inst::FloatStore {
                width,
                a,
                v,
                offset,
            } => {
                let handler = memory::float_store_handler(width, a.class(), v.float_class());
                self.store(handler, a, v, offset);
            }
            Inst::Store2 {
                op,
                a,
                b,
                v,
                offset,
            } => {
                let handler = memory::store2_handler(op, a.class(), b.class(), v.class());
                self.op(
                    handler,
                    [pair(a.slot(), v.slot(), offset), short(b.slot().into(), b)],
                );
                if v.is_const() {
                    self.words.push(v.constant());
                }
            }
            Inst::CheckedLoad {
                op,
                memory,
                a,
                offset,
                d,
            } => {
                let handler = memory::checked_load_handler(op, d.class());
                self.op(handler, [pair(a, d.slot(), memory), offset]);
            }
            Inst::CheckedStore {
                op,
                memory,
                a,
                v,
                offset,
            } => {
                let handler = memory::checked_store_handler(op);
                self.op(handler, [pair(a, v, memory), offset]);
            }
            Inst::Mov { a, d } if a.is_wide_const() => {
                let handler = control::mov_wide_handler(d.class());
                self.with_consts(handler, abd(none, none, d), a, none);
            }
            Inst::Mov { a, d } => {
                let handler = control::mov_handler(a.class(), d.class());
                self.int(handler, false, a, none, d);
            }
            Inst::FloatMov { a, d } => {
                let handler = float::mov_handler(a.float_class(), d.class());
                self.with_consts(handler, abd(a, none, d), a, none);
            }
            Inst::Select { c, a, b, d } => {
                let handler = control::select_handler(c.class(), a.class(), b.class(), d.class());
                self.with_consts(handler, quad(c.slot(), d.slot(), a.slot(), b.slot()), a, b);
            }
            Inst::GlobalGet { global, d } => {
                let handler = control::global_get_handler(d.class());
                self.op(handler, [pair(0, d.slot(), global)]);
            }
            Inst::GlobalSet { global, a } => {
                let handler = control::global_set_handler(a.class());
                self.with_consts(handler, pair(a.slot(), 0, global), a, none);
            }
            Inst::Br { to } => self.branch(control::br_handler(to.loop_slot), to, []),
            Inst::BrIf { a, non_zero, to } => {
                let handler = control::br_if_handler(to.loop_slot, non_zero, a.class());
                self.branch(handler, to, [quad(a.slot(), 0, 0, 0)]);
            }
            Inst::BrCompare { op, a, b, to } => {
                let handler = control::br_compare_handler(op, to.loop_slot, a.class(), b.class());
                self.branch(handler, to, [branch_operands(a, b)]);
            }
            Inst::BrAnd { a, b, non_zero, to } => {
                let handler = control::br_and_handler(to.loop_slot, non_zero, a.class(), b.class());
                self.branch(handler, to, [branch_operands(a, b)]);
            }
            Inst::BrFloatCompare { op, a, b, to } => {
                let handler = control::br_float_compare_handler(
                    op,
                    to.loop_slot,
                    a.float_class(),
                    b.float_class(),
                );
                self.branch(handler, to, [quad(a.slot(), b.slot(), 0, 0)]);
                self.consts(a, b);
            }
            Inst::AddBr {
                op,
                a,
                slot,
                addend,
                b,
                to,
            } => {
                let handler = control::add_br_handler(op, to.loop_slot, a.class(), b.class());
                let operands = pair(slot, b.slot(), b.constant() as u32);
                self.branch(handler, to, [operands, u64::from(addend as u32)]);
            }
            Inst::BrTable { a, first, last } => {
                self.op(
                    control::br_table_handler(a.class()),
                    [pair(a.slot(), 0, last)],
                );
                for at in first..=first + last {
                    self.target(self.targets[at as usize]);
                }
            }
            Inst::EnterLoop { loop_slot, pins } => {
                self.op(control::enter_loop_handler(loop_slot), [pin_word(pins)]);
            }
            Inst::Pin { pins } => self.op(control::pin_handler(), [pin_word(pins)]),
            Inst::Call {
                callee,
                base,
                pins,
                catcher,
            } => {
                self.call(callee, base, false, pin_word(pins));
                self.catcher(catcher);
            }
            Inst::ReturnCall {
                callee,
                base,
                slots,
            } => {
                self.call(callee, base, true, quad(slots, 0, 0, 0));
            }
            Inst::Ret => self.op(call::ret_handler(), []),
            Inst::RetInt { a } => {
                let handler = call::ret_int_handler(a.class());
                self.with_consts(handler, quad(a.slot(), 0, 0, 0), a, none);
            }
            Inst::RetFloat { a } => {
                let handler = call::ret_float_handler(a.float_class());
                self.with_consts(handler, quad(a.slot(), 0, 0, 0), a, none);
            }
            Inst::RetMany { first, count } => {
                self.op(call::ret_many_handler(), [quad(first, count, 0, 0)]);
            }
            // Nothing to zero: no instruction at all.
            Inst::Enter { count: 0, .. } => {}
            Inst::Enter { first, count } => {
                let handler = call::enter_handler(usize::from(count));
                self.op(handler, [quad(first, count, 0, 0)]);
            }
            Inst::Slots {
                op,
                s: [s0, s1, s2],
                x,
                y,
            } => {
                let immediates = u64::from(x) | u64::from(y) << 32;
                self.op(slot_handler(op), [quad(s0, s1, s2, 0), immediates]);
            }
            Inst::Simd {
                op,
                s: [d, a, b, c],
                lane,
            } => {
                let last = if op.shape().has_lane { lane.into() } else { c };
                self.op(op.handler(), [quad(d, a, b, last)]);
            }
            Inst::SimdShift { op, d, a, bits } => {
                let handler = op.constant_shift_handler().expect("made of shifts only");
                self.op(handler, [quad(d, a, bits.into(), 0)]);
            }
            Inst::SimdConst {
                d,
                bits: [low, high],
            } => {
                self.op(simd::constant_handler(), [quad(d, 0, 0, 0), low, high]);
            }
            Inst::SimdShuffle { d, a, b, lanes } => {
                let lanes = u128::from_le_bytes(lanes);
                self.op(
                    simd::shuffle_handler(),
                    [quad(d, a, b, 0), lanes as u64, (lanes >> 64) as u64],
                );
            }
            Inst::SimdGlobalGet { global, d } => {
                self.op(simd::global_get_handler(), [pair(d, 0, global)]);
            }
            Inst::SimdGlobalSet { global, a } => {
                self.op(simd::global_set_handler(), [pair(a, 0, global)]);
            }
            Inst::SimdAccess {
                op,
                at,
                a,
                d,
                v,
                lane,
            } => {
                match at {
                    Place::Guarded(offset) => self.op(op.guarded_handler(), [pair(a, d, offset)]),
                    Place::Checked { memory, offset } => {
                        self.op(op.checked_handler(), [pair(a, d, memory), offset]);
                    }
                }
                if op.has_lane() {
                    self.words.push(quad(v, lane.into(), 0, 0));
                }
            }
            Inst::Atomic {
                op,
                memory,
                a,
                d,
                v: [v, w],
                offset,
            } => self.op(op.handler(), [pair(a, d, memory), offset, quad(v, w, 0, 0)]),
            Inst::AtomicFence => self.op(atomic::fence_handler(), []),
            Inst::Wide {
                op,
                s: [a, b, c, d],
                d: [low, high],
            } => self.op(op.handler(), [quad(a, b, c, d), quad(low, high, 0, 0)]),
            Inst::Throw {
                tag,
                first,
                catcher,
            } => {
                let tag = self.code.offsets.tag(tag);
                self.op(exception::throw_handler(), [pair(first, 0, tag), 0, 0]);
                self.catcher(catcher);
            }
            Inst::ThrowRef { a, catcher } => {
                self.op(exception::throw_ref_handler(), [quad(a, 0, 0, 0), 0, 0]);
                self.catcher(catcher);
            }
            Inst::Object(inst) => {
                // It may hold canonical types.
                self.kinds = None;
                inst.encode(&mut self.words);
            }
            Inst::Unreachable => self.op(control::unreachable_handler(), []),
            Inst::ConsumeFuel { units } => {
                self.op(control::consume_fuel_handler(), [u64::from(units)]);
            }
            Inst::CheckInterrupt => self.op(control::check_interrupt_handler(), [0]),
            Inst::Count { loop_at } => {
                let cell = &raw const self.code.cells[self.func.index()] as u64;
                let at = self.words.len() + 1;
                match loop_at {
                    None => self.op(tier_up::count_call_handler(), [cell]),
                    Some(at) => self.op(tier_up::count_loop_handler(), [cell, at.into()]),
                }
                self.note(at, Kind::Cell);
            }
        }
    }

    fn store(&mut self, handler: Handler, a: Src, v: Src, offset: u32) {
        let operands = pair(a.slot(), v.slot(), whole_offset(a, offset));
        self.with_consts(handler, operands, v, Src::Slot(0));
    }

    /// Names the `try` around the call or throw just encoded.
    fn catcher(&mut self, catcher: Option<TryIndex>) {
        if let Some(catcher) = catcher {
            self.catchers.push((self.words.len() - 2, catcher));
        }
    }

    /// Encodes the handler tables, in the format that [`exception`] describes.
    fn tries(&mut self, tries: &[Try]) {
        let mut positions = Vec::with_capacity(tries.len());
        for Try { outer, clauses } in tries {
            let here = self.words.len();
            positions.push(here);
            // A `try` stands behind those around it.
            let outer = outer.map_or(0, |outer| here - positions[outer.0 as usize]);
            self.words.push(outer as u64 | (clauses.len() as u64) << 32);
            for clause in clauses {
                let tag = clause.tag.map(|tag| self.code.offsets.tag(tag));
                let exception = clause.exception.unwrap_or(exception::NO_SLOT);
                self.words.push(pair(
                    clause.values,
                    exception,
                    tag.unwrap_or(exception::ANY_TAG),
                ));
                self.target(clause.label);
                self.words.push(pin_word(clause.pins));
            }
        }
        for (word, catcher) in std::mem::take(&mut self.catchers) {
            let distance = positions[catcher.0 as usize] - (word + 2);
            self.words[word] |= (distance as u64) << 32;
        }
    }

    /// `last` is the caller's pins, or the argument slots of a tail call.
    fn call(&mut self, callee: Callee, base: u16, tail: bool, last: u64) {
        let base_word = quad(base, 0, 0, 0);
        match callee {
            Callee::Own(func) => {
                let cell = &raw const self.code.cells[func as usize];
                let at = self.words.len() + 1;
                self.op(call::call_handler(tail), [cell as u64, base_word, last]);
                self.note(at, Kind::Cell);
            }
            Callee::Imported(func) => {
                let offset = u64::from(self.code.offsets.imported_func(func));
                self.op(call::call_imported_handler(tail), [offset, base_word, last]);
            }
            Callee::Indirect { table, ty, index } => {
                let table = self.code.offsets.table(table);
                let id = u64::from(self.code.type_ids[ty as usize].as_u32());
                let handler = call::call_indirect_handler(tail, index.class());
                let at = self.words.len() + 1;
                self.op(handler, [pair(index.slot(), base, table), id, last]);
                if let Some(kinds) = &mut self.kinds {
                    kinds.note_type(at + 1, ty);
                }
            }
            Callee::Ref(func) => {
                let handler = call::call_ref_handler(tail, func.class());
                self.op(handler, [quad(func.slot(), base, 0, 0), 0, last]);
            }
        }
    }
}

/// The offset of an access, with the address if that is a constant: lowering makes
/// sure that the sum has 32 bits.
fn whole_offset(address: Src, offset: u32) -> u32 {
    address.constant() as u32 + offset
}

/// A 32-bit immediate and, in the upper half, a constant of 32 bits.
fn short(low: u32, b: Src) -> u64 {
    u64::from(low) | u64::from(b.constant() as u32) << 32
}

/// Operands of a comparing branch; one constant at most, of 32 bits.
fn branch_operands(a: Src, b: Src) -> u64 {
    pair(
        a.slot(),
        b.slot(),
        a.constant() as u32 | b.constant() as u32,
    )
}
