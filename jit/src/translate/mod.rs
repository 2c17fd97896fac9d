//! Translation of function bodies to Cranelift's IR.
//!
//! One pass over the body's instructions. Operands are SSA values on a stack of
//! the translator's own (`stack`), control frames (`control`) hold the blocks
//! that labels stand for; locals are the frontend's variables. What code knows
//! of its instance it loads from the instance block, by the offsets that
//! `rwasm_runtime::layout` gives (`env`): the code is the same for all
//! instances of a module.
//!
//! The native call shape ([`native_signature`]): Cranelift's `tail` convention,
//! the callee's instance block, then the function's parameters.
//!
//! Architecture invariant: nothing here compiles, links or runs code; the
//! result is an [`ir::Function`] whose calls name [`crate::symbol::Symbol`]s.

mod atomic;
mod bulk;
mod call;
mod cast;
mod control;
mod dispatch;
mod entry;
mod env;
mod exception;
mod inline;
mod memory;
mod numeric;
mod object;
mod ops;
mod simd;
mod stack;
mod table;

use crate::libcall::LibCall;
use control::Frame;
use cranelift_codegen::ir::{self, AbiParam, ArgumentPurpose, InstBuilder, Signature, types};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};
use entry::LoopEntry;
use exception::Catcher;
use inline::SmallFunctions;
use rwasm_parser::{
    CompositeType, FuncIndex, FuncType, HeapType, LocalFuncIndex, Module, ParseError, TypeIndex,
    ValType,
};
use rwasm_runtime::code::ModuleCode;
use smallvec::SmallVec;
use std::collections::{BTreeSet, HashMap};
use thiserror::Error;

pub use entry::Entry;
use wasmparser::{BinaryReader, FuncValidatorAllocations, FunctionBody, Operator};

/// Why a function could not be translated.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TranslateError {
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
    /// Nothing can be entered at the loop at this byte offset of the module:
    /// there is none, or it is in a handler of legacy exceptions.
    #[error("function {func} cannot be entered at offset {offset:#x}")]
    NoEntry {
        /// Index of the function in its module.
        func: u32,
        /// Byte offset in the module.
        offset: u32,
    },
    /// The body cannot be decoded: it was not validated.
    #[error("function body cannot be decoded: {0}")]
    Malformed(#[from] wasmparser::BinaryReaderError),
}

/// What is known of a translated function beside its IR.
#[derive(Clone, Debug, Default)]
pub(crate) struct Translated {
    /// The instructions of inlined functions; see [`Position`].
    pub(crate) inlined: Vec<InlinedAt>,
    /// The functions that were inlined, in ascending order.
    pub(crate) inlined_funcs: BTreeSet<LocalFuncIndex>,
    /// The types of the functions that it calls.
    pub(crate) called_types: Vec<TypeIndex>,
}

/// Where in the module an instruction came from, as its source location says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// At this byte offset of the module, in the function itself.
    Own(u32),
    /// In an inlined function: the entry of [`Translated::inlined`].
    Inlined(u32),
}

/// An instruction of a function that was inlined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InlinedAt {
    /// Its byte offset in the module, which tells the function.
    pub(crate) offset: u32,
    /// The call that was replaced.
    pub(crate) call_site: Position,
}

/// No module has so many bytes (wasmparser's limit is 1 GiB).
const INLINED_BIT: u32 = 1 << 31;

impl Position {
    /// What a source location stands for; the default one for nothing.
    pub(crate) fn from_srcloc(location: ir::SourceLoc) -> Option<Self> {
        let bits = location.bits();
        (!location.is_default()).then_some(match bits & INLINED_BIT {
            0 => Position::Own(bits),
            _ => Position::Inlined(bits & !INLINED_BIT),
        })
    }

    fn to_srcloc(self) -> ir::SourceLoc {
        ir::SourceLoc::new(match self {
            Position::Own(offset) => offset,
            Position::Inlined(index) => INLINED_BIT | index,
        })
    }
}

