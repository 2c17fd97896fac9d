//! Lowering: one pass from a function body to register code.
//!
//! Operands are followed symbolically (`stack`), so that `local.get` and
//! constants cost nothing and results go where they are wanted; control frames
//! (`control`) keep what labels expect, and where exceptions go (`exception`); a
//! loop is scanned ahead for the locals worth a register (`prescan`). The result is encoded by [`crate::encode`].
//! Lowering knows nothing of instances: what it embeds is the same for all
//! instances of a module.

mod atomic;
mod branch;
mod call;
mod condition;
mod control;
mod exception;
mod float;
mod memory;
mod object;
mod ops;
mod prescan;
mod simd;
mod stack;
mod visit;
mod zeroing;

use crate::inst::{Inst, Label, PinSlots, Try};
use control::Frame;
use memory::Stored;
use prescan::{LoopInfo, PINS, Pins};
use rwasm_parser::{CompositeType, FuncType, LocalFuncIndex, Module, ParseError, Resources};
use rwasm_runtime::code::{BodyHash, CodeSettings, ModuleCode};
use rwasm_runtime::tunables::MAX_FRAME_SLOTS;
use stack::{Acc, Entry, Kind};
use std::mem;
use thiserror::Error;
use visit::Visitor;
use wasmparser::{FuncValidator, FunctionBody, OperatorsReader, OperatorsReaderAllocations};
use zeroing::Zeroing;

/// Why a function could not be lowered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LowerError {
    /// The body is not valid.
    #[error(transparent)]
    Invalid(#[from] ParseError),
    /// An instruction of a proposal that no option enables: the decoder knows
    /// more of them than validation admits.
    #[error(
        "function {func}: instruction `{instruction}` at offset {offset:#x} is of no proposal that this tier executes"
    )]
    Unsupported {
        /// Index of the function in its module.
        func: u32,
        /// Byte offset in the module.
        offset: u64,
        /// Name of the instruction.
        instruction: String,
    },
    /// The function needs more slots than an operand can name.
    #[error(
        "function {func} needs more than {MAX_FRAME_SLOTS} stack slots for its locals and operands"
    )]
    FrameTooLarge {
        /// Index of the function in its module.
        func: u32,
    },
    /// The body cannot be decoded: it was not validated.
    #[error("function body cannot be decoded: {0}")]
    Malformed(#[from] wasmparser::BinaryReaderError),
}

/// A local.
#[derive(Clone, Copy, Debug)]
struct LocalInfo {
    kind: Kind,
    /// The register that it is pinned in.
    pin: Option<u8>,
    /// Whether it has been assigned in this block or one around it.
    assigned: bool,
    slot: u32,
    /// Operands on the stack that stand for it.
    uses: u32,
}

/// Buffers kept from function to function.
#[derive(Default)]
pub(crate) struct Scratch {
    reader: OperatorsReaderAllocations,
    prescan: prescan::Scratch,
    moved: Vec<bool>,
    insts: Vec<Inst>,
    labels: Vec<u32>,
    bound: Vec<u32>,
    stack: Vec<Entry>,
    locals: Vec<LocalInfo>,
    zeroing: Zeroing,
    nest: Vec<LoopInfo>,
}

impl Scratch {
    /// Takes the memory of what was encoded for the next function.
    pub(crate) fn recycle(&mut self, lowered: Lowered) {
        self.insts = emptied(lowered.insts);
        self.labels = emptied(lowered.labels);
        self.bound = emptied(lowered.bound);
    }
}

fn emptied<T>(mut items: Vec<T>) -> Vec<T> {
    items.clear();
    items
}

/// Register code before encoding.
pub(crate) struct Lowered {
    /// Whose code it is.
    pub(crate) func: LocalFuncIndex,
    /// The instructions.
    pub(crate) insts: Vec<Inst>,
    /// Index of the instruction behind each label.
    pub(crate) labels: Vec<u32>,
    /// The instructions behind labels, in ascending order.
    pub(crate) bound: Vec<u32>,
    /// Targets of all `br_table`s.
    pub(crate) targets: Vec<Label>,
    /// Every `try`.
    pub(crate) tries: Vec<Try>,
    /// Slots of a frame.
    pub(crate) frame_slots: u32,
    /// Byte offset in the module by instruction, if asked for.
    pub(crate) offsets: Option<Vec<u32>>,
    /// The body that it was lowered from, if that is to be kept.
    pub(crate) body: Option<BodyHash>,
}

