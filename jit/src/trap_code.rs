//! Traps as Cranelift's trap codes, and back.

use cranelift_codegen::ir::TrapCode;
use rwasm_runtime::trap::Trap;

/// The code that an instruction which may trap is marked with.
pub(crate) const fn trap_code(trap: Trap) -> TrapCode {
    match trap {
        // What Cranelift's own instructions and prologues raise.
        Trap::StackOverflow => TrapCode::STACK_OVERFLOW,
        Trap::MemoryOutOfBounds => TrapCode::HEAP_OUT_OF_BOUNDS,
        Trap::IntegerOverflow => TrapCode::INTEGER_OVERFLOW,
        Trap::IntegerDivideByZero => TrapCode::INTEGER_DIVISION_BY_ZERO,
        Trap::BadConversionToInteger => TrapCode::BAD_CONVERSION_TO_INTEGER,
        other => TrapCode::unwrap_user(other as u8 + 1),
    }
}

/// The trap that a code stands for; every code in our machine code has one.
pub(crate) fn to_trap(code: TrapCode) -> Option<Trap> {
    Trap::ALL
        .iter()
        .copied()
        .find(|&trap| trap_code(trap) == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trap_has_a_code_of_its_own() {
        for &trap in Trap::ALL {
            assert_eq!(to_trap(trap_code(trap)), Some(trap));
        }
        assert_eq!(to_trap(TrapCode::unwrap_user(200)), None);
    }
}