/// A translator, which keeps its buffers from function to function.
pub(crate) struct Translator<'i> {
    isa: &'i dyn TargetIsa,
    builder: FunctionBuilderContext,
    validator: FuncValidatorAllocations,
    body: Vec<u8>,
    small_functions: SmallFunctions,
}

impl<'i> Translator<'i> {
    /// A translator for code that `isa` will compile.
    pub(crate) fn new(isa: &'i dyn TargetIsa) -> Self {
        Translator {
            isa,
            builder: FunctionBuilderContext::new(),
            validator: FuncValidatorAllocations::default(),
            body: Vec::new(),
            small_functions: SmallFunctions::default(),
        }
    }

    /// Translates the body of a function, to be entered at `entry`, into `into`,
    /// which must be cleared. The body is validated first if the module's were not.
    pub(crate) fn translate(
        &mut self,
        code: &ModuleCode,
        func: LocalFuncIndex,
        entry: Entry,
        into: &mut ir::Function,
    ) -> Result<Translated, TranslateError> {
        let body = code.module.body(func);
        if !code.settings.lazy_validation {
            return self.translate_valid(code, func, entry, &body, into);
        }
        // The module may be a mapped file, which another process can change
        // between validation and translation: both read this copy.
        let mut bytes = std::mem::take(&mut self.body);
        bytes.clear();
        bytes.extend_from_slice(body.as_bytes());
        let features = code.module.features().to_wasmparser();
        let start = body.range().start;
        let body = FunctionBody::new(BinaryReader::new_features(&bytes, start, features));
        let allocations = std::mem::take(&mut self.validator);
        let mut validator = code.module.func_validator(func, allocations);
        let valid = validator.validate(&body).map_err(ParseError::from);
        self.validator = validator.into_allocations();
        let result = match valid {
            Ok(()) => self.translate_valid(code, func, entry, &body, into),
            Err(error) => Err(error.into()),
        };
        self.body = bytes;
        result
    }

    fn translate_valid(
        &mut self,
        code: &ModuleCode,
        func: LocalFuncIndex,
        entry: Entry,
        body: &FunctionBody<'_>,
        into: &mut ir::Function,
    ) -> Result<Translated, TranslateError> {
        let index = code.module.func_index(func);
        let ty = func_type_of(&code.module, index);
        into.name = ir::UserFuncName::User(crate::symbol::Symbol::Func(func).to_name());
        into.signature = native_signature(&code.module, ty);
        if let Entry::Loop(_) = entry {
            // Behind the instance comes the frame, whatever the parameters are.
            into.signature.params.truncate(1);
            into.signature.params.push(AbiParam::new(types::I64));
        }
        let buffers = (&mut self.builder, &mut self.small_functions);
        let result = FuncTranslator::new(self.isa, code, index, into, buffers).body(entry, body);
        if result.is_err() {
            // Half a function is left in the buffers.
            self.builder = FunctionBuilderContext::new();
        }
        result
    }
}

/// The signature of functions of type `ty` by the native call shape.
pub(crate) fn native_signature(module: &Module, ty: &FuncType) -> Signature {
    let mut signature = Signature::new(CallConv::Tail);
    let vmctx = AbiParam::special(types::I64, ArgumentPurpose::VMContext);
    let param = |ty: &ValType| AbiParam::new(clif_type(module, ty));
    signature.params.push(vmctx);
    signature.params.extend(ty.params.iter().map(param));
    signature.returns.extend(ty.results.iter().map(param));
    signature
}

/// The type that values of type `ty` have in machine code.
pub(crate) fn clif_type(module: &Module, ty: &ValType) -> ir::Type {
    match ty {
        ValType::I32 => types::I32,
        ValType::I64 => types::I64,
        ValType::F32 => types::F32,
        ValType::F64 => types::F64,
        ValType::V128 => VECTOR,
        ValType::Ref(ty) => reference_type(module, &ty.heap),
    }
}

/// The type of all vectors where control flow meets.
const VECTOR: ir::Type = types::I8X16;

/// The type of a null-terminated list of what fits a block or call.
type Types = SmallVec<[ir::Type; 4]>;

