//! Shapes of modules, each in any size.

use super::{run, run_or_refuse};
use rwasm::{ModuleBytes, Validation};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, DataSection, ElementSection, Elements, EntityType,
    ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType, ImportSection,
    Instruction, MemorySection, MemoryType, Module, RefType, TableSection, TableType, TypeSection,
    ValType,
};

/// A kind of module.
pub struct Shape {
    pub name: &'static str,
    /// The larger size; what it counts is the shape's own.
    pub size: u32,
    /// The module of a size.
    pub build: fn(u32) -> Vec<u8>,
    /// What is done with it.
    pub run: fn(&ModuleBytes, Validation),
    /// Bytes of heap for each byte of the module, at most.
    pub bytes_per_byte: usize,
}

const fn shape(name: &'static str, size: u32, build: fn(u32) -> Vec<u8>) -> Shape {
    Shape {
        name,
        size,
        build,
        run,
        bytes_per_byte: 200,
    }
}

impl Shape {
    const fn heap(self, bytes_per_byte: usize) -> Shape {
        Shape {
            bytes_per_byte,
            ..self
        }
    }

    /// It may be more than the interpreter can run.
    const fn may_refuse(self) -> Shape {
        Shape {
            run: run_or_refuse,
            ..self
        }
    }
}

/// All shapes. Sizes are at or near the limits of the specification's embedding
/// for the web, which the validator has too, as far as the debug build of a
/// test can bear.
pub const SHAPES: &[Shape] = &[
    // One group of locals is five bytes, whatever its count.
    shape("locals", 50_000, locals).heap(1 << 20),
    shape("functions", 50_000, functions),
    shape("nested blocks", 100_000, |n| {
        nested(n, Instruction::Block(BlockType::Empty))
    }),
    shape("nested loops", 100_000, |n| {
        nested(n, Instruction::Loop(BlockType::Empty))
    }),
    shape("nested ifs", 100_000, nested_ifs),
    shape("loops in a row", 100_000, loops_in_a_row),
    shape("targets of a table", 1_000_000, branch_table),
    shape(
        "targets of different depths",
        40_000,
        branch_table_of_depths,
    ),
    shape(
        "targets that carry many operands",
        4_000,
        branch_table_with_operands,
    ),
    shape(
        "blocks with a thousand results",
        20_000,
        blocks_with_results,
    )
    .heap(250),
    shape(
        "branches with a thousand operands",
        20_000,
        branches_with_operands,
    )
    .heap(250),
    shape("calls with a thousand results", 40_000, calls_with_results)
        .heap(200)
        .may_refuse(),
    shape("locals under operands", 60_000, locals_under_operands).may_refuse(),
    shape("code", 100 << 20, code).heap(8),
    shape("a constant expression", 400_000, constant_expression),
    shape("constant expressions", 200_000, constant_expressions),
    shape("function types", 100_000, function_types),
    shape("chains of subtypes", 100_000, subtypes)
        .may_refuse()
        .heap(400),
    shape("a recursion group", 100_000, recursion_group)
        .may_refuse()
        .heap(400),
    shape("data segments", 100_000, data_segments),
    shape("elements", 1_000_000, elements),
    shape("element segments", 100_000, element_segments),
    shape("table elements", 10_000_000, table_elements).heap(4 << 20),
    shape("imports", 100_000, imports),
    shape("exports", 100_000, exports),
];

/// A module with one function `f`, and the types before it.
struct One {
    types: TypeSection,
    num_types: u32,
    locals: Vec<(u32, ValType)>,
    body: Vec<u8>,
}

impl One {
    /// The type of `f` is 0: no parameters, no results.
    fn new() -> One {
        let mut one = One {
            types: TypeSection::new(),
            num_types: 0,
            locals: Vec::new(),
            body: Vec::new(),
        };
        one.ty(0, 0);
        one
    }

    /// Adds a type of so many `i32` parameters and results.
    fn ty(&mut self, params: usize, results: usize) -> u32 {
        let types = |count| vec![ValType::I32; count];
        self.types.ty().function(types(params), types(results));
        self.num_types += 1;
        self.num_types - 1
    }

    fn op(&mut self, instruction: Instruction<'_>) -> &mut Self {
        use wasm_encoder::Encode;
        instruction.encode(&mut self.body);
        self
    }

    fn constant(&mut self, value: i32) -> &mut Self {
        self.op(Instruction::I32Const(value))
    }

    /// The module; `others` are functions behind `f`, by type and body.
    fn finish(self, others: &[(u32, Function)]) -> Vec<u8> {
        let mut function = Function::new(self.locals);
        function.raw(self.body);
        function.instruction(&Instruction::End);
        let mut functions = FunctionSection::new();
        let mut code = CodeSection::new();
        functions.function(0);
        code.function(&function);
        for (ty, body) in others {
            functions.function(*ty);
            code.function(body);
        }
        let mut exports = ExportSection::new();
        exports.export("f", ExportKind::Func, 0);
        let mut module = Module::new();
        module.section(&self.types).section(&functions);
        module.section(&exports).section(&code);
        module.finish()
    }
}

