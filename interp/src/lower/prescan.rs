//! What lowering must know of a loop before its body: how deep loops nest in
//! it, and which locals are worth a register.
//!
//! An outermost loop is read once ahead of its lowering, with all that is in
//! it; code outside loops is never read twice. The bytes may not be validated
//! yet, so that nothing here relies on their sense.

use super::LocalInfo;
use super::stack::Kind;
use crate::inst::PinSlots;
use std::ops::ControlFlow;
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
    open: Vec<(usize, usize)>,
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
        open,
        ..
    } = scratch;
    weights.resize(locals.len().max(weights.len()), 0);
    uses.clear();
    blocks.clear();
    open.clear();
    loops.clear();
    let mut scan = Scan {
        locals,
        weights,
        uses,
        blocks,
        open,
        loops,
        at: reader.original_position(),
    };
    while let Ok(ControlFlow::Continue(())) = reader.visit_operator(&mut scan) {
        scan.at = reader.original_position();
    }
    scan.finish();
    scratch.reader = reader.into_allocations();
}

/// A scan, which sees each instruction as a visitor: no [`Operator`](wasmparser::Operator)
/// is made of it.
struct Scan<'a> {
    locals: &'a [LocalInfo],
    weights: &'a mut [u64],
    uses: &'a mut Vec<(u32, u8)>,
    blocks: &'a mut Vec<bool>,
    open: &'a mut Vec<(usize, usize)>,
    loops: &'a mut Vec<LoopInfo>,
    /// Offset of the current instruction.
    at: u64,
}

impl Scan<'_> {
    fn begin_loop(&mut self) {
        self.blocks.push(true);
        self.open.push((self.loops.len(), self.uses.len()));
        self.loops.push(LoopInfo {
            height: 0,
            ..LoopInfo::unknown(self.at)
        });
    }

    /// A block of any kind ends; breaks where the outermost loop does.
    fn end_block(&mut self) -> ControlFlow<()> {
        if self.blocks.pop() != Some(true) {
            return ControlFlow::Continue(());
        }
        let Some((index, first_use)) = self.open.pop() else {
            return ControlFlow::Break(());
        };
        let height = self.loops[index].height;
        if height == 0 {
            self.loops[index].pins = heaviest(&self.uses[first_use..], self.locals, self.weights);
            // Such a loop has its own pins; its uses are not an outer loop's.
            self.uses.truncate(first_use);
        }
        let Some(&(outer, _)) = self.open.last() else {
            return ControlFlow::Break(());
        };
        let outer = &mut self.loops[outer];
        outer.height = outer.height.max(height.saturating_add(1));
        ControlFlow::Continue(())
    }

    /// A local is read or assigned.
    fn use_local(&mut self, local: u32) {
        if (local as usize) < self.locals.len() {
            self.uses.push((local, self.open.len().min(16) as u8));
        }
    }

    fn finish(self) {
        if self
            .loops
            .first()
            .is_some_and(|outermost| outermost.height > 0)
        {
            // One choice for all of the nest but its innermost loops.
            let pins = heaviest(self.uses, self.locals, self.weights);
            for info in self.loops.iter_mut().filter(|info| info.height > 0) {
                info.pins = pins;
            }
        }
    }
}

/// What an instruction means for the scan, given its name and immediates.
macro_rules! scan {
    ($scan:ident Loop $blockty:ident) => {{
        $scan.begin_loop();
        ControlFlow::Continue(())
    }};
    ($scan:ident Block $blockty:ident) => {{
        $scan.blocks.push(false);
        ControlFlow::Continue(())
    }};
    ($scan:ident If $blockty:ident) => {{
        $scan.blocks.push(false);
        ControlFlow::Continue(())
    }};
    ($scan:ident Try $blockty:ident) => {{
        $scan.blocks.push(false);
        ControlFlow::Continue(())
    }};
    ($scan:ident TryTable $try_table:ident) => {{
        $scan.blocks.push(false);
        ControlFlow::Continue(())
    }};
    ($scan:ident End) => {
        $scan.end_block()
    };
    ($scan:ident Delegate $depth:ident) => {
        $scan.end_block()
    };
    ($scan:ident LocalGet $local:ident) => {{
        $scan.use_local($local);
        ControlFlow::Continue(())
    }};
    ($scan:ident LocalSet $local:ident) => {{
        $scan.use_local($local);
        ControlFlow::Continue(())
    }};
    ($scan:ident LocalTee $local:ident) => {{
        $scan.use_local($local);
        ControlFlow::Continue(())
    }};
    ($scan:ident $other:ident $($argument:ident)*) => {
        ControlFlow::Continue(())
    };
}

macro_rules! scans {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        $(
            fn $visit(&mut self $($(, $arg: $ty)*)?) -> ControlFlow<()> {
                let scan = self;
                scan!(scan $op $($($arg)*)?)
            }
        )*
    };
}

#[allow(unused_variables, reason = "most immediates do not count")]
impl<'a> VisitOperator<'a> for Scan<'_> {
    type Output = ControlFlow<()>;

    fn simd_visitor(&mut self) -> Option<&mut dyn VisitSimdOperator<'a, Output = ControlFlow<()>>> {
        Some(self)
    }

    wasmparser::for_each_visit_operator!(scans);
}

#[allow(unused_variables, reason = "most immediates do not count")]
impl<'a> VisitSimdOperator<'a> for Scan<'_> {
    wasmparser::for_each_visit_simd_operator!(scans);
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
                for later in (place + 1..PINS).rev() {
                    best[later] = best[later - 1];
                }
                best[place] = (weight, Some(local));
            }
        }
    }
    best.map(|(_, local)| local)
}

/// Puts the locals that stay pinned into the registers that they are in.
pub(super) fn keep_places(wanted: Pins, current: Pins) -> Pins {
    let mut result = [None; PINS];
    for local in wanted.into_iter().flatten() {
        if let Some(register) = current.iter().position(|&pinned| pinned == Some(local)) {
            result[register] = Some(local);
        }
    }
    let mut homeless = wanted
        .into_iter()
        .flatten()
        .filter(|&local| !current.contains(&Some(local)))
        .rev();
    for (register, place) in result.iter_mut().enumerate() {
        if place.is_none() {
            // A register that nothing wants keeps what it has.
            *place = homeless.next().or(current[register]);
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