/// The state of lowering one function.
struct Lower<'a> {
    module: &'a Module,
    code: &'a ModuleCode,
    settings: CodeSettings,
    scratch: &'a mut Scratch,
    body: &'a FunctionBody<'a>,
    /// Index of the function in its module.
    func: u32,
    out: Vec<Inst>,
    offsets: Option<Vec<u32>>,
    /// Offset of the current instruction.
    offset: u32,
    labels: Vec<u32>,
    bound: Vec<u32>,
    targets: Vec<Label>,
    tries: Vec<Try>,
    /// Where exceptions go that are caught with a label of the function itself.
    return_label: Option<Label>,
    locals: Vec<LocalInfo>,
    zeroing: Zeroing,
    /// The last store, if its value can stand for a load of the same bytes.
    stored: Option<(usize, Stored)>,
    /// Slot of the first operand.
    first_temp: u32,
    /// Slots in use at most.
    slots: u32,
    stack: Vec<Entry>,
    /// Operands below this height are where labels expect them.
    flushed: usize,
    frames: Vec<Frame<'a>>,
    acc: Acc,
    float_acc: Acc,
    /// What the accumulators held before the last instruction.
    accs_before: (Acc, Acc),
    /// First instruction since the last branch or label.
    region: usize,
    pins: Pins,
    /// The loops of the current nest, by offset.
    nest: Vec<LoopInfo>,
    nest_at: usize,
    loop_depth: u32,
    /// The current block's fuel instruction.
    fuel: Option<usize>,
    /// Whether the code here cannot be reached.
    dead: bool,
    /// Blocks opened in dead code.
    dead_blocks: u32,
}

/// Lowers a function of the module from its body, which is valid or is validated
/// by `validator` at the same time. With `offsets`, the result says where each
/// instruction came from.
pub(crate) fn lower(
    code: &ModuleCode,
    func: LocalFuncIndex,
    body: &FunctionBody<'_>,
    validator: Option<&mut FuncValidator<Resources>>,
    scratch: &mut Scratch,
    offsets: bool,
) -> Result<Lowered, LowerError> {
    let module = &*code.module;
    let func_index = module.num_imported_functions() + func.as_u32();
    let out = mem::take(&mut scratch.insts);
    let labels = mem::take(&mut scratch.labels);
    let bound = mem::take(&mut scratch.bound);
    let stack = mem::take(&mut scratch.stack);
    let locals = mem::take(&mut scratch.locals);
    let zeroing = mem::take(&mut scratch.zeroing);
    let nest = mem::take(&mut scratch.nest);
    let mut lower = Lower {
        module,
        code,
        settings: code.settings,
        scratch,
        body,
        func: func_index,
        out,
        offsets: offsets.then(Vec::new),
        offset: 0,
        labels,
        bound,
        targets: Vec::new(),
        tries: Vec::new(),
        return_label: None,
        locals,
        zeroing,
        stored: None,
        first_temp: 0,
        slots: 0,
        stack,
        flushed: 0,
        frames: Vec::with_capacity(16),
        acc: Acc::Nothing,
        float_acc: Acc::Nothing,
        accs_before: (Acc::Nothing, Acc::Nothing),
        region: 0,
        pins: [None; PINS],
        nest,
        nest_at: 0,
        loop_depth: 0,
        fuel: None,
        dead: false,
        dead_blocks: 0,
    };
    lower.body(validator)?;
    if lower.slots as usize >= MAX_FRAME_SLOTS {
        return Err(LowerError::FrameTooLarge { func: func_index });
    }
    lower.scratch.stack = emptied(lower.stack);
    lower.scratch.locals = emptied(lower.locals);
    lower.scratch.zeroing = lower.zeroing;
    lower.scratch.nest = lower.nest;
    Ok(Lowered {
        func,
        insts: lower.out,
        labels: lower.labels,
        bound: lower.bound,
        targets: lower.targets,
        tries: lower.tries,
        frame_slots: lower.slots,
        offsets: lower.offsets,
        body: None,
    })
}