/// References to functions are pointers, all others 32 bits.
fn reference_type(module: &Module, heap: &HeapType) -> ir::Type {
    let is_func = match heap {
        HeapType::Func | HeapType::NoFunc => true,
        HeapType::Concrete(ty) => is_func_type(module, *ty),
        _ => false,
    };
    if is_func { types::I64 } else { types::I32 }
}

fn is_func_type(module: &Module, ty: TypeIndex) -> bool {
    matches!(module.types()[ty.index()].composite, CompositeType::Func(_))
}

fn func_type_of(module: &Module, func: FuncIndex) -> &FuncType {
    module
        .func_type(module.functions()[func.index()])
        .expect("validated: functions have function types")
}

/// The state of translating one function.
struct FuncTranslator<'a> {
    isa: &'a dyn TargetIsa,
    code: &'a ModuleCode,
    module: &'a Module,
    /// The function that is being translated.
    func: FuncIndex,
    b: FunctionBuilder<'a>,
    /// The instance block.
    vmctx: ir::Value,
    /// The operands.
    stack: Vec<ir::Value>,
    frames: Vec<Frame<'a>>,
    /// The frame that is the body of the function being translated, which may
    /// be an inlined one.
    function_frame: usize,
    locals: Vec<Variable>,
    /// Whether the code here cannot be reached.
    dead: bool,
    /// Blocks opened in dead code.
    dead_blocks: u32,
    /// The number that the current basic block charges, to be set at its end.
    fuel: Option<Charge>,
    /// Where the current instruction comes from.
    position: Position,
    /// The call that is being inlined.
    call_site: Option<Position>,
    /// How many calls are being inlined into each other.
    inline_depth: usize,
    small_functions: &'a mut SmallFunctions,
    /// How many bytes of small functions may still be inlined.
    inline_bytes_left: usize,
    /// How many entries of jump tables may still be duplicated.
    dispatch_entries_left: usize,
    signatures: HashMap<u32, ir::SigRef>,
    catchers: Vec<Catcher>,
    funcs: HashMap<LocalFuncIndex, ir::FuncRef>,
    libcalls: HashMap<LibCall, ir::FuncRef>,
    regions: env::Regions,
    /// The entry, if it is at a loop.
    entry: Option<LoopEntry>,
    out: Translated,
}

/// A constant that is not known when it is needed.
#[derive(Clone, Copy, Debug)]
struct Charge {
    constant: ir::Inst,
    units: i64,
}

impl<'a> FuncTranslator<'a> {
    fn new(
        isa: &'a dyn TargetIsa,
        code: &'a ModuleCode,
        func: FuncIndex,
        into: &'a mut ir::Function,
        (builder, small_functions): (&'a mut FunctionBuilderContext, &'a mut SmallFunctions),
    ) -> Self {
        FuncTranslator {
            isa,
            code,
            module: &code.module,
            func,
            b: FunctionBuilder::new(into, builder),
            vmctx: ir::Value::from_u32(0),
            stack: Vec::new(),
            frames: Vec::new(),
            function_frame: 0,
            locals: Vec::new(),
            dead: false,
            dead_blocks: 0,
            fuel: None,
            position: Position::Own(0),
            call_site: None,
            inline_depth: 0,
            small_functions,
            inline_bytes_left: 0,
            dispatch_entries_left: dispatch::MAX_ENTRIES,
            signatures: HashMap::new(),
            catchers: Vec::new(),
            funcs: HashMap::new(),
            libcalls: HashMap::new(),
            regions: env::Regions::default(),
            entry: None,
            out: Translated::default(),
        }
    }