fn repeat(n: u32, mut each: impl FnMut(u32)) {
    (0..n).for_each(&mut each);
}

fn locals(n: u32) -> Vec<u8> {
    let mut one = One::new();
    one.locals = vec![(n, ValType::I64)];
    // All of them are used, in a loop as well.
    one.op(Instruction::Loop(BlockType::Empty));
    one.op(Instruction::LocalGet(n - 1))
        .op(Instruction::LocalSet(0));
    one.op(Instruction::End);
    one.finish(&[])
}

fn functions(n: u32) -> Vec<u8> {
    let mut one = One::new();
    repeat(n, |at| {
        one.op(Instruction::Call(at + 1));
    });
    let mut body = Function::new([]);
    body.instruction(&Instruction::End);
    let others = vec![(0, body); n as usize];
    one.finish(&others)
}

fn nested(n: u32, open: Instruction<'static>) -> Vec<u8> {
    let mut one = One::new();
    repeat(n, |_| {
        one.op(open.clone());
    });
    // Out of all of them, unless they are loops.
    one.constant(0).op(Instruction::BrIf(n - 1));
    repeat(n, |_| {
        one.op(Instruction::End);
    });
    one.finish(&[])
}

fn nested_ifs(n: u32) -> Vec<u8> {
    let mut one = One::new();
    repeat(n, |_| {
        one.constant(1).op(Instruction::If(BlockType::Empty));
    });
    repeat(n, |_| {
        one.op(Instruction::Else).op(Instruction::End);
    });
    one.finish(&[])
}

fn loops_in_a_row(n: u32) -> Vec<u8> {
    let mut one = One::new();
    one.locals = vec![(1_000, ValType::I32)];
    repeat(n, |at| {
        one.op(Instruction::Loop(BlockType::Empty));
        one.op(Instruction::LocalGet(at % 1_000))
            .op(Instruction::BrIf(0));
        one.op(Instruction::End);
    });
    one.finish(&[])
}

fn branch_table(n: u32) -> Vec<u8> {
    let mut one = One::new();
    repeat(3, |_| {
        one.op(Instruction::Block(BlockType::Empty));
    });
    let targets: Vec<u32> = (0..n).map(|at| at % 3).collect();
    one.constant(5).op(Instruction::BrTable(targets.into(), 0));
    repeat(3, |_| {
        one.op(Instruction::End);
    });
    one.finish(&[])
}

fn branch_table_of_depths(n: u32) -> Vec<u8> {
    let mut one = One::new();
    repeat(n, |_| {
        one.op(Instruction::Block(BlockType::Empty));
    });
    let targets: Vec<u32> = (0..n).collect();
    one.constant(5).op(Instruction::BrTable(targets.into(), 0));
    repeat(n, |_| {
        one.op(Instruction::End);
    });
    one.finish(&[])
}

/// Every target takes a hundred operands, from one place higher than the other.
fn branch_table_with_operands(n: u32) -> Vec<u8> {
    const MANY: u32 = 100;
    let mut one = One::new();
    let ty = one.ty(0, MANY as usize);
    repeat(n, |_| {
        one.op(Instruction::Block(BlockType::FunctionType(ty)));
    });
    repeat(MANY, |at| {
        one.constant(at.cast_signed());
    });
    let targets: Vec<u32> = (0..n).collect();
    one.constant(1).op(Instruction::BrTable(targets.into(), 0));
    repeat(n, |_| {
        one.op(Instruction::End);
    });
    repeat(MANY, |_| {
        one.op(Instruction::Drop);
    });
    one.finish(&[])
}

fn blocks_with_results(n: u32) -> Vec<u8> {
    let mut one = One::new();
    let ty = one.ty(0, 1_000);
    let through = one.ty(1_000, 1_000);
    one.op(Instruction::Block(BlockType::FunctionType(ty)));
    repeat(1_000, |_| {
        one.constant(1);
    });
    // Nested, and each gives its parameters on.
    repeat(n, |_| {
        one.op(Instruction::Block(BlockType::FunctionType(through)));
    });
    repeat(n, |_| {
        one.op(Instruction::End);
    });
    one.op(Instruction::End);
    repeat(1_000, |_| {
        one.op(Instruction::Drop);
    });
    one.finish(&[])
}

