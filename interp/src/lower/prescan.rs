//! What lowering must know of a loop before its body: how deep loops nest in
//! it, and which locals are worth a register.
//!
//! An outermost loop is read once ahead of its lowering, with all that is in
//! it; code outside loops is never read twice. The bytes may not be validated
//! yet, so that nothing here relies on their sense.

use super::LocalInfo;
use super::stack::Kind;
use crate::inst::PinSlots;
use wasmparser::{
    BinaryReader, OperatorsReader, OperatorsReaderAllocations, VisitOperator, VisitSimdOperator,
};

/// Registers for pinned locals.
pub(super) const PINS: usize = 3;

/// The pinned locals, by register.
pub(super) type Pins = [Option<u32>; PINS];

/// A loop inside of the nest that was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct LoopInfo {
    /// Byte offset of the `loop` instruction.
    pub(super) offset: u64,
    /// 0 for a loop without loops in it, otherwise 1 + that of its highest.
    pub(super) height: u8,
    /// Locals to pin in it.
    pub(super) pins: Pins,
}

impl LoopInfo {
    /// A loop that the scan did not reach: the bytes before it are malformed.
    pub(super) fn unknown(offset: u64) -> Self {
        LoopInfo {
            offset,
            height: u8::MAX,
            pins: [None; PINS],
        }
    }
}

/// Buffers of the scan, kept from function to function.
#[derive(Default)]
pub(super) struct Scratch {
    reader: OperatorsReaderAllocations,
    /// Weight by local; all zeros between uses.
    weights: Vec<u64>,
    /// Locals used in the open loops and the depth of each use, oldest first.
    uses: Vec<(u32, u8)>,
    /// Whether each open block is a loop.
    blocks: Vec<bool>,
    /// The open loops: index, and number of uses when it began.
    loops: Vec<(usize, usize)>,
}

/// Reads the nest of the loop that `body` begins with into `loops`, ordered by offset and
/// beginning with that loop.
pub(super) fn scan_nest(
    body: BinaryReader<'_>,
    locals: &[LocalInfo],
    scratch: &mut Scratch,
    loops: &mut Vec<LoopInfo>,
) {
    let buffer = std::mem::take(&mut scratch.reader);
    let mut reader = OperatorsReader::new_with_allocs(body, buffer);
    let Scratch {
        weights,
        uses,
        blocks,
        loops: open,
        ..
    } = scratch;
    weights.resize(locals.len().max(weights.len()), 0);
    uses.clear();
    blocks.clear();
    open.clear();
    loops.clear();
    loop {
        let at = reader.original_position();
        let Ok(step) = reader.visit_operator(&mut Steps) else {
            break;
        };
        match step {
            Step::Loop => {
                blocks.push(true);
                open.push((loops.len(), uses.len()));
                loops.push(LoopInfo {
                    height: 0,
                    ..LoopInfo::unknown(at)
                });
            }
            Step::Block => blocks.push(false),
            Step::End => {
                if blocks.pop() != Some(true) {
                    continue;
                }
                let Some((index, first_use)) = open.pop() else {
                    break;
                };
                if loops[index].height == 0 {
                    loops[index].pins = heaviest(&uses[first_use..], locals, weights);
                    // Such a loop has its own pins; its uses are not an outer loop's.
                    uses.truncate(first_use);
                }
                let Some(&(outer, _)) = open.last() else {
                    break;
                };
                let height = loops[index].height.saturating_add(1);
                loops[outer].height = loops[outer].height.max(height);
            }
            Step::Local(local) if (local as usize) < locals.len() => {
                uses.push((local, open.len().min(16) as u8));
            }
            Step::Local(_) | Step::Other => {}
        }
    }
    if loops.first().is_some_and(|outermost| outermost.height > 0) {
        // One choice for all of the nest but its innermost loops.
        let pins = heaviest(uses, locals, weights);
        for info in loops.iter_mut().filter(|info| info.height > 0) {
            info.pins = pins;
        }
    }
    scratch.reader = reader.into_allocations();
}

