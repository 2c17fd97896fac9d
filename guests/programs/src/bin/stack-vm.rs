//! An interpreter: a small stack machine runs a program of its own, a sieve with
//! a function that is called for every prime.

use std::process::ExitCode;

#[derive(Clone, Copy)]
#[repr(u8)]
enum Op {
    Const,
    Load,
    Store,
    Add,
    Sub,
    Mul,
    Xor,
    Rotate,
    Less,
    Not,
    Read,
    Write,
    Jump,
    JumpUnless,
    Call,
    Return,
    Dup,
    Drop,
    Swap,
    Halt,
}
use Op::*;

/// One instruction, with an operand that only some use.
type Code = (Op, i32);

/// Cells of the machine's memory.
const CELLS: i32 = 2000;

/// Where the function begins.
const FUNCTION: i32 = 36;

/// Variables: 0 the candidate, 1 the multiple, 2 the checksum.
const PROGRAM: &[Code] = &[
    // Every cell is zero: 0..=9.
    (Const, 0),
    (Store, 0),
    (Load, 0),
    (Const, 0),
    (Write, 0),
    (Load, 0),
    (Const, 1),
    (Add, 0),
    (Dup, 0),
    (Store, 0),
    (Const, CELLS),
    (Less, 0),
    (Not, 0),
    (JumpUnless, 2),
    // Candidates from 2.
    (Const, 2),
    (Store, 0),
    // 16: a cell that is set is no prime.
    (Load, 0),
    (Read, 0),
    (Not, 0),
    (JumpUnless, 27),
    (Load, 0),
    (Call, FUNCTION),
    // The multiples of a prime.
    (Load, 0),
    (Dup, 0),
    (Add, 0),
    (Store, 1),
    (Jump, 44),
    // 27: the next candidate.
    (Load, 0),
    (Const, 1),
    (Add, 0),
    (Dup, 0),
    (Store, 0),
    (Const, CELLS),
    (Less, 0),
    (JumpUnless, 43),
    (Jump, 16),
    // 36, the function: checksum = rotate(checksum ^ prime) * 31.
    (Load, 2),
    (Xor, 0),
    (Rotate, 5),
    (Const, 31),
    (Mul, 0),
    (Store, 2),
    (Return, 0),
    // 43
    (Halt, 0),
    // 44: while multiple < CELLS.
    (Load, 1),
    (Const, CELLS),
    (Less, 0),
    (JumpUnless, 27),
    (Load, 1),
    (Const, 1),
    (Write, 0),
    (Load, 1),
    (Load, 0),
    (Add, 0),
    (Store, 1),
    (Jump, 44),
];

struct Machine {
    variables: [i32; 8],
    memory: [i32; CELLS as usize],
    stack: [i32; 64],
    returns: [usize; 64],
}

fn main() -> ExitCode {
    programs::run(|size| {
        let mut machine = Machine {
            variables: [0; 8],
            memory: [0; CELLS as usize],
            stack: [0; 64],
            returns: [0; 64],
        };
        for _ in 0..size * 6 {
            machine.run(PROGRAM);
        }
        machine.variables[2] as u64
    })
}

impl Machine {
    #[inline(never)]
    fn run(&mut self, program: &[Code]) {
        // Both stacks wrap around, so that no access is out of bounds.
        let (mut at, mut top, mut depth) = (0, 0usize, 0usize);
        macro_rules! push {
            ($value:expr) => {{
                let value = $value;
                top = (top + 1) % 64;
                self.stack[top] = value;
            }};
        }
        macro_rules! pop {
            () => {{
                let value = self.stack[top];
                top = top.wrapping_sub(1) % 64;
                value
            }};
        }
        macro_rules! binary {
            ($left:ident, $right:ident, $result:expr) => {{
                let $right = pop!();
                let $left = self.stack[top];
                self.stack[top] = $result;
            }};
        }
        loop {
            let (op, operand) = program[at];
            at += 1;
            match op {
                Const => push!(operand),
                Load => push!(self.variables[operand as usize % 8]),
                Store => self.variables[operand as usize % 8] = pop!(),
                Add => binary!(a, b, a.wrapping_add(b)),
                Sub => binary!(a, b, a.wrapping_sub(b)),
                Mul => binary!(a, b, a.wrapping_mul(b)),
                Xor => binary!(a, b, a ^ b),
                Rotate => self.stack[top] = self.stack[top].rotate_left(operand as u32),
                Less => binary!(a, b, i32::from(a < b)),
                Not => self.stack[top] = i32::from(self.stack[top] == 0),
                Read => {
                    self.stack[top] = self.memory[self.stack[top] as usize % CELLS as usize];
                }
                Write => {
                    let value = pop!();
                    let cell = pop!();
                    self.memory[cell as usize % CELLS as usize] = value;
                }
                Jump => at = operand as usize,
                JumpUnless => {
                    if pop!() == 0 {
                        at = operand as usize;
                    }
                }
                Call => {
                    depth = (depth + 1) % 64;
                    self.returns[depth] = at;
                    at = operand as usize;
                }
                Return => {
                    at = self.returns[depth];
                    depth = depth.wrapping_sub(1) % 64;
                }
                Dup => push!(self.stack[top]),
                Drop => drop(pop!()),
                Swap => {
                    let (a, b) = (pop!(), pop!());
                    push!(a);
                    push!(b);
                }
                Halt => return,
            }
        }
    }
}