    fn body(mut self, entry: Entry, body: &FunctionBody<'a>) -> Result<Translated, TranslateError> {
        let first = self.b.create_block();
        self.b.append_block_params_for_function_params(first);
        self.b.switch_to_block(first);
        self.b.seal_block(first);
        let params: SmallVec<[ir::Value; 8]> = self.b.block_params(first).into();
        self.vmctx = params[0];
        self.check_native_stack();
        match entry {
            Entry::Function => self.declare_locals(&params[1..], body)?,
            Entry::Loop(at) => self.begin_at_loop(at, params[1], body)?,
        }
        let ty = func_type_of(self.module, self.func);
        self.open_function(&ty.results);
        self.begin_fuel_block();
        self.check_interrupt();
        self.inline_bytes_left = inline::allowance(body);
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            let offset = reader.original_position();
            self.begin_instruction(offset);
            if self.operator(&reader.read()?, offset, Some(&reader))? {
                break;
            }
        }
        self.settle_fuel();
        match entry {
            Entry::Loop(offset) if !self.entry_was_met() => {
                let func = self.func.as_u32();
                return Err(TranslateError::NoEntry { func, offset });
            }
            _ => {}
        }
        self.b.finalize(self.isa.frontend_config());
        let called_types = self.signatures.keys().copied().map(TypeIndex::from_u32);
        self.out.called_types = called_types.collect();
        Ok(self.out)
    }

    /// Declares parameters and locals; the latter start as zero.
    fn declare_locals(
        &mut self,
        params: &[ir::Value],
        body: &FunctionBody<'_>,
    ) -> Result<(), TranslateError> {
        for &param in params {
            let ty = self.b.func.dfg.value_type(param);
            self.declare_local(ty, param);
        }
        let mut locals = body.get_locals_reader()?;
        for _ in 0..locals.get_count() {
            let (count, ty) = locals.read()?;
            let ty = self.clif_type_of(ty);
            let zero = self.zero(ty);
            for _ in 0..count {
                self.declare_local(ty, zero);
            }
        }
        Ok(())
    }

    fn declare_local(&mut self, ty: ir::Type, value: ir::Value) {
        let local = self.b.declare_var(ty);
        self.b.def_var(local, value);
        self.locals.push(local);
    }

    /// The zero or null of a type.
    fn zero(&mut self, ty: ir::Type) -> ir::Value {
        match ty {
            types::F32 => self.b.ins().f32const(0.0),
            types::F64 => self.b.ins().f64const(0.0),
            VECTOR => {
                let zero = self.b.func.dfg.constants.insert([0; 16][..].into());
                self.b.ins().vconst(VECTOR, zero)
            }
            _ => self.b.ins().iconst(ty, 0),
        }
    }

    /// The type that values of a type of `wasmparser` have.
    fn clif_type_of(&self, ty: wasmparser::ValType) -> ir::Type {
        match ty {
            wasmparser::ValType::I32 => types::I32,
            wasmparser::ValType::I64 => types::I64,
            wasmparser::ValType::F32 => types::F32,
            wasmparser::ValType::F64 => types::F64,
            wasmparser::ValType::V128 => VECTOR,
            wasmparser::ValType::Ref(ty) => self.reference_type_of(ty.heap_type()),
        }
    }

    fn reference_type_of(&self, heap: wasmparser::HeapType) -> ir::Type {
        use wasmparser::{AbstractHeapType, HeapType};
        let is_func = match heap {
            HeapType::Abstract { ty, .. } => {
                matches!(ty, AbstractHeapType::Func | AbstractHeapType::NoFunc)
            }
            HeapType::Concrete(index) | HeapType::Exact(index) => {
                let index = index
                    .as_module_index()
                    .expect("types of modules have indices");
                is_func_type(self.module, TypeIndex::from_u32(index))
            }
        };
        if is_func { types::I64 } else { types::I32 }
    }

    /// The type of a tag: its parameters are the values of its exceptions.
    fn tag_type(&self, tag: u32) -> &'a FuncType {
        self.func_type(self.module.tags()[tag as usize].as_u32())
    }

    /// A function type of the module.
    fn func_type(&self, ty: u32) -> &'a FuncType {
        self.module
            .func_type(TypeIndex::from_u32(ty))
            .expect("validated: a function type")
    }

    fn unsupported<T>(&self, operator: &Operator<'_>, offset: u64) -> Result<T, TranslateError> {
        let debug = format!("{operator:?}");
        let instruction = debug
            .split([' ', '{', '('])
            .next()
            .unwrap_or_default()
            .to_owned();
        Err(TranslateError::Unsupported {
            func: self.func.as_u32(),
            offset,
            instruction,
        })
    }
}
