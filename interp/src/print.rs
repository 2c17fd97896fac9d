//! Register code as text, for people and golden tests.

use crate::exec::slots::SlotOp;
use crate::fuse::groups;
use crate::inst::{Callee, Clause, Dst, Inst, Jump, Place, Src, Try, TryIndex};
use crate::lower::Lowered;
use rwasm_parser::{FuncIndex, Module};
use rwasm_runtime::layout::VmCtx;
use std::fmt::{self, Write};

/// Prints a lowered function: a line with its index, its name and the slots of
/// its frame, then one line per instruction, labels before the instructions
/// that they name. A `+` stands before an instruction that is fused with the one
/// above. Nothing in it depends on where code or data lie.
pub(crate) fn print(module: &Module, func: FuncIndex, lowered: &Lowered) -> String {
    let mut text = format!("func {func}");
    if let Some(name) = module.names().function(func) {
        let _ = write!(text, " {name:?}");
    }
    let _ = writeln!(text, ", {} slots", lowered.frame_slots);
    let mut labels: Vec<(u32, usize)> = lowered
        .labels
        .iter()
        .zip(0..)
        .map(|(&at, label)| (at, label))
        .collect();
    labels.sort_unstable();
    let mut labels = labels.into_iter().peekable();
    let parts = groups(lowered).flat_map(|(group, _)| {
        let first = group.start;
        group.map(move |index| (index, index > first))
    });
    for (index, fused) in parts {
        let inst = &lowered.insts[index];
        while let Some((_, label)) = labels.next_if(|&(at, _)| at as usize == index) {
            let _ = writeln!(text, "L{label}:");
        }
        if let Inst::Enter { count: 0, .. } = inst {
            continue;
        }
        let margin = if fused { "  + " } else { "    " };
        let _ = write!(text, "{margin}{}", Line(inst));
        if let Inst::BrTable { first, last, .. } = *inst {
            let targets = &lowered.targets[first as usize..=(first + last) as usize];
            for target in targets {
                let _ = write!(text, " L{}", target.0);
            }
        }
        text.push('\n');
    }
    for (index, Try { outer, clauses }) in lowered.tries.iter().enumerate() {
        let _ = write!(text, "try {index}");
        if let Some(TryIndex(outer)) = outer {
            let _ = write!(text, " in try {outer}");
        }
        text.push('\n');
        for clause in clauses {
            let _ = writeln!(text, "    {clause}");
        }
    }
    text
}

/// Adds the `try` around an instruction.
fn within(f: &mut fmt::Formatter<'_>, catcher: Option<TryIndex>) -> fmt::Result {
    match catcher {
        Some(TryIndex(index)) => write!(f, " in try {index}"),
        None => Ok(()),
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tag {
            Some(tag) => write!(f, "tag {tag} -> L{} s{}..", self.label.0, self.values)?,
            None => write!(f, "any -> L{}", self.label.0)?,
        }
        if let Some(slot) = self.exception {
            write!(f, " exception s{slot}")?;
        }
        write!(f, " pins {:?}", self.pins)
    }
}

struct Line<'a>(&'a Inst);

/// A pointer of the instance block: its number among those behind the head,
/// which says which definition it is whatever the head holds.
struct Pointer(u32);

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let behind_head = self.0 as usize - size_of::<VmCtx>();
        write!(f, "@{}", behind_head / size_of::<*const u8>())
    }
}

impl fmt::Display for Src {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Src::Slot(slot) => write!(f, "s{slot}"),
            Src::Acc => f.write_str("acc"),
            Src::Pin(pin) => write!(f, "p{pin}"),
            Src::Const(bits) => write!(f, "{bits:#x}"),
        }
    }
}

impl fmt::Display for Dst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dst::Slot(slot) => write!(f, "s{slot}"),
            Dst::Acc => f.write_str("acc"),
            Dst::Pin(pin, slot) => write!(f, "p{pin}/s{slot}"),
        }
    }
}

impl fmt::Display for Jump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.loop_slot {
            0 => write!(f, "L{}", self.label.0),
            slot => write!(f, "L{} (loop {slot})", self.label.0),
        }
    }
}

