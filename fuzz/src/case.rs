//! Cases: from a seed to a module and the calls that are made of it.

use crate::host::{self, Ty};
use crate::record::Value;
use ::rwasm::parser::{ExternKind, FuncIndex, Module, ParseOptions, SpecVersion, ValType};
use arbitrary::Unstructured;

/// Calls and loop iterations that a module may make: it traps after that.
const FUEL: u32 = 1_000;

/// Bytes of objects that a store may hold. Who reaches that is not compared any
/// further.
pub const HEAP: u32 = 64 << 20;

/// Which proposals modules may use. Those that nobody can run are left out.
#[derive(Clone, Copy, Debug)]
pub struct Proposals {
    pub gc: bool,
    pub exceptions: bool,
    pub wide_arithmetic: bool,
    pub custom_page_sizes: bool,
}

/// A module, and what is done with it.
pub struct Case {
    pub wasm: Vec<u8>,
    /// What is exported, in order.
    pub exports: Vec<Export>,
    /// Random bits that choose the settings of the subject.
    pub settings: u64,
}

/// An export, and what is done with it.
pub struct Export {
    pub name: String,
    pub kind: ExternKind,
    /// The arguments of each call, if it is a function.
    pub calls: Vec<Vec<Value>>,
}

/// A small generator, the same everywhere (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..4 {
            random.next();
        }
        random
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// True once in `n` times.
    fn one_in(&mut self, n: u64) -> bool {
        self.next().is_multiple_of(n)
    }
}

impl Case {
    /// The case of a seed; `None` if the generator ran out of bytes. An error
    /// if rwasm cannot read the module.
    pub fn new(seed: u64, proposals: Proposals) -> Result<Option<Case>, String> {
        let mut random = Random::new(seed);
        let config = config(&mut random, proposals);
        let len = 500 + random.next() % 12_000;
        let bytes: Vec<u8> = (0..len).map(|_| random.next() as u8).collect();
        let Ok(mut module) = wasm_smith::Module::new(config, &mut Unstructured::new(&bytes)) else {
            return Ok(None);
        };
        if module.ensure_termination(FUEL).is_err() {
            return Ok(None);
        }
        let wasm = module.to_bytes();
        let exports = exports(&wasm, &mut random)?;
        Ok(Some(Case {
            wasm,
            exports,
            settings: random.next(),
        }))
    }
}

fn config(random: &mut Random, proposals: Proposals) -> wasm_smith::Config {
    // Plain modules often: what is rare in them is rarer still among vectors
    // and structs.
    let simd = random.one_in(2);
    let gc = proposals.gc && random.one_in(2);
    let exceptions = proposals.exceptions && random.one_in(3);
    let imports = random
        .one_in(2)
        .then(|| wat::parse_str(host::imports(simd)).expect("the text is ours"));
    wasm_smith::Config {
        max_imports: if imports.is_some() { 8 } else { 0 },
        available_imports: imports,
        simd_enabled: simd,
        relaxed_simd_enabled: simd && random.one_in(2),
        gc_enabled: gc,
        exceptions_enabled: exceptions,
        wide_arithmetic_enabled: proposals.wide_arithmetic && random.one_in(4),
        custom_page_sizes_enabled: proposals.custom_page_sizes && random.one_in(4),
        memory64_enabled: random.one_in(3),
        // What waits on a shared memory would wait for ever.
        threads_enabled: false,
        compact_imports_enabled: false,
        limit_arrays_in_const_exprs: true,
        canonicalize_nans: true,
        export_everything: true,
        allow_start_export: true,
        disallow_traps: random.one_in(2),
        min_funcs: 2,
        max_funcs: 8,
        min_memories: 1,
        max_memories: if random.one_in(3) { 3 } else { 1 },
        max_memory32_bytes: 1 << 20,
        max_memory64_bytes: 1 << 20,
        memory_max_size_required: true,
        max_tables: 3,
        max_table_elements: 1_000,
        table_max_size_required: true,
        max_instructions: 50 + (random.next() % 1_000) as usize,
        max_values: 16,
        ..wasm_smith::Config::default()
    }
}

/// The exports of a module, with arguments for its functions.
fn exports(wasm: &[u8], random: &mut Random) -> Result<Vec<Export>, String> {
    let mut options = ParseOptions {
        validate_bodies: false,
        ..ParseOptions::default()
    };
    options.features.version = SpecVersion::Wasm3;
    options.features.custom_page_sizes = true;
    options.features.wide_arithmetic = true;
    let module =
        Module::parse(wasm.to_vec().into(), &options).map_err(|error| error.to_string())?;
    let exports = module.exports().iter().map(|export| {
        let mut calls = Vec::new();
        if export.kind == ExternKind::Func {
            let ty = module.functions()[FuncIndex::from_u32(export.index).index()];
            let params = module.func_type(ty).map_or(&[][..], |ty| &ty.params);
            calls.extend((0..2).filter_map(|_| arguments(params, random)));
        }
        Export {
            name: export.name.to_string(),
            kind: export.kind,
            calls,
        }
    });
    Ok(exports.collect())
}

/// Arguments of these types; `None` if there are no values of one of them.
fn arguments(params: &[ValType], random: &mut Random) -> Option<Vec<Value>> {
    let argument = |param: &ValType| {
        let ty = match param {
            ValType::I32 => Ty::I32,
            ValType::I64 => Ty::I64,
            ValType::F32 => Ty::F32,
            ValType::F64 => Ty::F64,
            ValType::V128 => Ty::V128,
            ValType::Ref(ty) => return ty.nullable.then_some(Value::Null),
        };
        Some(host::number(ty, random.next()))
    };
    params.iter().map(argument).collect()
}