/// What of an instruction counts here.
enum Step {
    Loop,
    /// A block of any other kind begins.
    Block,
    /// A block of any kind ends.
    End,
    /// A local is read or assigned.
    Local(u32),
    Other,
}

/// Decodes instructions to [`Step`]s, without making an [`Operator`](wasmparser::Operator)
/// of each.
struct Steps;

macro_rules! step {
    (Loop $blockty:ident) => {
        Step::Loop
    };
    (Block $blockty:ident) => {
        Step::Block
    };
    (If $blockty:ident) => {
        Step::Block
    };
    (Try $blockty:ident) => {
        Step::Block
    };
    (TryTable $try_table:ident) => {
        Step::Block
    };
    (End) => {
        Step::End
    };
    (Delegate $depth:ident) => {
        Step::End
    };
    (LocalGet $local:ident) => {
        Step::Local($local)
    };
    (LocalSet $local:ident) => {
        Step::Local($local)
    };
    (LocalTee $local:ident) => {
        Step::Local($local)
    };
    ($other:ident $($argument:ident)*) => {
        Step::Other
    };
}

macro_rules! steps {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        $(
            fn $visit(&mut self $($(, $arg: $ty)*)?) -> Step {
                step!($op $($($arg)*)?)
            }
        )*
    };
}

#[allow(unused_variables, reason = "most immediates do not count")]
impl<'a> VisitOperator<'a> for Steps {
    type Output = Step;

    fn simd_visitor(&mut self) -> Option<&mut dyn VisitSimdOperator<'a, Output = Step>> {
        Some(self)
    }

    wasmparser::for_each_visit_operator!(steps);
}

#[allow(unused_variables, reason = "most immediates do not count")]
impl<'a> VisitSimdOperator<'a> for Steps {
    wasmparser::for_each_visit_simd_operator!(steps);
}

/// The locals with the most uses, each deeper loop counting eightfold.
/// `weights` is all zeros before and after.
fn heaviest(uses: &[(u32, u8)], locals: &[LocalInfo], weights: &mut [u64]) -> Pins {
    let mut best: [(u64, Option<u32>); PINS] = [(0, None); PINS];
    for &(local, depth) in uses {
        if locals[local as usize].kind == Kind::Int {
            let weight = &mut weights[local as usize];
            *weight = weight.saturating_add(1 << (3 * u32::from(depth)));
        }
    }
    for &(local, _) in uses {
        let weight = std::mem::take(&mut weights[local as usize]);
        // Zero for all but the first mention; ties go to the lower index.
        if weight > 0 {
            let place = best.iter().position(|&(least, other)| {
                weight > least || (weight == least && other.is_some_and(|other| local < other))
            });
            if let Some(place) = place {
                best[place..].rotate_right(1);
                best[place] = (weight, Some(local));
            }
        }
    }
    best.map(|(_, local)| local)
}

/// Puts the locals that stay pinned into the registers that they are in.
pub(super) fn keep_places(wanted: Pins, current: Pins) -> Pins {
    let mut result = [None; PINS];
    let mut homeless = Vec::with_capacity(PINS);
    for local in wanted.into_iter().flatten() {
        match current.iter().position(|&pinned| pinned == Some(local)) {
            Some(register) => result[register] = Some(local),
            None => homeless.push(local),
        }
    }
    for (register, place) in result.iter_mut().enumerate() {
        if place.is_none() {
            // A register that nothing wants keeps what it has.
            *place = homeless.pop().or(current[register]);
        }
    }
    // Nothing may be pinned twice: stores write one register.
    for register in 1..PINS {
        if result[register].is_some() && result[..register].contains(&result[register]) {
            result[register] = None;
        }
    }
    result
}

/// The slots to load the pins from.
pub(super) fn pin_slots(pins: Pins, locals: &[LocalInfo]) -> PinSlots {
    pins.map(|pin| pin.map_or(0, |local| locals[local as usize].slot as u16))
}
