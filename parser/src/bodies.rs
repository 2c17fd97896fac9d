//! Function bodies: ranges of a module's bytes that are validated one by one.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use wasmparser::{
    BinaryReader, FuncToValidate, FuncValidator, FuncValidatorAllocations, FunctionBody,
};

use crate::error::ParseError;
use crate::index::LocalFuncIndex;
use crate::module::Module;
use crate::resources::Resources;

/// Below this many bytes of code, validation stays on the calling thread: at
/// some 100 MB/s it is done before other threads would have started.
const PARALLEL_MIN_BYTES: usize = 256 << 10;

/// How many bodies a thread takes at a time.
const BATCH: u32 = 32;

/// Operands that a function may have on its stack at once. Every call of two
/// bytes may push 1,000 of them, and the validator holds each, so that a body
/// of 7 MB would otherwise take more memory than there is. No compiler's
/// output comes near.
const MAX_OPERANDS: u32 = 1_000_000;

/// Where a function body lies in its module's bytes. It starts with the
/// declarations of the locals and ends with the final `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BodyRange {
    start: u32,
    end: u32,
}

impl BodyRange {
    pub(crate) fn new(range: Range<u32>) -> Self {
        Self {
            start: range.start,
            end: range.end,
        }
    }

    /// The offset of its first byte.
    pub fn start(self) -> usize {
        self.start as usize
    }

    /// The offset after its last byte.
    pub fn end(self) -> usize {
        self.end as usize
    }

    /// Its length in bytes.
    pub fn len(self) -> usize {
        self.end().saturating_sub(self.start())
    }

    /// Whether it has no bytes, and so is invalid.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// As a range of offsets.
    pub fn range(self) -> Range<usize> {
        self.start()..self.end()
    }
}

/// Reading and validating bodies.
///
/// # Panics
///
/// Where a method takes the index of a function, it panics if the module has
/// no such function.
impl Module {
    /// The body of a function, with readers whose offsets count from the
    /// beginning of the module.
    ///
    /// The body need not be valid: lower it only while, or after, it is
    /// validated.
    pub fn body(&self, func: LocalFuncIndex) -> FunctionBody<'_> {
        let range = self.bodies()[func.index()].range();
        // The owner of the bytes may have cut them short since (a truncated
        // file); an empty body is invalid and gives an error.
        let bytes = self.bytes().get(range.clone()).unwrap_or_default();
        let features = self.features().to_wasmparser();
        FunctionBody::new(BinaryReader::new_features(
            bytes,
            range.start as u64,
            features,
        ))
    }

    /// A validator for the body of a function, which is fed as the body is
    /// read. `allocations` come from a finished validator, or are new.
    pub fn func_validator(
        &self,
        func: LocalFuncIndex,
        allocations: FuncValidatorAllocations,
    ) -> FuncValidator<Resources> {
        let resources = self
            .validator_resources()
            .expect("a module with bodies has resources");
        let index = self.func_index(func);
        FuncToValidate {
            resources: resources.clone(),
            index: index.as_u32(),
            ty: self.functions()[index.index()].as_u32(),
            features: self.features().to_wasmparser(),
        }
        .into_validator(allocations)
    }

    /// Validates the body of one function.
    pub fn validate_function(
        &self,
        func: LocalFuncIndex,
        allocations: &mut FuncValidatorAllocations,
    ) -> Result<(), ParseError> {
        let mut validator = self.func_validator(func, std::mem::take(allocations));
        let result = validate_body(&mut validator, &self.body(func));
        *allocations = validator.into_allocations();
        result
    }

    /// Validates all bodies, large modules on all cores. Of several invalid
    /// bodies, the first in the module gives the error.
    pub fn validate_all(&self) -> Result<(), ParseError> {
        let code: usize = self.bodies().iter().map(|body| body.len()).sum();
        let threads = if code < PARALLEL_MIN_BYTES {
            1
        } else {
            thread::available_parallelism().map_or(1, usize::from)
        };
        Survey::new(self).run(threads)
    }

    /// Validates all bodies in the order of the module, on this thread alone:
    /// for a thread that has others beside it.
    pub fn validate_in_order(&self) -> Result<(), ParseError> {
        Survey::new(self).run(1)
    }
}

/// Validates a body with a fresh validator of its function, as
/// [`FuncValidator::validate`] does, within a bound on the operand stack.
///
/// # Errors
/// If the body is not valid, or has too many operands at once.
pub fn validate_body(
    validator: &mut FuncValidator<Resources>,
    body: &FunctionBody<'_>,
) -> Result<(), ParseError> {
    let mut reader = body.get_binary_reader();
    validator.read_locals(&mut reader)?;
    while !reader.eof() {
        let offset = reader.original_position();
        reader.visit_operator(&mut validator.visitor(offset))??;
        check_operands(validator)?;
    }
    let offset = reader.original_position();
    Ok(reader.finish_expression(&validator.visitor(offset))?)
}

/// Checks how many operands there are after an instruction. For who validates a body
/// while it is read: its locals come before, by [`FuncValidator::read_locals`], and
/// at the end [`OperatorsReader::finish`](wasmparser::OperatorsReader::finish) must
/// succeed. Which error is the first may differ from [`validate_body`].
///
/// # Errors
/// If there are too many.
#[inline]
pub fn check_operands(validator: &FuncValidator<Resources>) -> Result<(), ParseError> {
    let actual = validator.operand_stack_height();
    if actual > MAX_OPERANDS {
        return Err(ParseError::Limit {
            what: "the operands of a function",
            limit: MAX_OPERANDS.into(),
            actual: actual.into(),
        });
    }
    Ok(())
}

/// A validation of all bodies by several threads, which take batches in the
/// order of the module.
struct Survey<'a> {
    module: &'a Module,
    /// The first body that nobody has taken yet.
    next: AtomicU32,
    /// The first body known to be invalid, or `u32::MAX`. Bodies behind it
    /// need no look, those before it do.
    first_invalid: AtomicU32,
    error: Mutex<Option<(u32, ParseError)>>,
}

impl<'a> Survey<'a> {
    fn new(module: &'a Module) -> Self {
        Self {
            module,
            next: AtomicU32::new(0),
            first_invalid: AtomicU32::new(u32::MAX),
            error: Mutex::new(None),
        }
    }

    fn run(self, threads: usize) -> Result<(), ParseError> {
        thread::scope(|scope| {
            for _ in 1..threads {
                // Where no thread can be had, the others do its work.
                let _ = thread::Builder::new().spawn_scoped(scope, || self.work());
            }
            self.work();
        });
        match self
            .error
            .into_inner()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
        {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }

    fn work(&self) {
        let count = self.module.bodies().len() as u32;
        let mut allocations = FuncValidatorAllocations::default();
        loop {
            let start = self.next.fetch_add(BATCH, Ordering::Relaxed);
            if start >= count {
                return;
            }
            for func in start..count.min(start.saturating_add(BATCH)) {
                if func >= self.first_invalid.load(Ordering::Relaxed) {
                    return;
                }
                let index = LocalFuncIndex::from_u32(func);
                if let Err(error) = self.module.validate_function(index, &mut allocations) {
                    self.report(func, error);
                    return;
                }
            }
        }
    }

    fn report(&self, func: u32, error: ParseError) {
        self.first_invalid.fetch_min(func, Ordering::Relaxed);
        let mut first = self
            .error
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if first.as_ref().is_none_or(|(index, _)| func < *index) {
            *first = Some((func, error));
        }
    }
}

// Validation happens on any thread.
const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Module>();
};