fn branches_with_operands(n: u32) -> Vec<u8> {
    let mut one = One::new();
    let ty = one.ty(0, 1_000);
    one.op(Instruction::Block(BlockType::FunctionType(ty)));
    // One more operand below, so that the others must move.
    repeat(1_001, |_| {
        one.constant(1);
    });
    repeat(n, |_| {
        one.constant(0).op(Instruction::BrIf(0));
    });
    one.op(Instruction::Br(0)).op(Instruction::End);
    repeat(1_000, |_| {
        one.op(Instruction::Drop);
    });
    one.finish(&[])
}

/// The operand stack would grow by four kilobytes with each call of two bytes.
fn calls_with_results(n: u32) -> Vec<u8> {
    let mut one = One::new();
    let ty = one.ty(0, 1_000);
    repeat(n, |_| {
        one.op(Instruction::Call(1));
    });
    one.op(Instruction::Unreachable);
    let mut body = Function::new([]);
    repeat(1_000, |_| {
        body.instruction(&Instruction::I32Const(0));
    });
    body.instruction(&Instruction::End);
    one.finish(&[(ty, body)])
}

/// Locals wait on the stack, under as many constants, while all of them change.
fn locals_under_operands(n: u32) -> Vec<u8> {
    let mut one = One::new();
    let n = n / 3;
    one.locals = vec![(n, ValType::I32)];
    repeat(n, |at| {
        one.op(Instruction::LocalGet(at));
    });
    repeat(n, |_| {
        one.constant(7);
    });
    repeat(n, |at| {
        one.constant(1).op(Instruction::LocalSet(at));
    });
    repeat(2 * n, |_| {
        one.op(Instruction::Drop);
    });
    one.finish(&[])
}

/// Functions of ten kilobytes, `n` bytes in total; the first of them is called.
fn code(n: u32) -> Vec<u8> {
    const EACH: u32 = 10_000;
    let mut body = Function::new([(2, ValType::I32)]);
    repeat(EACH / 11, |at| {
        body.instruction(&Instruction::LocalGet(0));
        body.instruction(&Instruction::I32Const(at.cast_signed() % 64));
        body.instruction(&Instruction::I32Add);
        body.instruction(&Instruction::LocalGet(1));
        body.instruction(&Instruction::I32Xor);
        body.instruction(&Instruction::LocalSet(0));
    });
    body.instruction(&Instruction::End);
    let mut one = One::new();
    one.op(Instruction::Call(1));
    one.finish(&vec![(0, body); (n / EACH) as usize])
}

fn constant_expression(n: u32) -> Vec<u8> {
    let mut expression = ConstExpr::i32_const(1);
    repeat(n, |_| {
        expression = std::mem::replace(&mut expression, ConstExpr::empty())
            .with_i32_const(1)
            .with_i32_add()
    });
    let mut globals = GlobalSection::new();
    globals.global(i32_global(), &expression);
    let mut module = Module::new();
    module.section(&globals);
    module.finish()
}

fn i32_global() -> GlobalType {
    GlobalType {
        val_type: ValType::I32,
        mutable: false,
        shared: false,
    }
}

fn constant_expressions(n: u32) -> Vec<u8> {
    let mut globals = GlobalSection::new();
    globals.global(i32_global(), &ConstExpr::i32_const(1));
    repeat(n - 1, |at| {
        globals.global(i32_global(), &ConstExpr::global_get(at));
    });
    let mut module = Module::new();
    module.section(&globals);
    module.finish()
}

/// Types that all differ.
fn function_types(n: u32) -> Vec<u8> {
    const KINDS: [ValType; 4] = [ValType::I32, ValType::I64, ValType::F32, ValType::F64];
    let mut types = TypeSection::new();
    repeat(n, |at| {
        let params = (0..9).map(|digit| KINDS[(at >> (2 * digit)) as usize % 4]);
        types.ty().function(params.collect::<Vec<_>>(), []);
    });
    let mut module = Module::new();
    module.section(&types);
    module.finish()
}

/// Chains of 60 types, each a subtype of the one before.
fn subtypes(n: u32) -> Vec<u8> {
    let mut types = TypeSection::new();
    repeat(n, |at| {
        let supertype = (at % 60 > 0).then(|| at - 1);
        types.ty().subtype(&wasm_encoder::SubType {
            is_final: false,
            supertype_idxs: supertype.into_iter().collect(),
            composite_type: structure(at / 60, 1 + at % 60),
        });
    });
    let mut module = Module::new();
    module.section(&types);
    module.finish()
}

/// A structure whose first field tells chains apart.
fn structure(chain: u32, fields: u32) -> wasm_encoder::CompositeType {
    use wasm_encoder::{CompositeInnerType, CompositeType, FieldType, StorageType, StructType};
    let field = |ty| FieldType {
        element_type: StorageType::Val(ty),
        mutable: true,
    };
    // Eleven fields spell the number of the chain in base two, so that no two
    // chains are the same; the rest is as long as the type is deep.
    let digits = (0..11).map(|digit| match chain >> digit & 1 {
        0 => field(ValType::I32),
        _ => field(ValType::I64),
    });
    let rest = (0..fields).map(|_| field(ValType::F32));
    CompositeType {
        inner: CompositeInnerType::Struct(StructType {
            fields: digits.chain(rest).collect(),
        }),
        shared: false,
        descriptor: None,
        describes: None,
    }
}