impl fmt::Display for Callee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Callee::Own(func) => write!(f, "own {func}"),
            Callee::Imported(func) => write!(f, "imported {func}"),
            Callee::Indirect { table, ty, index } => {
                write!(f, "table {table} [{index}] type {ty}")
            }
            Callee::Ref(func) => write!(f, "ref {func}"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Guarded(offset) => write!(f, "+ {offset}]"),
            Place::Checked { memory, offset } => {
                write!(f, "+ {offset}] checked {}", Pointer(*memory))
            }
        }
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self.0 {
            Inst::Binary { op, a, b, d } => write!(f, "{d} = {op:?} {a}, {b}"),
            Inst::Compare { op, a, b, d } => write!(f, "{d} = {op:?} {a}, {b}"),
            Inst::Divide { op, a, b, d } => write!(f, "{d} = {op:?} {a}, {b}"),
            Inst::Unary { op, a, d } => write!(f, "{d} = {op:?} {a}"),
            Inst::FloatBinary { op, a, b, d } => write!(f, "f:{d} = {op:?} f:{a}, f:{b}"),
            Inst::FloatBinaryLoad {
                op,
                a,
                address,
                offset,
                d,
            } => {
                write!(f, "f:{d} = {op:?} f:{a}, [{address} + {offset}]")
            }
            Inst::FloatMulAdd { width, a, b, c, d } => {
                write!(f, "f:{d} = {width:?} f:s{c} + f:{a} * f:{b}")
            }
            Inst::FloatMulAddLoad {
                width,
                a,
                address,
                offset,
                c,
                d,
            } => {
                write!(
                    f,
                    "f:{d} = {width:?} f:s{c} + f:{a} * [{address} + {offset}]"
                )
            }
            Inst::FloatUnary { op, a, d } => write!(f, "f:{d} = {op:?} f:{a}"),
            Inst::FloatCompare { op, a, b, d } => write!(f, "{d} = {op:?} f:{a}, f:{b}"),
            Inst::FromInt { op, a, d } => write!(f, "f:{d} = {op:?} {a}"),
            Inst::ToInt { op, a, d } => write!(f, "{d} = {op:?} f:{a}"),
            Inst::Trunc { op, a, d } => write!(f, "{d} = {op:?} f:{a}"),
            Inst::Load { op, a, offset, d } => write!(f, "{d} = {op:?} [{a} + {offset}]"),
            Inst::Load2 {
                op,
                a,
                b,
                offset,
                d,
            } => {
                write!(f, "{d} = {op:?} [{a} + {b} + {offset}]")
            }
            Inst::Store { op, a, v, offset } => write!(f, "{op:?} [{a} + {offset}] = {v}"),
            Inst::Store2 {
                op,
                a,
                b,
                v,
                offset,
            } => {
                write!(f, "{op:?} [{a} + {b} + {offset}] = {v}")
            }
            Inst::FloatLoad {
                width,
                a,
                offset,
                d,
            } => {
                write!(f, "f:{d} = Load{width:?} [{a} + {offset}]")
            }
            Inst::FloatLoad2 {
                width,
                a,
                b,
                offset,
                d,
            } => {
                write!(f, "f:{d} = Load{width:?} [{a} + {b} + {offset}]")
            }
            Inst::FloatStore {
                width,
                a,
                v,
                offset,
            } => {
                write!(f, "Store{width:?} [{a} + {offset}] = f:{v}")
            }
            Inst::CheckedLoad {
                op,
                memory,
                a,
                offset,
                d,
            } => {
                write!(
                    f,
                    "{d} = checked {op:?} {}[s{a} + {offset}]",
                    Pointer(memory)
                )
            }
            Inst::CheckedStore {
                op,
                memory,
                a,
                v,
                offset,
            } => {
                write!(
                    f,
                    "checked {op:?} {}[s{a} + {offset}] = s{v}",
                    Pointer(memory)
                )
            }
            Inst::Mov { a, d } => write!(f, "{d} = {a}"),
            Inst::FloatMov { a, d } => write!(f, "f:{d} = f:{a}"),
            Inst::Select { c, a, b, d } => write!(f, "{d} = if {c} then {a} else {b}"),
            Inst::GlobalGet { global, d } => write!(f, "{d} = global {}", Pointer(global)),
            Inst::GlobalSet { global, a } => write!(f, "global {} = {a}", Pointer(global)),
            Inst::Br { to } => write!(f, "br {to}"),
            Inst::BrIf { a, non_zero, to } => {
                write!(f, "br {to} if {a} {} 0", if non_zero { "!=" } else { "==" })
            }
            Inst::BrCompare { op, a, b, to } => write!(f, "br {to} if {op:?} {a}, {b}"),
            Inst::BrAnd { a, b, non_zero, to } => {
                write!(
                    f,
                    "br {to} if {a} & {b} {} 0",
                    if non_zero { "!=" } else { "==" }
                )
            }
            Inst::BrFloatCompare { op, a, b, to } => write!(f, "br {to} if {op:?} f:{a}, f:{b}"),
            Inst::AddBr {
                op,
                a,
                slot,
                addend,
                b,
                to,
            } => {
                write!(f, "{a}/s{slot} += {addend}; br {to} if {op:?} {a}, {b}")
            }
            Inst::BrTable { a, .. } => write!(f, "br_table {a}:"),
            Inst::EnterLoop { loop_slot, pins } => write!(f, "loop {loop_slot} pins {pins:?}"),
            Inst::Pin { pins } => write!(f, "pins {pins:?}"),
            Inst::Call {
                callee,
                base,
                pins,
                catcher,
            } => {
                write!(f, "call {callee} at s{base} pins {pins:?}")?;
                within(f, catcher)
            }
            Inst::ReturnCall {
                callee,
                base,
                slots,
            } => {
                write!(f, "return_call {callee} at s{base}, {slots} slots")
            }
            Inst::Ret => f.write_str("ret"),
            Inst::RetInt { a } => write!(f, "ret {a}"),
            Inst::RetFloat { a } => write!(f, "ret f:{a}"),
            Inst::RetMany { first, count } => write!(f, "ret s{first}..+{count}"),
            Inst::Enter { first, count } => write!(f, "enter s{first}..+{count} = 0"),
            Inst::Slots {
                op,
                s: [a, b, c],
                x,
                y,
            } => {
                write!(f, "{op:?} s{a}, s{b}, s{c}, ")?;
                match op {
                    SlotOp::TableGet | SlotOp::TableSet | SlotOp::TableSize => {
                        write!(f, "{}", Pointer(x))
                    }
                    _ => write!(f, "{x}, {y}"),
                }
            }
            Inst::Simd {
                op,
                s: [d, operands @ ..],
                lane,
            } => {
                let shape = op.shape();
                write!(f, "s{d} = {op:?}")?;
                for (at, slot) in operands[..shape.operands.len()].iter().enumerate() {
                    write!(f, "{} s{slot}", if at == 0 { "" } else { "," })?;
                }
                if shape.has_lane {
                    write!(f, " lane {lane}")?;
                }
                Ok(())
            }
            Inst::SimdShift { op, d, a, bits } => write!(f, "s{d} = {op:?} s{a}, {bits}"),
            Inst::SimdConst {
                d,
                bits: [low, high],
            } => {
                write!(f, "s{d} = {:#x}", u128::from(high) << 64 | u128::from(low))
            }
            Inst::SimdShuffle { d, a, b, lanes } => {
                write!(f, "s{d} = shuffle s{a}, s{b} {lanes:?}")
            }
            Inst::SimdGlobalGet { global, d } => {
                write!(f, "s{d} = vector global {}", Pointer(global))
            }
            Inst::SimdGlobalSet { global, a } => {
                write!(f, "vector global {} = s{a}", Pointer(global))
            }
            Inst::SimdAccess {
                op,
                at,
                a,
                d,
                v,
                lane,
            } => match (op.is_store(), op.has_lane()) {
                (false, false) => write!(f, "s{d} = {op:?} [s{a} {at}"),
                (false, true) => write!(f, "s{d} = {op:?} s{v} lane {lane} [s{a} {at}"),
                (true, false) => write!(f, "{op:?} [s{a} {at} = s{d}"),
                (true, true) => write!(f, "{op:?} [s{a} {at} = s{d} lane {lane}"),
            },
            Inst::Atomic {
                op,
                memory,
                a,
                d,
                v,
                offset,
            } => {
                if op.has_result() {
                    write!(f, "s{d} = ")?;
                }
                write!(f, "atomic {op:?} @{memory}[s{a} + {offset}]")?;
                let operands = v[..op.operands()].iter();
                operands.into_iter().try_for_each(|v| write!(f, ", s{v}"))
            }
            Inst::AtomicFence => f.write_str("atomic fence"),
            Inst::Wide {
                op,
                s,
                d: [low, high],
            } => {
                write!(f, "s{low}, s{high} = {op:?}")?;
                for (at, slot) in s[..op.operands()].iter().enumerate() {
                    write!(f, "{} s{slot}", if at == 0 { "" } else { "," })?;
                }
                Ok(())
            }
            Inst::Throw {
                tag,
                first,
                catcher,
            } => {
                write!(f, "throw tag {tag} s{first}..")?;
                within(f, catcher)
            }
            Inst::ThrowRef { a, catcher } => {
                write!(f, "throw_ref s{a}")?;
                within(f, catcher)
            }
            Inst::Object(inst) => inst.fmt(f),
            Inst::Unreachable => f.write_str("unreachable"),
            Inst::ConsumeFuel { units } => write!(f, "fuel {units}"),
            Inst::CheckInterrupt => f.write_str("check interrupt"),
            Inst::Count { loop_at: None } => f.write_str("count call"),
            Inst::Count { loop_at: Some(at) } => write!(f, "count loop {at:#x}"),
        }
    }
}