impl<'a> Lower<'a> {
    fn body(
        &mut self,
        mut validator: Option<&mut FuncValidator<Resources>>,
    ) -> Result<(), LowerError> {
        let body = self.body;
        if let Some(validator) = &mut validator {
            validator.read_locals(&mut body.get_binary_reader())?;
        }
        let ty = self.func_type(self.module.functions()[self.func as usize].as_u32());
        for param in &ty.params {
            self.declare_local(Kind::of(param));
        }
        let params = self.first_temp;
        let param_count = self.locals.len();
        let mut locals = body.get_locals_reader()?;
        for _ in 0..locals.get_count() {
            let (count, ty) = locals.read()?;
            let kind = control::kind_of(ty);
            for _ in 0..count {
                self.declare_local(kind);
            }
        }
        if self.slots as usize >= MAX_FRAME_SLOTS {
            // Before slots wrap: operands could not tell them apart.
            return Err(LowerError::FrameTooLarge { func: self.func });
        }
        if self.first_temp > params {
            let (first, count) = (params as u16, (self.first_temp - params) as u16);
            self.emit(Inst::Enter { first, count });
        }
        self.begin_zeroing(param_count);
        self.open_function(&ty.results);
        self.begin_fuel_block();
        if self.settings.interruption {
            self.emit(Inst::CheckInterrupt);
        }
        if self.settings.tier_up {
            self.emit(Inst::Count { loop_at: None });
        }
        let operators = body.get_binary_reader_for_operators()?;
        let buffer = mem::take(&mut self.scratch.reader);
        let mut reader = OperatorsReader::new_with_allocs(operators, buffer);
        let mut visitor = Visitor {
            lower: self,
            validator,
        };
        while !reader.eof() {
            visitor.lower.offset = reader.original_position() as u32;
            let visited = reader.visit_operator(&mut visitor)?;
            visited.map_err(|error| *error)?;
            if visitor.lower.slots as usize >= MAX_FRAME_SLOTS {
                // Not at the end alone: what is known of the operands would
                // grow without bound.
                return Err(LowerError::FrameTooLarge { func: self.func });
            }
        }
        reader.finish()?;
        self.scratch.reader = reader.into_allocations();
        self.end_zeroing();
        Ok(())
    }

    fn declare_local(&mut self, kind: Kind) {
        self.locals.push(LocalInfo {
            kind,
            pin: None,
            assigned: false,
            slot: self.first_temp,
            uses: 0,
        });
        self.first_temp += kind.slots();
        self.use_slots(self.first_temp);
    }

    /// The frame has at least so many slots.
    #[inline]
    fn use_slots(&mut self, slots: u32) {
        self.slots = self.slots.max(slots);
    }

    /// From here on other locals are pinned.
    fn set_pins(&mut self, pins: Pins) {
        if pins == self.pins {
            return;
        }
        for local in self.pins.into_iter().flatten() {
            self.locals[local as usize].pin = None;
        }
        for (register, local) in (0..).zip(pins) {
            if let Some(local) = local {
                self.locals[local as usize].pin = Some(register);
            }
        }
        self.pins = pins;
    }

    fn pin_slots(&self) -> PinSlots {
        prescan::pin_slots(self.pins, &self.locals)
    }

    /// A function type of the module.
    fn func_type(&self, index: u32) -> &'a FuncType {
        match &self.module.types()[index as usize].composite {
            CompositeType::Func(ty) => ty,
            CompositeType::Struct(_) | CompositeType::Array(_) => {
                unreachable!("validated: a function type")
            }
        }
    }

    /// From here on instructions are charged to a new basic block.
    fn begin_fuel_block(&mut self) {
        if self.settings.fuel {
            self.fuel = Some(self.emit(Inst::ConsumeFuel { units: 0 }) as usize);
        }
    }

    /// Charges an instruction to the current block.
    #[inline]
    fn charge_fuel(&mut self) {
        if let Some(at) = self.fuel
            && let Inst::ConsumeFuel { units } = &mut self.out[at]
        {
            *units += 1;
        }
    }

    fn unsupported<T>(&self, operator: &wasmparser::Operator<'_>) -> Result<T, LowerError> {
        let debug = format!("{operator:?}");
        let instruction = debug
            .split([' ', '{', '('])
            .next()
            .unwrap_or_default()
            .to_owned();
        Err(LowerError::Unsupported {
            func: self.func,
            offset: self.offset.into(),
            instruction,
        })
    }
}