/// One group whose types all refer to their neighbours.
fn recursion_group(n: u32) -> Vec<u8> {
    use wasm_encoder::{
        CompositeInnerType, CompositeType, FieldType, HeapType, StorageType, StructType, SubType,
    };
    let subtypes = (0..n).map(|at| SubType {
        is_final: true,
        supertype_idxs: Vec::new(),
        composite_type: CompositeType {
            inner: CompositeInnerType::Struct(StructType {
                fields: [FieldType {
                    element_type: StorageType::Val(ValType::Ref(RefType {
                        nullable: true,
                        heap_type: HeapType::Concrete((at + 1) % n),
                    })),
                    mutable: true,
                }]
                .into(),
            }),
            shared: false,
            descriptor: None,
            describes: None,
        },
    });
    let mut types = TypeSection::new();
    types.ty().rec(subtypes.collect::<Vec<_>>());
    let mut module = Module::new();
    module.section(&types);
    module.finish()
}

fn data_segments(n: u32) -> Vec<u8> {
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 2,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut data = DataSection::new();
    repeat(n, |at| {
        data.active(0, &ConstExpr::i32_const(at.cast_signed()), [1]);
    });
    let mut module = Module::new();
    module.section(&memories).section(&data);
    module.finish()
}

/// A table of `size` elements, and segments for it.
fn with_table(size: u32, elements: &ElementSection) -> Vec<u8> {
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        minimum: size.into(),
        maximum: None,
        table64: false,
        shared: false,
    });
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut code = CodeSection::new();
    let mut body = Function::new([]);
    body.instruction(&Instruction::End);
    code.function(&body);
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&tables);
    module.section(elements).section(&code);
    module.finish()
}

fn elements(n: u32) -> Vec<u8> {
    let mut section = ElementSection::new();
    let all = vec![0; n as usize];
    section.active(
        None,
        &ConstExpr::i32_const(0),
        Elements::Functions(all.into()),
    );
    let all = vec![ConstExpr::ref_func(0); n as usize / 4];
    section.passive(Elements::Expressions(RefType::FUNCREF, all.into()));
    with_table(n, &section)
}

fn element_segments(n: u32) -> Vec<u8> {
    let mut section = ElementSection::new();
    repeat(n, |at| {
        let offset = ConstExpr::i32_const(at.cast_signed());
        section.active(None, &offset, Elements::Functions([0][..].into()));
    });
    with_table(n, &section)
}

/// Millions of elements in a module of a hundred bytes, which the store's
/// limits bound.
fn table_elements(n: u32) -> Vec<u8> {
    with_table(n, &ElementSection::new())
}

fn imports(n: u32) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut imports = ImportSection::new();
    repeat(n, |at| {
        imports.import("host", &format!("f{at}"), EntityType::Function(0));
    });
    let mut module = Module::new();
    module.section(&types).section(&imports);
    module.finish()
}

fn exports(n: u32) -> Vec<u8> {
    let mut globals = GlobalSection::new();
    globals.global(i32_global(), &ConstExpr::i32_const(1));
    let mut exports = ExportSection::new();
    repeat(n, |at| {
        exports.export(&format!("g{at}"), ExportKind::Global, 0);
    });
    let mut module = Module::new();
    module.section(&globals).section(&exports);
    module.finish()
}

/// A function `f` with `n` additions that calls itself as often as its argument
/// says, and then traps.
pub fn large_recursive_function(n: u32) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], []);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut body = Function::new([(1, ValType::I32)]);
    repeat(n, |_| {
        body.instruction(&Instruction::LocalGet(1));
        body.instruction(&Instruction::I32Const(3));
        body.instruction(&Instruction::I32Add);
        body.instruction(&Instruction::LocalSet(1));
    });
    body.instruction(&Instruction::LocalGet(0));
    body.instruction(&Instruction::If(BlockType::Empty));
    body.instruction(&Instruction::LocalGet(0));
    body.instruction(&Instruction::I32Const(1));
    body.instruction(&Instruction::I32Sub);
    body.instruction(&Instruction::Call(0));
    body.instruction(&Instruction::End);
    body.instruction(&Instruction::Unreachable);
    body.instruction(&Instruction::End);
    let mut code = CodeSection::new();
    code.function(&body);
    let mut exports = ExportSection::new();
    exports.export("f", ExportKind::Func, 0);
    let mut module = Module::new();
    module.section(&types).section(&functions);
    module.section(&exports).section(&code);
    module.finish()
}
